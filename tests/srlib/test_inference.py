"""Running a network on images, with networks simple enough to know the answer."""

import io
from collections.abc import Callable

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from srlib.data.imresize import imresize
from srlib.enlarge import upscale
from srlib.evaluation.inference import forward, upscale_array
from srlib.networks import create_network

HEIGHT, WIDTH, SCALE = 5, 7, 2
ORIENTATION = 0x0112  # the EXIF tag


class Nearest(nn.Module):
    """Repeat every pixel, and remember the input."""

    scale, min_size = SCALE, 3

    def forward(self, x: Tensor) -> Tensor:
        self.seen = x
        return F.interpolate(x.expand(-1, 3, -1, -1), scale_factor=SCALE, mode="nearest")


class Constant(nn.Module):
    """Give the same four values, whatever the input."""

    scale, min_size = 2, 1

    def __init__(self, values: list[float]) -> None:
        super().__init__()
        self.values = torch.tensor(values).reshape(1, 1, 2, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.values.expand(1, 3, 2, 2)


@pytest.fixture(scope="module")
def aidn() -> nn.Module:
    torch.manual_seed(0)
    return create_network("aidn", 4, blocks=1, channels=8)


def noise(*shape: int, top: int = 256) -> NDArray:
    dtype = np.uint8 if top == 256 else np.uint16
    return np.random.default_rng(0).integers(0, top, shape, dtype)


def picture(mode: str) -> Image.Image:
    """Noise, 7x5, in a mode of Pillow or one of our names for a special case."""
    rgba = Image.fromarray(noise(HEIGHT, WIDTH, 4))
    deep = noise(HEIGHT, WIDTH, top=65536)
    match mode:
        case "I;16":
            return Image.fromarray(deep)
        case "I;16B":
            return Image.frombytes("I;16B", (WIDTH, HEIGHT), deep.astype(">u2").tobytes())
        case "I":
            return Image.fromarray(deep.astype(np.int32))
        case "P transparent" | "RGB transparent" | "L transparent":
            image = rgba.convert("RGB").convert(mode.split()[0])
            image.info["transparency"] = (1, 2, 3) if image.mode == "RGB" else 3
            return image
        case "RGBA":
            return rgba
        case "LA":
            return rgba.convert("LA")
    return rgba.convert("RGB").convert(mode)


def repeated(image: NDArray) -> NDArray:
    """What `Nearest` makes of it."""
    return image.repeat(SCALE, axis=0).repeat(SCALE, axis=1)


def batch(height: int, width: int) -> Tensor:
    return torch.rand(1, 3, height, width, generator=torch.manual_seed(0))


MODES = {
    "1": "L",
    "L": "L",
    "L transparent": "LA",
    "LA": "LA",
    "P": "RGB",
    "P transparent": "RGBA",
    "RGB": "RGB",
    "RGB transparent": "RGBA",
    "RGBA": "RGBA",
    "CMYK": "RGB",
    "YCbCr": "RGB",
    "HSV": "RGB",
    "I;16": "I;16",
    "I;16B": "I;16",
}

# --- upscale: any image -----------------------------------------------------------------------


def test_mode_and_size_of_the_result() -> None:
    found = {mode: upscale(picture(mode), Nearest()) for mode in MODES}
    assert {mode: image.mode for mode, image in found.items()} == MODES
    assert {image.size for image in found.values()} == {(SCALE * WIDTH, SCALE * HEIGHT)}


def test_colours_of_the_result() -> None:
    def kept(mode: str) -> bool:
        image, plain = picture(mode), "L" if MODES[mode] in ("L", "LA") else "RGB"
        found = np.asarray(upscale(image, Nearest()).convert(plain))
        seen = repeated(np.asarray(image.convert("RGBA"))[..., 3]) > 0  # not what alpha hides
        return np.array_equal(found[seen], repeated(np.asarray(image.convert(plain)))[seen])

    assert [mode for mode in MODES if not mode.startswith("I") and not kept(mode)] == []


@pytest.mark.parametrize("mode", ["I;16", "I;16B"])
def test_sixteen_bits_of_the_result(mode: str) -> None:
    expected = repeated(noise(HEIGHT, WIDTH, top=65536))
    np.testing.assert_array_equal(np.asarray(upscale(picture(mode), Nearest())), expected)


@pytest.mark.parametrize("mode", [mode for mode in MODES if MODES[mode].endswith("A")])
def test_alpha_is_upscaled_bicubically(mode: str) -> None:
    image = picture(mode)
    alpha = np.asarray(image.convert("RGBA"))[..., 3]
    found = upscale(image, Nearest()).getchannel("A")
    np.testing.assert_array_equal(np.asarray(found), imresize(alpha, SCALE))


def test_the_image_itself_stays_as_it_was() -> None:
    image = picture("RGBA")
    upscale(image, Nearest())
    np.testing.assert_array_equal(np.asarray(image), np.asarray(picture("RGBA")))


@pytest.mark.parametrize(
    ("orientation", "expected"),
    [
        (2, lambda image: image[:, ::-1]),
        (3, lambda image: image[::-1, ::-1]),
        (6, lambda image: np.rot90(image, -1)),
        (8, lambda image: np.rot90(image)),
    ],
)
def test_exif_rotation_is_applied(orientation: int, expected: Callable[[NDArray], NDArray]) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    file = io.BytesIO()
    picture("RGB").save(file, "PNG", exif=exif)
    found = upscale(Image.open(file), Nearest())
    image = expected(np.asarray(picture("RGB")))
    np.testing.assert_array_equal(np.asarray(found), repeated(image))


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (40, 1), (14, 15)])
def test_an_image_smaller_than_the_networks_least_size(
    aidn: nn.Module, size: tuple[int, int]
) -> None:
    found = upscale(Image.new("RGB", size, (9, 99, 199)), aidn)
    assert found.size == (4 * size[0], 4 * size[1])


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 8), st.integers(1, 8))
def test_size_of_any_small_image(height: int, width: int) -> None:
    image = Image.fromarray(noise(height, width, 3))
    expected = repeated(noise(height, width, 3))
    np.testing.assert_array_equal(np.asarray(upscale(image, Nearest())), expected)


