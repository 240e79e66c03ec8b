"""Every printed count that is not the network's own has a reason, and every reason a count."""

from pathlib import Path

import pandas as pd
import pytest

from papers.counts import CountDifference, differences, printed_counts
from papers.printed import PublishedError


@pytest.fixture(scope="module")
def audit() -> pd.DataFrame:
    return printed_counts()


def test_most_printed_counts_are_the_networks_own(audit: pd.DataFrame) -> None:
    assert len(audit) > 200
    assert audit["agrees"].mean() > 0.6


def test_every_differing_count_has_a_reason(audit: pd.DataFrame) -> None:
    silent = audit[~audit["agrees"] & (audit["reason"] == "")]
    assert silent[["paper", "row", "scale", "quantity", "printed"]].to_dict("records") == []


def test_every_reason_explains_a_count(audit: pd.DataFrame) -> None:
    used = set(audit["reason"])
    assert [reason.reason for reason in differences() if reason.reason not in used] == []


def test_a_reason_covers_what_it_names() -> None:
    reason = CountDifference(network="imdn", quantity="params", reason="", paper="aidn", scales=[4])
    cell = {"network": "imdn", "quantity": "params", "paper": "aidn", "scale": 4}
    assert reason.covers(cell)
    assert not reason.covers(cell | {"scale": 2}) and not reason.covers(cell | {"paper": "rfdn"})


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "counts.yaml").write_text("- {network: imdn}")
    with pytest.raises(PublishedError, match="counts.yaml"):
        differences(tmp_path)
