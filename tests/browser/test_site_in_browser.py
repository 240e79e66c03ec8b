"""The built site in a real browser, from a plain file server and with no other network."""

import base64
import functools
import io
import os
import threading
from collections.abc import Iterator
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urldefrag, urljoin

import numpy as np
import pytest
import torch
from PIL import Image

from papers.contradictions import load_facts
from papers.ledger import ledger
from papers.printed import list_papers
from papers.show.navigation import notebooks
from papers.site import build, trying
from papers.site.html import anchor
from srlib.compare import load_best
from srlib.data.imresize import imresize
from srlib.evaluation.inference import forward
from srlib.runs import runs
from srlib.weights.files import WeightsError

pytest.importorskip("playwright", reason='pip install "srlib[dev]"')
if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, FloatRect, Locator, Page

pytest.importorskip("sphinx", reason='the site\'s packages are not here: pip install -e ".[site]"')
# axe would fetch what a style sheet imports, and takes its address for one beside the page
AXE = {"preload": False, "resultTypes": ["violations"]}
# the rows of a long table are made alike, and axe takes half a minute for hundreds
SHORTEN = "document.querySelectorAll('tbody tr:nth-child(n+20)').forEach((row) => row.remove())"
PAGES = ["index", "try", "look", "images", "ledger", "facts", "papers/aidn", "networks/imdn"]
PAGES += ["runs/ded86ad1c7", "notebooks/05_why_is_my_psnr_different"]
OPEN = "document.querySelectorAll('details').forEach((one) => (one.open = true))"
DARK = ["notebooks/70_after_aidn", "notebooks/62_printed_cells", "notebooks/10_networks"]
NOTEBOOKS = [path.stem for path in notebooks()]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built for these tests; or the one that SRLIB_SITE names."""
    if built := os.environ.get("SRLIB_SITE"):
        return Path(built)
    out = tmp_path_factory.mktemp("built") / "site"
    build.build(out)
    return out


class Quiet(SimpleHTTPRequestHandler):
    """A plain file server that does not write a line for every request."""

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    handler = functools.partial(Quiet, directory=str(folder))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://localhost:{server.server_address[1]}/"
    server.shutdown()


@pytest.fixture
def page(context: "BrowserContext") -> "Page":
    opened = context.new_page()
    opened.set_viewport_size({"width": 1280, "height": 900})
    return opened


def box_of(element: "Locator") -> "FloatRect":
    box = element.bounding_box()
    assert box is not None, "it is not on the page"
    return box


class Seen(HTMLParser):
    """The addresses that a page leads to, its places, its classes, and its words."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.places: set[str] = set()
        self.classes: set[str] = set()
        self.words: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        if tag == "a" and told.get("href"):
            self.links.append(str(told["href"]))
        if told.get("id"):
            self.places.add(str(told["id"]))
        self.classes.update((told.get("class") or "").split())

    def handle_data(self, data: str) -> None:
        self.words.append(data)


@pytest.fixture(scope="module")
def seen(folder: Path) -> dict[str, Seen]:
    """Every page, by its address."""
    return {
        path.relative_to(folder).as_posix(): Seen(path)
        for path in folder.rglob("*.html")
        if "_static" not in path.parts
    }


def test_every_internal_link_leads_to_a_page_and_a_place(
    folder: Path, seen: dict[str, Seen]
) -> None:
    broken, followed = [], 0
    for name, page in seen.items():
        for link in page.links:
            target, place = urldefrag(urljoin(name, unquote(link)))
            if "//" in link or link.startswith("mailto:"):
                continue
            followed += 1
            if not (folder / target).exists():
                broken.append(f"{name}: {link}")
            elif place and "=" not in place and target in seen and place not in seen[target].places:
                broken.append(f"{name}: {link} has no such place")
    assert followed > 1000
    assert not broken, broken[:10]


def test_every_claim_and_fact_is_a_row_that_can_be_linked(seen: dict[str, Seen]) -> None:
    for page, keys in (("ledger.html", ledger()["id"]), ("facts.html", load_facts())):
        wanted = [anchor(key) for key in keys]
        assert len(set(wanted)) == len(wanted) > 0
        assert set(wanted) <= seen[page].places


@pytest.mark.parametrize("paper", list_papers())
def test_a_papers_page_leads_to_rows_notebooks_and_networks(
    paper: str, seen: dict[str, Seen]
) -> None:
    links = seen[f"papers/{paper}.html"].links
    for start in ("../ledger.html#", "../facts.html#", "../notebooks/", "../networks/"):
        assert any(link.startswith(start) for link in links), start


def test_every_run_has_its_page(seen: dict[str, Seen]) -> None:
    pages = {name for name in seen if name.startswith("runs/")}
    assert pages - {"runs/index.html"} == {f"runs/{run.id}.html" for run in runs()}
    words = "".join(seen["runs/ded86ad1c7.html"].words)
    assert "srlib evaluate" in words and words.count("Urban100") > 100


