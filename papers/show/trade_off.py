"""What networks cost against what they score: points printed and measured, their Pareto front.

A chart of them in the manner of AIDN's Figure 1 and RFDN's Figures 4 and 5, whose points stand in
no text: those drawn here are the cells of the papers' tables, and what was measured.
"""

import re
from pathlib import Path
from typing import Any, Literal

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from papers import counts
from papers.counts import count
from papers.printed import FACTORS, published
from papers.results import ProvenanceError, results
from papers.show.figures import foot, label, sources
from papers.show.point_labels import name_points
from srlib.paths import ROOT
from srlib.runs import scored
from srlib.weights.official import official

Cost = Literal["params", "macs_720p"]

PRINTED, AUTHORS, TRAINED = "printed", "authors' weights", "trained here"
OWN = ("ablation",)  # campaigns on real photographs; the quick run's minutes are not comparable
AXES = {
    "params": "parameters (thousands)",
    "macs_720p": "multiply-adds for a 1280×720 HR image (10⁹)",
}
UNITS = {"params": ("K", 0), "macs_720p": ("G", 1)}  # and the digits worth reading
COLUMNS = ["name", "kind", "network", "cost", "psnr_y", "low", "high", "campaign", "runs"]
STYLES: dict[str, dict[str, Any]] = {
    PRINTED: {"color": "#0072B2", "marker": "o", "markersize": 3.2},
    AUTHORS: {"color": "#D55E00", "marker": "D", "markersize": 4.2, "fillstyle": "none"},
    TRAINED: {"color": "#009E73", "marker": "_", "markersize": 5},
}


def points(
    paper: str,
    table: str,
    dataset: str,
    cost: Cost = "params",
    scale: int = 4,
    most: float = np.inf,
    root: Path = ROOT,
) -> pd.DataFrame:
    """The points of a chart, one a network and kind.

    Printed networks have the PSNR of the table, and its parameters; multiply-adds are always
    counted here, because neither AIDN nor RFDN prints them for one image size. Measured ones are
    the authors' weights (campaign benchmarks, the whole image at once) and our own training
    (``OWN``, mean over seeds), with the counts of the very network.

    Args:
        paper, table: as ``published`` takes them.
        dataset: the test set, such as "Set5".
        cost: "params" in thousands, or "macs_720p" in 10^9 multiply-adds for a 1280x720 HR image.
        scale: magnification.
        most: leave out what costs more.

    Returns:
        Columns: name, kind (``PRINTED``, ``AUTHORS`` or ``TRAINED``), network, cost, psnr_y (dB),
        low and high (of the seeds), campaign, runs.

    Raises:
        ProvenanceError: a measured score without a run.
    """
    found = pd.DataFrame(
        [*_printed(paper, table, dataset, cost, scale), *_measured(dataset, cost, scale, root)],
        columns=COLUMNS,
    )
    unknown = found[(found["kind"] != PRINTED) & (found["runs"] == "")]
    if len(unknown):
        raise ProvenanceError(f"{list(unknown['name'])} on {dataset}: a score without a run")
    return found[found["cost"] <= most].reset_index(drop=True)


def _printed(paper: str, table: str, dataset: str, cost: Cost, scale: int) -> list[dict[str, Any]]:
    printed = published(paper, table)
    printed = printed[printed["scale"] == scale]
    params = printed[printed["quantity"] == "params"].set_index("row")["value"]
    psnr = printed[(printed["quantity"] == "psnr_y") & (printed["column"] == dataset)]
    rows = []
    for cell in psnr.to_dict("records"):
        if cost == "params":
            x = params.get(cell["row"])
        else:
            known = isinstance(cell["network"], str)
            x = _cost(cell["network"], scale, cost) if known else None
        if x is not None:
            name = re.sub(r"\s*[\[(].*", "", cell["row"])  # "RFDN [20]", "AIDN(ours)"
            seen = dict.fromkeys(("psnr_y", "low", "high"), cell["value"])
            rows.append({"name": name, "kind": PRINTED, "network": cell["network"], "cost": x})
            rows[-1] |= seen | {"campaign": cell["source"], "runs": ""}
    return rows


def _measured(dataset: str, cost: Cost, scale: int, root: Path) -> list[dict[str, Any]]:
    scores = results(root)
    scores = scores[(scores["set"] == dataset) & (scores["scale"] == scale)]
    authors = scores["campaign"].eq("benchmarks") & scores["method"].isin(list(official()))
    own = scores["campaign"].isin(OWN) & (scores["seed"] >= 0)
    rows = []
    for (campaign, method), group in scores[authors | own].groupby(["campaign", "method"]):
        if campaign in OWN:
            kind, network = TRAINED, str(method)
            first = next(scored(str(campaign), str(method), root))
            settings = first.provenance["training"]["settings"]
        else:
            kind, entry = AUTHORS, official()[str(method)]
            network, settings = entry["network"], entry["settings"]
        psnr = group["psnr_y"]
        rows.append(
            {"name": label(str(method)), "kind": kind, "network": network}
            | {"cost": _cost(network, scale, cost, **settings), "psnr_y": psnr.mean()}
            | {"low": psnr.min(), "high": psnr.max(), "campaign": campaign}
            | {"runs": " ".join(group["run"])}
        )
    return rows


def _cost(network: str, scale: int, cost: Cost, **settings: Any) -> float:
    """A network's parameters (thousands) or multiply-adds (10^9)."""
    return count(network, scale, cost, **settings) / FACTORS[UNITS[cost][0]]


