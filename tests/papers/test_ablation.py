"""The ablation's evidence, from campaigns made up here: their numbers are no results."""

import json
import shutil
from pathlib import Path

import made_up
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from papers.ablation import (
    TOGETHER,
    answer,
    at_equal_minutes,
    best,
    best_rates,
    control,
    controlled,
    cost,
    decided,
    equal_minutes,
    fair,
    price,
    printed,
    seeds_needed,
    steps,
    validation_log,
    wanting,
)
from papers.results import searched
from papers.show import figures
from srlib.paths import ROOT, Result

NETWORKS = ("aidn-base", "aidn-aieb", "aidn-fdc", "aidn-aidb")
LEVELS = dict(zip(NETWORKS, (0.00, 0.10, 0.05, 0.05), strict=True))  # up, down, level: dB above
PRINTED = {"Set5": 32.2, "Set14": 28.6}  # what is printed, nearly
IMAGES = {"Set5": 5, "Set14": 14}
STEPS, BATCH, PATCH = 100, 8, 64


def make(
    root: Path,
    campaign: str = "ablation",
    seeds: int = 3,
    images: dict[str, int] = IMAGES,
    networks: tuple[str, ...] = NETWORKS,
    spent: dict[str, float | None] | None = None,
) -> Path:
    """A campaign as the stages would leave it, with scores drawn around ``LEVELS``."""
    generator = np.random.default_rng(0)
    level = {name: generator.normal(0, 3, count) for name, count in images.items()}
    level = {name: PRINTED.get(name, 28) + x - x.mean() for name, x in level.items()}
    for network in (*networks, "bicubic"):
        for seed in range(seeds if network != "bicubic" else 1):
            result = Result(campaign, network, 4, None if network == "bicubic" else seed)
            folder = result.folder(root)
            training = {"run": f"train-{network}-{seed}", "network": network, "scale": 4}
            recipe = {"patch": PATCH, "batch": BATCH, "stages": [{"steps": STEPS}]}
            training |= {"seed": seed, "steps": STEPS, "train": recipe}
            folder.mkdir(parents=True)
            psnr = {
                name: LEVELS.get(network, -4) + shape + generator.normal(0, 0.002, len(shape))
                for name, shape in level.items()
            }
            rows = [(n, f"i{k}", v, 0.8) for n, p in psnr.items() for k, v in enumerate(p)]
            table = pd.DataFrame(rows, columns=["set", "image", "psnr_y", "ssim_y"])
            table.to_csv(folder / "images.csv", index=False)
            sets = {
                name: {"images": len(p), "psnr_y": p.mean(), "ssim_y": 0.8}
                for name, p in psnr.items()
            }
            provenance = {} if network == "bicubic" else {"training": training}
            made_up.write(root, result, f"eval-{network}-{seed}", sets, **provenance)
            if network == "bicubic":
                continue
            (folder / "train.csv").write_text("step,kind,loss,lr\n50,l1,0.1,1e-3\n")
            curve = [f"{n},Set5,{29 + n / STEPS + 0.01 * seed}\n" for n in (50, 100)]
            (folder / "validation.csv").write_text("step,set,psnr_y\n" + "".join(curve))
            record = {"run": training["run"], "steps": STEPS, "images_seen": STEPS * BATCH}
            record |= {"seconds": 120.0, "device": "cpu", "host": "a host", "gpu": None}
            record |= {"commit": "0123456789abcdef", "dirty": False}
            if spent:
                record["cost"] = spent
            path = root / "results" / "runs" / campaign / f"train-{network}-x4-s{seed}.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(record))
    return root


SPENT: dict[str, float | None] = {"seconds": 60.0, "ms_a_step": 600.0, "data_share": 0.01}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make(tmp_path, spent=SPENT | {"joules": 7200.0})


def row(root: Path, step: str, name: str, campaign: str = "ablation") -> pd.Series:
    table = steps(campaign, root)
    return table[(table["step"] == step) & (table["set"] == name)].iloc[0]


def test_a_step_is_the_difference_of_two_rows(root: Path) -> None:
    found = row(root, "Base → AIEB", "Set5")
    assert found["published"] == pytest.approx(0.09)
    assert found["measured"] == pytest.approx(0.10, abs=0.01)
    assert found["difference"] == pytest.approx(found["measured"] - 0.09)


def test_the_last_step_goes_from_the_first_row_to_the_last(root: Path) -> None:
    assert row(root, "Base → AIDB", "Set14")["published"] == pytest.approx(28.60 - 28.51)


