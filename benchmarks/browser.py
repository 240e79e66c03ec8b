"""What a visitor of the site waits for: a frame of the viewer, a larger picture, a page's weight.

    make site && python benchmarks/browser.py

In Chromium without a window and without a GPU, from a file server on this machine: the drag in the
viewer (from the pointer's event to the frame that shows it), the page on which a visitor's picture
is made four times larger (the network's time, as the page itself says it, in tiles of 128), and
what the landing page and the heaviest page load.
"""

from __future__ import annotations

import functools
import io
import re
import shutil
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median
from typing import Any

from PIL import Image
from table import Row, keep, parser, photograph, show

from srlib.paths import ROOT

SIDE = 256
# Forty steps of the pointer across the stage; each is timed until the next frame.
DRAG = """async () => {
  const stage = document.querySelector("canvas");
  const box = stage.getBoundingClientRect();
  stage.setPointerCapture = () => {};
  const send = (type, at) => stage.dispatchEvent(new PointerEvent(type, {
    pointerId: 1, bubbles: true, clientX: box.left + at * box.width, clientY: box.top + 9 }));
  send("pointerdown", 0);
  const times = [];
  for (let step = 0; step < 40; step++) {
    const start = performance.now();
    send("pointermove", step / 40);
    await new Promise((resolve) => requestAnimationFrame(resolve));
    times.push(performance.now() - start);
  }
  send("pointerup", 1);
  return times;
}"""


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of a file server of a folder."""
    handler = functools.partial(Quiet, directory=str(folder))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://localhost:{server.server_address[1]}/"
    server.shutdown()


def weight(browser: Any, address: str) -> float:
    """MB that a page loads, uncompressed."""
    page, sizes = browser.new_page(), []
    page.on("response", lambda answer: sizes.append(len(answer.body())))
    page.goto(address, wait_until="networkidle")
    page.close()
    return sum(sizes) / 1e6


def drag(browser: Any, address: str) -> list[float]:
    """Milliseconds from the pointer's event to its frame, at each of forty steps."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(address)
    page.wait_for_selector("canvas[data-mode]")
    page.wait_for_timeout(1000)  # for the pictures
    times = page.evaluate(DRAG)
    page.close()
    return times


def upscaled(browser: Any, address: str) -> Iterator[tuple[str, str, float]]:
    """Network, by what, and seconds of a photograph of ``SIDE``², after one warm-up each."""
    page = browser.new_page()
    page.goto(address)
    png = io.BytesIO()
    Image.fromarray(photograph(SIDE, SIDE)).save(png, "PNG")
    file = {"name": "photograph.png", "mimeType": "image/png", "buffer": png.getvalue()}
    names = page.locator("[name=model] option").evaluate_all("all => all.map((one) => one.value)")
    for name in names:
        for _ in range(2):
            page.reload()
            page.select_option("[name=model]", name)
            page.set_input_files("input[type=file]", file)
            page.wait_for_selector(".srlib-save:not([hidden])", timeout=120_000)
        said = page.locator("[role=status]").first.inner_text()
        ((seconds, by),) = re.findall(r"in ([\d.]+) s by (.+)\.$", said)
        yield name, by, float(seconds)


def main() -> None:
    arguments = parser("Measure the site as a visitor meets it.")
    arguments.add_argument("--site", type=Path, default=ROOT / "site", help="built by make site")
    options = arguments.parse_args()
    if not (options.site / "index.html").is_file():
        sys.exit(f"there is no site in {options.site}; type make site")
    found = next(filter(None, map(shutil.which, ("chromium", "google-chrome"))), None)
    if found is None:
        print("no Chromium here; install one to measure the site")
        return
    from playwright.sync_api import sync_playwright

    rows = []
    with served(options.site) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=found, args=["--no-sandbox", "--disable-gpu"]
        )
        times = sorted(drag(browser, f"{address}look.html"))
        for measure, value in (("median", median(times)), ("95%", times[int(0.95 * len(times))])):
            rows.append(
                show(Row("viewer", "40 steps", "drag", "", f"ms to a frame, {measure}", value))
            )
        for name, by, seconds in upscaled(browser, f"{address}try.html"):
            rows.append(
                show(Row(name, f"{SIDE}x{SIDE}", f"in Chromium, {by}", "", "seconds", seconds))
            )
        pages = (path for path in options.site.rglob("*.html") if "_static" not in path.parts)
        largest = sorted(pages, key=lambda path: path.stat().st_size)[-5:]
        names = ["index.html", *(path.relative_to(options.site).as_posix() for path in largest)]
        each = {name: weight(browser, f"{address}{name}") for name in names}
        heaviest = max(each, key=lambda name: each[name])
        for name in ("index.html", heaviest):
            rows.append(show(Row(name, "page", "all that it loads", "", "MB", each[name])))
        browser.close()
    if options.keep:
        keep("browser", rows, threads=1)


if __name__ == "__main__":
    main()
