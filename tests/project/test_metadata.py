"""What citation services, archives and CI read: it parses, and says the same everywhere."""

import json
import re
import subprocess
from typing import Any

import pytest
import yaml

import srlib
from srlib.paths import ROOT

CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
CODEMETA = json.loads((ROOT / "codemeta.json").read_text(encoding="utf-8"))
ZENODO = json.loads((ROOT / ".zenodo.json").read_text(encoding="utf-8"))
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))


def papers() -> dict[str, list[str]]:
    """Title -> family names, of the papers' own entries."""
    found = {}
    for path in ROOT.glob("papers/*/cite.bib"):
        text = path.read_text(encoding="utf-8")
        title, authors = (
            re.search(rf"{field}\s*= \{{(.*)\}}", text) for field in ("title", "author")
        )
        assert title and authors
        found[title[1]] = [name.split(",")[0] for name in authors[1].split(" and ")]
    return found


def test_version_and_title_are_the_same_everywhere() -> None:
    preferred = CITATION["preferred-citation"]
    versions = [each["version"] for each in (CITATION, preferred, CODEMETA, ZENODO)]
    assert set(versions) == {srlib.__version__}
    titles = [CITATION["title"], preferred["title"], CODEMETA["name"], ZENODO["title"]]
    assert len(set(titles)) == 1 and titles[0].startswith("srlib: ")
    assert f"## {srlib.__version__}\n" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_every_paper_is_cited() -> None:
    cited = {
        each["title"]: [author["family-names"] for author in each["authors"]]
        for each in CITATION["references"]
    }
    assert cited == papers() and len(cited) == 4
    assert {each["name"] for each in CODEMETA["referencePublication"]} == set(cited)


@pytest.mark.parametrize("name", [".pre-commit-config.yaml", ".github/dependabot.yml"])
def test_yaml_parses(name: str) -> None:
    assert yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))


def test_the_container_makes_the_environment() -> None:
    container = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text(encoding="utf-8"))
    assert container["postCreateCommand"] == "make env"


def test_binder_is_a_shell_script_that_may_be_run() -> None:
    script = ROOT / "binder/postBuild"
    subprocess.run(["bash", "-n", str(script)], check=True)
    staged = subprocess.run(
        ["git", "ls-files", "--stage", "binder/postBuild"], cwd=ROOT, capture_output=True, text=True
    )
    if not staged.stdout:
        pytest.skip("not a git checkout")
    assert staged.stdout.startswith("100755")


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_may_read_and_ends(path: Any) -> None:
    workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert workflow["permissions"] == {"contents": "read"} and workflow["concurrency"]
    assert all(job["timeout-minutes"] <= 60 for job in workflow["jobs"].values())


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_every_action_is_pinned_to_a_commit_beside_its_tag(path: Any) -> None:
    used = re.findall(r"uses: (.*)", path.read_text(encoding="utf-8"))
    pinned = [re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}  # v\d+\.\d+\.\d+", each) for each in used]
    assert used and all(pinned), used


def test_every_test_that_ci_names_exists() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in WORKFLOWS)
    named = re.findall(r"\btests/[\w/]+\.py", text)
    assert named and [name for name in named if not (ROOT / name).exists()] == []
