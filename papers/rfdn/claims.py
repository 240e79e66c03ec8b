"""Claims of RFDN: Liu, Tang, Wu, ECCV Workshops (AIM) 2020, and of AIDN's authors on its blocks.

No weights of RFDN itself are public. What is measured here is E-RFDN, its entry to the challenge,
and IMDN, both by their authors' own weights. The shapes of RFDN, RFDN-L and of the ablations are
fitted to the printed parameters (``srlib.networks.rfdn``).
"""

from collections.abc import Callable, Sequence

import pandas as pd
import torch
from torch import Tensor, nn

from papers.claims import (
    HOLDS,
    MARGIN,
    NOT_HERE,
    NOT_TESTABLE,
    UNDECIDED,
    Judgement,
    Shortfall,
    algebraic,
    as_printed,
    better,
    claim,
    compare,
    cost,
    quality,
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
    printed,
    rows,
    scored,
    stated,
    value,
)
from papers.printed import Number, load_paper
from srlib.evaluation.complexity import parameters
from srlib.networks import create_network
from srlib.networks.imdn import IMDB
from srlib.networks.rfdn import RFDN, imdb_as_imdb_r

MEASURED_SETS = SETS[:-1]  # Manga109 is licensed to each user
OURS = ("RFDN (Ours)", "RFDN-L (Ours)")
CHANNELS = 16  # of the blocks whose algebra is tested


# --- section 3: the blocks --------------------------------------------------------------------


@claim("rfdn", "Section 3.2, equation 4", "A 3x3 convolution and a channel split are two 3x3s.")
def split_is_two_convolutions() -> Judgement:
    torch.manual_seed(0)
    block, x = IMDB(CHANNELS).double(), _features(CHANNELS)
    with torch.no_grad():
        output = block(x)
        gap = _largest(imdb_as_imdb_r(block)(x) - output)
    return Judgement(
        algebraic(gap, _largest(output)),
        "An IMDB and the IMDB-R with its filters dealt out differ by "
        f"{share_of_output(gap, _largest(output))} at most.",
        rows(
            computed("IMDB-R minus IMDB", "largest difference", gap),
            computed("IMDB", "largest output", _largest(output)),
        ),
    )


