"""Weights from elsewhere: however wrapped, the same network, or an error that says why."""

from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import Tensor

from srlib.cli import main
from srlib.networks import create_network, list_networks
from srlib.weights.files import WeightsError
from srlib.weights.foreign import describe, fits, load_foreign


def state(name: str = "srcnn", scale: int = 2) -> dict[str, Tensor]:
    torch.manual_seed(0)
    return create_network(name, scale).state_dict()


def written(tensors: dict[str, Tensor], path: Path, wrapped: str | None = None) -> Path:
    if path.suffix == ".safetensors":
        save_file(tensors, path)
    else:
        torch.save({wrapped: tensors, "iter": 5} if wrapped else tensors, path)
    return path


@settings(max_examples=30)
@given(
    st.sampled_from(["w.pth", "w.pt", "w.safetensors"]),
    st.sampled_from([None, "params", "params_ema", "state_dict"]),
    st.sampled_from(["", "module."]),
    st.sampled_from([torch.float32, torch.float16, torch.bfloat16, torch.float64]),
)
def test_however_it_is_wrapped(tmp_path_factory, file, wrapped, prefix, dtype) -> None:
    tensors = {prefix + name: each.to(dtype) for name, each in state().items()}
    path = written(tensors, tmp_path_factory.mktemp("weights") / file, wrapped)
    network, fit = load_foreign(path, 2, "srcnn")
    assert (fit.network, network.training) == ("srcnn", False)
    for name, each in network.state_dict().items():
        assert each.dtype == torch.float32
        assert each.equal(tensors[prefix + name].float())


def test_the_averaged_weights_are_taken(tmp_path: Path) -> None:
    averaged = {name: each + 1 for name, each in state().items()}
    path = tmp_path / "w.pth"
    torch.save({"params": state(), "params_ema": averaged}, path)
    network, _ = load_foreign(path, 2, "srcnn")
    assert all(each.equal(averaged[name]) for name, each in network.state_dict().items())


def test_every_network_is_recognised_by_its_names_and_shapes() -> None:
    for name in list_networks():
        with torch.device("meta"):
            tensors = create_network(name, 2).state_dict()
        assert name in {fit.network for fit in fits(tensors, 2)}


@pytest.mark.parametrize(
    ("file", "network", "scale", "entry"),
    [
        ("weights/ARFDN_x4", "aidn", 4, "arfdn"),
        ("weights/IMDN_x2", "imdn", 2, "imdn"),
        ("weights/FDIWN_x4", "fdiwn", 4, "fdiwn"),
        ("later/weights/RLFN_x4", "rlfn", 4, "rlfn"),
    ],
)
def test_authors_files_are_recognised(reference, capsys, file, network, scale, entry) -> None:
    path = reference / f"{file}.safetensors"
    loaded, fit = load_foreign(path, scale)
    assert (fit.network, loaded.scale) == (network, scale)
    assert main(["weights", str(path)]) == 0
    assert f"published weights: --official {entry} --scale {scale}" in capsys.readouterr().out


def change(how: str) -> dict[str, Tensor]:
    tensors = state("imdn", 4)
    if how == "missing":
        tensors.pop("head.bias")
    elif how == "left over":
        tensors["more.weight"] = torch.zeros(1)
    elif how == "shape":
        tensors["head.bias"] = torch.zeros(63)
    elif how in ("nan", "inf"):
        tensors["head.bias"][3] = float(how)
    elif how == "nothing":
        tensors = {"more.weight": torch.zeros(1)}
    return tensors


@pytest.mark.parametrize(
    ("how", "scale", "says"),
    [
        ("missing", 4, r"the nearest is imdn x4: 1 missing, such as head\.bias"),
        ("left over", 4, r"the nearest is imdn x4: 1 left over, such as more\.weight"),
        ("shape", 4, r"the nearest is imdn x4: 1 of other shapes, such as head\.bias"),
        ("nan", 4, r"the tensor head\.bias has values that are not finite"),
        ("inf", 4, r"the tensor head\.bias has values that are not finite"),
        ("nothing", 4, "holds no network that srlib knows, not imdn at x4"),
        ("as it is", 2, "holds imdn x4, not x2; correct --scale"),
    ],
)
def test_what_does_not_fit_is_said(tmp_path: Path, how, scale, says) -> None:
    path = written(change(how), tmp_path / "mine.pth")
    with pytest.raises(WeightsError, match=rf"mine\.pth:? .*{says}"):
        load_foreign(path, scale, "imdn")


def test_one_shape_and_several_networks_asks_for_the_name(tmp_path: Path) -> None:
    path = written(state("rfdn-t1-srb", 4), tmp_path / "mine.pth")
    with pytest.raises(WeightsError, match="fits rfdn-t1-base, rfdn-t1-srb; say which"):
        load_foreign(path, 4)
    assert load_foreign(path, 4, "rfdn-t1-srb")[1].network == "rfdn-t1-srb"


def test_a_pickle_is_not_run(tmp_path: Path) -> None:
    path = tmp_path / "mine.pth"
    torch.save({"params": Path("anything")}, path)
    with pytest.raises(WeightsError, match=r"mine\.pth is not a file of plain tensors .*unpickled"):
        describe(path)
