"""What several files of tests share: folders beside the repository, a tiny packed store."""

import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

os.environ["OMP_NUM_THREADS"] = "1"  # of this process and of all that it starts; see `one_thread`

import numpy as np
import pytest
import torch
from hypothesis import settings

from srlib.data.pack import pack
from srlib.data.packed import PackedImages
from srlib.networks import create_network
from srlib.weights.files import save_tensors

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext

ROOT = Path(__file__).parent.parent
CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "chrome")
# Nothing that asks the network or a GPU; a container has no room for Chromium's own sandbox.
CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

settings.register_profile("busy", deadline=None)  # a slow machine is no failure
settings.load_profile("busy")


def _folder(variable: str, sibling: str, what: str) -> Path:
    """The folder that a variable names, else the one beside the repository; skip without one."""
    folder = Path(os.environ.get(variable) or ROOT.parent / "shared" / sibling)
    if not folder.is_dir():
        pytest.skip(f"no {what} at {folder}; name their folder in {variable}")
    return folder


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository's root."""
    return ROOT


@pytest.fixture(scope="session")
def mirror() -> Path:
    """The folder with the papers' image sets."""
    return _folder("SRLIB_MIRROR", "datasets", "image sets")


@pytest.fixture(scope="session")
def reference() -> Path:
    """The folder with numbers, weights and outputs of the authors' own code."""
    return _folder("SRLIB_REFERENCE", "reference", "reference data")


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> PackedImages:
    """Three images of smooth noise, 72x80 pixels, packed for x4."""
    rng = np.random.default_rng(0)
    images = []
    for number in range(3):
        coarse = rng.integers(0, 256, (9, 10, 3), np.uint8)
        images.append(("noise", str(number), coarse.repeat(8, axis=0).repeat(8, axis=1)))
    folder = tmp_path_factory.mktemp("store") / "x4"
    pack(images, folder, 4, "replicate")
    return PackedImages(folder)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small untrained network in the trainer's format."""
    path = tmp_path_factory.mktemp("weights") / "weights.safetensors"
    settings = {"blocks": 1, "channels": 8}
    torch.manual_seed(0)
    network = create_network("aidn", 2, **settings)
    save_tensors(network.state_dict(), path, {"network": "aidn", "scale": 2, "settings": settings})
    return path


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """Several threads wait for each other beside a second worker; every test starts with one."""
    torch.set_num_threads(1)


# --- a real browser ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def chromium() -> "Iterator[Browser]":
    """A Chromium without a window; the test is skipped where there is none.

    Of one module each: playwright keeps an event loop running, which other tests must not meet.
    """
    api = pytest.importorskip("playwright.sync_api", reason='pip install "srlib[dev]"')
    found = next(filter(None, map(shutil.which, CHROMIUMS)), None)
    if found is None:
        pytest.skip(f"no Chromium here, by none of the names {', '.join(CHROMIUMS)}; install one")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=list(CHROMIUM_FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def context(chromium: "Browser") -> "Iterator[BrowserContext]":
    """A browser's empty profile; at the end, no page of it may have met an error or the network.

    Its own machine is no network: pages come from files and from local servers.
    """
    context = chromium.new_context(viewport={"width": 1000, "height": 900})
    said: list[str] = []
    context.on("weberror", lambda error: said.append(str(error.error)))
    context.on("console", lambda line: said.append(line.text) if line.type == "error" else None)
    context.on(
        "request", lambda request: said.append(request.url) if _outside(request.url) else None
    )
    yield context
    context.close()
    assert said == []


def _outside(url: str) -> bool:
    here = ("file:", "data:", "blob:", "about:", "http://localhost", "ws://localhost")
    return not url.startswith(here)


# --- the fault drill: what was tried, counted by kind ------------------------------------------


@pytest.fixture
def tried(record_property: Callable[[str, object], None]) -> Callable[[str, int], None]:
    """Counts cases of a kind that one test goes through: ``tried("flipped bits", 300)``."""
    return lambda kind, number: record_property("faults", [kind, number])


def pytest_collection_modifyitems(items: Iterable[pytest.Item]) -> None:
    for item in items:
        for marker in item.iter_markers("faults"):
            item.user_properties.append(("faults", [marker.args[0], 1]))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line a kind: how many cases held, and how many tests of it failed."""
    held: Counter[str] = Counter()
    failed: Counter[str] = Counter()
    for outcome in ("passed", "failed"):
        for report in terminalreporter.getreports(outcome):
            for name, value in report.user_properties:
                if name == "faults" and report.when == "call":
                    kind, number = value
                    held[kind] += number if outcome == "passed" else 0
                    failed[kind] += outcome == "failed"
    if held or failed:
        terminalreporter.section("fault drill")
        for kind in sorted(held | failed):
            broken = f", {failed[kind]} tests failed" if failed[kind] else ""
            terminalreporter.write_line(f"{held[kind]:6} {kind} held{broken}")
