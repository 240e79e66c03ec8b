"""Parameter files: those of the repository load, and every mistake is named with file and key."""

import copy
import dataclasses
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from srlib.config import ConfigError, load_config

ROOT = Path(__file__).parents[2]
CAMPAIGNS = sorted(path.parent.name for path in ROOT.glob("campaigns/*/params.yaml"))
FILES = ["params.yaml", *(f"campaigns/{name}/params.yaml" for name in CAMPAIGNS)]
DELETE = object()

Changed = Callable[[str, Any], Path]


@pytest.fixture
def changed(tmp_path: Path) -> Changed:
    """A function that writes the root's params.yaml with one key changed, and returns the file."""

    def write(key: str, value: Any) -> Path:
        parameters = copy.deepcopy(yaml.safe_load((ROOT / "params.yaml").read_text()))
        *parents, last = key.split(".")
        node = parameters
        for part in parents:
            node = node[int(part)] if isinstance(node, list) else node[part]
        if value is DELETE:
            del node[last]
        else:
            node[int(last) if isinstance(node, list) else last] = value
        path = tmp_path / "changed.yaml"
        path.write_text(yaml.safe_dump(parameters))
        return path

    return write


def named(path: Path, key: str, what: str = "") -> str:
    """A pattern of a message that names file, key and mistake."""
    return f"{re.escape(f'{path}: {key}')}.*{what}"


# --- the repository's files -------------------------------------------------------------------


@pytest.mark.parametrize("file", FILES)
def test_a_file_of_the_repository_loads_and_names_itself_and_the_root(file: str) -> None:
    campaign = load_config(ROOT / file).campaign
    assert campaign.file == file
    assert ((ROOT / file).parent / campaign.root).resolve() == ROOT.resolve()


def test_no_two_campaigns_have_one_name() -> None:
    names = [load_config(ROOT / file).campaign.name for file in FILES]
    assert sorted(set(names)) == sorted(names)


def test_a_configuration_is_frozen() -> None:
    config = load_config(ROOT / "params.yaml")
    with pytest.raises(dataclasses.FrozenInstanceError, match="pictures"):
        config.pictures = None  # type: ignore[misc, assignment]


def test_a_part_of_a_configuration_is_frozen() -> None:
    stage = load_config(ROOT / "params.yaml").train.stages[0]  # type: ignore[union-attr]
    with pytest.raises(dataclasses.FrozenInstanceError, match="steps"):
        stage.steps = 1  # type: ignore[misc]


# --- mistakes ---------------------------------------------------------------------------------

