"""What the papers claim in words, and whether it holds: the ledger of ``claims/``.

A claim is a function of the folder ``claims/`` that gathers evidence and returns a verdict, by the
rule of its kind. The rules were written before the campaign ``bsd400`` was measured. Those of
printed, algebraic and quality claims stood before any claim was judged; those of cost, of "1/n", of
the margin and of means were added while the printed numbers were being read:

**Arithmetic and printed claims** ("13,774 images", "second among these methods"). *Holds* if the
printed numbers give it, rounded or cut off to the digits of the claim, by the rule of
``papers.printed.Number``; else *fails*. Where a paper names no
scale, every printed scale must give it; where it names no set, a gain is the mean over the printed
sets, and that it is one at all is judged by this mean. "1/n of it" is the nearest whole n. A saving
that is exceeded holds.

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

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

import pandas as pd

from papers.counts import count
from papers.printed import cells, list_papers
from papers.results import per_image, results
from srlib.paths import ROOT, find

Verdict = Literal["holds", "fails", "holds as printed, not here", "undecided at this budget"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
HOLDS, FAILS, NOT_HERE, UNDECIDED = VERDICTS

DRAWS, LEVEL = 10_000, 0.95  # of the bootstrap
MARGIN = 0.1  # dB within which two networks are as good: authors report runs that differ by as much
CODE = "code"  # the run of what is counted by code: it is the commit
KINDS = ("stated", "printed", "measured", "derived")
EVIDENCE = ["kind", "paper", "table", "row", "scale", "column", "quantity", "value", "unit"]
EVIDENCE += ["low", "high", "run"]


class ClaimError(ValueError):
    """A claim that is not there, is there twice, or does not show what it rests on; names it."""


class Finding(NamedTuple):
    """What a claim's function returns.

    Attributes:
        verdict: one of ``VERDICTS``, by the rule of its kind (see the module).
        because: one or two sentences made from the values.
        evidence: the rows it rests on, with the columns ``EVIDENCE``. A row's kind is ``stated``
            (a number of the paper's text), ``printed`` (a cell of a printed table), ``measured``
            (by a run, or by code: run "code") or ``derived`` (worked out from the rows above).
    """

    verdict: Verdict
    because: str
    evidence: pd.DataFrame


@dataclass(frozen=True)
class Claim:
    """A registered claim; ``finding`` is judged once and kept."""

    id: str
    paper: str
    source: str
    says: str
    judge: Callable[[], Finding]

    @cached_property
    def finding(self) -> Finding:
        """The claim's finding.

        Raises:
            ClaimError: what the function returns is no ``Finding`` as this module defines it.
        """
        return _checked(self.id, self.judge())


CLAIMS: dict[str, Claim] = {}


def claim(paper: str, source: str, says: str) -> Callable[..., Callable[[], Finding]]:
    """Register a function without arguments as a claim, ``PAPER/function-name-with-dashes``.

    Args:
        paper: the paper's key.
        source: where the paper says it, such as "Section 4.3, Table 2".
        says: what it says, in our own words.

    Raises:
        ClaimError: an unknown paper, or a second claim of one id.
    """

    def register(judge: Callable[[], Finding]) -> Callable[[], Finding]:
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


# Evidence, a row or more each; a claim joins them with ``rows``.


def printed(
    paper: str,
    table: str,
    row: str | None = None,
    column: str | None = None,
    quantity: str | None = None,
    scale: int | None = None,
) -> pd.DataFrame:
    """Printed cells as evidence; None takes all.

    Args:
        paper, table, row, column, quantity, scale: as ``papers.printed.cells`` names them.

    Raises:
        ClaimError: no such cell; says what was asked for.
    """
    asked: dict[str, str | int | None]
    asked = {"paper": paper, "table": table, "row": row, "column": column}
    asked |= {"quantity": quantity, "scale": scale}
    found = _cells()
    for key, wanted in asked.items():
        if wanted is not None:
            found = found[found[key] == wanted]
    if found.empty:
        raise ClaimError(f"papers/{paper}/printed.yaml has no number at {asked}")
    return _evidence(found.assign(kind="printed", run=""))


def stated(paper: str, where: str, quantity: str, value: float, unit: str = "") -> pd.DataFrame:
    """A number of the paper's running text as evidence; ``where`` cites its section."""
    return _row("stated", paper=paper, row=where, quantity=quantity, value=value, unit=unit)


def counted(network: str, scale: int, quantity: str = "params", **settings: Any) -> pd.DataFrame:
    """A count of a network, by code, as evidence.

    Args:
        network, scale, quantity, **settings: as ``papers.counts.count`` takes them.
    """
    value = count(network, scale, quantity, **settings)
    name = " ".join([network, *(f"{key}={setting}" for key, setting in settings.items())])
    return computed(name, quantity, value, scale=scale)


def computed(row: str, quantity: str, value: float, **cell: Any) -> pd.DataFrame:
    """Anything else that code of this repository measured, as evidence; its run is the commit."""
    return _row("measured", row=row, quantity=quantity, value=value, run=CODE, **cell)


def derived(row: str, quantity: str, value: float, **cell: Any) -> pd.DataFrame:
    """A value worked out from other evidence, such as a difference of two cells, as evidence."""
    return _row("derived", row=row, quantity=quantity, value=value, **cell)


def scored(
    campaign: str, method: str, sets: Sequence[str], scale: int = 4, root: Path = ROOT
) -> pd.DataFrame:
    """Measured PSNR-Y (dB) of a method as evidence, a row a seed and set; none if not measured."""
    found = results(root)
    found = found[(found["campaign"] == campaign) & (found["method"] == method)]
    found = found[(found["scale"] == scale) & found["set"].isin(list(sets))]
    found = found.rename(columns={"set": "column", "method": "row", "psnr_y": "value"})
    return _evidence(found.assign(kind="measured", quantity="psnr_y", unit="dB"))


def gaps(ours: pd.DataFrame, theirs: pd.DataFrame) -> pd.DataFrame:
    """Ours minus theirs, a row a quantity, scale and column that both have, as evidence."""
    return _pairs(ours, theirs, "minus")


def ratios(ours: pd.DataFrame, theirs: pd.DataFrame) -> pd.DataFrame:
    """Ours over theirs, a row a quantity, scale and column that both have, as evidence."""
    return _pairs(ours, theirs, "over")


def rows(*parts: pd.DataFrame) -> pd.DataFrame:
    """Parts of evidence one under the other."""
    return _evidence(pd.DataFrame([row for part in parts for row in part.to_dict("records")]))


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
    left_out = f" Not measured: {_list(missing)}." if missing else ""
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
    return HOLDS if difference < 1e-10 * largest else FAILS


def quality(printed_holds: bool, measured: Comparison) -> Verdict:
    """The verdict on a claim of quality: the printed cells first, then the measurement."""
    return measured.verdict if printed_holds else FAILS


def better(
    ours: pd.DataFrame,
    theirs: pd.DataFrame,
    measured: Comparison,
    margin: float = 0.0,
    on_average: bool = False,
) -> Finding:
    """The finding on "ours is better than theirs", or as good with a ``margin`` in dB.

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
        said += f"; not so on {_list(where)}"
    said += "." if verdict == FAILS else f". {measured.because}"
    return Finding(verdict, said, rows(ours, theirs, table, measured.evidence))


def authors_weights(cells: pd.DataFrame, campaign: str, method: str, root: Path = ROOT) -> Finding:
    """The finding on printed PSNR (dB) of one scale, where the authors' weights are ``method``."""
    scale = int(cells["scale"].iloc[0])
    measured = scored(campaign, method, list(cells["column"]), scale, root)
    if measured.empty:
        return Finding(UNDECIDED, f"In {campaign} at x{scale}, {method} was not measured.", cells)
    table = gaps(measured, cells)
    far = table[table["value"].abs() > 0.01 + 1e-9]
    said = f"{method} of {campaign} is {table['value'].min():+.3f} to {table['value'].max():+.3f} "
    said += f"dB from the printed scores of {_list(table['column'])}"
    said += f"; more than 0.01 dB off on {_list(far['column'])}." if len(far) else "."
    return Finding(HOLDS if far.empty else NOT_HERE, said, rows(cells, measured, table))


def as_counted(printed: pd.DataFrame, counted: pd.DataFrame) -> list[bool]:
    """Whether each printed count is the one beside it, row by row, by the rule of ``Number``."""
    pairs = zip(printed["number"], counted["value"], strict=True)
    return [number.in_full.admits(value) for number, value in pairs]


def _pairs(ours: pd.DataFrame, theirs: pd.DataFrame, how: Literal["minus", "over"]) -> pd.DataFrame:
    keys = ["quantity", "scale", "column"]
    both = ours.merge(theirs, on=keys, suffixes=("", "_theirs"))
    if both.empty:
        raise ClaimError(f"nothing to compare: no {_list(keys)} that both sides have")
    found = both["value"] - both["value_theirs"]
    if how == "over":
        found = both["value"] / both["value_theirs"]
    both = both.assign(
        kind="derived",
        value=found.round(6),  # a difference of printed decimals is a decimal again
        unit=both["unit"] if how == "minus" else "",
        row=both["row"] + f" {how} " + both["row_theirs"],
        run=[
            runs_of(pd.DataFrame({"run": runs})) for runs in both[["run", "run_theirs"]].to_numpy()
        ],
    )
    return _evidence(both)


def _verdict(table: pd.DataFrame, margin: float) -> tuple[Verdict, str]:
    """The rule for claims of quality, over the intervals of the sets."""
    border = f"-{margin} dB" if margin else "zero"
    if (table["low"] > -margin).all():
        return HOLDS, f"every interval lies above {border}"
    against = table.loc[table["high"] < -margin, "column"]
    if len(against):
        return NOT_HERE, f"on {_list(against)} the whole interval lies below {border}"
    around = table.loc[table["low"] <= -margin, "column"]
    return UNDECIDED, f"on {_list(around)} the interval contains {border}"


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
    return _row(
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


@cache
def _cells() -> pd.DataFrame:
    return cells()


def _row(kind: str, **cell: Any) -> pd.DataFrame:
    return _evidence(pd.DataFrame([{"kind": kind} | cell]))


def _evidence(table: pd.DataFrame) -> pd.DataFrame:
    """The columns of evidence, in order: text where there is none is empty, a number is missing."""
    table = table.reindex(columns=[*EVIDENCE, "number"]).reset_index(drop=True)
    numbers = {"value": "float64", "low": "float64", "high": "float64", "scale": "Int64"}
    texts = [column for column in EVIDENCE if column not in numbers]
    table["number"] = table["number"].astype(object)
    table[texts] = table[texts].astype(object).fillna("")
    return table.astype(numbers)


def runs_of(table: pd.DataFrame) -> str:
    runs = " ".join(str(run) for run in table["run"] if isinstance(run, str)).split()
    return " ".join(dict.fromkeys(runs))


def _list(names: Iterable[str]) -> str:
    return ", ".join(names)


def _checked(id: str, finding: Finding) -> Finding:
    if not isinstance(finding, Finding) or finding.verdict not in VERDICTS:
        got = getattr(finding, "verdict", finding)
        raise ClaimError(f"claim {id}: verdict {got!r}; it must be one of {', '.join(VERDICTS)}")
    if not finding.because.strip():
        raise ClaimError(f"claim {id}: no reason; say in `because` what the verdict rests on")
    table = finding.evidence
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
    return finding
