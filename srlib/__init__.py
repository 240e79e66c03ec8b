"""srlib: a reproducible companion to the papers on lightweight single-image super-resolution.

>>> import srlib
>>> network = srlib.create_network("aidn", scale=4)
>>> srlib.complexity(network).params
339498
"""

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

# PyTorch's CPU threads spin while they wait for each other, as long as it takes. Beside anything
# else that runs, a training step then takes many times as long; asleep at once, they wake too late
# for every small layer. So they spin for a moment, then sleep. This must be set before PyTorch is
# loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("GOMP_SPINCOUNT", "10000")

# Names are fetched when they are first asked for: a look-up then needs no PyTorch, and is quick.
if TYPE_CHECKING:
    from srlib.data.imresize import imresize
    from srlib.engines.compiled import compile
    from srlib.enlarge import upscale
    from srlib.evaluation import metrics
    from srlib.evaluation.complexity import complexity
    from srlib.networks import create_network, list_networks
    from srlib.weights.official import load_official
    from srlib.weights.pretrained import load_pretrained

__version__ = "0.1.0"

__all__ = [
    "compile",
    "complexity",
    "create_network",
    "imresize",
    "list_networks",
    "load_official",
    "load_pretrained",
    "metrics",
    "upscale",
]
_HOMES = {
    "compile": "srlib.engines.compiled",
    "complexity": "srlib.evaluation.complexity",
    "create_network": "srlib.networks",
    "imresize": "srlib.data.imresize",
    "list_networks": "srlib.networks",
    "load_official": "srlib.weights.official",
    "load_pretrained": "srlib.weights.pretrained",
    "upscale": "srlib.enlarge",
}


def __getattr__(name: str) -> Any:
    if name == "metrics":
        return import_module("srlib.evaluation.metrics")
    if name not in _HOMES:
        raise AttributeError(f"module 'srlib' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]
