"""The audit finds planted contradictions, none in a clean paper, and the known ones in the four."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from papers.contradictions import (
    COLUMNS,
    KINDS,
    Finding,
    Reason,
    copied,
    counts,
    explain,
    findings,
    impossible_counts,
    largest,
    of_kind,
    outliers,
    outside_band,
    printed_cells,
    printed_name,
    reasons,
    two_values,
    unsupported,
    wrong_order,
)
from papers.counts import count
from papers.printed import PublishedError
from papers.statements import statement_table, statements

HEAD = """
paper: {{key: {key}}}
training_sets: []
protocol: none
text: {{gain: {{value: "0.20 dB", where: section 9}}}}
tables:
  "1":
    about: a few networks
    columns:
      Params: {{quantity: params, unit: K}}
      Flops: {{quantity: ntire_flops, unit: G}}
      Set5: {{quantity: psnr/ssim}}
      Manga109: {{quantity: psnr/ssim}}
    rows:
"""
SCORES = "30.00/0.9000"


def row(name: str, scale: int, params: str, flops: str, set5: str, manga109: str) -> str:
    cells = f"Params: {params}, Flops: {flops}, Set5: {set5}, Manga109: {manga109}"
    return f'      - {{row: "{name}", network: null, scale: {scale}, cells: {{{cells}}}}}\n'


def write(folder: Path, key: str, rows: list[str]) -> Path:
    (folder / key).mkdir(exist_ok=True)
    (folder / key / "printed.yaml").write_text(HEAD.format(key=key) + "".join(rows))
    return folder


def save(
    folder: Path,
    key: str = "one",
    params: str = "100K",
    set5: str = SCORES,
    manga109: str = "31.00/0.9100",
    large: str = "30.20/0.9020",
    more: str = "",
) -> Path:
    """A paper of two networks at x2; the larger has twice the size and 0.20 dB more."""
    rows = [
        row("Small [1]", 2, params, "5.00G", set5, manga109),
        row("Large [2]", 2, "200K", "9.00G", large, "31.20/0.9120"),
        more,
    ]
    return write(folder, key, rows)


def say(folder: Path, entry: str, key: str = "one") -> Path:
    """Add a statement to the paper."""
    (folder / key).mkdir(exist_ok=True)
    (folder / key / "statements.yaml").write_text(entry)
    return folder


SMALL, LARGE = '"one 1 | Small [1] x2 | Params"', '"one 1 | Large [2] x2 | Params"'
PAIR = '["one 1 | Large [2] x2", "one 1 | Small [1] x2", psnr_y]'
RIGHT = {
    "a percentage": f"printed: 50 %, follows: [{{fewer: [{SMALL}, {LARGE}]}}]",
    "a ratio": f"printed: 2 times, follows: [{{ratio: [{LARGE}, {SMALL}]}}]",
    "a part": f"printed: 1/2, follows: [{{ratio: [{SMALL}, {LARGE}]}}]",
    "a bound": f"printed: 1 times, relation: more than, follows: [{{ratio: [{LARGE}, {SMALL}]}}]",
    "a difference": f"printed: 100K, follows: [{{difference: [{LARGE}, {SMALL}]}}]",
    "a mean": f"printed: 0.20 dB, follows: [{{mean_difference: {PAIR}}}]",
    "a sum": 'printed: "300", follows: [{sum: [100, 200]}]',
    "one reading of two": "printed: 50 %, follows: "
    f"[{{fewer: [{LARGE}, {LARGE}]}}, {{fewer: [{SMALL}, {LARGE}]}}]",
    "a claim": 'above: {row: "one 1 | Large [2]", quantities: [psnr_y, ssim_y]}',
    "a claim of less": 'below: {row: "one 1 | Small [1]", quantities: [params]}',
}
WRONG = {
    "a percentage": (f"printed: 60 %, follows: [{{fewer: [{SMALL}, {LARGE}]}}]", 10),
    "a ratio": (f"printed: 3 times, follows: [{{ratio: [{LARGE}, {SMALL}]}}]", 1),
    "a part": (f"printed: 1/4, follows: [{{ratio: [{SMALL}, {LARGE}]}}]", 0.25),
    "a bound": (
        f"printed: 3 times, relation: more than, follows: [{{ratio: [{LARGE}, {SMALL}]}}]",
        1,
    ),
    "a difference": (f"printed: 90K, follows: [{{difference: [{LARGE}, {SMALL}]}}]", 10),
    "a mean": (
        f"printed: 0.50 dB, follows: [{{mean_difference: {PAIR}}}]",
        0.3,
    ),
    "a claim": ('above: {row: "one 1 | Small [1]", quantities: [psnr_y]}', 0.2),
    "a claim of less": ('below: {row: "one 1 | Large [2]", quantities: [params]}', 100),
}


def entry(way: str) -> str:
    return f"- {{key: it, place: section 1, says: something, {way}}}\n"


def keys(found: Iterator[Finding]) -> list[str]:
    return [one.key for one in found]


def test_a_clean_paper_has_no_finding(tmp_path: Path) -> None:
    table = printed_cells(save(tmp_path))
    for check in (two_values, copied, wrong_order, outside_band, outliers):
        assert keys(check(table)) == []


@pytest.mark.parametrize("statement", RIGHT)
def test_a_statement_that_follows_is_no_finding(tmp_path: Path, statement: str) -> None:
    folder = say(save(tmp_path), entry(RIGHT[statement]))
    assert keys(unsupported(folder)) == []
    assert set(statement_table(folder)["verdict"]) == {"holds"}


@pytest.mark.parametrize("statement", WRONG)
def test_a_statement_that_does_not_follow_is_found_with_its_size(
    tmp_path: Path, statement: str
) -> None:
    way, size = WRONG[statement]
    [one] = unsupported(say(save(tmp_path), entry(way)))
    assert one.by_how_much == pytest.approx(size) and one.certain
    assert one.where.startswith("ONE, section 1")


def test_a_number_of_the_papers_text_is_not_given_twice(tmp_path: Path) -> None:
    way = RIGHT["a mean"].replace("printed: 0.20 dB", "text: gain")
    table = statement_table(say(save(tmp_path), entry(way).replace("place: section 1, ", "")))
    assert (table["printed"][0], table["place"][0]) == ("0.20 dB", "section 9")


def test_rounding_of_the_cells_can_explain_a_last_digit(tmp_path: Path) -> None:
    way = RIGHT["a mean"].replace("0.20 dB", "0.21 dB")
    [one] = unsupported(say(save(tmp_path), entry(way)))
    assert not one.certain


def test_a_level_rival_is_found_but_not_certain(tmp_path: Path) -> None:
    folder = save(tmp_path, large="30.00/0.9000")
    [one] = unsupported(
        say(folder, entry('above: {row: "one 1 | Large [2]", quantities: [psnr_y]}'))
    )
    assert (one.kind, one.certain) == ("not the best", False)


def test_what_no_cell_decides_is_no_finding(tmp_path: Path) -> None:
    folder = say(save(tmp_path), entry("unchecked: no table of it"))
    assert keys(unsupported(folder)) == []
    assert statement_table(folder)["verdict"].tolist() == ["cannot be checked"]


FAULTS = {
    "a cell that is not there": (
        RIGHT["a part"].replace("Small [1] x2", "Small [1] x3"),
        "is no row",
    ),
    "a column that is not there": (RIGHT["a part"].replace("Params", "Size"), "names 0 cells"),
    "two forms in one": (
        "printed: 1/2, follows: [{sum: [1], fewer: [a, b]}]",
        "one form is wanted",
    ),
    "a number without form": (RIGHT["a part"].replace("1/2", "half"), "'half' is no number like"),
    "a number without its source": ("printed: 1/2", "one of follows, above, below and unchecked"),
    "a rival that is not there": (
        'above: {row: "one 1 | Large [2]", rivals: [Huge], quantities: [psnr_y]}',
        "nothing to compare with {'Huge'}",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_statement_is_named(tmp_path: Path, fault: str) -> None:
    way, message = FAULTS[fault]
    with pytest.raises(PublishedError, match=message):
        list(unsupported(say(save(tmp_path), entry(way))))


def test_a_statement_of_an_unknown_paper_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PublishedError, match=r"two/statements.yaml: there is no paper two"):
        statements(say(save(tmp_path), entry(RIGHT["a part"]), "two"))


def test_two_papers_with_two_values_are_found(tmp_path: Path) -> None:
    save(tmp_path)
    table = printed_cells(save(tmp_path, "two", set5="30.50/0.9000"))
    [one] = two_values(table)
    assert one.key == "two-values/small/x2/set5/psnr_y"
    assert (one.paper, one.by_how_much, one.unit, one.certain) == ("one + two", 0.5, "dB", True)
    assert one.where == "ONE, Table 1, Small [1] ×2, Set5; TWO, Table 1, Small [1] ×2, Set5"
    assert "30.00 and 30.50 differ in one digit" in one.what


def test_a_count_rounded_here_and_cut_off_there_is_not_certain(tmp_path: Path) -> None:
    save(tmp_path)
    [one] = two_values(printed_cells(save(tmp_path, "two", params="101K")))
    assert (one.unit, one.certain) == ("%", False)


def test_a_name_with_two_citations_is_one_network() -> None:
    assert printed_name("IMDN [8]") == printed_name("IMDN (Hui et al. 2019)") == "IMDN"


def test_rows_of_an_ablation_are_not_compared_between_papers(tmp_path: Path) -> None:
    for key, score in (("one", "30.00/0.9000"), ("two", "30.50/0.9000")):
        save(tmp_path, key, set5=score)
        path = tmp_path / key / "printed.yaml"
        path.write_text(path.read_text().replace("Small [1]", "Base"))
    assert keys(two_values(printed_cells(tmp_path))) == []


def test_a_pair_in_two_columns_is_found(tmp_path: Path) -> None:
    table = printed_cells(save(tmp_path, manga109=SCORES))
    assert keys(copied(table)) == ["copied/one/1/small/x2/set5-manga109"]


def test_psnr_that_rises_with_the_scale_is_found(tmp_path: Path) -> None:
    more = row("Small [1]", 3, "100K", "6.00G", "30.10/0.8000", "28.00/0.8500")
    table = printed_cells(save(tmp_path, more=more))
    assert keys(wrong_order(table)) == ["wrong-order/one/1/small/set5/x2-x3"]


def test_flops_that_fall_with_the_scale_are_found(tmp_path: Path) -> None:
    more = row("Small [1]", 3, "100K", "4.00G", "28.00/0.8000", "28.00/0.8500")
    table = printed_cells(save(tmp_path, more=more))
    assert keys(wrong_order(table)) == ["wrong-order/one/1/small/flops/x2-x3"]


def rising(folder: Path, ssim: str) -> pd.DataFrame:
    """Eight networks, of which SSIM rises with PSNR; the fifth has the SSIM given."""
    ssims = [ssim if i == 5 else f"{0.9 + i / 1000:.4f}" for i in range(8)]
    rows = [
        row(
            f"N{i} [{i}]", 2, "1K", "1.00G", f"{30 + i / 10:.2f}/{own}", f"{31 + i / 10:.2f}/0.9500"
        )
        for i, own in enumerate(ssims)
    ]
    return printed_cells(write(folder, "one", rows))


def test_an_ssim_within_the_band_is_no_finding(tmp_path: Path) -> None:
    assert keys(outside_band(rising(tmp_path, "0.9055"))) == []


@pytest.mark.parametrize("ssim", ["0.8850", "0.9150"])
def test_an_ssim_outside_the_band_is_found_alone(tmp_path: Path, ssim: str) -> None:
    assert keys(outside_band(rising(tmp_path, ssim))) == [f"band/n5/x2/set5/{ssim}"]


def test_an_outlier_among_three_tables_is_found(tmp_path: Path) -> None:
    for key, score in (("one", "30.00/0.9000"), ("two", "30.01/0.9000"), ("three", "31.00/0.9000")):
        save(tmp_path, key, set5=score)
    assert keys(outliers(printed_cells(tmp_path))) == ["outlier/three/1/small/x2/set5"]


def test_one_row_of_scores_for_two_sizes_is_found() -> None:
    rows = [
        {"paper": paper, "table": "1", "row": name, "network": name, "scale": 2, "column": column}
        | {"quantity": quantity, "text": text, "base": base, "source": "", "printed": text}
        | {"address": ""}
        for paper, name, size in (("one", "a", 8000), ("two", "b", 57000))
        for column, quantity, text, base in [("Params", "params", str(size), size)]
        + [(f"Set{i}", "psnr_y", f"3{i}.00", 30.0 + i) for i in range(4)]
    ]
    assert keys(copied(pd.DataFrame(rows))) == ["copied/a/b/x2"]


def test_a_count_that_is_not_the_networks_is_found(tmp_path: Path) -> None:
    table = printed_cells(save(tmp_path))
    cell = {"paper": "one", "table": "1", "row": "Small [1]", "network": "small", "scale": 2}
    cell |= {"quantity": "params", "printed": "100K", "published": 100.0, "measured": 80.0}
    wrong = pd.DataFrame([cell | {"agrees": False}, cell | {"row": "Large [2]", "agrees": True}])
    [one] = impossible_counts(wrong, table)
    assert (one.key, one.by_how_much) == ("count/one/1/small/x2/params", pytest.approx(25))


FOUND = [
    Finding("a/x2/b", "copied", "one", "", "", 1, "dB", True),
    Finding("a/x3/b", "copied", "one", "", "", 1, "dB", True),
]


def test_a_reason_covers_what_its_key_matches() -> None:
    known = {"a/x2/*": Reason("first"), "a/*": Reason("second", cleared=True)}
    assert explain(FOUND, known) == {"a/x2/b": Reason("first"), "a/x3/b": known["a/*"]}


@pytest.mark.parametrize(
    ("keys_of_reasons", "message"),
    [(["b/*"], r"b/\*: no such finding"), (["a/*", "a/x2/b"], "a/x2/b: earlier entries explain")],
)
def test_a_reason_for_nothing_is_refused(keys_of_reasons: list[str], message: str) -> None:
    with pytest.raises(PublishedError, match=message):
        explain(FOUND, dict.fromkeys(keys_of_reasons, Reason("why")))


def test_a_broken_file_of_reasons_is_named(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules/contradictions.yaml").write_text("a: {why: none}")
    with pytest.raises(PublishedError, match="contradictions.yaml"):
        reasons(tmp_path)


@pytest.fixture(scope="module")
def found() -> pd.DataFrame:
    return findings()


KNOWN = [
    "arithmetic/aidn/params-of-srresnet",
    "arithmetic/aidn/flops-of-srresnet",
    "arithmetic/aidn/gain-of-aieb",
    "arithmetic/aidn/blocks",
    "arithmetic/aidn/part-of-imdn",
    "arithmetic/aidn/carn-to-ours",
    "not-the-best/aidn/superior-on-five-sets/srresnet",
    "count/aidn/3/rfdn/x4/ntire_flops",
    "count/aidn/3/imdn/x4/ntire_flops",
    "count/rdsrn/i/rdsrn-r9/x4/macs_720p",
    "count/fdiwn/poster/fdiwn/x4/macs_720p",
    "count/fdiwn/poster/maffsrn/x4/macs_720p",
    "copied/aidn/3/srresnet/x2/set5-manga109",
    "two-values/rdsrn/x4/runtime",
    "two-values/lapsrn/x4/set14/psnr_y",
    "outlier/aidn/3/lapsrn/x4/set14",
    "band/srcnn/x3/urban100/0.7889",
]


@pytest.mark.parametrize("key", KNOWN)
def test_a_known_contradiction_is_found(found: pd.DataFrame, key: str) -> None:
    assert key in set(found["key"])


def test_a_finding_has_its_own_key_and_a_kind(found: pd.DataFrame) -> None:
    assert list(found.columns) == COLUMNS
    assert found["key"].is_unique and set(found["kind"]) <= set(KINDS)
    assert found["by_how_much"].ge(0).all() and (found["where"] != "").all()


def test_the_same_findings_come_twice(found: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(found, findings())


def test_srresnet_leads_in_the_four_cells_that_are_known(found: pd.DataFrame) -> None:
    key = "not-the-best/aidn/superior-on-five-sets/srresnet"
    where = found.set_index("key").loc[key, "where"]
    for place in ("×2, B100", "×3, Set14", "×4, Set14", "×4, B100"):
        assert f"SRResNet [15] {place}" in str(where)


def test_what_is_cleared_has_a_reason(found: pd.DataFrame) -> None:
    assert (found.loc[found["cleared"], "reason"] != "").all()


def test_the_counts_add_up(found: pd.DataFrame) -> None:
    table = counts(found)
    assert table["all"].sum() == len(found)
    assert list(table["kind"]) == list(KINDS)


def test_the_largest_are_not_cleared(found: pd.DataFrame) -> None:
    top = largest(found, 2)
    assert not top["cleared"].any() and top.groupby("unit").size().max() == 2


def test_an_unknown_kind_is_named(found: pd.DataFrame) -> None:
    with pytest.raises(ValueError, match="'typo' is no kind of finding"):
        of_kind(found, "typo")


def test_four_blocks_give_what_the_reasons_say_of_them() -> None:
    params, flops = (count("aidn", 4, quantity, blocks=4) for quantity in ("params", "ntire_flops"))
    assert round(100 * (1 - params / count("msrresnet", 4, "params"))) == 84
    assert abs(100 * (1 - flops / count("msrresnet", 4, "ntire_flops")) - 91.5) < 0.5
    assert count("carn", 4, "params") / params > 6
    assert params / count("imdn-aim", 4, "params") < 1 / 3
    assert round(count("e-rfdn", 4, "params") / params) == 2
