"""Figures for the notebooks, from tracked outputs alone; each says which run made it."""

import math
import textwrap
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import PlaceHolderLayoutEngine
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator, NullFormatter, ScalarFormatter
from numpy.typing import NDArray
from PIL import Image

from papers import curve
from papers.ablation import printed, steps, validation_log
from papers.results import ProvenanceError, per_image, results, training_log
from papers.show.diagram.draw import Diagram, draw, place
from srlib.config import load_config
from srlib.files import replacing
from srlib.paths import ROOT
from srlib.paths import results as results_folder
from srlib.weights.official import official

LABELS = {
    "hr": "HR",
    "bicubic": "Bicubic",
    "aidn-base": "Base",
    "aidn-aieb": "AIEB",
    "aidn-fdc": "FDC",
    "aidn-aidb": "AIDB",
    "arfdn": "ARFDN",
    "e-rfdn": "E-RFDN",
    "imdn": "IMDN",
    "rfdn": "RFDN",
    "fdiwn": "FDIWN",
    "fdiwn-chop": "FDIWN in quarters",
    "rdsrn-plain": "RDSRN with neither",
    "rdsrn-wider": "RDSRN, wider channel",
    "rdsrn-hfrrb": "RDSRN, HFRRB",
    "rdsrn": "RDSRN",
    "imdn-aim": "IMDN of AIM 2019",
    "carn-m": "CARN-M",
    "rlfn": "RLFN",
    "rlfn-s": "RLFN-S",
    "rlfn-ntire": "RLFN of the challenge",
    "bsrn": "BSRN",
    "bsrn-s": "BSRN-S",
    "bsrn-s-ntire": "BSRN-S of the challenge",
    "span-28": "SPAN-28",
    "spanv2": "SPANV2",
}

STYLE = str(files("papers.show").joinpath("paper.mplstyle"))
WIDTH, PAGE_WIDTH = 3.4, 6.8  # inches: half a page, and all of it
# For a first look.
GLANCE = ("hr", "bicubic", "imdn", "fdiwn", "e-rfdn", "arfdn", "bsrn", "span-28")
DRAWING_DPI = 110  # of a block diagram, which is as wide as its network needs
FOOT, FOOT_LETTERS = 5, 25  # size in points of the line of runs, and its letters to the inch
TITLE_LETTERS = 22  # of a panel's title to the inch
GAP = 0.064  # inches between pictures
TITLE_LINE, TITLE_PAD = 0.105, 0.04  # inches: a line above a picture, and below the last line


def use_style() -> None:
    """Switch matplotlib to the project's style."""
    plt.style.use(STYLE)


def label(method: str, trained: bool = True) -> str:
    """A method's name as the papers print it; of what was not trained here it says whose it is."""
    name, theirs = LABELS.get(method, method), method.removesuffix("-chop") in official()
    return f"{name} (authors' weights)" if theirs and not trained else name


def rank(method: object) -> int:
    """Place in the order of ``LABELS``; what is not there comes last."""
    return list(LABELS).index(str(method)) if method in LABELS else len(LABELS)


def sources(runs: Mapping[str, Iterable[str]]) -> str:
    """The runs behind a figure, campaign by campaign, as its foot names them.

    Raises:
        ProvenanceError: a campaign without a run, or with an empty one.
    """
    parts = []
    for campaign, names in runs.items():
        listed = list(dict.fromkeys(names))
        if not listed or not all(listed):
            raise ProvenanceError(
                f"a figure of campaign {campaign} has a result that names no run; evaluate it "
                "again with srlib evaluate"
            )
        parts.append(f"campaign {campaign}, runs {', '.join(listed)}")
    return "; ".join(parts)


def foot(figure: Figure, text: str) -> None:
    """Write where a figure's content is from in small grey lines below it."""
    lines = textwrap.fill(text, int(FOOT_LETTERS * figure.get_figwidth()))
    figure.supxlabel(lines, fontsize=FOOT, color="0.35", x=0.99, ha="right", linespacing=1.1)


def credit(figure: Figure, runs: Iterable[str], campaign: str) -> None:
    """Write the runs behind a figure of one campaign below it.

    Raises:
        ProvenanceError: see ``sources``.
    """
    foot(figure, sources({campaign: runs}))


