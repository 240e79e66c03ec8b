"""An installed copy works in any folder: the library whole, and one line where it needs more."""

import email
import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import venv
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from packaging.requirements import Requirement
from PIL import Image

import srlib
from srlib.data.imresize import imresize
from srlib.paths import ROOT

HELD_OUT = ROOT / "data/heldout"
USE = (ROOT / "README.md").read_text(encoding="utf-8").split("## Use")[1].split("**Engines.**")[0]
PYTHON, COMMANDS = re.findall(r"```(?:python)?\n(.*?)```", USE, re.DOTALL)
LINES = [re.sub(r"\s+#.*", "", line) for line in COMMANDS.splitlines()]


class Environment(NamedTuple):
    """Where pip put the wheel: the folder of its programs, and that of its packages."""

    programs: Path
    packages: Path


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """The wheel in an environment that pip put nothing else into.

    What it requires is found in the environment of this test, behind it. Another srlib is not: of a
    folder that a .pth file names, Python reads no .pth files, and an editable copy is one.
    """
    pytest.importorskip("pip", reason="pip is not here; an environment of uv has none")
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    venv.create(folder / "empty")
    paths = sysconfig.get_paths("venv", {"base": str(folder / "empty")})
    found = Environment(Path(paths["scripts"]), Path(paths["purelib"]))
    pip = [sys.executable, "-m", "pip", "--python", str(found.programs / "python"), "install"]
    done = subprocess.run([*pip, "--no-deps", "--no-index", str(wheel)], capture_output=True)
    assert done.returncode == 0, done.stderr
    (found.packages / "required.pth").write_text(sysconfig.get_paths()["purelib"])
    return found


