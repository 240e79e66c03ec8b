"""Claims of AIDN: Zong, Zha, Jiang, Liu, CVPR Workshops 2022, paper and poster.

The poster repeats the paper's; each is here once. The parameters and FLOPs printed for the network
are those of six blocks (see ``srlib/networks/aidn.py``), which has no public weights: only the
challenge entry of four blocks has.
"""

from fractions import Fraction
from typing import Any

import pandas as pd
import torch
from torch import nn

from papers.ablation import reconstructed
from papers.claims import (
    MARGIN,
    NOT_TESTABLE,
    UNDECIDED,
    Judgement,
    Shortfall,
    addresses,
    algebraic,
    as_printed,
    authors_weights,
    better,
    claim,
    compare,
    cost,
    falls_short,
    rivals,
    share_of_output,
)
from papers.evidence import (
    SETS,
    as_counted,
    computed,
    counted,
    derived,
    gaps,
    listed,
    one_row,
    printed,
    ratios,
    rows,
    runs_of,
    scored,
    stated,
    value,
)
from papers.printed import Number, Span
from papers.results import per_image
from srlib.evaluation.complexity import parameters
from srlib.networks import create_network
from srlib.networks.aidn import AIDB, AIEB, FDC
from srlib.networks.blocks import ESA, ChannelAttention
from srlib.networks.imdn import IMDB
from srlib.networks.rfdn import RFDB, SRB, rfdb_as_rfdb_e

SCALES = (2, 3, 4)
OURS = "AIDN(ours)"
ALIKE = "bsd400-others"  # the campaign that trains AIDN, RFDN and IMDN alike


def cells(row: str, quantity: str = "psnr_y", **where: Any) -> pd.DataFrame:
    """A row of Table 3, at every scale if none is named."""
    return printed("aidn", "3", row, quantity=quantity, **where)


def aidn() -> nn.Module:
    """The network of the published counts, without weights."""
    with torch.device("meta"):
        return create_network("aidn", 4)


# Abstract and introduction.


@claim("aidn", "Abstract; Sections 4.3, 5; Table 3", "AIDN's PSNR is at the level of SRResNet's.")
def level_of_srresnet() -> Judgement:
    measured = compare(ALIKE, "aidn-aidb", "msrresnet", SETS, margin=MARGIN)
    return better(cells(OURS), cells("SRResNet [15]"), measured, MARGIN)


@claim(
    "aidn",
    "Abstract; Section 1; poster",
    "AIDN's challenge entry came second of NTIRE 2022's efficient track for model complexity.",
)
def runner_up() -> Judgement:
    entry = rows(
        stated("aidn", "Abstract", "rank", 2),
        counted("aidn", 4, "params", blocks=4),
        counted("aidn", 4, "ntire_flops", blocks=4),
    )
    params, flops = entry["value"].iloc[1:] / [1e3, 1e9]
    return Judgement(
        NOT_TESTABLE,
        f"Nothing was measured: the entry has {params:.1f}K parameters and {flops:.2f} G FLOPs, "
        "but the other entries are neither printed in the paper nor built here.",
        entry,
    )


@claim(
    "aidn",
    "Abstract; Section 1; poster",
    "AIDN's entry has slightly more parameters than the track's winner, and a higher test PSNR.",
)
def above_the_winner() -> Judgement:
    return Judgement(
        NOT_TESTABLE,
        "Nothing was measured: the paper prints neither side, and the winner is not built here.",
        counted("aidn", 4, "params", blocks=4),
    )


@claim(
    "aidn",
    "Abstract; Section 4.5",
    "AIDN balances quality and size better than the state of the art.",
)
def better_balance() -> Judgement:
    params = printed("aidn", "3", quantity="params")
    psnr = printed("aidn", "3", quantity="psnr_y")
    table = psnr.merge(params[["row", "scale", "value"]], on=["row", "scale"], suffixes=("", "_k"))
    ours = table[table["row"] == OURS].set_index(["scale", "column"])
    own = ours.loc[pd.MultiIndex.from_frame(table[["scale", "column"]])]
    smaller = table["value_k"].to_numpy() <= own["value_k"].to_numpy()
    smaller &= (table["row"] != OURS).to_numpy()
    above = smaller & (table["value"].to_numpy() >= own["value"].to_numpy())
    return Judgement(
        NOT_TESTABLE,
        f"By what measure is not said. Of the {smaller.sum()} cells of Table 3 by networks with no "
        f"more parameters, {above.sum()} have as high a PSNR.",
        rows(cells(OURS, "params"), cells(OURS), psnr[smaller]),
    )


@claim(
    "aidn",
    "Abstract; Section 3.3",
    "AIEB greatly reduces the parameters.",
)
def aieb_is_smaller() -> Judgement:
    widths = (50, 25)
    units = [
        computed(f"AIEB, {width} to 25 channels", "params", parameters(AIEB(width, 25)))
        for width in widths
    ]
    srb = computed("SRB of an RFDB, 50 channels", "params", parameters(nn.Conv2d(50, 50, 3)))
    plain = [
        computed(f"3x3, {width} to 25 channels", "params", parameters(nn.Conv2d(width, 25, 3)))
        for width in widths
    ]
    first, later, replaced = (value(part) for part in (*units, srb))
    return Judgement(
        as_printed(first < replaced and later < replaced),
        f"An AIEB has {first:,.0f} parameters where it halves the channels and {later:,.0f} where "
        f"it keeps them; the SRB in its place in an RFDB of as many channels has {replaced:,.0f}. "
        "The narrower channels save them and not the kernels: one 3x3 convolution between the same "
        f"channels has {value(plain[0]):,.0f} and {value(plain[1]):,.0f}.",
        rows(*units, srb, *plain),
    )


