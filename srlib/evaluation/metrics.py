"""PSNR-Y and SSIM-Y by the field's protocol, and by every other that public code uses.

The papers name the Y channel and no more; the rest is in the code that everybody uses: 8-bit
output, luma of BT.601 in its studio range kept as float, ``scale`` pixels shaved from each border,
peak 255, mean over the images of a set. That is what every function here does by default. Each
choice has a name, and the docstring says which deviation the default excludes, so that the number
of another evaluator is one call away: ``score(sr, hr, 4, channel="rgb", border=0)``.
``srlib.doctor`` says how far each choice moves a score, and who makes it.
"""

import math
from collections.abc import Sequence
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from skimage.metrics import structural_similarity

PROTOCOL = (
    "8-bit RGB output; BT.601 studio-range luma, not rounded; `scale` pixels shaved; peak 255; "
    "SSIM with an 11x11 Gaussian of sigma 1.5; mean over images"
)
SSIM_WINDOW = 11

Output = Literal["rounded", "truncated", "float"]
Channel = Literal["y", "y-rounded", "y-full", "y-full-rounded", "rgb", "y-swapped"]
Ssim = Literal[
    "gaussian", "gaussian-same", "gaussian-mirror", "gaussian-sample", "uniform", "image-range"
]
Mean = Literal["images", "pooled", "pooled-pixels"]

STUDIO = (65.481 / 255, 128.553 / 255, 24.966 / 255)
FULL = (0.299, 0.587, 0.114)
# What ``luma`` is asked for, for each channel that is a luma.
LUMAS: dict[str, dict[str, Any]] = {
    "y": {},
    "y-rounded": {"rounded": True},
    "y-full": {"studio": False},
    "y-full-rounded": {"studio": False, "rounded": True},
    "y-swapped": {"swapped": True},
}
# What ``structural_similarity`` is asked for, for each kind of SSIM; "gaussian" is Wang et al.'s.
GAUSSIAN: dict[str, Any] = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
SSIMS: dict[str, dict[str, Any]] = {
    "gaussian": GAUSSIAN,
    "gaussian-same": GAUSSIAN,
    "gaussian-mirror": GAUSSIAN,
    "gaussian-sample": GAUSSIAN | {"use_sample_covariance": True},
    "uniform": {"win_size": 7},
    "image-range": GAUSSIAN,
}
# The kinds that have a window at every pixel, and what numpy calls that which lies outside.
PADDED: dict[str, Any] = {"gaussian-same": "constant", "gaussian-mirror": "reflect"}


def as_output(image: NDArray, output: Output = "rounded") -> NDArray:
    """A network's output in 0..255 as an evaluator keeps it: clipped, then in 8 bits or not.

    Args:
        image: float (H, W, 3).
        output: "rounded" to the nearest of 8 bits, which excludes "truncated" (as ``.byte()`` and
            ``astype(uint8)`` do: 0.04 dB less) and "float" (no picture file holds it).

    Returns:
        uint8 (H, W, 3), or float64 where ``output`` is "float".

    Raises:
        ValueError: an unknown ``output``.
    """
    _known("output", output, Output)
    image = np.clip(image, 0, 255)
    if output == "float":
        return image.astype(np.float64)
    return (np.rint(image) if output == "rounded" else image).astype(np.uint8)


def luma(
    rgb: NDArray,
    *,
    studio: bool = True,
    rounded: bool = False,
    swapped: bool = False,
    eight_bits: bool = True,
) -> NDArray[np.float64]:
    """BT.601 luma: uint8 (H, W, 3) in 0..255 -> float64 (H, W), in 16..235 by default.

    Args:
        rgb: the image.
        studio: MATLAB's ``rgb2ycbcr``, in 16..235. False is the full range 0..255 of JPEG, OpenCV
            and Pillow, in which every error is 255/219 times as large: 1.32 dB less.
        rounded: to whole numbers, as where Y is stored in 8 bits: 0.02 dB less at x4, more where
            PSNR is higher. False excludes it.
        swapped: weigh red as blue and blue as red, as for an image read by OpenCV and taken for
            RGB. False excludes it.
        eight_bits: refuse anything but uint8, so that an output that was never rounded, or is in
            0..1, is not scored unnoticed; False takes floats in 0..255.

    Raises:
        ValueError: another type or shape; a grey image must be repeated to three channels first,
            because the field scores it so.
    """
    _check_rgb(rgb, eight_bits)
    weights = np.array(STUDIO if studio else FULL)
    plane = (16.0 if studio else 0.0) + rgb @ (weights[::-1] if swapped else weights)
    return np.rint(plane) if rounded else plane


