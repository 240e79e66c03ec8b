"""LAPAR: Linearly-Assembled Pixel-Adaptive Regression.

Li, Zhou, Qi, Jiang, Lu, Jia, "LAPAR: Linearly-Assembled Pixel-Adaptive Regression Network for
Single Image Super-Resolution and Beyond", NeurIPS 2020, arXiv:2105.10422. The variant LAPAR-A.

Every output pixel is the bicubic enlargement, filtered with a 5x5 kernel of its own; the kernel is
a linear combination of 72 fixed ones, whose weights a network predicts. The three colours share it.

| | parameters x2 / x3 / x4 |
|---|---|
| LAPAR-A | 547,866 / 594,266 / 659,226 |

What is known, and from where: the counts are those of the authors' code
(Jia-Research-Lab/Simple-SR), written here from a description of it. The dictionary is computed: the
formula reproduces the authors' file to 1e-16. It is no parameter. We assemble each pixel's kernel
first and filter once, where the authors filter 72 times and combine: the same sums in another
order. Neither is counted among the convolutions.
"""

import math
from itertools import product

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from srlib.networks.awsrn import LFB
from srlib.networks.blocks import as_rgb
from srlib.networks.normed import DIV2K_MEAN, normed

SIZE = 5  # of a kernel of the dictionary
RATIOS = (0.8, 0.6, 0.4)  # of the narrow to the wide side of an anisotropic Gaussian


def gaussian(sigma_u: float, sigma_v: float, degrees: float = 0) -> Tensor:
    """A Gaussian of two widths, rotated, sampled at 5x5 integer points: (25,), the sum is 1."""
    points = torch.arange(SIZE, dtype=torch.float64) - SIZE // 2
    y, x = torch.meshgrid(points, points, indexing="ij")
    phi = math.radians(degrees)
    u = x * math.cos(phi) + y * math.sin(phi)
    v = y * math.cos(phi) - x * math.sin(phi)
    kernel = torch.exp(-(u**2) / (2 * sigma_u**2) - v**2 / (2 * sigma_v**2)).flatten()
    return kernel / kernel.sum()


def sharpening(wide: Tensor, narrow: Tensor) -> Tensor:
    """A difference of two Gaussians with weights 1.4 and -0.4 for its two signs: (25,), sum 1."""
    positive = (wide - narrow).clamp(min=0)
    negative = (narrow - wide).clamp(min=0)
    return 1.4 * positive / positive.sum() - 0.4 * negative / negative.sum()


def dictionary() -> Tensor:
    """The 72 kernels in the authors' order: (72, 25) in double precision, each of sum 1."""
    turns = [(ratio, -30.0 * step) for ratio, step in product(RATIOS, range(6))]
    round2, round12, round04 = gaussian(2, 2), gaussian(1.2, 1.2), gaussian(0.4, 0.4)
    wide = [gaussian(2, 2 * ratio, degrees) for ratio, degrees in turns]
    narrow = [gaussian(1.2, 1.2 * ratio, degrees) for ratio, degrees in turns]
    lines = [gaussian(2, 0.4, -15.0 * step) for step in range(12)]
    differences = [
        sharpening(round2, round12),
        sharpening(round2, round04),
        sharpening(round12, round04),
        *(sharpening(a, b) for a, b in zip(wide, narrow, strict=True)),
    ]
    return torch.stack([round2, *wide, *lines, round12, *narrow, round04, *differences])


class LAPAR(nn.Module):
    """Weights of the dictionary's kernels at every output pixel, and the filtering with them.

    (N, 3 or 1, H, W) in 0..1 -> (N, 3, scale*H, scale*W), about 0..1, not clipped. The enlargement
    is PyTorch's bicubic (a = -0.75), reflected by two pixels at its border.

    Args:
        scale: 2, 3 or 4 in the paper; any integer from 1.
        blocks: number of LFBs (those of AWSRN); 4 in LAPAR-A.
        channels: width of the features; 32 in LAPAR-A.
        wide: width within the blocks' units; 32 in LAPAR-A.

    Raises:
        ValueError: a setting below 1, or an LR image smaller than ``min_size``: the reflection
            needs three HR pixels, which is two LR pixels at x2 and one beyond.
    """

    mean: Tensor
    kernels: Tensor

    def __init__(self, scale: int = 4, blocks: int = 4, channels: int = 32, wide: int = 32) -> None:
        super().__init__()
        if min(scale, blocks, channels, wide) < 1:
            raise ValueError(
                f"scale={scale}, blocks={blocks}, channels={channels} and wide={wide} must all be "
                "at least 1"
            )
        self.scale = scale
        self.min_size = math.ceil((SIZE // 2 + 1) / scale)
        mean = torch.tensor(DIV2K_MEAN)[:, None, None]
        kernels = dictionary().to(mean.dtype)
        self.register_buffer("mean", mean, persistent=False)
        self.register_buffer("kernels", kernels, persistent=False)
        self.head = nn.Sequential(normed(3, channels, 3), nn.ReLU())
        self.blocks = nn.Sequential(*(LFB(channels, wide) for _ in range(blocks)))
        self.enlarge = nn.Sequential(
            normed(channels, channels * scale**2, 3),
            nn.ReLU(),
            nn.PixelShuffle(scale),
        )
        self.refine3 = normed(channels, channels, 3)
        self.refine5 = normed(channels, channels, 5)
        self.weight3 = nn.Parameter(torch.full((1,), 0.5))
        self.weight5 = nn.Parameter(torch.full((1,), 0.5))
        self.predict = nn.Sequential(
            normed(channels, channels, 3),
            nn.ReLU(),
            normed(channels, len(kernels), 3),
        )

    def forward(self, x: Tensor) -> Tensor:
        x = as_rgb(x, self.min_size)
        features = self.enlarge(self.blocks(self.head(x - self.mean)))
        features = self.weight3 * self.refine3(features) + self.weight5 * self.refine5(features)
        weights = self.predict(features)  # (N, 72, sH, sW)
        assembled = torch.einsum("nlhw,lt->nthw", weights, self.kernels)  # (N, 25, sH, sW)
        base = F.interpolate(x, scale_factor=self.scale, mode="bicubic", align_corners=False)
        padded = F.pad(base, (SIZE // 2,) * 4, mode="reflect")
        height, width = base.shape[-2:]
        shifted = [
            padded[..., row : row + height, column : column + width]
            for row, column in product(range(SIZE), range(SIZE))
        ]
        # one tap after the other: all 25 at once would take 75 maps of HR size
        return sum(tap * assembled[:, None, i] for i, tap in enumerate(shifted))  # type: ignore[return-value]
