"""An installed copy works in any folder: the library whole, and one line where it needs more."""

import email
import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import numpy as np
import pytest
from packaging.requirements import Requirement
from PIL import Image

import srlib
from srlib.paths import ROOT

HELD_OUT = ROOT / "data/heldout"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, unpacked: first on the path of the commands below, the repository not on it."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(folder / "site")
    return folder / "site"


def run(installed: Path, cwd: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(installed), "OMP_NUM_THREADS": "1"}
    environment |= {"XDG_CACHE_HOME": str(cwd / "cache")}
    return subprocess.run(
        [sys.executable, *arguments], cwd=cwd, env=environment, capture_output=True, text=True
    )


def test_the_wheel_is_the_library_and_the_papers(installed: Path) -> None:
    packages = {path.name for path in installed.iterdir() if not path.name.endswith(".dist-info")}
    assert packages == {"srlib", "papers"}


def test_its_metadata_asks_for_the_librarys_packages_alone(installed: Path) -> None:
    (metadata,) = installed.glob("srlib-*.dist-info/METADATA")
    said = email.message_from_string(metadata.read_text())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = [Requirement(text) for text in said.get_all("Requires-Dist", [])]
    base = {r.name for r in asked if r.marker is None}
    assert base == {Requirement(text).name for text in project["dependencies"]}
    assert set(said.get_all("Provides-Extra", [])) == set(project["optional-dependencies"])
    assert said["Version"] == srlib.__version__


def test_every_data_file_is_in_the_wheel(installed: Path) -> None:
    tracked = subprocess.run(
        ["git", "ls-files", "srlib", "papers"], cwd=ROOT, capture_output=True, text=True
    )
    if tracked.returncode:
        pytest.skip("not a git checkout")
    missing = [name for name in tracked.stdout.split() if not (installed / name).exists()]
    assert missing == []


def test_a_picture_is_enlarged_by_weights_of_the_wheel(installed: Path, tmp_path: Path) -> None:
    Image.fromarray(np.full((20, 30, 3), 99, np.uint8)).save(tmp_path / "in.png")
    done = run(
        installed, tmp_path, *["-m", "srlib.cli", "upscale", "in.png", "out.png"], "--network=aidn"
    )
    assert done.returncode == 0, done.stderr
    assert str(installed) in done.stderr and "not verified" not in done.stderr
    assert Image.open(tmp_path / "out.png").size == (120, 80)


def test_ones_own_images_are_scored(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "hr").mkdir()
    with Image.open(HELD_OUT / "chelsea.png") as image:
        image.crop((0, 0, 96, 96)).save(tmp_path / "hr/a.png")
    arguments = ["-m", "srlib.cli", "evaluate", "--hr", "hr", "--network", "aidn"]
    done = run(installed, tmp_path, *arguments)
    assert done.returncode == 0 and "hr: " in done.stdout, done.stderr


@pytest.mark.parametrize(
    "code",
    [
        "import srlib; print(srlib.complexity(srlib.create_network('aidn', 4)).params)",
        "import srlib; srlib.load_pretrained('aidn')",
        "import numpy, srlib; srlib.imresize(numpy.zeros((8, 8, 3), 'uint8'), 1 / 4)",
        "import srlib.evaluation.complexity, srlib.data.imresize, srlib.weights.official",
    ],
    ids=["complexity", "pretrained", "imresize", "modules"],
)
def test_the_library_imports_and_runs(installed: Path, tmp_path: Path, code: str) -> None:
    done = run(installed, tmp_path, "-c", code)
    assert done.returncode == 0, done.stderr


def test_the_library_is_a_program(installed: Path, tmp_path: Path) -> None:
    done = run(installed, tmp_path, "-m", "srlib", "complexity", "aidn", "--scale", "4")
    assert done.returncode == 0 and "339,498" in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize("command", [["report"], ["export"], ["render"]])
def test_what_needs_the_repository_says_so_in_one_line(
    installed: Path, tmp_path: Path, command: list[str]
) -> None:
    done = run(installed, tmp_path, "-m", "papers.cli", *command)
    assert done.returncode == 2
    assert done.stderr.startswith("papers: error: this is an installed copy")
    assert len(done.stderr.splitlines()) == 1


def test_nothing_grows_where_one_stands(installed: Path, tmp_path: Path) -> None:
    done = run(installed, tmp_path, "-m", "srlib.cli", "fetch", "embedded-heldout")
    assert not (tmp_path / "datasets").exists(), done.stdout
