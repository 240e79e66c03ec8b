"""Every tracked number's run has a record, and says how to make it again."""

import json
from pathlib import Path

import pytest

from srlib.cli import _parser, main
from srlib.paths import ROOT, find
from srlib.provenance import run_id
from srlib.runs import ProvenanceError, facts, find_runs, in_words, runs, scored


def test_every_tracked_score_has_its_run() -> None:
    known = {run.id for run in runs()}
    made = {each.run for each in scored()}
    assert made and made <= known


def test_what_determined_a_score_gives_the_id_of_its_run() -> None:
    assert {each.result: run_id(each.provenance) for each in scored()} == {
        each.result: each.run for each in scored()
    }


def test_a_score_of_which_no_run_is_known_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "results" / "c" / "imdn-x4"
    folder.mkdir(parents=True)
    (folder / "metrics.json").write_text('{"sets": {}}')
    with pytest.raises(ProvenanceError, match="reference-imdn-x4.json does not say which run made"):
        list(scored(root=tmp_path))


def test_a_tracked_score_is_numbers_alone() -> None:
    """As ``dvc metrics show`` makes a column of each: images, PSNR and SSIM of a set."""
    for _, path in find("metrics.json"):
        found = json.loads(path.read_text())
        assert found.keys() == {"sets"}, path
        for means in found["sets"].values():
            assert means.keys() == {"images", "psnr_y", "ssim_y"}, path
            assert all(isinstance(value, int | float) for value in means.values()), path


@pytest.mark.parametrize("run", runs(), ids=lambda run: run.path.stem + run.id)
def test_a_runs_command_is_one_that_the_command_line_takes(run) -> None:
    program, *arguments = run.command.split()
    assert program == "srlib" and _parser().parse_args(arguments)
    assert (ROOT / run.record["params"]).is_file()


def test_a_run_is_found_by_its_first_digits() -> None:
    one = runs()[0]
    assert {run.id for run in find_runs(one.id[:6])} == {one.id}


@pytest.mark.parametrize("start", ["", "abc", "not a hash", "0" * 10])
def test_an_unknown_run_is_named(start: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", start]) == 2
    assert "expected the first 4 digits or more of a run's id" in capsys.readouterr().err


def test_ids_that_begin_alike_are_named(tmp_path: Path) -> None:
    folder = tmp_path / "results" / "runs" / "c"
    folder.mkdir(parents=True)
    for last in "12":
        record = json.dumps({"run": f"abcde{last}"})
        (folder / f"reference-bicubic-x{last}.json").write_text(record)
    with pytest.raises(ValueError, match="abcde1, abcde2 begin so; give more digits"):
        find_runs("abcde", tmp_path)


def test_what_a_run_says_holds_its_scores() -> None:
    run = next(run for run in runs() if run.scores())
    for name, scores in run.scores().items():
        assert facts(run)[name].startswith(f"{scores['psnr_y']:.3f} dB")
    assert run.command in in_words([run])


def test_a_search_of_rates_says_how_to_make_it_again(tmp_path: Path) -> None:
    folder = tmp_path / "results" / "runs" / "c"
    folder.mkdir(parents=True)
    record = {"run": "abcdef0123", "params": "campaigns/c/params.yaml"}
    (folder / "search-aidn-aidb-x4-rate0.5.json").write_text(json.dumps(record))
    (run,) = runs(tmp_path)
    assert run.stage == "search" and run.result is None
    assert run.command == (
        "srlib search --params campaigns/c/params.yaml --network aidn-aidb --scale 4 --rate 0.5"
    )
