"""A page for every network: what it adds, its block drawn from the module, counts and scores."""

import sys
from functools import cache
from html import escape
from typing import Any, NamedTuple

import pandas as pd
from torch import nn

from papers.counts import COST, printed_counts, readable, tracked
from papers.printed import cells
from papers.results import results
from papers.show.diagram.draw import graph_of
from papers.show.diagram.trace import Diagram
from papers.show.drawing import Drawing
from papers.show.figures import architecture
from papers.show.tables import show
from srlib.networks import NETWORKS, create_network

SCALES = (2, 3, 4)


class Page(NamedTuple):
    """One paper's page: the module to draw, those drawn as one box, and what it adds.

    ``settings`` shorten or choose what is drawn, where it repeats itself or has two forms.
    """

    block: str
    leaves: tuple[str, ...]
    adds: str
    settings: dict[str, Any] = {}  # noqa: RUF012  (a NamedTuple's default, never changed)


# By the first name of the paper's networks, in the order in which they build on each other.
PAGES: dict[str, Page] = {
    "srcnn": Page("layers", (), "The first: three convolutions on the bicubic image's Y."),
    "fsrcnn": Page(
        "layers", (), "SRCNN at LR size, in a narrow middle, enlarged by its last layer."
    ),
    "vdsr": Page(
        "layers",
        (),
        "Twenty layers (five are drawn), and only the residual is learnt.",
        {"depth": 5},
    ),
    "drcn": Page("recurse", (), "One layer applied sixteen times; every state gives an image."),
    "lapsrn": Page("features.0", (), "Residuals level by level, doubling the size each time."),
    "drrn": Page("unit", (), "DRCN's recursion over a residual unit, without its many outputs."),
    "memnet": Page("blocks.0.residual", (), "DRRN's units, whose states pass a gate together."),
    "srmdnf": Page("layers", (), "Blur and noise enter as feature maps beside the image."),
    "msrresnet": Page(
        "body.0", (), "SRResNet, the challenges' baseline: residual blocks, no norm."
    ),
    "edsr-baseline": Page("body.0", (), "SRResNet's blocks and a mean shift, trained harder."),
    "carn": Page("body", ("Cascade", "ResidualBlock"), "Cascades: every block sees all before it."),
    "rdn": Page("blocks.0", (), "Dense connections inside residual blocks, and fusion of all."),
    "rcan": Page(
        "body.0.body.0", ("ChannelAttention",), "A very deep EDSR with channel attention."
    ),
    "san": Page(
        "groups.0",
        ("ResidualBlock", "SOCA"),
        "RCAN's attention, from second-order statistics (two of ten blocks are drawn).",
        {"blocks": 2},
    ),
    "idn": Page("blocks.0", (), "Distillation: a part of the channels is kept, the rest refined."),
    "imdn": Page("blocks.0", ("ChannelAttention",), "IDN's split three times a block, with CCA."),
    "rfdn": Page("blocks.0", ("ChannelAttention", "ESA"), "IMDN's splits become 1×1 convolutions."),
    "aidn": Page(
        "blocks.0", ("AIEB", "ESA"), "RFDN's block at half the width, asymmetric, reused."
    ),
    "rdsrn": Page("recursive.0", (), "IMDN's split with wide channels, applied recursively."),
    "awsrn": Page("blocks.0", ("AWRU",), "Wide activations with learnt weights on every branch."),
    "maffsrn": Page("blocks.0", ("MAB",), "Attention within a fused, weight-normalised group."),
    "lapar-a": Page("blocks.0", (), "Predicts, for each pixel, a mixture of 72 fixed filters."),
    "ecbsr-m16c64": Page(
        "body.0", (), "Plain 3×3 layers, each trained as the branches drawn here.", {"ecb": True}
    ),
    "rlfn": Page(
        "blocks.0", ("PlainESA",), "RFDN without distillation: a short chain, for its runtime."
    ),
    "bsrn": Page(
        "blocks.0",
        ("BSConv", "SeparableESA", "ChannelAttention"),
        "RFDN's block with its 3×3 layers split in two, and CCA after ESA.",
    ),
    "span": Page(
        "blocks.0",
        (),
        "Plain 3×3 layers; the residual masks itself, by a parameterless odd function.",
    ),
    "spanv2": Page("blocks.0", (), "SPAN's block, its mask learnt by a 1×1 convolution."),
    "fdiwn": Page("groups.0", ("WDIB", "WIRW"), "Wide-residual units that weigh each other."),
}


def variants(name: str) -> list[str]:
    """All names of the registry that build the class of ``name``, in the registry's order."""
    return [other for other, entry in NETWORKS.items() if entry.network is NETWORKS[name].network]


