"""The packed store: what it holds, how it is written, and which patches come out of it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from srlib.data.imresize import imresize
from srlib.data.pack import pack
from srlib.data.packed import PackedImages, sample_patches

SCALE, PATCH = 4, 16
SIZES = {"small": (16, 20), "wide": (21, 40), "tall": (37, 24)}  # HR, two of them to be cropped


def pictures(seed: int = 0) -> Iterator[tuple[str, str, np.ndarray]]:
    rng = np.random.default_rng(seed)
    for stem, (height, width) in SIZES.items():
        yield "noise", stem, rng.integers(0, 256, (height, width, 3), np.uint8)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> PackedImages:
    folder = tmp_path_factory.mktemp("store") / "x4"
    pack(pictures(), folder, SCALE, "replicate")
    return PackedImages(folder)


@pytest.fixture
def copy(store: PackedImages, tmp_path: Path) -> Path:
    """A store that a test may damage."""
    return Path(shutil.copytree(store.folder, tmp_path / "copy"))


def transformed(patch: np.ndarray, transform: int) -> np.ndarray:
    """Flip and then transpose (h, h, 3) as `Draw` says."""
    patch = patch[:: -1 if transform & 1 else 1, :: -1 if transform & 2 else 1]
    return patch.transpose(1, 0, 2) if transform & 4 else patch


def pixels(tensor: torch.Tensor) -> np.ndarray:
    """(B, 3, p, p) in 0..1 to uint8 (B, p, p, 3)."""
    return (tensor * 255).round().to(torch.uint8).permute(0, 2, 3, 1).numpy()


def equal(a: tuple[torch.Tensor, ...], b: tuple[torch.Tensor, ...]) -> bool:
    return all(torch.equal(left, right) for left, right in zip(a, b, strict=True))


# --- what a store holds -----------------------------------------------------------------------


def test_names_are_in_the_order_packed(store: PackedImages) -> None:
    assert store.names == [("noise", stem) for stem in SIZES]


def test_length_scale_and_border_are_those_packed(store: PackedImages) -> None:
    assert (len(store), store.scale, store.border) == (3, SCALE, "replicate")


def test_hr_is_the_image_cropped_to_a_multiple_of_the_scale(store: PackedImages) -> None:
    for index, (_, _, image) in enumerate(pictures()):
        height, width = (side // SCALE * SCALE for side in image.shape[:2])
        np.testing.assert_array_equal(store.hr(index), image[:height, :width])


def test_lr_is_imresize_of_hr(store: PackedImages) -> None:
    for index in range(len(store)):
        expected = imresize(store.hr(index), 1 / SCALE, border="replicate")
        np.testing.assert_array_equal(store.lr(index), expected)


def test_grey_becomes_three_equal_channels(tmp_path: Path) -> None:
    grey = np.arange(64, dtype=np.uint8).reshape(8, 8)
    pack([("set", "grey", grey)], tmp_path / "x", 2, "symmetric")
    np.testing.assert_array_equal(PackedImages(tmp_path / "x").hr(0), np.stack([grey] * 3, axis=2))


def test_images_cannot_be_written_to(store: PackedImages) -> None:
    with pytest.raises(ValueError, match="read-only"):
        store.hr(0)[0, 0, 0] = 1


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.integers(4, 19), st.integers(4, 19)), min_size=1), st.integers(1, 4))
def test_images_of_any_size_are_kept(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[tuple[int, int]], scale: int
) -> None:
    rng = np.random.default_rng(0)
    images = [rng.integers(0, 256, (*size, 3), np.uint8) for size in sizes]
    folder = tmp_path_factory.mktemp("sizes") / "store"
    pack((("set", str(i), image) for i, image in enumerate(images)), folder, scale, "symmetric")
    store = PackedImages(folder)
    for index, image in enumerate(images):
        height, width = (side // scale * scale for side in image.shape[:2])
        np.testing.assert_array_equal(store.hr(index), image[:height, :width])
        np.testing.assert_array_equal(store.lr(index), imresize(store.hr(index), 1 / scale))


# --- how it is written ------------------------------------------------------------------------


def test_the_same_images_give_the_same_bytes(store: PackedImages, tmp_path: Path) -> None:
    pack(pictures(), tmp_path / "again", SCALE, "replicate")
    for name in ("hr.npy", "lr.npy", "index.json"):
        assert (tmp_path / "again" / name).read_bytes() == (store.folder / name).read_bytes(), name


def test_the_files_are_plain_npy(store: PackedImages) -> None:
    assert np.load(store.folder / "hr.npy").shape == (16 * 20 + 20 * 40 + 36 * 24, 3)


def failing() -> Iterator[tuple[str, str, np.ndarray]]:
    yield next(pictures())
    raise RuntimeError("the disk is gone")


def test_a_failure_midway_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="the disk is gone"):
        pack(failing(), tmp_path / "x4", SCALE, "replicate")
    assert list(tmp_path.iterdir()) == []


def test_a_failure_midway_leaves_the_old_store(copy: Path, store: PackedImages) -> None:
    with pytest.raises(RuntimeError, match="the disk is gone"):
        pack(failing(), copy, SCALE, "replicate")
    assert PackedImages(copy).digest() == store.digest() and len(list(copy.parent.iterdir())) == 1


def test_packing_replaces_an_old_store(copy: Path, store: PackedImages) -> None:
    pack(pictures(seed=1), copy, SCALE, "replicate")
    assert PackedImages(copy).digest() != store.digest() and len(list(copy.parent.iterdir())) == 1


@pytest.mark.parametrize("border", ["replicate", "symmetric"])
def test_digest_tells_other_content_apart(store: PackedImages, tmp_path: Path, border: str) -> None:
    pack(pictures(), tmp_path / "x", SCALE, border)  # type: ignore[arg-type]
    assert (PackedImages(tmp_path / "x").digest() == store.digest()) == (border == "replicate")


def test_two_images_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="noise/small comes twice"):
        pack([next(pictures()), next(pictures())], tmp_path / "x", SCALE, "replicate")


def test_no_images_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="images: there are none"):
        pack([], tmp_path / "x", SCALE, "replicate")


def test_an_image_smaller_than_the_scale_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="set/dot: 3x9 pixels are too few for scale 4"):
        pack([("set", "dot", np.zeros((3, 9, 3), np.uint8))], tmp_path / "x", 4, "replicate")


@pytest.mark.parametrize("image", [np.zeros((8, 8, 4), np.uint8), np.zeros((8, 8, 3))])
def test_an_image_that_is_not_8_bit_rgb_or_grey_is_refused(
    tmp_path: Path, image: np.ndarray
) -> None:
    with pytest.raises(ValueError, match=r"set/odd: expected uint8 \(H, W, 3\) or \(H, W\)"):
        pack([("set", "odd", image)], tmp_path / "x", 2, "replicate")


@pytest.mark.parametrize("scale", [0, -2, 1.5, True])
def test_an_impossible_scale_is_refused(tmp_path: Path, scale: int) -> None:
    with pytest.raises(ValueError, match="scale: expected a whole number from 1"):
        pack(pictures(), tmp_path / "x", scale, "replicate")


# --- damaged stores ---------------------------------------------------------------------------


def test_a_missing_store_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no packed store here.*pack it"):
        PackedImages(tmp_path / "nowhere")


@pytest.mark.parametrize("text", ["", "{", "[]", "{}"])
def test_an_unreadable_index_is_named(copy: Path, text: str) -> None:
    (copy / "index.json").write_text(text)
    with pytest.raises(ValueError, match=r"index\.json: it cannot be read"):
        PackedImages(copy)


def test_an_incomplete_index_is_named(copy: Path) -> None:
    (copy / "index.json").write_text('{"format": 1}')
    with pytest.raises(ValueError, match=r"index\.json: it is not a store's index"):
        PackedImages(copy)


def test_another_format_is_refused(copy: Path) -> None:
    (copy / "index.json").write_text('{"format": 99}')
    with pytest.raises(ValueError, match="format 99, this srlib reads 1"):
        PackedImages(copy)


@pytest.mark.parametrize("name", ["hr.npy", "lr.npy"])
def test_a_truncated_file_is_named(copy: Path, name: str) -> None:
    (copy / name).write_bytes((copy / name).read_bytes()[:-1])
    with pytest.raises(ValueError, match=f"{name}: it cannot be read"):
        PackedImages(copy)


def test_a_missing_file_is_named(copy: Path) -> None:
    (copy / "lr.npy").unlink()
    with pytest.raises(ValueError, match=r"lr\.npy: it cannot be read"):
        PackedImages(copy)


def test_pixels_of_another_count_are_refused(copy: Path) -> None:
    np.save(copy / "hr.npy", np.zeros((5, 3), np.uint8))
    with pytest.raises(ValueError, match=r"hr\.npy: it holds uint8 \(5, 3\)"):
        PackedImages(copy)


def test_a_changed_pixel_is_found_by_the_digest(copy: Path) -> None:
    content = bytearray((copy / "lr.npy").read_bytes())
    content[-1] ^= 1
    (copy / "lr.npy").write_bytes(content)
    with pytest.raises(ValueError, match=r"lr\.npy: its pixels are not those that were packed"):
        PackedImages(copy).digest()


# --- patches ----------------------------------------------------------------------------------


@pytest.mark.parametrize("which", ["lr", "hr"])
def test_every_patch_is_the_window_that_was_drawn(store: PackedImages, which: str) -> None:
    drawn = sample_patches(store, PATCH, 400, 7, 3)
    lr, hr = store.batch(PATCH, 400, 7, 3)
    image, unit = (store.lr, 1) if which == "lr" else (store.hr, SCALE)
    got = pixels(lr if which == "lr" else hr)
    side = PATCH // SCALE * unit
    for i, (index, y, x, transform) in enumerate(zip(*drawn, strict=True)):
        window = image(index)[y * unit : y * unit + side, x * unit : x * unit + side]
        np.testing.assert_array_equal(got[i], transformed(window, transform))


def test_lr_and_hr_show_the_same_place(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)  # flat squares of 4x4 pixels: LR is the mean up to overshoot
    image = rng.choice(np.array([60, 180], np.uint8), (12, 15, 3)).repeat(8, 0).repeat(8, 1)
    pack([("set", "squares", image)], tmp_path / "x", 4, "symmetric")
    lr, hr = PackedImages(tmp_path / "x").batch(32, 64, 0, 0)
    mean = torch.nn.functional.avg_pool2d(hr, 4)
    assert (lr - mean).abs().max() < 30 / 255  # a shift by one LR pixel makes 120 / 255


@pytest.mark.parametrize(("which", "side"), [(0, PATCH // SCALE), (1, PATCH)])
def test_batches_are_channels_last_floats_between_0_and_1(
    store: PackedImages, which: int, side: int
) -> None:
    tensor = store.batch(PATCH, 64, 0, 0)[which]
    assert tensor.shape == (64, 3, side, side) and tensor.dtype == torch.float32
    assert tensor.is_contiguous(memory_format=torch.channels_last)
    assert tensor.min() >= 0 and tensor.max() <= 1


@given(st.integers(0, 2**40), st.integers(0, 2**40))
def test_a_draw_depends_on_seed_and_step_alone(store: PackedImages, seed: int, step: int) -> None:
    first = store.batch(PATCH, 4, seed, step)
    store.batch(PATCH, 4, seed + 1, step + 1)
    assert equal(first, PackedImages(store.folder).batch(PATCH, 4, seed, step))


@pytest.mark.parametrize(("seed", "step"), [(1, 0), (0, 1)])
def test_another_seed_or_step_draws_others(store: PackedImages, seed: int, step: int) -> None:
    assert not equal(store.batch(PATCH, 8, 0, 0), store.batch(PATCH, 8, seed, step))


def test_draws_stay_the_same_for_ever(store: PackedImages) -> None:
    drawn = sample_patches(
        store, PATCH, 3, seed=1, step=2
    )  # written down once; results hang on them
    assert [part.tolist() for part in drawn] == [[2, 2, 1], [5, 0, 1], [0, 1, 2], [2, 7, 3]]


@given(st.sampled_from([1, 2, 4, 8]), st.integers(0, 100))
def test_the_ranks_together_see_the_batch_of_one(
    store: PackedImages, world: int, step: int
) -> None:
    parts = [store.batch(PATCH, 16, 5, step, rank, world) for rank in range(world)]
    together = tuple(torch.cat(tensors) for tensors in zip(*parts, strict=True))
    assert equal(together, store.batch(PATCH, 16, 5, step))


def test_a_larger_batch_begins_with_the_smaller(store: PackedImages) -> None:
    large, small = sample_patches(store, PATCH, 32, 0, 0), sample_patches(store, PATCH, 8, 0, 0)
    assert all((a[:8] == b).all() for a, b in zip(large, small, strict=True))


def test_every_place_comes_equally_often(store: PackedImages) -> None:
    image, y, x, _ = sample_patches(store, PATCH, 40_000, 0, 0)
    _, counts = np.unique(np.stack([image, y, x]), axis=1, return_counts=True)
    places = 1 * 2 + 2 * 7 + 6 * 3
    assert len(counts) == places  # all of them
    assert np.abs(counts / (40_000 / places) - 1).max() < 0.15  # 5 standard deviations


def test_every_transform_comes_equally_often(store: PackedImages) -> None:
    counts = np.bincount(sample_patches(store, PATCH, 40_000, 0, 0).transform, minlength=8)
    assert len(counts) == 8 and np.abs(counts / 5000 - 1).max() < 0.07


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 4), st.integers(1, 4), st.integers(0, 20), st.integers(0, 20))
def test_patches_of_any_size_and_scale_are_aligned(
    tmp_path_factory: pytest.TempPathFactory, scale: int, side: int, more_y: int, more_x: int
) -> None:
    rng = np.random.default_rng(0)
    patch = side * scale
    image = rng.integers(0, 256, (patch + more_y, patch + more_x, 3), np.uint8)
    folder = tmp_path_factory.mktemp("patch") / "store"
    pack([("set", "image", image)], folder, scale, "symmetric")
    store = PackedImages(folder)
    lr, hr = (pixels(tensor) for tensor in store.batch(patch, 8, 0, 0))
    for i, (_, y, x, transform) in enumerate(
        zip(*sample_patches(store, patch, 8, 0, 0), strict=True)
    ):
        lr_window = store.lr(0)[y : y + side, x : x + side]
        y, x = y * scale, x * scale
        hr_window = store.hr(0)[y : y + patch, x : x + patch]
        np.testing.assert_array_equal(lr[i], transformed(lr_window, transform))
        np.testing.assert_array_equal(hr[i], transformed(hr_window, transform))


def test_an_image_smaller_than_the_patch_is_never_drawn(store: PackedImages) -> None:
    small = store.names.index(("noise", "small"))
    places = [np.diff(store.patch_positions(side)[0], prepend=0)[small] for side in (16, 20)]
    assert places == [2, 0]
    assert small not in sample_patches(store, 20, 1000, 0, 0).image


def test_a_patch_that_fits_into_no_image_is_refused(store: PackedImages) -> None:
    with pytest.raises(ValueError, match=r"patch_hr: 400x400 fits into no image"):
        store.batch(400, 4, 0, 0)


@pytest.mark.parametrize("patch", [0, -4, 15])
def test_a_patch_that_is_no_multiple_of_the_scale_is_refused(
    store: PackedImages, patch: int
) -> None:
    with pytest.raises(
        ValueError, match=r"patch_hr: .* no positive multiple of the store's scale 4"
    ):
        store.batch(patch, 4, 0, 0)


@pytest.mark.parametrize(("batch", "rank", "world"), [(0, 0, 1), (4, 1, 1), (4, -1, 1), (5, 0, 2)])
def test_an_impossible_slice_is_refused(
    store: PackedImages, batch: int, rank: int, world: int
) -> None:
    with pytest.raises(ValueError, match=r"batch: .* expected a positive multiple of world_size"):
        store.batch(PATCH, batch, 0, 0, rank, world)


@pytest.mark.parametrize(("name", "seed", "step"), [("seed", -1, 0), ("step", 0, -1)])
def test_a_negative_seed_or_step_is_refused(
    store: PackedImages, name: str, seed: int, step: int
) -> None:
    with pytest.raises(ValueError, match=f"{name}: expected a whole number from 0, got -1"):
        sample_patches(store, PATCH, 4, seed, step)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_cuts_the_same_patches(store: PackedImages) -> None:
    lr, hr = store.batch(PATCH, 64, 0, 0, device="cuda")
    assert lr.is_cuda and hr.is_cuda
    for got, expected in zip((lr, hr), store.batch(PATCH, 64, 0, 0), strict=True):
        np.testing.assert_array_equal(pixels(got.cpu()), pixels(expected))
