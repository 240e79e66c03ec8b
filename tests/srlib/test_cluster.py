"""Ray: a folder is enlarged by workers, one of which is killed; then there is nothing to do."""

import os
import signal
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from srlib.cluster import enlarge_on_ray
from srlib.folders import MANIFEST, read_manifest
from srlib.networks import create_network

ray = pytest.importorskip("ray", reason='pip install "srlib[ray]"')


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
