"""Claims of AIDN: Zong, Zha, Jiang, Liu, CVPR Workshops 2022, paper and poster.

The poster repeats the paper's; each is here once. The parameters and FLOPs printed for the network
are those of six blocks (see ``srlib/networks/aidn.py``), which has no public weights: only the
challenge entry of four blocks has.
"""

from typing import Any

import pandas as pd
import torch
from torch import nn

from papers.claims import (
    MARGIN,
    UNDECIDED,
    Finding,
    algebraic,
    as_counted,
    as_printed,
    authors_weights,
    better,
    claim,
    compare,
    computed,
    cost,
    counted,
    derived,
    gaps,
    printed,
    ratios,
    rows,
    stated,
)
from papers.printed import Number
from srlib.evaluation.complexity import parameters
from srlib.networks import create_network
from srlib.networks.aidn import AIDB, AIEB
from srlib.networks.blocks import ESA, ChannelAttention
from srlib.networks.rfdn import RFDB, rfdb_as_rfdb_e

SETS = ["Set5", "Set14", "B100", "Urban100", "Manga109"]
SCALES = (2, 3, 4)
OURS = "AIDN(ours)"
ALIKE = "bsd400-others"  # the campaign that trains AIDN, RFDN and IMDN alike


def cells(row: str, quantity: str = "psnr_y", **where: Any) -> pd.DataFrame:
    """A row of Table 3, at every scale if none is named."""
    return printed("aidn", "3", row, quantity=quantity, **where)


def counts(network: str, quantity: str = "params", **how: Any) -> pd.DataFrame:
    """A count at every scale."""
    return rows(*(counted(network, scale, quantity, **how) for scale in SCALES))


def aidn() -> nn.Module:
    """The network of the published counts, without weights."""
    with torch.device("meta"):
        return create_network("aidn", 4)


# Abstract and introduction.


@claim("aidn", "Abstract; Sections 4.3, 5; Table 3", "AIDN's PSNR is at the level of SRResNet's.")
def level_of_srresnet() -> Finding:
    measured = compare(ALIKE, "aidn-aidb", "msrresnet", SETS, margin=MARGIN)
    return better(cells(OURS), cells("SRResNet [15]"), measured, MARGIN)


@claim(
    "aidn",
    "Abstract; Section 1; poster",
    "AIDN's challenge entry came second of NTIRE 2022's efficient track for model complexity.",
)
def runner_up() -> Finding:
    entry = rows(
        stated("aidn", "Abstract", "rank", 2),
        counted("aidn", 4, "params", blocks=4),
        counted("aidn", 4, "ntire_flops", blocks=4),
    )
    params, flops = entry["value"].iloc[1:] / [1e3, 1e9]
    return Finding(
        UNDECIDED,
        f"Nothing was measured: the entry has {params:.1f}K parameters and {flops:.2f} G FLOPs, "
        "but the other entries are neither printed in the paper nor built here.",
        entry,
    )


@claim(
    "aidn",
    "Abstract; Section 1; poster",
    "AIDN's entry has slightly more parameters than the track's winner, and a higher test PSNR.",
)
def above_the_winner() -> Finding:
    return Finding(
        UNDECIDED,
        "Nothing was measured: the paper prints neither side, and the winner is not built here.",
        counted("aidn", 4, "params", blocks=4),
    )


@claim(
    "aidn",
    "Abstract; Section 4.5",
    "AIDN balances quality and size better than the state of the art.",
)
def better_balance() -> Finding:
    params = printed("aidn", "3", quantity="params")
    psnr = printed("aidn", "3", quantity="psnr_y")
    table = psnr.merge(params[["row", "scale", "value"]], on=["row", "scale"], suffixes=("", "_k"))
    ours = table[table["row"] == OURS].set_index(["scale", "column"])
    own = ours.loc[pd.MultiIndex.from_frame(table[["scale", "column"]])]
    smaller = table["value_k"].to_numpy() <= own["value_k"].to_numpy()
    smaller &= (table["row"] != OURS).to_numpy()
    above = smaller & (table["value"].to_numpy() >= own["value"].to_numpy())
    return Finding(
        as_printed(not above.any()),
        f"Of the {smaller.sum()} cells of Table 3 by networks with no more parameters, "
        f"{above.sum()} have as high a PSNR.",
        rows(cells(OURS, "params"), cells(OURS), psnr[smaller]),
    )


