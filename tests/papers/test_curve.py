"""The learning curve: LR pixels of a run with stages of its own, and of one that goes on."""

import math
from pathlib import Path
from typing import Any

import made_up
import pytest

from papers import ablation, curve
from srlib.config import load_config
from srlib.paths import ROOT, Result

STAGE = {"loss": "l1", "steps": 10, "lr": 1e-3, "lr_end": 0.0, "warmup": 0}


def header(**train: Any) -> dict[str, Any]:
    recipe = {"batch": 8, "patch": 96, "stages": [STAGE]} | train
    return {"scale": 4, "steps": 10, "train": recipe}


@pytest.mark.parametrize(
    ("own", "pixels"),
    [
        ({}, 10 * 8 * 24**2),
        ({"stages": [STAGE, STAGE | {"patch": 192, "batch": 2}]}, 10 * 8 * 24**2 + 10 * 2 * 48**2),
    ],
)
def test_the_pixels_of_a_run_are_those_of_its_stages(own: dict[str, Any], pixels: int) -> None:
    assert curve.lr_pixels(header(**own)) == pixels


def test_a_run_that_goes_on_counts_what_came_before(tmp_path: Path) -> None:
    for campaign, own in (("first", {}), ("second", {"start": "first"})):
        result = Result(campaign, "aidn", 4, seed=0)
        sets = {"Set5": {"psnr_y": 30.0}}
        made_up.write(tmp_path, result, campaign, sets, training=header(**own))
    table = curve.points(tmp_path).set_index("campaign")["lr_pixels"]
    assert table["second"] == 2 * table["first"] > 0


@pytest.mark.parametrize(
    "path", sorted(ROOT.glob("campaigns/*/params.yaml")), ids=lambda p: p.parent.name
)
def test_a_recipes_pixels_are_those_of_its_headers(path: Path) -> None:
    train = load_config(path).train
    if train is None:
        pytest.skip("this campaign trains nothing")
    own = {"scale": 4, "steps": train.steps, "train": train.identity}
    assert curve.lr_pixels(own) == train.lr_pixels(4)


def test_a_step_with_a_larger_spread_needs_more_seeds() -> None:
    table = ablation.seeds_needed("ablation")
    assert (table["needed"] >= 2).all() and len(table) == 4
    by = table.assign(ratio=table["deviation"] / table["published"].abs()).sort_values("ratio")
    assert by["needed"].is_monotonic_increasing


def test_recipes_are_compared_on_images_held_out_alone() -> None:
    table = curve.held_out()
    tests = set(curve.points()["set"])
    assert len(table) and not tests & set(table.columns)


def test_a_recipe_is_told_by_the_patches_of_its_stages() -> None:
    by_campaign = curve.held_out().set_index("campaign")["patches"]
    for campaign, patches in by_campaign.items():
        recipe = load_config(ROOT / "campaigns" / str(campaign) / "params.yaml").train
        assert recipe is not None
        expected = {stage.patch or recipe.patch for stage in recipe.stages}
        assert {int(side) for side in patches.split(", ")} == expected


def test_a_pace_is_of_one_recipe_and_of_images_held_out(tmp_path: Path) -> None:
    """A whole run sees four times the pixels of the search's, so twice them bring half of it."""
    own = header(validate={"every": 5})
    result = Result("some", "aidn-aidb", 4, seed=0)
    sets = {"Set5": {"psnr_y": 30.0}}
    made_up.write(tmp_path, result, "whole", sets, training=own)
    (result.folder(tmp_path) / "validation.csv").write_text(
        "step,set,psnr_y\n5,BSD400,27\n10,BSD400,28.4\n"
    )
    assert math.isnan(curve.pace("some", root=tmp_path))
    short = curve.lr_pixels(own) // 4
    for rate, psnr in ((0.5, 20.0), (1.0, 28.0)):
        stem = f"aidn-aidb-x4-rate{rate:g}"
        write(tmp_path / f"results/runs/some/search-{stem}.json", '{"run": "search"}')
        line = f"aidn-aidb,4,{rate},0,{short},BSD400,{psnr}"
        write(
            tmp_path / f"results/some/search/{stem}.csv",
            f"network,scale,rate,seed,lr_pixels,set,psnr_y\n{line}\n",
        )
    assert curve.pace("some", root=tmp_path) == pytest.approx(0.2)
    assert curve.times_more(0.4, 0.2) == pytest.approx(4)


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
