"""Compare ``srlib.imresize`` with the LR images that MATLAB made, byte by byte."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from tqdm import tqdm

from srlib.data.imresize import Border, imresize
from srlib.data.registry import crop_to_multiple

# The folders of published LR images: of an older MATLAB (SelfExSR) and of a newer one.
BORDERS: dict[str, Border] = {"LR_bicubic": "replicate", "LR_bicubic_sym": "symmetric"}


def lr_bytes(mirror: str | Path | None = None) -> pd.DataFrame:
    """Count the bytes that differ, over every LR image of a folder of test sets.

    Args:
        mirror: holds ``SET/HR/STEM.*`` and ``SET/LR_bicubic/Xk/STEMxk.png`` (older MATLAB) or
            ``SET/LR_bicubic_sym/Xk/STEMxk.png`` (newer MATLAB); None takes SRLIB_MIRROR.

    Returns:
        A row a set, border and scale: set, border, scale, images, bytes, differing.

    Raises:
        ValueError: no mirror, or no LR images in it.
    """
    mirror = mirror or os.environ.get("SRLIB_MIRROR", "")
    folders = [path for path in sorted(Path(mirror).glob("*/LR_bicubic*/X*")) if path.is_dir()]
    if not mirror or not folders:
        raise ValueError(
            f"{mirror or 'SRLIB_MIRROR is not set'}: no SET/LR_bicubic/Xk folders; set the "
            "variable to a folder of the published test sets with their LR images"
        )
    rows = []
    for folder in folders:
        name, border, scale = folder.parts[-3], BORDERS[folder.parts[-2]], int(folder.name[1:])
        originals = {path.stem: path for path in (Path(mirror) / name / "HR").iterdir()}
        sums = np.zeros(3, dtype=np.int64)
        for lr in tqdm(sorted(folder.glob("*.png")), leave=False, disable=None):
            hr = originals[lr.stem.removesuffix(f"x{scale}")]
            sums += (1, *_differing(hr, lr, scale, border))
        names = ("images", "bytes", "differing")
        counts = dict(zip(names, (int(n) for n in sums), strict=True))
        rows.append({"set": name, "border": border, "scale": scale} | counts)
    return pd.DataFrame(rows)


def _differing(hr_path: Path, lr_path: Path, scale: int, border: Border) -> tuple[int, int]:
    """The bytes of an LR image, and those that differ from the one made here."""
    hr, lr = (np.asarray(Image.open(path)) for path in (hr_path, lr_path))
    if lr.ndim > hr.ndim:  # a grey HR whose LR was stored as three equal channels
        hr = np.repeat(hr[..., None], 3, axis=2)
    ours = imresize(crop_to_multiple(hr, scale), 1 / scale, border=border)
    return lr.size, int(np.count_nonzero(ours != lr)) if ours.shape == lr.shape else lr.size
