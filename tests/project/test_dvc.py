"""DVC as people use it: weights by name, curves in one picture, a remote."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from srlib.paths import ROOT
from srlib.weights.files import load_trained, verify

DVC = str(Path(sys.executable).with_name("dvc"))
PIPELINE = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))


def run(cwd: Path, *command: str) -> str:
    environment = os.environ | {"DVC_NO_ANALYTICS": "1"}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("name", PIPELINE["artifacts"])
def test_an_artifact_is_the_network_that_its_name_says(name: str) -> None:
    path = ROOT / PIPELINE["artifacts"][name]["path"]
    assert verify(path)
    _, header = load_trained(path)
    network = header["network"].removesuffix("-aidb")
    assert name == f"{network}-x{header['scale']}"


def test_the_curves_of_the_blocks_are_in_one_picture(tmp_path: Path) -> None:
    out = run(ROOT, DVC, "plots", "show", "--json", "--out", str(tmp_path), "quick-loss")
    (picture,) = json.loads(out)["data"]["quick-loss"]
    points = picture["content"]["data"]["values"]
    files = PIPELINE["plots"][0]["quick-loss"]["y"]
    assert len({point["filename"] for point in points}) == len(files) == 4


def test_what_is_pushed_to_a_remote_is_pulled(tmp_path: Path) -> None:
    """A repository with one stage; then a clone of it, which has the data by the remote alone."""
    first, second, remote = (tmp_path / name for name in ("first", "second", "remote"))
    first.mkdir()
    run(first, "git", "init", "-q")
    run(first, DVC, "init", "-q")
    run(first, DVC, "remote", "add", "-q", "--default", "store", str(remote))
    command = f"\"{sys.executable}\" -c \"open('packed.bin', 'wb').write(bytes(5000))\""
    (first / "dvc.yaml").write_text(
        yaml.safe_dump({"stages": {"prepare": {"cmd": command, "outs": ["packed.bin"]}}})
    )
    run(first, DVC, "repro", "-q")
    run(first, DVC, "push", "-q")
    run(first, "git", "add", "-A")
    identity = ("-c", "user.name=test", "-c", "user.email=test@localhost")
    run(first, "git", *identity, "commit", "-qm", "one stage")
    run(tmp_path, "git", "clone", "-q", str(first), str(second))
    assert not (second / "packed.bin").exists()
    run(second, DVC, "pull", "-q")
    assert (second / "packed.bin").read_bytes() == bytes(5000)
    assert json.loads(run(second, DVC, "status", "--json")) == {}
