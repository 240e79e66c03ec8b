"""LapSRN: Laplacian Pyramid Super-Resolution Network.

Lai, Huang, Ahuja, Yang, "Deep Laplacian Pyramid Networks for Fast and Accurate Super-Resolution",
CVPR 2017: each level doubles the size, of the image by a transposed convolution that starts as
bilinear interpolation, and adds what the features' branch predicts.

What is known, and from where:

- The network works on Y of the LR image. It has a level for each factor of 2 and so no x3. How the
  x3 scores of the literature were made is uncertain: by shrinking the x4 output, it seems. We do
  not guess, and refuse x3.
- Tables print three sizes. "251K" (x2) and "502K" (x4) are ``depth=5`` with biases, 251,473 and
  502,306. "813K" (x4) is ``depth=10`` without biases, with the transposed convolution of the
  features counted as 3x3. Our default is the de-facto standard PyTorch code: ``depth=10`` without
  biases, 4x4 as described, 435,344 and 870,112.
- Where biases are was derived from the counts: everywhere but in the image's branch.
- Initialisation: He's for the features (the counted code starts their transposed convolutions with
  bilinear kernels, equal for all pairs of channels), bilinear for the image, biases at zero.
- The paper trains the output of every level with a Charbonnier loss; a loss on the last output
  alone does not.
"""

import torch
from torch import Tensor, nn

from srlib.networks.luma import on_luma

SCALES = (2, 4, 8)


def double(before: int, after: int, bias: bool) -> nn.ConvTranspose2d:
    """(N, before, H, W) -> (N, after, 2H, 2W)."""
    return nn.ConvTranspose2d(before, after, 4, stride=2, padding=1, bias=bias)


def branch(channels: int, depth: int, bias: bool) -> nn.Sequential:
    """The features' branch of one level (section 3.1): (N, C, H, W) -> (N, C, 2H, 2W)."""
    layers: list[nn.Module] = []
    for _ in range(depth):
        layers += [nn.Conv2d(channels, channels, 3, padding=1, bias=bias), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers, double(channels, channels, bias), nn.LeakyReLU(0.2))


class LapSRN(nn.Module):
    """A stem and one level for each factor of 2.

    (N, 3 or 1, H, W) in 0..1 -> (N, 3, scale*H, scale*W), about 0..1, not clipped.

    Args:
        scale: 2, 4 or 8.
        depth: convolutions of a level before its transposed one; 10, or 5 for the 251K network.
        channels: width of the features.
        bias: with biases, as in the 251K network.

    Raises:
        ValueError: another ``scale``, 3 among them.
    """

    min_size = 1

    def __init__(
        self, scale: int = 4, depth: int = 10, channels: int = 64, bias: bool = False
    ) -> None:
        super().__init__()
        if scale not in SCALES:
            raise ValueError(
                f"LapSRN doubles the size at each level, so its scale is 2, 4 or 8, not {scale}"
            )
        self.scale = scale
        levels = SCALES.index(scale) + 1
        self.stem = nn.Sequential(
            nn.Conv2d(1, channels, 3, padding=1, bias=bias), nn.LeakyReLU(0.2)
        )
        self.features = nn.ModuleList(branch(channels, depth, bias) for _ in range(levels))
        self.residuals = nn.ModuleList(
            nn.Conv2d(channels, 1, 3, padding=1, bias=bias) for _ in range(levels)
        )
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
                nn.init.kaiming_normal_(layer.weight, 0.2)
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)
        self.images = nn.ModuleList(double(1, 1, bias=False) for _ in range(levels))
        ramp = torch.tensor([0.25, 0.75, 0.75, 0.25])
        for layer in self.images:
            layer.weight.data = torch.outer(ramp, ramp)[None, None]

    def forward(self, x: Tensor) -> Tensor:
        return on_luma(x, self.scale, self.enlarge, self.min_size)

    def enlarge(self, y: Tensor) -> Tensor:
        """LR luma to HR luma."""
        features, image = self.stem(y), y
        for grow, predict, enlarge in zip(self.features, self.residuals, self.images, strict=True):
            features = grow(features)
            image = enlarge(image) + predict(features)
        return image
