"""Networks as files that run without PyTorch and without srlib: ONNX, and OpenVINO's IR."""

import copy
import logging
import shutil
import tempfile
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import skimage.data
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn.utils import parametrize

from srlib.engines.extras import need
from srlib.files import replacing
from srlib.weights.files import state_sha256

OPSET = 17
INPUT, OUTPUT = "lr", "sr"
TRACED = (24, 32)  # height and width; not equal, so that a mix-up of the two is seen
# An export that is fixed to one size, or has another operation, is off by far more than this part
# of the largest value; the rounding of the deepest networks with untrained weights is just below.
CLOSE = 1e-4

Run = Callable[[NDArray[np.float32]], NDArray[np.float32]]


class ExportError(ValueError):
    """A network that cannot be exported, or whose export gives something else; says why."""


def checked_sizes(min_size: int) -> list[tuple[int, int]]:
    """The six LR heights and widths that an export is verified on: the smallest, odd ones, wide."""
    sizes = [(15, 15), (16, 16), (17, 31), (30, 21), (33, 47), (64, 24)]
    return [(max(height, min_size), max(width, min_size)) for height, width in sizes]


def export(network: nn.Module, path: str | Path, about: Mapping[str, str]) -> float:
    """``export_onnx`` or ``export_openvino``, as the file's ending says: .onnx or .xml.

    Raises:
        ExportError: another ending, or what the two raise.
    """
    kinds = {".onnx": export_onnx, ".xml": export_openvino}
    if Path(path).suffix.lower() not in kinds:
        raise ExportError(f"{path}: name a file that ends in .onnx, or in .xml for OpenVINO")
    return kinds[Path(path).suffix.lower()](network, path, about)


def export_onnx(network: nn.Module, path: str | Path, about: Mapping[str, str]) -> float:
    """Write a network as ONNX, verified, whole or not at all.

    The file takes ``lr``, float32 (1, 3, H, W), RGB in 0..1, of any H and W from the network's
    ``min_size``, and gives ``sr``, float32 (1, 3, scale*H, scale*W), not clipped.

    Args:
        network: as from ``create_network``; it stays as it was.
        path: of the file to write.
        about: what else the file's metadata say, such as the network's name and the run. They say
            ``scale``, ``min_size``, ``value_range`` and ``weights_sha256`` (``state_sha256``) too.

    Returns:
        The largest difference from the network in PyTorch on ``checked_sizes``.

    Raises:
        MissingExtra: onnx or onnxruntime is not installed.
        ExportError: the network has an operation that ONNX has not, or the file gives another
            result than the network.
    """
    onnx = need("onnx", "onnx", "an export")
    need("onnxruntime", "onnx", "an export")
    plain = for_inference(network)
    with replacing(path) as temporary:
        _trace(plain, temporary, about.get("network", type(network).__name__))
        model = onnx.load(str(temporary))
        onnx.helper.set_model_props(model, _metadata(network, about))
        onnx.save(model, str(temporary))
        return _verify(plain, lambda: _by_onnxruntime(temporary))


def export_openvino(network: nn.Module, path: str | Path, about: Mapping[str, str]) -> float:
    """Write a network as OpenVINO's IR, verified: an .xml, and its weights in a .bin beside it.

    Input, output, what is returned and raised are those of ``export_onnx``; weights are float32,
    and the metadata are the model's runtime information below ``srlib``. Where there is an .xml,
    it belongs to the .bin beside it, whenever the writer is killed.

    Args:
        network, about: as for ``export_onnx``.
        path: of the .xml.
    """
    openvino = need("openvino", "openvino", "an export to .xml")
    path = Path(path)
    with tempfile.TemporaryDirectory() as folder:
        traced = Path(folder) / "network.onnx"
        export_onnx(network, traced, about)
        model = openvino.Core().read_model(traced)
        for key, value in _metadata(network, about).items():
            model.set_rt_info(value, ["srlib", key])
        made = Path(folder) / "network.xml"
        openvino.save_model(model, made, compress_to_fp16=False)
        worst = _verify(for_inference(network), lambda: _by_openvino(made))
        path.unlink(missing_ok=True)
        for ending in (".bin", path.suffix):
            with replacing(path.with_suffix(ending)) as temporary:
                shutil.copyfile(made.with_suffix(ending.lower()), temporary)
    return worst