# The key that is changed, its new value, and what must be said of it behind the file's name.
MISTAKES: dict[str, list[tuple[str, object, str]]] = {
    "unknown keys": [
        ("nonsense", 1, "nonsense: this key is unknown"),
        ("train.nonsense", 1, "train.nonsense: this key is unknown"),
        ("train.stages.1.nonsense", 1, "train.stages.1.nonsense: this key is unknown"),
        ("pictures.images.0.nonsense", 1, "pictures.images.0.nonsense: this key is unknown"),
    ],
    "missing keys": [
        ("pictures", DELETE, "pictures: this key is missing"),
        ("train.batch", DELETE, "train.batch: this key is missing"),
        ("campaign.networks", DELETE, "campaign.networks: this key is missing"),
        ("matrix.scales", DELETE, "matrix.scales: this key is missing"),
    ],
    "a search without its images": [
        ("matrix.rates", [1.0], "matrix.rates: there is no search, or nothing in data.validation"),
    ],
    "wrong types": [
        ("train.compile", "yes", "train.compile"),
        ("train.compile", 1, "train.compile"),
        ("train.batch", 8.5, "train.batch"),
        ("train.batch", 8.0, "train.batch"),
        ("train.batch", "8", "train.batch"),
        ("train.batch", True, "train.batch"),
        ("train.batch", None, "train.batch"),
        ("train.ema", "0.9", "train.ema"),
        ("train.stages", "l1", "train.stages"),
        ("train.stages.0.lr", True, "train.stages.0.lr"),
        ("train.device", 1, "train.device"),
        ("campaign.name", 1, "campaign.name"),
        ("matrix.networks", "aidn", "matrix.networks"),
        ("matrix.seeds.0", 0.5, "matrix.seeds.0"),
        ("networks.aidn-fdc", None, "networks.aidn-fdc"),
        ("pictures.images.0.crop", [0, 0, 8], "pictures.images.0.crop"),
    ],
    "impossible values": [
        ("train.batch", 0, "train.batch"),
        ("train.patch", -64, "train.patch"),
        ("train.threads", 0, "train.threads"),
        ("train.log_every", 0, "train.log_every"),
        ("train.checkpoint_every", 0, "train.checkpoint_every"),
        ("train.max_minutes", -1, "train.max_minutes"),
        ("train.ema", 1.0, "train.ema"),
        ("train.ema", float("nan"), "train.ema"),
        ("train.stages", [], "train.stages"),
        ("train.stages.0.steps", 0, "train.stages.0.steps"),
        ("train.stages.0.lr", 0, "train.stages.0.lr"),
        ("train.stages.0.lr", 1.5, "train.stages.0.lr"),
        ("train.stages.0.lr", float("nan"), "train.stages.0.lr"),
        ("train.stages.0.lr_end", -1e-6, "train.stages.0.lr_end"),
        ("train.stages.0.warmup", -1, "train.stages.0.warmup"),
        ("train.stages.0.loss", "l3", "train.stages.0.loss"),
        ("train.device", "gpu", "train.device"),
        ("train.precision", "float16", "train.precision"),
        ("data.border", "wrap", "data.border"),
        ("data.test", [], "data.test"),
        ("matrix.scales", [], "matrix.scales"),
        ("evaluate.device", "gpu", "evaluate.device"),
    ],
    "what does not go together": [
        ("train.patch", 59, "train.patch: 59 HR pixels at the scale 4"),
        ("matrix.scales", [0], "train.patch: 96 HR pixels at the scale 0"),
        ("train.checkpoint_every", 75, "train.checkpoint_every: 75 is not a multiple"),
        ("train.stages.0.lr_end", 0.5, "train.stages: "),
        ("train.stages.0.warmup", 800, "train.stages: "),
        ("matrix.networks", ["nonsense"], "networks: no settings for 'nonsense'"),
        ("networks.aidn-fdc.nonsense", 1, "networks.aidn-fdc: "),
        ("networks.aidn-fdc.blocks", 0, "networks.aidn-fdc: blocks=0"),
        ("networks.aidn-fdc.blocks", "6", "networks.aidn-fdc: "),
        ("networks.aidn-fdc.channels", 0, "networks.aidn-fdc: blocks=6"),
        ("networks.aidn-fdc.channels", -1, "networks.aidn-fdc: blocks=6"),
        ("train", None, "train, data.train and matrix.seeds must be there"),
        ("data.train", [], "train, data.train and matrix.seeds must be there"),
        ("train.validate", {"set": "Set5", "every": 100}, "train.validate.set: Set5"),
    ],
}


@pytest.mark.parametrize("kind", MISTAKES)
def test_every_mistake_is_named_with_file_and_key(changed: Changed, kind: str) -> None:
    def is_named(key: str, value: object, what: str) -> bool:
        path = changed(key, value)
        try:
            load_config(path)
        except ConfigError as error:
            return f"{path}: {what}" in str(error)
        return False

    assert [mistake for mistake in MISTAKES[kind] if not is_named(*mistake)] == []


def test_every_mistake_is_named_at_once(changed: Changed) -> None:
    path = changed("train", {"batch": 0, "patch": "64"})
    with pytest.raises(ConfigError, match=r"(?s)train\.batch: .*\n.*train\.patch: "):
        load_config(path)


def test_a_number_that_yaml_takes_for_text_is_named(tmp_path: Path) -> None:
    path = tmp_path / "text.yaml"
    text = (ROOT / "params.yaml").read_text()
    path.write_text(text.replace("lr: 1.0e-3", "lr: 1e-3"))
    expected = named(path, "train.stages.0.lr: ", "a valid number, got '1e-3'")
    with pytest.raises(ConfigError, match=expected):
        load_config(path)


@pytest.mark.parametrize("text", ["", "- a list", "only words"])
def test_a_file_without_keys_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "empty.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=named(path, "(top level): ")):
        load_config(path)


@pytest.mark.parametrize("text", ["train: [", "a: b: c", "\ttrain: 1", "train: *unknown"])
def test_a_file_that_is_no_yaml_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=f"{re.escape(str(path))} is not valid YAML: "):
        load_config(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.yaml does not exist; give a campaign's file"):
        load_config(tmp_path / "nowhere.yaml")
