"""The evidence on AIDN's Table 2: does each change of the block help, and what did it cost to ask?

Everything is for the scale that the table prints. A campaign is a folder of ``results/``.
"""

import itertools
import json
import math
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from papers import curve
from papers.claims import Comparison, compare
from papers.intervals import agrees, paired_bootstrap
from papers.printed import published
from papers.results import per_image, results
from srlib.config import load_config
from srlib.paths import ROOT
from srlib.paths import results as results_folder
from srlib.runs import scored

CAMPAIGNS = ("paper", "ablation", "quick")  # the biggest first
CONTROL = "aidn-aidb", "ablation", "ablation-adam"  # one network by Muon, and by Adam alone
TOGETHER = "all sets"
RECONSTRUCTED = {
    "Base": "Base is reconstructed from a drawing and a count",
    "AIEB": "AIEB is reconstructed from a drawing and a count, with another width and more units "
    "than Base",
    "FDC": "FDC is reconstructed from one line of text",
}  # the rows whose code is not public; srlib/networks/aidn.py says how


def reconstructed(before: str, after: str) -> str:
    """What to bear in mind of a step between two rows: which of them the paper does not define."""
    if (before, after) == ("FDC", "AIDB"):
        return f"{RECONSTRUCTED['FDC']}, and this step changes one thing."
    parts = [RECONSTRUCTED[row] for row in (before, after) if row in RECONSTRUCTED]
    return f"{'; '.join(parts)}: more may differ than what the step is named after." * bool(parts)


def printed() -> pd.DataFrame:
    """The table's PSNR-Y: what ``published`` gives, of one quantity."""
    table = published("aidn", "2")
    return table[table["quantity"] == "psnr_y"].reset_index(drop=True)


def best(root: Path = ROOT, seeds: int = 1) -> str:
    """The biggest campaign that has scored all the table's networks, each with so many seeds.

    Raises:
        ValueError: none has; names those that were looked for.
    """
    table, scores = printed(), results(root)
    needed = set(table["network"])
    for campaign in CAMPAIGNS:
        own = _of(campaign, scores, table).groupby("method")["seed"].nunique()
        if needed <= set(own[own >= seeds].index):
            return campaign
    raise ValueError(
        f"none of the campaigns {', '.join(CAMPAIGNS)} has scores of {', '.join(sorted(needed))} "
        f"with {seeds} or more seeds in {root / 'results'}; dvc repro makes them"
    )


def steps(campaign: str, root: Path = ROOT) -> pd.DataFrame:
    """Each step of the ablation, row to row and from the first row to the last.

    The networks of a step share images, and seeds with the patches drawn by them; see
    ``paired_bootstrap`` for the interval. Rows of "all sets" take every image of the printed sets
    alike; what is published for them is the mean of the printed steps, weighted by images. A row
    says what was measured and decides nothing: ``decided`` does.

    Returns:
        A row a step and set that both networks are scored on: step, set, images, published (the
        printed step, dB; NaN where the set is not printed), measured, difference (measured less
        published), low, high (ends of the 95% interval, dB), within (whether the printed step lies
        inside the interval, None where nothing is printed), seeds (that both networks have), runs.

    Raises:
        ValueError: a step's networks are not scored on the same images; names them.
    """
    table, scores = printed(), per_image(campaign, root)
    runs = _of(campaign, results(root), table)
    scores = scores[scores["scale"] == table["scale"][0]]
    cells = table.pivot_table(index="network", columns="column", values="value")
    rows = []
    for (before, old), (after, new) in _pairs(table):
        found = _matrices(campaign, scores, old, new)
        if found is None:
            continue
        a, b = found
        for name, members in _sets(scores, a, list(cells.columns)).items():
            first, second = a[members], b[members]
            interval = paired_bootstrap(first, second, same_seeds=True)
            weights = first.columns.get_level_values("set").value_counts()
            step = (cells.loc[new] - cells.loc[old]).reindex(members)
            wanted = round(float(np.average(step, weights=weights[members])), 4)
            used = [
                runs[(runs["method"] == method) & runs["seed"].isin(part.index)]["run"]
                for method, part in ((old, a), (new, b))
            ]
            rows.append(
                {"step": f"{before} → {after}", "set": name, "images": first.shape[1]}
                | {"published": wanted, "measured": interval.mean}
                | {"difference": interval.mean - wanted}
                | {"low": interval.low, "high": interval.high}
                | {"within": None if np.isnan(wanted) else agrees(interval, wanted)}
                | {"seeds": len(first), "runs": " ".join(dict.fromkeys(pd.concat(used)))}
            )
    columns = ["step", "set", "images", "published", "measured", "difference", "low", "high"]
    return pd.DataFrame(rows, columns=[*columns, "within", "seeds", "runs"])