def front(found: pd.DataFrame) -> pd.DataFrame:
    """The Pareto front: points that no other betters in one of cost and PSNR, nor equals in both.

    In ascending cost. Of equal points, all are on it or none.
    """
    cost, psnr = found["cost"].to_numpy(), found["psnr_y"].to_numpy()
    no_worse = (cost[:, None] >= cost) & (psnr[:, None] <= psnr)
    better = (cost[:, None] > cost) | (psnr[:, None] < psnr)
    bettered = np.any(no_worse & better, axis=1)
    best = found.iloc[np.flatnonzero(~bettered)]
    return best.sort_values("cost", kind="stable")


def verdict(found: pd.DataFrame, cost: Cost) -> str:
    """A paragraph for the printed points and one for the measured: who lies on the Pareto front."""
    unit, digits = UNITS[cost]
    sentences = []
    for opening, kinds in (("As printed", [PRINTED]), ("As measured", [AUTHORS, TRAINED])):
        part = found[found["kind"].isin(kinds)]
        best = front(part).to_dict("records")
        names = [
            f"{row['name']} ({row['cost']:,.{digits}f} {unit}, {row['psnr_y']:.2f})" for row in best
        ]
        sentences.append(
            f"{opening}, {len(best)} of {len(part)} lie on the Pareto front ({unit}, PSNR-Y in dB):"
            f" {', '.join(names) or 'none'}."
        )
    return "\n\n".join(sentences)


def printed_points(found: pd.DataFrame) -> pd.DataFrame:
    """A chart's points as a table: a network's printed cost and PSNR beside those measured.

    Args:
        found: from ``points``, against parameters at x4.

    Returns:
        A row a name: network, K published, K counted (also where no score was measured), PSNR
        published, PSNR measured, difference (dB), kind of what was measured, runs.
    """
    printed = found[found["kind"] == PRINTED].set_index("name")
    measured = found[found["kind"] != PRINTED].set_index("name")
    rows = []
    for name in dict.fromkeys(found["name"]):
        theirs = printed.loc[name] if name in printed.index else pd.Series(dtype=object)
        ours = measured.loc[name] if name in measured.index else pd.Series(dtype=object)
        known = theirs.get("network")
        counted = _cost(known, 4, "params") if isinstance(known, str) else np.nan
        rows.append(
            {
                "network": name,
                "K published": theirs.get("cost", np.nan),
                "K counted": ours.get("cost", counted),
                "PSNR published": theirs.get("psnr_y", np.nan),
                "PSNR measured": ours.get("psnr_y", np.nan),
                "difference": ours.get("psnr_y", np.nan) - theirs.get("psnr_y", np.nan),
                "measured with": ours.get("kind", ""),
                "runs": ours.get("runs", ""),
            }
        )
    return pd.DataFrame(rows)


def printed_macs(found: pd.DataFrame, scale: int = 4) -> pd.DataFrame:
    """Multiply-adds that any of the papers prints for a chart's networks, beside ours.

    Returns:
        A row a printed cell: network, source, published and measured (10^9), difference, and the
        reason where ours, rounded or cut off to the printed digits, is not what is printed.
    """
    table = counts.printed_counts()
    table = table[(table["quantity"] == "macs_720p") & (table["scale"] == scale)]
    table = table[table["network"].isin(set(found["network"]))].reset_index(drop=True)
    return table[["network", "source", "published", "measured", "difference", "reason"]]


def chart(found: pd.DataFrame, cost: Cost, dataset: str, scale: int, printed: str) -> Figure:
    """PSNR against cost on a logarithmic axis, each kind with its marker.

    Bold names lie on the Pareto front, of the printed points or of the measured ones.

    Args:
        found: from ``points``.
        cost, dataset, scale: of these points, for the axes.
        printed: what the printed points are, for the legend.
    """
    figure, axis = plt.subplots(figsize=(6.8, 4.6))  # a whole page: twenty names need it
    names = {PRINTED: printed, AUTHORS: "authors' weights", TRAINED: "trained here"}
    for kind, style in STYLES.items():
        part = found[found["kind"] == kind]
        if not len(part):
            continue
        axis.plot(part["cost"], part["psnr_y"], linestyle="none", label=names[kind], **style)
        axis.vlines(part["cost"], part["low"], part["high"], color=style["color"], lw=0.8)
    axis.set(xscale="log", xlabel=AXES[cost], ylabel=f"PSNR-Y on {dataset}, ×{scale} (dB)")
    decades = np.ptp(np.log10(found["cost"]))
    axis.xaxis.set_major_locator(LogLocator(subs=(1, 3) if decades < 3.2 else (1,)))
    axis.xaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
    axis.xaxis.set_minor_formatter(NullFormatter())
    axis.margins(x=0.06, y=0.08)
    figure.legend(loc="outside upper left", ncols=3, handletextpad=0, columnspacing=0.6)
    measured, table = found[found["kind"] != PRINTED], found[found["kind"] == PRINTED]
    cited = ", ".join(dict.fromkeys(table["campaign"]))
    runs = {
        str(name): " ".join(part["runs"]).split() for name, part in measured.groupby("campaign")
    }
    foot(figure, f"bold: on a Pareto front; printed: {cited}; measured: {sources(runs)}")
    best = {*front(table).index, *front(measured).index}
    name_points(
        axis,
        list(found["cost"]),
        list(found["psnr_y"]),
        list(found["name"]),
        colours=[STYLES[kind]["color"] for kind in found["kind"]],
        bold=[index in best for index in found.index],
        spans=list(zip(found["low"], found["high"], strict=True)),
    )
    return figure
