"""Every network under one interface: RGB or grey LR in 0..1 in, RGB HR in 0..1 out.

``NETWORKS`` is the whole registry: a name, the class, and the settings that make the variant.
"""

from typing import Any, NamedTuple

from torch import nn

from srlib.networks.aidn import AIDN


class Entry(NamedTuple):
    """One name of the registry: the class, its settings, and what the variant is."""

    network: type[nn.Module]
    settings: dict[str, Any]
    about: str


NETWORKS: dict[str, Entry] = {
    "aidn": Entry(AIDN, {}, "AIDN, six blocks: the published counts"),
    "aidn-base": Entry(AIDN, {"block": "base"}, "AIDN Table 2, Base (reconstructed)"),
    "aidn-aieb": Entry(AIDN, {"block": "aieb"}, "AIDN Table 2, AIEB (reconstructed)"),
    "aidn-fdc": Entry(AIDN, {"block": "fdc"}, "AIDN Table 2, FDC: no reuse of distilled features"),
    "aidn-aidb": Entry(AIDN, {"block": "aidb"}, "AIDN Table 2, AIDB: the same network as aidn"),
}


def list_networks() -> list[str]:
    """Names that ``create_network`` takes, sorted."""
    return sorted(NETWORKS)


def create_network(name: str, scale: int = 4, **overrides: Any) -> nn.Module:
    """Build a network with PyTorch's default initialisation.

    Args:
        name: one of ``list_networks()``.
        scale: magnification, 2, 3 or 4 in the papers.
        **overrides: settings of the class, such as ``blocks=4``.

    Returns:
        A module (N, 3 or 1, H, W) in 0..1 -> (N, 3, scale*H, scale*W). ``module.scale`` is the
        magnification, ``module.least_size`` the smallest LR height and width.

    Raises:
        ValueError: unknown name or impossible setting.
        TypeError: a setting that the network does not have.
    """
    if name not in NETWORKS:
        raise ValueError(
            f"network {name!r} is unknown; srlib.list_networks() gives {', '.join(list_networks())}"
        )
    if isinstance(scale, bool) or not isinstance(scale, int):
        raise ValueError(f"scale={scale!r} must be a whole number, such as 4")
    entry = NETWORKS[name]
    return entry.network(scale=scale, **{**entry.settings, **overrides})
