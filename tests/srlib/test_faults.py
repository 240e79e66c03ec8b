"""Bits that flip and disks that are full: refused in one line, or harmless; nothing half written.

Beside them in the fault drill, counted at the end of a run: hostile archives (test_archives.py),
bad servers (test_http.py), odd pictures (test_odd_pictures.py), kills (test_kill_resume.py, and by
`make drill` test_drill.py), several at once (test_at_once.py).
"""

import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tiny_run
import torch
from PIL import Image

from srlib.cli import main
from srlib.data.download import fetch
from srlib.data.pack import pack
from srlib.data.packed import PackedImages
from srlib.data.registry import DatasetError
from srlib.evaluation.score import write_result
from srlib.files import write_csv, write_json
from srlib.networks import create_network
from srlib.provenance import file_sha256
from srlib.training.checkpoint import Cost, LogRow, State
from srlib.training.optimizers import new_optimizers
from srlib.weights.files import WeightsError, load_trained, save_tensors

SETTINGS = {"blocks": 1, "channels": 8}
Tried = Callable[[str, int], None]


def flipped(data: bytes, number: int, first: int = 0, seed: int = 0) -> Iterator[bytes]:
    """Copies of a file with one bit changed: at its start, in every place of its first bytes, and
    at random in the rest."""
    rng = np.random.default_rng(seed)
    for place in [*range(min(first, len(data))), *rng.integers(0, len(data), number)]:
        changed = bytearray(data)
        changed[place] ^= 1 << int(rng.integers(8))
        yield bytes(changed)


# --- flipped bits -----------------------------------------------------------------------------


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """Weights in the place of a run's, with the record of the run."""
    path = tmp_path / "results/quick/aidn-x4/seed0/weights.safetensors"
    header = {"network": "aidn", "scale": 4, "settings": SETTINGS}
    save_tensors(create_network("aidn", 4, **SETTINGS).state_dict(), path, header)
    record = {"weights_sha256": file_sha256(path), "run": "0123456789", "seconds": 1.5}
    write_json(tmp_path / "results/runs/quick/train-aidn-x4-s0.json", record)
    return path


def test_every_flip_in_weights_with_a_record_is_refused(weights: Path, tried: Tried) -> None:
    copies = list(flipped(weights.read_bytes(), 150, 100))
    for copy in copies:
        weights.write_bytes(copy)
        with pytest.raises(WeightsError, match="is not the file that its run wrote"):
            load_trained(weights)
    tried("flipped bits", len(copies))


def test_a_flip_in_the_record_is_refused_or_leaves_the_weights_as_they_are(
    weights: Path, tmp_path: Path, tried: Tried
) -> None:
    record = tmp_path / "results/runs/quick/train-aidn-x4-s0.json"
    copies = list(flipped(record.read_bytes(), 0, 10_000))
    for copy in copies:
        record.write_bytes(copy)
        try:
            load_trained(weights)
        except WeightsError as error:
            assert str(weights) in str(error) and "\n" not in str(error)
    tried("flipped bits", len(copies))


def test_a_record_that_is_none_is_named(weights: Path, tmp_path: Path) -> None:
    record = tmp_path / "results/runs/quick/train-aidn-x4-s0.json"
    for text in ("", "{", "null", "[1, 2]", "3", '"a"'):
        record.write_text(text)
        with pytest.raises(WeightsError, match=r"train-aidn-x4-s0\.json, the record of .* damaged"):
            load_trained(weights)


def test_a_flip_in_weights_without_a_record_is_our_error_or_other_weights(
    weights: Path, tmp_path: Path, tried: Tried
) -> None:
    loose = tmp_path / "loose.safetensors"
    copies = list(flipped(weights.read_bytes(), 60, 200))
    for copy in copies:
        loose.write_bytes(copy)
        try:
            load_trained(loose)
        except WeightsError as error:
            assert str(error).startswith(str(loose)) and "\n" not in str(error)
    tried("flipped bits", len(copies))


def state() -> State:
    torch.manual_seed(0)
    network = create_network("aidn", 4, **SETTINGS)
    optimizers = new_optimizers(network, None)
    network(torch.rand(1, 3, 16, 16)).mean().backward()
    for optimizer in optimizers.values():
        optimizer.step()
    made = State(network, None, optimizers, Cost(torch.device("cpu")), 5)
    made.log = [LogRow(5, "l1", 0.125, 1e-3)]
    return made


def test_every_flip_in_a_checkpoint_is_refused_or_harmless(tmp_path: Path, tried: Tried) -> None:
    path = tmp_path / "checkpoint.safetensors"
    state().save(path)
    whole = path.read_bytes()
    header = 8 + int.from_bytes(whole[:8], "little")
    copies = [*flipped(whole, 60, 20), *(c + whole[header:] for c in flipped(whole[:header], 120))]
    harmless, again = [], state()
    for copy in copies:
        path.write_bytes(copy)
        try:
            again.load(path)
        except WeightsError as error:
            assert str(error).startswith(str(path)) and "delete it" in str(error)
            continue
        harmless.append(copy)
        again.save(path)
        assert path.read_bytes()[header:] == whole[header:]  # all tensors; costs are the clock's
        assert (again.step, again.log) == (5, state().log)
    tried("flipped bits", len(copies))
    assert len(harmless) < 20  # in the seal's own name, or in the space around the header