def architecture(diagrams: dict[str, Diagram], counts: bool = False) -> Figure:
    """Block diagrams side by side, each as wide as it needs, under its title."""
    widths = [place(diagram, counts=counts)[0].size[0] for diagram in diagrams.values()]
    figure = plt.figure(figsize=(sum(widths), 1), layout="none", dpi=DRAWING_DPI)
    axes = figure.subplots(1, len(widths), squeeze=False, gridspec_kw={"width_ratios": widths})
    for axis, (title, diagram) in zip(axes.flat, diagrams.items(), strict=True):
        draw(diagram, axis, title=title, counts=counts)
    return figure


def training_curves(campaign: str, root: Path = ROOT) -> Figure:
    """Training loss against steps, a line a method, a band over seeds.

    The two stages have different losses (L1, then L2), so each has its own panel.
    """
    log = training_log(campaign, root)
    size = (PAGE_WIDTH, 2.6)
    figure, axes = plt.subplots(1, 2, gridspec_kw={"width_ratios": [2, 1]}, figsize=size)
    for axis, kind, name in ((axes[0], "l1", "L1 (stage 1)"), (axes[1], "l2", "L2 (stage 2)")):
        _lines(axis, log[log["kind"] == kind], "loss")
        axis.set(xlabel="step", ylabel=name, yscale="log")
        axis.xaxis.set_major_locator(MaxNLocator(4 if axis is axes[0] else 2))
        axis.yaxis.set_major_locator(MaxNLocator(5))  # plain numbers: a decade is not spanned
        axis.yaxis.set_major_formatter(ScalarFormatter())
        axis.yaxis.set_minor_formatter(NullFormatter())
    axes[0].legend(title=None)
    axes[1].get_legend().remove()
    credit(figure, log["run"], campaign)
    return figure


def _lines(axis: Axes, log: pd.DataFrame, score: str, name: Callable[[str], str] = label) -> None:
    """A line a method, the mean over seeds against steps, in a band from least to most."""
    order = [name(method) for method in sorted(log["method"].unique(), key=rank)]
    sns.lineplot(
        log.assign(name=log["method"].map(name)),
        x="step",
        y=score,
        hue="name",
        hue_order=order,
        style="name",
        style_order=order,
        errorbar=("pi", 100),
        err_kws={"alpha": 0.15, "linewidth": 0},
        legend="full",
        ax=axis,
    )


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
    figure, axes = plt.subplots(1, len(sets), squeeze=False, figsize=(PAGE_WIDTH, 2.6))
    for axis, name in zip(axes.flat, sets, strict=True):
        of_set = log[log["set"] == name]
        titles = {method: label(method) for method in of_set["method"].unique()}
        for method in titles:
            if (method, name) in cells:
                titles[method] += f" (published {cells[method, name].partition('/')[0]})"
        _lines(axis, of_set, "psnr_y", titles.__getitem__)
        for value in base[base["set"] == name]["psnr_y"]:
            axis.axhline(value, color="0.4", linestyle="--", label=f"Bicubic, {value:.2f}")
        axis.set(xlabel="step", ylabel=f"PSNR-Y on {name} (dB)")
        axis.legend()
    credit(figure, [*log["run"], *base["run"]], campaign)
    return figure


