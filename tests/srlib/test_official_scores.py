"""All networks as one job: several processes, one table, and it goes on where it was ended."""

from pathlib import Path

import pandas as pd
import pytest

from srlib import load_official, official_scores
from srlib.data.packed import PackedImages
from srlib.evaluation.inference import upscale_array
from srlib.evaluation.score import evaluate
from srlib.official_scores import How, score_all
from srlib.weights.files import WeightsError
from srlib.weights.official import official

NAMES = ("imdn", "rlfn")


@pytest.fixture
def few(monkeypatch) -> None:
    """Two networks that are there, and one that is nowhere."""
    try:
        for name in NAMES:
            load_official(name)
    except WeightsError as error:
        pytest.skip(str(error))
    entries = {name: official()[name] for name in NAMES} | {"nobody": official()["imdn"]}
    monkeypatch.setattr(official_scores, "official", lambda: entries)
    monkeypatch.setattr(official_scores, "manifest_digest", lambda names: "of noise")


@pytest.mark.usefixtures("few")
def test_what_is_scored_stays_and_what_changed_is_scored_anew(
    store: PackedImages, tmp_path: Path
) -> None:
    path = tmp_path / "scores.csv"
    table, errors = score_all(store.folder, ["noise"], 4, path, 2, How())
    assert len(errors) == 1 and "nobody x4 on noise: no official weights" in errors[0]
    assert list(table["network"]) == ["imdn"] * 3 + ["rlfn"] * 3
    network = load_official("rlfn")
    alone = evaluate(lambda lr: upscale_array(network, lr), store)
    of_rlfn = table[table["network"] == "rlfn"].reset_index(drop=True)
    pd.testing.assert_frame_equal(of_rlfn[alone.columns], alone, check_dtype=False, atol=1e-3)

    ended = table[table["network"] == "imdn"].assign(psnr_y=1.0)  # RLFN's were not written yet
    ended.to_csv(path, index=False)
    again, _ = score_all(store.folder, ["noise"], 4, path, 1, How())
    assert (again["psnr_y"][:3] == 1.0).all(), "IMDN was not scored again"
    pd.testing.assert_frame_equal(again[3:], table[3:], check_dtype=False)

    other, _ = score_all(store.folder, ["noise"], 4, path, 1, How(chop=True))
    assert (other["psnr_y"][:3] > 1.0).all() and len(other) == 6
    written = pd.read_csv(path, dtype={"image": str, "by": str})
    pd.testing.assert_frame_equal(written, other, check_dtype=False)


@pytest.mark.usefixtures("few")
def test_a_table_of_another_kind_is_not_written_over(store: PackedImages, tmp_path: Path) -> None:
    path = tmp_path / "scores.csv"
    path.write_text("mine\n1\n")
    with pytest.raises(ValueError, match=r"scores\.csv is no table of `srlib evaluate --all`"):
        score_all(store.folder, ["noise"], 4, path, 1, How())
    assert path.read_text() == "mine\n1\n"


def test_a_scale_that_nobody_published() -> None:
    with pytest.raises(ValueError, match="--scale 7: no authors' weights of this scale are known"):
        official_scores.tasks_of(["Set5"], 7, How())
