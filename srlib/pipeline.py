"""The stages of ``dvc.yaml``: a function of this file for each, under the stage's name.

Each takes the parameter file, reads what earlier stages wrote, writes its outputs whole, and
leaves a record of the run where the cost of a result is worth knowing. Paths are relative to the
folder where one stands, for DVC the repository's root.
"""

from collections.abc import Iterable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from srlib.config import Config, Role, load_config
from srlib.data import download as sets
from srlib.data.imresize import imresize
from srlib.data.matlab import lr_bytes
from srlib.data.pack import pack
from srlib.data.packed import Store
from srlib.data.registry import manifest_digest, read_image
from srlib.evaluation import score
from srlib.evaluation.complexity import LR_720P, counts
from srlib.evaluation.inference import upscale_array
from srlib.evaluation.protocols import variants
from srlib.files import write_csv
from srlib.networks import create_network, list_networks
from srlib.paths import Result, results
from srlib.paths import counts as counts_file
from srlib.provenance import RunRecord, file_sha256
from srlib.training import loop
from srlib.training.devices import is_first
from srlib.weights.files import load_trained, state_sha256
from srlib.weights.official import load_official, official

HERE = Path()


def download(params: str) -> None:
    """Put every set of the campaign, verified image by image, below its data folder."""
    config = load_config(params)
    for name in dict.fromkeys(config.data.train + config.data.test):
        sets.fetch(name, config.sets)


def prepare(params: str, scale: int) -> None:
    """Decode the sets once, make the LR, and pack the images by their role."""
    config = load_config(params)
    for role, files in images_by_role(config).items():
        if files:
            pack(decoded(files), config.packed(scale, role), scale, config.data.border)


def images_by_role(config: Config) -> dict[Role, list[tuple[str, Path]]]:
    """Set and file of every image to train, to validate and to test on, in order.

    Held out of a training set are images evenly spaced in the order of their names.
    """
    kept, held_out = [], []
    for name in config.data.train:
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
    config = load_config(params)
    if config.train is None:
        raise ValueError(f"{params}: train: this campaign trains nothing; add the block to train")
    settings = config.settings(network)
    record = RunRecord()
    result = Result(config.campaign.name, network, scale, seed)
    role: Role = "validation" if config.data.validation else "test"
    header, cost = loop.train(
        network,
        settings,
        scale,
        seed,
        config.train,
        Store(config.packed(scale, "train")),
        result.folder(HERE),
        validation=Store(config.packed(scale, role)) if config.train.validate else None,
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
        images_seen=header["steps"] * config.train.batch,
        device=config.train.device,
        cost=cost,
        weights_sha256=file_sha256(result.folder(HERE) / "weights.safetensors"),
    )


def evaluate(params: str, network: str, scale: int, seed: int) -> None:
    """Score one trained network on the campaign's test sets."""
    config = load_config(params)
    result = Result(config.campaign.name, network, scale, seed)
    method, facts = _trained(config, result)
    _score(config, method, facts, result, "evaluate")


def reference(params: str, name: str, scale: int) -> None:
    """Score what needs no training here: "bicubic", or an entry of ``official.yaml``.

    "NAME-chop" takes the image in quarters (``inference.quarters``), as FDIWN's authors do.
    "hr" writes the pictures of the HR images alone.
    """
    config = load_config(params)
    result = Result(config.campaign.name, name, scale)
    test = Store(config.packed(scale, "test"))
    method: score.Method | None = None
    if name != "hr":
        method, facts = _reference(config, name, scale)
        _score(config, method, facts, result, "reference")
        table = variants(method, test, config.data.test[0])
        write_csv(result.folder(HERE) / "protocols.csv", table)
    _pictures(config, method, test, result)


def check_lr(params: str, out: str) -> None:
    """Compare our LR images with MATLAB's in the mirror; a difference is an error."""
    table = lr_bytes()
    write_csv(results(HERE) / load_config(params).campaign.name / out, table)
    print(table.to_string(index=False))
    if table["differing"].sum():
        raise ValueError("srlib.imresize is not exact; see the table above")


def reconstruct(params: str, network: str, scale: int) -> None:
    """Keep a trained network's reconstructions of the images that ``pictures`` lists."""
    config = load_config(params)
    result = Result(config.campaign.name, network, scale, config.pictures.seed)
    method, _ = _trained(config, result)
    _pictures(config, method, Store(config.packed(scale, "test")), result)


def _pictures(config: Config, method: score.Method | None, test: Store, result: Result) -> None:
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
    test = Store(config.packed(result.scale, "test"))
    facts = facts | {
        "scale": result.scale,
        "sets": list(config.data.test),
        "border": config.data.border,
        "data": test.digest(),
        "manifests": manifest_digest(config.data.test),
        "device": config.evaluate.device,
        "torch": torch.__version__.split("+")[0],
    }
    images = score.evaluate(method, test)
    run = score.write_result(result.folder(HERE), images, facts)
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
