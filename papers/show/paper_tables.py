"""The papers' tables for readers: published beside measured, in notebooks and as files.

Every printed row has a line as printed, and below it what is measured here, the difference, and
the spread over seeds where there are several. ``papers.comparison`` says what is compared.
"""

import textwrap
import zlib
from collections.abc import Callable, Hashable
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import yaml

from papers.comparison import (
    CODE_RUN,
    KEYS,
    STATUSES,
    WORST,
    PaperTable,
    load_measured,
    our_counts,
    paper_table,
    paper_tables,
    tally,
)
from papers.counts import QUANTITIES
from papers.printed import FOLDER
from papers.show.prose import Prose, say
from papers.show.tables import Folded, StyledTable
from papers.show.tables import show as show_frame
from srlib.files import replacing
from srlib.paths import ROOT

__all__ = [
    "PaperTable",
    "cite",
    "differing",
    "export",
    "fold",
    "nothing_beside",
    "our_counts",
    "page",
    "paper_table",
    "paper_tables",
    "show",
    "show_counts",
    "show_empty",
    "show_outside",
    "standing",
    "summary",
    "tally",
    "trends",
]

# A mark and a tint each (Okabe and Ito's sky blue, vermilion and grey), so that neither is alone.
MARKS = {"within": "=", "outside": "≠", "not comparable": "○", "empty": ""}
TINTS = {"within": "#d6eefb", "outside": "#f9d9c4", "not comparable": "#ececec", "empty": ""}
BEST = ("psnr_y", "ssim_y", "psnr_rgb")  # what papers mark, and more is better


class Markup(NamedTuple):
    """How one kind of file writes what the papers print in bold and underlined."""

    text: Callable[[str], str]
    best: str
    second: str
    line: str  # the name of a line below a printed one
    mark: str  # a status, before a measured number
    run: str = "{}"  # a measured number; {by} is what made it


