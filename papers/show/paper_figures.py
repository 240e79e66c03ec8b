"""The papers' figures of results, drawn anew from what is printed and what was measured.

Their networks' drawings are in ``notebooks/01_aidn.ipynb`` and ``10_networks.ipynb``. Every figure
names the runs behind what it shows; what cannot be had is an empty frame with the reason.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from papers.printed import cells
from papers.results import ProvenanceError, per_image, results
from papers.show.figures import STYLE, Panel, foot, label, panels, rank, sources
from papers.show.trade_off import chart, points
from srlib.config import load_config
from srlib.data.imresize import imresize
from srlib.data.registry import read_manifest
from srlib.evaluation.metrics import luma, psnr
from srlib.files import replacing
from srlib.networks.rdsrn import DWCB, HFRRB, RDSRN
from srlib.paths import ROOT, Result, find
from srlib.weights.files import load_trained
from srlib.weights.official import official

LIGHTWEIGHT = 2_000  # thousand parameters: AIDN's Figure 1 is of lightweight networks
FIGURE_5 = {"barbara": "Set14", "baby": "Set5", "12084": "B100"}  # the images that AIDN names
AIDN_HERE, RDSRN_HERE = ("ablation", "aidn-aidb"), ("rdsrn", "rdsrn")
NO_WEIGHTS = "no public weights, and not trained here"
# The four networks of RDSRN's Figure 5 and their settings (wide, refinement).
RDSRN_SWITCHES = {
    "rdsrn-plain": "neither",
    "rdsrn-wider": "wider channel",
    "rdsrn-hfrrb": "HFRRB",
    "rdsrn": "both",
}
CHANNEL, RECURSION = 31, 3  # of the features that RDSRN's Figure 5 shows, counted from one
EDGE = 4  # LR pixels cut off a feature map: there the padding shows, brighter than any feature


class MissingInputError(FileNotFoundError):
    """A tracked output that a figure needs and that is not there; names the command for it."""


def aidn_figure_1(root: Path = ROOT) -> Figure:
    """AIDN, Figure 1: PSNR against parameters of lightweight networks, Urban100 x4."""
    found = points("aidn", "3", "Urban100", "params", most=LIGHTWEIGHT, root=root)
    return chart(found, "params", "Urban100", 4, "printed")


def rfdn_figure_4(root: Path = ROOT) -> Figure:
    """RFDN, Figure 4: PSNR against parameters, Set5 x4."""
    found = points("rfdn", "3", "Set5", "params", root=root)
    return chart(found, "params", "Set5", 4, "printed")


def rfdn_figure_5(root: Path = ROOT) -> Figure:
    """RFDN, Figure 5: PSNR against multiply-adds, Set5 x4; all multiply-adds are counted here."""
    found = points("rfdn", "3", "Set5", "macs_720p", root=root)
    return chart(found, "macs_720p", "Set5", 4, "printed PSNR")


def aidn_figure_5(image: str = "barbara", root: Path = ROOT) -> Figure:
    """AIDN, Figure 5: one of its images as each method reconstructs it at x4.

    Args:
        image: "barbara" (Set14), "baby" (Set5) or "12084" (B100).

    Raises:
        ValueError: another image.
        MissingInputError, ProvenanceError: see ``compared``.
    """
    if image not in FIGURE_5:
        raise ValueError(f"image={image!r} must be one of {', '.join(FIGURE_5)}")
    own = {"AIDN": AIDN_HERE}
    table = compared(FIGURE_5[image], image, own, root=root)
    return _comparison(table, image, own, _place(FIGURE_5[image], image))


def rdsrn_figure_6(root: Path = ROOT) -> Figure:
    """RDSRN, Figure 6: Urban100's img092 as each method reconstructs it at x4.

    Raises:
        MissingInputError, ProvenanceError: see ``compared``.
    """
    own = {"AIDN": AIDN_HERE, "RDSRN": RDSRN_HERE}
    table = compared("Urban100", "img_092", own, root=root)
    return _comparison(table, "img092", own, _place("Urban100", "img_092"))


def compared(
    dataset: str,
    stem: str,
    own: dict[str, tuple[str, str]],
    scale: int = 4,
    root: Path = ROOT,
) -> pd.DataFrame:
    """A picture by each method: HR, bicubic, the authors' weights of what the papers print, ours.

    Args:
        dataset, stem: of the picture, as in ``pictures.images`` of the campaigns' parameters.
        own: name of a network -> (campaign, method), shown where the campaign kept the picture.

    Returns:
        A row a picture: method (as shown), campaign, psnr_image (dB, PSNR-Y of the whole image by
        the protocol), psnr_crop (dB, PSNR-Y of the pixels shown), run, file. HR has no scores.

    Raises:
        MissingInputError: HR or a measured method without this picture; names the command.
        ProvenanceError: a method whose result has no run.
    """
    scores = results(root)
    scores = scores[(scores["set"] == dataset) & (scores["scale"] == scale)]
    # not "-chop", which is the same network in quarters, nor the networks after the papers
    printed = set(cells()["network"])
    shown = {name for name, entry in official().items() if entry["network"] in printed}
    authors = scores[(scores["campaign"] == "benchmarks") & (scores["seed"] < 0)]
    authors = authors[authors["method"].isin({"bicubic", *shown})]
    hr_file = _picture("benchmarks", "hr", dataset, stem, scale, root)
    hr = np.asarray(Image.open(hr_file))
    rows: list[dict[str, Any]] = [{"method": "HR", "campaign": "benchmarks", "file": hr_file}]
    for method in sorted(authors["method"], key=rank):
        file = _picture("benchmarks", method, dataset, stem, scale, root)
        rows.append(
            {"method": label(method), "campaign": "benchmarks", "key": method, "file": file}
        )
    for name, (campaign, method) in own.items():
        file = Result(campaign, method, scale).picture(dataset, stem, root)
        if file.exists():
            title = f"{name}, {campaign}"
            rows.append({"method": title, "campaign": campaign, "key": method, "file": file})
    for row in rows[1:]:
        images = per_image(row["campaign"], root)
        # Pictures are of the first seed (pictures.seed); what was not trained has none.
        first = images[(images["method"] == row["key"]) & (images["seed"] <= 0)]
        first = first[(first["set"] == dataset) & (first["image"].astype(str) == stem)]
        run = scores[(scores["campaign"] == row["campaign"]) & (scores["method"] == row["key"])]
        run = run[run["seed"] <= 0]["run"]
        if len(run) != 1 or len(first) != 1:
            raise ProvenanceError(
                f"{row['file']} has no one result of {dataset}/{stem} beside it; evaluate "
                f"{row['key']} of campaign {row['campaign']} again"
            )
        sr = np.asarray(Image.open(row["file"]))
        row |= {"run": run.item(), "psnr_image": first["psnr_y"].item()}
        row["psnr_crop"] = psnr(luma(sr), luma(hr))
    columns = ["method", "campaign", "psnr_image", "psnr_crop", "run", "file"]
    return pd.DataFrame(rows, columns=columns)


def best(table: pd.DataFrame) -> str:
    """Who has the highest PSNR-Y of the image, and of the crop, among ``compared``'s rows."""
    scores = table[table["run"].notna()].set_index("method")
    image, crop = (_highest(scores[name]) for name in ("psnr_image", "psnr_crop"))
    return (
        f"of {len(scores)} methods, the image has its highest PSNR-Y by {image}, the crop by {crop}"
    )


