"""Initial weights under which every convolution's output has unit variance."""

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrize import is_parametrized

LAST = 0.1  # of the last convolution, which makes pixels in 0..1 and not features


def unit_variance(network: nn.Module, lr: Tensor) -> None:
    """Draw orthogonal weights, and scale each convolution, in the order of one pass, in place.

    PyTorch's own initial weights shrink the signal at each convolution, and AIDN's blocks, which
    have no shortcut around them, halve it again in the attention: a short run spends its steps on
    undoing that. Convolutions that are frozen, or whose weight is computed from other parameters
    (weight normalisation), stay as they are. The draw is from PyTorch's global generator.

    Args:
        network: on the CPU, in float32.
        lr: an LR batch (N, 3, H, W) in 0..1 to measure the variances on.

    Source: LSUV, Mishkin and Matas, "All you need is a good init", ICLR 2016; one scaling for each
    layer, and a smaller one for the last (``LAST``), which is ours.
    """
    touched: list[nn.Conv2d] = []

    def scale(layer: nn.Conv2d, _: object, output: Tensor) -> Tensor:
        deviation = float(output.std())
        if layer not in touched and deviation > 0:
            touched.append(layer)
            layer.weight.data /= deviation
            return output / deviation
        return output

    hooks = []
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d) and layer.weight.requires_grad:
            if is_parametrized(layer):
                continue
            nn.init.orthogonal_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
            hooks.append(layer.register_forward_hook(scale))
    with torch.no_grad():
        network(lr)
    for hook in hooks:
        hook.remove()
    if touched:
        touched[-1].weight.data *= LAST
