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
def test_a_file_of_the_repository_loads(file: str) -> None:
    load_config(ROOT / file)


@pytest.mark.parametrize("file", FILES)
def test_a_file_names_itself(file: str) -> None:
    assert load_config(ROOT / file).campaign.file == file


@pytest.mark.parametrize("file", FILES)
def test_root_is_the_root_from_where_the_file_is(file: str) -> None:
    folder = (ROOT / file).parent
    assert (folder / load_config(ROOT / file).campaign.root).resolve() == ROOT.resolve()


def test_no_two_campaigns_have_one_name() -> None:
    names = [load_config(ROOT / file).campaign.name for file in FILES]
    assert sorted(set(names)) == sorted(names)


def test_values_come_through() -> None:
    config = load_config(ROOT / "params.yaml")
    raw = yaml.safe_load((ROOT / "params.yaml").read_text())
    assert config.train is not None
    assert config.train.steps == sum(stage["steps"] for stage in raw["train"]["stages"])


def test_a_configuration_is_frozen() -> None:
    config = load_config(ROOT / "params.yaml")
    with pytest.raises(dataclasses.FrozenInstanceError, match="pictures"):
        config.pictures = None  # type: ignore[misc, assignment]


def test_a_part_of_a_configuration_is_frozen() -> None:
    stage = load_config(ROOT / "params.yaml").train.stages[0]  # type: ignore[union-attr]
    with pytest.raises(dataclasses.FrozenInstanceError, match="steps"):
        stage.steps = 1  # type: ignore[misc]


# --- mistakes ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "key", ["nonsense", "train.nonsense", "train.stages.1.nonsense", "pictures.images.0.nonsense"]
)
def test_an_unknown_key_is_named(changed: Changed, key: str) -> None:
    path = changed(key, 1)
    with pytest.raises(ConfigError, match=named(path, key, "this key is unknown")):
        load_config(path)


@pytest.mark.parametrize("key", ["pictures", "train.batch", "campaign.networks", "matrix.scales"])
def test_a_missing_key_is_named(changed: Changed, key: str) -> None:
    path = changed(key, DELETE)
    with pytest.raises(ConfigError, match=named(path, key, "this key is missing")):
        load_config(path)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("train.compile", "yes"),
        ("train.compile", 1),
        ("train.batch", 8.5),
        ("train.batch", 8.0),
        ("train.batch", "8"),
        ("train.batch", True),
        ("train.batch", None),
        ("train.ema", "0.9"),
        ("train.stages", "l1"),
        ("train.stages.0.lr", True),
        ("train.device", 1),
        ("campaign.name", 1),
        ("matrix.networks", "aidn"),
        ("matrix.seeds.0", 0.5),
        ("networks.aidn-fdc", None),
        ("pictures.images.0.crop", [0, 0, 8]),
    ],
)
def test_a_wrong_type_is_named(changed: Changed, key: str, value: object) -> None:
    path = changed(key, value)
    with pytest.raises(ConfigError, match=named(path, key)):
        load_config(path)


def test_a_set_to_validate_on_that_is_no_test_set_is_named(changed: Changed) -> None:
    path = changed("train.validate", {"set": "Set5", "every": 100})
    with pytest.raises(ConfigError, match=named(path, "train.validate.set", "Set5")):
        load_config(path)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("train.batch", 0),
        ("train.patch", -64),
        ("train.threads", 0),
        ("train.log_every", 0),
        ("train.checkpoint_every", 0),
        ("train.max_minutes", -1),
        ("train.ema", 1.0),
        ("train.ema", float("nan")),
        ("train.stages", []),
        ("train.stages.0.steps", 0),
        ("train.stages.0.lr", 0),
        ("train.stages.0.lr", 1.5),
        ("train.stages.0.lr", float("nan")),
        ("train.stages.0.lr_end", -1e-6),
        ("train.stages.0.warmup", -1),
        ("train.stages.0.loss", "l3"),
        ("train.device", "gpu"),
        ("train.precision", "float16"),
        ("data.border", "wrap"),
        ("data.test", []),
        ("matrix.scales", []),
        ("evaluate.device", "gpu"),
    ],
)
def test_an_impossible_value_is_named(changed: Changed, key: str, value: object) -> None:
    path = changed(key, value)
    with pytest.raises(ConfigError, match=named(path, key)):
        load_config(path)


@pytest.mark.parametrize(
    ("key", "value", "blamed"),
    [
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
    ],
)
def test_values_that_do_not_go_together_are_named(
    changed: Changed, key: str, value: object, blamed: str
) -> None:
    path = changed(key, value)
    with pytest.raises(ConfigError, match=named(path, blamed)):
        load_config(path)


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
