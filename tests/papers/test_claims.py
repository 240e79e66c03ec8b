"""Claims: their framework, their rules by made examples, and the ledger that tracks them."""

import os
import re
from fractions import Fraction
from pathlib import Path

import made_up
import numpy as np
import pandas as pd
import pytest

import papers.claims as claims
from papers.claims import (
    CLAIMS,
    FAILS,
    HOLDS,
    NOT_HERE,
    NOT_TESTABLE,
    UNDECIDED,
    Comparison,
    Judgement,
    algebraic,
    as_printed,
    authors_weights,
    better,
    claim,
    compare,
    cost,
    falls_short,
    rivals,
    share_of_output,
)
from papers.evidence import (
    ClaimError,
    computed,
    gaps,
    of_columns,
    printed,
    ratios,
    rows,
    scored,
    stated,
)
from papers.ledger import evidence, judged, ledger
from papers.printed import Number, Span, list_papers
from papers.show.verdicts import Opened, tally
from srlib.paths import Result

TEXTS = os.environ.get("SRLIB_PAPERS")  # a folder with PAPER_*.txt, which are not ours to publish
FOUND = computed("a", "params", 1)
NOTHING = Comparison(UNDECIDED, "Nothing was measured.", rows())


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> dict[str, claims.Claim]:
    """An empty registry in place of that of the folder."""
    empty: dict[str, claims.Claim] = {}
    monkeypatch.setattr(claims, "CLAIMS", empty)
    return empty


def kept(found: Judgement, registry: dict[str, claims.Claim]) -> Judgement:
    """A made finding as the framework gives it back, or refuses it."""
    claim("aidn", "Section 1", "It is so.")(_named(found))
    return registry["aidn/made-up"].judgement


def _named(found: Judgement):
    def made_up() -> Judgement:
        return found

    return made_up


# The framework.


def test_an_id_is_the_paper_and_the_function(registry) -> None:
    kept(Judgement(HOLDS, "It is.", FOUND), registry)
    assert list(registry) == ["aidn/made-up"]


def test_two_claims_of_one_id_are_refused(registry) -> None:
    register = claim("aidn", "Section 1", "It is so.")
    register(_named(Judgement(HOLDS, "It is.", FOUND)))
    with pytest.raises(ClaimError, match="aidn/made-up is there twice"):
        register(_named(Judgement(HOLDS, "It is.", FOUND)))


def test_a_claim_of_an_unknown_paper_is_refused(registry) -> None:
    with pytest.raises(ClaimError, match="no paper nope; there are aidn"):
        claim("nope", "Section 1", "It is so.")(_named(Judgement(HOLDS, "It is.", FOUND)))


def test_an_unknown_id_names_the_nearest() -> None:
    with pytest.raises(ClaimError, match="the nearest is aidn/four-blocks"):
        evidence("aidn/four-block")


def test_a_paper_without_claims_is_named() -> None:
    with pytest.raises(ClaimError, match="no claims of nope; there are aidn"):
        ledger(["nope"])


def test_a_verdict_of_other_words_is_refused(registry) -> None:
    with pytest.raises(ClaimError, match="verdict 'perhaps'; it must be one of holds, fails"):
        kept(Judgement("perhaps", "It is.", FOUND), registry)  # type: ignore[arg-type]


def test_a_verdict_without_a_reason_is_refused(registry) -> None:
    with pytest.raises(ClaimError, match="no reason"):
        kept(Judgement(HOLDS, " ", FOUND), registry)


def test_evidence_without_a_run_column_is_refused(registry) -> None:
    with pytest.raises(ClaimError, match="evidence has no column run"):
        kept(Judgement(HOLDS, "It is.", FOUND.drop(columns="run")), registry)


@pytest.mark.parametrize("run", ["", "  ", None])
def test_a_measured_value_without_a_run_is_refused(registry, run: str | None) -> None:
    with pytest.raises(ClaimError, match="params is measured, but its run is empty"):
        kept(Judgement(HOLDS, "It is.", FOUND.assign(run=run)), registry)


def test_a_stated_value_needs_no_run(registry) -> None:
    found = Judgement(HOLDS, "It is.", stated("aidn", "Section 1", "blocks", 4))
    assert kept(found, registry) is found


def test_a_verdict_without_evidence_is_refused(registry) -> None:
    with pytest.raises(ClaimError, match="no evidence"):
        kept(Judgement(HOLDS, "It is.", rows()), registry)


def test_evidence_of_an_unknown_kind_is_refused(registry) -> None:
    with pytest.raises(ClaimError, match="evidence of kind"):
        kept(Judgement(HOLDS, "It is.", FOUND.assign(kind="hearsay")), registry)


