"""A page a run: what made it, how to make it again, its curve, its images' scores, who uses it."""

from collections import defaultdict
from collections.abc import Iterator
from html import escape
from pathlib import Path

import pandas as pd
import yaml
from matplotlib import pyplot as plt

from papers.ledger import ledger
from papers.site.html import anchor, facts, link, table
from srlib.paths import ROOT
from srlib.runs import Run, runs, scored
from srlib.runs import facts as told


def pages(folder: Path, root: Path = ROOT) -> dict[str, str]:
    """Write the curves into ``folder`` and return the pages: name -> Markdown."""
    found: dict[str, list[Run]] = defaultdict(list)
    for run in runs(root):
        found[run.id].append(run)
    scored = _trained_settings(root)
    claims = ledger(root=root)
    out = {}
    for id, same in found.items():
        using = claims[claims["runs"].str.split().map(lambda ids, id=id: id in ids)]
        out[f"runs/{id}"] = "\n\n".join(_page(same, scored.get(id), using, folder, root))
    out["runs/index"] = _index(found)
    return out


def _page(
    same: list[Run], settings: dict | None, using: pd.DataFrame, folder: Path, root: Path
) -> Iterator[str]:
    run = same[0]
    yield f"# Run {run.id}\n\n{run.title}."
    lines = {name: escape(text) for name, text in told(run, root).items()}
    lines["again"] = f"<code>{lines['again']}</code>"
    if len(same) > 1:
        lines["also"] = "<br>".join(escape(other.path.as_posix()) for other in same[1:])
    yield facts(lines)
    if run.stage == "train" and run.result and (run.result.folder(root) / "train.csv").is_file():
        name = f"{run.id}.svg"
        _curve(run, folder / name, root)
        yield f"## Curve\n\n![Loss and validation score of run {run.id} by step]({name})"
    if settings:
        yield "## Settings\n\n```yaml\n" + yaml.safe_dump(settings, sort_keys=False) + "```"
    if run.result and run.scores(root):
        images = pd.read_csv(run.result.folder(root) / "images.csv")
        columns = {"set": "set", "image": "image", "psnr_y": "PSNR-Y, dB", "ssim_y": "SSIM-Y"}
        yield "## Its images\n\n" + table(
            images.to_dict("records"), columns, "Scores of each image", filters=["set"]
        )
    if len(using):
        yield "## Claims that rest on it\n\n" + "\n".join(
            f"- {one['verdict']}: {link(one['says'], '../ledger.html#' + anchor(one['id']))}"
            for one in using.to_dict("records")
        )


def _index(found: dict[str, list[Run]]) -> str:
    rows = [
        {
            "id": f'<a href="{id}.html">{id}</a>',
            "stage": same[0].stage,
            "what": escape(same[0].title),
            "minutes": same[0].record["seconds"] / 60,
            "started": same[0].record["started"][:10],
        }
        for id, same in found.items()
    ]
    columns = {name: name for name in ("id", "stage", "what", "minutes", "started")}
    listed = table(rows, columns, "All runs", filters=["stage"], order=("started", "desc"))
    hidden = "\n".join(sorted(found))
    return (
        "# Runs\n\nEvery number that was measured names the run that made it by ten digits. In a "
        f"terminal, `srlib run HASH` tells the same.\n\n{listed}\n\n"
        f"```{{toctree}}\n:hidden:\n\n{hidden}\n```"
    )


def _trained_settings(root: Path) -> dict[str, dict]:
    """What each training was run with, as the scores of its weights tell it: run -> settings."""
    out = {}
    for each in scored(root=root):
        training = each.provenance.get("training")
        if training:
            out[training["run"]] = {key: training[key] for key in training if key != "run"}
    return out


def _curve(run: Run, path: Path, root: Path) -> None:
    assert run.result is not None
    log = pd.read_csv(run.result.folder(root) / "train.csv")
    scores = run.result.folder(root) / "validation.csv"
    figure, axes = plt.subplots(1, 2, figsize=(8, 2.6), layout="constrained")
    for kind, part in log.groupby("kind", sort=False):
        axes[0].plot(part["step"], part["loss"], label=str(kind))
    axes[0].set(xlabel="step", ylabel="loss", yscale="log")
    axes[0].legend()
    validated = pd.read_csv(scores) if scores.is_file() else pd.DataFrame()
    if len(validated):
        for name, part in validated.groupby("set", sort=False):
            axes[1].plot(part["step"], part["psnr_y"], label=str(name))
        axes[1].set(xlabel="step", ylabel="PSNR-Y, dB")
        axes[1].legend()
    else:
        axes[1].remove()
    figure.savefig(path)
    plt.close(figure)
