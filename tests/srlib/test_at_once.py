"""Two of a kind at once into one folder: both end well, and what is there is whole."""

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import numpy as np
import pytest

from papers.show.notebooks import render
from srlib.data import download
from srlib.data.download import fetch, verify
from srlib.data.pack import pack
from srlib.data.packed import PackedImages

NAME = "embedded-heldout"
RENDER = [
    sys.executable,
    "-c",
    "import sys; from papers.show.notebooks import render; render(sys.argv[1])",
]


@pytest.fixture(autouse=True)
def no_mirror(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SRLIB_MIRROR", raising=False)


def hidden(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob(".*")]


@pytest.mark.faults("several at once")
def test_a_set_that_another_process_fetches_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other is faster, at the worst moment: after our check and before our rename."""
    compare = download._compare
    others: list[Path] = []

    def slow(*arguments):
        found = compare(*arguments)
        if not others:
            others.append(tmp_path)
            fetch(NAME, tmp_path, progress=False)
        return found

    monkeypatch.setattr(download, "_compare", slow)
    assert fetch(NAME, tmp_path, progress=False) == tmp_path / NAME / "HR"
    assert verify(NAME, tmp_path).count == 3 and others and hidden(tmp_path) == []


@pytest.mark.faults("several at once")
def test_a_set_beside_one_that_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One finds nothing and removes the empty folder as the other is about to fill it."""
    make = download.tempfile.mkdtemp
    calls: list[str] = []

    def removed(**arguments: object) -> str:
        if not calls:
            calls.append("removed")
            shutil.rmtree(tmp_path / NAME)
        return make(**arguments)  # type: ignore[call-overload]

    monkeypatch.setattr(download.tempfile, "mkdtemp", removed)
    fetch(NAME, tmp_path, progress=False)
    assert verify(NAME, tmp_path).count == 3 and calls


def pictures(*more: Callable[[], None]) -> Iterator[tuple[str, str, np.ndarray]]:
    yield "set", "a", np.full((8, 8, 3), 9, np.uint8)
    for each in more:
        each()


@pytest.mark.faults("several at once")
@pytest.mark.parametrize("there", [False, True], ids=["new", "replaced"])
def test_a_store_that_another_process_packs_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: bool
) -> None:
    folder, own = tmp_path / "x4", os.getpid()
    if there:
        pack(pictures(), folder, 4, "replicate")

    def other() -> None:
        monkeypatch.setattr(os, "getpid", lambda: own + 1)
        pack(pictures(), folder, 4, "replicate")
        monkeypatch.setattr(os, "getpid", lambda: own)

    pack(pictures(other), folder, 4, "replicate")
    assert len(PackedImages(folder).digest()) == 64 and hidden(tmp_path) == []


PACK = """
import sys
import numpy as np
from srlib.data.pack import pack

image = np.full((8, 8, 3), 9, np.uint8)
for _ in range(150):
    pack([("set", "a", image)], sys.argv[1], 4, "replicate")
"""


@pytest.mark.faults("several at once")
def test_two_processes_pack_one_store_again_and_again(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PACK, str(tmp_path / "x4")]
    both = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    assert [process.communicate()[1] for process in both] == ["", ""]
    assert len(PackedImages(tmp_path / "x4").digest()) == 64
    assert [path.name for path in tmp_path.iterdir()] == ["x4"]


@pytest.mark.faults("several at once")
def test_two_renders_of_one_notebook(tmp_path: Path) -> None:
    path = tmp_path / "a.ipynb"
    cells = [nbformat.v4.new_code_cell("import os; print(6 * 7)")]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    other = threading.Thread(target=subprocess.run, args=([*RENDER, str(path)],))
    other.start()
    render(path)
    other.join()
    found = nbformat.read(path, as_version=4)
    assert found.cells[0].outputs[0].text == "42\n"
    assert [file.name for file in tmp_path.iterdir()] == ["a.ipynb"]