def control(root: Path = ROOT) -> pd.DataFrame:
    """What Muon brings: one network by it and by Adam alone, as the papers train.

    Both see the same images, seeds and LR pixels; each rate is of its campaign.

    Returns:
        A row a set, and one for all images together: set, images, adam and muon (PSNR-Y, dB, means
        over seeds), difference (muon less adam, dB), low, high (ends of its 95% interval), seeds
        (that both have), runs. Empty where one of the two is not measured yet.

    Raises:
        ValueError: the two are not scored on the same images.
    """
    network, muon, adam = CONTROL
    columns = ["set", "images", "adam", "muon", "difference", "low", "high", "seeds", "runs"]
    means = results(root)
    means = means[means["campaign"].isin((muon, adam)) & (means["method"] == network)]
    if set(means["campaign"]) != {muon, adam}:
        return pd.DataFrame(columns=columns)
    parts = (per_image(name, root).assign(campaign=name) for name in (muon, adam))
    scores = pd.concat(parts).query("method == @network").assign(method=lambda t: t["campaign"])
    found = _matrices(f"{muon}, {adam}", scores, adam, muon)
    if found is None:
        return pd.DataFrame(columns=columns)
    runs = " ".join(dict.fromkeys(means[means["seed"].isin(found[0].index)]["run"]))
    rows = []
    for name, members in _sets(scores, found[0], list(scores["set"])).items():
        first, second = (matrix[members] for matrix in found)
        interval = paired_bootstrap(first, second, same_seeds=True)
        levels = first.to_numpy().mean(), second.to_numpy().mean()
        rows.append([name, first.shape[1], *levels, *interval, len(first), runs])
    return pd.DataFrame(rows, columns=columns)


def controlled(root: Path = ROOT) -> str:
    """``control`` in a sentence, of all images together, or of the only set that there is."""
    table = control(root)
    network, muon, adam = CONTROL
    if table.empty:
        return f"Campaigns {muon} and {adam}: the control is not measured yet."
    whole = table.iloc[-1]
    return (
        f"{network} by Muon less {network} by Adam alone, after as many LR pixels: "
        f"{whole['difference']:+.3f} dB [{whole['low']:+.3f}, {whole['high']:+.3f}] "
        f"({whole['set']}, {_count(whole['images'], 'image')}, {_count(whole['seeds'], 'seed')})."
    )


def decided(campaign: str, root: Path = ROOT) -> dict[str, Comparison]:
    """Whether each step helps, by the rule of the claims, over all sets that were measured."""
    table = printed()
    scale = int(table["scale"].iloc[0])
    scores = _of(campaign, results(root), table)
    sets = list(scores["set"].unique())
    return {
        f"{before} → {after}": compare(campaign, new, old, sets, scale, root=root)
        for (before, old), (after, new) in _pairs(table)
        if {old, new} <= set(scores["method"])
    }