@pytest.mark.parametrize("name", PAGES)
def test_a_page_loads_and_everybody_can_read_it(name: str, page: "Page", address: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not here")
    page.goto(f"{address}{name}.html")
    page.wait_for_timeout(500)
    for width in (400, 1280, 1600):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.evaluate(SHORTEN)
    found = axe.Axe().run(page, options=AXE).response["violations"]
    serious = [one for one in found if one["impact"] in ("serious", "critical")]
    assert not serious, [(one["id"], one["nodes"][0]["html"][:200]) for one in serious]


@pytest.mark.parametrize("name", [*DARK, *PAGES[4:]])
def test_every_word_can_be_read_in_the_dark_theme(name: str, page: "Page", address: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not here")
    page.emulate_media(color_scheme="dark")
    page.goto(f"{address}{name}.html")
    page.evaluate(OPEN)
    page.wait_for_timeout(1000)  # until what is folded has faded in
    page.evaluate(SHORTEN)
    found = axe.Axe().run(page, options=AXE | {"runOnly": ["color-contrast"]})
    assert not found.response["violations"], [
        node["html"][:200] for one in found.response["violations"] for node in one["nodes"]
    ]


def test_every_page_leads_to_the_index(seen: dict[str, Seen]) -> None:
    made = [name for name, page in seen.items() if "prev-next-area" in page.classes]
    without = [name for name in made if "srlib-index" not in seen[name].classes]
    assert len(made) > 100
    assert without == ["index.html"]


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_is_about_five_screens(name: str, page: "Page", address: str) -> None:
    page.set_viewport_size({"width": 1280, "height": 800})
    page.goto(f"{address}notebooks/{name}.html")
    assert page.locator("main").evaluate("main => main.scrollHeight") <= 6 * 800


@pytest.mark.parametrize("width", [400, 1280])
def test_no_text_of_a_table_is_a_word_wide(width: int, page: "Page", address: str) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    for name in ("notebooks/70_after_aidn", "notebooks/60_contradictions", "ledger", "facts"):
        page.goto(f"{address}{name}.html")
        page.evaluate(OPEN)
        narrow = page.evaluate(
            """() => {
              const cells = [...document.querySelectorAll("td")];
              const thin = (cell) =>
                cell.innerText.length > 60 && cell.clientWidth && cell.clientWidth < 120 &&
                !cell.querySelector("a.srlib-run");  // ids, one below the other
              return cells.filter(thin).map((cell) => cell.innerText);
            }"""
        )
        assert not narrow, (name, narrow[:3])


PAPER = 720  # px between the margins of a sheet of A4


@pytest.mark.parametrize("name", ["ledger", "images", "papers/aidn", "notebooks/02_ablation"])
def test_a_sheet_of_paper_holds_every_table(name: str, page: "Page", address: str) -> None:
    """What is folded could not be opened there, and what is too wide not scrolled."""
    page.goto(f"{address}{name}.html")
    page.set_viewport_size({"width": PAPER, "height": 1000})
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    found = page.evaluate(
        """() => [...document.querySelectorAll(".bd-article :is(table, pre, img)")]
          .filter((one) => !one.closest("td details, .hide"))
          .map((one) => one.getBoundingClientRect())
          .map(({ width, right }) => [width, right])"""
    )
    assert found and all(width > 0 and right <= PAPER for width, right in found)
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator(".bd-article details[open]:not(.hide)").count() == 0


def test_the_ledger_filters_and_searches(page: "Page", address: str) -> None:
    page.goto(f"{address}ledger.html")
    rows = page.locator("table.srlib-table tbody tr")
    page.wait_for_selector("div.srlib-filters")
    all_rows = rows.count()
    page.get_by_label("paper", exact=True).select_option("RDSRN")
    of_one = rows.count()
    assert 0 < of_one < all_rows
    page.get_by_label("verdict", exact=True).select_option("holds")
    assert 0 < rows.count() < of_one
    page.get_by_label("paper", exact=True).select_option("")
    page.get_by_label("verdict", exact=True).select_option("")
    page.get_by_label("Search this table").fill("four blocks")
    assert 0 < rows.count() < all_rows


def test_a_long_table_scrolls_by_itself_below_its_heading(page: "Page", address: str) -> None:
    page.goto(f"{address}ledger.html")
    box = page.locator(".srlib-long")
    top = box_of(box)["y"]
    assert box_of(box.locator("tbody tr").first)["y"] >= top, "the first row can be reached"
    box.evaluate("one => one.scrollTop = 500")
    assert abs(box_of(box.locator("th").first)["y"] - top) < 2


def test_a_claim_is_reached_by_its_address(page: "Page", address: str) -> None:
    page.goto(f"{address}papers/rdsrn.html")
    page.locator("summary", has_text="holds").first.click()
    page.locator("details[open] a[href*='ledger.html#rdsrn']").last.click()
    page.wait_for_selector("tr:target")
    assert box_of(page.locator("tr:target"))["y"] < 900


def test_a_runs_id_leads_to_its_page(page: "Page", address: str) -> None:
    page.goto(f"{address}index.html")
    page.locator("a.srlib-run", has_text="ded86ad1c7").first.click()
    assert page.locator("h1").first.inner_text().startswith("Run ded86ad1c7")


def test_the_search_finds_a_word(page: "Page", address: str) -> None:
    page.goto(f"{address}search.html?q=asymmetric")
    page.wait_for_selector("ul.search li a")
    assert page.locator("ul.search li").count() > 3


def test_the_viewer_wipes_and_is_told_by_the_address(page: "Page", address: str) -> None:
    page.goto(f"{address}look.html#image=Set5-baby&left=Bicubic&right=IMDN")
    stage = page.locator("#srlib-look canvas").first
    stage.wait_for()
    page.wait_for_timeout(500)
    assert "baby" in page.locator("#srlib-look select").first.locator("option:checked").inner_text()
    before = stage.screenshot()
    box = box_of(stage)
    middle = box["y"] + min(box["height"], 300) / 2
    page.mouse.move(box["x"] + box["width"] / 2, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 5, middle, steps=5)
    page.mouse.up()
    page.wait_for_timeout(200)
    assert stage.screenshot() != before


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_the_browsers_bicubic_is_matlabs(channels: int, page: "Page", address: str) -> None:
    image = np.random.default_rng(channels).integers(0, 256, (13, 9, channels), np.uint8)
    page.goto(f"{address}try.html")
    found = page.evaluate(
        """async ({ bytes, channels }) => {
          const { enlarge } = await import("./_static/bicubic.js");
          return [...enlarge(Uint8ClampedArray.from(bytes), 9, 13, 4, channels)];
        }""",
        {"bytes": image.ravel().tolist(), "channels": channels},
    )
    expected = imresize(image, 4, border="replicate")
    np.testing.assert_array_equal(np.reshape(found, expected.shape), expected)


@pytest.mark.parametrize("tile", [0, 24])
@pytest.mark.parametrize("name", trying.NETWORKS)
def test_the_browser_gives_what_pytorch_gives(
    name: str, tile: int, page: "Page", address: str, folder: Path
) -> None:
    try:
        network = load_best(name, trying.SCALE)
    except WeightsError as error:
        pytest.skip(f"no weights of {name} here: {error}")
    if not (folder / "_static" / "ort").is_dir():
        pytest.skip("this build of the site is without ONNX Runtime")
    height, width = 31, 40
    lr = np.asarray(Image.open(folder / "_static" / "example.png"))[:height, :width]
    rgba = np.dstack([lr, np.full((height, width), 255, np.uint8)])
    page.goto(f"{address}try.html")
    asked: dict[str, Any] = {
        "width": width,
        "height": height,
        "scale": 4,
        "tile": tile,
        "overlap": 16,
    }
    asked |= {"floats": True, "least": network.min_size, "file": f"models/{name}.onnx"}
    found = page.evaluate(
        """async ({ bytes, file, ...asked }) => {
          const at = new URL("./_static/", document.baseURI);
          const worker = new Worker(new URL("try-worker.js", at), { type: "module" });
          const done = new Promise((resolve, reject) => {
            worker.onmessage = ({ data }) => {
              if (data.error) reject(data.error);
              if (data.finished) resolve([...data.floats]);
            };
          });
          const model = new URL(file, at).href;
          worker.postMessage({ ...asked, model, pixels: Uint8ClampedArray.from(bytes) });
          return done;
        }""",
        {"bytes": rgba.ravel().tolist(), **asked},
    )
    batch = torch.from_numpy(lr.copy()).permute(2, 0, 1)[None] / 255
    expected = forward(network, batch, tile, 16)[0].numpy()
    assert np.abs(np.reshape(found, expected.shape) - expected).max() < 1e-4


def test_a_visitor_upscales_a_picture_and_saves_it(
    page: "Page", address: str, folder: Path, tmp_path: Path
) -> None:
    if not (folder / "_static" / "models" / "arfdn.onnx").exists():
        pytest.skip("this build of the site is without the authors' weights")
    Image.new("L", (20, 17), 90).save(tmp_path / "grey.png")
    page.goto(f"{address}try.html")
    page.set_input_files("input[type=file]", tmp_path / "grey.png")
    page.wait_for_selector(".srlib-save:not([hidden])", timeout=60_000)
    saved = page.evaluate(
        """async () => {
          const blob = await (await fetch(document.querySelector(".srlib-save").href)).blob();
          const bytes = new Uint8Array(await blob.arrayBuffer());
          return btoa(String.fromCharCode(...bytes));
        }"""
    )
    with Image.open(io.BytesIO(base64.b64decode(saved))) as image:
        assert image.size == (80, 68)
        assert np.abs(np.asarray(image.convert("L"), int) - 90).max() < 8


def test_a_file_that_is_no_picture_is_said(page: "Page", address: str, tmp_path: Path) -> None:
    (tmp_path / "notes.png").write_text("no picture")
    page.goto(f"{address}try.html")
    if not page.locator("#srlib-try").count():
        pytest.skip("this build of the site is without networks")
    page.set_input_files("input[type=file]", tmp_path / "notes.png")
    page.wait_for_function(
        "document.querySelector('[role=status]').textContent.includes('no picture')"
    )
