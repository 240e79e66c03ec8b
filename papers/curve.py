"""How PSNR grows with the budget: every network trained here, against the LR pixels that it saw."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from papers.results import searched
from srlib import config
from srlib.paths import ROOT, Result
from srlib.runs import scored

EXCLUDED = ("quick",)  # six small photographs, scored on others


def points(root: Path = ROOT) -> pd.DataFrame:
    """Every score of a training, one set a row.

    Returns:
        campaign, network, scale, seed, run, optimiser ("Adam" or "Muon"), set, lr_pixels (that
        the run saw, repetitions included), psnr_y (dB).
    """
    rows: list[dict[str, Any]] = []
    trained = [
        each
        for each in scored(root=root)
        if each.result.seed is not None and each.result.campaign not in EXCLUDED
    ]
    headers = {each.result: each.provenance["training"] for each in trained}
    for result, sets, run, provenance in trained:
        header = provenance["training"]
        own = {
            "campaign": result.campaign,
            "network": result.method,
            "scale": result.scale,
            "seed": result.seed,
            "run": run,
            "optimiser": "Muon" if header["train"].get("muon") else "Adam",
            "lr_pixels": _seen(result, headers),
        }
        rows += [own | {"set": name, "psnr_y": s["psnr_y"]} for name, s in sets.items()]
    columns = ["campaign", "network", "scale", "seed", "run", "optimiser", "set"]
    return pd.DataFrame(rows, columns=[*columns, "lr_pixels", "psnr_y"])


def held_out(network: str = "aidn-aidb", scale: int = 4, root: Path = ROOT) -> pd.DataFrame:
    """What the recipes came to on images held out of training, by which they may be chosen.

    Returns:
        A row a run of the network that was validated on such images: campaign, seed, optimiser,
        patches (their sides in HR pixels, in the order of the stages), lr_pixels (seen), a column
        of PSNR-Y (dB) for each set held out, run.
    """
    table = points(root)
    tests = set(table["set"])
    seen = table.drop_duplicates("run").set_index("run").to_dict("index")
    rows = []
    for result, _, run, provenance in scored(method=network, root=root):
        if result.scale != scale or run not in seen:
            continue
        log = pd.read_csv(result.folder(root) / "validation.csv")
        last = log[(log["step"] == log["step"].max()) & ~log["set"].isin(tests)]
        if last.empty:
            continue
        sides = dict.fromkeys(side for _, side in config.drawn(provenance["training"]["train"]))
        row = {"campaign": result.campaign, "seed": result.seed}
        row |= {"optimiser": seen[run]["optimiser"], "patches": ", ".join(map(str, sides))}
        row |= {"lr_pixels": seen[run]["lr_pixels"]}
        row |= dict(zip(last["set"], last["psnr_y"], strict=True))
        rows.append(row | {"run": run})
    found = pd.DataFrame(rows)
    return found[[*(c for c in found if c != "run"), "run"]] if rows else found


def _seen(result: Result, headers: dict[Result, dict[str, Any]]) -> int:
    """LR pixels that a run saw, with those of the campaign that it went on from."""
    header = headers[result]
    start = header["train"].get("start")
    before = _seen(result._replace(campaign=start), headers) if start else 0
    return before + lr_pixels(header)


def lr_pixels(header: dict[str, Any]) -> int:
    """LR pixels of one channel that a run itself saw, from the header of its weights."""
    return config.lr_pixels(header["train"], header["scale"])


def pace(campaign: str, scale: int = 4, root: Path = ROOT) -> float:
    """dB gained by twice the LR pixels under one recipe, on images held out of training.

    The recipe's whole runs against the short ones of its search, at the same rates: nothing else
    differs, as it does between campaigns. Mean over networks and sets held out; NaN for a campaign
    without a search.
    """
    short = searched(campaign, root)
    short = short[(short["rate"] == 1) & (short["scale"] == scale)]
    gained = []
    for network, rows in short.groupby("network"):
        whole = held_out(str(network), scale, root)
        whole = whole[whole["campaign"] == campaign] if len(whole) else whole
        for row in rows.to_dict("records") if len(whole) else []:
            doublings = np.log2(whole["lr_pixels"].mean() / row["lr_pixels"])
            gained.append((whole[row["set"]].mean() - row["psnr_y"]) / doublings)
    return float(np.mean(gained)) if gained else float("nan")


def times_more(gap: float, gained: float) -> float:
    """The factor in LR pixels that ``gap`` dB more would take at a ``pace``, if that stays.

    It does not for ever, since a curve of this kind flattens.
    """
    return float(2 ** (gap / gained)) if gained > 0 else float("inf")
