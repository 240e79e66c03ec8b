"""The papers' figures: what is drawn, where names stand, what is refused, the same bytes twice."""

from itertools import pairwise
from pathlib import Path

import made_up
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.text import Annotation, Text
from PIL import Image

from papers.printed import published
from papers.results import ProvenanceError
from papers.show import paper_figures
from papers.show.figures import Panel, panels, sources, use_style
from papers.show.paper_figures import (
    MissingInputError,
    aidn_figure_5,
    best,
    compared,
    export,
    features,
    rdsrn_figure_5,
    rdsrn_figure_6,
    switches,
    trained_rdsrn,
)
from papers.show.point_labels import name_points
from papers.show.trade_off import (
    AUTHORS,
    PRINTED,
    TRAINED,
    front,
    points,
    printed_macs,
    printed_points,
    verdict,
)
from srlib.networks import create_network
from srlib.networks.rdsrn import RDSRN
from srlib.paths import Result
from srlib.weights.files import save_tensors

STEM = "img_092"


@pytest.fixture(autouse=True)
def style():
    with plt.style.context("default"):
        use_style()
        yield
    plt.close("all")


def result(root: Path, made: Result, run: str, psnr: float, **provenance: object) -> None:
    """A result made up in this test: one score of Urban100."""
    scores = {"images": 1, "psnr_y": psnr, "ssim_y": 0.8}
    made_up.write(root, made, run, {"Urban100": scores}, **provenance)
    (made.folder(root) / "images.csv").write_text(
        f"set,image,psnr_y,ssim_y\nUrban100,{STEM},{psnr},0.8\n"
    )


@pytest.fixture
def measured(tmp_path: Path) -> Path:
    """A root with made-up results of bicubic, IMDN and two seeds of our own AIDB."""
    result(tmp_path, Result("benchmarks", "bicubic", 4), "run-bicubic", 23.0)
    result(tmp_path, Result("benchmarks", "imdn", 4), "run-imdn", 26.0)
    for seed in (0, 1):
        training = {"seed": seed, "settings": {"blocks": 6, "channels": 50}}
        own = Result("ablation", "aidn-aidb", 4, seed)
        result(tmp_path, own, f"run-own-{seed}", 25.0 + seed, training=training)
    return tmp_path


def picture(root: Path, folder: str, name: str = f"Urban100_{STEM}", grey: int = 0) -> None:
    path = root / "results" / folder / "pictures"
    path.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(0).integers(0, 200, (40, 48, 3), np.uint8)
    Image.fromarray(noise + np.uint8(grey)).save(path / f"{name}.png")


# Points and the Pareto front


def test_every_printed_network_of_the_table_is_a_point(measured: Path) -> None:
    found = points("aidn", "3", "Urban100", root=measured)
    cells = published("aidn", "3")
    cells = cells[(cells["scale"] == 4) & (cells["column"] == "Urban100")]
    drawn = found.loc[found["kind"] == PRINTED, "psnr_y"]
    assert sorted(drawn) == sorted(cells.loc[cells["quantity"] == "psnr_y", "value"])


def test_a_measured_point_has_the_counted_parameters(measured: Path) -> None:
    found = points("aidn", "3", "Urban100", root=measured).set_index("kind")
    assert found.loc[AUTHORS, "cost"] == 715.176
    assert found.loc[TRAINED, "cost"] == 339.498


def test_our_training_is_one_point_with_the_range_of_its_seeds(measured: Path) -> None:
    own = points("aidn", "3", "Urban100", root=measured).set_index("kind").loc[TRAINED]
    assert (own["low"], own["psnr_y"], own["high"]) == (25.0, 25.5, 26.0)
    assert own["runs"] == "run-own-0 run-own-1"


def test_bicubic_and_what_costs_too_much_are_no_points(measured: Path) -> None:
    found = points("aidn", "3", "Urban100", most=1_000, root=measured)
    assert not {"Bicubic", "CARN"} & set(found["name"]) and "AIDN" in set(found["name"])


def test_multiply_adds_are_counted_for_printed_scores(tmp_path: Path) -> None:
    found = points("rfdn", "3", "Set5", "macs_720p", root=tmp_path).set_index("name")
    assert found.loc["CARN", "cost"] == pytest.approx(90.88, abs=0.005)


