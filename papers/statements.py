"""What the papers' texts say about their numbers, held against the cells of their tables.

A statement is an entry of ``papers/PAPER/statements.yaml``: a printed number with the expression
over cells that it should follow from, or a claim that one row is above or below others. What no
cell can decide says why. A cell's number is known to its last digit only, so every value here is an
interval as well.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass as plain_dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from statistics import mean
from typing import Any, Literal

import pandas as pd
import yaml
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, model_validator
from pydantic.dataclasses import dataclass

from papers.counts import count
from papers.printed import FACTORS as UNITS
from papers.printed import FOLDER, PublishedError, cells, list_papers, load_paper

STRICT = ConfigDict(extra="forbid")
SCORES = {"psnr_y": 0, "psnr_rgb": 0, "ssim_y": -1}  # which part of "32.10/0.8933"
UNIT_OF = {"psnr_y": "dB", "psnr_rgb": "dB", "ssim_y": "SSIM", "runtime": "s"}
# Counts are rounded in some tables and cut off in others: 339.6 may stand as 340 or as 339.
ROUNDED, CUT = Fraction(1, 2), Fraction(1)
MOST_BLOCKS = 12


@dataclass(frozen=True, config=STRICT)
class Claim:
    """One row is above, or below, others of its table.

    Attributes:
        row: "PAPER TABLE | ROW", at every scale that it has.
        quantities: those compared, as ``published`` names them.
        rivals: printed names of other rows; all others if empty.
        scales, columns: those compared; all if empty.
        most: that it is so in more than half of the cells, level counted as so.
    """

    row: str
    quantities: list[str] = Field(min_length=1)
    rivals: list[str] = Field(default_factory=list)
    scales: list[int] = Field(default_factory=list)
    columns: list[str] = Field(default_factory=list)
    most: bool = False


@dataclass(frozen=True, config=STRICT)
class Expression:
    """What a number should follow from; one of these forms.

    Attributes:
        ratio: the first cell over the second.
        fewer: by how many percent the first is below the second.
        difference: the first minus the second.
        sum: of cells or of numbers that the same sentence prints.
        mean_difference: [row, row, quantity]: first minus second, over the sets that both have.
        blocks_of: the number of blocks with which the network has the parameters of these cells.
    """

    ratio: tuple[str, str] | None = None
    fewer: tuple[str, str] | None = None
    difference: tuple[str, str] | None = None
    sum: list[str | int] | None = None
    mean_difference: tuple[str, str, str] | None = None
    blocks_of: list[str] | None = None

    @model_validator(mode="after")
    def _one_form(self) -> "Expression":
        if len(self.forms) != 1:
            raise ValueError(f"one form is wanted, of {', '.join(self.__dataclass_fields__)}")
        return self

    @property
    def forms(self) -> dict[str, Any]:
        every = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {name: value for name, value in every.items() if value is not None}


@dataclass(frozen=True, config=STRICT)
class Statement:
    """A sentence of a paper, in our words.

    Attributes:
        key: its name, once a paper.
        says: what it says, in our words.
        place: where it stands.
        text: instead of place and printed, the entry of the paper's ``text`` that holds them.
        printed: the number, such as 84 %, 0.08 dB, 1/3, 550K or 6 times.
        relation: of what follows from the cells to the printed number.
        follows: readings; the number follows if one of them gives it.
        above, below: a claim instead of a number.
        unchecked: why no cell can decide it.
    """

    key: str
    says: str
    place: str = ""
    text: str = ""
    printed: str = ""
    relation: Literal["is", "more than", "less than"] = "is"
    follows: list[Expression] = Field(default_factory=list)
    above: Claim | None = None
    below: Claim | None = None
    unchecked: str = ""

    @model_validator(mode="after")
    def _one_way(self) -> "Statement":
        ways = [bool(self.follows), bool(self.above), bool(self.below), bool(self.unchecked)]
        if sum(ways) != 1:
            raise ValueError(f"{self.key}: one of follows, above, below and unchecked is wanted")
        if bool(self.place) == bool(self.text):
            raise ValueError(f"{self.key}: either place, or the text that has it, is wanted")
        if self.follows and not (self.printed or self.text):
            raise ValueError(f"{self.key}: no printed number to compare with")
        if self.printed and not PRINTED.fullmatch(self.printed):
            raise ValueError(f"{self.key}: {self.printed!r} is no number like 84 %, 1/3 or 550K")
        return self


PRINTED = re.compile(r"(?:1/(?P<part>\d+)|(?P<number>\d+(?:\.\d+)?))(?P<unit>[KMG]| dB| %| times)?")


@plain_dataclass(frozen=True)
class Value:
    """A number known within an interval; ``spread`` says more of a mean, in words."""

    exact: Fraction
    low: Fraction
    high: Fraction
    spread: str = ""


@plain_dataclass(frozen=True)
class Cell:
    """A number of a table: in base units (a count, dB, s), with the step of its last digit."""

    value: Fraction
    step: Fraction

    def as_value(self, cut: bool) -> Value:
        """Where the number that was printed so lies, if it was rounded, or also if it was cut."""
        return Value(
            self.value,
            self.value - ROUNDED * self.step,
            self.value + (CUT if cut else ROUNDED) * self.step,
        )


def cell_of(record: dict[Any, Any]) -> Cell:
    """A row of ``published.cells`` as an exact number."""
    parts = record["printed"].split("/")
    digits = parts[SCORES.get(record["quantity"], 0)].strip(" KMGs").replace(",", "")
    unit = Fraction(int(UNITS.get(record["unit"], 1)))
    return Cell(Fraction(digits) * unit, _step(digits) * unit)


def _step(digits: str) -> Fraction:
    return Fraction(1, 10 ** len(digits.partition(".")[2]))


def statements(folder: Path = FOLDER) -> dict[str, list[Statement]]:
    """The entries of ``papers/PAPER/statements.yaml``, by paper; a paper may have none.

    Raises:
        PublishedError: an entry of the wrong form, a key given twice, or a file of an unknown
            paper; names file and entry.
    """
    papers = list_papers(folder)
    found: dict[str, list[Statement]] = {}
    for path in sorted(folder.glob("*/statements.yaml")):
        paper = path.parent.name
        where = f"papers/{paper}/statements.yaml"
        if paper not in papers:
            raise PublishedError(f"{where}: there is no paper {paper}; there are {papers}")
        try:
            raw = yaml.safe_load(path.read_text(encoding="utf-8"))
            entries = TypeAdapter(list[Statement]).validate_python(raw)
        except (ValidationError, yaml.YAMLError) as error:
            raise PublishedError(f"{where}: {error}") from error
        keys = [entry.key for entry in entries]
        if twice := {key for key in keys if keys.count(key) > 1}:
            raise PublishedError(f"{where}: {', '.join(sorted(twice))} stands twice")
        found[paper] = entries
    return found


@plain_dataclass(frozen=True)
class Verdict:
    """What the cells say to a statement.

    Attributes:
        holds: None if it cannot be checked.
        certain: of one that does not hold: no rounding of the cells or of the number explains it.
        from_cells: what follows from the cells, in words.
        gap: of one that does not hold, by how much, in ``unit``.
        against: the cells behind it, as addresses.
    """

    holds: bool | None
    from_cells: str
    certain: bool = False
    gap: float = 0.0
    unit: str = ""
    against: tuple[str, ...] = ()


class Judge:
    """Holds statements against the cells of a folder of papers."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self.folder = folder
        self.cells = cells(folder=folder)

    @cached_property
    def _spoken(self) -> dict[str, str]:
        found = statements(self.folder)
        return {f"{paper} {one.key}": one.printed for paper, own in found.items() for one in own}

    def place(self, paper: str, statement: Statement) -> str:
        """Where a statement stands."""
        return statement.place or self._text(paper, statement)["where"]

    def printed(self, paper: str, statement: Statement) -> str:
        """The number that a statement prints; empty for a claim."""
        return str(self._text(paper, statement)["value"]) if statement.text else statement.printed

    def _text(self, paper: str, statement: Statement) -> dict[str, Any]:
        text = load_paper(paper, self.folder).text
        if statement.text not in text:
            raise PublishedError(f"papers/{paper}/printed.yaml has no text {statement.text}")
        return text[statement.text]

    def judge(self, paper: str, statement: Statement) -> dict[str, Verdict]:
        """The verdicts on a statement: one for a number, one a rival for a claim.

        Raises:
            PublishedError: a cell that no table has; names it.
        """
        if statement.unchecked:
            return {"": Verdict(None, statement.unchecked)}
        if statement.follows:
            return {"": self._number(self.printed(paper, statement), statement)}
        claim = statement.above or statement.below
        assert claim is not None  # by the entry's own check
        return self._claim(claim, 1 if statement.above else -1)

    def _number(self, printed: str, statement: Statement) -> Verdict:
        number = PRINTED.fullmatch(printed)
        if number is None:
            raise PublishedError(f"{statement.key}: {printed!r} is no number like 84 % or 1/3")
        readings = [self._evaluate(expression) for expression in statement.follows]
        unit = (number["unit"] or "").strip()
        shown = " or ".join(_show(value, unit) for value in readings)
        wanted, low, high, top = _range(number)
        if statement.relation == "is":
            holds = any(low <= v.exact < top for v in readings)
            certain = not any(v.low < high and v.high > low for v in readings)
        else:
            sign = 1 if statement.relation == "more than" else -1
            holds = any(sign * (v.exact - wanted) > 0 for v in readings)
            reached = [v.high if sign > 0 else v.low for v in readings]
            certain = not any(sign * (value - wanted) > 0 for value in reached)
        gap = min((value.exact - wanted for value in readings), key=abs) / _unit(unit)
        against = tuple(
            _readable(leaf)
            for one in statement.follows
            for leaf in _leaves(one)
            if " | " in str(leaf)
        )
        form = next(iter(statement.follows[0].forms))
        unit = {"%": "points", "": {"ratio": "ratio", "blocks_of": "blocks"}.get(form, "")}.get(
            unit, unit
        )
        return Verdict(holds, shown, not holds and certain, float(gap), unit, against)

    def _evaluate(self, expression: Expression) -> Value:
        [(form, arguments)] = expression.forms.items()
        if form == "blocks_of":
            blocks = Fraction(self._blocks(arguments))
            return Value(blocks, blocks, blocks)
        if form == "mean_difference":
            return self._mean_difference(*arguments)
        values = [self._leaf(leaf) for leaf in arguments]
        if form == "sum":
            exact, low, high = (sum(part) for part in zip(*map(_parts, values), strict=True))
            return Value(Fraction(exact), Fraction(low), Fraction(high))
        calculate: Callable[[Fraction, Fraction], Fraction] = FORMS[form]
        (a, b), up = values, form != "fewer"
        corners = calculate(a.low, b.high), calculate(a.high, b.low)
        low, high = corners if up else corners[::-1]
        return Value(calculate(a.exact, b.exact), low, high)

    def _leaf(self, leaf: str | int) -> Value:
        if isinstance(leaf, int):
            return Value(Fraction(leaf), Fraction(leaf), Fraction(leaf))
        if leaf.startswith("says "):
            if not (printed := self._spoken.get(leaf.removeprefix("says "))):
                raise PublishedError(f"no statement {leaf.removeprefix('says ')} with a number")
            number = PRINTED.fullmatch(printed)
            assert number is not None  # by the entry's own check
            wanted, low, high, _ = _range(number)
            return Value(wanted, low, high)
        record = self._record(leaf)
        return cell_of(record).as_value(cut=record["quantity"] not in SCORES)

    def _record(self, address: str) -> dict[Any, Any]:
        paper_table, row_scale, column, *quantity = address.split(" | ")
        found = self._row(f"{paper_table} | {row_scale}")
        found = found[found["column"] == column]
        if quantity:
            found = found[found["quantity"] == quantity[0]]
        if len(found) != 1:
            raise PublishedError(f"{address!r} names {len(found)} cells with a number, not one")
        return found.to_dict("records")[0]

    def _row(self, address: str) -> pd.DataFrame:
        """Cells of "PAPER TABLE | ROW xSCALE", or of the row at all scales."""
        paper_table, name = address.split(" | ")
        paper, _, table = paper_table.partition(" ")
        found = self.cells[(self.cells["paper"] == paper) & (self.cells["table"] == table)]
        rows = found["row"] + " x" + found["scale"].astype(str)
        found = found[(rows == name) | (found["row"] == name)]
        if found.empty:
            raise PublishedError(f"{address!r} is no row of a printed table")
        return found

    def _mean_difference(self, first: str, second: str, quantity: str) -> Value:
        sides = []
        for address in (first, second):
            found = self._row(address)
            found = found[found["quantity"] == quantity]
            records = found.to_dict("records")
            sides.append({one["column"]: cell_of(one).as_value(cut=False) for one in records})
        shared = [name for name in sides[0] if name in sides[1]]
        if not shared:
            raise PublishedError(f"{first!r} and {second!r} have no {quantity} of the same set")
        pairs = [(sides[0][name], sides[1][name]) for name in shared]
        each = [float(a.exact - b.exact) for a, b in pairs]
        return Value(
            Fraction(mean(a.exact - b.exact for a, b in pairs)),
            Fraction(mean(a.low - b.high for a, b in pairs)),
            Fraction(mean(a.high - b.low for a, b in pairs)),
            f"{min(each):.2f} to {max(each):.2f} by set",
        )

    def _blocks(self, addresses: list[str]) -> int:
        records = [self._record(address) for address in addresses]
        for blocks in range(1, MOST_BLOCKS + 1):
            counts = [
                count(one["network"], one["scale"], "params", blocks=blocks) for one in records
            ]
            ranges = [cell_of(one).as_value(cut=True) for one in records]
            if all(r.low <= n < r.high for n, r in zip(counts, ranges, strict=True)):
                return blocks
        raise PublishedError(f"no number of blocks up to {MOST_BLOCKS} gives {addresses}")

    def _claim(self, claim: Claim, sign: int) -> dict[str, Verdict]:
        own = self._row(claim.row)
        name = claim.row.split(" | ")[1]
        keys = ["paper", "table", "scale", "column", "quantity"]
        table = own.merge(self.cells, on=keys, suffixes=("", "_of_rival"))
        table = table[(table["row_of_rival"] != name) & table["quantity"].isin(claim.quantities)]
        for column, wanted in (
            ("row_of_rival", claim.rivals),
            ("scale", claim.scales),
            ("column", claim.columns),
        ):
            if missing := set(wanted) - set(table[column]):
                raise PublishedError(f"{claim.row!r} has nothing to compare with {missing}")
            if wanted:
                table = table[table[column].isin(wanted)]
        if table.empty:
            raise PublishedError(f"{claim.row!r} has nothing to compare in {claim.quantities}")
        table = table.assign(lead=sign * (table["value"] - table["value_of_rival"]).round(9))
        if claim.most:
            return {"": _most(table)}
        rivals = table.groupby("row_of_rival", sort=False)
        word = "above" if sign > 0 else "below"
        return {str(rival): _rivalry(str(rival), group, word) for rival, group in rivals}