def test_an_image_of_floats_is_named() -> None:
    with pytest.raises(ValueError, match="values 1 to 1 of mode F have no known white"):
        upscale(Image.fromarray(np.ones((4, 4), np.float32)), Nearest())


@pytest.mark.parametrize("value", [-1, 235, 65536])
def test_integers_of_32_bits_ask_for_their_white(value: int) -> None:
    with pytest.raises(ValueError, match=f"{value}.* of mode I have no known white"):
        upscale(Image.fromarray(np.array([[0, value]], np.int32)), Nearest())


@pytest.mark.parametrize("size", [(0, 5), (5, 0)])
def test_an_image_without_pixels_is_named(size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match=f"{size[0]}x{size[1]} pixels; nothing to enlarge"):
        upscale(Image.new("RGB", size), Nearest())


# --- upscale_array: the protocol's bytes ------------------------------------------------------


def test_values_are_rounded_to_nearest_and_clipped() -> None:
    network = Constant([-0.2, 100.4 / 255, 100.6 / 255, 1.3])
    found = upscale_array(network, np.zeros((1, 1, 3), np.uint8))
    assert found[..., 0].tolist() == [[0, 100], [101, 255]]


def test_every_byte_survives() -> None:
    image = np.arange(256, dtype=np.uint8).reshape(16, 16, 1).repeat(3, axis=2)
    np.testing.assert_array_equal(upscale_array(Nearest(), image), repeated(image))


def test_a_read_only_view_is_taken() -> None:
    image = noise(HEIGHT, WIDTH, 3)
    image.flags.writeable = False
    assert upscale_array(Nearest(), image).dtype == np.uint8


# --- forward: padding and tiles ---------------------------------------------------------------


def test_a_small_image_is_padded_by_repeating_its_edge() -> None:
    network, x = Nearest(), batch(1, 2)
    forward(network, x)
    torch.testing.assert_close(network.seen, x[:, :, [0, 0, 0]][:, :, :, [0, 1, 1]])


def test_an_image_of_the_least_size_is_not_padded() -> None:
    network, x = Nearest(), batch(3, 3)
    forward(network, x)
    assert torch.equal(network.seen, x)


@pytest.mark.parametrize("tile", [20, 24, 1000])
def test_a_tile_that_covers_the_image_is_the_whole_image(aidn: nn.Module, tile: int) -> None:
    x = batch(16, 20)
    assert torch.equal(forward(aidn, x, tile=tile), forward(aidn, x))


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 9), st.integers(0, 4))
def test_tiles_of_a_local_network_join_to_the_whole(
    height: int, width: int, tile: int, overlap: int
) -> None:
    x = batch(height, width)
    assert torch.equal(forward(Nearest(), x, tile, overlap), forward(Nearest(), x))


def test_a_tile_is_what_the_network_sees() -> None:
    network = Nearest()
    forward(network, batch(20, 20), tile=10, overlap=2)
    assert network.seen.shape == (1, 3, 12, 12)


def test_no_gradient_is_kept(aidn: nn.Module) -> None:
    assert not forward(aidn, batch(16, 16)).requires_grad


@pytest.mark.parametrize(("tile", "overlap"), [(-1, 0), (8, -1)])
def test_negative_tiles_are_named(tile: int, overlap: int) -> None:
    with pytest.raises(ValueError, match=f"tile={tile} and overlap={overlap} must not be negative"):
        forward(Nearest(), batch(5, 5), tile, overlap)