def test_a_printed_cell_that_is_not_there_is_named() -> None:
    with pytest.raises(ClaimError, match="aidn/printed.yaml has no number at .*'row': 'Bass'"):
        printed("aidn", "2", "Bass")


def test_sides_that_share_no_cell_are_refused() -> None:
    with pytest.raises(ClaimError, match="nothing to compare"):
        gaps(printed("aidn", "2", "Base", quantity="psnr_y"), FOUND)


# The rules, by made examples.


def cell(value: float, column: str = "Set5", run: str = "") -> pd.DataFrame:
    table = computed("A", "psnr_y", value, column=column, scale=4, unit="dB")
    number = pd.Series([Number.read(f"{value:.2f}")])
    return table if run else table.assign(kind="printed", run="", number=number)


def in_print(*cells: tuple[str, str], row: str = "A [1]", quantity: str = "psnr_y") -> pd.DataFrame:
    """Made cells of AIDN's Table 3 at x4: set and text of each."""
    table = pd.DataFrame(cells, columns=["column", "text"])
    numbers = [Number.read(text) for text in table["text"]]
    values = [float(number.value) for number in numbers]
    table = table.assign(kind="printed", paper="aidn", table="3", row=row, scale=4, run="")
    return of_columns(table.assign(quantity=quantity, number=pd.Series(numbers), value=values))


OURS = in_print(("Set5", "32.24"), ("B100", "27.57"), row="Ours")


def test_a_rival_that_is_beaten_everywhere_is_none() -> None:
    assert rivals(OURS, in_print(("Set5", "32.23"), ("B100", "27.56"))) == ()


def test_a_rival_is_told_with_the_cell_where_it_is_furthest_ahead() -> None:
    [one] = rivals(OURS, in_print(("Set5", "32.26"), ("B100", "27.60")))
    assert (one.size, one.unit, one.certain, one.rival) == (0.03, "dB", True, "A [1]")
    assert one.words == "A [1] is ahead in 2 of 2 cells, most at B100 ×4 (27.60 against 27.57)"
    assert one.cells[0] == "AIDN, Table 3, A [1] ×4, Set5"


def test_a_step_ahead_may_be_rounding() -> None:
    [one] = rivals(OURS, in_print(("Set5", "32.25")))
    assert (one.size, one.certain) == (0.01, False)


def test_a_level_rival_is_one_where_the_claim_is_of_more() -> None:
    level = in_print(("Set5", "32.24"))
    assert [one.size for one in rivals(OURS, level)] == [0]
    assert rivals(OURS, level, level=False) == ()


def test_of_a_cost_the_lower_is_ahead() -> None:
    ours, theirs = (
        in_print(("Params", text), row=row, quantity="params")
        for text, row in (("0.68", "Ours"), ("0.05", "A [1]"))
    )
    assert [one.certain for one in rivals(ours, theirs, less=True)] == [True]
    assert rivals(theirs, ours, less=True) == ()


@pytest.mark.parametrize(
    ("said", "size", "certain"), [("2", 0.0, False), ("2.1", 0.1, False), ("3", 1.0, True)]
)
def test_what_rounding_can_explain_is_not_certain(said: str, size: float, certain: bool) -> None:
    double = ratios(in_print(("Params", "4.0"), row="B"), in_print(("Params", "2.0")))
    readings = list(zip(double["value"], double["span"], strict=True))
    number = Number.read(said)
    short = falls_short(float(number.value), number.interval, readings, "times", OURS)
    assert (short.size, short.certain) == (pytest.approx(size), certain)


def test_of_several_readings_the_nearest_counts() -> None:
    spans = [Span(Fraction(n), Fraction(n)) for n in (5, 7)]
    said = Number.read("6.5")
    short = falls_short(6.5, said.interval, [(5, spans[0]), (7, spans[1])], "points", OURS)
    assert (short.size, short.words) == (0.5, "5 or 7 %")


def test_a_difference_that_is_rounding_is_said_as_a_bound() -> None:
    assert share_of_output(3e-16, 1.0) == "less than 1e-10 of the largest output"
    assert share_of_output(0.5, 2.0) == "25% of the largest output"


def test_what_only_a_table_says_is_asked_by_us(registry) -> None:
    for source in ("Table 3", "Section 4.5, Table 3"):
        name = source.split()[0].lower()
        function = _named(Judgement(HOLDS, "It is.", FOUND))
        function.__name__ = name
        claim("aidn", source, "It is so.")(function)
    assert [one.asked_by for one in registry.values()] == ["us", "paper"]


def test_a_printed_claim_holds_or_fails() -> None:
    assert (as_printed(True), as_printed(False)) == (HOLDS, FAILS)


def test_a_cost_is_judged_in_print_then_by_code() -> None:
    assert [cost(False, True), cost(True, True), cost(True, False)] == [FAILS, HOLDS, NOT_HERE]