def _rivalry(rival: str, table: pd.DataFrame, word: str) -> Verdict:
    """One rival: where it is ahead, where level, and the cell where it is furthest ahead."""
    ahead, level = table[table["lead"] < 0], table[table["lead"] == 0]
    failing = table[table["lead"] <= 0].sort_values("lead", kind="stable")
    if failing.empty:
        return Verdict(True, f"{word} {rival} in {len(table)} of {len(table)} cells")
    worst = failing.iloc[0]
    counts = {"ahead": len(ahead), "level": len(level)}
    words = " and ".join(f"{how} in {n}" for how, n in counts.items() if n)
    words = f"{rival} is {words} of {len(table)} cells"
    pair = f"{_own(worst, '_of_rival')} against {_own(worst, '')}"
    if len(ahead):
        words += f", most at {worst['column']} ×{worst['scale']} ({pair})"
    against = tuple(
        f"{one['source']}, {one['row_of_rival']} ×{one['scale']}, {one['column']}"
        for _, one in failing.drop_duplicates(["column", "scale"]).iterrows()
    )
    unit = UNIT_OF.get(worst["quantity"], worst["unit"])
    return Verdict(False, words, len(ahead) > 0, float(-worst["lead"]), unit, against)


def _most(table: pd.DataFrame) -> Verdict:
    keys = ["scale", "column", "quantity"]
    best = table.groupby(keys, sort=False)["lead"].min() >= 0
    words = f"best or level in {best.sum()} of {len(best)} cells"
    short = float(len(best) / 2 - best.sum())
    return Verdict(bool(best.mean() > 0.5), words, best.mean() < 0.5, max(short, 0.0), "cells")


