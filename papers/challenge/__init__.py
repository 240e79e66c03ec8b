"""The challenges on efficient super-resolution after AIDN, NTIRE 2022 to 2026: what they print.

``entries.csv`` has the entries that their public repositories print, each with its place; the
reports themselves have more. AIM 2020 is RFDN's Table 5 (``papers/rfdn/printed.yaml``). A runtime
belongs to a device and a year, and none is compared with another device's.
"""

import math
from pathlib import Path

import pandas as pd

from papers.counts import tracked
from papers.printed import Number

FILE = Path(__file__).with_name("entries.csv")
WEIGHTS = {"runtime_ms": 0.8, "flops_g": 0.1, "params_m": 0.1}  # of NTIRE 2026's score
# Columns of the file beside our counts: what is printed is in millions or in thousand millions.
COUNTS = {
    "params_m": ("params", 10**6),
    "flops_g": ("conv_macs_256", 10**9),
    "activations_m": ("conv_activations_256", 10**6),
    "convs": ("conv_calls", 1),
}
SCALE = 4
COUNTER_OF_2022 = "ntire_flops_256"  # it adds an operation for each output of an activation


def entries() -> pd.DataFrame:
    """Every printed entry: the columns of the file, numbers as numbers, "" where not printed."""
    texts = ["challenge", "entry", "network", "baseline", "sets", "device", "source", "counter"]
    table = pd.read_csv(FILE, dtype=dict.fromkeys(texts, str))
    return table.fillna(dict.fromkeys(texts, ""))


def baseline(challenge: str = "NTIRE 2026") -> pd.Series:
    """The entry that a challenge holds the others against.

    Raises:
        ValueError: no such challenge.
    """
    table = entries()
    found = table[(table["challenge"] == challenge) & (table["baseline"] == "yes")]
    if len(found) != 1:
        known = ", ".join(dict.fromkeys(table["challenge"]))
        raise ValueError(f"challenge: expected one of {known}, got {challenge!r}")
    return found.iloc[0]


def score(runtime_ms: float, flops_g: float, params_m: float, against: pd.Series) -> float:
    """NTIRE 2026's score: less is better, and the baseline has e² = 7.39.

    The sum over runtime (weight 0.8), FLOPs and parameters (0.1 each) of weight x exp(2 x / b),
    where b is the baseline's value.

    Args:
        runtime_ms, flops_g, params_m: of the entry; ms, 10⁹ and 10⁶.
        against: the baseline, as ``baseline`` gives it.
    """
    values = {"runtime_ms": runtime_ms, "flops_g": flops_g, "params_m": params_m}
    return sum(
        weight * math.exp(2 * values[name] / float(against[name]))
        for name, weight in WEIGHTS.items()
    )


def scored(challenge: str = "NTIRE 2026") -> pd.DataFrame:
    """A challenge's entries by their score, as printed and by the counts of this repository.

    Returns:
        entry, runtime_ms, flops_g, params_m, score; and counted_flops_g and score_counted, which
        are NaN where the network is not in srlib.
    """
    table = entries()
    table = table[table["challenge"] == challenge].copy()
    against = baseline(challenge)
    names = list(WEIGHTS)
    table["score"] = [
        score(row["runtime_ms"], row["flops_g"], row["params_m"], against)
        for row in table.to_dict("records")
    ]
    table["counted_flops_g"] = [
        _counted(row["network"], "flops_g", row["year"]) for row in table.to_dict("records")
    ]
    table["score_counted"] = [
        score(row["runtime_ms"], row["counted_flops_g"], row["params_m"], against)
        for row in table.to_dict("records")
    ]
    table = table.sort_values("score")
    return table[["entry", *names, "score", "counted_flops_g", "score_counted"]]


def beside_counts() -> pd.DataFrame:
    """Every printed count of a network that is in srlib, beside ours.

    Returns:
        challenge, entry, network, quantity, printed (as it stands), counted, agrees (by rounding
        or cutting off to the printed digits), because (where it does not and the cause is known).
    """
    text = pd.read_csv(FILE, dtype=str, keep_default_na=False)
    rows = []
    for entry in text[text["network"] != ""].to_dict("records"):
        for column in COUNTS:
            if entry[column]:
                counted = _counted(entry["network"], column, entry["year"])
                agrees = Number.read(entry[column]).admits(counted)
                rows.append(
                    {
                        "challenge": entry["challenge"],
                        "entry": entry["entry"],
                        "network": entry["network"],
                        "quantity": column,
                        "printed": entry[column],
                        "counted": counted,
                        "agrees": agrees,
                        "because": "" if agrees else entry["counter"],
                    }
                )
    return pd.DataFrame(rows)


def _counted(network: str, column: str, year: object) -> float:
    """A count of srlib's by the year's counter, in the file's units; NaN where it has not one."""
    if not network:
        return math.nan
    quantity, unit = COUNTS[column]
    if column == "flops_g" and str(year) == "2022":
        quantity = COUNTER_OF_2022
    return float(tracked()[network, SCALE][quantity]) / unit
