"""What `make repro` says at its end: which files equal those of the last commit."""

import json
import subprocess
from pathlib import Path

import pytest

from papers.results import ProvenanceError, reproduced


def git(folder: Path, *arguments: str) -> None:
    own = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", str(folder), *own, *arguments], check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A checkout with two weights files, two scores and a notebook."""
    for seed in (0, 1):
        folder = tmp_path / f"results/quick/net-x4/seed{seed}"
        folder.mkdir(parents=True)
        (folder / "weights.safetensors").write_text("w")
        (folder / "metrics.json").write_text("{}")
    record = tmp_path / "results/runs/quick/train-net-x4-s0.json"
    record.parent.mkdir(parents=True)
    record.write_text(json.dumps({"run": "0123456789", "seconds": 1.0}))
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks/a.ipynb").write_text("{}")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "first")
    return tmp_path


def test_equal_files_are_counted(repository: Path) -> None:
    expected = "reproduced: 2 weights, 2 scores, 1 notebooks equal to the published ones"
    assert reproduced(repository) == expected


def test_a_file_that_differs_is_named(repository: Path) -> None:
    (repository / "results/quick/net-x4/seed1/weights.safetensors").write_text("other")
    (repository / "README.md").write_text("not a result")
    assert reproduced(repository) == (
        "reproduced: 1 weights, 2 scores, 1 notebooks equal to the published ones; different: "
        "results/quick/net-x4/seed1/weights.safetensors"
    )


@pytest.mark.parametrize(("changed", "named"), [({"seconds": 2.0}, False), ({"run": "9"}, True)])
def test_a_record_differs_where_its_run_does(repository: Path, changed, named: bool) -> None:
    name = "results/runs/quick/train-net-x4-s0.json"
    record = json.loads((repository / name).read_text())
    (repository / name).write_text(json.dumps(record | changed))
    assert (name in reproduced(repository)) == named


def test_outside_git_there_is_nothing_to_compare_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(ProvenanceError, match="no git checkout"):
        reproduced(tmp_path)
