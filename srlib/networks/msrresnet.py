"""MSRResNet: SRResNet without batch norm, the "SRResNet" of the AIDN and NTIRE tables.

Ledig et al., "Photo-Realistic Single Image Super-Resolution Using a Generative Adversarial
Network", CVPR 2017, as modified for ESRGAN (Wang et al., ECCV Workshops 2018). RGB 0..1, no mean
shift. Parameters: 1,369,859 / 1,554,499 / 1,517,571 at x2 / x3 / x4.
"""

import torch.nn.functional as F
from torch import Tensor, nn

from srlib.networks.blocks import as_rgb


def activation() -> nn.Module:
    return nn.LeakyReLU(0.1)


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions with a ReLU between, plus the input: (N, C, H, W) -> (N, C, H, W)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        # not a module: the NTIRE count of the original code leaves this activation out
        return x + self.conv2(F.relu(self.conv1(x)))


class MSRResNet(nn.Module):
    """Head, residual blocks, upsampling, two convolutions at HR size, plus the bilinear image.

    (N, 3 or 1, H, W) in 0..1 -> (N, 3, scale*H, scale*W), about 0..1, not clipped. No convolution
    and no skip after the blocks, unlike the network of 2017.

    The convolutions start a tenth as large as He's initialisation, the biases at zero, as in
    ESRGAN: at the start, the output is nearly the bilinear image.

    Args:
        scale: 2, 3 or 4.
        blocks: 16 in the tables.
        channels: width C of the features; 64 in the tables.

    Raises:
        ValueError: another scale, or ``blocks`` or ``channels`` below 1.
    """

    min_size = 1

    def __init__(self, scale: int = 4, blocks: int = 16, channels: int = 64) -> None:
        super().__init__()
        if scale not in (2, 3, 4):
            raise ValueError(f"scale={scale} must be 2, 3 or 4")
        if blocks < 1 or channels < 1:
            raise ValueError(f"blocks={blocks} and channels={channels} must both be at least 1")
        self.scale = scale
        self.head = nn.Sequential(nn.Conv2d(3, channels, 3, padding=1), activation())
        self.body = nn.Sequential(*(ResidualBlock(channels) for _ in range(blocks)))
        self.upsampler = nn.Sequential()
        for factor in [2, 2] if scale == 4 else [scale]:
            self.upsampler.extend(
                [
                    nn.Conv2d(channels, channels * factor**2, 3, padding=1),
                    nn.PixelShuffle(factor),
                    activation(),
                ]
            )
        self.tail = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1),
            activation(),
            nn.Conv2d(channels, 3, 3, padding=1),
        )
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight)
                module.weight.data *= 0.1
                nn.init.zeros_(module.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        x = as_rgb(x, self.min_size)
        residual = self.tail(self.upsampler(self.body(self.head(x))))
        return residual + F.interpolate(x, scale_factor=self.scale, mode="bilinear")
