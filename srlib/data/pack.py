"""Decode images once: pack whole sets, with the LR images made of them, into a store."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import numpy as np
from tqdm import tqdm

from srlib.data.imresize import Border, imresize
from srlib.data.packed import FORMAT, Entry, Pixels
from srlib.data.registry import crop_to_multiple, three_channels


def pack(
    images: Iterable[tuple[str, str, Pixels]], folder: str | Path, scale: int, border: Border
) -> None:
    """Write HR images and the LR images made of them as a store, replacing what `folder` held.

    The same images give the same bytes. The store appears whole or, on any failure, not at all.

    Args:
        images: (set, stem, HR), HR being uint8 (H, W, 3), or (H, W) for grey, which is stored as
            three equal channels; 0..255. Taken one at a time. HR is cropped from the top left to a
            multiple of `scale`.
        folder: where the store goes.
        scale: HR size over LR size, a whole number from 1.
        border: as `srlib.imresize.imresize` takes it.

    Raises:
        ValueError: no images, two of one name, one that is not an image or smaller than `scale`
            (set and stem are named), or an impossible scale or border.
    """
    if isinstance(scale, bool) or not isinstance(scale, int) or scale < 1:
        raise ValueError(f"scale: expected a whole number from 1, got {scale!r}; take 2, 3 or 4")
    folder = Path(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    new, old = (folder.with_name(f".{folder.name}.{os.getpid()}.{word}") for word in ("new", "old"))
    for path in (new, old):  # left by a process that was killed and had the same number
        shutil.rmtree(path, ignore_errors=True)
    new.mkdir()
    try:
        _write(images, new, scale, border)
        _put(new, folder, old)
    finally:
        if old.exists() and not folder.exists():
            old.rename(folder)
        for path in (new, old):
            shutil.rmtree(path, ignore_errors=True)


def _put(new: Path, folder: Path, old: Path) -> None:
    """Give `new` the name of `folder`, which may be filled, and by another process at any moment.

    A filled folder cannot be replaced in one step: what is there goes to `old` first.
    """
    while True:
        try:
            new.rename(folder)
            return
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.EACCES):
                raise
        shutil.rmtree(old, ignore_errors=True)
        with suppress(FileNotFoundError):  # another process has just moved it away
            folder.rename(old)


def _write(
    images: Iterable[tuple[str, str, Pixels]], folder: Path, scale: int, border: Border
) -> None:
    entries: list[Entry] = []
    names: set[tuple[str, str]] = set()
    with (folder / "hr.npy").open("wb+") as hr_file, (folder / "lr.npy").open("wb+") as lr_file:
        hr_pixels, lr_pixels = _PixelFile(hr_file), _PixelFile(lr_file)
        for name, stem, image in tqdm(images, desc=f"pack x{scale}", unit="image", disable=None):
            if (name, stem) in names:
                raise ValueError(f"images: {name}/{stem} comes twice; a name must be unique")
            hr = _cropped(f"{name}/{stem}", image, scale)
            height, width, _ = hr.shape
            entries.append(Entry(name, stem, height, width, hr_pixels.count))
            names.add((name, stem))
            hr_pixels.append(hr)
            lr_pixels.append(imresize(hr, 1 / scale, border=border))
        if not entries:
            raise ValueError("images: there are none to pack; check the sets' folders")
        index = {
            "format": FORMAT,
            "scale": scale,
            "border": border,
            "hr_sha256": hr_pixels.finish(),
            "lr_sha256": lr_pixels.finish(),
            "images": [entry._asdict() for entry in entries],
        }
    with (folder / "index.json").open("w", encoding="utf-8", newline="\n") as file:
        file.write(json.dumps(index, indent=1, sort_keys=True) + "\n")
        file.flush()
        os.fsync(file.fileno())


def _cropped(label: str, image: Pixels, scale: int) -> Pixels:
    """HR (H, W, 3) with sides that are multiples of `scale`."""
    image = np.asarray(image)
    if image.dtype != np.uint8 or not (image.ndim == 2 or image.shape[2:] == (3,)):
        raise ValueError(
            f"{label}: expected uint8 (H, W, 3) or (H, W), got {image.dtype} {image.shape}; "
            "convert it to RGB or grey with 8 bits a channel"
        )
    hr = crop_to_multiple(three_channels(image), scale)
    if not hr.size:
        raise ValueError(
            f"{label}: {image.shape[0]}x{image.shape[1]} pixels are too few for scale {scale}; "
            "leave the image out"
        )
    return hr


class _PixelFile:
    """A .npy file of shape (count, 3) written image by image."""

    def __init__(self, file: BinaryIO) -> None:
        self.file, self.count, self.sha256 = file, 0, hashlib.sha256()
        self._header()

    def _header(self) -> None:
        # NumPy leaves room in the header for the first side to grow
        header = {"descr": "|u1", "fortran_order": False, "shape": (self.count, 3)}
        np.lib.format.write_array_header_1_0(self.file, header)

    def append(self, image: Pixels) -> None:
        data = np.ascontiguousarray(image).data
        self.sha256.update(data)
        self.file.write(data)
        self.count += image.shape[0] * image.shape[1]

    def finish(self) -> str:
        """Flush everything to disk; return the SHA-256 of the pixels."""
        self.file.seek(0)
        self._header()
        self.file.flush()
        os.fsync(self.file.fileno())
        return self.sha256.hexdigest()
