"""What the papers claim in words, and whether it holds: how a claim is written and judged.

A claim is a function of ``papers/PAPER/claims.py`` that gathers evidence and returns a judgement,
by the rule of its kind. The rules of printed, algebraic and quality claims stood before any claim
was judged; those of cost, of "1/n", of the margin and of means were added while the printed numbers
were being read. The regime, the correction over sets and the pairing of seeds came after the first
campaigns had been judged without them, and before the campaign ``ablation`` was measured. Where a
sentence can be read in two ways, its own words decide, and ``because`` says which is judged.

**Arithmetic and printed claims** ("13,774 images", "second among these methods"). *Holds* if the
printed numbers give it, rounded or cut off to the digits of the claim by the rule of
``papers.printed.Number``; else *fails*. Where a paper names no scale, every printed scale must give
it; where it names no set, a gain is the mean over the printed sets, and that it is one at all is
judged by this mean. "1/n of it" is the nearest whole n. A saving that is exceeded holds. One that
fails says by how much, and whether the rounding of the printed numbers can explain it.

**Claims of cost** ("fewer parameters than B"). *Fails* if the printed cells do not give it. Else
the networks are counted by code, both in one convention: *holds* if the counts give it, *holds as
printed, not here* if they do not. A network that is not here is judged by the cells alone.

**Claims about a network's structure** ("four blocks"). Tested on the module of ``srlib/networks/``
that has the published counts: *holds* if the module has it, else *fails*.

**Algebraic claims** ("equivalent to one convolution"). Both sides are computed in float64. *Holds*
if the largest difference is below 1e-10 of the largest output, else *fails*.

**Claims of quality** ("A is better than B"), which are claims on PSNR-Y. *Fails* if the paper's own
printed cells do not give it. Else it is measured where this repository has the score of every image
by both sides, by one rule for both directions (``papers.intervals.decide``: 95 % intervals over
images and, paired, over seeds, with Holm's correction over the claimed sets that are measured):
*holds* if A is better, *holds as printed, not here* if B is, else *undecided at this budget*. The
size of a printed gain is arithmetic; the measured side is its sign. "As good as B" is the same with
``MARGIN`` dB allowed: not that much worse.

Networks trained here are compared within one campaign, which has one set of images and one recipe,
and decide something only where all of this is given: they are in the regime (``papers.regime``),
no training of theirs diverged, and each has ``LEAST_SEEDS`` seeds that the other has too. The
authors' weights are compared as they are, over images alone.

**Claims of a score** ("the network scores x dB"). Where the authors' own weights are public, they
are evaluated here: *holds* if every measured score is within one unit of the last printed digit,
*holds as printed, not here* if one is not.

**Not testable here** is what no budget of training decides: a rank in a challenge, a speed on a
machine that nobody names, the score of weights that are not public.

A claim that no paper makes in words, but that its table's rows make, is asked by us (its source is
a table alone): it stands apart in the ledger and is not counted among the papers' claims.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal, NamedTuple, get_args

import pandas as pd

from papers import regime
from papers.evidence import (
    KINDS,
    ClaimError,
    gaps,
    listed,
    one_row,
    rows,
    runs_of,
    scored,
)
from papers.intervals import LEAST_SEEDS, decide, diverged, paired_bootstrap
from papers.printed import UNIT_OF, Span, list_papers
from papers.results import per_image
from srlib.paths import ROOT, find

Verdict = Literal[
    "holds",
    "fails",
    "holds as printed, not here",
    "undecided at this budget",
    "not testable here",
]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
HOLDS, FAILS, NOT_HERE, UNDECIDED, NOT_TESTABLE = VERDICTS

ROUNDING = 1e-10  # of the largest output: what float64 leaves of two equal computations
MARGIN = 0.1  # dB within which two networks are as good: authors report runs that differ by as much


class Shortfall(NamedTuple):
    """How far the printed numbers are from a number, or from a superiority, that a text claims.

    Attributes:
        words: what the cells give.
        size: by how much it falls short, in ``unit``; of percentages, points.
        certain: whether no rounding of the printed numbers explains it.
        cells: the cells that show it, as addresses.
        rival: who is not beaten; empty for a number.
        quantity: in what; empty where the claim is on one quantity.
    """

    words: str
    size: float
    unit: str
    certain: bool
    cells: tuple[str, ...]
    rival: str = ""
    quantity: str = ""


class Judgement(NamedTuple):
    """What a claim's function returns.

    Attributes:
        verdict: one of ``VERDICTS``, by the rule of its kind (see the module).
        because: one or two sentences made from the values.
        evidence: the rows it rests on, with the columns ``EVIDENCE``. A row's kind is ``stated``
            (a number of the paper's text), ``printed`` (a cell of a printed table), ``measured``
            (by a run, or by code: run "code") or ``derived`` (worked out from the rows above).
        shortfalls: of one that fails, how far print falls short of the number or of the rivals that
            the claim names; none where it names neither. ``papers.contradictions`` lists them.
    """

    verdict: Verdict
    because: str
    evidence: pd.DataFrame
    shortfalls: tuple["Shortfall", ...] = ()


@dataclass(frozen=True)
class Claim:
    """A registered claim; ``judgement`` is made once and kept."""

    id: str
    paper: str
    source: str
    says: str
    judge: Callable[[], Judgement]

    @property
    def asked_by(self) -> str:
        """Who asks: "paper" if its text says it, "us" if only the cells of a table do."""
        return "us" if self.source.startswith("Table") else "paper"

    @cached_property
    def judgement(self) -> Judgement:
        """The claim's judgement.

        Raises:
            ClaimError: what the function returns is no ``Judgement`` as this module defines it.
        """
        return _checked(self.id, self.judge())


CLAIMS: dict[str, Claim] = {}


def claim(paper: str, source: str, says: str) -> Callable[..., Callable[[], Judgement]]:
    """Register a function without arguments as a claim, ``PAPER/function-name-with-dashes``.

    Args:
        paper: the paper's key.
        source: where the paper says it, such as "Section 4.3, Table 2".
        says: what it says, in our own words.

    Raises:
        ClaimError: an unknown paper, or a second claim of one id.
    """

    def register(judge: Callable[[], Judgement]) -> Callable[[], Judgement]:
        name = f"{paper}/{judge.__name__.replace('_', '-')}"
        if paper not in list_papers():
            raise ClaimError(
                f"claim {name}: no paper {paper}; there are {', '.join(list_papers())}"
            )
        if name in CLAIMS:
            first = CLAIMS[name].judge
            raise ClaimError(
                f"claim {name} is there twice, in {first.__module__} and {judge.__module__}; "
                "rename one of the two functions"
            )
        CLAIMS[name] = Claim(name, paper, source, says, judge)
        return judge

    return register


# Rules.


class Comparison(NamedTuple):
    """What measuring says of a claim.

    Attributes:
        verdict: by the rule for claims of quality.
        because: the measured differences and why they give the verdict, as a sentence.
        evidence: the rows.
        why: the reason alone, without the numbers.
    """

    verdict: Verdict
    because: str
    evidence: pd.DataFrame
    why: str = ""


def compare(
    campaign: str,
    a: str,
    b: str,
    sets: Sequence[str],
    scale: int = 4,
    margin: float = 0.0,
    root: Path = ROOT,
) -> Comparison:
    """Measure "``a`` is better than ``b``" on the sets where both were scored image by image.

    Args:
        campaign: a folder of ``results/``.
        a, b: method names.
        sets: those of the claim; one that was not measured is not judged, and is named.
        margin: dB by which ``a`` may be worse: ``MARGIN`` for "as good as".

    Returns:
        A row a set: the mean difference of PSNR-Y (dB, ``a`` minus ``b``) with its interval.

    Raises:
        ClaimError: the two sides differ in images, so that no pairs can be made.
    """
    scores = _image_scores(campaign, scale, root)
    measured = {method: set(scores.loc[scores["method"] == method, "set"]) for method in (a, b)}
    both = [name for name in sets if name in measured[a] & measured[b]]
    if not both:
        one = [method for method in (a, b) if measured[method] & set(sets)]
        which = f"only {one[0]} was measured" if one else f"neither {a} nor {b} was measured"
        alone = rows(*(scored(campaign, method, sets, scale, root) for method in one))
        return Comparison(UNDECIDED, f"In {campaign} at x{scale}, {which}.", alone)
    pairs = {name: _pair(scores, a, b, campaign, name) for name in both}
    trained = bool((scores.loc[scores["method"].isin((a, b)), "seed"] >= 0).any())
    table = rows(*(_interval(name, a, b, *pairs[name], trained) for name in both))
    parts = [scored(campaign, method, both, scale, root) for method in (a, b)]
    table = table.assign(scale=scale, run=runs_of(rows(*parts)))
    said = ", ".join(
        f"{row['value']:+.3f} dB on {row['column']} ({row['low']:+.3f} to {row['high']:+.3f})"
        for row in table.to_dict("records")
    )
    verdict, why = UNDECIDED, _not_ready(scores, a, b, both, pairs, campaign, root) * trained
    if not why:
        # A difference of the second argument minus the first.
        found = decide({n: (p[1], p[0]) for n, p in pairs.items()}, trained, margin)
        verdict, why = {1: HOLDS, -1: NOT_HERE, 0: UNDECIDED}[found.sign], found.why
    missing = [name for name in sets if name not in both]
    left_out = f" Not measured: {listed(missing)}." if missing else ""
    said = f"In {campaign}, {a} minus {b} is {said}: {why}.{left_out}"
    return Comparison(verdict, said, rows(*parts, table), why)


def as_printed(holds: bool) -> Verdict:
    """The verdict on an arithmetic, printed or structural claim."""
    return HOLDS if holds else FAILS


def cost(printed_holds: bool, counted_holds: bool) -> Verdict:
    """The verdict on a claim of cost: the printed cells first, then the counts by code."""
    if not printed_holds:
        return FAILS
    return HOLDS if counted_holds else NOT_HERE


def algebraic(difference: float, largest: float) -> Verdict:
    """The verdict on an algebraic claim from the largest difference and the largest output."""
    return HOLDS if difference < ROUNDING * largest else FAILS


def share_of_output(difference: float, largest: float) -> str:
    """A difference in words that no machine changes: of what is only rounding, a bound."""
    if difference < ROUNDING * largest:
        return f"less than {ROUNDING:g} of the largest output"
    return f"{difference / largest:.0%} of the largest output"


def quality(printed_holds: bool, measured: Comparison) -> Verdict:
    """The verdict on a claim of quality: the printed cells first, then the measurement."""
    return measured.verdict if printed_holds else FAILS


def better(
    ours: pd.DataFrame,
    theirs: pd.DataFrame,
    measured: Comparison,
    margin: float = 0.0,
    on_average: bool = False,
) -> Judgement:
    """The judgement on "ours is better than theirs", or as good with a ``margin`` in dB.

    Args:
        ours, theirs: printed cells of one quantity, PSNR in dB, of the same scales and sets.
        measured: from ``compare``, with the same margin.
        on_average: whether the claim names no set, so that the mean of the cells decides.
    """
    table = gaps(ours, theirs)
    short = table[table["value"] < -margin] if margin else table[table["value"] <= 0]
    mean = table["value"].mean()
    verdict = quality(mean > -margin if on_average else short.empty, measured)
    least, most = table["value"].min(), table["value"].max()
    said = f"The {len(table)} printed gaps are {least:+.2f} to {most:+.2f} dB"
    if on_average:
        said += f", {mean:+.3f} dB in the mean"
    elif len(short):
        where = (f"{row['column']} x{row['scale']}" for row in short.to_dict("records"))
        said += f"; not so on {listed(where)}"
    said += "." if verdict == FAILS else f". {measured.because}"
    short_of = () if margin or on_average else rivals(ours, theirs)
    return Judgement(verdict, said, rows(ours, theirs, table, measured.evidence), short_of)


def falls_short(
    said: float,
    admitted: Span,
    readings: Sequence[tuple[float, Span]],
    unit: str,
    cells: pd.DataFrame,
) -> Shortfall:
    """How far what follows from print is from a stated number; of readings, the nearest.

    Args:
        said: the number.
        admitted: the values that it stands for, such as a ``Number``'s interval.
        readings: what follows, exactly as printed and where it may lie.
        unit: of what it falls short by; of percentages "points".
        cells: the printed cells behind it.
    """
    nearest = min((value - said for value, _ in readings), key=abs)
    shown = " or ".join(f"{value:.3g}" for value, _ in readings)
    certain = not any(span.meets(admitted) for _, span in readings)
    said_in = {"points": "%", "ratio": ""}.get(unit, unit)
    return Shortfall(f"{shown} {said_in}".strip(), abs(nearest), unit, certain, addresses(cells))


def rivals(
    ours: pd.DataFrame, theirs: pd.DataFrame, less: bool = False, level: bool = True
) -> tuple[Shortfall, ...]:
    """The rivals that are not beaten, cell by cell, each with the cell where it is furthest ahead.

    Args:
        ours: printed cells of one row, at several sets and scales.
        theirs: those of one or more other rows.
        less: whether less is better, as of a cost.
        level: whether a cell that is level counts against the claim.
    """
    both = ours.merge(theirs, on=["quantity", "scale", "column"], suffixes=("", "_theirs"))
    sign = -1 if less else 1
    both = both.assign(lead=(sign * (both["value"] - both["value_theirs"])).round(9))
    found = []
    for rival, cells in both.groupby("row_theirs", sort=False):
        failing = cells[cells["lead"] <= 0 if level else cells["lead"] < 0]
        if failing.empty:
            continue
        worst = failing.sort_values("lead", kind="stable").iloc[0]
        by_side = {"ahead": (cells["lead"] < 0).sum(), "level": (cells["lead"] == 0).sum()}
        words = " and ".join(f"{side} in {n}" for side, n in by_side.items() if n)
        words = f"{rival} is {words} of {len(cells)} cells"
        if by_side["ahead"]:
            pair = f"{worst['number_theirs'].text} against {worst['number'].text}"
            words += f", most at {worst['column']} ×{worst['scale']} ({pair})"
        spans = [
            (a.interval, b.interval)[:: 1 if less else -1]
            for a, b in failing[["number", "number_theirs"]].to_numpy()
        ]
        found.append(
            Shortfall(
                words,
                abs(float(worst["lead"])),
                UNIT_OF.get(worst["quantity"], worst["unit"]),
                any(high_side.low >= low_side.high for high_side, low_side in spans),
                addresses(failing, "_theirs"),
                str(rival),
            )
        )
    return tuple(found)


def addresses(cells: pd.DataFrame, suffix: str = "") -> tuple[str, ...]:
    """Printed cells as a reader finds them: "AIDN, Table 3, AIDN(ours) ×4, Params"."""
    columns = [f"paper{suffix}", f"table{suffix}", f"row{suffix}", "scale", "column"]
    found = [
        f"{paper.upper()}, Table {table}, {row} ×{scale}, {column}"
        for paper, table, row, scale, column in cells[columns].to_numpy()
    ]
    return tuple(dict.fromkeys(found))


def authors_weights(
    cells: pd.DataFrame, campaign: str, method: str, root: Path = ROOT
) -> Judgement:
    """The judgement on printed PSNR (dB) of one scale, by the authors' own weights."""
    scale = int(cells["scale"].iloc[0])
    measured = scored(campaign, method, list(cells["column"]), scale, root)
    if measured.empty:
        return Judgement(
            NOT_TESTABLE, f"In {campaign} at x{scale}, no weights of {method} are public.", cells
        )
    table = gaps(measured, cells)
    far = table[table["value"].abs() > 0.01 + 1e-9]
    said = f"{method} of {campaign} is {table['value'].min():+.3f} to {table['value'].max():+.3f} "
    said += f"dB from the printed scores of {listed(table['column'])}"
    said += f"; more than 0.01 dB off on {listed(far['column'])}." if len(far) else "."
    return Judgement(HOLDS if far.empty else NOT_HERE, said, rows(cells, measured, table))


def _not_ready(
    scores: pd.DataFrame,
    a: str,
    b: str,
    sets: Sequence[str],
    pairs: Mapping[str, tuple[pd.DataFrame, pd.DataFrame]],
    campaign: str,
    root: Path,
) -> str:
    """Why two networks trained here decide nothing yet; empty if they may."""
    if why := regime.outside(scores, (a, b), sets, campaign, root):
        return why
    for name, sides in pairs.items():
        for network, side in zip((a, b), sides, strict=True):
            if apart := diverged(side):
                return f"trainings of {network} lie {apart:.2f} dB apart on {name}"
    seeds = min(len(side) for pair in pairs.values() for side in pair)
    if seeds < LEAST_SEEDS:
        return f"it takes {LEAST_SEEDS} seeds that both have to decide, and there are {seeds}"
    return ""


def _pair(
    scores: pd.DataFrame, a: str, b: str, campaign: str, name: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """PSNR-Y of both on a set, (seeds, images), by the seeds that both have."""
    part = scores[scores["set"] == name]
    ours, theirs = (
        part[part["method"] == method].pivot_table("psnr_y", index="seed", columns="image")
        for method in (a, b)
    )
    if not ours.columns.equals(theirs.columns):
        raise ClaimError(
            f"results/{campaign}: {a} and {b} differ in the images of {name}; evaluate both on all"
        )
    seeds = ours.index.intersection(theirs.index)
    if seeds.empty:
        raise ClaimError(f"results/{campaign}: {a} and {b} share no seed on {name}; train one more")
    return ours.loc[seeds], theirs.loc[seeds]


def _interval(
    name: str, a: str, b: str, ours: pd.DataFrame, theirs: pd.DataFrame, same_seeds: bool
) -> pd.DataFrame:
    """A set's difference as a row of evidence, with its own 95 % interval."""
    interval = paired_bootstrap(theirs, ours, same_seeds=same_seeds)
    return one_row(
        "measured",
        row=f"{a} minus {b}",
        column=name,
        quantity="psnr_y",
        value=interval.mean,
        low=interval.low,
        high=interval.high,
        unit="dB",
    )


def _image_scores(campaign: str, scale: int, root: Path) -> pd.DataFrame:
    if not any(find("images.csv", campaign, root=root)):
        return pd.DataFrame(columns=["method", "scale", "seed", "set", "image", "psnr_y"])
    found = per_image(campaign, root)
    return found[found["scale"] == scale]


def _checked(id: str, found: Judgement) -> Judgement:
    if not isinstance(found, Judgement) or found.verdict not in VERDICTS:
        got = getattr(found, "verdict", found)
        raise ClaimError(f"claim {id}: verdict {got!r}; it must be one of {', '.join(VERDICTS)}")
    if not found.because.strip():
        raise ClaimError(f"claim {id}: no reason; say in `because` what the verdict rests on")
    table = found.evidence
    if lacking := {"kind", "quantity", "value", "run"} - set(table.columns):
        raise ClaimError(f"claim {id}: evidence has no column {', '.join(sorted(lacking))}")
    if table.empty:
        raise ClaimError(f"claim {id}: no evidence; give at least what the paper states or prints")
    if unknown := set(table["kind"]) - set(KINDS):
        raise ClaimError(f"claim {id}: evidence of kind {unknown}; there are {', '.join(KINDS)}")
    empty = table["run"].isna() | (table["run"].astype(str).str.strip() == "")
    if (bad := table[(table["kind"] == "measured") & empty]).size:
        raise ClaimError(
            f"claim {id}: {bad['quantity'].iloc[0]} is measured, but its run is empty; name the "
            'run, or "code" for what code counts'
        )
    return found
