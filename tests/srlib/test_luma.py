"""The networks of the Y channel: bicubic enlargement, YCbCr, and the way there and back."""

import functools

import numpy as np
import pytest
import torch
from torch import Tensor

from srlib.data.imresize import imresize
from srlib.evaluation.metrics import luma
from srlib.networks import create_network
from srlib.networks.luma import on_luma, to_rgb, to_ycbcr, upscale_bicubic

every_scale = pytest.mark.parametrize("scale", [1, 2, 3, 4, 8])


def noise(*shape: int, low: int = 0, high: int = 256) -> np.ndarray:
    return np.random.default_rng(0).integers(low, high, shape, np.uint8)


def tensor(image: np.ndarray) -> Tensor:
    """(H, W, C) to (1, C, H, W), as float64 in 0..255: a rounding error would hide a wrong tap."""
    return torch.from_numpy(image.astype(np.float64)).permute(2, 0, 1)[None]


def eight_bits(x: Tensor) -> np.ndarray:
    """(1, C, H, W) to uint8 (H, W, C), rounded half up as MATLAB does."""
    return (x[0].permute(1, 2, 0) + 0.5).clamp(0, 255).floor().numpy().astype(np.uint8)


# --- bicubic enlargement ----------------------------------------------------------------------


@every_scale
@pytest.mark.parametrize("shape", [(1, 9, 3), (9, 1, 3)], ids=["wide", "tall"])
def test_bicubic_along_one_axis_is_imresize(shape: tuple[int, ...], scale: int) -> None:
    image = noise(*shape)
    expected = imresize(image, scale, border="replicate")
    assert np.array_equal(eight_bits(upscale_bicubic(tensor(image), scale)), expected)


@every_scale
def test_bicubic_is_imresize_but_for_its_rounding_between_the_passes(scale: int) -> None:
    image = noise(7, 11, 3, low=70, high=180)  # so that no overshoot is clipped between the passes
    expected = imresize(image, scale, border="replicate").astype(int)
    found = eight_bits(upscale_bicubic(tensor(image), scale))
    # the half that the first pass rounds away, times the second's weights: 1.25 / 2, + 1/2 at last
    assert np.abs(found - expected).max() <= 1


@every_scale
def test_bicubic_of_a_flat_image_is_flat(scale: int) -> None:
    flat = torch.full((1, 2, 3, 4), 0.3, dtype=torch.float64)
    expected = torch.full((1, 2, 3 * scale, 4 * scale), 0.3, dtype=torch.float64)
    torch.testing.assert_close(upscale_bicubic(flat, scale), expected)


