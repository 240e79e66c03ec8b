"""RDN: Residual Dense Network.

Zhang, Tian, Kong, Zhong, Fu, "Residual Dense Network for Image Super-Resolution", CVPR 2018, in the
configuration of its tables: 16 blocks of 8 convolutions, growth 64. RGB 0..255, no mean shift.
Parameters: 22,123,395 / 22,308,035 / 22,271,107 at x2 / x3 / x4.
"""

import torch
from torch import Tensor, nn

from srlib.networks.blocks import as_rgb, chained
from srlib.networks.edsr import EDSRTail


class RDB(nn.Module):
    """Residual dense block (section 3.2): (N, C, H, W) -> (N, C, H, W).

    Each convolution sees the input and the outputs of all before it; a 1x1 fuses them.
    """

    def __init__(self, channels: int, growth: int, layers: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            nn.Sequential(nn.Conv2d(channels + n * growth, growth, 3, padding=1), nn.ReLU())
            for n in range(layers)
        )
        self.fuse = nn.Conv2d(channels + layers * growth, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        features = x
        for layer in self.layers:
            features = torch.cat([features, layer(features)], dim=1)
        return self.fuse(features) + x


class RDN(nn.Module):
    """Two convolutions, dense blocks, fusion of all their outputs, tail (section 3.1, Figure 2).

    (N, 3 or 1, H, W) in 0..1 -> (N, 3, scale*H, scale*W), about 0..1, not clipped. The weights see
    0..255.

    Args:
        scale: 2, 3 or 4.
        blocks: 16 in the tables.
        layers: convolutions a block, 8 in the tables.
        channels: width C of the features; 64 in the paper.
        growth: channels that a convolution adds; 64 in the tables.

    Raises:
        ValueError: another scale, or a number below 1.
    """

    min_size = 1

    def __init__(
        self,
        scale: int = 4,
        blocks: int = 16,
        layers: int = 8,
        channels: int = 64,
        growth: int = 64,
    ) -> None:
        super().__init__()
        if min(blocks, layers, channels, growth) < 1:
            raise ValueError(
                f"blocks={blocks}, layers={layers}, channels={channels} and growth={growth} must "
                "all be at least 1"
            )
        self.scale = scale
        self.head = nn.Conv2d(3, channels, 3, padding=1)
        self.shallow = nn.Conv2d(channels, channels, 3, padding=1)
        self.blocks = nn.ModuleList(RDB(channels, growth, layers) for _ in range(blocks))
        self.fuse = nn.Sequential(
            nn.Conv2d(blocks * channels, channels, 1),
            nn.Conv2d(channels, channels, 3, padding=1),
        )
        self.tail = EDSRTail(channels, scale)

    def forward(self, x: Tensor) -> Tensor:
        head = self.head(255 * as_rgb(x, self.min_size))
        outputs = torch.cat(chained(self.blocks, self.shallow(head)), dim=1)
        return self.tail(self.fuse(outputs) + head) / 255
