"""Which run made a number.

A result carries what determines it: parameters, data, weights, seed, steps, device, versions. Its
run id is a digest of that, so equal runs have equal ids. What differs from run to run without the
result differing (commit, time, host) is a record of its own below ``results/runs/``, which holds
the same id.
"""

import hashlib
import json
import os
import platform
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from srlib.files import write_json


def digest(value: Any) -> str:
    """SHA-256 of a value's canonical JSON."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()


def run_id(facts: dict[str, Any]) -> str:
    """The short name of a run: ten hexadecimal digits over what determines its result."""
    return digest(facts)[:10]


def file_sha256(path: str | Path) -> str:
    """SHA-256 of a file's bytes, as ``sha256sum`` prints it."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class RunRecord:
    """Times a run and writes its record.

    >>> record = RunRecord()  # when the run starts
    >>> record.write("results/runs/quick/train-aidn-x4-s0.json", run="0123456789", steps=100)
    """

    def __init__(self) -> None:
        self.started = datetime.now(UTC)
        self.clock = time.monotonic()

    def write(self, path: str | Path, **facts: Any) -> None:
        """Write ``facts`` with commit, time, host and versions beside them."""
        write_json(
            path,
            facts
            | git_state()
            | {
                "started": self.started.isoformat(timespec="seconds"),
                "seconds": round(time.monotonic() - self.clock, 1),
                "host": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
                "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
                "python": platform.python_version(),
                "torch": torch.__version__,
            },
        )


def git_state() -> dict[str, Any]:
    """The commit checked out, and whether tracked files differ from it; None outside git."""

    def git(*arguments: str) -> str | None:
        try:
            done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=True)
        except (OSError, subprocess.CalledProcessError):
            return None
        return done.stdout.strip()

    changed = git("status", "--porcelain", "--untracked-files=no")
    return {"commit": git("rev-parse", "HEAD"), "dirty": None if changed is None else bool(changed)}