@claim("aidn", "Section 1", "RFDN consists of four RFDBs.")
def rfdn_has_four_blocks() -> Judgement:
    with torch.device("meta"):
        networks = [create_network(name, 4) for name in ("rfdn", "e-rfdn")]
    numbers = [len(network.blocks) for network in networks]  # type: ignore[arg-type]
    return Judgement(
        as_printed(4 in numbers),
        f"The paper cited has two networks: the RFDN of the parameters in Table 3 has {numbers[0]} "
        f"blocks, the challenge entry E-RFDN {numbers[1]}. So the sentence is of the entry, and "
        "the tables are of the other.",
        rows(
            cells("RFDN [20]", "params", scale=4),
            counted("rfdn", 4),
            computed("rfdn", "blocks", numbers[0]),
            computed("e-rfdn", "blocks", numbers[1]),
        ),
    )


def blocks(number: int, said: int, network: str, params: pd.DataFrame) -> Shortfall:
    """How far a stated number of blocks is from that of the network of the printed parameters."""
    so_many = counted(network, SCALES, blocks=said)
    certain = not any(as_counted(params, so_many))
    return Shortfall(f"{number} blocks", abs(number - said), "blocks", certain, addresses(params))


@claim(
    "aidn", "Sections 1, 3.2", "Each SRB of an RFDB, and so the RFDB, equals one without shortcuts."
)
def srb_is_a_convolution() -> Judgement:
    torch.manual_seed(0)
    block = RFDB(50, ESA(50, 12)).double()
    x = torch.randn(1, 50, 32, 32, dtype=torch.float64)
    with torch.no_grad():
        expected, got = block(x), rfdb_as_rfdb_e(block)(x)
    difference, largest = (expected - got).abs().max().item(), expected.abs().max().item()
    return Judgement(
        algebraic(difference, largest),
        "With every identity folded into its convolution, the outputs differ by "
        f"{share_of_output(difference, largest)} at most.",
        rows(
            computed("RFDB minus RFDB-E", "largest difference", difference),
            computed("RFDB", "largest output", largest),
        ),
    )


@claim("aidn", "Section 1", "RFDN's changes to IMDN's block, 1x1 distillation and SRB, save time.")
def runtime_of_rfdn() -> Judgement:
    speeds = [Number.read("44", "1/s"), Number.read("49", "1/s")]
    said = rows(
        *(
            stated("rfdn", f"Section 4.3, {name}", "frames per second", float(speed.value), "1/s")
            for name, speed in zip(("RFDN", "IMDN"), speeds, strict=True)
        )
    )
    entry = rows(*(printed("rfdn", "5", row, "Runtime") for row in ("NJU_MCG (ours)", "IMDN")))
    ours, theirs = speeds
    longer = float(theirs.value / ours.value)
    return Judgement(
        as_printed(longer < 1),
        f"Of the network with these two changes RFDN's paper says {ours.text} frames a second, of "
        f"IMDN {theirs.text}: {longer:.2f} times the time for an image. Its challenge entry takes "
        f"{entry['value'].iloc[0]:.3f} s where IMDN takes {entry['value'].iloc[1]:.3f} s, but has "
        "four blocks and another attention besides.",
        rows(said, entry),
        (
            Shortfall(
                f"{ours.text} frames a second against IMDN's {theirs.text}",
                float(theirs.value - ours.value),
                "frames a second",
                theirs.interval.low >= ours.interval.high,
                ("RFDN, Section 4.3",),
                "IMDN",
            ),
        ),
    )


@claim("aidn", "Sections 1, 3.2", "RFDB computes much that is redundant, and RFDB-E leaves it out.")
def rfdb_is_redundant() -> Judgement:
    with_identity = rows(*(counted("rfdn", 4, name) for name in ("params", "macs_720p")))
    without = rows(*(counted("rfdn", 4, name, block="rfdb-e") for name in ("params", "macs_720p")))
    saved = ratios(without, with_identity)
    params, macs = 100 * (1 - saved["value"])
    return Judgement(
        as_printed(bool((saved["value"] < 1).all())),
        f"RFDB-E saves {params:.0f} % of the parameters and {macs:.0f} % of the multiply-adds: "
        "what it leaves out is three additions of maps, which neither counts.",
        rows(with_identity, without, saved),
    )


