"""Pictures a second of `srlib upscale --ray` by one and two workers, and what a million would take.

    python benchmarks/cluster.py --engine auto --price 0.05

Two jobs of different length are timed for each number of workers: the difference is the workers'
steady rate, without the start of Ray and of the engine. By the clock it holds for an idle machine
alone; the CPU time of the workers holds for any, and from it follow the hours of one core for a
million pictures. A node of N cores takes an Nth of them; with ``--price``, of an hour of one core,
their cost is printed too.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import threading
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

import psutil
import torch
from PIL import Image
from table import Row, keep, load, parser, photograph, show
from torch import nn

from srlib.cluster import enlarge_on_ray
from srlib.engines.compiled import compile
from srlib.engines.extras import MissingExtra, need

MILLION = 10**6


def make(name: str, engine: Any) -> nn.Module:
    torch.set_num_threads(1)
    return compile(load(name), engine)


class Workers(threading.Thread):
    """Watches the CPU time of all processes of Ray until it is stopped."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.seen: dict[int, float] = {}
        self.ended = threading.Event()

    def run(self) -> None:
        while not self.ended.wait(0.2):
            for process in psutil.Process().children(recursive=True):
                with contextlib.suppress(psutil.Error):  # it has just ended
                    if process.name().startswith("ray::"):
                        times = process.cpu_times()
                        self.seen[process.pid] = times.user + times.system

    def stop(self) -> float:
        """Seconds that they took together."""
        self.ended.set()
        self.join()
        return sum(self.seen.values())


def seconds(count: int, side: int, workers: int, name: str, engine: str) -> tuple[float, float]:
    """By the clock and of the workers' CPU time, of a job of so many pictures."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "in"
        source.mkdir()
        for number in range(count):
            Image.fromarray(photograph(side, side)).save(source / f"{number}.png")
        watched, start = Workers(), perf_counter()
        watched.start()
        out = str(Path(folder) / "out")
        report = enlarge_on_ray(
            str(source), out, "benchmark", partial(make, name, engine), workers=workers
        )
        assert report.made == count, report.errors
        return perf_counter() - start, watched.stop()


def main() -> None:
    arguments = parser("Time Ray's workers.")
    arguments.add_argument("--network", default="aidn")
    arguments.add_argument("--engine", default="auto")
    arguments.add_argument("--side", type=int, default=512, help="of LR")
    arguments.add_argument("--count", type=int, default=8,
                           help="pictures a worker, of the shorter job; the longer has thrice as "
                           "many")  # fmt: skip
    arguments.add_argument("--price", type=float, help="of an hour of one core")
    options = arguments.parse_args()
    try:
        ray = need("ray", "ray", "this benchmark")
    except MissingExtra as error:
        print(error)
        return
    # Workers are new processes: they must find this script, and take one thread each
    os.environ["OMP_NUM_THREADS"] = "1"
    places = [str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, places))
    size, rows = f"{options.side}x{options.side}", []
    ray.init(num_cpus=2, log_to_driver=False)
    for workers in (1, 2):
        few = options.count * workers
        times = [
            seconds(count, options.side, workers, options.network, options.engine)
            for count in (few, 3 * few)
        ]
        clock, cpu = ((long - short) / (2 * few) for short, long in zip(*times, strict=True))
        place = (options.network, size, f"{workers} of Ray's workers, --engine {options.engine}")
        rows.append(show(Row(*place, "", "pictures a second, by the clock", 1 / clock)))
        rows.append(show(Row(*place, "", "seconds of CPU time a picture", cpu)))
        hours = MILLION * cpu / 3600
        rows.append(show(Row(*place, "", "hours of one core for a million pictures", hours)))
        if options.price:
            print(f"at {options.price:g} an hour: {options.price * hours:,.0f}")
    ray.shutdown()
    if options.keep:
        keep("cluster", rows, threads=1)


if __name__ == "__main__":
    main()
