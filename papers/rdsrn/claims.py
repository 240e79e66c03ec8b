"""Claims of RDSRN: Woo, Sim, Kim (Korea Polytechnic University).

There is no public code and there are no weights. ``srlib.networks.rdsrn`` is fitted to the printed
counts, so that counting it proves none of them: the cells decide, and what the fit says of a part
is told beside them. Where a sentence of the paper has two readings, ``because`` says which is
judged.
"""

import itertools
from typing import Any

import pandas as pd
import torch
from torch import nn

from papers.claims import (
    NOT_TESTABLE,
    Comparison,
    Judgement,
    as_printed,
    claim,
    compare,
    cost,
    quality,
    rivals,
)
from papers.evidence import (
    as_counted,
    computed,
    counted,
    derived,
    gaps,
    printed,
    ratios,
    rows,
    stated,
    value,
)
from papers.printed import Number, cells
from srlib.evaluation.complexity import parameters
from srlib.networks import create_network
from srlib.networks.rdsrn import DWCB, HFRRB

SETS = ("Set5", "Urban100")
RECURSIONS = (1, 3, 9)
SPLIT_RATIOS = (0.25, 0.5, 0.75)
RDN, CARN = "RDN [1]", "CARN [4]"
COSTS = ("Params", "Multi-Adds", "Processing Time")


# --- abstract and conclusion ------------------------------------------------------------------


@claim(
    "rdsrn",
    "Abstract",
    "RDSRN is more accurate, smaller, cheaper and faster than the usual networks.",
)
def better_in_everything() -> Judgement:
    table = printed("rdsrn", "II")
    ours, others = _split(table)
    ratio = {row: _over(ours, others[others["row"] == row]) for row in others["row"].unique()}
    beaten = {
        row: bool((found.reindex(COSTS).dropna() < 1).all() and (found.reindex(SETS) > 1).all())
        for row, found in ratio.items()
    }
    short = {
        row: [
            str(name)
            for name, value in found.items()
            if (value <= 1 if name in SETS else value >= 1)
        ]
        for row, found in ratio.items()
    }
    return Judgement(
        as_printed(all(beaten.values())),
        f"It beats {sum(beaten.values())} of the {len(beaten)} networks of Table II in every "
        "column. It is no better than "
        + "; ".join(f"{row} in {' and '.join(names)}" for row, names in short.items() if names)
        + ".",
        rows(table),
        tuple(
            short._replace(quantity="" if quantity == "psnr_y" else quantity)
            for quantity in dict.fromkeys(table["quantity"])
            for short in rivals(
                ours[ours["quantity"] == quantity],
                others[others["quantity"] == quantity],
                less=quantity != "psnr_y",
            )
        ),
    )


@claim("rdsrn", "Conclusion", "Among light networks, RDSRN has the best scores.")
def best_of_the_light_networks() -> Judgement:
    table = printed("rdsrn", "II")
    ours = table[table["row"] == "RDSRN"]
    light = _light(ours.loc[ours["column"] == "Params", "number"].item())
    gap = gaps(ours[ours["column"].isin(SETS)], light)
    measured = compare("benchmarks", "rdsrn", "carn", SETS)
    nearest = gap.loc[gap.groupby("column")["value"].idxmin()]
    return Judgement(
        quality(bool((gap["value"] > 0).all()), measured),
        f"Of {len(gap)} scores at x4 that the {light['paper'].nunique()} papers here print for "
        f"networks with at most as many parameters, {(gap['value'] <= 0).sum()} reach it. The "
        "nearest are "
        + " and ".join(
            f"{row['row'].partition(' minus ')[2]} on {row['column']}, {row['value']:.2f} dB below"
            for row in nearest.to_dict("records")
        )
        + f". {measured.because}",
        rows(ours, light, gap, measured.evidence),
    )


# --- section II: recursion and channel split --------------------------------------------------


