"""Figures for the notebooks, from tracked outputs alone; each says which run made it."""

from importlib.resources import files
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from PIL import Image

from srlib.ablation import printed, steps, validation_log
from srlib.compare import Compare
from srlib.diagram import Diagram, draw, place
from srlib.results import ROOT, per_image, results, training_log

LABELS = {
    "hr": "HR",
    "bicubic": "Bicubic",
    "aidn-base": "Base",
    "aidn-aieb": "AIEB",
    "aidn-fdc": "FDC",
    "aidn-aidb": "AIDB",
    "arfdn": "ARFDN (authors' weights)",
    "e-rfdn": "E-RFDN (authors' weights)",
    "imdn": "IMDN (authors' weights)",
    "fdiwn": "FDIWN (authors' weights)",
    "fdiwn-chop": "FDIWN in quarters (authors' weights)",
}


def use_style() -> None:
    """Switch matplotlib to the project's style."""
    plt.style.use(str(files("srlib").joinpath("paper.mplstyle")))


def label(method: str) -> str:
    """A method's name as the papers print it."""
    return LABELS.get(method, method)


def rank(method: object) -> int:
    """Place in the order of ``LABELS``; what is not there comes last."""
    return list(LABELS).index(str(method)) if method in LABELS else len(LABELS)


def credit(figure: Figure, runs: pd.Series | list[str], campaign: str) -> None:
    """Write the runs behind a figure below it."""
    names = ", ".join(dict.fromkeys(runs))
    figure.supxlabel(
        f"campaign {campaign}, runs {names}", fontsize=6, color="0.4", wrap=True, x=0.99, ha="right"
    )


def architecture(diagrams: dict[str, Diagram], counts: bool = False) -> Figure:
    """Block diagrams side by side, each as wide as it needs, under its title."""
    widths = [place(diagram, counts=counts)[0].size[0] for diagram in diagrams.values()]
    figure = plt.figure(figsize=(sum(widths), 1), layout="none")
    axes = figure.subplots(1, len(widths), squeeze=False, gridspec_kw={"width_ratios": widths})
    for axis, (title, diagram) in zip(axes.flat, diagrams.items(), strict=True):
        draw(diagram, axis, title=title, counts=counts)
    return figure


def training_curves(campaign: str, root: Path = ROOT) -> Figure:
    """Training loss against steps, a line a method, a band over seeds.

    The two stages have different losses (L1, then L2), so each has its own panel.
    """
    log = training_log(campaign, root)
    figure, axes = plt.subplots(1, 2, gridspec_kw={"width_ratios": [2, 1]})
    for axis, kind, name in ((axes[0], "l1", "L1 (stage 1)"), (axes[1], "l2", "L2 (stage 2)")):
        part = log[log["kind"] == kind]
        for method, rows in sorted(part.groupby("method"), key=lambda group: rank(group[0])):
            by_step = rows.groupby("step")["loss"]
            axis.plot(by_step.mean().index, by_step.mean(), label=label(str(method)))
            axis.fill_between(by_step.min().index, by_step.min(), by_step.max(), alpha=0.15)
        axis.set(xlabel="step", ylabel=name, yscale="log")
    axes[0].legend()
    credit(figure, log["run"], campaign)
    return figure


def validation(campaign: str, root: Path = ROOT) -> Figure:
    """PSNR-Y against steps: a line a network, the mean over seeds in a band from least to most.

    The legend gives the score that AIDN's Table 2 prints for the network; bicubic is the dashes.

    Raises:
        ValueError: the campaign's runs took no score while they trained.
    """
    log = validation_log(campaign, root)
    if log.empty:
        raise ValueError(
            f"results/{campaign}: no validation.csv has a score; give train.validate in the "
            "campaign's parameters, and train"
        )
    cells = printed().set_index(["network", "column"])["printed"]
    scores = results(root)
    base = scores[(scores["campaign"] == campaign) & (scores["method"] == "bicubic")]
    sets = list(log["set"].unique())
    base = base[base["set"].isin(sets) & base["scale"].isin(log["scale"])]
    figure, axes = plt.subplots(1, len(sets), squeeze=False)
    for axis, name in zip(axes.flat, sets, strict=True):
        of_set = log[log["set"] == name]
        for method, rows in sorted(of_set.groupby("method"), key=lambda group: rank(group[0])):
            title = label(str(method))
            if (method, name) in cells:
                title += f" (published {cells[method, name].partition('/')[0]})"
            by_step = rows.groupby("step")["psnr_y"]
            axis.plot(by_step.mean().index, by_step.mean(), label=title)
            axis.fill_between(by_step.min().index, by_step.min(), by_step.max(), alpha=0.15)
        for value in base[base["set"] == name]["psnr_y"]:
            axis.axhline(value, color="0.4", linestyle="--", label=f"Bicubic, {value:.2f}")
        axis.set(xlabel="step", ylabel=f"PSNR-Y on {name} (dB)")
        axis.legend()
    credit(figure, [*log["run"], *base["run"]], campaign)
    return figure


