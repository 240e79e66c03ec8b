"""One network, several engines: ``compile`` gives what ``forward`` takes in the network's place."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np
import skimage.data
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from srlib.data.imresize import imresize
from srlib.engines.export import INPUT, OUTPUT, ExportError, export_onnx, for_inference
from srlib.engines.extras import installed, need
from srlib.engines.int8 import LARGEST_LOSS, OFFERED, in_eight_bits
from srlib.evaluation.inference import unwrapped, upscale_array
from srlib.evaluation.metrics import score
from srlib.networks.blocks import as_rgb

Engine = Literal["auto", "torch", "openvino", "onnxruntime"]
Precision = Literal["f32", "bf16", "int8"]
ENGINES = ("auto", "torch", "openvino", "onnxruntime")
PRECISIONS = ("f32", "bf16", "int8")
QUICKEST = ("openvino", "onnxruntime", "torch")  # benchmarks/inference.py
EXACT = 1e-5  # of the range 0..1: the most by which an engine in f32 may differ from PyTorch

Run = Callable[[Tensor], Tensor]


class EngineError(ValueError):
    """An engine that cannot run this network as asked; says why, and what to ask for instead."""


class TooLossy(EngineError):
    """int8 that is not offered: ``loss`` is the dB of PSNR-Y that it loses on a photograph."""

    def __init__(self, loss: float) -> None:
        super().__init__(
            f"int8 loses {loss:.2f} dB on a photograph, {LARGEST_LOSS} or more; take bf16"
        )
        self.loss = loss


class Compiled(nn.Module):
    """A network as an engine runs it, called as the network is.

    Attributes:
        scale, min_size: the network's.
        original: the network itself.
        engine, precision: what runs it.
        loss: dB of PSNR-Y by which bf16 or int8 is below f32 on an embedded photograph; 0 for f32.
    """

    def __init__(self, original: nn.Module, engine: str, precision: Precision, run: Run) -> None:
        super().__init__()
        self.original = original
        self.scale = int(original.scale)  # type: ignore[arg-type]
        self.min_size = int(original.min_size)  # type: ignore[arg-type]
        self.engine = engine
        self.precision = precision
        self.loss = 0.0
        self._run = run

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3 or 1, H, W) -> (N, 3, scale*H, scale*W), float32, as the network."""
        return self._run(as_rgb(x.float(), self.min_size))


def compile(network: nn.Module, engine: Engine = "auto", precision: Precision = "f32") -> Compiled:
    """A network made ready to enlarge many pictures, by the engine that is asked for.

    Args:
        network: as from ``load_official``; it stays as it was. On a GPU the engine is "torch".
        engine: "torch" is at once ready; "openvino" and "onnxruntime" are quicker, and take seconds
            to convert the network (a minute for FDIWN). "auto" is the quickest that is installed
            and exact. All take as many threads as PyTorch has.
        precision: "f32" is within ``EXACT`` of the network in PyTorch; of "openvino" and
            "onnxruntime" that is tried on a photograph here. "bf16" costs a few thousandths of
            a dB, which are measured here too (``Compiled.loss``); "onnxruntime" has none. "int8"
            is for AIDN, IMDN and RFDN by "openvino" (``srlib.engines.int8``): the rest of the
            network in bf16, calibrated on BSD400, which is fetched; it is refused where it loses
            ``LARGEST_LOSS`` or more.

    Raises:
        MissingExtra: the engine is not installed.
        EngineError: it cannot run this network, or not with this precision or device, or gives
            another result.
    """
    check(engine, precision, _device(network))
    if precision == "int8" and engine == "auto":
        engine = "openvino"
    if engine != "auto":
        return _compiled(network, engine, precision)
    on_cpu = _device(network) == "cpu"
    for each in QUICKEST[:-1]:
        if on_cpu and installed(each) and installed("onnx") and installed("onnxruntime"):
            try:
                return _compiled(network, each, precision)
            except (EngineError, ExportError):  # the next one
                continue
    return _compiled(network, "torch", precision)


def check(engine: str, precision: str, device: str = "cpu") -> None:
    """Refuse what can run no network, before any work; raises what ``compile`` does."""
    if engine not in ENGINES:
        raise EngineError(f"engine {engine!r} is unknown; choose one of {', '.join(ENGINES)}")
    if precision not in PRECISIONS:
        raise EngineError(f"precision {precision!r} is unknown; choose one of {PRECISIONS}")
    if precision == "int8":
        if engine == "torch":
            raise EngineError("--engine torch has no int8; take openvino")
        need("nncf", "int8", "--precision int8")
    if engine in ("auto", "torch"):
        return
    if device != "cpu":
        raise EngineError(f"--engine {engine} runs on the CPU, not on {device}; take torch")
    if engine == "onnxruntime" and precision != "f32":
        raise EngineError(f"--engine onnxruntime has no {precision}; take openvino")
    need(engine, "openvino" if engine == "openvino" else "onnx", f"--engine {engine}")


