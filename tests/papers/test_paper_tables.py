"""The papers' tables, published beside measured: judged, marked, exported."""

import io
import re
from pathlib import Path

import made_up
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from papers.comparison import STATUSES, load_measured
from papers.printed import PublishedError
from papers.results import ProvenanceError
from papers.show.paper_tables import (
    PaperTable,
    cite,
    differing,
    export,
    nothing_beside,
    our_counts,
    page,
    paper_table,
    paper_tables,
    show,
    show_empty,
    show_outside,
    standing,
    summary,
    tally,
    trends,
)
from srlib.data.imresize import _matrix
from srlib.evaluation.metrics import luma, psnr, shave, ssim
from srlib.paths import ROOT, Result

PAPER = """
paper: {key: some}
training_sets: []
protocol: none
tables:
  "7":
    about: made up & 100 % small_
    columns:
      Params: {quantity: params, unit: K, heading: "#Params_"}
      Set5: {quantity: psnr/ssim}
      Set14: {quantity: psnr/ssim}
      Manga109: {quantity: psnr/ssim}
    rows:
      - {row: Bicubic, network: null, scale: 4,
         cells: {Params: {empty: the paper prints a dash}, Set5: 28.42/0.8104,
           Set14: 26.00/0.7027, Manga109: 24.89/0.7866}}
      - {row: "IMDN [1] | a & b", network: imdn, scale: 4,
         cells: {Params: 715K, Set5: 32.21/0.8948,
           Set14: {empty: "garbled by text recognition: 2?"}, Manga109: 30.45/0.9075}}
      - {row: Base, network: aidn-base, scale: 4,
         cells: {Params: 999K, Set5: 32.21/0.8933, Set14: 28.51/0.7801, Manga109: 30.42/0.9072}}
"""
RULES = """
sources:
  weights: {label: authors' weights, why: rounding, tolerance: {psnr_y: 0.01, ssim_y: 0.0002}}
  resampling: {label: bicubic, why: rounding, tolerance: {psnr_y: 0.01, ssim_y: 0.0002}}
  own: {label: own training, why: another budget}
  entry: {label: other weights, why: not the printed network}
  code: {label: code, why: printed digits}
rows:
  - {row: Bicubic, method: bicubic, source: resampling, reason: the same everywhere}
  - {network: imdn, tables: [some 7], method: imdn, source: weights, reason: its authors'}
  - {network: aidn-base, method: aidn-base, source: own, campaign: ablation, reason: ours}
entries:
  - {row: ARFDN (entry), tables: [some 7], scale: 4, method: arfdn, reason: four blocks}
differences:
  - {method: bicubic, sets: [Set14], reason: one image is read as grey}
nothing:
  - {code: M, sets: [Manga109], reason: needs a licence}
  - {code: S, sources: [weights, resampling], reason: not measured here}
  - {code: O, reason: not scored}
unread:
  - {code: g, begins: garbled}
  - {code: d, begins: the paper prints a dash}
"""


@pytest.fixture
def papers(tmp_path: Path) -> Path:
    """A folder of published numbers with one made-up table."""
    folder = tmp_path / "published"
    (folder / "rules").mkdir(parents=True)
    (folder / "some").mkdir()
    (folder / "some" / "printed.yaml").write_text(PAPER)
    (folder / "rules" / "measured.yaml").write_text(RULES)
    (folder / "rules" / "counts.yaml").write_text("[]")
    return folder


