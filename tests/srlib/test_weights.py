"""Weights files: the same bytes for the same contents, and a clear error for every unfit file."""

import json
import math
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import Tensor, nn

from srlib.files import write_json
from srlib.networks import create_network
from srlib.provenance import file_sha256
from srlib.weights.files import (
    WeightsError,
    load_tensors,
    load_trained,
    load_weights,
    save_tensors,
    state_sha256,
    verify,
)

HEADER = {"network": "aidn", "scale": 2, "settings": {"blocks": 1, "channels": 8}, "step": 7}


def tensors() -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(0)
    return {
        "b": torch.rand(2, 3, 3, 3, generator=generator),
        "a": torch.arange(5),
        "scalar": torch.tensor(1.5),
        "half": torch.rand(3, generator=generator).bfloat16(),
    }


def tiny() -> nn.Module:
    torch.manual_seed(0)
    return create_network("aidn", 2, blocks=1, channels=8)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The state of `tiny()`, as the trainer writes it."""
    save_tensors(tiny().state_dict(), tmp_path / "weights.safetensors", HEADER)
    return tmp_path / "weights.safetensors"


# --- what is written --------------------------------------------------------------------------


def test_the_same_contents_give_the_same_bytes(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    save_tensors(tensors(), first, HEADER)
    save_tensors(dict(reversed(tensors().items())), second, dict(reversed(HEADER.items())))
    assert first.read_bytes() == second.read_bytes()


def test_memory_layout_does_not_change_the_bytes(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    save_tensors(tensors(), first, {})
    other = tensors()
    other["b"] = other["b"].to(memory_format=torch.channels_last)
    save_tensors(other, second, {})
    assert first.read_bytes() == second.read_bytes()


def test_tensors_come_back(tmp_path: Path) -> None:
    save_tensors(tensors(), tmp_path / "file", HEADER)
    found = load_tensors(tmp_path / "file")[0]
    assert sorted(found) == sorted(tensors())
    for name, tensor in tensors().items():
        torch.testing.assert_close(found[name], tensor, rtol=0, atol=0)


def test_header_comes_back(path: Path) -> None:
    assert load_tensors(path)[1] == HEADER


def test_a_failed_write_leaves_the_old_file(path: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(TypeError, match="not JSON serializable"):
        save_tensors(tensors(), path, {"step": object()})
    assert path.read_bytes() == before


def test_no_temporary_file_is_left(path: Path) -> None:
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_file_of_another_program_has_an_empty_header(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    save_file(tensors(), tmp_path / "file", metadata={"format": "pt"})
    assert load_tensors(tmp_path / "file")[1] == {}


# --- what is loaded ---------------------------------------------------------------------------


def test_weights_are_loaded_into_a_network(path: Path) -> None:
    network = create_network("aidn", 2, blocks=1, channels=8)
    load_weights(network, path)
    assert state_sha256(network.state_dict()) == state_sha256(tiny().state_dict())


def test_load_weights_returns_the_header(path: Path) -> None:
    assert load_weights(tiny(), path) == HEADER


def test_trained_network_is_built_from_the_header(path: Path) -> None:
    network, _ = load_trained(path)
    assert state_sha256(network.state_dict()) == state_sha256(tiny().state_dict())


def test_trained_network_is_in_evaluation_mode(path: Path) -> None:
    assert not load_trained(path)[0].training


# --- errors -----------------------------------------------------------------------------------


@pytest.mark.parametrize("kept", [0, 4, 100, -1])
def test_a_truncated_file_is_named(path: Path, kept: int) -> None:
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(WeightsError, match=r"weights\.safetensors is not a complete safetensors"):
        load_tensors(path)


def test_a_file_of_something_else_is_named(path: Path) -> None:
    path.write_bytes(b"\x80\x02}q\x00." * 100)
    with pytest.raises(WeightsError, match=r"weights\.safetensors is not a complete safetensors"):
        load_tensors(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"nowhere\.safetensors does not exist; train it"):
        load_tensors(tmp_path / "nowhere.safetensors")


def test_other_shapes_are_named(path: Path) -> None:
    network = create_network("aidn", 2, blocks=1, channels=12)
    expected = r"weights\.safetensors does not fit the network AIDN: .*\(2,\), expected \(3,\)"
    with pytest.raises(WeightsError, match=expected):
        load_weights(network, path)


def test_missing_names_are_named(path: Path) -> None:
    network = create_network("aidn", 2, blocks=2, channels=8)
    expected = r"weights\.safetensors does not fit .* missing \['blocks\.1\."
    with pytest.raises(WeightsError, match=expected):
        load_weights(network, path)


def test_unknown_names_are_named(path: Path) -> None:
    save_tensors(tiny().state_dict() | {"extra": torch.zeros(1)}, path, HEADER)
    expected = r"weights\.safetensors does not fit .* unknown \['extra'\]"
    with pytest.raises(WeightsError, match=expected):
        load_weights(tiny(), path)


def test_an_unfit_file_changes_nothing(path: Path) -> None:
    network = create_network("aidn", 2, blocks=2, channels=8)
    before = state_sha256(network.state_dict())
    with pytest.raises(WeightsError, match="does not fit"):
        load_weights(network, path)
    assert state_sha256(network.state_dict()) == before


def test_a_file_without_the_trainers_header_is_named(tmp_path: Path) -> None:
    save_tensors(tiny().state_dict(), tmp_path / "foreign.safetensors", {})
    expected = r"foreign\.safetensors does not say which network it holds \(no 'network'"
    with pytest.raises(WeightsError, match=expected):
        load_trained(tmp_path / "foreign.safetensors")


# --- the digest of a state --------------------------------------------------------------------


def test_order_does_not_change_the_digest() -> None:
    assert state_sha256(dict(reversed(tensors().items()))) == state_sha256(tensors())


def test_memory_layout_does_not_change_the_digest() -> None:
    other = tensors()
    other["b"] = other["b"].to(memory_format=torch.channels_last)
    assert state_sha256(other) == state_sha256(tensors())


@given(st.integers(0, 53))
def test_any_value_changes_the_digest(place: int) -> None:
    other = tensors()
    other["b"].view(-1)[place] += 1
    assert state_sha256(other) != state_sha256(tensors())


@pytest.mark.parametrize(
    "change",
    [
        {"c": torch.zeros(1)},
        {"a": torch.arange(5, dtype=torch.int32)},
        {"a": torch.arange(5)[None]},
    ],
    ids=["name", "type", "shape"],
)
def test_anything_else_changes_the_digest(change: dict[str, Tensor]) -> None:
    assert state_sha256(tensors() | change) != state_sha256(tensors())


# --- what a damaged or changed file is ---------------------------------------------------------


def result_of(tmp_path: Path) -> Path:
    """Weights in the place of a run's, with the record of the run."""
    path = tmp_path / "results/quick/aidn-x4/seed0/weights.safetensors"
    network = create_network("aidn", 4, blocks=1, channels=8)
    header = {"network": "aidn", "scale": 4, "settings": {"blocks": 1, "channels": 8}}
    save_tensors(network.state_dict(), path, header)
    record = {"weights_sha256": file_sha256(path)}
    write_json(tmp_path / "results/runs/quick/train-aidn-x4-s0.json", record)
    return path


