"""Where the papers contradict themselves, each other, or arithmetic.

Each check looks at the printed cells for one kind of contradiction. ``findings`` runs all of them
and gathers them by the *fact* that they show: a wrong digit shows in three places, a network that
was trained again in twenty. A finding's sentence is made from the values; only facts and their
causes are written by hand, in ``papers/rules/contradictions.yaml``.
"""

import re
import statistics
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from itertools import combinations
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import yaml
from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as checked_dataclass
from scipy.optimize import isotonic_regression

from papers import ledger
from papers.claims import Claim
from papers.counts import printed_counts
from papers.printed import (
    FOLDER,
    SCORED,
    UNIT_OF,
    Number,
    PublishedError,
    cells,
    list_papers,
)

# A time says something of the machine as well: it is compared within one paper only.
WITHIN_PAPER = ("runtime",)
# SSIM outside the band that the other rows span with their PSNR. Sorted by size, the distances of
# the papers' cells have a gap here: below it lies what different networks do, above it a misprint
# or another way to measure (notebooks/60_contradictions.ipynb shows them all).
SSIM_BAND = 0.002
# A PSNR this far from the median of the same network's other tables, in dB. Retraining moves a
# printed score by a tenth at most.
PSNR_OUTLIER = 0.3
# Networks without public code, fitted to the printed counts: ours may be the wrong one.
FITTED = ("rdsrn", "fdiwn-m")
KINDS = {
    "two values": "one network, set and quantity with two printed values",
    "impossible count": "parameters or operations that the network cannot have",
    "arithmetic": "a number in the text that does not follow from the tables",
    "not the best": "a claim of superiority that the tables do not bear out",
    "copied": "scores that stand in two places where they cannot both belong",
    "wrong order": "PSNR that does not fall, or cost that does not rise, with the scale",
    "outside the band": "an SSIM that other rows do not have at this PSNR",
    "outlier": "a PSNR far from the same network's in other tables",
}
COLUMNS = ["key", "kind", "paper", "where", "what", "by_how_much", "unit", "certain"]
COLUMNS += ["fact", "reason", "cleared"]
# What a fact touches, the gravest first.
MATTERS = {
    "claim": "a claim of the text does not hold",
    "score": "a printed score is wrong, or stands beside the wrong network",
    "count": "a printed cost is not the network's, or of another network",
    "source": "numbers are taken from places that disagree, or cited wrongly",
    "convention": "nobody erred: two conventions, or two things",
}
NAMES = {
    "psnr_y": "PSNR",
    "psnr_rgb": "PSNR of the challenge",
    "ssim_y": "SSIM",
    "params": "parameters",
}
NAMES |= {"ntire_flops": "FLOPs", "macs_720p": "multiply-adds", "runtime": "time"}


@dataclass(frozen=True)
class Finding:
    """One contradiction.

    Attributes:
        key: stable name; changes only with the cells or the claim that it is about.
        kind: a key of ``KINDS``.
        paper: the papers involved, joined by " + ".
        where: table, row and column of every cell involved.
        what: one sentence.
        by_how_much: in ``unit``; of relative sizes %, of a percentage points.
        certain: no rounding explains it. Kinds that go by likelihood are never certain.
    """

    key: str
    kind: str
    paper: str
    where: str
    what: str
    by_how_much: float
    unit: str
    certain: bool


def printed_cells(folder: Path = FOLDER) -> pd.DataFrame:
    """The numbers of all tables, with who they are about.

    Returns:
        The columns of ``papers.printed.cells`` and: text (the number as printed, of a pair its
        part), shown (with its unit, where that stands in the heading), full (the number with K, M
        or G worked in) and base (its value), identity (one name for all rows that are one network
        by our name for it or by a printed name with a citation), address (table, row and column).
    """
    table = cells(folder=folder)
    table["text"] = [number.text for number in table["number"]]
    table["full"] = [number.in_full for number in table["number"]]
    table["base"] = [float(number.value) for number in table["full"]]
    unit = np.where(table["text"].str[-1].str.isdigit(), " " + table["unit"], "")
    table["shown"] = table["text"] + np.where(table["quantity"].isin(SCORED), "", unit)
    table["identity"] = _identities(table)
    table["address"] = (
        table["source"]
        + ", "
        + table["row"]
        + " ×"
        + table["scale"].astype(str)
        + ", "
        + table["column"]
    )
    return table


