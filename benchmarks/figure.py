"""Draw ``results.png`` from ``results.csv``: how quick the engines are, and what tiles save.

python benchmarks/figure.py
"""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from table import QUICKER, TABLE

WAYS = {
    "torch f32": "#9ecae1",
    "onnxruntime f32": "#4292c6",
    "openvino f32": "#08519c",
    "torch bf16": "#fdae6b",
    "openvino bf16": "#d94801",
}
WHOLE, TILES = "#9ecae1", "#08519c"


def engines(axes: Axes, table: pd.DataFrame) -> None:
    """Bars: each network by each engine, at the largest size that was measured."""
    rows = table[(table["benchmark"] == "inference") & (table["measure"] == QUICKER)]
    size = rows["size"].iloc[-1]
    rows = rows[rows["size"] == size]
    bars(axes, rows, {way: color for way, color in WAYS.items() if way in set(rows["way"])})
    axes.axhline(1, color="#444444", linewidth=0.8)
    axes.set_ylabel("times as quick as PyTorch's plain pass")
    axes.set_title(f"Engines at LR {size}, x4, one thread, CPU time", fontsize=10)


def tiles(axes: Axes, table: pd.DataFrame) -> None:
    """Bars: the peak of whole pictures and of exact tiles, of the largest size."""
    rows = table[(table["benchmark"] == "memory") & table["measure"].str.startswith("MB")]
    rows = rows[rows["way"].str.contains("whole|tiles")].assign(value=rows["value"] / 1000)
    names = list(rows["way"].unique())
    bars(axes, rows, dict(zip(names, (WHOLE, TILES), strict=True)))
    axes.set_ylabel("GB of memory at the peak")
    axes.set_title(f"LR {rows['size'].iloc[0]}, x4", fontsize=10)


def bars(axes: Axes, rows: pd.DataFrame, colors: dict[str, str]) -> None:
    """A group of bars for each network, a bar for each way; the value above it."""
    values = rows.pivot_table(index="subject", columns="way", values="value", sort=False)
    width = 0.85 / len(colors)
    for number, (way, color) in enumerate(colors.items()):
        places = np.arange(len(values)) + (number - (len(colors) - 1) / 2) * width
        drawn = axes.bar(places, values[way], width, color=color, label=way)
        axes.bar_label(drawn, fmt="%.1f", fontsize=7, padding=1)
    axes.set_xticks(range(len(values)), [name.upper() for name in values.index])
    axes.set_ylim(0, 1.3 * float(values.max().max()))  # room for the names of the colours
    axes.legend(fontsize=8, ncols=2 if len(colors) > 2 else 1, frameon=False, loc="upper right")
    axes.spines[["top", "right"]].set_visible(False)


def main() -> None:
    table = pd.read_csv(TABLE, keep_default_na=False)
    figure, (left, right) = plt.subplots(
        1, 2, figsize=(11, 4), width_ratios=(2.6, 1), layout="constrained", facecolor="white"
    )
    engines(left, table)
    tiles(right, table)
    machines = table.loc[table["benchmark"] == "inference", "machine"].unique()
    figure.supxlabel(", ".join(sorted(machines)), fontsize=8)
    figure.savefig(TABLE.with_suffix(".png"), dpi=110)


if __name__ == "__main__":
    main()
