"""Initial weights of unit variance."""

import pytest
import torch
from torch import Tensor, nn

from srlib.networks import create_network
from srlib.networks.blocks import MeanShift
from srlib.training.initialise import LAST, unit_variance

SIZES = {"blocks": 3, "channels": 16}


def deviations(network: nn.Module, lr: Tensor) -> list[float]:
    """Standard deviation of every convolution's output, in the order of one pass."""
    found: list[float] = []
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            layer.register_forward_hook(lambda _, __, output: found.append(float(output.std())))
    with torch.no_grad():
        network(lr)
    return found


@pytest.fixture
def lr() -> Tensor:
    return torch.rand(2, 3, 24, 24, generator=torch.Generator().manual_seed(0))


def test_every_output_has_unit_variance_but_the_last(lr: Tensor) -> None:
    network = create_network("aidn", 4, **SIZES)
    unit_variance(network, lr)
    *inner, last = deviations(network, lr)
    assert inner == pytest.approx([1.0] * len(inner), rel=1e-3)
    assert last == pytest.approx(LAST, rel=1e-3)


def test_pytorchs_own_weights_shrink_the_signal(lr: Tensor) -> None:
    # The reason for the other ones; if it ends, so does their use.
    *inner, _ = deviations(create_network("aidn", 4, **SIZES), lr)
    assert min(inner) < 0.1


def test_the_draw_follows_the_seed(lr: Tensor) -> None:
    def drawn(seed: int) -> Tensor:
        torch.manual_seed(seed)
        network = create_network("aidn", 4, **SIZES)
        unit_variance(network, lr)
        return torch.cat([weight.flatten() for weight in network.parameters()])

    assert torch.equal(drawn(1), drawn(1))
    assert not torch.equal(drawn(1), drawn(2))


def test_a_frozen_convolution_stays_as_it_is(lr: Tensor) -> None:
    shift = MeanShift(-1)
    unit_variance(nn.Sequential(shift, nn.Conv2d(3, 8, 3)), lr)
    assert torch.equal(shift.weight, MeanShift(-1).weight)


def test_a_layer_that_is_used_twice_is_scaled_once(lr: Tensor) -> None:
    layer = nn.Conv2d(3, 3, 1)
    unit_variance(nn.Sequential(layer, layer), lr)
    assert layer(lr).std().item() == pytest.approx(LAST, rel=1e-3)
