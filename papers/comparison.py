"""Every cell of the papers' tables beside what is measured here for it, and why not where not.

What belongs to which printed row, and how close is the same, is data:
``papers/rules/measured.yaml``. ``papers.show.paper_tables`` shows and exports these tables.
"""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
import yaml
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from papers.counts import COST, QUANTITIES, count, differences, readable
from papers.printed import (
    FACTORS,
    FOLDER,
    SCORES,
    Column,
    Empty,
    Number,
    PublishedError,
    Row,
    Table,
    list_papers,
    load_paper,
)
from papers.results import over_seeds, results
from srlib.networks import NETWORKS
from srlib.paths import ROOT
from srlib.weights.official import official

STRICT = ConfigDict(extra="forbid", arbitrary_types_allowed=True)
STATUSES = ("within", "outside", "not comparable", "empty")
WORST = ("outside", "empty", "not comparable", "within")  # first decides for a cell of two numbers
CODE_RUN = "srlib.complexity"  # a count is made by the code of the commit that shows it
KEYS = ["row", "scale", "column"]


class Place(NamedTuple):
    """A number of a printed table: what the lists of ``measured.yaml`` are searched by."""

    table: str
    row: str
    network: str | None
    scale: int
    quantity: str
    set: str
    source: str = ""


@dataclass(frozen=True, config=STRICT)
class Origin:
    """Where a measured number is from; without a tolerance it is shown and not judged."""

    label: str
    why: str
    tolerance: dict[str, float] = Field(default_factory=dict)


@dataclass(frozen=True, config=STRICT)
class Belongs:
    """The measured method of a printed row, by the row's own name or our network's."""

    method: str
    source: Literal["weights", "resampling", "own"]
    reason: str
    row: str | None = None
    network: str | None = None
    tables: list[str] | None = None
    scales: list[int] | None = None
    campaign: str = "benchmarks"

    def covers(self, place: Place) -> bool:
        named = place.row == self.row if self.row else place.network == self.network
        return named and _in(place.table, self.tables) and _in(place.scale, self.scales)


@dataclass(frozen=True, config=STRICT)
class ExtraRow:
    """A row of our own below the printed ones: public weights that are not quite a row's."""

    row: str
    tables: list[str]
    scale: int
    method: str
    reason: str


@dataclass(frozen=True, config=STRICT)
class ScoreDifference:
    """Why scores of a method are outside the tolerance."""

    method: str
    reason: str
    sets: list[str] | None = None


@dataclass(frozen=True, config=STRICT)
class Nothing:
    """Why nothing is measured for a printed cell; a key that is left out matches every cell."""

    code: str
    reason: str
    tables: list[str] | None = None
    rows: list[str] | None = None
    networks: list[str] | None = None
    scales: list[int] | None = None
    quantities: list[str] | None = None
    sets: list[str] | None = None
    sources: list[str] | None = None

    def covers(self, place: Place) -> bool:
        lists = (self.tables, self.rows, self.networks, self.scales)
        more = (self.quantities, self.sets, self.sources)
        return all(_in(v, known) for v, known in zip(place, (*lists, *more), strict=True))


@dataclass(frozen=True, config=STRICT)
class Unread:
    """The short code of a printed cell without a value."""

    code: str
    begins: str


@dataclass(frozen=True, config=STRICT)
class Measured:
    """The file ``papers/rules/measured.yaml``."""

    sources: dict[str, Origin]
    rows: list[Belongs]
    entries: list[ExtraRow]
    differences: list[ScoreDifference]
    nothing: list[Nothing]
    unread: list[Unread]


