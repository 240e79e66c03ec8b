"""Printed scores of weights that are here and are off their print: does any protocol give them?

Each is looked up in the grid of protocols (``srlib.doctor``), and in what the campaigns measured of
the same weights in another pass.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from papers.comparison import paper_table, paper_tables
from papers.printed import FOLDER, Number
from papers.results import results
from srlib.doctor.protocols import FIELD, Protocol
from srlib.doctor.why import Grid, Place, Scores, cost_of, load_grid
from srlib.paths import ROOT

SOURCES = ("weights", "resampling")  # of measured numbers that are the printed network's own
QUANTITIES = ("psnr_y", "ssim_y")
CHOP = "-chop"  # after the name of a method that takes quarters
COLUMNS = ["paper", "table", "row", "network", "scale", "set", "quantity", "printed", "measured"]
COLUMNS += ["verdict", "protocol", "gives", "fitting", "tried"]
EXPLAINED, NOT_EXPLAINED = "explained", "not explained by any protocol tried"


def explanations(
    grid: Grid | None = None, root: Path = ROOT, folder: Path = FOLDER
) -> pd.DataFrame:
    """Every such cell that the field's protocol does not give, with the plainest that does.

    A number is off its print by the rule of ``papers.printed.Number``. Two digits fit some of
    hundreds of protocols by chance; but a paper scores a row by one. So a protocol explains a cell
    if it gives this and every other number of the row for which it was tried. Of several the one
    that supposes least is taken (``srlib.doctor.why.cost_of``).

    Returns:
        A row a number: paper, table, row, network, scale, set, quantity ("psnr_y" or "ssim_y"),
        printed (as it stands), measured (by the field's protocol, in one pass), verdict
        (``EXPLAINED`` or ``NOT_EXPLAINED``), protocol (in words; empty where not explained), gives
        (its value, or NaN), fitting and tried (how many protocols give this number alone, of how
        many).
    """
    grid = load_grid() if grid is None else grid
    known = _with_measured(grid, root)
    rows = []
    for paper, table in paper_tables(folder):
        loaded = paper_table(paper, table, root=root, folder=folder)
        cells = loaded.cells
        cells = cells[cells["from"].isin(SOURCES) & cells["quantity"].isin(QUANTITIES)]
        cells = cells.dropna(subset="published")
        for (row, _), group in cells.groupby(["row", "scale"], sort=False):
            head = {"paper": paper, "table": table, "row": row}
            found = []
            for cell in group.to_dict("records"):
                column = loaded.columns[cell["column"]]
                network = cell["method"].removesuffix(CHOP)
                place = Place(network, cell["scale"], column.dataset or cell["column"])
                values = _values(known.get(place, {}), cell["quantity"])
                found.append(_Cell(place, cell["quantity"], Number.read(cell["printed"]), values))
            rows += [head | one for one in _explain(found)]
    return pd.DataFrame(rows, columns=COLUMNS)


class _Cell(NamedTuple):
    """A printed number and what each protocol gives for it."""

    place: Place
    quantity: str
    number: Number
    gives: dict[Protocol, float]


def _explain(cells: list[_Cell]) -> Iterator[dict[str, Any]]:
    """The numbers of one printed row that the field's protocol does not give."""
    refuted = {
        protocol
        for cell in cells
        for protocol, value in cell.gives.items()
        if not cell.number.admits(value)
    }
    for cell in cells:
        if FIELD not in cell.gives or cell.number.admits(cell.gives[FIELD]):
            continue
        give = [protocol for protocol, value in cell.gives.items() if cell.number.admits(value)]
        left = [protocol for protocol in give if protocol not in refuted]
        left.sort(key=lambda protocol: cost_of(protocol, cell.place.network)[0])
        yield {
            "network": cell.place.network,
            "scale": cell.place.scale,
            "set": cell.place.set,
            "quantity": cell.quantity,
            "printed": cell.number.text,
            "measured": cell.gives[FIELD],
            "verdict": EXPLAINED if left else NOT_EXPLAINED,
            "protocol": left[0].words if left else "",
            "gives": cell.gives[left[0]] if left else float("nan"),
            "fitting": len(give),
            "tried": len(cell.gives),
        }


def _with_measured(grid: Grid, root: Path) -> Grid:
    """The grid, and the scores that the campaigns measured, by the field's way to score."""
    known = {place: dict(scores) for place, scores in grid.items() if not place.image}
    found = results(root)
    found = found[found["seed"] < 0]
    for row in found.to_dict("records"):
        way = "chop" if row["method"].endswith(CHOP) else FIELD.way
        place = Place(row["method"].removesuffix(CHOP), row["scale"], row["set"])
        scores = Scores(row["psnr_y"], row["ssim_y"])
        known.setdefault(place, {}).setdefault(FIELD._replace(way=way), scores)
    return known


def _values(scores: dict[Protocol, Scores], quantity: str) -> dict[Protocol, float]:
    """PSNR by each protocol, those of another SSIM left out, or SSIM where it was taken."""
    if quantity == "psnr_y":
        return {p: found.psnr for p, found in scores.items() if p.window == FIELD.window}
    return {p: found.ssim for p, found in scores.items() if found.ssim is not None}
