"""A viewer of reconstructions, as HTML that needs no kernel, no server and no network.

The viewer is ``viewer.js`` and ``viewer.css``, plain files without a build step. Components that
exist were tried first: img-comparison-slider 8.0.7 (11 kB) wipes between two pictures and has no
zoom, flip or difference; OpenSeadragon 6.1.1 (353 kB, in every notebook anew) zooms tiles and
has no wipe, no difference and no menus; jupyter_compare_view 0.2.5 loads its script from the
network and asks for Python below 3.13.
"""

import base64
import io
import json
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from srlib.files import replacing

HERE = Path(__file__).parent
Mode = Literal["wipe", "side", "flip", "difference"]
WEBP_SIDE = 16383  # pixels, the format's limit
STILL = 600  # pixels, the longer side of the picture that stands where no script runs
HEIGHT = 640  # of a fragment before its script has measured it, in CSS pixels

# Dark or light is what the page around a fragment says: JupyterLab, sphinx's themes; else the
# reader's system. The frame becomes as tall as its content.
FRAMED = """
const around = window.frameElement;
if (around) {
  const outer = around.ownerDocument;
  const theme = () => {
    const lab = outer.body.dataset.jpThemeLight, site = outer.documentElement.dataset.theme;
    const dark = lab ? lab === "false" : site ? site === "dark" : null;
    document.documentElement.style.colorScheme =
      dark === null ? "light dark" : dark ? "dark" : "light";
  };
  const watched = { attributeFilter: ["data-jp-theme-light", "data-theme"] };
  for (const node of [outer.body, outer.documentElement]) {
    new MutationObserver(theme).observe(node, watched);
  }
  theme();
  new ResizeObserver(() => {
    around.style.height = `${Math.ceil(document.body.getBoundingClientRect().height) + 2}px`;
  }).observe(document.body);
}
"""


class Picture(NamedTuple):
    """One reconstruction.

    Attributes:
        name: of the method, unique within its image.
        pixels: uint8 (H, W, 3) or (H, W); or a PNG or WebP file, which is taken as it is.
        psnr_y: in dB, against the image's original; None where it has none.
        ssim_y: beside it.
    """

    name: str
    pixels: NDArray[np.uint8] | Path
    psnr_y: float | None = None
    ssim_y: float | None = None


class Scene(NamedTuple):
    """One image: its name, its pictures, all of one size, and a line below them."""

    name: str
    pictures: Sequence[Picture]
    note: str = ""


def as_data(
    scenes: Sequence[Scene], left: str = "", right: str = "", mode: Mode = "wipe"
) -> dict[str, Any]:
    """What ``mount`` of ``viewer.js`` takes, with the pictures as data URLs.

    Args:
        scenes: at least one, each with a picture or more; methods may differ.
        left, right: the methods shown first; "" is the first, and the last, of the first scene.
        mode: how they are compared at first.

    Raises:
        ValueError: no scene or picture, pictures of one scene of several sizes, two of one name, or
            ``left`` or ``right`` that the first scene lacks; names it.
    """
    if not scenes:
        raise ValueError("there is nothing to compare; give at least one image")
    for scene in scenes:
        _check(scene)
    names = [picture.name for picture in scenes[0].pictures]
    for wanted in filter(None, (left, right)):
        if wanted not in names:
            raise ValueError(f"cannot compare {wanted!r}; {scenes[0].name} has {', '.join(names)}")
    return {
        "images": [
            {
                "name": scene.name,
                "note": scene.note,
                "pictures": [
                    {
                        "name": picture.name,
                        "src": data_url(picture.pixels),
                        "psnr_y": _rounded(picture.psnr_y),
                        "ssim_y": _rounded(picture.ssim_y),
                    }
                    for picture in scene.pictures
                ],
            }
            for scene in scenes
        ],
        "left": left or names[0],
        "right": right or names[-1],
        "mode": mode,
    }


def page(
    scenes: Sequence[Scene],
    title: str,
    about: str = "",
    left: str = "",
    right: str = "",
    mode: Mode = "wipe",
) -> str:
    """A whole HTML page: title, a line about it, and the viewer. Arguments as ``as_data`` takes."""
    data = as_data(scenes, left, right, mode)
    line = f"<p>{escape(about)}</p>\n" if about else ""
    body = f"<main>\n<h1>{escape(title)}</h1>\n{line}{_mounted(data)}</main>\n"
    return _document(title, body, "body { margin: 1.5em auto; max-width: 80em; padding: 0 1em; }")