@claim("aidn", "Section 1", "Halving the channels, with asymmetric kernels, saves 50 % of an RFDB.")
def half_of_an_rfdb() -> Judgement:
    ours = parameters(AIDB(50))
    esa, cca = (
        parameters(RFDB(50, ESA(50, 12))),
        parameters(RFDB(48, ChannelAttention(48, 4, contrast=True))),
    )
    square = ours
    for unit in (module for module in AIDB(50).modules() if isinstance(module, AIEB)):
        first = unit.vertical_first[0], unit.vertical_first[-1]
        wide, narrow = (conv for conv in first if isinstance(conv, nn.Conv2d))
        square += parameters(nn.Conv2d(wide.in_channels, narrow.out_channels, 3)) - parameters(unit)
    saved, other, plain = (100 * (1 - part) for part in (ours / esa, ours / cca, square / esa))
    return Judgement(
        as_printed(saved >= Number.read("50").interval.low),
        f"An AIDB has {ours:,} parameters, {saved:.1f} % fewer than an RFDB of the same width and "
        f"attention, and {other:.1f} % fewer than that of the RFDN in Table 3. The sentence "
        "compares whole blocks, and so does this verdict; the halved channels do it, for with 3x3 "
        f"kernels in place of the asymmetric ones it would save {plain:.1f} %.",
        rows(
            stated("aidn", "Section 1", "saving", 50, "%"),
            computed("AIDB, 50 channels, ESA", "params", ours),
            computed("AIDB with 3x3 kernels, 50 channels, ESA", "params", square),
            computed("RFDB, 50 channels, ESA", "params", esa),
            computed("RFDB, 48 channels, CCA", "params", cca),
            derived("AIDB for RFDB, 50 channels, ESA", "saving", saved, unit="%"),
        ),
    )


MANY = Fraction(10**9)  # more than any ratio of two networks


def readings(table: pd.DataFrame) -> list[tuple[float, Span]]:
    """What follows from printed cells, exactly as printed and where it may lie."""
    return list(zip(table["value"], table["span"], strict=True))


def saving(quantity: str, counted_as: str, percent: str) -> Judgement:
    """A stated saving against SRResNet in Table 3, beside that of the entry of four blocks."""
    ours, theirs = cells(OURS, quantity), cells("SRResNet [15]", quantity)
    share = ratios(ours, theirs)
    saved = (100 * (1 - share["value"])).tolist()
    entry = rows(
        counted("aidn", 4, counted_as, blocks=4),
        counted("msrresnet", 4, counted_as),
    )
    four = 100 * (1 - entry["value"].iloc[0] / entry["value"].iloc[1])
    said = Number.read(percent)
    listed = ", ".join(
        f"{part:.{said.digits}f} % at x{scale}"
        for part, scale in zip(saved, share["scale"], strict=True)
    )
    return Judgement(
        as_printed(all(part >= said.interval.low for part in saved)),
        f"By Table 3 it saves {listed}. The challenge entry of four blocks saves {four:.1f} % "
        "at x4.",
        rows(
            stated("aidn", "Section 1", "saving", float(percent), "%"), ours, theirs, share, entry
        ),
        (
            falls_short(
                float(percent),
                Span(said.interval.low, Fraction(100)),
                [
                    (100 * (1 - value), Span(100 * (1 - span.high), 100 * (1 - span.low)))
                    for value, span in share[["value", "span"]].to_numpy()
                ],
                "points",
                rows(ours, theirs),
            ),
        ),
    )


@claim("aidn", "Section 1, contribution 2", "AIDN has 84 % fewer parameters than SRResNet.")
def parameters_84_percent() -> Judgement:
    return saving("params", "params", "84")


@claim("aidn", "Section 1, contribution 2", "AIDN needs 91.5 % fewer FLOPs than SRResNet.")
def flops_91_percent() -> Judgement:
    return saving("ntire_flops", "ntire_flops", "91.5")


@claim("aidn", "Section 1, contribution 1", "AIEB makes super-resolution faster and better.")
def aieb_is_faster() -> Judgement:
    units = rows(
        computed("AIEB, 25 channels", "convolutions one after another", 2),
        computed("3x3, 25 channels", "convolutions one after another", 1),
        computed("AIEB, 25 channels", "params", parameters(AIEB(25, 25))),
        computed("3x3, 25 channels", "params", parameters(nn.Conv2d(25, 25, 3))),
    )
    return Judgement(
        NOT_TESTABLE,
        "The paper prints no time, and names no machine. Whether it is better is judged as "
        "aidn/aieb-is-better.",
        units,
    )


# Sections 2 and 3.


@claim("aidn", "Section 2", "VDSR stacks 20 convolutions.")
def vdsr_has_20_layers() -> Judgement:
    convolutions = [m for m in create_network("vdsr", 4).modules() if isinstance(m, nn.Conv2d)]
    return Judgement(
        as_printed(len(convolutions) == 20),
        f"The network of the printed parameters has {len(convolutions)} convolutions.",
        rows(
            cells("VDSR [12]", "params", scale=4),
            counted("vdsr", 4),
            computed("vdsr", "convolutions", len(convolutions)),
        ),
    )


@claim("aidn", "Section 2", "DRCN's recursion makes super-resolution cheaper to compute.")
def drcn_computes_less() -> Judgement:
    # Both scales at which the cell can be read; VDSR is the network that it follows.
    where = cells("DRCN [13]", "ntire_flops")
    share = ratios(where, cells("VDSR [12]", "ntire_flops"))
    listed = ", ".join(
        f"{value:.0f} times at x{scale}"
        for value, scale in zip(share["value"], share["scale"], strict=True)
    )
    return Judgement(
        as_printed(bool((share["value"] < 1).all())),
        f"By Table 3 it needs {listed} the FLOPs of VDSR, the network before it.",
        rows(where, cells("VDSR [12]", "ntire_flops"), share),
    )


