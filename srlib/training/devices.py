"""Where a run computes: a CPU, a GPU, or whatever ``torchrun`` starts; its time and energy."""

import os
import time
from pathlib import Path

import torch
import torch.distributed as dist

from srlib.config import Train


def is_first() -> bool:
    """Whether this process is the one that writes: the only one, or rank 0 under torchrun."""
    return int(os.environ.get("RANK", 0)) == 0


class Devices:
    """Set the device and, under torchrun, the process group up; take it down again."""

    def __init__(self, recipe: Train) -> None:
        self.recipe = recipe

    def __enter__(self) -> tuple[torch.device, int, int]:
        rank, world = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
        for batch in {self.recipe.batch, *(one.batch or world for one in self.recipe.stages)}:
            if batch % world:
                raise ValueError(f"train.batch: {batch} is not a multiple of {world} ranks")
        torch.set_num_threads(self.recipe.threads)
        device = torch.device("cpu")
        if self.recipe.device == "cuda":
            if not torch.cuda.is_available():
                raise ValueError(
                    "train.device: cuda, but PyTorch sees no GPU; set it to cpu, or install a "
                    "CUDA build of torch (README, section Hardware)"
                )
            device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0)))
            torch.cuda.set_device(device)
            torch.backends.cudnn.benchmark = True
        if "RANK" in os.environ:
            dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
        return device, rank, world

    def __exit__(self, *_: object) -> None:
        if dist.is_initialized():
            dist.destroy_process_group()


class Stopwatch:
    """Adds up the time that a device spends in ``with`` blocks; a GPU is not waited for.

    >>> watch = Stopwatch(torch.device("cpu"))
    >>> with watch:
    ...     work()
    >>> watch.seconds()
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.total = 0.0
        self.events: list[tuple[torch.cuda.Event, torch.cuda.Event]] = []

    def __enter__(self) -> None:
        if self.device.type == "cuda":
            self.events.append((_event(), _event()))
            self.events[-1][0].record()
        else:
            self.started = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        if self.device.type == "cuda":
            self.events[-1][1].record()
        else:
            self.total += time.perf_counter() - self.started

    def seconds(self) -> float:
        """The sum so far; on a GPU it waits for what was recorded."""
        for start, end in self.events:
            end.synchronize()
            self.total += start.elapsed_time(end) / 1e3
        self.events = []
        return self.total


def _event() -> torch.cuda.Event:
    return torch.cuda.Event(enable_timing=True)


RAPL = Path("/sys/class/powercap/intel-rapl:0")  # AMD's processors report there too


def joules(device: torch.device) -> float | None:
    """The device's energy counter; None where it has none, or none that we may read.

    A GPU's is NVML's (needs the package nvidia-ml-py), a CPU's that of its first package, which
    Linux shows to root alone, and which starts anew at ``max_energy_range_uj``.
    """
    if device.type == "cuda":
        try:
            import pynvml  # type: ignore[import-not-found]

            pynvml.nvmlInit()
            handle = pynvml.nvmlDeviceGetHandleByIndex(device.index or 0)
            return pynvml.nvmlDeviceGetTotalEnergyConsumption(handle) / 1e3
        except Exception:  # the package, the driver or the card does not have it
            return None
    try:
        return int((RAPL / "energy_uj").read_text()) / 1e6
    except (OSError, ValueError):
        return None
