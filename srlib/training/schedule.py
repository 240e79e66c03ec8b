"""The learning rate of every step of a run."""

import math
from collections.abc import Iterator

from srlib.config import Stage


def learning_rate(stage: Stage, step: int) -> float:
    """Half a cosine from ``lr`` to ``lr_end`` after a linear warm-up; ``step`` from 0.

    The paper gives the two ends (section 4.2), not the form between them.
    """
    if step < stage.warmup:
        return stage.lr * (step + 1) / stage.warmup
    done = (step - stage.warmup) / max(1, stage.steps - 1 - stage.warmup)
    return stage.lr_end + (stage.lr - stage.lr_end) * (1 + math.cos(math.pi * min(done, 1.0))) / 2


def schedule(stages: tuple[Stage, ...]) -> Iterator[tuple[int, Stage, int]]:
    """(step of the run, stage, step of the stage) for every step of a run."""
    step = 0
    for stage in stages:
        for local in range(stage.steps):
            yield step, stage, local
            step += 1
