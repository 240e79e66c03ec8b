"""Every claim of the four papers with its verdict, as ``results/ledger.csv``, and its evidence.

The stage ``ledger`` judges them all and writes the file; a test holds that it is what the code
gives, so that no verdict changes unseen.
"""

import difflib
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

import papers.aidn.claims
import papers.fdiwn.claims
import papers.rdsrn.claims
import papers.rfdn.claims  # noqa: F401  (each registers its claims)
from papers.claims import CLAIMS, Claim
from papers.evidence import ClaimError, runs_of
from srlib import paths
from srlib.files import write_csv
from srlib.paths import ROOT

COLUMNS = ["id", "paper", "asked_by", "source", "says", "verdict", "because", "runs"]


def ledger(papers: Sequence[str] | None = None, root: Path = ROOT) -> pd.DataFrame:
    """The tracked verdicts, in the order of the papers and of their claims.

    Args:
        papers: their keys; all that have claims if None.
        root: where ``results/`` is.

    Returns:
        Columns: id, paper, asked_by ("paper", or "us" of what only a table's rows say), source,
        says, verdict, because, runs (of the measured evidence).

    Raises:
        ClaimError: a paper without claims.
        FileNotFoundError: nothing was judged yet; says how to.
    """
    path = paths.ledger(root)
    if not path.is_file():
        raise FileNotFoundError(f"{path} does not exist; `dvc repro ledger` makes it")
    table = pd.read_csv(path, keep_default_na=False)
    known = list(dict.fromkeys(table["paper"]))
    if unknown := set(papers or []) - set(known):
        raise ClaimError(f"no claims of {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    return table if papers is None else table[table["paper"].isin(papers)].reset_index(drop=True)


def judged() -> pd.DataFrame:
    """Every claim judged now: what ``ledger`` gives, by the code and the results as they are.

    Raises:
        ClaimError: a claim without a valid judgement.
    """
    rows = [
        {
            "id": one.id,
            "paper": one.paper,
            "asked_by": one.asked_by,
            "source": one.source,
            "says": one.says,
        }
        | {"verdict": one.judgement.verdict, "because": one.judgement.because}
        | {"runs": runs_of(one.judgement.evidence)}
        for one in sorted(CLAIMS.values(), key=lambda one: one.paper)
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def write(root: Path = ROOT) -> None:
    """Judge every claim and write ``results/ledger.csv``."""
    write_csv(paths.ledger(root), judged())


def evidence(id: str) -> pd.DataFrame:
    """The rows that a claim's verdict rests on; columns ``EVIDENCE``.

    Raises:
        ClaimError: unknown id; names the nearest.
    """
    return _claim(id).judgement.evidence


def failing() -> list[Claim]:
    """The claims whose tracked verdict is *fails*.

    Raises:
        ClaimError: the tracked file has a claim that is gone; names it.
    """
    table = ledger()
    return [_claim(id) for id in table.loc[table["verdict"] == "fails", "id"]]


def _claim(id: str) -> Claim:
    if id not in CLAIMS:
        near = difflib.get_close_matches(id, CLAIMS, n=1, cutoff=0) or ["none"]
        raise ClaimError(f"no claim {id!r}; the nearest is {near[0]}")
    return CLAIMS[id]