@claim(
    "rdsrn", "Section II; Table I", "Applying one block again deepens the network, not its size."
)
def recursion_reuses_its_block() -> Judgement:
    few, many = (_cell("I", f"Recursions {n}", "Params") for n in RECURSIONS[::2])
    with torch.device("meta"):
        block = create_network("rdsrn", 4).get_submodule("recursive")
    own = computed("rdsrn, recursive block", "params", parameters(block))
    added = (value(many) - value(few)) / (RECURSIONS[2] - RECURSIONS[0])
    fusing = value(counted("rdsrn", 4, recursions=2)) - value(counted("rdsrn", 4, recursions=1))
    return Judgement(
        as_printed(added < value(own) / 1e6),
        f"From {value(few):.2f}M to {value(many):.2f}M, a recursion adds {added:.4f}M as "
        f"printed. In the fit a block of its own would add {value(own) / 1e6:.2f}M; what is added "
        f"is the convolution that fuses one more output, {fusing / 1e6:.4f}M.",
        rows(
            few,
            many,
            derived("one more recursion", "params", added, unit="M"),
            own,
            computed("rdsrn, one more recursion", "params", fusing),
        ),
    )


@claim("rdsrn", "Section II; Table I", "Table I counts one network at 1, 3 and 9 recursions.")
def one_network_is_counted() -> Judgement:
    macs = [_cell("I", f"Recursions {n}", "Multi-Adds") for n in RECURSIONS]
    one, three, nine = (value(cell) for cell in macs)
    each = (three - one) / (RECURSIONS[1] - RECURSIONS[0])
    steps = (RECURSIONS[2] - RECURSIONS[0]) / (RECURSIONS[1] - RECURSIONS[0])
    expected = one + steps * (three - one)
    slack = 0.5 * (2 * steps - 1)  # each cell is half a G off at most
    implied = RECURSIONS[0] + (nine - one) / each
    return Judgement(
        as_printed(abs(nine - expected) <= slack + 0.5),
        f"With shared weights each recursion costs the same. {one:.0f}G and {three:.0f}G make "
        f"that {each:.1f}G, and {expected:.0f}G for {RECURSIONS[2]} recursions (give or take "
        f"{slack:.1f}G of rounding); {nine:.0f}G is printed, which is {implied:.1f} recursions. "
        "Either that cell was counted at fewer recursions than its heading, or the rows are not "
        "of one network.",
        rows(
            *macs,
            derived("one more recursion", "macs_720p", each, unit="G"),
            derived(f"Recursions {RECURSIONS[2]}, in proportion", "macs_720p", expected, unit="G"),
            derived("recursions that the last cell is", "recursions", implied),
        ),
    )


@claim("rdsrn", "Section III; Table I", "Many recursions make the network costly and slow.")
def recursions_are_costly() -> Judgement:
    macs, time = (
        [_cell("I", f"Recursions {n}", name) for n in RECURSIONS]
        for name in ("Multi-Adds", "Processing Time")
    )
    rising = all(
        value(low) < value(high) for row in (macs, time) for low, high in itertools.pairwise(row)
    )
    work, slower = (value(row[2]) / value(row[1]) for row in (macs, time))
    return Judgement(
        as_printed(rising),
        f"From {RECURSIONS[1]} to {RECURSIONS[2]} recursions the printed time grows "
        f"{slower:.1f}-fold, the recursions {RECURSIONS[2] / RECURSIONS[1]:.1f}-fold, and the "
        f"printed multiply-adds {work:.1f}-fold: see rdsrn/one-network-is-counted.",
        rows(*macs, *time),
    )


@claim("rdsrn", "Section III; Table I", "More recursions give a higher PSNR.")
def recursions_gain_psnr() -> Judgement:
    psnr = [_cell("I", f"Recursions {n}", "Urban100") for n in RECURSIONS]
    steps = [value(high) - value(low) for low, high in itertools.pairwise(psnr)]
    measured = compare("benchmarks", "rdsrn-r9", "rdsrn-r1", ["Urban100"])
    return Judgement(
        quality(min(steps) > 0, measured),
        f"Printed, {steps[0]:+.2f} dB from {RECURSIONS[0]} to {RECURSIONS[1]} recursions and "
        f"{steps[1]:+.2f} dB from there to {RECURSIONS[2]}. {measured.because}",
        rows(*psnr, measured.evidence),
    )


