"""Counts of parameters, multiply-adds and activations: published, independent, and by hand."""

import functools
from pathlib import Path

import pandas as pd
import pytest
import torch
from torch import nn

from papers.printed import published
from srlib.evaluation.complexity import LR_720P, Complexity, complexity
from srlib.networks import NETWORKS, create_network
from srlib.weights.official import official

GIGA, MEGA = 1e9, 1e6


@functools.cache
def network(name: str, scale: int) -> nn.Module:
    """A network of the registry, or one with published weights."""
    entry = official().get(name, {"network": name, "settings": {}})
    with torch.device("meta"):
        return create_network(entry["network"], scale, **entry["settings"])


@functools.cache
def measured(name: str, scale: int, lr_size: tuple[int, int]) -> Complexity:
    return complexity(network(name, scale), lr_size)


@pytest.fixture(scope="module")
def rows(reference: Path) -> pd.DataFrame:
    """The reference's rows of networks that exist here."""
    table = pd.read_csv(reference / "networks.csv")
    table = table[table["scale"].notna()]  # FDIWN-M's and RDSRN's published figures have none
    table["key"] = table["name"].str.lower()
    # SAN's counts are the reference's own scaling of a smaller image: test_san.py repeats it
    table = table[table["key"].isin([*NETWORKS, *official()]) & (table["key"] != "san")]
    return table.astype({"scale": int}).set_index(["key", "scale"])


# --- published --------------------------------------------------------------------------------


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize(
    ("quantity", "attribute", "unit", "digits"),
    [("params", "params", 1e3, 0), ("ntire_flops", "ntire_flops", GIGA, 2)],
)
def test_aidn_has_the_published_figure(
    quantity: str, attribute: str, unit: float, digits: int, scale: int
) -> None:
    table = published("aidn", "3")
    table = table[(table["network"] == "aidn") & (table["scale"] == scale)]
    (printed,) = table[table["quantity"] == quantity]["value"]
    value = getattr(measured("aidn", scale, (256, 256)), attribute) / unit
    assert round(value, digits) == printed


# --- counted from the authors' own code -------------------------------------------------------


@pytest.mark.parametrize(
    ("column", "attribute", "unit"),
    [
        ("params", "params", 1),
        ("params_trainable", "params_trainable", 1),
        ("conv_macs_lr256_G", "conv_macs", GIGA),
        ("ntire_flops_lr256_G", "ntire_flops", GIGA),
        ("ntire_activations_lr256_M", "conv_activations", MEGA),
        ("ntire_num_conv", "conv_calls", 1),
    ],
)
def test_counts_at_256_are_the_references(
    rows: pd.DataFrame, column: str, attribute: str, unit: float
) -> None:
    found = {
        (key, scale): round(getattr(measured(key, scale, (256, 256)), attribute) / unit, 4)
        for key, scale in rows.index
    }
    assert found == rows[column].to_dict()


def test_counts_at_720p_are_the_references(rows: pd.DataFrame) -> None:
    # At x4 alone: what a scale changes in a network is counted above, and its size below.
    rows = rows[rows.index.get_level_values("scale") == 4]
    found = {
        (key, scale): round(measured(key, scale, LR_720P[scale]).conv_macs / GIGA, 4)
        for key, scale in rows.index
    }
    assert found == rows["conv_macs_720p_G"].to_dict()


def test_720p_sizes_are_the_references(rows: pd.DataFrame) -> None:
    sizes = {scale: f"{width}x{height}" for scale, (height, width) in LR_720P.items()}
    assert {key: sizes[key[1]] for key in rows.index} == rows["lr_size_720p"].to_dict()


# --- by hand ----------------------------------------------------------------------------------
# Input (1, 3, 5, 7). A convolution's multiply-adds: output elements x kernel area x input channels
# of a group. A transposed one's: input elements x kernel area x output channels of a group.

