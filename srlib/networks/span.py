"""SPAN: Swift Parameter-free Attention Network, winner of NTIRE 2024 and baseline of 2026.

Wan, Yu, Li, Chen, Zou, Liu, Yin, Zuo, "Swift Parameter-free Attention Network for Efficient
Super-Resolution", CVPR Workshops (NTIRE) 2024, arXiv:2311.12770.

| | channels | parameters x2 / x3 / x4 | in training, x2 / x3 / x4 |
|---|---|---|---|
| SPAN | 48 | 410,700 / 417,195 / 426,288 | 1,824,900 / 1,831,395 / 1,840,488 |
| SPAN-52 | 52 | 481,324 / 488,359 / 498,208 | |
| SPAN-28 | 28 | 141,580 / 145,375 / 150,688 | |

What is known, and from where: SPAN-28 is exact; the weights that the NTIRE 2026 challenge publishes
for its baseline (x4) load into this module and give the same output. The two widths of the paper
are this class with other numbers, and agree in their counts; their weights lie on a drive and could
not be read. The network was written here from a description of the authors' code, and so were:

- Each 3x3 convolution but the last is trained as a sum of branches (``conv3xc=True``), which
  ``merged`` puts together exactly. The merged form is the one that tables count, and the default.
- Of the last block the fusion takes the first convolution *after* its SiLU: the original SiLU
  works in place, so that the feature it hands on is already activated.
- The mean is taken off the input and not put back: the last convolution has learnt it.
"""

import copy

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from srlib.networks.blocks import PixelShuffleTail, as_rgb

MEAN = (0.4488, 0.4371, 0.4040)  # RGB, of DIV2K
WIDER = 2  # channels within a Conv3XC over those outside


class Conv3XC(nn.Module):
    """A 3x3 convolution in training: (N, in, H, W) -> (N, out, H, W), linear.

    A chain of 1x1, 3x3 and 1x1 convolutions, ``WIDER`` times as wide within, plus a 1x1 beside it.
    The first is padded *before* it is applied, so that at the border the 3x3 sees its bias: that is
    what makes ``merged`` exact there.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.beside = nn.Conv2d(in_channels, out_channels, 1)
        self.chain = nn.Sequential(
            nn.Conv2d(in_channels, WIDER * in_channels, 1, padding=1),
            nn.Conv2d(WIDER * in_channels, WIDER * out_channels, 3),
            nn.Conv2d(WIDER * out_channels, out_channels, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.chain(x) + self.beside(x)

    @torch.no_grad()
    def merged(self) -> nn.Conv2d:
        """One 3x3 convolution that gives the same output."""
        kernels, biases = zip(*((conv.weight, conv.bias) for conv in self.chain), strict=True)
        first, last = kernels[0][:, :, 0, 0], kernels[2][:, :, 0, 0]
        weight = torch.einsum("om,mnhw,ni->oihw", last, kernels[1], first)
        weight[:, :, 1, 1] += self.beside.weight[:, :, 0, 0]
        within = kernels[1].sum((2, 3)) @ biases[0] + biases[1]
        bias = last @ within + biases[2] + self.beside.bias
        conv = nn.Conv2d(weight.shape[1], len(weight), 3, padding=1).to(weight)
        conv.load_state_dict({"weight": weight, "bias": bias})
        return conv


def convolution(in_channels: int, out_channels: int, conv3xc: bool) -> nn.Module:
    if conv3xc:
        return Conv3XC(in_channels, out_channels)
    return nn.Conv2d(in_channels, out_channels, 3, padding=1)


class SPAB(nn.Module):
    """Swift parameter-free attention block: (N, C, H, W) -> two of the same shape.

    The last of three convolutions gives the residual, and its own mask too: a sigmoid less a half,
    which is odd, so that features near zero are damped whatever their sign. Beside the output it
    hands on the first convolution's features, activated, which the network's fusion takes.
    """

    def __init__(self, channels: int, conv3xc: bool) -> None:
        super().__init__()
        self.conv1 = convolution(channels, channels, conv3xc)
        self.conv2 = convolution(channels, channels, conv3xc)
        self.conv3 = convolution(channels, channels, conv3xc)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        first = F.silu(self.conv1(x))
        residual = self.conv3(F.silu(self.conv2(first)))
        return (residual + x) * (torch.sigmoid(residual) - 0.5), first


class SPAN(nn.Module):
    """Head, a chain of blocks, fusion of four features on the way, tail.

    (N, 3 or 1, H, W) in 0..1 -> (N, 3, scale*H, scale*W), about 0..1, not clipped.

    Args:
        scale: 2 or 4 in the paper; any integer from 1.
        blocks: 6 in the paper.
        channels: width C of the features; 48 or 52 in the paper, 28 in the challenges.
        conv3xc: the training form, with a Conv3XC in place of each 3x3 convolution but the last.

    Raises:
        ValueError: a setting below 1.
    """

    min_size = 1
    mean: Tensor

    def __init__(
        self, scale: int = 4, blocks: int = 6, channels: int = 48, conv3xc: bool = False
    ) -> None:
        super().__init__()
        if min(scale, blocks, channels) < 1:
            raise ValueError(
                f"scale={scale}, blocks={blocks} and channels={channels} must all be at least 1"
            )
        self.scale = scale
        self.register_buffer("mean", torch.tensor(MEAN)[:, None, None], persistent=False)
        self.head = convolution(3, channels, conv3xc)
        self.blocks = nn.ModuleList(SPAB(channels, conv3xc) for _ in range(blocks))
        self.refine = convolution(channels, channels, conv3xc)
        self.fuse = nn.Conv2d(4 * channels, channels, 1)
        self.tail = PixelShuffleTail(channels, scale)

    def forward(self, x: Tensor) -> Tensor:
        head = self.head(255 * (as_rgb(x, self.min_size) - self.mean))
        outputs = [head]
        for block in self.blocks:
            output, first = block(outputs[-1])
            outputs.append(output)
        features = [head, self.refine(outputs[-1]), outputs[1], first]
        return self.tail(self.fuse(torch.cat(features, dim=1)))

    def merged(self) -> "SPAN":
        """The deployed form of this network, with weights that give the same output."""
        deployed = copy.deepcopy(self)
        for name, module in self.named_modules():
            if isinstance(module, Conv3XC):
                deployed.set_submodule(name, module.merged())
        return deployed.train(self.training)