def printed_name(row: str) -> str:
    """A row's name without its citation: "IMDN [8]" and "IMDN (Hui et al. 2019)" are IMDN."""
    return re.sub(r"\s*(\[[^\]]*\]|\([^)]*\))\s*$", "", row).strip()


def _identities(table: pd.DataFrame) -> list[str]:
    """Rows are one network if our name is the same, or the printed one where it is a citation.

    Names of an ablation ("Base") belong to their paper, and do not join rows.
    """
    rows = table["row"].astype(str)
    names = rows.map(printed_name)
    cited = set(names[names != rows]) | {"Bicubic"}
    leader: dict[str, str] = {}

    def find(node: str) -> str:
        while leader.setdefault(node, node) != node:
            node = leader[node]
        return node

    nodes = []
    for paper, name, network in zip(table["paper"], names, table["network"], strict=True):
        labels = [f"name {name}"] if name in cited else []
        labels += [f"network {network}"] if isinstance(network, str) else []
        labels = labels or [f"row {paper} {name}"]
        nodes.append(labels[0])
        for other in labels[1:]:
            leader[find(other)] = find(labels[0])
    return [_slug(find(node).partition(" ")[2]) for node in nodes]


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9.-]+", "-", name.lower()).strip("-")


def two_values(table: pd.DataFrame) -> Iterator[Finding]:
    """Kind "two values": same network, scale, column and quantity, printed differently.

    A cell agrees with one of fewer digits that it rounds or cuts off to. Certain, if no one value
    prints as both.
    """
    keys = ["identity", "scale", "set", "quantity"]
    scored = table["quantity"].isin(SCORED)
    named = table.assign(set=table["column"].where(scored, table["quantity"]))
    within = named["paper"].where(named["quantity"].isin(WITHIN_PAPER), "")
    for (identity, scale, name, quantity, _), group in named.groupby([*keys, within], sort=False):
        values = group.drop_duplicates("text")
        pairs = list(combinations(values.to_dict("records"), 2))
        pairs = [pair for pair in pairs if not _same_number(pair[0]["full"], pair[1]["full"])]
        if not pairs:
            continue
        shown = group[group["text"].isin({one["text"] for pair in pairs for one in pair})]
        words = "; ".join(
            f"{text} in {' and '.join(dict.fromkeys(same['source'].str.replace(', ', ' ')))}"
            for text, same in shown.groupby("shown", sort=False)
        )
        title = f"{_name(group)} ×{scale}, " + (f"{name} " if quantity in SCORED else "")
        slips = [slip for pair in pairs if (slip := _slip(*pair))]
        gap, unit = max(_gap(*pair) for pair in pairs)
        certain = not all(a["full"].interval.meets(b["full"].interval) for a, b in pairs)
        note = "" if certain else "one number rounds to one and is cut off to the other"
        note = slips[0] if slips else note
        yield Finding(
            f"two-values/{identity}/x{scale}/{_slug(str(name))}"
            + (f"/{quantity}" if quantity in SCORED else ""),
            "two values",
            _papers(shown["paper"]),
            "; ".join(dict.fromkeys(shown["address"])),
            f"{title}{NAMES.get(str(quantity), quantity)}: {words}"
            + (f" ({note})." if note else "."),
            gap,
            unit,
            certain,
        )


def _name(group: pd.DataFrame) -> str:
    """What the papers call the network: rather its name than that of a setting."""
    names = group["row"].map(printed_name)
    named = names[names.map(_slug) == group["identity"]]
    return str(named.iloc[0] if len(named) else names.iloc[0])