def _highest(scores: pd.Series) -> str:
    """Who has the highest score; those that print the same share it."""
    shown = scores.round(2)
    names = shown.index[shown == shown.max()].astype(str)
    if len(names) > 3:
        return f"{len(names)} of them alike ({shown.max():.2f} dB)"
    return f"{' and '.join(names)} ({shown.max():.2f} dB)"


def _picture(campaign: str, method: str, dataset: str, stem: str, scale: int, root: Path) -> Path:
    file = Result(campaign, method, scale).picture(dataset, stem, root)
    if not file.exists():
        raise MissingInputError(
            f"{file.relative_to(root)} does not exist; with {dataset}/{stem} among "
            f"pictures.images of campaigns/{campaign}/params.yaml, `srlib evaluate --params "
            f"campaigns/{campaign}/params.yaml --reference {method} --scale {scale}` makes it"
        )
    return file


def _place(dataset: str, stem: str) -> tuple[tuple[int, int, int, int], tuple[int, int]] | None:
    """Which part of an image the benchmarks keep, as ``Panel.place``; None where it is all."""
    config = load_config(ROOT / "campaigns/benchmarks/params.yaml")
    kept = {(picture.set, picture.stem): picture.crop for picture in config.pictures.images}
    crop = kept.get((dataset, stem))
    sizes = read_manifest(dataset).set_index("stem")
    height, width = (int(sizes[side][stem]) for side in ("height", "width"))
    return crop and (crop, (height, width))


