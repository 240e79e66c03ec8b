"""Counts of parameters, multiply-adds and activations: tracked, independent, and by hand."""

import functools
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from torch import nn

from srlib import paths
from srlib.evaluation.complexity import LR_720P, OF_A_SIZE, complexity, counts
from srlib.networks import NETWORKS, create_network, list_networks
from srlib.weights.official import official

GIGA, MEGA = 1e9, 1e6


# The tracked counts are those of the code, and those of the reference.


Counted = dict[tuple[str, int], dict[str, int]]


@pytest.fixture(scope="module")
def tracked() -> Counted:
    """``results/counts.csv`` by network and scale."""
    table = pd.read_csv(paths.counts()).set_index(["network", "scale"])
    return dict(zip(table.index, table.to_dict("records"), strict=True))


def on_meta(name: str, scale: int, **settings: Any) -> nn.Module:
    with torch.device("meta"):
        return create_network(name, scale, **settings)


@functools.cache
def live(name: str, scale: int, **settings: Any) -> dict[str, int]:
    return counts(on_meta(name, scale, **settings), scale)


@pytest.mark.parametrize("name", list_networks())
def test_the_tracked_counts_are_those_of_the_code(tracked: Counted, name: str) -> None:
    # One scale and one size of each: all of them take minutes, and `dvc repro count` counts them.
    index = list_networks().index(name)
    scales = [scale for network, scale in tracked if network == name]
    scale = scales[index % len(scales)]
    size = ("256", "720p")[index % 2]
    counted = complexity(on_meta(name, scale), {"256": (256, 256), "720p": LR_720P[scale]}[size])
    found = {key: getattr(counted, key) for key in ("params", "params_trainable", "conv_calls")}
    found |= {f"{key}_{size}": getattr(counted, key) for key in OF_A_SIZE}
    expected = {key: tracked[name, scale][key] for key in found}
    assert found == expected, "`dvc repro count` writes them anew"


def test_every_network_is_counted_at_every_scale_that_it_has(tracked: Counted) -> None:
    for name, scale in {(name, scale) for name in list_networks() for scale in LR_720P} - {
        *tracked
    }:
        with pytest.raises(ValueError):
            create_network(name, scale)


@pytest.fixture(scope="module")
def rows(reference: Path) -> pd.DataFrame:
    """The reference's rows of networks that exist here."""
    table = pd.read_csv(reference / "networks.csv")
    table = table[table["scale"].notna()]  # FDIWN-M's and RDSRN's published figures have none
    table["key"] = table["name"].str.lower()
    # SAN's are the reference's own scaling of a smaller image: tests/srlib/test_san.py repeats it
    table = table[table["key"].isin([*NETWORKS, *official()]) & (table["key"] != "san")]
    return table.astype({"scale": int}).set_index(["key", "scale"])


@pytest.fixture(scope="module")
def ours(tracked: Counted, rows: pd.DataFrame) -> pd.DataFrame:
    """Our counts of the reference's rows, in its order; of an entry's own settings, live."""
    found = []
    for key, scale in rows.index:
        entry = official().get(key, {"network": key, "settings": {}})
        if entry["settings"]:
            found.append(live(entry["network"], scale, **entry["settings"]))
        else:
            found.append(tracked[entry["network"], scale])
    return pd.DataFrame(found, rows.index)


@pytest.mark.parametrize(
    ("theirs", "column", "unit"),
    [
        ("params", "params", 1),
        ("params_trainable", "params_trainable", 1),
        ("conv_macs_lr256_G", "conv_macs_256", GIGA),
        ("ntire_flops_lr256_G", "ntire_flops_256", GIGA),
        ("ntire_activations_lr256_M", "conv_activations_256", MEGA),
        ("ntire_num_conv", "conv_calls", 1),
        ("conv_macs_720p_G", "conv_macs_720p", GIGA),
    ],
)
def test_counts_are_the_references(
    rows: pd.DataFrame, ours: pd.DataFrame, theirs: str, column: str, unit: float
) -> None:
    assert (ours[column] / unit).round(4).to_dict() == rows[theirs].to_dict()


def test_720p_sizes_are_the_references(rows: pd.DataFrame) -> None:
    sizes = {scale: f"{width}x{height}" for scale, (height, width) in LR_720P.items()}
    assert {key: sizes[key[1]] for key in rows.index} == rows["lr_size_720p"].to_dict()


# The networks after AIDN, which the reference counts in a file of its own.

COLUMNS = {
    "parameters": "params",
    "convs": "conv_calls",
    "conv_macs_lr256": "conv_macs_256",
    "conv_macs_720p": "conv_macs_720p",
    "conv_outputs_lr256": "conv_activations_256",
    "ntire2022_flops_lr256": "ntire_flops_256",
}


@pytest.fixture(scope="module")
def later(reference: Path) -> Counted:
    """The reference's counts, by our names and columns. A linear layer is a 1x1 convolution here.

    BSRN-S's ``ntire2022_flops`` are left out: that counter misreads its linear layers.
    """
    found = {}
    stored = json.loads((reference / "later/counts.json").read_text())["networks"]
    for name, entry in stored.items():
        key, scale = name.lower().rsplit("_x", 1)
        forms = {key: entry.get("inference")}
        if key == "span-48":
            forms = {"span": entry["inference"], "span-conv3xc": entry["training"]}
        for ours, form in forms.items():
            if form is None:  # another training of a network that is in the file
                continue
            counted = {column: form[theirs] for theirs, column in COLUMNS.items() if theirs in form}
            for size, linear in (("256", "linear_macs_lr256"), ("720p", "linear_macs_720p")):
                counted[f"conv_macs_{size}"] += form.get(linear, 0)
            if "linear_macs_lr256" in form:
                del counted["ntire_flops_256"]
            found[ours, int(scale)] = counted
    return found


def test_counts_of_the_networks_after_aidn_are_the_references(
    tracked: Counted, later: Counted
) -> None:
    ours = {key: {column: tracked[key][column] for column in row} for key, row in later.items()}
    assert ours == later


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


@pytest.mark.parametrize(
    ("layer", "operations"),
    [
        (nn.ReLU(), 1),
        (nn.LeakyReLU(), 1),
        (nn.PReLU(), 1),
        (nn.BatchNorm2d(3), 2),
        (nn.Sigmoid(), 0),
        (nn.MaxPool2d(3, 1, 1), 0),
    ],
    ids=lambda value: type(value).__name__,
)
def test_operations_an_element_of_what_is_no_convolution(layer: nn.Module, operations: int) -> None:
    assert complexity(layer, (5, 7)).ntire_flops == operations * 3 * PIXELS


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
