"""The papers' tables as data: complete, well formed, and what the papers' texts print."""

import os
import re
from pathlib import Path

import pytest
import yaml

from papers.printed import (
    COLUMNS,
    FOLDER,
    Empty,
    PublishedError,
    Table,
    cells,
    empty_cells,
    list_papers,
    load_paper,
    published,
)
from srlib.networks import list_networks

# Paper, table: rows, columns, cells without a value.
SIZES = {
    ("aidn", "1"): (12, 6, 0),
    ("aidn", "2"): (4, 6, 0),
    ("aidn", "3"): (45, 7, 14),
    ("aidn", "poster"): (12, 6, 0),
    ("fdiwn", "poster"): (32, 10, 8),
    ("rdsrn", "I"): (6, 4, 0),
    ("rdsrn", "II"): (4, 5, 1),
    ("rfdn", "1"): (4, 6, 0),
    ("rfdn", "2"): (3, 6, 0),
    ("rfdn", "2 trends"): (1, 6, 1),
    ("rfdn", "3"): (42, 6, 3),
    ("rfdn", "4"): (2, 6, 0),
    ("rfdn", "5"): (7, 7, 0),
}
TABLES = [(key, table) for key in list_papers() for table in load_paper(key).tables]


def test_the_papers_and_tables_are_these() -> None:
    assert list_papers() == ["aidn", "fdiwn", "rdsrn", "rfdn"]
    assert list(SIZES) == TABLES


@pytest.mark.parametrize(("key", "table"), TABLES)
def test_a_table_has_all_its_cells(key: str, table: str) -> None:
    found, empty = load_paper(key).tables[table], empty_cells(key)
    assert SIZES[key, table] == (
        len(found.rows),
        len(found.columns),
        (empty["table"] == table).sum(),
    )


@pytest.mark.parametrize(("key", "table"), TABLES)
def test_a_table_gives_numbers_with_their_meaning(key: str, table: str) -> None:
    numbers = published(key, table)
    assert list(numbers.columns) == COLUMNS
    assert numbers["value"].notna().all() and (numbers["source"] != "").all()
    scores = numbers["quantity"].isin(["psnr_y", "ssim_y", "psnr_rgb"])
    assert (numbers.loc[~scores, "unit"] != "").all()
    assert (numbers.loc[numbers["quantity"] != "params", "convention"] != "").all()
    sets = {"Set5", "Set14", "B100", "Urban100", "Manga109", "DIV2K test"}
    assert set(numbers.loc[scores, "column"]) <= sets


def test_a_network_is_named_as_ours() -> None:
    rows = cells().dropna(subset=["network"])
    assert set(rows["network"]) <= set(list_networks())
    assert set(rows.loc[rows["network"] == "lapsrn", "scale"]) == {2, 4}  # it can do no other


def test_cells_with_units_in_the_heading_are_in_these_units() -> None:
    table = published("rdsrn", "II")
    rdn = table[table["row"] == "RDN [1]"].set_index("quantity")
    assert (rdn["value"]["macs_720p"], rdn["unit"]["macs_720p"]) == (1309, "G")
    assert (rdn["value"]["params"], rdn["unit"]["params"]) == (22, "M")
    poster = published("fdiwn", "poster").set_index(["network", "scale", "quantity"])
    assert poster["value"].loc[[("fdiwn-m", 3, "macs_720p")]].item() == 35.9


def test_all_papers_in_one_table() -> None:
    everything = cells()
    assert list(everything.columns) == [*COLUMNS, "paper", "table"]
    assert len(everything) == sum(len(published(key, table)) for key, table in TABLES)
    scores = cells("psnr_y").set_index(["network", "scale", "column", "paper", "table"])["value"]
    assert scores.loc[[("aidn", 4, "Set5", "aidn", "3")]].item() == 32.26
    assert scores.loc[[("fdiwn", 4, "Urban100", "fdiwn", "poster")]].item() == 26.28
    with pytest.raises(PublishedError, match=r"no table has psnr; there are .*'psnr_y'"):
        cells("psnr")


