"""AIDN: its published counts, and what its four blocks have in common."""

import pytest
import torch

from srlib.networks import create_network

TABLE_2 = {"aidn-base": 351_984, "aidn-aieb": 351_648, "aidn-fdc": 339_498, "aidn-aidb": 339_498}


def parameters(name: str, scale: int, **settings: int) -> int:
    return sum(p.numel() for p in create_network(name, scale, **settings).parameters())


def output(name: str, like: str = "aidn") -> torch.Tensor:
    """The output of network `name` with the initial weights of `like`."""
    torch.manual_seed(0)
    weights = create_network(like, 4).state_dict()
    network = create_network(name, 4)
    network.load_state_dict(weights)
    with torch.no_grad():
        return network(torch.rand(1, 3, 16, 20, generator=torch.manual_seed(1)))


@pytest.mark.parametrize("name", ["aidn", "aidn-fdc"])
def test_parameters_at_every_scale(name: str) -> None:
    found = {scale: parameters(name, scale) for scale in (2, 3, 4)}
    assert found == {2: 323_262, 3: 330_027, 4: 339_498}


def test_parameters_of_the_ablation() -> None:
    assert {name: parameters(name, 4) for name in TABLE_2} == TABLE_2


def test_parameters_of_the_challenge_entry_with_four_blocks() -> None:
    assert parameters("aidn", 4, blocks=4) == 241_548


def test_fdc_differs_from_aidb_with_the_same_weights() -> None:
    assert not torch.allclose(output("aidn-fdc"), output("aidn-aidb"))


def test_aidn_is_aidn_aidb() -> None:
    assert torch.equal(output("aidn"), output("aidn-aidb"))


def test_names_of_the_ablation_are_four_different_blocks() -> None:
    blocks = {type(create_network(name, 4).get_submodule("blocks.0")) for name in TABLE_2}
    assert len(blocks) == len(TABLE_2)


@pytest.mark.parametrize(
    ("setting", "value", "message"),
    [
        ("block", "nonsense", r"block='nonsense' is unknown; choose one of base, aieb, fdc, aidb"),
        ("blocks", 0, r"blocks=0"),
        ("scale", 0, r"scale=0"),
        ("channels", 0, r"channels=0"),
        ("channels", -1, r"channels=-1"),
        ("channels", 3, r"channels=3"),  # its attention would have no channel
    ],
)
def test_impossible_setting_is_named(setting: str, value: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        create_network("aidn", **{setting: value})  # type: ignore[arg-type]
