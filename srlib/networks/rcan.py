"""RCAN: Residual Channel Attention Network.

Zhang, Li, Li, Wang, Zhong, Fu, "Image Super-Resolution Using Very Deep Residual Channel Attention
Networks", ECCV 2018. RGB 0..255 with a frozen mean shift (24 parameters, in the counts).
Parameters: 15,444,667 / 15,629,307 / 15,592,379 at x2 / x3 / x4.
"""

from torch import Tensor, nn

from srlib.networks.blocks import ChannelAttention, MeanShift, as_rgb
from srlib.networks.edsr import EDSRTail


class RCAB(nn.Module):
    """Residual channel attention block (section 3.4): (N, C, H, W) -> (N, C, H, W)."""

    def __init__(self, channels: int, reduction: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 3, padding=1),
            ChannelAttention(channels, reduction),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x)


class Group(nn.Module):
    """Residual group (section 3.2): RCABs and a convolution, plus the input.

    (N, C, H, W) -> (N, C, H, W).
    """

    def __init__(self, channels: int, blocks: int, reduction: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *(RCAB(channels, reduction) for _ in range(blocks)),
            nn.Conv2d(channels, channels, 3, padding=1),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x)


class RCAN(nn.Module):
    """Head, residual in residual, tail (section 3.1, Figure 2).

    (N, 3 or 1, H, W) in 0..1 -> (N, 3, scale*H, scale*W), about 0..1, not clipped. The weights see
    0..255 less the mean.

    Args:
        scale: 2, 3 or 4.
        groups: 10 in the paper.
        blocks: RCABs a group, 20 in the paper.
        channels: width C of the features; 64 in the paper.
        reduction: C over the hidden channels of the attention; 16 in the paper.

    Raises:
        ValueError: another scale, or a number below 1.
    """

    min_size = 1

    def __init__(
        self,
        scale: int = 4,
        groups: int = 10,
        blocks: int = 20,
        channels: int = 64,
        reduction: int = 16,
    ) -> None:
        super().__init__()
        if groups < 1 or blocks < 1:
            raise ValueError(f"groups={groups} and blocks={blocks} must both be at least 1")
        if not 1 <= reduction <= channels:
            raise ValueError(f"reduction={reduction} must be from 1 to channels={channels}")
        self.scale = scale
        self.subtract_mean = MeanShift(-1)
        self.head = nn.Conv2d(3, channels, 3, padding=1)
        self.body = nn.Sequential(
            *(Group(channels, blocks, reduction) for _ in range(groups)),
            nn.Conv2d(channels, channels, 3, padding=1),
        )
        self.tail = EDSRTail(channels, scale)
        self.add_mean = MeanShift(+1)

    def forward(self, x: Tensor) -> Tensor:
        head = self.head(255 * self.subtract_mean(as_rgb(x, self.min_size)))
        return self.add_mean(self.tail(self.body(head) + head) / 255)
