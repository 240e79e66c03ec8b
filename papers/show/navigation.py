"""Previous, index and next at both ends of a notebook, made from the notebooks that there are."""

import json
from pathlib import Path

import nbformat

from srlib.paths import ROOT

INDEX = "00_start_here.ipynb"
# "remove-cell" is a site's word for a cell that it does not show: it has links of its own.
TAGS = ["navigation", "remove-cell"]


def notebooks(root: Path = ROOT) -> list[Path]:
    """All notebooks, in the order of their numbers."""
    return sorted((root / "notebooks").glob("*.ipynb"))


def title(path: Path) -> str:
    """A notebook's first heading: its question."""
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        for line in "".join(cell["source"]).splitlines():
            if cell["cell_type"] == "markdown" and line.startswith("# "):
                return line.removeprefix("# ")
    raise ValueError(f"{path} has no heading; begin it with a line '# QUESTION?'")


def links(name: str, root: Path = ROOT) -> str:
    """The line of links for a notebook of this name; "" where it is none of the repository's."""
    names = [path.name for path in notebooks(root)]
    if name not in names:
        return ""
    at, folder = names.index(name), root / "notebooks"
    parts = []
    if at:
        parts.append(f"[← {title(folder / names[at - 1])}]({names[at - 1]})")
    if name != INDEX:
        parts.append(f"[Index]({INDEX})")
    if at + 1 < len(names):
        parts.append(f"[{title(folder / names[at + 1])} →]({names[at + 1]})")
    return " · ".join(parts)


def with_navigation(
    notebook: nbformat.NotebookNode, name: str, root: Path = ROOT
) -> nbformat.NotebookNode:
    """The notebook with its links as the first and the last cell, in place of those it had."""
    own = [cell for cell in notebook.cells if "navigation" not in cell.metadata.get("tags", [])]
    line = links(name, root)
    made = [
        nbformat.v4.new_markdown_cell(line, metadata={"tags": list(TAGS)})
        for _ in range(2 if line else 0)
    ]
    notebook.cells = [*made[:1], *own, *made[1:]]
    return notebook
