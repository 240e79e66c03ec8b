"""What the networks cost, and the printed counts beside it, with the reason where they differ.

Every network's counts are read from ``results/counts.csv``, a tracked output of the stage
``count``. Only settings that no name of the registry has, such as ``blocks=4``, are counted live.
"""

from collections.abc import Iterable
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import torch
import yaml
from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass
from torch import nn

from papers.printed import FACTORS, FOLDER, PublishedError, cells, published
from srlib import paths
from srlib.evaluation.complexity import LR_720P, Complexity, complexity, parameters
from srlib.networks import create_network

# Counts as ``papers.printed`` names them, and their column of ``counts.csv``.
QUANTITIES = {
    "params": "params",
    "ntire_flops": "ntire_flops_256",
    "macs_720p": "conv_macs_720p",
    "activations": "conv_activations_256",
}
# Columns of ``counts.csv`` as a reader wants them, each in its unit.
READABLE = {
    "parameters": ("params", ""),
    "MACs, LR 256² (G)": ("conv_macs_256", "G"),
    "NTIRE FLOPs, LR 256² (G)": ("ntire_flops_256", "G"),
    "MACs, HR 1280×720 (G)": ("conv_macs_720p", "G"),
    "activations, LR 256² (M)": ("conv_activations_256", "M"),
}
COST = [heading for heading in READABLE if heading != "MACs, LR 256² (G)"]


@cache
def tracked() -> dict[tuple[str, int], dict[str, int]]:
    """``results/counts.csv``: the counts of each network and scale, by column.

    Raises:
        FileNotFoundError: it is not there; says how it is made.
    """
    path = paths.counts()
    if not path.is_file():
        raise FileNotFoundError(f"{path} does not exist; `dvc repro count` makes it")
    table = pd.read_csv(path).set_index(["network", "scale"])
    rows = zip(table.index, table.to_numpy().tolist(), strict=True)
    return {key: dict(zip(table.columns, row, strict=True)) for key, row in rows}


def count(network: str, scale: int, quantity: str, **settings: Any) -> int:
    """One count of a network.

    Args:
        network, scale: as ``create_network`` takes them.
        quantity: one of ``QUANTITIES``, or a column of ``counts.csv``.
        **settings: of the network, such as ``blocks=4``; with them parameters, and what a size is
            named for, are counted live.

    Raises:
        ValueError: ``counts.csv`` has no such network at this scale.
    """
    column = QUANTITIES.get(quantity, quantity)
    if settings and column == "params":  # without the forward pass that the others need
        return parameters(_built(network, scale, **settings))
    if settings:
        name, _, size = column.rpartition("_")
        lr_size = {"256": (256, 256), "720p": LR_720P[scale]}
        return getattr(at_size(network, scale, lr_size[size], **settings), name)
    if (network, scale) not in tracked():
        raise ValueError(
            f"{paths.counts()} has no {network} x{scale}; `dvc repro count` counts every network "
            "of srlib.list_networks() at the scales that it has"
        )
    return tracked()[network, scale][column]


@cache
def at_size(network: str, scale: int, lr_size: tuple[int, int], **settings: Any) -> Complexity:
    """A network's counts at an LR size that ``counts.csv`` does not have, live."""
    return complexity(_built(network, scale, **settings), lr_size)


def _built(network: str, scale: int, **settings: Any) -> nn.Module:
    with torch.device("meta"):
        return create_network(network, scale, **settings)


def readable(networks: Iterable[tuple[str, int]]) -> pd.DataFrame:
    """Counts of networks as a reader wants them: network, scale, and the columns ``READABLE``."""
    rows = []
    for network, scale in networks:
        row: dict[str, Any] = {"network": network, "scale": scale}
        for heading, (column, unit) in READABLE.items():
            counted = count(network, scale, column)
            row[heading] = counted / FACTORS[unit] if unit else counted
        rows.append(row)
    return pd.DataFrame(rows, columns=["network", "scale", *READABLE])


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class CountDifference:
    """Why printed counts differ: of this network and quantity and, if named, paper and scales."""

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


def differences(folder: Path = FOLDER) -> list[CountDifference]:
    """The entries of ``papers/rules/counts.yaml``.

    Raises:
        PublishedError: an entry of the wrong form; names it.
    """
    path = folder / "rules" / "counts.yaml"
    try:
        return TypeAdapter(list[CountDifference]).validate_python(yaml.safe_load(path.read_text()))
    except (ValidationError, yaml.YAMLError, OSError) as error:
        raise PublishedError(f"{path}: {error}") from error


def divided(folder: Path = FOLDER) -> pd.DataFrame:
    """AIDN's Table 3 beside the literature's multiply-adds, divided.

    Its FLOPs of older networks are no counts of its own: they are multiply-adds at 1280x720, as
    other papers print them, over one factor a scale. ``rules/literature.yaml`` has both.

    Returns:
        A row a cell: row, scale, printed, literature (G), divisor, divided (G), agrees (it prints
        as the cell, by the rule of ``Number``).
    """
    known = yaml.safe_load((folder / "rules" / "literature.yaml").read_text(encoding="utf-8"))
    table = published("aidn", "3", folder)
    table = table[table["quantity"] == "ntire_flops"]
    rows = []
    for cell in table.to_dict("records"):
        printed = known["rows"].get(cell["row"], {}).get(cell["scale"])
        if printed is None:
            continue
        divisor = Fraction(str(known["divisors"][cell["scale"]]))
        quotient = Fraction(printed) / divisor
        rows.append(
            {"row": cell["row"], "scale": cell["scale"], "printed": cell["printed"]}
            | {"literature": float(printed), "divisor": float(divisor)}
            | {"divided": float(quotient), "agrees": cell["number"].admits(quotient)}
        )
    return pd.DataFrame(rows)


def printed_counts(
    paper: str | None = None, table: str | None = None, **settings: Any
) -> pd.DataFrame:
    """Every printed count of a network that exists here, beside its own.

    Args:
        paper, table: as ``published`` takes them; all if None.
        **settings: of the networks, such as ``blocks=4``; with them, only the rows of the paper's
            own networks.

    Returns:
        A row a cell: paper, table, source, row, network, scale, quantity, unit, printed, published
        and measured (in the unit), difference, agrees (ours is what is printed, by the rule of
        ``Number``), and the reason where it is not.
    """
    found = cells()
    found = found[found["quantity"].isin(list(QUANTITIES)) & found["network"].notna()]
    for column, wanted in (("paper", paper), ("table", table)):
        if wanted is not None:
            found = found[found[column] == wanted]
    if settings:
        found = found[[net.startswith(p) for net, p in found[["network", "paper"]].to_numpy()]]
    known = differences()
    keys = ["paper", "table", "source", "row", "network", "scale", "quantity", "unit", "printed"]
    rows = []
    for cell in found.to_dict("records"):
        counted = count(cell["network"], cell["scale"], cell["quantity"], **settings)
        exact = counted / FACTORS[cell["unit"]]
        agrees = cell["number"].admits(exact)
        why = next((one.reason for one in known if one.covers(cell)), "")
        rows.append(
            {key: cell[key] for key in keys}
            | {"published": cell["value"], "measured": exact}
            | {"difference": exact - cell["value"], "agrees": agrees}
            | {"reason": "" if agrees else why}
        )
    columns = [*keys, "published", "measured", "difference", "agrees", "reason"]
    return pd.DataFrame(rows, columns=columns)
