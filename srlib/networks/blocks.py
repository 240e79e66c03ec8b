"""Blocks that several papers share: input check, mean shift, attentions, pixel-shuffle tail."""

from collections.abc import Iterable

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def as_rgb(x: Tensor, min_size: int = 1) -> Tensor:
    """Check an LR batch and expand grey to RGB: the first line of every network's ``forward``.

    Args:
        x: (N, 3, H, W) or (N, 1, H, W), values in 0..1.
        min_size: smallest height and width that the network can process.

    Returns:
        (N, 3, H, W).

    Raises:
        ValueError: wrong rank, wrong channel count, or an image smaller than ``min_size``.
    """
    if x.ndim != 4 or x.shape[1] not in (1, 3):
        raise ValueError(
            f"expected an LR batch of shape (N, 3, H, W) or (N, 1, H, W), got {tuple(x.shape)}; "
            "add the batch axis with x[None] and drop any alpha channel"
        )
    height, width = x.shape[-2:]
    if height < min_size or width < min_size:
        raise ValueError(
            f"the LR image is {height}x{width} pixels, and this network needs at least "
            f"{min_size}x{min_size}; pad it, or use srlib.upscale, which pads and crops"
        )
    return x.expand(-1, 3, -1, -1) if x.shape[1] == 1 else x


def chained(blocks: Iterable[nn.Module], x: Tensor) -> list[Tensor]:
    """Outputs of all blocks, each of which takes the one before: what the networks here fuse."""
    outputs = []
    for block in blocks:
        x = block(x)
        outputs.append(x)
    return outputs


def channel_shuffle(x: Tensor, groups: int) -> Tensor:
    """``F.channel_shuffle``, (N, C, H, W) -> the same, of operations that ONNX has."""
    return x.unflatten(1, (groups, -1)).transpose(1, 2).flatten(1, 2)


class MeanShift(nn.Conv2d):
    """Add ``sign`` times an RGB mean: (N, 3, H, W) -> the same, as a frozen 1x1 convolution.

    A convolution because the papers count it: 12 parameters that are not trained.

    Source: EDSR (Lim et al., CVPR Workshops 2017); the mean is that of DIV2K.
    """

    def __init__(
        self, sign: int, mean: tuple[float, float, float] = (0.4488, 0.4371, 0.4040)
    ) -> None:
        super().__init__(3, 3, 1)
        self.weight.data = torch.eye(3)[:, :, None, None]
        self.bias.data = sign * torch.tensor(mean)  # type: ignore[union-attr]
        self.requires_grad_(False)


class ChannelAttention(nn.Module):
    """Scale each channel by a factor from its own mean; with ``contrast``, mean plus deviation.

    (N, C, H, W) -> (N, C, H, W).

    Source: RCAN (Zhang et al., ECCV 2018, section 3.3), and with ``contrast`` the CCA of IMDN (Hui
    et al., ACM MM 2019, section 3.2).
    """

    def __init__(self, channels: int, reduction: int, contrast: bool = False) -> None:
        super().__init__()
        self.contrast = contrast
        self.weigh = nn.Sequential(
            nn.Conv2d(channels, channels // reduction, 1),
            nn.ReLU(),
            nn.Conv2d(channels // reduction, channels, 1),
            nn.Sigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        statistic = x.mean((2, 3), keepdim=True)
        if self.contrast:
            statistic = deviation(x) + statistic
        return x * self.weigh(statistic)


def deviation(x: Tensor) -> Tensor:
    """Standard deviation over the pixels of each channel: (N, C, H, W) -> (N, C, 1, 1).

    The gradient of the root is infinite where a channel is constant (a flat patch, one pixel);
    there this returns 0 with gradient 0.
    """
    variance = (x - x.mean((2, 3), keepdim=True)).square().mean((2, 3), keepdim=True)
    positive = variance > 0
    return torch.where(positive, torch.where(positive, variance, 1.0).sqrt(), 0.0)


class ESA(nn.Module):
    """Enhanced spatial attention: a mask from a strided, pooled copy of the features.

    (N, C, H, W) -> (N, C, H, W) with H, W >= ``ESA.min_size``: the strided convolution must leave
    the seven pixels of the pooling window.

    Source: RFANet (Liu et al., CVPR 2020), in the form that RFDN (section 3.4) uses.
    """

    min_size = 15

    def __init__(self, channels: int, reduced: int) -> None:
        super().__init__()
        self.reduce = nn.Conv2d(channels, reduced, 1)
        self.stride = nn.Conv2d(reduced, reduced, 3, stride=2)
        self.pool = nn.MaxPool2d(7, stride=3)
        self.coarse = nn.Sequential(
            nn.Conv2d(reduced, reduced, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(reduced, reduced, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(reduced, reduced, 3, padding=1),
        )
        self.fine = nn.Conv2d(reduced, reduced, 1)
        self.expand = nn.Conv2d(reduced, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        reduced = self.reduce(x)
        coarse = self.coarse(self.pool(self.stride(reduced)))
        coarse = F.interpolate(coarse, x.shape[-2:], mode="bilinear", align_corners=False)
        return x * torch.sigmoid(self.expand(coarse + self.fine(reduced)))


class PixelShuffleTail(nn.Sequential):
    """(N, C, H, W) -> (N, 3, scale*H, scale*W): one 3x3 convolution, then sub-pixel shuffle.

    Source: ESPCN (Shi et al., CVPR 2016, section 3.2).
    """

    def __init__(self, channels: int, scale: int) -> None:
        super().__init__(
            nn.Conv2d(channels, 3 * scale**2, 3, padding=1),
            nn.PixelShuffle(scale),
        )
