"""Where things lie: the repository's root, and the layout of ``results/``, known here alone.

results/CAMPAIGN/METHOD-xSCALE/         what was measured of a method that needs no training
results/CAMPAIGN/METHOD-xSCALE/seedN/   the same, with weights and curves, of a training run
results/CAMPAIGN/METHOD-xSCALE/pictures/SET_STEM.png   kept reconstructions
results/runs/CAMPAIGN/STAGE-METHOD-xSCALE[-sN].json    the record of each run
results/counts.csv                      what every network costs, at the sizes that the papers use
results/ledger.csv                      every claim of the papers with its verdict
results/tables, results/figures         the papers' tables and figures as files
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
RECORD = re.compile(r"(?P<stage>[a-z]+)-(?P<method>.+)-x(?P<scale>\d+)(?:-s(?P<seed>\d+))?")


class Result(NamedTuple):
    """One entry of ``results/``.

    Attributes:
        campaign: its name.
        method: a network, or what needs no training, such as "bicubic".
        scale: the magnification.
        seed: of a training run; None where nothing was trained.
    """

    campaign: str
    method: str
    scale: int
    seed: int | None = None

    @property
    def label(self) -> str:
        """METHOD-xSCALE, the name of the folder."""
        return f"{self.method}-x{self.scale}"

    def folder(self, root: Path = ROOT) -> Path:
        """Where its files lie."""
        folder = results(root) / self.campaign / self.label
        return folder if self.seed is None else folder / f"seed{self.seed}"

    def record(self, stage: str, root: Path = ROOT) -> Path:
        """The record of the run of a stage that made it."""
        seed = "" if self.seed is None else f"-s{self.seed}"
        return results(root) / "runs" / self.campaign / f"{stage}-{self.label}{seed}.json"

    def picture(self, dataset: str, stem: str, root: Path = ROOT) -> Path:
        """A kept reconstruction; those of a training run lie beside its seeds."""
        folder = self._replace(seed=None).folder(root)
        return folder / "pictures" / f"{dataset}_{stem}.png"


def place_of(path: Path) -> tuple[Result, Path] | None:
    """Which result a weights file is, and below which root, by its place; None elsewhere."""
    parts = path.parts
    if len(parts) < 6 or parts[-5] != "results" or not parts[-2].startswith("seed"):
        return None
    method, _, scale = parts[-3].rpartition("-x")
    seed = parts[-2].removeprefix("seed")
    if not (method and scale.isdigit() and seed.isdigit()):
        return None
    return Result(parts[-4], method, int(scale), int(seed)), path.parents[4]


def recorded(path: Path) -> tuple[str, Result] | None:
    """The stage and the result that a record is of, by its place; None of another record."""
    found = RECORD.fullmatch(path.stem)
    if found is None:
        return None
    seed = None if found["seed"] is None else int(found["seed"])
    return found["stage"], Result(path.parent.name, found["method"], int(found["scale"]), seed)


def results(root: Path = ROOT) -> Path:
    """The folder of everything that was measured."""
    return root / "results"


def counts(root: Path = ROOT) -> Path:
    """The file of what every network costs."""
    return results(root) / "counts.csv"


def ledger(root: Path = ROOT) -> Path:
    """The file of every claim with its verdict."""
    return results(root) / "ledger.csv"


def tables(root: Path = ROOT) -> Path:
    """The folder of the papers' tables as files."""
    return results(root) / "tables"


def figures(root: Path = ROOT) -> Path:
    """The folder of the papers' figures as files."""
    return results(root) / "figures"


def find(
    name: str, campaign: str = "*", method: str = "*", root: Path = ROOT
) -> Iterator[tuple[Result, Path]]:
    """Every file of one name below the results, such as "metrics.json", with what it is of."""
    folder, label = results(root), f"{campaign}/{method}-x*"
    for path in sorted([*folder.glob(f"{label}/{name}"), *folder.glob(f"{label}/seed*/{name}")]):
        found, own, *below = path.relative_to(folder).parts[:-1]
        method_found, scale = own.rsplit("-x", 1)
        seed = int(below[0].removeprefix("seed")) if below else None
        yield Result(found, method_found, int(scale), seed), path
