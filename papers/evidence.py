"""The rows that a verdict rests on: printed cells, stated numbers, counts, scores, and more.

Each function returns evidence, a table of the columns ``EVIDENCE``, a row or more; ``rows`` joins
them. Beside these columns a printed cell has its ``Number``, and what is worked out from two of
them its ``Span``.
"""

from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from papers.counts import count
from papers.printed import Number, Span, cells
from papers.results import results
from srlib.paths import ROOT

# The sets that the papers score on, in their order; Manga109 is licensed to each user.
SETS = ("Set5", "Set14", "B100", "Urban100", "Manga109")
CODE = "code"  # the run of what is counted by code: it is the commit
KINDS = ("stated", "printed", "measured", "derived")
EVIDENCE = ["kind", "paper", "table", "row", "scale", "column", "quantity", "value", "unit"]
EVIDENCE += ["low", "high", "run"]


class ClaimError(ValueError):
    """A claim that is not there, is there twice, or does not show what it rests on; names it."""


def printed(
    paper: str,
    table: str,
    row: str | None = None,
    column: str | None = None,
    quantity: str | None = None,
    scale: int | None = None,
) -> pd.DataFrame:
    """Printed cells as evidence; None takes all.

    Args:
        paper, table, row, column, quantity, scale: as ``papers.printed.cells`` names them.

    Raises:
        ClaimError: no such cell; says what was asked for.
    """
    asked: dict[str, str | int | None]
    asked = {"paper": paper, "table": table, "row": row, "column": column}
    asked |= {"quantity": quantity, "scale": scale}
    found = _cells()
    for key, wanted in asked.items():
        if wanted is not None:
            found = found[found[key] == wanted]
    if found.empty:
        raise ClaimError(f"papers/{paper}/printed.yaml has no number at {asked}")
    return of_columns(found.assign(kind="printed", run=""))


def stated(paper: str, where: str, quantity: str, value: float, unit: str = "") -> pd.DataFrame:
    """A number of the paper's running text as evidence; ``where`` cites its section."""
    return one_row("stated", paper=paper, row=where, quantity=quantity, value=value, unit=unit)


def counted(
    network: str, scale: int | Sequence[int], quantity: str = "params", **settings: Any
) -> pd.DataFrame:
    """A count of a network, by code, as evidence; of several scales a row each.

    Args:
        network, scale, quantity, **settings: as ``papers.counts.count`` takes them.
    """
    if not isinstance(scale, int):
        return rows(*(counted(network, each, quantity, **settings) for each in scale))
    value = count(network, scale, quantity, **settings)
    name = " ".join([network, *(f"{key}={setting}" for key, setting in settings.items())])
    return computed(name, quantity, value, scale=scale)


def computed(row: str, quantity: str, value: float, **cell: Any) -> pd.DataFrame:
    """Anything else that code of this repository measured, as evidence; its run is the commit."""
    return one_row("measured", row=row, quantity=quantity, value=value, run=CODE, **cell)


def derived(row: str, quantity: str, value: float, **cell: Any) -> pd.DataFrame:
    """A value worked out from other evidence, such as a difference of two cells, as evidence."""
    return one_row("derived", row=row, quantity=quantity, value=value, **cell)


def scored(
    campaign: str, method: str, sets: Sequence[str], scale: int = 4, root: Path = ROOT
) -> pd.DataFrame:
    """Measured PSNR-Y (dB) of a method as evidence, a row a seed and set; none if not measured."""
    found = results(root)
    found = found[(found["campaign"] == campaign) & (found["method"] == method)]
    found = found[(found["scale"] == scale) & found["set"].isin(list(sets))]
    found = found.rename(columns={"set": "column", "method": "row", "psnr_y": "value"})
    return of_columns(found.assign(kind="measured", quantity="psnr_y", unit="dB"))


def gaps(ours: pd.DataFrame, theirs: pd.DataFrame) -> pd.DataFrame:
    """Ours minus theirs, a row a quantity, scale and column that both have, as evidence."""
    return _pairs(ours, theirs, "minus")


def ratios(ours: pd.DataFrame, theirs: pd.DataFrame) -> pd.DataFrame:
    """Ours over theirs, a row a quantity, scale and column that both have, as evidence."""
    return _pairs(ours, theirs, "over")


def rows(*parts: pd.DataFrame) -> pd.DataFrame:
    """Parts of evidence one under the other."""
    return of_columns(pd.DataFrame([row for part in parts for row in part.to_dict("records")]))


def as_counted(printed: pd.DataFrame, counted: pd.DataFrame) -> list[bool]:
    """Whether each printed count is the one beside it, row by row, by the rule of ``Number``."""
    pairs = zip(printed["number"], counted["value"], strict=True)
    return [number.in_full.admits(value) for number, value in pairs]


def value(cell: pd.DataFrame) -> float:
    """The value of a single row of evidence."""
    return float(cell["value"].item())


def _pairs(ours: pd.DataFrame, theirs: pd.DataFrame, how: Literal["minus", "over"]) -> pd.DataFrame:
    keys = ["quantity", "scale", "column"]
    both = ours.merge(theirs, on=keys, suffixes=("", "_theirs"))
    if both.empty:
        raise ClaimError(f"nothing to compare: no {listed(keys)} that both sides have")
    found = both["value"] - both["value_theirs"]
    if how == "over":
        found = both["value"] / both["value_theirs"]
    both = both.assign(
        kind="derived",
        value=found.round(6),  # a difference of printed decimals is a decimal again
        span=pd.Series(
            [_span(a, b, how) for a, b in both[["number", "number_theirs"]].to_numpy()],
            dtype=object,
        ),
        unit=both["unit"] if how == "minus" else "",
        row=both["row"] + f" {how} " + both["row_theirs"],
        run=[
            runs_of(pd.DataFrame({"run": runs})) for runs in both[["run", "run_theirs"]].to_numpy()
        ],
    )
    return of_columns(both)


@cache
def _cells() -> pd.DataFrame:
    return cells()


def one_row(kind: str, **cell: Any) -> pd.DataFrame:
    return of_columns(pd.DataFrame([{"kind": kind} | cell]))


def of_columns(table: pd.DataFrame) -> pd.DataFrame:
    """The columns of evidence, in order: text where there is none is empty, a number is missing."""
    kinds: dict[str, Any] = dict.fromkeys(("value", "low", "high"), "float64") | {"scale": "Int64"}
    columns = {}
    for name in (*EVIDENCE, "number", "span"):  # one by one: many tables of a row or two are made
        found = table[name].tolist() if name in table else [None] * len(table)
        if name in EVIDENCE and name not in kinds:
            found = ["" if pd.isna(text) else text for text in found]
        columns[name] = pd.Series(found, dtype=kinds.get(name, object))
    return pd.DataFrame(columns)


def runs_of(table: pd.DataFrame) -> str:
    runs = " ".join(str(run) for run in table["run"] if isinstance(run, str)).split()
    return " ".join(dict.fromkeys(runs))


def listed(names: Iterable[str]) -> str:
    return ", ".join(names)


def _span(ours: Any, theirs: Any, how: Literal["minus", "over"]) -> Span | None:
    """Where the difference or ratio of two printed numbers lies; None of anything else."""
    if not (isinstance(ours, Number) and isinstance(theirs, Number)):
        return None
    a, b = ours.in_full.interval, theirs.in_full.interval
    return a.minus(b) if how == "minus" else a.over(b)