def _comparison(
    table: pd.DataFrame,
    title: str,
    own: dict[str, tuple[str, str]],
    place: tuple[tuple[int, int, int, int], tuple[int, int]] | None,
) -> Figure:
    shown = []
    for row in table.to_dict("records"):
        second = (
            f"{row['psnr_image']:.2f} · {row['psnr_crop']:.2f}"
            if row["run"] == row["run"]
            else title
        )
        pixels = np.asarray(Image.open(row["file"]))
        located = place if row["method"] == "HR" else None
        shown.append(Panel(f"{row['method']}\n{second}", pixels, place=located))
    for name, (campaign, _) in own.items():
        if campaign not in set(table["campaign"]):
            shown.append(Panel(f"{name}\n–", None, NO_WEIGHTS))
    measured = table[table["method"] != "HR"].groupby("campaign")["run"]
    text = (
        "PSNR-Y in dB of the whole image · of the crop; the authors' weights where no campaign is "
    )
    return panels(shown, 4, f"{text}named; {sources({str(k): v for k, v in measured})}")


def trained_rdsrn(root: Path = ROOT) -> pd.DataFrame:
    """The trained weights of RDSRN with each switch, in the order of ``RDSRN_SWITCHES``.

    Returns:
        Columns: network (its folder's), campaign, run, file; empty where none was trained.

    Raises:
        ProvenanceError: weights that name no run.
    """
    rows = []
    for network in RDSRN_SWITCHES:
        for result, file in find("weights.safetensors", method=network, root=root):
            if (result.scale, result.seed) != (4, 0):
                continue
            run = load_trained(file)[1].get("run", "")
            if not run:
                raise ProvenanceError(f"{file} names no run; train it again with srlib train")
            rows.append({"network": network, "campaign": result.campaign, "run": run, "file": file})
    return pd.DataFrame(rows, columns=["network", "campaign", "run", "file"])


