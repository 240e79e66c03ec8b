"""First steps taken again: equal code gives equal losses, other arithmetic does not."""

from pathlib import Path
from typing import Any

import pytest
from tiny_run import NETWORK, SCALE, SEED, SETTINGS, recipe, run

from srlib.data.packed import PackedImages
from srlib.training.replay import Replay, replay


@pytest.fixture(scope="module")
def log(store: PackedImages, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    run(store, folder, folder / "c", recipe())
    return folder / "train.csv"


def again(store: PackedImages, log: Path, seed: int = SEED, **changes: Any) -> Replay:
    return replay(NETWORK, SETTINGS, SCALE, seed, recipe(**changes), store, log)


def test_the_same_code_gives_the_same_losses(store: PackedImages, log: Path) -> None:
    found = again(store, log)
    assert found.exact and found.close and found.steps == 5


@pytest.mark.parametrize(
    "change", [{"batch": 4}, {"init": "unit_variance"}, {"muon": 3.0}, {"patch": 64}]
)
def test_another_training_gives_others(
    store: PackedImages, log: Path, change: dict[str, Any]
) -> None:
    assert not again(store, log, **change).exact


def test_another_seed_is_not_close(store: PackedImages, log: Path) -> None:
    assert not again(store, log, seed=1).close


@pytest.mark.parametrize(
    ("now", "exact", "close"),
    [
        (0.1, True, True),
        (0.100000001, True, True),  # the log has eight digits
        (0.1000001, False, True),
        (0.09995, False, True),
        (0.1002, False, False),
    ],
)
def test_what_counts_as_equal(now: float, exact: bool, close: bool) -> None:
    found = Replay(5, 0.1, now)
    assert (found.exact, found.close) == (exact, close)