def test_an_algebraic_claim_is_relative_to_the_output() -> None:
    assert (algebraic(1e-9, 100.0), algebraic(1e-9, 1.0)) == (HOLDS, FAILS)


def test_quality_fails_where_the_printed_cells_do_not_give_it() -> None:
    measured = NOTHING._replace(verdict=HOLDS)
    assert better(cell(30.0), cell(30.0), measured).verdict == FAILS


def test_quality_is_decided_by_the_measurement_where_the_cells_give_it() -> None:
    measured = NOTHING._replace(verdict=NOT_HERE)
    assert better(cell(30.1), cell(30.0), measured).verdict == NOT_HERE


def test_as_good_allows_the_margin_in_print() -> None:
    assert better(cell(30.0), cell(30.1), NOTHING, margin=0.1).verdict == UNDECIDED
    assert better(cell(30.0), cell(30.11), NOTHING, margin=0.1).verdict == FAILS


def test_a_claim_without_a_set_is_judged_by_the_mean() -> None:
    ours, theirs = rows(cell(30.2), cell(30.0, "Set14")), rows(cell(30.0), cell(30.0, "Set14"))
    assert better(ours, theirs, NOTHING).verdict == FAILS
    assert better(ours, theirs, NOTHING, on_average=True).verdict == UNDECIDED


TRAINED = {"steps": 100, "train": {"batch": 8, "patch": 96, "stages": [{"steps": 100}]}}


def campaign(root: Path, **scores: list[list[float]]) -> Path:
    """A campaign "made" at x4 with the PSNR of Set5's images, a list a seed, by method."""
    for method, seeds in scores.items():
        for seed, images in enumerate(seeds):
            result = Result("made", method, 4, seed)
            folder = result.folder(root)
            folder.mkdir(parents=True)
            lines = [f"Set5,{number},{psnr},0.9" for number, psnr in enumerate(images)]
            text = "\n".join(["set,image,psnr_y,ssim_y", *lines])
            (folder / "images.csv").write_text(text + "\n")
            mean = sum(images) / len(images)
            sets = {"Set5": {"images": len(images), "psnr_y": mean, "ssim_y": 0.9}}
            training = {"seed": seed, "scale": 4, **TRAINED}
            made_up.write(root, result, f"{method}{seed}", sets, training=training)
    return root


# Of RFDN and IMDN, which print 32.24 and 32.21 dB on Set5.
SEEDS = np.random.default_rng(0).normal(0, 0.01, (5, 1))
LOW = (np.array([31.0, 32.0, 32.0, 33.0]) + SEEDS).tolist()
HIGH = [[psnr + 0.2 for psnr in seed] for seed in LOW]
MIXED = [
    [psnr + step for psnr, step in zip(seed, (0.3, -0.3, 0.3, -0.3), strict=True)] for seed in LOW
]
NAMES = ("made", "rfdn", "imdn", ["Set5"])


@pytest.mark.parametrize(
    ("a", "b", "verdict"), [(HIGH, LOW, HOLDS), (LOW, HIGH, NOT_HERE), (MIXED, LOW, UNDECIDED)]
)
def test_an_interval_decides_by_its_side(tmp_path: Path, a, b, verdict: str) -> None:
    assert compare(*NAMES, root=campaign(tmp_path, rfdn=a, imdn=b)).verdict == verdict


def test_the_margin_moves_the_border(tmp_path: Path) -> None:
    root = campaign(tmp_path, rfdn=LOW, imdn=HIGH)
    assert compare(*NAMES, margin=0.3, root=root).verdict == HOLDS


def test_the_difference_is_the_first_minus_the_second(tmp_path: Path) -> None:
    found = compare(*NAMES, root=campaign(tmp_path, rfdn=HIGH, imdn=LOW)).evidence
    assert found.loc[found["row"] == "rfdn minus imdn", "value"].item() == pytest.approx(0.2)


def test_a_comparison_names_the_runs_of_both_sides(tmp_path: Path) -> None:
    found = compare(*NAMES, root=campaign(tmp_path, rfdn=HIGH[:2], imdn=LOW[:2])).evidence
    runs = found.loc[found["row"] == "rfdn minus imdn", "run"].item()
    assert runs == "rfdn0 rfdn1 imdn0 imdn1"


@pytest.mark.parametrize(
    ("scores", "why"),
    [({}, "neither rfdn nor imdn was measured"), ({"rfdn": LOW}, "only rfdn was measured")],
)
def test_what_was_not_measured_is_undecided_and_said(tmp_path: Path, scores, why: str) -> None:
    measured = compare(*NAMES, root=campaign(tmp_path, **scores))
    assert measured.verdict == UNDECIDED and why in measured.because


