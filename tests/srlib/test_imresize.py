"""`imresize` against MATLAB's own LR images, its definition and what must hold of any image."""

from __future__ import annotations

import os
from fractions import Fraction
from math import ceil, floor
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from srlib.data.imresize import Border, imresize

ROOT = Path(__file__).resolve().parents[2]
MIRROR = Path(os.environ.get("SRLIB_MIRROR", ROOT.parent / "shared" / "datasets"))
FOLDERS = [
    *((name, "LR_bicubic", scale) for name in ("Set5", "Set14") for scale in (2, 3, 4)),
    *((name, "LR_bicubic_sym", scale) for name in ("Set5", "Set14") for scale in (2, 3, 4)),
    ("B100", "LR_bicubic", 3),
    ("B100", "LR_bicubic", 4),
    ("Urban100", "LR_bicubic", 4),
]

SCALES = [Fraction(1, k) for k in (1, 2, 3, 4, 5, 8)] + [Fraction(k) for k in (2, 3, 4)]
scales = st.sampled_from(SCALES)
borders = st.sampled_from(["symmetric", "replicate"])
sides = st.integers(1, 40)
channels = st.sampled_from([(), (1,), (3,)])
seeds = st.integers(0, 2**32 - 1)


def noise(seed: int, *shape: int) -> np.ndarray:
    """Make black and white noise with some grey: it overshoots, so that clipping matters."""
    rng = np.random.default_rng(seed)
    return rng.choice(np.array([0, 255, 255, 0, 128, 77], np.uint8), shape)


