"""Networks as small as they can be without losing a path of their code."""

import inspect
from typing import Any

import torch
from torch import nn

from srlib.networks import NETWORKS, create_network

SCALE = 4
# The deepest networks with fewer repetitions of the same block.
SHALLOW: dict[str, dict[str, Any]] = {
    "edsr": {"blocks": 2},
    "drcn": {"recursions": 2, "channels": 16},
    "drrn": {"units": 2, "channels": 16},
    "rcan": {"groups": 2, "blocks": 2},
    "rdn": {"blocks": 2},
    "san": {"groups": 2, "blocks": 2},
    "fdiwn": {"order": (0,)},
    "fdiwn-m": {"order": (0,)},
}


def structure(name: str) -> tuple[object, ...]:
    """The class, its words and flags, and which numbers are 1: others repeat or widen the same."""
    entry = NETWORKS[name]
    parameters = inspect.signature(entry.network).parameters
    settings = {key: parameter.default for key, parameter in parameters.items()} | entry.settings
    kinds = {k: v if isinstance(v, str | bool) else v == 1 for k, v in settings.items()}
    return entry.network, *kinds.items()


STRUCTURES = {structure(name): name for name in reversed(NETWORKS)}  # the first name of each


def create(name: str, scale: int = SCALE, **settings: Any) -> nn.Module:
    torch.manual_seed(0)
    return create_network(name, scale, **settings | SHALLOW.get(name, {}))


def repeated(name: str, times: int, scale: int = SCALE) -> nn.Module:
    """A network with so many repetitions of its block."""
    known = inspect.signature(NETWORKS[name].network).parameters
    depth = {key: times for key in ("blocks", "recursions", "units") if key in known}
    return create(name, scale, **depth)
