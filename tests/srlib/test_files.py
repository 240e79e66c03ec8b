"""Files appear whole, with the umask's mode, and JSON that every reader takes."""

import json
import math
import os
from pathlib import Path

import pytest

from srlib.files import replacing, write_json
from srlib.weights.files import save_tensors


@pytest.mark.parametrize("umask", [0o022, 0o002, 0o077])
def test_a_file_has_the_mode_that_the_umask_gives(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        write_json(tmp_path / "a.json", {})
        save_tensors({}, tmp_path / "w.safetensors", {})
    finally:
        os.umask(before)
    for name in ("a.json", "w.safetensors"):
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o666 & ~umask


def test_json_has_no_infinity(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"psnr": math.inf, "all": [1.5, (math.nan, -math.inf)]})

    def refuse(name: str) -> float:
        raise AssertionError(f"{name} is not JSON")

    found = json.loads((tmp_path / "a.json").read_text(), parse_constant=refuse)
    assert found == {"psnr": "inf", "all": [1.5, ["nan", "-inf"]]}


def test_an_error_leaves_the_old_file(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old")
    with pytest.raises(RuntimeError), replacing(tmp_path / "a") as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("a", "old")]
