"""RLFN: Residual Local Feature Network, winner of NTIRE 2022 in runtime.

Kong, Li, Liu, Liu, He, Bai, Chen, Fu, "Residual Local Feature Network for Efficient
Super-Resolution", CVPR Workshops (NTIRE) 2022, arXiv:2205.07514.

| | channels, within the blocks, blocks | parameters x2 / x3 / x4 |
|---|---|---|
| RLFN | 52, 52, 6 | 526,856 / 533,891 / 543,740 |
| RLFN-S | 48, 48, 6 | 454,620 / 461,115 / 470,208 |
| RLFN of the challenge | 46, 48, 4 | 302,278 / 308,503 / 317,218 |

What is known, and from where: all three are exact; the authors' public weights load into this
module and give the same output. They want RGB 0..255 without a mean shift (``input_max``). RFDN's
distillation and the fusion of all blocks are gone: a block is a chain, and so is the network.
"""

from torch import Tensor, nn

from srlib.networks.blocks import ESA, PixelShuffleTail, as_rgb


class PlainESA(ESA):
    """ESA with one convolution, not three, on the pooled features, and nothing activated.

    (N, C, H, W) -> (N, C, H, W) with H, W >= ``ESA.min_size``.
    """

    def __init__(self, channels: int, reduced: int) -> None:
        super().__init__(channels, reduced)
        self.coarse = nn.Conv2d(reduced, reduced, 3, padding=1)  # type: ignore[assignment]


class RLFB(nn.Module):
    """Residual local feature block: (N, C, H, W) -> (N, C, H, W).

    Three convolutions, ``middle`` channels within, plus the input; then 1x1 and attention.
    """

    def __init__(self, channels: int, middle: int, reduced: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, middle, 3, padding=1),
            nn.LeakyReLU(0.05),
            nn.Conv2d(middle, middle, 3, padding=1),
            nn.LeakyReLU(0.05),
            nn.Conv2d(middle, channels, 3, padding=1),
            nn.LeakyReLU(0.05),
        )
        self.fuse = nn.Conv2d(channels, channels, 1)
        self.attention = PlainESA(channels, reduced)

    def forward(self, x: Tensor) -> Tensor:
        return self.attention(self.fuse(self.body(x) + x))


class RLFN(nn.Module):
    """Head, a chain of blocks, a convolution plus the head's features, tail.

    (N, 3 or 1, H, W) in 0..1 -> (N, 3, scale*H, scale*W), about 0..1, not clipped.

    Args:
        scale: 2 or 4 in the paper; any integer from 1.
        blocks: 6 in the paper, 4 in the challenge.
        channels: width C of the features.
        middle: width within the blocks.
        reduced: width within the attention.
        input_max: the value of white in the range that the weights are trained in.

    Raises:
        ValueError: impossible numbers, or an LR image smaller than ``min_size``.
    """

    min_size = ESA.min_size

    def __init__(
        self,
        scale: int = 4,
        blocks: int = 6,
        channels: int = 52,
        middle: int = 52,
        reduced: int = 16,
        input_max: float = 255,
    ) -> None:
        super().__init__()
        if min(scale, blocks, channels, middle, reduced) < 1 or input_max <= 0:
            raise ValueError(
                f"scale={scale}, blocks={blocks}, channels={channels}, middle={middle} and "
                f"reduced={reduced} must all be at least 1, and input_max={input_max} positive"
            )
        self.scale = scale
        self.input_max = input_max
        self.head = nn.Conv2d(3, channels, 3, padding=1)
        self.blocks = nn.Sequential(*(RLFB(channels, middle, reduced) for _ in range(blocks)))
        self.refine = nn.Conv2d(channels, channels, 3, padding=1)
        self.tail = PixelShuffleTail(channels, scale)

    def forward(self, x: Tensor) -> Tensor:
        head = self.head(as_rgb(x, self.min_size) * self.input_max)
        return self.tail(self.refine(self.blocks(head)) + head) / self.input_max
