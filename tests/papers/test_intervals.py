"""Intervals cover as often as they say, and treat networks, images and levels alike."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from papers.intervals import (
    LEAST_SEEDS,
    Interval,
    agrees,
    decide,
    directions,
    diverged,
    intervals,
    paired_bootstrap,
)

SEEDS, EXPERIMENTS = 3, 4000
DRAWS = 1000  # instead of 10,000: the tests below simulate thousands of experiments a case
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


# --- the same seeds for both networks ---------------------------------------------------------

# What two trainings of one network differ by: as the differences of equal networks are, symmetric.
SEED_EFFECTS = {
    "normal": lambda generator, shape: generator.standard_normal(shape),
    "t with 3 degrees": lambda generator, shape: generator.standard_t(3, shape) / np.sqrt(3),
    "Laplace": lambda generator, shape: generator.laplace(size=shape) / np.sqrt(2),
}


def differences(images: int, effects: tuple[float, float, float], kind: str, seeds: int, part: int):
    """Scores of two equal networks that share patches: only B has effects, A is zero."""
    generator = np.random.default_rng(part)
    image, by_seed, residual = effects
    b = image * generator.standard_normal((500, 1, images))
    b = b + by_seed * SEED_EFFECTS[kind](generator, (500, seeds, 1))
    b = b + residual * generator.standard_normal((500, seeds, images))
    return np.zeros_like(b), b


def paired_coverage(
    images: int, effects: tuple[float, float, float], kind: str, seeds: int = LEAST_SEEDS
) -> float:
    covered = []
    for part in range(8):
        a, b = differences(images, effects, kind, seeds, part)
        _, low, high = intervals(a, b, DRAWS, 0.95, part, same_seeds=True)
        covered.append((low <= 0) & (high >= 0))
    return float(np.mean(covered))


@pytest.mark.parametrize("images", [5, 100])
@pytest.mark.parametrize("kind", SEED_EFFECTS)
@pytest.mark.parametrize("effects", ["all alike", "small seed effect", "seeds dominate"])
def test_paired_seeds_cover_93_to_98_percent(images: int, kind: str, effects: str) -> None:
    assert 0.925 <= paired_coverage(images, EFFECTS[effects], kind) <= 0.98


def test_two_paired_seeds_cover_too_little() -> None:
    assert paired_coverage(100, EFFECTS["all alike"], "normal", seeds=2) < 0.91


def test_shared_patches_make_a_small_gain_visible() -> None:
    """What both networks share of a seed leaves the difference, and a third of the width."""
    generator = np.random.default_rng(0)
    shared = generator.standard_normal((SEEDS, 1))
    a, b = (shared + 0.1 * generator.standard_normal((SEEDS, 50)) for _ in range(2))
    paired, apart = (paired_bootstrap(a, b, draws=DRAWS, same_seeds=same) for same in (True, False))
    assert paired.high - paired.low < (apart.high - apart.low) / 3


def test_a_training_in_five_that_fails_breaks_the_interval_and_is_seen() -> None:
    generator = np.random.default_rng(0)
    failed = generator.random((500, LEAST_SEEDS, 1)) < 0.2
    b = 0.05 * generator.standard_normal((500, LEAST_SEEDS, 14)) - 2.0 * failed
    a = np.zeros_like(b)
    _, low, high = intervals(a, b, DRAWS, 0.95, 0, same_seeds=True)
    truth = -0.4  # the mean over trainings, those that fail among them
    seen = np.array([diverged(scores) > 0 for scores in b])
    mixed = failed[:, :, 0].any(1) & ~failed[:, :, 0].all(1)
    assert np.mean((low <= truth) & (high >= truth)) < 0.8
    assert (seen == mixed).all()


# --- several sets -----------------------------------------------------------------------------

FOUR = (5, 14, 100, 100)  # images of Set5, Set14, B100, Urban100


def errors(seeds: int, shared: float) -> tuple[float, float]:
    """How often four sets, of which none differs, are decided for B and for A.

    ``shared``: the part of a seed's effect, in deviations, that all sets have in common.
    """
    shown = []
    for part in range(4):
        generator = np.random.default_rng(part)
        common = generator.standard_normal((500, seeds, 1))
        sets = []
        for images in FOUR:
            own = generator.standard_normal((500, seeds, 1))
            scores = shared * common + np.sqrt(1 - shared**2) * own
            scores = scores + generator.standard_normal((500, 1, images))
            sets.append(scores + generator.standard_normal((500, seeds, images)))
        zeros = [np.zeros_like(scores) for scores in sets]
        shown.append(directions(zeros, sets, True, 0.0, DRAWS, 0.95, part))
    better, worse = ((np.concatenate(shown) == sign).any(1) for sign in (1, -1))
    return float(np.mean(better & ~worse)), float(np.mean(worse & ~better))


OF_SIMULATION = 3 * np.sqrt(0.025 * 0.975 / 2000)  # three deviations of 2,000 experiments


@pytest.mark.parametrize("shared", [0.0, 1.0])
def test_both_directions_err_alike_and_not_more_often_than_said(shared: float) -> None:
    better, worse = errors(LEAST_SEEDS, shared)
    assert max(better, worse) <= 0.025 + OF_SIMULATION


def test_three_seeds_err_too_often() -> None:
    assert min(errors(3, 0.0)) > 0.025 + OF_SIMULATION


def made(gain: float, images: int = 50, seeds: int = 5) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(1)
    a = generator.normal(30, 1, (1, images)) + 0.01 * generator.standard_normal((seeds, images))
    return a, a + gain + 0.01 * generator.standard_normal((seeds, images))


@pytest.mark.parametrize(
    ("gains", "margin", "sign"),
    [
        ((0.1, 0.1), 0.0, 1),
        ((0.1, 0.0), 0.0, 1),
        ((-0.1, 0.0), 0.0, -1),
        ((0.1, -0.1), 0.0, 0),
        ((0.0, 0.0), 0.0, 0),
        ((-0.05, -0.05), 0.1, 1),
        ((-0.2, -0.05), 0.1, 0),
    ],
)
def test_what_is_decided(gains: tuple[float, float], margin: float, sign: int) -> None:
    sets = {str(place): made(gain) for place, gain in enumerate(gains)}
    assert decide(sets, same_seeds=True, margin=margin, draws=DRAWS).sign == sign


def test_swapped_networks_swap_the_direction() -> None:
    sets = {"a": made(0.1), "b": made(0.02)}
    there = decide(sets, same_seeds=True, draws=DRAWS)
    back = decide({k: (b, a) for k, (a, b) in sets.items()}, same_seeds=True, draws=DRAWS)
    assert (there.sign, there.better) == (-back.sign, back.worse)


def test_a_verdict_that_turns_on_the_draw_is_none() -> None:
    a, b = made(0.0, images=8, seeds=3)
    ends = [paired_bootstrap(a, b, 200, seed=seed, same_seeds=True).low for seed in range(5)]
    border = (min(ends) + max(ends)) / 2  # some of the draws lie above it, some below
    found = decide({"one": (a, b)}, same_seeds=True, margin=-border, draws=200)
    assert (found.sign, found.why) == (0, "the verdict turns on the bootstrap's own draw")


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


@pytest.mark.parametrize(("printed", "expected"), [(0.01, True), (0.03, True), (0.06, False)])
def test_a_printed_step_agrees_inside_the_interval(printed: float, expected: bool) -> None:
    assert agrees(Interval(0.03, 0.01, 0.05), printed) is expected