CONV = nn.Conv2d(3, 6, 3, padding=1)
STRIDED = nn.Conv2d(3, 6, 3, stride=2)  # 5x7 -> 2x3
GROUPED = nn.Conv2d(3, 6, (3, 1), padding=(1, 0), groups=3)
TRANSPOSED = nn.ConvTranspose2d(3, 6, 4, stride=2, padding=1)  # 5x7 -> 10x14
TRANSPOSED_GROUPED = nn.ConvTranspose2d(3, 6, 4, stride=2, padding=1, groups=3)
RECTANGULAR = nn.ConvTranspose2d(3, 6, (2, 3), stride=(2, 3))  # 5x7 -> 10x21
PIXELS, LARGE = 5 * 7, 10 * 14


@pytest.mark.parametrize(
    ("layer", "macs", "flops", "activations"),
    [
        (CONV, PIXELS * 6 * 9 * 3, PIXELS * 6 * 9 * 3, PIXELS * 6),
        (STRIDED, 2 * 3 * 6 * 9 * 3, 2 * 3 * 6 * 9 * 3, 2 * 3 * 6),
        (GROUPED, PIXELS * 6 * 3 * 1, PIXELS * 6 * 3 * 1, PIXELS * 6),
        (TRANSPOSED, PIXELS * 3 * 16 * 6, LARGE * 3 * 16 * 6, LARGE * 6),
        (TRANSPOSED_GROUPED, PIXELS * 3 * 16 * 2, LARGE * 3 * 16 * 2, LARGE * 6),
        (RECTANGULAR, PIXELS * 3 * 6 * 6, 210 * 3 * 6 * 6, 210 * 6),
    ],
    ids=["conv", "strided", "grouped", "transposed", "transposed-grouped", "rectangular"],
)
def test_one_convolution_by_hand(layer: nn.Module, macs: int, flops: int, activations: int) -> None:
    counted = complexity(layer, (5, 7))
    assert (counted.conv_macs, counted.ntire_flops, counted.conv_activations) == (
        macs,
        flops,
        activations,
    )


def test_operations_an_element_of_what_is_no_convolution() -> None:
    one = [nn.ReLU(), nn.LeakyReLU(), nn.PReLU()]
    expected = dict.fromkeys(one, 1) | {nn.BatchNorm2d(3): 2}
    expected |= dict.fromkeys([nn.Sigmoid(), nn.MaxPool2d(3, 1, 1)], 0)
    found = {layer: complexity(layer, (5, 7)).ntire_flops / (3 * PIXELS) for layer in expected}
    assert found == expected


def test_a_layer_applied_twice_is_counted_twice() -> None:
    shared = nn.Conv2d(3, 3, 3, padding=1)
    assert complexity(nn.Sequential(shared, shared), (5, 7)).conv_calls == 2


def test_a_layer_applied_twice_has_its_parameters_once() -> None:
    shared = nn.Conv2d(3, 3, 1)
    assert complexity(nn.Sequential(shared, shared), (5, 7)).params == 3 * 3 + 3


def test_frozen_parameters_are_not_trainable() -> None:
    layer = nn.Conv2d(3, 6, 1)
    layer.weight.requires_grad_(False)
    assert complexity(layer, (5, 7)).params_trainable == 6


# --- what stays, and errors -------------------------------------------------------------------


def test_weights_stay_as_they_were() -> None:
    network = create_network("aidn", blocks=1)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    complexity(network, (16, 16))
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


@pytest.mark.parametrize("training", [True, False])
def test_mode_stays_as_it_was(training: bool) -> None:
    network = create_network("aidn", blocks=1).train(training)
    complexity(network, (16, 16))
    assert {module.training for module in network.modules()} == {training}


def test_no_hook_stays_behind() -> None:
    network = create_network("aidn", blocks=1)
    complexity(network, (16, 16))
    assert [module for module in network.modules() if module._forward_hooks] == []


def test_size_is_reported() -> None:
    assert complexity(nn.ReLU(), (5, 7)).lr_size == (5, 7)


def test_too_small_a_size_is_named() -> None:
    with pytest.raises(ValueError, match="14x40 pixels, and this network needs at least 15x15"):
        complexity(create_network("aidn", blocks=1), (14, 40))
