"""Weights from elsewhere: what a file holds is told by its names and shapes, as spandrel does."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from srlib.networks import NETWORKS, check_name, create_network
from srlib.weights.files import (
    WeightsError,
    apply_state,
    read_state,
    state_sha256,
    verify,
)
from srlib.weights.official import official, rename
from srlib.weights.pretrained import SAME

SCALES = (2, 3, 4)
PREFIX = "module."  # of nn.DataParallel and DistributedDataParallel

Shapes = dict[str, tuple[int, ...]]


@dataclass(frozen=True)
class Fit:
    """A network that a file's tensors fit, name by name and shape by shape.

    Attributes:
        network, scale: of the registry.
        names: "srlib", or the entry of ``official.yaml`` by whose names the tensors are called.
    """

    network: str
    scale: int
    names: str

    def settings(self) -> dict[str, Any]:
        return {} if self.names == "srlib" else official()[self.names]["settings"]

    def renamed(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return dict(tensors) if self.names == "srlib" else rename(tensors, self.names)


def load_foreign(path: str | Path, scale: int, name: str | None = None) -> tuple[nn.Module, Fit]:
    """The network that a file of another program holds, ready to evaluate, in float32.

    Args:
        path: a safetensors, or a ``.pth`` of plain tensors (``read_state``), which may have the
            prefix ``module.`` and be of 16 bits.
        scale: of the network; some have the same weights at every scale.
        name: of the network, where the file fits several. With it there is less to compare, which
            else takes a few seconds.

    Raises:
        WeightsError: no such file or no table of tensors, a value that is not finite, or a file
            that fits no network, another one, or several; names what is missing or left over.
    """
    if name:
        check_name(name)
    tensors = _plain(read_state(path)[0])
    found = fits(tensors, scale, name)
    if not found:
        raise WeightsError(f"{path} {_why_not(tensors, scale, name)}")
    if len({(SAME.get(fit.network, fit.network), str(fit.settings())) for fit in found}) > 1:
        names = ", ".join(sorted({fit.network for fit in found}))
        raise WeightsError(f"{path} fits {names}; say which one it is with --network")
    fit = found[0]
    network = create_network(fit.network, fit.scale, **fit.settings())
    apply_state(network, fit.renamed(tensors), str(path))
    return network.eval(), fit


def describe(path: str | Path) -> str:
    """What a weights file is, in lines for a reader.

    Raises:
        WeightsError: no such file, or no table of tensors.
    """
    state, header = read_state(path)
    tensors = _plain(state)
    kinds = sorted({str(each.dtype).removeprefix("torch.") for each in state.values()})
    digest = state_sha256(state)
    lines = [
        f"{path}: {len(state)} tensors, {sum(each.numel() for each in state.values()):,} values, "
        f"{', '.join(kinds)}",
        f"sha256 of the tensors: {digest}",
    ]
    if "network" in header:
        known = "as its run wrote it" if verify(path) else "no record lies beside it"
        lines.append(
            f"trained by srlib: {header['network']} x{header.get('scale')}, run "
            f"{header.get('run', 'unknown')}, {known}"
        )
        return "\n".join(lines)
    for names, entry in official().items():
        for scale, file in entry["files"].items():
            if file["state_sha256"] == digest:
                lines.append(f"the authors' published weights: --official {names} --scale {scale}")
    found = [fit for scale in SCALES for fit in fits(tensors, scale)]
    lines += sorted({f"fits --network {fit.network} --scale {fit.scale}" for fit in found})
    if not found:
        lines += sorted({_why_not(tensors, scale, None) for scale in SCALES[-1:]})
    for name, each in tensors.items():
        if each.is_floating_point() and not bool(each.isfinite().all()):
            lines.append(f"cannot be used: {name} has values that are not finite")
            break
    return "\n".join(lines)


def fits(tensors: Mapping[str, Tensor], scale: int, name: str | None = None) -> list[Fit]:
    """Every network of the registry, and of the authors' files, that these tensors fit."""
    return [fit for fit, shapes in _known(scale, name) if shapes == _shapes(fit.renamed(tensors))]


def _plain(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Without the prefix, and floats as float32."""
    cut = all(name.startswith(PREFIX) for name in tensors)
    return {
        name.removeprefix(PREFIX) if cut else name: each.float()
        if each.is_floating_point()
        else each
        for name, each in tensors.items()
    }


@cache
def _known(scale: int, name: str | None) -> list[tuple[Fit, Shapes]]:
    """What there is to fit: networks on the meta device, which have shapes and no values."""
    places = [Fit(each, scale, "srlib") for each in NETWORKS]
    places += [
        Fit(entry["network"], scale, names)
        for names, entry in official().items()
        if scale in entry["files"]
    ]
    known = []
    for fit in places:
        if name not in (None, fit.network):
            continue
        try:
            with torch.device("meta"):
                network = create_network(fit.network, fit.scale, **fit.settings())
        except ValueError:  # not offered at this scale
            continue
        known.append((fit, _shapes(network.state_dict())))
    return known


def _shapes(tensors: Mapping[str, Tensor]) -> Shapes:
    return {name: tuple(each.shape) for name, each in tensors.items()}


def _why_not(tensors: Mapping[str, Tensor], scale: int, name: str | None) -> str:
    """Another scale that the tensors fit, or what the nearest network lacks."""
    for other in SCALES:
        if other != scale and (found := fits(tensors, other, name)):
            return f"holds {found[0].network} x{other}, not x{scale}; correct --scale"

    def common(known: tuple[Fit, Shapes]) -> int:
        fit, shapes = known
        return len(shapes.items() & _shapes(fit.renamed(tensors)).items())

    known = _known(scale, name)
    if not known or not common(nearest := max(known, key=common)):
        return f"holds no network that srlib knows{f', not {name}' if name else ''} at x{scale}"
    fit, shapes = nearest
    own = _shapes(fit.renamed(tensors))
    parts = {
        "missing": sorted(shapes.keys() - own.keys()),
        "left over": sorted(own.keys() - shapes.keys()),
        "of other shapes": sorted(
            each for each in shapes.keys() & own.keys() if shapes[each] != own[each]
        ),
    }
    said = "; ".join(
        f"{len(names)} {what}, such as {names[0]}" for what, names in parts.items() if names
    )
    return f"fits no network; the nearest is {fit.network} x{fit.scale}: {said}"
