"""Training on a folder of one's own, anywhere: two lines of parameters, and the same exactness."""

from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from srlib.cli import main
from srlib.config import ConfigError, load_config
from srlib.paths import ROOT
from srlib.weights.files import load_tensors


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder outside the repository, with photographs to train on and parameters."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    rng = np.random.default_rng(0)
    (tmp_path / "holiday").mkdir()
    for number in range(3):
        pixels = rng.integers(0, 256, (12, 12, 3), np.uint8).repeat(8, 0).repeat(8, 1)
        Image.fromarray(pixels).save(tmp_path / "holiday" / f"{number}.png")
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    params["campaign"]["name"] = "mine"
    params["data"] |= {"train": [{"folder": "holiday"}], "validation": {"holiday": 1}}
    params["networks"] = {"aidn": {"blocks": 1, "channels": 8}}
    params["matrix"] |= {"networks": ["aidn"], "seeds": [0]}
    stage = {"loss": "l1", "steps": 4, "lr": 1e-3, "lr_end": 1e-4, "warmup": 0}
    params["train"] |= {"stages": [stage], "batch": 1, "patch": 60, "validate": {"every": 2}}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params))
    return tmp_path


def run(*arguments: str) -> int:
    return main([*arguments, "--params", "params.yaml", "--scale", "4"])


def test_a_folder_is_trained_on_and_scored(place: Path, capsys) -> None:
    assert main(["fetch", "--params", "params.yaml"]) == 0
    assert run("prepare") == 0
    assert run("train", "--network", "aidn") == 0
    assert run("evaluate", "--network", "aidn") == 0
    assert "embedded-heldout" in capsys.readouterr().out
    curve = (place / "results/mine/aidn-x4/seed0/validation.csv").read_text()
    assert curve.count("holiday") == 2


def test_other_pixels_are_another_run(place: Path) -> None:
    runs = []
    for _ in range(2):
        assert main(["fetch", "--params", "params.yaml"]) == 0
        assert run("prepare") == 0
        assert run("train", "--network", "aidn") == 0
        runs.append(load_tensors("results/mine/aidn-x4/seed0/weights.safetensors")[1]["run"])
        first = np.array(Image.open("holiday/0.png"))
        first[0, 0] ^= 1
        Image.fromarray(first).save("holiday/0.png")
    assert runs[0] != runs[1]


def test_a_folder_that_is_not_there_is_named(place: Path) -> None:
    text = (place / "params.yaml").read_text().replace("folder: holiday", "folder: nowhere")
    (place / "params.yaml").write_text(text)
    with pytest.raises(ConfigError, match=r"params\.yaml: data\.train: folder: nowhere"):
        load_config("params.yaml")
