"""MAFFSRN: Multi-Attentive Feature Fusion Super-Resolution Network.

Muqeet, Hwang, Yang, Kang, Kim, Bae, "Multi-Attention Based Ultra Lightweight Image
Super-Resolution", ECCV Workshops (AIM) 2020, arXiv:2008.12912. Four groups; MAFFSRN-L has eight.

| | parameters x2 / x3 / x4 |
|---|---|
| MAFFSRN | 402,394 / 418,774 / 441,706 |
| MAFFSRN-L | 790,754 / 807,134 / 830,066 |

What is known, and from where: the counts are those of the authors' code (AbdulMoqeet/MAFFSRN),
written here from a description of it. The multiply-adds that the paper prints leave out the
weight-normalised convolutions: 19.3 G at x4 for 1280x720, where all convolutions make 23.8 G.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from srlib.networks.blocks import as_rgb, channel_shuffle
from srlib.networks.normed import normed


def activation() -> nn.Module:
    return nn.LeakyReLU(0.05)


class MAB(nn.Module):
    """Multi-attention block: two convolutions, then the product of two masks.

    (N, C, H, W) -> (N, C, H, W) with H, W >= 13: the strided convolution must leave the seven
    pixels of the pooling window. There is no residual; the group adds it.

    The first mask is an ESA with a dilated and a plain convolution in place of ESA's three, nearest
    instead of bilinear enlargement, and a ReLU before the sigmoid (so that it lies in [1/2, 1)).
    The second is a depth-wise convolution of 5x5.
    """

    min_size = 13

    def __init__(self, channels: int, reduced: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1),
            activation(),
            nn.Conv2d(channels, channels, 3, padding=1),
        )
        self.reduce = nn.Conv2d(channels, reduced, 1)
        self.coarse = nn.Sequential(
            nn.Conv2d(reduced, reduced, 3, stride=2, padding=1),
            nn.MaxPool2d(7, stride=3),
        )
        self.dilated = nn.Sequential(
            nn.Conv2d(reduced, reduced, 3, padding=2, dilation=2), activation()
        )
        self.plain = nn.Sequential(nn.Conv2d(reduced, reduced, 3, padding=1), activation())
        self.expand = nn.Sequential(nn.Conv2d(reduced, channels, 1), nn.ReLU(), nn.Sigmoid())
        self.local = nn.Sequential(
            nn.Conv2d(channels, channels, 1),
            nn.Conv2d(channels, channels, 5, padding=2, groups=channels),
            nn.Sigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        t = self.body(x)
        reduced = self.reduce(t)
        coarse = self.coarse(reduced)
        coarse = self.dilated(coarse) + self.plain(coarse)
        coarse = F.interpolate(coarse, x.shape[-2:], mode="nearest")
        return self.expand(coarse + reduced) * t * self.local(t)


class FFG(nn.Module):
    """Feature fusion group: four MABs, fused pair by pair: (N, C, H, W) -> (N, C, H, W).

    Each fusion shuffles the channels of two maps into one another and halves their number. The
    residual of the group is weighted, with weights that start at 1.
    """

    def __init__(self, channels: int, reduced: int) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(MAB(channels, reduced) for _ in range(4))
        self.fuse = nn.ModuleList(normed(2 * channels, channels, 1) for _ in range(3))
        self.weight_body = nn.Parameter(torch.ones(1))
        self.weight_input = nn.Parameter(torch.ones(1))

    def forward(self, x: Tensor) -> Tensor:
        x0 = self.blocks[0](x)
        x1 = self.blocks[1](x0) + x0
        x2 = self.blocks[2](x1) + x1
        x3 = self.blocks[3](x2)  # without a residual, as x0
        fused = x0
        for fuse, features in zip(self.fuse, (x1, x2, x3), strict=True):
            fused = fuse(channel_shuffle(torch.cat([fused, features], dim=1), 2))
        return self.weight_body * fused + self.weight_input * x


class MAFFSRN(nn.Module):
    """Head, a chain of groups, a tail of two kernel sizes, on top of the bicubic enlargement.

    (N, 3 or 1, H, W) in 0..1 -> (N, 3, scale*H, scale*W), about 0..1, not clipped. The enlargement
    is PyTorch's bicubic (a = -0.75), not MATLAB's.

    Args:
        scale: 2, 3 or 4 in the paper; any integer from 1.
        blocks: number of groups: 4, and 8 in MAFFSRN-L.
        channels: width of the features; 32 in the paper.
        reduced: width within the first mask; 8 in the paper.

    Raises:
        ValueError: a setting below 1, or an LR image smaller than ``min_size`` (the 13 pixels of
            the blocks' pooling).
    """

    min_size = MAB.min_size

    def __init__(
        self, scale: int = 4, blocks: int = 4, channels: int = 32, reduced: int = 8
    ) -> None:
        super().__init__()
        if min(scale, blocks, channels, reduced) < 1:
            raise ValueError(
                f"scale={scale}, blocks={blocks}, channels={channels} and reduced={reduced} must "
                "all be at least 1"
            )
        self.scale = scale
        self.head = normed(3, channels, 3)
        self.blocks = nn.Sequential(*(FFG(channels, reduced) for _ in range(blocks)))
        self.tail3 = normed(channels, 3 * scale**2, 3)
        self.tail5 = normed(channels, 3 * scale**2, 5)
        self.weight3 = nn.Parameter(torch.full((1,), 0.5))
        self.weight5 = nn.Parameter(torch.full((1,), 0.5))
        self.shuffle = nn.PixelShuffle(scale)

    def forward(self, x: Tensor) -> Tensor:
        x = as_rgb(x, self.min_size)
        features = self.blocks(self.head(x))
        detail = self.weight3 * self.tail3(features) + self.weight5 * self.tail5(features)
        enlarged = F.interpolate(x, scale_factor=self.scale, mode="bicubic", align_corners=False)
        return self.shuffle(detail) + enlarged