@claim("aidn", "Section 2", "DRRN has fewer parameters than DRCN.")
def drrn_is_smaller_than_drcn() -> Judgement:
    printed_share = ratios(cells("DRRN [8]", "params"), cells("DRCN [13]", "params"))
    counted_share = ratios(counted("drrn", SCALES), counted("drcn", SCALES))
    return Judgement(
        cost(bool((printed_share["value"] < 1).all()), bool((counted_share["value"] < 1).all())),
        f"DRRN has {100 * printed_share['value'].max():.0f} % of them in print and "
        f"{100 * counted_share['value'].max():.0f} % by code.",
        rows(
            cells("DRRN [8]", "params"),
            cells("DRCN [13]", "params"),
            printed_share,
            counted("drrn", SCALES),
            counted("drcn", SCALES),
            counted_share,
        ),
    )


@claim("aidn", "Section 2", "DRRN scores better than DRCN.")
def drrn_is_better_than_drcn() -> Judgement:
    ours, theirs = cells("DRRN [8]"), cells("DRCN [13]")
    return better(ours, theirs, compare(ALIKE, "drrn", "drcn", SETS))


@claim("aidn", "Section 2", "FSRCNN, which enlarges last, computes less than networks before it.")
def fsrcnn_computes_less() -> Judgement:
    in_print = ratios(cells("FSRCNN [4]", "ntire_flops"), cells("SRCNN [3]", "ntire_flops"))
    here = ratios(counted("fsrcnn", SCALES, "macs_720p"), counted("srcnn", SCALES, "macs_720p"))
    return Judgement(
        cost(bool((in_print["value"] < 1).all()), bool((here["value"] < 1).all())),
        f"It needs {in_print['value'].min():.0%} to {in_print['value'].max():.0%} of SRCNN's FLOPs "
        f"in print, and {here['value'].min():.0%} to {here['value'].max():.0%} of its "
        "multiply-adds by code.",
        rows(in_print, here),
    )


@claim("aidn", "Section 3.2, equation 1", "The fourth distilled feature of an RFDB is of an SRB.")
def fourth_feature_is_of_an_srb() -> Judgement:
    block = RFDB(50, ESA(50, 12))
    last = block.refine4
    return Judgement(
        as_printed(isinstance(last, SRB)),
        f"It is of a convolution from {last.in_channels} to {last.out_channels} channels: with "
        "half of the channels no input can be added to the output. RFDN's own equation has the "
        "same convolution.",
        rows(
            computed("RFDB, last convolution", "channels in", last.in_channels),
            computed("RFDB, last convolution", "channels out", last.out_channels),
        ),
    )


@claim("aidn", "Section 3.2", "Against IMDN's, RFDN's blocks save parameters and FLOPs.")
def rfdn_is_lighter_than_imdn() -> Judgement:
    width = 64
    attention = ChannelAttention(width, 4, contrast=True)
    imdb, rfdb = parameters(IMDB(width)), parameters(RFDB(width, attention))
    printed_width = parameters(RFDB(48, ChannelAttention(48, 4, contrast=True)))
    in_print = ratios(cells("RFDN [20]", "params"), cells("IMDN [8]", "params"))
    return Judgement(
        as_printed(rfdb < imdb),
        f"At one width, {width} channels, and with the same attention, an RFDB has {rfdb:,} "
        f"parameters and an IMDB {imdb:,}, and the multiply-adds of convolutions go with them: "
        "what the 1x1 distillation saves, the undivided channels of the refinement spend. RFDN is "
        f"lighter than IMDN ({in_print['value'].min():.0%} to {in_print['value'].max():.0%} of the "
        f"parameters in Table 3) because its blocks have 48 channels, and {printed_width:,}.",
        rows(
            computed(f"RFDB, {width} channels", "params", rfdb),
            computed(f"IMDB, {width} channels", "params", imdb),
            computed("RFDB, 48 channels", "params", printed_width),
            cells("RFDN [20]", "params"),
            cells("IMDN [8]", "params"),
            in_print,
        ),
    )


@claim("aidn", "Section 3.3, Figure 3c", "Every distillation is one 1x1 convolution.")
def distils_by_1x1() -> Judgement:
    block = AIDB(50)
    sizes = [
        convolution.kernel_size for convolution in (block.distil1, block.distil2, block.distil3)
    ]
    return Judgement(
        as_printed(set(sizes) == {(1, 1)}),
        f"The kernels of an AIDB's {len(sizes)} distilling convolutions are {sizes}.",
        rows(*(computed("AIDB", "kernel height", height) for height, _ in sizes)),
    )