def seeds_needed(campaign: str, root: Path = ROOT) -> pd.DataFrame:
    """How many seeds would tell a step of the printed size from none, by the spread over seeds.

    The step is that of all images together, and the seeds' own differences have a deviation s; the
    mean of n of them lies within 1.96 s / sqrt(n) of the truth in 19 of 20 cases. With few seeds s
    itself is uncertain, so n is no more than the order of magnitude.

    Returns:
        step, published and measured (dB), deviation (of the seeds' differences, dB), seeds (that
        were trained), needed. Steps with a single seed are left out.
    """
    table, scores = printed(), per_image(campaign, root)
    scores = scores[scores["scale"] == table["scale"][0]]
    wanted = steps(campaign, root)
    wanted = wanted[wanted["set"] == TOGETHER]
    sizes = dict(zip(wanted["step"], wanted["published"].astype(float), strict=True))
    rows = []
    for (before, old), (after, new) in _pairs(table):
        step = f"{before} → {after}"
        found = _matrices(campaign, scores, old, new)
        if found is None or step not in sizes or len(found[0]) < 2:
            continue
        each = (found[1] - found[0]).mean(axis=1)
        deviation = float(each.std())
        needed = math.ceil((1.96 * deviation / sizes[step]) ** 2)
        rows.append(
            {"step": step, "published": sizes[step], "measured": each.mean()}
            | {"deviation": deviation, "seeds": len(each), "needed": max(2, needed)}
        )
    return pd.DataFrame(rows)


def wanting(campaign: str, root: Path = ROOT) -> str:
    """What keeps the steps from a verdict, in sentences: the budget of each run, and the seeds."""
    *_, (step, whole) = decided(campaign, root).items()  # the last step is from end to end
    lines = [f"{step} is {whole.verdict}: {whole.why}."]
    table = seeds_needed(campaign, root)
    if len(table):
        parts = [f"{row['step']} {row['needed']}" for row in table.to_dict("records")]
        lines.append(
            "Seeds that would tell a step of the printed size from none, by their spread: "
            f"{', '.join(parts)}."
        )
    return "\n\n".join(lines)


def answer(campaign: str, root: Path = ROOT) -> str:
    """The steps in sentences, of all sets together, or of the only set that there is."""
    table = steps(campaign, root)
    if table.empty:
        return f"Campaign {campaign}: no step is measured yet."
    whole = table[table["set"] == TOGETHER]
    whole = whole if len(whole) else table
    seeds, images, name = whole["seeds"].min(), whole["images"].max(), whole["set"].iloc[0]
    lines = [f"Campaign {campaign}, {_count(seeds, 'seed')}, {_count(images, 'image')} ({name}):"]
    if seeds == 1:
        lines = [f"{lines[0][:-1]}; the intervals are over images, for these weights alone:"]
    verdicts = decided(campaign, root)
    for row in whole.to_dict("records"):
        line = f"  {row['step']}: {row['measured']:+.3f} dB"
        line += f" [{row['low']:+.3f}, {row['high']:+.3f}], {verdicts[row['step']].verdict}"
        if row["within"] is not None:
            where = "inside" if row["within"] else "outside"
            line += f"; published {row['published']:+.3f}, {where} the interval"
        lines.append(line + ".")
    reasons: dict[str, list[str]] = {}
    for step, found in verdicts.items():
        reasons.setdefault(found.why, []).append(step)
    for why, steps_of in reasons.items():
        lines.append(f"{', '.join(steps_of)}: {why}." if len(reasons) > 1 else f"All: {why}.")
    lines.append(f"{'; '.join(RECONSTRUCTED.values())}. Only FDC → AIDB changes one thing.")
    apart = table[table["set"] != TOGETHER]
    compared = apart[apart["within"].notna()]
    if len(compared):
        inside = f"{compared['within'].sum()} of {len(compared)}"
        lines.append(f"Inside their intervals lie {inside} printed steps.")
    else:
        lines.append(f"Table 2 prints no score on {name}, so nothing stands beside these steps.")
    wrapped = (textwrap.wrap(line, 100, subsequent_indent="    ") for line in lines)
    return "\n".join(itertools.chain.from_iterable(wrapped))


