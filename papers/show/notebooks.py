"""Execute a notebook in place and write it in a canonical form.

The same inputs give the same bytes: execution times, kernel versions and random widget ids are
removed or numbered, so that git and DVC see a change only where a result changed.
"""

import json
import os
import re
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import nbformat
import papermill
from nbconvert.preprocessors import CoalesceStreamsPreprocessor
from traitlets.config import Config

from papers.show.navigation import with_navigation
from srlib.files import replacing

VIEW = "application/vnd.jupyter.widget-view+json"
STATE = "application/vnd.jupyter.widget-state+json"
REFERENCE = re.compile(r"IPY_MODEL_([0-9a-f]{32})")


def render_all(paths: Sequence[Path]) -> None:
    """Execute notebooks in place, as many at once as there are processors; see ``render``.

    Raises:
        papermill.PapermillExecutionError: a cell failed; the others are rendered all the same.
    """
    # Processes, because papermill changes the working folder; started anew, as PyTorch's threads
    # do not survive a fork.
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        for _ in pool.map(render, paths):
            pass


def render(path: str | Path) -> None:
    """Execute a notebook from its own folder and replace it, with outputs, if all cells ran.

    Raises:
        papermill.PapermillExecutionError: a cell failed; the file stays as it was.
        FileNotFoundError: no such notebook.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path} does not exist; name a notebook of notebooks/")
    with tempfile.TemporaryDirectory() as folder:
        executed = Path(folder) / path.name
        papermill.execute_notebook(
            path,
            executed,
            kernel_name="python3",
            cwd=path.parent,
            progress_bar=False,
            config=_private(Path(folder)),
        )
        done = nbformat.read(executed, as_version=4)
    text = canonical(with_navigation(done, path.name))
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _private(folder: Path) -> Config:
    """The kernel listens on sockets in a folder, not on open ports; Windows has ports alone."""
    if sys.platform == "win32":
        return Config()
    return Config(KernelManager={"transport": "ipc", "ip": str(folder / "kernel")})


def canonical(notebook: nbformat.NotebookNode) -> str:
    """A notebook's text without anything that differs from one execution to the next."""
    metadata: dict[str, Any] = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    # What a cell prints arrives in one piece or in several, depending on timing.
    notebook, _ = CoalesceStreamsPreprocessor().preprocess(notebook, {})
    widgets = notebook.metadata.get("widgets")
    for number, cell in enumerate(notebook.cells):
        cell.metadata = {k: v for k, v in cell.metadata.items() if k == "tags" and v}
        cell["id"] = f"cell-{number:02}"
    order = _widgets_shown(notebook, widgets[STATE]["state"]) if widgets else []
    if order:
        state = widgets[STATE]
        state["state"] = {model: _at_rest(state["state"][model]) for model in order}
        metadata["widgets"] = {STATE: state}
    notebook.metadata = metadata
    text = nbformat.writes(notebook)  # which splits sources into lines, for readable differences
    for number, model in enumerate(order):
        text = text.replace(model, f"{number:032x}")
    # Sorted only now, because the widgets' ids are keys and were random until here.
    return json.dumps(json.loads(text), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _at_rest(model: dict[str, Any]) -> dict[str, Any]:
    """A widget as it is without a kernel: what nobody would answer is off, until the cell runs."""
    if "disabled" in model["state"]:
        model["state"]["disabled"] = True
    return model


def _widgets_shown(notebook: nbformat.NotebookNode, state: dict[str, Any]) -> list[str]:
    """Ids of the widget models that an output shows, and of all that these refer to, in order."""
    order: list[str] = []

    def visit(model: str) -> None:
        if model in state and model not in order:
            order.append(model)
            for other in REFERENCE.findall(json.dumps(state[model], sort_keys=True)):
                visit(other)

    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if VIEW in output.get("data", {}):
                visit(output["data"][VIEW]["model_id"])
    return order
