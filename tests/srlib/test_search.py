"""The search of rates: the recipe shortened, scored on images held out, lost runs said."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tiny_run import NETWORK, SCALE, SEED, SETTINGS, recipe

from srlib.data.packed import PackedImages
from srlib.training.search import COLUMNS, search, shortened


@given(st.floats(0.001, 1), st.floats(0.1, 8))
def test_a_shortened_recipe_keeps_its_stages_and_their_losses(fraction: float, rate: float) -> None:
    whole, short = recipe(), shortened(recipe(), fraction, rate)
    assert [stage.loss for stage in short.stages] == [stage.loss for stage in whole.stages]


@given(st.floats(0.001, 1))
def test_a_shortened_stage_has_steps_beyond_its_warmup(fraction: float) -> None:
    assert all(stage.warmup < stage.steps for stage in shortened(recipe(), fraction, 1.0).stages)


def test_the_whole_recipe_at_its_own_rate_is_the_recipe() -> None:
    assert shortened(recipe(), 1.0, 1.0).identity == recipe().identity


@given(st.floats(0.1, 8))
def test_every_rate_of_the_recipe_is_multiplied(rate: float) -> None:
    whole, short = recipe(), shortened(recipe(), 1.0, rate)
    expected = [(stage.lr * rate, stage.lr_end * rate) for stage in whole.stages]
    assert [(stage.lr, stage.lr_end) for stage in short.stages] == expected


@pytest.fixture
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.mark.usefixtures("one_thread")
def test_a_search_scores_each_set_held_out(store: PackedImages, tmp_path: Path) -> None:
    table = search(
        NETWORK, SETTINGS, SCALE, SEED, recipe(), store, store, 0.5, 0.2, tmp_path / "checkpoints"
    )
    assert list(table.columns) == COLUMNS
    assert list(table["set"]) == sorted({name for name, _ in store.names})
    assert table["psnr_y"].between(5, 60).all()


@pytest.mark.usefixtures("one_thread")
def test_a_run_that_is_lost_has_no_score(
    store: PackedImages, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wild = recipe(stages=(replace(recipe().stages[0], lr=1.0, lr_end=1.0, warmup=0),))
    table = search(
        NETWORK, SETTINGS, SCALE, SEED, wild, store, store, 1.0, 1.0, tmp_path / "checkpoints"
    )
    assert table["psnr_y"].isna().all()
    assert "lost" in capsys.readouterr().out
