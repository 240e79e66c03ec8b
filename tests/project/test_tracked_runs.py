"""The present code trains as every tracked run was trained, by the first losses of its log."""

from dataclasses import replace

import pytest

from srlib.config import Config, load_config
from srlib.data.packed import PackedImages
from srlib.paths import ROOT, Result, find
from srlib.training.replay import replay

CAMPAIGNS = {
    config.campaign.name: config
    for path in [ROOT / "params.yaml", *sorted(ROOT.glob("campaigns/*/params.yaml"))]
    if (config := load_config(path)).train
}
RUNS = [
    result
    for result, _ in find("train.csv")
    if result.campaign in CAMPAIGNS and result.seed == CAMPAIGNS[result.campaign].matrix.seeds[0]
]


def packed(config: Config, scale: int) -> PackedImages:
    """The campaign's training images, where they have been fetched and packed."""
    folder = ROOT / config.packed(scale, "train")
    if not (folder / "index.json").exists():
        pytest.skip(f"{folder.relative_to(ROOT)} is not there; `dvc repro` its stage prepare")
    return PackedImages(folder)


@pytest.mark.parametrize("result", RUNS, ids=lambda r: f"{r.campaign}-{r.label}")
def test_the_first_losses_are_those_of_the_log(result: Result) -> None:
    config = CAMPAIGNS[result.campaign]
    assert config.train is not None
    if result.method not in config.matrix.networks:
        pytest.skip("not of this campaign's parameters any more")
    found = replay(
        result.method,
        config.settings(result.method),
        result.scale,
        result.seed or 0,
        replace(config.train, threads=1),  # beside other tests two threads wait for each other
        packed(config, result.scale),
        result.folder() / "train.csv",
    )
    assert found.close, found
