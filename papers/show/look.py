"""Kept reconstructions in the viewer (``srlib.viewer``), with the scores that were tracked."""

from collections.abc import Sequence
from pathlib import Path

import ipywidgets
import pandas as pd
from IPython.display import display

from papers.show.figures import pictures
from srlib.config import Picture as Kept
from srlib.config import load_config
from srlib.paths import ROOT, Result, results
from srlib.viewer import Picture, Scene, fragment, page, write_page

PART = "A part of the image at its full size; PSNR-Y and SSIM-Y are of the whole image."
WHOLE = "The whole image."
PAGE = "look.html"
# JupyterLab marks widgets without a kernel by a broken link; the menus here are off then, and that
# is enough.
UNMARKED = "<style>.jupyter-widgets-disconnected::before { display: none; }</style>"


class Viewer:
    """The viewer as a notebook's output.

    Args:
        scenes: images, such as those of ``scenes``.
        left, right: the methods shown first.
        notebook: its name, for the line that says how to trust it.
    """

    def __init__(self, scenes: Sequence[Scene], left: str, right: str, notebook: str) -> None:
        self.scenes = scenes
        path = f"notebooks/{notebook}.ipynb"
        self.html = fragment(scenes, left, right, notebook=path) + UNMARKED

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        names = [picture.name for picture in self.scenes[0].pictures]
        return f"Viewer of {', '.join(scene.name for scene in self.scenes)}: {', '.join(names)}"


def scenes(campaign: str, scale: int = 4, root: Path = ROOT) -> list[Scene]:
    """A campaign's kept pictures, each with the scores of its image by the run of the same seed.

    Raises:
        ValueError: the campaign has kept none at this scale.
    """
    config = load_config(_params(campaign, root))
    shown = []
    for picture in config.pictures.images:
        found = pictures(campaign, scale, root).get(picture.stem, {})
        own = [
            Picture(_short(name), path, *_scores(path, picture, config.pictures.seed))
            for name, path in found.items()
        ]
        if own:
            name = f"{picture.set} {picture.stem} ×{scale}"
            theirs = ", ".join(_short(name) for name in found if _short(name) != name)
            note = PART if picture.crop else WHOLE
            if theirs:
                note += f" By their authors' weights: {theirs}."
            shown.append(Scene(name, own, note))
    if not shown:
        raise ValueError(f"results/{campaign} has no pictures at x{scale}; type srlib reconstruct")
    return shown


def kept(root: Path = ROOT) -> list[Result]:
    """What there are pictures of: a campaign and scale each, the method being HR."""
    folders = sorted(results(root).glob("*/hr-x*/pictures"))
    return [
        Result(f.parents[1].name, "hr", int(f.parent.name.rpartition("-x")[2])) for f in folders
    ]


def look(campaign: str, left: str, right: str, notebook: str) -> None:
    """Display the viewer of a campaign at x4, and above it a menu of what else was kept.

    The viewer's own menus need no kernel; this one reads files, and is off without one (see
    ``papers.show.notebooks.canonical``).
    """
    choices = {f"{found.campaign} ×{found.scale}": found for found in kept()}
    menu = ipywidgets.Dropdown(
        options=list(choices), value=f"{campaign} ×4", description="Campaign"
    )
    display(menu)
    handle = display(Viewer(scenes(campaign), left, right, notebook), display_id=True)

    def update(change: dict) -> None:
        found = choices[change["new"]]
        handle.update(Viewer(scenes(found.campaign, found.scale), "Bicubic", "", notebook))

    menu.observe(update, names="value")


def export(path: Path, root: Path = ROOT) -> None:
    """Write the benchmarks' pictures as a page to save and open: same inputs, same bytes."""
    about = "Kept pictures of the benchmarks at ×4, by bicubic and by the authors' weights."
    shown = scenes("benchmarks", root=root)
    write_page(path, page(shown, "Reconstructions side by side", about, "Bicubic", "FDIWN"))


def _params(campaign: str, root: Path) -> Path:
    return root / ("params.yaml" if campaign == "quick" else f"campaigns/{campaign}/params.yaml")


def _short(name: str) -> str:
    """A label without whose weights it has."""
    return name.partition(" (")[0]


def _scores(path: Path, picture: Kept, seed: int) -> tuple[float | None, float | None]:
    """PSNR-Y (dB) and SSIM-Y of a kept picture's whole image; None twice for HR itself."""
    folder = path.parent.parent
    if folder.name.startswith("hr-x"):
        return None, None
    own = folder / f"seed{seed}" / "images.csv"
    table = pd.read_csv(own if own.exists() else folder / "images.csv", dtype={"image": str})
    row = table[(table["set"] == picture.set) & (table["image"] == picture.stem)].iloc[0]
    return float(row["psnr_y"]), float(row["ssim_y"])
