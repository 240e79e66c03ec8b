"""Tiles that give what the whole image gives, for networks whose only wide sight is ESA or CCA.

ESA and CCA weigh the features by what they see of the image: a strided, pooled copy, or the mean
and deviation of each channel. Both are small. So they are gathered from all tiles before a tile
goes beyond them, one attention after the other; everything else is convolutions, which see no
farther than the overlap. Each attention costs a pass over the tiles as far as it, so a network of
six blocks takes about 4.5 times as long as in plain tiles, and one of four 3.4 times; the memory is
the same.
"""

import contextlib
import copy
import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from srlib.evaluation.inference import Part
from srlib.networks.aidn import AIDN
from srlib.networks.blocks import ESA, ChannelAttention
from srlib.networks.imdn import IMDN
from srlib.networks.rfdn import RFDN

STEP = 6  # LR pixels from one pooled pixel of ESA to the next: tiles start at multiples
# LR pixels that a tile sees beyond its own part: as far as the convolutions of these networks see
# (27), and an ESA's last window beyond a tile (9), to a multiple of STEP.
OVERLAP = 48
SEEN_THROUGH = (AIDN, IMDN, RFDN)  # all their sums over the image are in the two attentions


class _Gathered(Exception):
    """A tile has given what an attention needs; the rest of the network waits for the others."""


@dataclass(frozen=True)
class _Tile:
    """A part of the image and what is seen with it, as top, left, bottom, right in LR pixels."""

    own: tuple[int, int, int, int]
    seen: tuple[int, int, int, int]
    height: int
    width: int

    def own_within(self, step: int = 1) -> tuple[slice, slice]:
        """The own rows and columns of what is computed from the seen, at one pixel in ``step``."""
        top, left, bottom, right = self.own
        above, before = self.seen[:2]
        return (
            slice(
                (top - above) // step, None if bottom == self.height else (bottom - above) // step
            ),
            slice(
                (left - before) // step, None if right == self.width else (right - before) // step
            ),
        )


def can_be_exact(network: nn.Module) -> bool:
    """Whether ``exact_tiles`` takes this network: AIDN, IMDN and RFDN, with all their variants."""
    return isinstance(network, SEEN_THROUGH)


@torch.inference_mode()
def exact_tiles(network: nn.Module, lr: Tensor, tile: int) -> Iterator[Part]:
    """The whole image's result, to rounding, tile by tile and in the memory of one.

    Args:
        network: that ``can_be_exact``; it stays as it was.
        lr: (1, 3, H, W) in 0..1, H and W at least the network's ``min_size``, on its device.
        tile: side of the tiles in LR pixels; the next multiple of ``STEP`` is taken.

    Yields:
        The parts of (1, 3, scale*H, scale*W), not clipped; ``together`` makes it of them.
    """
    scale = int(network.scale)  # type: ignore[arg-type]
    height, width = lr.shape[-2:]
    tiles = list(_tiles(height, width, math.ceil(tile / STEP) * STEP))
    ready = copy.deepcopy(network).eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    attentions = _replace(ready)
    while waiting := [attention for attention in attentions if attention.waits()]:
        for each in tiles:
            with contextlib.suppress(_Gathered):
                _seen(ready, attentions, lr, each)
        waiting[0].finish()
    for each in tiles:
        out = _seen(ready, attentions, lr, each)
        top, left, bottom, right = (scale * side for side in each.own)
        above, before = top - scale * each.seen[0], left - scale * each.seen[1]
        own = out[..., above : above + bottom - top, before : before + right - left]
        yield slice(top, bottom), slice(left, right), own


def _seen(network: nn.Module, attentions: "list[_Whole]", lr: Tensor, tile: _Tile) -> Tensor:
    """The network's result of what is seen with a tile."""
    for attention in attentions:
        attention.tile = tile
    top, left, bottom, right = tile.seen
    part: Tensor = network(
        lr[..., top:bottom, left:right].contiguous(memory_format=torch.channels_last)
    )
    return part


def _tiles(height: int, width: int, side: int) -> Iterator[_Tile]:
    for top in range(0, height, side):
        for left in range(0, width, side):
            bottom, right = min(top + side, height), min(left + side, width)
            seen = (
                max(0, top - OVERLAP),
                max(0, left - OVERLAP),
                min(height, bottom + OVERLAP),
                min(width, right + OVERLAP),
            )
            yield _Tile((top, left, bottom, right), seen, height, width)


