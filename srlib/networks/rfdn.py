"""RFDN and E-RFDN: Residual Feature Distillation Network.

Liu, Tang, Wu, "Residual Feature Distillation Network for Lightweight Image Super-Resolution",
ECCV Workshops (AIM) 2020. Network after its Figure 1, blocks after its Figures 2 and 3.

What is known, and from where:

- E-RFDN (section 4.6: four blocks, 50 channels, ESA) is exact: the authors' public weights (x4)
  load into this module and give the same output. They want RGB 0..255 without a mean shift; that
  range is kept for the whole family (``input_max``), though the paper does not state it.
- **RFDN and RFDN-L (Table 3, with CCA) are reconstructed**: no code is public. Six blocks of 48 or
  52 channels and a CCA of reduction 4 give the published 534 / 541 / 550K and 626 / 633 / 643K.
  That the attention stands after the fusion, and that the block adds no skip of its own, is taken
  from E-RFDN; the counts cannot tell.
- The ablations have other settings, fitted to their counts: Table 1 has 52 channels, Table 2 48,
  both a CCA of reduction 16. The rate of Table 2 changes the three 1x1 convolutions only.
- Five ESA blocks give the FLOPs that AIDN's Table 3 prints for "RFDN".

| network | channels | blocks | attention | parameters x2 / x3 / x4 |
|---|---|---|---|---|
| RFDN | 48 | 6 | CCA, 4 | 534,036 / 540,531 / 549,624 |
| RFDN-L | 52 | 6 | CCA, 4 | 625,962 / 632,997 / 642,846 |
| E-RFDN | 50 | 4 | ESA, 4 | 417,212 / 423,977 / 433,448 |
| Table 1, Base and SRB / FDC and RFDB | 52 | 6 | CCA, 16 | 652,146 / 636,546 at x4 |
| Table 2, rate 0.25 / 0.5 / 0.75 | 48 | 6 | CCA, 16 | 523,434 / 544,386 / 565,338 at x4 |

Some blocks of the literature are other blocks with the weights written differently; here a function
does the writing: ``imdb_as_imdb_r`` (section 3.2 of RFDN), ``srb_as_convolution`` and
``rfdb_as_rfdb_e`` (section 3.2 of AIDN, Zong et al., CVPR Workshops 2022).
"""

import copy

import torch
from torch import Tensor, nn

from srlib.networks.blocks import ESA, ChannelAttention, PixelShuffleTail, as_rgb, chained
from srlib.networks.imdn import IMDB


def activation() -> nn.Module:
    return nn.LeakyReLU(0.05)


class SRB(nn.Module):
    """Shallow residual block (section 3.3, Figure 2d): h(conv(x) + x), (N, C, H, W) -> the same.

    Without ``identity`` it is the plain h(conv(x)).
    """

    def __init__(self, channels: int, identity: bool = True) -> None:
        super().__init__()
        self.identity = identity
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)
        self.act = activation()

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv(x)
        return self.act(y + x if self.identity else y)


