"""Enlarge a user's pictures with a network, whatever they hold."""

import warnings
from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from srlib.data.imresize import imresize
from srlib.engines.compiled import Compiled, compile
from srlib.evaluation.inference import SelfEnsemble, check_is_picture, tiled, unwrapped
from srlib.evaluation.memory import (
    OVERLAP,
    check_fits,
    fitting_tile,
    is_out_of_memory,
    smaller_tiles,
)
from srlib.evaluation.tiles import OVERLAP as SIGHT
from srlib.evaluation.tiles import can_be_exact, exact_tiles
from srlib.pictures import Frame, frame_of, visible_colours

BAND = 256  # rows
Tile = int | Literal["auto"]


def upscale(
    image: Image.Image, network: nn.Module, tile: Tile = "auto", device: str = "cpu"
) -> Image.Image:
    """Upscale any image that Pillow reads.

    Grey stays grey, 16-bit grey stays 16-bit, an EXIF rotation is applied, palettes and CMYK become
    RGB, and alpha is enlarged bicubically beside the colours. ``srlib.pictures`` reads and writes
    whole files, with their frames, profiles and 16-bit colours.

    Args:
        image: any mode and size.
        network: as from ``create_network``, ``load_official``, ``compile`` or ``srlib.hub``, on
            ``device``.
        tile: see ``upscale_frames``, which warns where it takes tiles.

    Raises:
        ValueError: an image without pixels, or of a mode that holds no picture, or one that does
            not fit into the memory.
    """
    frame, _ = frame_of(image)
    (sr,) = upscale_frames([frame], network, tile, device)
    return Image.fromarray(np.squeeze(sr, 2) if sr.shape[2] == 1 else sr)


def upscale_frames(
    frames: Sequence[Frame],
    network: nn.Module,
    tile: Tile = "auto",
    device: str = "cpu",
    say: Callable[[str], object] = warnings.warn,
    quick: bool = False,
    seamless: bool = False,
) -> list[Frame]:
    """Enlarge all frames of a picture, in tiles where the memory asks for it.

    Tiles of AIDN, IMDN and RFDN give what the whole gives, but for rounding
    (``srlib.evaluation.tiles``), and take 3.4 to 4.6 times as long. Those of other networks that
    take means over what they see change the result a little, and so do ``quick`` ones: 54 to 70 dB
    PSNR between whole and tiled were seen for AIDN, E-RFDN and IMDN.

    Args:
        frames: of one size, as ``upscale_frame`` takes them.
        network, device: as in ``upscale``.
        tile: side of the tiles in LR pixels, or 0 for the whole picture at once. "auto" is the
            whole where the free memory is enough for it, else the largest tile for which it is;
            and a smaller one where the memory ends all the same.
        say: told when "auto" takes tiles.
        quick: tiles that see nothing beyond themselves and their overlap.
        seamless: see ``upscale_frame``.

    Raises:
        ValueError: the memory is not enough for the tile that was asked for, or for any.
    """
    height, width, _ = frames[0].shape
    if not isinstance(network, Compiled | SelfEnsemble):
        # What wraps a network, as srlib.hub does, would hide that its tiles can be exact.
        network = compile(unwrapped(network), "torch")
    if tile == "auto":
        side = fitting_tile(network, height, width, device)
    else:
        check_fits(network, height, width, side := tile, device)
    while True:
        if side and tile == "auto":
            what = "takes longer" if not quick and _sees_whole(network) else "changes it a little"
            say(
                f"too large for the free memory as a whole, so it is enlarged in tiles of {side} "
                f"pixels, which {what}"
            )
        try:
            return [
                upscale_frame(frame, network, side, device, quick, seamless) for frame in frames
            ]
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
            said = " ".join(str(error).split())[:120]
        smaller = smaller_tiles(side or max(height, width))
        if tile != "auto" or not smaller:
            raise ValueError(
                f"--tile {tile}: the memory is not enough for {width}x{height} pixels ({said}); "
                + ("take --tile auto" if tile != "auto" else "enlarge a part of the picture")
            )
        side = smaller[0]
        if device.startswith("cuda"):
            torch.cuda.empty_cache()


def _sees_whole(network: nn.Module) -> bool:
    """Whether its tiles are exact: it runs in PyTorch's float32, and is a network that can be."""
    if isinstance(network, Compiled):
        in_torch = (network.engine, network.precision) == ("torch", "f32")
        return in_torch and can_be_exact(network.original)
    return can_be_exact(network)


def upscale_frame(
    frame: Frame,
    network: nn.Module,
    tile: int = 0,
    device: str = "cpu",
    quick: bool = False,
    seamless: bool = False,
) -> Frame:
    """Enlarge the pixels of a picture, whatever they are.

    Grey stays grey, and alpha is enlarged bicubically beside the colours. A colour that alpha hides
    does not matter (``srlib.pictures.visible_colours``).

    Args:
        frame: uint8 or uint16 (H, W, C), C = 1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha.
        network, device: as in ``upscale``.
        tile: side of the tiles in LR pixels; 0 takes the whole picture at once.
        quick: as in ``upscale_frames``.
        seamless: beyond an edge the network sees the opposite one, where it else sees zeros: of
            a texture that repeats, the result repeats too.

    Returns:
        The same with ``network.scale`` times the height and width.
    """
    if seamless:
        beyond = ((SIGHT, SIGHT), (SIGHT, SIGHT), (0, 0))
        wide = upscale_frame(np.pad(frame, beyond, "wrap"), network, tile, device, quick)
        border = SIGHT * int(network.scale)  # type: ignore[arg-type]
        return np.ascontiguousarray(wide[border:-border, border:-border])
    top = np.iinfo(frame.dtype).max
    colours = visible_colours(frame)
    lr = np.broadcast_to(colours, (*colours.shape[:2], 3)).astype(np.float32) / top
    batch = _to_batch(lr, device)
    small = min(lr.shape[:2]) < int(network.min_size)  # type: ignore[arg-type]
    if tile and not quick and not small and _sees_whole(network):
        found = exact_tiles(unwrapped(network), batch, tile)
    else:
        found = tiled(network, batch, tile, OVERLAP)
    scale, (height, width, channels) = int(network.scale), colours.shape  # type: ignore[arg-type]
    pixels = np.empty((scale * height, scale * width, channels), frame.dtype)
    for rows, columns, part in found:
        check_is_picture(part)
        _fill(pixels[rows, columns], part)
    if frame.shape[2] % 2:
        return pixels
    return np.concatenate([pixels, _upscale_alpha(frame[..., -1:], scale)], axis=2)


def _fill(pixels: Frame, sr: Tensor) -> None:
    """(1, 3, H, W) -> the (H, W, 1 or 3) given, of any depth; in bands of rows, as the picture may
    be most of the memory."""
    top = np.iinfo(pixels.dtype).max
    for start in range(0, len(pixels), BAND):
        band = _to_array(sr[:, :, start : start + BAND]).clip(0, 1)
        if pixels.shape[2] == 1:
            band = band.mean(axis=2, keepdims=True)
        pixels[start : start + BAND] = np.round(band * top)


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
