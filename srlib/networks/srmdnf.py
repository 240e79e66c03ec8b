"""SRMDNF: Super-Resolution for Multiple Degradations, Noise-Free.

Zhang, Zuo, Zhang, "Learning a Single Convolutional Super-Resolution Network for Multiple
Degradations", CVPR 2018: a plain chain of convolutions that also sees the blur as constant maps.

What is known, and from where:

- Its second input, the blur's kernel on 15 principal axes, is fixed here to that of the bicubic
  degradation: the published projection of a single point. The maps do not vary, so other constants
  would do as well for training; these fit the published weights.
- 1,510,540 / 1,527,835 / 1,552,048 parameters at x2 / x3 / x4, as published.
- Initialisation is He's with zero biases, our choice: PyTorch's would shrink the
  signal by 0.4 a layer. The tail's is PyTorch's.
"""

from itertools import pairwise

import torch
from torch import Tensor, nn

from srlib.networks.blocks import PixelShuffleTail, as_rgb

# Column 112 (the middle of 15x15) of the published 15x225 projection
BICUBIC = (
    *(-1.1236e-08, -1.3690e-08, 0.018563796, 2.8607e-08, 0.033529297),
    *(8.3727e-08, -2.5442e-07, -0.031623498, -0.013516925, -1.1047e-08),
    *(0.038475379, 3.7947e-08, -0.24491675, -0.80221349, -0.54054976),
)


class SRMDNF(nn.Module):
    """The plain network, for images that were shrunk with bicubic interpolation.

    (N, 3 or 1, H, W) in 0..1 -> (N, 3, scale*H, scale*W), about 0..1, not clipped.

    Args:
        scale: 2, 3 or 4 in the paper; any integer from 1.
        depth: convolutions before the tail, at least 1; 11 in the paper.
        channels: width of the features.

    Raises:
        ValueError: ``scale`` or ``depth`` below 1.
    """

    min_size = 1
    degradation: Tensor

    def __init__(self, scale: int = 4, depth: int = 11, channels: int = 128) -> None:
        super().__init__()
        if scale < 1 or depth < 1:
            raise ValueError(f"scale={scale} and depth={depth} must both be at least 1")
        self.scale = scale
        degradation = torch.tensor(BICUBIC)[None, :, None, None]
        self.register_buffer("degradation", degradation, persistent=False)
        widths = [3 + len(BICUBIC), *[channels] * depth]
        layers: list[nn.Module] = []
        for before, after in pairwise(widths):
            layers += [nn.Conv2d(before, after, 3, padding=1), nn.ReLU()]
        self.layers = nn.Sequential(*layers)
        for layer in self.layers:
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
        self.tail = PixelShuffleTail(channels, scale)

    def forward(self, x: Tensor) -> Tensor:
        x = as_rgb(x, self.min_size)
        maps = self.degradation.expand(x.shape[0], -1, *x.shape[-2:])
        return self.tail(self.layers(torch.cat([x, maps], dim=1)))
