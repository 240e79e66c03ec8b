"""DRCN: Deeply-Recursive Convolutional Network.

Kim, Lee, Lee, "Deeply-Recursive Convolutional Network for Image Super-Resolution", CVPR 2016: one
convolution applied 16 times, a reconstruction after each, and their weighted mean.

What is known, and from where:

- The network works on Y, enlarged by MATLAB's bicubic before it.
- The published 1,774K are weights alone (1,774,080). With biases there are 1,775,105, and 1,775,121
  with the weights of the mean, which the paper learns and the counted code keeps at 1/16.
- No activation within the reconstruction, as in the counted code; the paper, as far as we know,
  has a ReLU there.
- Initialisation is the paper's: the recursive convolution starts as the identity, the others with
  He's, biases at zero.
- The paper also trains each reconstruction against the target ("recursive-supervision", section
  3.2); a loss on the output alone does not.
"""

import torch
from torch import Tensor, nn

from srlib.networks.luma import checked_scale, on_luma, upscale_bicubic


class DRCN(nn.Module):
    """Embedding, inference and reconstruction networks of Figures 1 and 3.

    (N, 3 or 1, H, W) in 0..1 -> (N, 3, scale*H, scale*W), about 0..1, not clipped.

    Args:
        scale: 2, 3 or 4 in the paper; any integer from 1. The parameters are the same.
        recursions: applications of the shared convolution, at least 1; 16 in the paper.
        channels: width of the features.
        learn_weights: learn the weights of the mean, as the paper does.

    Raises:
        ValueError: ``scale`` or ``recursions`` below 1.
    """

    min_size = 1
    weights: Tensor

    def __init__(
        self,
        scale: int = 4,
        recursions: int = 16,
        channels: int = 256,
        learn_weights: bool = False,
    ) -> None:
        super().__init__()
        if recursions < 1:
            raise ValueError(f"recursions={recursions} must be at least 1; the paper has 16")
        self.scale = checked_scale(scale)
        self.embed = nn.Sequential(
            nn.Conv2d(1, channels, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 3, padding=1),
            nn.ReLU(),
        )
        self.recurse = nn.Sequential(nn.Conv2d(channels, channels, 3, padding=1), nn.ReLU())
        self.reconstruct = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1),
            nn.Conv2d(channels, 1, 3, padding=1),
        )
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
        nn.init.dirac_(self.recurse[0].weight)  # type: ignore[arg-type]
        weights = torch.full((recursions,), 1 / recursions)
        if learn_weights:
            self.weights = nn.Parameter(weights)
        else:
            self.register_buffer("weights", weights, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return on_luma(x, self.scale, self.enlarge, self.min_size)

    def enlarge(self, y: Tensor) -> Tensor:
        """LR luma to HR luma."""
        bicubic = upscale_bicubic(y, self.scale)
        features = self.embed(bicubic)
        total = torch.zeros_like(bicubic)
        for weight in self.weights / self.weights.sum():
            features = self.recurse(features)
            total = total + weight * self.reconstruct(features)
        return bicubic + total
