"""AIDN: Asymmetric Information Distillation Network.

Zong, Zha, Jiang, Liu, "Asymmetric Information Distillation Network for Lightweight Super
Resolution", CVPR Workshops 2022. Blocks after its Figures 3 and 4, network after its Figure 2.

What is known, and from where:

- The AIDB is the block of the authors' NTIRE 2022 entry "ARFDN" (x4, four blocks), whose public
  weights load into this module and give the same output. FDC is the AIDB without the reuse of
  earlier distilled features; it has the same number of parameters.
- The paper's text (section 3.4) says four blocks. All six of its published parameter and FLOPs
  figures are those of *six* blocks: 323,262 / 330,027 / 339,498 parameters at x2 / x3 / x4.
- The paper's text says ReLU; the entry uses LeakyReLU, slope 0.05 within the block and 0.1 after
  the fusion. We follow the entry. The paper calls the fusion a 3x3 convolution; the published
  counts need a 1x1 fusion and a 3x3 convolution after it, as in the entry.
- **Base and AIEB are reconstructed.** The paper gives a drawing (Figure 4) and a count, 352K each.
  The two blocks here are the most symmetric pair that rounds to it: reduce, a chain of units with a
  1x1 shortcut beside it, expand, ESA. They have 351,984 and 351,648 parameters at x4, of other
  widths (32 and 25) and numbers of units (four and five): no one width and number gives 352K twice.
- **FDC is reconstructed too**, from one line of the text: distillation without its reuse. Each
  distilled feature is still added to its own refinement, as the entry's code adds it. Only from FDC
  to AIDB does one thing change. The authors' ablation code, or its weights, would settle all three.
"""

import torch
from torch import Tensor, nn

from srlib.networks.blocks import ESA, PixelShuffleTail, as_rgb, chained


def activation() -> nn.Module:
    return nn.LeakyReLU(0.05)


class AIEB(nn.Module):
    """Asymmetric information enhancement block (section 3.3, Figure 3d).

    (N, in, H, W) -> (N, out, H, W). Two branches, vertical then horizontal and the other way
    round, summed; no activation after the sum.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.vertical_first = nn.Sequential(
            nn.Conv2d(in_channels, out_channels, (3, 1), padding=(1, 0)),
            activation(),
            nn.Conv2d(out_channels, out_channels, (1, 3), padding=(0, 1)),
        )
        self.horizontal_first = nn.Sequential(
            nn.Conv2d(in_channels, out_channels, (1, 3), padding=(0, 1)),
            activation(),
            nn.Conv2d(out_channels, out_channels, (3, 1), padding=(1, 0)),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.vertical_first(x) + self.horizontal_first(x)


class AIDB(nn.Module):
    """Asymmetric information distillation block (section 3.3, Figures 3c and 4).

    (N, C, H, W) -> (N, C, H, W). Each 1x1 convolution distils C/2 channels; the AIEBs refine the
    rest. With ``reuse`` (distilled information multiplexing) every refinement also receives all
    distilled features so far; without it, this is the ablation's FDC block.
    """

    def __init__(self, channels: int, reuse: bool = True) -> None:
        super().__init__()
        half = channels // 2
        self.reuse = reuse
        self.distil1 = nn.Conv2d(channels, half, 1)
        self.distil2 = nn.Conv2d(half, half, 1)
        self.distil3 = nn.Conv2d(half, half, 1)
        self.refine1 = AIEB(channels, half)
        self.refine2 = AIEB(half, half)
        self.refine3 = AIEB(half, half)
        self.refine4 = nn.Conv2d(half, half, 3, padding=1)
        self.fuse = nn.Conv2d(4 * half, channels, 1)
        self.attention = ESA(channels, channels // 4)
        self.act = activation()

    def forward(self, x: Tensor) -> Tensor:
        d1 = self.act(self.distil1(x))
        r1 = self.act(self.refine1(x) + d1)
        d2 = self.act(self.distil2(r1))
        r2 = self.act(self.refine2(r1) + r1 + (d2 + d1 if self.reuse else d2))
        d3 = self.act(self.distil3(r2))
        r3 = self.act(self.refine3(r2) + r2 + (d3 + d2 + d1 if self.reuse else d3))
        r4 = self.act(self.refine4(r3))
        return self.attention(self.fuse(torch.cat([d1, d2, d3, r4], dim=1)))


class FDC(AIDB):
    """The ablation's third block (Figure 4): AIDB without the reuse of distilled features."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, reuse=False)


