"""Stripes astray: none in HR itself, all when turned by a right angle."""

import numpy as np
import pandas as pd
import pytest

from papers.show.direction import answer, astray

WAVE = (127 + 100 * np.sin(np.arange(64) / 2)).astype(np.uint8)
STRIPES = np.broadcast_to(WAVE[:, None, None], (64, 64, 3))


@pytest.mark.parametrize(("sr", "share"), [(STRIPES, 0.0), (STRIPES.swapaxes(0, 1), 1.0)])
def test_the_share_of_stripes_astray(sr: np.ndarray, share: float) -> None:
    assert astray(sr, STRIPES) == pytest.approx(share, abs=0.01)


def test_half_an_image_astray_is_half() -> None:
    half = np.concatenate([STRIPES[:, :32], STRIPES.swapaxes(0, 1)[:, 32:]], axis=1)
    assert astray(half, STRIPES) == pytest.approx(0.5, abs=0.05)


def test_a_picture_of_less_contrast_is_not_astray() -> None:
    assert astray(STRIPES // 4 + 90, STRIPES) < 0.01


@pytest.mark.parametrize(
    ("shares", "said"),
    [
        ([30.0, 24.0, 29.0], "No network draws more of them astray than bicubic"),
        ([30.0, 24.0, 31.0], "B draws more of them astray than bicubic"),
        ([30.0, 32.0, 31.0], "B and A draw more of them astray than bicubic"),
        ([30.0, 0.2, 0.3], "Yes: A draws the fewest of them astray, 0%"),
    ],
)
def test_the_answer_is_made_of_the_shares(shares: list[float], said: str) -> None:
    table = pd.DataFrame({"method": ["HR", "Bicubic", "A", "B"], "astray": [0.0, *shares]})
    assert said in answer(table)