@claim(
    "rdsrn",
    "Section II; Table I",
    "A larger channel split ratio means fewer parameters and less work.",
)
def split_ratio_saves() -> Judgement:
    table = [
        [_cell("I", f"Channel Split Ratio {ratio}", name) for ratio in SPLIT_RATIOS]
        for name in COSTS
    ]
    falls = [all(value(a) > value(b) for a, b in itertools.pairwise(row)) for row in table]
    params = [counted("rdsrn", 4, split_ratio=ratio) for ratio in SPLIT_RATIOS]
    here = all(value(a) > value(b) for a, b in itertools.pairwise(params))
    slowest = max(table[2], key=value)
    return Judgement(
        cost(falls[0] and falls[1], here),
        f"From {SPLIT_RATIOS[0]} to {SPLIT_RATIOS[2]}, {value(table[0][0]):.2f}M become "
        f"{value(table[0][2]):.2f}M parameters and {value(table[1][0]):.0f}G "
        f"{value(table[1][2]):.0f}G. By processing time, the slowest of the "
        f"three, {value(slowest):.4f} s, is {slowest['row'].item()}.",
        rows(*(cell for row in table for cell in row), *params),
    )


def _as_drawn(part: str, counts: int) -> Judgement:
    """A sentence on the structure of a network whose code nobody but its authors has."""
    return Judgement(
        NOT_TESTABLE,
        f"There is no public code. Our network is built from this sentence, {part} ({counts}), and "
        "fitted to the printed parameters; so its counts prove nothing of the authors' network.",
        rows(counted("rdsrn", 4), computed("rdsrn", part, counts, scale=4)),
    )


def _convolutions(module: nn.Module) -> int:
    return sum(isinstance(part, nn.Conv2d) for part in module.modules())


@claim("rdsrn", "Section II", "Two convolutions extract the shallow features.")
def two_shallow_convolutions() -> Judgement:
    return _as_drawn("with convolutions before the recursion", _convolutions(_rdsrn().shallow))


@claim("rdsrn", "Section II, Figure 2", "A recursive block is two DWCBs and a contrast attention.")
def recursive_block_has_two_dwcbs() -> Judgement:
    blocks = sum(isinstance(part, DWCB) for part in _rdsrn().recursive)
    return _as_drawn("with DWCBs in the recursive block", blocks)


@claim(
    "rdsrn", "Section II, Figure 3", "In a DWCB the refined features get a wider channel, twice."
)
def two_wider_channels() -> Judgement:
    block = _rdsrn().recursive[0]
    wider = sum(
        isinstance(part, nn.Conv2d) and part.out_channels > part.in_channels
        for part in block.modules()
        if part is not block.between
    )
    return _as_drawn("with widening convolutions in a DWCB", wider)


@claim("rdsrn", "Section II", "Sub-pixel convolution enlarges the features.")
def sub_pixel_upscaling() -> Judgement:
    shuffles = sum(isinstance(part, nn.PixelShuffle) for part in _rdsrn().tail.modules())
    return _as_drawn("with sub-pixel layers", shuffles)


@claim("rdsrn", "Section II, Figure 4", "The refinement block has four convolutions.")
def four_refining_convolutions() -> Judgement:
    block = next(part for part in _rdsrn().tail if isinstance(part, HFRRB))
    return _as_drawn("with convolutions in the refinement block", _convolutions(block))


def _rdsrn() -> Any:
    with torch.device("meta"):
        return create_network("rdsrn", 4)


@claim("rdsrn", "Section III, Figure 5", "With both parts the features show more of edges.")
def features_are_clearer() -> Judgement:
    return Judgement(
        NOT_TESTABLE,
        "Clearer is no number, the weights are not public, and one channel of one image is shown. "
        "papers.show.paper_figures.rdsrn_figure_5 draws the same of the networks trained here.",
        counted("rdsrn", 4),
    )


