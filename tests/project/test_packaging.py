"""pyproject.toml, both locks and environment.yml agree, and nothing heavy is in git."""

import ast
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions, version
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from srlib.paths import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]


# Of the base, what requests needs in a version that ends a download as srlib.http asks.
FLOORS = {"urllib3"}


def required(lines: list[str]) -> list[Requirement]:
    """Requirements, with those of the extras of srlib that they name in place of these."""
    found = []
    for requirement in map(Requirement, lines):
        if requirement.name == "srlib":
            found += [r for extra in requirement.extras for r in required(EXTRAS[extra])]
        else:
            found.append(requirement)
    return found


REQUIRED = required(PROJECT["dependencies"] + EXTRAS["dev"])
UV: list[dict[str, Any]] = tomllib.loads((ROOT / "uv.lock").read_text())["package"]

# torch's build is chosen with the device, and brings these libraries itself.
BY_DEVICE = re.compile(r"(torch|triton|(cuda|nvidia)-.*)")


def dev() -> dict[tuple[str, str], set[str]]:
    """(name, version) of each package of uv.lock that the extra dev needs -> hashes of its files.

    Both versions where an older Python needs another one.
    """
    found: dict[tuple[str, str], set[str]] = {}
    seen: set[tuple[Any, ...]] = set()
    open_edges: list[dict[str, Any]] = [{"name": "srlib", "extra": ["dev"]}]
    while open_edges:
        edge = open_edges.pop()
        key = edge["name"], edge.get("version"), tuple(edge.get("extra", ()))
        if key in seen:
            continue
        seen.add(key)
        for package in UV:
            if package["name"] != key[0] or key[1] not in (None, package.get("version")):
                continue
            open_edges += package.get("dependencies", [])
            for extra in key[2]:
                open_edges += package.get("optional-dependencies", {}).get(extra, [])
            if key[0] != "srlib":
                files = [*package.get("wheels", []), *filter(None, [package.get("sdist")])]
                found[key[0], package["version"]] = {file["hash"] for file in files}
    return found


def pip() -> dict[tuple[str, str], set[str]]:
    """(name, version) of each package of requirements.lock -> hashes."""
    text = (ROOT / "requirements.lock").read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    found = {}
    for line in lines:
        pin = re.match(r"([\w.\-]+)==([^\s;]+)", line)
        assert pin, line
        found[pin[1], pin[2]] = set(re.findall(r"--hash=(sha256:\w+)", line))
    return found


def pins() -> dict[str, str]:
    """The version of each requirement in uv.lock."""
    locked = dev()
    names: dict[str, str] = {canonicalize_name(r.name): r.name for r in REQUIRED}
    assert len([name for name, _ in locked if name in names]) == len(names)
    return {names[name]: version for name, version in locked if name in names}


def test_the_lock_pins_what_the_package_requires() -> None:
    assert [str(r) for r in REQUIRED if not r.specifier.contains(pins()[r.name])] == []


def test_the_lock_is_of_todays_requirements() -> None:
    """Name, extras of it, bounds, and which extra of srlib asks: as uv.lock read them."""
    (own,) = (package for package in UV if package["name"] == "srlib")
    read = {
        (
            each["name"],
            frozenset(each.get("extras", ())),
            SpecifierSet(each.get("specifier", "")),
            each.get("marker", ""),
        )
        for each in own["metadata"]["requires-dist"]
    }
    asked = {"": PROJECT["dependencies"]}
    asked |= {f"extra == '{extra}'": lines for extra, lines in EXTRAS.items()}
    assert read == {
        (canonicalize_name(r.name), frozenset(r.extras), r.specifier, marker)
        for marker, lines in asked.items()
        for r in required(lines)
    }


def test_the_lock_of_pip_is_that_of_uv() -> None:
    ours = {key: hashes for key, hashes in dev().items() if not BY_DEVICE.fullmatch(key[0])}
    assert pip() == ours and all(ours.values())


def test_every_file_of_the_lock_is_on_pypi() -> None:
    text = (ROOT / "uv.lock").read_text()
    hosts = set(re.findall(r"\w+://[^/\"]+", text))
    assert hosts == {"https://pypi.org", "https://files.pythonhosted.org"}
    sources = [package["source"] for package in UV if package["name"] != "srlib"]
    assert all(source == {"registry": "https://pypi.org/simple"} for source in sources)


def test_the_environment_holds_what_the_lock_pins() -> None:
    # The lock names versions without builds: torch has one for each kind of GPU.
    assert {r.name: version(r.name).partition("+")[0] for r in REQUIRED} == pins()


def test_torchvision_is_not_needed() -> None:
    assert "torchvision" not in {name for name, _ in dev()}


def test_all_is_every_extra_for_users() -> None:
    (whole,) = map(Requirement, EXTRAS["all"])
    assert whole.name == "srlib" and whole.extras == EXTRAS.keys() - {"all", "dev"}


def test_the_base_is_what_the_library_imports() -> None:
    """Imports at the top of a module; those within functions are of extras."""
    imported = set()
    for path in (ROOT / "srlib").rglob("*.py"):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.Import):
                imported |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                imported.add(node.module.partition(".")[0])
    homes = packages_distributions()
    names = {homes[name][0] for name in imported - sys.stdlib_module_names - {"srlib"}}
    asked = {canonicalize_name(Requirement(text).name) for text in PROJECT["dependencies"]}
    assert {canonicalize_name(name) for name in names} == asked - FLOORS


def test_conda_takes_its_pins_from_the_lock() -> None:
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    python, pip, packages = environment["dependencies"]
    assert packages == {"pip": ["-r requirements.lock"]}
    assert pip == "pip"
    assert Requirement(python.replace("=", "==", 1)).specifier.contains("3.11")


@pytest.mark.parametrize("name", ["README.md", "environment.yml"])
def test_a_command_names_the_torch_of_the_lock(name: str) -> None:
    assert set(re.findall(r"torch==([\d.]+)", (ROOT / name).read_text())) == {pins()["torch"]}


def test_ci_runs_the_readmes_test_command() -> None:
    readme, script = (ROOT / "README.md").read_text(), (ROOT / ".ci/run").read_text()
    workflow = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())
    assert "make test" in readme and "make test" in script
    assert any(step.get("run") == ".ci/run" for step in workflow["jobs"]["test"]["steps"])


def test_without_the_extras_a_command_of_the_papers_says_so_in_one_line() -> None:
    code = (
        "import sys; sys.modules['matplotlib'] = sys.modules['matplotlib.pyplot'] = None; "
        "from papers.cli import main; sys.exit(main(['export']))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (
        2,
        "papers: error: matplotlib is not installed, and this command needs it; in the repository "
        'type pip install -e ".[dev]"\n',
    )


def _tracked() -> list[str]:
    try:
        done = subprocess.run(
            ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    return done.stdout.split("\n")[:-1]


def test_no_file_in_git_is_over_5_mb() -> None:
    sizes = {name: (ROOT / name).stat().st_size for name in _tracked() if (ROOT / name).exists()}
    assert {name: size for name, size in sizes.items() if size > 5_000_000} == {}
