"""Pictures and the scores of each image: the viewer's page, and the browser of images."""

import json
from html import escape
from pathlib import Path
from shutil import copyfile
from typing import Any

import pandas as pd

from papers.results import per_image
from papers.show.figures import LABELS
from papers.show.look import kept, scenes
from papers.site.html import anchor, link, table
from srlib.paths import ROOT
from srlib.viewer import HERE as VIEWER
from srlib.viewer import Scene

FIRST = ("benchmarks", 4)  # what the viewer's page opens with


def look_page(folder: Path, root: Path = ROOT) -> str:
    """The viewer over every kept picture; its pictures and script are written below ``folder``.

    The page's address chooses: ``look.html#image=Set14-barbara-x4&left=Bicubic&right=IMDN``.
    """
    for name in ("viewer.js", "viewer.css"):
        copyfile(VIEWER / name, folder / name)
    found = sorted(kept(root), key=lambda one: (one.campaign, one.scale) != FIRST)
    shown = [
        (f"{one.campaign}-x{one.scale}", scene)
        for one in found
        for scene in scenes(one.campaign, one.scale, root)
    ]
    data: dict[str, Any] = {"images": [_image(key, scene, folder) for key, scene in shown]}
    names = [picture["name"] for picture in data["images"][0]["pictures"]]
    data |= {"left": names[1], "right": names[-1], "mode": "wipe"}
    text = json.dumps(data).replace("<", "\\u003c")
    return (
        "# What do the reconstructions look like?\n\nEvery picture that was kept, by the authors' "
        "weights and by those trained here. Drag the cut or click; the keys are told below the "
        "picture.\n\n"
        f'<link rel="stylesheet" href="_static/viewer.css"><div id="srlib-look"></div>\n'
        f'<script type="application/json" id="srlib-pictures">{text}</script>\n'
        '<script type="module" src="_static/look.js"></script>'
    )


def _image(key: str, scene: Scene, folder: Path) -> dict:
    """A scene as the viewer's script takes it, with its files copied beside the page."""
    place = f"pictures/{anchor(key)}"
    (folder / place).mkdir(parents=True, exist_ok=True)
    pictures = []
    for one in scene.pictures:
        assert isinstance(one.pixels, Path)
        name = f"{anchor(scene.name)}-{anchor(one.name)}{one.pixels.suffix}"
        copyfile(one.pixels, folder / place / name)
        pictures.append(
            {
                "name": one.name,
                "src": f"_static/{place}/{name}",
                "psnr_y": one.psnr_y,
                "ssim_y": one.ssim_y,
            }
        )
    return {"name": f"{scene.name}, {key}", "note": scene.note, "pictures": pictures}


def images_page(root: Path = ROOT, campaign: str = "benchmarks", scale: int = 4) -> str:
    """Every image of the test sets with its PSNR-Y by each method, and the gain over bicubic."""
    scores = per_image(campaign, root)
    scores = scores[scores["scale"] == scale]
    wide = scores.pivot_table(index=["set", "image"], columns="method", values="psnr_y", sort=False)
    methods = [name for name in LABELS if name in wide and name != "bicubic"]
    pictures = {
        tuple(scene.name.split()[:2])
        for one in kept(root)
        if (one.campaign, one.scale) == (campaign, scale)
        for scene in scenes(campaign, scale, root)
    }
    wide["gain"] = wide[methods].max(axis=1) - wide["bicubic"]
    rows = []
    for row in wide.reset_index().to_dict("records"):
        name, image = str(row["set"]), str(row["image"])
        seen = (name, image) in pictures
        where = f"look.html#image={name}-{image}"
        shown = {"set": escape(name), "image": link(image, where) if seen else escape(image)}
        rows.append(row | shown)
    columns = {"set": "set", "image": "image", "bicubic": "bicubic", "gain": "largest gain"}
    columns |= {method: LABELS[method] for method in methods}
    listed = table(rows, columns, "PSNR-Y of each image", filters=["set"], order=("gain", "desc"))
    gains = wide["gain"]
    most, least = (f"{name} {image}" for name, image in _extremes(gains))
    return (
        f"# Which images gain, and which do not?\n\nPSNR-Y in dB of each of {len(rows)} images at "
        f"×{scale}, by the weights that the authors published. Against bicubic, {most} gains "
        f"most and {least} least. Click a heading to sort; a name that is a link opens in the "
        f"viewer.\n\n{listed}"
    )


def _extremes(gains: pd.Series) -> list[tuple[str, str]]:
    """(set, image) of the largest gain and of the least."""
    return [gains.index[int(gains.argmax())], gains.index[int(gains.argmin())]]
