"""Tables for the notebooks: printed beside measured."""

import json
import zlib
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pandas.io.formats.style import Styler
from safetensors import safe_open

from papers import counts
from papers.evidence import SETS
from papers.results import over_seeds, results
from srlib.config import drawn
from srlib.paths import ROOT, find

SIGNED = ("difference", "gain")
DIGITS = {"seeds": 0, "ssim_y": 4, "data_share": 4}
PROSE = 40  # letters: a column with a longer cell has sentences, and the room to read them


def printed_scores(
    printed: pd.DataFrame, scores: pd.DataFrame, quantity: str = "psnr_y"
) -> pd.DataFrame:
    """Published | measured | difference for every printed score, measured over seeds.

    Args:
        printed: from ``published``.
        scores: from ``results``, of one campaign.
        quantity: "psnr_y" or "ssim_y".

    Returns:
        A row a printed cell: row, set, published, measured, difference, spread, seeds, runs; NaN
        and an empty string where nothing was measured.
    """
    cells = printed[printed["quantity"] == quantity].rename(
        columns={"network": "method", "column": "set", "value": "published"}
    )
    table = cells.merge(over_seeds(scores, quantity), on=["method", "scale", "set"], how="left")
    table["difference"] = table["measured"] - table["published"]
    table["runs"] = table["runs"].fillna("")
    columns = ["row", "set", "published", "measured", "difference", "spread", "seeds", "runs"]
    return table[columns]


def gains(campaign: str, root: Path = ROOT) -> pd.DataFrame:
    """Each method against bicubic, a row a method and set.

    Returns:
        Columns: method, set, psnr_y (dB, mean over seeds), gain (dB over bicubic), ssim_y, spread
        (dB, largest minus smallest seed), seeds, runs.
    """
    scores = results(root)
    scores = scores[scores["campaign"] == campaign]
    keys = ["method", "scale", "set"]
    table = over_seeds(scores).rename(columns={"measured": "psnr_y"})
    table = table.merge(over_seeds(scores, "ssim_y")[[*keys, "measured"]], on=keys)
    table = table.rename(columns={"measured": "ssim_y"})
    base = table[table["method"] == "bicubic"].set_index(["scale", "set"])["psnr_y"]
    at = pd.MultiIndex.from_frame(table[["scale", "set"]])
    table["gain"] = table["psnr_y"] - base.reindex(at).to_numpy()
    table = table.sort_values(["set", "psnr_y"], kind="stable", ignore_index=True)
    return table[["method", "scale", "set", "psnr_y", "gain", "ssim_y", "spread", "seeds", "runs"]]


def by_set(table: pd.DataFrame) -> pd.DataFrame:
    """PSNR-Y with a column a set: of ``gains``, a row a method, by its score on the first set.

    Returns:
        Columns: method, the sets' names in the order of the papers (dB), runs.
    """
    wide = table.pivot_table(index="method", columns="set", values="psnr_y")
    sets = [name for name in (*SETS, *wide.columns) if name in wide]
    wide = wide[list(dict.fromkeys(sets))].sort_values(sets[0], kind="stable")
    runs = table.groupby("method")["runs"].agg(lambda all_: " ".join(dict.fromkeys(all_)))
    return wide.assign(runs=runs).rename_axis(columns=None).reset_index()


def overview(root: Path = ROOT) -> pd.DataFrame:
    """What each campaign trained, and what that cost in arithmetic.

    Returns:
        A row a campaign and network: campaign, network, scale, seeds, steps, patches (seen by one
        run), hr_patch (pixels; several where its stages differ), compute (10^12 multiply-adds of
        one run: three times the forward pass for every patch, counted as ``srlib.complexity``
        does).
    """
    rows = []
    for result, path in find("weights.safetensors", root=root):
        with safe_open(path, framework="np") as file:
            header = json.loads(file.metadata()["srlib"])
        patches = drawn(header["train"])
        rows.append(
            {
                "campaign": result.campaign,
                "network": header["network"],
                "scale": header["scale"],
                "seeds": 1,
                "steps": header["steps"],
                "patches": sum(number for number, _ in patches),
                "hr_patch": ", ".join(map(str, dict.fromkeys(side for _, side in patches))),
                "compute": _training_macs(header) / 1e12,
            }
        )
    table = pd.DataFrame(rows)
    keys = [column for column in table.columns if column != "seeds"]
    return table.groupby(keys, sort=False).agg(seeds=("seeds", "sum")).reset_index()


