"""Whether changed code still trains as the tracked runs were trained.

A change of code that should not change a result must show the same losses, to the last digit on
the machine that made them. So the first steps of a run are taken again, and their mean loss is
compared with the first line of its log.
"""

from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import torch

from srlib.config import Train
from srlib.data.packed import PackedImages
from srlib.training.devices import Devices
from srlib.training.loop import new_network, new_state, one_step, parallel
from srlib.training.schedule import learning_rate, schedule

# Of the loss; sums in another order, on another machine, have moved it by less than a tenth of it.
TOLERANCE = 1e-3


class Replay(NamedTuple):
    """The mean loss of a run's first steps, as tracked and as it is now.

    Attributes:
        steps: how many.
        tracked, now: the losses.
    """

    steps: int
    tracked: float
    now: float

    @property
    def exact(self) -> bool:
        """Whether they agree to the last digit of the log."""
        return f"{self.tracked:.8f}" == f"{self.now:.8f}"

    @property
    def close(self) -> bool:
        """Whether they agree within ``TOLERANCE``, as another machine's do."""
        return abs(self.now - self.tracked) <= TOLERANCE * self.tracked


def replay(
    name: str,
    settings: dict[str, Any],
    scale: int,
    seed: int,
    recipe: Train,
    store: PackedImages,
    log: str | Path,
) -> Replay:
    """Take the steps of the first line of ``train.csv`` again.

    Args:
        name, settings, scale, seed, recipe, store: as ``train`` took them.
        log: the run's ``train.csv``.
    """
    first = pd.read_csv(log).iloc[0]
    steps = int(first["step"])
    with Devices(recipe) as (device, rank, world):
        network = new_network(name, settings, scale, seed, recipe, store)
        state = new_state(network, recipe, device)
        model = parallel(state.network, recipe)
        losses = []
        for step, stage, local in schedule(recipe.stages):
            if step == steps:
                break
            batch = store.batch(*recipe.drawn(stage, scale), seed, step, rank, world, device)
            rate = learning_rate(stage, local)
            losses.append(one_step(model, state, *batch, stage, rate, recipe))
        return Replay(steps, float(first["loss"]), float(torch.stack(losses).double().mean()))