def save(
    root: Path, place: str, run: str, seed: int | None = None, **sets: tuple[float, float]
) -> None:
    """Made-up scores of CAMPAIGN/METHOD at x4: set -> PSNR and SSIM."""
    means = {k: {"images": 5.0, "psnr_y": p, "ssim_y": s} for k, (p, s) in sets.items()}
    campaign, method = place.split("/")
    made_up.write(root, Result(campaign, method, 4, seed), run, means)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Made-up results: bicubic within on Set5 and outside on Set14, IMDN, two seeds of Base."""
    save(tmp_path, "benchmarks/bicubic", "b1", Set5=(28.4299, 0.8105), Set14=(26.09, 0.7048))
    save(tmp_path, "benchmarks/imdn", "i1", Set5=(32.2114, 0.89478), Set14=(28.58, 0.78))
    save(tmp_path, "benchmarks/arfdn", "a1", Set5=(32.12, 0.8937))
    save(tmp_path, "ablation/aidn-base", "s0", 0, Set5=(31.00, 0.8900))
    save(tmp_path, "ablation/aidn-base", "s1", 1, Set5=(31.04, 0.8904))
    return tmp_path


@pytest.fixture
def table(papers: Path, root: Path) -> PaperTable:
    return paper_table("some", "7", root=root, folder=papers)


def cell(table: PaperTable, row: str, column: str, quantity: str = "psnr_y") -> dict:
    rows = table.cells[table.cells["row"].str.startswith(row)]
    (found,) = rows[(rows["column"] == column) & (rows["quantity"] == quantity)].to_dict("records")
    return found


def test_a_score_within_its_tolerance(table: PaperTable) -> None:
    found = cell(table, "IMDN", "Set5")
    assert (found["status"], found["from"], found["runs"]) == ("within", "weights", "i1")
    assert found["difference"] == pytest.approx(0.0014)


def test_a_difference_of_the_tolerance_itself_is_within(papers: Path, tmp_path: Path) -> None:
    save(tmp_path, "benchmarks/bicubic", "b1", Set5=(28.43, 0.8106))
    found = paper_table("some", "7", root=tmp_path, folder=papers)
    assert cell(found, "Bicubic", "Set5")["status"] == "within"
    assert cell(found, "Bicubic", "Set5", "ssim_y")["status"] == "within"


def test_a_score_outside_has_the_reason_for_its_set(table: PaperTable) -> None:
    found = cell(table, "Bicubic", "Set14")
    assert (found["status"], found["reason"]) == ("outside", "one image is read as grey")


def test_a_count_is_judged_by_its_printed_digits(table: PaperTable) -> None:
    assert cell(table, "IMDN", "Params", "params")["status"] == "within"
    wrong = cell(table, "Base", "Params", "params")
    assert (wrong["status"], wrong["reason"]) == ("outside", "the cause is not known")


def test_our_own_training_is_shown_and_not_judged(table: PaperTable) -> None:
    found = cell(table, "Base", "Set5")
    assert (found["status"], found["reason"]) == ("not comparable", "another budget")
    assert (found["measured"], found["seeds"], found["runs"]) == (31.02, 2, "s0 s1")
    assert found["spread"] == pytest.approx(0.04)


def test_an_unread_cell_keeps_the_papers_reason_beside_what_is_measured(table: PaperTable) -> None:
    found = cell(table, "IMDN", "Set14")
    assert (found["status"], found["code"]) == ("empty", "g")
    assert found["measured"] == 28.58 and np.isnan(found["difference"])


def test_what_is_not_measured_says_why(table: PaperTable) -> None:
    assert cell(table, "Base", "Manga109")["reason"] == "needs a licence"
    assert cell(table, "Base", "Set14")["reason"] == "not scored"


def test_a_weight_without_a_score_at_this_scale_says_so(papers: Path, tmp_path: Path) -> None:
    bare = paper_table("some", "7", root=tmp_path, folder=papers)
    assert cell(bare, "IMDN", "Set5")["reason"] == "not measured here"


def test_an_entry_stands_apart_and_is_not_counted(table: PaperTable) -> None:
    found = cell(table, "ARFDN", "Set5")
    assert (found["entry"], found["status"], found["from"]) == (True, "not comparable", "entry")
    assert cell(table, "ARFDN", "Params", "params")["measured"] == pytest.approx(241.548)
    assert len(table.status) == 3 * 4


def test_a_part_of_a_campaign_counts_as_the_campaign(papers: Path, tmp_path: Path) -> None:
    save(tmp_path, "benchmarks-x4/imdn", "i2", Set5=(32.21, 0.8948))
    found = paper_table("some", "7", root=tmp_path, folder=papers)
    assert cell(found, "IMDN", "Set5")["runs"] == "i2"


def test_a_result_without_a_run_is_refused(papers: Path, tmp_path: Path) -> None:
    save(tmp_path, "benchmarks/imdn", "", Set5=(32.21, 0.8948))
    with pytest.raises(ProvenanceError, match="reference-imdn-x4.json does not say which run"):
        paper_table("some", "7", root=tmp_path, folder=papers)


def test_an_unknown_table_or_scale_names_those_there_are(papers: Path, root: Path) -> None:
    with pytest.raises(PublishedError, match="has no table 8"):
        paper_table("some", "8", root=root, folder=papers)
    with pytest.raises(PublishedError, match=r"no row is of x2; there are \[4\]"):
        paper_table("some", "7", 2, root=root, folder=papers)


def test_a_broken_rule_is_named(papers: Path, root: Path) -> None:
    (papers / "rules" / "measured.yaml").write_text(RULES.replace("why: rounding", "way: x", 1))
    with pytest.raises(PublishedError, match="measured.yaml"):
        paper_table("some", "7", root=root, folder=papers)


def test_the_frame_has_three_columns_for_each_printed_number(table: PaperTable) -> None:
    set5 = table.frame["Set5 psnr_y"]
    assert list(set5.columns) == ["published", "measured", "difference"]
    assert set5.iloc[0].tolist() == pytest.approx([28.42, 28.4299, 0.0099])


def test_a_cell_is_as_bad_as_its_worst_number(papers: Path, tmp_path: Path) -> None:
    save(tmp_path, "benchmarks/bicubic", "b1", Set5=(28.42, 0.9))
    status = paper_table("some", "7", root=tmp_path, folder=papers).status
    assert status.set_index(["row", "column"])["status"]["Bicubic", "Set5"] == "outside"


def test_the_counts_of_a_table_add_up(papers: Path, root: Path) -> None:
    (row,) = tally(root, papers).to_dict("records")
    assert row["cells"] == 12 == sum(row[status] for status in STATUSES)
    assert {k: row[k] for k in ("measured", "within", "outside", "not comparable")} == {
        "measured": 6, "within": 3, "outside": 2, "not comparable": 1,
    }  # fmt: skip


def test_the_sentence_is_made_from_the_table(table: PaperTable) -> None:
    text = " ".join(summary(table).split())
    assert "12 cells are printed in SOME, Table 7, and 6 are measured here: 3 within" in text
    assert "2 outside (Bicubic: Set14; Base: Params), 1 shown and not judged. 6 have" in text


def test_a_tie_shares_the_best_place_and_the_next_is_second(table: PaperTable) -> None:
    html = show(table).to_html()
    assert html.count("<b>32.21</b>") == 2 and "<u>28.42</u>" in html
    assert "<u>0.8933</u>" in html
    text = " ".join(standing(table, "Base").split())
    assert "is the best in 3 and the second best in 3 of its 6 scores" in text


def test_a_page_says_where_a_row_stands_and_what_agrees(
    table: PaperTable, capsys: pytest.CaptureFixture[str]
) -> None:
    sheet = page(table, "Base")
    assert capsys.readouterr().out == f"{standing(table, 'Base')}\n\n{summary(table)}\n"
    assert sheet._repr_html_() == show(table)._repr_html_()


def test_a_page_is_about_all_scales_and_shows_one(capsys: pytest.CaptureFixture[str]) -> None:
    table = paper_table("aidn", "3")
    sheet = page(table, "AIDN(ours)", scale=3)
    assert summary(table) in capsys.readouterr().out
    assert sheet._repr_html_() == show(paper_table("aidn", "3", scale=3))._repr_html_()


@pytest.mark.parametrize(
    ("row", "said"),
    [("NJU_MCG (ours)", "is the second best in its only score"), ("XPixel", "neither best in its")],
)
def test_one_score_is_told_as_one(row: str, said: str) -> None:
    assert said in " ".join(standing(paper_table("rfdn", "5"), row).split())


def test_what_the_paper_sets_apart_is_not_in_the_race() -> None:
    text = " ".join(standing(paper_table("aidn", "3"), "AIDN(ours)").split())
    assert "the best in 18 and the second best in 8 of its 30 scores (RDN [31]," in text


def test_what_is_measured_is_judged_or_shown() -> None:
    total = tally().drop(columns=["paper", "table"]).sum()
    shown = total[["within", "outside", "not comparable"]].sum()
    assert total["measured"] == shown and total["cells"] == shown + total["empty"]


def test_captions_count_what_is_outside_and_empty(table: PaperTable) -> None:
    assert repr(show_outside(table)).startswith("Table: SOME, Table 7: numbers outside, 3 rows")
    assert repr(show_empty(table)).startswith("Table: SOME, Table 7: 6 cells, by reason")


def test_a_row_that_is_not_there_has_no_standing(table: PaperTable) -> None:
    with pytest.raises(ValueError, match="no row 'Nobody'"):
        standing(table, "Nobody")


def test_status_has_a_mark_and_a_tint(table: PaperTable) -> None:
    html = re.sub("</?span[^>]*>", "", show(table).to_html())
    assert "= 32.211/0.89478" in html and "≠ 26.090/0.70480" in html and "○ 31.020" in html
    assert "+0.040" not in html and "0.040/0.00040" in html  # the spread has no sign
    assert len(set(re.findall(r"background: (#\w+)", html))) == 3


def test_a_table_names_its_runs_and_explains_its_codes(table: PaperTable) -> None:
    html = show(table)._repr_html_() or ""
    assert "bicubic ×4 b1; imdn ×4 i1; aidn-base ×4 s0 s1; arfdn ×4 a1" in html
    assert "M needs a licence" in html and "g garbled" in html and "ARFDN (entry): four" in html


def test_every_measured_number_names_its_runs(table: PaperTable) -> None:
    html = show(table)._repr_html_()
    measured = table.cells[table.cells["measured"].notna() & (table.cells["from"] != "code")]
    assert all(f'title="run {runs}"' in str(html) for runs in measured["runs"])


def test_a_table_is_cited_with_its_file_and_runs(table: PaperTable) -> None:
    entry = cite(table)
    assert f"results/tables/{table.name}.csv" in entry
    assert set(" ".join(table.cells["runs"]).split()) <= set(re.findall(r"[\w.]+", entry))


def test_the_text_form_of_a_table_is_its_caption(table: PaperTable) -> None:
    assert repr(show(table)).startswith("Table: SOME, Table 7, ×4")


def test_what_differs_and_what_is_missing_have_tables(table: PaperTable) -> None:
    found = differing(table).set_index(["row", "column", "quantity"])["difference"]
    assert found["Bicubic", "Set14", "psnr_y"] == "+0.090"
    beside = nothing_beside(table).set_index("code")
    assert beside["cells"].to_dict() == {"d": 1, "M": 3, "g": 1, "O": 1}


def test_our_networks_counts_stand_beside(table: PaperTable, papers: Path) -> None:
    found = our_counts(table, papers).set_index("row")
    assert "reconstructed" in found["what"]["Base"]
    assert list(found.index) == ["IMDN [1] | a & b", "Base"]


def test_arrows_are_compared_with_the_scores_above_them() -> None:
    scores, arrows = paper_table("rfdn", "2"), paper_table("rfdn", "2 trends")
    found = trends(scores, arrows).iloc[0].to_dict()
    assert (found["printed"], found["from the scores"], found["agrees"]) == ("↓", "↓", True)
    turned = scores.cells.assign(published=-scores.cells["published"])
    opposite = trends(PaperTable("rfdn", "2", "", "", scores.columns, turned), arrows).iloc[0]
    assert (opposite["from the scores"], opposite["agrees"]) == ("↑", False)


@pytest.fixture
def exported(papers: Path, root: Path, tmp_path: Path) -> dict[str, str]:
    files = export(tmp_path / "out", root, papers)
    assert [path.name for path in files] == [f"some-table-7.{e}" for e in ("csv", "tex", "md")]
    return {path.suffix: path.read_text() for path in files}


@pytest.mark.parametrize("ending", [".csv", ".tex", ".md"])
def test_an_export_names_source_runs_and_legend_first(exported, ending: str) -> None:
    first = exported[ending].split("\n")[0]
    assert "SOME, Table 7" in first and "imdn ×4 i1" in first and "≠ outside" in first


def test_the_csv_parses_back(exported, table: PaperTable) -> None:
    found = pd.read_csv(io.StringIO(exported[".csv"]), skiprows=1)
    assert found["row"].tolist() == table.cells["row"].tolist()
    np.testing.assert_allclose(found["measured"], table.cells["measured"], atol=1e-6)


def test_the_latex_is_balanced_and_escaped(exported) -> None:
    body = exported[".tex"].split("\n", 1)[1]
    rows = [line for line in body.splitlines() if line.endswith(r"\\")]
    assert {len(re.findall(r"(?<!\\)&", row)) for row in rows} == {5}
    assert r"\#Params\_" in body and r"| a \& b" in body
    assert body.count("{") == body.count("}")
    assert not re.search(r"(?<!\\)[%#_]", body)


def test_the_markdown_has_as_many_columns_in_every_row(exported) -> None:
    rows = [line for line in exported[".md"].splitlines() if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {7}
    assert "<ins>28.42</ins>" in exported[".md"] and r"\| a &amp; b" in exported[".md"]


def test_every_rule_of_the_papers_names_what_is_printed() -> None:
    known = load_measured()
    names = {f"{paper} {table}" for paper, table in paper_tables()}
    used = [rule.tables or [] for rule in known.rows]
    used += [rule.tables or [] for rule in known.nothing]
    used += [entry.tables for entry in known.entries]
    assert {name for tables in used for name in tables} <= names


@pytest.fixture(scope="module")
def printed() -> list[PaperTable]:
    """All tables of the papers, with the tracked results."""
    return [paper_table(paper, table) for paper, table in paper_tables()]


def test_every_cell_that_is_not_within_has_a_reason(printed: list[PaperTable]) -> None:
    cells = pd.concat([table.cells for table in printed])
    silent = cells[(cells["status"] != "within") & (cells["reason"] == "")]
    assert silent[["row", "scale", "column"]].to_dict("records") == []


def test_every_difference_of_the_papers_is_explained(printed: list[PaperTable]) -> None:
    cells = pd.concat([table.cells.assign(table=table.name) for table in printed])
    unknown = cells[cells["reason"] == "the cause is not known"]
    assert unknown[["table", "row", "scale", "column", "difference"]].to_dict("records") == []


def test_the_tracked_exports_are_those_of_the_tracked_results(tmp_path: Path, printed) -> None:
    fresh = {path.name: path.read_bytes() for path in export(tmp_path)}
    tracked = {path.name: path.read_bytes() for path in (ROOT / "results/tables").glob("*-table-*")}
    assert sorted(tracked) == sorted(fresh), "write them anew with `papers export`"
    stale = [name for name in fresh if fresh[name] != tracked[name]]
    assert stale == [], "write them anew with `papers export`"


@pytest.mark.parametrize(("scale", "printed_row"), [(2, "33.66/0.9299"), (4, "28.42/0.8104")])
def test_bicubic_on_y_alone_gives_the_printed_set5(
    mirror: Path, scale: int, printed_row: str
) -> None:
    """The reason that measured.yaml gives for the bicubic rows."""
    scores = []
    for path in sorted((mirror / "Set5" / "HR").iterdir()):
        with Image.open(path) as image:
            rgb = np.asarray(image.convert("RGB"))
        height, width = (side // scale * scale for side in rgb.shape[:2])
        hr = np.floor(luma(rgb[:height, :width]) + 0.5)
        lr = _both_ways(hr, 1 / scale)
        sr = np.floor(_both_ways(lr, scale) + 0.5).clip(0, 255)
        scores.append([measure(shave(sr, scale), shave(hr, scale)) for measure in (psnr, ssim)])
    found = np.mean(scores, axis=0)
    assert len(scores) == 5 and f"{found[0]:.2f}/{found[1]:.4f}" == printed_row


def _both_ways(image: np.ndarray, scale: float) -> np.ndarray:
    rows = _matrix(image.shape[0], scale, "replicate") @ image
    return (_matrix(image.shape[1], scale, "replicate") @ rows.T).T
