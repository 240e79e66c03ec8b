"""How sure a difference between two networks is: an interval over images and seeds.

Networks of these papers differ by hundredths of a dB, about as much as two seeds of one network.
"""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri, stdtrit  # scipy.stats would take half of srlib's start

DRAWS, LEVEL = 10_000, 0.95
LEAST_SEEDS = 5  # with three, a verdict over sets is wrong nearly twice as often as it says
DIVERGED = 0.5  # dB between the means of two trainings of one network: no spread, but an accident
REDRAWS = 5  # of the bootstrap: a verdict that turns on its draw is none

Array = NDArray[np.float64]


class Interval(NamedTuple):
    """A difference and what it may be, in dB: its estimate, and both ends of an interval."""

    mean: float
    low: float
    high: float


def paired_bootstrap(
    a: ArrayLike,
    b: ArrayLike,
    draws: int = DRAWS,
    level: float = LEVEL,
    seed: int = 0,
    same_seeds: bool = False,
) -> Interval:
    """The mean of network B minus network A over images and seeds, with its interval.

    **What it holds for.** Images are one sample of a population, the same for both networks; seeds
    are another. The interval is for the mean difference over both populations. With one seed in
    each (the authors' weights) only the images are resampled, and the interval holds for these
    weights alone: it says nothing about another training.

    **Seeds.** Two networks trained here with one seed see the same patches in the same order, so
    their differences, seed by seed, hold what both share once and not twice: ``same_seeds`` takes
    Student's t over these differences. Otherwise the seeds are drawn for each network alone.

    **How.** A percentile bootstrap over three seeds that dominate covers 80% where it says 95%:
    deviations from a mean of three are too small by sqrt(2/3), and two degrees of freedom need
    Student's quantiles. So:

    - Images: the differences of each image, means over seeds, are resampled with replacement.
      Deviations are scaled by sqrt(n/(n-1)). Each draw comes with its mirror image, in which the
      largest difference stands for the smallest, and so on (antithetic resampling: Hall,
      Biometrika 76, 1989), so that swapping the networks swaps the interval's ends exactly.
    - Seeds: three of them do not show the form of their distribution, so it is taken as normal.
      Its variance is that of the seeds' means over images, less what the images' resampling holds
      already (the seed-by-image residuals), and not below zero.
    - The draws' deviations are expanded by t/z, as in Hesterberg's expanded percentile interval
      (The American Statistician 69, 2015), with the degrees of freedom of Satterthwaite (Biometrics
      Bulletin 2, 1946) for the sum of the images' variance (n-1) and each network's seeds (n-1);
      the seeds' part counts there as far as it stands out of the residuals.

    The nominal 95% cover 93% to 97% of experiments simulated with 3 seeds and 5, 14 or 100 images,
    whether image, seed or seed-by-image effects dominate, and with 5 seeds of the same patches also
    where seed effects have heavy tails: ``tests/papers/test_intervals.py``, where the naive form
    fails. Image effects as skewed as the exponential distribution, with nothing else beside them,
    are covered less with few images, as they are by Student's t (the same file: at least 87% with
    5).

    Args:
        a: PSNR of network A in dB, shape (seeds, images).
        b: that of network B, shape (seeds, images): the same images in the same order; the seeds
            may be more or fewer unless ``same_seeds``.
        draws: bootstrap draws, an even number.
        level: of the interval, between 0 and 1.
        seed: of the draws; the same gives the same interval.
        same_seeds: whether row k of both is of one seed, which gave both the same patches.

    Raises:
        ValueError: ``a`` or ``b`` is not of that shape, has fewer than two images, a value that is
            not finite, or one seed where the other has several; ``same_seeds`` with other
            numbers of them; ``draws`` or ``level`` is out of range. Names the argument.
    """
    first, second = _checked("a", a), _checked("b", b)
    if first.shape[1] != second.shape[1]:
        raise ValueError(
            f"b: {second.shape[1]} images, and a has {first.shape[1]}; give both the same images"
        )
    if (first.shape[0] == 1) != (second.shape[0] == 1):
        one, other = ("a", "b") if first.shape[0] == 1 else ("b", "a")
        raise ValueError(
            f"{one}: one seed, and {other} has several; give at least two of each, or one of each"
        )
    if same_seeds and len(first) != len(second):
        raise ValueError(
            f"same_seeds: a has {len(first)} seeds and b {len(second)}; give the same of both"
        )
    if draws < 2 or draws % 2:
        raise ValueError(f"draws: {draws} is not an even number from 2 up")
    if not 0 < level < 1:
        raise ValueError(f"level: {level} does not lie between 0 and 1")
    return Interval(
        *(float(x[0]) for x in intervals(first[None], second[None], draws, level, seed, same_seeds))
    )


