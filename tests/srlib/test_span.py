"""SPAN: its two forms are one network, and the merged convolution is that of the authors."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from srlib.networks import create_network
from srlib.networks.span import SPAB, SPAN, Conv3XC

KEYS = {"sk": "beside", "conv": "chain"}  # the authors' names and ours


def image() -> Tensor:
    return torch.rand(2, 3, 7, 9, generator=torch.manual_seed(1), dtype=torch.double)


@pytest.fixture
def training_form() -> SPAN:
    torch.manual_seed(0)
    network = create_network("span-conv3xc", 2, blocks=2, channels=8).double()
    assert isinstance(network, SPAN)
    return network


@pytest.fixture
def golden(reference: Path) -> dict[str, Tensor]:
    """One Conv3XC of the authors' code: its tensors, an input, and the output of both forms."""
    stored = np.load(reference / "later/golden/Conv3XC.npz")
    return {key: torch.from_numpy(stored[key]) for key in stored if stored[key].ndim}


@pytest.fixture
def authors(golden: dict[str, Tensor]) -> Conv3XC:
    """Our Conv3XC with the authors' tensors."""
    block = Conv3XC(5, 7)
    first = {key: key.partition(".") for key in golden}
    block.load_state_dict(
        {f"{KEYS[a]}.{rest}": golden[key] for key, (a, _, rest) in first.items() if a in KEYS}
    )
    return block


# --- the training form is the authors' ----------------------------------------------------------


def test_training_form_gives_the_authors_output(
    authors: Conv3XC, golden: dict[str, Tensor]
) -> None:
    with torch.no_grad():
        torch.testing.assert_close(authors(golden["input"]), golden["output"], rtol=0, atol=1e-6)


def test_merged_kernel_is_the_authors(authors: Conv3XC, golden: dict[str, Tensor]) -> None:
    merged = authors.merged()
    torch.testing.assert_close(merged.weight.data, golden["eval_conv.weight"], rtol=0, atol=1e-6)
    assert merged.bias is not None
    torch.testing.assert_close(merged.bias.data, golden["eval_conv.bias"], rtol=0, atol=1e-6)


# --- the two forms are one network --------------------------------------------------------------


def test_merged_network_gives_the_same_output_up_to_the_border(training_form: SPAN) -> None:
    with torch.no_grad():
        torch.testing.assert_close(training_form.merged()(image()), training_form(image()))


def test_merged_network_is_the_deployed_form(training_form: SPAN) -> None:
    deployed = create_network("span", 2, blocks=2, channels=8).double()
    deployed.load_state_dict(training_form.merged().state_dict())


def test_merging_leaves_the_training_form_alone(training_form: SPAN) -> None:
    merged = training_form.merged()
    ours = {p.data_ptr() for p in training_form.parameters()}
    assert ours.isdisjoint(p.data_ptr() for p in merged.parameters())


@pytest.mark.parametrize("training", [True, False])
def test_merging_keeps_the_mode(training_form: SPAN, training: bool) -> None:
    merged = training_form.train(training).merged()
    assert {module.training for module in merged.modules()} == {training}


# --- the block ----------------------------------------------------------------------------------


def test_block_without_a_residual_gives_nothing() -> None:
    block = SPAB(3, conv3xc=False).double()
    with torch.no_grad():
        for parameter in block.conv3.parameters():
            parameter.zero_()
        assert block(image())[0].abs().max() == 0
