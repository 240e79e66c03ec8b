"""Time `srlib upscale` on a folder of small pictures: in one process, and in a process a picture.

    python benchmarks/folder.py --count 24

By one worker, and where there are two cores by two at once, each with half of the pictures and one
thread. CPU time for what one process saves; the clock for what a second worker does.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import perf_counter

from PIL import Image
from table import QUICKER, Row, cores, keep, parser, photograph, show

NETWORK = "aidn"  # its weights are in the repository
ONE, EACH = "one process", "a process a picture"


def upscale(inputs: list[Path], out: Path) -> None:
    command = [sys.executable, "-m", "srlib.cli", "upscale", *map(str, inputs), str(out)]
    subprocess.run(
        [*command, "--network", NETWORK],
        check=True,
        capture_output=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )


def work(pictures: list[Path], out: Path, way: str) -> None:
    """All that one worker does."""
    if way == ONE:
        upscale(pictures, out)
    else:
        for picture in pictures:
            upscale([picture], out / picture.name)


def measured(pictures: list[Path], way: str, workers: int) -> tuple[float, float]:
    """Seconds of CPU time and by the clock."""
    shares = [pictures[start::workers] for start in range(workers)]
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(workers) as threads:
        before, start = os.times(), perf_counter()
        outs = [Path(folder) / str(number) for number in range(workers)]
        for out in outs:
            out.mkdir()
        list(threads.map(work, shares, outs, [way] * workers))
        after = os.times()
        made = len(list(Path(folder).rglob("*.png")))
    assert made == len(pictures), f"{made} of {len(pictures)} pictures were made"
    cpu = after.children_user + after.children_system
    return cpu - before.children_user - before.children_system, perf_counter() - start


def main() -> None:
    arguments = parser("Time a folder in one process against a process a picture.")
    arguments.add_argument("--count", type=int, default=24, help="pictures")
    arguments.add_argument("--side", type=int, default=64, help="of LR")
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory() as name:
        pictures = [Path(name) / f"{number:03}.png" for number in range(options.count)]
        for path in pictures:
            Image.fromarray(photograph(options.side, options.side)).save(path)
        times = {
            (way, workers): measured(pictures, way, workers)
            for way in (ONE, EACH)
            for workers in ((1, 2) if cores() > 1 else (1,))
        }
    size = f"{options.count} of {options.side}x{options.side}"
    saved = times[EACH, 1][0] / times[ONE, 1][0]
    rows = [show(Row(NETWORK, size, ONE, EACH, f"{QUICKER}, CPU time", saved))]
    for way in (ONE, EACH) if cores() > 1 else ():
        ratio = times[way, 1][1] / times[way, 2][1]
        place = (NETWORK, size, f"{way}, two workers", "one worker")
        rows.append(show(Row(*place, f"{QUICKER}, by the clock", ratio)))
    if options.keep:
        keep("folder", rows, threads=1)


if __name__ == "__main__":
    main()