def costs(name: str) -> pd.DataFrame:
    """Counts of a paper's networks, a row a network and scale, with what is printed.

    Returns:
        Columns: network, scale, the columns ``papers.counts.COST``, and printed: every paper's
        cell for it.
    """
    own = [(n, scale) for n in variants(name) for scale in SCALES if (n, scale) in tracked()]
    there = _printed_counts().groupby(["network", "scale"], sort=False)
    printed = {
        key: ", ".join(cells["paper"].str.upper() + " " + cells["printed"]) for key, cells in there
    }
    table = readable(own)[["network", "scale", *COST]]
    return table.assign(printed=[printed.get(key, "") for key in own])


def scores(name: str) -> pd.DataFrame:
    """PSNR-Y and SSIM-Y of a paper's networks at x2 to x4: published beside measured.

    Returns:
        Columns: network, scale, set, published (dB, every paper's cell), measured (dB, by the
        authors' weights, where the results have them), ssim_y, inference (whole or chop) and run.
    """
    names = variants(name)
    printed = cells("psnr_y")
    printed = printed[printed["network"].isin(names)]
    keys = ["network", "scale", "set"]
    joined = printed.rename(columns={"column": "set"}).groupby(keys, sort=False)
    table = joined.agg(
        published=("value", lambda values: " / ".join(f"{value:.2f}" for value in values))
    ).reset_index()
    measured = _results()
    measured = measured[(measured["campaign"] != "quick") & (measured["seed"] < 0)]
    chop = measured["method"].str.endswith("-chop")
    measured = measured.assign(
        network=measured["method"].str.removesuffix("-chop"),
        inference=chop.map({True: "chop", False: "whole"}),
    )
    measured = measured[measured["network"].isin(names)]
    columns = [*keys, "psnr_y", "ssim_y", "inference", "run"]
    table = table.merge(measured[columns], on=keys, how="outer" if len(measured) else "left")
    table = table.rename(columns={"psnr_y": "measured"})
    return table.fillna({"published": "", "inference": "", "run": ""})


# read once for all pages
_printed_counts = cache(printed_counts)
_results = cache(results)


def source(name: str) -> tuple[str, str]:
    """The title and the citation of a network's paper, as its module has them."""
    text = (sys.modules[NETWORKS[name].network.__module__].__doc__ or "").strip()
    title, _, rest = text.partition("\n\n")
    return title.rstrip("."), rest.partition("\n\n")[0].replace("\n", " ")


def block(name: str) -> Diagram:
    """The block of a paper's page, as its module is built."""
    page = PAGES[name]
    module = create_network(name, 4, **page.settings).get_submodule(page.block)
    return graph_of(module, leaves=_classes(module, page.leaves))


class Pages:
    """Papers' pages, each a line that opens: source, addition, block, counts, scores.

    Plain HTML (``details``) without script, as ``papers.show.verdicts.Opened``. A page's address is
    its name: ``10_networks.ipynb#aidn``.
    """

    def __init__(self, *names: str) -> None:
        self.names = names

    def __repr__(self) -> str:
        return f"Pages of {', '.join(self.names)}"

    def _repr_html_(self) -> str:
        return "\n".join(page(name) for name in self.names)


def page(name: str) -> str:
    """A paper's page as HTML."""
    about = PAGES[name]
    title, citation = source(name)
    diagram = block(name)
    boxes = ", ".join(dict.fromkeys(node.label.partition("\n")[0] for node in diagram.nodes))
    alt = f"Block diagram of {name}, {about.block}, drawn from the module; its boxes: {boxes}"
    parts = [
        f"<p>{escape(citation)}</p>",
        Drawing(architecture({f"{name}: {about.block}": diagram}), alt)._repr_html_(),
        *tables(name),
    ]
    inside = "\n".join(parts)
    return (
        f'<details id="{name}"><summary><b>{escape(title)}</b> · '
        f"{escape(about.adds)}</summary>\n{inside}\n</details>"
    )


def tables(name: str) -> list[str]:
    """A paper's counts and, where there are any, its scores, as HTML tables."""
    counts = show(costs(name), f"{name}: counts measured, and as printed", digits=4)
    shown, found = [counts], scores(name)
    if len(found):
        shown.append(show(found, f"{name}: PSNR-Y (dB) published | measured", digits=3))
    return [table._repr_html_() or "" for table in shown]


def _classes(module: nn.Module, names: tuple[str, ...]) -> tuple[type[nn.Module], ...]:
    inside = {type(part).__name__: type(part) for part in module.modules() if part is not module}
    return tuple(inside[name] for name in names if name in inside)
