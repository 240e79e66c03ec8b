"""Whether a reconstruction draws stripes in the direction that they have, which no PSNR sees."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image
from skimage.feature import structure_tensor

from srlib.evaluation.metrics import luma

WINDOW = 2.0  # pixels: the deviation of the Gaussian in which a direction is the commonest
ASTRAY = 45.0  # degrees from which a stripe is nearer to the wrong diagonal than to its own


def astray(sr: NDArray[np.uint8], hr: NDArray[np.uint8]) -> float:
    """The share of HR's stripes that a reconstruction draws ``ASTRAY`` or more off, 0 to 1.

    The direction at a pixel is the structure tensor's; a pixel counts by how strongly HR has one
    direction there, so that a flat surface counts nothing.

    Args:
        sr, hr: uint8 (H, W, 3), of one shape.
    """
    (drawn, _), (own, strength) = _direction(sr), _direction(hr)
    off = np.abs((drawn - own + np.pi / 2) % np.pi - np.pi / 2)
    return float(strength[off >= np.radians(ASTRAY)].sum() / strength.sum())


def _direction(image: NDArray[np.uint8]) -> tuple[NDArray, NDArray]:
    """Angle in radians (modulo pi) and strength of the commonest direction at each pixel."""
    rows, both, columns = structure_tensor(luma(image), sigma=WINDOW, mode="nearest", order="rc")
    return np.arctan2(2 * both, rows - columns) / 2, np.hypot(rows - columns, 2 * both)


def with_astray(table: pd.DataFrame) -> pd.DataFrame:
    """``papers.show.paper_figures.compared``'s table with a column ``astray``, in percent."""
    pictures = [np.asarray(Image.open(file)) for file in table["file"]]
    hr = pictures[list(table["method"]).index("HR")]
    return table.assign(astray=[100 * astray(picture, hr) for picture in pictures])


def answer(table: pd.DataFrame) -> str:
    """Who draws the fewest stripes astray and who the most, as sentences.

    Args:
        table: from ``with_astray``; HR is left out.
    """
    shares = table[table["method"] != "HR"].set_index("method")["astray"].sort_values()
    bicubic = shares["Bicubic"]
    worse = [str(name) for name in shares.index[shares > bicubic]]
    best = f"{shares.index[0]} draws the fewest of them astray, {shares.iloc[0]:.0f}%"
    text = (
        f"**Nobody gets all of them right; {best}** by {ASTRAY:.0f}° or more, "
        f"where bicubic has {bicubic:.0f}%."
        if shares.iloc[0] >= 1
        else f"**Yes: {best}.** Bicubic has {bicubic:.0f}%."
    )
    if not worse:
        return f"{text} No network draws more of them astray than bicubic."
    verb = "draws" if len(worse) == 1 else "draw"
    return f"{text} {_joined(worse)} {verb} more of them astray than bicubic."


def _joined(names: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
