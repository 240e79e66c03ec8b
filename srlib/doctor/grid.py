"""The grid: what every protocol gives for one and the same weights.

Each image is reconstructed once for each LR, HR crop and pass, and every way to score is derived
from that. Maps of SSIM take most of the time. So SSIM is left out, as not a number, where a
reconstruction that is not the field's is scored on anything but Y; and, of a set of more than
``FEW`` images, wherever a protocol has more than one deviation.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from srlib.doctor.lr import Pixels, enlarged, reduced
from srlib.doctor.protocols import FIELD, PARTS, Protocol, border_pixels, protocols_on
from srlib.evaluation import metrics
from srlib.evaluation.inference import SelfEnsemble, forward, forward_chop, in_range

Reconstruction = tuple[str, str, str]  # lr, hr and pass, as ``Protocol.reconstruction``
# (LR, its maker, pass) -> a reconstruction in 0..255, or None where the method knows no such pass
Enlarge = Callable[[Pixels, str, str], NDArray | None]
COLUMNS = ["network", "scale", "set", "image", *PARTS, "psnr", "ssim"]
FEW = 20  # the images of a set that holds no more have rows of their own


def by_network(network: nn.Module, device: str = "cpu") -> Enlarge:
    """A network as the grid takes it: float output in 0..255, not rounded."""
    passes: dict[str, Callable[[nn.Module, Tensor], Tensor]]
    passes = {"whole": forward, "chop": forward_chop}
    passes["x8"] = lambda module, lr: forward(SelfEnsemble(module), lr)

    def enlarge(lr: Pixels, maker: str, way: str) -> NDArray:
        seen = lr[..., ::-1] if maker == "swapped" else lr
        batch = torch.from_numpy(seen.copy()).to(device).permute(2, 0, 1)[None] / 255
        sr = in_range(passes[way](network, batch))[0].permute(1, 2, 0).mul(255).cpu().numpy()
        return sr[..., ::-1] if maker == "swapped" else sr

    return enlarge


def by_bicubic(scale: int) -> Enlarge:
    """Bicubic as the grid takes it: in 8 bits, in one pass, by the library that made LR."""

    def enlarge(lr: Pixels, maker: str, way: str) -> NDArray | None:
        if way != "whole" or maker == "swapped":
            return None
        return enlarged(lr, scale, maker)

    return enlarge


def score_images(
    enlarge: Enlarge,
    images: Iterable[tuple[str, NDArray]],
    scale: int,
    tried: Sequence[Reconstruction],
    few: bool = True,
) -> pd.DataFrame:
    """Every image of a set by every protocol.

    Args:
        enlarge: the method.
        images: (stem, HR) with HR uint8 (H, W, 3), not cropped.
        scale: HR size over LR size.
        tried: which reconstructions to make.
        few: whether the set has ``FEW`` images at most, and so SSIM by more protocols.

    Returns:
        A row an image and protocol: image, the parts, psnr (dB), ssim, pixels (compared).
    """
    by_reconstruction: dict[Reconstruction, list[Protocol]] = {}
    for protocol in protocols_on(list(tried)):
        by_reconstruction.setdefault(protocol.reconstruction, []).append(protocol)
    rows = []
    for stem, image in images:
        for (lr, hr, way), protocols in by_reconstruction.items():
            if (lr, hr, way) not in tried:
                continue
            pair = reconstruct(enlarge, image, scale, (lr, hr, way))
            if pair is not None:
                for protocol, psnr, ssim in _scores(*pair, scale, protocols, few):
                    height, width = pair[1].shape[:2]
                    cut = 2 * border_pixels(protocol.border, scale)
                    pixels = (height - cut) * (width - cut)
                    rows.append([stem, *protocol, psnr, ssim, pixels])
    return pd.DataFrame(rows, columns=["image", *PARTS, "psnr", "ssim", "pixels"])


def reconstruct(
    enlarge: Enlarge, image: Pixels, scale: int, tried: Reconstruction
) -> tuple[NDArray, Pixels] | None:
    """A reconstruction with the HR that it is scored against; None where the method has none.

    Both are (h, w, 3) in 0..255; the first is not rounded where the method can help it.
    """
    maker, crop, way = tried
    height, width = image.shape[:2]
    h, w = height // scale * scale, width // scale * scale
    if crop == "resized":
        # LR of ceil(H / scale): MATLAB's, the one library here that takes any size
        up = tuple(-(-side // scale) * scale for side in (height, width))
        padded = np.pad(image, [(0, up[0] - height), (0, up[1] - width), (0, 0)], mode="edge")
        sr = enlarge(reduced(padded, scale, maker), maker, way)
        return None if sr is None else (_resized(sr, (height, width)), image)
    top, left = ((height - h) // 2, (width - w) // 2) if crop == "centre" else (0, 0)
    hr = np.ascontiguousarray(image[top : top + h, left : left + w])
    sr = enlarge(reduced(hr, scale, maker), maker, way)
    return None if sr is None else (sr, hr)


def over_images(scores: pd.DataFrame) -> pd.DataFrame:
    """The set's scores by every protocol, and each image's by those of one deviation at most.

    Of a set of more than ``FEW`` images, the set's alone: the users' reports are of small sets'
    images, and the file travels with the package.

    Returns:
        The columns of ``score_images`` but pixels; image is empty where the row is the set's.
    """
    parts = list(PARTS)
    # an image has one PSNR, whatever the mean
    one = scores[scores["mean"] == FIELD.mean] if scores["image"].nunique() <= FEW else scores[:0]
    field = FIELD.parts
    sets = []
    for key, group in scores.groupby(parts, sort=False):
        mean: Any = dict(zip(parts, key, strict=True))["mean"]
        psnr = metrics.mean_psnr(group["psnr"].to_list(), mean, group["pixels"].to_list())
        sets.append(["", *key, psnr, group["ssim"].mean(skipna=False)])
    deviations = np.sum([one[part] != field[part] for part in parts], axis=0)
    whole = pd.DataFrame(sets, columns=["image", *parts, "psnr", "ssim"])
    return pd.concat([whole, one.loc[deviations <= 1, whole.columns]], ignore_index=True)


def without_repeats(table: pd.DataFrame) -> pd.DataFrame:
    """Drop the rows of another HR crop that score as the field's does: no side has a remainder."""
    keys = ["image", *(part for part in PARTS if part != "hr")]
    base = table[table["hr"] == FIELD.hr].set_index(keys)["psnr"]
    field = base.reindex(pd.MultiIndex.from_frame(table[keys])).to_numpy()
    same = (table["hr"] != FIELD.hr) & (np.abs(field - table["psnr"]) < 1e-9)
    return table[~same].reset_index(drop=True)


