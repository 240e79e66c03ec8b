"""The trainer: rates, stages, logs, exact interruption by the clock, errors, several processes."""

import csv
import json
import math
import os
import re
import shutil
import socket
import subprocess
import sys
from dataclasses import asdict, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import tiny_run
import torch
import yaml
from hypothesis import given
from hypothesis import strategies as st
from tiny_run import L1, L2, recipe, run
from torch import Tensor, nn

from srlib.cli import main
from srlib.config import Stage, Train, Validate
from srlib.data.packed import PackedImages
from srlib.evaluation.inference import upscale_array
from srlib.evaluation.score import evaluate
from srlib.paths import ROOT
from srlib.provenance import file_sha256
from srlib.training import loop as training
from srlib.training.checkpoint import CurvePoint
from srlib.training.loop import OutOfTime, TrainingError, falls, learning_rate, schedule
from srlib.weights.files import load_tensors, load_trained

README = ROOT / "README.md"


def flat(steps: int) -> Stage:
    """A stage whose rate does not depend on its number of steps."""
    return Stage(loss="l1", steps=steps, lr=1e-3, lr_end=1e-3, warmup=0)


def sha256(folder: Path) -> str:
    return file_sha256(folder / "weights.safetensors")


def log(folder: Path) -> list[dict[str, str]]:
    with (folder / "train.csv").open() as file:
        return list(csv.DictReader(file))


def losses(folder: Path) -> list[float]:
    return [float(row["loss"]) for row in log(folder)]


def weights(folder: Path) -> Tensor:
    """All weights of a run, one after the other."""
    tensors, _ = load_tensors(folder / "weights.safetensors")
    return torch.cat([tensors[name].flatten() for name in sorted(tensors)])


def until_out_of_time(store: PackedImages, folder: Path, checkpoints: Path, of: Train) -> int:
    """Call again and again what stops at every checkpoint, till it ends; how often it stopped."""
    for stops in range(100):
        try:
            run(store, folder, checkpoints, of)
        except OutOfTime:
            continue
        return stops
    raise AssertionError("the run never ends")


