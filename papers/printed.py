"""What the papers print: ``papers/PAPER/printed.yaml`` as tables of cells.

A cell stands as it was printed, or is empty with the reason. Every row of a table has every column.
"""

import re
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import yaml
from pydantic import ConfigDict, Field, StrictBool, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

FOLDER = Path(__file__).parent  # a folder a paper, with what it prints in printed.yaml
STRICT = ConfigDict(extra="forbid", arbitrary_types_allowed=True)
NUMBER = r"(\d{1,3}(?:,\d{3})+|\d+(?:\.\d+)?)"

# What a score's cell holds, in the order printed: our name of each part, and its form.
PSNR, SSIM = r"\d{2}\.\d{2}", r"0\.\d{4}"
SCORES = {
    "psnr": {"psnr_y": PSNR},
    "ssim": {"ssim_y": SSIM},
    "psnr/ssim": {"psnr_y": PSNR, "ssim_y": SSIM},
    "psnr_rgb": {"psnr_rgb": PSNR},
}
# Cells that are no numbers.
WORDS = {"author": r".+", "extra_data": r"Yes|No", "trend": r"[↑↓∧]/[↑↓∧]"}
UNITS = {"psnr_y": "dB", "psnr_rgb": "dB"}
COLUMNS = ["row", "network", "scale", "column", "quantity", "value", "printed", "source"]
COLUMNS += ["unit", "convention"]


class PublishedError(ValueError):
    """A file of published numbers that cannot be read; names file, table, row and column."""


@dataclass(frozen=True, config=STRICT)
class Column:
    """What a printed column holds.

    Attributes:
        quantity: what is counted or scored; ``psnr/ssim`` is two numbers in one cell.
        unit: of a count: K, M, G or s.
        bare: whether the unit stands in the heading alone, not in each cell.
        heading: as printed, where our key differs.
        dataset: the set of a score, where our key is not its name.
        convention: the counter and its input; of a score, what differs from the paper's protocol.
    """

    quantity: Literal[
        "params",
        "ntire_flops",
        "macs_720p",
        "activations",
        "runtime",
        "psnr",
        "ssim",
        "psnr/ssim",
        "psnr_rgb",
        "author",
        "extra_data",
        "trend",
    ]
    unit: Literal["", "K", "M", "G", "s"] = ""
    bare: StrictBool = False
    heading: str = ""
    dataset: str = ""
    convention: str = ""

    def numbers(self, printed: str) -> list[tuple[str, float]]:
        """A cell's numbers with their names; none for a cell of words. ValueError if neither."""
        if self.quantity in WORDS:
            if re.fullmatch(WORDS[self.quantity], printed):
                return []
            raise ValueError(f"{printed!r} is not of the form {WORDS[self.quantity]}")
        if self.quantity in SCORES:
            forms = SCORES[self.quantity]
            if re.fullmatch("/".join(forms.values()), printed):
                parts = [float(part) for part in printed.split("/")]
                return list(zip(forms, parts, strict=True))
            raise ValueError(f"{printed!r} is not a {self.quantity}, such as {_example(forms)}")
        unit = "" if self.bare else rf"\s?{self.unit}"
        if match := re.fullmatch(NUMBER + unit, printed):
            return [(self.quantity, float(match[1].replace(",", "")))]
        form = f"ending in {self.unit}" if self.unit and not self.bare else "alone"
        raise ValueError(f"{printed!r} is not a number {form}, as {self.quantity} is")


@dataclass(frozen=True, config=STRICT)
class Empty:
    """A cell without a value: the paper leaves it blank, or it cannot be read for certain."""

    empty: str = Field(min_length=1)


@dataclass(frozen=True, config=STRICT)
class Row:
    """A printed row; ``network`` is our name for it, if we have it."""

    row: str
    network: str | None
    scale: Literal[2, 3, 4]
    cells: dict[str, str | Empty]


@dataclass(frozen=True, config=STRICT)
class Table:
    """A printed table; ``source`` cites it, by default with the paper's key and the table's."""

    about: str
    columns: dict[str, Column]
    rows: list[Row]
    source: str = ""


@dataclass(frozen=True, config=STRICT)
class Paper:
    """What one paper prints."""

    paper: dict[str, str]
    training_sets: list[str]
    protocol: str
    tables: dict[str, Table]
    text: dict[str, dict[str, Any]] = Field(default_factory=dict)


def list_papers(folder: Path = FOLDER) -> list[str]:
    """The keys of the papers whose tables we have."""
    return sorted(path.parent.name for path in folder.glob("*/printed.yaml"))


def load_paper(key: str, folder: Path = FOLDER) -> Paper:
    """Read and check ``papers/KEY/printed.yaml``.

    Raises:
        PublishedError: no such file, an entry of the wrong form, a row that lacks a column or has
            one too many, or a cell that is no number of its column's kind. Names file, table, row
            and column.
    """
    path = folder / key / "printed.yaml"
    where = f"papers/{key}/printed.yaml"
    if not path.exists():
        raise PublishedError(f"{path} does not exist; there are {', '.join(list_papers(folder))}")
    try:
        raw = yaml.load(path.read_text(encoding="utf-8"), _UniqueKeys)
        paper = TypeAdapter(Paper).validate_python(raw)
    except yaml.YAMLError as error:
        raise PublishedError(f"{where}: {error}") from error
    except ValidationError as error:
        faults = [f"{_place(e['loc'], raw)}: {e['msg']}" for e in error.errors()]
        raise PublishedError("\n".join(f"{where}: {fault}" for fault in faults)) from error
    for name, table in paper.tables.items():
        _check(table, f"{where}: table {name}")
    return paper