def test_an_empty_cell_has_a_reason_and_no_number() -> None:
    empty = empty_cells("aidn").set_index(["row", "scale", "column"])["reason"]
    assert "37.50/0.9587 and 37.50" in empty["FSRCNN [4]", 2, "Set5"]
    assert empty["SAN [2]", 4, "Flops"] == "the paper prints a dash"
    numbers = published("aidn", "3")
    row = numbers[(numbers["row"] == "FSRCNN [4]") & (numbers["scale"] == 2)]
    assert "Set5" not in set(row["column"]) and "Urban100" in set(row["column"])


GOOD = """
paper: {key: some}
training_sets: []
protocol: none
tables:
  "7":
    about: one row
    columns: {Params: {quantity: params, unit: K}, Set5: {quantity: psnr/ssim}}
    rows:
      - {row: Net, network: null, scale: 4, cells: {Params: 9K, Set5: 30.00/0.9000}}
"""
FAULTS = {
    "a cell of the wrong form": ("30.00/0.9000", "30.0/0.9", "row Net x4, Set5: '30.0/0.9' is not"),
    "a number without its unit": ("9K", '"9"', "row Net x4, Params: '9' is not a number ending"),
    "a number unquoted": ("9K", "9.0", "row Net x4, Params: Input should be a valid string"),
    "an empty cell without reason": ("9K", '{empty: ""}', "row Net x4, Params: "),
    "a cell missing": ("Params: 9K, ", "", "row Net x4, Params: no cell"),
    "a cell too many": ("Params: 9K", "Params: 9K, Set6: 1K", "row Net x4, Set6: the table decl"),
    "a cell twice": ("Params: 9K", "Params: 9K, Params: 9K", "Params is given twice"),
    "an unknown key of a row": ("row: Net", "row: Net, best: 1", "row Net x4, best: Unexpected"),
    "an unknown key of a column": ("unit: K", "units: K", r"table 7, columns.Params.units: Unexp"),
    "an unknown quantity": ("params", "weights", r"table 7, columns.Params.quantity: "),
    "an unknown scale": ("scale: 4", "scale: 8", "row Net x8, scale: "),
    "rows without cells": (
        ", cells: {Params: 9K, Set5: 30.00/0.9000}",
        "",
        "row Net x4, cells: Fi",
    ),
    "no protocol": ("protocol: none\n", "", r"some/printed.yaml: protocol: Field required"),
}


def save(folder: Path, text: str) -> Path:
    (folder / "some").mkdir()
    (folder / "some" / "printed.yaml").write_text(text)
    return folder


def test_a_file_of_the_right_form_is_read(tmp_path: Path) -> None:
    assert published("some", "7", save(tmp_path, GOOD))["value"].tolist() == [9, 30, 0.9]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_named_with_its_place(fault: str, tmp_path: Path) -> None:
    right, wrong, message = FAULTS[fault]
    assert right in GOOD
    with pytest.raises(PublishedError, match=message) as caught:
        load_paper("some", save(tmp_path, GOOD.replace(right, wrong)))
    assert "some/printed.yaml" in str(caught.value)


def test_a_row_given_twice_is_refused(tmp_path: Path) -> None:
    twice = GOOD + GOOD.splitlines()[-1]
    with pytest.raises(PublishedError, match=r"some/printed.yaml: table 7, row Net x4: .* twice"):
        load_paper("some", save(tmp_path, twice))


def test_numbers_keep_their_printed_digits() -> None:
    """A plain reader of YAML must see strings, not floats that lost a zero."""
    for path in FOLDER.glob("*/printed.yaml"):
        for table in yaml.safe_load(path.read_text())["tables"].values():
            for row in table["rows"]:
                assert all(isinstance(cell, str | dict) for cell in row["cells"].values())


# Against the texts of the papers, which are not in the repository.

