"""ECBSR: a plain network for phones, trained with Edge-oriented Convolution Blocks.

Zhang, Zeng, Zhang, "Edge-oriented Convolution Block for Real-time Super Resolution on Mobile
Devices", ACM MM 2021. The variant M16C64: 16 blocks of 64 channels.

| | parameters x2 / x3 / x4 |
|---|---|
| deployed | 594,884 / 597,769 / 601,808 |
| in training | 2,190,932 / 2,196,647 / 2,206,160 |

What is known, and from where: the *deployed* form, a chain of 3x3 convolutions, is the one that
tables count, and the default here. Its counts are those of the authors' code (xindongzhang/ECBSR),
written here from a description of it; tables print 603K and 34.73 G at x4 for 1280x720, where the
code has 601.8K and 34.54 G. In the training form (``ecb=True``) each convolution is a sum of five
branches, which ``merged`` puts together exactly. The block's optional identity branch, off in the
released settings, is left out.

The network sees luma only, 16..235 of 0..255 as in MATLAB (the range is our reading of the
authors' data preparation); ``on_luma`` enlarges the other two components.
"""

import copy
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from srlib.networks.luma import checked_scale, on_luma

SOBEL_X = ((1, 0, -1), (2, 0, -2), (1, 0, -1))
SOBEL_Y = ((1, 2, 1), (0, 0, 0), (-1, -2, -1))
LAPLACIAN = ((0, 1, 0), (1, -4, 1), (0, 1, 0))


class Edge(nn.Module):
    """A fixed 3x3 mask with a learnable factor and bias a channel, no padding.

    (N, C, H, W) -> (N, C, H-2, W-2).
    """

    mask: Tensor

    def __init__(self, channels: int, mask: tuple[tuple[int, ...], ...]) -> None:
        super().__init__()
        self.register_buffer("mask", torch.tensor(mask, dtype=torch.float), persistent=False)
        self.factor = nn.Parameter(1e-3 * torch.randn(channels, 1, 1, 1))
        self.bias = nn.Parameter(1e-3 * torch.randn(channels))

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.factor * self.mask, self.bias, groups=len(self.bias))


class ECB(nn.Module):
    """Edge-oriented convolution block: (N, in, H, W) -> (N, out, H, W), linear.

    Each branch but the first is a 1x1 convolution with a 3x3 one after it. The 1x1 is padded
    *before* it is applied, so that at the border the 3x3 sees its bias: that is what makes
    ``merged`` exact there.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.plain = nn.Conv2d(in_channels, out_channels, 3, padding=1)
        wide = 2 * out_channels
        self.wide = nn.Sequential(
            nn.Conv2d(in_channels, wide, 1, padding=1), nn.Conv2d(wide, out_channels, 3)
        )
        self.edges = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(in_channels, out_channels, 1, padding=1), Edge(out_channels, mask)
            )
            for mask in (SOBEL_X, SOBEL_Y, LAPLACIAN)
        )

    def forward(self, x: Tensor) -> Tensor:
        return sum((edge(x) for edge in self.edges), self.plain(x) + self.wide(x))

    @torch.no_grad()
    def merged(self) -> nn.Conv2d:
        """One 3x3 convolution that gives the same output."""
        plain = self.plain
        conv = nn.Conv2d(plain.in_channels, plain.out_channels, 3, padding=1).to(plain.weight)
        weight, bias = (plain.state_dict()[key].clone() for key in ("weight", "bias"))
        for first, second in (self.wide, *self.edges):
            if isinstance(second, Edge):
                kernel = (second.factor * second.mask)[:, 0]
                weight += torch.einsum("ohw,oi->oihw", kernel, first.weight[:, :, 0, 0])
                bias += kernel.sum((1, 2)) * first.bias + second.bias
            else:
                weight += torch.einsum("omhw,mi->oihw", second.weight, first.weight[:, :, 0, 0])
                bias += second.weight.sum((2, 3)) @ first.bias + second.bias
        conv.load_state_dict({"weight": weight, "bias": bias})
        return conv


class ECBSR(nn.Module):
    """A chain of 3x3 convolutions with PReLU, on luma; the image is added, nearest neighbour.

    (N, 3 or 1, H, W) in 0..1 -> (N, 3, scale*H, scale*W), about 0..1, not clipped. The weights see
    luma in 16..235.

    Args:
        scale: 2, 3 or 4 in the paper; any integer from 1.
        blocks: number of convolutions between the first and the last; 16 in M16C64.
        channels: width of the features; 64 in M16C64.
        ecb: the training form, with an ECB in place of each convolution.

    Raises:
        ValueError: a setting below 1.
    """

    min_size = 1

    def __init__(
        self, scale: int = 4, blocks: int = 16, channels: int = 64, ecb: bool = False
    ) -> None:
        super().__init__()
        if blocks < 1 or channels < 1:
            raise ValueError(f"blocks={blocks} and channels={channels} must both be at least 1")
        self.scale = checked_scale(scale)
        self.settings: dict[str, Any] = {"scale": scale, "blocks": blocks, "channels": channels}
        layers: list[nn.Module] = []
        for in_channels in [1] + blocks * [channels]:
            layers.append(convolution(in_channels, channels, ecb))
            layers.append(nn.PReLU(channels))
        self.body = nn.Sequential(*layers, convolution(channels, scale**2, ecb))
        self.shuffle = nn.PixelShuffle(scale)

    def forward(self, x: Tensor) -> Tensor:
        return on_luma(x, self.scale, self.enlarge, self.min_size)

    def enlarge(self, y: Tensor) -> Tensor:
        """LR luma to HR luma."""
        y = 255 * y
        # one channel added to all scale^2: every pixel is repeated scale x scale times
        return self.shuffle(self.body(y) + y) / 255

    def merged(self) -> "ECBSR":
        """The deployed form of this network, with weights that give the same output."""
        deployed = ECBSR(**self.settings)
        for i, layer in enumerate(self.body):
            deployed.body[i] = layer.merged() if isinstance(layer, ECB) else copy.deepcopy(layer)
        return deployed.to(next(self.parameters())).train(self.training)


def convolution(in_channels: int, out_channels: int, ecb: bool) -> nn.Module:
    if ecb:
        return ECB(in_channels, out_channels)
    return nn.Conv2d(in_channels, out_channels, 3, padding=1)