def published(key: str, table: str, folder: Path = FOLDER) -> pd.DataFrame:
    """The cells of one printed table, one number a row; cells that are empty or words are left out.

    Returns:
        Columns: row, network, scale, column (as the file names it; of a score, its set), quantity
        (psnr_y and ssim_y of a score, else the column's), value, printed, source, unit (of the
        value), convention (what was counted on what input, or the protocol of a score).

    Raises:
        PublishedError: no such table, or a file that ``load_paper`` refuses.
    """
    paper = load_paper(key, folder)
    if table not in paper.tables:
        raise PublishedError(
            f"papers/{key}/printed.yaml has no table {table}: {list(paper.tables)}"
        )
    return _numbers(paper, key, table)


def _numbers(paper: Paper, key: str, table: str) -> pd.DataFrame:
    found = paper.tables[table]
    rows = []
    for row in found.rows:
        for name, printed in row.cells.items():
            if isinstance(printed, Empty):
                continue
            column = found.columns[name]
            score = column.quantity in SCORES
            for quantity, value in column.numbers(printed):
                rows.append(
                    {
                        "row": row.row,
                        "network": row.network,
                        "scale": row.scale,
                        "column": (score and column.dataset) or name,
                        "quantity": quantity,
                        "value": value,
                        "printed": printed,
                        "source": found.source or f"{key.upper()}, Table {table}",
                        "unit": UNITS.get(quantity, column.unit),
                        "convention": column.convention or (paper.protocol if score else ""),
                    }
                )
    return pd.DataFrame(rows, columns=COLUMNS)


def cells(quantity: str | None = None, folder: Path = FOLDER) -> pd.DataFrame:
    """The numbers of all tables of all papers.

    Args:
        quantity: one as ``published`` names them, such as psnr_y; all if None.

    Returns:
        The columns of ``published`` and paper, table.

    Raises:
        PublishedError: nothing of that quantity is printed anywhere; names those that are.
    """
    papers = {key: load_paper(key, folder) for key in list_papers(folder)}
    parts = [
        _numbers(paper, key, table).assign(paper=key, table=table)
        for key, paper in papers.items()
        for table in paper.tables
    ]
    found = pd.concat([part for part in parts if len(part)], ignore_index=True)
    if quantity is None:
        return found
    if quantity not in set(found["quantity"]):
        raise PublishedError(f"no table has {quantity}; there are {sorted(set(found['quantity']))}")
    return found[found["quantity"] == quantity].reset_index(drop=True)


def empty_cells(key: str, folder: Path = FOLDER) -> pd.DataFrame:
    """The cells of a paper without a value.

    Returns:
        Columns: row, scale, column (as the file names it), table, reason.
    """
    rows = [
        (row.row, row.scale, name, number, cell.empty)
        for number, table in load_paper(key, folder).tables.items()
        for row in table.rows
        for name, cell in row.cells.items()
        if isinstance(cell, Empty)
    ]
    return pd.DataFrame(rows, columns=["row", "scale", "column", "table", "reason"])


class _UniqueKeys(yaml.SafeLoader):
    """YAML that refuses a key given twice, which YAML itself lets the later one win."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [str(key.value) for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                problem = f"{key} is given twice in one entry"
                raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark)
        return super().construct_mapping(node, deep)


def _check(table: Table, where: str) -> None:
    seen = set()
    for row in table.rows:
        place = f"{where}, row {row.row} x{row.scale}"
        if (row.row, row.scale) in seen:
            raise PublishedError(f"{place}: the table has this row twice")
        seen.add((row.row, row.scale))
        for name in table.columns.keys() - row.cells.keys():
            raise PublishedError(f"{place}, {name}: no cell; write {{empty: the reason}} if so")
        for name, printed in row.cells.items():
            if name not in table.columns:
                raise PublishedError(f"{place}, {name}: the table declares no such column")
            if isinstance(printed, str):
                try:
                    table.columns[name].numbers(printed)
                except ValueError as error:
                    raise PublishedError(f"{place}, {name}: {error}") from error


def _place(loc: tuple[int | str, ...], raw: Any) -> str:
    """Where an error of pydantic's is: by names of table, row and column instead of numbers."""
    words = [str(part) for part in loc]
    if loc[:1] != ("tables",) or len(loc) < 2:
        return ".".join(words)
    if loc[2:3] != ("rows",) or len(loc) < 4:
        return f"table {loc[1]}, {'.'.join(words[2:])}"
    row = raw["tables"][loc[1]]["rows"][loc[3]]
    named = (
        f"row {row.get('row')} x{row.get('scale')}" if isinstance(row, dict) else f"row {loc[3]}"
    )
    rest = words[5:6] or words[4:5]
    return ", ".join([f"table {loc[1]}", named, *rest])


def _example(forms: dict[str, str]) -> str:
    return "/".join("28.60" if form == PSNR else "0.7818" for form in forms.values())
