"""Every network under one interface: RGB or grey LR in 0..1 in, RGB HR in 0..1 out.

``NETWORKS`` is the whole registry: a name, the class, and the settings that make the variant.
"""

import difflib
from typing import Any, NamedTuple

from torch import nn

from srlib.networks.aidn import AIDN
from srlib.networks.awsrn import AWSRN
from srlib.networks.bsrn import BSRN
from srlib.networks.carn import CARN
from srlib.networks.drcn import DRCN
from srlib.networks.drrn import DRRN
from srlib.networks.ecbsr import ECBSR
from srlib.networks.edsr import EDSR
from srlib.networks.fdiwn import FDIWN
from srlib.networks.fsrcnn import FSRCNN
from srlib.networks.idn import IDN
from srlib.networks.imdn import IMDN
from srlib.networks.lapar import LAPAR
from srlib.networks.lapsrn import LapSRN
from srlib.networks.maffsrn import MAFFSRN
from srlib.networks.memnet import MemNet
from srlib.networks.msrresnet import MSRResNet
from srlib.networks.rcan import RCAN
from srlib.networks.rdn import RDN
from srlib.networks.rdsrn import RDSRN
from srlib.networks.rfdn import RFDN
from srlib.networks.rlfn import RLFN
from srlib.networks.san import SAN
from srlib.networks.span import SPAN
from srlib.networks.spanv2 import SPANV2
from srlib.networks.srcnn import SRCNN
from srlib.networks.srmdnf import SRMDNF
from srlib.networks.vdsr import VDSR


class Entry(NamedTuple):
    """One name of the registry: the class, its settings, and what the variant is."""

    network: type[nn.Module]
    settings: dict[str, Any]
    about: str


E_RFDN = {"blocks": 4, "channels": 50, "attention": "esa"}
RFDN_T1 = {"channels": 52, "reduction": 16}

