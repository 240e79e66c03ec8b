"""The tracked scores of published weights are those measured with the authors' own code."""

from pathlib import Path

import pandas as pd
import pytest

from papers.results import results

SUFFIX = {"whole": "", "chop4": "-chop"}


@pytest.fixture(scope="module")
def pairs(reference: Path) -> pd.DataFrame:
    """Reference and tracked scores of the same weights, scale, set and inference."""
    table = pd.read_csv(reference / "scores.csv")
    table = table[(table["lr"] == "LR_bicubic") & table["psnr_y"].notna()]
    table["method"] = table["network"].str.lower() + table["inference"].map(SUFFIX)
    own = results()
    own = own[own["campaign"].str.startswith("benchmarks") & (own["seed"] < 0)]
    return table.rename(columns={"dataset": "set"}).merge(
        own, on=["method", "scale", "set"], suffixes=("", "_own")
    )


def test_there_are_scores_to_compare(pairs: pd.DataFrame) -> None:
    assert {"bicubic", "arfdn", "e-rfdn", "imdn"} <= set(pairs["method"])
    assert len(pairs) >= 16


@pytest.mark.parametrize(("quantity", "tolerance"), [("psnr_y", 0.001), ("ssim_y", 0.0001)])
def test_scores_are_the_references(pairs: pd.DataFrame, quantity: str, tolerance: float) -> None:
    off = pairs[(pairs[f"{quantity}_own"] - pairs[quantity]).abs() > tolerance]
    columns = ["method", "scale", "set", quantity, f"{quantity}_own"]
    assert off[columns].to_dict("records") == []
