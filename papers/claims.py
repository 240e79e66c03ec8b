"""What the papers claim in words, and whether it holds: how a claim is written and judged.

A claim is a function of ``papers/PAPER/claims.py`` that gathers evidence and returns a judgement,
by the rule of its kind. The rules were written before the campaign ``bsd400`` was measured. Those
of printed, algebraic and quality claims stood before any claim was judged; those of cost, of "1/n",
of the margin and of means were added while the printed numbers were being read. Where a sentence
can be read in two ways, its own words decide, and ``because`` says which is judged.

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
by both sides, with the 95 % interval of a paired bootstrap over seeds and images, of each claimed
set that is measured: *holds* if every interval lies wholly on the claimed side; *holds as printed,
not here* if one lies wholly on the other side; else *undecided at this budget*: an interval
contains zero, only one side was measured, or nothing was. The size of a printed gain is arithmetic;
the measured side is its sign. Networks trained here are compared within one campaign, which has one
set of images and one recipe; one seed of each decides nothing, for it shows no spread of trainings
(written before a campaign with one seed was scored), nor do quick runs of minutes. "As good as B"
is the same with ``MARGIN`` dB allowed: not that much worse.

**Claims of a score** ("the network scores x dB"). Where the authors' own weights are public, they
are evaluated here: *holds* if every measured score is within one unit of the last printed digit,
*holds as printed, not here* if one is not, *undecided at this budget* if none is measured.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal, NamedTuple, get_args

import pandas as pd

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
from papers.printed import UNIT_OF, Span, list_papers
from papers.results import per_image
from srlib.paths import ROOT, find

Verdict = Literal["holds", "fails", "holds as printed, not here", "undecided at this budget"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
HOLDS, FAILS, NOT_HERE, UNDECIDED = VERDICTS

DRAWS, LEVEL = 10_000, 0.95  # of the bootstrap
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
    def in_words(self) -> bool:
        """Whether a text says it; a claim of "Table 3" alone is only the table's own cells."""
        return not self.source.startswith("Table")

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
    """What measuring says of a claim: its verdict, the reason as a sentence, and the rows."""

    verdict: Verdict
    because: str
    evidence: pd.DataFrame


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
    parts = [scored(campaign, method, both, scale, root) for method in (a, b)]
    table = rows(*(_paired(scores[scores["set"] == name], a, b, campaign, name) for name in both))
    table = table.assign(scale=scale, run=runs_of(rows(*parts)))
    said = ", ".join(
        f"{row['value']:+.3f} dB on {row['column']} ({row['low']:+.3f} to {row['high']:+.3f})"
        for row in table.to_dict("records")
    )
    verdict, why = _verdict(table, margin)
    trained = scores[scores["method"].isin((a, b)) & (scores["seed"] >= 0)]
    if len(trained) and trained.groupby("method")["seed"].nunique().min() == 1:
        verdict, why = UNDECIDED, f"{why}, but one seed shows no spread of trainings"
    missing = [name for name in sets if name not in both]
    left_out = f" Not measured: {listed(missing)}." if missing else ""
    said = f"In {campaign}, {a} minus {b} is {said}: {why}.{left_out}"
    return Comparison(verdict, said, rows(*parts, table))


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
        return Judgement(UNDECIDED, f"In {campaign} at x{scale}, {method} was not measured.", cells)
    table = gaps(measured, cells)
    far = table[table["value"].abs() > 0.01 + 1e-9]
    said = f"{method} of {campaign} is {table['value'].min():+.3f} to {table['value'].max():+.3f} "
    said += f"dB from the printed scores of {listed(table['column'])}"
    said += f"; more than 0.01 dB off on {listed(far['column'])}." if len(far) else "."
    return Judgement(HOLDS if far.empty else NOT_HERE, said, rows(cells, measured, table))


def _verdict(table: pd.DataFrame, margin: float) -> tuple[Verdict, str]:
    """The rule for claims of quality, over the intervals of the sets."""
    border = f"-{margin} dB" if margin else "zero"
    if (table["low"] > -margin).all():
        return HOLDS, f"every interval lies above {border}"
    against = table.loc[table["high"] < -margin, "column"]
    if len(against):
        return NOT_HERE, f"on {listed(against)} the whole interval lies below {border}"
    around = table.loc[table["low"] <= -margin, "column"]
    return UNDECIDED, f"on {listed(around)} the interval contains {border}"


def _paired(scores: pd.DataFrame, a: str, b: str, campaign: str, name: str) -> pd.DataFrame:
    from papers.intervals import paired_bootstrap

    sides = [
        scores[scores["method"] == method].pivot_table("psnr_y", index="seed", columns="image")
        for method in (a, b)
    ]
    if not sides[0].columns.equals(sides[1].columns):
        raise ClaimError(
            f"results/{campaign}: {a} and {b} differ in the images of {name}; evaluate both on all"
        )
    ours, theirs = (side.to_numpy() for side in sides)
    # The bootstrap is of its second argument minus its first.
    interval = paired_bootstrap(theirs, ours, draws=DRAWS, level=LEVEL, seed=0)
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
