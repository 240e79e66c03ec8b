"""Memory: what a pass needs is foretold, and what does not fit is enlarged in tiles."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

from srlib.cli import main
from srlib.enlarge import upscale_frames
from srlib.evaluation import memory
from srlib.evaluation.memory import counted_bytes, fitting_tile, free_bytes, needed_bytes
from srlib.networks import create_network, list_networks
from srlib.weights.files import save_tensors

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="measured through /proc")


class Nearest(nn.Module):
    """Repeat every pixel; raise an error for more than ``most`` pixels a side."""

    scale, min_size = 2, 1

    def __init__(self, most: int = 10**9, error: BaseException | None = None) -> None:
        super().__init__()
        self.most, self.error = most, error

    def forward(self, x: Tensor) -> Tensor:
        if self.error is not None and x.device.type != "meta" and max(x.shape) > self.most:
            raise self.error
        return F.interpolate(x, scale_factor=2, mode="nearest")


class Peak(nn.Module):
    """Holds its input, twice it, and then twice that again, at once."""

    scale, min_size = 1, 1

    def forward(self, x: Tensor) -> Tensor:
        twice = torch.cat([x, x])
        return torch.cat([twice, twice])[:1]


def frame(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)


# --- the need ---------------------------------------------------------------------------------


def test_tensors_that_live_at_once_are_counted() -> None:
    # The input was made before the count; its two and its four copies live together.
    assert counted_bytes(Peak(), 50, 60) == (2 + 4) * 4 * 3 * 50 * 60


def test_counting_changes_nothing() -> None:
    network = create_network("fsrcnn", 4)
    before = [p.clone() for p in network.parameters()]
    counted_bytes(network, 500, 500)
    assert all(torch.equal(a, b) for a, b in zip(before, network.parameters(), strict=True))


@pytest.mark.parametrize(
    "name", [n for n in list_networks() if n in ("aidn", "rfdn", "san", "idn-y")]
)
def test_more_pixels_need_more(name: str) -> None:
    with torch.device("meta"):
        network = create_network(name, 4)
    small, large = counted_bytes(network, 64, 64), counted_bytes(network, 128, 128)
    assert large >= 3.9 * small > 0


def test_a_tile_needs_less_than_the_whole() -> None:
    with torch.device("meta"):
        network = create_network("aidn", 4)
    assert counted_bytes(network, 1000, 1000, 128) < counted_bytes(network, 1000, 1000) / 3


def test_a_network_that_asks_for_values_counts_nothing() -> None:
    class Asks(Nearest):
        def forward(self, x: Tensor) -> Tensor:
            return x if float(x.mean()) > 0 else super().forward(x)

    assert counted_bytes(Asks(), 8, 8) == 0


MEASURE = """
import ctypes, json, sys
from pathlib import Path
import torch
from srlib.evaluation.inference import forward
from srlib.networks import create_network

def status(key):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith(key))

