"""The README's results: its table is written from tracked outputs, never by hand."""

from pathlib import Path

import pandas as pd

from srlib.atomic import replacing
from srlib.figures import label, rank
from srlib.published import cells
from srlib.results import ROOT
from srlib.tables import gains

START = "<!-- results: written by `srlib report --update`, checked by tests/test_readme.py -->"
END = "<!-- end of results -->"
SETS = ("embedded-heldout", "Set5", "Set14", "B100", "Urban100")


def markdown(root: Path = ROOT) -> str:
    """Scores at x4 as a Markdown table: a row a method, a column a set, printed in brackets."""
    scores = gains("quick", root), gains("benchmarks", root)
    table = pd.concat(scores, ignore_index=True)
    printed = cells("psnr_y")
    printed = printed[printed["scale"] == 4].drop_duplicates(["network", "column"], keep="first")
    published = printed.set_index(["network", "column"])["printed"].str.partition("/")[0]
    sets = [name for name in SETS if name in set(table["set"])]
    lines = ["| PSNR-Y ×4, dB (printed) | " + " | ".join(sets) + " | runs |"]
    lines.append("|---" * (len(sets) + 2) + "|")
    for method, rows in sorted(table.groupby("method"), key=lambda group: rank(group[0])):
        by_set = rows.drop_duplicates("set").set_index("set")["psnr_y"]
        scored = []
        for name in sets:
            cell = f"{by_set[name]:.2f}" if name in by_set else "–"
            if (method, name) in published.index:
                cell += f" ({published[method, name]})"
            scored.append(cell)
        runs = " ".join(dict.fromkeys(" ".join(rows["runs"]).split()))
        title = label(str(method)) + ", quick run" * str(method).startswith("aidn")
        lines.append(f"| {title} | {' | '.join(scored)} | {runs} |")
    return "\n".join(lines)


def update(readme: Path, root: Path = ROOT) -> None:
    """Write the table between the README's two markers.

    Raises:
        ValueError: the README has lost a marker.
    """
    text = readme.read_text(encoding="utf-8")
    if START not in text or END not in text:
        raise ValueError(f"{readme} has no lines {START!r} and {END!r}; put them back")
    before, after = text.split(START)[0], text.split(END)[1]
    with replacing(readme) as temporary:
        temporary.write_text(
            f"{before}{START}\n\n{markdown(root)}\n\n{END}{after}", encoding="utf-8"
        )