@claim(
    "aidn",
    "Abstract; Section 3.3",
    "AIEB greatly reduces the parameters: asymmetric kernels are cheap.",
)
def aieb_is_smaller() -> Finding:
    found = [
        part
        for width in (50, 25)
        for part in (
            computed(f"AIEB, {width} to 25 channels", "params", parameters(AIEB(width, 25))),
            computed(f"3x3, {width} to 25 channels", "params", parameters(nn.Conv2d(width, 25, 3))),
        )
    ]
    first, plain_first, later, plain_later = (part["value"].item() for part in found)
    return Finding(
        as_printed(first < plain_first and later < plain_later),
        f"An AIEB has {first:,.0f} parameters where it halves the channels and {later:,.0f} where "
        f"it keeps them; one 3x3 convolution in its place has {plain_first:,.0f} and "
        f"{plain_later:,.0f}.",
        rows(*found),
    )


@claim("aidn", "Section 1", "RFDN consists of four RFDBs.")
def rfdn_has_four_blocks() -> Finding:
    with torch.device("meta"):
        numbers = [len(create_network(name, 4).blocks) for name in ("rfdn", "e-rfdn")]  # type: ignore[arg-type]
    return Finding(
        as_printed(numbers[0] == 4),
        f"The RFDN of the parameters in Table 3 has {numbers[0]} blocks; the challenge entry "
        f"E-RFDN has {numbers[1]}.",
        rows(
            cells("RFDN [20]", "params", scale=4),
            counted("rfdn", 4),
            computed("rfdn", "blocks", numbers[0]),
            computed("e-rfdn", "blocks", numbers[1]),
        ),
    )


@claim(
    "aidn", "Sections 1, 3.2", "Each SRB of an RFDB, and so the RFDB, equals one without shortcuts."
)
def srb_is_a_convolution() -> Finding:
    torch.manual_seed(0)
    block = RFDB(50, ESA(50, 12)).double()
    x = torch.randn(1, 50, 32, 32, dtype=torch.float64)
    with torch.no_grad():
        expected, got = block(x), rfdb_as_rfdb_e(block)(x)
    difference, largest = (expected - got).abs().max().item(), expected.abs().max().item()
    return Finding(
        algebraic(difference, largest),
        f"With every identity folded into its convolution, the outputs differ by {difference:.1e} "
        f"at most, and the largest is {largest:.2f}.",
        rows(
            computed("RFDB minus RFDB-E", "largest difference", difference),
            computed("RFDB", "largest output", largest),
        ),
    )


@claim("aidn", "Sections 1, 3.2", "RFDB computes much that is redundant, and RFDB-E leaves it out.")
def rfdb_is_redundant() -> Finding:
    with_identity = rows(*(counted("rfdn", 4, name) for name in ("params", "macs_720p")))
    without = rows(*(counted("rfdn", 4, name, block="rfdb-e") for name in ("params", "macs_720p")))
    saved = ratios(without, with_identity)
    params, macs = 100 * (1 - saved["value"])
    return Finding(
        as_printed(bool((saved["value"] < 1).all())),
        f"RFDB-E saves {params:.0f} % of the parameters and {macs:.0f} % of the multiply-adds: "
        "what it leaves out is three additions of maps, which neither counts.",
        rows(with_identity, without, saved),
    )