def _training_macs(header: dict[str, Any]) -> int:
    total = 0
    for number, patch in drawn(header["train"]):
        size = (patch // header["scale"],) * 2
        counted = counts.at_size(header["network"], header["scale"], size, **header["settings"])
        total += 3 * counted.conv_macs * number
    return total


def printed_counts(paper: str, table: str, **settings: Any) -> pd.DataFrame:
    """Printed parameters and FLOPs of a table beside ours; see ``papers.counts.printed_counts``.

    Returns:
        A row a printed figure: row, scale, quantity (and its unit), published, measured,
        difference, agrees.
    """
    found = counts.printed_counts(paper, table, **settings)
    found = found[found["quantity"].isin(("params", "ntire_flops"))].reset_index(drop=True)
    found["quantity"] = found["quantity"] + " (" + found["unit"] + ")"
    return found[["row", "scale", "quantity", "published", "measured", "difference", "agrees"]]


def roomy(table: pd.DataFrame) -> dict[Any, str]:
    """The least width of each column that has sentences: such a column would be a word wide."""
    longest = {name: max(map(len, map(str, table[name])), default=0) for name in table}
    return {name: "18em" for name, letters in longest.items() if letters > PROSE}


class StyledTable(Styler):
    """A styled table whose text form is its caption; pandas' own would hold a memory address.

    One that is wider than the page scrolls by itself.
    """

    def __repr__(self) -> str:
        return f"Table: {self.caption}, {len(self.index)} rows"  # type: ignore[attr-defined]

    def _repr_html_(self) -> str | None:
        return f'<div style="overflow-x: auto">{self.to_html()}</div>'


class Folded:
    """A table behind a line that opens it: plain HTML (``details``), which needs no script."""

    def __init__(self, table: StyledTable) -> None:
        self.table = table

    def __repr__(self) -> str:
        return repr(self.table)

    def _repr_html_(self) -> str:
        line = f"{self.table.caption} ({_rows(len(self.table.index))})"  # type: ignore[attr-defined]
        inside = self.table._repr_html_()
        return f"<details><summary>{escape(line)}</summary>{inside}</details>"


def _rows(number: int) -> str:
    return f"{number} row" if number == 1 else f"{number} rows"


def shortened(runs: str, most: int = 2) -> str:
    """Runs as a table has room for: the first ones, and how many more there are."""
    names = runs.split()
    return runs if len(names) <= most else f"{' '.join(names[:most])} and {len(names) - most} more"


def fold(
    table: pd.DataFrame, caption: str, digits: int = 2, signed: tuple[str, ...] = ()
) -> Folded:
    """``show``'s table, behind a line that opens it."""
    return Folded(show(table, caption, digits, signed))


def show(
    table: pd.DataFrame, caption: str, digits: int = 2, signed: tuple[str, ...] = ()
) -> StyledTable:
    """A table for a notebook: fixed digits, signs on differences, a dash for what is missing.

    Words stand to the left of their column, numbers to the right. ``signed`` names columns that are
    differences here and not in other tables.
    """
    formats: dict[Any, Any] = {
        column: f"{{:+.{digits}f}}"
        if column in (*SIGNED, *signed)
        else f"{{:,.{DIGITS.get(column, digits)}f}}"
        for column in table.select_dtypes(np.number).columns
    }
    integers = table.select_dtypes(np.integer)
    # Years and steps are easier to read as they are; what is longer wants its thousands parted.
    formats |= {name: "{:,}" if integers[name].abs().max() > 9_999 else "{}" for name in integers}
    whole = [
        column
        for column in table.select_dtypes(np.floating).columns
        if column not in (*SIGNED, *signed)
        and not str(column).startswith(("psnr", "ssim"))
        and (table[column].dropna() % 1 == 0).all()
    ]
    formats |= dict.fromkeys(whole, "{:,.0f}")  # 323, not 323.00
    if "runs" in table and not pd.api.types.is_numeric_dtype(table["runs"]):
        table = table.assign(runs=[shortened(str(runs)) for runs in table["runs"]])
    # A fixed id: pandas would draw a random one, and the notebook would never be the same twice.
    styled = StyledTable(table, uuid=f"t{zlib.crc32(caption.encode()):08x}", caption=caption)
    styled.format(formats, na_rep="–").hide(axis="index")
    words = table.columns.get_indexer(table.select_dtypes(exclude=["number", "bool"]).columns)
    rules: list[Any] = [
        {"selector": f".col{place}", "props": "text-align: left"} for place in words
    ]
    rules += [
        {"selector": f".col{table.columns.get_loc(name)}", "props": f"min-width: {width}"}
        for name, width in roomy(table).items()
    ]
    styled.set_table_styles(rules)
    return styled
