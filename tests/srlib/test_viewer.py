"""The viewer's HTML: what is in it, and what is refused. tests/browser drives it."""

import base64
import io
import re
from html import unescape
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from srlib import viewer
from srlib.viewer import Picture, Scene

RNG = np.random.default_rng(0)
HR = RNG.integers(0, 256, (12, 16, 3), np.uint8)
SCENE = Scene("cat", [Picture("Bicubic", HR // 2, 20.5, 0.5), Picture("HR", HR)], "of the whole")


def test_pixels_come_back_exactly() -> None:
    content = viewer.data_url(HR).partition(",")[2]
    back = Image.open(io.BytesIO(base64.b64decode(content)))
    assert np.array_equal(np.array(back), HR)


def test_a_file_is_taken_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "hr.png"
    Image.fromarray(HR).save(path)
    content = viewer.data_url(path).removeprefix("data:image/png;base64,")
    assert base64.b64decode(content) == path.read_bytes()


def test_the_first_and_the_last_are_shown_where_none_is_named() -> None:
    data = viewer.as_data([SCENE])
    assert (data["left"], data["right"]) == ("Bicubic", "HR")
    assert data["images"][0]["pictures"][0]["psnr_y"] == 20.5


def test_a_page_needs_nothing_else() -> None:
    page = viewer.page([SCENE], "Look")
    assert not re.search(r"""(src|href)=["'](?!data:)|https?://|@import""", page)


def test_a_name_cannot_end_the_script() -> None:
    bad = "</script><script>alert(1)</script>"
    page = viewer.page([SCENE._replace(name=bad)], bad)
    assert bad not in page


def test_a_fragment_has_a_still_and_says_how_to_trust() -> None:
    outside, _, inside = viewer.fragment([SCENE], notebook="notebooks/04_look.ipynb").partition(
        "srcdoc"
    )
    assert "jupyter trust notebooks/04_look.ipynb" in outside
    assert 'alt="cat: Bicubic on the left of the cut, HR on the right"' in outside
    still = base64.b64decode(re.findall(r"base64,([^\"]+)", outside)[0])
    assert Image.open(io.BytesIO(still)).size == (16 * 37, 12 * 37)
    assert "mount(" in unescape(inside)


@pytest.mark.parametrize(
    ("scenes", "settings", "match"),
    [
        ([], {}, "nothing to compare"),
        ([Scene("cat", [])], {}, "cat: there is no picture"),
        ([SCENE], {"left": "AIDB"}, "cannot compare 'AIDB'; cat has Bicubic, HR"),
        ([Scene("cat", [Picture("a", HR), Picture("a", HR)])], {}, "two pictures have one name"),
        ([Scene("cat", [Picture("a", HR), Picture("b", HR[:8])])], {}, "found a 16x12, b 16x8"),
    ],
)
def test_what_cannot_be_compared_is_named(scenes, settings, match) -> None:
    with pytest.raises(ValueError, match=match):
        viewer.as_data(scenes, **settings)