def _own(row: pd.Series, suffix: str) -> str:
    return row["printed" + suffix].split("/")[SCORES.get(row["quantity"], 0)]


def _range(number: re.Match[str]) -> tuple[Fraction, Fraction, Fraction, Fraction]:
    """A printed number, the interval that rounds to it, and the end of the one cut off to it."""
    if number["part"]:
        part = int(number["part"])
        low, high = Fraction(2, 2 * part + 1), Fraction(2, 2 * part - 1)
        return Fraction(1, part), low, high, high
    unit = _unit((number["unit"] or "").strip())
    value, step = Fraction(number["number"]) * unit, _step(number["number"]) * unit
    return value, value - ROUNDED * step, value + ROUNDED * step, value + CUT * step


def _unit(name: str) -> Fraction:
    return Fraction(int(UNITS.get(name, 1)))


def _show(value: Value, unit: str) -> str:
    number = float(value.exact / _unit(unit))
    digits = 4 if not unit and 0 < abs(number) < 0.01 else 3 if abs(number) < 1 else 2
    word = f"{number:.{digits}f}".rstrip("0").rstrip(".") or "0"
    word += {"K": "K", "M": "M", "G": "G", "": ""}.get(unit, f" {unit}")
    return f"{word} ({value.spread})" if value.spread else word