def rdsrn_figure_5(root: Path = ROOT) -> Figure:
    """RDSRN, Figure 5: features with and without the wider channel and the HFRRB, "baby" x4.

    Above, the mean magnitude over all channels; below, channel 31, which the paper shows, although
    a channel of one training has no counterpart in another. The paper does not say which of the
    two DWCBs it means: here the second. The input is made from the kept crop of baby.

    Raises:
        MissingInputError: no trained weights, or no crop; names the command.
        ProvenanceError: weights that name no run.
    """
    found = trained_rdsrn(root)
    if found.empty:
        raise MissingInputError(
            "results/ has no trained weights of rdsrn-plain, rdsrn-wider, rdsrn-hfrrb or rdsrn at "
            "x4, and none are public; `dvc repro campaigns/rdsrn/dvc.yaml` trains them"
        )
    hr = np.asarray(Image.open(_picture("benchmarks", "hr", "Set5", "baby", 4, root)))
    lr = torch.from_numpy(imresize(hr, 1 / 4, border="replicate")).permute(2, 0, 1)[None] / 255
    figure, axes = plt.subplots(2, len(found), squeeze=False, figsize=(3.4, 1.8))
    for column, row in enumerate(found.to_dict("records")):
        network = load_trained(row["file"])[0]
        assert isinstance(network, RDSRN)
        learnt = features(network, lr)
        shown = {
            "mean |feature|": np.abs(learnt).mean(axis=0),
            f"channel {CHANNEL}": learnt[CHANNEL - 1],
        }
        for axis, (name, values) in zip(axes[:, column], shown.items(), strict=True):
            inner = values[EDGE:-EDGE, EDGE:-EDGE]
            axis.imshow(inner, cmap="gray", interpolation="none")
            axis.set(xticks=[], yticks=[])
            axis.grid(False)
            axis.spines[:].set_visible(False)
            if column == 0:
                axis.set_ylabel(name)
        axes[0, column].set_title(switches(network))
    runs = {str(name): part["run"] for name, part in found.groupby("campaign")}
    foot(figure, f"each map from its least (black) to its greatest (white); {sources(runs)}")
    return figure


def features(network: RDSRN, lr: Tensor) -> NDArray[np.float32]:
    """The output of the second small block of the second DWCB in the third recursion.

    Args:
        network: of at least three recursions.
        lr: (1, 3, H, W) in 0..1.

    Returns:
        (64, H, W), retained channels first.

    Raises:
        ValueError: fewer than three recursions.
    """
    if network.recursions < RECURSION:
        raise ValueError(f"recursions={network.recursions} must be at least {RECURSION}")
    seen: list[Tensor] = []
    block = [part for part in network.recursive if isinstance(part, DWCB)][-1]
    hook = block.second.register_forward_hook(lambda _module, _input, output: seen.append(output))
    try:
        with torch.no_grad():
            network(lr)
    finally:
        hook.remove()
    return seen[RECURSION - 1][0].numpy()


def switches(network: RDSRN) -> str:
    """Which of the two a network has: "neither", "wider channel", "HFRRB" or "both"."""
    widen = next(part.first.widen for part in network.recursive if isinstance(part, DWCB))
    wide = widen.out_channels > widen.in_channels
    refinement = any(isinstance(part, HFRRB) for part in network.modules())
    return {
        (False, False): "neither",
        (True, False): "wider channel",
        (False, True): "HFRRB",
        (True, True): "both",
    }[wide, refinement]


FIGURES: dict[str, Callable[[Path], Figure]] = {
    "aidn-figure-1": aidn_figure_1,
    **{f"aidn-figure-5-{image}": partial(aidn_figure_5, image) for image in FIGURE_5},
    "rfdn-figure-4": rfdn_figure_4,
    "rfdn-figure-5": rfdn_figure_5,
    "rdsrn-figure-5": rdsrn_figure_5,
    "rdsrn-figure-6": rdsrn_figure_6,
}


def export(folder: str | Path, root: Path = ROOT) -> dict[str, str]:
    """Write every figure that can be made as NAME.svg and NAME.png; same inputs, same bytes.

    Returns:
        Each figure's name -> why it could not be made, empty where it was.

    Raises:
        ProvenanceError: a result without a run.
    """
    folder = Path(folder)
    reasons = {}
    with plt.style.context(["default", STYLE]), plt.ioff():
        for name, draw in FIGURES.items():
            try:
                figure = draw(root)
            except MissingInputError as missing:
                reasons[name] = str(missing)
                continue
            for suffix, metadata in (
                ("svg", {"Date": None, "Creator": None}),
                ("png", {"Software": None}),
            ):
                with replacing(folder / f"{name}.{suffix}") as temporary:
                    figure.savefig(temporary, format=suffix, metadata=metadata)
            plt.close(figure)
            reasons[name] = ""
    return reasons
