"""Time and energy of a device."""

import time
from pathlib import Path

import pytest
import torch

from srlib.training import devices
from srlib.training.devices import Stopwatch, joules

CPU = torch.device("cpu")


def test_a_stopwatch_adds_up_its_blocks() -> None:
    watch = Stopwatch(CPU)
    for _ in range(2):
        with watch:
            time.sleep(0.02)
    assert watch.seconds() >= 0.04


def test_a_stopwatch_does_not_run_between_blocks() -> None:
    watch = Stopwatch(CPU)
    with watch:
        pass
    time.sleep(0.1)
    assert watch.seconds() < 0.05


def test_energy_is_the_processors_counter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "energy_uj").write_text("2500000\n")
    monkeypatch.setattr(devices, "RAPL", tmp_path)
    assert joules(CPU) == 2.5


def test_a_device_without_a_counter_reports_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(devices, "RAPL", tmp_path / "absent")
    assert joules(CPU) is None