def shave(image: NDArray, border: int) -> NDArray:
    """Cut ``border`` pixels from each side of (H, W, ...).

    The field cuts ``scale`` pixels, where the networks' padding shows. Others cut none, ``scale``
    + 6 (the DIV2K challenges), twice ``scale``, or 20.
    """
    return image[border : image.shape[0] - border, border : image.shape[1] - border]


def psnr(
    sr: NDArray,
    hr: NDArray,
    *,
    peak: float = 255.0,
    equal: float = math.inf,
    added: float = 0.0,
) -> float:
    """Peak signal-to-noise ratio in dB of two arrays of one shape.

    Args:
        sr, hr: in 0..``peak``; of RGB the error is the mean over all three channels.
        peak: 255, which excludes the largest value of the image itself.
        equal: what equal arrays score: infinity, or 100 as some code has it.
        added: to the mean squared error, of values in 0..1: 0, which excludes the 1e-8 of pyiqa and
            of BasicSR's functions for tensors (equal arrays score 80 dB, and 36 dB lose 0.0002).

    Raises:
        ValueError: different shapes, or nothing to compare.
    """
    _same(sr, hr)
    error = np.mean((sr.astype(np.float64) - hr.astype(np.float64)) ** 2) + added * peak**2
    return equal if error == 0 else float(10 * np.log10(peak**2 / error))


def mean_psnr(
    values: Sequence[float], mean: Mean = "images", pixels: Sequence[int] | None = None
) -> float:
    """PSNR of a set in dB, of its images' PSNRs.

    Args:
        values: dB of each image.
        mean: "images", the mean of the PSNRs. It excludes "pooled", the PSNR of the mean of the
            images' squared errors, which a loop gives that adds up errors (the worst image then
            decides: 0.6 dB less on Set5), and "pooled-pixels", where each pixel counts alike, as
            torchmetrics has it.
        pixels: how many pixels of each image were compared, for "pooled-pixels".

    Raises:
        ValueError: an unknown ``mean``.
    """
    _known("mean", mean, Mean)
    if mean == "images":
        return float(np.mean(values))
    weights = pixels if mean == "pooled-pixels" else None
    return float(-10 * np.log10(np.average(10 ** (-np.asarray(values) / 10), weights=weights)))


def ssim(sr: NDArray[np.float64], hr: NDArray[np.float64], *, kind: Ssim = "gaussian") -> float:
    """Structural similarity of two (H, W) planes in 0..255, over windows wholly inside.

    Args:
        sr, hr: planes, or (H, W, 3), whose channels' SSIMs are averaged.
        kind: "gaussian", an 11x11 Gaussian of sigma 1.5 as in the original code. It excludes
            "gaussian-same" (the image padded by zeros to have a window at every pixel, as
            pytorch-ssim does), "gaussian-mirror" (mirrored instead, as torchmetrics does),
            "gaussian-sample" (covariances divided by n - 1: scikit-image with
            ``gaussian_weights`` alone), "uniform" (scikit-image's default: 7x7 pixels of equal
            weight, and n - 1) and "image-range" (the range of ``hr`` in place of 255).

    Raises:
        ValueError: different shapes, a side shorter than the window, or an unknown ``kind``.

    Source: Wang et al., IEEE TIP 2004; scikit-image with the settings of the original code.
    """
    _same(sr, hr)
    window = ssim_reach(kind) * 2 + 1
    if min(sr.shape[:2]) < window:
        raise ValueError(
            f"SSIM needs at least {window}x{window} pixels after the shave, got "
            f"{sr.shape[0]}x{sr.shape[1]}; use larger images"
        )
    values = ssim_map(sr, hr, kind)
    return float(np.mean(values if kind in PADDED else shave(values, ssim_reach(kind))))


