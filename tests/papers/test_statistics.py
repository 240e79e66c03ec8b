"""Intervals cover as often as they say, and treat networks, images and levels alike."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from papers.intervals import Interval, agrees, decide, intervals, paired_bootstrap

SEEDS, EXPERIMENTS = 3, 4000  # by which a coverage of 95% is known to 0.35%
DRAWS = 1000  # instead of 10,000: the tests below simulate 4,000 experiments a case
# Standard deviations of the effects: image, seed, seed by image.
EFFECTS = {
    "image effects alone": (1.0, 0.0, 0.0),
    "no seed effect": (1.0, 0.0, 0.3),
    "all alike": (1.0, 1.0, 1.0),
    "small seed effect": (1.0, 0.1, 0.3),
    "seeds dominate": (0.1, 1.0, 0.1),
    "residuals dominate": (0.3, 0.0, 1.0),
    "residuals hide the seeds": (0.0, 0.2, 1.0),
}


def experiments(
    images: int, effects: tuple[float, float, float], seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Scores of two equal networks: images, seeds and residuals are drawn anew in each."""
    generator = np.random.default_rng(seed)
    image, by_seed, residual = effects
    a, b = (
        by_seed * generator.standard_normal((500, SEEDS, 1))
        + residual * generator.standard_normal((500, SEEDS, images))
        for _ in range(2)
    )
    return a, b + image * generator.standard_normal((500, 1, images))


