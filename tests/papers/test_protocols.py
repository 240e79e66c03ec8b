"""Printed scores that are off: explained by one protocol a row, or by none; and the page."""

import json
from pathlib import Path

import pytest

from papers import protocols
from papers.protocols import EXPLAINED, NOT_EXPLAINED, explanations
from papers.show import why as page
from srlib.doctor.protocols import FIELD, Protocol
from srlib.doctor.why import Place, Scores, evaluators, load_grid

PROTOCOLS = {"chop": Protocol(way="chop"), "border": Protocol(border="0")}


@pytest.fixture(scope="module")
def tracked():
    return load_grid()


def test_fdiwns_whole_row_is_explained_by_quarters(tracked) -> None:
    found = explanations(tracked)
    row = found[found["network"] == "fdiwn"]
    assert set(row["verdict"]) == {EXPLAINED} and set(row["scale"]) == {3, 4}
    assert len(row) == 16, "PSNR and SSIM of four sets at two scales"
    assert set(row["protocol"]) == {PROTOCOLS["chop"].words}


def test_no_row_of_bicubic_is_explained(tracked) -> None:
    found = explanations(tracked)
    row = found[found["network"] == "bicubic"]
    assert len(row) and set(row["verdict"]) == {NOT_EXPLAINED} and set(row["protocol"]) == {""}


def cells(*values: dict[Protocol, float]) -> list:
    """Cells of one row, all printed as 32.20."""
    number = protocols.Number.read("32.20")
    sets = ("Set5", "Set14")
    return [
        protocols._Cell(Place("imdn", 4, name), "psnr_y", number, given)
        for name, given in zip(sets, values, strict=False)
    ]


def test_a_protocol_that_another_cell_refutes_explains_nothing() -> None:
    chop, border = PROTOCOLS.values()
    first = {FIELD: 32.1, chop: 32.20, border: 32.20}
    found = list(protocols._explain(cells(first, {FIELD: 32.1, chop: 32.3, border: 32.20})))
    assert [one["protocol"] for one in found] == [border.words, border.words]
    assert found[0]["fitting"] == 2 and found[0]["tried"] == 3


def test_a_protocol_that_was_not_tried_elsewhere_is_not_refuted_there() -> None:
    chop = PROTOCOLS["chop"]
    found = list(protocols._explain(cells({FIELD: 32.1, chop: 32.20}, {FIELD: 32.1})))
    assert [one["verdict"] for one in found] == [EXPLAINED, NOT_EXPLAINED]


def test_what_is_printed_is_not_asked() -> None:
    assert list(protocols._explain(cells({FIELD: 32.20}))) == []


# --- the page ---------------------------------------------------------------------------------

GRID = {
    Place("imdn", 4, "Set5"): {
        FIELD: Scores(32.21, 0.89),
        Protocol(channel="y-rounded", lr="matlab-new"): Scores(32.187, None),
        Protocol(window="uniform"): Scores(32.21, 0.9),
    },
    Place("imdn", 4, "Set5", "baby"): {FIELD: Scores(33.5, 0.9)},
}


def test_the_page_holds_every_psnr_and_its_words() -> None:
    data = json.loads(page.embedded(GRID))
    whole, image = data["places"]
    assert whole[:4] == ["imdn", 4, "Set5", ""] and image[3] == "baby"
    assert [value for _, value in whole[4]] == [32.21, 32.187]
    deviations, known = data["protocols"][whole[4][1][0]]
    words = "; ".join(data["choices"][choice][0] for choice in deviations)
    assert words == Protocol(channel="y-rounded", lr="matlab-new").words
    assert ["IMDN's test script", "imdn"] in [data["evaluators"][at] for at, _ in known]


def test_the_page_asks_for_nothing_from_elsewhere(tmp_path: Path) -> None:
    page.page(tmp_path / "page.html", GRID)
    text = (tmp_path / "page.html").read_text()
    assert "http" not in text and "src=" not in text and "import " not in text


def test_every_report_is_a_row_with_an_answer(tracked) -> None:
    found = page.reported(tracked)
    assert len(found) >= 13 and not (found["answer"] == "none").any()


def test_every_evaluator_says_where_it_was_read() -> None:
    assert all(one["source"] for one in evaluators())
