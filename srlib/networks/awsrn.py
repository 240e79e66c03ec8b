"""AWSRN: Adaptive Weighted Super-Resolution Network.

Wang, Li, Shi, "Lightweight Image Super-Resolution with Adaptive Weighted Learning Network",
arXiv:1904.02358, 2019. Three variants that differ in the number of local fusion blocks only:

| | blocks | parameters x2 / x3 / x4 |
|---|---|---|
| AWSRN | 4 | 1,396,872 / 1,476,147 / 1,587,132 |
| AWSRN-M | 3 | 1,063,742 / 1,143,017 / 1,254,002 |
| AWSRN-S | 1 | 397,482 / 476,757 / 587,742 |

What is known, and from where: every count is that of the authors' code (ChaofWang/AWSRN), written
here from a description of it. Every convolution is weight-normalised. The authors' network takes
0..255 and works on (x - 255 m) / 127.5 with m the mean of DIV2K; in our 0..1 that is 2 (x - m), and
the output is halved and shifted back. Neither shift is a parameter.
"""

import torch
from torch import Tensor, nn

from srlib.networks.blocks import as_rgb, chained
from srlib.networks.normed import DIV2K_MEAN, normed

KERNELS = (3, 5, 7, 9)


class AWRU(nn.Module):
    """Adaptive weighted residual unit: (N, C, H, W) -> (N, C, H, W), both terms with a weight.

    ``wide`` is the number of channels between its two convolutions: 128 here, 32 in LAPAR.
    """

    def __init__(self, channels: int, wide: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            normed(channels, wide, 3),
            nn.ReLU(),
            normed(wide, channels, 3),
        )
        self.weight_body = nn.Parameter(torch.ones(1))
        self.weight_input = nn.Parameter(torch.ones(1))

    def forward(self, x: Tensor) -> Tensor:
        return self.weight_body * self.body(x) + self.weight_input * x


class LFB(nn.Module):
    """Local fusion block: four units in a chain, their outputs fused, again an adaptive residual.

    (N, C, H, W) -> (N, C, H, W).
    """

    def __init__(self, channels: int, wide: int, units: int = 4) -> None:
        super().__init__()
        self.units = nn.ModuleList(AWRU(channels, wide) for _ in range(units))
        self.fuse = normed(units * channels, channels, 3)
        self.weight_body = nn.Parameter(torch.ones(1))
        self.weight_input = nn.Parameter(torch.ones(1))

    def forward(self, x: Tensor) -> Tensor:
        fused = self.fuse(torch.cat(chained(self.units, x), dim=1))
        return self.weight_body * fused + self.weight_input * x


class AWMS(nn.Module):
    """Adaptive weighted multi-scale tail: one convolution a kernel size, weighted and summed.

    (N, C, H, W) -> (N, 3, scale*H, scale*W). The weights start at 1/4.
    """

    def __init__(self, channels: int, scale: int) -> None:
        super().__init__()
        self.convs = nn.ModuleList(normed(channels, 3 * scale**2, kernel) for kernel in KERNELS)
        self.weights = nn.Parameter(torch.full((len(KERNELS),), 1 / len(KERNELS)))
        self.shuffle = nn.PixelShuffle(scale)

    def forward(self, x: Tensor) -> Tensor:
        # shuffling only moves pixels: once, after the sum, is the same as a shuffle each
        parts = (w * conv(x) for w, conv in zip(self.weights, self.convs, strict=True))
        return self.shuffle(sum(parts))


class AWSRN(nn.Module):
    """Head, a chain of LFBs, the multi-scale tail, and a branch from the image to the output.

    (N, 3 or 1, H, W) in 0..1 -> (N, 3, scale*H, scale*W), about 0..1, not clipped. There is no
    skip around the chain of blocks.

    Args:
        scale: 2, 3 or 4 in the paper; any integer from 1.
        blocks: number of LFBs; see the module's docstring.
        channels: width of the features; 32 in the paper.
        wide: width within the units; 128 in the paper.

    Raises:
        ValueError: a setting below 1.
    """

    min_size = 1
    mean: Tensor

    def __init__(
        self, scale: int = 4, blocks: int = 4, channels: int = 32, wide: int = 128
    ) -> None:
        super().__init__()
        if min(scale, blocks, channels, wide) < 1:
            raise ValueError(
                f"scale={scale}, blocks={blocks}, channels={channels} and wide={wide} must all be "
                "at least 1"
            )
        self.scale = scale
        mean = torch.tensor(DIV2K_MEAN)[:, None, None]
        self.register_buffer("mean", mean, persistent=False)
        self.head = normed(3, channels, 3)
        self.blocks = nn.Sequential(*(LFB(channels, wide) for _ in range(blocks)))
        self.tail = AWMS(channels, scale)
        self.branch = nn.Sequential(normed(3, 3 * scale**2, 3), nn.PixelShuffle(scale))

    def forward(self, x: Tensor) -> Tensor:
        x = 2 * (as_rgb(x, self.min_size) - self.mean)
        return (self.tail(self.blocks(self.head(x))) + self.branch(x)) / 2 + self.mean
