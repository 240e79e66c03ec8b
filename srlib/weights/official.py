"""The authors' own weights, mapped onto our networks.

``official.yaml`` lists them: the pinned public source, the hash, and the mapping of names.
"""

import os
import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import pooch
import yaml
from torch import Tensor, nn

from srlib.http import Downloader
from srlib.networks import create_network
from srlib.weights.files import WeightsError, apply_state, read_state, state_sha256


@cache
def official() -> dict[str, dict[str, Any]]:
    """The registry ``official.yaml`` as a dictionary."""
    return yaml.safe_load(files("srlib.weights").joinpath("official.yaml").read_text())


def load_official(name: str, scale: int = 4, path: str | Path | None = None) -> nn.Module:
    """A network with the weights that its authors published, ready to evaluate.

    Args:
        name: an entry of ``official.yaml``, such as "arfdn".
        scale: one of the entry's scales.
        path: the published file or a copy of it, ``.pth`` or ``.safetensors``. If None: the file
            FILE.safetensors or FILE.pth in the folders that the environment variable
            SRLIB_WEIGHTS names (several as in PATH), then the pinned public source (kept in
            pooch's cache).

    Returns:
        The network in evaluation mode, RGB 0..1 in and out.

    Raises:
        WeightsError: unknown name or scale, a file that is missing, unreadable, or not the
            published weights. Nothing is unpickled: ``.pth`` is read with ``weights_only=True``.
    """
    if name not in official():
        raise WeightsError(f"no official weights {name!r}; there are {', '.join(official())}")
    entry = official()[name]
    if scale not in entry["files"]:
        raise WeightsError(f"{name} was published at x{list(entry['files'])}, not at x{scale}")
    wanted = entry["files"][scale]
    source = Path(path) if path else _find(wanted)
    published = read_state(source)[0]
    if state_sha256(published) != wanted["state_sha256"]:
        raise WeightsError(
            f"{source} does not hold the published weights of {name} x{scale}; its tensors differ "
            f"from those of {wanted['url']}; fetch that file again"
        )
    network = create_network(entry["network"], scale, **entry["settings"])
    apply_state(network, rename(published, name), str(source))
    return network.eval()


def _find(wanted: dict[str, Any]) -> Path:
    named = os.environ.get("SRLIB_WEIGHTS")
    for folder in filter(None, (named or "").split(os.pathsep)):
        for suffix in (".safetensors", ".pth"):
            if (path := Path(folder) / (wanted["file"] + suffix)).exists():
                return path
    try:
        fetched = pooch.retrieve(
            wanted["url"],
            known_hash="sha256:" + wanted["sha256"],
            downloader=Downloader(bar=True),
        )
    except (OSError, ValueError) as error:
        raise WeightsError(
            f"{wanted['file']} is not in the folder that SRLIB_WEIGHTS names ({named}), and "
            f"{wanted['url']} could not be fetched ({error}); fetch it by hand and give its path"
        ) from error
    return Path(fetched)


def rename(published: Mapping[str, Tensor], name: str) -> dict[str, Tensor]:
    """Tensors by our names, from those of the authors' file that is the entry ``name``."""
    renamed = {}
    for key, tensor in published.items():
        for pattern, replacement in official()[name]["keys"]:
            key = re.sub(pattern, replacement, key)
        renamed[key] = tensor
    return renamed
