"""A run killed at any moment, and started again by the same command, ends as though never killed.

The kills: as the first checkpoint appears, twice at random moments, half way through writing a
checkpoint, and half way through writing the results.
"""

import random
import signal
import sys
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import tiny_run
from tiny_run import recipe, run

from srlib.data.packed import PackedImages
from srlib.provenance import file_sha256
from srlib.weights.files import load_tensors

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL there")

# The boundary of the stages, 50, falls on a checkpoint; so many steps outlast the first four runs.
STAGES = [
    {"loss": "l1", "steps": 50, "lr": 2e-3, "lr_end": 1e-4, "warmup": 5},
    {"loss": "l2", "steps": 70, "lr": 1e-4, "lr_end": 1e-5, "warmup": 0},
]
RECIPE: dict[str, Any] = {"stages": STAGES, "log_every": 5, "checkpoint_every": 10}
PATIENCE = 60  # seconds until a process that does nothing fails the test


class Killed(NamedTuple):
    """How every process ended, what it had printed, and the folder of results and checkpoints."""

    codes: list[int]
    printed: list[str]
    folder: Path


@pytest.fixture(scope="module")
def whole(store: PackedImages, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results of a run that nothing interrupted."""
    folder = tmp_path_factory.mktemp("whole")
    run(store, folder / "results", folder / "checkpoints", recipe(**RECIPE))
    return folder / "results"


@pytest.fixture(scope="module")
def killed(store: PackedImages, tmp_path_factory: pytest.TempPathFactory) -> Killed:
    """The same run, killed five times and started six times."""
    folder = tmp_path_factory.mktemp("killed")
    result = Killed([], [], folder)
    rng = random.Random(0)

    def start(**extra: str) -> BaseProcess:
        job = {
            "store": str(store.folder),
            "folder": str(folder / "results"),
            "checkpoints": str(folder / "checkpoints"),
            "recipe": RECIPE,
        }
        return tiny_run.start(job | extra, printed())

    def printed() -> Path:
        return folder / f"{len(result.codes)}.txt"

    def end(process: BaseProcess) -> None:
        process.join(PATIENCE)
        assert process.exitcode is not None, "it does not end"
        result.printed.append(printed().read_text())
        result.codes.append(process.exitcode)

    def until(reached: Callable[[], bool]) -> None:
        give_up = time.monotonic() + PATIENCE
        while not reached() and time.monotonic() < give_up:
            time.sleep(0.001)

    def lines() -> int:
        return printed().read_text().count("\n") if printed().exists() else 0

    process = start()
    until(lambda: any(folder.glob("checkpoints/*/checkpoint.safetensors")))
    process.kill()
    end(process)

    for _ in range(2):
        process, enough = start(), rng.randint(2, 6)
        until(lambda enough=enough: lines() >= enough)  # type: ignore[misc]
        time.sleep(rng.uniform(0, 0.03))
        process.kill()
        end(process)

    end(start(die_writing="checkpoint"))
    end(start(die_writing="weights"))
    end(start())
    return result


def test_every_process_but_the_last_was_killed(killed: Killed, tried) -> None:
    tried("kills", 5)
    assert killed.codes == [-signal.SIGKILL] * 5 + [0]


def test_every_process_but_the_first_resumed(killed: Killed) -> None:
    assert ["resumes after step" in printed for printed in killed.printed] == [False] + [True] * 5


def test_weights_are_those_of_the_uninterrupted_run(killed: Killed, whole: Path) -> None:
    found = file_sha256(killed.folder / "results" / "weights.safetensors")
    assert found == file_sha256(whole / "weights.safetensors")


def test_log_is_that_of_the_uninterrupted_run(killed: Killed, whole: Path) -> None:
    found = (killed.folder / "results" / "train.csv").read_text()
    assert found == (whole / "train.csv").read_text()


def test_no_checkpoint_is_left(killed: Killed) -> None:
    assert list((killed.folder / "checkpoints").iterdir()) == []


def test_a_kill_while_results_are_written_leaves_no_half_a_file(killed: Killed) -> None:
    for path in (killed.folder / "results").glob("*.safetensors"):
        load_tensors(path)  # raises if it is cut off


def test_only_results_are_left(killed: Killed) -> None:
    found = sorted(path.name for path in (killed.folder / "results").iterdir())
    assert found == ["train.csv", "validation.csv", "weights.safetensors"]
