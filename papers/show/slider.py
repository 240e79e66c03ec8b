"""A wipe between two reconstructions, for notebooks.

Two menus choose what is compared; the wipe itself runs in the browser, so that it follows the
pointer without a round trip to the kernel, and goes on working in a notebook that has none.
"""

import base64
from pathlib import Path

import anywidget
import ipywidgets
import traitlets


class Wipe(anywidget.AnyWidget):
    """Two images of one size, one over the other, cut at a slider's place.

    ``left`` and ``right`` are data URLs; ``position`` is the cut in percent of the width.
    """

    _esm = Path(__file__).with_name("slider.js")
    _css = Path(__file__).with_name("slider.css")
    left = traitlets.Unicode().tag(sync=True)
    right = traitlets.Unicode().tag(sync=True)
    position = traitlets.Int(50).tag(sync=True)

    def __repr__(self) -> str:
        return f"Wipe at {self.position}%"


class Compare(ipywidgets.VBox):
    """Menus for image, left and right over a ``Wipe``.

    Args:
        pictures: image -> method -> PNG file; every image needs the methods of the first.
        left, right: the methods shown first.

    Raises:
        ValueError: nothing to compare, or a method that the pictures lack.
    """

    def __init__(self, pictures: dict[str, dict[str, Path]], left: str, right: str) -> None:
        methods = list(next(iter(pictures.values()), {}))
        if left not in methods or right not in methods:
            raise ValueError(f"cannot compare {left!r} with {right!r}; there are {methods}")
        self.pictures = pictures
        self.wipe = Wipe()
        self.image = ipywidgets.Dropdown(options=list(pictures), description="image")
        self.left = ipywidgets.Dropdown(options=methods, value=left, description="left")
        self.right = ipywidgets.Dropdown(options=methods, value=right, description="right")
        for menu in (self.image, self.left, self.right):
            menu.observe(self.update, names="value")
        self.update()
        super().__init__([ipywidgets.HBox([self.image, self.left, self.right]), self.wipe])

    def update(self, _change: object = None) -> None:
        """Load the two pictures that the menus name."""
        chosen = self.pictures[self.image.value]
        self.wipe.left = _data_url(chosen[self.left.value])
        self.wipe.right = _data_url(chosen[self.right.value])

    def __repr__(self) -> str:
        return f"Compare({self.image.value}: {self.left.value} | {self.right.value})"


def _data_url(path: Path) -> str:
    return "data:image/png;base64," + base64.b64encode(path.read_bytes()).decode()