def _same_number(a: Number, b: Number) -> bool:
    """Whether the finer of two numbers rounds, or is cut off, to the coarser."""
    fine, coarse = sorted((a, b), key=lambda number: number.step)
    return coarse.admits(fine.value)


def _gap(a: dict, b: dict) -> tuple[float, str]:
    """How far two cells are apart: of scores in their unit, of counts and times in %."""
    difference = abs(a["base"] - b["base"])
    if a["quantity"] in SCORED:
        return round(difference, 6), UNIT_OF[a["quantity"]]
    return 100 * difference / min(a["base"], b["base"]), "%"


def _slip(a: dict, b: dict) -> str:
    """How a typist gets from one score to the other: one digit, or two that changed places.

    Empty for scores so near that training again explains them.
    """
    gap, unit = _gap(a, b)
    if gap < {"dB": PSNR_OUTLIER, "SSIM": SSIM_BAND}.get(unit, np.inf):
        return ""
    digits = list(zip(a["text"], b["text"], strict=False))
    other = [pair for pair in digits if pair[0] != pair[1]]
    if len(other) == 1:
        return f"{a['text']} and {b['text']} differ in one digit"
    if len(other) == 2 and other[0] == other[1][::-1]:
        return f"{a['text']} and {b['text']} differ by two digits that changed places"
    return ""


def impossible_counts(beside: pd.DataFrame, table: pd.DataFrame) -> Iterator[Finding]:
    """Kind "impossible count": cells of ``printed_counts`` that are not the network's own."""
    keys = ["paper", "table", "row", "scale", "quantity"]
    wrong = beside[~beside["agrees"]].merge(table[[*keys, "shown", "address"]], on=keys)
    for cell in wrong.to_dict("records"):
        measured = cell["measured"]
        digits = 2 if measured < 100 else 1 if measured < 1e4 else 0
        counted = NAMES[cell["quantity"]]
        yield Finding(
            _count_key(cell),
            "impossible count",
            cell["paper"],
            cell["address"],
            f"{printed_name(cell['row'])} ×{cell['scale']}, {counted}: {cell['shown']} is printed, "
            f"the network has {measured:,.{digits}f} {cell['unit']}.",
            abs(100 * (cell["published"] / measured - 1)),
            "%",
            not cell["network"].startswith(FITTED),
        )


def _count_key(cell: dict) -> str:
    place = f"{cell['paper']}/{_slug(cell['table'])}/{cell['network']}/x{cell['scale']}"
    return f"count/{place}/{cell['quantity']}"


def unsupported(claims: Iterable[Claim]) -> Iterator[Finding]:
    """Kinds "arithmetic" and "not the best": claims of a text that the cells do not support.

    Args:
        claims: those that fail. One that names neither a number nor a rival has no shortfall, and
            is no finding; nor is one that only a table makes.
    """
    for claim in claims:
        if claim.asked_by == "us":
            continue
        for short in claim.judgement.shortfalls:
            kind = "not the best" if short.rival else "arithmetic"
            ends = [printed_name(short.rival), short.quantity]
            yield Finding(
                "/".join([_slug(kind), claim.id, *(_slug(end) for end in ends if end)]),
                kind,
                claim.paper,
                "; ".join([f"{claim.paper.upper()}, {claim.source}", *short.cells]),
                f"{claim.says} By the cells: {short.words}.",
                short.size,
                short.unit,
                short.certain,
            )


