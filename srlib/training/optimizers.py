"""Adam for all weights, as in the papers; or Muon for the inner convolutions, Adam for the rest.

Source of Muon: Jordan et al., "Muon: an optimizer for hidden layers in neural networks", 2024. A
convolution's weight is taken as the matrix (out, in x kernel x kernel).
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

MOMENTUM = 0.95


def new_optimizers(network: nn.Module, muon: float | None) -> dict[str, Optimizer]:
    """The optimisers of a stage, by name; their rates are set at each step (``rates``).

    Args:
        network: whose weights they update.
        muon: as ``Train.muon``; None is Adam for all.
    """
    if muon is None:
        return {"adam": Adam(network.parameters(), lr=0.0, fused=True)}
    inner = inner_convolutions(network)
    theirs = {id(weight) for weight in inner}
    rest = [parameter for parameter in network.parameters() if id(parameter) not in theirs]
    return {"adam": Adam(rest, lr=0.0, fused=True), "muon": ConvolutionMuon(inner)}


def rates(lr: float, muon: float | None) -> dict[str, float]:
    """The rate of each optimiser at a step."""
    return {"adam": lr} | ({} if muon is None else {"muon": muon * lr})


def inner_convolutions(network: nn.Module) -> list[nn.Parameter]:
    """The weights of all trained convolutions but the first and the last, which meet pixels.

    A weight that is computed from others (weight normalisation) is not among them.
    """
    weights = [
        parameter
        for layer in network.modules()
        if isinstance(layer, nn.Conv2d)
        for name, parameter in layer.named_parameters(recurse=False)
        if name == "weight" and parameter.requires_grad
    ]
    return weights[1:-1]


class ConvolutionMuon(Optimizer):
    """Muon on the weights of convolutions, each taken as a matrix.

    The update is that of ``torch.optim.Muon`` without weight decay, which a test holds it to; all
    matrices of one shape are made orthogonal at once, and in float32. A network has a hundred small
    ones, which cost several times as much one after the other (benchmarks/step.py).
    """

    def __init__(self, weights: Sequence[nn.Parameter]) -> None:
        super().__init__(weights, {"lr": 0.0})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Update the weights by their gradients; a weight without one stays."""
        for group in self.param_groups:
            weights = [weight for weight in group["params"] if weight.grad is not None]
            if not weights:
                continue
            gradients = [weight.grad for weight in weights]
            for weight in weights:
                self.state[weight].setdefault("momentum", torch.zeros_like(weight))
            momenta = [self.state[weight]["momentum"] for weight in weights]
            torch._foreach_lerp_(momenta, gradients, 1 - MOMENTUM)
            updates = torch._foreach_lerp(gradients, momenta, MOMENTUM)  # Nesterov's
            by_shape: dict[torch.Size, list[int]] = {}
            for number, weight in enumerate(weights):
                by_shape.setdefault(as_matrix(weight).shape, []).append(number)
            for (rows, columns), numbers in by_shape.items():
                stack = torch.stack([as_matrix(updates[number]) for number in numbers])
                rate = group["lr"] * max(1, rows / columns) ** 0.5
                for number, update in zip(numbers, orthogonalised(stack), strict=True):
                    as_matrix(weights[number]).sub_(update, alpha=rate)


def orthogonalised(matrices: Tensor) -> Tensor:
    """Nearly orthogonal matrices (N, rows, columns): singular values end between 0.7 and 1.2.

    Five Newton-Schulz steps of a quintic whose coefficients rise fastest from zero.
    """
    a, b, c = 3.4445, -4.7750, 2.0315
    tall = matrices.shape[-2] > matrices.shape[-1]
    x = matrices.mT if tall else matrices
    x = x / x.norm(dim=(-2, -1), keepdim=True).clamp(min=1e-7)
    for _ in range(5):
        square = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(square, square, square, beta=b, alpha=c), x, beta=a)
    return x.mT if tall else x


def as_matrix(weight: Tensor) -> Tensor:
    """(out, in, kernel, kernel) as (out, in x kernel x kernel), columns in the order of memory.

    It shares its memory with the weight. The order of columns does not matter to Muon: it makes
    the matrix orthogonal, and a permutation of columns is orthogonal too.
    """
    if weight.is_contiguous(memory_format=torch.channels_last):
        weight = weight.permute(0, 2, 3, 1)
    return weight.flatten(1)
