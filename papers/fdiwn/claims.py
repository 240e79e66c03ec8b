"""Claims of FDIWN: Gao, Li, Li, Wu, Lu, Yu, AAAI 2022, of which there is the poster.

The poster says in words what the network is for and made of; what it claims to reach is its table,
at x3 and x4. FDIWN is that of the authors' code. There is no code of FDIWN-M: ours is a guess made
from the printed costs, and cannot test them.
"""

from functools import cache
from typing import Any

import pandas as pd
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from papers.claims import (
    UNDECIDED,
    Judgement,
    as_printed,
    authors_weights,
    better,
    claim,
    compare,
    cost,
)
from papers.evidence import as_counted, computed, counted, gaps, printed, ratios, rows
from srlib.evaluation.complexity import parameters
from srlib.networks import create_network
from srlib.networks.fdiwn import (
    FDIWN,
    FSWG,
    PLANS,
    WDIB,
    WIDTH,
    Coefficients,
    ShuffleAttention,
    WideUnit,
)

SETS = ["Set5", "Set14", "B100", "Urban100"]
SCALES = (3, 4)
OURS, SMALL = "FDIWN(Ours)", "FDIWN-M(Ours)"
IMDN, CARN = "IMDN (Hui et al. 2019)", "CARN (Ahn, Kang, and Sohn 2018)"
RFDN = "RFDN (Liu, Tang, and Wu 2020)"


def cells(row: str, quantity: str = "psnr_y", **where: Any) -> pd.DataFrame:
    """A row of the poster's table, at both scales if none is named."""
    return printed("fdiwn", "poster", row, quantity=quantity, **where)


@cache
def fdiwn() -> FDIWN:
    """FDIWN at x4, without weights."""
    with torch.device("meta"):
        network = create_network("fdiwn", 4)
    assert isinstance(network, FDIWN)
    return network


# Contributions and figures.


