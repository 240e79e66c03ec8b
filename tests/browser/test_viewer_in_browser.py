"""The viewer in a real browser, from a file: drag, click, keys, flip, zoom, difference, menus."""

import base64
import io
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from srlib.evaluation.metrics import luma
from srlib.viewer import Picture, Scene, fragment, page, write_page

pytest.importorskip("playwright", reason='pip install "srlib[dev]"')
if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Locator, Page

RNG = np.random.default_rng(0)
LEFT, RIGHT, OTHER = RNG.integers(0, 256, (3, 40, 60, 3), np.uint8)
SCENES = [
    Scene("cat", [Picture("A", LEFT, 31.25, 0.9), Picture("B", RIGHT)], "of the whole image"),
    Scene("dog", [Picture("A", OTHER), Picture("C", RIGHT)]),
]


@pytest.fixture
def viewer(context: "BrowserContext", tmp_path: Path) -> "Page":
    """The page as `srlib compare` writes it, opened from the file."""
    write_page(tmp_path / "page.html", page(SCENES, "Look"))
    opened = context.new_page()
    opened.goto((tmp_path / "page.html").as_uri())
    opened.wait_for_selector("canvas[data-mode]")
    return opened


def stage(page: "Page") -> "Locator":
    return page.locator("canvas")


def pixels(page: "Page") -> NDArray[np.uint8]:
    """What the stage shows, (H, W, 3)."""
    url = stage(page).evaluate("canvas => canvas.toDataURL()")
    content = base64.b64decode(url.partition(",")[2])
    return np.array(Image.open(io.BytesIO(content)).convert("RGB"))


def press(page: "Page", *keys: str) -> None:
    stage(page).focus()
    for key in keys:
        page.keyboard.press(key)


def enlarged(image: NDArray[np.uint8], factor: int) -> NDArray[np.uint8]:
    return image.repeat(factor, axis=0).repeat(factor, axis=1)


def factor(page: "Page") -> int:
    return int(page.locator("output").inner_text().removeprefix("×"))


def centre(page: "Page") -> tuple[float, float, float]:
    """x and y of the stage's middle, and its width."""
    box = stage(page).bounding_box()
    assert box
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, box["width"]


def test_pixels_are_whole_squares_of_both_pictures(viewer: "Page") -> None:
    shown, k = pixels(viewer), factor(viewer)
    assert shown.shape[:2] == (40 * k, 60 * k) and k > 1
    middle = shown.shape[1] // 2
    assert np.array_equal(shown[:, : middle - 2], enlarged(LEFT, k)[:, : middle - 2])
    assert np.array_equal(shown[:, middle + 2 :], enlarged(RIGHT, k)[:, middle + 2 :])


def test_a_drag_past_the_edge_moves_the_cut_and_does_not_stick(viewer: "Page") -> None:
    x, y, width = centre(viewer)
    viewer.mouse.move(x, y)
    viewer.mouse.down()
    viewer.mouse.move(x + width, y + 900)  # at once, beyond the stage
    assert np.array_equal(pixels(viewer)[:, :-2], enlarged(LEFT, factor(viewer))[:, :-2])
    viewer.mouse.up()
    viewer.mouse.move(x, y)  # nothing is held any more
    assert viewer.get_by_role("slider").input_value() == "100"


def test_a_click_moves_the_cut_there(viewer: "Page") -> None:
    x, y, width = centre(viewer)
    viewer.mouse.click(x - width / 4, y)
    assert viewer.get_by_role("slider").input_value() == "25"


def test_keys_move_the_cut(viewer: "Page") -> None:
    press(viewer, "ArrowRight")
    assert viewer.get_by_role("slider").input_value() == "52"
    press(viewer, "Home")
    assert np.array_equal(pixels(viewer)[:, 2:], enlarged(RIGHT, factor(viewer))[:, 2:])


def test_space_flips(viewer: "Page") -> None:
    press(viewer, "Space")
    assert np.array_equal(pixels(viewer), enlarged(LEFT, factor(viewer)))
    press(viewer, "Space")
    assert np.array_equal(pixels(viewer), enlarged(RIGHT, factor(viewer)))


def test_zoom_and_pan_are_of_both_pictures(viewer: "Page") -> None:
    press(viewer, "s", "+", "+", "+", "ArrowLeft")
    shown, k = pixels(viewer), factor(viewer)
    each = (shown.shape[1] - 4) // 2
    left, right = shown[:, :each], shown[:, each + 4 :]
    # Where the left picture's pixels are, those of the right one are too.
    windows = [
        (top, start)
        for top in range(40 * k - len(left) + 1)
        for start in range(60 * k - each + 1)
        if np.array_equal(enlarged(LEFT, k)[top, start : start + each], left[0])
    ]
    ((top, start),) = windows
    assert start > 0
    window = slice(top, top + len(left)), slice(start, start + each)
    assert np.array_equal(enlarged(LEFT, k)[window], left)
    assert np.array_equal(enlarged(RIGHT, k)[window], right)


def test_the_difference_is_of_luma(viewer: "Page") -> None:
    press(viewer, "d")
    k = factor(viewer)
    expected = np.clip(8 * np.abs(luma(LEFT) - luma(RIGHT)), 0, 255)
    shown = pixels(viewer)[::k, ::k, 0]
    assert np.abs(shown - expected).max() <= 0.51  # rounded to whole levels


def test_names_and_scores_stand_on_the_picture(viewer: "Page") -> None:
    assert viewer.locator(".name.left").inner_text() == "A\nPSNR-Y 31.25 dB\nSSIM-Y 0.9000"
    assert viewer.locator(".name.right").inner_text() == "B"
    viewer.get_by_role("button", name="Flip", exact=True).click()
    assert viewer.locator(".name:visible").count() == 1


def test_another_image_has_other_pictures(viewer: "Page") -> None:
    viewer.get_by_label("Image").select_option("dog")
    press(viewer, "End")
    viewer.wait_for_function("document.querySelector('canvas').ariaLabel.startsWith('dog: A')")
    assert np.array_equal(pixels(viewer)[:, :-2], enlarged(OTHER, factor(viewer))[:, :-2])
    lacking = viewer.get_by_label("Right").locator("option:disabled")
    assert lacking.all_inner_texts() == ["B"]


@pytest.mark.parametrize(("width", "theme"), [(400, "dark"), (1280, "light")])
def test_it_is_accessible_and_fits(viewer: "Page", width: int, theme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    viewer.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
    viewer.set_viewport_size({"width": width, "height": 800})
    for mode in ("s", "f", "d", "w"):
        press(viewer, mode)
        found = axe.run(viewer).response["violations"]
        assert [(one["id"], one["impact"]) for one in found] == []
        assert viewer.evaluate("document.documentElement.scrollWidth") <= width


def test_a_frame_takes_the_theme_around_it_and_its_content_s_height(
    context: "BrowserContext", tmp_path: Path
) -> None:
    html = f'<!doctype html><html data-theme="dark"><meta charset="utf-8">{fragment(SCENES)}'
    (tmp_path / "page.html").write_text(html, encoding="utf-8")
    opened = context.new_page()
    opened.goto((tmp_path / "page.html").as_uri())
    frame = opened.frame_locator("iframe")
    frame.locator("canvas[data-mode]").wait_for()
    assert not opened.locator(".srlib-still").is_visible()
    assert frame.locator("html").evaluate("node => node.style.colorScheme") == "dark"
    tall = frame.locator("body").evaluate("node => node.getBoundingClientRect().height")
    box = opened.locator("iframe").bounding_box()
    assert box and 0 <= box["height"] - tall <= 3
