"""Published and tracked numbers as tables."""

import json
import re
from pathlib import Path

import made_up
import pandas as pd
import pytest
import yaml

from papers.printed import PublishedError, load_paper, published
from papers.results import ProvenanceError, over_seeds, results
from papers.show.tables import by_set, overview, printed_counts, printed_scores, show
from srlib.paths import ROOT, Result, find


def test_a_column_of_sentences_has_the_room_to_be_read() -> None:
    table = pd.DataFrame({"word": ["short"], "because": ["a reason " * 10]})
    roomy = re.findall(r"\.(col\d) \{[^}]*min-width", show(table, "c").to_html())
    assert roomy == ["col1"]


def test_a_cell_gives_one_row_a_number() -> None:
    cells = published("aidn", "2").set_index(["row", "column", "quantity"])["value"]
    assert cells["AIEB", "Set5", "psnr_y"] == 32.19
    assert cells["AIEB", "Set5", "ssim_y"] == 0.8949
    assert cells["AIEB", "Params", "params"] == 352


def broken(tmp_path: Path, **cells: str) -> Path:
    paper = yaml.safe_load((ROOT / "papers/aidn/printed.yaml").read_text())
    paper["tables"]["2"]["rows"][0]["cells"] |= cells
    (tmp_path / "aidn").mkdir(exist_ok=True)
    (tmp_path / "aidn" / "printed.yaml").write_text(yaml.safe_dump(paper))
    return tmp_path


@pytest.mark.parametrize("printed", ["32.1O/0.8933", "32.10", "32.10/0.8933/1", ""])
def test_a_garbled_cell_is_named(tmp_path: Path, printed: str) -> None:
    with pytest.raises(PublishedError, match=r"aidn/printed.yaml: table 2, row Base x4, Set5: "):
        published("aidn", "2", broken(tmp_path, Set5=printed))


def test_an_undeclared_column_is_named(tmp_path: Path) -> None:
    with pytest.raises(PublishedError, match="Set6: the table declares no such column"):
        published("aidn", "2", broken(tmp_path, Set6="1.0/1.0"))


def test_an_unknown_paper_or_table_names_those_there_are() -> None:
    with pytest.raises(PublishedError, match="there are aidn"):
        load_paper("nobody")
    with pytest.raises(PublishedError, match="has no table 9"):
        published("aidn", "9")


def test_a_result_without_a_run_is_refused(tmp_path: Path) -> None:
    made_up.write(tmp_path, Result("quick", "bicubic", 4), "", {})
    with pytest.raises(ProvenanceError, match="does not say which run made .*metrics.json"):
        results(tmp_path)


def test_every_tracked_score_has_a_run_and_images() -> None:
    table = results()
    assert len(table) > 0
    assert (table["run"].str.len() == 10).all() and (table["images"] > 0).all()


@pytest.fixture
def scores() -> pd.DataFrame:
    """Two seeds of two methods on one set: a gap of 0.10 dB, spreads of 0.02 and 0.04 dB."""
    rows = [
        ("aidn-base", 0, 30.00),
        ("aidn-base", 1, 30.02),
        ("aidn-aieb", 0, 30.09),
        ("aidn-aieb", 1, 30.13),
    ]
    table = pd.DataFrame(rows, columns=["method", "seed", "psnr_y"])
    return table.assign(campaign="test", scale=4, set="Set5", run=["a", "b", "c", "d"])


def test_seeds_give_mean_spread_and_runs(scores: pd.DataFrame) -> None:
    row = over_seeds(scores).iloc[0]
    assert row["measured"] == pytest.approx(30.01)
    assert row["spread"] == pytest.approx(0.02)
    assert (row["seeds"], row["runs"]) == (2, "a b")


def test_a_printed_cell_meets_its_measurement(scores: pd.DataFrame) -> None:
    table = printed_scores(published("aidn", "2"), scores).set_index(["row", "set"])
    assert table.loc[("Base", "Set5"), "difference"] == pytest.approx(30.01 - 32.10)


def test_a_cell_that_was_not_measured_stays_empty(scores: pd.DataFrame) -> None:
    table = printed_scores(published("aidn", "2"), scores).set_index(["row", "set"])
    assert table["measured"].isna()["AIDB", "Urban100"]
    assert "–" in show(table.reset_index(), "test").to_html()


def test_four_blocks_do_not_give_the_printed_figures() -> None:
    assert printed_counts("aidn", "3", blocks=6)["agrees"].all()
    assert not printed_counts("aidn", "3", blocks=4)["agrees"].any()


def test_a_difference_shows_its_sign() -> None:
    table = pd.DataFrame({"gain": [0.5], "low": [0.25], "psnr_y": [30.0]})
    html = show(table, "caption", signed=("low",)).to_html()
    assert all(text in html for text in (">+0.50<", ">+0.25<", ">30.00<"))


def test_the_text_form_of_a_table_is_its_caption(scores: pd.DataFrame) -> None:
    assert repr(show(scores, "caption")) == "Table: caption, 4 rows"


def test_the_patches_of_a_campaign_are_those_that_its_runs_saw() -> None:
    told = overview().set_index(["campaign", "network", "scale"])["patches"]
    seen = {
        (result.campaign, result.method, result.scale): json.loads(
            result.record("train").read_text()
        )["images_seen"]
        for result, _ in find("weights.safetensors")
    }
    assert told.to_dict() == seen


def test_a_method_has_one_row_by_set() -> None:
    rows = [
        ("late", "Set14", 28.0, "aaaa"),
        ("late", "Set5", 32.0, "aaaa"),
        ("early", "Set5", 31.0, "bbbb"),
        ("early", "Set14", 29.0, "cccc"),
    ]
    wide = by_set(pd.DataFrame(rows, columns=["method", "set", "psnr_y", "runs"]))
    assert list(wide.columns) == ["method", "Set5", "Set14", "runs"]
    assert wide.to_numpy().tolist() == [
        ["early", 31.0, 29.0, "bbbb cccc"],
        ["late", 32.0, 28.0, "aaaa"],
    ]


@pytest.mark.parametrize(("values", "said"), [([2026, 7], "2026"), ([12_000, 7], "12,000")])
def test_thousands_are_parted_where_numbers_are_longer_than_a_year(values, said) -> None:
    assert f">{said}<" in show(pd.DataFrame({"n": values}), "Numbers").to_html()
