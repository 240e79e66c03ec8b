"""Score a method on packed test images and keep its result per image."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image
from tqdm import tqdm

from srlib.config import Picture
from srlib.data.packed import PackedImages
from srlib.evaluation.metrics import score
from srlib.files import replacing, write_csv, write_json

Method = Callable[[NDArray[np.uint8]], NDArray[np.uint8]]  # LR (h, w, 3) -> SR (s*h, s*w, 3)


class Pair(NamedTuple):
    """An image to score on: its set and stem, LR (h, w, 3) and HR (s*h, s*w, 3), uint8."""

    set: str
    stem: str
    lr: NDArray[np.uint8]
    hr: NDArray[np.uint8]


def evaluate(method: Method, store: PackedImages) -> pd.DataFrame:
    """``evaluate_images`` on every image of a store, in its order."""
    pairs = (
        Pair(*store.names[index], store.lr(index), np.asarray(store.hr(index)))
        for index in tqdm(range(len(store)), unit="image", disable=None)
    )
    return evaluate_images(method, pairs, store.scale)


def evaluate_images(method: Method, pairs: Iterable[Pair], scale: int) -> pd.DataFrame:
    """PSNR-Y and SSIM-Y of a method on images.

    Returns:
        One row an image: set, image, psnr_y (dB; infinite where the method gives HR itself, and so
        is then the mean of its set), ssim_y.

    Raises:
        ValueError: an image too small to score, or a method whose output has another size or is no
            picture; names the image.
    """
    rows = []
    for name, stem, lr, hr in pairs:
        try:
            psnr_y, ssim_y = score(method(lr), hr, scale)
        except ValueError as error:
            raise ValueError(f"{name}/{stem} cannot be scored: {error}") from error
        rows.append({"set": name, "image": stem, "psnr_y": psnr_y, "ssim_y": ssim_y})
    return pd.DataFrame(rows)


def summarise(images: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Mean over the images of each set, as the papers print it."""
    return {
        str(name): {
            "images": len(group),
            "psnr_y": round(float(group["psnr_y"].mean()), 6),
            "ssim_y": round(float(group["ssim_y"].mean()), 8),
        }
        for name, group in images.groupby("set", sort=False)
    }


def write_result(folder: str | Path, images: pd.DataFrame) -> None:
    """Write ``images.csv`` and ``metrics.json``: numbers alone, as ``dvc metrics`` shows them."""
    folder = Path(folder)
    write_csv(folder / "images.csv", images.round({"psnr_y": 6, "ssim_y": 8}))
    write_json(folder / "metrics.json", {"sets": summarise(images)})


def save_picture(method: Method | None, store: PackedImages, picture: Picture, path: Path) -> None:
    """Write a method's reconstruction of a picture as PNG; None writes HR itself.

    Raises:
        ValueError: a picture that the store does not hold, or a crop outside it.
    """
    try:
        index = store.names.index((picture.set, picture.stem))
    except ValueError:
        raise ValueError(
            f"pictures.images: {picture.set}/{picture.stem} is not among the test images; "
            "add its set to data.test or remove the picture"
        ) from None
    image = np.asarray(store.hr(index)) if method is None else method(store.lr(index))
    if picture.crop:
        top, left, height, width = picture.crop
        if top + height > image.shape[0] or left + width > image.shape[1]:
            raise ValueError(
                f"pictures.images: the crop {picture.crop} of {picture.set}/{picture.stem} leaves "
                f"the image of {image.shape[0]}x{image.shape[1]} pixels"
            )
        image = image[top : top + height, left : left + width]
    with replacing(path) as temporary:
        Image.fromarray(image).save(temporary, format="png", optimize=True)