def read(path: str | Path) -> pd.DataFrame:
    """A grid as it was written: ``COLUMNS``, where image is empty for a whole set."""
    words = {name: str for name in COLUMNS if name not in ("scale", "psnr", "ssim")}
    missing = {"ssim": [""]}
    return pd.read_csv(path, dtype=words, keep_default_na=False, na_values=missing)


def _scores(
    sr: NDArray, hr: Pixels, scale: int, protocols: list[Protocol], few: bool
) -> Iterator[tuple[Protocol, float, float]]:
    """PSNR and SSIM by protocols that share one reconstruction; each plane and map is made once."""
    errors: dict[tuple[str, str], NDArray] = {}
    maps: dict[tuple[str, str, str], NDArray] = {}
    planes: dict[tuple[str, str], NDArray] = {}
    images = {"hr": hr.astype(np.float64)}

    def plane(of: str, channel: str) -> NDArray:
        if of not in images:
            images[of] = metrics.as_output(sr, of).astype(np.float64)  # type: ignore[arg-type]
        if (of, channel) not in planes:
            planes[of, channel] = metrics.plane(images[of], channel)  # type: ignore[arg-type]
        return planes[of, channel]

    for one in protocols:
        output, channel, kind = one.output, one.channel, one.window
        if output != "rounded" and sr.dtype == np.uint8:
            continue  # in 8 bits already, as bicubic is
        if (output, channel) not in errors:
            errors[output, channel] = (plane(output, channel) - plane("hr", channel)) ** 2
        border = border_pixels(one.border, scale)
        error = float(np.mean(metrics.shave(errors[output, channel], border)))
        psnr = float("inf") if error == 0 else float(10 * np.log10(255.0**2 / error))
        ssim = float("nan")
        on_y = channel == FIELD.channel or one.reconstruction == FIELD.reconstruction
        if on_y and (few or len(one.deviations) <= 1):
            if kind in (*metrics.PADDED, "image-range"):  # these see where the image ends
                ours, theirs = (metrics.shave(plane(of, channel), border) for of in (output, "hr"))
                ssim = metrics.ssim(ours, theirs, kind=kind)  # type: ignore[arg-type]
            else:
                if (output, channel, kind) not in maps:
                    maps[output, channel, kind] = metrics.ssim_map(
                        plane(output, channel),
                        plane("hr", channel),
                        kind,  # type: ignore[arg-type]
                    )
                reach = metrics.ssim_reach(kind)  # type: ignore[arg-type]
                ssim = float(np.mean(metrics.shave(maps[output, channel, kind], border + reach)))
        yield one, psnr, ssim


def _resized(sr: NDArray, size: tuple[int, int]) -> NDArray:
    """A reconstruction resized to HR's size by Pillow's bicubic, in 8 bits."""
    image = Image.fromarray(metrics.as_output(sr))
    return np.asarray(image.resize((size[1], size[0]), Image.Resampling.BICUBIC))