class RFDB(nn.Module):
    """Residual feature distillation block (section 3.3, Figure 2c).

    (N, C, H, W) -> (N, C, H, W), as far as ``attention`` keeps the shape. Each 1x1 convolution
    distils ``rate`` of the channels, and an SRB refines all of them; a last 3x3 gives C/2.

    Without ``identity`` the SRBs are plain convolutions. That is one block with two names: the FDC
    of the ablation (Figure 3), and the RFDB-E of AIDN (its Figure 3b and equation 3).
    """

    def __init__(
        self, channels: int, attention: nn.Module, rate: float = 0.5, identity: bool = True
    ) -> None:
        super().__init__()
        distilled = round(channels * rate)
        self.distil1 = nn.Conv2d(channels, distilled, 1)
        self.distil2 = nn.Conv2d(channels, distilled, 1)
        self.distil3 = nn.Conv2d(channels, distilled, 1)
        self.refine1 = SRB(channels, identity)
        self.refine2 = SRB(channels, identity)
        self.refine3 = SRB(channels, identity)
        self.refine4 = nn.Conv2d(channels, channels // 2, 3, padding=1)
        self.fuse = nn.Conv2d(3 * distilled + channels // 2, channels, 1)
        self.attention = attention
        self.act = activation()

    def forward(self, x: Tensor) -> Tensor:
        d1, r1 = self.act(self.distil1(x)), self.refine1(x)
        d2, r2 = self.act(self.distil2(r1)), self.refine2(r1)
        d3, r3 = self.act(self.distil3(r2)), self.refine3(r2)
        d4 = self.act(self.refine4(r3))
        return self.attention(self.fuse(torch.cat([d1, d2, d3, d4], dim=1)))


class Chain(nn.Module):
    """Table 1's blocks without distillation (Figure 3): four 3x3 convolutions, then attention.

    (N, C, H, W) -> (N, C, H, W). With ``identity`` the row "SRB", without it "Base". That there is
    no 1x1 convolution follows from the count.
    """

    def __init__(self, channels: int, attention: nn.Module, identity: bool) -> None:
        super().__init__()
        self.units = nn.Sequential(*(SRB(channels, identity) for _ in range(4)))
        self.attention = attention

    def forward(self, x: Tensor) -> Tensor:
        return self.attention(self.units(x))


class IMDBR(nn.Module):
    """IMDB-R (section 3.2, Figure 2b, equation 3): IMDB with each split as two convolutions.

    (N, C, H, W) -> (N, C, H, W). The same function as ``IMDB``, and as many parameters.
    """

    def __init__(self, channels: int, attention: nn.Module | None) -> None:
        super().__init__()
        kept = channels // 4
        self.distil1 = nn.Conv2d(channels, kept, 3, padding=1)
        self.distil2 = nn.Conv2d(channels - kept, kept, 3, padding=1)
        self.distil3 = nn.Conv2d(channels - kept, kept, 3, padding=1)
        self.distil4 = nn.Conv2d(channels - kept, kept, 3, padding=1)
        self.refine1 = nn.Conv2d(channels, channels - kept, 3, padding=1)
        self.refine2 = nn.Conv2d(channels - kept, channels - kept, 3, padding=1)
        self.refine3 = nn.Conv2d(channels - kept, channels - kept, 3, padding=1)
        self.attention = attention
        self.fuse = nn.Conv2d(4 * kept, channels, 1)
        self.act = activation()

    def forward(self, x: Tensor) -> Tensor:
        d1, r1 = self.act(self.distil1(x)), self.act(self.refine1(x))
        d2, r2 = self.act(self.distil2(r1)), self.act(self.refine2(r1))
        d3, r3 = self.act(self.distil3(r2)), self.act(self.refine3(r2))
        distilled = torch.cat([d1, d2, d3, self.distil4(r3)], dim=1)
        if self.attention is not None:
            distilled = self.attention(distilled)
        return self.fuse(distilled) + x


def imdb_as_imdb_r(block: IMDB) -> IMDBR:
    """The IMDB-R that computes what ``block`` does (equation 4): the filters dealt out in two."""
    written = IMDBR(block.conv1.in_channels, copy.deepcopy(block.attention))
    written.to(block.conv1.weight)
    written.distil4 = copy.deepcopy(block.conv4)
    written.fuse = copy.deepcopy(block.fuse)
    with torch.no_grad():
        for number in (1, 2, 3):
            conv = block.get_submodule(f"conv{number}")
            for name in ("weight", "bias"):
                kept, coarse = getattr(conv, name).split(block.sizes)
                written.get_parameter(f"distil{number}.{name}").copy_(kept)
                written.get_parameter(f"refine{number}.{name}").copy_(coarse)
    return written.train(block.training)


def srb_as_convolution(block: SRB) -> SRB:
    """The plain convolution and activation that compute what ``block`` does, borders included.

    conv(x) + x is a convolution whose kernel has 1 more at the centre of its diagonal, so the two
    agree but for rounding. It is the place of the identity that allows it, before the activation:
    h(conv(x)) + x is no h of a convolution.
    """
    plain = copy.deepcopy(block)
    if block.identity:
        plain.identity = False
        with torch.no_grad():
            plain.conv.weight[:, :, 1, 1] += torch.eye(len(plain.conv.weight)).to(plain.conv.weight)
    return plain


def rfdb_as_rfdb_e(block: RFDB) -> RFDB:
    """The RFDB-E that computes what ``block`` does: each SRB as its plain convolution."""
    plain = copy.deepcopy(block)
    plain.refine1 = srb_as_convolution(block.refine1)
    plain.refine2 = srb_as_convolution(block.refine2)
    plain.refine3 = srb_as_convolution(block.refine3)
    return plain


BLOCKS = ("base", "srb", "fdc", "rfdb", "rfdb-e")
ATTENTIONS = ("cca", "esa")


class RFDN(nn.Module):
    """The network of Figure 1: head, a chain of blocks, fusion of all their outputs, tail.

    (N, 3 or 1, H, W) in 0..1 -> (N, 3, scale*H, scale*W), about 0..1, not clipped.

    Args:
        scale: 2, 3 or 4 in the paper; any integer from 1.
        blocks: 6 in the paper, 4 in E-RFDN.
        channels: width C of the features.
        block: "rfdb"; "base", "srb" or "fdc" for the other rows of Table 1; "rfdb-e" for AIDN's
            rewriting, the same block as "fdc".
        attention: "cca" or "esa".
        reduction: C over the hidden channels of the attention.
        rate: distilled channels over C (Table 2); "base" and "srb" have none.
        input_max: the value of white in the range that the weights are trained in.

    Raises:
        ValueError: unknown ``block`` or ``attention``, impossible numbers, or an LR image smaller
            than ``min_size`` (15 pixels with ESA, else 1).
    """

    def __init__(
        self,
        scale: int = 4,
        blocks: int = 6,
        channels: int = 48,
        block: str = "rfdb",
        attention: str = "cca",
        reduction: int = 4,
        rate: float = 0.5,
        input_max: float = 255,
    ) -> None:
        super().__init__()
        if block not in BLOCKS:
            raise ValueError(f"block={block!r} is unknown; choose one of {', '.join(BLOCKS)}")
        if attention not in ATTENTIONS:
            raise ValueError(f"attention={attention!r} is unknown; choose cca or esa")
        if scale < 1 or blocks < 1 or reduction < 1:
            raise ValueError(
                f"scale={scale}, blocks={blocks} and reduction={reduction} must be at least 1"
            )
        if channels < max(2, reduction) or round(channels * rate) < 1 or input_max <= 0:
            raise ValueError(
                f"channels={channels}, rate={rate}, input_max={input_max}: channels must be at "
                f"least 2 and at least reduction={reduction}, channels * rate at least 1, and "
                "input_max positive"
            )
        self.scale = scale
        self.input_max = input_max
        self.min_size = ESA.min_size if attention == "esa" else 1

        def attend() -> nn.Module:
            if attention == "esa":
                return ESA(channels, channels // reduction)
            return ChannelAttention(channels, reduction, contrast=True)

        def make() -> nn.Module:
            if block in ("base", "srb"):
                return Chain(channels, attend(), identity=block == "srb")
            return RFDB(channels, attend(), rate, identity=block == "rfdb")

        self.head = nn.Conv2d(3, channels, 3, padding=1)
        self.blocks = nn.ModuleList(make() for _ in range(blocks))
        self.fuse = nn.Sequential(nn.Conv2d(blocks * channels, channels, 1), activation())
        self.refine = nn.Conv2d(channels, channels, 3, padding=1)
        self.tail = PixelShuffleTail(channels, scale)

    def forward(self, x: Tensor) -> Tensor:
        head = self.head(as_rgb(x, self.min_size) * self.input_max)
        outputs = torch.cat(chained(self.blocks, head), dim=1)
        return self.tail(self.refine(self.fuse(outputs)) + head) / self.input_max
