"""ECBSR: its two forms are one network; without weights it repeats pixels."""

import pytest
import torch
from torch import Tensor

from srlib.networks import create_network
from srlib.networks.ecbsr import ECB, ECBSR


def image(channels: int = 3) -> Tensor:
    return torch.rand(2, channels, 7, 9, generator=torch.manual_seed(1), dtype=torch.double)


@pytest.fixture
def training_form() -> ECBSR:
    torch.manual_seed(0)
    network = create_network("ecbsr-m16c64-ecb", 2, blocks=2, channels=8).double()
    with torch.no_grad():
        for parameter in network.parameters():  # initially the edges are almost zero
            parameter.add_(0.1 * torch.randn_like(parameter))
    assert isinstance(network, ECBSR)
    return network


def test_merged_block_gives_the_same_output_up_to_the_border() -> None:
    torch.manual_seed(0)
    block = ECB(3, 4).double()
    with torch.no_grad():
        for parameter in block.parameters():
            parameter.normal_()
        torch.testing.assert_close(block.merged()(image()), block(image()))


def test_merged_network_gives_the_same_output(training_form: ECBSR) -> None:
    with torch.no_grad():
        torch.testing.assert_close(training_form.merged()(image()), training_form(image()))


def test_merged_network_is_the_deployed_form(training_form: ECBSR) -> None:
    deployed = create_network("ecbsr-m16c64", 2, blocks=2, channels=8).double()
    deployed.load_state_dict(training_form.merged().state_dict())


def test_merging_leaves_the_training_form_alone(training_form: ECBSR) -> None:
    merged = training_form.merged()
    ours = {p.data_ptr() for p in training_form.parameters()}
    assert ours.isdisjoint(p.data_ptr() for p in merged.parameters())


def test_without_weights_pixels_are_repeated(training_form: ECBSR) -> None:
    y = image(channels=1)
    with torch.no_grad():
        for parameter in training_form.parameters():
            parameter.zero_()
        repeated = y.repeat_interleave(2, 2).repeat_interleave(2, 3)
        torch.testing.assert_close(training_form.enlarge(y), repeated)
