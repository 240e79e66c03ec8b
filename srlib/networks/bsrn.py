"""BSRN: Blueprint Separable Residual Network; BSRN-S won NTIRE 2022 in complexity.

Li, Liu, Chen, Cai, Gu, Qiao, Dong, "Blueprint Separable Residual Network for Efficient Image
Super-Resolution", CVPR Workshops (NTIRE) 2022, arXiv:2205.05996.

| | channels, blocks | parameters x2 / x3 / x4 |
|---|---|---|
| BSRN | 64, 8 | 331,628 / 340,283 / 352,400 |
| BSRN-S | 48, 5 | 140,700 / 147,195 / 156,288 |

What is known, and from where: both are exact; the authors' public weights load into this module and
give the same output (BSRN-S is public at x4 only, in two trainings). It is RFDN with the 3x3
convolutions of its blocks split in two, and with a second attention.

The 1x1 convolutions of BSRN-S are linear layers over the channels in the original code. They are
kept apart here as ``Pointwise``, because the challenge's count takes no notice of them: its 43
convolutions and 65.76 M activations are those of the others. Their multiply-adds are counted with
all others, 9.43 G at x4 for LR 256x256; the challenge's own counter gives 2.02 G.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from srlib.networks.blocks import ESA, ChannelAttention, PixelShuffleTail, as_rgb, chained

REPEATS = 4  # the input's channels, before the head
REDUCTION = 16  # C over the hidden channels of CCA


class Pointwise(nn.Linear):
    """A linear layer over the channels of a map: (N, in, H, W) -> (N, out, H, W)."""

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.weight[:, :, None, None], self.bias)


def pointwise(in_channels: int, out_channels: int, linear: bool) -> nn.Module:
    if linear:
        return Pointwise(in_channels, out_channels)
    return nn.Conv2d(in_channels, out_channels, 1)


class BSConv(nn.Module):
    """Blueprint separable convolution: (N, in, H, W) -> (N, out, H, W), strided if so asked.

    A 1x1 convolution, and then a 3x3 one that sees a single channel each; a depthwise separable
    convolution has the reverse order. With ``linear`` the 1x1 has a bias, else none.

    Source: Haase, Amthor, "Rethinking Depthwise Separable Convolutions", CVPR 2020 (BSConv-U).
    """

    def __init__(
        self, in_channels: int, out_channels: int, linear: bool, stride: int = 1, padding: int = 1
    ) -> None:
        super().__init__()
        self.pointwise = (
            Pointwise(in_channels, out_channels)
            if linear
            else nn.Conv2d(in_channels, out_channels, 1, bias=False)
        )
        self.depthwise = nn.Conv2d(
            out_channels, out_channels, 3, stride, padding, groups=out_channels
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.depthwise(self.pointwise(x))


class SeparableESA(ESA):
    """ESA of separable convolutions, with GELU: (N, C, H, W) -> (N, C, H, W).

    H, W >= ``ESA.min_size``. The strided convolution of BSRN-S (``linear``) is a plain one.
    """

    def __init__(self, channels: int, reduced: int, linear: bool) -> None:
        super().__init__(channels, reduced)
        self.reduce = pointwise(channels, reduced, linear)  # type: ignore[assignment]
        if not linear:
            self.stride = BSConv(reduced, reduced, linear, 2, 0)  # type: ignore[assignment]
        self.coarse = nn.Sequential(
            BSConv(reduced, reduced, linear),
            nn.GELU(),
            BSConv(reduced, reduced, linear),
            nn.GELU(),
            BSConv(reduced, reduced, linear),
        )
        self.fine = pointwise(reduced, reduced, linear)  # type: ignore[assignment]
        self.expand = pointwise(reduced, channels, linear)  # type: ignore[assignment]


class ChannelWeights(nn.Module):
    """A learnt factor a channel, the same for every image: (N, C, H, W) -> (N, C, H, W)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1, channels))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.weight[:, :, None, None]


class ESDB(nn.Module):
    """Efficient separable distillation block: (N, C, H, W) -> (N, C, H, W).

    Each 1x1 distils half of the channels, and a separable convolution plus its input refines all of
    them; the distilled are fused, pass both attentions, and are added to the block's input. The
    second attention is CCA, in BSRN-S (``linear``) a factor a channel with a 1x1 after it.
    """

    def __init__(self, channels: int, linear: bool) -> None:
        super().__init__()
        half = channels // 2
        self.distil1 = pointwise(channels, half, linear)
        self.distil2 = pointwise(channels, half, linear)
        self.distil3 = pointwise(channels, half, linear)
        self.refine1 = BSConv(channels, channels, linear)
        self.refine2 = BSConv(channels, channels, linear)
        self.refine3 = BSConv(channels, channels, linear)
        self.refine4 = BSConv(channels, half, linear)
        self.fuse = pointwise(4 * half, channels, linear)
        self.spatial = SeparableESA(channels, channels // 4, linear)
        self.channel = (
            nn.Sequential(ChannelWeights(channels), Pointwise(channels, channels))
            if linear
            else ChannelAttention(channels, REDUCTION, contrast=True)
        )

    def forward(self, x: Tensor) -> Tensor:
        d1, r1 = F.gelu(self.distil1(x)), F.gelu(self.refine1(x) + x)
        d2, r2 = F.gelu(self.distil2(r1)), F.gelu(self.refine2(r1) + r1)
        d3, r3 = F.gelu(self.distil3(r2)), F.gelu(self.refine3(r2) + r2)
        d4 = F.gelu(self.refine4(r3))
        fused = self.fuse(torch.cat([d1, d2, d3, d4], dim=1))
        return self.channel(self.spatial(fused)) + x


class BSRN(nn.Module):
    """Head on the repeated image, a chain of blocks, fusion of all their outputs, tail.

    (N, 3 or 1, H, W) in 0..1 -> (N, 3, scale*H, scale*W), about 0..1, not clipped.

    Args:
        scale: 2, 3 or 4 in the paper; any integer from 1.
        blocks: 8 in the paper, 5 in BSRN-S.
        channels: width C of the features, even.
        linear: the form of BSRN-S: 1x1 convolutions as linear layers, all with bias, and learnt
            weights of the channels in place of CCA.

    Raises:
        ValueError: impossible numbers, or an LR image smaller than ``min_size``.
    """

    min_size = ESA.min_size

    def __init__(
        self, scale: int = 4, blocks: int = 8, channels: int = 64, linear: bool = False
    ) -> None:
        super().__init__()
        least = 4 if linear else REDUCTION
        if scale < 1 or blocks < 1 or channels < least or channels % 2:
            raise ValueError(
                f"scale={scale}, blocks={blocks}, channels={channels}: scale and blocks must be at "
                f"least 1, and channels even and at least {least}"
            )
        self.scale = scale
        self.head = BSConv(REPEATS * 3, channels, linear)
        self.blocks = nn.ModuleList(ESDB(channels, linear) for _ in range(blocks))
        self.fuse = nn.Sequential(pointwise(blocks * channels, channels, linear), nn.GELU())
        self.refine = BSConv(channels, channels, linear)
        self.tail = PixelShuffleTail(channels, scale)

    def forward(self, x: Tensor) -> Tensor:
        head = self.head(as_rgb(x, self.min_size).repeat(1, REPEATS, 1, 1))
        outputs = torch.cat(chained(self.blocks, head), dim=1)
        return self.tail(self.refine(self.fuse(outputs)) + head)
