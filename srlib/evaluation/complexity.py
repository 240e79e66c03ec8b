"""What a network costs, under names that say their convention.

Papers count "FLOPs" in at least three ways, at two input sizes. Here every figure says what it
counts; the papers' conventions are compared in ``notebooks/01_aidn.ipynb``.
"""

import copy
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrize import cached
from torch.utils.flop_counter import FlopCounterMode

CONVOLUTIONS = (nn.Conv2d, nn.ConvTranspose2d)
POINTWISE = (nn.ReLU, nn.LeakyReLU, nn.PReLU)
NORMS = (nn.BatchNorm2d,)

# What tables of the field mean by "720p": the LR size whose HR output is 1280x720.
LR_720P = {2: (360, 640), 3: (240, 427), 4: (180, 320)}
OF_A_SIZE = ("conv_macs", "ntire_flops", "conv_activations")  # the counts that grow with the image


@dataclass(frozen=True)
class Complexity:
    """Counts for one forward pass of one image.

    Attributes:
        lr_size: (height, width) of the LR input in pixels.
        params: every parameter.
        params_trainable: those that are trained.
        conv_macs: multiply-adds of all convolutions, each application counted; no bias, activation
            or interpolation. A transposed convolution is charged per *input* element.
        ntire_flops: the NTIRE challenge's count, which AIDN's table prints as "FLOPs": convolution
            multiply-adds (a transposed convolution charged per *output* element), plus one
            operation per output element of a ReLU, LeakyReLU or PReLU module and two per output
            element of a batch norm.
        conv_activations: output elements of all convolutions (NTIRE's "activations").
        conv_calls: applications of a convolution.
    """

    lr_size: tuple[int, int]
    params: int
    params_trainable: int
    conv_macs: int
    ntire_flops: int
    conv_activations: int
    conv_calls: int


def complexity(network: nn.Module, lr_size: tuple[int, int] = (256, 256)) -> Complexity:
    """Count parameters, multiply-adds and activations of a network.

    Args:
        network: a module (1, 3, H, W) -> (1, 3, scale*H, scale*W). It is copied to PyTorch's meta
            device: nothing is computed, and the network itself stays as it was.
        lr_size: (height, width) of the LR image in pixels.

    Raises:
        ValueError: an ``lr_size`` that the network cannot process.

    Source: ``torch.utils.flop_counter`` for the multiply-adds (it counts two FLOPs each); the
    NTIRE convention as described in the reports of the efficient super-resolution challenges.
    """
    counted = copy.deepcopy(network).to("meta").eval()
    extra = {"pointwise": 0, "transposed": 0, "activations": 0, "calls": 0}

    def count(module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        if not isinstance(output, Tensor):
            return
        if isinstance(module, CONVOLUTIONS):
            extra["activations"] += output.numel()
            extra["calls"] += 1
        if isinstance(module, nn.ConvTranspose2d):
            # (output - input) elements, each a full kernel over the input channels of its group
            area = module.kernel_size[0] * module.kernel_size[1]
            positions = output[0, 0].numel() - inputs[0][0, 0].numel()
            channels = module.in_channels * module.out_channels // module.groups
            extra["transposed"] += output.shape[0] * positions * area * channels
        extra["pointwise"] += output.numel() * isinstance(module, POINTWISE)
        extra["pointwise"] += 2 * output.numel() * isinstance(module, NORMS)

    hooks = [module.register_forward_hook(count) for module in counted.modules()]
    # cached: a weight-normalised weight is worked out once, not at every application
    with torch.no_grad(), cached(), FlopCounterMode(display=False) as counter:
        counted(torch.empty(1, 3, *lr_size, device="meta"))
    for hook in hooks:
        hook.remove()

    flops = counter.get_flop_counts().get("Global", {})
    conv_macs = sum(n for op, n in flops.items() if "conv" in str(op)) // 2
    return Complexity(
        lr_size=(lr_size[0], lr_size[1]),
        params=parameters(network),
        params_trainable=sum(p.numel() for p in network.parameters() if p.requires_grad),
        conv_macs=conv_macs,
        ntire_flops=conv_macs + extra["transposed"] + extra["pointwise"],
        conv_activations=extra["activations"],
        conv_calls=extra["calls"],
    )


def parameters(module: nn.Module) -> int:
    """Every parameter of a module, a shared one once."""
    return sum(parameter.numel() for parameter in module.parameters())


def counts(network: nn.Module, scale: int) -> dict[str, int]:
    """What a network costs at the two LR sizes that the papers use: a row of ``counts.csv``.

    Args:
        network: as ``complexity`` takes it.
        scale: its magnification, 2, 3 or 4.

    Returns:
        params, params_trainable, conv_calls; then conv_macs, ntire_flops and conv_activations, each
        with ``_256`` for LR 256x256 and with ``_720p`` for the LR of a 1280x720 HR image. See
        ``Complexity`` for what each counts.
    """
    small, large = complexity(network), complexity(network, LR_720P[scale])
    found = {name: getattr(small, name) for name in ("params", "params_trainable", "conv_calls")}
    for size, counted in (("256", small), ("720p", large)):
        found |= {f"{name}_{size}": getattr(counted, name) for name in OF_A_SIZE}
    return found