@pytest.mark.parametrize(("name", "folder", "scale"), FOLDERS)
def test_matlab_lr_images_have_no_differing_byte(name: str, folder: str, scale: int) -> None:
    files = sorted((MIRROR / name / folder / f"X{scale}").glob("*.png"))
    if not files:
        pytest.skip(f"no MATLAB LR images of {name} in {MIRROR}; set SRLIB_MIRROR to their folder")
    originals = {path.stem: path for path in (MIRROR / name / "HR").iterdir()}
    border: Border = "symmetric" if folder.endswith("_sym") else "replicate"
    differing = {}
    for path in files:
        hr = np.asarray(Image.open(originals[path.stem.removesuffix(f"x{scale}")]))
        lr = np.asarray(Image.open(path))
        if lr.ndim > hr.ndim:  # bridge is grey, its newer LR three equal channels
            hr = np.repeat(hr[..., None], 3, axis=2)
        height, width = (side // scale * scale for side in hr.shape[:2])
        ours = imresize(hr[:height, :width], 1 / scale, border=border)
        differing[path.stem] = int(np.count_nonzero(ours != lr))
    assert set(differing.values()) == {0}, f"{len(differing)} images: {differing}"


def cubic(x: float) -> float:
    x = abs(x)
    if x <= 1:
        return 1.5 * x**3 - 2.5 * x**2 + 1
    return -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2 if x <= 2 else 0.0


def slow_pass(image: list[list[int]], scale: float, border: str) -> list[list[int]]:
    """Resize the rows of a grey image straight from the definition."""
    size, stretch = len(image), min(scale, 1.0)
    result = []
    for out in range(1, ceil(size * scale) + 1):
        centre = out / scale + 0.5 * (1 - 1 / scale)
        taps = range(floor(centre - 2 / stretch), floor(centre + 2 / stretch) + 2)
        weights = [cubic(stretch * (centre - tap)) for tap in taps]
        row = []
        for column in range(len(image[0])):
            value = 0.0
            for tap, weight in zip(taps, weights, strict=True):
                at = min(max(tap, 1), size)
                if border == "symmetric":
                    at = (tap - 1) % (2 * size) + 1
                    at = at if at <= size else 2 * size + 1 - at
                value += weight * image[at - 1][column]
            row.append(min(max(floor(value / sum(weights) + 0.5), 0), 255))
        result.append(row)
    return result


def slow(image: np.ndarray, scale: float, border: str) -> np.ndarray:
    rows = slow_pass(image.tolist(), scale, border)
    columns = slow_pass([list(column) for column in zip(*rows, strict=True)], scale, border)
    return np.array(columns, np.uint8).T


# At these scales no order of summation can change a byte: for powers of two every sum is exact, and
# for odd numbers the weights have an odd common denominator, so that no sum ends in one half
@settings(max_examples=25, deadline=None)
@given(seeds, st.integers(1, 14), st.integers(1, 14), st.sampled_from(SCALES), borders)
def test_agrees_with_a_slow_version_from_the_definition(
    seed: int, height: int, width: int, scale: Fraction, border: Border
) -> None:
    image = noise(seed, height, width)
    expected = slow(image, float(scale), border)
    np.testing.assert_array_equal(imresize(image, scale, border=border), expected)


@given(st.integers(0, 255), sides, sides, channels, scales, borders)
def test_constant_image_stays_constant(
    value: int, height: int, width: int, tail: tuple[int, ...], scale: Fraction, border: Border
) -> None:
    result = imresize(np.full((height, width, *tail), value, np.uint8), scale, border=border)
    assert (result == value).all()


@given(sides, sides, channels, scales)
def test_output_size_is_rounded_up(
    height: int, width: int, tail: tuple[int, ...], scale: Fraction
) -> None:
    result = imresize(np.zeros((height, width, *tail), np.uint8), scale)
    assert result.shape == (ceil(height * scale), ceil(width * scale), *tail)


@given(seeds, st.integers(1, 12), st.integers(1, 12), st.sampled_from([2, 3, 4, 5]), borders)
def test_flipping_commutes(seed: int, height: int, width: int, k: int, border: Border) -> None:
    image = noise(seed, height * k, width * k)  # only multiples of k are centred on their pixels
    flipped = imresize(image[::-1, ::-1], Fraction(1, k), border=border)
    np.testing.assert_array_equal(
        flipped, imresize(image, Fraction(1, k), border=border)[::-1, ::-1]
    )


@given(seeds, sides, sides, scales, borders)
def test_every_channel_is_resized_as_a_grey_image(
    seed: int, height: int, width: int, scale: Fraction, border: Border
) -> None:
    image = noise(seed, height, width, 3)
    grey = [imresize(image[..., channel], scale, border=border) for channel in range(3)]
    np.testing.assert_array_equal(imresize(image, scale, border=border), np.stack(grey, axis=2))


def test_rows_are_rounded_before_columns() -> None:
    image = noise(1, 64, 64)  # if it were rounded once only, transposing would change nothing
    assert (imresize(image, 1 / 4) != imresize(np.ascontiguousarray(image.T), 1 / 4).T).any()


def test_borders_differ_only_in_the_outer_two_pixels() -> None:
    image = noise(2, 64, 64)
    differs = imresize(image, 1 / 4) != imresize(image, 1 / 4, border="replicate")
    assert differs.any() and not differs[2:-2, 2:-2].any()


def test_scale_one_changes_nothing() -> None:
    image = noise(3, 9, 7, 3)
    np.testing.assert_array_equal(imresize(image, 1), image)


def test_input_is_left_alone() -> None:
    image = noise(4, 12, 12, 3)
    before = image.copy()
    imresize(image, 1 / 3)
    np.testing.assert_array_equal(image, before)


def test_views_give_the_same_as_copies() -> None:
    image = noise(5, 32, 32, 3)[::-1, 3:27]
    np.testing.assert_array_equal(imresize(image, 1 / 2), imresize(image.copy(), 1 / 2))


@pytest.mark.parametrize(
    "image", [np.zeros((4, 4)), np.zeros((4, 4), np.uint16), [[0, 1], [2, 3]]], ids=str
)
def test_anything_but_uint8_is_refused(image: np.ndarray) -> None:
    with pytest.raises(TypeError, match="image: expected a uint8 array"):
        imresize(image, 1 / 2)


@pytest.mark.parametrize("shape", [(4,), (2, 4, 4, 3), (0, 4), (4, 4, 0)])
def test_wrong_shape_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"image: expected \(H, W\) or \(H, W, C\)"):
        imresize(np.zeros(shape, np.uint8), 1 / 2)


@pytest.mark.parametrize("scale", [0, -1, -0.5, float("nan"), float("inf")])
def test_scale_not_above_zero_is_refused(scale: float) -> None:
    with pytest.raises(ValueError, match="scale: expected a finite number above 0"):
        imresize(np.zeros((4, 4), np.uint8), scale)


@pytest.mark.parametrize("scale", ["1/4", None, True, (2, 2)])
def test_scale_that_is_no_number_is_refused(scale: float) -> None:
    with pytest.raises(TypeError, match="scale: expected a number"):
        imresize(np.zeros((4, 4), np.uint8), scale)


def test_unknown_border_is_refused() -> None:
    border: Literal["symmetric"] = "reflect"  # type: ignore[assignment]
    with pytest.raises(ValueError, match="border: expected one of symmetric, replicate"):
        imresize(np.zeros((4, 4), np.uint8), 1 / 2, border=border)