@claim("rdsrn", "Section III, Figure 6", "Its diagonal lines are the nearest to the original's.")
def lines_of_figure_6() -> Judgement:
    return Judgement(
        NOT_TESTABLE,
        "Direction of lines is no number of the paper's, and neither RDSRN's weights nor those "
        "behind the other pictures are public.",
        printed("rdsrn", "II", column="Urban100"),
    )


@claim("rdsrn", "Section I", "RDN needs many parameters and operations.")
def rdn_is_large() -> Judgement:
    table = [printed("rdsrn", "II", column=name) for name in ("Params", "Multi-Adds")]
    most = [part.nlargest(1, "value") for part in table]
    here = rows(*(counted("rdn", 4, name) for name in ("params", "macs_720p")))
    return Judgement(
        as_printed(all(part["row"].item() == RDN for part in most)),
        f"It has the most of both in Table II: {most[0]['value'].item():g} M parameters and "
        f"{most[1]['value'].item():,.0f} G multiply-adds.",
        rows(*table, here),
    )


@claim("rdsrn", "Section II", "Widening the refined channels keeps features from being suppressed.")
def wider_channel_helps() -> Judgement:
    measured = compare("rdsrn", "rdsrn", "rdsrn-hfrrb", SETS)
    return _unprinted("wide", "the wider channel", "Figure 5 shows one channel", measured)


@claim(
    "rdsrn", "Section II; Conclusion", "The refinement block makes high frequencies more accurate."
)
def refinement_block_helps() -> Judgement:
    measured = compare("rdsrn", "rdsrn", "rdsrn-wider", SETS)
    return _unprinted("refinement", "the refinement block", "Figure 5 shows one channel", measured)


# --- section III, table I ---------------------------------------------------------------------


@claim(
    "rdsrn",
    "Section III; Table I",
    "Three recursions and a ratio of 0.5 gain the most for the least added work.",
)
def three_recursions_and_half() -> Judgement:
    walks = {
        "Recursions": [f"Recursions {n}" for n in RECURSIONS],
        "Channel Split Ratio": [f"Channel Split Ratio {r}" for r in reversed(SPLIT_RATIOS)],
    }
    steps = rows(
        *(
            gaps(_cell("I", upper, name), _cell("I", lower, name))
            for walk in walks.values()
            for lower, upper in itertools.pairwise(walk)
            for name in ("Multi-Adds", "Urban100")
        )
    )
    work = steps[steps["column"] == "Multi-Adds"]["value"].to_list()
    psnr = steps[steps["column"] == "Urban100"]["value"].to_list()
    best = printed("rdsrn", "I", column="Urban100").nlargest(2, "value")
    first, second = (0, 2), (1, 3)
    holds = all(work[a] < work[b] and psnr[a] > psnr[b] for a, b in zip(first, second, strict=True))
    chosen = _cell("I", "Recursions 3", "Urban100")
    return Judgement(
        as_printed(holds),
        "Increase and improvement are those of a step in Table I, the only reading in which one "
        "setting has the least of one and the most of the other: up to the chosen setting "
        f"{psnr[0]:+.2f} dB for {work[0]:.0f}G (recursions) and {psnr[2]:+.2f} dB for "
        f"{work[2]:.0f}G (ratio), beyond it {psnr[1]:+.2f} dB for {work[1]:.0f}G and "
        f"{psnr[3]:+.2f} dB for {work[3]:.0f}G. It has {value(chosen):.2f} dB; the best scores of "
        f"the table are {' and '.join(f'{score:.2f}' for score in best['value'])} dB, of "
        f"{' and '.join(best['row'])}.",
        rows(printed("rdsrn", "I"), steps),
    )


@claim("rdsrn", "Section III; Table I", "The chosen setting processes fast.")
def chosen_setting_is_fast() -> Judgement:
    times = printed("rdsrn", "I", column="Processing Time")
    chosen = _cell("I", "Channel Split Ratio 0.5", "Processing Time")
    ratios_only = times[times["row"].str.startswith("Channel Split Ratio")]
    faster = times[times["value"] < value(chosen)]
    return Judgement(
        as_printed(value(chosen) == ratios_only["value"].min()),
        f"Its {value(chosen):.4f} s are the least of the {len(ratios_only)} ratios; faster in "
        f"Table I is {' and '.join(faster['row'])}. Judged among the ratios, as fewer recursions "
        "are a smaller network.",
        rows(times),
    )