def ablation(campaign: str, root: Path = ROOT) -> Figure:
    """The ablation's steps, a panel each: measured with its 95% interval, and published beside it.

    Raises:
        ValueError: the campaign has scored no step's two networks.
    """
    table = steps(campaign, root)
    if table.empty:
        raise ValueError(f"results/{campaign}: no step has both its networks scored; evaluate them")
    titles = list(table["step"].unique())
    height = 1.2 + 0.5 * table["set"].nunique()
    figure, axes = plt.subplots(2, 2, figsize=(6.4, height), sharex=True, sharey=True)
    places = {name: -place for place, name in enumerate(table["set"].unique())}
    for axis, title in zip(axes.flat, titles, strict=False):
        rows = table[table["step"] == title]
        at = rows["set"].map(places)
        ends = [rows["measured"] - rows["low"], rows["high"] - rows["measured"]]
        seeds = f"measured, 95% interval (seeds: {rows['seeds'].min()})"
        axis.axvline(0, color="0.4", linewidth=0.8)
        axis.errorbar(rows["measured"], at, xerr=ends, fmt="o", markersize=4, label=seeds)
        if rows["published"].notna().any():
            axis.plot(rows["published"], at, "D", color="C1", fillstyle="none", label="published")
        axis.set(title=title, yticks=list(places.values()), yticklabels=list(places))
        axis.set_ylim(min(places.values()) - 0.6, 0.6)
    for axis in axes[-1]:
        axis.set_xlabel("step in PSNR-Y (dB)")
    figure.legend(*axes.flat[0].get_legend_handles_labels(), loc="outside upper center", ncols=2)
    credit(figure, " ".join(table["runs"]).split(), campaign)
    return figure


def pictures(campaign: str, scale: int, root: Path = ROOT) -> dict[str, dict[str, Path]]:
    """Kept reconstructions: image -> method -> PNG file, HR and bicubic first."""
    found: dict[str, dict[str, Path]] = {}
    paths = (root / "results" / campaign).glob(f"*-x{scale}/look/*.png")
    methods = {path: path.parent.parent.name.removesuffix(f"-x{scale}") for path in paths}
    for path in sorted(methods, key=lambda p: (p.name, rank(methods[p]))):
        found.setdefault(path.stem.split("_", 1)[1], {})[label(methods[path])] = path
    return found


def crops(
    campaign: str,
    image: str,
    window: tuple[int, int, int, int] | None = None,
    scale: int = 4,
    root: Path = ROOT,
) -> Figure:
    """A picture as each method reconstructs it, PSNR-Y and SSIM-Y of the whole image above it.

    Args:
        campaign: whose kept pictures.
        image: its stem.
        window: (top, left, height, width) to cut from the kept picture; None shows all of it.
    """
    shown = pictures(campaign, scale, root)[image]
    scores = per_image(campaign, root)
    scores = scores[(scores["image"].astype(str) == image) & (scores["seed"] <= 0)]
    by_label = scores.assign(label=scores["method"].map(label)).set_index("label")
    columns = min(3, len(shown))
    rows = -(-len(shown) // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(6.4, 2.15 * rows + 0.2), squeeze=False)
    for axis in axes.flat:
        axis.axis("off")
    for axis, (name, path) in zip(axes.flat, shown.items(), strict=False):
        pixels = np.asarray(Image.open(path))
        if window:
            top, left, height, width = window
            pixels = pixels[top : top + height, left : left + width]
        axis.imshow(pixels)
        title = name
        if name in by_label.index:
            title += "\n{psnr_y:.2f} dB / {ssim_y:.4f}".format(**by_label.loc[name])
        axis.set_title(title)
    table = results(root)
    table = table[(table["campaign"] == campaign) & (table["seed"] <= 0)]
    runs = table[table["method"].map(label).isin(list(shown))]["run"]
    credit(figure, runs, campaign)
    return figure


def wipe(campaign: str, left: str, right: str, scale: int = 4, root: Path = ROOT) -> Compare:
    """A slider between two reconstructions of any kept picture; labels as in the papers."""
    return Compare(pictures(campaign, scale, root), left, right)
