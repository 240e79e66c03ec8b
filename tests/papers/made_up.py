"""A result made up by a test: the scores and the record that srlib evaluate leaves."""

import json
from pathlib import Path

from srlib.paths import Result


def write(
    root: Path, result: Result, run: str, sets: dict[str, dict[str, float]], **provenance: object
) -> None:
    """Scores, set -> means, and below ``results/runs/`` which run made them from what."""
    folder = result.folder(root)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "metrics.json").write_text(json.dumps({"sets": sets}))
    record = result.record("reference" if result.seed is None else "evaluate", root)
    record.parent.mkdir(parents=True, exist_ok=True)
    record.write_text(json.dumps({"run": run, "provenance": provenance}))