@claim("rdsrn", "Tables I and II", "The network of Table II is the chosen setting of Table I.")
def one_processing_time() -> Judgement:
    ours = [
        printed("rdsrn", table, row)
        for table, row in (("I", "Channel Split Ratio 0.5"), ("II", "RDSRN"))
    ]
    change = gaps(ours[1], ours[0])
    other = change[change["value"] != 0]
    return Judgement(
        as_printed(other.empty),
        f"{len(change) - len(other)} of {len(change)} cells are the same; "
        + ", ".join(
            f"{column} is {value(_cell('II', 'RDSRN', column))} in Table II and "
            f"{value(_cell('I', 'Channel Split Ratio 0.5', column))} in Table I"
            for column in other["column"]
        )
        + ". No image size or machine is named for either.",
        rows(*ours, change),
    )


# --- section III, table II --------------------------------------------------------------------


@claim("rdsrn", "Section III; Table II", "RDSRN's PSNR is 0.22 dB below RDN's on average.")
def psnr_below_rdn() -> Judgement:
    return _mean_gap(RDN, -0.22)


@claim("rdsrn", "Section III; Table II", "RDSRN's PSNR is 0.22 dB above CARN's on average.")
def psnr_above_carn() -> Judgement:
    return _mean_gap(CARN, +0.22)


@claim("rdsrn", "Section III; Table II", "RDN has 32 times as many parameters.")
def parameters_of_rdn() -> Judgement:
    return _times(RDN, "Params", "32", ("rdn", "params"))


@claim("rdsrn", "Section III; Table II", "RDN needs 10 times as many multiply-adds.")
def multiply_adds_of_rdn() -> Judgement:
    return _times(RDN, "Multi-Adds", "10", ("rdn", "macs_720p"))


@claim("rdsrn", "Section III; Table II", "RDSRN is 3 times faster than RDN.")
def time_of_rdn() -> Judgement:
    return _times(RDN, "Processing Time", "3")


@claim("rdsrn", "Section III; Table II", "CARN has 2.2 times as many parameters.")
def parameters_of_carn() -> Judgement:
    return _times(CARN, "Params", "2.2", ("carn", "params"))


@claim("rdsrn", "Section III; Table II", "RDSRN needs 1.5 times the multiply-adds of CARN.")
def multiply_adds_of_carn() -> Judgement:
    return _times(CARN, "Multi-Adds", "1.5", ("carn", "macs_720p"), more=True)


@claim("rdsrn", "Section III; Table II", "RDSRN is 1.3 times faster than CARN.")
def time_of_carn() -> Judgement:
    return _times(CARN, "Processing Time", "1.3")


@claim("rdsrn", "Table II", "SRCNN, RDN and CARN cost what the table says.")
def costs_of_the_others() -> Judgement:
    table = printed("rdsrn", "II")
    names = {"SRCNN [3]": "srcnn", RDN: "rdn", CARN: "carn"}
    right, code = [], []
    for row, network in names.items():
        for column, quantity in (("Params", "params"), ("Multi-Adds", "macs_720p")):
            cell = table[(table["row"] == row) & (table["column"] == column)]
            here = counted(network, 4, quantity)
            code.append(here)
            right += as_counted(cell, here)
    return Judgement(
        as_printed(all(right)),
        f"{sum(right)} of {len(right)} counts are those of the networks here, rounded or cut off "
        "to the printed digits, with multiply-adds for an image of 1280x720. The paper does not "
        "say the size.",
        rows(table[table["row"].isin(list(names))], *code),
    )


# --- helpers ----------------------------------------------------------------------------------


