"""Kept pictures come to the viewer with their own scores."""

import pandas as pd
import pytest
from PIL import Image

from papers.show.look import PAGE, Viewer, export, kept, scenes
from srlib.paths import ROOT


@pytest.mark.parametrize("found", kept(), ids=lambda found: f"{found.campaign}-x{found.scale}")
def test_each_campaign_has_pictures_and_scores(found) -> None:
    for scene in scenes(found.campaign, found.scale):
        scored = {picture.name: picture.psnr_y for picture in scene.pictures}
        assert scored.pop("HR") is None
        assert all(value and value > 15 for value in scored.values()), scene.name


def test_the_score_is_the_one_tracked_for_this_image() -> None:
    table = pd.read_csv(ROOT / "results/benchmarks/arfdn-x4/images.csv")
    tracked = table.set_index("image")["psnr_y"]["barbara"]
    (barbara,) = (scene for scene in scenes("benchmarks") if "barbara" in scene.name)
    assert {picture.name: picture.psnr_y for picture in barbara.pictures}["ARFDN"] == tracked


def test_a_picture_is_the_one_of_its_method() -> None:
    first = scenes("benchmarks")[0].pictures[1]
    with Image.open(ROOT / "results/benchmarks/bicubic-x4/pictures/Set14_barbara.png") as own:
        assert first.name == "Bicubic" and Image.open(first.pixels) == own  # type: ignore[arg-type]


def test_an_output_that_is_not_drawn_says_what_it_is() -> None:
    shown = scenes("benchmarks-x3", 3)
    said = repr(Viewer(shown, "Bicubic", "HR", "04_look"))
    names = [picture.name for picture in shown[0].pictures]
    assert names[:3] == ["HR", "Bicubic", "IMDN"]
    assert said.startswith("Viewer of Set14 barbara ×3") and said.endswith(", ".join(names))


def test_a_campaign_without_pictures_is_named() -> None:
    with pytest.raises(ValueError, match="results/benchmarks has no pictures at x2"):
        scenes("benchmarks", 2)


def test_the_page_is_that_of_the_tracked_pictures(tmp_path) -> None:
    export(tmp_path / PAGE)
    same = (tmp_path / PAGE).read_bytes() == (ROOT / "results/figures" / PAGE).read_bytes()
    assert same, "write it anew with `papers export`"


def test_every_tracked_picture_is_of_a_campaign_that_is_there() -> None:
    drawn = {path.stem for path in ROOT.glob("results/figures/*.png")}
    drawn = {name for name in drawn if "-figure-" not in name}  # a paper's
    assert drawn == {path.parents[2].name for path in ROOT.glob("results/*/*/pictures/*.png")}
