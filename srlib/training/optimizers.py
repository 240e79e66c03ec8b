"""Adam for all weights, as in the papers; or Muon for the inner convolutions, Adam for the rest.

Source of Muon: Jordan et al., "Muon: an optimizer for hidden layers in neural networks", 2024,
kept in PyTorch as ``torch.optim.Muon``, which takes matrices. A convolution's weight is taken as
the matrix (out, in x kernel x kernel).
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Adam, Muon, Optimizer

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


class ConvolutionMuon(Muon):
    """``torch.optim.Muon`` on convolutions: each weight is updated through a view as a matrix.

    No weight decay; each update is multiplied by sqrt(max(1, rows / columns)), as in Muon's first
    form.
    """

    def __init__(self, weights: Sequence[nn.Parameter]) -> None:
        self.weights = weights
        matrices = [as_matrix(weight.detach()) for weight in weights]
        settings: dict[str, Any] = {"lr": 0.0, "weight_decay": 0.0, "momentum": MOMENTUM}
        super().__init__(matrices, **settings, adjust_lr_fn="original")

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        """Update the weights by their gradients."""
        for matrix, weight in zip(self.param_groups[0]["params"], self.weights, strict=True):
            matrix.grad = None if weight.grad is None else as_matrix(weight.grad)
        return super().step(closure)


def as_matrix(weight: Tensor) -> Tensor:
    """(out, in, kernel, kernel) as (out, in x kernel x kernel), columns in the order of memory.

    A weight shares its memory with the matrix. The order of columns does not matter to Muon: it
    makes the matrix orthogonal, and a permutation of columns is orthogonal too.
    """
    if weight.is_contiguous(memory_format=torch.channels_last):
        weight = weight.permute(0, 2, 3, 1)
    return weight.flatten(1)
