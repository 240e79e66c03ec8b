"""LR images as each library makes them, and enlarged as the same library enlarges."""

import io
from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import correlate1d
from skimage.transform import resize

from srlib.data.imresize import imresize

Pixels = NDArray[np.uint8]
BLUR_SIGMA, BLUR_SIZE = 1.6, 7  # of the degradation BD


def reduced(hr: Pixels, scale: int, maker: str) -> Pixels:
    """LR of an HR image, as the choice ``maker`` of the part "lr" makes it.

    Args:
        hr: uint8 (H, W, 3), its sides multiples of ``scale``.
        scale: HR size over LR size.
        maker: of ``srlib.doctor.protocols.PARTS["lr"]``.

    Returns:
        uint8 (H / scale, W / scale, 3).

    Raises:
        ValueError: an unknown maker.
    """
    if maker in MAKERS:
        return MAKERS[maker](hr, scale)
    raise ValueError(f"lr: expected one of {', '.join(MAKERS)}, got {maker!r}")


def enlarged(lr: Pixels, scale: int, maker: str) -> Pixels:
    """Bicubic enlargement by the library that made LR; by MATLAB's where that is no library.

    A user who reduces by a library enlarges by it: so bicubic's own score deviates.
    """
    height, width = lr.shape[0] * scale, lr.shape[1] * scale
    if maker == "pillow":
        return np.asarray(Image.fromarray(lr).resize((width, height), Image.Resampling.BICUBIC))
    if maker in ("opencv", "pytorch-antialias"):
        return _interpolated(lr, (height, width), antialias=maker != "opencv")
    if maker == "skimage":
        return _eight_bits(resize(lr, (height, width), order=3, preserve_range=True))
    return imresize(lr, scale, border="symmetric" if maker == "matlab-new" else "replicate")


def _matlab(hr: Pixels, scale: int) -> Pixels:
    return imresize(hr, 1 / scale, border="replicate")


def _matlab_new(hr: Pixels, scale: int) -> Pixels:
    return imresize(hr, 1 / scale, border="symmetric")


def _pillow(hr: Pixels, scale: int) -> Pixels:
    size = hr.shape[1] // scale, hr.shape[0] // scale
    return np.asarray(Image.fromarray(hr).resize(size, Image.Resampling.BICUBIC))


def _opencv(hr: Pixels, scale: int) -> Pixels:
    return _interpolated(hr, (hr.shape[0] // scale, hr.shape[1] // scale), antialias=False)


def _pytorch_antialias(hr: Pixels, scale: int) -> Pixels:
    return _interpolated(hr, (hr.shape[0] // scale, hr.shape[1] // scale), antialias=True)


def _skimage(hr: Pixels, scale: int) -> Pixels:
    shape = hr.shape[0] // scale, hr.shape[1] // scale
    return _eight_bits(resize(hr, shape, order=3, anti_aliasing=True, preserve_range=True))


def _jpeg(quality: int) -> Callable[[Pixels, int], Pixels]:
    def maker(hr: Pixels, scale: int) -> Pixels:
        file = io.BytesIO()
        Image.fromarray(_matlab(hr, scale)).save(file, format="jpeg", quality=quality)
        return np.asarray(Image.open(file))

    return maker


def _blur_down(hr: Pixels, scale: int) -> Pixels:
    """The degradation BD of SRMD, RDN and RCAN: blurred in 8 bits, then MATLAB's bicubic."""
    at = np.arange(BLUR_SIZE) - BLUR_SIZE // 2
    line = np.exp(-(at**2) / (2 * BLUR_SIGMA**2))
    blurred = hr.astype(np.float64)
    for axis in (0, 1):
        blurred = correlate1d(blurred, line / line.sum(), axis=axis, mode="nearest")
    return _matlab(_eight_bits(blurred), scale)


def _interpolated(image: Pixels, size: tuple[int, int], antialias: bool) -> Pixels:
    """PyTorch's bicubic; without antialiasing it takes OpenCV's four pixels and weights."""
    batch = torch.from_numpy(np.array(image)).permute(2, 0, 1)[None].double()
    result = F.interpolate(batch, size, mode="bicubic", align_corners=False, antialias=antialias)
    return _eight_bits(result[0].permute(1, 2, 0).numpy())


def _eight_bits(image: NDArray) -> Pixels:
    """Rounded half up, as OpenCV's fixed point does, and clipped."""
    return np.clip(np.floor(image + 0.5), 0, 255).astype(np.uint8)


MAKERS: dict[str, Callable[[Pixels, int], Pixels]] = {
    "matlab": _matlab,
    "matlab-new": _matlab_new,
    "pillow": _pillow,
    "opencv": _opencv,
    "pytorch-antialias": _pytorch_antialias,
    "skimage": _skimage,
    "jpeg": _jpeg(75),
    "jpeg-95": _jpeg(95),
    "blur-down": _blur_down,
    "swapped": _matlab,  # the network sees it with its channels swapped (``srlib.doctor.grid``)
}
