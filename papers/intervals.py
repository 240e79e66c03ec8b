"""How sure a difference between two networks is: an interval over images and seeds.

Networks of these papers differ by hundredths of a dB, about as much as two seeds of one network.
"""

import math
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri, stdtrit  # scipy.stats would take half of srlib's start

Array = NDArray[np.float64]
Decision = Literal["holds", "fails", "undecided"]


class Interval(NamedTuple):
    """A difference and what it may be, in dB: its estimate, and both ends of an interval."""

    mean: float
    low: float
    high: float


def paired_bootstrap(
    a: ArrayLike, b: ArrayLike, draws: int = 10_000, level: float = 0.95, seed: int = 0
) -> Interval:
    """The mean of network B minus network A over images and seeds, with its interval.

    **What it holds for.** Images are one sample of a population, the same for both networks; seeds
    are another, drawn for each network alone. The interval is for the mean difference over both
    populations. With one seed in each (the authors' weights) only the images are resampled, and the
    interval holds for these weights alone: it says nothing about another training.

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
    whether image, seed or seed-by-image effects dominate: ``tests/test_statistics.py``, where the
    naive form fails. That is for normal effects. Image effects as skewed as the exponential
    distribution, with nothing else beside them, are covered less with few images, as they are by
    Student's t (the same file: at least 87% with 5).

    Args:
        a: PSNR of network A in dB, shape (seeds, images).
        b: that of network B, shape (seeds, images): the same images in the same order; the seeds
            are not paired, and may be more or fewer.
        draws: bootstrap draws, an even number.
        level: of the interval, between 0 and 1.
        seed: of the draws; the same gives the same interval.

    Raises:
        ValueError: ``a`` or ``b`` is not of that shape, has fewer than two images, a value that is
            not finite, or one seed where the other has several; ``draws`` or ``level`` is out of
            range. Names the argument.
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
    if draws < 2 or draws % 2:
        raise ValueError(f"draws: {draws} is not an even number from 2 up")
    if not 0 < level < 1:
        raise ValueError(f"level: {level} does not lie between 0 and 1")
    return Interval(
        *(float(x[0]) for x in intervals(first[None], second[None], draws, level, seed))
    )


def intervals(
    a: Array, b: Array, draws: int, level: float, seed: int
) -> tuple[Array, Array, Array]:
    """``paired_bootstrap`` of many experiments at once: (experiments, seeds, images), unchecked.

    Returns:
        mean, low and high, of shape (experiments,); all experiments share the resampled places.
    """
    difference = b.mean(1) - a.mean(1)  # (experiments, images)
    mean = difference.mean(1)
    images = difference.shape[1]
    of_images = difference.var(1, ddof=1) / images
    of_seeds, freedom = _of_seeds(a, b, of_images)

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


def decide(interval: Interval, claimed: int = 1) -> Decision:
    """Whether a claimed direction holds, by a rule that was written before anything was measured.

    "holds": the whole interval lies on the claimed side of zero. "fails": it lies wholly on the
    other side. "undecided": it does not exclude zero.

    Args:
        interval: of B minus A.
        claimed: +1 if B is claimed to be better, -1 if worse.

    Raises:
        ValueError: ``claimed`` is neither.
    """
    if claimed not in (1, -1):
        raise ValueError(f"claimed: {claimed} is neither +1 nor -1")
    low, high = sorted((claimed * interval.low, claimed * interval.high))
    if low > 0:
        return "holds"
    return "fails" if high < 0 else "undecided"


def agrees(interval: Interval, printed: float) -> bool:
    """Whether a printed difference, in dB, lies inside the interval or on its ends."""
    return interval.low <= printed <= interval.high


def _of_seeds(a: Array, b: Array, of_images: Array) -> tuple[Array, Array]:
    """Variance of the mean difference from the seeds alone, and the whole's degrees of freedom."""
    images = a.shape[2]
    between, within, squares = (np.zeros_like(of_images) for _ in range(3))
    least = images - 1
    for scores in (a, b):
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