def validation_log(campaign: str, root: Path = ROOT) -> pd.DataFrame:
    """The scores taken while training: method, scale, seed, step, set, psnr_y (dB), run."""
    frames = [
        pd.read_csv(folder / "validation.csv").assign(
            method=header["network"],
            scale=header["scale"],
            seed=header["seed"],
            run=header["run"],
        )
        for folder, header in _trained(campaign, root)
        if (folder / "validation.csv").exists()
    ]
    columns = ["method", "scale", "seed", "step", "set", "psnr_y", "run"]
    frames = [frame for frame in frames if len(frame)]
    if not frames:
        return pd.DataFrame(columns=columns)
    return pd.concat(frames, ignore_index=True)[columns]


def best_rates(found: pd.DataFrame) -> pd.DataFrame:
    """Which rate each network scores best at, and what the recipe's own rate is short of it.

    Args:
        found: from ``searched``.

    Returns:
        A row a network and set: network, set, best (multiple), short (dB that the recipe's own
        rate scores less; NaN where that was not tried).
    """
    rows = []
    for (network, name), part in found.groupby(["network", "set"], sort=False):
        by_rate = part.groupby("rate")["psnr_y"].mean()
        own = by_rate.get(1.0, math.nan)
        rows.append([network, name, by_rate.idxmax(), by_rate.max() - own])
    return pd.DataFrame(rows, columns=["network", "set", "best", "short"])


def fair(found: pd.DataFrame) -> str:
    """Whether the networks agree on the rate that suits them: sentences for a notebook.

    Args:
        found: from ``searched``.
    """
    if found.empty:
        return "No search of learning rates is tracked for this campaign."
    best = best_rates(found)
    rates = sorted(found["rate"].unique())
    tried = ", ".join(f"×{rate:g}" for rate in rates)
    seen = found["lr_pixels"].iloc[0] / 1e6
    text = (
        f"Of {tried} the recipe's rates, after {seen:.1f} million LR pixels and on images held out "
        "of training, the best is "
    )
    if len(set(best["best"])) == 1:
        networks = list(best["network"].unique())
        who = "every network" if len(networks) > 1 else networks[0]
        text += f"×{best['best'].iloc[0]:g} by {who} on every set"
        text += ": none wants another rate." if len(networks) > 1 else "."
        if best["best"].iloc[0] in (rates[0], rates[-1]):
            text += " It is the last one tried, so a best rate beyond it is not excluded."
    else:
        parts = []
        for rate, rows in best.groupby("best"):
            names = [f"{row['network']} on {row['set']}" for row in rows.to_dict("records")]
            parts.append(f"×{rate:g} by {', '.join(names)}")
        text += f"{'; '.join(parts)}."
    short = best["short"]
    if short.notna().all():
        text += (
            f" The recipe's own rate is short of it by {short.max():.3f} dB at most and "
            f"{short.min():.3f} at least."
        )
    return text


