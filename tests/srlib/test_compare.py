"""`srlib compare`: a page with the right pictures and scores, or a line that says what to mend."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from srlib import imresize
from srlib.cli import main
from srlib.compare import compare
from srlib.evaluation.inference import upscale_array
from srlib.evaluation.metrics import score
from srlib.paths import ROOT
from srlib.weights.pretrained import load_pretrained

PHOTOGRAPH = ROOT / "data/heldout/chelsea.png"


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A part of a photograph, whose sides are no multiples of four."""
    path = tmp_path / "cat.png"
    Image.open(PHOTOGRAPH).crop((100, 60, 151, 109)).save(path)
    return path


def embedded(page: Path) -> dict:
    found = re.search(r'id="pictures">(.*?)</script>', page.read_text(encoding="utf-8"))
    assert found, "the page has no pictures"
    return json.loads(found[1])


def test_degraded_and_restored_as_the_protocol_asks(small: Path) -> None:
    scene = compare(small, ["aidn"], 4, degrade=True)
    hr = np.array(Image.open(small))[:48, :48]
    sr = upscale_array(load_pretrained("aidn"), imresize(hr, 1 / 4))
    assert [picture.name for picture in scene.pictures] == ["bicubic", "aidn", "HR"]
    assert np.array_equal(np.asarray(scene.pictures[1].pixels), sr)
    assert scene.pictures[1][2:] == pytest.approx(score(sr, hr, 4))


def test_an_enlarged_picture_has_no_scores(small: Path, tmp_path: Path) -> None:
    page = tmp_path / "out.html"
    assert main(["compare", str(small), "--networks", "aidn", "--scale", "4", str(page)]) == 0
    data = embedded(page)
    assert [p["psnr_y"] for p in data["images"][0]["pictures"]] == [None, None]
    assert (data["left"], data["right"]) == ("bicubic", "aidn")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["none.png", "out.html"], "none.png"),
        (["cat.png", "out.png"], "out.png: expected a page to write, such as OUT.html"),
        (["cat.png", "out.html", "--networks", "nonet"], "nonet"),
        (["cat.png", "out.html", "--networks", "aidn", "--scale", "7"], "aidn x7"),
        (["tiny.png", "out.html", "--degrade"], "tiny.png: 9x9 pixels are too few to degrade"),
        (["glass.png", "out.html"], "glass.png is transparent"),
        (["text.png", "out.html"], "text.png"),
    ],
)
def test_what_is_wrong_is_one_line(small: Path, monkeypatch, capsys, arguments, said) -> None:
    monkeypatch.chdir(small.parent)
    Image.new("RGB", (9, 9)).save("tiny.png")
    Image.new("RGBA", (40, 40)).save("glass.png")
    Path("text.png").write_text("no picture")
    assert main(["compare", *arguments]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and said in error
    assert not Path("out.html").exists()
