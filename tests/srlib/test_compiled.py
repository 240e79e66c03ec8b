"""Engines: each gives what the network in PyTorch gives, on trained weights and a photograph."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor, nn

from srlib import load_official
from srlib.data.imresize import imresize
from srlib.data.registry import read_image
from srlib.engines import compiled, extras
from srlib.engines.compiled import EXACT, Engine, EngineError, compile, photograph
from srlib.engines.export import export_onnx
from srlib.evaluation.inference import upscale_array
from srlib.evaluation.metrics import score
from srlib.networks import create_network
from srlib.weights.files import WeightsError
from srlib.weights.official import official
from srlib.weights.pretrained import load_pretrained

PUBLISHED = [(name, scale) for name, entry in official().items() for scale in entry["files"]]
DEEP = ("fdiwn",)  # a minute to convert


def published(name: str, scale: int) -> nn.Module:
    try:
        return load_official(name, scale)
    except WeightsError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def photo() -> Tensor:
    lr, _ = photograph(4)
    return torch.from_numpy(lr).permute(2, 0, 1)[None] / 255


@torch.inference_mode()
def far(run: nn.Module, network: nn.Module, lr: Tensor) -> float:
    return float((run(lr) - network(lr)).abs().max())


def needs(engine: str) -> None:
    if engine != "torch":
        pytest.importorskip("onnxruntime", reason='pip install "srlib[onnx]"')
        pytest.importorskip(engine, reason=f'pip install "srlib[{engine}]"')


@pytest.mark.parametrize(("name", "scale"), PUBLISHED)
def test_channels_last_is_the_same_but_for_rounding(name, scale, photo) -> None:
    network = published(name, scale)
    # FDIWN, BSRN-S and SPANV2 are deeper or have larger values: their own rounding is as large
    most = 2e-6 if name in ("arfdn", "e-rfdn", "imdn", "rlfn", "bsrn", "span-28") else 5e-6
    assert far(compile(network, "torch"), network, photo) <= most


@pytest.mark.parametrize("engine", ["openvino", "onnxruntime"])
@pytest.mark.parametrize(("name", "scale"), [each for each in PUBLISHED if each[0] not in DEEP])
def test_engines_keep_their_promise_on_trained_weights(name, scale, engine, photo) -> None:
    needs(engine)
    network = published(name, scale)
    run = compile(network, engine)
    for part in (photo, photo[..., :33, :15], photo[:, :1, 5:20, 2:49]):
        assert far(run, network, part) <= EXACT


@pytest.fixture(scope="module")
def deepest(tmp_path_factory) -> tuple[nn.Module, Path]:
    """FDIWN and its ONNX file, which takes half a minute, once for both engines."""
    needs("onnxruntime")
    network = published("fdiwn", 4)
    path = tmp_path_factory.mktemp("deepest") / "network.onnx"
    export_onnx(network, path, {})
    return network, path


@pytest.mark.parametrize("engine", ["openvino", "onnxruntime"])
def test_engines_keep_their_promise_for_the_deepest(engine, deepest, photo, monkeypatch) -> None:
    needs(engine)
    network, path = deepest
    monkeypatch.setattr(compiled, "_exported", lambda *_: path)
    assert far(compile(network, engine), network, photo[..., :48, :40]) <= EXACT


@pytest.mark.parametrize("name", ["imdn", "arfdn", "rlfn"])
def test_f32_has_the_same_score_to_four_decimals(name, mirror) -> None:
    """Mean PSNR-Y of Set5, by every engine that is installed."""
    network, images = published(name, 4), []
    for path in sorted((mirror / "Set5" / "HR").iterdir()):
        hr = read_image(path)
        hr = hr[: hr.shape[0] // 4 * 4, : hr.shape[1] // 4 * 4]
        images.append((imresize(hr, 1 / 4, border="replicate"), hr))
    assert len(images) == 5

    def mean(run: nn.Module) -> float:
        return float(np.mean([score(upscale_array(run, lr), hr, 4)[0] for lr, hr in images]))

    engines: list[Engine] = ["torch"]
    if extras.installed("onnx") and extras.installed("onnxruntime"):
        engines.append("onnxruntime")
        if extras.installed("openvino"):
            engines.append("openvino")
    plain = mean(network)
    for engine in engines:
        assert abs(mean(compile(network, engine)) - plain) < 5e-5, engine


@pytest.mark.parametrize("engine", ["torch", "openvino"])
@pytest.mark.parametrize("name", ["arfdn", "imdn", "rlfn", "bsrn", "spanv2"])
def test_bf16_costs_a_little(name, engine) -> None:
    needs(engine)
    assert abs(compile(published(name, 4), engine, "bf16").loss) < 0.02


@pytest.mark.parametrize("name", ["arfdn", "e-rfdn", "imdn", "fdiwn"])
def test_tracked_scores_keep_their_printed_digits(name, mirror, root) -> None:
    network = compile(published(name, 4), "torch")
    tracked = pd.read_csv(root / f"results/benchmarks/{name}-x4/images.csv")
    tracked = tracked[tracked["set"] == "Set5"].set_index("image")
    for image in ("bird", "butterfly"):
        hr = read_image(next((mirror / "Set5").rglob(f"{image}.png")))
        hr = hr[: hr.shape[0] // 4 * 4, : hr.shape[1] // 4 * 4]
        lr = imresize(hr, 1 / 4, border="replicate")
        psnr, ssim = score(upscale_array(network, lr), hr, 4)
        before = (float(tracked["psnr_y"][image]), float(tracked["ssim_y"][image]))
        assert (f"{psnr:.2f}", f"{ssim:.4f}") == (f"{before[0]:.2f}", f"{before[1]:.4f}")


def test_auto_takes_the_quickest_that_is_exact(monkeypatch) -> None:
    needs("openvino")
    network = create_network("srcnn", 2)
    assert compile(network).engine == "openvino"
    monkeypatch.setattr(compiled, "_far", lambda *_: 1.0)
    assert compile(network).engine == "torch"


@pytest.fixture
def bsd400(mirror, monkeypatch) -> None:
    """Images to calibrate with, and what calibrates."""
    needs("openvino")
    pytest.importorskip("nncf", reason='pip install "srlib[int8]"')
    if not (mirror / "BSD400").is_dir():
        pytest.skip("no BSD400 in the image sets")
    monkeypatch.setenv("SRLIB_MIRROR", str(mirror))


@pytest.mark.usefixtures("bsd400")
@pytest.mark.parametrize(("name", "load"), [("imdn", load_official), ("rfdn", load_pretrained)])
def test_int8_loses_less_than_a_tenth_of_a_db(name, load, photo, capfd) -> None:
    try:
        network = load(name, 4)
    except WeightsError as error:
        pytest.skip(str(error))
    run = compile(network, "openvino", "int8")
    assert 1e-5 < abs(run.loss) < 0.1
    assert 1e-4 < far(run, network, photo) < 0.1, "it is in 8 bits, and still the picture"
    assert capfd.readouterr().out == "", "a picture may be written there"


def test_int8_is_refused_where_it_loses_more(monkeypatch) -> None:
    needs("openvino")
    pytest.importorskip("nncf", reason='pip install "srlib[int8]"')
    monkeypatch.setattr(compiled, "in_eight_bits", lambda network, model: model)
    monkeypatch.setattr(compiled, "loss_in_db", lambda *_: 0.3)
    with pytest.raises(EngineError, match=r"int8 loses 0\.30 dB on a photograph, .* take bf16"):
        compile(create_network("rfdn", 2, blocks=1), "openvino", "int8")
    with pytest.raises(EngineError, match="int8 is offered for AIDN, IMDN and RFDN alone"):
        compile(create_network("srcnn", 2), "openvino", "int8")
    with pytest.raises(EngineError, match="torch has no int8; take openvino"):
        compile(create_network("rfdn", 2, blocks=1), "torch", "int8")


def test_what_an_engine_cannot_do_is_said(monkeypatch) -> None:
    network = create_network("srcnn", 2)
    with pytest.raises(EngineError, match="onnxruntime has no bf16; take openvino"):
        compile(network, "onnxruntime", "bf16")
    with pytest.raises(EngineError, match="'tensorrt' is unknown; choose one of auto, torch"):
        compile(network, "tensorrt")  # type: ignore[arg-type]
    monkeypatch.setattr(extras, "installed", lambda package: False)
    with pytest.raises(
        ValueError, match=r'openvino needs openvino: pip install "srlib\[openvino\]"'
    ):
        compile(network, "openvino")


def test_the_network_itself_stays_as_it_was() -> None:
    network = create_network("fdiwn", 4, order=(0,))
    before = {name: each.stride() for name, each in network.state_dict().items()}
    x = torch.rand(1, 3, 9, 8)
    expected = network(x)
    compile(network, "torch")
    assert network.training
    assert network(x).equal(expected)
    assert {name: each.stride() for name, each in network.state_dict().items()} == before
