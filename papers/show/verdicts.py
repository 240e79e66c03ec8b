"""The ledger of claims for a notebook: counts by verdict, and every verdict with its evidence."""

import re
from html import escape

import pandas as pd

from papers.claims import VERDICTS
from papers.evidence import EVIDENCE
from papers.ledger import evidence
from papers.show.tables import roomy


def tally(ledger: pd.DataFrame) -> pd.DataFrame:
    """How many claims have which verdict.

    Args:
        ledger: from ``papers.ledger.ledger``.

    Returns:
        A row a paper, one of all papers, and one of the claims that are asked by us; columns:
        paper, each verdict, claims.
    """
    asked = ledger["paper"].where(ledger["asked_by"] == "paper", "asked by us")
    table = pd.crosstab(asked, ledger["verdict"]).reindex(columns=list(VERDICTS))
    table = table.fillna(0).astype(int)
    ours = table.loc[table.index == "asked by us"]
    table = table.drop(index=ours.index)
    table.loc["all"] = table.sum()
    table = pd.concat([table, ours])
    table.columns.name = None
    return table.assign(claims=table.sum(axis=1)).reset_index()


def headline(ledger: pd.DataFrame) -> str:
    """A sentence: how many of the papers' own claims have which verdict."""
    own = ledger[ledger["asked_by"] == "paper"]["verdict"]
    found = ", ".join(f"{int((own == name).sum())} *{name}*" for name in VERDICTS)
    return f"**Of {len(own)} claims that the papers make: {found}.**"


class Opened:
    """A line for all claims, opening to a line for each: source, reason, runs and evidence.

    Plain HTML (``details``) without script or style, so that it opens wherever notebooks are shown;
    a viewer that drops the tag shows everything opened.
    """

    def __init__(self, ledger: pd.DataFrame) -> None:
        self.ledger = ledger

    def __repr__(self) -> str:
        return f"Evidence of {len(self.ledger)} claims"

    def _repr_html_(self) -> str:
        lines = "\n".join(_line(found) for found in self.ledger.to_dict("records"))
        papers = ", ".join(dict.fromkeys(self.ledger["paper"].str.upper()))
        return (
            f"<details><summary><b>{papers}</b>: {len(self.ledger)} claims</summary>\n{lines}\n"
            "</details>"
        )


def _line(found: dict) -> str:
    runs = f"<p>Runs: {escape(found['runs'])}</p>" if found["runs"] else ""
    return (
        f"<details><summary><b>{escape(found['verdict'])}</b> · {escape(found['says'])}</summary>"
        f"<p><code>{escape(found['id'])}</code> · {escape(found['source'])}</p>"
        f"<p>{escape(found['because'])}</p>{runs}{evidence_table(evidence(found['id']))}</details>"
    )


def evidence_table(rows: pd.DataFrame) -> str:
    """Evidence as an HTML table without the columns that are empty in all rows."""
    text = rows[EVIDENCE].astype(object)
    for column in ("value", "low", "high"):
        text[column] = [_number(*pair) for pair in zip(rows[column], rows["unit"], strict=True)]
    text = text.fillna("").astype(str)
    text = text.loc[:, (text != "").any()]
    return re.sub(r">\s+<", "><", text.to_html(index=False, border=0, col_space=roomy(text)))


def _number(value: float, unit: str) -> str:
    if pd.isna(value):
        return ""
    if unit == "dB":
        return f"{value:.3f}".removesuffix("0")
    if value == round(value):
        return f"{value:,.0f}"
    return f"{value:.1e}" if abs(value) < 1e-3 else f"{value:,.3f}".rstrip("0")
