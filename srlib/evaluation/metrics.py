"""PSNR-Y and SSIM-Y by the field's protocol.

The papers name the Y channel and no more; the rest is in the code that everybody uses: 8-bit
output, luma of BT.601 in its studio range kept as float, ``scale`` pixels shaved from each border,
peak 255, mean over the images of a set. ``notebooks/03_bicubic_and_metrics.ipynb`` shows how far
each deviation moves the same output.
"""

import numpy as np
from numpy.typing import NDArray
from skimage.metrics import structural_similarity

PROTOCOL = (
    "8-bit RGB output; BT.601 studio-range luma, not rounded; `scale` pixels shaved; peak 255; "
    "SSIM with an 11x11 Gaussian of sigma 1.5; mean over images"
)
SSIM_WINDOW = 11


def luma(rgb: NDArray[np.uint8]) -> NDArray[np.float64]:
    """BT.601 luma in studio range: uint8 (H, W, 3) in 0..255 -> float64 (H, W) in 16..235.

    Raises:
        ValueError: another type or shape; a grey image must be repeated to three channels first,
            because the field scores it so.
    """
    if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3:
        raise ValueError(
            f"luma needs a uint8 image of shape (H, W, 3), got {rgb.dtype} {rgb.shape}; "
            "round to 8 bits, and repeat a grey image to three equal channels"
        )
    return 16.0 + rgb @ np.array([65.481, 128.553, 24.966]) / 255.0


def shave(image: NDArray, border: int) -> NDArray:
    """Cut ``border`` pixels from each side of (H, W, ...)."""
    return image[border : image.shape[0] - border, border : image.shape[1] - border]


def psnr(sr: NDArray, hr: NDArray) -> float:
    """Peak signal-to-noise ratio in dB of two arrays of one shape in 0..255; inf where equal.

    Raises:
        ValueError: different shapes, or nothing to compare.
    """
    _same(sr, hr)
    error = np.mean((sr.astype(np.float64) - hr.astype(np.float64)) ** 2)
    return float("inf") if error == 0 else float(10 * np.log10(255.0**2 / error))


def ssim(sr: NDArray[np.float64], hr: NDArray[np.float64]) -> float:
    """Structural similarity of two (H, W) planes in 0..255, over windows wholly inside.

    Raises:
        ValueError: different shapes, or a side shorter than the 11 pixels of the window.

    Source: Wang et al., IEEE TIP 2004; scikit-image with the settings of the original code.
    """
    _same(sr, hr)
    if min(sr.shape) < SSIM_WINDOW:
        raise ValueError(
            f"SSIM needs at least {SSIM_WINDOW}x{SSIM_WINDOW} pixels after the shave, got "
            f"{sr.shape[0]}x{sr.shape[1]}; use larger images"
        )
    return float(
        structural_similarity(
            sr,
            hr,
            data_range=255,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
        )
    )


def score(sr: NDArray[np.uint8], hr: NDArray[np.uint8], scale: int) -> tuple[float, float]:
    """(PSNR-Y in dB, SSIM-Y) of an 8-bit RGB reconstruction by the protocol.

    Args:
        sr, hr: uint8 (H, W, 3), one shape.
        scale: magnification, and so the border to shave.
    """
    _same(sr, hr)
    sr_y, hr_y = shave(luma(sr), scale), shave(luma(hr), scale)
    return psnr(sr_y, hr_y), ssim(sr_y, hr_y)


def _same(sr: NDArray, hr: NDArray) -> None:
    if sr.shape != hr.shape or sr.size == 0:
        raise ValueError(
            f"cannot compare images of shapes {sr.shape} and {hr.shape}; crop HR to a multiple of "
            "the scale, from the top left, and check the scale"
        )
