"""PSNR and SSIM: against the definitions, known values, and properties."""

from collections.abc import Callable
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from srlib.evaluation.metrics import (
    Output,
    Ssim,
    as_output,
    luma,
    mean_psnr,
    psnr,
    score,
    shave,
    ssim,
)

Plane = NDArray[np.float64]

sides = st.integers(11, 20)
planes = st.tuples(sides, sides).flatmap(
    lambda shape: st.tuples(*[arrays.arrays(np.float64, shape, elements=st.floats(0, 255))] * 2)
)
quick = settings(max_examples=30, deadline=None)


def noise(height: int, width: int, seed: int = 0) -> Plane:
    return np.random.default_rng(seed).uniform(0, 255, (height, width))


def rgb(height: int, width: int, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def ssim_from_its_definition(x: Plane, y: Plane) -> float:
    """Wang et al. 2004, equation 13 in every window wholly inside, and equation 17."""
    at = np.arange(11) - 5
    line = np.exp(-(at**2) / (2 * 1.5**2))
    window = np.outer(line, line) / line.sum() ** 2

    def average(plane: Plane) -> Plane:
        return (sliding_window_view(plane, (11, 11)) * window).sum(axis=(2, 3))

    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    mean_x, mean_y = average(x), average(y)
    var_x, var_y = average(x * x) - mean_x**2, average(y * y) - mean_y**2
    covariance = average(x * y) - mean_x * mean_y
    return float(
        np.mean(
            (2 * mean_x * mean_y + c1)
            * (2 * covariance + c2)
            / ((mean_x**2 + mean_y**2 + c1) * (var_x + var_y + c2))
        )
    )


# --- SSIM -------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(11, 11), (11, 30), (37, 23)])
def test_ssim_is_its_definition_on_noise(size: tuple[int, int]) -> None:
    x, y = noise(*size), noise(*size, seed=1)
    assert ssim(x, y) == pytest.approx(ssim_from_its_definition(x, y), abs=1e-10)


def test_ssim_is_its_definition_on_an_image_and_its_distortion() -> None:
    y, x = np.mgrid[:40, :50]
    image = 120 + 80 * np.sin(x / 4) * np.cos(y / 6)
    distorted = 0.9 * image + noise(40, 50) / 20
    expected = ssim_from_its_definition(distorted, image)
    assert ssim(distorted, image) == pytest.approx(expected, abs=1e-10)


@quick
@given(planes)
def test_ssim_is_symmetric(pair: tuple[Plane, Plane]) -> None:
    assert ssim(*pair) == pytest.approx(ssim(*reversed(pair)), abs=1e-12)


@quick
@given(planes)
def test_ssim_of_identical_planes_is_one(pair: tuple[Plane, Plane]) -> None:
    assert ssim(pair[0], pair[0].copy()) == pytest.approx(1, abs=1e-9)


@quick
@given(planes)
def test_ssim_is_at_most_one(pair: tuple[Plane, Plane]) -> None:
    assert ssim(*pair) <= 1 + 1e-9


@pytest.mark.parametrize("size", [(10, 30), (30, 10)])
def test_ssim_of_a_plane_smaller_than_its_window_is_named(size: tuple[int, int]) -> None:
    expected = f"at least 11x11 pixels after the shave, got {size[0]}x{size[1]}"
    with pytest.raises(ValueError, match=expected):
        ssim(noise(*size), noise(*size))


# --- PSNR -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "decibel"), [(255.0, 0.0), (25.5, 20.0), (2.55, 40.0), (1.0, 48.13080360867910)]
)
def test_psnr_of_a_known_error(error: float, decibel: float) -> None:
    assert psnr(np.full((4, 5), error), np.zeros((4, 5))) == pytest.approx(decibel, abs=1e-12)


def test_psnr_of_bytes_does_not_wrap_around() -> None:
    black, white = np.zeros((4, 5), np.uint8), np.full((4, 5), 255, np.uint8)
    assert psnr(black, white) == 0


@quick
@given(planes)
def test_psnr_is_symmetric(pair: tuple[Plane, Plane]) -> None:
    assert psnr(*pair) == psnr(*reversed(pair))


@quick
@given(planes)
def test_psnr_of_identical_planes_is_infinite(pair: tuple[Plane, Plane]) -> None:
    assert psnr(pair[0], pair[0].copy()) == float("inf")


@quick
@given(st.integers(0, 2**32 - 1), st.floats(0.1, 100), st.floats(1.01, 10))
def test_psnr_falls_with_noise(seed: int, amplitude: float, factor: float) -> None:
    hr, error = noise(12, 13, seed), noise(12, 13, seed + 1) / 255
    assert psnr(hr + amplitude * factor * error, hr) < psnr(hr + amplitude * error, hr)


# --- luma -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("colour", "expected"),
    [
        ((0, 0, 0), 16.0),
        ((255, 255, 255), 235.0),
        ((255, 0, 0), 81.481),
        ((0, 255, 0), 144.553),
        ((0, 0, 255), 40.966),
        ((128, 128, 128), 16 + 219 * 128 / 255),
    ],
)
def test_luma_of_a_colour(colour: tuple[int, int, int], expected: float) -> None:
    assert luma(np.array([[colour]], np.uint8)) == pytest.approx(expected, abs=1e-10)


def test_luma_is_not_rounded() -> None:
    assert luma(np.array([[[1, 1, 1]]], np.uint8)) == pytest.approx(16 + 219 / 255, abs=1e-12)


