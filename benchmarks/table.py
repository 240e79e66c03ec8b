"""The one table of all benchmarks, ``results.csv`` beside this file, and what they have in common.

Each script prints its rows; with ``--keep`` they take the place of its former ones in the table.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import skimage.data
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import nn

from srlib import load_official
from srlib.files import write_csv
from srlib.weights.official import official
from srlib.weights.pretrained import load_pretrained

TABLE = Path(__file__).with_name("results.csv")
NETWORKS = ("imdn", "rfdn", "aidn", "arfdn")
QUICKER = "times as quick"


class Row(NamedTuple):
    """One number.

    Attributes:
        subject: a network, or what else was measured.
        size: of the input, with its unit where it is not LR pixels.
        way: how it was done.
        against: what a ratio is taken to; empty where the value is none.
        measure: what the value is, with its unit.
        value: itself.
    """

    subject: str
    size: str
    way: str
    against: str
    measure: str
    value: float


def parser(about: str) -> argparse.ArgumentParser:
    """A benchmark's options, of which ``--keep`` is one."""
    made = argparse.ArgumentParser(description=about)
    made.add_argument("--keep", action="store_true", help="put the rows into results.csv")
    return made


def show(row: Row) -> Row:
    """Print a row as soon as it is known."""
    against = f" against {row.against}" if row.against else ""
    print(f"{row.subject}, {row.size}: {row.way}{against}: {row.value:.6g} {row.measure}",
          flush=True)  # fmt: skip
    return row


def keep(benchmark: str, rows: list[Row], threads: int, path: Path = TABLE) -> None:
    """Put a benchmark's rows in place of its former ones.

    Args:
        benchmark: the script's name.
        rows: all of its rows.
        threads: with how many PyTorch and the engines ran.
        path: of the table.
    """
    new = pd.DataFrame(rows)
    new["value"] = [float(f"{value:.4g}") for value in new["value"]]
    new.insert(0, "benchmark", benchmark)
    new["machine"] = machine(threads)
    if path.exists():
        old = pd.read_csv(path, keep_default_na=False)
        new = pd.concat([old[old["benchmark"] != benchmark], new])
    write_csv(path, new.sort_values("benchmark", kind="stable"))


def machine(threads: int) -> str:
    """The processor, the cores that this process may use, its threads, and PyTorch's version."""
    try:
        names = re.findall(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    except OSError:  # no Linux
        names = []
    name = names[0] if names else platform.processor() or platform.machine()
    where = f"{cores()} of {os.cpu_count()} cores"
    return f"{name}, {where}, {threads} thread{'s' * (threads != 1)}, torch {torch.__version__}"


def cores() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def load(name: str) -> nn.Module:
    """A network at x4: with its authors' weights where they are known, else trained here."""
    return load_official(name) if name in official() else load_pretrained(name)


def photograph(width: int, height: int) -> NDArray[np.uint8]:
    """(height, width, 3): one that scikit-image brings, resized."""
    image = Image.fromarray(skimage.data.astronaut())
    return np.array(image.resize((width, height), Image.Resampling.BICUBIC))
