"""Whether networks trained here came far enough for a difference between them to mean something.

A small budget ranks how fast networks learn, not how good they become. So a verdict on networks
trained here needs the *regime*: on every compared set, each network's mean over seeds lies at most
``WITHIN`` dB below what is printed for it (the lowest value, where papers differ). Outside the
regime the verdict is *undecided at this budget*, whatever the interval says.
"""

import math
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from papers import curve
from papers.printed import cells
from srlib.paths import ROOT

WITHIN = 0.5  # dB; the same network's two trainings may lie as far apart (``intervals.DIVERGED``)


class Gap(NamedTuple):
    """How far a network's mean PSNR-Y on a set lies below its printed score, in dB."""

    network: str
    set: str
    gap: float


def gaps(scores: pd.DataFrame, networks: Sequence[str], sets: Sequence[str]) -> list[Gap]:
    """The gap of each network and set that is printed; a part that no paper scores has none.

    Args:
        scores: of one campaign and scale, image by image: method, scale, set, psnr_y.
    """
    found = []
    for network in networks:
        own = scores[scores["method"] == network]
        for name in sets:
            part = own[own["set"] == name]
            if len(part) and (wanted := _lowest().get((network, int(part["scale"].iloc[0]), name))):
                found.append(Gap(network, name, wanted - float(part["psnr_y"].mean())))
    return found


def outside(
    scores: pd.DataFrame,
    networks: Sequence[str],
    sets: Sequence[str],
    campaign: str,
    root: Path = ROOT,
) -> str:
    """Why the networks are not in the regime, in words; empty if they are.

    The words say how far it is away: in dB, and as the factor in LR pixels at the campaign's own
    pace, where that is known.
    """
    found = gaps(scores, networks, sets)
    if not found:
        return f"no paper prints a score of {' or '.join(networks)} on {', '.join(sets)} to reach"
    worst = max(found, key=lambda one: one.gap)
    if worst.gap <= WITHIN:
        return ""
    text = f"{worst.network} is {worst.gap:.2f} dB below its printed score on {worst.set}"
    text += f", and {WITHIN} dB is the most for a verdict on trained networks"
    gained = curve.pace(campaign, int(scores["scale"].iloc[0]), root)
    times = curve.times_more(worst.gap - WITHIN, gained)
    if math.isfinite(times):
        text += f"; at the {gained:.2f} dB that twice the LR pixels bring by this recipe, on "
        text += f"images held out of training, that takes {times:.1f} times as many"
    return text


@cache
def _lowest() -> dict[tuple[str, int, str], float]:
    """The lowest PSNR-Y that any table prints, by network, scale and set."""
    table = cells("psnr_y")
    table = table[table["network"].notna()]
    lowest = table.groupby(["network", "scale", "column"], as_index=False)["value"].min()
    columns = (lowest[name] for name in ("network", "scale", "column", "value"))
    return {(net, int(scale), name): float(v) for net, scale, name, v in zip(*columns, strict=True)}