def _metadata(network: nn.Module, about: Mapping[str, str]) -> dict[str, str]:
    return {
        **about,
        "scale": str(network.scale),
        "min_size": str(network.min_size),
        "value_range": "RGB in 0..1",
        "weights_sha256": state_sha256(network.state_dict()),
    }


def for_inference(network: nn.Module) -> nn.Module:
    """A copy on the CPU, in evaluation mode and float32, its normed weights multiplied out."""
    plain = copy.deepcopy(network).cpu().float().eval()
    for module in plain.modules():
        if parametrize.is_parametrized(module):
            _multiply_out(module)
    return plain.requires_grad_(False)


@torch.inference_mode(False)
@torch.no_grad()
def _multiply_out(module: nn.Module) -> None:
    """What ``remove_parametrizations`` does, and harms the network that was copied: they share the
    class that has the weight."""
    weights = {name: getattr(module, name) for name in module.parametrizations}  # type: ignore[union-attr]
    module.__class__ = parametrize.type_before_parametrizations(module)
    del module.parametrizations
    for name, weight in weights.items():
        module.register_parameter(name, nn.Parameter(weight.clone(), requires_grad=False))


def _trace(network: nn.Module, path: Path, name: str) -> None:
    height, width = (max(side, int(network.min_size)) for side in TRACED)  # type: ignore[arg-type]
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of checks of the input, which a trace leaves out
            torch.onnx.export(
                network,
                (torch.zeros(1, 3, height, width),),
                str(path),
                input_names=[INPUT],
                output_names=[OUTPUT],
                dynamic_axes={INPUT: {2: "h", 3: "w"}, OUTPUT: {2: "scaled_h", 3: "scaled_w"}},
                opset_version=OPSET,
                # PyTorch's newer exporter gives the same networks, and takes 30 times as long
                dynamo=False,
            )
    except (torch.onnx.errors.OnnxExporterError, RuntimeError) as error:
        why = " ".join(str(error).split())[:200]
        raise ExportError(f"{name} cannot be exported to ONNX: {why}") from error
    finally:
        logger.setLevel(level)


def _by_onnxruntime(path: Path) -> Run:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # it raises what it says
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return lambda lr: session.run([OUTPUT], {INPUT: lr})[0]


def _by_openvino(path: Path) -> Run:
    import openvino

    model = openvino.compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return lambda lr: model({INPUT: lr})[OUTPUT]


@torch.inference_mode()
def _verify(network: nn.Module, load: Callable[[], Run]) -> float:
    """The largest difference between file and network, on a photograph in ``checked_sizes``.

    Noise would not do: on it BSRN's weights give values of 100, and PyTorch itself is 0.1 off.
    """
    photo = torch.from_numpy(skimage.data.astronaut()).permute(2, 0, 1)[None, :, 100:, 150:]
    worst = 0.0
    try:
        run = load()
        for height, width in checked_sizes(int(network.min_size)):  # type: ignore[arg-type]
            lr = (photo[..., :height, :width] / 255).contiguous()
            expected = network(lr).numpy()
            found = run(lr.numpy())
            far = float(np.abs(found - expected).max()) if found.shape == expected.shape else np.inf
            if not far <= CLOSE * max(1, float(np.abs(expected).max())):
                raise ExportError(
                    f"the export of {type(network).__name__} differs from the network by {far:.2g} "
                    f"at {width}x{height} pixels, and was not written"
                )
            worst = max(worst, far)
    except ExportError:
        raise
    except Exception as error:  # the errors of the engines have no common class
        why = " ".join(str(error).split())[:200]
        raise ExportError(f"the export of {type(network).__name__} does not run: {why}") from error
    return worst