def coverage(images: int, effects: tuple[float, float, float], seeds: int = SEEDS) -> float:
    """The share of experiments whose 95% interval holds the true difference, zero."""
    covered = []
    for part in range(EXPERIMENTS // 500):
        a, b = experiments(images, effects, part)
        _, low, high = intervals(a[:, :seeds], b[:, :seeds], DRAWS, 0.95, part)
        covered.append((low <= 0) & (high >= 0))
    return float(np.mean(covered))


@pytest.mark.parametrize("images", [5, 14, 100])
@pytest.mark.parametrize("effects", EFFECTS.values(), ids=EFFECTS.keys())
def test_nominal_95_percent_are_93_to_97(images: int, effects: tuple[float, float, float]) -> None:
    assert 0.93 <= coverage(images, effects) <= 0.97


@pytest.mark.parametrize("images", [5, 14, 100])
def test_one_seed_covers_what_these_weights_do_on_other_images(images: int) -> None:
    assert 0.93 <= coverage(images, (1.0, 0.0, 0.0), seeds=1) <= 0.97


def naive(a: np.ndarray, b: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Ends of the percentile interval from 500 draws of seeds and images, (2, experiments)."""
    places = generator.integers(a.shape[2], size=(500, a.shape[2]))
    means = []
    for scores in (a, b):
        seeds = generator.integers(SEEDS, size=(500, SEEDS))
        means.append(
            [scores[:, s][:, :, p].mean((1, 2)) for s, p in zip(seeds, places, strict=True)]
        )
    return np.percentile(np.subtract(means[1], means[0]), [2.5, 97.5], axis=0)


def test_the_naive_percentile_interval_fails_where_seeds_dominate() -> None:
    a, b = experiments(14, EFFECTS["seeds dominate"], 0)
    low, high = naive(a, b, np.random.default_rng(0))
    assert np.mean((low <= 0) & (high >= 0)) < 0.9


def test_skewed_images_are_covered_less_but_not_much() -> None:
    image = np.random.default_rng(0).standard_gamma(1.0, (4000, 1, 5)) - 1
    _, low, high = intervals(np.zeros_like(image), image, DRAWS, 0.95, 0)
    assert 0.87 <= np.mean((low <= 0) & (high >= 0)) <= 0.97


def test_one_seed_does_not_cover_other_seeds() -> None:
    assert coverage(100, (1.0, 1.0, 0.1), seeds=1) < 0.5


SCORES = arrays(np.float64, (SEEDS, 7), elements=st.floats(20, 40).map(lambda x: round(x, 4)))
SAME = 1e-8  # dB, of rounding


@settings(max_examples=30, deadline=None)
@given(SCORES, SCORES, st.floats(-5, 5))
def test_a_shift_of_one_network_shifts_the_interval(a, b, shift: float) -> None:
    moved = paired_bootstrap(a, b + shift, draws=500)
    expected = np.array(paired_bootstrap(a, b, draws=500)) + shift
    assert moved == pytest.approx(expected, abs=SAME)


@settings(max_examples=30, deadline=None)
@given(SCORES, SCORES)
def test_swapped_networks_swap_sign_and_ends(a, b) -> None:
    mean, low, high = paired_bootstrap(a, b, draws=500)
    assert paired_bootstrap(b, a, draws=500) == pytest.approx((-mean, -high, -low), abs=SAME)


@settings(max_examples=30, deadline=None)
@given(SCORES, SCORES, st.permutations(range(7)))
def test_the_order_of_images_does_not_matter(a, b, order: list[int]) -> None:
    shuffled = paired_bootstrap(a[:, order], b[:, order], draws=500)
    assert shuffled == pytest.approx(paired_bootstrap(a, b, draws=500), abs=SAME)


@settings(max_examples=30, deadline=None)
@given(SCORES, SCORES)
def test_a_higher_level_gives_a_wider_interval(a, b) -> None:
    narrow, wide = (paired_bootstrap(a, b, draws=500, level=level) for level in (0.8, 0.99))
    assert wide.low <= narrow.low <= narrow.high <= wide.high


def test_networks_that_differ_by_a_constant_have_an_interval_of_no_width() -> None:
    a = np.tile(np.arange(5.0), (3, 1))
    assert paired_bootstrap(a, a + 0.25) == pytest.approx((0.25, 0.25, 0.25))


def test_fewer_seeds_in_one_network_are_taken() -> None:
    a, b = experiments(9, (1.0, 0.1, 0.1), 0)
    mean, low, high = paired_bootstrap(a[0], b[0, :2])
    assert low < mean < high


GOOD = np.arange(12.0).reshape(3, 4)


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        (GOOD[0], GOOD, r"a: shape \(4,\), expected \(seeds, images\)"),
        (GOOD, GOOD[:, :3], "b: 3 images, and a has 4"),
        (GOOD[:, :1], GOOD[:, :1], "a: 1 images; an interval needs at least two"),
        (GOOD, np.where(GOOD == 5, np.inf, GOOD), "b: a value is not finite"),
        (GOOD[:1], GOOD, "a: one seed, and b has several"),
        (GOOD, GOOD[:1], "b: one seed, and a has several"),
        (GOOD[:0], GOOD, r"a: shape \(0, 4\)"),
    ],
)
def test_scores_of_the_wrong_form_are_named(a, b, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        paired_bootstrap(a, b)


@pytest.mark.parametrize("draws", [0, 1, 99])
def test_a_wrong_number_of_draws_is_named(draws: int) -> None:
    with pytest.raises(ValueError, match=f"draws: {draws} is not"):
        paired_bootstrap(GOOD, GOOD, draws=draws)


@pytest.mark.parametrize("level", [0.0, 1.0, 95.0])
def test_a_wrong_level_is_named(level: float) -> None:
    with pytest.raises(ValueError, match=f"level: {level} does not"):
        paired_bootstrap(GOOD, GOOD, level=level)


@pytest.mark.parametrize(
    ("low", "high", "claimed", "expected"),
    [
        (0.01, 0.05, +1, "holds"),
        (-0.05, -0.01, +1, "fails"),
        (-0.01, 0.05, +1, "undecided"),
        (0.0, 0.05, +1, "undecided"),
        (0.01, 0.05, -1, "fails"),
        (-0.05, -0.01, -1, "holds"),
    ],
)
def test_the_verdict_asks_for_the_whole_interval(
    low: float, high: float, claimed: int, expected: str
) -> None:
    assert decide(Interval((low + high) / 2, low, high), claimed) == expected


def test_a_claim_without_a_direction_is_named() -> None:
    with pytest.raises(ValueError, match="claimed: 0 is neither"):
        decide(Interval(0.0, 0.0, 0.0), 0)


@pytest.mark.parametrize(("printed", "expected"), [(0.01, True), (0.03, True), (0.06, False)])
def test_a_printed_step_agrees_inside_the_interval(printed: float, expected: bool) -> None:
    assert agrees(Interval(0.03, 0.01, 0.05), printed) is expected
