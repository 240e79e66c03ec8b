"""Notebooks keep the rules, and rendering one again gives the same bytes."""

import json
import re
import shutil
import sys
from pathlib import Path

import nbformat
import papermill
import pytest

from papers.show.navigation import links, with_navigation
from papers.show.notebooks import STATE, VIEW, canonical, render
from srlib.paths import ROOT

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def test_the_notebooks_are_there() -> None:
    assert len(NOTEBOOKS) >= 5


def test_an_execution_gives_the_same_bytes(tmp_path: Path) -> None:
    # Of the one with a widget; nbval compares the outputs of all.
    notebook = ROOT / "notebooks" / "04_look.ipynb"
    again = tmp_path / notebook.name
    shutil.copy(notebook, again)
    render(again)
    same = again.read_bytes() == notebook.read_bytes()
    assert same, f"render it: papers render notebooks/{notebook.name}"


def code_cells(notebook: Path) -> list[dict]:
    return [c for c in json.loads(notebook.read_text())["cells"] if c["cell_type"] == "code"]


def test_notebooks_are_short() -> None:
    cells = {notebook.name: code_cells(notebook) for notebook in NOTEBOOKS}
    assert [name for name, all_ in cells.items() if len(all_) > 15] == []
    assert [name for name, all_ in cells.items() if max(len(c["source"]) for c in all_) > 12] == []


def test_notebooks_ran_whole_and_in_order() -> None:
    counts = {n.name: [c["execution_count"] for c in code_cells(n)] for n in NOTEBOOKS}
    assert [name for name, found in counts.items() if found != [*range(1, len(found) + 1)]] == []


def test_notebooks_show_no_error_and_no_warning() -> None:
    def loud(output: dict) -> bool:
        return output["output_type"] == "error" or output.get("name") == "stderr"

    outputs = {n.name: [o for c in code_cells(n) for o in c["outputs"]] for n in NOTEBOOKS}
    assert [name for name, found in outputs.items() if any(map(loud, found))] == []


def test_the_first_cell_asks_a_question() -> None:
    first = {n.name: json.loads(n.read_text())["cells"][1] for n in NOTEBOOKS}  # 0 is the links
    asked = {
        name for name, c in first.items() if c["cell_type"] == "markdown" and "?" in c["source"][0]
    }
    assert set(first) - asked == set()


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_its_links_are_those_of_its_place(notebook: Path) -> None:
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    line = links(notebook.name)
    for cell in (cells[0], cells[-1]):
        own = "".join(cell["source"])
        assert own == line, f"render it: papers render notebooks/{notebook.name}"


def test_links_are_made_once_and_lead_on(tmp_path: Path) -> None:
    (tmp_path / "notebooks").mkdir()
    for name in ("00_start_here", "01_a", "02_b"):
        cell = nbformat.v4.new_markdown_cell(f"# What is {name}?")
        path = tmp_path / "notebooks" / f"{name}.ipynb"
        nbformat.write(nbformat.v4.new_notebook(cells=[cell]), path)
    middle = "[← What is 00_start_here?](00_start_here.ipynb) · [Index](00_start_here.ipynb) · "
    assert links("01_a.ipynb", tmp_path) == middle + "[What is 02_b? →](02_b.ipynb)"
    notebook = small("1")
    for _ in range(2):
        notebook = with_navigation(notebook, "01_a.ipynb", tmp_path)
    assert [cell.cell_type for cell in notebook.cells] == ["markdown", "code", "markdown"]
    assert len(with_navigation(notebook, "copy.ipynb", tmp_path).cells) == 1


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_picture_has_an_alternative_text(notebook: Path) -> None:
    outputs = [o.get("data", {}) for c in code_cells(notebook) for o in c["outputs"]]
    assert not any("image/png" in data for data in outputs), "use papers.show.drawing"
    html = "".join(line for data in outputs for line in data.get("text/html", []))
    pictures = re.findall(r"<img [^>]*>", html)
    assert [tag[:80] for tag in pictures if not re.search(r'\balt="[^"]+"', tag)] == []


def small(*sources: str) -> nbformat.NotebookNode:
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    return nbformat.v4.new_notebook(cells=cells)


def test_what_is_printed_in_pieces_is_one_output() -> None:
    notebook = small("print(1); print(2)")
    stream = [nbformat.v4.new_output("stream", name="stdout", text=f"{n}\n") for n in (1, 2)]
    notebook.cells[0].outputs = stream
    outputs = json.loads(canonical(notebook))["cells"][0]["outputs"]
    assert [output["text"] for output in outputs] == [["1\n", "2\n"]]


def test_a_failing_cell_leaves_the_file_alone(tmp_path: Path) -> None:
    path = tmp_path / "fails.ipynb"
    nbformat.write(small("1 / 0"), path)
    before = path.read_bytes()
    with pytest.raises(papermill.PapermillExecutionError, match="division by zero"):
        render(path)
    assert path.read_bytes() == before


def test_a_missing_notebook_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="none.ipynb does not exist"):
        render(tmp_path / "none.ipynb")


def test_widget_ids_are_numbered_and_hidden_widgets_dropped() -> None:
    shown, inner, hidden = "a" * 32, "b" * 32, "c" * 32
    notebook = small("widget")
    view = nbformat.v4.new_output("display_data", data={VIEW: {"model_id": shown}})
    notebook.cells[0].outputs = [view]
    state = {
        shown: {"state": {"children": [f"IPY_MODEL_{inner}"]}},
        inner: {"state": {"disabled": False}},
        hidden: {},
    }
    notebook.metadata["widgets"] = {STATE: {"state": state}}
    text = canonical(notebook)
    assert shown not in text and inner not in text and hidden not in text
    kept = json.loads(text)["metadata"]["widgets"][STATE]["state"]
    assert list(kept) == [f"{0:032x}", f"{1:032x}"]
    assert kept[f"{0:032x}"]["state"]["children"] == [f"IPY_MODEL_{1:032x}"]
    assert kept[f"{1:032x}"]["state"]["disabled"], "a menu that nobody answers"


def test_the_renderer_uses_this_environment() -> None:
    assert shutil.which("jupyter", path=str(Path(sys.executable).parent))
