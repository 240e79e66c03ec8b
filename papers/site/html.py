"""Small parts of pages: links, tables that sort and filter, lists of facts."""

import re
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

import pandas as pd

from papers.show.tables import PROSE

# as ``papers.show.paper_tables`` writes it
NUMBER = re.compile(
    r'<span class="srlib-number" title="(?P<title>run (?P<id>[0-9a-f]{10})[^"]*)">'
    r"(?P<number>[^<]*)</span>"
)
HASH = re.compile(r"\b[0-9a-f]{10}\b")


def anchor(text: str) -> str:
    """A name for a place in a page: letters, digits and hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def link(text: str, address: str) -> str:
    """A link, both parts escaped."""
    return f'<a href="{escape(address)}">{escape(text)}</a>'


def facts(told: Mapping[str, str]) -> str:
    """Names with their texts, which are HTML already, as a list."""
    items = "\n".join(f"<dt>{escape(name)}</dt><dd>{text}</dd>" for name, text in told.items())
    return f'<dl class="srlib-facts">\n{items}\n</dl>'


def table(
    rows: Iterable[Mapping[Any, Any]],
    columns: Mapping[str, str],
    name: str,
    filters: Iterable[str] = (),
    ids: str = "",
    order: tuple[str, str] | None = None,
) -> str:
    """A table that a reader searches, sorts and filters; without script it is a plain one.

    Args:
        rows: cells by column; they are HTML already, or numbers.
        columns: key of the cells -> heading, in order.
        name: what it holds, for those who cannot see it.
        filters: columns that get a menu of their values.
        ids: the key of each row's id, by which a link finds it.
        order: column and "asc" or "desc" to start with; None keeps the order of the rows.
    """
    rows = list(rows)
    prose = {key for key in columns if any(_letters(row[key]) > PROSE for row in rows)}
    numbers = list(columns)
    wanted = [str(numbers.index(one)) for one in filters]
    start = f' data-sorted="{numbers.index(order[0])} {order[1]}"' if order else ""
    head = "".join(f'<th scope="col">{escape(text)}</th>' for text in columns.values())
    lines = []
    for row in rows:
        own = f' id="{row[ids]}"' if ids else ""
        lines.append(f"<tr{own}>{''.join(_cell(row[key], key in prose) for key in columns)}</tr>")
    return (
        f'<div class="srlib-wide"><table class="srlib-table" aria-label="{escape(name)}" '
        f'data-filters="{" ".join(wanted)}"{start}>\n<thead><tr>{head}</tr></thead>\n<tbody>\n'
        + "\n".join(lines)
        + "\n</tbody></table></div>"
    )


def _letters(value: Any) -> int:
    """How many letters of a cell stand in the table, without tags and what is folded."""
    text = re.sub(r"<details>.*</details>", "", str(value), flags=re.DOTALL)
    return len(re.sub(r"<[^>]*>", "", text))


def _cell(value: Any, prose: bool) -> str:
    if isinstance(value, float):
        return "<td></td>" if pd.isna(value) else f'<td class="number">{value:.3f}</td>'
    if isinstance(value, int):
        return f'<td class="number">{value}</td>'
    return f'<td class="prose">{value}</td>' if prose else f"<td>{value}</td>"


def numbers_linked(text: str, known: Iterable[str], up: str) -> str:
    """HTML in which every measured number of a printed table leads to the first run behind it.

    Its title names them all. Arguments as ``runs_linked`` takes them.
    """
    ids = set(known)

    def linked(found: re.Match[str]) -> str:
        title, id, number = found["title"], found["id"], found["number"]
        if id not in ids:
            return found[0]
        return f'<a class="srlib-number" title="{title}" href="{up}runs/{id}.html">{number}</a>'

    return NUMBER.sub(linked, text)


def runs_linked(text: str, known: Iterable[str], up: str) -> str:
    """HTML in which every known run's id leads to its page; tags and links stay as they are.

    Args:
        text: a page, or a part of one.
        known: ids of the runs that have a page.
        up: the way from the page to the site's root: "" or "../".
    """
    ids = set(known)

    def linked(found: re.Match[str]) -> str:
        id = found[0]
        return f'<a class="srlib-run" href="{up}runs/{id}.html">{id}</a>' if id in ids else id

    # within a link, a script, a style or a heading's title nothing is linked
    parts = re.split(r"(<(a|script|style|title|button)\b.*?</\2>|<[^>]*>)", text, flags=re.DOTALL)
    out = []
    for number in range(0, len(parts), 3):
        out.append(HASH.sub(linked, parts[number]))
        out.append(parts[number + 1] if number + 1 < len(parts) else "")
    return "".join(out)
