"""Which run made a number: the records below ``results/runs/``, found by their id.

Every number that is shown names its run by ten hexadecimal digits. The record of that run has what
determined it, its commit, parameters, device and minutes; its results lie beside it
(``srlib.paths``).
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from srlib.paths import ROOT, Result, find, recorded, results

SEARCHED = re.compile(r"search-(?P<method>.+)-x(?P<scale>\d+)-rate(?P<rate>[\d.]+)")
SHORT = 4  # digits of an id that are enough to ask for it, if no other begins alike


class ProvenanceError(ValueError):
    """A result that does not say which run made it."""


class Scored(NamedTuple):
    """Scores of one method, and what determined them.

    Attributes:
        result: which method, scale and seed.
        sets: set -> "images" (their number), "psnr_y" (dB) and "ssim_y", means over them.
        run: the id of the run that scored it.
        provenance: data, weights, protocol and versions; "training", the header of its weights.
    """

    result: Result
    sets: dict[str, dict[str, float]]
    run: str
    provenance: dict[str, Any]


class Run(NamedTuple):
    """One recorded run.

    Attributes:
        id: ten hexadecimal digits.
        stage: what was run: "train", "evaluate", "reference", "search" or "grid".
        result: what it made; None of a search, which keeps no weights, and of a grid, which is of
            many networks.
        path: the record, below the repository's root.
        record: what the record holds.
    """

    id: str
    stage: str
    result: Result | None
    path: Path
    record: dict[str, Any]

    @property
    def title(self) -> str:
        """What was run, in words."""
        if found := _searched(self.path):
            method, scale, rate = found
            return f"Search of rates: {method} x{scale} at x{rate}, {self.path.parent.name}"
        if self.result is None:
            return f"The grid of protocols, {self.path.parent.name}"
        verb = "Training" if self.stage == "train" else "Scores"
        seed = "" if self.result.seed is None else f", seed {self.result.seed}"
        return f"{verb} of {self.result.method} x{self.result.scale}{seed}, {self.result.campaign}"

    @property
    def command(self) -> str:
        """The line that makes it again, in a checkout of its commit."""
        params = f"--params {self.record['params']}"
        if found := _searched(self.path):
            method, scale, rate = found
            return f"srlib search {params} --network {method} --scale {scale} --rate {rate}"
        if self.result is None:
            return f"srlib grid {params} --out {self.path.with_suffix('.csv').name}"
        _, method, scale, seed = self.result
        if self.stage == "reference":
            return f"srlib evaluate {params} --reference {method} --scale {scale}"
        return f"srlib {self.stage} {params} --network {method} --scale {scale} --seed {seed}"

    def scores(self, root: Path = ROOT) -> dict[str, dict[str, float]]:
        """Set -> means; none of a training, whose scores are another run's, and of a grid."""
        if self.result is None or self.stage == "train":
            return {}
        path = self.result.folder(root) / "metrics.json"
        return json.loads(path.read_text())["sets"] if path.is_file() else {}


def runs(root: Path = ROOT) -> list[Run]:
    """Every recorded run, by the names of the records."""
    return list(_read(root))


def _read(root: Path) -> Iterator[Run]:
    for path in sorted((results(root) / "runs").glob("*/*.json")):
        record = json.loads(path.read_text())
        stage, result = recorded(path) or ("search" if _searched(path) else "grid", None)
        yield Run(record["run"], stage, result, path.relative_to(root), record)


def _searched(path: Path) -> tuple[Any, ...] | None:
    """Network, scale and rate of a search's record, by its place; None of another record."""
    found = SEARCHED.fullmatch(path.stem)
    return found and found.groups()


def scored(campaign: str = "*", method: str = "*", root: Path = ROOT) -> Iterator[Scored]:
    """Every tracked score with the record of its run.

    Raises:
        ProvenanceError: a ``metrics.json`` whose run has no record; names both.
    """
    for result, path in find("metrics.json", campaign, method, root):
        place = result.record("reference" if result.seed is None else "evaluate", root)
        record = json.loads(place.read_text()) if place.is_file() else {}
        if not record.get("run") or "provenance" not in record:
            raise ProvenanceError(
                f"{place} does not say which run made {path}; evaluate it again with srlib evaluate"
            )
        sets = json.loads(path.read_text())["sets"]
        yield Scored(result, sets, record["run"], record["provenance"])


def find_runs(start: str, root: Path = ROOT) -> list[Run]:
    """The runs of an id, or of the digits that it begins with; more than one where an id is shared.

    Bicubic gives the same run wherever it is scored on the same images by the same code.

    Raises:
        ValueError: no such run, or several ids begin so; names them. An installed copy, which has
            no records.
    """
    if not (results(root) / "runs").is_dir():
        raise ValueError(
            f"run {start}: this is an installed copy, and the records of the runs are in the "
            "repository; ask there"
        )
    found = [run for run in runs(root) if run.id.startswith(start)]
    ids = sorted({run.id for run in found})
    if len(start) < SHORT or not ids:
        raise ValueError(
            f"run {start!r}: expected the first {SHORT} digits or more of a run's id, such as "
            "stands beside every tracked number; the records are in results/runs"
        )
    if len(ids) > 1:
        raise ValueError(f"run {start}: {', '.join(ids)} begin so; give more digits")
    return found


def in_words(found: list[Run], root: Path = ROOT) -> str:
    """A run as the command ``srlib run`` prints it: the first in full, its like by their records.

    Args:
        found: from ``find_runs``.
        root: where ``results/`` is.
    """
    told = facts(found[0], root)
    told |= {f"also {number}": run.path.as_posix() for number, run in enumerate(found[1:], start=1)}
    return "\n".join(f"{name:<14}  {value}" for name, value in told.items())


def facts(run: Run, root: Path = ROOT) -> dict[str, str]:
    """What a run's record and results say of it: name -> text."""
    record = run.record
    told = {
        "run": run.id,
        "what": run.title,
        "again": f"git checkout {record['commit'][:10]} && {run.command}",
        "commit": record["commit"] + (", with changes not committed" if record["dirty"] else ""),
        "parameters": f"{record['params']} (sha256 {record['params_sha256'][:10]})",
        "device": f"{record.get('gpu') or record.get('device', 'cpu')} on {record['host']}",
        "with": f"Python {record['python']}, torch {record['torch']}",
        "started": record["started"],
        "took": f"{record['seconds'] / 60:.1f} minutes",
    }
    if run.result and run.result.seed is not None:
        told["seed"] = str(run.result.seed)
    if "steps" in record:
        told["steps"] = f"{record['steps']:,} of {record['images_seen']:,} patches in all"
    for name in ("weights_sha256", "weights", "grid_sha256", "search_sha256"):
        if record.get(name):
            told[name.replace("_", " ")] = record[name]
    provenance = record.get("provenance", {})
    for name in ("manifests", "data", "protocol"):
        if name in provenance:
            told[name] = provenance[name]
    if "training" in provenance:
        told["trained by"] = f"run {provenance['training']['run']}"
    for name, scores in run.scores(root).items():
        told[name] = (
            f"{scores['psnr_y']:.3f} dB PSNR-Y, {scores['ssim_y']:.4f} SSIM-Y, "
            f"mean of {scores['images']} images"
        )
    told["record"] = run.path.as_posix()
    return told