@claim("aidn", "Section 3.3", "AIEB is two pairs of 1x3 and 3x1 convolutions, in either order.")
def aieb_has_two_pairs() -> Judgement:
    kernels = [
        [module.kernel_size for module in branch if isinstance(module, nn.Conv2d)]
        for branch in AIEB(50, 25).children()
        if isinstance(branch, nn.Sequential)
    ]
    return Judgement(
        as_printed(sorted(kernels) == [[(1, 3), (3, 1)], [(3, 1), (1, 3)]]),
        f"Its {len(kernels)} branches have the kernels {kernels[0]} and {kernels[1]}.",
        rows(
            *(
                computed(f"AIEB, branch {branch}", f"kernel {place}, height", height)
                for branch, sizes in enumerate(kernels, 1)
                for place, (height, _) in enumerate(sizes, 1)
            )
        ),
    )


@claim("aidn", "Section 3.3", "A ReLU stands between the two convolutions of a pair.")
def aieb_has_a_relu() -> Judgement:
    between = [
        module
        for module in AIEB(50, 25).modules()
        if not isinstance(module, AIEB | nn.Sequential | nn.Conv2d)
    ]
    names = sorted({type(module).__name__ for module in between})
    slopes = sorted({getattr(module, "negative_slope", 0.0) for module in between})
    return Judgement(
        as_printed(all(name in ("ReLU", "LeakyReLU") for name in names)),
        f"It is a leaky one, of slope {slopes[0]}, in the authors' challenge entry, whose outputs "
        "this block gives.",
        rows(*(computed("AIEB", "slope of the activation", slope) for slope in slopes)),
    )


@claim("aidn", "Section 3.3", "A block halves the channels at its beginning.")
def block_halves_the_channels() -> Judgement:
    block = AIDB(50)
    first = block.refine1.vertical_first[0]
    assert isinstance(first, nn.Conv2d)
    widths = [block.distil1.out_channels, first.out_channels]
    return Judgement(
        as_printed(widths == [25, 25]),
        f"Of 50 channels, its first distillation keeps {widths[0]} and its first AIEB {widths[1]}.",
        rows(
            computed("AIDB, first distillation", "channels", widths[0]),
            computed("AIDB, first AIEB", "channels", widths[1]),
        ),
    )


@claim("aidn", "Sections 1, 3.3", "Using distilled features again costs no parameters.")
def reuse_costs_nothing() -> Judgement:
    without, reusing = (parameters(block) for block in (FDC(50), AIDB(50)))
    pair = rows(ablation("FDC", "params"), ablation("AIDB", "params"))
    return Judgement(
        as_printed(without == reusing and pair["value"].iloc[0] == pair["value"].iloc[1]),
        f"A block has {without:,} parameters without the reuse and {reusing:,} with it, which adds "
        f"one map to another. Table 2 prints {pair['value'].iloc[0]:.0f}K for both.",
        rows(
            pair,
            computed("FDC, 50 channels", "params", without),
            computed("AIDB, 50 channels", "params", reusing),
        ),
    )


@claim("aidn", "Section 3.4; poster", "Four AIDBs are stacked.")
def four_blocks() -> Judgement:
    number = len(aidn().blocks)  # type: ignore[arg-type]
    cell = cells(OURS, "params", scale=4)
    four, six = counted("aidn", 4, blocks=4), counted("aidn", 4)
    return Judgement(
        as_printed(number == 4),
        f"The printed {cell['value'].item():.0f}K are those of {number} blocks, "
        f"{six['value'].item():,.0f}; four have {four['value'].item():,.0f}.",
        rows(stated("aidn", "Section 3.4", "blocks", 4), cell, six, four),
        (blocks(number, 4, "aidn", cells(OURS, "params")),),
    )


@claim(
    "aidn", "Section 3.4; poster", "With more AIDBs the quality rises much, the parameters little."
)
def more_blocks_are_better() -> Judgement:
    found = rows(*(counted("aidn", 4, blocks=number) for number in (4, 5, 6)))
    step = found["value"].diff().iloc[1]
    return Judgement(
        UNDECIDED,
        f"Nothing was measured, and the paper prints no scores by number of blocks. A block adds "
        f"{step:,.0f} parameters, {step / found['value'].iloc[0]:.0%} of the network of four.",
        found,
    )


@claim("aidn", "Section 3.4, Figure 2", "The outputs of all blocks are fused by a 3x3 convolution.")
def fuses_by_3x3() -> Judgement:
    network = aidn()
    fusion = network.fuse[0]  # type: ignore[index]
    assert isinstance(fusion, nn.Conv2d)
    total = parameters(network)
    wider = total + 8 * fusion.in_channels * fusion.out_channels  # eight more taps
    cell = cells(OURS, "params", scale=4)
    return Judgement(
        as_printed(fusion.kernel_size == (3, 3)),
        f"It is a {fusion.kernel_size[0]}x{fusion.kernel_size[1]} convolution in the network of "
        f"{total:,} parameters; with 3x3 there are {wider:,}, and {cell['value'].item():.0f}K are "
        "printed.",
        rows(
            cell,
            computed("aidn", "params", total, scale=4),
            computed("aidn with a 3x3 fusion", "params", wider, scale=4),
        ),
        (
            Shortfall(
                f"{wider / 1e3:.0f}K parameters with it, and {cell['value'].item():.0f}K printed",
                100 * (wider / (cell["value"].item() * 1e3) - 1),
                "%",
                True,
                addresses(cell),
            ),
        ),
    )