NETWORKS: dict[str, Entry] = {
    "aidn": Entry(AIDN, {}, "AIDN, six blocks: the published counts"),
    "aidn-base": Entry(AIDN, {"block": "base"}, "AIDN Table 2, Base (reconstructed)"),
    "aidn-aieb": Entry(AIDN, {"block": "aieb"}, "AIDN Table 2, AIEB (reconstructed)"),
    "aidn-fdc": Entry(AIDN, {"block": "fdc"}, "AIDN Table 2, FDC: no reuse of distilled features"),
    "aidn-aidb": Entry(AIDN, {"block": "aidb"}, "AIDN Table 2, AIDB: the same network as aidn"),
    "rfdn": Entry(RFDN, {}, "RFDN Table 3, with CCA (reconstructed)"),
    "rfdn-l": Entry(RFDN, {"channels": 52}, "RFDN Table 3, RFDN-L (reconstructed)"),
    "e-rfdn": Entry(RFDN, E_RFDN, "E-RFDN, winner of the AIM 2020 efficient SR challenge"),
    "rfdn-5xesa": Entry(
        RFDN, {**E_RFDN, "blocks": 5}, 'five ESA blocks: the FLOPs of "RFDN" in AIDN Table 3'
    ),
    "rfdn-t1-base": Entry(RFDN, {**RFDN_T1, "block": "base"}, "RFDN Table 1, Base (fitted)"),
    "rfdn-t1-srb": Entry(RFDN, {**RFDN_T1, "block": "srb"}, "RFDN Table 1, SRB (fitted)"),
    "rfdn-t1-fdc": Entry(RFDN, {**RFDN_T1, "block": "fdc"}, "RFDN Table 1, FDC (fitted)"),
    "rfdn-t1-rfdb": Entry(RFDN, RFDN_T1, "RFDN Table 1, RFDB (fitted)"),
    "rfdn-t2-0.25": Entry(RFDN, {"reduction": 16, "rate": 0.25}, "RFDN Table 2, rate 0.25"),
    "rfdn-t2-0.5": Entry(RFDN, {"reduction": 16, "rate": 0.5}, "RFDN Table 2, rate 0.5"),
    "rfdn-t2-0.75": Entry(RFDN, {"reduction": 16, "rate": 0.75}, "RFDN Table 2, rate 0.75"),
    "imdn": Entry(IMDN, {}, "IMDN"),
    "imdn-aim": Entry(
        IMDN,
        {"blocks": 8, "attention": False, "fusion": False},
        "IMDN of the AIM 2019 challenge, baseline of NTIRE 2022",
    ),
    "rdsrn": Entry(RDSRN, {}, "RDSRN, three recursions (fitted to published counts)"),
    "rdsrn-plain": Entry(
        RDSRN, {"wide": False, "refinement": False}, "RDSRN without wider channel and HFRRB (ours)"
    ),
    "rdsrn-wider": Entry(RDSRN, {"refinement": False}, "RDSRN without HFRRB (ours)"),
    "rdsrn-hfrrb": Entry(RDSRN, {"wide": False}, "RDSRN without the wider channel (ours)"),
    "rdsrn-r1": Entry(RDSRN, {"recursions": 1}, "RDSRN Table I, one recursion (fitted)"),
    "rdsrn-r9": Entry(RDSRN, {"recursions": 9}, "RDSRN Table I, nine recursions (fitted)"),
    "rdsrn-csr0.25": Entry(RDSRN, {"split_ratio": 0.25}, "RDSRN Table I, ratio 0.25 (fitted)"),
    "rdsrn-csr0.75": Entry(RDSRN, {"split_ratio": 0.75}, "RDSRN Table I, ratio 0.75 (fitted)"),
    "carn": Entry(CARN, {}, "CARN, multi-scale as published"),
    "carn-m": Entry(CARN, {"groups": 4}, "CARN-M, multi-scale as published"),
    "carn-single": Entry(CARN, {"multi_scale": False}, "CARN with the upsampler of one scale"),
    "carn-m-single": Entry(
        CARN, {"groups": 4, "multi_scale": False}, "CARN-M with the upsampler of one scale"
    ),
    "msrresnet": Entry(MSRResNet, {}, 'SRResNet without batch norm: "SRResNet" of AIDN Table 3'),
    "edsr-baseline": Entry(EDSR, {}, "EDSR, the baseline of 16 blocks"),
    "edsr": Entry(EDSR, {"blocks": 32, "channels": 256, "factor": 0.1}, "EDSR, full size"),
    "rcan": Entry(RCAN, {}, "RCAN"),
    "rdn": Entry(RDN, {}, "RDN, 16 blocks of 8 convolutions"),
    "fdiwn": Entry(FDIWN, {}, "FDIWN"),
    "fdiwn-m": Entry(FDIWN, {"order": (0, 0, 1, 1)}, "FDIWN-M, two groups (a guess)"),
    "awsrn": Entry(AWSRN, {}, "AWSRN, four blocks"),
    "awsrn-m": Entry(AWSRN, {"blocks": 3}, "AWSRN-M, three blocks"),
    "awsrn-s": Entry(AWSRN, {"blocks": 1}, "AWSRN-S, one block"),
    "maffsrn": Entry(MAFFSRN, {}, "MAFFSRN, four groups"),
    "maffsrn-l": Entry(MAFFSRN, {"blocks": 8}, "MAFFSRN-L, eight groups"),
    "lapar-a": Entry(LAPAR, {}, "LAPAR-A"),
    "ecbsr-m16c64": Entry(ECBSR, {}, "ECBSR-M16C64, as deployed"),
    "ecbsr-m16c64-ecb": Entry(ECBSR, {"ecb": True}, "ECBSR-M16C64 in training"),
    "san": Entry(SAN, {}, "SAN"),
    "rlfn": Entry(RLFN, {}, "RLFN"),
    "rlfn-s": Entry(RLFN, {"channels": 48, "middle": 48}, "RLFN-S"),
    "rlfn-ntire": Entry(
        RLFN,
        {"blocks": 4, "channels": 46, "middle": 48},
        "RLFN of the NTIRE 2022 challenge, its winner in runtime",
    ),
    "bsrn": Entry(BSRN, {}, "BSRN"),
    "bsrn-s": Entry(
        BSRN,
        {"blocks": 5, "channels": 48, "linear": True},
        "BSRN-S, winner of the NTIRE 2022 efficient SR challenge in complexity",
    ),
    "span": Entry(SPAN, {}, "SPAN, winner of the NTIRE 2024 efficient SR challenge"),
    "span-conv3xc": Entry(SPAN, {"conv3xc": True}, "SPAN in training"),
    "span-52": Entry(SPAN, {"channels": 52}, "SPAN, the wider one of the paper"),
    "span-28": Entry(SPAN, {"channels": 28}, "SPAN, baseline of the NTIRE 2026 challenge"),
    "spanv2": Entry(SPANV2, {}, "SPANV2, winner of the NTIRE 2026 efficient SR challenge"),
    "srcnn": Entry(SRCNN, {}, "SRCNN 9-5-5"),
    "srcnn-915": Entry(SRCNN, {"kernel": 1}, "SRCNN 9-1-5: the 8K of RFDN Table 3"),
    "fsrcnn": Entry(FSRCNN, {}, "FSRCNN(56, 12, 4)"),
    "vdsr": Entry(VDSR, {}, "VDSR without biases"),
    "drcn": Entry(DRCN, {}, "DRCN, 16 recursions"),
    "lapsrn": Entry(LapSRN, {}, "LapSRN, ten convolutions a level (x2, x4 and x8 only)"),
    "lapsrn-d5": Entry(
        LapSRN, {"depth": 5, "bias": True}, "LapSRN, five a level: the published 251K and 502K"
    ),
    "drrn": Entry(DRRN, {}, "DRRN B1U25 without biases and batch norm"),
    "memnet": Entry(MemNet, {}, "MemNet M6R6"),
    "idn": Entry(IDN, {}, "IDN on RGB, as counted by FDIWN"),
    "idn-y": Entry(IDN, {"luma": True}, "IDN on Y: the published 553K"),
    "srmdnf": Entry(SRMDNF, {}, "SRMDNF, for the bicubic degradation"),
}


