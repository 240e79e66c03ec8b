"""What the papers claim in words, and whether it holds: the ledger of ``claims/``.

A claim is a function of the folder ``claims/`` that gathers evidence and returns a verdict. The
rule of each kind of claim was written before any claim was judged:

**Arithmetic and printed claims** ("78 % fewer parameters", "second among these methods"). *Holds*
if the printed numbers give it, rounded to the digits of the claim; else *fails*. Where a paper
names no scale, every printed scale must give it. "1/n of it" is the nearest whole n. Some claims
can be tested against counts of the network itself, by code; then these decide likewise.

**Claims about a network's structure** ("four blocks"). Tested on the module of ``srlib/networks/``
that has the published counts: *holds* if the module has it, else *fails*.

**Algebraic claims** ("equivalent to one convolution"). Both sides are computed in float64. *Holds*
if the largest difference is below 1e-10 of the largest output, else *fails*.

**Claims of quality** ("A is better than B"). *Fails* if the paper's own printed cells do not give
it. Else it is measured where this repository has the score of every image by both sides, with the
95 % interval of a paired bootstrap over seeds and images, of each claimed set that is measured:
*holds* if every interval lies wholly on the claimed side; *holds as printed, not here* if one
lies wholly on the other side; else *undecided at this budget*: an interval contains zero, only one
side was measured, or nothing was. The size of a printed gain is arithmetic; the measured side is
its sign. Quick runs of minutes decide nothing.

**Claims of a score** ("the network scores x dB"). Where the authors' own weights are public, they
are evaluated here: *holds* if every measured score is within one unit of the last printed digit,
*holds as printed, not here* if one is not, *undecided at this budget* if none is measured.
"""

import difflib
import importlib
import pkgutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

import pandas as pd
import torch

from srlib.complexity import complexity
from srlib.networks import create_network
from srlib.published import cells, list_papers
from srlib.results import ROOT, per_image, results

