"""One rule says which values print as a number: those that round, or are cut off, to it."""

from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from papers.counts import printed_counts
from papers.printed import Number, Span, exactly

ROUNDINGS = (ROUND_HALF_UP, ROUND_HALF_EVEN, ROUND_DOWN)
VALUES = st.decimals(0, 100_000, places=6)
DIGITS = st.integers(0, 4)


def texts(value: Decimal, digits: int) -> set[str]:
    """How tables print a value: rounded one way or the other, or cut off."""
    step = Decimal(1).scaleb(-digits)
    return {str(value.quantize(step, rounding)) for rounding in ROUNDINGS}


@given(VALUES, DIGITS)
def test_a_value_prints_as_what_it_rounds_or_is_cut_off_to(value: Decimal, digits: int) -> None:
    assert all(Number.read(text).admits(Fraction(value)) for text in texts(value, digits))


@given(VALUES, DIGITS, st.integers(-3, 3))
def test_a_value_prints_as_nothing_else(value: Decimal, digits: int, steps: int) -> None:
    moved = value.quantize(Decimal(1).scaleb(-digits), ROUND_DOWN) + steps * Decimal(1).scaleb(
        -digits
    )
    if moved >= 0:
        assert Number.read(str(moved)).admits(Fraction(value)) == (
            str(moved) in texts(value, digits)
        )


@given(VALUES, DIGITS)
def test_the_interval_holds_the_values_that_are_admitted(value: Decimal, digits: int) -> None:
    for text in texts(value, digits):
        low, high = Number.read(text).interval
        assert low <= Fraction(value) < high


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [("339", "338.5", "340"), ("32.26", "32.255", "32.27"), ("1,309", "1308.5", "1310")],
)
def test_the_lower_end_counts_and_the_upper_does_not(text: str, low: str, high: str) -> None:
    number = Number.read(text)
    assert number.interval == (Fraction(low), Fraction(high))
    assert number.admits(Fraction(low)) and not number.admits(Fraction(high))


@given(st.decimals(0, 100, places=3), st.decimals(0, 100, places=3))
def test_a_float_stands_for_the_decimal_that_it_was_worked_out_from(a: Decimal, b: Decimal) -> None:
    assert exactly(float(a) - float(b)) == Fraction(a) - Fraction(b)


def test_a_mean_that_lies_half_way_is_admitted() -> None:
    mean = ((32.34 - 32.13) + (26.29 - 26.07)) / 2  # 0.215 less an error of the machine
    assert mean < 0.215 and Number.read("0.22").admits(mean)


def test_a_unit_is_worked_in() -> None:
    number = Number.read("0.893 M", "M").in_full
    assert (number.value, number.step, number.unit) == (893_000, 1000, "")
    assert Number.read("58.53G", "G").in_full.admits(58_534_846_464)


def test_a_unit_in_the_heading_is_taken_as_given() -> None:
    assert Number.read("1,309", "G").in_full.value == 1_309_000_000_000


@pytest.mark.parametrize("text", ["", "-1", "1.", "12,34", "K", "1/3", "1e3"])
def test_what_is_no_number_is_named(text: str) -> None:
    with pytest.raises(ValueError, match="is not a number such as"):
        Number.read(text, "K")


@given(VALUES, VALUES, DIGITS)
def test_what_is_worked_out_from_two_numbers_holds_that_of_their_values(
    a: Decimal, b: Decimal, digits: int
) -> None:
    step = Decimal(1).scaleb(-digits)
    first, second = (Number.read(str(x.quantize(step, ROUND_HALF_UP))).interval for x in (a, b))
    low, high = first.minus(second)
    assert low <= Fraction(a) - Fraction(b) <= high
    if second.low > 0:
        low, high = first.over(second)
        assert low <= Fraction(a) / Fraction(b) <= high


def test_two_spans_meet_where_one_value_lies_in_both() -> None:
    one, other = Number.read("340").interval, Number.read("339").interval
    assert one.meets(other) and not one.meets(Number.read("338").interval)
    assert not Span(Fraction(0), Fraction(1)).meets(Span(Fraction(1), Fraction(2)))


def test_the_tables_round_and_cut_off_as_the_rule_says() -> None:
    """The numbers that the docstring of ``Number`` gives as its reason."""
    own = printed_counts().query("agrees")
    off = [
        Fraction(cell["measured"]) - Fraction(cell["published"]) for cell in own.to_dict("records")
    ]
    steps = [Number.read(cell["printed"], cell["unit"]).step for cell in own.to_dict("records")]
    only_rounded = sum(gap < 0 for gap in off)
    only_cut_off = sum(gap > step / 2 for gap, step in zip(off, steps, strict=True))
    assert (len(own), only_rounded, only_cut_off) == (162, 72, 19)
