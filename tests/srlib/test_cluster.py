"""Ray: a folder is enlarged by workers, one of which is killed; then there is nothing to do."""

import io
import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from srlib.cli import main
from srlib.cluster import _place, enlarge_on_ray
from srlib.folders import MANIFEST, Report, read_manifest
from srlib.networks import create_network

ray = pytest.importorskip("ray", reason='pip install "srlib[ray]"')
fsspec = pytest.importorskip("fsspec", reason='pip install "srlib[ray]"')


def slow(pids: Path):
    """A factory of networks that say who runs them, and take their time."""

    def make():
        def wait(*_) -> None:
            (pids / str(os.getpid())).touch()
            time.sleep(0.2)

        network = create_network("srcnn", 2).eval()
        network.register_forward_pre_hook(wait)
        return network

    return make


@pytest.fixture
def bucket(monkeypatch) -> Iterator[str]:
    """The address of a bucket of an S3 server on this machine."""
    server = pytest.importorskip("moto.server", reason='pip install "moto[server]" s3fs')
    s3fs = pytest.importorskip("s3fs", reason='pip install "moto[server]" s3fs')
    started = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    started.start()
    host, port = started.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "of-nobody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of-nobody")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    s3fs.S3FileSystem.clear_instance_cache()
    s3fs.S3FileSystem().mkdir("pictures")
    yield "s3://pictures"
    s3fs.S3FileSystem.clear_instance_cache()
    started.stop()


def test_from_and_to_a_bucket(bucket: str) -> None:
    files = fsspec.filesystem("s3", use_listings_cache=False)
    for number in range(3):
        made = io.BytesIO()
        pixels = np.random.default_rng(number).integers(0, 256, (20, 30, 3), np.uint8)
        Image.fromarray(pixels).save(made, "png")
        files.pipe_file(f"pictures/in/deep/{number}.png", made.getvalue())
    source, out = f"{bucket}/in", f"{bucket}/out"

    def make():
        return create_network("srcnn", 2).eval()

    try:
        report = enlarge_on_ray(source, out, "srcnn", make)
        assert (report.made, report.kept, report.errors) == (3, 0, ())
        assert Image.open(io.BytesIO(files.cat_file("pictures/out/deep/2.png"))).size == (60, 40)
        lines = files.cat_file(f"pictures/out/{MANIFEST}").decode().splitlines()
        assert [json.loads(line)["output"] for line in lines] == [
            f"{out}/deep/{number}.png" for number in range(3)
        ]
        files.rm("pictures/out/deep/1.png")
        again = enlarge_on_ray(source, out, "srcnn", make)
        assert (again.made, again.kept, again.errors) == (1, 2, ())
        assert not [each for each in files.find("pictures/out") if each.endswith(".tmp")]
    finally:
        ray.shutdown()


def test_an_address_that_needs_a_package_names_it() -> None:
    with pytest.raises(ValueError, match="abfs://somewhere: Install adlfs"):
        _place("abfs://somewhere")


def test_the_driver_only_reads_the_weights(tmp_path, weights, monkeypatch) -> None:
    """The digest is that of a folder's job, and the network is compiled by the workers alone."""
    asked: list[Any] = []

    def instead(*arguments):
        asked.extend(arguments)
        return Report(0, 0, ())

    def never(*_):
        raise AssertionError("the driver compiles nothing")

    monkeypatch.setattr("srlib.cluster.enlarge_on_ray", instead)
    monkeypatch.setattr("srlib.engines.compiled.compile", never)
    options = ["--scale", "2", "--weights", str(weights)]
    assert main(["upscale", str(tmp_path), str(tmp_path / "out"), "--ray", *options]) == 0
    by, make = asked[2:4]
    assert len(by) == 10 and asked[:2] == [str(tmp_path), str(tmp_path / "out")]
    with pytest.raises(AssertionError, match="the driver compiles nothing"):
        make()


def test_a_killed_worker_costs_no_picture(tmp_path: Path) -> None:
    source, out, pids = tmp_path / "in", tmp_path / "out", tmp_path / "pids"
    (source / "deep").mkdir(parents=True)
    pids.mkdir()
    for number in range(12):
        pixels = np.random.default_rng(number).integers(0, 256, (20, 30, 3), np.uint8)
        Image.fromarray(pixels).save(source / "deep" / f"{number}.png")
    (source / "bad.png").write_bytes(b"no picture")
    killed: list[int] = []

    def kill() -> None:
        while not (there := sorted(pids.iterdir())):
            time.sleep(0.05)
        time.sleep(0.5)
        killed.append(int(there[0].name))
        os.kill(killed[0], signal.SIGKILL)

    killer = threading.Thread(target=kill, daemon=True)
    killer.start()
    try:
        report = enlarge_on_ray(str(source), str(out), "slow", slow(pids))
        killer.join(5)
        assert killed and len([*pids.iterdir()]) > 1, "another worker took over"
        assert (report.made, report.kept) == (12, 0)
        assert len(report.errors) == 1 and "bad.png" in report.errors[0]
        assert Image.open(out / "deep" / "3.png").size == (60, 40)
        assert len(read_manifest(out / MANIFEST)) == 12
        (out / "deep" / "3.png").write_bytes(b"damaged")
        (source / "bad.png").unlink()
        again = enlarge_on_ray(str(source), str(out), "slow", slow(pids))
        assert (again.made, again.kept, again.errors) == (1, 11, ())
    finally:
        ray.shutdown()