def copied(table: pd.DataFrame) -> Iterator[Finding]:
    """Kind "copied": a row's score in two columns, or one row of scores for two networks."""
    psnr = table[table["quantity"] == "psnr_y"]
    for (paper, name, row, scale), group in psnr.groupby(
        ["paper", "table", "row", "scale"], sort=False
    ):
        for text, same in group.groupby("printed", sort=False):
            if len(same) < 2:
                continue
            sets = list(same["column"])
            yield Finding(
                f"copied/{paper}/{_slug(str(name))}/{_slug(printed_name(str(row)))}/x{scale}"
                f"/{_slug('-'.join(sets))}",
                "copied",
                str(paper),
                "; ".join(same["address"]),
                f"{printed_name(str(row))} ×{scale}: {text} stands under "
                f"{' and under '.join(sets)}.",
                float(len(same) - 1),
                "cells",
                False,
            )
    yield from _one_row_for_two(psnr, table[table["quantity"] == "params"])


def _one_row_for_two(psnr: pd.DataFrame, params: pd.DataFrame) -> Iterator[Finding]:
    """Networks of different printed parameters whose whole rows of PSNR are the same."""
    sizes = params.groupby(["network", "scale"])["base"].agg(set).to_dict()
    known = psnr.dropna(subset=["network"])
    rows = {
        key: (dict(zip(group["column"], group["text"], strict=True)), group)
        for key, group in known.groupby(["network", "scale"], sort=False)
        for group in [group.drop_duplicates("column")]
    }
    for ((a, scale), (first, left)), ((b, other), (second, right)) in combinations(rows.items(), 2):
        shared = [name for name in first if name in second]
        equal = [name for name in shared if first[name] == second[name]]
        if scale != other or a == b or len(shared) < 4 or len(equal) < len(shared):
            continue
        if sizes.get((a, scale), set()) & sizes.get((b, scale), set()):
            continue  # one network under two names, such as a paper's own and its last ablation
        both = pd.concat([left, right])
        yield Finding(
            f"copied/{a}/{b}/x{scale}",
            "copied",
            _papers(both["paper"]),
            "; ".join(dict.fromkeys(both["source"] + ", " + both["row"] + f" ×{scale}")),
            f"{a} and {b}, of different size, have the same PSNR at ×{scale} on all of "
            f"{', '.join(shared)}.",
            float(len(shared)),
            "cells",
            False,
        )


def wrong_order(table: pd.DataFrame) -> Iterator[Finding]:
    """Kind "wrong order": PSNR that does not fall with the scale; FLOPs of one LR that do."""
    signs = {"psnr_y": -1, "ntire_flops": 1}
    found = table[table["quantity"].isin(list(signs))]
    keys = ["paper", "table", "row", "column", "quantity"]
    for (paper, name, row, column, quantity), group in found.groupby(keys, sort=False):
        ordered = group.sort_values("scale").to_dict("records")
        for a, b in combinations(ordered, 2):
            change = b["base"] - a["base"]
            if signs[str(quantity)] * change > 0:
                continue
            unit = "dB" if quantity == "psnr_y" else "%"
            size = abs(change) if unit == "dB" else 100 * abs(change) / a["base"]
            yield Finding(
                f"wrong-order/{paper}/{_slug(str(name))}/{_slug(printed_name(str(row)))}"
                f"/{_slug(str(column))}/x{a['scale']}-x{b['scale']}",
                "wrong order",
                str(paper),
                f"{a['address']}; {b['address']}",
                f"{printed_name(str(row))}, {column}: {NAMES[str(quantity)]} goes from "
                f"{a['text']} at ×{a['scale']} to {b['text']} at ×{b['scale']}.",
                float(size),
                unit,
                False,
            )


def outside_band(table: pd.DataFrame) -> Iterator[Finding]:
    """Kind "outside the band": an SSIM that other rows do not have at this PSNR.

    Over all papers, set by set and scale by scale: SSIM is fitted as a rising function of PSNR
    (isotonic regression) to all rows but one; that one lies outside if it is below the fit of
    every row with no more PSNR, or above that of every row with no less. The row furthest outside
    is taken out first, and the rest are judged without it.
    """
    for point in band_distances(table).to_dict("records"):
        if abs(point["distance"]) < SSIM_BAND:
            continue
        side = "below" if point["distance"] < 0 else "above"
        place = f"x{point['scale']}/{_slug(point['column'])}/{point['ssim']}"
        yield Finding(
            f"band/{point['identity']}/{place}",
            "outside the band",
            point["papers"],
            point["where"],
            f"{point['name']} ×{point['scale']}, {point['column']}: an SSIM of {point['ssim']} "
            f"with a PSNR of {point['psnr']} is {side} what the other rows have.",
            round(abs(point["distance"]), 6),
            "SSIM",
            False,
        )


