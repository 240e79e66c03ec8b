"""What the networks of the Y channel share: bicubic enlargement, YCbCr, and the way there and back.

The older papers enlarge Y alone with their network and take the chroma from a bicubic enlargement.
``on_luma`` does that around a function of Y, so that these networks, too, take RGB and give RGB.

Nothing here is a convolution module: the enlargement belongs to the protocol, and no paper counts
it.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from srlib.networks.blocks import as_rgb

# Shares of R, G and B in the luma of ITU-R BT.601
RED, GREEN, BLUE = 0.299, 0.587, 0.114


def checked_scale(scale: int) -> int:
    """Return ``scale``, or raise ValueError where it is below 1."""
    if scale < 1:
        raise ValueError(f"scale={scale} must be at least 1; the papers have 2, 3 and 4")
    return scale


def on_luma(x: Tensor, scale: int, network: Callable[[Tensor], Tensor], least: int = 1) -> Tensor:
    """Enlarge Y with ``network`` and Cb, Cr with the bicubic of MATLAB.

    Args:
        x: (N, 3 or 1, H, W), values in 0..1.
        scale: magnification.
        network: LR luma (N, 1, H, W) -> HR luma (N, 1, scale*H, scale*W), in the studio range of
            ``to_ycbcr``. One that wants the enlarged Y starts with ``upscale_bicubic``.
        least: smallest height and width that ``network`` can process.

    Returns:
        RGB (N, 3, scale*H, scale*W), about 0..1, not clipped.

    Raises:
        ValueError: what ``as_rgb`` raises.
    """
    ycbcr = to_ycbcr(as_rgb(x, least))
    chroma = upscale_bicubic(ycbcr[:, 1:], scale)
    return to_rgb(torch.cat([network(ycbcr[:, :1]), chroma], dim=1))


def to_ycbcr(rgb: Tensor) -> Tensor:
    """RGB in 0..1 to YCbCr of BT.601 in studio range: (N, 3, H, W) -> (N, 3, H, W).

    Y is in 16/255..235/255, and is ``srlib.evaluation.metrics.luma`` over 255; Cb and Cr are in
    16/255..240/255, 128/255 where there is no colour.

    Source: ITU-R BT.601; MATLAB's ``rgb2ycbcr`` is the same with coefficients of three decimals.
    """
    red, green, blue = rgb.split(1, dim=1)
    luma = RED * red + GREEN * green + BLUE * blue
    cb = (blue - luma) / (1 - BLUE)
    cr = (red - luma) / (1 - RED)
    return torch.cat([16 + 219 * luma, 128 + 112 * cb, 128 + 112 * cr], dim=1) / 255


def to_rgb(ycbcr: Tensor) -> Tensor:
    """The inverse of ``to_ycbcr``, not clipped: (N, 3, H, W) -> (N, 3, H, W)."""
    y, cb, cr = (255 * ycbcr).split(1, dim=1)
    luma = (y - 16) / 219
    blue = luma + (1 - BLUE) * (cb - 128) / 112
    red = luma + (1 - RED) * (cr - 128) / 112
    green = (luma - RED * red - BLUE * blue) / GREEN
    return torch.cat([red, green, blue], dim=1)


def upscale_bicubic(x: Tensor, scale: int) -> Tensor:
    """MATLAB's bicubic enlargement: (N, C, H, W) -> (N, C, scale*H, scale*W), any range.

    In floats, differentiable, and neither rounded nor clipped, unlike ``srlib.imresize``; the edge
    pixel is repeated. Not PyTorch's bicubic, whose kernel has a = -0.75.

    Source: Keys, IEEE Transactions on Acoustics, Speech, and Signal Processing 29(6), 1981, with
    a = -0.5.
    """
    return _widen(_widen(x.transpose(-1, -2), scale).transpose(-1, -2), scale)


def _widen(x: Tensor, scale: int) -> Tensor:
    """(N, C, H, W) -> (N, C, H, scale*W): each pixel becomes ``scale`` sums of the five near it."""
    padded, width = F.pad(x, (2, 2, 0, 0), mode="replicate"), x.shape[-1]
    near = torch.stack([padded[..., tap : tap + width] for tap in range(5)], dim=-1)
    # the distance of output pixel `phase` from the input pixel that it lies in is the same in all
    distances = [(phase + 0.5) / scale - 0.5 for phase in range(scale)]
    taps = [[_keys(tap - distance) for distance in distances] for tap in range(-2, 3)]
    return (near @ torch.tensor(taps, dtype=x.dtype, device=x.device)).flatten(-2)


def _keys(x: float) -> float:
    """Keys' cubic convolution kernel with a = -0.5."""
    x = abs(x)
    if x <= 1:
        return 1.5 * x**3 - 2.5 * x**2 + 1
    return -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2 if x < 2 else 0.0