@pytest.mark.parametrize("scale", [2, 3])
def test_bicubic_has_the_right_gradient(scale: int) -> None:
    x = torch.rand(1, 1, 3, 2, dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(functools.partial(upscale_bicubic, scale=scale), x)


def test_bicubic_works_on_the_meta_device() -> None:
    assert upscale_bicubic(torch.empty(2, 3, 5, 7, device="meta"), 3).shape == (2, 3, 15, 21)


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
def test_bicubic_keeps_the_type(dtype: torch.dtype) -> None:
    assert upscale_bicubic(torch.rand(1, 1, 3, 3).to(dtype), 2).dtype == dtype


# --- YCbCr ------------------------------------------------------------------------------------


def test_rgb_comes_back_from_ycbcr() -> None:
    rgb = tensor(noise(6, 5, 3)) / 255
    torch.testing.assert_close(to_rgb(to_ycbcr(rgb)), rgb, rtol=0, atol=1e-14)


def test_y_is_the_luma_of_the_metrics() -> None:
    image = noise(6, 5, 3)
    y = 255 * to_ycbcr(tensor(image) / 255)[0, 0].numpy()
    np.testing.assert_allclose(y, luma(image), rtol=0, atol=1e-12)


def test_ycbcr_has_matlabs_values() -> None:
    expected = {
        (0, 0, 0): (16, 128, 128),
        (1, 1, 1): (235, 128, 128),
        (1, 0, 0): (81.481, 90.203, 240),
        (0, 1, 0): (144.553, 53.797, 34.214),
        (0, 0, 1): (40.966, 240, 109.786),
    }
    rgb = torch.tensor(list(expected), dtype=torch.float64)[:, :, None, None]
    found = 255 * to_ycbcr(rgb)[:, :, 0, 0].numpy()
    np.testing.assert_allclose(found, list(expected.values()), rtol=0, atol=6e-4)


# --- there and back ---------------------------------------------------------------------------


@pytest.mark.parametrize("scale", [1, 2, 3, 4])
def test_a_network_that_only_enlarges_gives_the_bicubic_image(scale: int) -> None:
    rgb = tensor(noise(6, 5, 3)) / 255
    found = on_luma(rgb, scale, functools.partial(upscale_bicubic, scale=scale))
    torch.testing.assert_close(found, upscale_bicubic(rgb, scale), rtol=0, atol=1e-13)


def test_a_network_that_changes_nothing_gives_the_image() -> None:
    rgb = tensor(noise(6, 5, 3)) / 255
    torch.testing.assert_close(on_luma(rgb, 1, lambda y: y), rgb, rtol=0, atol=1e-13)


def test_grey_stays_grey() -> None:
    red, green, blue = on_luma(
        torch.rand(2, 1, 6, 5), 2, lambda y: upscale_bicubic(y, 2).square()
    ).unbind(1)
    torch.testing.assert_close(red, green)
    torch.testing.assert_close(red, blue)


@pytest.mark.parametrize("name", ["vdsr", "drcn", "drrn", "memnet"])
def test_a_residual_network_whose_last_weights_are_zero_gives_the_bicubic_image(name: str) -> None:
    network = create_network(name, 3, channels=4)
    convolutions = [layer for layer in network.modules() if isinstance(layer, torch.nn.Conv2d)]
    torch.nn.init.zeros_(convolutions[-1].weight)
    x = torch.rand(1, 3, 6, 5)
    with torch.no_grad():
        torch.testing.assert_close(network(x), upscale_bicubic(x, 3))


def test_scale_below_one_is_named() -> None:
    for name in ("srcnn", "fsrcnn", "vdsr", "drcn", "drrn", "memnet", "idn"):
        with pytest.raises(ValueError, match="scale=0 must be at least 1"):
            create_network(name, 0)


# --- LapSRN -----------------------------------------------------------------------------------


@pytest.mark.parametrize("scale", [1, 3, 6])
def test_lapsrn_refuses_what_is_no_power_of_two(scale: int) -> None:
    with pytest.raises(ValueError, match=f"its scale is 2, 4 or 8, not {scale}"):
        create_network("lapsrn", scale)


@pytest.mark.parametrize(("scale", "count"), [(2, 251_473), (4, 502_306)])
def test_lapsrn_of_five_has_the_published_count(scale: int, count: int) -> None:
    network = create_network("lapsrn-d5", scale)
    assert sum(p.numel() for p in network.parameters()) == count


def test_lapsrns_image_branch_starts_as_bilinear_interpolation() -> None:
    image = torch.rand(1, 1, 5, 4)
    network = create_network("lapsrn", 2)
    with torch.no_grad():
        found = network.get_submodule("images.0")(image)
    expected = torch.nn.functional.interpolate(image, scale_factor=2, mode="bilinear")
    torch.testing.assert_close(found[..., 1:-1, 1:-1], expected[..., 1:-1, 1:-1])


# --- published counts of settings that are no default -----------------------------------------


@pytest.mark.parametrize(
    ("name", "settings", "count"),
    [
        ("vdsr", {"bias": True}, 665_921),
        ("drrn", {"bias": True}, 297_601),
        ("drcn", {"learn_weights": True}, 1_775_121),
        ("idn-y", {}, 552_769),
    ],
)
def test_other_published_counts_are_those_of_every_scale(
    name: str, settings: dict, count: int
) -> None:
    networks = [create_network(name, scale, **settings) for scale in (2, 3, 4)]
    assert [sum(p.numel() for p in network.parameters()) for network in networks] == [count] * 3