@claim("aidn", "Section 1", "Halving the channels, with asymmetric kernels, saves 50 % of an RFDB.")
def half_of_an_rfdb() -> Finding:
    ours = parameters(AIDB(50))
    esa, cca = (
        parameters(RFDB(50, ESA(50, 12))),
        parameters(RFDB(48, ChannelAttention(48, 4, contrast=True))),
    )
    saved, other = 100 * (1 - ours / esa), 100 * (1 - ours / cca)
    return Finding(
        as_printed(saved >= Number.read("50").interval.low),
        f"An AIDB has {ours:,} parameters, {saved:.1f} % fewer than an RFDB of the same width and "
        f"attention, and {other:.1f} % fewer than that of the RFDN in Table 3.",
        rows(
            stated("aidn", "Section 1", "saving", 50, "%"),
            computed("AIDB, 50 channels, ESA", "params", ours),
            computed("RFDB, 50 channels, ESA", "params", esa),
            computed("RFDB, 48 channels, CCA", "params", cca),
            derived("AIDB for RFDB, 50 channels, ESA", "saving", saved, unit="%"),
        ),
    )


def saving(quantity: str, counted_as: str, percent: str) -> Finding:
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
    return Finding(
        as_printed(all(part >= said.interval.low for part in saved)),
        f"By Table 3 it saves {listed}. The challenge entry of four blocks saves {four:.1f} % "
        "at x4.",
        rows(
            stated("aidn", "Section 1", "saving", float(percent), "%"), ours, theirs, share, entry
        ),
    )


@claim("aidn", "Section 1, contribution 2", "AIDN has 84 % fewer parameters than SRResNet.")
def parameters_84_percent() -> Finding:
    return saving("params", "params", "84")


@claim("aidn", "Section 1, contribution 2", "AIDN needs 91.5 % fewer FLOPs than SRResNet.")
def flops_91_percent() -> Finding:
    return saving("ntire_flops", "ntire_flops", "91.5")


# Sections 2 and 3.


@claim("aidn", "Section 2", "VDSR stacks 20 convolutions.")
def vdsr_has_20_layers() -> Finding:
    convolutions = [m for m in create_network("vdsr", 4).modules() if isinstance(m, nn.Conv2d)]
    return Finding(
        as_printed(len(convolutions) == 20),
        f"The network of the printed parameters has {len(convolutions)} convolutions.",
        rows(
            cells("VDSR [12]", "params", scale=4),
            counted("vdsr", 4),
            computed("vdsr", "convolutions", len(convolutions)),
        ),
    )


@claim("aidn", "Section 2", "DRCN's recursion makes super-resolution cheaper to compute.")
def drcn_computes_less() -> Finding:
    # Both scales at which the cell can be read; VDSR is the network that it follows.
    where = cells("DRCN [13]", "ntire_flops")
    share = ratios(where, cells("VDSR [12]", "ntire_flops"))
    listed = ", ".join(
        f"{value:.0f} times at x{scale}"
        for value, scale in zip(share["value"], share["scale"], strict=True)
    )
    return Finding(
        as_printed(bool((share["value"] < 1).all())),
        f"By Table 3 it needs {listed} the FLOPs of VDSR, the network before it.",
        rows(where, cells("VDSR [12]", "ntire_flops"), share),
    )


@claim("aidn", "Section 2", "DRRN has fewer parameters than DRCN.")
def drrn_is_smaller_than_drcn() -> Finding:
    printed_share = ratios(cells("DRRN [8]", "params"), cells("DRCN [13]", "params"))
    counted_share = ratios(counts("drrn"), counts("drcn"))
    return Finding(
        cost(bool((printed_share["value"] < 1).all()), bool((counted_share["value"] < 1).all())),
        f"DRRN has {100 * printed_share['value'].max():.0f} % of them in print and "
        f"{100 * counted_share['value'].max():.0f} % by code.",
        rows(
            cells("DRRN [8]", "params"),
            cells("DRCN [13]", "params"),
            printed_share,
            counts("drrn"),
            counts("drcn"),
            counted_share,
        ),
    )


@claim("aidn", "Section 3.2", "Against IMDN's, RFDN's blocks save parameters and FLOPs.")
def rfdn_is_lighter_than_imdn() -> Finding:
    names = ("params", "ntire_flops")
    ours = rows(*(cells("RFDN [20]", name) for name in names))
    theirs = rows(*(cells("IMDN [8]", name) for name in names))
    by_code = [rows(*(counts(network, name) for name in names)) for network in ("rfdn", "imdn")]
    in_print, here = ratios(ours, theirs), ratios(*by_code)
    return Finding(
        cost(bool((in_print["value"] < 1).all()), bool((here["value"] < 1).all())),
        f"RFDN has {in_print['value'].min():.0%} to {in_print['value'].max():.0%} of them in "
        f"print, and {here['value'].min():.0%} to {here['value'].max():.0%} by code.",
        rows(ours, theirs, in_print, *by_code, here),
    )