def write_page(path: str | Path, text: str) -> None:
    """Write a page of ``page`` as a file, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def fragment(
    scenes: Sequence[Scene],
    left: str = "",
    right: str = "",
    mode: Mode = "wipe",
    notebook: str = "",
) -> str:
    """The viewer as a piece of HTML: an output of a notebook, or a part of a site's page.

    It stands in a frame of its own, so that its style and script touch nothing else. Where a page
    drops frames and styles, as JupyterLab does in a notebook that is not trusted, a still picture
    is seen instead, and a line that says how to trust the notebook.

    Args:
        notebook: path of the notebook as a terminal at the repository's root names it, for that
            line; "" for none.
        scenes, left, right, mode: as ``as_data`` takes them.
    """
    data = as_data(scenes, left, right, mode)
    name, first, second = scenes[0].name, data["left"], data["right"]
    style = "body { margin: 0; overflow: hidden; }"
    document = _document(f"{name}: viewer", _mounted(data) + _module(FRAMED), style)
    alt = f"{name}: {first} on the left of the cut, {second} on the right"
    still = _still(scenes[0], first, second)
    command = f"<code>jupyter trust {escape(notebook)}</code>" if notebook else "jupyter trust"
    return (
        "<div>\n<style>.srlib-still { display: none; }</style>\n"
        f'<div class="srlib-still"><img src="{data_url(still)}" alt="{escape(alt)}">\n'
        "<p><b>A still:</b> scripts of this notebook do not run here. In JupyterLab, trust it and "
        f"the viewer works: type {command} in a terminal, or choose <i>Trust Notebook</i> in the "
        "command palette, then open it again.</p></div>\n"
        f"{framed(f'{name}: viewer of reconstructions', document, HEIGHT)}\n</div>"
    )


def framed(title: str, document: str, height: int) -> str:
    """A whole HTML document in a frame of its own, ``height`` CSS pixels high, as wide as the page.

    Its style and script touch nothing outside. Where frames are dropped, nothing is seen.
    """
    return (
        f'<iframe title="{escape(title)}" width="100%" height="{height}" style="border: 0" '
        f'srcdoc="{escape(document)}"></iframe>'
    )


def data_url(pixels: NDArray[np.uint8] | Path) -> str:
    """A picture as a data URL: a file as it is, pixels as lossless WebP, or PNG where too large."""
    if isinstance(pixels, Path):
        kind, content = pixels.suffix.removeprefix(".").lower(), pixels.read_bytes()
    else:
        kind = "webp" if max(pixels.shape[:2]) <= WEBP_SIDE else "png"
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, kind, lossless=True)
        content = buffer.getvalue()
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def _rounded(score: float | None) -> float | None:
    """To the digits that are read, so that another machine's last bits change no page."""
    return None if score is None else round(score, 4)


def _check(scene: Scene) -> None:
    if not scene.pictures:
        raise ValueError(f"{scene.name}: there is no picture of it to show")
    names = [picture.name for picture in scene.pictures]
    if len(set(names)) < len(names):
        raise ValueError(f"{scene.name}: two pictures have one name, among {', '.join(names)}")
    sizes = {picture.name: _size(picture.pixels) for picture in scene.pictures}
    if len(set(sizes.values())) > 1:
        found = ", ".join(f"{name} {width}x{height}" for name, (width, height) in sizes.items())
        raise ValueError(f"{scene.name}: expected pictures of one size, found {found}")


def _size(pixels: NDArray[np.uint8] | Path) -> tuple[int, int]:
    if isinstance(pixels, Path):
        with Image.open(pixels) as image:
            return image.size
    return pixels.shape[1], pixels.shape[0]


def _still(scene: Scene, left: str, right: str) -> NDArray[np.uint8]:
    """Two pictures cut in the middle, enlarged by a whole factor, or made smaller, to ``STILL``."""
    by_name = {picture.name: picture.pixels for picture in scene.pictures}
    halves = [_rgb(by_name[name]) for name in (left, right)]
    height, width = halves[0].shape[:2]
    still = halves[1].copy()
    still[:, : width // 2] = halves[0][:, : width // 2]
    if factor := STILL // max(height, width):
        still = still.repeat(factor, axis=0).repeat(factor, axis=1)
    else:
        image = Image.fromarray(still)
        image.thumbnail((STILL, STILL))
        still = np.array(image)
    middle = still.shape[1] // 2
    still[:, middle - 1 : middle + 1] = 255
    return still


def _rgb(pixels: NDArray[np.uint8] | Path) -> NDArray[np.uint8]:
    if isinstance(pixels, Path):
        with Image.open(pixels) as image:
            return np.array(image.convert("RGB"))
    return np.array(Image.fromarray(pixels).convert("RGB"))


def _mounted(data: dict[str, Any]) -> str:
    """The element, its data, and the script that puts the viewer into it."""
    # "<" would let a name end the script's element
    text = json.dumps(data, allow_nan=False).replace("<", "\\u003c")
    script = (HERE / "viewer.js").read_text(encoding="utf-8")
    start = (
        'mount(document.getElementById("viewer"), '
        'JSON.parse(document.getElementById("pictures").textContent));\n'
    )
    return (
        '<div id="viewer"></div>\n<noscript>The viewer needs JavaScript.</noscript>\n'
        f'<script type="application/json" id="pictures">{text}</script>\n'
        + _module(f"{script}\n{start}")
    )


def _module(script: str) -> str:
    return f'<script type="module">\n{script}</script>\n'


def _document(title: str, body: str, style: str) -> str:
    css = (HERE / "viewer.css").read_text(encoding="utf-8")
    return (
        '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>{escape(title)}</title>\n<style>\n"
        ":root { color-scheme: light dark; background: light-dark(#fff, #111); "
        "color: light-dark(#1a1a1a, #e8e8e8); font-family: system-ui, sans-serif; }\n"
        f"{style}\n{css}</style>\n<body>\n{body}</body>\n</html>\n"
    )