def ssim_reach(kind: Ssim) -> int:
    """How many pixels a window of ``ssim`` reaches beyond its middle."""
    _known("kind", kind, Ssim)
    return 3 if kind == "uniform" else SSIM_WINDOW // 2


def ssim_map(sr: NDArray[np.float64], hr: NDArray[np.float64], kind: Ssim) -> NDArray[np.float64]:
    """The index of the window around each pixel: (H, W) or (H, W, 3), as ``ssim`` averages it.

    Away from the border by ``ssim_reach`` it does not depend on what lies beyond, so that the map
    of a whole image holds that of every shaved one.
    """
    reach = ssim_reach(kind) if kind in PADDED else 0
    if reach:
        sides = [(reach, reach)] * 2 + [(0, 0)] * (sr.ndim - 2)
        sr, hr = np.pad(sr, sides, PADDED[kind]), np.pad(hr, sides, PADDED[kind])
    span = float(np.ptp(hr)) if kind == "image-range" else 255.0
    axis = 2 if sr.ndim == 3 else None
    settings = SSIMS[kind] | {"data_range": span, "channel_axis": axis, "full": True}
    return shave(structural_similarity(sr, hr, **settings)[1], reach)


def plane(image: NDArray, channel: Channel = "y") -> NDArray[np.float64]:
    """What is compared of an image in 0..255: its luma (H, W), or RGB itself (H, W, 3).

    Args:
        image: uint8 or float (H, W, 3), as ``as_output`` gives it.
        channel: "y", which excludes the others: see ``luma`` for them, and "rgb" is all three
            channels (1.9 dB less at x4).

    Raises:
        ValueError: an unknown ``channel``, or what ``luma`` refuses.
    """
    _known("channel", channel, Channel)
    if channel == "rgb":
        return image.astype(np.float64)
    return luma(image, **LUMAS[channel], eight_bits=False)


def score(
    sr: NDArray,
    hr: NDArray[np.uint8],
    scale: int,
    *,
    channel: Channel = "y",
    border: int | None = None,
    output: Output = "rounded",
    kind: Ssim = "gaussian",
) -> tuple[float, float]:
    """(PSNR in dB, SSIM) of a reconstruction, by the field's protocol where nothing else is said.

    Args:
        sr: uint8 (H, W, 3); where ``output`` is given, a network's output as float in 0..255.
        hr: uint8 (H, W, 3), of the shape of ``sr``.
        scale: magnification, and so the border to shave.
        channel: as ``plane`` takes it.
        border: pixels to shave on each side in place of ``scale``.
        output: as ``as_output`` takes it.
        kind: as ``ssim`` takes it.

    Raises:
        ValueError: different shapes, too few pixels, an unknown name, or a ``sr`` that is no 8-bit
            image although ``output`` is "rounded".
    """
    _same(sr, hr)
    border = scale if border is None else border
    _check_rgb(sr, eight_bits=output == "rounded")
    sr_plane, hr_plane = (
        shave(plane(image, channel), border) for image in (as_output(sr, output), hr)
    )
    return psnr(sr_plane, hr_plane), ssim(sr_plane, hr_plane, kind=kind)


def _known(name: str, value: str, choice: Any) -> None:
    if value not in get_args(choice):
        raise ValueError(f"{name}: expected one of {', '.join(get_args(choice))}, got {value!r}")


def _check_rgb(image: NDArray, eight_bits: bool) -> None:
    if (eight_bits and image.dtype != np.uint8) or image.ndim != 3 or image.shape[2] != 3:
        raise ValueError(
            f"luma needs a uint8 image of shape (H, W, 3), got {image.dtype} {image.shape}; "
            "round to 8 bits, and repeat a grey image to three equal channels"
        )


def _same(sr: NDArray, hr: NDArray) -> None:
    if sr.shape != hr.shape or sr.size == 0:
        raise ValueError(
            f"cannot compare images of shapes {sr.shape} and {hr.shape}; crop HR to a multiple of "
            "the scale, from the top left, and check the scale"
        )
