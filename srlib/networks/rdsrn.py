"""RDSRN: Recursive Distillation Super-Resolution Network.

Woo, Sim, Kim, "Lightweight Super-Resolution Network with Information Distillation and Recursive
Methods" (Korea Polytechnic University), section II. x4 in the paper.

**This network is fitted to published counts.** No code is public, and the figures were not
available: it is one network that the text allows and the numbers confirm, not the authors' own.

- From the text: two shallow convolutions; a recursive block (two DWCBs and a CCA) with shared
  weights, three times by default; a wider channel at the second and fifth convolution of a DWCB;
  the channel split ratio; sub-pixel upscaling, then four convolutions (HFRRB) at HR size.
- Fitted: 64 channels, widening by 3.5, the 1x1 convolutions, four channels at HR, HFRRB of width
  44. All five parameter counts of Table I agree: 676,287 / 684,479 / 709,055 for 1 / 3 / 9
  recursions (0.68 / 0.684 / 0.71M), 1,009,375 / 488,607 for ratios 0.25 / 0.75 (1.01 / 0.49M). Of
  the multiply-adds at 1280x720, three of five agree: 71.3 / 136.0 / 329.9 G for 1 / 3 / 9
  recursions (printed 77 / 136 / 223; no design with shared weights gives all three), 192.1 /
  102.2 G for the ratios (192 / 102).
- Guessed, and invisible in every count: LeakyReLU 0.05 and where it stands, the skip of a DWCB, the
  skip over the recursions, that the HFRRB makes a residual to the bicubic image, the range 0..1
  without a mean shift.
- Ours: x2 and x3, which also have four channels at HR; what stands in the place of a part that is
  switched off.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from srlib.networks.blocks import ChannelAttention, PixelShuffleTail, as_rgb, chained

CHANNELS = 64
WIDENING = 3.5
AT_HR = 4  # channels that the sub-pixel step leaves at HR size
HFRRB_WIDTH = 44


def activation() -> nn.Module:
    return nn.LeakyReLU(0.05)


class SmallBlock(nn.Module):
    """Half a DWCB (Figure 3): (N, 64, H, W) -> the same, retained channels first, then refined.

    One convolution and a split; the refined part passes a wide and a narrowing convolution.
    """

    def __init__(self, refined: int, wide: bool) -> None:
        super().__init__()
        width = int(WIDENING * refined) if wide else refined
        self.sizes = (CHANNELS - refined, refined)
        self.mix = nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1)
        self.widen = nn.Conv2d(refined, width, 3, padding=1)
        self.narrow = nn.Conv2d(width, refined, 3, padding=1)
        self.act = activation()

    def forward(self, x: Tensor) -> Tensor:
        retained, refined = self.act(self.mix(x)).split(self.sizes, dim=1)
        refined = self.act(self.narrow(self.act(self.widen(refined))))
        return torch.cat([retained, refined], dim=1)


class DWCB(nn.Module):
    """Distillation wider channel block (Figure 3): (N, 64, H, W) -> (N, 64, H, W).

    Two small blocks; the second starts from the refined channels of the first, and a convolution
    fuses both.
    """

    def __init__(self, refined: int, wide: bool) -> None:
        super().__init__()
        self.first = SmallBlock(refined, wide)
        self.between = nn.Conv2d(refined, CHANNELS, 1)
        self.second = SmallBlock(refined, wide)
        self.fuse = nn.Conv2d(2 * CHANNELS, CHANNELS, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        first = self.first(x)
        _, refined = first.split(self.first.sizes, dim=1)
        second = self.second(self.between(refined))
        return self.fuse(torch.cat([first, second], dim=1)) + x


class HFRRB(nn.Sequential):
    """High-frequency residual refinement block (Figure 4), four convolutions at HR size.

    (N, 4, H, W) -> (N, 3, H, W).
    """

    def __init__(self) -> None:
        super().__init__(
            nn.Conv2d(AT_HR, HFRRB_WIDTH, 3, padding=1),
            activation(),
            nn.Conv2d(HFRRB_WIDTH, HFRRB_WIDTH, 3, padding=1),
            activation(),
            nn.Conv2d(HFRRB_WIDTH, HFRRB_WIDTH, 3, padding=1),
            activation(),
            nn.Conv2d(HFRRB_WIDTH, 3, 3, padding=1),
        )


class RDSRN(nn.Module):
    """The network of Figure 1, as far as the text and the counts tell it.

    (N, 3 or 1, H, W) in 0..1 -> (N, 3, scale*H, scale*W), about 0..1, not clipped.

    Args:
        scale: 4 in the paper; any integer from 1.
        recursions: applications of the one recursive block (Table I: 1, 3, 9).
        split_ratio: part of the 64 channels that a split retains (Table I: 0.25, 0.5, 0.75).
        wide: whether the wider channel is wider; without it, the two convolutions keep the width.
        refinement: whether there is an HFRRB; without it, the sub-pixel step makes the RGB.

    Raises:
        ValueError: a setting that leaves nothing to compute.
    """

    min_size = 1

    def __init__(
        self,
        scale: int = 4,
        recursions: int = 3,
        split_ratio: float = 0.5,
        wide: bool = True,
        refinement: bool = True,
    ) -> None:
        super().__init__()
        refined = round(CHANNELS * (1 - split_ratio))
        if scale < 1 or recursions < 1:
            raise ValueError(f"scale={scale} and recursions={recursions} must both be at least 1")
        if not 0 < refined < CHANNELS:
            raise ValueError(f"split_ratio={split_ratio} must leave 1 to {CHANNELS - 1} channels")
        self.scale = scale
        self.recursions = recursions
        self.shallow = nn.Sequential(
            nn.Conv2d(3, CHANNELS, 3, padding=1),
            activation(),
            nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1),
        )
        self.recursive = nn.Sequential(  # Figure 2
            DWCB(refined, wide),
            DWCB(refined, wide),
            ChannelAttention(CHANNELS, 16, contrast=True),
        )
        self.fuse = nn.Conv2d(recursions * CHANNELS, CHANNELS, 1)
        self.tail: nn.Module = PixelShuffleTail(CHANNELS, scale)
        if refinement:
            self.tail = nn.Sequential(
                nn.Conv2d(CHANNELS, AT_HR * scale**2, 3, padding=1),
                nn.PixelShuffle(scale),
                HFRRB(),
            )

    def forward(self, x: Tensor) -> Tensor:
        x = as_rgb(x, self.min_size)
        shallow = self.shallow(x)
        outputs = torch.cat(chained([self.recursive] * self.recursions, shallow), dim=1)
        residual = self.tail(self.fuse(outputs) + shallow)
        return residual + F.interpolate(x, scale_factor=self.scale, mode="bicubic")