TEX = str.maketrans(
    {c: "\\" + c for c in "%&_#${}"}
    | {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    | {"=": "$=$", "≠": r"$\neq$", "○": r"$\circ$", "×": r"$\times$"}
    | {"↑": r"$\uparrow$", "↓": r"$\downarrow$", "∧": r"$\wedge$"}
)
# The site makes a link of it (papers.site.html).
RUN = '<span class="srlib-number" title="{by}">{}</span>'
HTML = Markup(escape, "<b>{}</b>", "<u>{}</u>", "{}", "{} ", RUN)
LATEX = Markup(
    lambda text: text.translate(TEX), r"\textbf{{{}}}", r"\underline{{{}}}", r"\quad {}", "{} "
)
MARKDOWN = Markup(
    lambda text: escape(text, quote=False).replace("|", "\\|"),
    *("**{}**", "<ins>{}</ins>", "*{}*", "{} "),
)


class Sheet(StyledTable):
    """A styled table with its sources and legend below."""

    notes: tuple[str, ...] = ()

    def _repr_html_(self) -> str | None:
        below = "<br>".join(escape(note) for note in self.notes)
        return f'{super()._repr_html_()}<p style="font-size: 85%">{below}</p>'


def page(table: PaperTable, row: str, scale: int | None = None) -> Sheet:
    """What a notebook on a printed table begins with: sentences, and the table.

    Args:
        table: at all its scales, which the sentences are about.
        row: whose ``standing`` is told.
        scale: show the table at this one only.

    Raises:
        ValueError, PublishedError: the table prints no such row, or not at this scale.
    """
    say(standing(table, row), summary(table))
    return show(table if scale is None else paper_table(table.paper, table.table, scale))


def tallied(counts: pd.DataFrame) -> str:
    """How many printed cells there are of all papers, measured, and how they stand: a sentence.

    Args:
        counts: from ``tally``.
    """
    total = counts.drop(columns=["paper", "table"]).sum()
    return (
        f"**{_quantity(total['cells'], 'cell is', 'cells are')} printed, and "
        f"{_count(total['measured'], 'is', 'are')} measured here: {_count(total['within'])} within "
        f"the tolerance, {_count(total['outside'])} outside, {_count(total['not comparable'])} "
        "shown and not judged.**"
    )


def fold(table: PaperTable) -> Folded:
    """``show``'s table, behind a line that opens it."""
    return Folded(show(table))


def show_outside(table: PaperTable) -> Folded | Prose:
    """The numbers outside their tolerance, for a notebook."""
    found = differing(table)
    if found.empty:
        return Prose(f"No number of {table.source} is outside.")
    return Folded(show_frame(found, f"{table.source}: numbers outside"))


def show_empty(table: PaperTable) -> StyledTable:
    """The printed cells with nothing beside them, by reason, for a notebook."""
    found = nothing_beside(table)
    cells = _quantity(int(found["cells"].sum()), "cell", "cells")
    return show_frame(found, f"{table.source}: {cells}, by reason")


def show_counts(table: PaperTable) -> StyledTable:
    """What our networks of the printed rows are, and cost, for a notebook."""
    return show_frame(our_counts(table), f"{table.source}: our networks")


def show(table: PaperTable) -> Sheet:
    """A printed table for a notebook, coloured and marked by status.

    Bold is the best printed score of a column and scale, underlined the second best. Below: what
    the marks and codes mean, and the runs behind the measured numbers.
    """
    lines, status = _lines(table, HTML)
    scales = " and ".join(f"×{scale}" for scale in dict.fromkeys(table.cells["scale"]))
    caption = f"{table.source}, {scales}: {table.about}"
    styled = Sheet(lines, uuid=f"t{zlib.crc32(caption.encode()):08x}", caption=caption)
    styled.notes = (_legend(table), _runs(table))
    styled.set_table_styles(
        [
            {
                "selector": "th, td",
                "props": "font-size: 85%; padding: 1px 6px; white-space: nowrap",
            },
            {"selector": "tbody tr", "props": "background: none !important"},
            {"selector": "th.col0", "props": "text-align: left"},
        ]
    )
    first = lines["scale"] != ""  # the line as printed
    css = status.map(
        lambda name: TINTS.get(name, "") and f"background: {TINTS[name]}; color: black"
    )
    css[first] = "border-top: 1px solid #bbb"
    css["method"] += first.map(
        {True: "; text-align: left", False: "text-align: left; opacity: 0.6"}
    )
    styled.apply(lambda _: css, axis=None).hide(axis="index")
    return styled


def summary(table: PaperTable) -> str:
    """Sentences: how many printed cells there are, measured, within, and which are outside."""
    status = table.status
    measured = status[status["measured"]]
    found = {name: status[status["status"] == name] for name in STATUSES}
    text = f"{_quantity(len(status), 'cell is', 'cells are')} printed in {table.source}, and "
    text += f"{_count(len(measured), 'is', 'are')} measured here"
    if len(measured):
        parts = [
            (len(found["within"]), "within the tolerance"),
            (len(found["outside"]), "outside" + _outside(table, found["outside"])),
            (len(found["not comparable"]), "shown and not judged"),
        ]
        text += ": " + ", ".join(f"{number} {what}" for number, what in parts if number)
    text += "."
    if nothing := len(status) - len(measured):
        text += f" {_count(nothing, 'has', 'have').capitalize()} nothing beside "
        text += "it, with its reason." if nothing == 1 else "them, each with its reason."
    return textwrap.fill(text, 100)


def _outside(table: PaperTable, cells: pd.DataFrame) -> str:
    """Which rows and columns are outside the tolerance, in brackets."""
    several = len(table.cells["scale"].unique()) > 1
    rows = [
        f"{row}{''.join(f' ×{s}' for s in part['scale'].unique()) * several}: "
        + _list(part["column"].unique())
        for row, part in cells.groupby("row", sort=False)
    ]
    return f" ({'; '.join(rows)})" if rows else ""


def standing(table: PaperTable, row: str) -> str:
    """A sentence: in how many printed scores a row is the best, or second best, at its scales.

    It is told among the rows of the paper's own group: what the paper sets apart is left out.

    Raises:
        ValueError: the table prints no such row; names those it has.
    """
    if row not in set(table.cells["row"]):
        raise ValueError(f"{table.source} has no row {row!r}: {list(table.cells['row'].unique())}")
    apart = [name for name in table.apart if name != row]
    group = table.cells[~table.cells["row"].isin(apart)]
    best, own = _best(group), group[group["row"] == row]
    scores = own[own["quantity"].isin(BEST) & own["published"].notna()]
    places = [best.get(index, "") for index in scores.index]
    first, second = places.count("best"), places.count("second")
    if len(places) == 1:
        place = {"best": "the best", "second": "the second best"}.get(places[0], "neither best")
        text = f"As printed, {row} is {place} in its only score"
    else:
        text = f"As printed, {row} is the best in {_count(first)} and the second best in "
        text += f"{_count(second)} of its {len(places)} scores"
    notes = [f"{_list(apart)} stand apart, as in the paper"] * bool(apart)
    notes += ["PSNR and SSIM apart, ties shared"]
    return textwrap.fill(f"{text} ({'; '.join(notes)}).", 100)


def _count(number: int, one: str = "", many: str = "") -> str:
    """A number as it stands in a sentence, with its verb: "none is", "one is", "12 are"."""
    words = {0: "none", 1: "one"}.get(number, str(number))
    return f"{words} {one if number in (0, 1) else many}".strip()


def _quantity(number: int, one: str, many: str) -> str:
    """A number with its noun, to begin a sentence: "1 cell", "12 cells"."""
    return f"{number} {one if number == 1 else many}"


def differing(table: PaperTable) -> pd.DataFrame:
    """The numbers outside their tolerance: row, scale, column, quantity, published, measured,
    difference (signed text, to one digit more than printed), reason, runs."""
    columns = [*KEYS, "quantity", "published", "measured", "difference", "reason", "runs"]
    found = table.cells[table.cells["status"] == "outside"]
    texts = [
        {
            "row": n["row"],
            "scale": n["scale"],
            "column": n["column"],
            "quantity": n["quantity"],
            "published": n["printed"],
            "measured": _number(n, "measured"),
            "difference": _number(n, "difference", "+"),
            "reason": n["reason"],
            "runs": n["runs"],
        }
        for n in found.to_dict("records")
    ]
    return pd.DataFrame(texts, columns=columns)


def trends(table: PaperTable, arrows: PaperTable) -> pd.DataFrame:
    """Printed arrows beside those that the printed scores give, row after row (RFDN, Table 2).

    Returns:
        A row a column and score: column, quantity, printed, from the scores (↑ rising, ↓ falling,
        ∧ rising and then falling, ? anything else), agrees.
    """
    rows = []
    for word in arrows.cells[arrows.cells["quantity"] == "trend"].to_dict("records"):
        for quantity, arrow in zip(("psnr_y", "ssim_y"), word["printed"].split("/"), strict=True):
            at = (table.cells["column"] == word["column"]) & (table.cells["quantity"] == quantity)
            steps = np.sign(table.cells[at]["published"].round(4).diff().dropna())
            found = {(1,): "↑", (-1,): "↓", (1, -1): "∧"}.get(tuple(dict.fromkeys(steps)), "?")
            row = {"column": word["column"], "quantity": quantity, "printed": arrow}
            rows.append(row | {"from the scores": found, "agrees": arrow == found})
    return pd.DataFrame(rows)


def nothing_beside(table: PaperTable) -> pd.DataFrame:
    """The empty cells by reason: code, reason, cells, columns, rows (all of them, or which)."""
    own = table.cells[~table.cells["entry"]].drop_duplicates(KEYS)
    found = own[own["status"] == "empty"]
    rows = [
        {
            "code": code,
            "reason": reason,
            "cells": len(part),
            "columns": _list(part["column"].unique()),
            "rows": _list(part["row"].unique()) if part["row"].nunique() < 5
            else f"{part['row'].nunique()} of {own['row'].nunique()}",
        }
        for (code, reason), part in found.groupby(["code", "reason"], sort=False)
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["code", "reason", "cells", "columns", "rows"])


def export(folder: str | Path, root: Path = ROOT, papers: Path = FOLDER) -> list[Path]:
    """Write every table as CSV, LaTeX (needs booktabs) and Markdown: PAPER-table-N.ENDING.

    The first line of each, in CSV and LaTeX a comment, names the source, the runs and what the
    marks mean. A CSV has a row a number, and is read by ``pandas.read_csv(path, skiprows=1)``. The
    same results give the same bytes; every file is written whole.

    Returns:
        The files written.
    """
    written = []
    for paper, name in paper_tables(papers):
        table = paper_table(paper, name, root=root, folder=papers)
        head = f"{table.source}: {table.about}. {_legend(table, papers)} {_runs(table)}"
        for ending, text in (
            ("csv", f"# {head}\n{_csv(table)}"),
            ("tex", f"% Needs \\usepackage{{booktabs}}. {head}\n{_latex(table)}"),
            ("md", f"{MARKDOWN.text(head)}\n\n{_markdown(table)}"),
        ):
            path = Path(folder) / f"{table.name}.{ending}"
            with replacing(path) as temporary:
                temporary.write_text(text, encoding="utf-8", newline="\n")
            written.append(path)
    return written


def cite(table: PaperTable, root: Path = ROOT) -> str:
    """BibTeX of a table with what is measured beside it: the version, the file and its runs."""
    text = (root / "CITATION.cff").read_text(encoding="utf-8")
    own = yaml.safe_load(text)["preferred-citation"]
    authors = " and ".join(f"{{{one['name']}}}" for one in own["authors"])
    entry = {
        "title": f"{table.source}, published beside measured",
        "author": authors,
        "year": own["year"],
        "howpublished": f"srlib {own['version']}, results/tables/{table.name}.csv",
        "note": _runs(table),
    }
    lines = ",\n".join(f"  {key} = {{{value}}}" for key, value in entry.items())
    return f"@misc{{srlib-{table.name},\n{lines}\n}}\n"


def _csv(table: PaperTable) -> str:
    columns = [*KEYS, "entry", "quantity", "printed", "published", "measured", "difference"]
    cells = table.cells[
        [*columns, "spread", "seeds", "from", "method", "runs", "status", "code", "reason"]
    ].copy()
    cells["entry"] = cells["entry"].map({True: "yes", False: "no"})
    cells["seeds"] = cells["seeds"].astype(int)
    for column in ("measured", "difference", "spread"):
        cells[column] = cells[column].astype(float).round(6) + 0.0
    return cells.to_csv(index=False, lineterminator="\n")


def _latex(table: PaperTable) -> str:
    lines, _ = _lines(table, LATEX)
    scale = lines["scale"].replace("", np.nan).ffill()
    text = ["\\begin{tabular}{" + "l" * 2 + "r" * (lines.shape[1] - 2) + "}", "\\toprule"]
    text += [" & ".join(map(LATEX.text, lines.columns)) + r" \\", "\\midrule"]
    for number, row in enumerate(lines.to_numpy()):
        if number and scale.iloc[number] != scale.iloc[number - 1]:
            text.append("\\midrule")
        text.append(" & ".join(row) + r" \\")
    return "\n".join([*text, "\\bottomrule", "\\end{tabular}"]) + "\n"


def _markdown(table: PaperTable) -> str:
    lines, _ = _lines(table, MARKDOWN)
    rows = [list(map(MARKDOWN.text, lines.columns)), ["---"] * lines.shape[1], *lines.to_numpy()]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows) + "\n"