def learning_curve(on: str = "Set5", scale: int = 4, root: Path = ROOT) -> Figure:
    """PSNR-Y of all that was trained here against the LR pixels that it saw.

    A dashed line goes on from a campaign's AIDB at the pace of its recipe on images held out, as
    far as the printed score or the paper's schedule, whichever is nearer; a curve of this kind
    flattens, so that it is the most that can be hoped for. Set5 is the set that every paper prints.
    """
    table = curve.points(root)
    table = table[(table["set"] == on) & (table["scale"] == scale)]
    paper = load_config(root / "campaigns/paper/params.yaml").train
    assert paper is not None
    end = paper.lr_pixels(scale)
    best = printed().set_index(["network", "column"])["value"]["aidn-aidb", on]
    figure, axis = plt.subplots(figsize=(6.4, 3.6), layout="constrained")
    colors = {name: f"C{number}" for number, name in enumerate(table["campaign"].unique())}
    for name, color in colors.items():
        own = table[table["campaign"] == name]
        axis.plot(own["lr_pixels"], own["psnr_y"], "o", color=color, markersize=4, label=name)
    for name, color in colors.items():
        rows = table[(table["campaign"] == name) & (table["network"] == "aidn-aidb")]
        if rows.empty or math.isnan(gained := curve.pace(name, scale, root)):
            continue
        seen, level = rows["lr_pixels"].mean(), rows["psnr_y"].mean()
        far = min(end, seen * curve.times_more(best - level, gained))
        line = [level, level + gained * math.log2(far / seen)]
        said = f"{name}: {gained:+.2f} dB for twice the pixels"
        axis.plot([seen, far], line, "--", color=color, label=said)
    axis.axhline(best, color="black", linewidth=0.8, label=f"AIDB as printed, {best:.2f} dB")
    axis.axvline(end, color="0.8", linewidth=0.8)
    axis.annotate(
        "the paper's schedule", (end, axis.get_ylim()[0]), rotation=90, ha="right", va="bottom"
    )
    axis.set(xscale="log", xlabel="LR pixels seen", ylabel=f"PSNR-Y on {on} (dB)")
    axis.legend(
        fontsize="small", loc="lower right", bbox_to_anchor=(0.94, 0)
    )  # beside the schedule
    foot(figure, "campaigns " + ", ".join(dict.fromkeys(table["campaign"])))
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
    paths = (results_folder(root) / campaign).glob(f"*-x{scale}/pictures/*.png")
    methods = {path: path.parent.parent.name.removesuffix(f"-x{scale}") for path in paths}
    for path in sorted(methods, key=lambda p: (p.name, rank(methods[p]))):
        trained = any(path.parent.parent.glob("seed*"))
        found.setdefault(path.stem.split("_", 1)[1], {})[label(methods[path], trained)] = path
    return found


class Panel(NamedTuple):
    """One picture of a comparison: its title, its pixels, or the words in the place of them.

    ``place`` says which part of the image it is: (top, left, height, width) of the part, then
    height and width of the image, in HR pixels; None draws no locator.
    """

    title: str
    pixels: NDArray[np.uint8] | None
    words: str = ""
    place: tuple[tuple[int, int, int, int], tuple[int, int]] | None = None


