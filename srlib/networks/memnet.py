"""MemNet: A Persistent Memory Network, in its variant M6R6.

Tai, Yang, Liu, Xu, "MemNet: A Persistent Memory Network for Image Restoration", ICCV 2017: memory
blocks, each a residual block applied six times and a gate that chooses from all it has seen.

What is known, and from where:

- The network works on Y, enlarged by MATLAB's bicubic before it.
- 685,954 parameters with batch norms; the published 677K are the convolutions' 676,992 weights.
- The residual block is shared within its memory block, as in the paper. The public PyTorch code
  does not share it and has 2,905,474 parameters.
- The output is the last memory block's, as in the counted code. The paper's final model learns a
  weighted sum of all six and trains each against the target ("multi-supervised", section 3.3).
- A batch norm that is applied six times keeps one running mean and variance for all six: ``eval``
  differs from ``train`` by more than usual, and ``train`` mixes the images of a batch.
"""

import torch
from torch import Tensor, nn

from srlib.networks.luma import checked_scale, on_luma, upscale_bicubic


class Unit(nn.Sequential):
    """Batch norm, ReLU, convolution (section 3.2): (N, before, H, W) -> (N, after, H, W)."""

    def __init__(self, before: int, after: int, kernel: int = 3) -> None:
        super().__init__(
            nn.BatchNorm2d(before),
            nn.ReLU(),
            nn.Conv2d(before, after, kernel, padding=kernel // 2, bias=False),
        )


class MemoryBlock(nn.Module):
    """Recursive unit and gate unit (section 3.2).

    ``memories``, the outputs (N, C, H, W) of the blocks before, oldest first -> (N, C, H, W).
    """

    def __init__(self, channels: int, recursions: int, memories: int) -> None:
        super().__init__()
        self.recursions = recursions
        self.residual = nn.Sequential(Unit(channels, channels), Unit(channels, channels))
        self.gate = Unit((recursions + memories) * channels, channels, kernel=1)

    def forward(self, memories: list[Tensor]) -> Tensor:
        short_term = []
        features = memories[-1]
        for _ in range(self.recursions):
            features = features + self.residual(features)
            short_term.append(features)
        return self.gate(torch.cat([*short_term, *memories], dim=1))


class MemNet(nn.Module):
    """Feature extraction, densely connected memory blocks, reconstruction (Figure 2).

    (N, 3 or 1, H, W) in 0..1 -> (N, 3, scale*H, scale*W), about 0..1, not clipped.

    Args:
        scale: 2, 3 or 4 in the paper; any integer from 1. The parameters are the same.
        blocks: M, memory blocks; 6 in the paper.
        recursions: R, applications of the residual block in each; 6 in the paper.
        channels: width of the features.

    Raises:
        ValueError: ``scale`` below 1.
    """

    min_size = 1

    def __init__(
        self, scale: int = 4, blocks: int = 6, recursions: int = 6, channels: int = 64
    ) -> None:
        super().__init__()
        self.scale = checked_scale(scale)
        self.extract = Unit(1, channels)
        self.blocks = nn.ModuleList(
            MemoryBlock(channels, recursions, memories=1 + block) for block in range(blocks)
        )
        self.reconstruct = Unit(channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        return on_luma(x, self.scale, self.enlarge, self.min_size)

    def enlarge(self, y: Tensor) -> Tensor:
        """LR luma to HR luma."""
        bicubic = upscale_bicubic(y, self.scale)
        memories = [self.extract(bicubic)]
        for block in self.blocks:
            memories.append(block(memories))
        return bicubic + self.reconstruct(memories[-1])
