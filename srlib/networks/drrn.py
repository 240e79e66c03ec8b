"""DRRN: Deep Recursive Residual Network, in its variant B1U25.

Tai, Yang, Liu, "Image Super-Resolution via Deep Recursive Residual Network", CVPR 2017: two
convolutions applied 25 times, the first features added each time.

What is known, and from where:

- The network works on Y, enlarged by MATLAB's bicubic before it.
- 297,216 parameters, or 297,601 with biases: the tables print 297K or 298K.
- The paper puts a batch norm before each ReLU; the code that everybody counts has none, and so have
  we.
- The public PyTorch code runs its ReLUs in place, which rectifies what the skips add. We add what
  the paper's equations add.
- Initialisation is He's. The paper clips the gradients.
"""

from torch import Tensor, nn

from srlib.networks.luma import checked_scale, on_luma, upscale_bicubic


class DRRN(nn.Module):
    """One recursive block (section 3.2), ReLU before each convolution.

    (N, 3 or 1, H, W) in 0..1 -> (N, 3, scale*H, scale*W), about 0..1, not clipped.

    Args:
        scale: 2, 3 or 4 in the paper; any integer from 1. The parameters are the same.
        units: U, residual units that share their weights; 25 in the paper's best.
        channels: width of the features.
        bias: with biases.

    Raises:
        ValueError: ``scale`` below 1.
    """

    min_size = 1

    def __init__(
        self, scale: int = 4, units: int = 25, channels: int = 128, bias: bool = False
    ) -> None:
        super().__init__()
        self.scale = checked_scale(scale)
        self.units = units
        self.head = nn.Sequential(nn.ReLU(), nn.Conv2d(1, channels, 3, padding=1, bias=bias))
        self.unit = nn.Sequential(
            nn.ReLU(),
            nn.Conv2d(channels, channels, 3, padding=1, bias=bias),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 3, padding=1, bias=bias),
        )
        self.tail = nn.Sequential(nn.ReLU(), nn.Conv2d(channels, 1, 3, padding=1, bias=bias))
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor) -> Tensor:
        return on_luma(x, self.scale, self.enlarge, self.min_size)

    def enlarge(self, y: Tensor) -> Tensor:
        """LR luma to HR luma."""
        bicubic = upscale_bicubic(y, self.scale)
        head = self.head(bicubic)
        features = head
        for _ in range(self.units):
            features = self.unit(features) + head
        return bicubic + self.tail(features)