@dataclass(frozen=True, config=STRICT)
class PaperTable:
    """One printed table, published beside measured.

    Attributes:
        paper, table: as ``published`` names them.
        source: how the table is cited.
        about: what it shows.
        columns: the printed columns by our key.
        cells: a row a printed number, in the printed order, then our own rows. Columns: row, entry
            (whether the row is ours), scale, column, quantity, printed (as the cell stands),
            published, measured (in the printed unit), difference, digits (printed after the
            point), spread (largest minus smallest seed), seeds, from, method, runs, status (one
            of ``STATUSES``), code (of an empty cell), reason (of all that are not within).
    """

    paper: str
    table: str
    source: str
    about: str
    columns: dict[str, Column]
    cells: pd.DataFrame

    @property
    def name(self) -> str:
        """Paper and table, as a file is named."""
        return f"{self.paper}-table-{self.table.replace(' ', '-')}"

    @property
    def frame(self) -> pd.DataFrame:
        """A row a printed row; for each printed column published | measured | difference."""
        parts = ["published", "measured", "difference"]
        wide = self.cells.assign(
            column=[
                f"{column} {quantity}" if self.columns[column].quantity == "psnr/ssim" else column
                for column, quantity in zip(
                    self.cells["column"], self.cells["quantity"], strict=True
                )
            ]
        )
        words = wide["published"].isna() & wide["quantity"].isin(["author", "extra_data", "trend"])
        wide["published"] = wide["published"].where(~words, wide["printed"])
        order = list(dict.fromkeys(zip(wide["row"], wide["scale"], strict=True)))
        columns = [(c, part) for c in dict.fromkeys(wide["column"]) for part in parts]
        table = wide.pivot_table(parts, ["row", "scale"], "column", aggfunc="first")
        return table.swaplevel(axis=1).reindex(index=order, columns=columns)

    @property
    def status(self) -> pd.DataFrame:
        """The printed cells (two numbers of one cell together): row, scale, column, measured
        (whether anything is), status: the worst of its numbers."""
        own = self.cells[~self.cells["entry"]]
        grouped = own.assign(
            rank=own["status"].map(WORST.index), measured=own["measured"].notna()
        ).groupby(KEYS, sort=False)
        found = grouped.agg(rank=("rank", "min"), measured=("measured", "any")).reset_index()
        return found.assign(status=[WORST[i] for i in found["rank"]]).drop(columns="rank")


def load_measured(folder: Path = FOLDER) -> Measured:
    """Read and check ``papers/rules/measured.yaml``.

    Raises:
        PublishedError: no such file, or an entry of the wrong form; names it.
    """
    path = folder / "rules" / "measured.yaml"
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
        return TypeAdapter(Measured).validate_python(raw)
    except (ValidationError, yaml.YAMLError, OSError) as error:
        raise PublishedError(f"{path}: {error}") from error


def paper_tables(folder: Path = FOLDER) -> list[tuple[str, str]]:
    """Paper and table of every printed table, in the papers' order."""
    return [
        (paper, table)
        for paper in list_papers(folder)
        for table in load_paper(paper, folder).tables
    ]


def paper_table(
    paper: str, table: str, scale: int | None = None, root: Path = ROOT, folder: Path = FOLDER
) -> PaperTable:
    """One printed table beside what is measured here.

    Args:
        paper, table: as ``published`` takes them, such as "aidn" and "3".
        scale: one of the table's; None for all of them.
        root: where ``results/`` is.
        folder: where the papers' files are.

    Raises:
        PublishedError: no such table or scale, or a file that cannot be read.
        ProvenanceError: a result without a run.
    """
    loaded = load_paper(paper, folder)
    if table not in loaded.tables:
        raise PublishedError(
            f"papers/{paper}/printed.yaml has no table {table}: {list(loaded.tables)}"
        )
    printed = loaded.tables[table]
    scales = sorted({row.scale for row in printed.rows})
    if scale is not None and scale not in scales:
        raise PublishedError(f"{paper}, table {table}: no row is of x{scale}; there are {scales}")
    measured = load_measured(folder)
    scores = _scores(root)
    rows = [
        {"entry": False} | number
        for row in printed.rows
        if scale in (None, row.scale)
        for number in _row(row, printed, f"{paper} {table}", scores, measured, folder)
    ]
    for entry in measured.entries:
        if f"{paper} {table}" in entry.tables and scale in (None, entry.scale):
            rows += [
                {"entry": True} | number for number in _entry(entry, printed, scores, measured)
            ]
    cells = pd.DataFrame(rows)
    digits = cells.groupby(["column", "quantity"])["digits"].transform("max")
    cells["digits"] = digits.fillna(cells["quantity"].map({"psnr_y": 2, "ssim_y": 4})).fillna(0)
    source = printed.source or f"{paper.upper()}, Table {table}"
    return PaperTable(paper, table, source, printed.about, printed.columns, cells)


