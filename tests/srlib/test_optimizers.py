"""Muon on convolutions: the published update, on the weights that it should have."""

import pytest
import torch
from torch import Tensor, nn

from srlib.networks import create_network
from srlib.training.optimizers import MOMENTUM, inner_convolutions, new_optimizers, rates

RATE = 0.01


def orthogonalised(matrix: Tensor) -> Tensor:
    """Five Newton-Schulz steps on a matrix, written out in float64 from the description of Muon."""
    a, b, c = 3.4445, -4.7750, 2.0315
    x = matrix / matrix.norm()
    tall = x.shape[0] > x.shape[1]
    x = x.T if tall else x
    for _ in range(5):
        square = x @ x.T
        x = a * x + (b * square + c * square @ square) @ x
    return x.T if tall else x


@pytest.mark.parametrize("layout", [torch.channels_last, torch.contiguous_format])
@pytest.mark.parametrize("shape", [(8, 6, 3, 3), (48, 4, 1, 1), (8, 8, 1, 3)])
def test_two_updates_are_those_of_the_description(
    shape: tuple[int, int, int, int], layout: torch.memory_format
) -> None:
    torch.manual_seed(0)
    out, into, height, width = shape
    convolution = nn.Conv2d(into, out, (height, width))
    convolution.weight.data = convolution.weight.data.contiguous(memory_format=layout)
    network = nn.Sequential(nn.Conv2d(3, into, 1), convolution, nn.Conv2d(out, 3, 1))
    optimizer = new_optimizers(network, 3.0)["muon"]
    optimizer.param_groups[0]["lr"] = RATE
    weight = convolution.weight.detach().double().flatten(1)
    momentum = torch.zeros_like(weight)
    for _ in range(2):
        gradient = torch.randn(shape)
        convolution.weight.grad = gradient.to(memory_format=layout)
        optimizer.step()
        momentum = MOMENTUM * momentum + (1 - MOMENTUM) * gradient.double().flatten(1)
        nesterov = (1 - MOMENTUM) * gradient.double().flatten(1) + MOMENTUM * momentum
        rows, columns = weight.shape
        weight -= RATE * max(1, rows / columns) ** 0.5 * orthogonalised(nesterov)
    # PyTorch makes the matrices orthogonal in bfloat16
    found = convolution.weight.detach().double().flatten(1)
    torch.testing.assert_close(found, weight, rtol=0, atol=0.05 * RATE)


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
