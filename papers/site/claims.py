"""The ledger and the facts, as pages that a reader searches, sorts and filters."""

import re
from functools import cache
from html import escape

import pandas as pd

from papers.comparison import paper_tables
from papers.ledger import evidence
from papers.printed import FOLDER
from papers.show.facts import findings_table, headline, state
from papers.show.tables import show
from papers.show.verdicts import evidence_table, tally
from papers.site.html import anchor, link, table

NOTEBOOKS = {"claims": "notebooks/61_claims.ipynb", "facts": "notebooks/60_contradictions.ipynb"}


def ledger_page(claims: pd.DataFrame) -> str:
    """Every claim a row, with its evidence folded into it; its id is the row's place."""
    rows = [
        {
            "place": anchor(one["id"]),
            "paper": link(one["paper"].upper(), f"papers/{one['paper']}.html"),
            "verdict": escape(one["verdict"]),
            "says": f"<b>{escape(one['says'])}</b><br><small>"
            f"{source_linked(one['paper'], one['source'])}; "
            f'<a href="#{anchor(one["id"])}">{escape(one["id"])}</a></small>',
            "because": escape(one["because"]) + _evidence(one["id"]),
            "runs": escape(one["runs"]),
        }
        for one in claims.to_dict("records")
    ]
    columns = {"paper": "paper", "verdict": "verdict", "says": "claim", "because": "because"}
    columns |= {"runs": "runs"}
    listed = table(rows, columns, "All claims", filters=["paper", "verdict"], ids="place")
    counts = show(tally(claims), "Claims by paper and verdict")._repr_html_()
    return (
        "# Which of the papers' claims hold?\n\nSentences and tables of the papers that can be "
        "checked, in our own words, each with a verdict by the rule of its kind "
        f"([the same as a notebook, with the rules]({NOTEBOOKS['claims']})).\n\n"
        f"{counts}\n\n## Every claim\n\n{listed}"
    )


@cache
def _printed_tables() -> tuple[tuple[str, str], ...]:
    """(paper, table) of every printed table: read once, for it is asked for each claim."""
    return tuple(paper_tables(FOLDER))


def tables_named(paper: str, source: str) -> list[str]:
    """The printed tables that a claim's source names, by their keys."""
    own = [table for key, table in _printed_tables() if key == paper]
    words = set(re.findall(r"\w+", source[source.find("Table") :])) if "Table" in source else set()
    if "poster" in source or (words and own == ["poster"]):
        words.add("poster")
    return [table for table in own if table in words]


def source_linked(paper: str, source: str) -> str:
    """A claim's source, followed by the way to each table that it names: HTML."""
    ways = [
        link(f"table {name}", f"papers/{paper}.html#table-{anchor(name)}")
        for name in tables_named(paper, source)
    ]
    return "; ".join([escape(source), *ways])


def _evidence(id: str) -> str:
    rows = evidence(id)
    if not len(rows):
        return ""
    return f"<details><summary>evidence</summary>{evidence_table(rows)}</details>"


def facts_page(found: pd.DataFrame, facts: pd.DataFrame) -> str:
    """Every contradiction's fact a row, with its findings folded into it.

    Args:
        found: from ``papers.contradictions.findings``.
        facts: from ``papers.contradictions.facts``.
    """
    rows = []
    for one in facts.to_dict("records"):
        own = found[found["fact"] == one["fact"]]
        findings = ""
        if len(own):
            summary = f"<summary>{len(own)} found</summary>"
            findings = f"<details>{summary}{findings_table(own)}</details>"
        rows.append(
            {
                "place": anchor(one["fact"]),
                "papers": escape(str(one["papers"])),
                "matters": escape(one["matters"]),
                "state": state(one, own),
                "says": escape(one["says"]) + f'<br><small><a href="#{anchor(one["fact"])}">'
                f"{escape(one['fact'])}</a></small>",
                "cause": escape(one["cause"]) + findings,
            }
        )
    columns = {"papers": "papers", "matters": "matters to", "state": "state", "says": "fact"}
    columns |= {"cause": "cause, and what was found"}
    filters = ["papers", "matters", "state"]
    listed = table(rows, columns, "All facts", filters=filters, ids="place")
    return (
        f"# Where do the papers contradict themselves?\n\n{headline(facts)} "
        f"([The same as a notebook]({NOTEBOOKS['facts']}).)\n\n{listed}"
    )