def band_distances(table: pd.DataFrame) -> pd.DataFrame:
    """How far each SSIM lies outside the band of the rest, largest first within set and scale.

    Returns:
        A row a printed pair that lies outside at all, or is the last judged of its set and scale:
        identity, scale, column, name, psnr, ssim, distance (negative below), papers, where.
    """
    keys = ["paper", "table", "row", "scale", "column"]
    psnr, ssim = (table[table["quantity"] == name] for name in ("psnr_y", "ssim_y"))
    pairs = psnr.merge(ssim[[*keys, "base", "text"]], on=keys, suffixes=("", "_ssim"))
    pairs["name"] = pairs["row"].map(printed_name)
    points = pairs.groupby(["identity", "scale", "column", "text", "text_ssim"], sort=True).agg(
        x=("base", "first"),
        y=("base_ssim", "first"),
        name=("name", "first"),
        papers=("paper", _papers),
        where=("address", lambda found: "; ".join(dict.fromkeys(found))),
    )
    rows = []
    for _, group in points.reset_index().groupby(["scale", "column"], sort=True):
        left = group.reset_index(drop=True)
        while len(left) > 4:
            x, y = left["x"].tolist(), left["y"].tolist()
            distance = np.array([_outside(x, y, i) for i in range(len(left))])
            worst = int(np.abs(distance).argmax())
            rows.append(left.loc[worst].to_dict() | {"distance": float(distance[worst])})
            if abs(distance[worst]) < SSIM_BAND / 4:
                break
            left = left.drop(index=worst).reset_index(drop=True)
    found = pd.DataFrame(rows, columns=[*points.index.names, *points.columns, "distance"])
    found = found.rename(columns={"text": "psnr", "text_ssim": "ssim"})
    return found.drop(columns=["x", "y"])


def _outside(x: list[float], y: list[float], i: int) -> float:
    """Distance of point i from the band of the others; negative below, 0 within."""
    others = defaultdict(list)
    for n in range(len(x)):
        if n != i:
            others[x[n]].append(y[n])
    places = np.array(sorted(others))
    medians = [statistics.median(others[place]) for place in places]
    fit = isotonic_regression(medians, weights=[len(others[place]) for place in places]).x
    low = fit[places <= x[i]].max(initial=-np.inf)
    high = fit[places >= x[i]].min(initial=np.inf)
    return float(y[i] - low if y[i] < low else max(y[i] - high, 0.0))


def outliers(table: pd.DataFrame) -> Iterator[Finding]:
    """Kind "outlier": a PSNR far from the median of the same network's, in three tables or more."""
    psnr = table[table["quantity"] == "psnr_y"]
    for (identity, scale, column), group in psnr.groupby(
        ["identity", "scale", "column"], sort=False
    ):
        median = group["base"].median()
        for cell in group.to_dict("records"):
            if len(group) < 3 or abs(cell["base"] - median) <= PSNR_OUTLIER:
                continue
            usual = group.iloc[int((group["base"] - median).abs().argmin())].to_dict()
            slip = _slip(cell, usual)
            yield Finding(
                f"outlier/{cell['paper']}/{_slug(cell['table'])}/{identity}/x{scale}/{_slug(str(column))}",
                "outlier",
                cell["paper"],
                cell["address"],
                f"{printed_name(cell['row'])} ×{scale}, {column}: {cell['text']}, where the "
                f"median of {len(group)} tables is {median:.2f}" + (f" ({slip})." if slip else "."),
                round(abs(cell["base"] - median), 6),
                "dB",
                False,
            )