def _mean_gap(row: str, said: float) -> Judgement:
    """A mean difference of PSNR over the two sets; exactly half-way, either rounding will do."""
    ours, theirs = (
        rows(*(_cell("II", name, column) for column in SETS)) for name in ("RDSRN", row)
    )
    gap = gaps(ours, theirs)
    mean = float(gap["value"].mean())
    half_way = abs(100 * abs(mean) % 1 - 0.5) < 1e-6
    agrees = mean * said > 0 and Number.read(f"{abs(said):.2f}").admits(abs(mean))
    each = " and ".join(
        f"{v:+.2f} dB on {c}" for v, c in zip(gap["value"], gap["column"], strict=True)
    )
    return Judgement(
        as_printed(agrees),
        f"The cells give {each}, {mean:+.3f} dB in the mean of the two sets"
        + (", half-way between two roundings." if half_way else "."),
        rows(
            stated("rdsrn", "Section III", "psnr_y", said, "dB"),
            ours,
            theirs,
            gap,
            derived(f"RDSRN minus {row}, mean", "psnr_y", mean, unit="dB"),
        ),
    )


def _times(
    row: str, column: str, said: str, network: tuple[str, str] | None = None, more: bool = False
) -> Judgement:
    """A factor between two cells of Table II; with ``network``, its own count beside it."""
    ours, theirs = _cell("II", "RDSRN", column), _cell("II", row, column)
    factor = ratios(ours, theirs) if more else ratios(theirs, ours)
    parts = [
        stated("rdsrn", "Section III", f"factor in {column}", float(said)),
        ours,
        theirs,
        factor,
    ]
    reason = f"The cells give {value(factor):.2f}."
    if network is not None:
        here = counted(network[0], 4, network[1])
        unit = {"params": 1e6, "macs_720p": 1e9}[network[1]]
        exact = value(here) / unit / value(ours)
        exact = 1 / exact if more else exact
        parts.append(here)
        reason = f"The cells give {value(factor):.2f}; {row} counted by code, {exact:.2f}."
    if column == "Processing Time":
        other = _cell("I", "Channel Split Ratio 0.5", column)
        parts.append(other)
        reason += (
            f" With the {value(other):.4f} s of Table I it would be "
            f"{value(theirs) / value(other):.2f}. No time is measured here."
        )
    return Judgement(as_printed(Number.read(said).admits(value(factor))), reason, rows(*parts))


def _unprinted(part: str, name: str, figure: str, measured: Comparison) -> Judgement:
    """A part without a printed score: what it costs in the fit, and what it gains here."""
    without: dict[str, Any] = {part: False}
    params = [counted("rdsrn", 4), counted("rdsrn", 4, **without)]
    macs = [counted("rdsrn", 4, "macs_720p", **how) for how in ({}, without)]
    share = [1 - value(each[1]) / value(each[0]) for each in (params, macs)]
    return Judgement(
        measured.verdict,
        f"No score without {name} is printed: {figure}, without a number. In the fit it "
        f"takes {share[0]:.0%} of the parameters and {share[1]:.0%} of the multiply-adds at "
        f"1280x720. {measured.because}",
        rows(*params, *macs, measured.evidence),
    )


def _cell(table: str, row: str, column: str) -> pd.DataFrame:
    return printed("rdsrn", table, row, column)


def _split(table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    ours = table["row"] == "RDSRN"
    return table[ours], table[~ours]


def _over(ours: pd.DataFrame, theirs: pd.DataFrame) -> pd.Series:
    """Ours over theirs by column."""
    found = ratios(ours, theirs)
    return pd.Series(found["value"].to_numpy(), index=found["column"])


def _light(most: Number) -> pd.DataFrame:
    """Scores at x4, in any paper's tables, of other networks of at most ``most`` parameters."""
    table = cells()
    own = table["network"].fillna("").str.startswith("rdsrn")
    table = table[(table["scale"] == 4) & ~own]
    keys = ["paper", "table", "row"]
    params = table[table["quantity"] == "params"]
    end = most.in_full.interval.high
    light = params[[number.in_full.value < end for number in params["number"]]]
    light = light[keys].drop_duplicates()
    scores = table[(table["quantity"] == "psnr_y") & table["column"].isin(SETS)]
    return rows(scores.merge(light, on=keys).assign(kind="printed", run=""))
