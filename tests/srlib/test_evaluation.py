"""Scoring, its provenance, and the pictures that are kept."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from srlib.config import Picture
from srlib.data.imresize import imresize
from srlib.data.pack import pack
from srlib.data.packed import PackedImages
from srlib.evaluation.score import evaluate, save_picture, summarise, write_result


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> PackedImages:
    """Two noisy images of one set and one of another, at x2."""
    folder = tmp_path_factory.mktemp("photographs") / "x2"
    random = np.random.default_rng(0)
    images = [
        (name, stem, random.integers(0, 256, (40, 48, 3), dtype=np.uint8))
        for name, stem in (("A", "one"), ("A", "two"), ("B", "three"))
    ]
    pack(images, folder, 2, "replicate")
    return PackedImages(folder)


def bicubic(lr):
    return imresize(lr, 2, border="replicate")


def test_every_image_is_scored_once(photographs: PackedImages) -> None:
    table = evaluate(bicubic, photographs)
    assert list(zip(table["set"], table["image"], strict=True)) == photographs.names


def test_a_set_scores_the_mean_of_its_images(photographs: PackedImages) -> None:
    table = evaluate(bicubic, photographs)
    assert summarise(table)["A"]["psnr_y"] == pytest.approx(table["psnr_y"][:2].mean(), abs=1e-6)


def test_a_method_of_the_wrong_scale_is_named_with_the_image(photographs: PackedImages) -> None:
    with pytest.raises(ValueError, match="A/one cannot be scored: cannot compare images"):
        evaluate(lambda lr: lr, photographs)


def test_a_result_is_its_means(photographs: PackedImages, tmp_path: Path) -> None:
    table = evaluate(bicubic, photographs)
    write_result(tmp_path, table)
    assert json.loads((tmp_path / "metrics.json").read_text()) == {"sets": summarise(table)}


def test_equal_scores_give_equal_bytes(photographs: PackedImages, tmp_path: Path) -> None:
    for folder in ("a", "b"):
        write_result(tmp_path / folder, evaluate(bicubic, photographs))
    for name in ("images.csv", "metrics.json"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_a_kept_picture_is_the_crop_of_hr(photographs: PackedImages, tmp_path: Path) -> None:
    picture = Picture(set="B", stem="three", crop=(4, 6, 8, 10))
    save_picture(None, photographs, picture, tmp_path / "kept.png")
    kept = np.asarray(Image.open(tmp_path / "kept.png"))
    assert np.array_equal(kept, photographs.hr(2)[4:12, 6:16])


def test_an_unknown_picture_is_an_error(photographs: PackedImages, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="pictures.images: B/four is not among the test images"):
        save_picture(None, photographs, Picture(set="B", stem="four"), tmp_path / "kept.png")


def test_a_crop_outside_the_image_is_an_error(photographs: PackedImages, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="leaves the image of 40x48 pixels"):
        picture = Picture(set="B", stem="three", crop=(30, 0, 20, 20))
        save_picture(None, photographs, picture, tmp_path / "kept.png")
