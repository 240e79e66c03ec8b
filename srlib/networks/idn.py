"""IDN: Information Distillation Network.

Hui, Wang, Gao, "Fast and Accurate Single Image Super-Resolution via Information Distillation
Network", CVPR 2018: four blocks that keep some channels and refine the others, the forerunner of
IMDN's and RFDN's.

What is known, and from where:

- The paper works on Y of the LR image: ``luma=True``, 552,769 parameters, the published 553K. The
  de-facto standard PyTorch code works on RGB: our default, 590,915, the 590K of FDIWN's poster.
- That code's output padding is right for x2 only; ours makes every scale exact.
- The image that the output is added to is enlarged with MATLAB's bicubic, our choice, so that there
  is one bicubic here; the PyTorch code takes PyTorch's.
- Initialisation is He's with zero biases. The transposed convolution starts with deviation 0.001,
  as FSRCNN's does; our choice, because each pixel is a sum of some thousands of its products.
"""

from itertools import pairwise

import torch
from torch import Tensor, nn

from srlib.networks.blocks import as_rgb
from srlib.networks.luma import checked_scale, on_luma, upscale_bicubic

WIDTH, DISTILLED, GROUPS = 64, 16, 4


def convolutions(*widths: int) -> nn.Sequential:
    """Three 3x3 convolutions, the middle one in groups, each with its LeakyReLU."""
    layers: list[nn.Module] = []
    for index, (before, after) in enumerate(pairwise(widths)):
        groups = GROUPS if index == 1 else 1
        layers += [nn.Conv2d(before, after, 3, padding=1, groups=groups), nn.LeakyReLU(0.05)]
    return nn.Sequential(*layers)


class DBlock(nn.Module):
    """Enhancement unit and compression unit (sections 3.2 and 3.3, Figure 2).

    (N, 64, H, W) -> (N, 64, H, W). Of the 64 features of the upper three convolutions 48 go on
    through the lower three; the other 16 are kept, and join the block's input.
    """

    def __init__(self) -> None:
        super().__init__()
        passed = WIDTH - DISTILLED
        self.upper = convolutions(WIDTH, passed, WIDTH // 2, WIDTH)
        self.lower = convolutions(passed, WIDTH, passed, WIDTH + DISTILLED)
        self.compress = nn.Conv2d(WIDTH + DISTILLED, WIDTH, 1)

    def forward(self, x: Tensor) -> Tensor:
        passed, kept = self.upper(x).split([WIDTH - DISTILLED, DISTILLED], dim=1)
        return self.compress(self.lower(passed) + torch.cat([x, kept], dim=1))


class IDN(nn.Module):
    """Feature extraction, a chain of blocks, one transposed convolution (Figure 1).

    (N, 3 or 1, H, W) in 0..1 -> (N, 3, scale*H, scale*W), about 0..1, not clipped.

    Args:
        scale: 2, 3 or 4 in the paper; any integer from 1. The parameters are the same.
        blocks: 4 in the paper.
        luma: on Y, as in the paper, and not on RGB.

    Raises:
        ValueError: ``scale`` below 1.
    """

    min_size = 1

    def __init__(self, scale: int = 4, blocks: int = 4, luma: bool = False) -> None:
        super().__init__()
        self.scale = checked_scale(scale)
        self.luma = luma
        colours = 1 if luma else 3
        self.extract = nn.Sequential(
            nn.Conv2d(colours, WIDTH, 3, padding=1),
            nn.LeakyReLU(0.05),
            nn.Conv2d(WIDTH, WIDTH, 3, padding=1),
            nn.LeakyReLU(0.05),
        )
        self.blocks = nn.Sequential(*[DBlock() for _ in range(blocks)])
        self.deconv = nn.ConvTranspose2d(
            WIDTH, colours, 17, stride=scale, padding=8, output_padding=scale - 1
        )
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, 0.05)
                nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
        nn.init.normal_(self.deconv.weight, std=0.001)
        nn.init.zeros_(self.deconv.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        if self.luma:
            return on_luma(x, self.scale, self.enlarge, self.min_size)
        return self.enlarge(as_rgb(x, self.min_size))

    def enlarge(self, x: Tensor) -> Tensor:
        """LR image of one or three channels to HR."""
        return upscale_bicubic(x, self.scale) + self.deconv(self.blocks(self.extract(x)))
