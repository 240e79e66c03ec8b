"""Block diagrams drawn from the module itself, and its table of shapes and parameters.

    draw(graph_of(AIDB(50), leaves=(ESA, AIEB)), title="AIDB", counts=True)

A figure drawn by hand can disagree with the code; this one cannot.
"""

import copy
from collections.abc import Iterator
from functools import partial
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
import torch
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from matplotlib.path import Path
from matplotlib.text import Text
from matplotlib.textpath import TextPath
from matplotlib.transforms import Affine2D, ScaledTranslation
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from papers.show.diagram.layout import MARGIN, PORT, Layout, layered
from papers.show.diagram.trace import Diagram, Node, example_for, graph_of, tensors_in
from srlib.evaluation.complexity import parameters

__all__ = ["Diagram", "Node", "draw", "graph_of", "layer_table", "place"]

INK, FAINT = "#444444", "#555555"  # arrows; parameter counts
# Okabe and Ito's colour-blind-safe palette; boxes are filled with a tint of it.
COLOURS = {"input": "#000000", "output": "#000000", "conv": "#56B4E9", "activation": "#F0E442"}
COLOURS |= {"add": "#D55E00", "multiply": "#D55E00", "concat": "#E69F00", "shuffle": "#009E73"}
COLOURS |= {"block": "#CC79A7", "operation": "#999999"}
FONT, SMALL = 7.5, 7.0  # points
PAD = 0.07  # inches, the unit of the drawing


def _lines(node: Node, counts: bool) -> list[tuple[str, float, str]]:
    """Text, size and colour of each line of a box."""
    first, *more = node.label.split("\n")
    lines = [(first, FONT, "black"), *((line, SMALL, "black") for line in more)]
    return lines + [(f"{node.params:,} params", SMALL, FAINT)] * bool(counts and node.params)


def place(
    diagram: Diagram, direction: str = "down", counts: bool = False
) -> tuple[Layout, list[tuple[float, float]]]:
    """Where ``draw`` puts things: the layout, and each box's (width, height), in inches."""
    if direction not in ("down", "right"):
        raise ValueError(f"direction={direction!r} is unknown; choose down or right")
    sizes = []
    for node in diagram.nodes:
        lines, reads = _lines(node, counts), len(diagram.inputs(node.id))
        width = max(
            TextPath((0, 0), text, size, prop=FontProperties()).get_extents().width
            for text, size, _ in lines
        )
        height = sum(1.3 * size for _, size, _ in lines) / 72 + PAD
        # Room for every arrow that comes in, even if all come from the same side.
        least = 2 * (MARGIN + PORT * (reads - 1))
        down = direction == "down"
        width = max(width / 72 + 2 * PAD, height, least if down else 0.0)
        sizes.append((width, height if down else max(height, least)))
    weights = [float(node.params) for node in diagram.nodes]
    return layered(sizes, diagram.edges, weights, direction == "right"), sizes


