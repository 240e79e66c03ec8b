"""EDSR: Enhanced Deep Super-Resolution network, and its small baseline.

Lim, Son, Kim, Nah, Lee, "Enhanced Deep Residual Networks for Single Image Super-Resolution", CVPR
Workshops 2017. RGB 0..255 with a frozen mean shift (24 parameters, in the counts). Parameters at
x2 / x3 / x4: baseline 1,369,883 / 1,554,523 / 1,517,595, full 40,729,627 / 43,680,027 / 43,089,947.
"""

from torch import Tensor, nn

from srlib.networks.blocks import MeanShift, as_rgb


class ResidualBlock(nn.Module):
    """Convolution, ReLU, convolution, scaled, plus the input (section 3.1).

    (N, C, H, W) -> (N, C, H, W). No batch norm, no activation after the sum.
    """

    def __init__(self, channels: int, factor: float = 1.0) -> None:
        super().__init__()
        self.factor = factor
        self.body = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 3, padding=1),
        )

    def forward(self, x: Tensor) -> Tensor:
        residual = self.body(x)
        return x + (residual if self.factor == 1 else self.factor * residual)


class EDSRTail(nn.Sequential):
    """EDSR's upsampler and last convolution, which RCAN and RDN took over.

    (N, C, H, W) -> (N, 3, scale*H, scale*W). Convolution and pixel shuffle, twice for x4; no
    activation.

    Raises:
        ValueError: a scale other than 2, 3 and 4.
    """

    def __init__(self, channels: int, scale: int) -> None:
        if scale not in (2, 3, 4):
            raise ValueError(f"scale={scale} must be 2, 3 or 4")
        layers: list[nn.Module] = []
        for factor in [2, 2] if scale == 4 else [scale]:
            layers += [
                nn.Conv2d(channels, channels * factor**2, 3, padding=1),
                nn.PixelShuffle(factor),
            ]
        super().__init__(*layers, nn.Conv2d(channels, 3, 3, padding=1))


class EDSR(nn.Module):
    """Head, residual blocks with a long skip, tail (section 3.2, Figure 3).

    (N, 3 or 1, H, W) in 0..1 -> (N, 3, scale*H, scale*W), about 0..1, not clipped. The weights see
    0..255 less the mean.

    Args:
        scale: 2, 3 or 4.
        blocks: 16 in the baseline, 32 in the full network.
        channels: width C of the features; 64, full 256.
        factor: what a block's residual is multiplied by; 1, full 0.1.

    Raises:
        ValueError: another scale, or ``blocks`` or ``channels`` below 1.
    """

    min_size = 1

    def __init__(
        self, scale: int = 4, blocks: int = 16, channels: int = 64, factor: float = 1.0
    ) -> None:
        super().__init__()
        if blocks < 1 or channels < 1:
            raise ValueError(f"blocks={blocks} and channels={channels} must both be at least 1")
        self.scale = scale
        self.subtract_mean = MeanShift(-1)
        self.head = nn.Conv2d(3, channels, 3, padding=1)
        self.body = nn.Sequential(
            *(ResidualBlock(channels, factor) for _ in range(blocks)),
            nn.Conv2d(channels, channels, 3, padding=1),
        )
        self.tail = EDSRTail(channels, scale)
        self.add_mean = MeanShift(+1)

    def forward(self, x: Tensor) -> Tensor:
        head = self.head(255 * self.subtract_mean(as_rgb(x, self.min_size)))
        return self.add_mean(self.tail(self.body(head) + head) / 255)
