"""Run a network on images: 8-bit arrays for evaluation, any Pillow image for users."""

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image, ImageOps
from torch import Tensor, nn

from srlib.data.imresize import imresize


def forward(network: nn.Module, lr: Tensor, tile: int = 0, overlap: int = 16) -> Tensor:
    """One pass without gradients, for any size from 1x1 and, in tiles, any memory.

    Args:
        network: LR -> HR, with ``scale`` and ``least_size``; moved nowhere, so put it and ``lr`` on
            one device.
        lr: (1, C, H, W) in 0..1.
        tile: height and width of the LR tiles; 0 takes the whole image in one pass, which is the
            published protocol. Attention sees one tile at a time, so tiles change the result.
        overlap: LR pixels that a tile sees beyond its own part, on every side.

    Returns:
        (1, 3, scale*H, scale*W), not clipped.
    """
    if tile < 0 or overlap < 0:
        raise ValueError(f"tile={tile} and overlap={overlap} must not be negative")
    scale, height, width = int(network.scale), lr.shape[-2], lr.shape[-1]  # type: ignore[arg-type]
    if not tile:
        return _padded(network, lr, scale)
    hr = lr.new_empty(1, 3, scale * height, scale * width)
    for top in range(0, height, tile):
        for left in range(0, width, tile):
            bottom, right = min(top + tile, height), min(left + tile, width)
            t, l = max(0, top - overlap), max(0, left - overlap)  # noqa: E741
            part = lr[:, :, t : bottom + overlap, l : right + overlap]
            out = _padded(network, part, scale)
            hr[:, :, scale * top : scale * bottom, scale * left : scale * right] = out[
                :,
                :,
                scale * (top - t) : scale * (bottom - t),
                scale * (left - l) : scale * (right - l),
            ]
    return hr


def quarters(network: nn.Module, lr: Tensor, shave: int = 10) -> Tensor:
    """One pass on each quarter of the image, ``shave`` LR pixels beyond it, stitched.

    The "chop" of EDSR's test code, and the published protocol of FDIWN, whose attention takes its
    means over what it sees: shapes as in ``forward``.
    """
    scale, (height, width) = int(network.scale), lr.shape[-2:]  # type: ignore[arg-type]
    down, right = height // 2, width // 2
    hr = lr.new_empty(1, 3, scale * height, scale * width)
    for rows, outer_rows in (
        (slice(0, down), slice(0, down + shave)),
        (slice(down, height), slice(max(0, height - down - shave), height)),
    ):
        for columns, outer_columns in (
            (slice(0, right), slice(0, right + shave)),
            (slice(right, width), slice(max(0, width - right - shave), width)),
        ):
            out = _padded(network, lr[:, :, outer_rows, outer_columns], scale)
            top, left = rows.start - outer_rows.start, columns.start - outer_columns.start
            hr[:, :, _times(rows, scale), _times(columns, scale)] = out[
                :,
                :,
                scale * top : scale * (top + rows.stop - rows.start),
                scale * left : scale * (left + columns.stop - columns.start),
            ]
    return hr


def _times(part: slice, scale: int) -> slice:
    return slice(scale * part.start, scale * part.stop)


@torch.inference_mode()
def _padded(network: nn.Module, lr: Tensor, scale: int) -> Tensor:
    """A pass on an image that may be smaller than the network's least size: repeat its edge."""
    height, width = lr.shape[-2:]
    least = int(network.least_size)  # type: ignore[arg-type]
    missing = (0, max(0, least - width), 0, max(0, least - height))
    if any(missing):
        lr = F.pad(lr, missing, mode="replicate")
    return network(lr)[:, :, : scale * height, : scale * width]


def upscale_array(
    network: nn.Module, lr: NDArray[np.uint8], device: str = "cpu", chop: bool = False
) -> NDArray:
    """8-bit LR -> 8-bit SR as the protocol asks: uint8 (h, w, 3) -> uint8 (s*h, s*w, 3).

    The output is clipped to 0..255 and rounded to nearest. ``chop`` goes by ``quarters``.
    """
    batch = torch.from_numpy(np.array(lr)).to(device).permute(2, 0, 1)[None] / 255
    sr = (quarters if chop else forward)(network, batch)[0].clamp(0, 1).mul(255).round().byte()
    return sr.permute(1, 2, 0).cpu().numpy()


def upscale(
    image: Image.Image, network: nn.Module, tile: int = 0, device: str = "cpu"
) -> Image.Image:
    """Upscale any image that Pillow reads.

    Grey stays grey, 16-bit grey stays 16-bit, an EXIF rotation is applied, palettes and CMYK become
    RGB, and an alpha channel is upscaled bicubically beside the colours.

    Args:
        image: any mode and size.
        network: as from ``create_network`` or ``load_official``, on ``device``.
        tile: see ``forward``.

    Raises:
        ValueError: an image without pixels, or of a mode that holds no picture.
    """
    image = ImageOps.exif_transpose(image)
    if min(image.size) < 1:
        raise ValueError(f"the image is {image.size[0]}x{image.size[1]} pixels; nothing to upscale")
    if image.mode.startswith("I") or image.mode == "F":
        return _upscale_deep(image, network, tile, device)
    if image.mode in ("La", "RGBa"):
        image = image.convert(image.mode.upper())  # Pillow turns these into nothing else
    transparent = image.mode in ("LA", "PA", "RGBA") or "transparency" in image.info
    grey = image.mode in ("1", "L", "LA")
    image = image.convert("RGBA" if transparent else "RGB")
    pixels = np.asarray(image)
    lr = _to_batch(pixels[..., :3].astype(np.float32) / 255, device)
    sr = _to_array(forward(network, lr, tile).clamp(0, 1) * 255).round().astype(np.uint8)
    result = Image.fromarray(sr)
    if grey:
        result = result.convert("L")
    if transparent:
        result.putalpha(Image.fromarray(imresize(pixels[..., 3], int(network.scale))))  # type: ignore[arg-type]
    return result


def _upscale_deep(image: Image.Image, network: nn.Module, tile: int, device: str) -> Image.Image:
    pixels = np.asarray(image).astype(np.float32)
    if image.mode == "F" or pixels.min() < 0 or pixels.max() > 65535:
        raise ValueError(
            f"an image of mode {image.mode} with values {pixels.min():g}..{pixels.max():g} has no "
            "known white; convert it to 8 or 16 bits a channel first"
        )
    grey = np.repeat(pixels[..., None] / 65535, 3, axis=2)
    sr = _to_array(forward(network, _to_batch(grey, device), tile).clamp(0, 1))
    return Image.fromarray((sr.mean(axis=2) * 65535).round().astype(np.uint16))


def _to_batch(image: NDArray, device: str) -> Tensor:
    return torch.from_numpy(image).permute(2, 0, 1)[None].to(device)


def _to_array(batch: Tensor) -> NDArray[np.float32]:
    return batch[0].permute(1, 2, 0).cpu().numpy()
