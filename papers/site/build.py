"""``papers site``: write every page's source, let Sphinx make the site, link every run's id.

Nothing is executed or measured here: the pages are made of notebooks as they were executed, of
tracked results, and of docstrings.
"""

import re
import shutil
from importlib.util import find_spec
from pathlib import Path

import nbformat

from papers import contradictions
from papers.ledger import ledger
from papers.show import figures
from papers.show.look import kept
from papers.site import claims, front, images, literature, trying
from papers.site import runs as run_pages
from papers.site.html import numbers_linked, runs_linked
from srlib.paths import ROOT, results
from srlib.runs import runs
from srlib.weights.official import official

SOURCE = Path(".cache/site")
STATIC = Path(__file__).parent / "static"
NEEDED = ("sphinx", "myst_nb", "sphinx_book_theme", "sphinx_copybutton", "itables")
WORDS = "## Words"  # the glossary's heading in the first notebook
# Where the links of a notebook lead on the site: a file of the repository is a path in words.
MOVED = (
    (r"\]\(\.\./results/figures/", r"](../figures/"),
    (r"\]\(00_start_here\.ipynb#Words\)", r"](../words.md)"),
    (r"\[([^\]]*)\]\(\.\./\1\)", r"`\1`"),
    (r"\[([^\]]*)\]\(\.\./(?!figures/|words\.md)([^)]*)\)", r"\1 (`\2`)"),
    (r"`make site`, page \*(\w+)\*", r"[\1](../\1.md)"),
)
API = ["create_network", "list_networks", "load_official", "load_pretrained", "upscale"]
API += ["imresize", "complexity"]
MODULES = ("srlib.evaluation.metrics", "srlib.runs", "srlib.viewer", "srlib.doctor.why")


class SiteError(ValueError):
    """The site cannot be built; says why."""


def build(out: Path, root: Path = ROOT) -> None:
    """Build the site into ``out``, which is replaced.

    Raises:
        SiteError: a package is missing, or Sphinx gave up.
    """
    for name in NEEDED:
        if find_spec(name) is None:
            raise SiteError(f'{name} is not installed; type pip install -e ".[site]"')
    from sphinx.cmd.build import build_main

    source = root / SOURCE
    write_sources(source, root)
    made = root / ".cache" / "site-made"
    shutil.rmtree(made, ignore_errors=True)
    if build_main(["-q", "-b", "html", "-j", "auto", str(source), str(made)]):
        raise SiteError("Sphinx gave up; its message is above")
    _link_runs(made, root)
    shutil.rmtree(out, ignore_errors=True)
    shutil.move(made, out)


def write_sources(source: Path, root: Path = ROOT) -> None:
    """Write the Markdown, the notebooks and the files that Sphinx makes the site of."""
    shutil.rmtree(source, ignore_errors=True)
    static = source / "_static"
    shutil.copytree(STATIC, static, ignore=shutil.ignore_patterns("conf.py", "templates"))
    shutil.copyfile(STATIC / "conf.py", source / "conf.py")
    shutil.copytree(STATIC / "templates", source / "templates")
    _copy_datatables(static)
    for folder in ("runs", "networks", "papers", "notebooks"):
        (source / folder).mkdir()
    for path in sorted((root / "notebooks").glob("*.ipynb")):
        _copy_notebook(path, source / "notebooks" / path.name)
    shutil.copytree(results(root) / "figures", source / "figures")
    figures.use_style()
    compared = {m for m in official() if any(_has(one, m, root) for one in kept(root))}
    found = ledger(root=root)
    pages = run_pages.pages(source / "runs", root)
    pages |= literature.network_pages(source, compared)
    findings = contradictions.findings()
    facts = contradictions.facts(findings)
    pages |= literature.paper_pages(found, facts, root)
    pages["ledger"] = claims.ledger_page(found)
    pages["facts"] = claims.facts_page(findings, facts)
    pages["images"] = images.images_page(root)
    pages["look"] = images.look_page(static, root)
    pages["try"] = trying.try_page(static, root)
    pages["words"] = _words(root)
    pages["api"] = _api()
    pages["index"] = front.front_page(source / "figures", found, root)
    for name, text in pages.items():
        (source / f"{name}.md").write_text(text + "\n", encoding="utf-8")


def _has(one, method: str, root: Path) -> bool:
    return (one._replace(method=method).folder(root) / "pictures").is_dir()


def _copy_datatables(static: Path) -> None:
    import itables

    folder = Path(itables.__file__).parent / "html"
    for name in ("dt_bundle.js", "dt_bundle.css"):
        shutil.copyfile(folder / name, static / name)


def _copy_notebook(path: Path, to: Path) -> None:
    """A notebook as the site has it: its links lead to pages there, and its code is folded.

    The words of the first one are a page of their own.
    """
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.metadata["tags"] = [*cell.metadata.get("tags", []), "hide-input"]
        elif cell.source.startswith(WORDS):
            cell.source = "[The words that this project uses.](../words.md)"
        else:
            for pattern, instead in MOVED:
                cell.source = re.sub(pattern, instead, cell.source)
    nbformat.write(notebook, to)


def _words(root: Path) -> str:
    """The glossary, which stands in the first notebook."""
    notebook = nbformat.read(root / "notebooks" / "00_start_here.ipynb", as_version=4)
    cell = next(cell.source for cell in notebook.cells if cell.source.startswith(WORDS))
    return re.sub(r"\]\((\w+\.ipynb)", r"](notebooks/\1", cell.replace(WORDS, "# Words"))


def _api() -> str:
    parts = ["# API\n\nThe library, as its docstrings have it: `import srlib`."]
    for name in API:
        parts.append(f"```{{eval-rst}}\n.. autofunction:: srlib.{name}\n```")
    for name in MODULES:
        parts.append(f"## {name}\n\n```{{eval-rst}}\n.. automodule:: {name}\n   :members:\n```")
    return "\n\n".join(parts)


def _link_runs(made: Path, root: Path) -> None:
    known = {run.id for run in runs(root)}
    for path in sorted(made.rglob("*.html")):
        up = "../" * (len(path.relative_to(made).parts) - 1)
        text = path.read_text(encoding="utf-8")
        others = known - {path.stem}  # a run's page does not lead to itself
        text = runs_linked(numbers_linked(text, others, up), others, up)
        path.write_text(text, encoding="utf-8")