def test_a_set_that_was_not_measured_is_named(tmp_path: Path) -> None:
    root = campaign(tmp_path, rfdn=HIGH, imdn=LOW)
    measured = compare("made", "rfdn", "imdn", ["Set5", "Manga109"], root=root)
    assert "Not measured: Manga109" in measured.because


BELOW = [[psnr - 0.8 for psnr in seed] for seed in LOW]
FAILED = [*LOW[:4], [psnr - 0.6 for psnr in LOW[4]]]


@pytest.mark.parametrize(
    ("a", "b", "why"),
    [
        (HIGH, BELOW, "imdn is 0.96 dB below its printed score on Set5"),
        (HIGH, FAILED, "trainings of imdn lie 0.6"),
        (HIGH[:4], LOW, "it takes 5 seeds that both have to decide, and there are 4"),
    ],
    ids=["outside the regime", "diverged", "few seeds"],
)
def test_trained_networks_that_are_not_ready_decide_nothing(tmp_path: Path, a, b, why: str) -> None:
    measured = compare(*NAMES, root=campaign(tmp_path, rfdn=a, imdn=b))
    assert measured.verdict == UNDECIDED and why in measured.because


def test_networks_that_no_paper_scores_have_no_regime(tmp_path: Path) -> None:
    root = campaign(tmp_path, a=HIGH, b=LOW)
    measured = compare("made", "a", "b", ["Set5"], root=root)
    assert measured.verdict == UNDECIDED and "no paper prints a score of a or b" in measured.why


def test_sides_with_other_images_are_refused(tmp_path: Path) -> None:
    root = campaign(tmp_path, rfdn=HIGH, imdn=[seed[:3] for seed in LOW])
    with pytest.raises(ClaimError, match="rfdn and imdn differ in the images of Set5"):
        compare(*NAMES, root=root)


@pytest.mark.parametrize(("value", "verdict"), [(31.5, HOLDS), (31.51, HOLDS), (31.52, NOT_HERE)])
def test_a_score_may_be_off_by_its_last_digit(tmp_path: Path, value: float, verdict: str) -> None:
    root = campaign(tmp_path, a=[[30.0, 31.0, 32.0, 33.0]])
    assert authors_weights(cell(value), "made", "a", root).verdict == verdict


def test_a_score_that_was_not_measured_is_undecided(tmp_path: Path) -> None:
    assert authors_weights(cell(31.5), "made", "a", tmp_path).verdict == NOT_TESTABLE


def test_measured_scores_are_evidence_with_their_run(tmp_path: Path) -> None:
    root = campaign(tmp_path, a=LOW[:2])
    assert scored("made", "a", ["Set5"], root=root)["run"].tolist() == ["a0", "a1"]


# The claims of the folder.


def test_the_tracked_verdicts_are_those_of_the_code() -> None:
    now = judged()
    pd.testing.assert_frame_equal(ledger(), now)  # if they may change: `dvc repro ledger`


@pytest.mark.parametrize("paper", list_papers())
def test_what_a_claim_says_is_no_sentence_of_the_paper(paper: str) -> None:
    if not TEXTS:
        pytest.skip("the papers' texts are not in the repository; SRLIB_PAPERS names their folder")
    texts = list(Path(TEXTS).glob(f"{paper}_*.txt"))
    assert texts, f"{TEXTS} has no {paper}_*.txt"
    theirs = set().union(*(grams(text.read_text()) for text in texts))
    for found in CLAIMS.values():
        if found.paper == paper:
            assert not grams(found.says) & theirs, found.id


def grams(text: str, length: int = 8) -> set[tuple[str, ...]]:
    words = re.findall(r"[a-z0-9.]+", text.lower())
    return {tuple(words[at : at + length]) for at in range(len(words) - length + 1)}


def test_claims_are_counted_by_paper_and_verdict() -> None:
    made = pd.DataFrame({"paper": ["a", "a", "b", "b"], "verdict": [HOLDS, FAILS, HOLDS, FAILS]})
    made["asked_by"] = ["paper", "paper", "paper", "us"]
    a, _, everything, ours = tally(made).to_dict("records")
    assert [ours[name] for name in ("paper", FAILS, "claims")] == ["asked by us", 1, 1]
    assert [a[name] for name in (HOLDS, FAILS, UNDECIDED, "claims")] == [1, 1, 0, 2]
    assert [everything[name] for name in ("paper", HOLDS, "claims")] == ["all", 2, 3]


def test_every_claim_opens_to_its_evidence() -> None:
    html = Opened(ledger(["aidn"]))._repr_html_()
    assert html.count("<details>") - 1 == html.count("<table") == len(ledger(["aidn"]))
