"""The authors' weights: their own output, and nothing but their weights is accepted."""

import os
import pickle
from pathlib import Path

import numpy as np
import pooch
import pytest
import torch
from torch import Tensor

from srlib.weights.files import WeightsError, load_tensors, save_tensors
from srlib.weights.official import load_official, official

ENTRIES = [(name, scale) for name, entry in official().items() for scale in entry["files"]]


class Trap:
    """Unpickling it makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple:
        return Path.touch, (self.path,)


def authors(reference: Path, folder: str, file: str) -> Path:
    """A file of the reference; that of the networks after AIDN lies in a folder of its own."""
    path = reference / folder / file
    return path if path.exists() else reference / "later" / folder / file


def golden(reference: Path, file: str) -> list[tuple[np.ndarray, np.ndarray]]:
    """Every (input, output) of the authors' code that the reference has for a file of weights."""
    pairs = []
    for crop in (file, f"{file}_37x53"):
        path = authors(reference, "golden", f"{crop}.npz")
        if path.exists():
            stored = np.load(path)
            sizes = [name.removeprefix("input") for name in stored if name.startswith("input")]
            pairs += [(stored[f"input{size}"], stored[f"output{size}"]) for size in sizes]
    return pairs


@pytest.fixture
def published(reference: Path) -> dict[str, Tensor]:
    """ARFDN's tensors under their published names."""
    return load_tensors(reference / "weights" / "ARFDN_x4.safetensors")[0]


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fetching fails, as it does on a machine without a connection."""

    def retrieve(*_: object, **__: object) -> str:
        raise OSError("no route to host")

    monkeypatch.setattr(pooch, "retrieve", retrieve)
    monkeypatch.delenv("SRLIB_WEIGHTS", raising=False)


# --- the authors' output ----------------------------------------------------------------------


@pytest.mark.parametrize(("name", "scale"), ENTRIES)
def test_output_is_that_of_the_authors_code(reference: Path, name: str, scale: int) -> None:
    entry = official()[name]
    file = entry["files"][scale]["file"]
    weights, peak = authors(reference, "weights", f"{file}.safetensors"), entry["input_max"]
    if not weights.exists():
        pytest.skip(f"the reference has no weights {file}")
    network = load_official(name, scale, path=weights)
    pairs = golden(reference, file)
    assert pairs
    for given, expected in pairs:
        with torch.no_grad():
            output = network(torch.from_numpy(given) / peak) * peak
        np.testing.assert_allclose(output.numpy(), expected, rtol=0, atol=1e-5 * peak)


def test_network_is_in_evaluation_mode(reference: Path) -> None:
    path = reference / "weights" / "ARFDN_x4.safetensors"
    assert not load_official("arfdn", path=path).training


# --- where the weights come from --------------------------------------------------------------


def test_a_copy_as_pth_is_accepted(published: dict[str, Tensor], tmp_path: Path) -> None:
    torch.save(published, tmp_path / "copy.pth")
    assert load_official("arfdn", path=tmp_path / "copy.pth").scale == 4


@pytest.mark.parametrize("wrapped", [True, False])
def test_a_pth_that_wraps_its_tensors_is_read(
    reference: Path, tmp_path: Path, wrapped: bool
) -> None:
    tensors = load_tensors(reference / "later/weights/BSRN-S_x4.safetensors")[0]
    torch.save({"params": tensors} if wrapped else tensors, tmp_path / "copy.pth")
    assert load_official("bsrn-s", path=tmp_path / "copy.pth").scale == 4


def test_the_folder_of_srlib_weights_is_looked_at(
    reference: Path, monkeypatch: pytest.MonkeyPatch, no_network: None
) -> None:
    monkeypatch.setenv("SRLIB_WEIGHTS", str(reference / "weights"))
    assert load_official("arfdn").scale == 4


def test_of_several_folders_in_srlib_weights_each_is_looked_at(
    reference: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_network: None
) -> None:
    folders = (tmp_path, reference / "weights")
    monkeypatch.setenv("SRLIB_WEIGHTS", os.pathsep.join(map(str, folders)))
    assert load_official("arfdn").scale == 4


def test_a_pth_in_the_folder_of_srlib_weights_is_found(
    published: dict[str, Tensor],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    no_network: None,
) -> None:
    torch.save(published, tmp_path / "ARFDN_x4.pth")
    monkeypatch.setenv("SRLIB_WEIGHTS", str(tmp_path))
    assert load_official("arfdn").scale == 4


def test_without_folder_and_connection_the_file_and_the_mend_are_named(no_network: None) -> None:
    expected = r"ARFDN_x4 is not in the folder .* \(no route to host\); fetch it by hand"
    with pytest.raises(WeightsError, match=expected):
        load_official("arfdn")


# --- what is refused --------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_one_changed_value_is_refused(
    published: dict[str, Tensor], tmp_path: Path, suffix: str
) -> None:
    next(iter(published.values())).view(-1)[0] += 1e-6
    path = tmp_path / f"changed{suffix}"
    if suffix == ".pth":
        torch.save(published, path)
    else:
        save_tensors(published, path, {})
    with pytest.raises(WeightsError, match=rf"changed\{suffix} does not hold the published"):
        load_official("arfdn", path=path)


def evil(tmp_path: Path, container: str) -> tuple[Path, Path]:
    """(a .pth that makes a file when unpickled, the file that it would make)."""
    path, made = tmp_path / "evil.pth", tmp_path / "made"
    contents = {"module.fea_conv.weight": Trap(made)}
    if container == "pickle":
        path.write_bytes(pickle.dumps(contents, protocol=2))
    else:
        torch.save(contents, path)
    return path, made


@pytest.mark.parametrize("container", ["pickle", "zip"])
def test_a_malicious_pickle_is_named(tmp_path: Path, container: str) -> None:
    path, _ = evil(tmp_path, container)
    with pytest.raises(WeightsError, match=r"evil\.pth is not a file of plain tensors"):
        load_official("arfdn", path=path)


@pytest.mark.parametrize("container", ["pickle", "zip"])
def test_a_malicious_pickle_is_not_executed(tmp_path: Path, container: str) -> None:
    path, made = evil(tmp_path, container)
    with pytest.raises(WeightsError):
        load_official("arfdn", path=path)
    assert not made.exists()


def test_the_trap_of_these_tests_works(tmp_path: Path) -> None:
    path, made = evil(tmp_path, "pickle")
    pickle.loads(path.read_bytes())
    assert made.exists()


def test_a_pth_of_something_else_is_named(tmp_path: Path) -> None:
    torch.save({"epoch": 3}, tmp_path / "other.pth")
    expected = r"other\.pth holds something other than a table of tensors"
    with pytest.raises(WeightsError, match=expected):
        load_official("arfdn", path=tmp_path / "other.pth")


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_a_file_that_is_not_there_is_named(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(WeightsError, match=rf"nowhere\{suffix} does not exist"):
        load_official("arfdn", path=tmp_path / f"nowhere{suffix}")


def test_an_unknown_name_is_named() -> None:
    with pytest.raises(WeightsError, match=r"no official weights 'nonsense'; there are .*arfdn"):
        load_official("nonsense")


def test_a_scale_that_was_not_published_is_named() -> None:
    with pytest.raises(WeightsError, match=r"arfdn was published at x\[4\], not at x2"):
        load_official("arfdn", 2)
