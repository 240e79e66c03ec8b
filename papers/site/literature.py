"""A page a paper and a page a network."""

from collections.abc import Iterable, Iterator
from html import escape
from pathlib import Path

import pandas as pd
from matplotlib import pyplot as plt

from papers.comparison import paper_table, paper_tables
from papers.printed import FOLDER, cells, list_papers, load_paper
from papers.show import gallery
from papers.show import paper_tables as shown
from papers.show.figures import architecture
from papers.site.claims import tables_named
from papers.site.html import anchor, link
from papers.site.html import facts as listed
from srlib.networks import NETWORKS
from srlib.paths import ROOT
from srlib.weights.official import official

CODE = "srlib/networks"


def address(paper: str) -> str:
    """Where a paper can be read, from its ``cite.bib``; empty where no address is known."""
    text = (FOLDER / paper / "cite.bib").read_text(encoding="utf-8")
    return text.partition("url       = {")[2].partition("}")[0]


def paper_page(paper: str, claims: pd.DataFrame, facts: pd.DataFrame, root: Path = ROOT) -> str:
    """A paper: who, where and how to cite it, its tables, claims, facts and networks.

    Args:
        paper: its key.
        claims: from ``papers.ledger.ledger``.
        facts: from ``papers.contradictions.facts``.
        root: where ``results/`` is.
    """
    head = load_paper(paper).paper
    told: dict[str, str] = {
        name: escape(head[name]) for name in ("authors", "venue") if name in head
    }
    where = address(paper)
    told["paper"] = link(where, where) if where else "no address is known to us"
    if "code" in head:
        told["code"] = link(head["code"], head["code"])
    bib = (FOLDER / paper / "cite.bib").read_text(encoding="utf-8")
    parts = [f"# {paper.upper()}\n\n**{head['title']}**", listed(told)]
    parts.append(f"## Cite it\n\n```bibtex\n{bib}```")
    parts.append("## Its tables")
    own = claims[claims["paper"] == paper]
    for key, name in paper_tables(FOLDER):
        if key == paper:
            table = paper_table(paper, name, root=root)
            where = f"[Its notebook](../notebooks/{_notebook(paper, name, root)})."
            parts.append(f"### Table {name}\n\n{shown.summary(table)} {where}")
            parts.append(f"<details><summary>the table</summary>{_sheet(table)}</details>")
            parts.append(
                "<details><summary>cite this table</summary>\n\n"
                f"```bibtex\n{shown.cite(table, root)}```\n\n</details>"
            )
            asked = own[[name in tables_named(paper, source) for source in own["source"]]]
            if len(asked):
                parts.append(_folded(f"claims on it ({len(asked)})", _claims(asked)))
    parts.append("## Its claims")
    for verdict, having in own.groupby("verdict", sort=False):
        parts.append(_folded(f"{verdict} ({len(having)})", _claims(having)))
    about = facts[facts["papers"].str.lower().str.contains(paper)]
    parts.append("## Where it contradicts itself or others")
    parts.append(_folded(f"facts ({len(about)})", _facts(about)))
    printed = cells()
    names = printed.loc[printed["paper"] == paper, "network"]
    pages = dict.fromkeys(_home(name) for name in names if name in NETWORKS)
    leading = ", ".join(f"[{name}](../networks/{name}.md)" for name in pages)
    parts.append(f"## Networks that it names\n\n{leading}")
    return "\n\n".join(parts)


def _sheet(table: shown.PaperTable) -> str:
    return f'<div class="srlib-wide">{shown.show(table)._repr_html_()}</div>'.replace("\n\n", "\n")


def _notebook(paper: str, table: str, root: Path) -> str:
    """The notebook of a table: by its name, or the one that has the paper's other tables."""
    found = sorted((root / "notebooks").glob(f"*_{paper}_table*.ipynb"))
    number = {"I": "1", "II": "2"}.get(table, table.split()[0])
    own = [path for path in found if path.stem.endswith(f"_table_{number}")]
    return (own or found)[0].name