def _replace(network: nn.Module) -> "list[_Whole]":
    """Put a stand-in for each attention into a network; in the order of their use."""
    stand_ins: list[_Whole] = []
    for parent in list(network.modules()):
        for name, child in parent.named_children():
            if isinstance(child, ESA):
                stand_ins.append(_WholeESA(child))
            elif isinstance(child, ChannelAttention):
                stand_ins.append(_WholeAttention(child))
            else:
                continue
            setattr(parent, name, stand_ins[-1])
    return stand_ins


class _Whole(nn.Module):
    """An attention that sees the whole image through its tiles.

    Until ``finish`` it gathers from ``tile``, and ends the pass.
    """

    tile: _Tile

    def waits(self) -> bool:
        """Whether tiles have not gone beyond it yet."""
        raise NotImplementedError

    def finish(self) -> None:
        """All tiles have been gathered."""
        raise NotImplementedError


class _WholeESA(_Whole):
    def __init__(self, attention: ESA) -> None:
        super().__init__()
        self.attention = attention
        self.pooled: Tensor | None = None
        self.coarse: Tensor | None = None

    def waits(self) -> bool:
        return self.coarse is None

    def finish(self) -> None:
        self.coarse = self.attention.coarse(self.pooled)
        self.pooled = None

    def forward(self, x: Tensor) -> Tensor:
        reduced = self.attention.reduce(x)
        if self.coarse is None:
            self._gather(self.attention.pool(self.attention.stride(reduced)))
            raise _Gathered
        top, left, bottom, right = self.tile.seen
        coarse = _interpolated(self.coarse, 2, self.tile.height, top, bottom)
        coarse = _interpolated(coarse, 3, self.tile.width, left, right)
        return x * torch.sigmoid(self.attention.expand(coarse + self.attention.fine(reduced)))

    def _gather(self, pooled: Tensor) -> None:
        if self.pooled is None:
            sides = [
                (side - ESA.min_size) // STEP + 1 for side in (self.tile.height, self.tile.width)
            ]
            self.pooled = pooled.new_empty(*pooled.shape[:2], *sides)
        rows, columns = self.tile.own_within(STEP)
        part = pooled[..., rows, columns]
        top, left = (side // STEP for side in self.tile.own[:2])
        self.pooled[..., top : top + part.shape[2], left : left + part.shape[3]] = part


def _interpolated(x: Tensor, axis: int, size: int, start: int, stop: int) -> Tensor:
    """Places ``start`` to ``stop`` of ``F.interpolate``, bilinear, to ``size`` along one axis."""
    last = x.shape[axis] - 1
    places = torch.arange(start, stop, device=x.device, dtype=torch.float64)
    places = ((places + 0.5) * x.shape[axis] / size - 0.5).clamp(min=0)
    low = places.long().clamp(max=last)
    weight = (places - low).to(x.dtype).reshape([-1 if each == axis else 1 for each in range(4)])
    near, far = x.index_select(axis, low), x.index_select(axis, (low + 1).clamp(max=last))
    return near * (1 - weight) + far * weight


class _WholeAttention(_Whole):
    def __init__(self, attention: ChannelAttention) -> None:
        super().__init__()
        self.attention = attention
        self.sums: Tensor | float = 0.0
        self.squares: Tensor | float = 0.0
        self.factor: Tensor | None = None

    def waits(self) -> bool:
        return self.factor is None

    def finish(self) -> None:
        pixels = self.tile.height * self.tile.width
        mean = torch.as_tensor(self.sums) / pixels
        statistic = mean
        if self.attention.contrast:
            variance = (torch.as_tensor(self.squares) / pixels - mean.square()).clamp(min=0)
            statistic = mean + variance.sqrt()
        self.factor = self.attention.weigh(statistic.float())

    def forward(self, x: Tensor) -> Tensor:
        if self.factor is None:
            rows, columns = self.tile.own_within()
            own = x[..., rows, columns].double()
            self.sums = self.sums + own.sum((2, 3), keepdim=True)
            self.squares = self.squares + own.square().sum((2, 3), keepdim=True)
            raise _Gathered
        return x * self.factor