def test_a_measured_score_without_a_run_is_refused(tmp_path: Path) -> None:
    result(tmp_path, Result("benchmarks", "imdn", 4), "", 26.0)
    with pytest.raises(ProvenanceError, match="does not say which run"):
        points("aidn", "3", "Urban100", root=tmp_path)


def test_a_figure_with_an_empty_run_is_refused() -> None:
    with pytest.raises(ProvenanceError, match="campaign benchmarks"):
        sources({"benchmarks": ["8c73d179ee", ""]})


def test_the_front_is_what_nothing_betters() -> None:
    table = pd.DataFrame({"cost": [1.0, 2, 2, 3, 4], "psnr_y": [1.0, 3, 2, 3, 4]})
    assert list(front(table).index) == [0, 1, 4]


def test_equal_points_are_both_on_the_front() -> None:
    table = pd.DataFrame({"cost": [1.0, 1], "psnr_y": [2.0, 2]})
    assert list(front(table).index) == [0, 1]


def test_the_verdict_names_the_front_as_printed_and_as_measured(measured: Path) -> None:
    found = points("aidn", "3", "Urban100", root=measured)
    printed, ours = verdict(found, "params").split("\n\n")
    assert printed.startswith("As printed, ") and "AIDN (339 K, 26.16)" in printed
    assert ours.startswith("As measured, 2 of 2") and "IMDN (715 K, 26.00)" in ours


def test_a_network_that_was_printed_and_measured_is_one_row(measured: Path) -> None:
    table = printed_points(points("aidn", "3", "Urban100", root=measured)).set_index("network")
    assert table.loc["IMDN", "difference"] == pytest.approx(26.0 - 26.04)
    assert table.loc["CARN", "K counted"] == pytest.approx(1591.963)
    assert pd.isna(table["PSNR published"])["AIDB"]


def test_a_printed_count_that_is_not_ours_has_its_reason(tmp_path: Path) -> None:
    found = points("rfdn", "3", "Set5", "macs_720p", root=tmp_path)
    table = printed_macs(found).set_index("network")
    assert table["reason"]["imdn"] == "" and "pixels" in table["reason"]["rfdn"]


# Names beside points


def named(x: list[float], y: list[float], names: list[str]) -> tuple[Axes, list]:
    _, axis = plt.subplots()
    axis.plot(x, y, "o")
    return axis, name_points(axis, x, y, names, ["k"] * len(x), [False] * len(x))


def test_no_name_covers_another() -> None:
    x, y = np.random.default_rng(0).normal(size=(2, 12)).tolist()
    _, texts = named(x, y, [f"network {n}" for n in range(12)])
    boxes = [text.get_window_extent() for text in texts]
    covered = [(a, b) for a in range(12) for b in range(a) if boxes[a].overlaps(boxes[b])]
    assert len(texts) == 12 and covered == []


def test_no_name_leaves_the_axes() -> None:
    axis, texts = named([0, 0, 1, 1], [0, 1, 0, 1], ["a long name of a network"] * 4)
    frame = axis.get_window_extent().padded(1)
    corners = [corner for text in texts for corner in text.get_window_extent().corners()]
    assert all(frame.contains(*corner) for corner in corners)


def test_one_network_at_one_place_is_named_once() -> None:
    _, texts = named([1, 1, 2], [1, 1, 2], ["IMDN", "IMDN", "RFDN"])
    assert [text.get_text() for text in texts] == ["IMDN", "RFDN"]


CHARTS = [paper_figures.aidn_figure_1, paper_figures.rfdn_figure_4, paper_figures.rfdn_figure_5]


@pytest.fixture(scope="module", params=CHARTS)
def chart(request: pytest.FixtureRequest) -> Figure:
    with plt.style.context("default"):
        use_style()
        figure = request.param()
        figure.canvas.draw()
    return figure


def test_no_leader_of_a_chart_passes_a_name(chart: Figure) -> None:
    texts = chart.axes[0].texts
    for own in texts:
        assert isinstance(own, Annotation) and own.arrow_patch is not None
        leader = own.arrow_patch
        if leader.get_visible():
            along = np.asarray(leader.get_path().interpolated(50).vertices)
            boxes = {t.get_text(): Text.get_window_extent(t) for t in texts if t is not own}
            passed = [name for name, box in boxes.items() if any(box.contains(*at) for at in along)]
            assert passed == [], f"the leader of {own.get_text()}"


