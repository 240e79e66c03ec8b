"""FSRCNN: Fast Super-Resolution by a Convolutional Neural Network.

Dong, Loy, Tang, "Accelerating the Super-Resolution Convolutional Neural Network", ECCV 2016:
shrink, map, expand at LR size, and one transposed convolution at the end.

What is known, and from where:

- The network works on Y of the LR image. There is no skip: it learns the image, not a residual.
- The published 12.46K are weights alone; with biases and PReLU slopes there are 12,809 at every
  scale, which tables print as 12K or 13K.
- The tables' multiply-adds charge the transposed convolution for each *output* pixel. The
  computation needs 1/scale^2 of that.
- The output padding that makes the size exact is ours.
- Initialisation is the paper's: He's, deviation 0.001 in the transposed convolution, zero biases.
"""

from torch import Tensor, nn

from srlib.networks.luma import checked_scale, on_luma


class FSRCNN(nn.Module):
    """FSRCNN(d, s, m) of section 3.

    (N, 3 or 1, H, W) in 0..1 -> (N, 3, scale*H, scale*W), about 0..1, not clipped.

    Args:
        scale: 2, 3 or 4 in the paper; any integer from 1. The parameters are the same.
        channels: d, width of the features.
        shrunk: s, width of the mapping.
        mappings: m, convolutions of the mapping.

    Raises:
        ValueError: ``scale`` below 1.
    """

    min_size = 1

    def __init__(
        self, scale: int = 4, channels: int = 56, shrunk: int = 12, mappings: int = 4
    ) -> None:
        super().__init__()
        self.scale = checked_scale(scale)
        layers: list[nn.Module] = [
            nn.Conv2d(1, channels, 5, padding=2),
            nn.PReLU(channels),
            nn.Conv2d(channels, shrunk, 1),
            nn.PReLU(shrunk),
        ]
        for _ in range(mappings):
            layers += [nn.Conv2d(shrunk, shrunk, 3, padding=1), nn.PReLU(shrunk)]
        layers += [nn.Conv2d(shrunk, channels, 1), nn.PReLU(channels)]
        self.layers = nn.Sequential(*layers)
        self.deconv = nn.ConvTranspose2d(
            channels, 1, 9, stride=scale, padding=4, output_padding=scale - 1
        )
        for layer in self.layers:
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
                nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
        nn.init.normal_(self.deconv.weight, std=0.001)
        nn.init.zeros_(self.deconv.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        return on_luma(x, self.scale, self.enlarge, self.min_size)

    def enlarge(self, y: Tensor) -> Tensor:
        """LR luma to HR luma."""
        return self.deconv(self.layers(y))
