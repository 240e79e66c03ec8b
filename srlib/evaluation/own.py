"""A folder of one's own images to score on: degraded by us, or paired with LR images by name."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from srlib.data.imresize import Border, imresize
from srlib.data.registry import crop_to_multiple
from srlib.evaluation.score import Pair
from srlib.pictures import PictureError, read_picture


def own_images(
    hr_folder: str | Path, lr_folder: str | Path | None, scale: int, border: Border
) -> Iterator[Pair]:
    """Every image of a folder with its LR image, in the order of the names.

    HR is cropped from the top left to a multiple of the scale. Grey counts as three equal channels,
    as the field scores it, and 16 bits become 8 by value / 257, rounded.

    Args:
        hr_folder: images of any kind that Pillow reads; other files are passed over.
        lr_folder: the LR image of STEM is STEM, STEMx4, STEM_x4 or STEM-x4 with any ending; None
            makes LR by MATLAB's bicubic.
        scale: HR size over LR size.
        border: as ``imresize`` takes it.

    Raises:
        ValueError: no folder or no image in it, an HR image without its LR image, with two, or with
            one of another size, or an image that is transparent or has several frames; all that
            concern names are raised before the first image is read.
    """
    originals = image_paths(hr_folder, "--hr")
    partners: dict[str, Path] = {}
    if lr_folder is not None:
        found = image_paths(lr_folder, "--lr")
        for path in originals:
            fitting = [lr for lr in found if _belongs(lr.stem, path.stem, scale)]
            if len(fitting) != 1:
                what = ", ".join(lr.name for lr in fitting) or "none"
                raise ValueError(
                    f"{path}: expected one LR image in {lr_folder} named {path.stem} or "
                    f"{path.stem}x{scale}, found {what}"
                )
            partners[path.stem] = fitting[0]
    for path in originals:
        whole = rgb_of(path)
        hr = crop_to_multiple(whole, scale)
        if not hr.size:
            size = f"{whole.shape[1]}x{whole.shape[0]}"
            raise ValueError(f"{path}: {size} pixels are too few for x{scale}")
        height, width = hr.shape[:2]
        if lr_folder is None:
            yield Pair(Path(hr_folder).name, path.stem, imresize(hr, 1 / scale, border=border), hr)
            continue
        lr = rgb_of(partners[path.stem])
        if lr.shape[:2] != (height // scale, width // scale):
            raise ValueError(
                f"{partners[path.stem]}: {lr.shape[1]}x{lr.shape[0]} pixels, and x{scale} of "
                f"{path} ({width}x{height}) asks for {width // scale}x{height // scale}; correct "
                "--scale, or make the LR image anew"
            )
        yield Pair(Path(hr_folder).name, path.stem, lr, hr)


def image_paths(folder: str | Path, option: str) -> list[Path]:
    """Every image of a folder, in the order of the names; ``option`` is what named the folder.

    Raises:
        ValueError: no such folder, no image in it, or one name in two formats.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise ValueError(f"{option} {folder}: there is no such folder")
    endings = Image.registered_extensions()
    found = sorted(path for path in folder.iterdir() if path.suffix.lower() in endings)
    if not found:
        raise ValueError(f"{option} {folder}: there is no image in it")
    stems = [path.stem for path in found]
    if twice := sorted({stem for stem in stems if stems.count(stem) > 1}):
        raise ValueError(f"{option} {folder}: {twice[0]} is there in two formats; keep one")
    return found


def _belongs(lr_stem: str, stem: str, scale: int) -> bool:
    return re.fullmatch(rf"{re.escape(stem)}([_-]?[xX]{scale})?", lr_stem) is not None


def rgb_of(path: Path) -> NDArray[np.uint8]:
    """An image file as uint8 (H, W, 3): grey three times, 16 bits divided by 257 and rounded.

    Raises:
        PictureError: it is transparent, has several frames or cannot be read; names it.
    """
    picture = read_picture(path)
    if len(picture.frames) > 1 or picture.channels % 2 == 0:
        what = "is transparent" if picture.channels % 2 == 0 else "has several frames"
        raise PictureError(
            f"{path} {what}, and is no image to score on; convert it, or take it out"
        )
    frame = picture.frames[0]
    if picture.deep:
        frame = ((frame.astype(np.uint32) + 128) // 257).astype(np.uint8)
    return np.ascontiguousarray(np.broadcast_to(frame, (*frame.shape[:2], 3)))