def _papers(found: Iterable[str]) -> str:
    return " + ".join(sorted(set(found)))


@checked_dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class Fact:
    """What one or more findings show.

    Attributes:
        says: one sentence.
        matters: what it touches, a key of ``MATTERS``.
        cause: how it came about, where that is known; of a count, that of ``rules/counts.yaml``.
        cleared: that the places do not speak of the same thing, or count by another convention, so
            that nobody erred.
        keys: of its findings; ``*`` is any part of one.
        where: the place of a fact that was found by reading, which no check sees.
    """

    says: str
    matters: Literal["claim", "score", "count", "source", "convention"]
    cause: str = ""
    cleared: bool = False
    keys: tuple[str, ...] = ()
    where: str = ""


def load_facts(folder: Path = FOLDER) -> dict[str, Fact]:
    """The entries of ``papers/rules/contradictions.yaml``.

    Raises:
        PublishedError: a file of the wrong form, or a fact with neither keys nor a place.
    """
    path = folder / "rules" / "contradictions.yaml"
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
        known = TypeAdapter(dict[str, Fact]).validate_python(raw)
    except (ValidationError, yaml.YAMLError, OSError) as error:
        raise PublishedError(f"{path}: {error}") from error
    for name, fact in known.items():
        if bool(fact.keys) == bool(fact.where):
            raise PublishedError(f"{path}: {name}: give keys of findings, or where it was read")
    return known


def assign(found: list[Finding], known: dict[str, Fact]) -> dict[str, str]:
    """The fact of each finding, by key; of several that match, the first counts.

    Raises:
        PublishedError: a finding without a fact, or a key that no finding has; names it.
    """
    fact_of: dict[str, str] = {}
    for name, fact in known.items():
        for pattern in fact.keys:
            matching = [one.key for one in found if fnmatchcase(one.key, pattern)]
            fresh = [key for key in matching if key not in fact_of]
            if not fresh:
                why = "earlier keys take all that it matches" if matching else "no such finding"
                raise PublishedError(
                    f"papers/rules/contradictions.yaml: {name}: {pattern}: {why}; correct the key "
                    "or remove it (papers.contradictions.findings() lists the keys)"
                )
            fact_of |= dict.fromkeys(fresh, name)
    if missing := [one.key for one in found if one.key not in fact_of]:
        raise PublishedError(
            f"papers/rules/contradictions.yaml: no fact has {missing[0]}; add it to one"
        )
    return fact_of


def findings() -> pd.DataFrame:
    """Every contradiction that the checks find in the printed cells.

    Returns:
        A row a finding, kind by kind: key, kind, paper, where, what, by_how_much, unit, certain (of
        one that is cleared, never), fact, reason (empty where none is known), cleared.

    Raises:
        PublishedError: a file that cannot be read, a finding without a fact, or a fact without one.
    """
    table, beside = printed_cells(), printed_counts()
    found = [
        *two_values(table),
        *impossible_counts(beside, table),
        *unsupported(ledger.failing()),
        *copied(table),
        *wrong_order(table),
        *outside_band(table),
        *outliers(table),
    ]
    wrong = beside[~beside["agrees"]].to_dict("records")
    counted = {_count_key(cell): cell["reason"] for cell in wrong}
    known = load_facts()
    fact_of = assign(found, known)
    rows = []
    for one in found:
        name = fact_of[one.key]
        reason = known[name].cause or counted.get(one.key, "")
        row = asdict(one) | {"fact": name, "reason": reason, "cleared": known[name].cleared}
        rows.append(row | {"certain": one.certain and not row["cleared"]})
    return pd.DataFrame(rows, columns=COLUMNS)