def test_the_control_is_one_network_by_two_optimisers(root: Path) -> None:
    """Muon's level is drawn as Adam's and then lifted: the difference is by how much."""
    make(root, "ablation-adam", networks=("aidn-aidb",))
    for path in (root / "results/ablation/aidn-aidb-x4").rglob("images.csv"):
        table = pd.read_csv(path)
        table.assign(psnr_y=table["psnr_y"] + 0.3).to_csv(path, index=False)
    table = control(root).set_index("set")
    assert list(table.index) == [*IMAGES, TOGETHER]
    assert (table["difference"] - 0.3).abs().max() < 0.01
    assert (table["muon"] - table["adam"]).to_numpy() == pytest.approx(table["difference"])
    assert (table["seeds"] == 3).all()
    assert table["runs"].iloc[0].split() == [f"eval-aidn-aidb-{seed}" for seed in range(3)]
    assert "+0.30" in controlled(root) and "19 images, 3 seeds" in controlled(root)


def test_a_control_that_is_not_there_is_said(root: Path) -> None:
    assert control(root).empty and "not measured" in controlled(root)


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ("Base → AIEB", "holds"),
        ("AIEB → FDC", "holds as printed, not here"),
        ("FDC → AIDB", "undecided at this budget"),
    ],
)
def test_a_step_is_decided_by_the_rule_of_the_claims(tmp_path: Path, step, expected) -> None:
    assert decided("ablation", make(tmp_path, seeds=5))[step].verdict == expected


def test_a_printed_step_may_lie_outside(root: Path) -> None:
    assert not row(root, "AIEB → FDC", "Set5")["within"]


def test_all_sets_weigh_every_image_alike(root: Path) -> None:
    together = row(root, "Base → AIEB", TOGETHER)
    single = [row(root, "Base → AIEB", name) for name in IMAGES]
    assert together["images"] == 19
    for column in ("published", "measured"):
        expected = np.average([r[column] for r in single], weights=list(IMAGES.values()))
        assert together[column] == pytest.approx(expected, abs=1e-4)


def test_a_step_names_the_runs_of_its_two_networks(root: Path) -> None:
    runs = row(root, "FDC → AIDB", "Set5")["runs"].split()
    assert runs == [f"eval-aidn-{name}-{seed}" for name in ("fdc", "aidb") for seed in range(3)]


def test_sets_stand_in_the_order_of_the_scores(root: Path) -> None:
    assert list(steps("ablation", root)["set"].unique()) == [*IMAGES, TOGETHER]


def test_a_step_says_how_many_seeds_it_has(tmp_path: Path) -> None:
    table = steps("ablation", make(tmp_path, seeds=1))
    assert set(table["seeds"]) == {1}


def test_a_set_that_is_not_printed_has_no_published_step(tmp_path: Path) -> None:
    make(tmp_path, "quick", images={"held-out": 3})
    table = steps("quick", tmp_path)
    assert table["published"].isna().all() and set(table["within"]) == {None}
    assert set(table["set"]) == {"held-out"}


def test_a_network_that_is_not_scored_leaves_its_steps_out(tmp_path: Path) -> None:
    table = steps("ablation", make(tmp_path, networks=("aidn-base", "aidn-aieb")))
    assert set(table["step"]) == {"Base → AIEB"}


def test_different_images_are_refused(root: Path) -> None:
    path = root / "results/ablation/aidn-fdc-x4/seed1/images.csv"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
    with pytest.raises(ValueError, match="aidn-aieb and aidn-fdc are not scored on the same"):
        steps("ablation", root)


def test_the_biggest_whole_campaign_is_the_best(root: Path) -> None:
    make(root, "quick")
    make(root, "paper", networks=NETWORKS[:2])
    assert best(root) == "ablation"


