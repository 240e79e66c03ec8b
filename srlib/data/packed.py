"""Images decoded once: the HR and LR pixels of whole sets in two flat uint8 files.

A store is a folder of `hr.npy` and `lr.npy`, all pixels of all images one after the other, and
`index.json`, which says where each image lies. Files are mapped into memory, not read, and a batch
of training patches is one gather per file, on the device where the network is.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

if TYPE_CHECKING:
    from srlib.data.imresize import Border

BORDERS = ("replicate", "symmetric")
FORMAT = 1  # of the folder; a change of what the files mean takes the next number

Pixels = NDArray[np.uint8]


class Entry(NamedTuple):
    """One image of a store: HR size and the place of its first pixel among all HR pixels."""

    set: str
    stem: str
    height: int
    width: int
    offset: int


class Patches(NamedTuple):
    """Which patches a batch consists of, int64 (B,) each; `y` and `x` count LR pixels.

    `transform` is one of the square's eight symmetries: 1 flips rows, 2 flips columns, 4 transposes
    afterwards; their sums do both.
    """

    image: NDArray[np.int64]
    y: NDArray[np.int64]
    x: NDArray[np.int64]
    transform: NDArray[np.int64]


class PackedImages:
    """A packed store, opened for reading.

    Attributes:
        folder: where it lies.
        scale: HR size over LR size.
        border: the border its LR images were made with.
        names: (set, stem) of every image, in order.
        entries: the same with sizes and offsets.

    Raises:
        FileNotFoundError: no store at `folder`.
        ValueError: a file of the store is damaged or of another format; the message names it.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        index = self._read_index()
        try:
            self.scale: int = index["scale"]
            self.border: Border = index["border"]
            self.entries = [Entry(**entry) for entry in index["images"]]
            self._sha256 = {"hr": index["hr_sha256"], "lr": index["lr_sha256"]}
            total = _pixels_of(self.entries, self.scale, self.border)
        except (KeyError, TypeError, ValueError) as error:
            raise self._damaged("index.json", f"it is not a store's index ({error})") from error
        self.names = [(entry.set, entry.stem) for entry in self.entries]
        self._hr = self._open("hr", total)
        self._lr = self._open("lr", total // self.scale**2)
        self._tensors: dict[str, tuple[torch.Tensor, torch.Tensor]] = {}
        self._positions: dict[int, tuple[NDArray[np.int64], NDArray[np.int64]]] = {}
        self._digest = ""

    def __len__(self) -> int:
        return len(self.entries)

    def hr(self, index: int) -> Pixels:
        """HR image `index`: a read-only view, uint8 (H, W, 3), 0..255."""
        entry = self.entries[index]
        return _view(self._hr, entry.offset, entry.height, entry.width)

    def lr(self, index: int) -> Pixels:
        """LR image `index`: a read-only view, uint8 (H / scale, W / scale, 3), 0..255."""
        entry, scale = self.entries[index], self.scale
        return _view(
            self._lr, entry.offset // scale**2, entry.height // scale, entry.width // scale
        )

    def digest(self) -> str:
        """SHA-256 (hex) of what the store holds: names, sizes, scale, border and all pixels.

        The pixels are read again for it, once for each opened store.

        Raises:
            ValueError: the pixels are not those that were packed.
        """
        if not self._digest:
            for name, pixels in (("hr", self._hr), ("lr", self._lr)):
                if hashlib.sha256(pixels.data).hexdigest() != self._sha256[name]:
                    raise self._damaged(f"{name}.npy", "its pixels are not those that were packed")
            self._digest = hashlib.sha256((self.folder / "index.json").read_bytes()).hexdigest()
        return self._digest

    def batch(
        self,
        patch_hr: int,
        batch: int,
        seed: int,
        step: int,
        rank: int = 0,
        world_size: int = 1,
        device: str | torch.device = "cpu",
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Cut, flip and rotate this rank's patches of a step; a pure function of the arguments.

        Args:
            patch_hr: side of the HR patch, a multiple of the store's scale.
            batch: patches over all ranks, a multiple of `world_size`.
            seed, step: what the sample depends on, whole numbers from 0.
            rank, world_size: rank r takes the r-th of `world_size` equal slices of the batch.
            device: where the pixels are kept and the batch is made; they are moved there once.

        Returns:
            LR (B, 3, p / scale, p / scale) and HR (B, 3, p, p), B = batch / world_size: float32 in
            0..1, aligned, in channels_last memory.

        Raises:
            ValueError: an impossible argument, or no image as large as the patch; names it.
        """
        if not 0 <= rank < world_size or batch < 1 or batch % world_size:
            raise ValueError(
                f"batch: {batch} patches for rank {rank} of world_size {world_size}; expected a "
                "positive multiple of world_size, and a rank from 0 to below it"
            )
        size = batch // world_size
        whole = sample_patches(self, patch_hr, batch, seed, step)
        image, y, x, transform = (part[rank * size : (rank + 1) * size] for part in whole)
        offset = np.array([self.entries[i].offset for i in image])
        width = np.array([self.entries[i].width for i in image])
        lr_pixels, hr_pixels = self._on(torch.device(device))
        scale = self.scale
        lr_place = (offset // scale**2, width // scale, y, x, transform)
        hr_place = (offset, width, y * scale, x * scale, transform)
        return _cut(lr_pixels, patch_hr // scale, *lr_place), _cut(hr_pixels, patch_hr, *hr_place)

    def patch_positions(self, patch_hr: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Count the positions where an HR patch that starts at an LR pixel fits.

        Returns:
            int64, one number an image: positions up to the image's end, and those in one row of it.
            An image smaller than the patch has none, and is never drawn.

        Raises:
            ValueError: `patch_hr` is no positive multiple of the scale, or fits into no image.
        """
        if patch_hr not in self._positions:
            if patch_hr < 1 or patch_hr % self.scale:
                raise ValueError(
                    f"patch_hr: {patch_hr} is no positive multiple of the store's scale "
                    f"{self.scale}; take {max(1, patch_hr // self.scale) * self.scale}"
                )
            sides = np.array([(entry.height, entry.width) for entry in self.entries], np.int64)
            rows, columns = np.maximum((sides - patch_hr) // self.scale + 1, 0).T
            if not (rows * columns).any():
                raise ValueError(
                    f"patch_hr: {patch_hr}x{patch_hr} fits into no image of {self.folder}, whose "
                    f"largest shorter side is {sides.min(1).max()}; take a smaller patch"
                )
            self._positions[patch_hr] = np.cumsum(rows * columns), columns
        return self._positions[patch_hr]

    def _on(self, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
        """LR and HR pixels, uint8 (N, 3), on a device."""
        key = str(device)
        if key not in self._tensors:
            lr, hr = torch.from_numpy(self._lr), torch.from_numpy(self._hr)
            self._tensors[key] = lr.to(device), hr.to(device)  # no copy on the CPU
        return self._tensors[key]

    def _read_index(self) -> dict[str, Any]:
        path = self.folder / "index.json"
        try:
            index = json.loads(path.read_text(encoding="utf-8"))
            found = index["format"]
        except FileNotFoundError:
            raise FileNotFoundError(
                f"{self.folder}: no packed store here (index.json is missing); pack it with "
                "srlib.data.pack.pack, or `dvc repro` the stage prepare"
            ) from None
        except (ValueError, KeyError, TypeError) as error:
            raise self._damaged("index.json", f"it cannot be read ({error})") from error
        if found != FORMAT:
            raise ValueError(f"{path}: format {found}, this srlib reads {FORMAT}; pack it again")
        return index

    def _open(self, name: str, pixels: int) -> Pixels:
        """Map a file; copy-on-write, since PyTorch warns of arrays that cannot be written."""
        try:
            array = np.load(self.folder / f"{name}.npy", mmap_mode="c")
        except Exception as error:  # NumPy's reader of headers has a dozen ways to fail
            raise self._damaged(f"{name}.npy", f"it cannot be read ({error})") from error
        if array.dtype != np.uint8 or array.shape != (pixels, 3):
            found = f"{array.dtype} {array.shape} where uint8 {(pixels, 3)} is expected"
            raise self._damaged(f"{name}.npy", f"it holds {found}")
        return np.asarray(array)

    def _damaged(self, name: str, what: str) -> ValueError:
        return ValueError(f"{self.folder / name}: {what}; delete the folder and pack it again")


def sample_patches(
    store: PackedImages, patch_hr: int, global_batch: int, seed: int, step: int
) -> Patches:
    """Sample the patches of one training step: a pure function of the arguments.

    All positions where a patch fits, over all images, are equally likely, as are all transforms.
    The generator is counter-based (Philox, keyed on seed and step): step n needs no step before it,
    and patch i is the same in a batch of any size. Its raw numbers, unlike NumPy's distributions,
    are the same in all versions of NumPy.

    Raises:
        ValueError: `patch_hr` is no positive multiple of the store's scale, fits into no
            image, or `global_batch`, `seed` or `step` is impossible.

    Source: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
    """
    for name, value, least in (
        ("global_batch", global_batch, 1),
        ("seed", seed, 0),
        ("step", step, 0),
    ):
        if not least <= value < 2**64:
            raise ValueError(f"{name}: expected a whole number from {least}, got {value}")
    ends, columns = store.patch_positions(patch_hr)
    key = np.array([seed, step], np.uint64)
    raw = np.random.Philox(key=key).random_raw(2 * global_batch).reshape(-1, 2)
    # the remainder favours low numbers by less than one in 2^64 / positions: nothing
    place = (raw[:, 0] % np.uint64(ends[-1])).astype(np.int64)
    image = np.searchsorted(ends, place, side="right")
    y, x = np.divmod(place - np.where(image > 0, ends[image - 1], 0), columns[image])
    return Patches(image, y, x, (raw[:, 1] >> np.uint64(61)).astype(np.int64))


def _pixels_of(entries: list[Entry], scale: int, border: str) -> int:
    """HR pixels of all images; ValueError where they do not lie one behind the other."""
    total = 0
    if type(scale) is not int or scale < 1 or border not in BORDERS:
        raise ValueError(f"scale {scale!r}, border {border!r}")
    for entry in entries:
        sizes = (entry.height, entry.width)
        if not all(type(side) is int and side > 0 and side % scale == 0 for side in sizes):
            raise ValueError(f"{entry.set}/{entry.stem} of {entry.height!r} x {entry.width!r}")
        if entry.offset != total:
            raise ValueError(f"{entry.set}/{entry.stem} at {entry.offset!r}, expected {total}")
        total += entry.height * entry.width
    return total


def _view(pixels: Pixels, offset: int, height: int, width: int) -> Pixels:
    view = pixels[offset : offset + height * width].reshape(height, width, 3)
    view.flags.writeable = False
    return view


def _cut(
    pixels: torch.Tensor,
    patch: int,
    offset: NDArray[np.int64],
    width: NDArray[np.int64],
    y: NDArray[np.int64],
    x: NDArray[np.int64],
    transform: NDArray[np.int64],
) -> torch.Tensor:
    """Gather patches (B, 3, patch, patch), float32 in 0..1, from uint8 pixels (N, 3).

    A flipped or transposed patch is the same pixels read from another corner with other strides:
    pixel (i, j) lies at first + i * down + j * right.
    """
    flip_y, flip_x, transpose = transform & 1, transform >> 1 & 1, transform >> 2 & 1
    first = offset + (y + flip_y * (patch - 1)) * width + x + flip_x * (patch - 1)
    down, right = width * (1 - 2 * flip_y), 1 - 2 * flip_x
    down, right = np.where(transpose, right, down), np.where(transpose, down, right)
    place = torch.from_numpy(np.stack([first, down, right])).to(pixels.device)[:, :, None, None]
    steps = torch.arange(patch, device=pixels.device)
    index = place[0] + place[1] * steps[:, None] + place[2] * steps
    cut = pixels.index_select(0, index.flatten()).view(*index.shape, 3)
    return cut.permute(0, 3, 1, 2).to(torch.float32).div_(255)
