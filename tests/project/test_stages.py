"""Every stage depends on all the code that decides what it writes.

A stage of the library runs the function of ``srlib.pipeline`` under its name. The names that this
function uses, and those of the helpers that it calls, lead to modules, and their imports to all
others. A stage that lacks one of them among its dependencies would keep a stale result in silence.
"""

import ast
import builtins
import inspect
from pathlib import Path
from types import ModuleType

import grimp
import pytest
import yaml

from srlib import pipeline
from srlib.paths import ROOT

GRAPH = grimp.build_graph("srlib", "papers", exclude_type_checking_imports=True)
# They carry parameters, files and records and decide no number; srlib itself holds public names.
CARRIERS = {"srlib", "srlib.cli", "srlib.config", "srlib.files", "srlib.paths", "srlib.provenance"}
CARRIERS |= {"srlib.pipeline"}

PIPELINES = {"quick": ROOT} | {
    path.parent.name: path.parent for path in ROOT.glob("campaigns/*/dvc.yaml")
}
OF_ALL_RESULTS = {"count", "ledger", "render"}


def stages(campaign: str) -> dict[str, dict]:
    return yaml.safe_load((PIPELINES[campaign] / "dvc.yaml").read_text())["stages"]


def used_modules(module: ModuleType, function: str) -> set[str]:
    """The modules that a function of ``module`` takes names from, its own helpers' included."""
    tree = ast.parse(inspect.getsource(module))
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    found: set[str] = set()
    todo, seen = [function], set()
    while todo:
        name = todo.pop()
        seen.add(name)
        for node in ast.walk(functions[name]):
            if not isinstance(node, ast.Name) or hasattr(builtins, node.id):
                continue
            if node.id in functions and node.id not in seen:
                todo.append(node.id)
            value = getattr(module, node.id, None)
            home = value.__name__ if inspect.ismodule(value) else getattr(value, "__module__", None)
            if home in GRAPH.modules:
                found.add(home)
    return found


def with_imports(modules: set[str], networks: set[str]) -> set[str]:
    """Modules and all that they import; of the registry's networks, ``networks`` alone."""
    found: set[str] = set()
    todo = list(modules)
    while todo:
        module = todo.pop()
        if module in found or module in CARRIERS:
            continue
        found.add(module)
        imported = GRAPH.find_modules_directly_imported_by(module)
        if module == "srlib.networks":
            imported = networks
        todo += imported
    return found


def files(modules: set[str]) -> set[str]:
    """Their files, relative to the root; a package without code of its own has none."""
    found = set()
    for module in modules:
        path = ROOT / Path(*module.split("."))
        path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        if len(ast.parse(path.read_text()).body) > 1:  # more than its docstring
            found.add(path.relative_to(ROOT).as_posix())
    return found


def networks_of(campaign: str) -> set[str]:
    path = yaml.safe_load((PIPELINES[campaign] / "params.yaml").read_text())["campaign"]["networks"]
    if path.endswith(".py"):
        return {path.removesuffix(".py").replace("/", ".")}
    return {name for name in GRAPH.modules if name.startswith("srlib.networks.")}


def dependencies(campaign: str, stage: str) -> set[str]:
    path = yaml.safe_load((PIPELINES[campaign] / "params.yaml").read_text())["campaign"]["networks"]
    named = {dep.replace("${campaign.networks}", path) for dep in stages(campaign)[stage]["deps"]}
    return {dep for dep in named if dep.startswith(("srlib", "papers", "notebooks"))}


def missing(needed: set[str], named: set[str]) -> set[str]:
    return {path for path in needed if not any(Path(path).is_relative_to(dep) for dep in named)}


def needs(campaign: str) -> dict[str, set[str]]:
    """The files of code that each stage runs, but for those that run on all results."""
    return {
        stage: files(with_imports(used_modules(pipeline, stage), networks_of(campaign)))
        for stage in stages(campaign)
        if stage not in OF_ALL_RESULTS
    }


# One campaign for each choice of networks: the stages are the same in all.
@pytest.mark.parametrize("campaign", ["quick", "rdsrn", "benchmarks"])
def test_stages_depend_on_all_that_they_run(campaign: str) -> None:
    lacking = {
        s: missing(needed, dependencies(campaign, s)) for s, needed in needs(campaign).items()
    }
    assert {stage: paths for stage, paths in lacking.items() if paths} == {}


def test_stages_depend_on_no_code_that_they_do_not_run() -> None:
    shared = {"srlib/networks/blocks.py"}  # by networks
    for stage, needed in needs("quick").items():
        code = {dep for dep in dependencies("quick", stage) if (ROOT / dep).suffix == ".py"}
        assert code - needed <= shared, stage


def test_counting_depends_on_all_that_it_runs() -> None:
    needed = files(with_imports(used_modules(pipeline, "count"), networks_of("benchmarks")))
    assert missing(needed, dependencies("quick", "count")) == set()


def test_judging_depends_on_all_that_it_runs() -> None:
    needed = files(with_imports({"papers.ledger"}, networks_of("benchmarks")))
    assert missing(needed, dependencies("quick", "ledger")) == set()


def test_judging_depends_on_the_runs_of_every_campaign_but_the_quick_one() -> None:
    campaigns = {path.name for path in ROOT.glob("results/runs/*")} - {"quick"}
    runs = {dep for dep in stages("quick")["ledger"]["deps"] if dep.startswith("results/runs/")}
    assert runs == {f"results/runs/{campaign}" for campaign in campaigns}


@pytest.mark.parametrize(
    ("stage", "earlier"),
    [("ledger", "counts.csv"), ("render", "counts.csv"), ("render", "ledger.csv")],
)
def test_a_stage_waits_for_what_it_reads(stage: str, earlier: str) -> None:
    assert f"results/{earlier}" in stages("quick")[stage]["deps"]


def test_the_notebooks_depend_on_all_that_they_run() -> None:
    used = {"papers.cli"}
    for path in ROOT.glob("notebooks/*.ipynb"):
        for cell in yaml.safe_load(path.read_text())["cells"]:
            if cell["cell_type"] == "code":
                used |= imported("".join(cell["source"]))
    networks = networks_of("benchmarks")
    needed = files(with_imports(used, networks))
    assert missing(needed, dependencies("quick", "render")) == set()


def imported(source: str) -> set[str]:
    """The modules of the project that a notebook's cell imports."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom):
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return {str(name) for name in found} & set(GRAPH.modules)


def test_campaigns_have_the_stages_of_the_quick_run() -> None:
    quick = {name: stage for name, stage in stages("quick").items() if name not in OF_ALL_RESULTS}
    assert [name for name in PIPELINES if name != "quick" and stages(name) != quick] == []


def test_no_pipeline_is_a_link() -> None:
    """A checkout on Windows, or from an archive, has no links."""
    assert not any((folder / "dvc.yaml").is_symlink() for folder in PIPELINES.values())


def test_locks_have_no_stage_that_is_gone() -> None:
    locks = {name: folder / "dvc.lock" for name, folder in PIPELINES.items()}
    locked = {
        (campaign, stage.split("@")[0])
        for campaign, lock in locks.items()
        if lock.exists()  # a campaign that has not been run has none
        for stage in yaml.safe_load(lock.read_text())["stages"]
    }
    assert locked and {at for at in locked if at[1] not in stages(at[0])} == set()