def _leaves(expression: Expression) -> Iterator[Any]:
    for arguments in expression.forms.values():
        yield from arguments


def _readable(address: str) -> str:
    """ "aidn 3 | AIDN(ours) x4 | Params" as "AIDN, Table 3, AIDN(ours) ×4, Params"."""
    paper_table, row, *rest = address.split(" | ")
    paper, _, table = paper_table.partition(" ")
    name, _, scale = row.rpartition(" x")
    return ", ".join([paper.upper(), f"Table {table}", f"{name} ×{scale}", *rest])


def _parts(value: Value) -> tuple[Fraction, Fraction, Fraction]:
    return value.exact, value.low, value.high


FORMS: dict[str, Callable[[Fraction, Fraction], Fraction]] = {
    "ratio": lambda a, b: a / b,
    "fewer": lambda a, b: 100 * (1 - a / b),
    "difference": lambda a, b: a - b,
}


def statement_table(folder: Path = FOLDER) -> pd.DataFrame:
    """Every statement with its verdict.

    Returns:
        A row a statement, of a claim a row a rival: paper, place, says, printed, from the cells,
        and verdict: holds, does not hold, or cannot be checked.
    """
    judge = Judge(folder)
    words = {True: "holds", False: "does not hold", None: "cannot be checked"}
    rows = [
        {
            "paper": paper,
            "place": judge.place(paper, one),
            "says": one.says,
            "printed": judge.printed(paper, one),
            "from the cells": verdict.from_cells,
            "verdict": words[verdict.holds],
        }
        for paper, own in statements(folder).items()
        for one in own
        for verdict in judge.judge(paper, one).values()
    ]
    columns = ["paper", "place", "says", "printed", "from the cells", "verdict"]
    return pd.DataFrame(rows, columns=columns)
