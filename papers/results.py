"""Tracked results: what every run measured, as tables.

Every number comes from a file under ``results/``; one without a run id is refused.
"""

import io
import json
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from srlib.paths import ROOT, find
from srlib.paths import results as results_folder
from srlib.runs import ProvenanceError, scored


def results(root: Path = ROOT) -> pd.DataFrame:
    """Every tracked score, one set of one run a row.

    Returns:
        Columns: campaign, method, scale, seed (-1 where nothing was trained), set, images, psnr_y
        (dB), ssim_y, run.

    Raises:
        ProvenanceError: a ``metrics.json`` whose run has no record; names both.
    """
    rows: list[dict[str, Any]] = []
    for result, sets, run, _ in scored(root=root):
        seed = -1 if result.seed is None else result.seed
        for name, scores in sets.items():
            rows.append(result._asdict() | {"seed": seed, "set": name, "run": run} | scores)
    columns = ["campaign", "method", "scale", "seed", "set", "images", "psnr_y", "ssim_y", "run"]
    return pd.DataFrame(rows, columns=columns)


def per_image(campaign: str, root: Path = ROOT) -> pd.DataFrame:
    """Every image's score of one campaign: method, scale, seed, set, image, psnr_y, ssim_y."""
    frames = []
    for result, path in find("images.csv", campaign, root=root):
        seed = -1 if result.seed is None else result.seed
        frames.append(pd.read_csv(path).assign(method=result.method, scale=result.scale, seed=seed))
    return pd.concat(frames, ignore_index=True)


def searched(campaign: str, root: Path = ROOT) -> pd.DataFrame:
    """The search of learning rates, on images held out of training.

    Returns:
        A row a network, multiple of the recipe's rates and set held out: network, scale, rate,
        seed, lr_pixels (seen), set, psnr_y (dB; NaN where the run was lost), run. Empty without a
        search.
    """
    folder = results_folder(root)
    frames = []
    for path in sorted((folder / campaign / "search").glob("*.csv")):
        record = json.loads((folder / "runs" / campaign / f"search-{path.stem}.json").read_text())
        frames.append(pd.read_csv(path).assign(run=record["run"]))
    if not frames:
        columns = ["network", "scale", "rate", "seed", "lr_pixels", "set", "psnr_y", "run"]
        return pd.DataFrame(columns=columns)
    return pd.concat(frames, ignore_index=True)


def training_log(campaign: str, root: Path = ROOT) -> pd.DataFrame:
    """Every training curve of one campaign: method, scale, seed, step, loss, lr, run."""
    frames = []
    runs = {each.result: each.run for each in scored(campaign, root=root)}
    for result, path in find("train.csv", campaign, root=root):
        frames.append(
            pd.read_csv(path).assign(
                method=result.method,
                scale=result.scale,
                seed=result.seed,
                run=runs[result],
            )
        )
    return pd.concat(frames, ignore_index=True)


def committed(campaign: str = "quick", root: Path = ROOT) -> pd.DataFrame:
    """Scores as they are now beside those of the last commit: what ``make repro`` ends with.

    Returns:
        Columns: method, seed, set, now, committed, difference (dB PSNR-Y); ``committed`` is NaN
        where git has no such result.
    """
    now = results(root)
    now = now[now["campaign"] == campaign]
    with tempfile.TemporaryDirectory() as folder:
        archive = ["git", "-C", str(root), "archive", "HEAD", "results"]
        done = subprocess.run(archive, capture_output=True)
        if done.returncode == 0:
            with tarfile.open(fileobj=io.BytesIO(done.stdout)) as tar:
                tar.extractall(folder, filter="data")
        before = results(Path(folder))
    keys = ["campaign", "method", "scale", "seed", "set"]
    table = now.merge(before[[*keys, "psnr_y"]], on=keys, how="left", suffixes=("", "_git"))
    table = table.rename(columns={"psnr_y": "now", "psnr_y_git": "committed"})
    table["difference"] = table["now"] - table["committed"]
    return table[["method", "scale", "seed", "set", "now", "committed", "difference"]]


def reproduced(root: Path = ROOT) -> str:
    """What of the quick run and of the notebooks is equal, byte for byte, to the last commit.

    Returns:
        A line for the end of ``make repro``; it names each file that differs. The record of a run
        does if what determined the run does: time and commit are another's in every run.

    Raises:
        ProvenanceError: not a git checkout, so there is nothing to compare with.
    """
    kinds = {
        "weights": "results/quick/**/weights.safetensors",
        "scores": "results/quick/**/metrics.json",
        "notebooks": "notebooks/*.ipynb",
    }
    command = ["git", "-C", str(root), "diff", "--name-only", "HEAD", "--", "results", "notebooks"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise ProvenanceError(f"{root} is no git checkout: nothing to compare the results with")
    changed = [name for name in done.stdout.splitlines() if not _same_run(root, name)]
    found = {kind: [*root.glob(pattern)] for kind, pattern in kinds.items()}
    equal = ", ".join(
        f"{sum(path.relative_to(root).as_posix() not in changed for path in paths)} {kind}"
        for kind, paths in found.items()
    )
    line = f"reproduced: {equal} equal to the published ones"
    return line if not changed else f"{line}; different: {', '.join(changed)}"


def _same_run(root: Path, name: str) -> bool:
    """Whether a file is the record, as it was and as it is, of one and the same run."""
    if not name.startswith("results/runs/") or not (root / name).is_file():
        return False
    before = subprocess.run(["git", "-C", str(root), "show", f"HEAD:{name}"], capture_output=True)
    if before.returncode:
        return False
    records = [json.loads(text) for text in (before.stdout, (root / name).read_text("utf-8"))]
    then, now = ({key: one.get(key) for key in ("run", "provenance")} for one in records)
    return then == now


def over_seeds(scores: pd.DataFrame, quantity: str = "psnr_y") -> pd.DataFrame:
    """Mean, spread (largest minus smallest) and count over seeds, and the runs behind them."""
    grouped = scores.groupby(["campaign", "method", "scale", "set"], sort=False)
    return grouped.agg(
        measured=(quantity, "mean"),
        spread=(quantity, lambda values: np.ptp(values) if len(values) > 1 else np.nan),
        seeds=(quantity, "size"),
        runs=("run", lambda runs: " ".join(runs)),
    ).reset_index()
