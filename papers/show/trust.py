"""Trust the repository's own notebooks, so that JupyterLab shows their widgets and viewers.

Trust says "I know what this file holds". It is given to a notebook whose content is that of git's
last commit, and to no other.
"""

import subprocess
from pathlib import Path

import nbformat
from nbformat.sign import NotebookNotary

from papers.show.navigation import notebooks
from srlib.paths import ROOT


def trust(root: Path = ROOT, notary: NotebookNotary | None = None) -> list[Path]:
    """Sign every notebook that is as in git's last commit.

    Args:
        root: of a git checkout.
        notary: keeps the signatures; None is the user's own, which JupyterLab asks.

    Returns:
        The notebooks that were left as they are: changed, new, or not of a git checkout.
    """
    notary = notary or NotebookNotary()
    left = []
    for path in notebooks(root):
        if _content(path, root) == _committed(path, root):
            notary.sign(nbformat.read(path, as_version=4))
        else:
            left.append(path)
    return left


def _content(path: Path, root: Path) -> str:
    """git's hash of a file as it is, with the line endings that git would store."""
    return _git(root, "hash-object", "--", path.relative_to(root).as_posix()) or "no git"


def _committed(path: Path, root: Path) -> str:
    return _git(
        root, "rev-parse", "--verify", "--quiet", f"HEAD:{path.relative_to(root).as_posix()}"
    )


def _git(root: Path, *command: str) -> str:
    done = subprocess.run(["git", "-C", str(root), *command], capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else ""
