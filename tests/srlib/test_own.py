"""A folder of one's own: paired by name, degraded by us, or an error before any work."""

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from srlib.cli import main
from srlib.data.imresize import imresize
from srlib.evaluation.own import own_images


def noise(height: int, width: int, channels: int = 3, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (height // 8 + 1, width // 8 + 1, channels), np.uint8)
    return coarse.repeat(8, 0).repeat(8, 1)[:height, :width]


def save(path: Path, pixels: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels.squeeze()).save(path)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save(tmp_path / "hr" / "a.png", noise(50, 63))
    save(tmp_path / "hr" / "b.bmp", noise(48, 64, seed=1))
    (tmp_path / "hr" / "notes.md").write_text("no image")
    return tmp_path


def test_lr_is_made_of_the_cropped_image(folder: Path) -> None:
    first, second = own_images(folder / "hr", None, 4, "replicate")
    hr = noise(50, 63)[:48, :60]
    np.testing.assert_array_equal(first.hr, hr)
    np.testing.assert_array_equal(first.lr, imresize(hr, 1 / 4, border="replicate"))
    assert (second.stem, second.set) == ("b", "hr")


@pytest.mark.parametrize("form", ["{}", "{}x4", "{}_x4", "{}-x4", "{}X4"])
def test_lr_is_found_by_its_stem(folder: Path, form: str) -> None:
    for stem, size in (("a", (12, 15)), ("b", (12, 16))):
        save(folder / "lr" / f"{form.format(stem)}.png", noise(*size, seed=3))
    assert [pair.lr.shape[:2] for pair in own_images(folder / "hr", folder / "lr", 4, "replicate")]


def test_grey_and_sixteen_bits_are_taken_by_the_stated_rules(tmp_path: Path) -> None:
    deep = (noise(32, 32, 1)[..., 0].astype(np.uint16)) * 257
    Image.fromarray(deep).save(tmp_path / "deep.png")
    (pair,) = own_images(tmp_path, None, 4, "replicate")
    np.testing.assert_array_equal(pair.hr, noise(32, 32, 1).repeat(3, 2))


WRONG = {
    "no folder": (lambda f: (f / "none", None), "--hr .*none: there is no such folder"),
    "no image": (lambda f: (f, None), "there is no image in it"),
    "no partner": (
        lambda f: (f / "hr", save(f / "lr/a.png", noise(12, 15)).parent),
        r"b\.bmp: expected one LR image .* found none",
    ),
    "another size": (
        lambda f: (
            f / "hr",
            save(save(f / "lr/a.png", noise(12, 16)).parent / "b.png", noise(12, 16)).parent,
        ),
        r"a\.png: 16x12 pixels, and x4 of .*a\.png \(60x48\) asks for 15x12",
    ),
    "twice": (
        lambda f: (save(f / "hr" / "a.jpg", noise(50, 63)).parent, None),
        "a is there in two formats",
    ),
    "transparent": (
        lambda f: (save(f / "hr" / "c.png", noise(48, 48, 4)).parent, None),
        r"c\.png is transparent",
    ),
    "too small": (
        lambda f: (save(f / "hr" / "c.png", noise(3, 48)).parent, None),
        r"c\.png: 48x3 pixels are too few for x4",
    ),
}


@pytest.mark.parametrize("kind", WRONG)
def test_what_does_not_fit_is_named(folder: Path, kind: str) -> None:
    places, says = WRONG[kind]
    with pytest.raises(ValueError, match=says):
        list(own_images(*places(folder), 4, "replicate"))


def test_the_command_scores_and_writes_each_image(folder: Path, tmp_path: Path, capsys) -> None:
    out = tmp_path / "scores.csv"
    arguments = ["--hr", str(folder / "hr"), "--reference", "bicubic", "--csv", str(out)]
    assert main(["evaluate", *arguments]) == 0
    rows = list(csv.DictReader(out.open()))
    mean = np.mean([float(row["psnr_y"]) for row in rows])
    assert [row["image"] for row in rows] == ["a", "b"]
    assert f"hr: {mean:.3f} dB" in capsys.readouterr().out


def test_equal_images_are_infinitely_alike(tmp_path: Path, capsys) -> None:
    save(tmp_path / "hr" / "flat.png", np.full((32, 32, 3), 90, np.uint8))
    assert main(["evaluate", "--hr", str(tmp_path / "hr"), "--reference", "bicubic"]) == 0
    assert "hr: inf dB, SSIM 1.0000" in capsys.readouterr().out