def panels(shown: Sequence[Panel], columns: int, source: str, width: float = WIDTH) -> Figure:
    """Pictures of one size side by side, each under its title, above a line that says their source.

    A picture shown as large as it is, or a whole number of times larger, keeps its pixels.

    Args:
        shown: at least one with pixels; a panel without is an empty frame with its words.
        columns: panels in a row.
        source: what ``foot`` writes.
        width: of the figure in inches.
    """
    height, across = next(panel.pixels for panel in shown if panel.pixels is not None).shape[:2]
    dpi = plt.rcParams["figure.dpi"]

    def whole(inches: float) -> float:  # pixels, so that none of a picture's is drawn twice
        return int(inches * dpi) / dpi

    side = whole((width - (columns - 1) * GAP) / columns)
    tall = whole(side * height / across)
    titles = [_wrapped(panel.title, side) for panel in shown]
    above = whole(TITLE_LINE * max(title.count("\n") + 1 for title in titles) + TITLE_PAD)
    below = whole(0.09 * len(textwrap.wrap(source, int(FOOT_LETTERS * width))) + TITLE_PAD)
    rows = -(-len(shown) // columns)
    total = rows * (above + tall) + GAP + below
    # "none" would hold for the first of several savefig only, and then be the style's layout
    fixed = PlaceHolderLayoutEngine(adjust_compatible=True, colorbar_gridspec=False)
    figure = plt.figure(figsize=(width, total), layout=fixed, dpi=dpi)
    exact = int(side * dpi) % across == 0
    for number, panel in enumerate(shown):
        row, column = divmod(number, columns)
        bottom = total - (row + 1) * (above + tall)
        place = (column * (side + GAP) / width, bottom / total, side / width, tall / total)
        axis = figure.add_axes(place)
        axis.set(xticks=[], yticks=[])
        axis.grid(False)
        axis.set_title(titles[number], fontsize=6, pad=2, linespacing=1.1)
        axis.spines[:].set(visible=panel.pixels is None, color="0.7", linewidth=0.5)
        if panel.pixels is None:
            words = textwrap.fill(panel.words, int(side * 20))
            axis.text(0.5, 0.5, words, ha="center", va="center", fontsize=5.5, color="0.35")
        else:
            axis.imshow(panel.pixels, interpolation="none" if exact else "antialiased")
        if panel.place:
            _locate(figure, panel.place, place, above / total)
    foot(figure, source)
    return figure


def _wrapped(title: str, side: float) -> str:
    """A title in lines that are no wider than its panel, ``side`` inches."""
    lines = [textwrap.wrap(line, int(TITLE_LETTERS * side)) for line in title.split("\n")]
    return "\n".join(part for line in lines for part in line or [""])


def _locate(
    figure: Figure,
    place: tuple[tuple[int, int, int, int], tuple[int, int]],
    panel: tuple[float, float, float, float],
    above: float,
) -> None:
    """A small frame of the whole image at the right of a panel's title, its part filled.

    Args:
        place: as in ``Panel``.
        panel: (left, bottom, width, height) of the panel, and ``above``, the height of its title,
            all in parts of the figure.
    """
    (top, left, tall, wide), (height, width) = place
    x, y, across, up = panel
    box = (x + 0.72 * across, y + up + 0.12 * above, 0.28 * across, 0.8 * above)
    axis = figure.add_axes(box, aspect="equal", anchor="E", xlim=(0, width), ylim=(height, 0))
    axis.set(xticks=[], yticks=[], label="locator")
    axis.grid(False)
    axis.spines[:].set(visible=True, color="0.5", linewidth=0.5)
    axis.add_patch(Rectangle((left, top), wide, tall, color="#D55E00"))


def crops(
    campaign: str,
    image: str,
    window: tuple[int, int, int, int] | None = None,
    scale: int = 4,
    root: Path = ROOT,
    methods: Collection[str] = (),
) -> Figure:
    """A picture as each method reconstructs it, PSNR-Y and SSIM-Y of the whole image above it.

    Args:
        campaign: whose kept pictures.
        image: its stem.
        window: (top, left, height, width) to cut from the kept picture; None shows all of it.
        methods: only these are drawn; all that have pictures where none is named.
    """
    shown = pictures(campaign, scale, root)[image]
    if methods:
        wanted = {f"{method}-x{scale}" for method in methods}
        shown = {name: path for name, path in shown.items() if path.parts[-3] in wanted}
    scores = per_image(campaign, root)
    scores = scores[(scores["image"].astype(str) == image) & (scores["seed"] <= 0)]
    names = [label(m, s >= 0) for m, s in zip(scores["method"], scores["seed"], strict=True)]
    by_label = scores.assign(label=names).set_index("label")  # as ``pictures`` names them
    drawn = []
    for name, path in shown.items():
        pixels = np.asarray(Image.open(path))
        if window:
            top, left, height, width = window
            pixels = pixels[top : top + height, left : left + width]
        score = "\n"  # below the name; HR has none
        if name in by_label.index:
            score += "{psnr_y:.2f} dB / {ssim_y:.4f}".format(**by_label.loc[name])
        drawn.append(Panel(name.partition(" (")[0] + score, pixels))
    table = results(root)
    table = table[(table["campaign"] == campaign) & (table["seed"] <= 0)]
    names = [label(m, s >= 0) for m, s in zip(table["method"], table["seed"], strict=True)]
    runs = table[[name in shown for name in names]]["run"]
    theirs = [name.partition(" (")[0] for name in shown if name.endswith("(authors' weights)")]
    note = f"authors' weights: {', '.join(theirs)}; " if theirs else ""
    columns = 4 if drawn[0].pixels is not None and drawn[0].pixels.shape[1] <= 200 else 3
    return panels(drawn, min(columns, len(drawn)), note + sources({campaign: runs}))


def export(folder: Path, root: Path = ROOT) -> None:
    """Draw the first picture that each campaign's ``pictures`` lists, as CAMPAIGN.png."""
    for params in [root / "params.yaml", *sorted(root.glob("campaigns/*/params.yaml"))]:
        config = load_config(params)
        scale, first = config.matrix.scales[-1], config.pictures.images[0]
        if not pictures(config.campaign.name, scale, root):
            continue  # a campaign that has not been run
        with plt.style.context(["default", STYLE]), plt.ioff():
            figure = crops(config.campaign.name, first.stem, scale=scale, root=root)
            with replacing(folder / f"{config.campaign.name}.png") as temporary:
                figure.savefig(temporary, format="png", metadata={"Software": None})
            plt.close(figure)
