"""FDIWN: Feature Distillation Interaction Weighting Network.

Gao, Li, Li, Wu, Lu, Yu, "Feature Distillation Interaction Weighting Network for Lightweight Image
Super-Resolution", AAAI 2022, arXiv:2112.08655.

| | parameters x2 / x3 / x4 (published) |
|---|---|
| FDIWN | 629,176 / 646,486 / 663,848 (629K / 645K / 664K) |
| FDIWN-M | 429,504 / 446,814 / 454,648 (433K / 446K / 454K) |

What is known, and from where:

- FDIWN is that of the authors' code (24wenjie-li/FDIWN), written here from a description of it; the
  authors' weights load and give the authors' output.
- The authors' networks differ between scales in more than the tail: at x4 the wide units are wider,
  the tail is narrower, and the image branch sees the image less its mean (``PLANS``).
- The two mean shifts are trained in the authors' code, by oversight: 24 parameters, and in the
  published weights the matrices are no identities.
- The published multiply-adds leave out the weight-normalised convolutions: 28.4 G at x4 for
  1280x720, where all convolutions make 71.2 G.
- **FDIWN-M is a guess.** There is no code. Two groups with four applications have the published
  counts at x3 and x4 (parameters and multiply-adds), and not at x2 (429.5K for 433K, 77.0 G for
  73.6 G). The order of the four, here 1 1 2 2, is unknown and does not change the counts.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from srlib.networks.blocks import (
    MeanShift,
    PixelShuffleTail,
    as_rgb,
    channel_shuffle,
    deviation,
)
from srlib.networks.normed import DIV2K_MEAN, normed

WIDTH = 24  # of the trunk: 3/8 of the 64 that the authors' option names
HALF = WIDTH // 2


class Plan(NamedTuple):
    """What differs between scales.

    Attributes:
        wirw, wcrw, fuse: channels between the convolutions of the three kinds of wide unit.
        tail: width of the tail.
        shifted: whether the image branch sees the image less its mean.
    """

    wirw: int
    wcrw: int
    fuse: int
    tail: int
    shifted: bool


PLANS = {
    2: Plan(wirw=48, wcrw=48, fuse=96, tail=64, shifted=False),
    3: Plan(wirw=48, wcrw=48, fuse=96, tail=64, shifted=False),
    4: Plan(wirw=60, wcrw=54, fuse=108, tail=32, shifted=True),
}


class ShuffleAttention(nn.Module):
    """Weigh half of each group's channels by their mean, half by themselves; shuffle.

    (N, C, H, W) -> (N, C, H, W), C a multiple of 2 ``groups``. The groups share the weights. The
    first half is a channel attention, the second, instance-normalised, a spatial one.

    Source: SA-Net (Zhang and Yang, ICASSP 2021).
    """

    def __init__(self, channels: int = WIDTH, groups: int = 6) -> None:
        super().__init__()
        self.groups = groups
        part = self.part = channels // (2 * groups)
        self.channel_weight = nn.Parameter(torch.zeros(1, part, 1, 1))
        self.channel_bias = nn.Parameter(torch.ones(1, part, 1, 1))
        self.spatial_weight = nn.Parameter(torch.zeros(1, part, 1, 1))
        self.spatial_bias = nn.Parameter(torch.ones(1, part, 1, 1))
        self.norm = nn.GroupNorm(part, part)

    def forward(self, x: Tensor) -> Tensor:
        grouped = torch.cat(x.split(2 * self.part, dim=1))  # the groups as images of the batch
        a, b = grouped.split(self.part, dim=1)
        a = a * torch.sigmoid(self.channel_weight * a.mean((2, 3), True) + self.channel_bias)
        b = b * torch.sigmoid(self.spatial_weight * self.norm(b) + self.spatial_bias)
        weighed = torch.cat([a, b], dim=1).unflatten(0, (self.groups, -1))
        return channel_shuffle(weighed.transpose(0, 1).flatten(1, 2), 2)


class WideUnit(nn.Module):
    """Wide residual weighting unit: WIRW where the widths are equal, else WCRW.

    (N, in, H, W) -> (N, 24, H, W). Expand, squeeze, one 3x3 convolution, shuffle attention; both
    terms of the sum have a learnable weight. WIRW (identical) adds its input, WCRW (convolutional)
    a convolution of it.
    """

    def __init__(self, in_channels: int, expanded: int, squeezed: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            normed(in_channels, expanded, 1),
            nn.ReLU(),
            normed(expanded, squeezed, 1),
            normed(squeezed, WIDTH, 3),
            ShuffleAttention(),
        )
        self.shortcut = (
            nn.Identity() if in_channels == WIDTH else nn.Conv2d(in_channels, WIDTH, 3, padding=1)
        )
        self.weight_body = nn.Parameter(torch.ones(1))
        self.weight_input = nn.Parameter(torch.ones(1))

    def forward(self, x: Tensor) -> Tensor:
        return self.weight_body * self.body(x) + self.weight_input * self.shortcut(x)


class Coefficients(nn.Module):
    """A factor a channel, from its mean and its deviation: (N, 24, H, W) -> (N, 24, 1, 1).

    The ReLU before the sigmoid keeps the factors in [1/2, 1).
    """

    def __init__(self) -> None:
        super().__init__()
        self.of_mean = self._branch()
        self.of_deviation = self._branch()

    @staticmethod
    def _branch() -> nn.Sequential:
        return nn.Sequential(
            nn.Conv2d(WIDTH, WIDTH // 8, 1),
            nn.ReLU(),
            nn.Conv2d(WIDTH // 8, WIDTH, 1),
            nn.ReLU(),
            nn.Sigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        return (self.of_mean(x.mean((2, 3), True)) + self.of_deviation(deviation(x))) / 2


class WDIB(nn.Module):
    """Wide-residual distillation interaction block: (N, 24, H, W) -> (N, 24, H, W).

    Two branches, a and b. Twice each takes the other, weighed by coefficients of its own; half of
    the channels of each are distilled early and gate the *other* branch at the end.
    """

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self.unit_a, self.unit_b, self.last_a, self.last_b = (
            WideUnit(WIDTH, plan.wirw, HALF) for _ in range(4)
        )
        self.refine_a, self.refine_b = (WideUnit(HALF, plan.wcrw, HALF) for _ in range(2))
        self.a1, self.b1, self.a2, self.b2 = (Coefficients() for _ in range(4))
        self.gate_a = nn.Conv2d(HALF, WIDTH, 3, padding=1, bias=False)
        self.gate_b = nn.Conv2d(HALF, WIDTH, 3, padding=1, bias=False)
        self.weight_a = nn.Parameter(torch.ones(1))
        self.weight_b = nn.Parameter(torch.ones(1))
        self.fuse = WideUnit(2 * WIDTH, plan.fuse, WIDTH)
        self.gate = nn.Conv2d(2 * WIDTH, WIDTH, 1, bias=False)
        self.attention = ShuffleAttention()
        self.act = nn.LeakyReLU(0.05)

    def forward(self, x: Tensor) -> Tensor:
        distilled_a, rest = self.act(self.unit_a(x)).split(HALF, dim=1)
        refined = self.refine_a(rest)
        b = self.a1(refined) * refined + x
        a = self.b1(x) * x + refined

        distilled_b, rest = self.act(self.unit_b(b)).split(HALF, dim=1)
        refined = self.refine_b(rest)
        b = (self.a2(a) * a + refined) * torch.sigmoid(self.gate_b(distilled_b))
        a = (self.b2(refined) * refined + a) * torch.sigmoid(self.gate_a(distilled_a))

        a, b = self.last_a(a), self.last_b(b)
        both = torch.cat([self.weight_a * a, self.weight_b * b], dim=1)
        return self.attention(self.fuse(both) + torch.sigmoid(self.gate(both)) * b + x)


class FSWG(nn.Module):
    """Feature shuffle weighted group: three WDIBs, fused pair by pair.

    (N, 24, H, W) -> (N, 24, H, W). The two fusions shuffle the channels of two maps into one
    another, four groups each. The shortcut is a WIRW; both terms start with the weight 1/2.
    """

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(WDIB(plan) for _ in range(3))
        self.inner = nn.Conv2d(WIDTH, WIDTH, 3, padding=1, bias=False)
        self.fuse1 = nn.Conv2d(2 * WIDTH, WIDTH, 3, padding=1, groups=4, bias=False)
        self.fuse2 = nn.Conv2d(2 * WIDTH, WIDTH, 3, padding=1, groups=4, bias=False)
        self.shortcut = WideUnit(WIDTH, plan.wirw, HALF)
        self.weight_body = nn.Parameter(torch.full((1,), 0.5))
        self.weight_input = nn.Parameter(torch.full((1,), 0.5))

    def forward(self, x: Tensor) -> Tensor:
        a = self.blocks[0](x)
        b = self.blocks[1](a)
        c = self.blocks[2](b + self.inner(a))
        fused = self.fuse1(channel_shuffle(torch.cat([a, b], dim=1), 4))
        fused = self.fuse2(channel_shuffle(torch.cat([fused, c], dim=1), 4))
        return self.weight_body * (fused + c) + self.weight_input * self.shortcut(x)


class FDIWN(nn.Module):
    """Head, groups applied more than once, tail, and a branch from the image to the output.

    (N, 3 or 1, H, W) in 0..1 -> (N, 3, scale*H, scale*W), about 0..1, not clipped. The weights see
    0..255.

    Each application adds to the sum of all before it, and the next one takes that sum. The first
    application starts the sum: the head's own features are not in it.

    Args:
        scale: 2, 3 or 4.
        order: number of the group at each application, from 0; there are ``max(order) + 1``.

    Raises:
        ValueError: another scale, or an ``order`` that leaves out a group.
    """

    min_size = 1

    def __init__(self, scale: int = 4, order: Sequence[int] = (0, 0, 1, 2, 1, 2)) -> None:
        super().__init__()
        if scale not in PLANS:
            raise ValueError(f"scale={scale} must be 2, 3 or 4")
        if not order or set(order) != set(range(max(order) + 1)):
            raise ValueError(f"order={order} must name every group from 0 on, such as (0, 0, 1, 2)")
        self.scale = scale
        self.order = tuple(order)
        plan = PLANS[scale]
        self.shifted = plan.shifted
        red, green, blue = (255 * mean for mean in DIV2K_MEAN)
        self.subtract_mean = MeanShift(-1, (red, green, blue)).requires_grad_()
        self.head = nn.Conv2d(3, WIDTH, 3, padding=1)
        self.groups = nn.ModuleList(FSWG(plan) for _ in range(max(order) + 1))
        self.tail = nn.Sequential(
            nn.Conv2d(WIDTH, plan.tail, 3, padding=1, bias=False),
            PixelShuffleTail(plan.tail, scale),
        )
        self.branch = nn.Sequential(
            nn.Conv2d(3, plan.tail, 3, padding=1),
            PixelShuffleTail(plan.tail, scale),
        )
        self.add_mean = MeanShift(+1, (red, green, blue)).requires_grad_()

    def forward(self, x: Tensor) -> Tensor:
        image = 255 * as_rgb(x, self.min_size)
        shifted = self.subtract_mean(image)
        first, *others = self.order
        features = self.groups[first](self.head(shifted))
        for number in others:
            features = features + self.groups[number](features)
        detail = self.branch(shifted if self.shifted else image)
        return self.add_mean(self.tail(features) + detail) / 255