@pytest.mark.parametrize(
    ("image", "found"),
    [
        (np.zeros((4, 5, 3)), r"float64 \(4, 5, 3\)"),
        (np.zeros((4, 5), np.uint8), r"uint8 \(4, 5\)"),
        (np.zeros((4, 5, 4), np.uint8), r"uint8 \(4, 5, 4\)"),
    ],
)
def test_luma_of_what_is_no_rgb_image_is_named(image: NDArray, found: str) -> None:
    with pytest.raises(ValueError, match=rf"shape \(H, W, 3\), got {found}"):
        luma(image)


# --- shave and the whole protocol -------------------------------------------------------------


@pytest.mark.parametrize("border", [0, 1, 4])
def test_shave_cuts_every_side(border: int) -> None:
    image = np.arange(12 * 10 * 3).reshape(12, 10, 3)
    expected = image[border : 12 - border, border : 10 - border]
    np.testing.assert_array_equal(shave(image, border), expected)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_score_does_not_see_the_border(scale: int) -> None:
    hr = rgb(24, 26)
    sr = ~hr
    sr[scale:-scale, scale:-scale] = hr[scale:-scale, scale:-scale]
    assert score(sr, hr, scale) == (float("inf"), pytest.approx(1))


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_score_sees_the_first_pixel_inside_the_border(scale: int) -> None:
    hr = rgb(24, 26)
    sr = hr.copy()
    sr[scale, scale] ^= 128
    assert score(sr, hr, scale)[0] < float("inf")


def test_score_is_psnr_and_ssim_of_the_shaved_luma() -> None:
    sr, hr = rgb(24, 26), rgb(24, 26, seed=1)
    planes = luma(sr)[3:-3, 3:-3], luma(hr)[3:-3, 3:-3]
    assert score(sr, hr, 3) == (psnr(*planes), ssim(*planes))


@pytest.mark.parametrize("metric", [psnr, ssim])
def test_shapes_that_differ_are_named(metric: Callable[..., float]) -> None:
    with pytest.raises(ValueError, match=r"shapes \(12, 13\) and \(13, 12\)"):
        metric(noise(12, 13), noise(13, 12))


def test_score_of_another_size_is_named() -> None:
    with pytest.raises(ValueError, match=r"shapes \(24, 26, 3\) and \(24, 24, 3\)"):
        score(rgb(24, 26), rgb(24, 24), 2)


def test_nothing_to_compare_is_named() -> None:
    with pytest.raises(ValueError, match=r"cannot compare images of shapes \(0, 5\)"):
        psnr(np.zeros((0, 5)), np.zeros((0, 5)))


# --- other protocols by name ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, 16 + (65.481 * 200 + 128.553 * 100 + 24.966 * 50) / 255),
        ({"rounded": True}, 123),
        ({"studio": False}, 0.299 * 200 + 0.587 * 100 + 0.114 * 50),
        ({"studio": False, "rounded": True}, 124),
        ({"swapped": True}, 16 + (24.966 * 200 + 128.553 * 100 + 65.481 * 50) / 255),
    ],
)
def test_luma_by_each_option(options: dict[str, bool], expected: float) -> None:
    colour = np.array([[[200, 100, 50]]], np.uint8)
    assert luma(colour, **options) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ("output", "expected"),
    [("rounded", [0, 3, 255]), ("truncated", [0, 2, 255]), ("float", [0, 2.7, 255])],
)
def test_an_output_is_kept_as_named(output: Output, expected: list[float]) -> None:
    found = as_output(np.array([[[-4.0, 2.7, 260.0]]]), output)
    np.testing.assert_allclose(found[0, 0], expected)
    assert (found.dtype == np.uint8) is (output != "float")


def test_equal_images_score_as_asked() -> None:
    image = noise(12, 12)
    assert psnr(image, image, equal=100) == 100
    assert psnr(image, image, added=1e-8) == pytest.approx(80)


def test_the_mean_of_a_set_by_each_choice() -> None:
    values, pixels = [20.0, 40.0], [1, 3]
    assert mean_psnr(values) == 30
    assert mean_psnr(values, "pooled") == pytest.approx(-10 * np.log10((1e-2 + 1e-4) / 2))
    weighted = -10 * np.log10((1e-2 + 3e-4) / 4)
    assert mean_psnr(values, "pooled-pixels", pixels) == pytest.approx(weighted)


@pytest.mark.parametrize("kind", get_args(Ssim))
def test_ssim_of_every_kind_is_of_equal_images_one_and_of_others_its_own(kind: Ssim) -> None:
    x = noise(24, 30)
    assert ssim(x, x, kind=kind) == pytest.approx(1)
    others = {ssim(x, noise(24, 30, 1), kind=other) for other in get_args(Ssim)}
    assert len(others) == len(get_args(Ssim))


def test_ssim_of_rgb_is_the_mean_of_its_channels() -> None:
    sr, hr = (rgb(24, 26, seed).astype(float) for seed in (0, 1))
    each = [ssim(sr[..., c], hr[..., c]) for c in range(3)]
    assert ssim(sr, hr) == pytest.approx(np.mean(each))


def test_another_evaluators_number_is_one_call_away() -> None:
    sr, hr = rgb(24, 26), rgb(24, 26, seed=1)
    found = score(sr, hr, 3, channel="rgb", border=0)
    assert found[0] == psnr(sr, hr)


def test_a_float_that_nobody_announced_is_not_scored() -> None:
    with pytest.raises(ValueError, match="luma needs a uint8 image"):
        score(rgb(24, 26) / 255, rgb(24, 26), 3)


def test_an_unknown_choice_is_named() -> None:
    with pytest.raises(ValueError, match="channel: expected one of y, y-rounded, .* got 'yuv'"):
        score(rgb(24, 26), rgb(24, 26), 3, channel="yuv")  # type: ignore[arg-type]
