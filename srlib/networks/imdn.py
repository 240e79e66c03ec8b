"""IMDN: Information Multi-distillation Network.

Hui, Gao, Yang, Wang, "Lightweight Image Super-Resolution with Information Multi-distillation
Network", ACM MM 2019. RGB 0..1, no mean shift.

What is known, and from where:

- The authors' public weights load into this module and give the same output. Parameters:
  694,404 / 703,059 / 715,176 at x2 / x3 / x4.
- ``attention=False, fusion=False, blocks=8`` is the simplified network that won the AIM 2019
  constrained challenge and is the baseline of NTIRE 2022: no attention, and a plain chain of blocks
  in place of the fusion of all their outputs (893,936 parameters at x4; published at x4 only).
"""

import torch
from torch import Tensor, nn

from srlib.networks.blocks import ChannelAttention, PixelShuffleTail, as_rgb, chained


def activation() -> nn.Module:
    return nn.LeakyReLU(0.05)


class IMDB(nn.Module):
    """Information multi-distillation block (section 3.2).

    (N, C, H, W) -> (N, C, H, W). Each of three convolutions keeps C/4 channels and hands the other
    3C/4 to the next; a fourth makes the last C/4. RFDN writes the splits as pairs of convolutions:
    ``srlib.networks.rfdn.IMDBR``.
    """

    def __init__(self, channels: int, attention: bool = True) -> None:
        super().__init__()
        kept = channels // 4
        self.sizes = (kept, channels - kept)
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels - kept, channels, 3, padding=1)
        self.conv3 = nn.Conv2d(channels - kept, channels, 3, padding=1)
        self.conv4 = nn.Conv2d(channels - kept, kept, 3, padding=1)
        self.attention = ChannelAttention(channels, 16, contrast=True) if attention else None
        self.fuse = nn.Conv2d(4 * kept, channels, 1)
        self.act = activation()

    def forward(self, x: Tensor) -> Tensor:
        d1, r1 = self.act(self.conv1(x)).split(self.sizes, dim=1)
        d2, r2 = self.act(self.conv2(r1)).split(self.sizes, dim=1)
        d3, r3 = self.act(self.conv3(r2)).split(self.sizes, dim=1)
        distilled = torch.cat([d1, d2, d3, self.conv4(r3)], dim=1)
        if self.attention is not None:
            distilled = self.attention(distilled)
        return self.fuse(distilled) + x


class IMDN(nn.Module):
    """Head, a chain of blocks, fusion of all their outputs, tail (section 3.1).

    (N, 3 or 1, H, W) in 0..1 -> (N, 3, scale*H, scale*W), about 0..1, not clipped.

    Args:
        scale: 2, 3 or 4 in the paper; any integer from 1.
        blocks: 6 in the paper, 8 in the challenge's network.
        channels: width C of the features, a multiple of 4; 64 in the paper.
        attention: whether the blocks have contrast-aware channel attention.
        fusion: whether a 1x1 convolution fuses the outputs of all blocks; without it, the last
            block's output goes on alone.

    Raises:
        ValueError: impossible ``scale``, ``blocks`` or ``channels``.
    """

    min_size = 1

    def __init__(
        self,
        scale: int = 4,
        blocks: int = 6,
        channels: int = 64,
        attention: bool = True,
        fusion: bool = True,
    ) -> None:
        super().__init__()
        if scale < 1 or blocks < 1:
            raise ValueError(f"scale={scale} and blocks={blocks} must both be at least 1")
        if channels < 1 or channels % 4 or (attention and channels < 16):
            raise ValueError(
                f"channels={channels} must be a multiple of 4, and 16 or more with attention"
            )
        self.scale = scale
        self.head = nn.Conv2d(3, channels, 3, padding=1)
        self.blocks = nn.ModuleList(IMDB(channels, attention) for _ in range(blocks))
        self.fuse = (
            nn.Sequential(nn.Conv2d(blocks * channels, channels, 1), activation())
            if fusion
            else None
        )
        self.refine = nn.Conv2d(channels, channels, 3, padding=1)
        self.tail = PixelShuffleTail(channels, scale)

    def forward(self, x: Tensor) -> Tensor:
        head = self.head(as_rgb(x, self.min_size))
        outputs = chained(self.blocks, head)
        features = outputs[-1] if self.fuse is None else self.fuse(torch.cat(outputs, dim=1))
        return self.tail(self.refine(features) + head)
