"""What the weight-normalised networks share: AWSRN, LAPAR, MAFFSRN, FDIWN."""

from torch import nn
from torch.nn.utils.parametrizations import weight_norm

DIV2K_MEAN = (0.4488, 0.4371, 0.4040)  # of the training images' RGB, 0..1


def normed(in_channels: int, out_channels: int, kernel: int) -> nn.Conv2d:
    """A weight-normalised convolution of stride 1 that keeps the size of the map.

    It has ``out_channels`` parameters more than a plain one: the weights are stored as a length an
    output channel (``parametrizations.weight.original0``) and a direction (``original1``).
    """
    return weight_norm(nn.Conv2d(in_channels, out_channels, kernel, padding=kernel // 2))
