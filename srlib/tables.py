"""Tables for the notebooks: tracked results, and published beside measured.

Every number comes from ``published/`` or from a tracked output under ``results/``; a result without
a run id is refused.
"""

import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pandas.io.formats.style import Styler

ROOT = Path(__file__).parent.parent
UNITS = {"psnr_y": "PSNR-Y (dB)", "ssim_y": "SSIM-Y"}
DIGITS = {"psnr_y": 2, "ssim_y": 4}


class ProvenanceError(ValueError):
    """A result that does not say which run made it."""


def results(root: Path = ROOT) -> pd.DataFrame:
    """Every tracked score, one set of one run a row.

    Returns:
        Columns: campaign, method, scale, seed (-1 where nothing was trained), set, images, psnr_y
        (dB), ssim_y, run.

    Raises:
        ProvenanceError: a ``metrics.json`` without a run id; names it.
    """
    rows: list[dict[str, Any]] = []
    for path in sorted((root / "results").glob("*/*/**/metrics.json")):
        campaign, label = path.relative_to(root / "results").parts[:2]
        found = json.loads(path.read_text())
        if not found.get("run") or "provenance" not in found:
            raise ProvenanceError(f"{path} names no run; evaluate it again with srlib evaluate")
        seed = found["provenance"].get("training", {}).get("seed", -1)
        method, scale = label.rsplit("-x", 1)
        for name, scores in found["sets"].items():
            rows.append(
                {"campaign": campaign, "method": method, "scale": int(scale), "seed": seed}
                | {"set": name, "run": found["run"]}
                | scores
            )
    columns = ["campaign", "method", "scale", "seed", "set", "images", "psnr_y", "ssim_y", "run"]
    return pd.DataFrame(rows, columns=columns)


def per_image(campaign: str, root: Path = ROOT) -> pd.DataFrame:
    """Every image's score of one campaign: method, scale, seed, set, image, psnr_y, ssim_y."""
    frames = []
    for path in sorted((root / "results" / campaign).glob("**/images.csv")):
        label, *below = path.relative_to(root / "results" / campaign).parts
        method, scale = label.rsplit("-x", 1)
        seed = int(below[0].removeprefix("seed")) if len(below) > 1 else -1
        frames.append(pd.read_csv(path).assign(method=method, scale=int(scale), seed=seed))
    return pd.concat(frames, ignore_index=True)


def training_log(campaign: str, root: Path = ROOT) -> pd.DataFrame:
    """Every training curve of one campaign: method, scale, seed, step, loss, lr, run."""
    frames = []
    for path in sorted((root / "results" / campaign).glob("*/seed*/train.csv")):
        method, scale = path.parent.parent.name.rsplit("-x", 1)
        metrics = json.loads((path.parent / "metrics.json").read_text())
        frames.append(
            pd.read_csv(path).assign(
                method=method,
                scale=int(scale),
                seed=int(path.parent.name.removeprefix("seed")),
                run=metrics["run"],
            )
        )
    return pd.concat(frames, ignore_index=True)


def over_seeds(scores: pd.DataFrame, quantity: str = "psnr_y") -> pd.DataFrame:
    """Mean, spread (largest minus smallest) and count over seeds, and the runs behind them."""
    grouped = scores.groupby(["campaign", "method", "scale", "set"], sort=False)
    return grouped.agg(
        measured=(quantity, "mean"),
        spread=(quantity, lambda values: values.max() - values.min()),
        seeds=(quantity, "size"),
        runs=("run", lambda runs: " ".join(runs)),
    ).reset_index()


def beside(printed: pd.DataFrame, scores: pd.DataFrame, quantity: str = "psnr_y") -> pd.DataFrame:
    """Published | measured | difference for every printed cell, measured over seeds.

    Args:
        printed: from ``published``.
        scores: from ``results``, of one campaign.
        quantity: "psnr_y" or "ssim_y".

    Returns:
        A row a printed cell: row, set, published, measured, difference, spread, seeds, runs; NaN
        and an empty string where nothing was measured.
    """
    cells = printed[printed["quantity"] == quantity].rename(
        columns={"network": "method", "column": "set", "value": "published"}
    )
    table = cells.merge(over_seeds(scores, quantity), on=["method", "scale", "set"], how="left")
    table["difference"] = table["measured"] - table["published"]
    table["runs"] = table["runs"].fillna("")
    columns = ["row", "set", "published", "measured", "difference", "spread", "seeds", "runs"]
    return table[columns]


def show(table: pd.DataFrame, caption: str, digits: int = 2) -> Styler:
    """A table for a notebook: fixed digits, signs on differences, a dash for what is missing."""
    formats: dict[Any, Any] = {
        column: f"{{:+.{digits}f}}" if column == "difference" else f"{{:.{digits}f}}"
        for column in table.select_dtypes(np.floating).columns
    }
    formats |= {column: "{:.0f}" for column in ("seeds",) if column in table}
    style = table.style.format(formats, na_rep="–").hide(axis="index")
    # A fixed id: pandas would draw a random one, and the notebook would never be the same twice.
    return style.set_caption(caption).set_uuid(f"t{zlib.crc32(caption.encode()):08x}")
