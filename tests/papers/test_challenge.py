"""The challenges' printed entries: their counts against ours, and the score as it is printed."""

import math

import pytest

from papers import challenge
from papers.show.challenge import headline, movable_score
from srlib.networks import NETWORKS


def test_every_entry_says_where_it_is_printed() -> None:
    table = challenge.entries()
    assert (table["source"] != "").all()
    assert set(table["network"]) - {""} <= set(NETWORKS)
    assert not table.duplicated(["challenge", "entry"]).any()


def test_a_printed_count_is_the_networks_or_its_cause_is_known() -> None:
    beside = challenge.beside_counts()
    assert len(beside) > 20
    assert (beside.loc[~beside["agrees"], "because"] != "").all()
    assert beside.loc[beside["quantity"] == "params_m", "agrees"].all()


def test_the_baseline_has_the_score_of_a_baseline() -> None:
    ranked = challenge.scored().set_index("entry")
    assert ranked.loc["SPAN", "score"] == pytest.approx(math.e**2)


def test_spanv2_stays_first_when_all_its_operations_are_counted() -> None:
    first, *others = challenge.scored().to_dict("records")
    assert first["entry"] == "SPANV2"
    assert first["score"] == pytest.approx(3.87, abs=0.005)
    assert first["score_counted"] == pytest.approx(4.37, abs=0.005)
    assert min(one["score"] for one in others) > first["score_counted"]
    assert "it stays first" in headline()


@pytest.mark.parametrize("name", challenge.WEIGHTS)
def test_less_of_anything_is_a_better_score(name: str) -> None:
    against = challenge.baseline()
    values = {one: float(against[one]) for one in challenge.WEIGHTS}
    less = values | {name: values[name] / 2}
    assert challenge.score(**less, against=against) < challenge.score(**values, against=against)


def test_an_unknown_challenge_is_named() -> None:
    with pytest.raises(ValueError, match="expected one of NTIRE 2022, .*, got 'NTIRE 1999'"):
        challenge.baseline("NTIRE 1999")


def test_the_sliders_hold_every_entry() -> None:
    html = movable_score().data
    assert all(entry in html for entry in challenge.scored()["entry"])


def test_halving_flops_and_parameters_is_worth_no_more_than_a_tenth_of_the_runtime() -> None:
    """As notebook 70 says, near the baseline."""
    against = challenge.baseline()
    runtime, flops, params = (float(against[name]) for name in challenge.WEIGHTS)
    assert challenge.score(runtime, flops / 2, params / 2, against) > challenge.score(
        0.9 * runtime, flops, params, against
    )
