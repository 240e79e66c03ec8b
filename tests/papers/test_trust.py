"""Trust is given to a notebook that is as in git, and to no other."""

import subprocess
from pathlib import Path

import nbformat
import pytest
from nbformat.sign import MemorySignatureStore, NotebookNotary

from papers.show.trust import trust


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A git checkout with two notebooks that have outputs."""
    (tmp_path / "notebooks").mkdir()
    for name in ("00_a", "01_b"):
        output = nbformat.v4.new_output("display_data", data={"text/html": "<b>1</b>"})
        cell = nbformat.v4.new_code_cell("1", outputs=[output])
        nbformat.write(
            nbformat.v4.new_notebook(cells=[cell]), tmp_path / "notebooks" / f"{name}.ipynb"
        )
    identity = ("-c", "user.name=a", "-c", "user.email=a@b")
    for command in (["init", "-q"], ["add", "."], [*identity, "commit", "-qm", "notebooks"]):
        subprocess.run(["git", "-C", str(tmp_path), *command], check=True)
    return tmp_path


@pytest.fixture
def notary(tmp_path: Path) -> NotebookNotary:
    return NotebookNotary(
        data_dir=str(tmp_path), secret=b"test", store_factory=MemorySignatureStore
    )


def trusted(path: Path, notary: NotebookNotary) -> bool:
    return notary.check_signature(nbformat.read(path, as_version=4))


def test_what_is_as_in_git_is_trusted(checkout: Path, notary: NotebookNotary) -> None:
    first = checkout / "notebooks/00_a.ipynb"
    assert not trusted(first, notary)
    assert trust(checkout, notary) == []
    assert trusted(first, notary)


def test_what_was_changed_is_not(checkout: Path, notary: NotebookNotary) -> None:
    changed = checkout / "notebooks/01_b.ipynb"
    changed.write_text(changed.read_text().replace("<b>1</b>", "<b>2</b>"))
    assert trust(checkout, notary) == [changed]
    assert trusted(checkout / "notebooks/00_a.ipynb", notary) and not trusted(changed, notary)


def test_what_git_does_not_know_is_not(checkout: Path, notary: NotebookNotary) -> None:
    new = checkout / "notebooks/02_c.ipynb"
    new.write_text((checkout / "notebooks/00_a.ipynb").read_text())
    assert trust(checkout, notary) == [new]


def test_without_git_none_is_trusted(checkout: Path, notary: NotebookNotary, tmp_path) -> None:
    (checkout / ".git").rename(checkout / "gone")
    assert len(trust(checkout, notary)) == 2
