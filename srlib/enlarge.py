"""Enlarge a user's pictures with a network, whatever they hold."""

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from srlib.data.imresize import imresize
from srlib.evaluation.inference import forward, in_range
from srlib.pictures import Frame, frame_of, visible_colours


def upscale(
    image: Image.Image, network: nn.Module, tile: int = 0, device: str = "cpu"
) -> Image.Image:
    """Upscale any image that Pillow reads.

    Grey stays grey, 16-bit grey stays 16-bit, an EXIF rotation is applied, palettes and CMYK become
    RGB, and alpha is enlarged bicubically beside the colours. ``srlib.pictures`` reads and writes
    whole files, with their frames, profiles and 16-bit colours.

    Args:
        image: any mode and size.
        network: as from ``create_network`` or ``load_official``, on ``device``.
        tile: see ``forward``.

    Raises:
        ValueError: an image without pixels, or of a mode that holds no picture.
    """
    frame, _ = frame_of(image)
    sr = upscale_frame(frame, network, tile, device)
    return Image.fromarray(np.squeeze(sr, 2) if sr.shape[2] == 1 else sr)


def upscale_frame(frame: Frame, network: nn.Module, tile: int = 0, device: str = "cpu") -> Frame:
    """Enlarge the pixels of a picture, whatever they are.

    Grey stays grey, and alpha is enlarged bicubically beside the colours. A colour that alpha hides
    does not matter (``srlib.pictures.visible_colours``).

    Args:
        frame: uint8 or uint16 (H, W, C), C = 1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha.
        network, tile, device: as in ``upscale``.

    Returns:
        The same with ``network.scale`` times the height and width.
    """
    top = np.iinfo(frame.dtype).max
    colours = visible_colours(frame)
    lr = np.broadcast_to(colours, (*colours.shape[:2], 3)).astype(np.float32) / top
    sr = _to_array(in_range(forward(network, _to_batch(lr, device), tile)))
    if colours.shape[2] == 1:
        sr = sr.mean(axis=2, keepdims=True)
    parts = [(sr * top).round().astype(frame.dtype)]
    if frame.shape[2] % 2 == 0:
        parts.append(_upscale_alpha(frame[..., -1:], int(network.scale)))  # type: ignore[arg-type]
    return np.concatenate(parts, axis=2)


def _upscale_alpha(alpha: Frame, scale: int) -> Frame:
    """Bicubically: as MATLAB does in 8 bits, as PyTorch does in 16."""
    if alpha.dtype == np.uint8:
        return imresize(alpha, scale)
    wide = F.interpolate(
        _to_batch(alpha.astype(np.float32), "cpu"), scale_factor=scale, mode="bicubic"
    )
    return _to_array(wide).clip(0, 65535).round().astype(np.uint16)


def _to_batch(image: NDArray, device: str) -> Tensor:
    return torch.from_numpy(image).permute(2, 0, 1)[None].to(device)


def _to_array(batch: Tensor) -> NDArray[np.float32]:
    return batch[0].permute(1, 2, 0).cpu().numpy()
