"""The form for one's own picture: it compares, and what is wrong is a line and no traceback."""

import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from papers.show.own_picture import OwnPicture
from srlib.paths import ROOT

PHOTOGRAPH = ROOT / "data/heldout/chelsea.png"


class Shown:
    """What the form's viewer was given, in the place of a notebook's display."""

    def __init__(self) -> None:
        self.viewers: list[Any] = []

    def update(self, viewer: Any) -> None:
        self.viewers.append(viewer)


@pytest.fixture
def form(tmp_path: Path) -> OwnPicture:
    Image.open(PHOTOGRAPH).crop((100, 60, 148, 108)).save(tmp_path / "cat.png")
    form = OwnPicture("06_your_own_picture", tmp_path / "cat.png", ("aidn",))
    form.viewer = Shown()
    return form


def send(form: OwnPicture, name: str, content: bytes) -> None:
    form.file.value = (
        {"name": name, "type": "", "size": len(content), "content": memoryview(content),
         "last_modified": datetime.now(UTC)},
    )  # fmt: skip


def test_the_example_is_compared(form: OwnPicture) -> None:
    form.run()
    (scene,) = form.viewer.viewers[0].scenes
    assert [picture.name for picture in scene.pictures] == ["bicubic", "aidn", "HR"]
    assert form.progress.value == form.progress.max == 2 and form.message.value == ""


def test_a_file_that_was_sent_takes_its_place(form: OwnPicture) -> None:
    buffer = io.BytesIO()
    Image.open(PHOTOGRAPH).crop((0, 0, 12, 12)).save(buffer, "png")
    send(form, "eye.png", buffer.getvalue())
    form.task.value = "Enlarge"
    form.run()
    (scene,) = form.viewer.viewers[0].scenes
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
    form.run()
    assert said in form.message.value and "Traceback" not in form.message.value
    assert form.viewer.viewers == []


def test_networks_are_those_of_the_scale(form: OwnPicture) -> None:
    form.scale.value = 2
    assert "imdn" in form.networks.options and "arfdn" not in form.networks.options
    assert form.networks.value == ()
