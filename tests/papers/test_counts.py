"""Counts are read from the tracked output; only other settings are counted live."""

import pytest

from papers import counts
from papers.counts import READABLE, count, divided, readable, tracked


@pytest.fixture
def nothing_live(monkeypatch: pytest.MonkeyPatch) -> None:
    """Building a network is refused."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a network was built")

    monkeypatch.setattr(counts, "create_network", refuse)


@pytest.mark.usefixtures("nothing_live")
def test_a_network_of_the_registry_is_read() -> None:
    assert count("aidn", 4, "params") == tracked()["aidn", 4]["params"] == 339_498
    assert count("aidn", 4, "ntire_flops") == count("aidn", 4, "ntire_flops_256")


@pytest.mark.parametrize("column", ["params", "ntire_flops_256", "conv_macs_720p"])
def test_settings_are_counted_live_as_the_stage_counts(column: str) -> None:
    assert count("srcnn", 4, column, kernel=1) == tracked()["srcnn-915", 4][column]


@pytest.mark.usefixtures("nothing_live")
def test_a_reader_gets_every_count_in_its_unit() -> None:
    [row] = readable([("aidn", 4)]).to_dict("records")
    assert list(row) == ["network", "scale", *READABLE]
    assert row["NTIRE FLOPs, LR 256² (G)"] == count("aidn", 4, "ntire_flops") / 1e9


def test_what_is_not_counted_is_named_with_the_command() -> None:
    with pytest.raises(ValueError, match=r"has no lapsrn x3; `dvc repro count` counts"):
        count("lapsrn", 3, "params")


def test_a_missing_file_names_the_command(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("srlib.paths.counts", lambda: tmp_path / "counts.csv")
    with pytest.raises(FileNotFoundError, match="`dvc repro count` makes it"):
        tracked.__wrapped__()


def test_flops_of_older_networks_are_those_of_the_literature_divided() -> None:
    table = divided()
    assert len(table) == 23 and table["agrees"].all()  # to every printed digit
