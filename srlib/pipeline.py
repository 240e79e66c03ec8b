"""The stages of ``dvc.yaml``, one function each; every path comes from the parameters.

Each takes the parameter file, reads what earlier stages wrote, writes its outputs whole, and
leaves a run record in ``runs/`` where the cost of a result is worth knowing.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from srlib import figures
from srlib.atomic import replacing
from srlib.config import Config, load_config
from srlib.datasets import manifest_digest, read_image
from srlib.evaluation import Method, evaluate, save_pictures, write_csv, write_result
from srlib.fetch import fetch
from srlib.imresize import imresize
from srlib.inference import upscale_array
from srlib.lr_check import lr_bytes
from srlib.official import load_official, official
from srlib.pack import pack
from srlib.protocols import variants
from srlib.provenance import RunRecord, file_sha256
from srlib.store import Store
from srlib.training import train
from srlib.weights import load_trained, state_sha256


def download(params: str) -> None:
    """Put every set of the campaign, verified image by image, below its data folder."""
    config = load_config(params)
    for name in dict.fromkeys(config.data.train + config.data.test):
        fetch(name, Path(config.campaign.data) / "sets")


def prepare(params: str, scale: int) -> None:
    """Decode the sets once, make the LR, and pack a store for training and one for tests."""
    config = load_config(params)
    for role, names in (("train", config.data.train), ("test", config.data.test)):
        if names:
            images = decoded(names, Path(config.campaign.data) / "sets")
            pack(images, _store(config, scale, role), scale, config.data.border)


def decoded(names: Iterable[str], folder: Path) -> Iterator[tuple[str, str, NDArray[np.uint8]]]:
    """(set, stem, HR) of every image of the sets that ``fetch`` put into a folder, in order."""
    for name in names:
        for path in sorted((folder / name / "HR").iterdir()):
            yield name, path.stem, read_image(path)


def train_stage(params: str, network: str, scale: int, seed: int) -> None:
    """Train one network; the same command goes on after any interruption."""
    config = load_config(params)
    if config.train is None:
        raise ValueError(f"{params}: train: this campaign trains nothing; add the block to train")
    record = RunRecord()
    folder = _folder(config.campaign.results, network, scale, seed)
    header, cost = train(
        network,
        _settings(config, network),
        scale,
        seed,
        config.train,
        Store(_store(config, scale, "train")),
        folder,
        test=Store(_store(config, scale, "test")),
    )
    _record(
        config,
        record,
        f"train-{network}-x{scale}-s{seed}",
        run=header["run"],
        steps=header["steps"],
        images_seen=header["steps"] * config.train.batch,
        device=config.train.device,
        cost=cost,
        weights_sha256=file_sha256(folder / "weights.safetensors"),
    )


def evaluate_stage(params: str, network: str, scale: int, seed: int) -> None:
    """Score one trained network on the campaign's test sets."""
    config = load_config(params)
    folder = _folder(config.campaign.results, network, scale, seed)
    method, facts = trained(config, folder / "weights.safetensors")
    _evaluate(config, method, facts, scale, folder, f"evaluate-{network}-x{scale}-s{seed}")


def reference(params: str, name: str, scale: int) -> None:
    """Score what needs no training here: "bicubic", or an entry of ``official.yaml``.

    "NAME-chop" takes the image in quarters (``srlib.inference.quarters``), as FDIWN's authors do.
    "hr" writes the pictures of the HR images alone.
    """
    config = load_config(params)
    folder = Path(config.campaign.results) / f"{name}-x{scale}"
    method: Method | None = None
    if name != "hr":
        method, facts = _reference(config, name, scale)
        _evaluate(config, method, facts, scale, folder, f"reference-{name}-x{scale}")
        table = variants(method, Store(_store(config, scale, "test")), config.data.test[0])
        write_csv(folder / "protocols.csv", table)
    store = Store(_store(config, scale, "test"))
    save_pictures(method, store, config.look.images, folder / "look")


def check_lr(params: str, out: str) -> None:
    """Compare our LR images with MATLAB's in the mirror; a difference is an error."""
    table = lr_bytes()
    write_csv(Path(load_config(params).campaign.results) / out, table)
    print(table.to_string(index=False))
    if table["differing"].sum():
        raise ValueError("srlib.imresize is not exact; see the table above")


def reconstruct(params: str, network: str, scale: int) -> None:
    """Keep a trained network's reconstructions of the pictures that ``look`` lists."""
    config = load_config(params)
    folder = _folder(config.campaign.results, network, scale, config.look.seed)
    method, _ = trained(config, folder / "weights.safetensors")
    store = Store(_store(config, scale, "test"))
    save_pictures(method, store, config.look.images, folder.parent / "look")


def summary(params: str) -> None:
    """Draw the first picture that ``look`` lists, by every method, as the campaign's figure."""
    config = load_config(params)
    figures.use_style()
    picture = config.look.images[0]
    figure = figures.crops(config.campaign.name, picture.stem, scale=config.matrix.scales[-1])
    with replacing(Path("figures") / f"{config.campaign.name}.png") as temporary:
        figure.savefig(temporary, format="png")


def trained(config: Config, weights: Path) -> tuple[Method, dict[str, Any]]:
    """A network as its weights file describes it, as a method, with what determined it."""
    module, header = load_trained(weights)
    facts = {
        "method": header["network"],
        "training": header,
        "weights": state_sha256(module.state_dict()),
    }
    return _method(config, module), facts


def _reference(config: Config, name: str, scale: int) -> tuple[Method, dict[str, Any]]:
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


def _method(config: Config, module: torch.nn.Module, chop: bool = False) -> Method:
    torch.set_num_threads(config.evaluate.threads)
    module = module.eval().to(config.evaluate.device)
    return lambda lr: upscale_array(module, lr, config.evaluate.device, chop)


def _evaluate(
    config: Config, method: Method, facts: dict[str, Any], scale: int, folder: Path, label: str
) -> None:
    record = RunRecord()
    facts = facts | {
        "scale": scale,
        "sets": list(config.data.test),
        "border": config.data.border,
        "data": Store(_store(config, scale, "test")).digest(),
        "manifests": manifest_digest(config.data.test),
        "device": config.evaluate.device,
        "torch": torch.__version__.split("+")[0],
    }
    images = evaluate(method, Store(_store(config, scale, "test")))
    run = write_result(folder, images, facts)
    for name, means in images.groupby("set", sort=False)[["psnr_y", "ssim_y"]].mean().iterrows():
        print(f"{label}  {name}: {means['psnr_y']:.3f} dB, SSIM {means['ssim_y']:.4f}  (run {run})")
    _record(config, record, label, run=run, weights=facts.get("weights"))


def _record(config: Config, record: RunRecord, label: str, **facts: Any) -> None:
    params = {"params": config.campaign.file, "params_sha256": file_sha256(config.campaign.file)}
    record.write(Path("runs") / config.campaign.name / f"{label}.json", **facts, **params)


def _settings(config: Config, network: str) -> dict[str, Any]:
    if network not in config.networks:
        raise ValueError(
            f"{config.campaign.file}: networks: no settings for {network!r}; there are "
            f"{', '.join(config.networks)}"
        )
    return config.networks[network]


def _store(config: Config, scale: int, role: str) -> Path:
    return Path(config.campaign.data) / f"x{scale}" / role


def _folder(results: str, network: str, scale: int, seed: int) -> Path:
    return Path(results) / f"{network}-x{scale}" / f"seed{seed}"
