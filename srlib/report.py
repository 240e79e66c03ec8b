"""Tables that stand in Markdown files: written from tracked outputs, never by hand."""

import json
from itertools import chain
from pathlib import Path

import pandas as pd

from srlib.atomic import replacing
from srlib.figures import label, rank
from srlib.published import cells
from srlib.results import ROOT, results
from srlib.tables import gains
from srlib.weights import load_trained

START = "<!-- results: written by `srlib report --update`, checked by tests/test_readme.py -->"
END = "<!-- end of results -->"
CARD = "campaigns/bsd400/MODEL_CARD.md"
SETS = ("embedded-heldout", "Set5", "Set14", "B100", "Urban100")


def markdown(root: Path = ROOT) -> str:
    """The README's scores at x4: a row a method, a column a set, printed in brackets."""
    small = pd.concat([gains(name, root) for name in ("quick", "benchmarks")], ignore_index=True)
    bigger = gains("bsd400", root)
    bigger = bigger[bigger["method"].str.startswith("aidn")]  # its bicubic is that of benchmarks
    rows = [_scores(small.assign(by="quick run"), 4), _scores(bigger.assign(by="BSD400, T91"), 4)]
    sets = [name for name in SETS if name in {*small["set"], *bigger["set"]}]
    lines = [_line(["PSNR-Y ×4, dB (printed)", *sets, "runs"]), _line(["---"] * (len(sets) + 2))]
    for title, cells_by_set, runs in chain.from_iterable(rows):
        lines.append(_line([title, *(cells_by_set.get(name, "–") for name in sets), runs]))
    return "\n".join(lines)


def _scores(table: pd.DataFrame, scale: int) -> list[tuple[str, dict[str, str], str]]:
    """A row a method, in the order of the papers: title, cell by set, runs."""
    printed = cells("psnr_y")
    printed = printed[printed["scale"] == scale].drop_duplicates(["network", "column"])
    published = printed.set_index(["network", "column"])["printed"].str.partition("/")[0]
    rows = []
    table = table[table["scale"] == scale]
    for method, found in sorted(table.groupby("method"), key=lambda group: rank(group[0])):
        by_set = found.drop_duplicates("set").set_index("set")["psnr_y"]
        scored = {
            str(name): f"{psnr:.2f}"
            + (f" ({published[method, str(name)]})" if (method, name) in published.index else "")
            for name, psnr in by_set.items()
        }
        own = f", {found['by'].iloc[0]}" if str(method).startswith("aidn") else ""
        runs = " ".join(dict.fromkeys(" ".join(found["runs"]).split()))
        rows.append((label(str(method)) + own, scored, runs))
    return rows


def model_card(root: Path = ROOT, campaign: str = "bsd400") -> str:
    """The weights of a campaign: a row a file, and the scores of its seed."""
    heads = ["weights", "parameters", "MB", "run", "steps", "patches", "minutes", "device"]
    lines = [_line([*heads, *SETS[1:]]), _line(["---"] * (len(heads) + 4))]
    scores = results(root).query("campaign == @campaign")
    for path in sorted((root / "results" / campaign).glob("*/seed*/weights.safetensors")):
        network, header = load_trained(path)
        name, scale, seed = (header[key] for key in ("network", "scale", "seed"))
        record = json.loads(
            (root / f"runs/{campaign}/train-{name}-x{scale}-s{seed}.json").read_text()
        )
        own = scores.query("method == @name and scale == @scale and seed == @seed")
        by_set = own.set_index("set")["psnr_y"]
        cost = record["cost"]["seconds"] / 60
        lines.append(
            _line(
                [
                    f"`{path.relative_to(root)}`",
                    f"{sum(p.numel() for p in network.parameters()):,}",
                    f"{path.stat().st_size / 1e6:.2f}",
                    header["run"],
                    f"{header['steps']:,}",
                    f"{record['images_seen']:,}",
                    f"{cost:.1f}",
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
