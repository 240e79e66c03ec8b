"""Records of runs: what counts as a change, and what leaves a record as it is."""

import json
import subprocess
from pathlib import Path

import pytest

from srlib.provenance import ALLOW_DIRTY, RunRecord, git_state


def git(*arguments: str) -> None:
    own = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *own, *arguments], check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clean checkout with code, parameters, a result and a notebook."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(ALLOW_DIRTY, raising=False)
    for name in (
        "srlib/a.py",
        "params.yaml",
        "campaigns/x/params.yaml",
        "results/a.csv",
        "dvc.lock",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("1\n")
    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "first")
    return tmp_path


@pytest.mark.parametrize(
    ("name", "dirty"),
    [
        ("srlib/a.py", True),
        ("srlib/new.py", True),
        ("params.yaml", True),
        ("campaigns/x/params.yaml", True),
        ("results/a.csv", False),
        ("results/new.csv", False),
        ("dvc.lock", False),
        ("README.md", False),
    ],
)
def test_only_what_decides_a_result_makes_a_tree_dirty(
    repository: Path, name: str, dirty: bool
) -> None:
    (repository / name).write_text("2\n")
    assert git_state()["dirty"] is dirty


def test_a_run_from_a_changed_tree_is_refused_with_the_file(repository: Path) -> None:
    (repository / "srlib/a.py").write_text("2\n")
    with pytest.raises(ValueError, match=r"srlib/a\.py differs from the commit"):
        RunRecord()


def test_a_trial_from_a_changed_tree_says_that_it_is_one(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (repository / "srlib/a.py").write_text("2\n")
    monkeypatch.setenv(ALLOW_DIRTY, "1")
    RunRecord().write(Path("record.json"), run="a")
    assert json.loads(Path("record.json").read_text())["dirty"] is True


def test_an_equal_result_leaves_the_record_as_it_is(repository: Path) -> None:
    RunRecord().write(Path("record.json"), {"seconds": 1.0}, run="a", steps=[1])
    before = Path("record.json").read_bytes()
    RunRecord().write(Path("record.json"), {"seconds": 2.0}, run="a", steps=[1])
    assert Path("record.json").read_bytes() == before


def test_another_result_replaces_the_record(repository: Path) -> None:
    RunRecord().write(Path("record.json"), run="a")
    RunRecord().write(Path("record.json"), run="b")
    assert json.loads(Path("record.json").read_text())["run"] == "b"


def test_a_clean_run_replaces_the_record_of_a_trial(repository: Path) -> None:
    Path("record.json").write_text(json.dumps({"run": "a", "dirty": True}))
    RunRecord().write(Path("record.json"), run="a")
    assert json.loads(Path("record.json").read_text())["dirty"] is False


def test_outside_git_nothing_is_said_of_a_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert git_state() == {"commit": None, "dirty": None, "changed": []}
