"""VDSR: Very Deep Super-Resolution.

Kim, Lee, Lee, "Accurate Image Super-Resolution Using Very Deep Convolutional Networks", CVPR 2016:
twenty 3x3 convolutions that learn the difference to the bicubic image.

What is known, and from where:

- The network works on Y, enlarged by MATLAB's bicubic before it. The paper trains one set of
  weights for all scales.
- Without biases there are 664,704 parameters: the de-facto standard PyTorch code, and our default.
  With biases there are 665,921, which is the 665K or 666K of the tables.
- Initialisation is He's, zero biases, as in the paper. PyTorch's default would shrink the signal
  by 0.4 a layer, and by 10^-8 in all.
- The paper trains with a high learning rate and clips the gradients.
"""

from itertools import pairwise

from torch import Tensor, nn

from srlib.networks.luma import checked_scale, on_luma, upscale_bicubic


class VDSR(nn.Module):
    """A chain of convolutions, and the skip of the image (section 3.1).

    (N, 3 or 1, H, W) in 0..1 -> (N, 3, scale*H, scale*W), about 0..1, not clipped.

    Args:
        scale: 2, 3 or 4 in the paper; any integer from 1. The parameters are the same.
        depth: convolutions, at least 2; 20 in the paper.
        channels: width of the features.
        bias: with biases, as published.

    Raises:
        ValueError: ``scale`` below 1, or ``depth`` below 2.
    """

    min_size = 1

    def __init__(
        self, scale: int = 4, depth: int = 20, channels: int = 64, bias: bool = False
    ) -> None:
        super().__init__()
        if depth < 2:
            raise ValueError(f"depth={depth} must be at least 2; the paper has 20")
        self.scale = checked_scale(scale)
        widths = [1, *[channels] * (depth - 1), 1]
        layers: list[nn.Module] = []
        for before, after in pairwise(widths):
            layers += [nn.Conv2d(before, after, 3, padding=1, bias=bias), nn.ReLU()]
        self.layers = nn.Sequential(*layers[:-1])
        for layer in self.layers:
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor) -> Tensor:
        return on_luma(x, self.scale, self.enlarge, self.min_size)

    def enlarge(self, y: Tensor) -> Tensor:
        """LR luma to HR luma."""
        bicubic = upscale_bicubic(y, self.scale)
        return bicubic + self.layers(bicubic)