@claim("aidn", "Section 3.3, Figure 3c", "Every distillation is one 1x1 convolution.")
def distils_by_1x1() -> Finding:
    block = AIDB(50)
    sizes = [
        convolution.kernel_size for convolution in (block.distil1, block.distil2, block.distil3)
    ]
    return Finding(
        as_printed(set(sizes) == {(1, 1)}),
        f"The kernels of an AIDB's {len(sizes)} distilling convolutions are {sizes}.",
        rows(*(computed("AIDB", "kernel height", height) for height, _ in sizes)),
    )


@claim("aidn", "Section 3.3", "AIEB is two pairs of 1x3 and 3x1 convolutions, in either order.")
def aieb_has_two_pairs() -> Finding:
    kernels = [
        [module.kernel_size for module in branch if isinstance(module, nn.Conv2d)]
        for branch in AIEB(50, 25).children()
        if isinstance(branch, nn.Sequential)
    ]
    return Finding(
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
def aieb_has_a_relu() -> Finding:
    between = [
        module
        for module in AIEB(50, 25).modules()
        if not isinstance(module, AIEB | nn.Sequential | nn.Conv2d)
    ]
    names = sorted({type(module).__name__ for module in between})
    slopes = sorted({getattr(module, "negative_slope", 0.0) for module in between})
    return Finding(
        as_printed(names == ["ReLU"]),
        f"It is {', '.join(names)} of slope {slopes[0]} in the authors' challenge entry, whose "
        "outputs this block gives.",
        rows(*(computed("AIEB", "slope of the activation", slope) for slope in slopes)),
    )


@claim("aidn", "Section 3.3", "A block halves the channels at its beginning.")
def block_halves_the_channels() -> Finding:
    block = AIDB(50)
    first = block.refine1.vertical_first[0]
    assert isinstance(first, nn.Conv2d)
    widths = [block.distil1.out_channels, first.out_channels]
    return Finding(
        as_printed(widths == [25, 25]),
        f"Of 50 channels, its first distillation keeps {widths[0]} and its first AIEB {widths[1]}.",
        rows(
            computed("AIDB, first distillation", "channels", widths[0]),
            computed("AIDB, first AIEB", "channels", widths[1]),
        ),
    )


@claim("aidn", "Section 3.4; poster", "Four AIDBs are stacked.")
def four_blocks() -> Finding:
    number = len(aidn().blocks)  # type: ignore[arg-type]
    cell = cells(OURS, "params", scale=4)
    four, six = counted("aidn", 4, blocks=4), counted("aidn", 4)
    return Finding(
        as_printed(number == 4),
        f"The printed {cell['value'].item():.0f}K are those of {number} blocks, "
        f"{six['value'].item():,.0f}; four have {four['value'].item():,.0f}.",
        rows(stated("aidn", "Section 3.4", "blocks", 4), cell, six, four),
    )


@claim(
    "aidn", "Section 3.4; poster", "With more AIDBs the quality rises much, the parameters little."
)
def more_blocks_are_better() -> Finding:
    found = rows(*(counted("aidn", 4, blocks=number) for number in (4, 5, 6)))
    step = found["value"].diff().iloc[1]
    return Finding(
        UNDECIDED,
        f"Nothing was measured, and the paper prints no scores by number of blocks. A block adds "
        f"{step:,.0f} parameters, {step / found['value'].iloc[0]:.0%} of the network of four.",
        found,
    )


@claim("aidn", "Section 3.4, Figure 2", "The outputs of all blocks are fused by a 3x3 convolution.")
def fuses_by_3x3() -> Finding:
    network = aidn()
    fusion = network.fuse[0]  # type: ignore[index]
    assert isinstance(fusion, nn.Conv2d)
    total = parameters(network)
    wider = total + 8 * fusion.in_channels * fusion.out_channels  # eight more taps
    cell = cells(OURS, "params", scale=4)
    return Finding(
        as_printed(fusion.kernel_size == (3, 3)),
        f"It is a {fusion.kernel_size[0]}x{fusion.kernel_size[1]} convolution in the network of "
        f"{total:,} parameters; with 3x3 there are {wider:,}, and {cell['value'].item():.0f}K are "
        "printed.",
        rows(
            cell,
            computed("aidn", "params", total, scale=4),
            computed("aidn with a 3x3 fusion", "params", wider, scale=4),
        ),
    )


@claim("aidn", "Section 3.4", "Head and tail are each a 3x3 convolution, the last one shuffled.")
def head_and_tail() -> Finding:
    network = aidn()
    head, (last, shuffle) = network.head, network.tail  # type: ignore[misc]
    sizes = [head.kernel_size, network.refine.kernel_size, last.kernel_size]  # type: ignore[union-attr]
    return Finding(
        as_printed(set(sizes) == {(3, 3)} and isinstance(shuffle, nn.PixelShuffle)),
        f"Head, feature convolution and last convolution have the kernels {sizes}, and the network "
        f"ends in a {type(shuffle).__name__}.",
        rows(*(computed("aidn", "kernel height", height) for height, _ in sizes)),
    )


# Section 4.


@claim("aidn", "Section 4.1", "AIDN is trained on 13,774 images, of DIV2K, Flickr2K and OST.")
def training_images() -> Finding:
    sets = {"DIV2K": 800, "Flickr2K": 2650, "OST": 10324}
    parts = rows(*(stated("aidn", "Section 4.1", name, number) for name, number in sets.items()))
    total = stated("aidn", "Section 4.1", "all", 13774)
    return Finding(
        as_printed(parts["value"].sum() == total["value"].item()),
        f"The parts named make {parts['value'].sum():,.0f}, and {total['value'].item():,.0f} is "
        "the total given.",
        rows(parts, total),
    )


@claim("aidn", "Section 4.3, Table 1; poster", "AIDN beats CARN on all five sets at every scale.")
def superior_to_carn() -> Finding:
    return better(cells(OURS), cells("CARN [1]"), compare(ALIKE, "aidn-aidb", "carn", SETS))


@claim(
    "aidn", "Section 4.3, Table 1; poster", "AIDN beats SRResNet on all five sets at every scale."
)
def superior_to_srresnet() -> Finding:
    measured = compare(ALIKE, "aidn-aidb", "msrresnet", SETS)
    return better(cells(OURS), cells("SRResNet [15]"), measured)


@claim("aidn", "Section 4.3, Table 1; poster", "AIDN beats RFDN on all five sets at every scale.")
def superior_to_rfdn() -> Finding:
    return better(cells(OURS), cells("RFDN [20]"), compare(ALIKE, "aidn-aidb", "rfdn", SETS))


def fraction(row: str, network: str, whole: int) -> Finding:
    """A stated 1/n of another network's parameters, at every scale, in print and by code."""
    ours, theirs = cells(OURS, "params"), cells(row, "params")
    in_print, here = ratios(theirs, ours), ratios(counts(network), counts("aidn"))
    listed = ", ".join(f"1/{value:.2f}" for value in in_print["value"])
    verdict = cost(
        all(round(value) >= whole for value in in_print["value"]),
        all(round(value) >= whole for value in here["value"]),
    )
    return Finding(
        verdict,
        f"In print it has {listed} of them at x2, x3 and x4; by code 1/{here['value'].min():.2f} "
        f"to 1/{here['value'].max():.2f}.",
        rows(ours, theirs, in_print, counts("aidn"), counts(network), here),
    )


@claim("aidn", "Section 4.3; poster", "AIDN has a fifth of CARN's parameters.")
def fifth_of_carn() -> Finding:
    return fraction("CARN [1]", "carn", 5)


@claim("aidn", "Section 4.3; poster", "AIDN has a quarter of SRResNet's parameters.")
def quarter_of_srresnet() -> Finding:
    return fraction("SRResNet [15]", "msrresnet", 4)


@claim("aidn", "Sections 4.3, 4.5; poster", "AIDN has half of RFDN's parameters.")
def half_of_rfdn() -> Finding:
    return fraction("RFDN [20]", "rfdn", 2)


def ablation(row: str, quantity: str = "psnr_y") -> pd.DataFrame:
    """A row of Table 2."""
    return printed("aidn", "2", row, quantity=quantity)


def gain(before: str, after: str, size: str) -> Finding:
    """A stated gain between two rows of Table 2, whose set the text does not name."""
    steps = gaps(ablation(after), ablation(before))
    mean = steps["value"].mean()
    listed = ", ".join(
        f"{value:+.2f} on {name}"
        for value, name in zip(steps["value"], steps["column"], strict=True)
    )
    return Finding(
        as_printed(Number.read(size).admits(mean)),
        f"The mean over the sets is {mean:+.3f} dB: {listed}.",
        rows(
            stated("aidn", "Section 4.4", "gain", float(size), "dB"),
            ablation(before),
            ablation(after),
            steps,
            derived(f"{after} minus {before}, mean", "psnr_y", mean, unit="dB"),
        ),
    )


def step(before: str, after: str) -> Finding:
    """Whether a row of Table 2 is better than the one before, on sets that the text leaves open."""
    names = {"Base": "aidn-base", "AIEB": "aidn-aieb", "FDC": "aidn-fdc", "AIDB": "aidn-aidb"}
    measured = compare("bsd400", names[after], names[before], SETS)
    return better(ablation(after), ablation(before), measured, on_average=True)


@claim("aidn", "Section 4.4, Table 2", "The gain of AIEB over the base block is 0.08 dB.")
def aieb_gain() -> Finding:
    return gain("Base", "AIEB", "0.08")


@claim("aidn", "Section 4.4, Table 2", "AIEB is better than the base block.")
def aieb_is_better() -> Finding:
    return step("Base", "AIEB")


@claim("aidn", "Section 4.4, Table 2", "Base and AIEB have the same number of parameters.")
def aieb_has_as_many_parameters() -> Finding:
    base, aieb = ablation("Base", "params"), ablation("AIEB", "params")
    here = rows(counted("aidn-base", 4), counted("aidn-aieb", 4))
    return Finding(
        as_printed(base["value"].item() == aieb["value"].item()),
        f"Printed are {base['value'].item():.0f}K and {aieb['value'].item():.0f}K. Our two blocks, "
        f"with {here['value'].iloc[0]:,.0f} and {here['value'].iloc[1]:,.0f}, were made to fit.",
        rows(base, aieb, here),
    )


@claim("aidn", "Table 2", "Distillation, the row FDC, is better than AIEB alone.")
def fdc_is_better() -> Finding:
    return step("AIEB", "FDC")


@claim("aidn", "Section 4.4, Table 2", "The gain of reusing distilled features is 0.04 dB.")
def reuse_gain() -> Finding:
    return gain("FDC", "AIDB", "0.04")


@claim("aidn", "Section 4.4, Table 2", "Reusing distilled features is better than not.")
def reuse_is_better() -> Finding:
    return step("FDC", "AIDB")


LIGHT = ["SRCNN [3]", "FSRCNN [4]", "VDSR [12]", "DRCN [13]", "LapSRN [14]", "DRRN [8]"]
LIGHT += ["MemNet [25]", "CARN [1]", "SRResNet [15]", "IMDN [8]", "RFDN [20]"]


@claim("aidn", "Section 4.5, Table 3", "No lightweight network of the table is better.")
def best_of_the_light() -> Finding:
    everything = printed("aidn", "3", quantity="psnr_y")
    others = everything[everything["row"].isin(LIGHT)]
    ahead = gaps(cells(OURS), others)
    ahead = ahead[ahead["value"] < 0]
    listed = ", ".join(
        f"{row['row'].removeprefix(OURS + ' minus ')} on {row['column']} x{row['scale']}"
        for row in ahead.to_dict("records")
    )
    return Finding(
        as_printed(ahead.empty),
        f"{len(ahead)} of {len(others)} printed cells are higher{': ' if listed else ''}{listed}.",
        rows(cells(OURS), others, ahead),
    )


@claim("aidn", "Section 4.5", "AIDN is as good as CARN.")
def level_of_carn() -> Finding:
    measured = compare(ALIKE, "aidn-aidb", "carn", SETS, margin=MARGIN)
    return better(cells(OURS), cells("CARN [1]"), measured, MARGIN)


@claim("aidn", "Section 4.5", "CARN has more than six times as many parameters.")
def carn_is_six_times_as_large() -> Finding:
    ours, theirs = cells(OURS, "params"), cells("CARN [1]", "params")
    times = ratios(theirs, ours)
    here = ratios(counts("carn"), counts("aidn"))
    four = counted("carn", 4)["value"].item() / counted("aidn", 4, blocks=4)["value"].item()
    return Finding(
        cost(bool((times["value"] > 6).all()), bool((here["value"] > 6).all())),
        f"CARN has {times['value'].min():.2f} to {times['value'].max():.2f} times AIDN's in print, "
        f"and {four:.2f} times those of the entry of four blocks.",
        rows(ours, theirs, times, here, counted("carn", 4), counted("aidn", 4, blocks=4)),
    )


@claim("aidn", "Section 4.5", "AIDN has less than a third of IMDN's parameters.")
def third_of_imdn() -> Finding:
    ours, theirs = cells(OURS, "params"), cells("IMDN [8]", "params")
    share, here = ratios(ours, theirs), ratios(counts("aidn"), counts("imdn"))
    four = rows(counted("aidn", 4, blocks=4), counted("imdn", 4), counted("imdn-aim", 4))
    entry, light, large = four["value"]
    return Finding(
        cost(bool((share["value"] < 1 / 3).all()), bool((here["value"] < 1 / 3).all())),
        f"AIDN has {share['value'].min():.3f} to {share['value'].max():.3f} of them in print. The "
        f"entry of four blocks has {entry / light:.3f} of IMDN's and {entry / large:.3f} of those "
        "of the challenge's baseline IMDN.",
        rows(ours, theirs, share, here, four),
    )


@claim("aidn", "Section 4.5", "AIDN is as good as IMDN.")
def level_of_imdn() -> Finding:
    measured = compare(ALIKE, "aidn-aidb", "imdn", SETS, margin=MARGIN)
    return better(cells(OURS), cells("IMDN [8]"), measured, MARGIN)


@claim("aidn", "Section 4.5", "AIDN is as good as RFDN.")
def level_of_rfdn() -> Finding:
    measured = compare(ALIKE, "aidn-aidb", "rfdn", SETS, margin=MARGIN)
    return better(cells(OURS), cells("RFDN [20]"), measured, MARGIN)


@claim("aidn", "Table 3", "At x4 IMDN scores what its row says.")
def imdn_row() -> Finding:
    return authors_weights(cells("IMDN [8]", scale=4), "benchmarks", "imdn")


@claim("aidn", "Table 3", "At x4 AIDN scores what its row says.")
def aidn_row() -> Finding:
    return authors_weights(cells(OURS, scale=4), "benchmarks", "aidn")


@claim("aidn", "Table 3", "AIDN has the parameters and FLOPs of its row, at every scale.")
def aidn_costs() -> Finding:
    in_print = rows(cells(OURS, "params"), cells(OURS, "ntire_flops"))
    here = rows(counts("aidn"), counts("aidn", "ntire_flops"))
    thousands = [f"{value / 1e3:.0f}" for value in here["value"].iloc[:3]]
    giga = [f"{value / 1e9:.2f}" for value in here["value"].iloc[3:]]
    return Finding(
        cost(True, all(as_counted(in_print, here))),
        f"Six blocks have {', '.join(thousands)}K parameters and {', '.join(giga)} G FLOPs by the "
        "challenge's counter on 256x256 pixels.",
        rows(in_print, here),
    )
