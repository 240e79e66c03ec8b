"""ONNX files: every structure of the registry, at sizes that it was not traced with."""

from pathlib import Path

import pytest
import torch
from structures import STRUCTURES, repeated
from torch import nn

from srlib.cli import main
from srlib.engines import export, extras
from srlib.engines.export import ExportError, export_onnx, export_openvino
from srlib.networks import create_network
from srlib.weights.files import save_tensors, state_sha256

onnx = pytest.importorskip("onnx", reason='pip install "srlib[onnx]"')
pytest.importorskip("onnxruntime", reason='pip install "srlib[onnx]"')


@pytest.mark.parametrize("name", sorted(STRUCTURES.values()))
def test_every_structure_is_exported(name: str, tmp_path: Path) -> None:
    network = repeated(name, 2, scale=2)
    path = tmp_path / "network.onnx"
    export_onnx(network, path, {"network": name})  # it compares six sizes itself
    model = onnx.load(str(path))
    (lr,) = model.graph.input
    assert [each.dim_param or each.dim_value for each in lr.type.tensor_type.shape.dim] == [
        *(1, 3),
        *("h", "w"),
    ]
    said = {each.key: each.value for each in model.metadata_props}
    assert said == {
        "network": name,
        "scale": "2",
        "min_size": str(network.min_size),
        "value_range": "RGB in 0..1",
        "weights_sha256": state_sha256(network.state_dict()),
    }
    assert network.training, "the network itself stays as it was"


@pytest.mark.parametrize("name", ["aidn", "imdn", "rfdn", "fdiwn", "rlfn", "carn"])
def test_the_ir_says_the_same_and_takes_any_size(name: str, tmp_path: Path) -> None:
    openvino = pytest.importorskip("openvino", reason='pip install "srlib[openvino]"')
    network = repeated(name, 2, scale=2).eval()
    path = tmp_path / "new" / "network.xml"
    assert export_openvino(network, path, {"network": name}) < 1e-4
    assert sorted(each.name for each in path.parent.iterdir()) == ["network.bin", "network.xml"]
    model = openvino.Core().read_model(path)
    assert {key: model.get_rt_info(["srlib", key]).astype(str) for key in SAID} == {
        "network": name,
        "scale": "2",
        "min_size": str(network.min_size),
        "value_range": "RGB in 0..1",
        "weights_sha256": state_sha256(network.state_dict()),
    }
    lr = torch.rand(1, 3, 37, 20)
    found = openvino.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})(lr.numpy())
    with torch.inference_mode():
        assert torch.allclose(torch.from_numpy(found["sr"]), network(lr), atol=1e-4)


SAID = ("network", "scale", "min_size", "value_range", "weights_sha256")


def test_an_ir_that_is_not_the_network_leaves_the_one_before(tmp_path, monkeypatch) -> None:
    pytest.importorskip("openvino", reason='pip install "srlib[openvino]"')
    network, path = create_network("srcnn", 2), tmp_path / "network.xml"
    export_openvino(network, path, {})
    before = {each: each.read_bytes() for each in tmp_path.iterdir()}
    other = export._by_openvino

    def brighter(path: Path):
        run = other(path)
        return lambda lr: run(lr) + 0.1

    monkeypatch.setattr(export, "_by_openvino", brighter)
    with pytest.raises(ExportError, match=r"differs from the network by 0\.1 at 15x15 pixels"):
        export_openvino(create_network("srcnn", 2), path, {})
    assert {each: each.read_bytes() for each in tmp_path.iterdir()} == before


def test_the_ending_says_the_kind(tmp_path: Path, capsys) -> None:
    pytest.importorskip("openvino", reason='pip install "srlib[openvino]"')
    assert main(["export", "aidn", str(tmp_path / "out.pb"), "--scale", "4"]) == 2
    assert "name a file that ends in .onnx, or in .xml for OpenVINO" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


class OfOneSize(nn.Module):
    """Averages over what its trace saw, and over nothing else."""

    scale, min_size = 1, 1

    def forward(self, x):
        height, width = (int(side) for side in x.shape[-2:])
        return x * height / width


class Foreign(nn.Module):
    """An operation that ONNX has not."""

    scale, min_size = 1, 1

    def forward(self, x):
        return torch.special.bessel_j0(x)


@pytest.mark.parametrize(
    ("network", "says"),
    [(OfOneSize(), "differs from the network by"), (Foreign(), "cannot be exported to ONNX: ")],
)
def test_what_is_not_the_network_is_not_written(network, says, tmp_path: Path) -> None:
    path = tmp_path / "network.onnx"
    path.write_text("before")
    with pytest.raises(ExportError, match=says):
        export_onnx(network, path, {})
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_without_the_extra_its_name_is_said(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setattr(extras, "installed", lambda package: False)
    with pytest.raises(ValueError, match=r'pip install "srlib\[onnx\]"'):
        export.export_onnx(create_network("srcnn", 2), tmp_path / "out.onnx", {})


def test_the_command_names_network_and_run(tmp_path: Path, capsys) -> None:
    weights, out = tmp_path / "weights.safetensors", tmp_path / "out.onnx"
    settings = {"blocks": 1, "channels": 8}
    network = create_network("aidn", 2, **settings)
    header = {"network": "aidn", "scale": 2, "settings": settings, "run": "0123456789"}
    save_tensors(network.state_dict(), weights, header)
    assert main(["export", "aidn", str(out), "--scale", "2", "--weights", str(weights)]) == 0
    said = {each.key: each.value for each in onnx.load(str(out)).metadata_props}
    assert (said["network"], said["run"]) == ("aidn", "0123456789")
    assert "aidn x2, at most" in capsys.readouterr().out
