"""The page "Why is my PSNR different?": the grid of protocols, to ask without a kernel."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from IPython.display import HTML
from matplotlib import pyplot as plt
from numpy.typing import NDArray
from scipy.ndimage import shift

from papers.show.drawing import show_figure
from papers.show.figures import PAGE_WIDTH
from srlib.data.registry import read_image
from srlib.doctor.lr import enlarged, reduced
from srlib.doctor.protocols import FIELD, PARTS, Protocol, border_pixels
from srlib.doctor.why import (
    MARGIN,
    OTHER_DEVICE,
    RELATIVE_MARGIN,
    RELATIVE_MARGIN_OF_IMAGE,
    Answer,
    Grid,
    Place,
    load_grid,
    reports,
    who,
    why,
)
from srlib.evaluation.metrics import luma, psnr, score
from srlib.files import replacing
from srlib.paths import ROOT
from srlib.viewer import framed

HERE = Path(__file__).parent
PAGE = "why-is-my-psnr-different.html"
HEADING = "<h1>Why is my PSNR different?</h1>\n"
SCALE = 4  # of the pictures that show a deviation
SHOWN = ROOT / "data/heldout/chelsea.png", (slice(60, 220), slice(100, 300))  # and the part of it


def ladder(grid: Grid | None = None) -> HTML:
    """Menus for network, scale, set and image, a field for a number, and the ladder of protocols.

    A page within the notebook, with the grid in it: it works without a kernel, and in an export.
    """
    inside = document(grid, heading=False)  # the notebook has it
    return HTML(f"<div>{framed('The ladder of protocols', inside, 1000)}</div>")


def embedded(grid: Grid) -> str:
    """The grid as the page reads it: JSON with every word and protocol once.

    Keys: choices (words, mend), protocols (choices, evaluators with what they suppose),
    evaluators (name, of), places (network, scale, set, image, and pairs of protocol and dB).
    """
    choices = [(part, choice) for part in PARTS for choice in PARTS[part]]
    at = {choice: place for place, choice in enumerate(choices)}
    tried = dict.fromkeys(protocol for rows in grid.values() for protocol in rows)
    scoring = [protocol for protocol in tried if protocol.window == FIELD.window]
    number = {protocol: place for place, protocol in enumerate(scoring)}
    known: dict[str, int] = {}
    protocols = []
    for protocol in scoring:
        found = [[known.setdefault(one["name"], len(known)), cost] for one, cost in who(protocol)]
        protocols.append([[at[item] for item in protocol.deviations.items()], found])
    of = {one["name"]: one.get("of", "") for p in scoring for one, _ in who(p)}
    value: dict[str, Any] = {
        "choices": [
            [PARTS[part][choice].words, PARTS[part][choice].mend] for part, choice in choices
        ],
        "protocols": protocols,
        "evaluators": [[name, of[name]] for name in known],
        "places": [
            [*place, [[number[p], round(s.psnr, 4)] for p, s in rows.items() if p in number]]
            for place, rows in grid.items()
        ],
        "otherDevice": OTHER_DEVICE,
        "margin": [MARGIN, RELATIVE_MARGIN, RELATIVE_MARGIN_OF_IMAGE],
    }
    return json.dumps(value, separators=(",", ":"))


def document(grid: Grid | None = None, heading: bool = True) -> str:
    """The ladder as one HTML page that needs nothing else, and no server."""
    data = embedded(load_grid() if grid is None else grid)
    script = (HERE / "ladder.js").read_text(encoding="utf-8")
    style = (HERE / "ladder.css").read_text(encoding="utf-8")
    return (
        '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n'
        f"<title>Why is my PSNR different?</title>\n<style>\n{style}</style>\n"
        f"{heading * HEADING}"
        "<p>Choose what you scored and type the PSNR that you got. The ladder has what other "
        "protocols give for the same weights; your number stands between them.</p>\n"
        '<div id="ladder"></div>\n<script type="module">\n'
        f'{script}\nrender({data}, document.getElementById("ladder"));\n</script>\n</html>\n'
    )


def page(path: Path, grid: Grid | None = None) -> None:
    """Write ``document`` as a file."""
    with replacing(path) as temporary:
        temporary.write_text(document(grid), encoding="utf-8")


def steps(grid: Grid | None = None, name: str = "Set5") -> pd.DataFrame:
    """How far each deviation alone moves PSNR.

    Returns:
        A row a deviation: part, deviation (in words), then a column for each network and scale of
        the set, in dB; NaN where it was not tried.
    """
    grid = load_grid() if grid is None else grid
    places = [place for place in grid if place.set == name and not place.image]
    rows = []
    for part, choices in PARTS.items():
        for choice in list(choices)[1:]:
            if part == "window":
                continue
            protocol = Protocol.of({part: choice})
            row: dict[str, Any] = {"part": part, "deviation": choices[choice].words}
            for place in places:
                found = grid[place].get(protocol)
                label = f"{place.network} ×{place.scale}"
                row[label] = float("nan") if found is None else found.psnr - grid[place][FIELD].psnr
            rows.append(row)
    return pd.DataFrame(rows)


def answered(report: dict[str, Any], grid: Grid | None = None) -> Answer:
    """What ``srlib why`` answers to a public report of ``srlib/doctor/reports.yaml``."""
    place = (report["network"], report["scale"], report["set"], report.get("image", ""))
    return why(report["claimed"], *place, printed=report["printed"], grid=grid)


def reported(grid: Grid | None = None) -> pd.DataFrame:
    """Every public report with the answer that is found for it.

    Returns:
        A row a report: report (repository and number), of (what was scored), claimed, printed,
        answer (the deviations that come first), and gives (dB, or the step in dB where the network
        or scale is not in the grid).
    """
    grid = load_grid() if grid is None else grid
    rows = []
    for report in reports():
        answer = answered(report, grid)
        first = answer.matches[0] if answer.matches else None
        place = Place(report["network"], report["scale"], report["set"], report.get("image", ""))
        sign = "+" if answer.by_difference else ""
        rows.append(
            {
                "report": report["report"],
                "of": str(place),
                "claimed": report["claimed"],
                "printed": report["printed"],
                "answer": first.protocol.words if first else "none",
                "gives": f"{first.psnr:{sign}.4f}" if first else "",
            }
        )
    return pd.DataFrame(rows)


def _photograph() -> NDArray[np.uint8]:
    path, part = SHOWN
    return read_image(path)[part]


def _row(about: str, pictures: dict[str, NDArray], **settings: Any) -> None:
    """Show pictures side by side under their names, each pixel a square; ``about`` says what."""
    high, wide = next(iter(pictures.values())).shape[:2]
    size = (PAGE_WIDTH, 0.3 + min(2.0, PAGE_WIDTH / len(pictures) * high / wide))
    figure, axes = plt.subplots(1, len(pictures), figsize=size, layout="constrained")
    for axis, (name, picture) in zip(axes, pictures.items(), strict=True):
        axis.imshow(picture, interpolation="nearest", **settings)
        axis.set_title(name)
        axis.set_axis_off()
    show_figure(figure, f"{about}: {', '.join(pictures)}")


def show_lr(*makers: str) -> None:
    """Draw LR as each maker makes it: without antialiasing it has jags, blurred it has none."""
    hr = _photograph()
    pictures = {maker: reduced(hr, SCALE, maker) for maker in makers}
    _row("A cat's eye in LR of several makers", pictures)


def show_channels() -> None:
    """Draw what is scored: RGB, Y in both ranges, and an image whose red and blue are swapped."""
    hr = _photograph()
    planes = {"Y, studio range": luma(hr), "Y, full range": luma(hr, studio=False)}
    grey = {name: np.repeat(p[..., None] / 255, 3, axis=2) for name, p in planes.items()}
    pictures: dict[str, NDArray] = {"RGB": hr, **grey, "red and blue swapped": hr[..., ::-1]}
    _row("A cat's eye as evaluators see it", pictures)


def show_shift(pixels: float = 0.5) -> None:
    """Draw the error of a reconstruction where it should be, and ``pixels`` off to the right."""
    hr = _photograph()
    sr = enlarged(reduced(hr, SCALE, "matlab"), SCALE, "matlab")
    off = shift(sr.astype(float), (0, pixels, 0), order=3, mode="nearest")
    moved = np.clip(np.rint(off), 0, 255).astype(np.uint8)
    errors = {
        f"{name}: {score(picture, hr, SCALE)[0]:.2f} dB": np.abs(luma(picture) - luma(hr))
        for name, picture in (("in place", sr), (f"{pixels} pixel to the right", moved))
    }
    _row("Error of a reconstruction, brighter where larger", errors, cmap="magma", vmin=0, vmax=60)


def show_border() -> None:
    """Draw the error of a reconstruction, and how much of it each choice of the border leaves."""
    hr = _photograph()
    sr = enlarged(reduced(hr, SCALE, "matlab"), SCALE, "matlab")
    error = np.abs(luma(sr) - luma(hr))
    kept: dict[str, NDArray] = {}
    for border in PARTS["border"]:
        cut = border_pixels(border, SCALE)
        inside = np.full_like(error, np.nan)
        within = (slice(cut, error.shape[0] - cut), slice(cut, error.shape[1] - cut))
        inside[within] = error[within]
        kept[f"{border}: {psnr(luma(sr)[within], luma(hr)[within]):.2f} dB"] = inside
    _row("Error that each choice of the border leaves", kept, cmap="magma", vmin=0, vmax=60)
