"""All networks with their authors' weights on registered sets: by several processes, in one table.

The table is written anew after each set of a network, whole: an interrupted job, typed again, goes
on, and what has changed since is scored anew.
"""

import multiprocessing
import os
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd
import torch
from tqdm import tqdm

from srlib.data.packed import PackedImages
from srlib.data.registry import manifest_digest
from srlib.engines.compiled import Engine, Precision, compile
from srlib.evaluation.inference import SelfEnsemble, upscale_array
from srlib.evaluation.metrics import PROTOCOL
from srlib.evaluation.score import Pair, evaluate_images
from srlib.files import write_csv
from srlib.provenance import digest
from srlib.weights.official import load_official, official

PLACE = ["network", "scale", "set"]
COLUMNS = [*PLACE, "image", "psnr_y", "ssim_y", "by"]


@dataclass(frozen=True)
class How:
    """What determines the scores beside weights and images."""

    border: str = "replicate"
    engine: Engine = "torch"
    precision: Precision = "f32"
    self_ensemble: bool = False
    chop: bool = False


@dataclass(frozen=True)
class Task:
    """One network on one set; ``by`` is the digest of all that determines the scores."""

    network: str
    scale: int
    set: str
    by: str


def score_all(
    store: Path, sets: Sequence[str], scale: int, table: Path, jobs: int, how: How
) -> tuple[pd.DataFrame, list[str]]:
    """Score what ``table`` does not hold yet; a network that fails stops no other.

    Args:
        store: packed images of the sets at this scale.
        sets: their names, in order.
        scale: of the networks; those that were not published at it are left out.
        table: the CSV to go on with and to write: a row an image, with the digest ``by``.
        jobs: how many processes; each has its share of the processor's threads.
        how: as all of them score.

    Returns:
        The table, and a line for each network and set that failed.

    Raises:
        ValueError: a file of another kind is at ``table``, or a process was killed.
    """
    tasks = tasks_of(sets, scale, how)
    done = _read(table)
    todo = [task for task in tasks if not _holds(done, task)]
    errors: list[str] = []
    with (
        ProcessPoolExecutor(
            jobs,
            multiprocessing.get_context("spawn"),
            torch.set_num_threads,
            (max(1, (os.cpu_count() or 1) // jobs),),
        ) as processes,
        tqdm(total=len(todo), unit="set", disable=None) as bar,
    ):
        started = {processes.submit(score_one, task, store, how): task for task in todo}
        try:
            for future in as_completed(started):
                task = started[future]
                try:
                    rows = future.result()
                except BrokenProcessPool:
                    raise
                except (ValueError, OSError) as error:
                    errors.append(f"{task.network} x{scale} on {task.set}: {error}")
                else:
                    parts = [part for part in (done[~_of(done, task)], rows) if len(part)]
                    done = _ordered(pd.concat(parts), tasks)
                    write_csv(table, done)
                bar.update()
        except BrokenProcessPool:
            raise ValueError(
                "a process was killed, perhaps for want of memory; type the same again, with "
                "fewer --jobs: what is scored stays"
            ) from None
        finally:
            _cancel(started)
    return done, errors


def tasks_of(sets: Sequence[str], scale: int, how: How) -> list[Task]:
    """Every network that was published at this scale, on every set.

    Raises:
        ValueError: there is none.
    """
    there = {name: entry for name, entry in official().items() if scale in entry["files"]}
    if not there:
        raise ValueError(f"--scale {scale}: no authors' weights of this scale are known")
    return [
        Task(name, scale, each, _digest(entry["files"][scale]["state_sha256"], each, how))
        for name, entry in there.items()
        for each in sets
    ]


def score_one(task: Task, store: Path, how: How) -> pd.DataFrame:
    """What a process does: ``COLUMNS`` of one network on one set."""
    images = PackedImages(store)
    network = compile(load_official(task.network, task.scale), how.engine, how.precision)
    ready = SelfEnsemble(network) if how.self_ensemble else network
    pairs = (
        Pair(*name, images.lr(index), images.hr(index))
        for index, name in enumerate(images.names)
        if name[0] == task.set
    )
    scores = evaluate_images(lambda lr: upscale_array(ready, lr, chop=how.chop), pairs, task.scale)
    return scores.assign(**asdict(task))[COLUMNS]


def _digest(weights: str, name: str, how: How) -> str:
    return digest([weights, manifest_digest([name]), asdict(how), PROTOCOL])[:10]


def _read(path: Path) -> pd.DataFrame:
    if not path.exists():
        return pd.DataFrame(columns=COLUMNS)
    table = pd.read_csv(path, dtype={"by": str, "image": str})
    if list(table.columns) != COLUMNS:
        raise ValueError(f"{path} is no table of `srlib evaluate --all`; name another --csv")
    return table


def _of(table: pd.DataFrame, task: Task) -> pd.Series:
    same = [table[column] == getattr(task, column) for column in PLACE]
    return same[0] & same[1] & same[2]


def _holds(table: pd.DataFrame, task: Task) -> bool:
    rows = table[_of(table, task)]
    return len(rows) > 0 and bool((rows["by"] == task.by).all())


def _ordered(table: pd.DataFrame, tasks: Sequence[Task]) -> pd.DataFrame:
    """By network and set as the tasks are, whichever process was the first; others stay behind."""
    places = {(task.network, task.scale, task.set): place for place, task in enumerate(tasks)}
    rank = [places.get(tuple(row), len(places)) for row in table[PLACE].itertuples(index=False)]
    order = sorted(range(len(table)), key=rank.__getitem__)
    return table.iloc[order].reset_index(drop=True)


def _cancel(started: dict[Future[pd.DataFrame], Task]) -> None:
    """After an interruption nothing more is begun."""
    for future in started:
        future.cancel()
