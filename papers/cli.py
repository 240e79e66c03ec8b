"""The papers' commands: ``papers COMMAND --help``.

Each command imports what it needs when it runs: an installed copy may have none of the extras.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from srlib import paths
from srlib.paths import ROOT

if TYPE_CHECKING:
    import pandas as pd


def main(arguments: list[str] | None = None) -> int:
    """Run one command; an expected error is one line on stderr and exit status 2."""
    options = _parser().parse_args(arguments)
    if not (ROOT / "dvc.yaml").exists():
        print(
            "papers: error: this is an installed copy, without results to read; clone the "
            'repository and type pip install -e ".[dev]" there',
            file=sys.stderr,
        )
        return 2
    try:
        options.run(options)
    except ModuleNotFoundError as error:
        package = (error.name or "papers").partition(".")[0]
        if package in ("papers", "srlib"):
            raise
        print(
            f"papers: error: {package} is not installed, and this command needs it; in the "
            'repository type pip install -e ".[dev]"',
            file=sys.stderr,
        )
        return 2
    except (ValueError, OSError) as error:
        print(f"papers: error: {error}", file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="papers", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run, about: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=about, description=about)
        sub.set_defaults(run=run)
        return sub

    sub = command("report", _report, "The quick run's scores, beside those of the last commit.")
    sub.add_argument(
        "--update", action="store_true", help="write the tables of README and model card instead"
    )
    sub = command("render", _render, "Execute notebooks in place, in a canonical form.")
    sub.add_argument("notebooks", nargs="*", type=Path, help="all of them if none is named")
    command("trust", _trust, "Trust the notebooks that are as in git, so that viewers work.")
    command("export", _export, "Write every table and figure of the papers as files.")
    command("ledger", _ledger, "Judge every claim of the papers into results/ledger.csv.")
    sub = command("site", _site, "Build the site from what is tracked; nothing is executed.")
    sub.add_argument("out", nargs="?", type=Path, default=Path("site"), help="a folder (site)")
    command("counts", _counts, "Every printed count beside the network's own.")
    return parser


def _counts(_: argparse.Namespace) -> None:
    from papers.counts import printed_counts

    _print_audit(printed_counts())


def _ledger(_: argparse.Namespace) -> None:
    from papers import ledger

    ledger.write()


def _report(options: argparse.Namespace) -> None:
    from papers.results import committed, reproduced
    from papers.show import markdown

    if options.update:
        markdown.update(ROOT / "README.md", markdown.markdown())
        markdown.update(ROOT / markdown.CARD, markdown.model_card())
        return
    table = committed()
    print(table.to_string(index=False, float_format=lambda value: f"{value:.4f}", na_rep="-"))
    print("\nPSNR-Y in dB. Next: `make lab`, and open 00_start_here.ipynb.")
    print(reproduced())


def _site(options: argparse.Namespace) -> None:
    from papers.site.build import build

    build(options.out)
    print(f"{options.out / 'index.html'}; python -m http.server --directory {options.out}")


def _render(options: argparse.Namespace) -> None:
    from papers.show.notebooks import render_all

    render_all(options.notebooks or sorted((ROOT / "notebooks").glob("*.ipynb")))


def _trust(_: argparse.Namespace) -> None:
    from papers.show.trust import trust

    for path in trust():
        print(f"{path.relative_to(ROOT)} is not as in git, and so is not trusted; to trust it "
              f"all the same: jupyter trust {path.relative_to(ROOT)}")  # fmt: skip


def _export(_: argparse.Namespace) -> None:
    from papers.show import figures, look, paper_figures, paper_tables, why

    paper_tables.export(paths.tables())
    figures.export(paths.figures())
    why.page(paths.figures() / why.PAGE)
    look.export(paths.figures() / look.PAGE)
    for name, missing in paper_figures.export(paths.figures()).items():
        if missing:
            print(f"{name}: {missing}")


def _print_audit(audit: pd.DataFrame) -> None:
    print(f"\n{len(audit)} printed counts, {audit['agrees'].sum()} of them the networks' own.")
    for row in audit.to_dict("records"):
        print(
            f"{row['paper'].upper():6} Table {row['table']:7} {row['network']:17} x{row['scale']} "
            f"{row['quantity']:12} {row['printed']:>10} printed {row['measured']:>11.4f} measured  "
            f"{row['reason'] or 'agrees'}"
        )


if __name__ == "__main__":
    sys.exit(main())