@claim("fdiwn", "Contributions", "The wide attention unit distils better than a residual block.")
def wide_units_distil_better() -> Judgement:
    with torch.device("meta"):
        unit = WideUnit(WIDTH, PLANS[4].wirw, WIDTH // 2)
    count = parameters(unit)
    return Judgement(
        UNDECIDED,
        "Nothing was measured: the poster prints no scores without the unit, and no network "
        f"without it is built here. The unit has {count:,} parameters at x4.",
        computed("WIRW", "params", count, scale=4),
    )


@claim("fdiwn", "Contributions", "The units are wide: they expand the channels within.")
def units_are_wide() -> Judgement:
    units = [module for module in fdiwn().modules() if isinstance(module, WideUnit)]
    first = [unit.body[0] for unit in units]
    sizes = sorted({(c.in_channels, c.out_channels) for c in first if isinstance(c, nn.Conv2d)})
    listed = ", ".join(f"{before} to {within}" for before, within in sizes)
    return Judgement(
        as_printed(bool(sizes) and all(within > before for before, within in sizes)),
        f"At x4 its {len(units)} wide units expand {listed} channels.",
        rows(
            *(
                computed(f"wide unit of {before} channels", "channels within", within, scale=4)
                for before, within in sizes
            )
        ),
    )


class _Concatenations(TorchDispatchMode):
    """Counts the concatenations whose result has ``channels`` channels."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels
        self.count = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if func is torch.ops.aten.cat.default and isinstance(result, Tensor):
            self.count += result.shape[1] == self.channels
        return result


@claim("fdiwn", "Contributions", "Self-calibrated fusion stands where others concatenate.")
def fusion_without_concatenation() -> Judgement:
    with torch.no_grad(), _Concatenations(2 * WIDTH) as seen:
        WDIB(PLANS[4])(torch.rand(1, WIDTH, 8, 8))
    return Judgement(
        as_printed(seen.count == 0),
        f"A block of the authors' code concatenates its two branches ({seen.count}x): the fusion "
        "weighs them before and gates them after.",
        computed("WDIB", "concatenations of both branches", seen.count),
    )


@claim("fdiwn", "Contributions", "Coarse and distilled features of a block meet within it.")
def coarse_and_fine_features_meet() -> Judgement:
    blocks = [module for module in fdiwn().modules() if isinstance(module, WDIB)]
    refined = [(block.refine_a, block.refine_b) for block in blocks]
    joined = [
        next(m for m in block.fuse.modules() if isinstance(m, nn.Conv2d)).in_channels
        for block in blocks
    ]
    return Judgement(
        as_printed(all(width == 2 * WIDTH for width in joined)),
        f"In each of the {len(blocks)} blocks of the authors' code {len(refined[0])} wide units "
        f"take the distilled halves of both branches, and a unit of {joined[0]} channels joins "
        "what comes of them.",
        rows(
            computed("WDIB", "channels joined", joined[0], scale=4),
            computed("WDIB", "units on distilled features", len(refined[0]), scale=4),
        ),
    )


@claim("fdiwn", "Contributions", "A group fuses interacting distillation blocks pair by pair.")
def groups_fuse_pairs() -> Judgement:
    group = FSWG(PLANS[4])
    blocks = sum(isinstance(module, WDIB) for module in group.modules())
    with torch.no_grad(), _Concatenations(2 * WIDTH) as seen:
        group(torch.rand(1, WIDTH, 8, 8))
    pairs = seen.count - blocks  # each block joins its own two branches once
    return Judgement(
        as_printed(pairs == blocks - 1),
        f"A group has {blocks} blocks and fuses two maps at a time, {pairs} times.",
        rows(
            computed("FSWG", "blocks", blocks),
            computed("FSWG", "fusions of two maps", pairs),
        ),
    )


@claim("fdiwn", "Contributions", "The group is the network's basic component.")
def groups_make_the_network() -> Judgement:
    network = fdiwn()
    inside = parameters(network.groups)
    total = parameters(network)
    return Judgement(
        as_printed(2 * inside > total),
        f"{inside / total:.0%} of the parameters are in {len(network.groups)} groups, which are "
        f"applied {len(network.order)} times.",
        rows(
            computed("FDIWN", "params", total, scale=4),
            computed("FDIWN, groups", "params", inside, scale=4),
            computed("FDIWN", "applications of a group", len(network.order), scale=4),
        ),
    )


def has(part: type[nn.Module], name: str) -> Judgement:
    """Whether every distillation block has a part that the poster draws."""
    blocks = [module for module in fdiwn().modules() if isinstance(module, WDIB)]
    numbers = [sum(isinstance(module, part) for module in block.modules()) for block in blocks]
    return Judgement(
        as_printed(min(numbers) > 0),
        f"Each of the {len(blocks)} blocks of the authors' code has {min(numbers)} of them.",
        rows(
            computed("FDIWN", "blocks", len(blocks), scale=4),
            computed("WDIB", name, min(numbers), scale=4),
        ),
    )


@claim("fdiwn", "Figures", "A block learns the coefficients by which its branches are combined.")
def blocks_learn_coefficients() -> Judgement:
    return has(Coefficients, "coefficient branches")


@claim("fdiwn", "Figures", "A block uses shuffle attention.")
def blocks_shuffle_attention() -> Judgement:
    return has(ShuffleAttention, "shuffle attentions")


# The table.


def cheaper(other: str, network: str, quantity: str, unit: str) -> Judgement:
    """Whether FDIWN costs less than another network, in print and by code."""
    ours, theirs = cells(OURS, quantity), cells(other, quantity)
    here, there = counted("fdiwn", SCALES, quantity), counted(network, SCALES, quantity)
    in_print, by_code = ratios(ours, theirs), ratios(here, there)
    divisor = {"K": 1e3, "G": 1e9}[unit]
    said = "; ".join(
        f"x{scale}: {a:g}{unit} for {b:g}{unit} in print, {c / divisor:.1f}{unit} for "
        f"{d / divisor:.1f}{unit} by code"
        for scale, a, b, c, d in zip(
            ours["scale"],
            ours["value"],
            theirs["value"],
            here["value"],
            there["value"],
            strict=True,
        )
    )
    verdict = cost(bool((in_print["value"] < 1).all()), bool((by_code["value"] < 1).all()))
    return Judgement(verdict, f"{said}.", rows(ours, theirs, in_print, here, there, by_code))


@claim("fdiwn", "Table", "FDIWN has fewer parameters than IMDN.")
def fewer_parameters_than_imdn() -> Judgement:
    return cheaper(IMDN, "imdn", "params", "K")


@claim("fdiwn", "Table", "FDIWN needs fewer multiply-adds than IMDN.")
def fewer_multiply_adds_than_imdn() -> Judgement:
    return cheaper(IMDN, "imdn", "macs_720p", "G")


@claim("fdiwn", "Table", "FDIWN has fewer parameters than CARN.")
def fewer_parameters_than_carn() -> Judgement:
    return cheaper(CARN, "carn", "params", "K")


@claim("fdiwn", "Table", "FDIWN needs fewer multiply-adds than CARN.")
def fewer_multiply_adds_than_carn() -> Judgement:
    return cheaper(CARN, "carn", "macs_720p", "G")


def costs(row: str, network: str, quantity: str, divisor: float) -> Judgement:
    """Whether a printed cost is that of the network, rounded or cut off to the printed digits."""
    in_print, here = cells(row, quantity), counted(network, SCALES, quantity)
    said = ", ".join(
        f"{exact / divisor:.{number.digits + 1}f} for {value:.{number.digits}f} at x{scale}"
        for exact, value, number, scale in zip(
            here["value"], in_print["value"], in_print["number"], here["scale"], strict=True
        )
    )
    return Judgement(
        cost(True, all(as_counted(in_print, here))),
        f"By code {said} printed.",
        rows(in_print, here),
    )


@claim("fdiwn", "Table", "FDIWN has the parameters of its row.")
def parameters_of_the_row() -> Judgement:
    return costs(OURS, "fdiwn", "params", 1e3)


@claim("fdiwn", "Table", "FDIWN needs the multiply-adds of its row.")
def multiply_adds_of_the_row() -> Judgement:
    return costs(OURS, "fdiwn", "macs_720p", 1e9)


@claim("fdiwn", "Table", "At x4 FDIWN scores what its row says, the image in overlapping parts.")
def scores_in_parts() -> Judgement:
    return authors_weights(cells(OURS, scale=4), "benchmarks", "fdiwn-chop")


@claim("fdiwn", "Table", "At x4 FDIWN scores what its row says, the image as a whole.")
def scores_as_a_whole() -> Judgement:
    return authors_weights(cells(OURS, scale=4), "benchmarks", "fdiwn")


@claim("fdiwn", "Table", "FDIWN is better than IMDN.")
def better_than_imdn() -> Judgement:
    return better(cells(OURS), cells(IMDN), compare("benchmarks", "fdiwn", "imdn", SETS))


@claim("fdiwn", "Table", "FDIWN is better than CARN.")
def better_than_carn() -> Judgement:
    return better(cells(OURS), cells(CARN), compare("benchmarks", "fdiwn", "carn", SETS))


@claim("fdiwn", "Table", "FDIWN is better than RFDN.")
def better_than_rfdn() -> Judgement:
    return better(cells(OURS), cells(RFDN), compare("benchmarks", "fdiwn", "rfdn", SETS))


@claim("fdiwn", "Table", "FDIWN-M is better than IMDN.")
def small_better_than_imdn() -> Judgement:
    return better(cells(SMALL), cells(IMDN), compare("benchmarks", "fdiwn-m", "imdn", SETS))


@claim("fdiwn", "Table", "No network of the table has a higher PSNR than FDIWN.")
def best_of_the_table() -> Judgement:
    everything = printed("fdiwn", "poster", quantity="psnr_y")
    others = everything[everything["row"] != OURS]
    table = gaps(cells(OURS), others)
    ahead = table[table["value"] < 0]
    listed = ", ".join(
        f"{row['row'].removeprefix(OURS + ' minus ')} on {row['column']} x{row['scale']} "
        f"by {-row['value']:.2f} dB"
        for row in ahead.to_dict("records")
    )
    return Judgement(
        as_printed(ahead.empty),
        f"{len(ahead)} of {len(others)} printed cells are higher{': ' if listed else ''}{listed}.",
        rows(cells(OURS), others, ahead),
    )
