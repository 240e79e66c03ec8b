"""A run of seconds: its recipe for the tests, and processes that train it and can be killed."""

import multiprocessing
import os
import signal
import sys
from collections.abc import Mapping
from contextlib import redirect_stdout
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any
from unittest.mock import patch

from safetensors.torch import save
from torch import Tensor

from srlib.config import Stage, Train
from srlib.data.packed import PackedImages
from srlib.training.loop import Trained, train

NETWORK, SETTINGS, SCALE, SEED = "aidn", {"blocks": 1, "channels": 8}, 4, 0
L1 = Stage(loss="l1", steps=20, lr=2e-3, lr_end=1e-4, warmup=2)
L2 = Stage(loss="l2", steps=10, lr=1e-4, lr_end=1e-5, warmup=0)


def recipe(**changes: Any) -> Train:
    """Two stages; a checkpoint falls on the boundary between them."""
    settings: dict[str, Any] = {
        "stages": (L1, L2),
        "init": "default",
        "batch": 2,
        "patch": 60,
        "device": "cpu",
        "precision": "float32",
        "channels_last": True,
        "compile": False,
        "threads": 1,
        "ema": 0.0,
        "log_every": 5,
        "checkpoint_every": 5,
        "max_minutes": 0,
    }
    return Train(**settings | changes)


def run(
    store: PackedImages, folder: Path, checkpoints: Path, of: Train, seed: int = SEED
) -> Trained:
    return train(NETWORK, SETTINGS, SCALE, seed, of, store, folder, checkpoints, validation=store)


def die_writing(name: str) -> None:
    """Kill this process half way through the first file whose name holds `name`."""

    def write(tensors: dict[str, Tensor], path: Path, metadata: dict[str, str]) -> None:
        data = save(tensors, metadata)
        if name not in path.name:
            path.write_bytes(data)
            return
        path.write_bytes(data[: len(data) // 2])
        os.kill(os.getpid(), signal.SIGKILL)

    patch("srlib.weights.files.save_file", write).start()


# Linux forks each process from one that has imported PyTorch; elsewhere it is imported anew.
PROCESSES: Any = multiprocessing.get_context("forkserver" if sys.platform == "linux" else "spawn")
PROCESSES.set_forkserver_preload(["srlib.training.loop"])


def start(
    job: Mapping[str, Any], printed: Path, environment: Mapping[str, str] | None = None
) -> BaseProcess:
    """Train in a process of its own, which writes what it prints into a file.

    Args:
        job: "store", "folder", "checkpoints" and "recipe" of the run; "die_writing" if it is to
            kill itself.
        printed: the file.
        environment: variables of the process.
    """
    process = PROCESSES.Process(target=_train, args=(dict(job), printed, dict(environment or {})))
    process.start()
    return process


def _train(job: dict[str, Any], printed: Path, environment: dict[str, str]) -> None:
    os.environ.update(environment)
    if "die_writing" in job:
        die_writing(job["die_writing"])
    folder, checkpoints = Path(job["folder"]), Path(job["checkpoints"])
    with printed.open("w", buffering=1, encoding="utf-8") as file, redirect_stdout(file):
        run(PackedImages(job["store"]), folder, checkpoints, recipe(**job["recipe"]))
