"""MATLAB's `imresize(image, scale, 'bicubic')` for uint8 images, bit for bit.

The LR images of the field are made with MATLAB, whose bicubic differs from those of Pillow, OpenCV
and PyTorch: the kernel is widened when the image shrinks (antialiasing), and the result of the
first pass (rows) is rounded half up and clipped to uint8 before the second (columns).
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from math import ceil, isfinite
from numbers import Real
from typing import Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Border = Literal["symmetric", "replicate"]
Image = NDArray[np.uint8]

# Rows or columns computed by one matrix product: more would multiply more zeros, fewer call more
_BLOCK = 8
# OpenBLAS does a product of up to this many multiplications on one thread. Larger ones it splits
# among threads that wait for each other, which took 10 to 40 times as long on a busy machine
_PRODUCT = 2**18


class _Band(NamedTuple):
    """Outputs `out` depend on inputs `into` only, through dense `weights` (inputs, outputs)."""

    out: slice
    into: slice
    weights: NDArray[np.float32]


def imresize(image: Image, scale: float | Fraction, *, border: Border = "symmetric") -> Image:
    """Resize an image as MATLAB's `imresize(image, scale, 'bicubic')` does, bit for bit.

    Args:
        image: uint8 array (H, W) or (H, W, C), 0..255.
        scale: output size over input size, above 0: `1/4` makes an LR image for x4, `4` enlarges.
        border: what lies outside the image: "symmetric" (mirrored, newer MATLAB) or "replicate"
            (the edge pixel repeated, older MATLAB; the LR images published with SelfExSR).

    Returns:
        uint8 array (ceil(H * scale), ceil(W * scale)) or the same with C, 0..255.

    Raises:
        TypeError: `image` is not a uint8 array, or `scale` is not a number.
        ValueError: `image` is empty or has another number of dimensions, `scale` is not above 0
            and finite, or `border` is unknown.

    Source: Keys, "Cubic convolution interpolation for digital image processing", IEEE Transactions
        on Acoustics, Speech, and Signal Processing 29(6), 1981 (a = -0.5); MATLAB's documentation
        of imresize. Compared with MATLAB's own files by `srlib check-lr`.
    """
    factor = _check(image, scale, border)
    height, width, channels = (*image.shape, 1)[:3]
    middle = _rows(np.ascontiguousarray(image).reshape(height, width * channels), factor, border)
    result = _columns(middle.reshape(len(middle), width, channels), factor, border)
    return result.reshape(*result.shape[:2], *image.shape[2:])


def _rows(image: Image, scale: float, border: str) -> NDArray[np.float32] | Image:
    """First pass, (H, W * C) to (h, W * C): whole numbers 0..255, ready for the second."""
    bands = _bands(len(image), scale, border, 1)
    if bands is None:
        return _round(_matrix(len(image), scale, border) @ image.astype(np.float64))
    result = np.empty((bands[-1].out.stop, image.shape[1]), np.float32)
    strips = _strips(image.shape[1], bands)
    for out, into, weights in bands:  # the uint8 rows become floats block by block, in the cache
        pixels, block = image[into].astype(np.float32), result[out]
        for strip in strips:
            np.matmul(weights.T, pixels[:, strip], out=block[:, strip])
        block += 0.5
        np.clip(block, 0, 255, out=block)
        np.floor(block, out=block)
    return result


def _columns(image: NDArray[np.float32] | Image, scale: float, border: str) -> Image:
    """Second pass, (h, W, C) to uint8 (h, w, C)."""
    height, width, channels = image.shape
    bands = _bands(width, scale, border, channels)
    if bands is None:
        columns = image.transpose(1, 0, 2).reshape(width, height * channels).astype(np.float64)
        result = _round(_matrix(width, scale, border) @ columns)
        return np.ascontiguousarray(result.reshape(-1, height, channels).transpose(1, 0, 2))
    flat = image.reshape(height, width * channels).astype(np.float32, copy=False)
    wide = np.empty((height, bands[-1].out.stop), np.float32)
    for strip in _strips(height, bands):
        for out, into, weights in bands:
            np.matmul(flat[strip, into], weights, out=wide[strip, out])
    return _round(wide).reshape(height, -1, channels)


def _strips(length: int, bands: tuple[_Band, ...]) -> list[slice]:
    """Cut the side that a product leaves alone so that each product is small enough."""
    step = max(1, _PRODUCT // max(band.weights.size for band in bands))
    return [slice(start, start + step) for start in range(0, length, step)]


def _round(values: NDArray[np.floating]) -> Image:
    """Round half up and clip to 0..255, in place where it can: adding 1/2 and cutting off."""
    values += 0.5
    return np.clip(values, 0, 255, out=values).astype(np.uint8)


def _contributions(
    size: int, scale: float, border: str
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Indices and weights, both (ceil(size * scale), taps), of the inputs each output adds up."""
    stretch = min(scale, 1.0)  # below 1 the kernel is widened: antialiasing
    half = 2 / stretch
    # MATLAB counts from 1; doing the same keeps the last bit of the weights
    centre = np.arange(1, ceil(size * scale) + 1) / scale + 0.5 * (1 - 1 / scale)
    taps = np.floor(centre - half)[:, None] + np.arange(ceil(2 * half) + 2)
    weights = stretch * _cubic(stretch * (centre[:, None] - taps))
    weights /= weights.sum(axis=1, keepdims=True)
    used = weights.any(axis=0)
    weights, index = weights[:, used], taps[:, used].astype(np.intp) - 1
    if border == "replicate":
        return np.clip(index, 0, size - 1), weights
    index %= 2 * size
    return np.minimum(index, 2 * size - 1 - index), weights