Verdict = Literal["holds", "fails", "holds as printed, not here", "undecided at this budget"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
HOLDS, FAILS, NOT_HERE, UNDECIDED = VERDICTS

DRAWS, LEVEL = 10_000, 0.95  # of the bootstrap
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
            (a number of the paper's text), ``printed`` (a cell of ``published/``), ``measured``
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
        paper: a key of ``published/``.
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


def load() -> None:
    """Import every module of the folder ``claims/``, which registers its claims.

    Raises:
        ClaimError: the folder is not importable.
    """
    try:
        folder = importlib.import_module("claims")
    except ModuleNotFoundError as error:
        raise ClaimError("claims/ cannot be imported; install again: pip install -e .") from error
    for module in pkgutil.iter_modules(folder.__path__):
        importlib.import_module(f"claims.{module.name}")


def ledger(papers: Sequence[str] | None = None) -> pd.DataFrame:
    """Every claim with its verdict, in the order of the papers and of their claims.

    Args:
        papers: keys of ``published/``; all that have claims if None.

    Returns:
        Columns: id, paper, source, says, verdict, because, runs (of the measured evidence).

    Raises:
        ClaimError: a paper without claims, or a claim without a valid finding.
    """
    load()
    known = sorted({found.paper for found in CLAIMS.values()})
    if unknown := set(papers or []) - set(known):
        raise ClaimError(f"no claims of {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    rows = [
        {"id": found.id, "paper": found.paper, "source": found.source, "says": found.says}
        | {"verdict": found.finding.verdict, "because": found.finding.because}
        | {"runs": _runs(found.finding.evidence)}
        for paper in (papers or known)
        for found in CLAIMS.values()
        if found.paper == paper
    ]
    return pd.DataFrame(
        rows, columns=["id", "paper", "source", "says", "verdict", "because", "runs"]
    )


def evidence(id: str) -> pd.DataFrame:
    """The rows that a claim's verdict rests on; columns ``EVIDENCE``.

    Raises:
        ClaimError: unknown id; names the nearest.
    """
    load()
    if id not in CLAIMS:
        near = difflib.get_close_matches(id, CLAIMS, n=1, cutoff=0) or ["none"]
        raise ClaimError(f"no claim {id!r}; the nearest is {near[0]}")
    return CLAIMS[id].finding.evidence


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
        paper, table, row, column, quantity, scale: as ``srlib.published.cells`` names them.

    Raises:
        ClaimError: no such cell; says what was asked for.
    """
    asked: dict[str, str | int | None]
    asked = {"paper": paper, "table": table, "row": row, "column": column}
    asked |= {"quantity": quantity, "scale": scale}
    found = cells()
    for key, wanted in asked.items():
        if wanted is not None:
            found = found[found[key] == wanted]
    if found.empty:
        raise ClaimError(f"published/{paper}.yaml has no number at {asked}")
    return found.assign(kind="printed", run="").reindex(columns=EVIDENCE).reset_index(drop=True)


def stated(paper: str, where: str, quantity: str, value: float, unit: str = "") -> pd.DataFrame:
    """A number of the paper's running text as evidence; ``where`` cites its section."""
    return _row("stated", paper=paper, row=where, quantity=quantity, value=value, unit=unit)


def counted(network: str, scale: int, quantity: str = "params", **how: Any) -> pd.DataFrame:
    """A count of a network, by code, as evidence.

    Args:
        network, scale: as ``create_network`` takes them.
        quantity: a field of ``srlib.complexity.Complexity``.
        **how: ``lr_size`` in pixels, 256x256 if not given, and settings such as ``blocks=4``.
    """
    lr_size = how.pop("lr_size", (256, 256))
    with torch.device("meta"):
        built = create_network(network, scale, **how)
    value = getattr(complexity(built, lr_size), quantity)
    name = " ".join([network, *(f"{key}={setting}" for key, setting in how.items())])
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
    found = found.assign(kind="measured", quantity="psnr_y", unit="dB")
    return found.reindex(columns=EVIDENCE).reset_index(drop=True)


def rows(*parts: pd.DataFrame) -> pd.DataFrame:
    """Parts of evidence one under the other."""
    filled = [part for part in parts if len(part)]
    return pd.DataFrame(
        [row for part in filled for row in part.to_dict("records")], columns=EVIDENCE
    )


# Rules.


class Comparison(NamedTuple):
    """Two methods image by image: the verdict of the measurement, its reason, and the rows."""

    verdict: Verdict
    because: str
    evidence: pd.DataFrame


def compare(
    campaign: str, a: str, b: str, sets: Sequence[str], scale: int = 4, root: Path = ROOT
) -> Comparison:
    """Measure "``a`` is better than ``b``" on the sets where both were scored image by image.

    Args:
        campaign: a folder of ``results/``.
        a, b: method names.
        sets: those of the claim; one that was not measured is not judged, and is named.

    Returns:
        A row a set: the mean difference of PSNR-Y (dB, ``a`` minus ``b``) with its interval.

    Raises:
        ClaimError: the two sides differ in seeds or images, so that no pairs can be made.
    """
    scores = _image_scores(campaign, scale, root)
    measured = {method: set(scores.loc[scores["method"] == method, "set"]) for method in (a, b)}
    both = [name for name in sets if name in measured[a] & measured[b]]
    if not both:
        one = [method for method in (a, b) if measured[method] & set(sets)]
        which = f"only {one[0]} was measured" if one else f"neither {a} nor {b} was measured"
        return Comparison(UNDECIDED, f"In {campaign}, {which} on {_list(sets)}.", rows())
    found = [_paired(scores[scores["set"] == name], a, b, campaign, name) for name in both]
    table = rows(*(part.assign(scale=scale) for part in found))
    runs = _runs(
        rows(scored(campaign, a, both, scale, root), scored(campaign, b, both, scale, root))
    )
    table["run"] = runs
    said = ", ".join(
        f"{row['value']:+.3f} dB on {row['column']} ({row['low']:+.3f} to {row['high']:+.3f})"
        for row in table.to_dict("records")
    )
    verdict, why = _verdict(table)
    missing = [name for name in sets if name not in both]
    left_out = f" Not measured: {_list(missing)}." if missing else ""
    return Comparison(verdict, f"{campaign}, {a} minus {b}: {said}; {why}.{left_out}", table)


def as_printed(holds: bool) -> Verdict:
    """The verdict on an arithmetic, printed or structural claim."""
    return HOLDS if holds else FAILS


def algebraic(difference: float, largest: float) -> Verdict:
    """The verdict on an algebraic claim from the largest difference and the largest output."""
    return HOLDS if difference < 1e-10 * largest else FAILS


def quality(printed_holds: bool, measured: Comparison) -> Verdict:
    """The verdict on a claim of quality: the printed cells first, then the measurement."""
    return measured.verdict if printed_holds else FAILS


def rounds_to(exact: float, stated: str) -> bool:
    """Whether a number, rounded to the digits of the stated one, is it ("84" of 84.1)."""
    digits = len(stated.partition(".")[2])
    return f"{exact:.{digits}f}" == stated


def _verdict(table: pd.DataFrame) -> tuple[Verdict, str]:
    """The rule for claims of quality, over the intervals of the sets."""
    if (table["low"] > 0).all():
        return HOLDS, "every interval is on the claimed side"
    if (table["high"] < 0).any():
        against = table.loc[table["high"] < 0, "column"]
        return NOT_HERE, f"on {_list(against)} the whole interval is on the other side"
    around = table.loc[table["low"] <= 0, "column"]
    return UNDECIDED, f"on {_list(around)} the interval contains zero"


def _paired(scores: pd.DataFrame, a: str, b: str, campaign: str, name: str) -> pd.DataFrame:
    from srlib.statistics import paired_bootstrap

    sides = [
        scores[scores["method"] == method].pivot_table("psnr_y", index="seed", columns="image")
        for method in (a, b)
    ]
    if not (sides[0].index.equals(sides[1].index) and sides[0].columns.equals(sides[1].columns)):
        raise ClaimError(
            f"results/{campaign}: {a} and {b} differ in seeds or images on {name}; evaluate both "
            "with the same seeds"
        )
    interval = paired_bootstrap(
        sides[0].to_numpy(), sides[1].to_numpy(), draws=DRAWS, level=LEVEL, seed=0
    )
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
    if not any((root / "results" / campaign).glob("**/images.csv")):
        return pd.DataFrame(columns=["method", "scale", "seed", "set", "image", "psnr_y"])
    found = per_image(campaign, root)
    return found[found["scale"] == scale]


def _row(kind: str, **cell: Any) -> pd.DataFrame:
    return pd.DataFrame(
        [{"kind": kind, "paper": "", "table": "", "run": ""} | cell], columns=EVIDENCE
    )


def _runs(table: pd.DataFrame) -> str:
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
