"""The README's results: its table is written from tracked outputs, never by hand."""

from pathlib import Path

from srlib.atomic import replacing
from srlib.figures import label
from srlib.results import ROOT
from srlib.tables import gains

START = "<!-- results: written by `srlib report --update`, checked by tests/test_readme.py -->"
END = "<!-- end of results -->"


def markdown(root: Path = ROOT) -> str:
    """The scores of the quick run and of the benchmarks as a Markdown table."""
    lines = [
        "| ×4 | set | PSNR-Y (dB) | over bicubic | SSIM-Y | seeds, spread | runs |",
        "|---|---|---|---|---|---|---|",
    ]
    for campaign in ("quick", "benchmarks"):
        for row in gains(campaign, root).to_dict("records"):
            trained = row["method"].startswith("aidn")
            name = label(row["method"]) + (", quick run" if trained else "")
            spread = f"{row['seeds']}" if trained else "–"
            if row["seeds"] > 1:
                spread += f", {row['spread']:.3f}"
            lines.append(
                f"| {name} | {row['set']} | {row['psnr_y']:.2f} | {row['gain']:+.2f} | "
                f"{row['ssim_y']:.4f} | {spread} | {row['runs']} |"
            )
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
