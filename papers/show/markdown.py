"""Tables that stand in Markdown files: written from tracked outputs, never by hand."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

import pandas as pd

from papers.printed import cells
from papers.results import results
from papers.show.figures import GLANCE as FIRST_LOOK
from papers.show.figures import label, rank
from papers.show.tables import gains
from srlib.evaluation.complexity import parameters
from srlib.files import replacing
from srlib.paths import ROOT, Result, find
from srlib.weights.files import load_trained

START = (
    "<!-- results: written by `papers report --update`, checked by tests/project/test_readme.py -->"
)
END = "<!-- end of results -->"
CARD = "campaigns/MODEL_CARD.md"
# Campaigns of the README's table, and how it names what they trained.
BUDGETS = {
    "benchmarks": "",
    "aidn-wide": "trained here, longest",
    "aidn-long": "trained here, longer",
    "ablation": "trained here, alike",
    "ablation-adam": "trained here, by Adam alone",
    "bsd400-others": "trained alike, briefly",
    "quick": "quick run",
}
SETS = ("embedded-heldout", "Set5", "Set14", "B100", "Urban100")
# For a first look: methods, and what was trained here for the longest.
GLANCE = dict.fromkeys(FIRST_LOOK, "") | {"aidn-aidb": BUDGETS["aidn-wide"]}


def markdown(
    root: Path = ROOT, only: Mapping[str, str] | None = None, wanted: Sequence[str] = SETS
) -> str:
    """The scores at x4: a row a method and budget, a column a set, printed in brackets.

    Args:
        root: where ``results/`` is.
        only: rows, method -> budget, such as ``GLANCE``; None is every row, as the README has them.
        wanted: the sets.
    """
    scores = results(root).query("seed >= 0")
    trained = set(zip(scores["campaign"], scores["method"], strict=True))
    parts = [gains(name, root).assign(campaign=name) for name in BUDGETS]
    table = pd.concat(parts).query("scale == 4")
    table["by"] = [
        BUDGETS[name] if (name, method) in trained else ""
        for name, method in zip(table["campaign"], table["method"], strict=True)
    ]
    table = table.drop_duplicates(["method", "by", "set"])  # bicubic, scored in every campaign
    printed = cells("psnr_y").query("scale == 4").drop_duplicates(["network", "column"])
    published = printed.set_index(["network", "column"])["printed"].str.partition("/")[0]
    if only is not None:
        pairs = zip(table["method"], table["by"], strict=True)
        table = table[[pair in only.items() for pair in pairs]]
    sets = [name for name in wanted if name in set(table["set"])]
    lines = [_line(["PSNR-Y ×4, dB (printed)", *sets, "runs"]), _line(["---"] * (len(sets) + 2))]
    for by in dict.fromkeys(("", *BUDGETS.values())):
        rows = table[table["by"] == by]
        for method, found in sorted(rows.groupby("method"), key=lambda group: rank(group[0])):
            by_set = found.set_index("set")["psnr_y"]
            scored = [f"{by_set[name]:.2f}" if name in by_set else "–" for name in sets]
            beside = [published.get((method, name)) for name in sets]
            marked = [
                f"{a} ({b})" if b and a != "–" else a for a, b in zip(scored, beside, strict=True)
            ]
            runs = " ".join(dict.fromkeys(" ".join(found["runs"]).split()))
            name = label(str(method), trained=by != "")
            lines.append(_line([", ".join(filter(None, [name, by])), *marked, runs]))
    return "\n".join(lines)


def model_card(root: Path = ROOT) -> str:
    """The weights trained on real photographs: a row a file, and the scores of its seed."""
    heads = ["weights", "parameters", "MB", "run", "steps", "patches", "minutes", "device"]
    lines = [_line([*heads, *SETS[1:]]), _line(["---"] * (len(heads) + 4))]
    by_result = {
        cast(Result, key): group.set_index("set")["psnr_y"]
        for key, group in results(root).groupby(list(Result._fields))
    }
    for result, path in find("weights.safetensors", root=root):
        if result.campaign == "quick":  # six small photographs, scored on others
            continue
        network, header = load_trained(path)
        record = json.loads(result.record("train", root).read_text())
        by_set = by_result[result]
        lines.append(
            _line(
                [
                    f"`{path.relative_to(root)}`",
                    f"{parameters(network):,}",
                    f"{path.stat().st_size / 1e6:.2f}",
                    header["run"],
                    f"{header['steps']:,}",
                    f"{record['images_seen']:,}",
                    f"{record['cost']['seconds'] / 60:.1f}",
                    f"{record['device']}, {record['host']}",
                    *(f"{by_set[name]:.2f}" if name in by_set else "–" for name in SETS[1:]),
                ]
            )
        )
    return "\n".join(lines)


def _line(parts: list[str]) -> str:
    return "| " + " | ".join(parts) + " |"


def update(path: Path, block: str) -> None:
    """Write a table between a file's two markers.

    Raises:
        ValueError: the file has lost a marker.
    """
    text = path.read_text(encoding="utf-8")
    if START not in text or END not in text:
        raise ValueError(f"{path} has no lines {START!r} and {END!r}; put them back")
    before, after = text.split(START)[0], text.split(END)[1]
    with replacing(path) as temporary:
        temporary.write_text(f"{before}{START}\n\n{block}\n\n{END}{after}", encoding="utf-8")
