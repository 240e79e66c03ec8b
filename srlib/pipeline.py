"""The stages of ``dvc.yaml``: a function of this file for each, under the stage's name.

Each takes the parameter file, reads what earlier stages wrote, writes its outputs whole, and
leaves a record of the run where the cost of a result is worth knowing. Paths are relative to the
folder where one stands, for DVC the repository's root.
"""

import shutil
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from srlib.config import LARGEST_SEED, Config, Folder, Role, Tried, load_config
from srlib.data import download as sets
from srlib.data.imresize import imresize
from srlib.data.matlab import lr_bytes
from srlib.data.pack import pack
from srlib.data.packed import PackedImages
from srlib.data.registry import image_files, manifest_digest, read_image, three_channels
from srlib.doctor import grid as protocol_grid
from srlib.doctor.protocols import FIELD, PARTS, RECONSTRUCTION, Protocol, reconstructions
from srlib.evaluation import score
from srlib.evaluation.complexity import LR_720P, counts
from srlib.evaluation.inference import upscale_array
from srlib.evaluation.metrics import PROTOCOL
from srlib.files import write_csv
from srlib.networks import create_network, list_networks
from srlib.paths import Result, find, results
from srlib.paths import counts as counts_file
from srlib.provenance import RunRecord, add_commit, file_sha256, run_id
from srlib.training import loop
from srlib.training.devices import is_first
from srlib.training.replay import replay
from srlib.training.search import search as find_rate
from srlib.weights.files import load_trained, state_sha256
from srlib.weights.official import load_official, official

HERE = Path()
KEPT = Path(".cache/grid")  # parts of a grid that is not finished


def download(params: str) -> None:
    """Put every set of the campaign, verified image by image, below its data folder."""
    config = _load(params)
    for name in config.data.registered:
        sets.fetch(name, config.sets)


def prepare(params: str, scale: int) -> None:
    """Decode the sets once, make the LR, and pack the images by their role."""
    config = _load(params)
    for role, files in images_by_role(config).items():
        if files:
            pack(decoded(files), config.packed(scale, role), scale, config.data.border)


def _packed(config: Config, scale: int, role: Role) -> PackedImages:
    """The packed images of a role, made with the border that the parameters name."""
    store = PackedImages(config.packed(scale, role))
    if store.border != config.data.border:
        raise ValueError(
            f"{store.folder} was packed with border {store.border}, and data.border is "
            f"{config.data.border}; prepare it anew (`srlib prepare`)"
        )
    return store


def _load(params: str) -> Config:
    """The parameters, if they are of this file: a record must name the file that made a result."""
    config = load_config(params)
    if Path(config.campaign.file).resolve() != Path(params).resolve():
        raise ValueError(
            f"{params}: campaign.file: {config.campaign.file} is another file, seen from "
            f"{Path.cwd()}; name this one, and start from the repository's root"
        )
    return config


