"""Muon on convolutions: the published update, on the weights that it should have."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from srlib.networks import create_network
from srlib.training.optimizers import (
    MOMENTUM,
    ConvolutionMuon,
    inner_convolutions,
    new_optimizers,
    orthogonalised,
    rates,
)

RATE = 0.01


@pytest.mark.skipif(not hasattr(torch.optim, "Muon"), reason="PyTorch has a Muon since 2.9")
@pytest.mark.parametrize("layout", [torch.channels_last, torch.contiguous_format])
@pytest.mark.parametrize("shape", [(8, 6, 3, 3), (48, 4, 1, 1), (8, 8, 1, 3)])
def test_three_updates_are_those_of_pytorchs_muon(
    shape: tuple[int, int, int, int], layout: torch.memory_format
) -> None:
    torch.manual_seed(0)
    weights = [nn.Parameter(torch.randn(shape).to(memory_format=layout)) for _ in range(2)]
    matrices = [nn.Parameter(weight.detach().clone().flatten(1)) for weight in weights]
    ours = ConvolutionMuon(weights)
    ours.param_groups[0]["lr"] = RATE
    theirs = torch.optim.Muon(matrices, lr=RATE, weight_decay=0.0, momentum=MOMENTUM)
    for _ in range(3):
        for weight, matrix in zip(weights, matrices, strict=True):
            gradient = torch.randn(shape)
            weight.grad = gradient.to(memory_format=layout)
            matrix.grad = gradient.flatten(1)
        ours.step()
        theirs.step()
    for weight, matrix in zip(weights, matrices, strict=True):
        # PyTorch's makes the matrices orthogonal in bfloat16
        torch.testing.assert_close(weight.flatten(1), matrix, rtol=0, atol=0.1 * RATE)


@given(
    rows=st.integers(1, 20),
    columns=st.integers(1, 20),
    scale=st.floats(1e-4, 1e4),
    seed=st.integers(0, 99),
)
def test_singular_values_end_near_one(rows: int, columns: int, scale: float, seed: int) -> None:
    torch.manual_seed(seed)
    # all singular values equal, so that none is too small for five steps
    start = scale * nn.init.orthogonal_(torch.empty(rows, columns))
    found = torch.linalg.svdvals(orthogonalised(start[None])[0].double())
    assert found.min() > 0.6 and found.max() < 1.3


def test_a_weight_without_a_gradient_stays() -> None:
    weight = nn.Parameter(torch.ones(4, 4, 1, 1))
    optimizer = ConvolutionMuon([weight])
    optimizer.param_groups[0]["lr"] = RATE
    optimizer.step()
    assert torch.equal(weight, torch.ones(4, 4, 1, 1))


def test_the_convolutions_that_meet_pixels_are_adams() -> None:
    network = create_network("aidn", 4, blocks=1, channels=8)
    every = [layer.weight for layer in network.modules() if isinstance(layer, nn.Conv2d)]
    assert [id(w) for w in inner_convolutions(network)] == [id(w) for w in every[1:-1]]


def test_each_weight_has_one_optimizer() -> None:
    network = create_network("aidn", 4, blocks=1, channels=8)
    optimizers = new_optimizers(network, 3.0)
    counts = [
        sum(p.numel() for group in o.param_groups for p in group["params"])
        for o in optimizers.values()
    ]
    assert sum(counts) == sum(p.numel() for p in network.parameters())


def test_a_weight_that_is_computed_from_others_is_adams() -> None:
    network = create_network("fdiwn", 4)  # whose convolutions are weight-normalised
    inner = {id(weight) for weight in inner_convolutions(network)}
    assert inner <= {id(parameter) for parameter in network.parameters()}


def test_muons_rate_is_a_multiple_of_adams() -> None:
    assert rates(1e-3, 3.0) == {"adam": 1e-3, "muon": pytest.approx(3e-3)}


def test_without_muon_adam_has_all() -> None:
    network = create_network("aidn", 4, blocks=1, channels=8)
    assert list(new_optimizers(network, None)) == list(rates(1e-3, None)) == ["adam"]