def cost(campaign: str, root: Path = ROOT) -> pd.DataFrame:
    """What each training run took, from its record.

    Returns:
        A row a run: network, scale, seed, steps, images_seen (patches), minutes (of the steps;
        of the whole stage in a record without its cost), ms_a_step, data_share (of the steps' time,
        spent on making batches), energy (Wh), device, host, commit (with "-dirty" if files
        differed from it), run. NaN where it was not reported.
    """
    rows = []
    for path in sorted((results_folder(root) / "runs" / campaign).glob("train-*.json")):
        record = json.loads(path.read_text())
        network, scale, seed = path.stem.removeprefix("train-").rsplit("-", 2)
        spent = record.get("cost") or {}
        joules = spent.get("joules")
        gpu = record.get("device") == "cuda" and record.get("gpu")
        rows.append(
            {"network": network, "scale": int(scale[1:]), "seed": int(seed[1:])}
            | {"steps": record["steps"], "images_seen": record["images_seen"]}
            | {"minutes": spent.get("seconds", record["seconds"]) / 60}
            | {"ms_a_step": spent.get("ms_a_step"), "data_share": spent.get("data_share")}
            | {"energy": None if joules is None else joules / 3600}
            | {"device": gpu or record.get("device"), "host": record["host"]}
            | {"commit": f"{record['commit'] or '–'}"[:10] + "-dirty" * bool(record["dirty"])}
            | {"run": record["run"]}
        )
    columns = ["network", "scale", "seed", "steps", "images_seen", "minutes", "ms_a_step"]
    columns += ["data_share", "energy", "device", "host", "commit", "run"]
    table = pd.DataFrame(rows, columns=columns)
    measured = ["minutes", "ms_a_step", "data_share", "energy"]
    return table.astype(dict.fromkeys(measured, float))


def equal_minutes(campaign: str, root: Path = ROOT) -> pd.DataFrame:
    """A second reading of the steps: what would be left of them after equal core-minutes.

    What is measured has equal LR pixels, as the paper has equal epochs. A network that is quicker a
    pixel would have seen more of them in the same time, and gained by them at the recipe's
    ``curve.pace``: an estimate, from the fastest run of each network on one kind of machine.

    Returns:
        step, measured (dB, all images together, at equal LR pixels), times (as long a pixel takes
        after the step as before), worth (dB that this time brings at the pace), left (measured
        less worth). Empty where the pace or a time is not known.
    """
    table = steps(campaign, root)
    whole = table[table["set"] == TOGETHER].set_index("step")["measured"]
    fastest = _speed(campaign, root).pivot_table(
        index="device", columns="network", values="seconds", aggfunc="min"
    )
    gained = curve.pace(campaign, int(printed()["scale"].iloc[0]), root)
    rows = []
    for (before, old), (after, new) in _pairs(printed()):
        step = f"{before} → {after}"
        both = fastest.reindex(columns=[old, new]).dropna()
        if step not in whole or both.empty or math.isnan(gained):
            continue
        times = float((both[new] / both[old]).iloc[0])
        worth = gained * math.log2(times)
        rows.append([step, whole[step], times, worth, whole[step] - worth])
    return pd.DataFrame(rows, columns=["step", "measured", "times", "worth", "left"])


def at_equal_minutes(campaign: str, root: Path = ROOT) -> str:
    """``equal_minutes`` in sentences."""
    table = equal_minutes(campaign, root)
    if table.empty:
        return f"Campaign {campaign}: no pace is known by which minutes could be told in dB."
    parts = [
        f"{row['step']} {row['left']:+.2f} dB (a pixel takes {row['times']:.2f} times as long)"
        for row in table.to_dict("records")
    ]
    return (
        "Read by equal core-minutes in place of equal LR pixels, at the pace of the recipe, "
        f"the steps would be: {', '.join(parts)}."
    )