def test_no_two_names_of_a_chart_share_a_place(chart: Figure) -> None:
    boxes = {text.get_text(): Text.get_window_extent(text) for text in chart.axes[0].texts}
    names = list(boxes)
    shared = [(a, b) for a in names for b in names if a < b and boxes[a].overlaps(boxes[b])]
    assert len(names) > 10 and shared == []


# Pictures side by side


def test_a_long_title_stays_over_its_own_picture() -> None:
    panel = Panel(
        "RDSRN, with neither of the two\n25.77 dB / 0.7293", np.zeros((160, 200, 3), np.uint8)
    )
    figure = panels([panel] * 4, 4, "source")
    figure.canvas.draw()
    boxes = [axis.title.get_window_extent() for axis in figure.axes]
    assert all(one.x1 < other.x0 for one, other in pairwise(boxes))


def test_a_locator_shows_which_part_it_is() -> None:
    figure = aidn_figure_5("barbara")
    (locator,) = (axis for axis in figure.axes if axis.get_label() == "locator")
    (part,) = locator.patches
    assert isinstance(part, Rectangle)
    assert (locator.get_xlim(), locator.get_ylim()) == ((0, 720), (576, 0))
    assert (part.get_y(), part.get_x(), part.get_height(), part.get_width()) == (336, 448, 160, 200)


def test_the_score_of_a_crop_is_of_the_pixels_shown(measured: Path) -> None:
    for folder, grey in (("hr-x4", 0), ("bicubic-x4", 2), ("imdn-x4", 1)):
        picture(measured, f"benchmarks/{folder}", grey=grey)
    table = compared("Urban100", STEM, {}, root=measured).set_index("method")
    step = 20 * np.log10(255 / (219 / 255))  # one grey level is 219/255 of a level of luma
    assert table.loc["IMDN", "psnr_crop"] == pytest.approx(step)
    assert table.loc["IMDN", "psnr_image"] == 26.0 and table.loc["IMDN", "run"] == "run-imdn"


def test_the_best_of_the_image_and_of_the_crop_may_differ() -> None:
    table = pd.DataFrame({"method": ["HR", "A", "B"], "run": [np.nan, "a", "b"]})
    table = table.assign(psnr_image=[np.nan, 30.0, 31.0], psnr_crop=[np.nan, 22.0, 21.0])
    assert best(table).endswith("by B (31.00 dB), the crop by A (22.00 dB)")


def test_a_missing_picture_names_the_command_that_makes_it(measured: Path) -> None:
    picture(measured, "benchmarks/hr-x4")
    picture(measured, "benchmarks/bicubic-x4", grey=2)
    with pytest.raises(MissingInputError, match="--reference imdn --scale 4` makes it"):
        compared("Urban100", STEM, {}, root=measured)


def test_what_was_not_trained_is_an_empty_frame_with_the_reason(measured: Path) -> None:
    for folder in ("hr-x4", "bicubic-x4", "imdn-x4"):
        picture(measured, f"benchmarks/{folder}", grey=len(folder))
    figure = rdsrn_figure_6(measured)
    shown = {axis.get_title().partition("\n")[0]: axis for axis in figure.axes}
    assert [len(shown[name].images) for name in ("IMDN", "RDSRN")] == [1, 0]
    assert "no public" in shown["RDSRN"].texts[0].get_text()


def test_an_own_picture_without_a_result_is_refused(measured: Path) -> None:
    for folder in ("benchmarks/hr-x4", "benchmarks/bicubic-x4", "benchmarks/imdn-x4"):
        picture(measured, folder, grey=len(folder))
    result(measured, Result("rdsrn", "bicubic", 4), "run-other", 20.0)
    picture(measured, "rdsrn/rdsrn-x4")
    with pytest.raises(ProvenanceError, match="evaluate rdsrn of campaign rdsrn again"):
        compared("Urban100", STEM, {"RDSRN": ("rdsrn", "rdsrn")}, root=measured)


def test_an_image_that_the_paper_does_not_show_is_an_error() -> None:
    with pytest.raises(ValueError, match="must be one of barbara, baby, 12084"):
        aidn_figure_5("lenna")


def test_four_crops_of_200_pixels_stand_pixel_for_pixel() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (160, 200, 3), np.uint8)
    figure = panels([Panel("title", pixels)] * 4, 4, "source")
    figure.canvas.draw()
    box = figure.axes[1].get_window_extent()
    assert (round(box.width, 6), round(box.height, 6)) == (200, 160)


