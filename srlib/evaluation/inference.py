"""Run a network on images of 8 bits, of any size, on any device."""

from collections.abc import Iterable, Iterator

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

ABSURD = 10.0
Part = tuple[slice, slice, Tensor]  # rows and columns of HR, and (1, 3, h, w) that stands there


def find_device(name: str) -> str:
    """Check a device's name before any work; "auto" is a GPU if there is one.

    Raises:
        ValueError: PyTorch has no such device here; names those that it has.
    """
    there = ["cpu", *(f"cuda:{number}" for number in range(torch.cuda.device_count()))]
    if torch.backends.mps.is_available():
        there.append("mps")
    if name == "auto":
        return there[1] if len(there) > 1 else "cpu"
    wanted = "cuda:0" if name == "cuda" else name
    if wanted not in there:
        raise ValueError(
            f"--device {name}: PyTorch has no such device here; take auto or one of "
            f"{', '.join(there)}"
        )
    return wanted


def forward(network: nn.Module, lr: Tensor, tile: int = 0, overlap: int = 16) -> Tensor:
    """One pass without gradients, for any size from 1x1 and, in tiles, any memory.

    Args:
        network: LR -> HR, with ``scale`` and ``min_size``; moved nowhere, so put it and ``lr`` on
            one device.
        lr: (1, C, H, W) in 0..1.
        tile: height and width of the LR tiles; 0 takes the whole image in one pass, which is the
            published protocol. Attention sees one tile at a time, so tiles change the result.
        overlap: LR pixels that a tile sees beyond its own part, on every side.

    Returns:
        (1, 3, scale*H, scale*W), not clipped.
    """
    scale, (height, width) = int(network.scale), lr.shape[-2:]  # type: ignore[arg-type]
    return together(tiled(network, lr, tile, overlap), scale * height, scale * width)


def tiled(network: nn.Module, lr: Tensor, tile: int = 0, overlap: int = 16) -> Iterator[Part]:
    """What ``forward`` puts together, tile by tile: no more than one of them is in memory."""
    if tile < 0 or overlap < 0:
        raise ValueError(f"tile={tile} and overlap={overlap} must not be negative")
    scale, height, width = int(network.scale), lr.shape[-2], lr.shape[-1]  # type: ignore[arg-type]
    if not tile:
        yield slice(0, scale * height), slice(0, scale * width), _padded(network, lr, scale)
        return
    for top in range(0, height, tile):
        for left in range(0, width, tile):
            bottom, right = min(top + tile, height), min(left + tile, width)
            t, l = max(0, top - overlap), max(0, left - overlap)  # noqa: E741
            part = lr[:, :, t : bottom + overlap, l : right + overlap]
            out = _padded(network, part, scale)
            yield (
                slice(scale * top, scale * bottom),
                slice(scale * left, scale * right),
                out[
                    :,
                    :,
                    scale * (top - t) : scale * (bottom - t),
                    scale * (left - l) : scale * (right - l),
                ],
            )


def together(parts: Iterable[Part], height: int, width: int) -> Tensor:
    """(1, 3, height, width) of parts that cover it."""
    hr: Tensor | None = None
    for rows, columns, part in parts:
        if part.shape[2:] == (height, width):
            return part
        if hr is None:
            hr = part.new_empty(*part.shape[:2], height, width)
        hr[:, :, rows, columns] = part
    assert hr is not None
    return hr


def unwrapped(network: nn.Module) -> nn.Module:
    """The network itself, of one that an engine, ``SelfEnsemble`` or ``srlib.hub`` wraps."""
    return getattr(network, "original", network)


class SelfEnsemble(nn.Module):
    """The mean of a network's results on the eight turns and flips of its input, turned back.

    Called as the network is, and takes eight times as long.

    Source: EDSR (Lim et al., CVPR Workshops 2017, section 3.4), there marked "+".
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.original = unwrapped(network)
        self.network = network
        self.scale, self.min_size = network.scale, network.min_size

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, 3, scale*H, scale*W), not clipped."""
        total = torch.zeros(())
        for turns in range(4):
            for flipped in (False, True):
                seen = x.flip(3) if flipped else x
                sr = self.network(seen.rot90(turns, (2, 3)).contiguous()).rot90(-turns, (2, 3))
                total = total.to(sr) + (sr.flip(3) if flipped else sr)
        return total / 8


def in_range(sr: Tensor) -> Tensor:
    """Clip a network's output to 0..1.

    Raises:
        ValueError: it is no picture (``check_is_picture``): then clipping would make a score, or
            a picture, of noise.
    """
    check_is_picture(sr)
    return sr.clamp(0, 1)


def check_is_picture(sr: Tensor) -> None:
    """Raises ValueError where a network's output is not finite, or its mean beyond ``ABSURD``."""
    mean = float(torch.linalg.vector_norm(sr, 1)) / max(1, sr.numel())
    if not mean < ABSURD:  # false for nan, too
        raise ValueError(
            f"the network's output is no picture: its values are {mean:.3g} in the mean, where 0 "
            "to 1 is expected; its weights are damaged, or were made for another value range"
        )


def forward_chop(network: nn.Module, lr: Tensor, shave: int = 10) -> Tensor:
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
    """A pass on an image that may be smaller than the network's ``min_size``: repeat its edge."""
    height, width = lr.shape[-2:]
    min_size = int(network.min_size)  # type: ignore[arg-type]
    missing = (0, max(0, min_size - width), 0, max(0, min_size - height))
    if any(missing):
        lr = F.pad(lr, missing, mode="replicate")
    return network(lr)[:, :, : scale * height, : scale * width]


def upscale_array(
    network: nn.Module, lr: NDArray[np.uint8], device: str = "cpu", chop: bool = False
) -> NDArray:
    """8-bit LR -> 8-bit SR as the protocol asks: uint8 (h, w, 3) -> uint8 (s*h, s*w, 3).

    The output is clipped to 0..255 and rounded to nearest. ``chop`` goes by ``forward_chop``.

    Raises:
        ValueError: the output is no picture (``in_range``).
    """
    batch = torch.from_numpy(np.array(lr)).to(device).permute(2, 0, 1)[None] / 255
    sr = in_range((forward_chop if chop else forward)(network, batch))[0].mul(255).round().byte()
    return sr.permute(1, 2, 0).cpu().numpy()