@claim("aidn", "Section 3.4", "Head and tail are each a 3x3 convolution, the last one shuffled.")
def head_and_tail() -> Judgement:
    network = aidn()
    head, (last, shuffle) = network.head, network.tail  # type: ignore[misc]
    sizes = [head.kernel_size, network.refine.kernel_size, last.kernel_size]  # type: ignore[union-attr]
    return Judgement(
        as_printed(set(sizes) == {(3, 3)} and isinstance(shuffle, nn.PixelShuffle)),
        f"Head, feature convolution and last convolution have the kernels {sizes}, and the network "
        f"ends in a {type(shuffle).__name__}.",
        rows(*(computed("aidn", "kernel height", height) for height, _ in sizes)),
    )


# Section 4.


@claim("aidn", "Section 4.1", "AIDN is trained on 13,774 images, of DIV2K, Flickr2K and OST.")
def training_images() -> Judgement:
    sets = {"DIV2K": 800, "Flickr2K": 2650, "OST": 10324}
    parts = rows(*(stated("aidn", "Section 4.1", name, number) for name, number in sets.items()))
    total = stated("aidn", "Section 4.1", "all", 13774)
    return Judgement(
        as_printed(parts["value"].sum() == total["value"].item()),
        f"The parts named make {parts['value'].sum():,.0f}, and {total['value'].item():,.0f} is "
        "the total given.",
        rows(parts, total),
    )


@claim("aidn", "Section 4.3, Table 1; poster", "AIDN beats CARN on all five sets at every scale.")
def superior_to_carn() -> Judgement:
    return better(cells(OURS), cells("CARN [1]"), compare(ALIKE, "aidn-aidb", "carn", SETS))


@claim(
    "aidn", "Section 4.3, Table 1; poster", "AIDN beats SRResNet on all five sets at every scale."
)
def superior_to_srresnet() -> Judgement:
    measured = compare(ALIKE, "aidn-aidb", "msrresnet", SETS)
    return better(cells(OURS), cells("SRResNet [15]"), measured)


@claim("aidn", "Section 4.3, Table 1; poster", "AIDN beats RFDN on all five sets at every scale.")
def superior_to_rfdn() -> Judgement:
    return better(cells(OURS), cells("RFDN [20]"), compare(ALIKE, "aidn-aidb", "rfdn", SETS))


def fraction(row: str, network: str, whole: int) -> Judgement:
    """A stated 1/n of another network's parameters, at every scale, in print and by code."""
    ours, theirs = cells(OURS, "params"), cells(row, "params")
    in_print, here = ratios(theirs, ours), ratios(counted(network, SCALES), counted("aidn", SCALES))
    listed = ", ".join(f"1/{value:.2f}" for value in in_print["value"])
    verdict = cost(
        all(round(value) >= whole for value in in_print["value"]),
        all(round(value) >= whole for value in here["value"]),
    )
    return Judgement(
        verdict,
        f"In print it has {listed} of them at x2, x3 and x4; by code 1/{here['value'].min():.2f} "
        f"to 1/{here['value'].max():.2f}. The nearest whole number decides: 1/{whole} "
        f"begins at 1/{whole - 0.5:g}.",
        rows(ours, theirs, in_print, counted("aidn", SCALES), counted(network, SCALES), here),
    )


@claim("aidn", "Section 4.3; poster", "AIDN has a fifth of CARN's parameters.")
def fifth_of_carn() -> Judgement:
    return fraction("CARN [1]", "carn", 5)


@claim("aidn", "Section 4.3; poster", "AIDN has a quarter of SRResNet's parameters.")
def quarter_of_srresnet() -> Judgement:
    return fraction("SRResNet [15]", "msrresnet", 4)


@claim("aidn", "Section 4.3; poster", "AIDN has half of RFDN's parameters.")
def half_of_rfdn() -> Judgement:
    return fraction("RFDN [20]", "rfdn", 2)


@claim("aidn", "Section 4.5", "AIDN has half the parameters of the RFDN that won AIM 2020.")
def half_of_the_winner() -> Judgement:
    ours = cells(OURS, "params", scale=4)
    winner = printed("rfdn", "5", "NJU_MCG (ours)", quantity="params")
    share = value(ours) * 1e3 / (value(winner) * 1e6)
    a, b = (cell["number"].item().in_full.interval for cell in (ours, winner))
    entry = rows(counted("aidn", 4, blocks=4), counted("e-rfdn", 4))
    four = entry["value"].iloc[0] / entry["value"].iloc[1]
    half = Span(Fraction(2, 5), Fraction(2, 3))  # 1/2 is the nearest of 1, 1/2, 1/3 ...
    return Judgement(
        as_printed(half.low <= share < half.high),
        f"The network that won is E-RFDN, of which RFDN's Table 5 prints {value(winner):.3f}M; the "
        f"{value(ours):.0f}K of Table 3 are {share:.3f} of it. The challenge entry of four blocks "
        f"has {four:.3f} of its parameters. The RFDN of Table 3 is another network: see "
        "aidn/half-of-rfdn.",
        rows(stated("aidn", "Section 4.5", "part", 0.5), ours, winner, entry),
        (falls_short(0.5, half, [(share, a.over(b))], "ratio", rows(ours, winner)),),
    )