def test_a_file_with_its_record_is_verified(tmp_path: Path) -> None:
    path = result_of(tmp_path)
    assert verify(path)
    assert load_trained(path)[1]["network"] == "aidn"


def test_a_file_without_a_record_is_not(tmp_path: Path) -> None:
    copy = tmp_path / "copy.safetensors"
    copy.write_bytes(result_of(tmp_path).read_bytes())
    assert not verify(copy)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_weight_that_is_not_finite_is_named(tmp_path: Path, value: float) -> None:
    network = create_network("aidn", 4, blocks=1, channels=8)
    state = network.state_dict()
    state["head.weight"].view(-1)[3] = value
    header = {"network": "aidn", "scale": 4, "settings": {"blocks": 1, "channels": 8}}
    save_tensors(state, tmp_path / "w.safetensors", header)
    with pytest.raises(WeightsError, match=r"w\.safetensors: the tensor head\.weight has values"):
        load_trained(tmp_path / "w.safetensors")


HEADERS = {
    "unknown setting": {"network": "aidn", "scale": 4, "settings": {"rooms": 3}},
    "settings null": {"network": "aidn", "scale": 4, "settings": None},
    "settings a list": {"network": "aidn", "scale": 4, "settings": [1]},
    "unknown network": {"network": "nosuch", "scale": 4, "settings": {}},
    "network a number": {"network": 3, "scale": 4, "settings": {}},
    "network a list": {"network": [], "scale": 4, "settings": {}},
    "scale a text": {"network": "aidn", "scale": "4", "settings": {}},
    "scale negative": {"network": "aidn", "scale": -4, "settings": {}},
    "nothing": {},
    "null": None,
    "a list": [1, 2],
    "a text": "aidn",
}


@pytest.mark.parametrize("kind", HEADERS)
def test_a_header_that_describes_no_network_is_our_error(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "w.safetensors"
    save_file({"a": torch.zeros(1)}, path, metadata={"srlib": json.dumps(HEADERS[kind])})
    with pytest.raises(WeightsError, match=r"w\.safetensors"):
        load_trained(path)


def test_a_header_that_is_no_json_is_our_error(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    save_file({"a": torch.zeros(1)}, path, metadata={"srlib": "{broken"})
    with pytest.raises(WeightsError, match=r"w\.safetensors"):
        load_trained(path)