def list_networks() -> list[str]:
    """Names that ``create_network`` takes, sorted."""
    return sorted(NETWORKS)


def check_name(name: str) -> None:
    """Raises ValueError where the registry has no such network; names the nearest."""
    if name not in NETWORKS:
        near = difflib.get_close_matches(str(name), NETWORKS, 1, 0.5)
        hint = f" did you mean {near[0]}?" if near else ""
        raise ValueError(
            f"network {name!r} is unknown;{hint} srlib.list_networks() gives "
            f"{', '.join(list_networks())}"
        )


def create_network(name: str, scale: int = 4, **overrides: Any) -> nn.Module:
    """Build a network with PyTorch's default initialisation.

    Args:
        name: one of ``list_networks()``.
        scale: magnification, 2, 3 or 4 in the papers.
        **overrides: settings of the class, such as ``blocks=4``.

    Returns:
        A module (N, 3 or 1, H, W) in 0..1 -> (N, 3, scale*H, scale*W). ``module.scale`` is the
        magnification, ``module.min_size`` the smallest LR height and width.

    Raises:
        ValueError: unknown name or impossible setting.
        TypeError: a setting that the network does not have.
    """
    check_name(name)
    if isinstance(scale, bool) or not isinstance(scale, int):
        raise ValueError(f"scale={scale!r} must be a whole number, such as 4")
    entry = NETWORKS[name]
    return entry.network(scale=scale, **{**entry.settings, **overrides})