def _folded(summary: str, lines: Iterable[str]) -> str:
    inside = "\n".join(lines)
    return f"<details><summary>{escape(summary)}</summary>\n\n{inside}\n\n</details>"


def _claims(claims: pd.DataFrame) -> Iterator[str]:
    for one in claims.to_dict("records"):
        where = f"../ledger.html#{anchor(one['id'])}"
        yield f"- {one['verdict']}: {link(one['says'], where)}"


def _facts(own: pd.DataFrame) -> Iterator[str]:
    for one in own.to_dict("records"):
        yield f"- {link(one['says'], '../facts.html#' + anchor(one['fact']))}"


def _home(network: str) -> str:
    """The page on which a network stands: that of its paper's first."""
    return next(page for page in gallery.PAGES if network in gallery.variants(page))


def network_page(name: str, folder: Path, compared: set[str]) -> str:
    """A network: its source, block, counts, weights and scores; the drawing goes to ``folder``.

    Args:
        name: the key of its page (``papers.show.gallery.PAGES``).
        folder: where the page's own folder is.
        compared: methods whose pictures the viewer has.
    """
    title, citation = gallery.source(name)
    adds = gallery.PAGES[name].adds
    module = NETWORKS[name].network.__module__.rpartition(".")[2]
    architecture({f"{name}: {gallery.PAGES[name].block}": gallery.block(name)})
    plt.savefig(folder / f"{name}.svg", bbox_inches="tight")
    plt.close()
    parts = [f"# {title}\n\n{citation}\n\n**What it adds.** {adds}"]
    parts.append(f"![The block of {name}, drawn from its module]({name}.svg)")
    told = {"module": f"<code>{CODE}/{module}.py</code>"}
    told["names"] = ", ".join(f"<code>{one}</code>" for one in gallery.variants(name))
    parts.append(listed(told))
    counts, *scores = gallery.tables(name)
    parts.append(counts)
    weights = {
        key: one for key, one in official().items() if one["network"] in gallery.variants(name)
    }
    if weights:
        lines = [
            f"- `{key}`: {one['about']}; "
            + ", ".join(f"[×{scale}]({file['url']})" for scale, file in one["files"].items())
            + f"; licence: {one['licence']}"
            for key, one in weights.items()
        ]
        parts.append("## The authors' weights\n\n" + "\n".join(lines))
    if scores:
        parts.append("\n\n".join(["## Scores", *scores]))
    seen = [key for key in weights if key in compared]
    if seen:
        parts.append(
            "## Pictures\n\n"
            + "\n".join(
                f"- {link(f'{key} beside bicubic and HR', f'../look.html#right={key}')}"
                for key in seen
            )
        )
    return "\n\n".join(parts)


def network_pages(folder: Path, compared: set[str]) -> dict[str, str]:
    """Every network's page, and their index."""
    out = {
        f"networks/{name}": network_page(name, folder / "networks", compared)
        for name in gallery.PAGES
    }
    names = "\n".join(gallery.PAGES)
    lines = "\n".join(
        f"- [{gallery.source(name)[0]}]({name}.md): {page.adds}"
        for name, page in gallery.PAGES.items()
    )
    out["networks/index"] = (
        "# Networks\n\nEach is one file, exact to its authors' outputs where their code is public, "
        "and drawn here from the module itself. In the order in which they build on each other:"
        f"\n\n{lines}\n\n"
        f"```{{toctree}}\n:hidden:\n\n{names}\n```"
    )
    return out


def paper_pages(claims: pd.DataFrame, facts: pd.DataFrame, root: Path = ROOT) -> dict[str, str]:
    """Every paper's page, and their index."""
    keys = list_papers()
    out = {f"papers/{key}": paper_page(key, claims, facts, root) for key in keys}
    lines = "\n".join(
        f"- [{key.upper()}]({key}.md): {load_paper(key).paper['title']}" for key in keys
    )
    names = "\n".join(keys)
    out["papers/index"] = f"# Papers\n\n{lines}\n\n```{{toctree}}\n:hidden:\n\n{names}\n```"
    return out
