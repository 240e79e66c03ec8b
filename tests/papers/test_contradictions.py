"""The audit finds planted contradictions, none in a clean paper, and the known ones in the four."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from papers.claims import FAILS, Claim, Judgement, Shortfall
from papers.contradictions import (
    COLUMNS,
    KINDS,
    MATTERS,
    Fact,
    Finding,
    assign,
    copied,
    facts,
    findings,
    impossible_counts,
    largest,
    load_facts,
    of_kind,
    outliers,
    outside_band,
    printed_cells,
    printed_name,
    tally,
    two_values,
    unsupported,
    wrong_order,
)
from papers.counts import count
from papers.evidence import computed
from papers.printed import PublishedError

HEAD = """
paper: {{key: {key}}}
training_sets: []
protocol: none
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


def keys(found: Iterator[Finding]) -> list[str]:
    return [one.key for one in found]


def test_a_clean_paper_has_no_finding(tmp_path: Path) -> None:
    table = printed_cells(save(tmp_path))
    for check in (two_values, copied, wrong_order, outside_band, outliers):
        assert keys(check(table)) == []


EVIDENCE = computed("a", "params", 1)
SHORT = Shortfall("5 %", 3.0, "points", True, ("ONE, Table 1, Small [1] ×2, Params",))


def failing(*shortfalls: Shortfall, source: str = "Section 1") -> Claim:
    judgement = Judgement(FAILS, "It is not.", EVIDENCE, shortfalls)
    return Claim("aidn/made-up", "aidn", source, "It is 8 %.", lambda: judgement)


def test_a_number_that_does_not_follow_is_a_finding() -> None:
    [one] = unsupported([failing(SHORT)])
    assert (one.key, one.kind) == ("arithmetic/aidn/made-up", "arithmetic")
    assert (one.by_how_much, one.unit, one.certain) == (3.0, "points", True)
    assert one.what == "It is 8 %. By the cells: 5 %."
    assert one.where == "AIDN, Section 1; ONE, Table 1, Small [1] ×2, Params"


def test_each_rival_is_a_finding_of_its_own() -> None:
    rivals = [
        SHORT._replace(rival="Small [1]"),
        SHORT._replace(rival="Large [2]", quantity="params"),
    ]
    found = list(unsupported([failing(*rivals)]))
    assert keys(iter(found)) == [
        "not-the-best/aidn/made-up/small",
        "not-the-best/aidn/made-up/large/params",
    ]
    assert {one.kind for one in found} == {"not the best"}


def test_a_claim_that_names_no_number_and_no_rival_is_no_finding() -> None:
    assert keys(unsupported([failing()])) == []


def test_what_only_a_table_says_is_no_finding_on_the_text() -> None:
    assert keys(unsupported([failing(SHORT, source="Table 3")])) == []


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
    cell |= {
        "quantity": "params",
        "unit": "K",
        "printed": "100K",
        "published": 100.0,
        "measured": 80.0,
    }
    wrong = pd.DataFrame([cell | {"agrees": False}, cell | {"row": "Large [2]", "agrees": True}])
    [one] = impossible_counts(wrong, table)
    assert (one.key, one.by_how_much) == ("count/one/1/small/x2/params", pytest.approx(25))


FOUND = [
    Finding("a/x2/b", "copied", "one", "", "", 1, "dB", True),
    Finding("a/x3/b", "copied", "one", "", "", 1, "dB", True),
]


def fact(*keys: str) -> Fact:
    return Fact("It is so", "score", keys=keys)


def test_a_finding_belongs_to_the_first_fact_that_has_its_key() -> None:
    known = {"first": fact("a/x2/*"), "second": fact("a/*")}
    assert assign(FOUND, known) == {"a/x2/b": "first", "a/x3/b": "second"}


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (["a/*", "b/*"], r"b/\*: no such finding"),
        (["a/*", "a/x2/b"], "a/x2/b: earlier keys take"),
        (["a/x2/b"], "no fact has a/x3/b"),
    ],
)
def test_facts_and_findings_must_match(keys: list[str], message: str) -> None:
    with pytest.raises(PublishedError, match=message):
        assign(FOUND, {key: fact(key) for key in keys})


@pytest.mark.parametrize("text", ["a: {why: none}", "a: {says: It is so., matters: score}"])
def test_a_broken_file_of_facts_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules/contradictions.yaml").write_text(text)
    with pytest.raises(PublishedError, match="contradictions.yaml"):
        load_facts(tmp_path)


@pytest.fixture(scope="module")
def found() -> pd.DataFrame:
    return findings()


KNOWN = [
    "arithmetic/aidn/parameters-84-percent",
    "arithmetic/aidn/flops-91-percent",
    "arithmetic/aidn/fuses-by-3x3",
    "arithmetic/aidn/four-blocks",
    "arithmetic/aidn/half-of-the-winner",
    "arithmetic/aidn/third-of-imdn",
    "arithmetic/aidn/carn-is-six-times-as-large",
    "not-the-best/aidn/superior-to-srresnet/srresnet",
    "not-the-best/aidn/runtime-of-rfdn/imdn",
    "not-the-best/rdsrn/better-in-everything/srcnn/params",
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


def test_srresnet_leads_in_the_four_cells_that_are_known(found: pd.DataFrame) -> None:
    key = "not-the-best/aidn/superior-to-srresnet/srresnet"
    where = found.set_index("key").loc[key, "where"]
    for place in ("×2, B100", "×3, Set14", "×4, Set14", "×4, B100"):
        assert f"SRResNet [15] {place}" in str(where)


def test_what_is_cleared_has_a_reason(found: pd.DataFrame) -> None:
    assert (found.loc[found["cleared"], "reason"] != "").all()


def test_what_is_cleared_is_not_certain(found: pd.DataFrame) -> None:
    assert not found.loc[found["cleared"], "certain"].any()


def test_facts_hold_every_finding_once_and_stand_by_what_they_matter(found: pd.DataFrame) -> None:
    table = facts(found)
    assert table["findings"].sum() == len(found)
    assert list(dict.fromkeys(table["matters"])) == list(MATTERS)


def test_the_counts_add_up(found: pd.DataFrame) -> None:
    table = tally(found)
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
