"""Which protocol gives a number: a look-up in the grid that needs neither PyTorch nor NumPy.

Where the grid holds the network, the typed number is compared with what each protocol gives for its
authors' weights. Where it does not, the difference to the printed score is compared with the step
that each protocol makes for the networks that it holds.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from statistics import quantiles
from typing import Any, NamedTuple

import yaml

from srlib.doctor.protocols import FIELD, PARTS, Protocol
from srlib.paths import results

HERE = Path(__file__).parent
OTHER_DEVICE = 2e-4  # dB that another device's rounding moves a set's PSNR, at most
OTHER_DEVICE_SSIM = 2e-5
# How far a step may be from those of the networks in the grid: in dB, and in its own size. One
# image's step depends on the network far more than a set's mean does.
MARGIN, RELATIVE_MARGIN, RELATIVE_MARGIN_OF_IMAGE = 0.04, 0.01, 0.15


class Scores(NamedTuple):
    """What one protocol gives: PSNR in dB, and SSIM or None where it was not taken."""

    psnr: float
    ssim: float | None


class Place(NamedTuple):
    """What is scored: a network at a scale on a set, or on one image of it."""

    network: str
    scale: int
    set: str
    image: str = ""

    def __str__(self) -> str:
        image = f", {self.image}" if self.image else ""
        return f"{self.network} x{self.scale} on {self.set}{image}"


Grid = dict[Place, dict[Protocol, Scores]]


class Typed(NamedTuple):
    """A number as it was typed, and one unit of its last digit."""

    text: str
    value: float
    step: float

    @classmethod
    def read(cls, text: str, name: str = "NUMBER") -> Typed:
        """Raises ValueError where the text is no positive decimal number; names it."""
        if not re.fullmatch(r"\d+(\.\d+)?", text):
            raise ValueError(f"{name} {text}: expected a score such as 32.19 or 0.8948")
        return cls(text, float(text), 10.0 ** -len(text.partition(".")[2]))

    @property
    def low(self) -> float:
        """The least value that is written so: by half a digit less, where it was rounded up."""
        return self.value - self.step / 2

    @property
    def high(self) -> float:
        """The greatest: a whole digit more, where it was cut off."""
        return self.value + self.step

    def admits(self, value: float, slack: float) -> bool:
        """Whether a value may be written as this number, give or take ``slack``."""
        return self.low - slack <= value < self.high + slack


class Match(NamedTuple):
    """A protocol that may have given a number.

    Attributes:
        protocol: its parts.
        psnr: what the grid has: dB, or the step in dB where ``Answer.by_difference``.
        ssim: of the grid; None where it was not taken, or steps are compared.
        miss: dB from the typed number; 0 or more.
        evaluators: who scores so.
        cost: how much has to be supposed; see ``cost_of``.
    """

    protocol: Protocol
    psnr: float
    ssim: float | None
    miss: float
    evaluators: tuple[str, ...]
    cost: float


class Answer(NamedTuple):
    """What the grid says of a number.

    Attributes:
        place: what was asked.
        typed: the number.
        field: dB by the field's protocol, in the grid or as printed.
        matches: protocols that give the number, the plainest first; empty where none does.
        nearest: protocols that come nearest without giving it, where none does.
        tried: how many protocols were compared.
        by_difference: the printed score, where steps were compared.
        against: what the steps are of, where they were compared.
    """

    place: Place
    typed: Typed
    field: float
    matches: list[Match]
    nearest: list[Match]
    tried: int
    by_difference: Typed | None
    against: tuple[str, ...]


def grid_file() -> Path:
    """The grid: the repository's, or the copy that an installed package has.

    Raises:
        ValueError: neither is there.
    """
    for path in (results() / "benchmarks" / "protocols.csv", HERE / "protocols.csv"):
        if path.exists():
            return path
    raise ValueError(
        f"{results() / 'benchmarks' / 'protocols.csv'} is missing; `dvc repro "
        "campaigns/benchmarks/dvc.yaml` makes it"
    )


def load_grid(path: Path | None = None) -> Grid:
    """Read a grid.

    Raises:
        ValueError: no grid, or a file without its columns.
    """
    path = path or grid_file()
    found: Grid = {}
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.reader(file)
        header = next(reader, [])
        if header != ["network", "scale", "set", "image", *PARTS, "psnr", "ssim"]:
            raise ValueError(f"{path} is no grid of protocols; make it anew with `srlib grid`")
        for network, scale, name, image, *parts, psnr, ssim in reader:
            place = Place(network, int(scale), name, image)
            scores = Scores(float(psnr), float(ssim) if ssim else None)
            found.setdefault(place, {})[Protocol(*parts)] = scores
    return found


@cache
def evaluators() -> tuple[dict[str, Any], ...]:
    """``evaluators.yaml``: name, parts, free, source, of."""
    text = (HERE / "evaluators.yaml").read_text(encoding="utf-8")
    return tuple(yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))


def reports() -> list[dict[str, Any]]:
    """``reports.yaml``: public reports of scores that are off, with what explains them."""
    return yaml.safe_load((HERE / "reports.yaml").read_text(encoding="utf-8"))


def who(protocol: Protocol) -> Iterator[tuple[dict[str, Any], float]]:
    """The evaluators that score so, and how much it supposes that they did; see ``cost_of``.

    A part that an evaluator leaves to its user counts where it deviates.
    """
    deviations = protocol.deviations
    for one in evaluators():
        fixed = {part: c for part, c in deviations.items() if part not in one["free"]}
        # its window decides its SSIM alone
        parts = {p: c for p, c in one["parts"].items() if p != "window" or "window" in fixed}
        if fixed == parts:
            own = 0.5 if "of" in one else 1.0 if len(parts) < 2 else 1.5
            yield one, own + len(deviations) - len(fixed)


def cost_of(protocol: Protocol, network: str) -> tuple[float, tuple[str, ...]]:
    """How much a protocol supposes, and the names of those who score so.

    Each deviation counts 1. What an evaluator combines counts as more than one deviation and less
    than two, and what the network's own authors do as less than one.
    """
    known = {one["name"]: cost for one, cost in who(protocol) if one.get("of") in (None, network)}
    least = min(known.values(), default=0.0)
    names = tuple(name for name, cost in known.items() if cost == least)
    return min([float(len(protocol.deviations)), *known.values()]), names


def why(
    text: str,
    network: str,
    scale: int,
    name: str,
    image: str = "",
    ssim: str | None = None,
    printed: str | None = None,
    grid: Grid | None = None,
) -> Answer:
    """Find the protocols that give a number.

    Args:
        text: the PSNR as it was printed by the user's script, with its digits.
        network, scale, name: what was scored, such as "imdn", 4, "Set5".
        image: one image of the set, where the number is of one alone.
        ssim: the SSIM beside it.
        printed: the score that was expected; needed where the grid does not hold the network.
        grid: as ``load_grid`` reads it; None reads the tracked one.

    Raises:
        ValueError: no number, or a network that the grid does not hold and nothing printed.
    """
    grid = load_grid() if grid is None else grid
    typed = Typed.read(text)
    wanted = Typed.read(ssim, "--ssim") if ssim is not None else None
    place = Place(network.lower(), scale, name, image)
    expected = Typed.read(printed, "--printed") if printed is not None else None
    if place in grid:
        answer = among(place, typed, wanted, grid[place])
        if answer.matches or expected is None:
            return answer
    if expected is None:
        raise ValueError(_unknown(place, grid))
    return _by_difference(place, typed, expected, grid)


def among(
    place: Place, typed: Typed, wanted: Typed | None, scores: dict[Protocol, Scores]
) -> Answer:
    """Find the protocols that give a number, and if ``wanted`` is given this SSIM, among scores."""
    matches: list[Match] = []
    others: list[Match] = []
    for protocol, found in scores.items():
        if wanted is None and protocol.window != FIELD.window:
            continue  # another SSIM has the same PSNR
        cost, names = cost_of(protocol, place.network)
        miss = _distance(typed, found.psnr)
        one = Match(protocol, found.psnr, found.ssim, miss, names, cost)
        fits = typed.admits(found.psnr, OTHER_DEVICE)
        if fits and wanted is not None:
            if found.ssim is None:  # not taken: neither for it nor against
                one = one._replace(cost=cost + 0.25)
            else:
                fits = wanted.admits(found.ssim, OTHER_DEVICE_SSIM)
        (matches if fits else others).append(one)
    matches.sort(key=lambda one: (one.cost, abs(one.psnr - typed.value)))
    others.sort(key=lambda one: (one.miss, one.cost))
    nearest = [] if matches else others[:3]
    field = scores[FIELD].psnr
    return Answer(place, typed, field, matches, nearest, len(matches) + len(others), None, ())


def _by_difference(place: Place, typed: Typed, printed: Typed, grid: Grid) -> Answer:
    """Compare the step from the printed score with those of the networks in the grid."""
    against = _relatives(place, grid)
    low, high = typed.low - printed.high, typed.high - printed.low
    step = typed.value - printed.value
    relative = RELATIVE_MARGIN_OF_IMAGE if place.image else RELATIVE_MARGIN
    matches: list[Match] = []
    others: list[Match] = []
    shared = set.intersection(*(set(grid[one]) for one in against))
    for protocol in shared:
        if protocol.window != FIELD.window or protocol == FIELD:
            continue
        steps = [grid[one][protocol].psnr - grid[one][FIELD].psnr for one in against]
        least, middle, most = _middle_half(steps)
        margin = MARGIN + relative * abs(middle)
        cost, names = cost_of(protocol, place.network)
        miss = max(0.0, low - most - margin, least - margin - high)
        one = Match(protocol, middle, None, miss, names, cost)
        (others if miss else matches).append(one)
    matches.sort(key=lambda one: (one.cost, abs(one.psnr - step)))
    others.sort(key=lambda one: (one.miss, one.cost))
    nearest = [] if matches else others[:3]
    tried = len(matches) + len(others)
    names = tuple(map(str, against))
    return Answer(place, typed, printed.value, matches, nearest, tried, printed, names)


def _middle_half(steps: list[float]) -> tuple[float, float, float]:
    """First quartile, median, third quartile: what does not widen as the grid gets networks."""
    if len(steps) == 1:
        return steps[0], steps[0], steps[0]
    first, middle, third = quantiles(steps, n=4, method="inclusive")
    return first, middle, third


def _relatives(place: Place, grid: Grid) -> list[Place]:
    """The places whose steps stand for those of one that the grid does not hold.

    The same network at other scales; else every network at this scale, else at any. Of a set or an
    image that the grid does not hold, those of the sets that it does. Bicubic stands for itself.
    """
    same = [at for at in grid if at[2:] == place[2:]]
    same = same or [at for at in grid if not at.image]
    own = [at for at in same if at.network == place.network]
    networks = [at for at in same if at.network != "bicubic"]
    return own or [at for at in networks if at.scale == place.scale] or networks or same


def _distance(typed: Typed, value: float) -> float:
    return max(0.0, typed.low - value, value - typed.high)


def _unknown(place: Place, grid: Grid) -> str:
    there = ", ".join(sorted({f"{at.network} x{at.scale} on {at.set}" for at in grid}))
    return (
        f"the grid does not hold {place}; give the score that was expected with --printed, and the "
        f"difference is looked up (it holds {there}, and each image of these sets)"
    )


def in_words(answer: Answer, most: int = 5) -> str:
    """An answer as the command prints it."""
    return "\n".join(_lines(answer, most))


def _lines(answer: Answer, most: int) -> Iterator[str]:
    typed = answer.typed
    gap = typed.value - answer.field
    side = "above" if gap > 0 else "below"
    if answer.by_difference:
        yield (
            f"{answer.place}: {typed.text} is {abs(gap):.4f} dB {side} "
            f"{answer.by_difference.text}. Steps of {', '.join(answer.against)}:"
        )
    else:
        yield (
            f"{answer.place}: {answer.field:.4f} dB by the field's protocol; {typed.text} is "
            f"{abs(gap):.4f} {side} it."
        )
    for number, one in enumerate(answer.matches[:most], start=1):
        yield ""
        yield from _match(number, one, answer)
    if len(answer.matches) > most:
        yield ""
        yield f"{len(answer.matches) - most} more fit, no plainer; with more digits, fewer would."
    if not answer.matches:
        yield ""
        yield f"None of {answer.tried} protocols gives it. The nearest:"
        for one in answer.nearest:
            yield f"   {_value(one, answer)}  misses by {one.miss:.4f} dB: {one.protocol.words}"
        yield (
            "The grid does not hold other weights (yours, or another release), other HR images, or "
            "LR files that were changed. `srlib score` looks at your pictures themselves."
        )


def _match(number: int, one: Match, answer: Answer) -> Iterator[str]:
    yield f"{number}. {_value(one, answer)}  {one.protocol.words}"
    for name in one.evaluators[:3]:
        yield f"   So scores: {name}."
    for mend in dict.fromkeys(PARTS[part][c].mend for part, c in one.protocol.deviations.items()):
        yield f"   To fix: {mend}."


def _value(one: Match, answer: Answer) -> str:
    if answer.by_difference:
        return f"{one.psnr:+.4f} dB"
    ssim = "" if one.ssim is None else f", SSIM {one.ssim:.4f}"
    return f"{one.psnr:.4f} dB{ssim}"
