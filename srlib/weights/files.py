"""Weights as safetensors, with the run that made them in the header.

Nothing here unpickles: safetensors hold tensors and text only.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from srlib.files import replacing
from srlib.networks import create_network
from srlib.paths import place_of
from srlib.provenance import file_sha256

# Under which other programs save the tensors; the averaged ones first, which are the better.
WRAPPINGS = ("params_ema", "params", "state_dict")
HEADER = "srlib"  # one key of sorted JSON: safetensors orders several keys at random


class WeightsError(ValueError):
    """A weights file that cannot be used; the message names the file and how to fix it."""


def save_tensors(tensors: dict[str, Tensor], path: str | Path, header: dict[str, Any]) -> None:
    """Write tensors and a header to one safetensors file, whole or not at all.

    The same tensors and header give the same bytes.

    Raises:
        OSError: the file cannot be written.
    """
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    metadata = {HEADER: json.dumps(header, sort_keys=True)}
    with replacing(path) as temporary:
        try:
            save_file(tensors, temporary, metadata=metadata)
        except SafetensorError as error:  # a full disk, which safetensors calls by its own name
            raise OSError(f"{path} cannot be written ({error}); make room there") from None


def load_tensors(path: str | Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read what ``save_tensors`` wrote; a foreign file has an empty header.

    Raises:
        WeightsError: no such file, or not a safetensors file.
    """
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            header = json.loads((file.metadata() or {}).get(HEADER, "{}"))
        if not isinstance(header, dict):
            raise TypeError(f"its header is {type(header).__name__}")
    except FileNotFoundError:
        raise WeightsError(f"{path} does not exist; train it, or name another file") from None
    except (SafetensorError, OSError, ValueError, TypeError) as error:
        raise WeightsError(
            f"{path} is not a complete safetensors file ({error}); make or fetch it again"
        ) from None
    return tensors, header


def read_state(path: str | Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors of a safetensors or a ``.pth``, as they are, and the header (``load_tensors``).

    A ``.pth`` may have its tensors under a key of ``WRAPPINGS``; nothing is unpickled.

    Raises:
        WeightsError: no such file, or one that holds something other than a table of tensors.
    """
    path = Path(path)
    if path.suffix == ".safetensors":
        return load_tensors(path)
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise WeightsError(f"{path} does not exist; name another file") from None
    except Exception as error:
        why = " ".join(str(error).split())[:200]
        raise WeightsError(
            f"{path} is not a file of plain tensors ({why}); it was not unpickled"
        ) from error
    if isinstance(state, dict):
        state = next((state[key] for key in WRAPPINGS if key in state), state)
    if not isinstance(state, dict) or not all(isinstance(v, Tensor) for v in state.values()):
        raise WeightsError(f"{path} holds something other than a table of tensors")
    return dict(state), {}


def load_trained(path: str | Path) -> tuple[nn.Module, dict[str, Any]]:
    """Build the network that a file of the trainer describes, and load it, ready to evaluate.

    Returns:
        The network in evaluation mode, and the file's header.

    Raises:
        WeightsError: no such file, one that its record does not know (``verify``), one without the
            trainer's header, or a weight that is not finite.
    """
    verify(path)
    tensors, header = load_tensors(path)
    try:
        network = create_network(header["network"], header["scale"], **header["settings"])
    except (TypeError, ValueError) as error:
        raise WeightsError(
            f"{path} describes a network that there is not ({error}); make or fetch it again"
        ) from None
    except KeyError as missing:
        raise WeightsError(
            f"{path} does not say which network it holds (no {missing} in its header); load it "
            "with load_weights into a network that you create"
        ) from None
    apply_state(network, tensors, str(path))
    return network.eval(), header


def verify(path: str | Path) -> bool:
    """Hold a weights file against the hash in the record of its run.

    The record of NAME.safetensors is NAME.json beside it, or that of ``results/runs/``.

    It costs the reading of the file once: a few milliseconds for each megabyte.

    Returns:
        Whether there is a record to hold it against.

    Raises:
        WeightsError: the file is not the one that the run wrote, or the record is damaged.
    """
    path = Path(path).resolve()
    place = place_of(path)
    record = place[0].record("train", place[1]) if place else path.with_suffix(".json")
    if not record.exists() or not path.exists():
        return False
    try:
        known = dict(json.loads(record.read_bytes())).get("weights_sha256")
    except (ValueError, TypeError) as error:
        raise WeightsError(
            f"{record}, the record of {path}, is damaged ({error}); get it again from git"
        ) from None
    if known is None:
        return False
    if file_sha256(path) != known:
        raise WeightsError(
            f"{path} is not the file that its run wrote ({record.name} has another hash); it is "
            "damaged or was changed: get it again from git, or train it anew"
        )
    return True


def load_weights(network: nn.Module, path: str | Path) -> dict[str, Any]:
    """Load a file into a network, strictly, and return the file's header.

    Raises:
        WeightsError: the file and the network differ in a name or a shape; names the first ones.
    """
    tensors, header = load_tensors(path)
    apply_state(network, tensors, str(path))
    return header


def apply_state(network: nn.Module, tensors: dict[str, Tensor], source: str) -> None:
    """Copy tensors into a network; every name and shape must agree (see ``load_weights``)."""
    own = network.state_dict()
    missing = sorted(own.keys() - tensors.keys())
    unknown = sorted(tensors.keys() - own.keys())
    shapes = [
        f"{name} is {tuple(tensors[name].shape)}, expected {tuple(own[name].shape)}"
        for name in sorted(own.keys() & tensors.keys())
        if tensors[name].shape != own[name].shape
    ]
    if missing or unknown or shapes:
        raise WeightsError(
            f"{source} does not fit the network {type(network).__name__}: "
            f"missing {missing[:3]}, unknown {unknown[:3]}, other shapes {shapes[:3]}; "
            "create the network with the name, scale and settings that the file was made with"
        )
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not bool(tensor.isfinite().all()):
            raise WeightsError(
                f"{source}: the tensor {name} has values that are not finite; the training that "
                "made it broke, or the file is damaged"
            )
    network.load_state_dict(tensors)


def state_sha256(tensors: dict[str, Tensor]) -> str:
    """SHA-256 over names, types, shapes and values: the same in whatever container they came."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name].detach().cpu().contiguous()
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
