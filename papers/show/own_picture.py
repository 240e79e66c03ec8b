"""A form for one's own picture in a notebook: choose, compare, look; an error is a line."""

import tempfile
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

import ipywidgets
from IPython.display import display

from papers.show.look import Viewer
from papers.show.prose import Prose
from srlib.compare import available, compare
from srlib.enlarge import Tile
from srlib.paths import ROOT

EXAMPLE = ROOT / "data/heldout/chelsea.png"
TASKS = {"Degrade, restore and score": True, "Enlarge": False}


class OwnPicture(ipywidgets.VBox):
    """Fields for a file, networks, scale, tile and task; ``show`` displays them over a viewer.

    Args:
        notebook: its name, as ``Viewer`` takes it.
        example: the picture until a file is chosen.
        networks: chosen at first; with weights in the repository, so that nothing is fetched.
    """

    def __init__(
        self, notebook: str, example: Path = EXAMPLE, networks: Sequence[str] = ("aidn", "rfdn")
    ) -> None:
        self.notebook, self.example = notebook, example
        self.file = ipywidgets.FileUpload(accept="image/*", description="Picture")
        self.scale = ipywidgets.Dropdown(options=[2, 3, 4], value=4, description="Scale")
        self.networks = ipywidgets.SelectMultiple(
            options=available(4), value=networks, rows=6, description="Networks"
        )
        self.tile = ipywidgets.Text("auto", description="Tile")
        self.task = ipywidgets.Dropdown(options=list(TASKS), description="Task")
        self.start = ipywidgets.Button(description="Compare", button_style="primary")
        self.progress = ipywidgets.IntProgress(value=0, max=1)
        self.message = ipywidgets.HTML()
        self.viewer: Any = None  # the display that ``show`` made
        self.scale.observe(self._offer, names="value")
        self.start.on_click(self._again)
        rows = [
            ipywidgets.HBox([self.file, self.task, self.scale]),
            ipywidgets.HBox([self.networks, self.tile]),
            ipywidgets.HBox([self.start, self.progress]),
        ]
        super().__init__([*rows, self.message])

    def show(self) -> None:
        """Display the form, and the viewer of the example below it."""
        display(self)
        self.viewer = display(self.run() or Prose(""), display_id=True)

    def run(self) -> Viewer | None:
        """Compare what the fields say; None where the message says what to mend."""
        self.message.value = ""
        self.progress.value, self.progress.max = 0, len(self.networks.value) + 1
        with tempfile.TemporaryDirectory() as folder:
            path = self.example
            if self.file.value:
                sent = self.file.value[0]
                path = Path(folder) / Path(sent["name"]).name
                path.write_bytes(sent["content"])
            try:
                scene = compare(
                    path,
                    self.networks.value,
                    self.scale.value,
                    degrade=TASKS[self.task.value],
                    tile=_tile(self.tile.value),
                    say=self._say,
                    done=self._done,
                )
            except (ValueError, OSError) as error:
                self._say(str(error).replace(f"{path.parent}/", ""))
                self.progress.value = 0
                return None
        right = scene.pictures[len(self.networks.value)].name
        return Viewer([scene], "bicubic", right, self.notebook)

    def _again(self, _button: object) -> None:
        if found := self.run():
            self.viewer.update(found)

    def _offer(self, _change: object) -> None:
        """The networks that have weights at the chosen scale; what is chosen stays, if it has."""
        chosen, there = self.networks.value, available(self.scale.value)
        self.networks.options = there
        self.networks.value = [name for name in chosen if name in there]

    def _done(self, _name: str) -> None:
        self.progress.value += 1

    def _say(self, line: str) -> None:
        self.message.value += f"<p>{escape(line)}</p>"

    def __repr__(self) -> str:
        return "A form for one's own picture; run this cell to use it"


def _tile(text: str) -> Tile:
    """What stands in the field: "auto", or a number of LR pixels from 0.

    Raises:
        ValueError: anything else.
    """
    text = text.strip()
    if text == "auto":
        return "auto"
    if not text.isdecimal():
        raise ValueError(f"Tile {text!r}: expected auto, or a number of pixels from 0")
    return int(text)
