"""JupyterLab on a fresh clone: a still until the notebook is trusted, then a viewer to drag."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from srlib.paths import ROOT

pytest.importorskip("playwright", reason='pip install "srlib[dev]"')
if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

PATIENCE = 120  # seconds that a busy machine may take to start JupyterLab


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a reader has after `git clone`: the last commit."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout, so there is nothing to clone")
    folder = tmp_path_factory.mktemp("fresh") / "srlib"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(folder)], check=True)
    return folder


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Another user's Jupyter: no settings and no signatures of one's own."""
    own = tmp_path_factory.mktemp("jupyter")
    names = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
    return dict(os.environ) | {name: str(own / name.lower()) for name in names}


@pytest.fixture(scope="module")
def lab(clone: Path, settings: dict[str, str]) -> Iterator[str]:
    """Address of JupyterLab as `make lab` starts it, at the clone's root."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"]
    command += [f"--ServerApp.port={port}", "--IdentityProvider.token="]
    server = subprocess.Popen(
        command, cwd=clone, env=settings, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    address = f"http://localhost:{port}"
    try:
        end = time.monotonic() + PATIENCE
        while not _answers(f"{address}/api"):
            assert server.poll() is None, "JupyterLab has ended"
            assert time.monotonic() < end, "JupyterLab does not answer"
            time.sleep(0.2)
        yield address
    finally:
        server.terminate()
        server.wait()


def _answers(url: str) -> bool:
    try:
        with urlopen(url) as answer:
            return answer.status == 200
    except URLError:
        return False


def opened(context: "BrowserContext", lab: str, name: str) -> "Page":
    page = context.new_page()
    page.set_default_timeout(1000 * PATIENCE)
    page.goto(f"{lab}/lab/tree/notebooks/{name}?reset")
    page.wait_for_selector(".jp-Notebook .jp-OutputArea-output")
    return page


def test_the_viewer_is_a_still_until_the_notebook_is_trusted(
    context: "BrowserContext", lab: str, clone: Path, settings: dict[str, str]
) -> None:
    page = opened(context, lab, "04_look.ipynb")
    still = page.locator(".srlib-still img")
    still.wait_for()
    assert "Bicubic on the left of the cut" in (still.get_attribute("alt") or "")
    assert "jupyter trust notebooks/04_look.ipynb" in page.locator(".srlib-still").inner_text()
    assert page.locator(".jp-OutputArea iframe").count() == 0
    page.close()

    trust = [sys.executable, "-m", "papers.cli", "trust"]
    done = subprocess.run(
        trust, cwd=clone, env=settings | {"PYTHONPATH": str(clone)}, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (0, "")

    page = opened(context, lab, "04_look.ipynb")
    frame = page.frame_locator(".jp-OutputArea iframe")
    stage = frame.locator("canvas[data-mode]")
    stage.wait_for()
    assert not page.locator(".srlib-still").is_visible()
    before = stage.evaluate("canvas => canvas.toDataURL()")
    stage.scroll_into_view_if_needed()
    box = stage.bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 5, box["y"] + box["height"] / 2, steps=5)
    page.mouse.up()
    assert frame.get_by_role("slider").input_value() == "20"
    assert stage.evaluate("canvas => canvas.toDataURL()") != before
    # Without a kernel's answer, the menu that needs one is off; it is on once its cell is run.
    assert page.locator(".jupyter-widgets select").first.is_disabled()


def test_the_links_of_a_notebook_lead_to_files(context: "BrowserContext", lab: str) -> None:
    page = opened(context, lab, "00_start_here.ipynb")
    link = page.locator(".jp-RenderedMarkdown a").filter(has_text="Index")
    assert link.count() == 0  # 00 is the index
    page.locator(".jp-RenderedMarkdown a", has_text="→").first.click()
    page.locator(".lm-TabBar-tabLabel", has_text="01_aidn.ipynb").wait_for()
