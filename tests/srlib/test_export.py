"""ONNX files: every network of the registry, at sizes that it was not traced with."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from srlib.cli import main
from srlib.engines import export, extras
from srlib.engines.export import ExportError, export_onnx
from srlib.networks import create_network, list_networks
from srlib.weights.files import save_tensors, state_sha256

onnx = pytest.importorskip("onnx", reason='pip install "srlib[onnx]"')
pytest.importorskip("onnxruntime", reason='pip install "srlib[onnx]"')

# The deepest networks with fewer repetitions of the same block.
SHALLOW: dict[str, dict[str, Any]] = {
    "aidn-aieb": {"blocks": 2},
    "bsrn": {"blocks": 2},
    "bsrn-s": {"blocks": 2},
    "drcn": {"recursions": 2, "channels": 16},
    "drrn": {"units": 2, "channels": 16},
    "edsr": {"blocks": 2},
    "fdiwn": {"order": (0,)},
    "fdiwn-m": {"order": (0,)},
    "maffsrn-l": {"blocks": 2},
    "memnet": {"blocks": 2},
    "rcan": {"groups": 2, "blocks": 2},
    "rdn": {"blocks": 2},
    "san": {"groups": 2, "blocks": 2},
}


@pytest.mark.parametrize("name", list_networks())
def test_every_network_is_exported(name: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = create_network(name, 2, **SHALLOW.get(name, {}))
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
    assert main(["export-onnx", "aidn", str(out), "--scale", "2", "--weights", str(weights)]) == 0
    said = {each.key: each.value for each in onnx.load(str(out)).metadata_props}
    assert (said["network"], said["run"]) == ("aidn", "0123456789")
    assert "aidn x2, at most" in capsys.readouterr().out