def price(campaign: str, root: Path = ROOT) -> pd.DataFrame:
    """The paper's full schedule at the speed of a campaign's fastest run of each network.

    The fastest, because a run that shares its machine with other work is slower.

    The schedule is ``campaigns/paper/params.yaml``. It is priced by LR pixels alone: seconds per LR
    pixel of a trained patch, times the pixels of the schedule. Another batch, patch or scale can be
    faster or slower a pixel, and is on any other device. Only runs whose result is tracked count.

    Returns:
        A row a network and scale of the schedule, and one for all its runs: network, scale, device
        (that was measured), pixels (10^9 LR pixels of one run), microseconds (measured, for one
        pixel), days (of one run), runs (of the schedule), all_days, measured (the run behind it).
        NaN where the campaign did not train the network.
    """
    schedule = load_config(root / "campaigns/paper/params.yaml")
    assert schedule.train is not None, "the paper's schedule trains"
    speed = _speed(campaign, root)
    devices = sorted(speed["device"].unique()) or [""]
    rows: list[dict[str, Any]] = []
    for device in devices:
        part = speed[speed["device"] == device]
        each: list[dict[str, Any]] = []
        for scale, network in itertools.product(schedule.matrix.scales, schedule.matrix.networks):
            own = part[part["network"] == network].nsmallest(1, "seconds")
            pixels = schedule.train.lr_pixels(scale)
            seconds = float(own["seconds"].min())  # NaN if there is none
            days = seconds * pixels / 86_400
            runs = len(schedule.matrix.seeds)
            each.append(
                {"network": network, "scale": scale, "device": device, "pixels": pixels / 1e9}
                | {"microseconds": 1e6 * seconds, "days": days, "runs": runs}
                | {"all_days": days * runs, "measured": " ".join(own["run"])}
            )
        whole = {
            key: sum(row[key] * (row["runs"] if key == "pixels" else 1) for row in each)
            for key in ("pixels", "runs", "all_days")
        }
        rows += [*each, {"network": "all", "device": device, "measured": ""} | whole]
    return pd.DataFrame(rows).astype({"scale": "Int64"})


def _speed(campaign: str, root: Path) -> pd.DataFrame:
    """Seconds per trained LR pixel of each run whose result is tracked."""
    seen = {header["run"]: curve.lr_pixels(header) for _, header in _trained(campaign, root)}
    table = cost(campaign, root)
    table = table[table["run"].isin(list(seen))]
    pixels = table["run"].map(seen).astype(float)
    return pd.DataFrame(
        {
            "network": table["network"],
            "device": table["device"] + ", " + table["host"],
            "seconds": 60 * table["minutes"] / pixels,
            "run": table["run"],
        }
    )


def _of(campaign: str, scores: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    at_scale = scores["scale"] == table["scale"][0]
    return scores[(scores["campaign"] == campaign) & at_scale]


def _pairs(table: pd.DataFrame) -> list[tuple[tuple[str, str], tuple[str, str]]]:
    """(row, network) of each step's two ends: row to row, then first to last."""
    order = list(dict.fromkeys(zip(table["row"], table["network"], strict=True)))
    return [*itertools.pairwise(order), (order[0], order[-1])]


def _matrices(
    campaign: str, scores: pd.DataFrame, old: str, new: str
) -> tuple[pd.DataFrame, pd.DataFrame] | None:
    """PSNR-Y of both networks by the seeds that both have, (seeds, images); None without any."""
    a, b = (
        scores[scores["method"] == name].pivot_table(
            index="seed", columns=["set", "image"], values="psnr_y"
        )
        for name in (old, new)
    )
    if a.empty or b.empty:
        return None
    if set(a.columns) != set(b.columns) or a.isna().any(axis=None) or b.isna().any(axis=None):
        raise ValueError(
            f"results/{campaign}: {old} and {new} are not scored on the same images by every seed; "
            "evaluate them again"
        )
    seeds = a.index.intersection(b.index)
    return (a.loc[seeds], b.loc[seeds, a.columns]) if len(seeds) else None


def _sets(scores: pd.DataFrame, matrix: pd.DataFrame, shared: list[str]) -> dict[str, list[str]]:
    """Name -> sets: each set of a matrix by itself, then those of ``shared`` together."""
    names = [name for name in scores["set"].unique() if name in matrix.columns.unique("set")]
    together = [name for name in names if name in shared]
    return {name: [name] for name in names} | ({TOGETHER: together} if len(together) > 1 else {})


def _trained(campaign: str, root: Path) -> list[tuple[Path, dict[str, Any]]]:
    """The folder and the training's header of each result of the campaign's networks."""
    return [
        (each.result.folder(root), each.provenance["training"])
        for each in scored(campaign, root=root)
        if each.result.seed is not None
    ]


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
