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

    _esm = """
    function render({ model, el }) {
      const box = document.createElement("div");
      box.className = "srlib-wipe";
      const under = document.createElement("img");
      const over = document.createElement("img");
      over.className = "over";
      const bar = document.createElement("div");
      bar.className = "bar";
      box.append(under, over, bar);
      const slider = document.createElement("input");
      Object.assign(slider, { type: "range", min: 0, max: 100 });
      slider.setAttribute("aria-label", "position of the cut in percent");
      el.append(box, slider);

      const place = (percent) => {
        model.set("position", Math.max(0, Math.min(100, Math.round(percent))));
        model.save_changes();
      };
      const cut = () => {
        const percent = model.get("position");
        slider.value = percent;
        bar.style.left = percent + "%";
        over.style.clipPath = `inset(0 ${100 - percent}% 0 0)`;
      };
      const load = () => {
        over.src = model.get("left");
        under.src = model.get("right");
        over.alt = "left reconstruction";
        under.alt = "right reconstruction";
      };
      slider.addEventListener("input", () => place(+slider.value));
      box.addEventListener("pointermove", (event) => {
        if (!event.buttons) return;
        const area = box.getBoundingClientRect();
        place((100 * (event.clientX - area.left)) / area.width);
      });
      box.addEventListener("dragstart", (event) => event.preventDefault());
      model.on("change:position", cut);
      model.on("change:left change:right", load);
      load();
      cut();
    }
    export default { render };
    """
    _css = """
    .srlib-wipe { position: relative; max-width: 600px; touch-action: none; cursor: ew-resize; }
    .srlib-wipe img { width: 100%; display: block; image-rendering: pixelated; }
    .srlib-wipe .over { position: absolute; inset: 0; height: 100%; }
    .srlib-wipe .bar { position: absolute; top: 0; bottom: 0; width: 2px; background: white; }
    .srlib-wipe + input { width: 100%; max-width: 600px; }
    """
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