def run(installed: Environment, cwd: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """A program of the environment, or its Python with arguments, in a folder."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    environment |= {"OMP_NUM_THREADS": "1", "XDG_CACHE_HOME": str(cwd / "cache")}
    program, *arguments = ["python", *command] if command[0].startswith("-") else command
    return subprocess.run(
        [str(installed.programs / program), *arguments],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
    )


def test_the_wheel_is_the_library_and_the_papers(installed: Environment) -> None:
    packages = {path.name for path in installed.packages.iterdir() if path.is_dir()}
    assert {name for name in packages if not name.endswith(".dist-info")} == {"srlib", "papers"}


def test_its_metadata_asks_for_the_librarys_packages_alone(installed: Environment) -> None:
    (metadata,) = installed.packages.glob("srlib-*.dist-info/METADATA")
    said = email.message_from_string(metadata.read_text())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = [Requirement(text) for text in said.get_all("Requires-Dist", [])]
    base = {r.name for r in asked if r.marker is None}
    assert base == {Requirement(text).name for text in project["dependencies"]}
    assert set(said.get_all("Provides-Extra", [])) == set(project["optional-dependencies"])
    assert said["Version"] == srlib.__version__


def test_every_data_file_is_in_the_wheel(installed: Environment) -> None:
    tracked = subprocess.run(
        ["git", "ls-files", "srlib", "papers"], cwd=ROOT, capture_output=True, text=True
    )
    if tracked.returncode:
        pytest.skip("not a git checkout")
    missing = [name for name in tracked.stdout.split() if not (installed.packages / name).exists()]
    assert missing == []


def test_a_picture_is_enlarged_by_weights_of_the_wheel(
    installed: Environment, tmp_path: Path
) -> None:
    Image.fromarray(np.full((20, 30, 3), 99, np.uint8)).save(tmp_path / "in.png")
    done = run(
        installed, tmp_path, *["-m", "srlib.cli", "upscale", "in.png", "out.png"], "--network=aidn"
    )
    assert done.returncode == 0, done.stderr
    assert str(installed.packages) in done.stderr and "not verified" not in done.stderr
    assert Image.open(tmp_path / "out.png").size == (120, 80)


def test_ones_own_images_are_scored(installed: Environment, tmp_path: Path) -> None:
    (tmp_path / "hr").mkdir()
    with Image.open(HELD_OUT / "chelsea.png") as image:
        image.crop((0, 0, 96, 96)).save(tmp_path / "hr/a.png")
    arguments = ["-m", "srlib.cli", "evaluate", "--hr", "hr", "--network", "aidn"]
    done = run(installed, tmp_path, *arguments)
    assert done.returncode == 0 and "hr: " in done.stdout, done.stderr


CODE = """
import numpy, srlib
import srlib.evaluation.complexity, srlib.data.imresize, srlib.weights.official
srlib.complexity(srlib.create_network("aidn", 4))
srlib.load_pretrained("aidn")
srlib.imresize(numpy.zeros((8, 8, 3), "uint8"), 1 / 4)
"""


def test_the_library_imports_and_runs(installed: Environment, tmp_path: Path) -> None:
    done = run(installed, tmp_path, "-c", CODE)
    assert done.returncode == 0, done.stderr


def test_the_library_is_a_program(installed: Environment, tmp_path: Path) -> None:
    done = run(installed, tmp_path, "-m", "srlib", "complexity", "aidn", "--scale", "4")
    assert done.returncode == 0 and "339,498" in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize("command", [["report"], ["export"], ["render"]])
def test_what_needs_the_repository_says_so_in_one_line(
    installed: Environment, tmp_path: Path, command: list[str]
) -> None:
    done = run(installed, tmp_path, "-m", "papers.cli", *command)
    assert done.returncode == 2
    assert done.stderr.startswith("papers: error: this is an installed copy")
    assert len(done.stderr.splitlines()) == 1


def test_nothing_grows_where_one_stands(installed: Environment, tmp_path: Path) -> None:
    done = run(installed, tmp_path, "-m", "srlib.cli", "fetch", "embedded-heldout")
    assert not (tmp_path / "datasets").exists(), done.stdout


# --- what the README shows under "Use" ---------------------------------------------------------


@pytest.fixture
def on_disk(monkeypatch: pytest.MonkeyPatch, mirror: Path, reference: Path) -> None:
    """Sets and the authors' weights are found on this machine, as though they had been fetched."""
    monkeypatch.setenv("SRLIB_MIRROR", str(mirror))
    monkeypatch.setenv("SRLIB_WEIGHTS", str(reference / "weights"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, mirror: Path, reference: Path) -> Path:
    """A folder elsewhere with every file that the README's lines name, but for the film."""
    folder = tmp_path_factory.mktemp("elsewhere")
    with Image.open(HELD_OUT / "chelsea.png") as image:
        crop = image.convert("RGB").crop((100, 60, 148, 108))
    crop.save(folder / "IN.jpg")
    for name in ("FOLDER", "SR_FOLDER"):
        (folder / name).mkdir()
    crop.save(folder / "FOLDER/a.png")
    for path in (mirror / "Set5/HR").iterdir():
        with Image.open(path) as image:
            lr = imresize(np.asarray(image.convert("RGB")), 1 / 4)
        Image.fromarray(imresize(lr, 4)).save(folder / "SR_FOLDER" / f"{path.stem}.png")
    shutil.copy(reference / "weights/ARFDN_x4.safetensors", folder / "FILE.safetensors")
    return folder


def film(path: Path) -> None:
    """Two grey frames."""
    av = pytest.importorskip("av", reason='pip install "srlib[film]"')
    with av.open(path, "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 48, 48, "yuv420p"
        for grey in (50, 200):
            frame = av.VideoFrame.from_ndarray(np.full((48, 48, 3), grey, np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


@pytest.mark.usefixtures("on_disk")
@pytest.mark.parametrize("line", LINES)
def test_a_line_of_the_readme_runs_elsewhere(
    installed: Environment, folder: Path, line: str
) -> None:
    if "--ray" in line:
        pytest.skip("there is no bucket and no cluster here")
    if "--all" in line:
        pytest.skip("all networks on two sets take minutes; test_official_scores.py scores a few")
    if "export-onnx" in line:
        pytest.importorskip("onnx", reason='pip install "srlib[onnx]"')
    if "IN.mp4" in line:
        film(folder / "IN.mp4")
    done = run(installed, folder, *shlex.split(line.replace("FILE.pth", "FILE.safetensors")))
    if line.startswith("srlib run "):  # the records of the runs are in the repository alone
        assert done.returncode == 2 and "this is an installed copy" in done.stderr
        assert len(done.stderr.splitlines()) == 1
    else:
        assert done.returncode == 0, done.stderr


@pytest.mark.usefixtures("on_disk")
def test_the_readmes_python_runs_elsewhere(installed: Environment, folder: Path) -> None:
    code = f"import numpy; image = numpy.zeros((64, 64, 3), 'uint8')\n{PYTHON}"
    done = run(installed, folder, "-c", code)
    assert done.returncode == 0, done.stderr
