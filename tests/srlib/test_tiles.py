"""Tiles that give what the whole image gives, and textures that repeat without a seam."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import skimage.data
import torch
from PIL import Image
from torch import Tensor, nn

from srlib.cli import main
from srlib.enlarge import upscale_frame
from srlib.evaluation.inference import forward, together
from srlib.evaluation.tiles import can_be_exact, exact_tiles
from srlib.networks import create_network
from srlib.weights.files import WeightsError
from srlib.weights.official import load_official
from srlib.weights.pretrained import load_pretrained

TRAINED: dict[str, Callable[..., nn.Module]] = {
    "arfdn": load_official,
    "e-rfdn": load_official,
    "imdn": load_official,
    "aidn": load_pretrained,
    "rfdn": load_pretrained,
}


def whole_of(network: nn.Module, lr: Tensor, tile: int) -> Tensor:
    """The exact tiles put together."""
    height, width = (int(network.scale) * side for side in lr.shape[-2:])  # type: ignore[arg-type]
    return together(exact_tiles(network, lr, tile), height, width)


def trained(name: str) -> nn.Module:
    try:
        return TRAINED[name](name, 4)
    except WeightsError as error:
        pytest.skip(str(error))


def photo(height: int, width: int) -> Tensor:
    part = skimage.data.astronaut()[100 : 100 + height, 150 : 150 + width]
    return torch.from_numpy(part).permute(2, 0, 1)[None] / 255


@pytest.mark.parametrize("name", TRAINED)
@torch.inference_mode()
def test_tiles_are_equal_to_the_whole(name: str) -> None:
    network, lr = trained(name), photo(133, 98)
    whole = network(lr)
    assert (whole_of(network, lr, 54) - whole).abs().max() <= 1e-5
    assert (forward(network, lr, 54, 48) - whole).abs().max() > 1e-4, "plain tiles are not"


@pytest.mark.parametrize(
    ("height", "width", "tile"), [(15, 15, 6), (16, 97, 1), (61, 20, 12), (40, 31, 600)]
)
@pytest.mark.parametrize("name", ["aidn", "rfdn", "e-rfdn", "imdn"])
@torch.inference_mode()
def test_of_any_size_and_tile(name: str, height: int, width: int, tile: int) -> None:
    torch.manual_seed(0)
    network = create_network(name, 2, blocks=2).eval()
    lr = photo(height, width)
    assert (whole_of(network, lr, tile) - network(lr)).abs().max() <= 1e-5


def test_others_are_not_taken() -> None:
    assert can_be_exact(create_network("rfdn-t1-srb", 2))
    assert not can_be_exact(create_network("fdiwn", 2, order=(0,)))


@pytest.mark.parametrize("options", [[], ["--quick-tiles"]])
def test_the_command_takes_exact_tiles_if_not_asked_for_quick_ones(tmp_path: Path, options) -> None:
    trained("arfdn")
    source, out = tmp_path / "in.png", tmp_path / "out.png"
    pixels = skimage.data.astronaut()[50:150, 150:260]
    Image.fromarray(pixels).save(source)
    arguments = ["upscale", str(source), str(out), "--official", "arfdn", "--tile", "48"]
    assert main([*arguments, *options]) == 0
    whole = upscale_frame(pixels, trained("arfdn")).astype(int)
    off = np.abs(np.asarray(Image.open(out)) - whole)
    assert (off.max() <= 1 and (off > 0).mean() < 1e-4) == (not options)


def test_a_texture_repeats_without_a_seam() -> None:
    torch.manual_seed(0)
    network = create_network("carn-single", 2).eval()
    texture = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
    sr = upscale_frame(texture, network, seamless=True)
    assert sr.shape == (40, 60, 3)
    # shifted around, the texture is the same, and so is the result
    moved = upscale_frame(np.roll(texture, (7, 11), (0, 1)), network, seamless=True)
    assert np.abs(np.roll(sr, (14, 22), (0, 1)).astype(int) - moved).max() <= 1
    plain = upscale_frame(np.roll(texture, (7, 11), (0, 1)), network)
    assert np.abs(np.roll(sr, (14, 22), (0, 1)).astype(int) - plain).max() > 1
