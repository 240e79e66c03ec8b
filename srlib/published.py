"""What the papers print: ``published/PAPER.yaml`` as a table of cells."""

import re
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import yaml
from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

FOLDER = Path(__file__).parent.parent / "published"
STRICT = ConfigDict(extra="forbid", arbitrary_types_allowed=True)


class PublishedError(ValueError):
    """A file of published numbers that cannot be read; names file, table, row and column."""


@dataclass(frozen=True, config=STRICT)
class Column:
    """What a printed column holds, in which unit, by which convention."""

    quantity: Literal["params", "ntire_flops", "macs_720p", "psnr/ssim", "psnr"]
    unit: str = ""
    note: str = ""


@dataclass(frozen=True, config=STRICT)
class Row:
    """A printed row; ``network`` is our name for it, if we have it."""

    row: str
    network: str | None
    scale: int
    cells: dict[str, str]


@dataclass(frozen=True, config=STRICT)
class Table:
    """A printed table."""

    about: str
    columns: dict[str, Column]
    rows: list[Row]


@dataclass(frozen=True, config=STRICT)
class Paper:
    """A file of ``published/``."""

    paper: dict[str, str]
    training_sets: list[str]
    protocol: str
    tables: dict[str, Table]
    text: dict[str, dict[str, Any]]


def load_paper(key: str, folder: Path = FOLDER) -> Paper:
    """Read and check ``published/KEY.yaml``.

    Raises:
        PublishedError: no such file, or an entry of the wrong form; names it.
    """
    path = folder / f"{key}.yaml"
    if not path.exists():
        known = ", ".join(sorted(p.stem for p in folder.glob("*.yaml")))
        raise PublishedError(f"{path} does not exist; there are {known}")
    try:
        return TypeAdapter(Paper).validate_python(yaml.safe_load(path.read_text()))
    except (ValidationError, yaml.YAMLError) as error:
        raise PublishedError(f"{path}: {error}") from error


def published(key: str, table: str, folder: Path = FOLDER) -> pd.DataFrame:
    """The cells of one printed table, one number a row.

    Returns:
        Columns: row, network, scale, column (as printed, such as Set5), quantity (params in
        thousands, ntire_flops in G, psnr_y in dB, ssim_y), value, printed, source.

    Raises:
        PublishedError: no such table, or a cell that is no number of its column's kind.
    """
    paper = load_paper(key, folder)
    if table not in paper.tables:
        raise PublishedError(f"published/{key}.yaml has no table {table}: {list(paper.tables)}")
    rows = []
    for row in paper.tables[table].rows:
        for name, printed in row.cells.items():
            where = f"published/{key}.yaml: table {table}, row {row.row} x{row.scale}, {name}"
            column = paper.tables[table].columns.get(name)
            if column is None:
                raise PublishedError(f"{where}: the table declares no such column")
            for quantity, value in _numbers(printed, column, where):
                rows.append(
                    {
                        "row": row.row,
                        "network": row.network,
                        "scale": row.scale,
                        "column": name,
                        "quantity": quantity,
                        "value": value,
                        "printed": printed,
                        "source": f"{key.upper()}, Table {table}",
                    }
                )
    return pd.DataFrame(rows)


def _numbers(printed: str, column: Column, where: str) -> list[tuple[str, float]]:
    if column.quantity.startswith("psnr"):
        parts = printed.split("/")
        names = ["psnr_y", "ssim_y"][: 1 + column.quantity.count("/")]
        if len(parts) == len(names) and all(re.fullmatch(r"\d+\.\d+", part) for part in parts):
            return [(name, float(part)) for name, part in zip(names, parts, strict=True)]
    elif match := re.fullmatch(rf"(\d+(?:\.\d+)?){column.unit}", printed):
        return [(column.quantity, float(match[1]))]
    raise PublishedError(
        f"{where}: {printed!r} is not a {column.quantity} in {column.unit or 'dB'}"
    )
