"""How PSNR grows with the budget: every network trained here, against the LR pixels that it saw."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from srlib.paths import ROOT, find

EXCLUDED = ("quick",)  # six small photographs, scored on others


def points(root: Path = ROOT) -> pd.DataFrame:
    """Every score of a training, one set a row.

    Returns:
        campaign, network, scale, seed, run, optimiser ("Adam" or "Muon"), set, lr_pixels (that
        the run saw, repetitions included), psnr_y (dB).
    """
    rows: list[dict[str, Any]] = []
    for result, path in find("metrics.json", root=root):
        if result.seed is None or result.campaign in EXCLUDED:
            continue
        found = json.loads(path.read_text())
        header = found["provenance"]["training"]
        own = {
            "campaign": result.campaign,
            "network": result.method,
            "scale": result.scale,
            "seed": result.seed,
            "run": found["run"],
            "optimiser": "Muon" if header["train"].get("muon") else "Adam",
            "lr_pixels": lr_pixels(header),
        }
        rows += [own | {"set": name, "psnr_y": s["psnr_y"]} for name, s in found["sets"].items()]
    columns = ["campaign", "network", "scale", "seed", "run", "optimiser", "set"]
    return pd.DataFrame(rows, columns=[*columns, "lr_pixels", "psnr_y"])


def lr_pixels(header: dict[str, Any]) -> int:
    """LR pixels of one channel that a run saw, from the header of its weights."""
    train = header["train"]
    return header["steps"] * train["batch"] * (train["patch"] // header["scale"]) ** 2


def slope(table: pd.DataFrame) -> float:
    """dB gained by twice the LR pixels: least squares over rows of one set and scale.

    NaN where there are fewer than two budgets.
    """
    budget = np.log2(table["lr_pixels"].to_numpy(dtype=float))
    if len(set(budget)) < 2:
        return float("nan")
    return float(np.polyfit(budget, table["psnr_y"].to_numpy(dtype=float), 1)[0])


def times_more(gap: float, table: pd.DataFrame) -> float:
    """The factor in LR pixels that ``gap`` dB more would take, if the line goes on as it is.

    It does not for ever: a curve of this kind flattens, so the factor is a least one.
    """
    gained = slope(table)
    return float(2 ** (gap / gained)) if gained > 0 else float("inf")
