"""The form for one's own picture: it compares, and what is wrong is a line and no traceback."""

import io
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image

from papers.show.look import Viewer
from papers.show.own_picture import OwnPicture
from srlib.paths import ROOT

PHOTOGRAPH = ROOT / "data/heldout/chelsea.png"


@pytest.fixture
def form(tmp_path: Path) -> OwnPicture:
    Image.open(PHOTOGRAPH).crop((100, 60, 148, 108)).save(tmp_path / "cat.png")
    return OwnPicture("06_your_own_picture", tmp_path / "cat.png", ("aidn",))


def send(form: OwnPicture, name: str, content: bytes) -> None:
    form.file.value = (
        {"name": name, "type": "", "size": len(content), "content": memoryview(content),
         "last_modified": datetime.now(UTC)},
    )  # fmt: skip


def test_the_example_is_compared(form: OwnPicture) -> None:
    viewer = form.run()
    assert viewer
    (scene,) = viewer.scenes
    assert [picture.name for picture in scene.pictures] == ["bicubic", "aidn", "HR"]
    assert form.progress.value == form.progress.max == 2 and form.message.value == ""


def test_a_file_that_was_sent_takes_its_place(form: OwnPicture) -> None:
    buffer = io.BytesIO()
    Image.open(PHOTOGRAPH).crop((0, 0, 12, 12)).save(buffer, "png")
    send(form, "eye.png", buffer.getvalue())
    form.task.value = "Enlarge"
    viewer = form.run()
    assert viewer
    (scene,) = viewer.scenes
    assert scene.name == "eye.png ×4" and len(scene.pictures) == 2


@pytest.mark.parametrize(
    ("name", "content", "tile", "said"),
    [
        ("notes.png", b"no picture", "auto", "<p>notes.png"),
        ("cat.png", PHOTOGRAPH.read_bytes()[:3000], "auto", "<p>cat.png"),
        ("cat.png", PHOTOGRAPH.read_bytes(), "large", "Tile &#x27;large&#x27;: expected auto"),
    ],
)
def test_what_is_wrong_is_a_line(form: OwnPicture, name, content, tile, said) -> None:
    send(form, name, content)
    form.tile.value = tile
    assert form.run() is None
    assert said in form.message.value and "Traceback" not in form.message.value


def test_a_click_changes_the_viewer_and_an_error_leaves_it(form: OwnPicture) -> None:
    shown: list[Viewer] = []
    form.viewer = SimpleNamespace(update=shown.append)
    form.start.click()
    assert len(shown) == 1
    form.tile.value = "large"
    form.start.click()
    assert len(shown) == 1 and "expected auto" in form.message.value


def test_networks_are_those_of_the_scale(form: OwnPicture) -> None:
    form.scale.value = 2
    assert "imdn" in form.networks.options and "arfdn" not in form.networks.options
    assert form.networks.value == ()
