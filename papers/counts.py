"""Printed counts beside those of the networks themselves, and the reason where they differ."""

from functools import cache
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import torch
import yaml
from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from papers.printed import FOLDER, PublishedError, cells
from srlib.evaluation.complexity import LR_720P, Complexity, complexity
from srlib.networks import create_network

COUNTS = {"params": "params", "ntire_flops": "ntire_flops", "macs_720p": "conv_macs"}
UNITS = {"": 1.0, "K": 1e3, "M": 1e6, "G": 1e9}


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Reason:
    """Why printed cells differ: of this network and quantity and, if named, paper and scales."""

    network: str
    quantity: Literal["params", "ntire_flops", "macs_720p"]
    reason: str
    paper: str | None = None
    scales: list[int] | None = None

    def covers(self, cell: dict) -> bool:
        return (
            (self.network, self.quantity) == (cell["network"], cell["quantity"])
            and self.paper in (None, cell["paper"])
            and (self.scales is None or cell["scale"] in self.scales)
        )


def reasons(folder: Path = FOLDER) -> list[Reason]:
    """The entries of ``papers/rules/counts.yaml``.

    Raises:
        PublishedError: an entry of the wrong form; names it.
    """
    path = folder / "rules" / "counts.yaml"
    try:
        return TypeAdapter(list[Reason]).validate_python(yaml.safe_load(path.read_text()))
    except (ValidationError, yaml.YAMLError, OSError) as error:
        raise PublishedError(f"{path}: {error}") from error


class Counts(dict[str, Complexity]):
    """One network's counts at the two sizes that the papers use, each made when first asked for.

    "256" is LR 256x256, "720p" the LR of HR 1280x720. ``params`` needs no pass through the network.
    """

    def __init__(self, network: str, scale: int, **settings: Any) -> None:
        super().__init__()
        self.sizes = {"256": (256, 256), "720p": LR_720P[scale]}
        with torch.device("meta"):
            self.network = create_network(network, scale, **settings)
        self.params = sum(parameter.numel() for parameter in self.network.parameters())

    def __missing__(self, size: str) -> Complexity:
        self[size] = complexity(self.network, self.sizes[size])
        return self[size]


@cache
def measure(network: str, scale: int, **settings: Any) -> Counts:
    """Counts of a network of this scale, made once; settings as ``create_network`` takes them."""
    return Counts(network, scale, **settings)


def printed_beside() -> pd.DataFrame:
    """Every printed count of a network that exists here.

    Returns:
        A row a cell: paper, table, row, network, scale, quantity, printed, published and measured
        (in the printed unit), difference, agrees (ours, rounded or cut off to the printed digits,
        is what is printed), and the reason where it is not.
    """
    table = cells()
    table = table[table["quantity"].isin(list(COUNTS)) & table["network"].notna()]
    known = reasons()
    rows = []
    for cell in table.to_dict("records"):
        measured = measure(cell["network"], cell["scale"])
        counts = measured["720p" if cell["quantity"] == "macs_720p" else "256"]
        exact = getattr(counts, COUNTS[cell["quantity"]]) / UNITS[cell["unit"]]
        step = 10.0 ** -len(cell["printed"].rstrip("KMG ").partition(".")[2])
        difference = exact - cell["value"]
        agrees = bool(-step / 2 <= difference < step)
        why = next((known_reason.reason for known_reason in known if known_reason.covers(cell)), "")
        rows.append(
            {name: cell[name] for name in ("paper", "table", "row", "network", "scale")}
            | {"quantity": cell["quantity"], "printed": cell["printed"]}
            | {"published": cell["value"], "measured": exact, "difference": difference}
            | {"agrees": agrees, "reason": "" if agrees else why}
        )
    return pd.DataFrame(rows)
