"""SPANV2: SPAN with a learnt mask, winner of the NTIRE 2026 efficient SR challenge.

Team XiaomiMM in "The Eleventh NTIRE 2026 Efficient Super-Resolution Challenge Report", CVPR
Workshops (NTIRE) 2026, arXiv:2604.03198. It has no paper of its own. Parameters: 135,144 / 136,479
/ 139,104 at x2 / x3 / x4.

What is known, and from where: x4 is exact; the weights in the challenge's repository load into this
module and give the same output. They are of the form for inference; the one in training is not
public, and neither is another scale than x4, which is ours. That the branch beside starts as the
nearest-neighbour enlargement is from reports of the winning.

The challenge's results print 1.59 G FLOPs, 42.99 M activations and 18 convolutions at LR 256x256.
That is this network as a counter sees it that cannot look into the authors' CUDA operator for the
mask: all of its convolutions make 9.11 G, 51.38 M and 22, which the authors' own note has too.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from srlib.networks.blocks import as_rgb


def plain(in_channels: int, out_channels: int) -> nn.Conv2d:
    """A 3x3 convolution; none of the network's has a bias."""
    return nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False)


class LearntSPAB(nn.Module):
    """SPAN's block with a mask that a 1x1 convolution makes of the residual, of any sign.

    (N, C, H, W) -> (N, C, H, W).
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            plain(channels, channels),
            nn.ReLU(),
            plain(channels, channels),
            nn.ReLU(),
            plain(channels, channels),
        )
        self.mask = nn.Conv2d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        residual = self.body(x)
        return (x + residual) * self.mask(residual)


class SPANV2(nn.Module):
    """Three plain convolutions, a chain of blocks; beside them a branch that repeats pixels.

    (N, 3 or 1, H, W) in 0..1 -> (N, 3, scale*H, scale*W), about 0..1, not clipped. Both are joined
    by a separable convolution to as many channels as the pixel shuffle takes. The branch starts as
    the nearest-neighbour enlargement.

    Args:
        scale: 4 in the challenge; any integer from 1.
        blocks: blocks with a mask; 4 in the challenge.
        channels: width C of the features; 32 in the challenge.

    Raises:
        ValueError: a setting below 1.
    """

    min_size = 1

    def __init__(self, scale: int = 4, blocks: int = 4, channels: int = 32) -> None:
        super().__init__()
        if min(scale, blocks, channels) < 1:
            raise ValueError(
                f"scale={scale}, blocks={blocks} and channels={channels} must all be at least 1"
            )
        self.scale = scale
        shuffled = 3 * scale**2
        self.near = nn.Conv2d(3, shuffled, 3, padding=1, groups=3, bias=False)
        nn.init.dirac_(self.near.weight, groups=shuffled)
        self.head = nn.Sequential(
            plain(3, channels),
            nn.ReLU(),
            plain(channels, channels),
            nn.ReLU(),
            plain(channels, channels),
            nn.ReLU(),
        )
        self.blocks = nn.Sequential(*(LearntSPAB(channels) for _ in range(blocks)))
        both = shuffled + channels
        self.depthwise = nn.Conv2d(both, both, 3, padding=1, groups=both, bias=False)
        self.pointwise = nn.Conv2d(both, shuffled, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        x = as_rgb(x, self.min_size)
        both = torch.cat([self.near(x), self.blocks(self.head(x))], dim=1)
        return F.pixel_shuffle(self.pointwise(self.depthwise(both)), self.scale)