def intervals(
    a: Array, b: Array, draws: int, level: float, seed: int, same_seeds: bool = False
) -> tuple[Array, Array, Array]:
    """``paired_bootstrap`` of many experiments at once: (experiments, seeds, images), unchecked.

    Returns:
        mean, low and high, of shape (experiments,); all experiments share the resampled places.
    """
    difference = b.mean(1) - a.mean(1)  # (experiments, images)
    mean = difference.mean(1)
    images = difference.shape[1]
    of_images = difference.var(1, ddof=1) / images
    of_seeds, freedom = _of_seeds([b - a] if same_seeds else [a, b], of_images)

    half = draws // 2
    counts = _resampled(images, half, np.random.default_rng(seed))
    deviations = np.sort(difference - mean[:, None], axis=1) * math.sqrt(images / (images - 1))
    drawn = np.concatenate([deviations @ counts.T, deviations[:, ::-1] @ counts.T], axis=1) / images
    z = ndtri((np.arange(half) + 0.5) / draws)  # the normal's lower half; the mirror has the upper
    drawn += np.sqrt(of_seeds)[:, None] * np.concatenate([z, -z])

    p = (1 + level) / 2
    expand = stdtrit(freedom, p) / ndtri(p)
    low, high = np.quantile(drawn, [1 - p, p], axis=1)
    return mean, mean + expand * low, mean + expand * high


class Direction(NamedTuple):
    """Which way a difference goes over several sets.

    Attributes:
        sign: 1 if B is better, -1 if worse, 0 if that is not decided.
        better, worse: the sets that show it.
        why: in words, for a page.
    """

    sign: int
    better: tuple[str, ...]
    worse: tuple[str, ...]
    why: str


def decide(
    sets: Mapping[str, tuple[ArrayLike, ArrayLike]],
    same_seeds: bool = False,
    margin: float = 0.0,
    draws: int = DRAWS,
    level: float = LEVEL,
) -> Direction:
    """Which way B differs from A over several sets, by one rule for both directions.

    A set shows a direction if its interval lies wholly on one side of ``-margin``. Several sets are
    several chances of being wrong, so the intervals are Holm's (Scandinavian Journal of Statistics
    6, 1979): at level 1 - (1 - level) / m first, and, as long as a set shows a direction, at
    1 - (1 - level) / (m - 1) for the rest, and so on. B is better if at least one set shows it and
    none shows the contrary, and worse likewise. Where nothing differs, both come out in at most
    1 - ``level`` of experiments together, each in half of it (tests/papers/test_intervals.py).

    Not decided is what turns on the bootstrap's own draw: ``REDRAWS`` of them must agree.

    Args:
        sets: by name, PSNR of A and of B in dB, as ``paired_bootstrap`` takes them.
        same_seeds, draws, level: likewise.
        margin: dB by which B may be worse and still be as good.

    Raises:
        ValueError: no sets, or scores that ``paired_bootstrap`` refuses.
    """
    if not sets:
        raise ValueError("sets: none; give at least one")
    for a, b in sets.values():
        paired_bootstrap(a, b, 2, level, 0, same_seeds)  # checks the form
    first = [np.asarray(a, np.float64)[None] for a, _ in sets.values()]
    second = [np.asarray(b, np.float64)[None] for _, b in sets.values()]
    found = [
        directions(first, second, same_seeds, margin, draws, level, seed)[0]
        for seed in range(REDRAWS)
    ]
    better, worse = (
        tuple(name for name, sign in zip(sets, found[0], strict=True) if sign == wanted)
        for wanted in (1, -1)
    )
    border = f"-{margin} dB" if margin else "zero"
    if any((one != found[0]).any() for one in found):
        return Direction(0, better, worse, "the verdict turns on the bootstrap's own draw")
    if better and worse:
        on = f"better on {', '.join(better)} and worse on {', '.join(worse)}"
        return Direction(0, better, worse, on)
    if not better and not worse:
        return Direction(0, (), (), f"every interval, widened for {len(sets)} sets, has {border}")
    names, side = (better, "above") if better else (worse, "below")
    return Direction(
        1 if better else -1,
        better,
        worse,
        f"on {', '.join(names)} the interval lies {side} {border}",
    )


