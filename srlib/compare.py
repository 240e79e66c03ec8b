"""One's own picture by several networks, for the viewer: enlarged, or degraded and restored."""

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import nn

from srlib.data.imresize import imresize
from srlib.data.registry import crop_to_multiple
from srlib.enlarge import Tile, upscale_frames
from srlib.evaluation.metrics import SSIM_WINDOW, score
from srlib.evaluation.own import rgb_of
from srlib.paths import ROOT, find
from srlib.pictures import PictureError
from srlib.viewer import Picture, Scene
from srlib.weights.official import load_official, official
from srlib.weights.pretrained import SAME, load_pretrained


def compare(
    path: str | Path,
    names: Sequence[str],
    scale: int = 4,
    *,
    degrade: bool = False,
    tile: Tile = "auto",
    device: str = "cpu",
    say: Callable[[str], object] = warnings.warn,
    done: Callable[[str], object] = lambda name: None,
) -> Scene:
    """Bicubic and each network on a picture file, side by side.

    Args:
        path: a still picture of any kind, opaque; 16 bits become 8.
        names: networks; each has its authors' weights where they are known at this scale, else the
            best that were trained here.
        scale: magnification.
        degrade: take the picture as HR: make LR by MATLAB's bicubic, restore it, and score. HR is
            cropped from the top left to a multiple of the scale.
        tile, device, say: as ``srlib.enlarge.upscale_frames`` takes them.
        done: told the name of each method when its picture is there.

    Returns:
        Bicubic, then the networks, then HR where ``degrade``; PSNR-Y and SSIM-Y by the field's
        protocol.

    Raises:
        PictureError: a picture that cannot be read, is transparent or has several frames, or has
            too few pixels to degrade; names it.
        WeightsError: a network that has no weights; all are looked for before the first runs.
    """
    given = rgb_of(Path(path))
    hr = _cropped(given, scale, path) if degrade else None
    lr = given if hr is None else imresize(hr, 1 / scale)
    names = list(dict.fromkeys(names))
    networks = {name: load_best(name, scale) for name in names}

    def scored(name: str, sr: NDArray[np.uint8]) -> Picture:
        done(name)
        return Picture(name, sr, *(score(sr, hr, scale) if hr is not None else ()))

    shown = [scored("bicubic", imresize(lr, scale))]
    for name, network in networks.items():
        try:
            (sr,) = upscale_frames([lr], network.to(device), tile, device, say)
        except ValueError as error:
            raise ValueError(f"{path}, {name}: {error}") from None
        shown.append(scored(name, sr))
    if hr is not None:
        shown.append(Picture("HR", hr))
    return Scene(f"{Path(path).name} ×{scale}", shown, _note(names, scale, degrade))


def available(scale: int, root: Path = ROOT) -> list[str]:
    """The networks that ``compare`` has weights of at a scale: the authors', then those of here."""
    theirs = [name for name in official() if by_authors(name, scale)]
    ours = [result.method for result, _ in find("weights.safetensors", root=root)
            if result.scale == scale and result.seed == 0]  # fmt: skip
    named = [other for other, same in SAME.items() if same in ours]
    return list(dict.fromkeys([*theirs, *named, *sorted(ours)]))


def _cropped(hr: NDArray[np.uint8], scale: int, path: str | Path) -> NDArray[np.uint8]:
    cropped = crop_to_multiple(hr, scale)
    least = SSIM_WINDOW + 2 * scale  # that is left to score when the border is shaved
    if min(cropped.shape[:2]) < least:
        raise PictureError(
            f"{path}: {hr.shape[1]}x{hr.shape[0]} pixels are too few to degrade by x{scale} and "
            f"score; take a picture of at least {least}x{least}"
        )
    return cropped


def load_best(name: str, scale: int) -> nn.Module:
    """A network with its authors' weights where they are known at this scale, else with ours.

    Raises:
        WeightsError: neither can be had.
    """
    return load_official(name, scale) if by_authors(name, scale) else load_pretrained(name, scale)


def by_authors(name: str, scale: int) -> bool:
    """Whether ``load_best`` takes the authors' weights."""
    return scale in official().get(name, {"files": ()})["files"]


def _note(names: Sequence[str], scale: int, degrade: bool) -> str:
    """Whose weights they are, and what the scores are against."""
    theirs = [name for name in names if by_authors(name, scale)]
    ours = [name for name in names if name not in theirs]
    parts = ["LR made by MATLAB's bicubic; scores against the picture itself."] if degrade else []
    parts += [f"By their authors' weights: {', '.join(theirs)}."] if theirs else []
    parts += [f"Trained here: {', '.join(ours)}."] if ours else []
    return " ".join(parts)
