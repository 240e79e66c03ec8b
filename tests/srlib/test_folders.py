"""Folders: structure kept, bad files reported at the end, an interrupted job goes on."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from srlib.cli import main
from srlib.evaluation.inference import SelfEnsemble
from srlib.folders import MANIFEST, listed, read_manifest
from srlib.networks import create_network
from srlib.provenance import file_sha256


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three pictures, one of them in a folder below, and what is no picture."""
    rng = np.random.default_rng(0)
    top = tmp_path / "in"
    for name in ("a.png", "b.jpg", "deep/er/c.png"):
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (16, 20, 3), np.uint8)).save(top / name)
    (top / "notes.txt").write_text("no picture")
    return top


def upscale(*arguments: object) -> int:
    return main(["upscale", *map(str, arguments), "--scale", "2"])


def test_the_structure_is_kept(folder, weights, tmp_path, capsys) -> None:
    out = tmp_path / "out"
    assert upscale(folder, out, "--weights", weights) == 0
    files = sorted(str(path.relative_to(out)) for path in out.rglob("*") if path.is_file())
    assert files == ["a.png", "b.jpg", "deep/er/c.png", MANIFEST]
    assert Image.open(out / "deep/er/c.png").size == (40, 32)
    done = read_manifest(out / MANIFEST)["a.png"]
    assert done.input_sha256 == file_sha256(folder / "a.png")
    assert done.output_sha256 == file_sha256(out / "a.png")
    assert "3 made, 0 were there" in capsys.readouterr().out


def test_a_bad_file_is_reported_and_stops_no_other(folder, weights, tmp_path, capsys) -> None:
    (folder / "a.png").write_bytes(b"no picture")
    assert upscale(folder, tmp_path / "out", "--weights", weights) == 1
    said = capsys.readouterr()
    assert "2 made, 0 were there, 1 failed" in said.out
    assert "a.png" in said.err and "Traceback" not in said.err


def test_only_what_has_changed_is_made_anew(folder, weights, tmp_path, capsys) -> None:
    out = tmp_path / "out"
    upscale(folder, out, "--weights", weights)
    upscale(folder, out, "--weights", weights)
    assert "0 made, 3 were there" in capsys.readouterr().out
    Image.new("RGB", (18, 18)).save(folder / "a.png")
    (out / "b.jpg").write_bytes(b"damaged")
    upscale(folder, out, "--weights", weights)
    assert "2 made, 1 were there" in capsys.readouterr().out
    upscale(folder, out, "--weights", weights, "--self-ensemble")
    assert "3 made, 0 were there" in capsys.readouterr().out
    (out / MANIFEST).unlink()
    upscale(folder, out, "--weights", weights, "--skip-existing")
    assert "0 made, 3 were there" in capsys.readouterr().out


def test_a_manifest_that_was_cut_short_goes_on(folder, weights, tmp_path, capsys) -> None:
    out = tmp_path / "out"
    upscale(folder, out, "--weights", weights)
    text = (out / MANIFEST).read_text()
    (out / MANIFEST).write_text(text[:-30])
    upscale(folder, out, "--weights", weights)
    assert "1 made, 2 were there" in capsys.readouterr().out
    assert len(read_manifest(out / MANIFEST)) == 3


def test_a_killed_job_goes_on(folder, weights, tmp_path, capsys) -> None:
    out = tmp_path / "out"
    for number in range(30):
        pixels = np.random.default_rng(number).integers(0, 256, (90, 90, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    command = [sys.executable, "-m", "srlib.cli", "upscale", str(folder), str(out)]
    command += ["--scale", "2", "--weights", str(weights)]
    job = subprocess.Popen(command, stderr=subprocess.DEVNULL, env=os.environ)
    until = time.monotonic() + 60
    while not read_manifest(out / MANIFEST) and time.monotonic() < until:
        time.sleep(0.01)
    job.send_signal(signal.SIGKILL)
    job.wait()
    before = len(read_manifest(out / MANIFEST))
    assert upscale(folder, out, "--weights", weights) == 0
    made, kept = 33 - before, before
    assert f"{made} made, {kept} were there" in capsys.readouterr().out
    for path in out.rglob("*.png"):
        Image.open(path).load()


def test_globs_and_files_are_listed(folder, tmp_path) -> None:
    jobs = listed([str(folder / "*.png"), str(folder / "b.jpg")], tmp_path / "out", ".webp")
    assert [job.output.name for job in jobs] == ["a.webp", "b.webp"]
    with pytest.raises(ValueError, match=r"none\*\.png: there is no picture"):
        listed([str(folder / "none*.png")], tmp_path / "out")
    other = tmp_path / "other" / "a.png"
    other.parent.mkdir()
    Image.new("RGB", (9, 9)).save(other)
    with pytest.raises(ValueError, match="would both be written to"):
        listed([str(folder), str(other)], tmp_path / "out")


def test_results_are_no_inputs(folder, weights) -> None:
    assert upscale(folder, folder / "out", "--weights", weights) == 0
    assert [job.source.name for job in listed([str(folder)], folder / "out")] == [
        *("a.png", "b.jpg", "c.png")
    ]


def test_the_manifest_is_lines_of_json(folder, weights, tmp_path) -> None:
    upscale(folder, tmp_path / "out", "--weights", weights)
    lines = (tmp_path / "out" / MANIFEST).read_text().splitlines()
    assert {*json.loads(lines[0])} == {"input", "input_sha256", "output", "output_sha256", "by"}


@torch.inference_mode()
def test_the_self_ensemble_turns_with_its_input() -> None:
    torch.manual_seed(0)
    network = SelfEnsemble(create_network("carn-single", 2).eval())
    x = torch.rand(1, 3, 14, 9)
    torch.testing.assert_close(network(x.rot90(1, (2, 3))), network(x).rot90(1, (2, 3)))
    torch.testing.assert_close(network(x.flip(3)), network(x).flip(3))
    assert not torch.allclose(network(x), network.network(x))