@pytest.fixture(scope="module")
def plain(store: PackedImages, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results of an uninterrupted run."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("plain")
    run(store, folder / "results", folder / "checkpoints", recipe())
    return folder / "results"


# --- the rate ---------------------------------------------------------------------------------

stages = st.builds(
    lambda steps, warmup, high, low: Stage(
        loss="l1", steps=steps, warmup=min(warmup, steps - 1), lr=high, lr_end=high * low
    ),
    st.integers(2, 300),
    st.integers(0, 50),
    st.floats(1e-6, 1),
    st.floats(0, 1),
)


def rates(stage: Stage) -> list[float]:
    return [learning_rate(stage, step) for step in range(stage.steps)]


def test_rate_begins_at_lr_without_warm_up() -> None:
    assert learning_rate(L2, 0) == L2.lr


def test_rate_ends_at_lr_end() -> None:
    assert learning_rate(L1, L1.steps - 1) == pytest.approx(L1.lr_end, rel=1e-12)


def test_rate_is_half_way_in_the_middle() -> None:
    stage = Stage(loss="l1", steps=101, lr=1e-3, lr_end=1e-5, warmup=0)
    assert learning_rate(stage, 50) == pytest.approx((1e-3 + 1e-5) / 2, rel=1e-12)


def test_rate_of_a_single_step_is_lr() -> None:
    assert rates(Stage(loss="l1", steps=1, lr=1e-3, lr_end=1e-5, warmup=0)) == [1e-3]


@given(stages)
def test_rate_rises_linearly_in_the_warm_up(stage: Stage) -> None:
    expected = [stage.lr * (step + 1) / stage.warmup for step in range(stage.warmup)]
    assert rates(stage)[: stage.warmup] == pytest.approx(expected)


@given(stages)
def test_rate_never_rises_after_the_warm_up(stage: Stage) -> None:
    falling = rates(stage)[stage.warmup :]
    assert all(after <= before * (1 + 1e-12) for before, after in pairwise(falling))


@given(stages)
def test_rate_stays_between_its_ends_after_the_warm_up(stage: Stage) -> None:
    low, high = stage.lr_end * (1 - 1e-12), stage.lr * (1 + 1e-12)
    assert all(low <= rate <= high for rate in rates(stage)[stage.warmup :])


def test_schedule_counts_through_all_stages() -> None:
    assert [step for step, _, _ in schedule((L1, L2))] == list(range(30))


def test_schedule_counts_each_stage_from_its_start() -> None:
    assert [local for _, stage, local in schedule((L1, L2)) if stage is L2] == list(range(10))


# --- a whole run ------------------------------------------------------------------------------


def test_loss_falls(store: PackedImages, tmp_path: Path) -> None:
    stage = Stage(loss="l1", steps=40, lr=5e-3, lr_end=1e-3, warmup=2)
    run(store, tmp_path, tmp_path / "checkpoints", recipe(stages=(stage,)))
    assert losses(tmp_path)[-1] < 0.7 * losses(tmp_path)[0]


def test_twice_the_same_run_gives_the_same_file(
    store: PackedImages, plain: Path, tmp_path: Path
) -> None:
    run(store, tmp_path, tmp_path / "checkpoints", recipe())
    assert sha256(tmp_path) == sha256(plain)


def test_another_seed_gives_other_weights(store: PackedImages, plain: Path, tmp_path: Path) -> None:
    run(store, tmp_path, tmp_path / "checkpoints", recipe(), seed=1)
    assert not torch.equal(weights(tmp_path), weights(plain))


def test_log_has_a_line_every_log_every_steps_and_at_the_end_of_a_stage(
    store: PackedImages, tmp_path: Path
) -> None:
    run(store, tmp_path, tmp_path / "c", recipe(log_every=8, checkpoint_every=8))
    assert [int(row["step"]) for row in log(tmp_path)] == [8, 16, 20, 24, 30]


def test_log_names_the_loss_of_each_stage(plain: Path) -> None:
    assert [row["kind"] for row in log(plain)] == ["l1"] * 4 + ["l2"] * 2


def test_log_holds_the_rate_of_its_step(plain: Path) -> None:
    expected = [learning_rate(L1, step) for step in (4, 9, 14, 19)]
    expected += [learning_rate(L2, step) for step in (4, 9)]
    assert [float(row["lr"]) for row in log(plain)] == pytest.approx(expected, rel=1e-6)


def test_log_holds_the_mean_loss_since_the_line_before(
    store: PackedImages, plain: Path, tmp_path: Path
) -> None:
    run(store, tmp_path, tmp_path / "checkpoints", recipe(log_every=1))
    means = [sum(losses(tmp_path)[i : i + 5]) / 5 for i in range(0, 30, 5)]
    assert losses(plain) == pytest.approx(means, abs=1e-7)


def test_header_of_the_weights_is_what_train_returns(store: PackedImages, tmp_path: Path) -> None:
    header, _ = run(store, tmp_path, tmp_path / "checkpoints", recipe())
    found = load_tensors(tmp_path / "weights.safetensors")[1]
    assert found == json.loads(json.dumps(header))


def test_checkpoints_are_deleted_at_the_end(store: PackedImages, tmp_path: Path) -> None:
    run(store, tmp_path / "results", tmp_path / "checkpoints", recipe())
    assert list((tmp_path / "checkpoints").iterdir()) == []


def test_weights_have_the_networks_own_names(plain: Path) -> None:
    network = training.create_network(tiny_run.NETWORK, tiny_run.SCALE, **tiny_run.SETTINGS)
    assert set(load_tensors(plain / "weights.safetensors")[0]) == set(network.state_dict())


def test_a_stage_starts_with_a_new_adam(store: PackedImages, tmp_path: Path) -> None:
    # The first step of a new Adam moves every weight by the rate, whatever its gradient.
    first, second = flat(5), flat(1)
    run(store, tmp_path / "one", tmp_path / "c", recipe(stages=(first,)))
    run(store, tmp_path / "two", tmp_path / "c", recipe(stages=(first, second)))
    moved = (weights(tmp_path / "two") - weights(tmp_path / "one")).abs()
    assert moved.median().item() == pytest.approx(1e-3, rel=1e-3)


# --- validation and cost ----------------------------------------------------------------------

CURVE = Validate(set="noise", every=10)


def curve(folder: Path) -> str:
    return (folder / "validation.csv").read_text()


@pytest.fixture(scope="module")
def validated(store: PackedImages, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("validated")
    run(store, folder / "results", folder / "checkpoints", recipe(validate=CURVE))
    return folder / "results"


def test_the_curve_has_a_point_at_every_interval(validated: Path) -> None:
    assert [line.split(",")[:2] for line in curve(validated).splitlines()[1:]] == [
        ["10", "noise"],
        ["20", "noise"],
        ["30", "noise"],
    ]


def test_the_curve_ends_at_what_evaluation_gives(store: PackedImages, validated: Path) -> None:
    network = load_trained(validated / "weights.safetensors")[0].eval()
    images = evaluate(lambda lr: upscale_array(network, lr), store)
    assert float(curve(validated).splitlines()[-1].split(",")[2]) == pytest.approx(
        images["psnr_y"].mean(), abs=1e-5
    )


def test_validation_does_not_change_the_weights(plain: Path, validated: Path) -> None:
    assert sha256(validated) == sha256(plain)


def test_an_interrupted_run_keeps_its_curve(
    store: PackedImages, validated: Path, tmp_path: Path
) -> None:
    of = recipe(validate=CURVE, max_minutes=1e-9)
    assert until_out_of_time(store, tmp_path / "results", tmp_path / "c", of)
    assert curve(tmp_path / "results") == curve(validated)


def test_a_set_to_validate_on_that_is_not_there_is_named(
    store: PackedImages, tmp_path: Path
) -> None:
    of = recipe(validate=Validate(set="Set5", every=10))
    with pytest.raises(ValueError, match=r"train\.validate: Set5 is not among .*noise"):
        run(store, tmp_path, tmp_path / "c", of)


def test_cost_counts_all_pieces_of_a_run(store: PackedImages, tmp_path: Path) -> None:
    of, pieces = recipe(max_minutes=1e-9), []
    for _ in range(100):
        try:
            cost = run(store, tmp_path, tmp_path / "c", of).cost
            break
        except OutOfTime:
            (checkpoint,) = tmp_path.glob("c/*/checkpoint.safetensors")
            pieces.append(load_tensors(checkpoint)[1]["seconds"])
    assert 0 < pieces[0] < pieces[-1] < (cost["seconds"] or 0) + 0.05


def test_the_share_of_time_that_batches_take_is_printed(
    store: PackedImages, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cost = run(store, tmp_path, tmp_path / "c", recipe()).cost
    assert cost["data_share"] is not None and 0 < cost["data_share"] < 1
    assert f"{cost['data_share']:.2%} of the time went into batches" in capsys.readouterr().out


# --- the recipe's switches --------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        {"precision": "bfloat16"},
        {"ema": 0.9},
        {"batch": 4},
        {"init": "unit_variance"},
        {"patch": 64},
        {"muon": 3.0},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_switch_changes_the_weights(
    store: PackedImages, plain: Path, tmp_path: Path, change: dict[str, Any]
) -> None:
    run(store, tmp_path, tmp_path / "checkpoints", recipe(**change))
    assert not torch.equal(weights(tmp_path), weights(plain))


@pytest.mark.parametrize(
    ("change", "tolerance"),
    [({"channels_last": False}, 1e-5), ({"precision": "bfloat16"}, 0.02)],
    ids=["channels_last", "precision"],
)
def test_layout_and_precision_hardly_change_the_loss(
    store: PackedImages, plain: Path, tmp_path: Path, change: dict[str, Any], tolerance: float
) -> None:
    run(store, tmp_path, tmp_path / "checkpoints", recipe(**change))
    assert losses(tmp_path) == pytest.approx(losses(plain), rel=tolerance)


def test_bfloat16_keeps_the_weights_in_float32(store: PackedImages, tmp_path: Path) -> None:
    run(store, tmp_path, tmp_path / "checkpoints", recipe(precision="bfloat16"))
    assert weights(tmp_path).dtype == torch.float32


def test_ema_is_the_moving_average_of_the_weights(store: PackedImages, tmp_path: Path) -> None:
    def after(steps: int, **change: float) -> Tensor:
        of = recipe(stages=(flat(steps),), **change)
        run(store, tmp_path / f"{steps}{change}", tmp_path / "checkpoints", of)
        return weights(tmp_path / f"{steps}{change}")

    expected = 0.75 * after(1) + 0.25 * after(2)
    torch.testing.assert_close(after(2, ema=0.75), expected, rtol=1e-5, atol=1e-7)


def test_a_compiled_run_gives_the_same_weights(
    store: PackedImages, plain: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = torch.compile
    monkeypatch.setattr(torch, "compile", lambda model: real(model, backend="eager"))
    run(store, tmp_path, tmp_path / "checkpoints", recipe(compile=True))
    torch.testing.assert_close(weights(tmp_path), weights(plain), rtol=1e-4, atol=1e-6)


# --- interruption by the clock ----------------------------------------------------------------

every_recipe = pytest.mark.parametrize(
    "change",
    [
        {},
        {"channels_last": False},
        {"ema": 0.9},
        {"precision": "bfloat16"},
        {"muon": 3.0},
        {"muon": 3.0, "channels_last": False},
    ],
    ids=["channels_last", "contiguous", "ema", "bfloat16", "muon", "muon contiguous"],
)


@every_recipe
def test_a_run_stopped_at_every_checkpoint_gives_the_same_weights(
    store: PackedImages, tmp_path: Path, change: dict[str, Any]
) -> None:
    run(store, tmp_path / "whole", tmp_path / "c", recipe(**change))
    until_out_of_time(store, tmp_path / "parts", tmp_path / "c", recipe(max_minutes=1e-9, **change))
    assert sha256(tmp_path / "parts") == sha256(tmp_path / "whole")


def test_a_run_stopped_at_every_checkpoint_gives_the_same_log(
    store: PackedImages, plain: Path, tmp_path: Path
) -> None:
    until_out_of_time(store, tmp_path, tmp_path / "c", recipe(max_minutes=1e-9))
    assert (tmp_path / "train.csv").read_text() == (plain / "train.csv").read_text()


def test_the_clock_stops_a_run_at_every_checkpoint_but_the_last_step(
    store: PackedImages, tmp_path: Path
) -> None:
    assert until_out_of_time(store, tmp_path, tmp_path / "c", recipe(max_minutes=1e-9)) == 5


def test_out_of_time_names_the_run_and_the_step(store: PackedImages, tmp_path: Path) -> None:
    expected = r"aidn-x4-s0: 1e-09 minutes are over after step 5 of 30; the same command goes on"
    with pytest.raises(OutOfTime, match=expected):
        run(store, tmp_path, tmp_path / "c", recipe(max_minutes=1e-9))


def test_out_of_time_leaves_no_results(store: PackedImages, tmp_path: Path) -> None:
    with pytest.raises(OutOfTime):
        run(store, tmp_path / "results", tmp_path / "c", recipe(max_minutes=1e-9))
    assert not (tmp_path / "results").exists()


def stop(store: PackedImages, tmp_path: Path) -> None:
    """Leave a checkpoint after step 5."""
    with pytest.raises(OutOfTime):
        run(store, tmp_path, tmp_path / "c", recipe(max_minutes=1e-9))


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"max_minutes": 60.0},
        {"checkpoint_every": 10},
        {"log_every": 1},
        {"validate": Validate(every=30)},
    ],
    ids=["same", "time", "often", "log", "curve"],
)
def test_what_does_not_change_the_result_resumes(
    store: PackedImages, tmp_path: Path, capsys: pytest.CaptureFixture[str], change: dict[str, Any]
) -> None:
    stop(store, tmp_path)
    run(store, tmp_path, tmp_path / "c", recipe(**change))
    assert "resumes after step 5 of 30" in capsys.readouterr().out


@pytest.mark.parametrize(
    "change",
    [
        {"batch": 4},
        {"patch": 64},
        {"precision": "bfloat16"},
        {"channels_last": False},
        {"ema": 0.5},
        {"stages": (L1,)},
        {"stages": (L1, Stage(loss="l2", steps=10, lr=2e-4, lr_end=1e-5, warmup=0))},
    ],
    ids=["batch", "patch", "precision", "layout", "ema", "stages", "rate"],
)
def test_a_changed_recipe_does_not_resume(
    store: PackedImages, tmp_path: Path, capsys: pytest.CaptureFixture[str], change: dict[str, Any]
) -> None:
    stop(store, tmp_path)
    run(store, tmp_path, tmp_path / "c", recipe(**change))
    assert "resumes" not in capsys.readouterr().out


def test_another_seed_does_not_resume(
    store: PackedImages, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stop(store, tmp_path)
    run(store, tmp_path, tmp_path / "c", recipe(), seed=1)
    assert "resumes" not in capsys.readouterr().out


def test_changed_code_does_not_resume(
    store: PackedImages,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stop(store, tmp_path)
    monkeypatch.setattr(training, "_code", lambda network: ["changed"])
    run(store, tmp_path, tmp_path / "c", recipe())
    assert "resumes" not in capsys.readouterr().out


@pytest.mark.parametrize("change", [{"log_every": 1}, {"checkpoint_every": 10}])
def test_what_does_not_change_the_result_changes_no_byte_of_it(
    store: PackedImages, plain: Path, tmp_path: Path, change: dict[str, Any]
) -> None:
    run(store, tmp_path, tmp_path / "c", recipe(**change))
    assert sha256(tmp_path) == sha256(plain)


# --- errors -----------------------------------------------------------------------------------


class Spoilt(nn.L1Loss):
    """An L1 loss that is NaN, or has a NaN gradient, from one of its calls on."""

    calls, bad, gradient_only = 0, 0, False

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        Spoilt.calls += 1
        loss = super().forward(x, y)
        if Spoilt.calls < Spoilt.bad:
            return loss
        # the square root of zero has a value, but no gradient
        return loss + (0 * x.sum()).sqrt() if Spoilt.gradient_only else loss * math.nan


@pytest.fixture
def spoil(monkeypatch: pytest.MonkeyPatch) -> type[Spoilt]:
    monkeypatch.setitem(training.LOSSES, "l1", Spoilt)
    monkeypatch.setattr(Spoilt, "calls", 0)
    monkeypatch.setattr(Spoilt, "bad", 13)
    monkeypatch.setattr(Spoilt, "gradient_only", False)
    return Spoilt


def test_a_loss_that_is_not_finite_is_named_with_its_step_and_the_checkpoint(
    store: PackedImages, tmp_path: Path, spoil: type[Spoilt]
) -> None:
    expected = (
        r"aidn-x4-s0: the loss is nan at step 13, rate \S+, of 30; the last good checkpoint is "
        r".*checkpoint\.safetensors; lower train\.stages"
    )
    with pytest.raises(TrainingError, match=expected):
        run(store, tmp_path, tmp_path / "c", recipe())


def test_an_absurd_loss_ends_the_run(store: PackedImages, tmp_path: Path) -> None:
    wild = Stage(loss="l2", steps=20, lr=1.0, lr_end=1.0, warmup=0)
    with pytest.raises(TrainingError, match=r"the loss is \S+ at step \d+, rate 1.0e\+00, of 20"):
        run(store, tmp_path, tmp_path / "c", recipe(stages=(wild,)))


def test_lost_ground_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    curve = [CurvePoint(1, "A", 30.0), CurvePoint(1, "B", 20.0), CurvePoint(2, "A", 29.5)]
    assert falls(curve) == {"A": pytest.approx(0.5), "B": 0.0}


def test_a_loss_that_is_not_finite_before_any_checkpoint_is_named(
    store: PackedImages, tmp_path: Path, spoil: type[Spoilt], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spoil, "bad", 3)
    with pytest.raises(TrainingError, match=r"nan at step 3, .* of 30; there is no checkpoint"):
        run(store, tmp_path, tmp_path / "c", recipe())


def test_a_loss_that_is_not_finite_leaves_no_results(
    store: PackedImages, tmp_path: Path, spoil: type[Spoilt]
) -> None:
    with pytest.raises(TrainingError):
        run(store, tmp_path / "results", tmp_path / "c", recipe())
    assert not (tmp_path / "results").exists()


def test_the_kept_checkpoint_is_the_last_before_the_loss_was_not_finite(
    store: PackedImages, tmp_path: Path, spoil: type[Spoilt]
) -> None:
    with pytest.raises(TrainingError):
        run(store, tmp_path, tmp_path / "c", recipe())
    (checkpoint,) = tmp_path.glob("c/*/checkpoint.safetensors")
    assert load_tensors(checkpoint)[1]["step"] == 10


@pytest.mark.parametrize("bad", [10, 20], ids=["before a checkpoint", "at the last step"])
def test_weights_that_are_not_finite_are_never_written(
    store: PackedImages,
    tmp_path: Path,
    spoil: type[Spoilt],
    monkeypatch: pytest.MonkeyPatch,
    bad: int,
) -> None:
    # The loss of a step is taken before its update, so a bad update shows one step later.
    monkeypatch.setattr(spoil, "gradient_only", True)
    monkeypatch.setattr(spoil, "bad", bad)
    with pytest.raises(TrainingError, match="not finite|nan"):
        run(store, tmp_path, tmp_path / "c", recipe(stages=(L1,)))
    written = [load_tensors(path)[0] for path in tmp_path.rglob("*.safetensors")]
    assert all(tensor.isfinite().all() for tensors in written for tensor in tensors.values())


def test_a_store_of_another_scale_is_named(store: PackedImages, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="was packed for x4; prepare it for x2"):
        training.train("aidn", tiny_run.SETTINGS, 2, 0, recipe(), store, tmp_path, tmp_path / "c")


def test_a_patch_larger_than_an_image_is_named(store: PackedImages, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="patch_hr: 76x76 fits into no image"):
        run(store, tmp_path, tmp_path / "c", recipe(patch=76))


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_missing_gpu_is_named(store: PackedImages, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"train\.device: cuda, but PyTorch sees no GPU"):
        run(store, tmp_path, tmp_path / "c", recipe(device="cuda"))


def test_a_batch_that_does_not_divide_among_the_ranks_is_named(
    store: PackedImages, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "3")
    with pytest.raises(ValueError, match=r"train\.batch: 2 is not a multiple of 3 ranks"):
        run(store, tmp_path, tmp_path / "c", recipe())


# --- patches of a stage's own, and weights to go on from ---------------------------------------


def test_a_stages_own_patches_are_drawn(store: PackedImages, tmp_path: Path) -> None:
    wide = replace(L2, patch=64, batch=1)
    of = recipe(stages=(L1, wide))
    seen = []
    drawn = PackedImages.batch

    def batch(self: PackedImages, *arguments: Any) -> Any:
        seen.append(arguments[:2])
        return drawn(self, *arguments)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(PackedImages, "batch", batch)
        run(store, tmp_path, tmp_path / "c", of)
    assert seen == [(60, 2)] * L1.steps + [(64, 1)] * L2.steps
    assert of.patches == 2 * L1.steps + L2.steps
    assert of.lr_pixels(4) == 2 * L1.steps * 15**2 + L2.steps * 16**2


def test_a_recipe_without_them_is_the_same_run_as_before() -> None:
    stages = recipe().identity["stages"]
    assert all(set(stage) == {"loss", "steps", "lr", "lr_end", "warmup"} for stage in stages)
    assert "start" not in recipe().identity


def test_training_goes_on_from_a_campaigns_weights(
    store: PackedImages, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(store, tmp_path / "first", tmp_path / "c", recipe())
    start = tmp_path / "first" / "weights.safetensors"
    monkeypatch.setattr(training, "started_from", lambda *_: start)
    still = recipe(start="first", stages=(replace(L1, lr=1e-12, lr_end=0, warmup=0),))
    went_on = run(store, tmp_path / "second", tmp_path / "c", still)
    before, after = (
        load_tensors(tmp_path / one / "weights.safetensors")[0] for one in ("first", "second")
    )
    assert all(torch.allclose(before[name], after[name], atol=1e-6) for name in before)
    assert went_on.header["start_sha256"] == file_sha256(start)


def test_a_start_without_weights_is_named(store: PackedImages, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="train.start: nowhere has no weights of aidn x4, seed 0"):
        run(store, tmp_path, tmp_path / "c", recipe(start="nowhere"))


# --- several processes ------------------------------------------------------------------------


SIXTEEN: dict[str, Any] = {"batch": 16, "log_every": 1, "stages": [asdict(L1)]}


def two_ranks(store: PackedImages, folder: Path, **extra: str) -> tuple[list[int | None], str]:
    """The run on two gloo processes of 8 patches each, results in ``folder/two``.

    As torchrun does, the second is ended where the first fails. Exit codes, and what the first
    printed.
    """
    job = {
        "store": str(store.folder),
        "folder": str(folder / "two"),
        "checkpoints": str(folder / "c2"),
        "recipe": SIXTEEN,
    }
    common = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port())}
    both = [
        tiny_run.start(job | extra, folder / f"{rank}.txt", common | {"RANK": str(rank)})
        for rank in range(2)
    ]
    both[0].join(120)
    if both[0].exitcode != 0:
        both[1].kill()
    both[1].join(120)
    return [process.exitcode for process in both], (folder / "0.txt").read_text()


@pytest.fixture(scope="module")
def ranks(store: PackedImages, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Results of one process and of two, with one global batch of 16."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("ranks")
    assert two_ranks(store, folder)[0] == [0, 0]
    run(store, folder / "one", folder / "c1", recipe(**SIXTEEN))
    return folder / "one", folder / "two"


def test_two_ranks_follow_one_process(ranks: tuple[Path, Path]) -> None:
    one, two = ranks
    assert losses(two) == pytest.approx(losses(one), abs=1e-5)


def test_two_ranks_end_at_the_weights_of_one_process(ranks: tuple[Path, Path]) -> None:
    one, two = ranks
    torch.testing.assert_close(weights(two), weights(one), rtol=0, atol=1e-4)


def test_a_run_killed_on_two_ranks_resumes(
    store: PackedImages, ranks: tuple[Path, Path], tmp_path: Path
) -> None:
    # The first process is killed half-way through the results.
    killed, _ = two_ranks(store, tmp_path, die_writing="weights")
    resumed, printed = two_ranks(store, tmp_path)
    assert (killed[0] != 0, resumed) == (True, [0, 0])
    assert "resumes after step 15 of 20" in printed
    assert sha256(tmp_path / "two") == sha256(ranks[1])


@pytest.fixture
def campaign(store: PackedImages, tmp_path: Path) -> Path:
    """A folder with a parameter file of 20 steps and its packed images, ready to train in."""
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    params["networks"] = {"aidn-aidb": tiny_run.SETTINGS}
    params["matrix"] |= {"networks": ["aidn-aidb"], "seeds": [0]}
    params["train"] |= {"stages": [asdict(L1)], "batch": 4, "patch": 60, "log_every": 5}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params))
    shutil.copytree(store.folder, tmp_path / "datasets/quick/x4/train")
    return tmp_path


def trained_by(command: list[str], folder: Path) -> Path:
    """Run a training's command line in a folder; where its results are."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PET_MASTER_PORT": str(free_port())}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=180
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("steps of") == 1, done.stdout
    return folder / "results/quick/aidn-aidb-x4/seed0"


def free_port() -> int:
    """Of two runs of the tests at once each needs its own."""
    with socket.socket() as any_port:
        any_port.bind(("127.0.0.1", 0))
        return any_port.getsockname()[1]


def test_the_readmes_line_for_several_devices(
    campaign: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (line,) = re.findall(r"^torchrun --nproc-per-node 4 .*$", README.read_text(), re.MULTILINE)
    words = line.replace("-node 4", "-node 2").replace("FILE", "params.yaml").split()
    torchrun = [sys.executable, "-m", "torch.distributed.run"]
    assert words[0] == "torchrun"
    two = trained_by([*torchrun, *words[1:]], campaign)
    record = json.loads(
        (campaign / "results/runs/quick/train-aidn-aidb-x4-s0.json").read_text(encoding="utf-8")
    )
    assert (record["weights_sha256"], record["steps"]) == (sha256(two), L1.steps)
    curve = losses(two)
    shutil.rmtree(campaign / "results")
    monkeypatch.chdir(campaign)
    assert main(words[words.index("-m") + 2 :]) == 0
    assert curve == pytest.approx(losses(two), abs=1e-5)
