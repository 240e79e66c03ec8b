"""The most memory that a process takes while it enlarges one picture (Linux).

    python benchmarks/memory.py --networks imdn

Each network and engine in a process of its own: the peak of its resident memory in the pass, with
PyTorch and the engine in it, and without what the conversion took before. Then a picture of DIV2K's
size at once and in exact tiles, and how many times as long the tiles take.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from time import process_time

import torch
from inference import WAYS
from table import NETWORKS, Row, keep, load, parser, photograph, show

from srlib.engines.compiled import compile
from srlib.enlarge import upscale_frame

STATUS, RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")
LARGE = (2040, 1356)
PEAK = "MB at the peak"


def peak() -> float:
    """MB of resident memory, the most since the last reset."""
    (kib,) = re.findall(r"VmHWM:\s+(\d+) kB", STATUS.read_text())
    return int(kib) * 1024 / 1e6


def alone(name: str, engine: str, precision: str, sizes: list[str], tile: int) -> None:
    """What the process of its own does: for each size a line with the peak and the CPU time."""
    torch.set_num_threads(1)
    run = compile(load(name), engine, precision)  # type: ignore[arg-type]
    for size in sizes:
        width, height = map(int, size.split("x"))
        frame = photograph(width, height)
        RESET.write_text("5")
        start = process_time()
        upscale_frame(frame, run, tile)
        print(json.dumps([size, peak(), process_time() - start]))


def measured(
    name: str, way: tuple[str, str], sizes: list[str], tile: int = 0
) -> list[tuple[str, float, float]]:
    """``alone`` in a new process: size, MB and seconds; nothing where an engine is missing."""
    command = [sys.executable, __file__, "--alone", name, *way, "--sizes", *sizes]
    done = subprocess.run([*command, "--tile", str(tile)], capture_output=True, text=True)
    if done.returncode:
        print(f"{name} by {' '.join(way)}: {done.stderr.strip().splitlines()[-1]}")
    return [tuple(json.loads(line)) for line in done.stdout.splitlines() if line.startswith("[")]


def main() -> None:
    arguments = parser("Measure the peak memory of engines, and of tiles.")
    arguments.add_argument("--networks", nargs="+", default=NETWORKS)
    arguments.add_argument("--sizes", nargs="+", default=["64x64", "256x256"], help="of LR")
    arguments.add_argument("--tile", type=int, default=192, help="side of the exact tiles")
    arguments.add_argument("--large", nargs="*", default=["imdn"], metavar="NETWORK",
                           help="of which to take the large picture; minutes each")  # fmt: skip
    arguments.add_argument("--alone", nargs=3, metavar=("NETWORK", "ENGINE", "PRECISION"),
                           help="measure this in this process, and print no more")  # fmt: skip
    options = arguments.parse_args()
    if options.alone:
        name, engine, precision = options.alone
        alone(name, engine, precision, options.sizes, options.tile)
        return
    rows = []
    for name in options.networks:
        for way in WAYS:
            for size, most, _ in measured(name, way, options.sizes):
                rows.append(show(Row(name, size, " ".join(way), "", PEAK, most)))
    size = f"{LARGE[0]}x{LARGE[1]}"
    for name in options.large:
        ((_, whole_mb, whole_s),) = measured(name, WAYS[0], [size])
        rows.append(show(Row(name, size, "whole", "", PEAK, whole_mb)))
        ((_, tiles_mb, tiles_s),) = measured(name, WAYS[0], [size], options.tile)
        tiles = f"exact tiles of {options.tile}"
        rows.append(show(Row(name, size, tiles, "", PEAK, tiles_mb)))
        rows.append(show(Row(name, size, tiles, "whole", "times as long", tiles_s / whole_s)))
    if options.keep:
        keep("memory", rows, threads=1)


if __name__ == "__main__":
    main()