def ablation(row: str, quantity: str = "psnr_y") -> pd.DataFrame:
    """A row of Table 2."""
    return printed("aidn", "2", row, quantity=quantity)


def gain(before: str, after: str, size: str) -> Judgement:
    """A stated gain between two rows of Table 2, whose set the text does not name."""
    steps = gaps(ablation(after), ablation(before))
    mean = float(steps["value"].mean())
    low, high = (sum(ends) / len(steps) for ends in zip(*steps["span"], strict=True))
    said = Number.read(size, "dB")
    listed = ", ".join(
        f"{value:+.2f} on {name}"
        for value, name in zip(steps["value"], steps["column"], strict=True)
    )
    short = falls_short(
        float(size),
        said.interval,
        [(mean, Span(low, high))],
        "dB",
        rows(ablation(after), ablation(before)),
    )
    return Judgement(
        as_printed(not short.certain),
        f"The mean over the sets is {mean:+.3f} dB as printed: {listed}. Before rounding it lay "
        f"between {float(low):+.3f} and {float(high):+.3f} dB.",
        rows(
            stated("aidn", "Section 4.4", "gain", float(size), "dB"),
            ablation(before),
            ablation(after),
            steps,
            derived(f"{after} minus {before}, mean", "psnr_y", mean, unit="dB"),
        ),
        (short,),
    )


def step(before: str, after: str) -> Judgement:
    """Whether a row of Table 2 is better than the one before, on sets that the text leaves open."""
    names = {"Base": "aidn-base", "AIEB": "aidn-aieb", "FDC": "aidn-fdc", "AIDB": "aidn-aidb"}
    measured = compare("ablation", names[after], names[before], SETS)
    found = better(ablation(after), ablation(before), measured, on_average=True)
    return found._replace(because=f"{found.because} {reconstructed(before, after)}")


@claim("aidn", "Section 4.4, Table 2", "The gain of AIEB over the base block is 0.08 dB.")
def aieb_gain() -> Judgement:
    return gain("Base", "AIEB", "0.08")


@claim("aidn", "Section 4.4, Table 2", "AIEB is better than the base block.")
def aieb_is_better() -> Judgement:
    return step("Base", "AIEB")


@claim("aidn", "Section 4.4, Table 2", "Base and AIEB have the same number of parameters.")
def aieb_has_as_many_parameters() -> Judgement:
    base, aieb = ablation("Base", "params"), ablation("AIEB", "params")
    here = rows(counted("aidn-base", 4), counted("aidn-aieb", 4))
    return Judgement(
        as_printed(base["value"].item() == aieb["value"].item()),
        f"Printed are {base['value'].item():.0f}K and {aieb['value'].item():.0f}K. Our two blocks, "
        f"with {here['value'].iloc[0]:,.0f} and {here['value'].iloc[1]:,.0f}, were made to fit.",
        rows(base, aieb, here),
    )


@claim("aidn", "Table 2", "Distillation, the row FDC, is better than AIEB alone.")
def fdc_is_better() -> Judgement:
    return step("AIEB", "FDC")


@claim("aidn", "Section 4.4, Table 2", "The gain of reusing distilled features is 0.04 dB.")
def reuse_gain() -> Judgement:
    return gain("FDC", "AIDB", "0.04")


@claim("aidn", "Section 4.4, Table 2", "Reusing distilled features is better than not.")
def reuse_is_better() -> Judgement:
    return step("FDC", "AIDB")


LIGHT = ["SRCNN [3]", "FSRCNN [4]", "VDSR [12]", "DRCN [13]", "LapSRN [14]", "DRRN [8]"]
LIGHT += ["MemNet [25]", "CARN [1]", "SRResNet [15]", "IMDN [8]", "RFDN [20]"]


@claim("aidn", "Section 4.5, Table 3", "No lightweight network of the table is better.")
def best_of_the_light() -> Judgement:
    everything = printed("aidn", "3")
    others = everything[everything["row"].isin(LIGHT)]
    ours = rows(cells(OURS), cells(OURS, "ssim_y"))
    others = others[others["quantity"].isin(("psnr_y", "ssim_y"))]
    ahead = gaps(ours, others)
    ahead = ahead[ahead["value"] < 0]
    by_psnr = ahead[ahead["quantity"] == "psnr_y"]
    listed = ", ".join(
        f"{row['row'].removeprefix(OURS + ' minus ')} on {row['column']} x{row['scale']}"
        for row in by_psnr.to_dict("records")
    )
    psnr = (others["quantity"] == "psnr_y").sum()
    return Judgement(
        as_printed(ahead.empty),
        f"{len(by_psnr)} of {psnr} printed cells have a higher PSNR{': ' if listed else ''}"
        f"{listed}. {len(ahead) - len(by_psnr)} of {len(others) - psnr} have a higher SSIM. Level "
        "cells count for the claim: of CARN the same section says that it is as good.",
        rows(ours, others, ahead),
        rivals(ours, others, level=False),
    )


@claim("aidn", "Section 4.5", "AIDN is as good as CARN.")
def level_of_carn() -> Judgement:
    measured = compare(ALIKE, "aidn-aidb", "carn", SETS, margin=MARGIN)
    return better(cells(OURS), cells("CARN [1]"), measured, MARGIN)