torch.set_num_threads(1)
found = {}
for name in sys.argv[1:]:
    network = create_network(name, 4).eval()
    forward(network, torch.zeros(1, 3, 32, 32))
    ctypes.CDLL(None).malloc_trim(0)
    before = status("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
    forward(network, torch.rand(1, 3, 128, 128))
    found[name] = status("VmHWM") - before
print(json.dumps(found))
"""


@LINUX
def test_the_need_is_that_of_a_process() -> None:
    names = ["fsrcnn", "ecbsr-m16c64", "aidn", "imdn"]
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, *names], capture_output=True, text=True, check=True
    )
    for name, measured in json.loads(done.stdout).items():
        network = create_network(name, 4)
        assert counted_bytes(network, 128, 128) / 2 < measured, name
        assert measured < needed_bytes(network, 128, 128), name


# --- what is free -----------------------------------------------------------------------------


def test_some_memory_is_free() -> None:
    assert free_bytes() > 0


@pytest.mark.parametrize(
    ("line", "folder", "names"),
    [
        ("0::/a/b", "a", ("memory.max", "memory.current", "inactive_file")),
        (
            "4:memory:/a/b",
            "memory/a",
            ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
        ),
    ],
    ids=["version 2", "version 1"],
)
def test_a_containers_limit_counts(tmp_path: Path, line: str, folder: str, names) -> None:
    group = tmp_path / folder
    (group / "b").mkdir(parents=True)
    for name, value in zip(names, (1000, 700), strict=False):
        (group / name).write_text(f"{value}\n")
        (group / "b" / name).write_text("max\n")
    (group / "memory.stat").write_text(f"anon 5\n{names[2]} 50\n")
    (tmp_path / "own").write_text(f"9:pids:/\n{line}\n")
    assert memory._left_by_cgroups(tmp_path, tmp_path / "own") == [350]


# --- tiles ------------------------------------------------------------------------------------


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch):
    """Sets what is free."""

    def set_to(count: float) -> None:
        monkeypatch.setattr(memory, "free_bytes", lambda device="cpu": int(count))

    return set_to


def test_what_fits_is_enlarged_whole(free) -> None:
    free(1e12)
    assert fitting_tile(create_network("fsrcnn", 2), 100, 100) == 0


def test_the_largest_tile_that_fits_is_taken(free) -> None:
    network = create_network("fsrcnn", 2)
    free(needed_bytes(network, 600, 400, 192))
    assert fitting_tile(network, 600, 400) == 192


def test_where_nothing_fits_an_error_says_how_much_is_missing(free) -> None:
    free(1e6)
    with pytest.raises(ValueError, match=r"400x600 pixels need about 0\.2 GB even in small tiles"):
        fitting_tile(create_network("fsrcnn", 2), 600, 400)


def test_tiles_are_said(free) -> None:
    image, network, said = frame(60, 90), Nearest(), list[str]()
    free(needed_bytes(network, 60, 90, 48))
    memory_of_whole = needed_bytes(network, 60, 90)
    (found,) = upscale_frames([image], network, say=said.append)
    np.testing.assert_array_equal(found, image.repeat(2, 0).repeat(2, 1))
    assert bool(said) == (memory_of_whole > needed_bytes(network, 60, 90, 48))


def test_a_tile_that_was_asked_for_and_cannot_fit_is_an_error_before_the_work(free) -> None:
    free(1e6)
    with pytest.raises(ValueError, match=r"--tile 0: 400x600 pixels need .* take --tile auto"):
        upscale_frames([frame(600, 400)], create_network("fsrcnn", 2), 0)


WORDS = [
    MemoryError("Unable to allocate 9 GiB"),
    RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
    RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 9 bytes"),
    RuntimeError("std::bad_alloc"),
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 9 GiB"),
]


@pytest.mark.parametrize("error", WORDS, ids=str)
def test_out_of_memory_all_the_same_takes_smaller_tiles(error: BaseException) -> None:
    image, said = frame(300, 200), list[str]()
    (found,) = upscale_frames([image], Nearest(170, error), say=said.append)
    np.testing.assert_array_equal(found, image.repeat(2, 0).repeat(2, 1))
    assert [line.split(" pixels")[0].split()[-1] for line in said] == ["256", "192", "128", "96"]


def test_out_of_memory_in_the_smallest_tile_is_one_line() -> None:
    with pytest.raises(ValueError, match="--tile auto: the memory is not enough .* a part of"):
        upscale_frames([frame(50, 50)], Nearest(5, MemoryError()), say=str)


def test_another_error_is_no_matter_of_memory() -> None:
    with pytest.raises(RuntimeError, match="sizes of tensors"):
        upscale_frames([frame(50, 50)], Nearest(5, RuntimeError("sizes of tensors must match")))


@pytest.mark.parametrize("text", ["-1", "1.5", "all"])
def test_a_tile_that_is_none_is_named(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["upscale", "a.png", "b.png", f"--tile={text}"])
    assert f"{text}: expected auto, or a number of pixels from 0" in capsys.readouterr().err


LIMITED = """
import resource, sys
import psutil
import torch
import srlib.enlarge, srlib.pictures, srlib.weights.pretrained  # that the command uses
from srlib.cli import main

torch.set_num_threads(1)
most = psutil.Process().memory_info().vms + int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_AS, (most, most))
sys.exit(main(sys.argv[2:]))
"""


@LINUX
def test_a_picture_too_large_for_the_memory_is_enlarged_in_tiles(tmp_path: Path) -> None:
    network = create_network("fsrcnn", 2)
    header = {"network": "fsrcnn", "scale": 2, "settings": {}}
    save_tensors(network.state_dict(), tmp_path / "w.safetensors", header)
    image = frame(300, 350)
    Image.fromarray(image).save(tmp_path / "in.png")
    allowed = needed_bytes(network, 300, 350) - 10**7
    arguments = ["upscale", "in.png", "out.png", "--scale", "2", "--weights", "w.safetensors"]
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(allowed), *arguments, "--device", "cpu"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "enlarged in tiles of" in done.stderr
    (whole,) = upscale_frames([image], network.eval())
    found = np.asarray(Image.open(tmp_path / "out.png")).astype(int)
    assert np.abs(found - whole).max() <= 1  # it sees less far than the tiles overlap