def facts(found: pd.DataFrame) -> pd.DataFrame:
    """The findings gathered by fact, what matters most first.

    Args:
        found: from ``findings``.

    Returns:
        A row a fact: fact (its name), says, matters, cause, papers, findings (how many; none of a
        fact that was read), certain (whether a finding is), cleared, where.
    """
    rows = []
    for name, fact in load_facts().items():
        own = found[found["fact"] == name]
        reasons = list(dict.fromkeys(reason for reason in own["reason"] if reason))
        papers = own["paper"].str.split(r" \+ ").explode().unique()
        read = [key for key in list_papers() if fact.where.lower().startswith(key)]
        rows.append(
            {"fact": name, "says": fact.says, "matters": fact.matters}
            | {"cause": fact.cause or "; ".join(reasons)}
            | {"papers": " ".join(sorted({*papers, *read})), "findings": len(own)}
            | {"certain": bool(own["certain"].any()), "cleared": fact.cleared}
            | {"where": fact.where}
        )
    table = pd.DataFrame(rows)
    order = table["matters"].map(list(MATTERS).index)
    return (
        table.assign(order=order)
        .sort_values(
            ["order", "certain", "findings"],
            ascending=[True, False, False],
            kind="stable",
            ignore_index=True,
        )
        .drop(columns="order")
    )


def tally(found: pd.DataFrame) -> pd.DataFrame:
    """Findings by kind and paper; one between papers counts for each of them.

    Returns:
        A row a kind: kind, a column a paper, all (each finding once), certain, cleared, and what
        the kind is.
    """
    single = found.assign(paper=found["paper"].str.split(r" \+ ")).explode("paper")
    table = pd.crosstab(single["kind"], single["paper"])
    by_kind = found.groupby("kind")
    table["all"] = by_kind.size()
    table["certain"], table["cleared"] = by_kind["certain"].sum(), by_kind["cleared"].sum()
    table = table.reindex(list(KINDS), fill_value=0)
    table["what it is"] = pd.Series(KINDS)
    return table.rename_axis(columns=None).reset_index()


def largest(found: pd.DataFrame, number: int = 3) -> pd.DataFrame:
    """The largest findings of each unit that nothing clears, one for all scales of a network.

    Sizes of two units do not compare.
    """
    open_ones = found[~found["cleared"]].sort_values(
        ["by_how_much", "key"], ascending=[False, True]
    )
    unscaled = open_ones["key"].str.replace(r"/x\d", "", regex=True)
    open_ones = open_ones[~unscaled.duplicated()]
    units = [unit for unit in ("dB", "SSIM", "%", "points", "blocks") if unit in set(found["unit"])]
    return pd.concat([open_ones[open_ones["unit"] == unit].head(number) for unit in units])


def of_kind(found: pd.DataFrame, kind: str) -> pd.DataFrame:
    """The findings of one kind as a reader wants them: size in words, what, where, reason.

    Raises:
        ValueError: an unknown kind; names those there are.
    """
    if kind not in KINDS:
        raise ValueError(f"{kind!r} is no kind of finding; there are {', '.join(KINDS)}")
    return readable(found[found["kind"] == kind])


def readable(found: pd.DataFrame) -> pd.DataFrame:
    """Findings, the largest first within a unit: what, by how much, certain, reason, where."""
    table = found.sort_values(["unit", "by_how_much"], ascending=[True, False], kind="stable")
    sizes = [_size(*pair) for pair in zip(table["by_how_much"], table["unit"], strict=True)]
    yes = {True: "yes", False: "no"}
    return pd.DataFrame(
        {
            "what": table["what"].to_numpy(),
            "by how much": sizes,
            "certain": table["certain"].map(yes).to_numpy(),
            "reason, if known": table["reason"].to_numpy(),
            "where": table["where"].to_numpy(),
        }
    )


def _size(number: float, unit: str) -> str:
    if unit == "dB" and number == 0:
        return "level"
    digits = {"SSIM": 4, "dB": 2, "%": 1, "points": 1}.get(unit, 2)
    digits += unit == "dB" and number < 0.01
    return f"{number:.{digits}f} {unit}".strip()