def _cubic(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Keys' cubic convolution kernel with a = -0.5."""
    x = np.abs(x)
    near = 1.5 * x**3 - 2.5 * x**2 + 1
    far = -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    return np.where(x <= 1, near, np.where(x <= 2, far, 0.0))


@lru_cache(maxsize=64)
def _matrix(size: int, scale: float, border: str) -> sparse.csr_array:
    """Weights as a sparse (output, input) matrix, in float64.

    A pixel that the border repeats stays several entries of its row, added up in the kernel's
    order: at scales such as 1/6 a sum may end in one half, and its last bit decides the rounding.
    """
    index, weights = _contributions(size, scale, border)
    starts = np.arange(len(index) + 1) * index.shape[1]
    return sparse.csr_array((weights.ravel(), index.ravel(), starts), shape=(len(index), size))


@lru_cache(maxsize=64)
def _bands(size: int, scale: float, border: str, channels: int) -> tuple[_Band, ...] | None:
    """Weights in dense float32 blocks for interleaved channels; None where not provably exact.

    For scales such as 1/2, 1/4, 2 and 4 all weights are multiples of 2^-15. Sums of their products
    with uint8 values below 512 then fit the 24 bits of a float32, so that no addition rounds, in
    whatever order BLAS does them. Other scales (1/3) take float64 and a fixed order.
    """
    index, weights = _contributions(size, scale, border)
    whole = bool((weights * 2**15 == np.rint(weights * 2**15)).all())
    if not whole or np.abs(weights).sum(axis=1).max() * 255 + 0.5 >= 512:
        return None
    bands = []
    for start in range(0, len(index), _BLOCK):
        near, values = index[start : start + _BLOCK], weights[start : start + _BLOCK]
        first, last = int(near.min()), int(near.max()) + 1
        dense = np.zeros((last - first, len(near)), np.float32)
        np.add.at(dense, (near - first, np.arange(len(near))[:, None]), values)
        out = slice(start * channels, (start + len(near)) * channels)
        into = slice(first * channels, last * channels)
        bands.append(_Band(out, into, np.kron(dense, np.eye(channels, dtype=np.float32))))
    return tuple(bands)


def _check(image: Image, scale: float | Fraction, border: str) -> float:
    """Return `scale` as a float, or say which argument is wrong and how to fix it."""
    if not isinstance(image, np.ndarray) or image.dtype != np.uint8:
        found = image.dtype if isinstance(image, np.ndarray) else type(image).__name__
        raise TypeError(
            f"image: expected a uint8 array, got {found}; "
            "convert 0..1 floats with (255 * image).round().astype('uint8')"
        )
    if image.ndim not in (2, 3) or image.size == 0:
        raise ValueError(
            f"image: expected (H, W) or (H, W, C) with no empty side, got shape {image.shape}; "
            "resize the images of a batch one by one"
        )
    if not isinstance(scale, Real) or isinstance(scale, bool):
        raise TypeError(f"scale: expected a number such as 1/4 or 3, got {type(scale).__name__}")
    if not (isfinite(scale) and scale > 0):
        raise ValueError(
            f"scale: expected a finite number above 0, got {scale}; use 1/4 to shrink four times"
        )
    if border not in get_args(Border):
        raise ValueError(f"border: expected one of {', '.join(get_args(Border))}, got {border!r}")
    return float(scale)