def directions(
    a: Sequence[Array],
    b: Sequence[Array],
    same_seeds: bool,
    margin: float,
    draws: int,
    level: float,
    seed: int,
) -> NDArray[np.int64]:
    """What each set shows, by Holm's intervals, in many experiments at once.

    Args:
        a, b: a set each, (experiments, seeds, images).

    Returns:
        1, -1 or 0, shape (experiments, sets).
    """
    count, experiments = len(a), len(a[0])
    signs = np.zeros((count, count, experiments), np.int64)  # by sets that remain, set, experiment
    for remaining in range(1, count + 1):
        for place, (first, second) in enumerate(zip(a, b, strict=True)):
            wide = 1 - (1 - level) / remaining
            _, low, high = intervals(first, second, draws, wide, seed, same_seeds)
            signs[remaining - 1, place] = (low > -margin).astype(int) - (high < -margin)
    shown = np.zeros((count, experiments), np.int64)
    for _ in range(count):
        remaining_sets = (shown == 0).sum(0)
        level_place = np.maximum(remaining_sets, 1) - 1
        now = np.take_along_axis(signs, level_place[None, None].repeat(count, 1), 0)[0]
        shown = np.where(shown == 0, now, shown)
    return shown.T


def diverged(scores: ArrayLike) -> float:
    """How far, in dB, the means of a network's trainings lie apart, if further than ``DIVERGED``.

    Args:
        scores: PSNR in dB, shape (seeds, images).

    Returns:
        The distance, or 0. One training in five that fails would make an interval over seeds cover
        the truth in half of all cases; it is seen, and nothing is decided.
    """
    means = np.asarray(scores, np.float64).mean(1)
    apart = float(means.max() - means.min())
    return apart if apart > DIVERGED else 0.0


def agrees(interval: Interval, printed: float) -> bool:
    """Whether a printed difference, in dB, lies inside the interval or on its ends."""
    return interval.low <= printed <= interval.high


def _of_seeds(parts: list[Array], of_images: Array) -> tuple[Array, Array]:
    """Variance of the mean difference from the seeds alone, and the whole's degrees of freedom.

    ``parts``: (experiments, seeds, images) of both networks, or of their differences alone.
    """
    images = parts[0].shape[2]
    between, within, squares = (np.zeros_like(of_images) for _ in range(3))
    least = images - 1
    for scores in parts:
        seeds = scores.shape[1]
        if seeds == 1:
            continue
        means = scores.mean(2, keepdims=True)
        variance = means[:, :, 0].var(1, ddof=1) / seeds
        residuals = scores - means - scores.mean(1, keepdims=True) + means.mean(1, keepdims=True)
        between += variance
        within += (residuals**2).sum((1, 2)) / ((seeds - 1) * (images - 1)) / (seeds * images)
        squares += variance**2 / (seeds - 1)
        least = min(least, seeds - 1)
    total = np.maximum(between - within, 0)
    # Seeds count as far as they stand out of the residuals: in full from twice as much on.
    ratio = np.divide(total, within, out=np.full_like(total, np.inf), where=within > 0)
    spread = of_images**2 / (images - 1) + squares * np.minimum(ratio, 1)
    whole = (of_images + total) ** 2
    freedom = np.divide(whole, spread, out=np.full_like(whole, images - 1), where=spread > 0)
    return total, np.maximum(freedom, least)  # the sum is known no worse than its worst part


def _resampled(images: int, draws: int, generator: np.random.Generator) -> Array:
    """How often each of ``images`` places is drawn when that many are, shape (draws, images)."""
    places = generator.integers(images, size=(draws, images))
    places += images * np.arange(draws)[:, None]
    counts = np.bincount(places.ravel(), minlength=draws * images)
    return counts.reshape(draws, images).astype(np.float64)


def _checked(name: str, scores: ArrayLike) -> Array:
    array = np.asarray(scores, dtype=np.float64)
    if array.ndim != 2 or not array.shape[0]:
        raise ValueError(f"{name}: shape {array.shape}, expected (seeds, images)")
    if array.shape[1] < 2:
        raise ValueError(f"{name}: {array.shape[1]} images; an interval needs at least two")
    if not np.isfinite(array).all():
        raise ValueError(f"{name}: a value is not finite; leave that image out of both networks")
    return array