def tally(root: Path = ROOT, folder: Path = FOLDER) -> pd.DataFrame:
    """How many printed cells there are, and what stands beside them.

    Returns:
        A row a table: paper, table, cells, measured (anything stands beside), and the cells of
        each status; an empty cell always has its reason.
    """
    rows = []
    for paper, table in paper_tables(folder):
        status = paper_table(paper, table, root=root, folder=folder).status
        found = {name: int((status["status"] == name).sum()) for name in STATUSES}
        head = {"paper": paper, "table": table, "cells": len(status)}
        rows.append(head | {"measured": int(status["measured"].sum())} | found)
    return pd.DataFrame(rows)


def our_counts(table: PaperTable, folder: Path = FOLDER) -> pd.DataFrame:
    """What the networks of a table's rows are and cost here, whatever of it is printed.

    Returns:
        Columns: row, scale, what (of the registry), and the columns ``papers.counts.COST``.
    """
    printed = load_paper(table.paper, folder).tables[table.table].rows
    shown = set(zip(table.cells["row"], table.cells["scale"], strict=True))
    own = {
        (row.row, row.scale): row.network
        for row in printed
        if row.network and (row.row, row.scale) in shown
    }
    counted = readable((network, scale) for (_, scale), network in own.items())
    counted["row"] = [row for row, _ in own]
    counted["what"] = [NETWORKS[network].about for network in counted["network"]]
    return counted[["row", "scale", "what", *COST]]


Scores = dict[tuple[str, str, int, str, str], dict[str, Any]]


def _scores(root: Path) -> Scores:
    """Scores over seeds: (campaign, method, scale, set, quantity) -> measured, spread, seeds, runs.

    A campaign's part of one scale, such as benchmarks-x2, counts as the campaign.
    """
    scores = results(root)
    scores["campaign"] = scores["campaign"].str.replace(r"-x\d$", "", regex=True)
    found: Scores = {}
    for quantity in ("psnr_y", "ssim_y"):
        for row in over_seeds(scores, quantity).to_dict("records"):
            key = (row["campaign"], row["method"], row["scale"], row["set"], quantity)
            found[key] = {k: row[k] for k in ("measured", "spread", "seeds", "runs")}
    return found


def _row(
    row: Row, table: Table, name: str, scores: Scores, known: Measured, folder: Path
) -> Iterator[dict[str, Any]]:
    for key, printed in row.cells.items():
        column = table.columns[key]
        for part, quantity in enumerate(SCORES.get(column.quantity, [column.quantity])):
            place = Place(name, row.row, row.network, row.scale, quantity, column.dataset or key)
            if quantity in QUANTITIES:  # what is not printed is not counted
                found = NOTHING if isinstance(printed, Empty) else _counted(place, column)
            else:
                belongs = next((b for b in known.rows if b.covers(place)), None)
                if belongs:
                    place = place._replace(source=belongs.source)
                found = _scored(scores, belongs, place)
            number: dict[str, Any] = {"row": row.row, "scale": row.scale}
            number |= {"column": key, "quantity": quantity}
            if isinstance(printed, Empty):
                code = next(
                    (u.code for u in known.unread if printed.empty.startswith(u.begins)), "e"
                )
                judged = {"status": "empty", "code": code, "reason": printed.empty}
                yield number | _published() | found | judged
                continue
            values = column.numbers(printed)
            read = values[part][1] if values else None
            number |= _published(read.text if read else printed, read) | found
            number["difference"] = round(number["measured"] - number["published"], 9)
            yield number | _judge(number, read, place, known, folder)


