"""The facts behind the contradictions for a notebook: each a line that opens to its findings."""

from html import escape

import pandas as pd

from papers.contradictions import MATTERS, readable
from papers.show.tables import roomy


def headline(facts: pd.DataFrame) -> str:
    """Two sentences: how many facts and findings there are, and how many stand.

    Args:
        facts: from ``papers.contradictions.facts``.
    """
    standing = facts[~facts["cleared"]]
    certain = int(standing["certain"].sum())
    counts = {name: int((standing["matters"] == name).sum()) for name in MATTERS}
    by = ", ".join(f"{number} on a {name}" for name, number in counts.items() if number)
    return (
        f"{len(facts)} facts lie behind {facts['findings'].sum()} findings. "
        f"{int(facts['cleared'].sum())} are cleared: nobody erred. The other {len(standing)}: "
        f"{by}. No rounding explains {certain} of them."
    )


def state(fact: dict, findings: pd.DataFrame) -> str:
    """How sure a fact is, in a word or two; ``findings`` are its own."""
    if findings.empty:
        return "read in the text"
    return "cleared" if fact["cleared"] else "certain" if fact["certain"] else "likely"


def findings_table(findings: pd.DataFrame) -> str:
    """Findings as an HTML table."""
    columns = ["what", "by how much", "certain", "where"]
    table = readable(findings)[columns]
    return table.to_html(index=False, border=0, col_space=roomy(table))


class OpenedFacts:
    """What facts touch as lines that open to them, and each fact to its cause and its findings.

    Plain HTML (``details``) without script, as ``papers.show.verdicts.Opened``.
    """

    def __init__(self, facts: pd.DataFrame, findings: pd.DataFrame) -> None:
        self.facts, self.findings = facts, findings

    def __repr__(self) -> str:
        return f"{len(self.facts)} facts"

    def _repr_html_(self) -> str:
        parts = []
        for matters, says in MATTERS.items():
            rows = self.facts[self.facts["matters"] == matters]
            if len(rows):
                number = f"{len(rows)} {_plural('fact', len(rows))}"
                summary = f"<b>{escape(says.capitalize())}</b>: {number}"
                lines = "\n".join(self._line(fact) for fact in rows.to_dict("records"))
                parts.append(f"<details><summary>{summary}</summary>\n{lines}\n</details>")
        return "\n".join(parts)

    def _line(self, fact: dict) -> str:
        own = self.findings[self.findings["fact"] == fact["fact"]]
        number = len(own)
        count = f"{number} {_plural('finding', number)}" if number else escape(fact["where"])
        cause = f"<p>Why: {escape(fact['cause'])}.</p>" if fact["cause"] else ""
        table = findings_table(own) if number else ""
        return (
            f"<details><summary>{escape(fact['says'])} <small>({state(fact, own)}; {count}; "
            f"{escape(fact['papers'])})</small></summary>"
            f"<p><code>{escape(fact['fact'])}</code></p>{cause}{table}</details>"
        )


def _plural(noun: str, number: int) -> str:
    return noun if number == 1 else f"{noun}s"
