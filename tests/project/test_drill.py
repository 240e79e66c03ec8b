"""`make drill`: commands killed at random moments, then typed again, end as though never killed.

Each command runs in a copy of the repository with a run of seconds. It is killed, with all that it
started, after a random part of the time that it takes; what it had finished is then taken away, so
that the next kill meets it at work again. Every file that a kill leaves under its own name must be
whole, and in the end all must have the bytes of a run that nothing interrupted.
"""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from srlib.paths import ROOT

pytestmark = [
    pytest.mark.drill,
    pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL there"),
]
KILLS = int(os.environ.get("SRLIB_KILLS", "10"))  # of each command
BIN = Path(sys.executable).parent
RUN = ["--params", "params.yaml", "--network", "aidn-base", "--scale", "4"]
RESULT = "results/quick/aidn-base-x4"
# What is killed, where its output lies, and which of it takes part in a kill anew.
COMMANDS: dict[str, tuple[list[str], list[str]]] = {
    "fetch": (["srlib", "fetch", "--params", "params.yaml"], ["datasets/quick/sets"]),
    "train": (
        ["srlib", "train", *RUN, "--seed", "0"],
        [f"{RESULT}/seed0/weights.safetensors", f"{RESULT}/seed0/train.csv"],
    ),
    "evaluate": (
        ["srlib", "evaluate", *RUN, "--seed", "0"],
        [f"{RESULT}/seed0/images.csv", f"{RESULT}/seed0/metrics.json"],
    ),
    "reconstruct": (["srlib", "reconstruct", *RUN], [f"{RESULT}/pictures"]),
    "repro": (["dvc", "repro", "-q", "evaluate", "reconstruct"], ["datasets", RESULT, "dvc.lock"]),
}
CLOCK = ("cost", "started", "seconds")  # in records, what differs from run to run


def start(command: list[str], folder: Path) -> subprocess.Popen[str]:
    environment = os.environ | {
        "PATH": os.pathsep.join([str(BIN), os.environ["PATH"]]),
        "PYTHONPATH": str(folder),
        "DVC_NO_ANALYTICS": "1",
    }
    environment.pop("SRLIB_MIRROR", None)
    return subprocess.Popen(
        [str(BIN / command[0]), *command[1:]],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,  # DVC's commands die with it
    )


def finish(command: list[str], folder: Path) -> None:
    process = start(command, folder)
    printed, _ = process.communicate()
    assert process.returncode == 0, printed


def content(folder: Path) -> dict[str, Any]:
    """Every visible file that the pipeline makes; of records, what is no matter of the clock."""
    found: dict[str, Any] = {}
    for top in ("datasets", "results"):
        for path in sorted((folder / top).rglob("*")):
            name = path.relative_to(folder).as_posix()
            if not path.is_file() or "/." in name:  # a kill may leave a temporary file
                continue
            found[name] = path.read_bytes()
            if name.startswith("results/runs/"):
                record = json.loads(found[name])
                found[name] = {key: record[key] for key in record if key not in CLOCK}
    return found


def remove(folder: Path, names: list[str]) -> None:
    for name in names:
        path = folder / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the repository with a run of seconds, made without a kill."""
    folder = tmp_path_factory.mktemp("drill") / "whole"
    folder.mkdir()
    for name in ("srlib", "data", ".dvc"):
        skip = shutil.ignore_patterns("__pycache__", "tmp", "cache")
        shutil.copytree(ROOT / name, folder / name, ignore=skip)
    for name in ("data.dvc", "dvc.yaml", "params.yaml"):
        shutil.copy(ROOT / name, folder / name)
    params = yaml.safe_load((folder / "params.yaml").read_text())
    params["matrix"] |= {"networks": ["aidn-base"], "seeds": [0], "references": ["bicubic"]}
    params["networks"] = {"aidn-base": {"blocks": 1, "channels": 8}}
    params["train"] |= {"batch": 2, "log_every": 5, "checkpoint_every": 5}
    params["train"]["stages"] = [
        {"loss": "l1", "steps": 120, "lr": 1e-3, "lr_end": 1e-5, "warmup": 5},
        {"loss": "l2", "steps": 40, "lr": 1e-5, "lr_end": 1e-5, "warmup": 0},
    ]
    params["pictures"]["images"] = params["pictures"]["images"][:1]
    (folder / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    subprocess.run([BIN / "dvc", "config", "core.no_scm", "true"], cwd=folder, check=True)
    finish(COMMANDS["repro"][0], folder)
    return folder


@pytest.mark.parametrize("name", COMMANDS)
def test_killed_at_random_moments_it_ends_as_though_never_killed(
    whole: Path, tmp_path: Path, tried: Callable[[str, int], None], name: str
) -> None:
    command, outputs = COMMANDS[name]
    folder = Path(shutil.copytree(whole, tmp_path / "killed", symlinks=True))
    expected = content(whole)
    remove(folder, outputs)
    began = time.monotonic()
    finish(command, folder)
    takes = time.monotonic() - began
    remove(folder, outputs)

    rng, kills = random.Random(name), 0
    while kills < KILLS:
        process = start(command, folder)
        time.sleep(rng.uniform(0.05, 1) * takes)
        os.killpg(process.pid, signal.SIGKILL)
        printed, _ = process.communicate()
        assert process.returncode in (0, -signal.SIGKILL), printed
        kills += process.returncode != 0
        for path, found in content(folder).items():
            assert found == expected[path], f"{path} after a kill"
        if process.returncode == 0:
            remove(folder, outputs)
    finish(command, folder)
    assert content(folder) == expected
    tried(f"kills of {name}", kills)


@pytest.mark.parametrize("name", ["fetch", "prepare", "train", "evaluate", "reconstruct"])
def test_two_at_once_end_as_one_alone(
    whole: Path, tmp_path: Path, tried: Callable[[str, int], None], name: str
) -> None:
    prepare = (["srlib", "prepare", *RUN[:2], *RUN[4:]], ["datasets/quick/x4"])
    command, outputs = prepare if name == "prepare" else COMMANDS[name]
    folder = Path(shutil.copytree(whole, tmp_path / "both", symlinks=True))
    remove(folder, outputs)
    both = [start(command, folder) for _ in range(2)]
    printed = [process.communicate()[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], printed
    assert content(folder) == content(whole)
    tried("several at once", 1)


def test_the_second_of_two_repros_ends_in_the_message_of_dvcs_lock(
    whole: Path, tmp_path: Path, tried: Callable[[str, int], None]
) -> None:
    command, outputs = COMMANDS["repro"]
    folder = Path(shutil.copytree(whole, tmp_path / "both", symlinks=True))
    remove(folder, outputs)
    aloud = [word for word in command if word != "-q"]  # which hides the message
    both = [start(aloud, folder) for _ in range(2)]
    printed = [process.communicate()[0] for process in both]
    failed = [text for process, text in zip(both, printed, strict=True) if process.returncode]
    assert len(failed) == 1 and "lock" in failed[0].lower(), printed
    finish(command, folder)
    assert content(folder) == content(whole)
    tried("several at once", 1)