def _compiled(network: nn.Module, engine: str, precision: Precision) -> Compiled:
    check(engine, precision, _device(network))
    if precision == "int8" and not isinstance(unwrapped(network), OFFERED):
        raise EngineError("int8 is offered for AIDN, IMDN and RFDN alone; take bf16")
    run = {"torch": _torch, "openvino": _openvino, "onnxruntime": _onnxruntime}[engine]
    compiled = Compiled(network, engine, precision, run(network, precision))
    if precision != "f32":
        compiled.loss = loss_in_db(network, compiled)
        if precision == "int8" and not compiled.loss < LARGEST_LOSS:
            raise TooLossy(compiled.loss)
    elif engine != "torch" and not (far := _far(network, compiled)) <= EXACT:
        raise EngineError(
            f"--engine {engine} differs from the network in PyTorch by {far:.1g} on a photograph, "
            f"more than {EXACT:.0e}; take torch"
        )
    return compiled


def _torch(network: nn.Module, precision: Precision) -> Run:
    """PyTorch's own kernels on channels-last weights and features, which are quicker on a CPU."""
    device = _device(network)
    ready = for_inference(network).to(memory_format=torch.channels_last).to(device)  # type: ignore[call-overload]

    def run(lr: Tensor) -> Tensor:
        half = torch.autocast(
            torch.device(device).type, torch.bfloat16, enabled=precision == "bf16"
        )
        with half:
            return ready(lr.contiguous(memory_format=torch.channels_last)).float()

    return run


def _onnxruntime(network: nn.Module, precision: Precision) -> Run:
    onnxruntime = need("onnxruntime", "onnx", "--engine onnxruntime")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 4
    with tempfile.TemporaryDirectory() as folder:
        session = onnxruntime.InferenceSession(
            str(_exported(network, folder)), options, providers=["CPUExecutionProvider"]
        )
    return _each(lambda lr: session.run([OUTPUT], {INPUT: lr})[0])


def _openvino(network: nn.Module, precision: Precision) -> Run:
    openvino = need("openvino", "openvino", "--engine openvino")
    with tempfile.TemporaryDirectory() as folder:
        model = openvino.Core().read_model(_exported(network, folder))
        if precision == "int8":
            model = in_eight_bits(network, model)
        settings = {
            "INFERENCE_PRECISION_HINT": "f32" if precision == "f32" else "bf16",
            "INFERENCE_NUM_THREADS": torch.get_num_threads(),
        }
        model = openvino.compile_model(model, "CPU", settings)
    return _each(lambda lr: model(lr)[0].copy())  # the engine writes its next result in its place


def _exported(network: nn.Module, folder: str) -> Path:
    path = Path(folder) / "network.onnx"
    export_onnx(network, path, {})
    return path


def _each(run: Callable[[NDArray], NDArray]) -> Run:
    """Exported networks take one image at a time."""
    return lambda batch: torch.from_numpy(
        np.concatenate([run(lr.numpy()) for lr in batch.contiguous().split(1)])
    )


def _device(network: nn.Module) -> str:
    parameters = [*network.parameters()]
    return str(parameters[0].device) if parameters else "cpu"


def photograph(scale: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """LR (h, w, 3) and HR (scale*h, scale*w, 3) of a photograph that scikit-image brings."""
    side = 256 // scale * scale
    hr = skimage.data.astronaut()[:side, 96 : 96 + side]
    return imresize(hr, 1 / scale), hr


def loss_in_db(network: nn.Module, compiled: nn.Module) -> float:
    """PSNR-Y of the network less that of the compiled one, on ``photograph``."""
    scale = int(network.scale)  # type: ignore[arg-type]
    lr, hr = photograph(scale)
    device = _device(network)
    before, after = (
        score(upscale_array(each, lr, device), hr, scale)[0] for each in (network, compiled)
    )
    return before - after


@torch.inference_mode()
def _far(network: nn.Module, compiled: Compiled) -> float:
    lr, _ = photograph(compiled.scale)
    batch = torch.from_numpy(lr).permute(2, 0, 1)[None].contiguous() / 255
    return float((network(batch) - compiled(batch)).abs().max())