def draw(
    diagram: Diagram,
    ax: Axes | None = None,
    direction: str = "down",
    title: str | None = None,
    counts: bool = False,
) -> Axes:
    """Draw a diagram with matplotlib in its natural size, so that the text always fits its box.

    Args:
        diagram: from ``graph_of``.
        ax: where to draw, its figure enlarged if too small; None makes a figure of the right size.
        direction: "down" or "right", the way the data flow.
        title: above the drawing.
        counts: write the number of parameters into each box that has any.

    Returns:
        The axes. Each box is a patch whose gid is the node's id.

    Raises:
        ValueError: unknown ``direction``.
    """
    found, sizes = place(diagram, direction, counts)
    width, height = found.size[0] + 2 * PAD, found.size[1] + 2 * PAD
    if ax is None:
        above = 0.3 if title else 0.0
        figure = plt.figure(figsize=(width, height + above))
        ax = figure.add_axes((0.0, 0.0, 1.0, height / (height + above)))
    figure = ax.figure.figure  # the outermost, if the axes stand in a subfigure
    # Boxes have the size of their text, in inches from the top centre of the axes, whatever
    # becomes of the figure later; axes that are too small grow with their figure.
    across, along = figure.get_size_inches()
    share = ax.get_position()
    figure.set_size_inches(max(across, width / share.width), max(along, height / share.height))
    inches = (
        Affine2D().translate(-found.size[0] / 2, -PAD)
        + figure.dpi_scale_trans
        + ScaledTranslation(0.5, 1.0, ax.transAxes)  # type: ignore[arg-type]
    )
    ax.axis("off")
    if title:
        ax.set_title(title, fontsize=FONT + 1)

    down = direction == "down"
    for (start, *rest), arrives in found.arrows:
        points = [start]
        for stub, bend, tip in zip(rest[::3], rest[1::3], rest[2::3], strict=True):
            x, y = (stub[0] + bend[0]) / 2, (stub[1] + bend[1]) / 2
            near, far = ((stub[0], y), (bend[0], y)) if down else ((x, stub[1]), (x, bend[1]))
            points += [stub, near, far, bend, tip]
        codes = [Path.LINETO, Path.CURVE4, Path.CURVE4, Path.CURVE4, Path.LINETO]
        path = Path(points, [Path.MOVETO, *codes * (len(rest) // 3)])
        style = "-|>,head_length=4,head_width=1.8" if arrives else "-"
        line = FancyArrowPatch(
            path=path,
            arrowstyle=style,
            mutation_scale=1,
            color=INK,
            lw=0.8,
            capstyle="round",
            transform=inches,
            clip_on=False,
        )
        ax.add_artist(line)
    for fork in found.forks:
        ax.add_artist(Line2D([fork[0]], [fork[1]], marker="o", ms=2.4, color=INK, transform=inches))
    for node, (x, y), (w, h) in zip(diagram.nodes, found.centres, sizes, strict=True):
        colour = COLOURS[node.kind]
        strength = 0.0 if node.kind in ("input", "output") else 0.45
        tint = [1 + strength * (part - 1) for part in to_rgb(colour)]
        box = FancyBboxPatch(
            (x - w / 2, y - h / 2),
            w,
            h,
            boxstyle=f"round,pad=0,rounding_size={min(w, h) / 4}",
            facecolor=tint,
            edgecolor=colour,
            lw=0.8,
            gid=str(node.id),
            transform=inches,
            clip_on=False,
        )
        ax.add_artist(box)
        lines = _lines(node, counts)
        at = y + sum(0.65 * size for _, size, _ in lines) / 72
        for text, size, ink in lines:
            at -= 0.65 * size / 72
            ax.add_artist(
                Text(
                    x,
                    at,
                    text,
                    size=size,
                    color=ink,
                    ha="center",
                    va="center_baseline",
                    transform=inches,
                )
            )
            at -= 0.65 * size / 72
    return ax


def layer_table(module: nn.Module, lr_size: tuple[int, int] = (64, 64)) -> pd.DataFrame:
    """Shapes, parameters and multiply-adds of a network, block by block.

    Args:
        module: a network; it is copied to the meta device, and nothing is computed.
        lr_size: (height, width) of its input.

    Returns:
        One row per call of a child, in execution order; lists and plain Sequentials count as
        their children. A parameter counts in the first row that uses it. A last row, if needed,
        has what lies outside all children, so both columns sum to the module's totals.

    Raises:
        ValueError: an ``lr_size`` that the module cannot process.
    """
    network = copy.deepcopy(module).to("meta").eval()
    rows: list[list[Any]] = []
    counted: set[int] = set()

    def macs() -> int:
        counts = counter.get_flop_counts().get("Global", {})
        return sum(n for op, n in counts.items() if "conv" in str(op)) // 2

    def enter(name: str, child: nn.Module, _: Any) -> None:
        new = {id(p): p.numel() for p in child.parameters() if id(p) not in counted}
        counted.update(new)
        rows.append([name, type(child).__name__, None, sum(new.values()), -macs()])

    def leave(child: nn.Module, _: Any, result: Any) -> None:
        rows[-1][2] = next((tuple(t.shape) for t in tensors_in(result)), ())
        rows[-1][4] += macs()

    for name, child in _children(network):
        child.register_forward_pre_hook(partial(enter, name))
        child.register_forward_hook(leave)
    with torch.no_grad(), torch.device("meta"), FlopCounterMode(display=False) as counter:
        result = network(example_for(network, lr_size))
    params = parameters(network) - sum(row[3] for row in rows)
    rest = macs() - sum(row[4] for row in rows)
    if params or rest:
        rows.append(["(elsewhere)", type(module).__name__, tuple(result.shape), params, rest])
    columns = ["name", "class", "output shape", "parameters", "conv multiply-adds"]
    return pd.DataFrame(rows, columns=columns)


def _children(module: nn.Module, prefix: str = "") -> Iterator[tuple[str, nn.Module]]:
    for name, child in module.named_children():
        if type(child) in (nn.Sequential, nn.ModuleList, nn.ModuleDict):
            yield from _children(child, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", child