def test_the_line_of_runs_stays_within_the_figure() -> None:
    runs = [f"{n:010x}" for n in range(0, 10**12, 10**11)]
    figure = panels([Panel("title", np.zeros((8, 8, 3), np.uint8))], 1, sources({"c": runs}))
    figure.canvas.draw()
    foot = figure.findobj(lambda artist: "campaign c" in getattr(artist, "get_text", str)())
    assert foot[0].get_window_extent().x0 >= 0


# RDSRN's features


def weights(root: Path, folder: str, run: str | None = "run-test", **settings: object) -> None:
    """Weights made in this test: not trained, drawn at random."""
    torch.manual_seed(0)
    network = create_network("rdsrn", 4, **settings)
    header = {"network": "rdsrn", "scale": 4, "settings": settings} | ({"run": run} if run else {})
    path = root / "results" / folder / "seed0/weights.safetensors"
    path.parent.mkdir(parents=True)
    save_tensors(network.state_dict(), path, header)


def test_the_features_are_of_the_third_recursion() -> None:
    torch.manual_seed(0)
    network, lr = RDSRN(recursions=4), torch.rand(1, 3, 8, 8)
    seen: list[torch.Tensor] = []
    block = network.get_submodule("recursive.1.second")
    block.register_forward_hook(lambda *a: seen.append(a[2]))
    learnt = features(network, lr)
    assert learnt.shape == (64, 8, 8)
    assert np.array_equal(learnt, seen[2][0].detach().numpy())


def test_a_network_of_two_recursions_has_no_third() -> None:
    with pytest.raises(ValueError, match="recursions=2 must be at least 3"):
        features(RDSRN(recursions=2), torch.rand(1, 3, 8, 8))


@pytest.mark.parametrize(
    ("wide", "refinement", "name"),
    [
        (False, False, "neither"),
        (True, False, "wider channel"),
        (False, True, "HFRRB"),
        (True, True, "both"),
    ],
)
def test_a_network_says_which_switches_it_has(wide: bool, refinement: bool, name: str) -> None:
    assert switches(RDSRN(wide=wide, refinement=refinement)) == name


def test_weights_on_disk_give_a_column_each(tmp_path: Path) -> None:
    picture(tmp_path, "benchmarks/hr-x4", "Set5_baby")
    weights(tmp_path, "rdsrn/rdsrn-x4")
    weights(tmp_path, "rdsrn/rdsrn-plain-x4", wide=False, refinement=False)
    figure = rdsrn_figure_5(tmp_path)
    assert [axis.get_title() for axis in figure.axes[:2]] == ["neither", "both"]
    assert all(np.ptp(np.asarray(axis.images[0].get_array())) > 0 for axis in figure.axes)


def test_without_weights_the_figure_names_the_campaign(tmp_path: Path) -> None:
    with pytest.raises(MissingInputError, match=r"dvc repro campaigns/rdsrn/dvc.yaml"):
        rdsrn_figure_5(tmp_path)


def test_weights_without_a_run_are_refused(tmp_path: Path) -> None:
    weights(tmp_path, "rdsrn/rdsrn-x4", run=None)
    with pytest.raises(ProvenanceError, match="names no run"):
        trained_rdsrn(tmp_path)


# The files


@pytest.fixture
def two_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = {name: paper_figures.FIGURES[name] for name in ("rfdn-figure-4", "rdsrn-figure-5")}
    monkeypatch.setattr(paper_figures, "FIGURES", kept)


def test_an_export_is_the_same_twice(tmp_path: Path, two_figures: None) -> None:
    export(tmp_path / "one")
    with plt.rc_context({"font.size": 20, "svg.hashsalt": "another"}):
        export(tmp_path / "two")
    for name in ("rfdn-figure-4.svg", "rfdn-figure-4.png"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_an_export_says_what_it_could_not_make(tmp_path: Path, two_figures: None) -> None:
    reasons = export(tmp_path / "out", tmp_path)
    assert reasons["rfdn-figure-4"] == "" and "none are public" in reasons["rdsrn-figure-5"]
    assert sorted(path.stem for path in (tmp_path / "out").iterdir()) == ["rfdn-figure-4"] * 2


def test_every_tracked_figure_is_under_a_megabyte(root: Path) -> None:
    sizes = {
        path.name: path.stat().st_size for path in (root / "results/figures").glob("*-figure-*")
    }
    assert sizes and max(sizes.values()) < 1_000_000
