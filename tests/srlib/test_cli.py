"""The command line: what it does, and how it fails."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from srlib.cli import main
from srlib.config import load_config


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "in.png"
    Image.fromarray(np.full((20, 30, 3), 99, np.uint8)).save(path)
    return path


def test_upscale_writes_an_image_of_the_new_size(weights, image, tmp_path, capsys) -> None:
    out = tmp_path / "out.png"
    status = main(["upscale", str(image), str(out), "--scale", "2", "--weights", str(weights)])
    assert status == 0
    assert Image.open(out).size == (60, 40)


def test_complexity_prints_the_published_count(capsys) -> None:
    assert main(["complexity", "aidn", "--scale", "4"]) == 0
    assert "339,498" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["upscale", "IMAGE", "OUT.png"], "--network is missing"),
        (
            ["upscale", "IMAGE", "OUT.png", "--network", "aidn", "--scale", "7"],
            "no weights of aidn",
        ),
        (["upscale", "IMAGE", "OUT.png", "--weights", "none.safetensors"], "does not exist"),
        (
            ["upscale", "IMAGE", "OUT.xyz", "--scale", "2", "--weights", "W"],
            "names no picture format",
        ),
        (["upscale", "IMAGE", "OUT.png", "--scale", "4", "--weights", "W"], "aidn x2, not"),
        (["upscale", "IMAGE", "OUT.png", "--official", "nobody"], "there are arfdn"),
        (["train", "--params", "none.yaml", "--network", "aidn"], "none.yaml does not exist"),
        (["train", "--scale", "4"], "--network is missing"),
        (["train", "--network", "aidn-nothing"], "no settings for 'aidn-nothing'"),
        (
            ["evaluate", "--network", "aidn-aidb", "--engine", "openvino"],
            "--engine goes with --sets",
        ),
        (["evaluate", "--reference", "bicubic", "--csv", "OUT.csv"], "--csv goes with --sets"),
        (["evaluate", "--all", "--sets", "Set5"], "--all takes --sets, such as Set5 Set14, and"),
        (
            ["evaluate", "--all", "--sets", "Set5", "--csv", "OUT.csv", "--official", "imdn"],
            "--official does not go with --all",
        ),
        (["fetch"], "name the sets"),
        (["fetch", "Set6"], "Set6"),
        (["complexity", "nothing"], "srlib.list_networks"),
    ],
)
def test_a_mistake_is_one_line_on_stderr(arguments, says, weights, image, tmp_path, capsys) -> None:
    places = {"IMAGE": str(image), "W": str(weights)}
    arguments = [places.get(a, str(tmp_path / a) if a.startswith("OUT") else a) for a in arguments]
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith("srlib: error: ") and says in error


def test_an_unknown_reference_is_named(store, root, tmp_path, monkeypatch, capsys) -> None:
    shutil.copy(root / "params.yaml", tmp_path)
    packed = load_config(root / "params.yaml").packed(4, "test")
    shutil.copytree(store.folder, tmp_path / packed)
    monkeypatch.chdir(tmp_path)
    assert main(["evaluate", "--reference", "nothing"]) == 2
    assert "neither bicubic, hr" in capsys.readouterr().err


def test_a_failed_upscale_leaves_no_file(weights, tmp_path, capsys) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no image")
    out = tmp_path / "out.png"
    assert main(["upscale", str(broken), str(out), "--scale", "2", "--weights", str(weights)]) == 2
    assert list(tmp_path.iterdir()) == [broken]
