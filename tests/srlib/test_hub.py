"""The Hugging Face Hub, without a network: what is saved is what is loaded, and says what it is."""

import importlib
import json
import sys
from pathlib import Path
from unittest.mock import MagicMock

import numpy as np
import pytest
import torch
from PIL import Image

import srlib
from srlib.cli import main
from srlib.engines.extras import MissingExtra
from srlib.paths import Result
from srlib.weights.files import WeightsError

hf = pytest.importorskip("huggingface_hub", reason='pip install "srlib[hub]"')

from srlib import hub  # noqa: E402
from srlib.hub import HubNetwork  # noqa: E402

SMALL = {"blocks": 1, "channels": 8}


@pytest.fixture
def small() -> HubNetwork:
    torch.manual_seed(0)
    return HubNetwork("aidn", 3, SMALL).eval()


@pytest.fixture
def picture() -> Image.Image:
    rng = np.random.default_rng(0)
    return Image.fromarray(rng.integers(0, 256, (24, 30, 3), np.uint8))


@torch.inference_mode()
def difference(one: torch.nn.Module, other: torch.nn.Module) -> float:
    x = torch.rand(1, 3, 20, 22)
    return float((one(x) - other(x)).abs().max())


def test_what_is_loaded_is_what_was_saved(small: HubNetwork, tmp_path: Path) -> None:
    small.save_pretrained(tmp_path)
    loaded = HubNetwork.from_pretrained(tmp_path)
    assert (loaded.name, loaded.scale, loaded.settings) == ("aidn", 3, SMALL)
    assert not loaded.training and difference(small, loaded) == 0


def test_a_network_comes_from_the_hub(
    small: HubNetwork, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small.save_pretrained(tmp_path)
    asked = []

    def download(repo_id: str, filename: str, **_: object) -> str:
        asked.append((repo_id, filename))
        return str(tmp_path / filename)

    monkeypatch.setattr("huggingface_hub.hub_mixin.hf_hub_download", download)
    assert difference(small, HubNetwork.from_pretrained("user/name")) == 0
    assert asked == [("user/name", "config.json"), ("user/name", "model.safetensors")]


def test_what_is_pushed_is_weights_configuration_and_card(
    small: HubNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    pushed: dict[str, list[str]] = {}

    def upload(repo_id: str, folder_path: Path, **_: object) -> None:
        pushed[repo_id] = sorted(path.name for path in Path(folder_path).iterdir())

    api = MagicMock()
    api.create_repo.return_value.repo_id = "user/name"
    api.upload_folder.side_effect = upload
    monkeypatch.setattr("huggingface_hub.hub_mixin.HfApi", lambda **_: api)
    small.push_to_hub("user/name")
    assert pushed == {"user/name": ["README.md", "config.json", "model.safetensors"]}


def test_upscale_takes_it_as_the_network_that_it_holds(
    small: HubNetwork, picture: Image.Image
) -> None:
    for tile in (0, 16):  # tiles of AIDN are exact, which a wrapper must not hide
        ours = np.asarray(srlib.upscale(picture, small, tile))
        assert (ours == np.asarray(srlib.upscale(picture, small.original, tile))).all()
    assert ours.shape == (72, 90, 3)


def test_the_command_line_takes_the_saved_file(
    small: HubNetwork, picture: Image.Image, tmp_path: Path
) -> None:
    small.save_pretrained(tmp_path)
    picture.save(tmp_path / "in.png")
    weights, out = str(tmp_path / "model.safetensors"), tmp_path / "out.png"
    arguments = ["--weights", weights, "--network", "aidn", "--scale", "3"]
    assert main(["upscale", str(tmp_path / "in.png"), str(out), *arguments]) == 0
    with Image.open(out) as sr:
        assert (np.asarray(sr) == np.asarray(srlib.upscale(picture, small))).all()


def test_the_card_says_run_and_scores(tmp_path: Path) -> None:
    network = hub.trained("aidn", 4)
    assert difference(network, srlib.load_pretrained("aidn", 4)) == 0
    network.save_pretrained(tmp_path)
    card = (tmp_path / "README.md").read_text(encoding="utf-8")
    result = Result("aidn-wide", "aidn-aidb", 4, 0)
    record = json.loads(result.record("train").read_text())
    scores = json.loads((result.folder() / "metrics.json").read_text())["sets"]
    assert f"- run: {record['run']}" in card and f"- commit: {record['commit']}" in card
    for name, means in scores.items():
        assert f"| {name} | {means['psnr_y']:.2f} | {means['ssim_y']:.4f} |" in card
    data = hf.ModelCard.load(tmp_path / "README.md").data
    measured = {each.dataset_name: each.metric_value for each in data.eval_results[::2]}
    assert measured == {name: round(means["psnr_y"], 4) for name, means in scores.items()}
    assert (data.license, data.library_name) == ("mit", "srlib")


def test_weights_without_a_run_say_so(small: HubNetwork) -> None:
    assert "No record of a training run" in str(small.generate_model_card())


def test_a_folder_without_a_network_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"holds no network of srlib: expected a config\.json"):
        HubNetwork.from_pretrained(tmp_path)


def test_weights_of_another_network_are_named(small: HubNetwork, tmp_path: Path) -> None:
    small.save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {"settings": {}}))
    with pytest.raises(WeightsError, match="does not fit the network AIDN"):
        HubNetwork.from_pretrained(tmp_path)


def test_without_the_extra_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    monkeypatch.delitem(sys.modules, "srlib.hub")
    with pytest.raises(MissingExtra, match=r'pip install "srlib\[hub\]"'):
        importlib.import_module("srlib.hub")
