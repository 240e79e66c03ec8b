"""README and model card say what was measured."""

import re

import pytest

from srlib.report import CARD, END, START, markdown, model_card, update
from srlib.results import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_results_are_those_of_the_tracked_outputs() -> None:
    block = README.split(START)[1].split(END)[0].strip()
    assert block == markdown(), "write the table anew with `srlib report --update`"


def test_the_model_card_is_that_of_the_tracked_weights() -> None:
    text = (ROOT / CARD).read_text(encoding="utf-8")
    block = text.split(START)[1].split(END)[0].strip()
    assert block == model_card(), "write the table anew with `srlib report --update`"


def test_every_path_that_it_names_exists() -> None:
    paths = set(re.findall(r"\]\(([^)#:]+)\)", README))
    assert len(paths) >= 5
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_the_map_names_every_module() -> None:
    named = set(re.findall(r"(\w+\*?)\.py", README))
    modules = {path.stem for path in (ROOT / "srlib").glob("*.py")} - {"__init__"}
    unnamed = {m for m in modules if m not in named and not (m.startswith("diagram"))}
    assert unnamed == set()


def test_a_readme_without_its_markers_is_an_error(tmp_path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text("no markers")
    with pytest.raises(ValueError, match="put them back"):
        update(readme, "")
