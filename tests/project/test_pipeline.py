"""The pipeline: up to date in git, and no wider than it must be."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from srlib.paths import ROOT

DVC = Path(sys.executable).with_name("dvc")


def dvc(*arguments: str, cwd: Path = ROOT) -> str:
    """Run DVC with this environment's srlib first on the path; return what it printed."""
    path = os.pathsep.join([str(DVC.parent), os.environ["PATH"]])
    environment = os.environ | {"PATH": path, "DVC_NO_ANALYTICS": "1"}
    done = subprocess.run(
        [str(DVC), *arguments], cwd=cwd, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module", autouse=True)
def fetched() -> None:
    """A fresh clone has no packed images yet: the pipeline makes them, and nothing else."""
    if not (ROOT / "dvc.lock").exists():
        pytest.skip("the quick run has not been made")
    dvc("repro", "--quiet", "download", "prepare")


def test_every_tracked_result_is_up_to_date() -> None:
    assert json.loads(dvc("status", "--json", "dvc.yaml", "data.dvc")) == {}


def test_a_repro_would_do_nothing() -> None:
    # Dry, so that a stale result fails here at once and is not trained anew.
    assert "Data and pipelines are up to date." in dvc("repro", "--dry")


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The working tree without its environment and caches, to change parameters in."""
    folder = tmp_path_factory.mktemp("copy") / "repository"
    # Of hidden folders DVC's alone; other tests may write caches into the rest at this moment.
    skip = shutil.ignore_patterns(".[!d]*", "__pycache__", "tmp", "benchmarks")
    shutil.copytree(ROOT, folder, ignore=skip, symlinks=True)
    subprocess.run([str(DVC), "config", "core.no_scm", "true"], cwd=folder, check=True)
    return folder


def changed_by(copy: Path, *keys: str, value: object) -> set[str]:
    """The training stages that one changed parameter makes DVC run again."""
    params = copy / "params.yaml"
    before = params.read_text()
    content = yaml.safe_load(before)
    place = content
    for key in keys[:-1]:
        place = place[key]
    assert place[keys[-1]] != value
    place[keys[-1]] = value
    params.write_text(yaml.safe_dump(content))
    try:
        status = json.loads(dvc("status", "--json", "dvc.yaml", cwd=copy))
    finally:
        params.write_text(before)
    return {stage for stage in status if stage.startswith("train@")}


def test_a_changed_block_retrains_that_block_alone(copy: Path) -> None:
    stages = changed_by(copy, "networks", "aidn-base", "channels", value=48)
    assert stages == {"train@aidn-base-4-0", "train@aidn-base-4-1"}


def test_a_changed_recipe_retrains_every_block(copy: Path) -> None:
    assert len(changed_by(copy, "train", "batch", value=16)) == 8


def test_where_pictures_are_kept_retrains_nothing(copy: Path) -> None:
    assert changed_by(copy, "pictures", "images", value=[]) == set()