@claim("rfdn", "Abstract", "A feature distillation connection does what a channel split does.")
def fdc_does_what_a_split_does() -> Judgement:
    torch.manual_seed(0)
    x = _features(CHANNELS)
    split, fdc = (nn.Conv2d(CHANNELS, CHANNELS // 4, side, padding=side // 2) for side in (3, 1))
    widened = nn.Conv2d(CHANNELS, CHANNELS // 4, 3, padding=1)
    with torch.no_grad():
        widened.weight.zero_()[:, :, 1:2, 1:2] = fdc.weight
        assert widened.bias is not None and fdc.bias is not None
        widened.bias.copy_(fdc.bias)
        wanted, backwards = split.double()(x), fdc.double()(x)
        back = _largest(widened.double()(x) - backwards)
        gap = _largest(wanted - nearest_pointwise(x, wanted))
    return Judgement(
        algebraic(gap, _largest(wanted)),
        "Only one way. A 1x1 convolution is a 3x3 with zeros around its centre (the difference is "
        f"{share_of_output(back, _largest(backwards))}), but the 1x1 nearest to a 3x3 distillation "
        f"misses it by up to {gap / _largest(wanted):.0%} of the largest output: it sees one "
        "pixel.",
        rows(
            computed("3x3 minus the nearest 1x1", "largest difference", gap),
            computed("3x3", "largest output", _largest(wanted)),
            computed("3x3 with zeros around its centre minus 1x1", "largest difference", back),
        ),
    )


@claim(
    "rfdn", "Abstract; Section 3.3", "1x1s in place of the 3x3s that distil need fewer parameters."
)
def pointwise_distillation_saves_parameters() -> Judgement:
    with torch.device("meta"):
        block = imdb_as_imdb_r(IMDB(64))
        before = parameters(block)
        for name in ("distil1", "distil2", "distil3"):
            conv = block.get_submodule(name)
            assert isinstance(conv, nn.Conv2d)
            setattr(block, name, nn.Conv2d(conv.in_channels, conv.out_channels, 1))
        after = parameters(block)
    return Judgement(
        as_printed(after < before),
        f"In IMDN's block of 64 channels they take {before:,} parameters to {after:,}, "
        f"{1 - after / before:.0%} fewer. RFDB changes more than that: see "
        "rfdn/distillation-makes-rfdn-lighter-than-imdn.",
        rows(
            computed("IMDB-R", "params", before),
            computed("IMDB-R, three 1x1 in place of 3x3", "params", after),
        ),
    )


@claim(
    "rfdn", "Section 1", "RFDN is far lighter than IMDN thanks to feature distillation connections."
)
def distillation_makes_rfdn_lighter_than_imdn() -> Judgement:
    rfdn, imdn = (_count("3", row, 4) for row in (OURS[0], "IMDN [10]"))
    at_48 = [counted(name, 4, channels=48) for name in ("rfdn", "imdn")]
    at_64 = [counted(name, 4, channels=64) for name in ("rfdn", "imdn")]
    more = [value(ours) / value(theirs) - 1 for ours, theirs in (at_48, at_64)]
    lighter = value(rfdn) < value(imdn)
    return Judgement(
        as_printed(lighter and max(more) < 0),
        f"{value(rfdn):.0f}K against {value(imdn):.0f}K at x4, but RFDN is also narrower: its "
        "counts fit 48 channels, and IMDN has 64. At one width RFDN's parameters are "
        f"{more[0]:+.0%} (48 channels) and {more[1]:+.0%} (64) beside IMDN's, since its blocks "
        "refine all channels where IMDN's refine three quarters.",
        rows(rfdn, imdn, *at_48, *at_64),
    )


@claim("rfdn", "Section 3.3, Table 1", "A shallow residual block adds no parameters.")
def srb_adds_no_parameters() -> Judgement:
    cells = [_count("1", row, 4) for row in ("Base", "SRB", "FDC", "RFDB")]
    code = [counted(f"rfdn-t1-{name}", 4) for name in ("base", "srb", "fdc", "rfdb")]
    added = [value(pair[1]) - value(pair[0]) for pair in (code[:2], code[2:])]
    same = [value(pair[1]) - value(pair[0]) for pair in (cells[:2], cells[2:])]
    return Judgement(
        as_printed(not any(added) and not any(same)),
        f"By code it adds {added[0]:.0f} to the base and {added[1]:.0f} to the block with "
        f"distillation; printed, {same[0]:+.0f}K and {same[1]:+.0f}K.",
        rows(*cells, *code),
    )


# --- section 4.3: the ablations ---------------------------------------------------------------


@claim("rfdn", "Section 4.3, Table 1", "SRB alone gains 0.12 dB and 0.0024 SSIM on Manga109.")
def srb_gain_on_manga109() -> Judgement:
    gains = _gains(_scores("1", "SRB"), _scores("1", "Base"), "Manga109")
    psnr, ssim = gains["value"]
    others = _gains(_scores("1", "SRB"), _scores("1", "Base"), quantity="psnr_y")
    return Judgement(
        as_printed(Number.read("0.12").admits(psnr) and Number.read("0.0024").admits(ssim)),
        f"The cells give {psnr:+.2f} dB and {ssim:+.4f}; on all sets {_said(others)}.",
        rows(
            stated("rfdn", "Section 4.3", "psnr_y", 0.12, "dB"),
            stated("rfdn", "Section 4.3", "ssim_y", 0.0024),
            _scores("1", "SRB"),
            _scores("1", "Base"),
            gains,
            others,
        ).drop_duplicates(),
    )


@claim("rfdn", "Section 4.3, Table 1", "Distillation connections gain 0.19 dB on Manga109.")
def fdc_gain_on_manga109() -> Judgement:
    gains = _gains(_scores("1", "FDC"), _scores("1", "Base"), quantity="psnr_y")
    manga = gains[gains["column"] == "Manga109"]
    rest = gains[gains["column"] != "Manga109"]
    return Judgement(
        as_printed(Number.read("0.19").admits(value(manga))),
        f"The cells give {value(manga):+.2f} dB. The text calls the margin large and names this "
        f"set; the others are {_said(rest)}.",
        rows(
            stated("rfdn", "Section 4.3", "psnr_y", 0.19, "dB"),
            _scores("1", "FDC"),
            _scores("1", "Base"),
            gains,
        ),
    )


@claim("rfdn", "Section 4.3, Table 1", "SRB helps the base, and the block with distillation alike.")
def srb_helps_with_and_without_distillation() -> Judgement:
    alone = _gains(_scores("1", "SRB"), _scores("1", "Base"), quantity="psnr_y")
    with_fdc = _gains(_scores("1", "RFDB"), _scores("1", "FDC"), quantity="psnr_y")
    means = [float(gains["value"].mean()) for gains in (alone, with_fdc)]
    measured = compare("benchmarks", "rfdn-t1-rfdb", "rfdn-t1-fdc", SETS)
    return Judgement(
        quality(min(means) > 0, measured),
        f"Printed, alone {_said(alone)}; with distillation {_said(with_fdc)}. The means are "
        f"{means[0]:+.3f} and {means[1]:+.3f} dB. {measured.because}",
        rows(
            *(_scores("1", row) for row in ("Base", "SRB", "FDC", "RFDB")),
            alone,
            with_fdc,
            measured.evidence,
        ),
    )


@claim("rfdn", "Section 4.3, Table 1", "The block with both ideas is far better than the base.")
def rfdb_is_better_than_the_base() -> Judgement:
    gains = _gains(_scores("1", "RFDB"), _scores("1", "Base"), quantity="psnr_y")
    measured = compare("benchmarks", "rfdn-t1-rfdb", "rfdn-t1-base", SETS)
    drift = _retrained()
    return Judgement(
        quality(bool((gains["value"] > 0).all()), measured),
        f"Printed: {_said(gains)}. One training of each is printed; two trainings of one RFDN in "
        f"Tables 3 and 4 differ by up to {drift['value'].abs().max():.2f} dB. {measured.because}",
        rows(_scores("1", "RFDB"), _scores("1", "Base"), gains, drift, measured.evidence),
    )


@claim("rfdn", "Table 2", "The arrows say how PSNR and SSIM move as more channels are distilled.")
def arrows_of_the_distillation_rate() -> Judgement:
    drawn = load_paper("rfdn").tables["2 trends"].rows[0].cells
    follows = [drawn[name] == "/".join(_arrows(name)) for name in SETS]
    return Judgement(
        as_printed(all(follows)),
        f"The cells above the arrows move as the arrows say on {sum(follows)} of {len(SETS)} sets.",
        rows(
            *(_scores("2", rate) for rate in ("0.25", "0.5", "0.75")),
            *(
                derived(f"arrows on {name}", "as drawn", float(ok))
                for name, ok in zip(SETS, follows, strict=True)
            ),
        ),
    )


@claim("rfdn", "Section 4.3, Table 2", "The trend with the rate is another one on every set.")
def trends_differ_from_set_to_set() -> Judgement:
    trends = {name: "/".join(_arrows(name)) for name in SETS}
    shared = [name for name in SETS if list(trends.values()).count(trends[name]) > 1]
    return Judgement(
        as_printed(not shared),
        f"The {len(SETS)} sets have {len(set(trends.values()))} trends of PSNR/SSIM"
        + (f": {' and '.join(shared)} share {trends[shared[0]]}." if shared else "."),
        rows(
            *(_scores("2", rate) for rate in ("0.25", "0.5", "0.75")),
            derived("Table 2", "different trends", len(set(trends.values()))),
        ),
    )


@claim("rfdn", "Section 4.3, Table 2", "Distilling half the channels is a good trade-off.")
def half_is_a_good_distillation_rate() -> Judgement:
    rates = ("0.25", "0.5", "0.75")
    scores = [_scores("2", rate) for rate in rates]
    means = [float(s.loc[s["quantity"] == "psnr_y", "value"].mean()) for s in scores]
    params = [_count("2", rate, 4) for rate in rates]
    costs = [value(params[n + 1]) - value(params[n]) for n in (0, 1)]
    gains = [means[n + 1] - means[n] for n in (0, 1)]
    measured = compare("benchmarks", "rfdn-t2-0.5", "rfdn-t2-0.25", SETS)
    return Judgement(
        quality(gains[0] / costs[0] > gains[1] / costs[1], measured),
        f"Printed, the mean over the sets rises by {gains[0]:.3f} dB for the first {costs[0]:.0f}K "
        f"parameters and by {gains[1]:.3f} dB for the next {costs[1]:.0f}K. For the size of it: "
        f"two trainings of one RFDN, in Tables 3 and 4, differ by up to "
        f"{_retrained()['value'].abs().max():.2f} dB on a set. {measured.because}",
        rows(
            *scores,
            *params,
            *(
                derived(f"rate {rate}", "mean psnr_y", m)
                for rate, m in zip(rates, means, strict=True)
            ),
            _retrained(),
            measured.evidence,
        ),
    )


@claim("rfdn", "Section 4.3", "RFDN and RFDN-L distil half of the channels.")
def rfdn_distils_half() -> Judgement:
    names = {"RFDN (Ours)": "rfdn", "RFDN-L (Ours)": "rfdn-l"}
    cells = [_count("3", row, 4) for row in names]
    code = {
        rate: [counted(name, 4, rate=rate) for name in names.values()] for rate in (0.25, 0.5, 0.75)
    }
    fits = [rate for rate, counts in code.items() if all(as_counted(rows(*cells), rows(*counts)))]
    ablated = _count("2", "0.5", 4)
    return Judgement(
        as_printed(fits == [0.5]),
        "The sentence is about the rate. Of those of Table 2, "
        f"{' and '.join(map(str, fits)) or 'none'} gives both printed counts. Table 2's own "
        f"network of half the channels has {value(ablated):.0f}K and is not the RFDN of Table 3, "
        f"{value(cells[0]):.0f}K: the two fit attentions of two widths.",
        rows(*cells, *(count for counts in code.values() for count in counts), ablated),
    )


# --- section 4.3: complexity and speed --------------------------------------------------------


@claim("rfdn", "Section 4.4", "RFDN has 534, 541 and 550K parameters at x2, x3 and x4.")
def rfdn_parameters() -> Judgement:
    said = {2: 534, 3: 541, 4: 550}
    cells = [_count("3", OURS[0], scale) for scale in said]
    code = [counted("rfdn", scale) for scale in said]
    right = [
        as_counted(c, n) == [True] and value(c) == k
        for k, c, n in zip(said.values(), cells, code, strict=True)
    ]
    return Judgement(
        as_printed(all(right)),
        f"Table 3 prints the same, and one network gives {_listed(code)} by code. Its six "
        "blocks are the text's kind; width and attention are fitted to these counts.",
        rows(
            *(stated("rfdn", "Section 4.4", f"params x{x}", k, "K") for x, k in said.items()),
            *cells,
            *code,
        ),
    )


@claim("rfdn", "Section 1; Section 4.3", "IMDN is larger than most lightweight networks.")
def imdn_is_larger_than_most() -> Judgement:
    table = _others(4)
    params = table[table["quantity"] == "params"]
    imdn = params[params["row"] == "IMDN [10]"]
    rest = params.drop(imdn.index)
    smaller = rest[rest["value"] < value(imdn)]
    return Judgement(
        as_printed(len(smaller) > len(rest) / 2),
        f"{len(smaller)} of the {len(rest)} other methods that Table 3 compares at x4 are smaller "
        f"than its {value(imdn):.0f}K.",
        rows(params),
    )


@claim("rfdn", "Section 4.3, Figure 4", "RFDN beats VDSR, MemNet, IDN and IMDN, and is smaller.")
def rfdn_in_the_figure_of_parameters() -> Judgement:
    beaten = ("VDSR [12]", "MemNet [23]", "IDN [11]", "IMDN [10]")
    ours = (_count("3", OURS[0], 4), _on_set5(OURS[0]))
    theirs = [(_count("3", row, 4), _on_set5(row)) for row in beaten]
    right = [value(p) > value(ours[0]) and value(s) < value(ours[1]) for p, s in theirs]
    narrowest = min(theirs, key=lambda cells: value(cells[0]))[0]
    return Judgement(
        as_printed(all(right)),
        f"As printed for Set5 at x4 it is so for {sum(right)} of {len(beaten)}. The lightest of "
        f"them, {narrowest['row'].item()}, is {value(narrowest) - value(ours[0]):.0f}K larger.",
        rows(*ours, *(cell for cells in theirs for cell in cells)),
    )


@claim("rfdn", "Section 4.3, Figure 5", "RFDN and RFDN-L beat IMDN with fewer multiply-adds.")
def fewer_calculations_than_imdn() -> Judgement:
    names = {"RFDN (Ours)": "rfdn", "RFDN-L (Ours)": "rfdn-l", "IMDN [10]": "imdn"}
    macs = [counted(name, 4, "macs_720p") for name in names.values()]
    psnr = [_on_set5(row) for row in names]
    lighter = [value(ours) < value(macs[2]) for ours in macs[:2]]
    gains = [value(ours) - value(psnr[2]) for ours in psnr[:2]]
    return Judgement(
        cost(min(gains) > 0, all(lighter)),
        f"By code {_listed(macs, 1e9, 'G')} for an image of 1280x720 at x4, and printed "
        f"{gains[0]:+.2f} and {gains[1]:+.2f} dB on Set5. No count is printed beside the figure.",
        rows(*macs, *psnr),
    )


@claim(
    "rfdn", "Section 4.3", "RFDN is about as fast as IMDN, and saves energy by calculating less."
)
def rfdn_is_about_as_fast_as_imdn() -> Judgement:
    ours, theirs = (
        stated("rfdn", f"Section 4.3, {name}", "frames per second", fps, "1/s")
        for name, fps in (("RFDN", 44), ("IMDN", 49))
    )
    macs = [counted(name, 4, "macs_720p") for name in ("rfdn", "imdn")]
    longer = value(theirs) / value(ours) - 1
    return Judgement(
        NOT_TESTABLE,
        f"The paper alone has measured it: {value(ours):.0f} against {value(theirs):.0f} frames "
        f"a second, {longer:.0%} more time an image, with "
        f"{1 - value(macs[0]) / value(macs[1]):.0%} fewer multiply-adds by code. So fewer "
        "calculations saved no time there; energy is not given, nor the machine. No speed of RFDN "
        "is measured here.",
        rows(ours, theirs, *macs),
    )


# --- section 4.4: against other methods -------------------------------------------------------


@claim("rfdn", "Abstract", "No method compared is as accurate as RFDN with as few parameters.")
def rfdn_is_on_the_front() -> Judgement:
    beats = [
        row
        for scale in (2, 3, 4)
        for name in SETS
        for row in _not_worse(scale, name)
        if value(_count("3", row, scale)) <= value(_count("3", OURS[0], scale))
    ]
    better = [row for scale in (2, 3, 4) for name in SETS for row in _not_worse(scale, name)]
    return Judgement(
        as_printed(not beats),
        f"{len(better)} cells of other methods reach RFDN's PSNR on a set and scale "
        f"({', '.join(dict.fromkeys(better))}); {len(beats)} of them with as few parameters.",
        rows(*(printed("rfdn", "3", scale=scale) for scale in (2, 3, 4))),
    )


@claim("rfdn", "Section 1, contribution 1", "RFDN has far fewer parameters than its competitors.")
def fewer_parameters_than_the_competitors() -> Judgement:
    table = _others(4)
    ours = _count("3", OURS[0], 4)
    scores = printed("rfdn", "3", OURS[0], quantity="psnr_y", scale=4)
    level = gaps(scores, table[table["quantity"] == "psnr_y"])
    level = level[level["value"] <= MARGIN]
    names = list(dict.fromkeys(row.removeprefix(f"{OURS[0]} minus ") for row in level["row"]))
    params = table[table["quantity"] == "params"]
    rivals_ = params[params["row"].isin(names)]
    smaller = params[params["value"] < value(ours)]
    return Judgement(
        as_printed(bool((rivals_["value"] > value(ours)).all())),
        f"Who competes is not said. {', '.join(names)} come within {MARGIN} dB of it on some set "
        f"at x4, with {rivals_['value'].min():.0f}K parameters and more, RFDN having "
        f"{value(ours):.0f}K; of all {len(params)} methods of the table {len(smaller)} are "
        f"smaller, and less accurate on every set.",
        rows(ours, params, scores, level),
    )


@claim("rfdn", "Section 1, contribution 1", "RFDN's scores are the state of the art.")
def rfdn_is_the_most_accurate() -> Judgement:
    behind = rows(*(_behind(scale, name) for scale in (2, 3, 4) for name in SETS))
    cells = 3 * len(SETS)
    return Judgement(
        as_printed(behind.empty),
        f"RFDN's PSNR is the highest, its own larger RFDN-L apart, in {cells - len(behind)} of "
        f"{cells} sets and scales. It is behind in the others: "
        + ", ".join(
            f"{-row['value']:.2f} dB behind {row['row']} on {row['column']} x{row['scale']:.0f}"
            for row in behind.to_dict("records")
        )
        + ". Section 4.4 says no more than comparable or better.",
        rows(*(printed("rfdn", "3", quantity="psnr_y", scale=x) for x in (2, 3, 4)), behind),
    )


@claim("rfdn", "Section 4.3, Table 3", "RFDN is more accurate than IMDN at x4, and lighter.")
def rfdn_is_more_accurate_than_imdn() -> Judgement:
    gains = _gains(_scores("3", OURS[0]), _scores("3", "IMDN [10]"), quantity="psnr_y")
    params = [_count("3", row, 4) for row in (OURS[0], "IMDN [10]")]
    measured = compare("bsd400-others", "rfdn", "imdn", SETS)
    relative = compare("benchmarks", "e-rfdn", "imdn", MEASURED_SETS)
    as_said = bool((gains["value"] > 0).all()) and value(params[0]) < value(params[1])
    return Judgement(
        quality(as_said, measured),
        f"Printed: {_said(gains)}, with {1 - value(params[0]) / value(params[1]):.0%} fewer "
        f"parameters. {measured.because} RFDN's own weights are not public; those of its "
        f"relative E-RFDN decide nothing on it. {relative.because}",
        rows(
            _scores("3", OURS[0]),
            _scores("3", "IMDN [10]"),
            *params,
            gains,
            measured.evidence,
            relative.evidence,
        ).drop_duplicates(),
    )


@claim("rfdn", "Abstract; Section 4.6", "E-RFDN is an enhanced RFDN.")
def e_rfdn_enhances_rfdn() -> Judgement:
    params = [counted(name, 4) for name in ("e-rfdn", "rfdn")]
    cells = printed("rfdn", "3", OURS[0], quantity="psnr_y", scale=4)
    ours = scored("benchmarks", "e-rfdn", MEASURED_SETS)
    gains = _gains(ours, cells)
    measured = compare("benchmarks", "e-rfdn", "rfdn", MEASURED_SETS)
    beside = f" Beside the scores printed for RFDN it has {_said(gains)}." if len(gains) else ""
    return Judgement(
        measured.verdict,
        f"It has {value(params[0]):,.0f} parameters where RFDN has {value(params[1]):,.0f}, at "
        f"x4, and no benchmark score of it is printed. {measured.because}{beside}",
        rows(*params, cells, measured.evidence, gains),
    )


@claim("rfdn", "Table 3", "IMDN scores what the table prints for it.")
def scores_of_imdn() -> Judgement:
    measured = rows(
        *(
            scored(name, "imdn", MEASURED_SETS, scale)
            for name, scale in (("benchmarks", 4), ("benchmarks-x2", 2))
        )
    )
    cells = rows(*(_scores("3", "IMDN [10]", scale) for scale in (2, 4)))
    off = _gains(measured, cells[cells["quantity"] == "psnr_y"])
    verdict = UNDECIDED
    if len(off):
        verdict = HOLDS if off["value"].abs().max() <= 0.01 + 1e-9 else NOT_HERE
    said = ", ".join(
        f"{row['value']:+.3f} dB on {row['column']} x{row['scale']}"
        for row in off.to_dict("records")
    )
    return Judgement(
        verdict,
        f"Its authors' weights score, measured minus printed: {said or 'nothing yet'}.",
        rows(cells, measured, off),
    )


@claim(
    "rfdn", "Section 4.5, Table 4", "Trained alike, RFDN beats IMDN on every set in both scores."
)
def rfdn_beats_imdn_on_every_set() -> Judgement:
    gains = _gains(_scores("4", "RFDN"), _scores("4", "IMDN [10]"))
    ties = gains[gains["value"] <= 0]
    psnr = gains[gains["quantity"] == "psnr_y"]
    again = _gains(_scores("4", "IMDN [10]"), _scores("3", "IMDN [10]"), "Set5", "psnr_y")
    drift = _retrained()
    return Judgement(
        as_printed(ties.empty),
        f"{len(gains) - len(ties)} of {len(gains)} cells are higher; the others are PSNR on "
        f"{' and '.join(ties['column'])}: {_said(psnr)}. For the size of it: the same RFDN in "
        f"Table 3 differs by up to {drift['value'].abs().max():.2f} dB, and the IMDN that the "
        f"authors trained is {value(again):+.2f} dB off its own authors' score on Set5.",
        rows(_scores("4", "RFDN"), _scores("4", "IMDN [10]"), gains, drift, again),
        rivals(_scores("4", "RFDN"), _scores("4", "IMDN [10]")),
    )


@claim("rfdn", "Section 4.4, Table 3", "RFDN-L has the best of most of the scores.")
def rfdn_l_is_best_in_most() -> Judgement:
    ranks = _ranks_of_rfdn_l()
    alone, shared = (ranks[ranks["value"] == rank] for rank in (1.0, 1.5))
    params = [_count("3", row, 4) for row in OURS]
    return Judgement(
        as_printed(len(alone) > len(ranks) / 2),
        f"It is best alone in {len(alone)} of {len(ranks)} cells and best with another in "
        f"{len(shared)}. It has {value(params[1]) / value(params[0]) - 1:.0%} more parameters "
        "than RFDN at x4.",
        rows(*(printed("rfdn", "3", scale=x) for x in (2, 3, 4)), ranks),
    )


@claim("rfdn", "Section 4.4, Table 3", "RFDN-L is best above all at large scales.")
def rfdn_l_is_best_at_large_scales() -> Judgement:
    ranks = _ranks_of_rfdn_l()
    best = ranks[ranks["value"] == 1].groupby("scale").size()
    return Judgement(
        as_printed(bool(best[2] < best[3] and best[2] < best[4])),
        "Best alone in "
        + ", ".join(f"{count} cells at x{x}" for x, count in best.items())
        + f", of {len(ranks) // len(best)} each.",
        rows(*(printed("rfdn", "3", scale=x) for x in (2, 3, 4)), ranks),
    )


@claim("rfdn", "Section 1", "DRCN and DRRN are small at the price of more operations.")
def recursion_is_small_and_slow() -> Judgement:
    names = {"DRCN [13]": "drcn", "DRRN [22]": "drrn", "VDSR [12]": "vdsr"}
    params = [_count("3", row, 4) for row in names]
    macs = [counted(name, 4, "macs_720p") for name in names.values()]
    small = [value(params[n]) < value(params[2]) for n in (0, 1)]
    slow = [value(macs[n]) > value(macs[2]) for n in (0, 1)]
    largest = printed("rfdn", "3", column="Params", scale=4).nlargest(1, "value")
    times = [value(macs[n]) / value(macs[2]) for n in (0, 1)]
    return Judgement(
        as_printed(all(small) and all(slow)),
        f"VDSR, without recursion, has {value(params[2]):.0f}K parameters at x4, DRCN "
        f"{value(params[0]):.0f}K and DRRN {value(params[1]):.0f}K; the largest of Table 3 is "
        f"{largest['row'].item()}. They need {times[0]:.0f} and {times[1]:.0f} times VDSR's "
        "multiply-adds. Sharing saves little where the shared layer is as wide as DRCN's.",
        rows(*params, *macs, largest).drop_duplicates(),
    )


@claim("rfdn", "Section 1; Section 2", "VDSR, of 20 layers, is far better than SRCNN.")
def vdsr_is_better_than_srcnn() -> Judgement:
    ours, theirs = (_psnr("3", row) for row in ("VDSR [12]", "SRCNN [4]"))
    return better(ours, theirs, compare("benchmarks", "vdsr", "srcnn", SETS))


@claim("rfdn", "Section 1", "IMDN is an improvement on IDN.")
def imdn_is_better_than_idn() -> Judgement:
    ours, theirs = (_psnr("3", row) for row in ("IMDN [10]", "IDN [11]"))
    return better(ours, theirs, compare("benchmarks", "imdn", "idn", SETS))


@claim("rfdn", "Section 1", "EDSR has more than 160 layers.")
def edsr_has_160_layers() -> Judgement:
    said = 160
    with torch.device("meta"):
        network = create_network("edsr", 4)
    trained = sum(
        isinstance(module, nn.Conv2d) and module.weight.requires_grad
        for module in network.modules()
    )
    return Judgement(
        as_printed(trained > said),
        f"The full EDSR has {trained} trained convolutions at x4: two in each of 32 blocks, and "
        "five around them.",
        rows(
            stated("rfdn", "Section 1", "layers", said),
            computed("edsr", "convolutions", trained, scale=4),
        ),
        (
            Shortfall(
                f"{trained} convolutions", said - trained, "layers", True, ("RFDN, Section 1",)
            ),
        ),
    )


@claim("rfdn", "Section 2", "DRCN applies one layer sixteen times.")
def drcn_recurs_sixteen_times() -> Judgement:
    network = create_network("drcn", 2)
    with torch.no_grad(), _Calls(network.recurse) as calls:  # type: ignore[arg-type]
        network(torch.rand(1, 3, 8, 8))
    return Judgement(
        as_printed(calls.count == 16),
        f"The network of the printed parameters applies its recursive layer {calls.count} times.",
        rows(counted("drcn", 2), computed("drcn", "applications of one layer", calls.count)),
    )


class _Calls:
    """Counts how often a module is called."""

    def __init__(self, module: nn.Module) -> None:
        self.module, self.count = module, 0

    def __enter__(self) -> "_Calls":
        def add(*_: object) -> None:
            self.count += 1

        self.hook = self.module.register_forward_hook(add)
        return self

    def __exit__(self, *_: object) -> None:
        self.hook.remove()


@claim("rfdn", "Section 3.4", "Head, blocks, a 1x1 and a 3x3 fusion, and a reconstruction.")
def framework_has_four_parts() -> Judgement:
    with torch.device("meta"):
        network = RFDN(4)
    fuse = network.fuse[0]
    assert isinstance(fuse, nn.Conv2d)
    sizes = [conv.kernel_size[0] for conv in (network.head, fuse, network.refine)]
    shuffles = sum(isinstance(module, nn.PixelShuffle) for module in network.tail.modules())
    return Judgement(
        as_printed(sizes == [3, 1, 3] and shuffles == 1),
        f"The network of the printed parameters begins with a {sizes[0]}x{sizes[0]} convolution, "
        f"joins the outputs of its {len(network.blocks)} blocks by a {sizes[1]}x{sizes[1]} and a "
        f"{sizes[2]}x{sizes[2]}, and ends in {shuffles} sub-pixel layer.",
        rows(
            counted("rfdn", 4),
            *(
                computed(name, "kernel height", size)
                for name, size in zip(("head", "fusion", "smoothing"), sizes, strict=True)
            ),
        ),
    )


@claim("rfdn", "Section 4.3, Table 3", "RFDN-L, with more channels, is better still than RFDN.")
def rfdn_l_is_better_than_rfdn() -> Judgement:
    small, large = (
        rows(*(printed("rfdn", "3", row, quantity=name) for name in ("psnr_y", "ssim_y")))
        for row in OURS
    )
    found = gaps(large, small)
    short = found[found["value"] <= 0]
    behind = rivals(large, small, level=False)
    verdict = as_printed(bool((found["value"] >= 0).all()))
    where = ", ".join(
        f"{line['column']} x{line['scale']:.0f} in {line['quantity'].split('_')[0].upper()}"
        for line in short.to_dict("records")
    )
    return Judgement(
        verdict,
        f"Of {len(found)} printed scores it has the better one in {len(found) - len(short)}; not "
        f"so on {where}.",
        rows(large, small, found),
        behind,
    )


@claim("rfdn", "Section 1", "CARN-M gives up much PSNR against CARN.")
def carn_m_gives_up_psnr() -> Judgement:
    cells = printed("fdiwn", "poster", quantity="psnr_y", scale=4)
    small, large = (cells[cells["row"].str.match(name)] for name in (r"CARN-M ", r"CARN "))
    if large.empty:
        large = printed("rfdn", "3", "CARN [1]", quantity="psnr_y", scale=4)
    drop = _gains(small, large)
    gains = _gains(_scores("3", OURS[0]), _scores("3", "IMDN [10]"), quantity="psnr_y")
    return Judgement(
        as_printed(drop["value"].max() < -gains["value"].max()),
        f"FDIWN's poster prints {_said(drop)} for CARN-M at x4; RFDN's largest gain over IMDN "
        f"at x4 is {gains['value'].max():+.2f} dB. RFDN's own tables have no CARN-M.",
        rows(small, large, drop, gains),
    )


# --- section 4.6: the challenge ---------------------------------------------------------------


CHALLENGE = {"Params": "params", "FLOPs": "ntire_flops", "Activations": "activations"}
COSTS = ("Runtime", *CHALLENGE)


@claim("rfdn", "Section 4.6, Table 5", "E-RFDN has 0.433M parameters, 27.10G and 112.03M.")
def counts_of_e_rfdn() -> Judgement:
    cells = {name: printed("rfdn", "5", "NJU_MCG (ours)", name) for name in CHALLENGE}
    code = {name: counted("e-rfdn", 4, count) for name, count in CHALLENGE.items()}
    said = {"Params": "0.433", "FLOPs": "27.10", "Activations": "112.03"}
    right = [
        as_counted(cells[name], code[name]) == [True]
        and Number.read(said[name]).value == cells[name]["number"].item().value
        for name in CHALLENGE
    ]
    return Judgement(
        as_printed(all(right)),
        f"By code, of the network that the authors' weights fit: {_listed(list(code.values()))}; "
        f"{sum(right)} of {len(right)} counts are the printed ones.",
        rows(*cells.values(), *code.values()),
    )


@claim("rfdn", "Abstract; Section 4.6, Table 5", "E-RFDN won the AIM 2020 efficiency challenge.")
def e_rfdn_won_the_challenge() -> Judgement:
    teams = printed("rfdn", "5")
    teams = teams[~teams["row"].isin(["IMDN", "Baselin"])]
    best = {name: teams[teams["column"] == name] for name in COSTS}
    ours = {name: value(cells[cells["row"] == "NJU_MCG (ours)"]) for name, cells in best.items()}
    least = [name for name in COSTS if ours[name] == best[name]["value"].min()]
    level = (best["Runtime"]["value"] == ours["Runtime"]).sum() - 1
    psnr = teams[teams["quantity"] == "psnr_rgb"]
    higher = psnr[psnr["value"] > value(psnr[psnr["row"] == "NJU_MCG (ours)"])]
    smaller = best["Params"][best["Params"]["value"] < ours["Params"]]
    return Judgement(
        NOT_TESTABLE,
        f"The table prints no rank, and the challenge's report is not here. Of its "
        f"{len(best['Runtime'])} teams none is faster, {level} as fast, and E-RFDN costs least in "
        f"{len(least)} of {len(COSTS)} columns "
        f"({', '.join(least)}); smaller is {', '.join(smaller['row'])}, higher in PSNR "
        f"{', '.join(higher['row'])}.",
        rows(teams),
    )


@claim(
    "rfdn",
    "Section 4.6, Table 5",
    "E-RFDN is far cheaper than IMDN, the winner of the year before.",
)
def e_rfdn_is_cheaper_than_imdn() -> Judgement:
    ours, theirs = (printed("rfdn", "5", row) for row in ("NJU_MCG (ours)", "IMDN"))
    costs = ours[ours["column"].isin(COSTS)].merge(theirs, on="column", suffixes=("", "_imdn"))
    saved = 1 - costs["value"] / costs["value_imdn"]
    code = [
        counted(name, 4, count) for name in ("e-rfdn", "imdn-aim") for count in CHALLENGE.values()
    ]
    psnr = _gains(ours, theirs, quantity="psnr_rgb")
    return Judgement(
        as_printed(bool((saved > 0).all())),
        "Less by "
        + ", ".join(
            f"{part:.0%} in {name}" for name, part in zip(costs["column"], saved, strict=True)
        )
        + f"; the counts are those of the networks here. Its PSNR is {value(psnr):+.2f} dB, "
        "which the sentence leaves out.",
        rows(ours, theirs, *code, psnr),
    )


# --- helpers ----------------------------------------------------------------------------------


def bend(unit: Callable[[Tensor], Tensor], channels: int) -> float:
    """How far ``unit`` is from a convolution and LeakyReLU 0.05, as part of its largest value.

    (N, C, H, W) -> any shape. The activation is undone, and what is left must be affine:
    g(a + b) + g(0) = g(a) + g(b). Zero but for rounding for such a unit of any kernel.
    """
    a, b = _features(channels), _features(channels, seed=2)

    def undone(x: Tensor) -> Tensor:
        y = unit(x)
        return torch.where(y > 0, y, y / 0.05)

    with torch.no_grad():
        both = undone(a + b)
        return _largest(both + undone(0 * a) - undone(a) - undone(b)) / _largest(both)


def _features(channels: int, seed: int = 1) -> Tensor:
    generator = torch.manual_seed(seed)
    return torch.randn(2, channels, 12, 16, dtype=torch.float64, generator=generator)


def nearest_pointwise(x: Tensor, wanted: Tensor) -> Tensor:
    """The output of the 1x1 convolution with bias that is nearest to ``wanted``, by squares."""
    pixels = x.movedim(1, -1).flatten(0, -2)
    pixels = torch.cat([pixels, torch.ones_like(pixels[:, :1])], dim=1)
    fit = torch.linalg.lstsq(pixels, wanted.movedim(1, -1).flatten(0, -2)).solution
    found = (pixels @ fit).unflatten(0, (len(x), *x.shape[-2:]))
    return found.movedim(-1, 1)


def _largest(x: Tensor) -> float:
    return x.abs().max().item()


def _count(table: str, row: str, scale: int) -> pd.DataFrame:
    return printed("rfdn", table, row, "Params", scale=scale)


def _scores(table: str, row: str, scale: int = 4) -> pd.DataFrame:
    cells = printed("rfdn", table, row, scale=scale)
    return cells[cells["quantity"].isin(["psnr_y", "ssim_y"])]


def _psnr(table: str, row: str) -> pd.DataFrame:
    """A row's PSNR-Y at every scale."""
    return printed("rfdn", table, row, quantity="psnr_y")


def _on_set5(row: str) -> pd.DataFrame:
    return printed("rfdn", "3", row, "Set5", "psnr_y", scale=4)


def _gains(
    a: pd.DataFrame, b: pd.DataFrame, column: str | None = None, quantity: str | None = None
) -> pd.DataFrame:
    """``gaps`` of one column or quantity; no rows where ``a`` has none."""
    if a.empty:
        return a
    found = gaps(a, b)
    if column is not None:
        found = found[found["column"] == column]
    if quantity is not None:
        found = found[found["quantity"] == quantity]
    return rows(found)


def _said(gains: pd.DataFrame, digits: int = 2) -> str:
    """ "+0.11 dB on Set5, ..." of gains in PSNR."""
    found = gains.to_dict("records")
    return ", ".join(f"{row['value']:+.{digits}f} dB on {row['column']}" for row in found)


def _listed(cells: Sequence[pd.DataFrame], unit: float = 1, suffix: str = "") -> str:
    digits = 1 if unit > 1 else 0
    return ", ".join(f"{value(cell) / unit:,.{digits}f}{suffix}" for cell in cells)


def _retrained() -> pd.DataFrame:
    """RFDN at x4 in Table 4 minus RFDN in Table 3: one network, two trainings."""
    return _gains(_scores("4", "RFDN"), _scores("3", OURS[0]), quantity="psnr_y")


def _arrows(name: str) -> list[str]:
    """How PSNR and SSIM move with the rate in Table 2, in the paper's signs."""
    signs = {(True, True): "↑", (False, False): "↓", (True, False): "∧", (False, True): "∨"}
    found = []
    for quantity in ("psnr_y", "ssim_y"):
        low, middle, high = (
            value(printed("rfdn", "2", rate, name, quantity)) for rate in ("0.25", "0.5", "0.75")
        )
        found.append(signs[middle > low, high > middle])
    return found


def _others(scale: int) -> pd.DataFrame:
    """Table 3 without the paper's own networks."""
    table = printed("rfdn", "3", scale=scale)
    return table[~table["row"].isin(OURS)]


def _not_worse(scale: int, name: str) -> list[str]:
    """Methods of others with at least RFDN's PSNR on a set."""
    table = _others(scale)
    table = table[(table["column"] == name) & (table["quantity"] == "psnr_y")]
    ours = value(printed("rfdn", "3", OURS[0], name, "psnr_y", scale))
    return list(table.loc[table["value"] >= ours, "row"])


def _behind(scale: int, name: str) -> pd.DataFrame:
    """RFDN's PSNR minus that of the best of the others, where that is better; else no row."""
    table = _others(scale)
    table = table[(table["column"] == name) & (table["quantity"] == "psnr_y")]
    best = table.nlargest(1, "value")
    gap = round(value(printed("rfdn", "3", OURS[0], name, "psnr_y", scale)) - value(best), 9)
    if gap >= 0:
        return rows()
    return derived(best["row"].item(), "psnr_y", gap, scale=scale, column=name, unit="dB")


def _ranks_of_rfdn_l() -> pd.DataFrame:
    """RFDN-L's rank in each cell of Table 3, the best 1; 1.5 where it shares the first place."""
    found = []
    for scale in (2, 3, 4):
        table = printed("rfdn", "3", scale=scale)
        scores = table[table["quantity"] != "params"]
        for (name, quantity), cells in scores.groupby(["column", "quantity"], sort=False):
            ours = value(cells[cells["row"] == OURS[1]])
            above, level = (cells["value"] > ours).sum(), (cells["value"] == ours).sum() - 1
            rank = 1 + above + level / 2
            found.append(
                derived(OURS[1], str(quantity), rank, scale=scale, column=name, unit="rank")
            )
    return rows(*found)
