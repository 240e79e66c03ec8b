"""SAN: Second-order Attention Network.

Dai, Cai, Zhang, Xia, Zhang, "Second-order Attention Network for Single Image Super-Resolution",
CVPR 2019. RGB 0..255. Parameters: 15,712,800 / 15,897,440 / 15,860,512 at x2 / x3 / x4.

What is known, and from where: the counts are those of the authors' code (daitao/SAN), written here
from a description of it, with what looks like oversights of it:

- **38,044 parameters are never used**: a convolution (36,928), a second attention in the non-local
  module (1,096), and a scalar in each of the 20 groups. They are kept, since the authors' code has
  them, in one place, ``spare``, which ``SAN.unused`` names; no gradient reaches them. The published
  counts (15,674K / 15,859K / 15,822K) are those without the first two, rounded down.
- The mean shifts are trained (24 parameters).
- Keys and values of the non-local module are pooled, by a slip in a variable's name.
"""

import torch
from torch import Tensor, nn

from srlib.networks.blocks import ChannelAttention, MeanShift, as_rgb
from srlib.networks.edsr import EDSRTail, ResidualBlock
from srlib.networks.normed import DIV2K_MEAN


class SOCA(ChannelAttention):
    """Second-order channel attention: the statistic is a row mean of the covariance's root.

    (N, C, H, W) -> (N, C, H, W). Of a map with a side of more than 1000 pixels the central 1000
    are used.
    """

    most = 1000

    def forward(self, x: Tensor) -> Tensor:
        top, left = (max(0, (size - self.most) // 2) for size in x.shape[-2:])
        centre = x[..., top : top + self.most, left : left + self.most]
        statistic = covariance_root(centre.flatten(2)).mean(1)  # (N, C)
        return x * self.weigh(statistic[:, :, None, None])


def covariance_root(x: Tensor, steps: int = 5) -> Tensor:
    """Square root of the covariance of C features over M pixels: (N, C, M) -> (N, C, C).

    Newton-Schulz iterations on the covariance divided by its trace, so that they converge.
    """
    centred = x - x.mean(2, keepdim=True)
    covariance = centred @ centred.transpose(-1, -2) / x.shape[2]
    # constant features have trace 0, and the root's gradient there would be infinite
    trace = covariance.diagonal(dim1=1, dim2=2).sum(1).clamp(min=1e-12)[:, None, None]
    identity = torch.eye(x.shape[1], dtype=x.dtype, device=x.device)
    normal = covariance / trace
    z = (3 * identity - normal) / 2
    y = normal @ z
    for _ in range(steps - 2):
        p = (3 * identity - z @ y) / 2
        y, z = y @ p, p @ z
    return trace.sqrt() * (y @ (3 * identity - z @ y)) / 2


class RegionNonLocal(nn.Module):
    """Non-local attention within each quadrant: (N, C, H, W) -> (N, C, H, W), H, W >= 4.

    Keys and values are pooled 2x2, so a quadrant has at least 2x2 pixels. The last convolution
    starts at zero: the module starts as the identity.
    """

    min_size = 4

    def __init__(self, channels: int, reduced: int) -> None:
        super().__init__()
        self.query = nn.Conv2d(channels, reduced, 1)
        self.key = nn.Sequential(nn.Conv2d(channels, reduced, 1), nn.MaxPool2d(2))
        self.value = nn.Sequential(nn.Conv2d(channels, reduced, 1), nn.MaxPool2d(2))
        self.expand = nn.Conv2d(reduced, channels, 1)
        nn.init.zeros_(self.expand.weight)
        nn.init.zeros_(self.expand.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[-2:]
        rows = x.split([height // 2, height - height // 2], dim=2)
        quadrants = [row.split([width // 2, width - width // 2], dim=3) for row in rows]
        return torch.cat([torch.cat([self._attend(q) for q in row], 3) for row in quadrants], 2)

    def _attend(self, x: Tensor) -> Tensor:
        query, key, value = (f(x).flatten(2) for f in (self.query, self.key, self.value))
        attention = (query.transpose(-1, -2) @ key).softmax(
            2
        )  # (N, pixels, pooled pixels), not scaled
        result = (value @ attention.transpose(-1, -2)).unflatten(2, x.shape[-2:])
        return self.expand(result) + x


class Group(nn.Module):
    """Local-source residual attention group: (N, C, H, W) -> (N, C, H, W)."""

    def __init__(self, channels: int, blocks: int, reduction: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *(ResidualBlock(channels) for _ in range(blocks)),
            SOCA(channels, reduction),
            nn.Conv2d(channels, channels, 3, padding=1),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x)


class SAN(nn.Module):
    """Head, non-local module, groups with a shared source, the same module again, tail.

    (N, 3 or 1, H, W) in 0..1 -> (N, 3, scale*H, scale*W), about 0..1, not clipped. The weights see
    0..255. Each group adds the features before the first one, times one scalar for all, which
    starts at 0.

    Args:
        scale: 2, 3 or 4.
        groups: 20 in the paper.
        blocks: residual blocks a group, 10 in the paper.
        channels: width C of the features; 64 in the paper.
        reduction: C over the hidden channels of the attention; 16 in the paper.

    Attributes:
        unused: prefix of the parameters that no gradient reaches; see the module's docstring.

    Raises:
        ValueError: another scale, a number below 1, or an LR image smaller than ``min_size``.
    """

    min_size = RegionNonLocal.min_size
    unused = ("spare.",)

    def __init__(
        self,
        scale: int = 4,
        groups: int = 20,
        blocks: int = 10,
        channels: int = 64,
        reduction: int = 16,
    ) -> None:
        super().__init__()
        if groups < 1 or blocks < 1:
            raise ValueError(f"groups={groups} and blocks={blocks} must both be at least 1")
        if not 1 <= reduction <= channels or channels < 8:
            raise ValueError(
                f"channels={channels} must be at least 8, and reduction={reduction} from 1 to that"
            )
        self.scale = scale
        red, green, blue = (255 * mean for mean in DIV2K_MEAN)
        self.subtract_mean = MeanShift(-1, (red, green, blue)).requires_grad_()
        self.head = nn.Conv2d(3, channels, 3, padding=1)
        self.non_local = RegionNonLocal(channels, channels // 8)
        self.groups = nn.ModuleList(Group(channels, blocks, reduction) for _ in range(groups))
        self.weight_source = nn.Parameter(torch.zeros(1))
        self.tail = EDSRTail(channels, scale)
        self.add_mean = MeanShift(+1, (red, green, blue)).requires_grad_()
        self.spare = nn.ModuleDict(
            {
                "conv": nn.Conv2d(channels, channels, 3, padding=1),
                "attention": SOCA(channels, 8),
                "scalars": nn.ParameterList(torch.zeros(1) for _ in range(groups)),
            }
        )

    def forward(self, x: Tensor) -> Tensor:
        head = self.head(self.subtract_mean(255 * as_rgb(x, self.min_size)))
        source = self.non_local(head)
        features = source
        for group in self.groups:
            features = group(features) + self.weight_source * source
        features = self.non_local(features) + head
        return self.add_mean(self.tail(features)) / 255
