"""What the papers print: ``papers/PAPER/printed.yaml`` as tables of cells.

A cell stands as it was printed, or is empty with the reason. Every row of a table has every column.
"""

import re
from dataclasses import dataclass as plain_dataclass
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

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
SCORED = ("psnr_y", "psnr_rgb", "ssim_y")  # quantities that are scores
UNIT_OF = {"psnr_y": "dB", "psnr_rgb": "dB", "ssim_y": "SSIM", "runtime": "s"}
FACTORS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9}  # of the units of counts
COLUMNS = ["row", "network", "scale", "column", "quantity", "value", "printed", "source"]
COLUMNS += ["unit", "convention", "number"]


class PublishedError(ValueError):
    """A file of published numbers that cannot be read; names file, table, row and column."""


class Span(NamedTuple):
    """Where a true value lies: from ``low`` to below ``high``."""

    low: Fraction
    high: Fraction

    def meets(self, other: "Span") -> bool:
        """Whether one value can lie in both."""
        return max(self.low, other.low) < min(self.high, other.high)

    def minus(self, other: "Span") -> "Span":
        """Where the difference of two values lies."""
        return Span(self.low - other.high, self.high - other.low)

    def over(self, other: "Span") -> "Span":
        """Where the ratio of two positive values lies."""
        return Span(self.low / other.high, self.high / other.low)


@plain_dataclass(frozen=True)
class Number:
    """A number as it stands in print, and the true values that print as it.

    **The rule**, the only one of the project. A value is the printed one if it rounds to it,
    half-way values either way, or is cut off to it: from half a step of the last digit below, which
    counts, to a whole step above, which does not. Both, because the tables do both and say
    neither: in AIDN's Table 3 the 19,207,277,840 operations of AIDN stand rounded as 19.21G, and
    the 45,239,766,040 of IMDN cut off as 45.23G. Of the 150 printed counts that are the networks'
    own, 65 can only be rounded and 19 only cut off. Scores are no different: IMDN's own weights
    give 28.587 dB on Set14 at x4, and 28.58 is printed. A rule that only rounds would call these
    cells wrong, one that only cuts the others.

    Attributes:
        text: as printed, such as 339K, 1,309 or 32.26.
        value: the number, in ``unit``.
        step: one unit of its last digit.
        unit: K, M or G, dB, s, % or nothing.
    """

    text: str
    value: Fraction
    step: Fraction
    unit: str = ""

    @classmethod
    def read(cls, text: str, unit: str = "") -> "Number":
        """A number from its text, in which the unit may stand or not.

        Raises:
            ValueError: the text is no number; names it.
        """
        digits = text.removesuffix(unit).rstrip() if unit else text
        if not re.fullmatch(NUMBER, digits):
            raise ValueError(f"{text!r} is not a number such as 32.26 or 1,309")
        digits = digits.replace(",", "")
        step = Fraction(1, 10 ** len(digits.partition(".")[2]))
        return cls(text, Fraction(digits), step, unit)

    @property
    def digits(self) -> int:
        """How many are printed after the point."""
        return len(str(self.step.denominator)) - 1

    @property
    def interval(self) -> Span:
        """The true values that print as this number, by the rule."""
        return Span(self.value - self.step / 2, self.value + self.step)

    def admits(self, value: float | Fraction) -> bool:
        """Whether a value, in the same unit, is the printed one by the rule.

        A float stands for the decimal that it is nearest to (of a billionth), so that the
        arithmetic of decimals decides and not that of the machine.
        """
        low, high = self.interval
        return low <= exactly(value) < high

    @property
    def in_full(self) -> "Number":
        """The same with K, M or G worked in: 339K as 339,000 with a step of 1,000."""
        factor = FACTORS.get(self.unit)
        if factor is None:
            return self
        return replace(self, value=self.value * factor, step=self.step * factor, unit="")


def exactly(value: float | Fraction) -> Fraction:
    """A number without the error of floating point: the nearest with a denominator of 10^9."""
    return Fraction(value).limit_denominator(10**9) if isinstance(value, float) else Fraction(value)


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

    def numbers(self, printed: str) -> list[tuple[str, Number]]:
        """A cell's numbers with their names; none for a cell of words. ValueError if neither."""
        if self.quantity in WORDS:
            if re.fullmatch(WORDS[self.quantity], printed):
                return []
            raise ValueError(f"{printed!r} is not of the form {WORDS[self.quantity]}")
        if self.quantity in SCORES:
            forms = SCORES[self.quantity]
            if re.fullmatch("/".join(forms.values()), printed):
                parts = zip(forms, printed.split("/"), strict=True)
                return [(name, Number.read(part, UNIT_OF[name])) for name, part in parts]
            raise ValueError(f"{printed!r} is not a {self.quantity}, such as {_example(forms)}")
        unit = "" if self.bare else rf"\s?{self.unit}"
        if re.fullmatch(NUMBER + unit, printed):
            return [(self.quantity, Number.read(printed, self.unit))]
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
    """A printed table.

    Attributes:
        source: cites it, by default with the paper's key and the table's.
        apart: rows that the paper itself sets apart, as larger networks; who is best is told among
            the others.
    """

    about: str
    columns: dict[str, Column]
    rows: list[Row]
    source: str = ""
    apart: tuple[str, ...] = ()


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
    return _read(key, _text(key, folder))


def _text(key: str, folder: Path) -> str:
    path = folder / key / "printed.yaml"
    if not path.exists():
        raise PublishedError(f"{path} does not exist; there are {', '.join(list_papers(folder))}")
    return path.read_text(encoding="utf-8")


@lru_cache(maxsize=16)  # by the text itself, so that a file that changes is read anew
def _read(key: str, text: str) -> Paper:
    where = f"papers/{key}/printed.yaml"
    try:
        raw = yaml.load(text, _UniqueKeys)
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
        value), convention (what was counted on what input, or the protocol of a score), number (the
        ``Number``, of which ``value`` is the float).

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
            for quantity, number in column.numbers(printed):
                rows.append(
                    {
                        "row": row.row,
                        "network": row.network,
                        "scale": row.scale,
                        "column": (score and column.dataset) or name,
                        "quantity": quantity,
                        "value": float(number.value),
                        "printed": printed,
                        "source": found.source or f"{key.upper()}, Table {table}",
                        "unit": "dB" if number.unit == "dB" else column.unit,
                        "convention": column.convention or (paper.protocol if score else ""),
                        "number": number,
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
    found = _all(tuple((key, _text(key, folder)) for key in list_papers(folder))).copy()
    if quantity is None:
        return found
    if quantity not in set(found["quantity"]):
        raise PublishedError(f"no table has {quantity}; there are {sorted(set(found['quantity']))}")
    return found[found["quantity"] == quantity].reset_index(drop=True)


@lru_cache(maxsize=4)
def _all(texts: tuple[tuple[str, str], ...]) -> pd.DataFrame:
    parts = [
        _numbers(paper, key, table).assign(paper=key, table=table)
        for key, text in texts
        for paper in [_read(key, text)]
        for table in paper.tables
    ]
    return pd.concat([part for part in parts if len(part)], ignore_index=True)


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
