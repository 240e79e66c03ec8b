"""CARN and CARN-M: Cascading Residual Network.

Ahn, Kang, Sohn, "Fast, Accurate, and Lightweight Super-Resolution with Cascading Residual Network",
ECCV 2018. RGB 0..1 with a frozen mean shift (24 parameters, in the counts).

What is known, and from where:

- The published network is **multi-scale**: it holds the upsamplers of x2, x3 and x4, one of which
  works at a time, and is trained with a random scale a step. Its 1,592K (CARN-M: 415K) count all
  three, so two upsamplers get no gradient at a fixed scale. ``multi_scale=False`` has the one.
- CARN-M is CARN with ``groups=4``: grouped 3x3 convolutions in the residual units and upsamplers,
  and one residual unit a block in place of three.
- The authors' public weights of CARN-M, one file for all scales, load into this module and give
  the same output.
- Parameters: CARN 1,591,963, CARN-M 414,811 at every scale; with one scale 964,187 / 1,148,827 /
  1,111,899 and 257,051 / 303,451 / 294,171 at x2 / x3 / x4.
"""

from collections.abc import Iterable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from srlib.networks.blocks import MeanShift, as_rgb

SCALES = (2, 3, 4)


class ResidualUnit(nn.Module):
    """Residual block of CARN, or with ``groups`` above 1 the efficient one of CARN-M (section 3.2).

    (N, C, H, W) -> (N, C, H, W). The efficient one ends with a 1x1 convolution that mixes groups.
    """

    def __init__(self, channels: int, groups: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, groups=groups),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 3, padding=1, groups=groups),
        )
        if groups > 1:
            self.body.extend([nn.ReLU(), nn.Conv2d(channels, channels, 1)])

    def forward(self, x: Tensor) -> Tensor:
        # not a module: the NTIRE count of the authors' code leaves this activation out
        return F.relu(self.body(x) + x)


class Cascade(nn.Module):
    """The cascade of section 3.1, used within a block and again over the blocks.

    (N, C, H, W) -> (N, C, H, W). After each unit a 1x1 convolution fuses the input and the outputs
    of all units so far, oldest first.

    Args:
        channels: width C.
        units: the units in order; one alone is applied ``length`` times (CARN-M).
        length: number of applications.
    """

    def __init__(self, channels: int, units: Iterable[nn.Module], length: int = 3) -> None:
        super().__init__()
        self.units = nn.ModuleList(units)
        self.fuse = nn.ModuleList(
            nn.Sequential(nn.Conv2d(n * channels, channels, 1), nn.ReLU())
            for n in range(2, length + 2)
        )

    def forward(self, x: Tensor) -> Tensor:
        outputs = [x]
        for number, fuse in enumerate(self.fuse):
            outputs.append(self.units[number % len(self.units)](x))
            x = fuse(torch.cat(outputs, dim=1))
        return x


class Upsampler(nn.Sequential):
    """Convolution, ReLU, pixel shuffle; twice for x4: (N, C, H, W) -> (N, C, scale*H, scale*W)."""

    def __init__(self, channels: int, scale: int, groups: int) -> None:
        layers: list[nn.Module] = []
        for factor in [2, 2] if scale == 4 else [scale]:
            layers += [
                nn.Conv2d(channels, channels * factor**2, 3, padding=1, groups=groups),
                nn.ReLU(),
                nn.PixelShuffle(factor),
            ]
        super().__init__(*layers)


class CARN(nn.Module):
    """Head, the cascade of three cascading blocks, upsampler, tail; no long skip (section 3.1).

    (N, 3 or 1, H, W) in 0..1 -> (N, 3, scale*H, scale*W), about 0..1, not clipped.

    Args:
        scale: 2, 3 or 4. The attribute ``scale`` may be set to another of ``scales`` at any time.
        groups: 1 gives CARN, 4 the published CARN-M.
        multi_scale: whether the upsamplers of all three scales are there, as published. The
            attribute ``scales`` lists those that are.
        channels: width of the features, a multiple of ``groups``; 64 in the paper.

    Raises:
        ValueError: another scale, or ``channels`` that do not divide into ``groups``.
    """

    min_size = 1

    def __init__(
        self, scale: int = 4, groups: int = 1, multi_scale: bool = True, channels: int = 64
    ) -> None:
        super().__init__()
        if scale not in SCALES:
            raise ValueError(f"scale={scale} must be 2, 3 or 4")
        if groups < 1 or channels < 1 or channels % groups:
            raise ValueError(f"channels={channels} must be a multiple of groups={groups}")
        self.scale = scale
        self.scales = SCALES if multi_scale else (scale,)
        self.subtract_mean = MeanShift(-1)
        self.head = nn.Conv2d(3, channels, 3, padding=1)
        units = 1 if groups > 1 else 3
        self.body = Cascade(
            channels,
            (
                Cascade(channels, (ResidualUnit(channels, groups) for _ in range(units)))
                for _ in range(3)
            ),
        )
        self.upsamplers = nn.ModuleDict(
            {str(each): Upsampler(channels, each, groups) for each in self.scales}
        )
        self.tail = nn.Conv2d(channels, 3, 3, padding=1)
        self.add_mean = MeanShift(+1)

    def forward(self, x: Tensor) -> Tensor:
        features = self.body(self.head(self.subtract_mean(as_rgb(x, self.min_size))))
        return self.add_mean(self.tail(self.upsamplers[str(self.scale)](features)))
