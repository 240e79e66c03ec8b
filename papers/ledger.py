"""Every claim of the four papers with its verdict."""

import difflib
from collections.abc import Sequence

import pandas as pd

import papers.aidn.claims
import papers.fdiwn.claims
import papers.rdsrn.claims
import papers.rfdn.claims  # noqa: F401  (each registers its claims)
from papers.claims import CLAIMS, ClaimError, runs_of


def ledger(papers: Sequence[str] | None = None) -> pd.DataFrame:
    """Every claim with its verdict, in the order of the papers and of their claims.

    Args:
        papers: their keys; all that have claims if None.

    Returns:
        Columns: id, paper, source, says, verdict, because, runs (of the measured evidence).

    Raises:
        ClaimError: a paper without claims, or a claim without a valid finding.
    """
    known = sorted({found.paper for found in CLAIMS.values()})
    if unknown := set(papers or []) - set(known):
        raise ClaimError(f"no claims of {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    rows = [
        {"id": found.id, "paper": found.paper, "source": found.source, "says": found.says}
        | {"verdict": found.finding.verdict, "because": found.finding.because}
        | {"runs": runs_of(found.finding.evidence)}
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
    if id not in CLAIMS:
        near = difflib.get_close_matches(id, CLAIMS, n=1, cutoff=0) or ["none"]
        raise ClaimError(f"no claim {id!r}; the nearest is {near[0]}")
    return CLAIMS[id].finding.evidence