def images_by_role(config: Config) -> dict[Role, list[tuple[str, Path]]]:
    """Set and file of every image to train, to validate and to test on, in order.

    The images held out of a training set are evenly spaced in the order of their names.
    """
    kept, held_out = [], []
    for one, name in zip(config.data.train, config.data.train_names, strict=True):
        if isinstance(one, Folder):
            files = [(name, path) for _, path in sorted(image_files(one.folder).items())]
        else:
            files = list(images_of(name, config.sets))
        number = config.data.validation.get(name, 0)
        if number >= len(files):
            raise ValueError(
                f"data.validation: {name}: {number} of its {len(files)} images leave none to train "
                "on; hold out fewer"
            )
        places = {(2 * k + 1) * len(files) // (2 * number) for k in range(number)}
        held_out += [file for place, file in enumerate(files) if place in places]
        kept += [file for place, file in enumerate(files) if place not in places]
    test = [file for name in config.data.test for file in images_of(name, config.sets)]
    return {"train": kept, "validation": held_out, "test": test}


def decoded(files: Iterable[tuple[str, Path]]) -> Iterator[tuple[str, str, NDArray[np.uint8]]]:
    """(set, stem, HR) of image files with their sets."""
    for name, path in files:
        yield name, path.stem, read_image(path)


def images_of(name: str, folder: Path) -> Iterator[tuple[str, Path]]:
    """Set and file of every image of a set that ``fetch`` put into a folder, in order."""
    for path in sorted((folder / name / "HR").iterdir()):
        yield name, path


def train(params: str, network: str, scale: int, seed: int) -> None:
    """Train one network; the same command goes on after any interruption."""
    config = _load(params)
    if config.train is None:
        raise ValueError(f"{params}: train: this campaign trains nothing; add the block to train")
    settings = config.settings(network)
    if not 0 <= seed <= LARGEST_SEED:
        raise ValueError(f"--seed {seed}: expected a whole number between 0 and 2^63 - 1")
    record = RunRecord()
    result = Result(config.campaign.name, network, scale, seed)
    role: Role = "validation" if config.data.validation else "test"
    header, cost = loop.train(
        network,
        settings,
        scale,
        seed,
        config.train,
        _packed(config, scale, "train"),
        result.folder(HERE),
        validation=_packed(config, scale, role) if config.train.validate else None,
    )
    if not is_first():
        return
    _record(
        config,
        record,
        result,
        "train",
        run=header["run"],
        steps=header["steps"],
        images_seen=config.train.patches,
        device=config.train.device,
        cost=cost,
        weights_sha256=file_sha256(result.folder(HERE) / "weights.safetensors"),
    )


def search(params: str, network: str, scale: int, rate: float) -> None:
    """Train one network shortly at a multiple of the rates; scored on images held out."""
    config = _load(params)
    if config.train is None or config.search is None or not config.data.validation:
        raise ValueError(
            f"{params}: search: this campaign searches nothing; give it train, search and "
            "data.validation"
        )
    record = RunRecord()
    store, held_out = _packed(config, scale, "train"), _packed(config, scale, "validation")
    table = find_rate(
        network,
        config.settings(network),
        scale,
        config.search.seed,
        config.train,
        store,
        held_out,
        rate,
        config.search.fraction,
    )
    name = f"{network}-x{scale}-rate{rate:g}"
    path = results(HERE) / config.campaign.name / "search" / f"{name}.csv"
    write_csv(path, table.round({"psnr_y": 6}))
    facts = {"network": network, "settings": config.settings(network), "scale": scale}
    facts |= {"rate": rate, "search": asdict(config.search), "train": config.train.identity}
    facts |= {"data": store.digest(), "validation": held_out.digest()}
    record.write(
        results(HERE) / "runs" / config.campaign.name / f"search-{name}.json",
        run=run_id(facts),
        params=config.campaign.file,
        params_sha256=file_sha256(config.campaign.file),
        search_sha256=file_sha256(path),
    )


def evaluate(params: str, network: str, scale: int, seed: int) -> None:
    """Score one trained network on the campaign's test sets."""
    config = _load(params)
    result = Result(config.campaign.name, network, scale, seed)
    method, facts = _trained(config, result)
    _score(config, method, facts, result, "evaluate")


def reference(params: str, name: str, scale: int) -> None:
    """Score what needs no training here: "bicubic", or an entry of ``official.yaml``.

    "NAME-chop" takes the image in quarters (``inference.forward_chop``), as FDIWN's authors do.
    "hr" writes the pictures of the HR images alone.
    """
    config = _load(params)
    result = Result(config.campaign.name, name, scale)
    test = _packed(config, scale, "test")
    method: score.Method | None = None
    if name != "hr":
        method, facts = _reference(config, name, scale)
        _score(config, method, facts, result, "reference")
    _pictures(config, method, test, result)


def check_lr(params: str, out: str) -> None:
    """Compare our LR images with MATLAB's in the mirror; a difference is an error."""
    table = lr_bytes()
    write_csv(results(HERE) / _load(params).campaign.name / out, table)
    print(table.to_string(index=False))
    if table["differing"].sum():
        raise ValueError("srlib.imresize is not exact; see the table above")


def grid(params: str, out: str) -> None:
    """Score what ``protocols`` lists by every protocol; after an interruption the same goes on."""
    config = _load(params)
    record = RunRecord()
    torch.set_num_threads(config.evaluate.threads)
    parts = [
        _grid_part(config, record, tried, *place)
        for tried in config.protocols
        for place in product(tried.methods, tried.scales, tried.sets)
    ]
    path = results(HERE) / config.campaign.name / out
    write_csv(path, pd.concat(parts, ignore_index=True))
    facts: dict[str, Any] = {"protocols": [asdict(tried) for tried in config.protocols]}
    facts |= {"manifests": manifest_digest({s for t in config.protocols for s in t.sets})}
    facts |= {"device": config.evaluate.device, "torch": torch.__version__.split("+")[0]}
    record.write(
        results(HERE) / "runs" / config.campaign.name / path.with_suffix(".json").name,
        run=run_id(facts),
        params=config.campaign.file,
        params_sha256=file_sha256(config.campaign.file),
        grid_sha256=file_sha256(path),
    )
    shutil.rmtree(KEPT, ignore_errors=True)


def _grid_part(
    config: Config, record: RunRecord, tried: Tried, method: str, scale: int, name: str
) -> pd.DataFrame:
    """One method at one scale on one set; kept until the whole is written."""
    kept = KEPT / f"{record.git['commit']}-{method}-x{scale}-{name}.csv"
    if kept.exists() and not record.git["dirty"]:
        return protocol_grid.read(kept)
    if method == "bicubic":
        enlarge = protocol_grid.by_bicubic(scale)
    else:
        module = load_official(method, scale).to(config.evaluate.device)
        enlarge = protocol_grid.by_network(module, config.evaluate.device)
    files = [path for _, path in images_of(name, config.sets)]
    images = ((path.stem, three_channels(read_image(path))) for path in files)
    bar = tqdm(images, desc=f"{method} x{scale} {name}", total=len(files), disable=None)
    changed = [
        Protocol.of({part: choice}).reconstruction
        for choice in (() if tried.changed == "all" else tried.changed)
        for part in RECONSTRUCTION
        if choice in PARTS[part]
    ]
    places = reconstructions() if tried.changed == "all" else [FIELD.reconstruction, *changed]
    few = len(files) <= protocol_grid.FEW
    scores = protocol_grid.score_images(enlarge, bar, scale, places, few)
    table = protocol_grid.without_repeats(protocol_grid.over_images(scores))
    table = table.round({"psnr": 5, "ssim": 7})
    table.insert(0, "network", method)
    table.insert(1, "scale", scale)
    table.insert(2, "set", name)
    write_csv(kept, table)
    return table


def reconstruct(params: str, network: str, scale: int) -> None:
    """Keep a trained network's reconstructions of the images that ``pictures`` lists."""
    config = _load(params)
    result = Result(config.campaign.name, network, scale, config.pictures.seed)
    method, _ = _trained(config, result)
    _pictures(config, method, _packed(config, scale, "test"), result)


def accept(params: str) -> None:
    """Hold the present code against every tracked run; where it trains the same, DVC takes it.

    So a comment in the trainer costs the first steps of each run and not its days. The record of a
    run keeps the commit that made it and those that were accepted.

    Raises:
        TrainingError: a run's first losses are others now; names the run. Nothing is accepted.
        ValueError: code or parameters differ from the commit.
    """
    config = _load(params)
    if config.train is None:
        raise ValueError(
            f"{params}: train: this campaign trains nothing, so there is nothing to do"
        )
    commit = RunRecord().git["commit"]
    tracked = [
        (result, path)
        for result, path in find("train.csv", config.campaign.name, root=HERE)
        if result.method in config.matrix.networks and result.seed in config.matrix.seeds
    ]
    for result, path in tracked:
        store = PackedImages(config.packed(result.scale, "train"))
        settings = config.settings(result.method)
        now = replay(
            result.method, settings, result.scale, result.seed or 0, config.train, store, path
        )
        same = "the same" if now.exact else "close, as on another machine" if now.close else "other"
        print(
            f"{result.label} seed {result.seed}: loss of {now.steps} steps {now.tracked:.8f} "
            f"tracked, {now.now:.8f} now: {same}",
            flush=True,
        )
        if not now.close:
            raise loop.TrainingError(
                f"{result.label} seed {result.seed} trains otherwise now; undo the change, or "
                f"train it anew with `dvc repro {Path(params).with_name('dvc.yaml')}`"
            )
    for result, _ in tracked:
        stage = f"train@{result.method}-{result.scale}-{result.seed}"
        target = f"{Path(params).with_name('dvc.yaml')}:{stage}"
        subprocess.run(["dvc", "commit", "--quiet", "--force", target], check=True)
        add_commit(result.record("train", HERE), commit)


def _pictures(
    config: Config, method: score.Method | None, test: PackedImages, result: Result
) -> None:
    for picture in config.pictures.images:
        score.save_picture(method, test, picture, result.picture(picture.set, picture.stem, HERE))


def _trained(config: Config, result: Result) -> tuple[score.Method, dict[str, Any]]:
    """A network as its weights file describes it, as a method, with what determined it."""
    module, header = load_trained(result.folder(HERE) / "weights.safetensors")
    facts = {
        "method": header["network"],
        "training": header,
        "weights": state_sha256(module.state_dict()),
    }
    return _method(config, module), facts


def _reference(config: Config, name: str, scale: int) -> tuple[score.Method, dict[str, Any]]:
    if name == "bicubic":
        border = config.data.border
        return lambda lr: imresize(lr, scale, border=border), {"method": f"bicubic ({border})"}
    weights, chop = name.removesuffix("-chop"), name.endswith("-chop")
    if weights not in official():
        raise ValueError(
            f"matrix.references: {name!r} is neither bicubic, hr, nor one of {list(official())}, "
            "with or without '-chop' after it"
        )
    module = load_official(weights, scale)
    source = official()[weights]["files"][scale]["url"]
    facts = {"method": name, "source": source, "weights": state_sha256(module.state_dict())}
    return _method(config, module, chop), facts


def _method(config: Config, module: torch.nn.Module, chop: bool = False) -> score.Method:
    torch.set_num_threads(config.evaluate.threads)
    module = module.eval().to(config.evaluate.device)
    return lambda lr: upscale_array(module, lr, config.evaluate.device, chop)


def _score(
    config: Config, method: score.Method, facts: dict[str, Any], result: Result, stage: str
) -> None:
    record = RunRecord()
    test = _packed(config, result.scale, "test")
    facts = facts | {
        "scale": result.scale,
        "sets": list(config.data.test),
        "border": config.data.border,
        "data": test.digest(),
        "manifests": manifest_digest(config.data.test),
        "device": config.evaluate.device,
        "torch": torch.__version__.split("+")[0],
        "protocol": PROTOCOL,
    }
    run = run_id(facts)
    images = score.evaluate(method, test)
    score.write_result(result.folder(HERE), images)
    images_sha256 = file_sha256(result.folder(HERE) / "images.csv")
    for name, means in images.groupby("set", sort=False)[["psnr_y", "ssim_y"]].mean().iterrows():
        print(
            f"{result.label}  {name}: {means['psnr_y']:.3f} dB, SSIM {means['ssim_y']:.4f}  "
            f"(run {run})"
        )
    _record(
        config,
        record,
        result,
        stage,
        run=run,
        provenance=facts,
        weights=facts.get("weights"),
        images_sha256=images_sha256,
    )


def _record(
    config: Config,
    record: RunRecord,
    result: Result,
    stage: str,
    cost: dict[str, float | None] | None = None,
    **facts: Any,
) -> None:
    record.write(
        result.record(stage, HERE),
        cost,
        params=config.campaign.file,
        params_sha256=file_sha256(config.campaign.file),
        **facts,
    )


def count() -> None:
    """Count every network at every scale that it has: ``results/counts.csv``, of all campaigns."""
    rows = []
    for name, scale in product(list_networks(), LR_720P):
        try:
            with torch.device("meta"):
                network = create_network(name, scale)
        except ValueError:
            continue  # a network that its paper has at other scales only
        rows.append({"network": name, "scale": scale} | counts(network, scale))
    write_csv(counts_file(HERE), pd.DataFrame(rows))
