"""README and model card say what was measured."""

import re
import subprocess

import pytest

from papers.show.markdown import CARD, END, START, markdown, model_card, update
from srlib.paths import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_results_are_those_of_the_tracked_outputs() -> None:
    block = README.split(START)[1].split(END)[0].strip()
    assert block == markdown(), "write the table anew with `papers report --update`"


def test_the_model_card_is_that_of_the_tracked_weights() -> None:
    text = (ROOT / CARD).read_text(encoding="utf-8")
    block = text.split(START)[1].split(END)[0].strip()
    assert block == model_card(), "write the table anew with `papers report --update`"


def test_every_path_that_it_names_exists() -> None:
    paths = set(re.findall(r"\]\(([^)#:]+)\)", README))
    assert len(paths) >= 5
    # Pages of the workflows, on GitHub alone.
    paths = {path for path in paths if not path.startswith("../../actions/")}
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_every_test_that_a_text_names_exists() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    ending = re.compile(r"\.(py|md|yaml|ipynb|csv)$")
    texts = [name for name in tracked.stdout.splitlines() if ending.search(name)]
    named = {
        (name, path)
        for name in texts
        for path in re.findall(r"\btests/[\w/]+\.py", (ROOT / name).read_text(encoding="utf-8"))
    }
    assert len(named) >= 5
    assert [pair for pair in sorted(named) if not (ROOT / pair[1]).exists()] == []


def test_the_map_names_every_folder() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if tracked.returncode:
        pytest.skip("not a git checkout")
    folders = {path.split("/")[0] for path in tracked.stdout.splitlines() if "/" in path}
    named = set(re.findall(r"`(\w+)/", README.split("## Map")[1]))
    assert {folder for folder in folders if not folder.startswith(".")} <= named


def test_a_readme_without_its_markers_is_an_error(tmp_path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text("no markers")
    with pytest.raises(ValueError, match="put them back"):
        update(readme, "")
