"""What the claims on RFDN's blocks are proved with."""

import pytest
import torch
from torch import Tensor, nn

from papers.rfdn.claims import bend, nearest_pointwise
from srlib.networks.rfdn import SRB


def features(channels: int = 4) -> Tensor:
    return torch.randn(2, channels, 9, 11, dtype=torch.float64, generator=torch.manual_seed(1))


@pytest.mark.parametrize("side", [1, 3, 5])
def test_a_convolution_with_its_activation_is_not_bent(side: int) -> None:
    torch.manual_seed(0)
    unit = nn.Sequential(nn.Conv2d(4, 6, side, padding=side // 2), nn.LeakyReLU(0.05)).double()
    assert bend(unit, 4) < 1e-10


def test_an_identity_before_the_activation_is_not_bent() -> None:
    torch.manual_seed(0)
    assert bend(SRB(4).double(), 4) < 1e-10


def test_an_identity_after_the_activation_is_bent() -> None:
    torch.manual_seed(0)
    plain = SRB(4, identity=False).double()
    assert bend(lambda x: plain(x) + x, 4) > 0.01


def test_two_blocks_in_a_row_are_bent() -> None:
    torch.manual_seed(0)
    assert bend(nn.Sequential(SRB(4), SRB(4)).double(), 4) > 0.01


@torch.no_grad()
def test_the_nearest_pointwise_to_a_pointwise_is_itself() -> None:
    torch.manual_seed(0)
    x = features()
    wanted = nn.Conv2d(4, 3, 1).double()(x)
    torch.testing.assert_close(nearest_pointwise(x, wanted), wanted, rtol=1e-10, atol=1e-10)


@torch.no_grad()
def test_no_other_pointwise_is_nearer() -> None:
    torch.manual_seed(0)
    x = features()
    wanted = nn.Conv2d(4, 3, 3, padding=1).double()(x)
    found = nearest_pointwise(x, wanted)
    distance = (found - wanted).norm()
    for _ in range(5):
        step = nn.Conv2d(4, 3, 1).double()(x)
        assert (found + 0.01 * step - wanted).norm() > distance
