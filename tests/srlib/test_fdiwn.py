"""FDIWN and MAFFSRN: the multiply-adds that their papers print; what FDIWN does at each scale."""

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from srlib.evaluation.complexity import LR_720P
from srlib.networks import create_network

COUNTED = [("fdiwn", 2), ("fdiwn", 4), ("fdiwn-m", 4), ("maffsrn", 2), ("maffsrn", 4)]


@functools.cache
def macs_720p_of_plain_convolutions(name: str, scale: int) -> int:
    """Multiply-adds of the convolutions whose weights are not normalised, for 1280x720."""
    macs = 0

    def count(module: nn.Module, inputs: tuple[Any, ...], output: Tensor) -> None:
        nonlocal macs
        if isinstance(module, nn.Conv2d) and not parametrize.is_parametrized(module, "weight"):
            macs += output.numel() * module.weight[0].numel()

    with torch.device("meta"):
        network = create_network(name, scale)
    for module in network.modules():
        module.register_forward_hook(count)
    with torch.no_grad(), parametrize.cached():
        network(torch.empty(1, 3, *LR_720P[scale], device="meta"))
    return macs


@pytest.mark.parametrize(("name", "scale"), COUNTED)
def test_multiply_adds_without_normalised_convolutions_are_the_references(
    reference: Path, name: str, scale: int
) -> None:
    table = pd.read_csv(reference / "networks.csv")
    row = table[(table["name"].str.lower() == name) & (table["scale"] == scale)]
    (expected,) = row["conv_macs_720p_without_weightnorm_convs_G"]
    assert round(macs_720p_of_plain_convolutions(name, scale) / 1e9, 4) == expected


@pytest.mark.parametrize(
    ("name", "scale", "printed"),
    [("fdiwn", 2, 112.0), ("fdiwn", 4, 28.4), ("fdiwn-m", 4, 19.6), ("maffsrn", 4, 19.3)],
)
def test_papers_leave_out_the_normalised_convolutions(
    name: str, scale: int, printed: float
) -> None:
    assert round(macs_720p_of_plain_convolutions(name, scale) / 1e9, 1) == printed


def test_mean_shifts_are_trained() -> None:
    network = create_network("fdiwn", 4, order=(0,))
    shifts = ("subtract_mean.", "add_mean.")
    found = [p for name, p in network.named_parameters() if name.startswith(shifts)]
    assert sum(p.numel() for p in found if p.requires_grad) == 24


@pytest.mark.parametrize("order", [(), (1,), (0, 2)])
def test_order_that_leaves_out_a_group_is_named(order: Sequence[int]) -> None:
    with pytest.raises(ValueError, match=r"order=\(.*\) must name every group"):
        create_network("fdiwn", order=order)


def test_a_negative_group_is_named() -> None:
    with pytest.raises(ValueError, match=r"order=\(0, -1\)"):
        create_network("fdiwn", order=(0, -1))


def test_a_scale_without_a_plan_is_named() -> None:
    with pytest.raises(ValueError, match="scale=5 must be 2, 3 or 4"):
        create_network("fdiwn", 5)