def test_without_a_whole_campaign_there_is_no_best(tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    with pytest.raises(ValueError, match="none of the campaigns paper, ablation, quick"):
        best(tmp_path)


def test_the_answer_gives_each_step_its_verdict(tmp_path: Path) -> None:
    text = answer("ablation", make(tmp_path, seeds=5))
    assert "5 seeds, 19 images" in text
    for step, expected in (("Base → AIEB", "holds"), ("AIEB → FDC", "not here")):
        assert any(step in line and expected in line for line in text.splitlines())


def test_the_answer_of_one_seed_says_so(tmp_path: Path) -> None:
    assert "for these weights alone" in " ".join(
        answer("ablation", make(tmp_path, seeds=1)).split()
    )


def test_the_cost_is_that_of_the_record(root: Path) -> None:
    found = cost("ablation", root).iloc[0]
    assert (found["minutes"], found["ms_a_step"], found["energy"]) == (1.0, 600.0, 2.0)
    assert (found["network"], found["seed"], found["commit"]) == ("aidn-aidb", 0, "0123456789")


def test_a_cost_that_was_not_reported_stays_empty(tmp_path: Path) -> None:
    table = cost("ablation", make(tmp_path))
    assert table["energy"].isna().all() and table["ms_a_step"].isna().all()
    assert (table["minutes"] == 2.0).all()


def with_schedule(root: Path) -> Path:
    (root / "campaigns/paper").mkdir(parents=True)
    shutil.copy(ROOT / "campaigns/paper/params.yaml", root / "campaigns/paper")
    return root


def test_the_schedule_is_priced_by_lr_pixels(root: Path) -> None:
    table = price("ablation", with_schedule(root))
    one = table[(table["network"] == "aidn-fdc") & (table["scale"] == 4)].iloc[0]
    per_pixel = 60 / (STEPS * BATCH * (PATCH // 4) ** 2)
    assert one["microseconds"] == pytest.approx(1e6 * per_pixel)
    assert one["days"] == pytest.approx(per_pixel * (430_438 + 215_219) * 32 * 64**2 / 86_400)


def test_what_a_verdict_wants_is_said(tmp_path: Path) -> None:
    few = wanting("ablation", make(tmp_path / "few", seeds=3))
    assert few.startswith("Base → AIDB is undecided at this budget: ")
    assert "seeds" in few.partition("\n")[0]
    needed = seeds_needed("ablation", tmp_path / "few").set_index("step")["needed"]
    assert f"Base → AIEB {needed['Base → AIEB']}" in few
    one = wanting("ablation", make(tmp_path / "one", seeds=1))
    assert "Seeds that would tell" not in one


def test_a_pixel_is_one_of_the_stage_that_drew_it(root: Path) -> None:
    """A second stage of as many steps, with patches of twice the side: five times the pixels."""
    for path in root.glob("results/runs/ablation/evaluate-*.json"):
        record = json.loads(path.read_text())
        recipe = record["provenance"].get("training", {}).get("train")
        if recipe:
            recipe["stages"].append({"steps": STEPS, "patch": 2 * PATCH})
            path.write_text(json.dumps(record))
    table = price("ablation", with_schedule(root))
    one = table[(table["network"] == "aidn-fdc") & (table["scale"] == 4)].iloc[0]
    assert one["microseconds"] == pytest.approx(1e6 * 60 / (5 * STEPS * BATCH * (PATCH // 4) ** 2))


def test_minutes_are_told_in_db_at_the_pace_of_the_recipe(root: Path, monkeypatch) -> None:
    assert equal_minutes("ablation", root).empty
    assert "no pace" in at_equal_minutes("ablation", root)
    monkeypatch.setattr("papers.curve.pace", lambda *_: 0.2)
    for seed in range(3):
        timed(root, seed, factor=4)
    table = equal_minutes("ablation", root).set_index("step")
    assert table.loc["AIEB → FDC", "times"] == pytest.approx(4)
    assert table.loc["AIEB → FDC", "worth"] == pytest.approx(0.4)
    assert table.loc["Base → AIDB", "worth"] == pytest.approx(0)
    assert (table["measured"] - table["worth"]).to_numpy() == pytest.approx(table["left"])
    assert "(a pixel takes 4.00 times as long)" in at_equal_minutes("ablation", root)


def test_the_price_of_all_runs_is_their_sum(root: Path) -> None:
    table = price("ablation", with_schedule(root))
    each = table[table["network"] != "all"]
    whole = table[table["network"] == "all"].iloc[0]
    assert whole["all_days"] == pytest.approx((each["days"] * each["runs"]).sum())
    assert whole["runs"] == len(each) == 12


def test_a_network_without_a_run_leaves_the_price_open(tmp_path: Path) -> None:
    make(tmp_path, networks=NETWORKS[:3])
    table = price("ablation", with_schedule(tmp_path))
    open_rows = table[table["network"].isin(["aidn-aidb", "all"])]
    assert open_rows["all_days"].isna().all() and open_rows["pixels"].notna().all()


def timed(root: Path, seed: int, factor: float) -> Path:
    """A run of the FDC, made faster or slower."""
    path = root / f"results/runs/ablation/train-aidn-fdc-x4-s{seed}.json"
    record = json.loads(path.read_text())
    record["cost"]["seconds"] *= factor
    path.write_text(json.dumps(record))
    return root


def test_the_best_campaign_may_be_asked_for_more_seeds(tmp_path: Path) -> None:
    make(tmp_path, campaign="ablation", seeds=1)
    make(tmp_path, campaign="quick", seeds=3)
    assert (best(tmp_path), best(tmp_path, seeds=2)) == ("ablation", "quick")


def test_a_run_whose_result_is_not_tracked_prices_nothing(root: Path) -> None:
    with_schedule(timed(root, seed=1, factor=0.5))
    shutil.rmtree(root / "results/ablation/aidn-fdc-x4/seed1")
    assert "train-aidn-fdc-1" not in set(price("ablation", root)["measured"])


def test_the_price_is_that_of_the_fastest_run(root: Path) -> None:
    table = price("ablation", with_schedule(timed(root, seed=1, factor=0.5)))
    assert set(table[table["network"] == "aidn-fdc"]["measured"]) == {"train-aidn-fdc-1"}


def test_the_validation_curve_is_drawn_with_bicubic_and_published(root: Path) -> None:
    figure = figures.validation("ablation", root)
    legend = figure.axes[0].get_legend_handles_labels()[1]
    plt.close(figure)
    published = printed().set_index(["network", "column"])["value"]["aidn-aidb", "Set5"]
    assert f"AIDB (published {published:.2f})" in legend
    assert legend[-1].startswith("Bicubic")


def test_a_campaign_without_validation_says_what_to_do(tmp_path: Path) -> None:
    make(tmp_path)
    for path in tmp_path.glob("results/**/validation.csv"):
        path.write_text("step,set,psnr_y\n")
    assert validation_log("ablation", tmp_path).empty
    with pytest.raises(ValueError, match=r"train\.validate"):
        figures.validation("ablation", tmp_path)


def test_the_forest_plot_has_a_panel_a_step(root: Path) -> None:
    figure = figures.ablation("ablation", root)
    titles = [axis.get_title() for axis in figure.axes]
    plt.close(figure)
    assert titles == list(steps("ablation", root)["step"].unique())


def test_a_line_is_the_mean_in_a_band_from_least_to_most() -> None:
    log = pd.DataFrame(
        {"method": "rfdn", "step": [1, 1, 1, 2, 2], "loss": [0.0, 1.0, 5.0, 3.0, 3.0]}
    )
    figure, axis = plt.subplots()
    figures._lines(axis, log, "loss")
    plt.close(figure)
    assert np.asarray(axis.lines[0].get_ydata()).tolist() == [2, 3]
    band = np.asarray(axis.collections[0].get_paths()[0].vertices)
    assert {tuple(corner) for corner in band.tolist()} == {(1, 0), (1, 5), (2, 3)}


def with_search(root: Path, scores: dict[float, float]) -> pd.DataFrame:
    """A search of one network's rates, as its stage leaves it: rate -> PSNR-Y."""
    folder, runs = root / "results/ablation/search", root / "results/runs/ablation"
    folder.mkdir(parents=True)
    runs.mkdir(parents=True)
    for rate, psnr in scores.items():
        row = {"network": "aidn-base", "scale": 4, "rate": rate, "seed": 0, "lr_pixels": 7_000_000}
        name = f"aidn-base-x4-rate{rate:g}"
        pd.DataFrame([row | {"set": "BSD400", "psnr_y": psnr}]).to_csv(
            folder / f"{name}.csv", index=False
        )
        (runs / f"search-{name}.json").write_text(json.dumps({"run": f"run-{rate:g}"}))
    return searched("ablation", root)


def test_the_best_rate_is_told_with_what_the_recipes_own_is_short_of_it(tmp_path: Path) -> None:
    row = best_rates(with_search(tmp_path, {0.5: 26.0, 1: 26.1, 2: 26.4})).iloc[0]
    assert row["best"] == 2
    assert row["short"] == pytest.approx(0.3)


def test_a_rate_at_which_the_run_was_lost_is_not_the_best(tmp_path: Path) -> None:
    found = with_search(tmp_path, {1: 26.1, 2: float("nan")})
    assert best_rates(found).iloc[0]["best"] == 1


def test_the_sentence_on_rates_names_them_and_the_pixels(tmp_path: Path) -> None:
    text = fair(with_search(tmp_path, {0.5: 26.0, 1: 26.1, 2: 26.4}))
    assert "×0.5, ×1, ×2" in text and "7.0 million LR pixels" in text
    assert "×2 by aidn-base on every set. It is the last one tried" in text
    assert "by 0.300 dB at most" in text


def test_networks_that_agree_on_a_rate_want_no_other(tmp_path: Path) -> None:
    found = with_search(tmp_path, {1: 26.1, 2: 26.4})
    text = fair(pd.concat([found, found.assign(network="aidn-aidb")]))
    assert "×2 by every network on every set: none wants another rate." in text


def test_the_sentence_on_rates_names_who_wants_another(tmp_path: Path) -> None:
    found = with_search(tmp_path, {0.5: 26.0, 1: 26.1, 2: 26.4})
    other = found.assign(network="aidn-aidb", psnr_y=[26.0, 26.4, 26.1])
    text = fair(pd.concat([found, other]))
    assert "×1 by aidn-aidb on BSD400; ×2 by aidn-base on BSD400" in text
    assert "last one tried" not in text


def test_without_a_search_that_is_said(tmp_path: Path) -> None:
    assert fair(searched("ablation", tmp_path)) == (
        "No search of learning rates is tracked for this campaign."
    )
