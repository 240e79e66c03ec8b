"""How far the protocol alone moves the score of one and the same output.

Each deviation here is one that public code or a careless notebook makes. The table they give is
part of every reference's result (``protocols.csv``), so that a reader whose numbers are off can
look up by how much, and why.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from srlib.data.packed import PackedImages
from srlib.evaluation.metrics import luma, psnr, shave
from srlib.evaluation.score import Method

Score = Callable[[NDArray[np.uint8], NDArray[np.uint8], int], float]


def full_range_luma(rgb: NDArray[np.uint8]) -> NDArray[np.float64]:
    """BT.601 luma in full range, as JPEG has it: uint8 (H, W, 3) -> float64 (H, W) in 0..255."""
    return rgb @ np.array([0.299, 0.587, 0.114])


def without_antialiasing(hr: NDArray[np.uint8], scale: int) -> NDArray[np.uint8]:
    """LR by PyTorch's plain bicubic, which samples four pixels whatever the scale."""
    batch = torch.from_numpy(np.array(hr)).permute(2, 0, 1)[None].double()
    lr = F.interpolate(batch, scale_factor=1 / scale, mode="bicubic", align_corners=False)
    return lr[0].permute(1, 2, 0).round().clamp(0, 255).byte().numpy()


SCORES: dict[str, Score] = {
    "the field's protocol": lambda sr, hr, s: psnr(shave(luma(sr), s), shave(luma(hr), s)),
    "Y rounded to integers": lambda sr, hr, s: psnr(
        shave(luma(sr).round(), s), shave(luma(hr).round(), s)
    ),
    "border not shaved": lambda sr, hr, s: psnr(luma(sr), luma(hr)),
    "full-range Y": lambda sr, hr, s: psnr(
        shave(full_range_luma(sr), s), shave(full_range_luma(hr), s)
    ),
    "RGB instead of Y": lambda sr, hr, s: psnr(shave(sr, s), shave(hr, s)),
}


def variants(method: Method, store: PackedImages, name: str) -> pd.DataFrame:
    """PSNR in dB of a method on one set, by each protocol.

    Args:
        method: LR -> SR, 8 bits.
        store: packed test images.
        name: the set, such as "Set5".

    Returns:
        Columns protocol, psnr (mean over images), and difference to the field's protocol.

    Raises:
        ValueError: the store does not hold the set.
    """
    indices = [index for index, (owner, _) in enumerate(store.names) if owner == name]
    if not indices:
        raise ValueError(f"{store.folder} holds no set {name!r}; name one of data.test")
    scale = store.scale
    values: dict[str, list[float]] = {protocol: [] for protocol in SCORES}
    aliased, errors = [], []
    field = SCORES["the field's protocol"]
    for index in indices:
        hr = np.asarray(store.hr(index))
        sr = method(store.lr(index))
        for protocol, measure in SCORES.items():
            values[protocol].append(measure(sr, hr, scale))
        errors.append(255.0**2 / 10 ** (values["the field's protocol"][-1] / 10))
        aliased.append(field(method(without_antialiasing(hr, scale)), hr, scale))
    means = {protocol: float(np.mean(scores)) for protocol, scores in values.items()}
    means["PSNR of the mean squared error"] = float(10 * np.log10(255.0**2 / np.mean(errors)))
    means["LR made without antialiasing"] = float(np.mean(aliased))
    table = pd.DataFrame({"protocol": list(means), "psnr": list(means.values())})
    table["difference"] = table["psnr"] - means["the field's protocol"]
    return table.round(6)
