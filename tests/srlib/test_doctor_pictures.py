"""A user's pictures: each fault is named, and nothing else is; what is well is left alone."""

import io
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import shift

from srlib.cli import main
from srlib.data.registry import read_image
from srlib.doctor.lr import enlarged, reduced
from srlib.doctor.pictures import examine, looked_at, pairs
from srlib.evaluation.metrics import score
from srlib.paths import ROOT

HR = {path.stem: read_image(path) for path in sorted((ROOT / "data/heldout").iterdir())}
Pixels = np.ndarray


def bicubic(hr: Pixels, maker: str = "matlab") -> Pixels:
    """A reconstruction without a network: MATLAB's bicubic of any LR."""
    return enlarged(reduced(hr, 4, maker), 4, "matlab")


def eight_bits(image: Pixels) -> Pixels:
    return np.clip(np.rint(image), 0, 255).astype(np.uint8)


def jpeg(image: Pixels, quality: int = 90) -> Pixels:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "jpeg", quality=quality)
    return np.asarray(Image.open(file))


def shifted(down: float, right: float) -> Callable[[Pixels], Pixels]:
    return lambda image: eight_bits(
        shift(image.astype(float), (down, right, 0), order=3, mode="nearest")
    )


def framed(image: Pixels, width: int = 6) -> Pixels:
    black = image.copy()
    black[:width] = black[-width:] = 0
    black[:, :width] = black[:, -width:] = 0
    return black


FAULTS: dict[str, tuple[Callable[[Pixels], Pixels], str, str]] = {
    "half a pixel": (shifted(0.5, 0.5), "shift", "further right than HR"),
    "a pixel to the left": (shifted(0, -1), "shift", "further left than HR"),
    "swapped": (lambda image: image[..., ::-1], "channels", "red and blue swapped"),
    "grey": (lambda image: image[..., 1:2].repeat(3, 2), "channels", "is grey"),
    "studio range": (lambda i: eight_bits(16 + i * (219 / 255)), "value range", "16 to 235"),
    "half the contrast": (lambda i: eight_bits(127.5 + i * 0.5), "value range", "-1 to 1"),
    "not multiplied": (lambda i: (i > 127).astype(np.uint8), "value range", "0 and 1"),
    "brighter": (lambda i: eight_bits(i * 0.9 + 20.0), "value range", "times 0.90 plus 2"),
    "mirrored": (lambda image: image[:, ::-1], "turned", "mirrored"),
    "a black frame": (framed, "border", "outer 6 pixels"),
    "JPEG": (jpeg, "JPEG", "8x8 blocks"),
    "JPEG of little loss": (lambda image: jpeg(image, 95), "JPEG", "8x8 blocks"),
}


@pytest.fixture(scope="module")
def photographs() -> dict[str, tuple[Pixels, Pixels]]:
    """Held-out photographs, a part of each, with their reconstructions."""
    parts = {stem: hr[40:232, 100:324] for stem, hr in HR.items()}
    return {stem: (bicubic(hr), hr) for stem, hr in parts.items()}


@pytest.mark.parametrize("maker", ["matlab", "matlab-new", "pillow", "pytorch-antialias"])
def test_nothing_is_wrong_with_what_is_well(maker: str, photographs) -> None:
    for stem, (_, hr) in photographs.items():
        assert looked_at(bicubic(hr, maker), hr, 4) == [], stem


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_named_and_no_other(fault: str, photographs) -> None:
    spoil, kind, words = FAULTS[fault]
    for stem, (sr, hr) in photographs.items():
        found = looked_at(np.ascontiguousarray(spoil(sr)), hr, 4)
        assert [finding.kind for finding in found] == [kind], stem
        assert words in found[0].words, stem


@pytest.mark.parametrize(("down", "right"), [(0.5, 0.5), (1.5, -1.0), (0.0, 4.0)])
def test_a_shift_is_measured(down: float, right: float, photographs) -> None:
    for stem, (sr, hr) in photographs.items():
        (finding,) = looked_at(shifted(down, right)(sr), hr, 4)
        found = [float(number) for number in re.findall(r"\d+\.\d+", finding.words)]
        assert found == pytest.approx([abs(down), abs(right)], abs=0.15), stem


@pytest.mark.parametrize("maker", ["opencv", "jpeg", "blur-down"])
def test_lr_of_another_maker_is_seen(maker: str, photographs) -> None:
    for stem, (_, hr) in photographs.items():
        found = looked_at(bicubic(hr, maker), hr, 4)
        assert [finding.kind for finding in found] == ["LR"], stem


@pytest.fixture
def folders(tmp_path: Path, photographs) -> tuple[Path, Path]:
    for stem, (sr, hr) in photographs.items():
        for name, image in (("hr", hr), ("sr", sr)):
            (tmp_path / name).mkdir(exist_ok=True)
            suffix = "x4" if name == "sr" else ""
            Image.fromarray(image).save(tmp_path / name / f"{stem}{suffix}.png")
    return tmp_path / "sr", tmp_path / "hr"


def test_the_command_scores_and_explains_a_claim(folders, photographs, tmp_path, capsys) -> None:
    expected = [score(sr, hr, 4, channel="rgb", border=0)[0] for sr, hr in photographs.values()]
    claim, out = f"{np.mean(expected):.4f}", tmp_path / "scores.csv"
    ours, theirs = map(str, folders)
    arguments = ["score", ours, "--hr", theirs, "--claimed", claim, "--csv", str(out)]
    assert main(arguments) == 0
    said = capsys.readouterr().out
    mean = np.mean([score(sr, hr, 4)[0] for sr, hr in photographs.values()])
    assert f"{mean:7.3f} dB" in said and "Nothing looks wrong." in said
    assert "RGB instead of Y; no border shaved" in said.partition("1. ")[2].splitlines()[0]
    assert len(out.read_text().splitlines()) == 1 + len(photographs)


SIZES = {
    "another scale": lambda image: np.asarray(Image.fromarray(image).resize((168, 144))),
    "border lost": lambda image: image[4:-4, 4:-4],
    "another size": lambda image: image[:100, :99],
}


@pytest.mark.parametrize("kind", SIZES)
def test_a_size_that_does_not_fit_is_a_finding(kind, photographs, tmp_path: Path) -> None:
    sr, hr = next(iter(photographs.values()))
    for name, image in (("hr", hr), ("sr", SIZES[kind](sr))):
        Image.fromarray(image).save(tmp_path / f"{name}.png")
    found = examine(pairs([tmp_path / "sr.png"], {"sr": tmp_path / "hr.png"}), 4)
    assert [finding.kind for finding, _ in found.findings] == [kind]


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (["b.png"], "no HR image has this name"),
        (["a.png", "a_x4.png"], "is of a too; keep one"),
    ],
)
def test_pictures_that_do_not_belong_are_named(names, says, tmp_path: Path) -> None:
    paths = [tmp_path / name for name in names]
    with pytest.raises(ValueError, match=says):
        list(pairs(paths, {"a": tmp_path / "a.png"}))


def test_the_longest_stem_counts(tmp_path: Path) -> None:
    for name in ("img.png", "img_1.png", "img_1_x4.png"):
        Image.new("RGB", (8, 8)).save(tmp_path / name)
    originals = {"img": tmp_path / "img.png", "img_1": tmp_path / "img_1.png"}
    (pair,) = pairs([tmp_path / "img_1_x4.png"], originals)
    assert pair.stem == "img_1"