@claim("aidn", "Section 4.5", "CARN has more than six times as many parameters.")
def carn_is_six_times_as_large() -> Judgement:
    ours, theirs = cells(OURS, "params"), cells("CARN [1]", "params")
    times = ratios(theirs, ours)
    here = ratios(counted("carn", SCALES), counted("aidn", SCALES))
    four = counted("carn", 4)["value"].item() / counted("aidn", 4, blocks=4)["value"].item()
    return Judgement(
        cost(bool((times["value"] > 6).all()), bool((here["value"] > 6).all())),
        f"CARN has {times['value'].min():.2f} to {times['value'].max():.2f} times AIDN's in print, "
        f"and {four:.2f} times those of the entry of four blocks.",
        rows(ours, theirs, times, here, counted("carn", 4), counted("aidn", 4, blocks=4)),
        (falls_short(6.0, Span(Fraction(6), MANY), readings(times), "times", rows(theirs, ours)),),
    )


@claim("aidn", "Section 4.5", "AIDN has less than a third of IMDN's parameters.")
def third_of_imdn() -> Judgement:
    ours, theirs = cells(OURS, "params"), cells("IMDN [8]", "params")
    share, here = ratios(ours, theirs), ratios(counted("aidn", SCALES), counted("imdn", SCALES))
    four = rows(counted("aidn", 4, blocks=4), counted("imdn", 4), counted("imdn-aim", 4))
    entry, light, large = four["value"]
    return Judgement(
        cost(bool((share["value"] < 1 / 3).all()), bool((here["value"] < 1 / 3).all())),
        f"AIDN has {share['value'].min():.3f} to {share['value'].max():.3f} of them in print. The "
        f"entry of four blocks has {entry / light:.3f} of IMDN's and {entry / large:.3f} of those "
        "of the challenge's baseline IMDN.",
        rows(ours, theirs, share, here, four),
        (
            falls_short(
                1 / 3,
                Span(Fraction(0), Fraction(1, 3)),
                readings(share),
                "ratio",
                rows(ours, theirs),
            ),
        ),
    )


@claim("aidn", "Section 4.5", "AIDN is as good as IMDN.")
def level_of_imdn() -> Judgement:
    measured = compare(ALIKE, "aidn-aidb", "imdn", SETS, margin=MARGIN)
    return better(cells(OURS), cells("IMDN [8]"), measured, MARGIN)


@claim("aidn", "Section 4.5", "AIDN is as good as RFDN.")
def level_of_rfdn() -> Judgement:
    measured = compare(ALIKE, "aidn-aidb", "rfdn", SETS, margin=MARGIN)
    return better(cells(OURS), cells("RFDN [20]"), measured, MARGIN)


@claim("aidn", "Table 3", "At x4 IMDN scores what its row says.")
def imdn_row() -> Judgement:
    return authors_weights(cells("IMDN [8]", scale=4), "benchmarks", "imdn")


@claim("aidn", "Table 3", "At x4 AIDN scores what its row says.")
def aidn_row() -> Judgement:
    return authors_weights(cells(OURS, scale=4), "benchmarks", "aidn")


@claim("aidn", "Table 3", "AIDN has the parameters and FLOPs of its row, at every scale.")
def aidn_costs() -> Judgement:
    in_print = rows(cells(OURS, "params"), cells(OURS, "ntire_flops"))
    here = rows(counted("aidn", SCALES), counted("aidn", SCALES, "ntire_flops"))
    thousands = [f"{value / 1e3:.0f}" for value in here["value"].iloc[:3]]
    giga = [f"{value / 1e9:.2f}" for value in here["value"].iloc[3:]]
    return Judgement(
        cost(True, all(as_counted(in_print, here))),
        f"Six blocks have {', '.join(thousands)}K parameters and {', '.join(giga)} G FLOPs by the "
        "challenge's counter on 256x256 pixels.",
        rows(in_print, here),
    )


@claim(
    "aidn", "Section 4.5, Figure 5; poster", "Its lines in three pictures are the more accurate."
)
def lines_of_figure_5() -> Judgement:
    images = ["barbara", "12084", "baby"]
    scores = per_image("benchmarks")
    scores = scores[scores["image"].isin(images) & (scores["scale"] == 4)]
    table = scores.pivot_table("psnr_y", index="method", columns="image")[images]
    ours, others = table.loc["arfdn"], table.drop(index=["arfdn", "bicubic"])
    best = [name for name in images if ours[name] > others[name].max()]
    found = [
        one_row(
            "measured",
            row=method,
            column=name,
            quantity="psnr_y",
            value=score,
            unit="dB",
            scale=4,
            run=runs_of(scored("benchmarks", str(method), SETS)),
        )
        for method, line in table.iterrows()
        for name, score in line.items()
    ]
    return Judgement(
        NOT_TESTABLE,
        "Accuracy of lines is no number, and the weights behind the figure are not public. Those "
        f"of the challenge entry have the highest PSNR-Y of the authors' weights here in "
        f"{len(best)} of the {len(images)} pictures{': ' if best else ''}{listed(best)}.",
        rows(*found),
    )
