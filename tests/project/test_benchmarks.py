"""The benchmarks' one table: whose rows are replaced, and that what is tracked is whole."""

import re
import runpy
from pathlib import Path

import pandas as pd

from srlib.paths import ROOT

FOLDER = ROOT / "benchmarks"
TABLE = pd.read_csv(FOLDER / "results.csv", keep_default_na=False)


def test_a_benchmark_replaces_its_own_rows_alone(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.syspath_prepend(str(FOLDER))
    table = runpy.run_path(str(FOLDER / "table.py"))
    path, keep = tmp_path / "results.csv", table["keep"]
    row = table["Row"]("imdn", "64x64", "torch f32", "", "MB", 1.23456)
    keep("b", [row], 1, path)
    keep("a", [row, row._replace(subject="aidn")], 1, path)
    keep("b", [row._replace(value=2.0)], 1, path)
    kept = pd.read_csv(path, keep_default_na=False)
    assert list(kept.columns) == list(TABLE.columns)
    assert list(zip(kept["benchmark"], kept["subject"], kept["value"], strict=True)) == [
        ("a", "imdn", 1.235),
        ("a", "aidn", 1.235),
        ("b", "imdn", 2.0),
    ]
    assert kept["machine"].str.contains(r", \d+ of \d+ cores, 1 thread, torch \d").all()


def test_the_tracked_table_is_that_of_make_bench() -> None:
    (named,) = re.findall(r"for each in ([\w ]+); do", (ROOT / "Makefile").read_text())
    assert {"inference", "memory", "metrics", "precision"} <= set(TABLE["benchmark"])
    assert set(TABLE["benchmark"]) <= set(named.split())
    assert (TABLE["machine"] != "").all() and TABLE["value"].notna().all()
    place = ["benchmark", "subject", "size", "way", "against", "measure"]
    assert not TABLE.duplicated(place).any()


def test_the_figure_is_small() -> None:
    assert (FOLDER / "results.png").stat().st_size < 300_000