def _lines(table: PaperTable, markup: Markup) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The table as text, up to four lines a row, and the status of each cell of it."""
    best = _best(table.cells)
    texts, statuses = [], []
    for (row, scale), cells in table.cells.groupby(["row", "scale"], sort=False):
        lines: list[dict[str, str]] = [
            {"method": markup.text(str(row)), "scale": markup.text(f"×{scale}")}
        ]
        lines += [
            {"method": markup.line.format(name), "scale": ""}
            for name in ("measured", "difference", "spread")
        ]
        blank = dict.fromkeys(["method", "scale", *table.columns], "")
        status = [blank.copy() for _ in lines]
        for key, numbers in cells.groupby("column", sort=False):
            column, records = str(key), numbers.to_dict("records")
            worst = _worst(records)
            lines[0][column] = _published(numbers, best, markup)
            lines[1][column] = _measured(records, worst, markup)
            lines[2][column] = _joined(records, "difference", markup, "+")
            lines[3][column] = _joined(records, "spread", markup)
            for line in status[1:3]:
                line[column] = worst if numbers["measured"].notna().any() else ""
        filled = [0, *(n for n in (1, 2, 3) if any(lines[n][str(c)] for c in cells["column"]))]
        texts += [lines[n] for n in filled]
        statuses += [status[n] for n in filled]
    headings = {key: column.heading or key for key, column in table.columns.items()}
    frame = pd.DataFrame(texts).rename(columns=headings)
    return frame, pd.DataFrame(statuses).rename(columns=headings)


def _published(numbers: pd.DataFrame, best: dict[Any, str], markup: Markup) -> str:
    parts = []
    for index, number in zip(numbers.index, numbers.to_dict("records"), strict=True):
        form = {"best": markup.best, "second": markup.second}.get(best.get(index, ""), "{}")
        parts.append(form.format(markup.text(number["printed"])))
    first = numbers.iloc[0]
    if first["printed"]:
        return "/".join(parts)
    return "" if first["entry"] else str(first["code"])


def _measured(records: list[dict[Hashable, Any]], worst: str, markup: Markup) -> str:
    if text := _joined(records, "measured", markup):
        return markup.text(markup.mark.format(MARKS[worst])) + text if MARKS[worst] else text
    # the code of an unread cell stands in its place, in the line as printed
    return str(records[0]["code"]) if records[0]["printed"] else ""


def _joined(records: list[dict[Hashable, Any]], key: str, markup: Markup, sign: str = "") -> str:
    texts = [_number(record, key, sign) for record in records]
    if not all(texts):
        return ""
    form = markup.run if key == "measured" else "{}"
    linked = [
        form.format(markup.text(text), by=_made_by(record))
        for text, record in zip(texts, records, strict=True)
    ]
    return markup.text("/").join(linked)


def _made_by(record: dict[Hashable, Any]) -> str:
    runs = record["runs"]
    return f"counted by {runs}" if runs == CODE_RUN else f"run {runs}"


def _number(record: dict[Hashable, Any], key: str, sign: str = "") -> str:
    """A number to one digit more than its column prints; nothing for what is missing."""
    value, digits = record[key], int(record["digits"]) + 1
    return "" if pd.isna(value) else f"{round(value, digits) + 0.0:{sign}.{digits}f}"


def _best(cells: pd.DataFrame) -> dict[Any, str]:
    """Index of a number -> "best" or "second" of its column and scale as printed; ties share."""
    found: dict[Any, str] = {}
    scores = cells[cells["quantity"].isin(BEST) & ~cells["entry"] & cells["published"].notna()]
    for _, part in scores.groupby(["scale", "column", "quantity"]):
        ranks = part["published"].rank(method="dense", ascending=False)
        found |= dict.fromkeys(part.index[ranks == 1], "best")
        found |= dict.fromkeys(part.index[ranks == 2], "second")
    return found


def _worst(records: list[dict[Hashable, Any]]) -> str:
    return min((record["status"] for record in records), key=WORST.index)


def _legend(table: PaperTable, folder: Path = FOLDER) -> str:
    """What the marks mean that the table uses, with the tolerances, and its codes."""
    known, cells = load_measured(folder), table.cells
    judged = [s for key, s in known.sources.items() if key in set(cells["from"])]
    shared: dict[str, list[str]] = {}
    for source in judged:
        if source.tolerance:
            limits = [
                f"{v:g} {'SSIM' if q == 'ssim_y' else 'dB'}" for q, v in source.tolerance.items()
            ]
            shared.setdefault(" and ".join(limits), []).append(source.label)
    within = [f"{limit} ({_list(labels)})" for limit, labels in shared.items()]
    if "code" in set(cells["from"]):
        within.append("the printed digits (counts)")
    notes = [f"{MARKS['within']} within {', '.join(within)}"] if within else []
    if "outside" in set(cells["status"]):
        notes.append(f"{MARKS['outside']} outside")
    if "not comparable" in set(cells["status"]):
        labels = [s.label for s in judged if not s.tolerance and s.label != "code"]
        labels += ["counts of rows that are not printed"] if cells["entry"].any() else []
        notes.append(f"{MARKS['not comparable']} not comparable ({', '.join(labels)})")
    begins = {u.code: u.begins for u in known.unread}
    coded = cells[cells["code"] != ""].drop_duplicates("code")
    notes += [
        f"{c} {begins.get(c, r)}" for c, r in zip(coded["code"], coded["reason"], strict=True)
    ]
    own = cells[cells["entry"]].drop_duplicates("row")
    notes += [f"{row}: {reason}" for row, reason in zip(own["row"], own["reason"], strict=True)]
    notes += ["bold and underlined: best and second best as printed"] * bool(_best(cells))
    return "; ".join(notes) + "."


def _runs(table: PaperTable) -> str:
    """The runs behind a table: of each method, and of what is counted."""
    scored = table.cells[(table.cells["runs"] != "") & (table.cells["from"] != "code")]
    parts = [
        f"{method} ×{scale} {' '.join(dict.fromkeys(' '.join(part['runs']).split()))}"
        for (method, scale), part in scored.groupby(["method", "scale"], sort=False)
    ]
    if table.cells["quantity"].isin(list(QUANTITIES)).any():
        parts.append(f"counts {CODE_RUN} of this commit")
    return f"Runs: {'; '.join(parts)}."


def _list(values: Any) -> str:
    return ", ".join(map(str, values))