def test_every_flip_in_a_packed_image_is_refused(
    store: PackedImages, tmp_path: Path, tried: Tried
) -> None:
    folder = Path(shutil.copytree(store.folder, tmp_path / "copy"))
    count = 0
    for name in ("hr.npy", "lr.npy"):
        whole = (folder / name).read_bytes()
        for copy in flipped(whole, 60, 128):
            (folder / name).write_bytes(copy)
            count += 1
            try:
                assert PackedImages(folder).digest() == store.digest()  # in the space of the header
            except ValueError as error:
                assert name in str(error)
        (folder / name).write_bytes(whole)
    tried("flipped bits", count)


def test_every_flip_in_a_stores_index_is_refused_or_changes_names_alone(
    store: PackedImages, tmp_path: Path, tried: Tried
) -> None:
    folder = Path(shutil.copytree(store.folder, tmp_path / "copy"))
    copies = list(flipped((folder / "index.json").read_bytes(), 0, 10_000))
    for copy in copies:
        (folder / "index.json").write_bytes(copy)
        try:
            found = PackedImages(folder)
            found.digest()
        except ValueError as error:
            assert "index.json" in str(error) or ".npy" in str(error)
            continue
        assert [e[2:] for e in found.entries] == [e[2:] for e in store.entries]
        assert found.scale == store.scale and found.border == store.border
    tried("flipped bits", len(copies))


def test_every_flip_in_a_fetched_image_is_found_or_harmless(tmp_path: Path, tried: Tried) -> None:
    fetch("embedded-heldout", tmp_path, progress=False)
    path = tmp_path / "embedded-heldout/HR/chelsea.png"
    copies = list(flipped(path.read_bytes(), 15, 40))
    for copy in copies:
        path.write_bytes(copy)
        try:
            fetch("embedded-heldout", tmp_path, progress=False)  # compares the pixels
        except DatasetError as error:
            assert "chelsea" in str(error)
    tried("flipped bits", len(copies))


# --- full disks -------------------------------------------------------------------------------


@contextmanager
def room_for(size: int) -> Iterator[None]:
    """No file can grow beyond this size, as on a disk that is full: writing gives an OSError."""
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


def write_table(folder: Path) -> None:
    write_csv(folder / "table.csv", pd.DataFrame({"a": range(10_000)}))


def write_record(folder: Path) -> None:
    write_json(folder / "record.json", list(range(10_000)))


def write_weights(folder: Path) -> None:
    save_tensors({"a": torch.rand(10_000)}, folder / "w.safetensors", {})


def write_checkpoint(folder: Path) -> None:
    state().save(folder / "checkpoint.safetensors")


def write_store(folder: Path) -> None:
    pack([("set", "a", noise(80, 80, 3))], folder / "x4", 4, "replicate")


def write_scores(folder: Path) -> None:
    row = {"set": "a", "image": "b", "psnr_y": 30.0, "ssim_y": 0.9}
    write_result(folder, pd.DataFrame([row] * 1000))


def fetch_images(folder: Path) -> None:
    fetch("embedded-heldout", folder, progress=False)


WRITERS: dict[str, Callable[[Path], None]] = {
    write.__name__: write
    for write in (
        write_table,
        write_record,
        write_weights,
        write_checkpoint,
        write_store,
        write_scores,
        fetch_images,
    )
}
FULL = pytest.mark.skipif(sys.platform == "win32", reason="no limit of a file's size there")


@FULL
@pytest.mark.faults("full disks")
@pytest.mark.parametrize("room", [0, 1000, 4096])
@pytest.mark.parametrize("writer", WRITERS)
def test_a_full_disk_leaves_what_was_there(tmp_path: Path, writer: str, room: int) -> None:
    """Nothing at first; then what an earlier, whole writing left."""
    with room_for(room), pytest.raises((OSError, ValueError)) as caught:
        WRITERS[writer](tmp_path)
    assert "\n" not in str(caught.value)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    if writer == "fetch_images":
        return  # what is there is not fetched again
    WRITERS[writer](tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with room_for(room), pytest.raises((OSError, ValueError)):
        WRITERS[writer](tmp_path)
    after = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert after == before


@FULL
@pytest.mark.faults("full disks")
@pytest.mark.parametrize("ending", ["png", "jpg", "webp", "tif", "gif"])
def test_a_picture_for_which_there_is_no_room_is_one_line(
    tmp_path: Path, weights: Path, ending: str, capfd: pytest.CaptureFixture[str]
) -> None:
    Image.fromarray(noise(60, 60, 3)).save(tmp_path / "in.png")
    out = tmp_path / f"out.{ending}"
    command = ["upscale", str(tmp_path / "in.png"), str(out), "--weights", str(weights)]
    with room_for(2000):
        status = main(command)
    error = capfd.readouterr().err.splitlines()[-1]
    assert status == 2 and error.startswith(f"srlib: error: {out} cannot be written"), error
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.png", "results"]


@FULL
@pytest.mark.faults("full disks")
def test_a_run_that_finds_no_room_goes_on_when_there_is_some(
    store: PackedImages, tmp_path: Path
) -> None:
    recipe = tiny_run.recipe()
    tiny_run.run(store, tmp_path / "whole", tmp_path / "a", recipe)
    with room_for(5000), pytest.raises((OSError, ValueError)):
        tiny_run.run(store, tmp_path / "results", tmp_path / "b", recipe)
    tiny_run.run(store, tmp_path / "results", tmp_path / "b", recipe)
    for name in ("weights.safetensors", "train.csv"):
        whole = (tmp_path / "whole" / name).read_bytes()
        assert (tmp_path / "results" / name).read_bytes() == whole