class ChainBlock(nn.Module):
    """Reduce, a chain of units beside a 1x1 shortcut, expand, ESA: the skeleton of Base and AIEB.

    (N, C, H, W) -> (N, C, H, W). Reconstructed: see the module's docstring.
    """

    def __init__(self, channels: int, width: int, units: list[nn.Module]) -> None:
        super().__init__()
        self.reduce = nn.Conv2d(channels, width, 1)
        self.units = nn.ModuleList(units)
        self.shortcut = nn.Conv2d(channels, width, 1)
        self.expand = nn.Conv2d(width, channels, 1)
        self.attention = ESA(channels, channels // 4)
        self.act = activation()

    def forward(self, x: Tensor) -> Tensor:
        r = self.act(self.reduce(x))
        for unit in self.units:
            r = self.act(unit(r))
        return self.attention(self.expand(r + self.shortcut(x)))


class BaseBlock(ChainBlock):
    """The ablation's first block (Figure 4), reconstructed: four 3x3 convolutions of width 32."""

    def __init__(self, channels: int) -> None:
        width = 16 * channels // 25  # 32 of 50
        super().__init__(channels, width, [nn.Conv2d(width, width, 3, padding=1) for _ in range(4)])


class AIEBBlock(ChainBlock):
    """The ablation's second block (Figure 4), reconstructed: five AIEBs of width 25."""

    def __init__(self, channels: int) -> None:
        width = channels // 2
        super().__init__(channels, width, [AIEB(width, width) for _ in range(5)])


BLOCKS = {"base": BaseBlock, "aieb": AIEBBlock, "fdc": FDC, "aidb": AIDB}


class AIDN(nn.Module):
    """The network of Figure 2: head, a chain of blocks, fusion of all their outputs, tail.

    (N, 3 or 1, H, W) in 0..1 -> (N, 3, scale*H, scale*W), about 0..1, not clipped.

    Args:
        scale: 2, 3 or 4 in the paper; any integer from 1.
        blocks: 6 gives the published counts, 4 the challenge entry ARFDN.
        channels: width C of the features; 50 in the paper.
        block: "base", "aieb", "fdc" or "aidb", the rows of Table 2.

    Raises:
        ValueError: unknown ``block``, ``blocks`` or ``scale`` below 1, ``channels`` below 4, or an
            LR image smaller than ``min_size`` (the ESA's 15 pixels).
    """

    min_size = ESA.min_size

    def __init__(
        self, scale: int = 4, blocks: int = 6, channels: int = 50, block: str = "aidb"
    ) -> None:
        super().__init__()
        if block not in BLOCKS:
            raise ValueError(f"block={block!r} is unknown; choose one of {', '.join(BLOCKS)}")
        if blocks < 1 or scale < 1 or channels < 4:
            raise ValueError(
                f"blocks={blocks} and scale={scale} must be at least 1, channels={channels} at "
                "least 4, because the attention works on a quarter of them"
            )
        self.scale = scale
        self.head = nn.Conv2d(3, channels, 3, padding=1)
        self.blocks = nn.ModuleList(BLOCKS[block](channels) for _ in range(blocks))
        self.fuse = nn.Sequential(nn.Conv2d(blocks * channels, channels, 1), nn.LeakyReLU(0.1))
        self.refine = nn.Conv2d(channels, channels, 3, padding=1)
        self.tail = PixelShuffleTail(channels, scale)

    def forward(self, x: Tensor) -> Tensor:
        head = self.head(as_rgb(x, self.min_size))
        outputs = torch.cat(chained(self.blocks, head), dim=1)
        return self.tail(self.refine(self.fuse(outputs)) + head)