def _published(printed: str = "", number: Number | None = None) -> dict[str, Any]:
    value = float(number.value) if number else np.nan
    digits = number.digits if number else np.nan
    return {"printed": printed, "published": value, "digits": digits, "difference": np.nan}


NOTHING: dict[str, Any] = {"measured": np.nan, "spread": np.nan, "seeds": 0}
NOTHING |= {"from": "", "method": "", "runs": ""}


def _counted(place: Place, column: Column) -> dict[str, Any]:
    if place.network is None:
        return NOTHING
    measured = count(place.network, place.scale, place.quantity) / FACTORS[column.unit]
    found = {"measured": measured, "from": "code", "method": place.network, "runs": CODE_RUN}
    return NOTHING | found


def _scored(scores: Scores, belongs: Belongs | None, place: Place) -> dict[str, Any]:
    if belongs is None:
        return NOTHING
    found = scores.get((belongs.campaign, belongs.method, place.scale, place.set, place.quantity))
    if found is None:
        return NOTHING
    return NOTHING | found | {"from": belongs.source, "method": belongs.method}


def _judge(
    number: dict[str, Any], read: Number | None, place: Place, known: Measured, folder: Path
) -> dict[str, str]:
    """Status, code and reason of a number that is printed."""
    if not number["from"]:
        why = next(nothing for nothing in known.nothing if nothing.covers(place))
        return {"status": "empty", "code": why.code, "reason": why.reason}
    if number["from"] == "code":
        assert read is not None  # a count that is no number is refused when it is read
        within, why_not = read.admits(number["measured"]), _of_count(place, folder)
    else:
        source = known.sources[number["from"]]
        if not source.tolerance:
            return {"status": "not comparable", "code": "", "reason": source.why}
        within = abs(number["difference"]) <= source.tolerance[place.quantity] + 1e-9
        why_not = next(
            (
                d.reason
                for d in known.differences
                if d.method == number["method"] and _in(place.set, d.sets)
            ),
            "the cause is not known",
        )
    if within:
        return {"status": "within", "code": "", "reason": ""}
    return {"status": "outside", "code": "", "reason": why_not}


def _of_count(place: Place, folder: Path) -> str:
    cell = {"network": place.network, "quantity": place.quantity, "scale": place.scale}
    cell["paper"] = place.table.split(" ")[0]
    return next(
        (r.reason for r in _differences(folder) if r.covers(cell)), "the cause is not known"
    )


_differences = cache(differences)


def _entry(
    entry: ExtraRow, table: Table, scores: Scores, known: Measured
) -> Iterator[dict[str, Any]]:
    """The numbers of a row of our own: nothing is published, and nothing judged."""
    if entry.method not in official():
        raise PublishedError(
            f"measured.yaml: entry {entry.row}: {entry.method} is not in official.yaml; "
            f"there are {', '.join(official())}"
        )
    weights = official()[entry.method]
    belongs = Belongs(method=entry.method, source="weights", reason=entry.reason)
    for key, column in table.columns.items():
        for quantity in SCORES.get(column.quantity, [column.quantity]):
            place = Place("", entry.row, None, entry.scale, quantity, column.dataset or key)
            if quantity in QUANTITIES:
                exact = count(weights["network"], entry.scale, quantity, **weights["settings"])
                found = NOTHING | {"measured": exact / FACTORS[column.unit], "from": "code"}
                found |= {"method": entry.method, "runs": CODE_RUN}
            else:
                found = _scored(scores, belongs, place)
                found |= {"from": "entry"} if found["from"] else {}
            number = {"row": entry.row, "scale": entry.scale, "column": key, "quantity": quantity}
            status = "not comparable" if found["from"] else "empty"
            judged = {"status": status, "code": "", "reason": entry.reason}
            yield number | _published() | found | judged


def _in(value: Any, known: list | None) -> bool:
    return known is None or value in known
