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
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from srlib.files import write_json

ALLOW_DIRTY = "SRLIB_ALLOW_DIRTY"
# The files that decide a result.
DECIDES = (":/srlib", ":/data", ":/params.yaml", ":/campaigns/*/params.yaml")


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

    Raises:
        ValueError: code or parameters differ from the commit, so that no record could say what
            made the result; names a file.
    """

    def __init__(self) -> None:
        self.git = git_state()
        if self.git["dirty"] and not os.environ.get(ALLOW_DIRTY):
            raise ValueError(
                f"{self.git['changed'][0]} differs from the commit, so a record could not say what "
                f"made the result; commit it, or set {ALLOW_DIRTY}=1 for a trial"
            )
        self.started = datetime.now(UTC)
        self.clock = time.monotonic()

    def write(self, path: Path, cost: Mapping[str, Any] | None = None, **facts: Any) -> None:
        """Write ``facts`` with cost, commit, time, host and versions beside them.

        A record of the same facts stays as it is: what merely took another time is no change.
        """
        if _same(path, facts) and not self.git["dirty"]:
            return
        write_json(
            path,
            facts
            | {key: self.git[key] for key in ("commit", "dirty")}
            | ({} if cost is None else {"cost": cost})
            | {
                "started": self.started.isoformat(timespec="seconds"),
                "seconds": round(time.monotonic() - self.clock, 1),
                "host": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
                "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
                "python": platform.python_version(),
                "torch": torch.__version__,
            },
        )


def add_commit(path: Path, commit: str) -> None:
    """Note in a record that the code of another commit gives the same result."""
    record = json.loads(path.read_text())
    accepted = record.get("accepted", [])
    if commit not in (record["commit"], *accepted):
        write_json(path, record | {"accepted": [*accepted, commit]})


def _same(path: Path, facts: dict[str, Any]) -> bool:
    """Whether a clean run has left these facts already."""
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):
        return False
    told = json.loads(json.dumps(facts))
    return found.get("dirty") is False and told.items() <= found.items()


def git_state() -> dict[str, Any]:
    """The commit checked out, and whether what makes results differs from it.

    Returns:
        commit; dirty; changed, the files that differ. Code, manifests, photographs and parameters
        count, not results, notebooks or prose. None, None and no files outside git.
    """

    def git(*arguments: str) -> str | None:
        try:
            done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=True)
        except (OSError, subprocess.CalledProcessError):
            return None
        return done.stdout.rstrip()

    status = git("status", "--porcelain", "--", *DECIDES)
    changed = [] if status is None else [line[3:] for line in status.splitlines()]
    dirty = None if status is None else bool(changed)
    return {"commit": git("rev-parse", "HEAD"), "dirty": dirty, "changed": changed}
