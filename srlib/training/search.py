"""Whether the networks of an ablation differ in the learning rate that suits them.

A rate that suits one block and not another would decide the ablation by itself. So each network is
trained by the campaign's own recipe, every stage shortened alike, at several multiples of its
rates, and scored on the images held out of training: no test set is looked at.

What a short run prefers need not be what lasts: a rate that was best in short runs has undone
itself in a longer one. So the search compares networks; it does not by itself choose the rate.
"""

import math
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd

from srlib.config import Train, Validate
from srlib.data.packed import PackedImages
from srlib.training.loop import CHECKPOINTS, TrainingError, train

COLUMNS = ["network", "scale", "rate", "seed", "lr_pixels", "set", "psnr_y"]


def shortened(recipe: Train, fraction: float, rate: float) -> Train:
    """The recipe with every stage's steps times ``fraction`` and every rate times ``rate``.

    Warm-up is shortened as the steps are. It is scored once, at its end.
    """
    stages = tuple(
        replace(
            stage,
            steps=max(1, round(stage.steps * fraction)),
            warmup=min(round(stage.warmup * fraction), max(1, round(stage.steps * fraction)) - 1),
            lr=stage.lr * rate,
            lr_end=stage.lr_end * rate,
        )
        for stage in recipe.stages
    )
    steps = sum(stage.steps for stage in stages)
    return replace(recipe, stages=stages, validate=Validate(every=steps), max_minutes=0)


def search(
    name: str,
    settings: dict[str, Any],
    scale: int,
    seed: int,
    recipe: Train,
    store: PackedImages,
    validation: PackedImages,
    rate: float,
    fraction: float,
    checkpoints: Path = CHECKPOINTS,
) -> pd.DataFrame:
    """Train one network shortly at one multiple of the recipe's rates.

    Args:
        name, settings, scale, seed, recipe: as ``train`` takes them.
        store, validation, checkpoints: likewise.
        rate: the multiple.
        fraction: of each stage's steps.

    Returns:
        ``COLUMNS``: a row a set held out; psnr_y (dB, mean over its images) is not a number where
        the run was lost at this rate.
    """
    short = shortened(recipe, fraction, rate)
    with TemporaryDirectory() as folder:
        try:
            train(name, settings, scale, seed, short, store, folder, checkpoints, validation)
            scores = pd.read_csv(Path(folder) / "validation.csv").groupby("set", sort=False).last()
            found = scores["psnr_y"].to_dict()
        except TrainingError as error:
            print(f"rate x{rate:g}: lost: {error}")
            found = dict.fromkeys(dict.fromkeys(name for name, _ in validation.names), math.nan)
    facts = [name, scale, rate, seed, short.lr_pixels(scale)]
    return pd.DataFrame([[*facts, *row] for row in found.items()], columns=COLUMNS)
