"""The state of a run at one step, and how it is saved and loaded."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.swa_utils import AveragedModel

from srlib.provenance import digest
from srlib.training.devices import Stopwatch, joules
from srlib.weights.files import WeightsError, load_tensors, save_tensors, state_sha256


class LogRow(NamedTuple):
    """A line of ``train.csv``: the loss's kind and mean since the line before, Adam's rate."""

    step: int
    kind: str
    loss: float
    lr: float


class CurvePoint(NamedTuple):
    """A line of ``validation.csv``: PSNR-Y in dB, the mean over the images of a set."""

    step: int
    set: str
    psnr_y: float


class Cost:
    """Seconds of all steps over all pieces of a run, without validation and checkpoints."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.seconds, self.data_seconds = 0.0, 0.0  # of a batch's making, within the seconds
        self.energy: float | None = 0.0
        self.counter = joules(device)
        self.steps, self.data = Stopwatch(device), Stopwatch(device)

    def update(self) -> None:
        """Add what the watches and the energy counter show since the last call."""
        self.seconds += self.steps.seconds()
        self.data_seconds += self.data.seconds()
        self.steps, self.data = Stopwatch(self.device), Stopwatch(self.device)
        now = joules(self.device)
        if now is None or self.counter is None or self.energy is None or now < self.counter:
            self.energy = None  # not reported, or the counter started anew
        else:
            self.energy += now - self.counter
        self.counter = now

    def report(self, steps: int) -> dict[str, float | None]:
        """Seconds, ms_a_step, data_share (of the seconds, spent on making batches), joules."""
        self.update()
        return {
            "seconds": round(self.seconds, 1),
            "ms_a_step": round(1e3 * self.seconds / max(1, steps), 2),
            "data_share": round(self.data_seconds / max(self.seconds, 1e-9), 5),
            "joules": self.energy,
        }


@dataclass
class State:
    """All that a run needs to go on from a step.

    Attributes:
        network: being trained.
        ema: the moving average of its weights, if there is one.
        optimizers: by name; a stage of the recipe starts with new ones.
        cost: what the steps took so far.
        step: how many are done.
        log, curve: the lines of ``train.csv`` and ``validation.csv`` so far.
    """

    network: nn.Module
    ema: AveragedModel | None
    optimizers: dict[str, Optimizer]
    cost: Cost
    step: int = 0
    log: list[LogRow] = field(default_factory=list)
    curve: list[CurvePoint] = field(default_factory=list)

    @property
    def result(self) -> nn.Module:
        """The network that is written if the run ends here."""
        return self.network if self.ema is None else self.ema.module

    def save(self, path: Path) -> None:
        """Write a checkpoint, whole or not at all."""
        tensors = {f"network.{key}": value for key, value in self.network.state_dict().items()}
        if self.ema is not None:
            tensors |= {f"ema.{key}": value for key, value in self.ema.state_dict().items()}
        for name, optimizer in self.optimizers.items():
            for number, state in optimizer.state_dict()["state"].items():
                tensors |= {f"{name}.{number}.{key}": value for key, value in state.items()}
        self.cost.update()
        header = {
            "step": self.step,
            "log": self.log,
            "curve": self.curve,
            "seconds": self.cost.seconds,
            "data_seconds": self.cost.data_seconds,
            "energy": self.cost.energy,
        }
        save_tensors(tensors, path, header | {"sha256": _seal(tensors, header)})

    def load(self, path: Path) -> None:
        """Load a checkpoint into this state.

        Raises:
            WeightsError: it is not as it was written.
        """
        tensors, header = _whole(path)
        self.network.load_state_dict(_part(tensors, "network."))
        if self.ema is not None:
            self.ema.load_state_dict(_part(tensors, "ema."))
        for name, optimizer in self.optimizers.items():
            _load_optimizer(optimizer, _part(tensors, f"{name}."))
        self.step = header["step"]
        self.log = [LogRow(*row) for row in header["log"]]
        self.curve = [CurvePoint(*row) for row in header["curve"]]
        self.cost.seconds, self.cost.data_seconds = header["seconds"], header["data_seconds"]
        self.cost.energy = header["energy"]


def _whole(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """What a checkpoint holds, if no bit of it has changed since it was written."""
    try:
        tensors, header = load_tensors(path)
        seal = header.pop("sha256", None)  # None: written before checkpoints had one
        whole = "step" in header and seal in (None, _seal(tensors, header))
    except WeightsError:
        whole = False
    if not whole:
        raise WeightsError(
            f"{path} is damaged: it is not the checkpoint that was written; delete it, and the "
            "same command trains from the start"
        )
    return tensors, header


def _seal(tensors: dict[str, Tensor], header: dict[str, Any]) -> str:
    """A digest of all that a checkpoint holds: a changed bit would train on in silence."""
    return digest([header, state_sha256(tensors)])


def _load_optimizer(optimizer: Optimizer, tensors: dict[str, Tensor]) -> None:
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        number, what = key.split(".", 1)
        like = parameters[int(number)]
        if value.shape == like.shape:  # the fused Adam pairs elements by their place in memory
            value = torch.empty_like(like).copy_(value)
        state.setdefault(int(number), {})[what] = value
    optimizer.load_state_dict(optimizer.state_dict() | {"state": state})


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
