"""SRCNN: Super-Resolution Convolutional Neural Network.

Dong, Loy, He, Tang, "Image Super-Resolution Using Deep Convolutional Networks", TPAMI 2016 (first
at ECCV 2014). Patch extraction, non-linear mapping, reconstruction.

What is known, and from where:

- The network works on Y, enlarged by MATLAB's bicubic before it.
- 9-1-5 has 8,129 parameters, the 8K of RFDN's Table 3; 9-5-5 has 57,281, the 57K of all others.
- We pad with zeros, which keeps the size. The authors trained without padding and scored the
  region that is left.
- Initialisation is PyTorch's. The authors start from a Gaussian of deviation 0.001, and let the
  last layer learn ten times more slowly.
"""

from torch import Tensor, nn

from srlib.networks.luma import checked_scale, on_luma, upscale_bicubic


class SRCNN(nn.Module):
    """Three convolutions of the enlarged Y.

    (N, 3 or 1, H, W) in 0..1 -> (N, 3, scale*H, scale*W), about 0..1, not clipped.

    Args:
        scale: 2, 3 or 4 in the paper; any integer from 1. The parameters are the same.
        kernel: size of the middle convolution, odd: 5 or 1.

    Raises:
        ValueError: ``scale`` below 1, or an even ``kernel``.
    """

    min_size = 1

    def __init__(self, scale: int = 4, kernel: int = 5) -> None:
        super().__init__()
        if kernel % 2 == 0:
            raise ValueError(f"kernel={kernel} must be odd; the paper has 1, 3 and 5")
        self.scale = checked_scale(scale)
        self.layers = nn.Sequential(
            nn.Conv2d(1, 64, 9, padding=4),
            nn.ReLU(),
            nn.Conv2d(64, 32, kernel, padding=kernel // 2),
            nn.ReLU(),
            nn.Conv2d(32, 1, 5, padding=2),
        )

    def forward(self, x: Tensor) -> Tensor:
        return on_luma(x, self.scale, self.enlarge, self.min_size)

    def enlarge(self, y: Tensor) -> Tensor:
        """LR luma to HR luma."""
        return self.layers(upscale_bicubic(y, self.scale))