PAPERS = Path(os.environ.get("SRLIB_PAPERS", FOLDER.parent.parent / "shared/papers"))
TEXTS = {
    "aidn": "aidn_paper.txt",
    "fdiwn": "fdiwn_poster.txt",
    "rdsrn": "rdsrn_paper.txt",
    "rfdn": "rfdn_paper.txt",
}
ARROWS = {r"\downarrow": "↓", r"\uparrow": "↑", r"\wedge": "∧", "$": ""}


def lines_of(key: str, table: str = "") -> list[list[str]]:
    """The rows of the tables of a text: cells without spaces and markup, blank ones left out."""
    path = PAPERS / (f"{key}_poster.txt" if table == "poster" else TEXTS[key])
    if not path.exists():
        pytest.skip(f"{path} is not here; set SRLIB_PAPERS to the folder of the papers' texts")
    text = re.sub(r"</?mark>| ", "", path.read_text())
    for latex, sign in ARROWS.items():
        text = text.replace(latex, sign)
    return [[cell for cell in line.split("\t") if cell] for line in text.splitlines()]


RUN_TOGETHER = [("aidn", "SRCNN [3]", 2)]  # its cells share those of the row below in the text


def rows_of(key: str, table: Table) -> list[list[str]]:
    """Rows as a text lays them out: first the label, then the cells; unsure rows left out."""
    rows = []
    for row in table.rows:
        printed = [
            ("-" if "dash" in cell.empty else "") if isinstance(cell, Empty) else cell
            for cell in row.cells.values()
        ]
        reasons = [cell.empty for cell in row.cells.values() if isinstance(cell, Empty)]
        together = (key, row.row, row.scale) in RUN_TOGETHER
        if not together and not any(r.startswith(("garbled", "misprinted")) for r in reasons):
            rows.append([row.row, *printed])
    if key == "rdsrn" and table.rows[0].row == "Recursions 1":  # printed the other way round
        rows = [list(column) for column in zip(*rows, strict=True)]
        rows = [[label, *row[1:]] for label, row in zip(["", *HEADINGS_I], rows, strict=True)][1:]
    return [[cell.replace(" ", "") for cell in row if cell] for row in rows]


HEADINGS_I = ["Params (M)", "Multi- Adds (G)", "Processing Time (s)", "PSNR (dB)"]


@pytest.mark.parametrize(("key", "table"), TABLES)
def test_the_cells_stand_in_the_text_in_this_order(key: str, table: str) -> None:
    lines = iter(lines_of(key, table))
    for label, *printed in rows_of(key, load_paper(key).tables[table]):
        assert any(label in line and line[-len(printed) :] == printed for line in lines), label


SPOT_CHECKS = [
    ("aidn", "1", "SRResNet [15]", 2, "Manga109", "38.05"),
    ("aidn", "2", "FDC", 4, "Urban100", "26.12/0.7857"),
    ("aidn", "3", "LapSRN [14]", 4, "Set14", "29.19/0.7720"),
    ("aidn", "3", "MemNet [25]", 3, "Flops", "1706.67G"),
    ("rfdn", "2", "0.75", 4, "Params", "565K"),
    ("rfdn", "3", "SRCNN [4]", 2, "Params", "8K"),
    ("rfdn", "3", "RFDN-L (Ours)", 4, "Manga109", "30.61/0.9096"),
    ("rfdn", "5", "XPixel", 4, "Activations", "270.53"),
    ("fdiwn", "poster", "FDIWN-M(Ours)", 3, "Multi-adds", "35.9 G"),
    ("rdsrn", "I", "Recursions 9", 4, "Multi-Adds", "223"),
]


@pytest.mark.parametrize(("key", "table", "row", "scale", "column", "printed"), SPOT_CHECKS)
def test_a_cell_read_by_eye(
    key: str, table: str, row: str, scale: int, column: str, printed: str
) -> None:
    rows = load_paper(key).tables[table].rows
    assert [r.cells[column] for r in rows if (r.row, r.scale) == (row, scale)] == [printed]
