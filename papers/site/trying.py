"""The page that runs networks in the visitor's browser, on a picture that never leaves it.

The networks are ONNX files of our own export; ONNX Runtime runs them, by WebGPU where there is one,
else by WebAssembly. Its files come from npm when the site is built, and are not in the repository.
"""

import json
import shutil
import sys
import tarfile
from pathlib import Path

import numpy as np
import pooch
from PIL import Image

from papers.show.figures import LABELS
from srlib.compare import by_authors, load_best
from srlib.data.imresize import imresize
from srlib.engines.export import export_onnx
from srlib.http import Downloader
from srlib.paths import ROOT
from srlib.weights.files import WeightsError, state_sha256

SCALE = 4
NETWORKS = ("arfdn", "imdn", "e-rfdn", "aidn")
OFFICIAL, OWN = "its authors' weights", "trained here"
EXAMPLE = "data/heldout/chelsea.png"
EXAMPLE_SIDE = 96  # LR pixels of the example, a crop: seconds in any browser
CACHE = Path(".cache/site-models")
VERSION = "1.30.0"
RUNTIME = f"https://registry.npmjs.org/onnxruntime-web/-/onnxruntime-web-{VERSION}.tgz"
RUNTIME_SHA256 = "d2228df7e4616bc3348bf504ee888f3bec43789a273f0a63f3e68d203ce3bf71"
RUNTIME_FILES = (
    "ort.wasm.min.mjs",
    "ort-wasm-simd-threaded.mjs",
    "ort-wasm-simd-threaded.wasm",
    "ort.webgpu.min.mjs",
    "ort-wasm-simd-threaded.asyncify.mjs",
    "ort-wasm-simd-threaded.asyncify.wasm",
)


def try_page(static: Path, root: Path = ROOT) -> str:
    """Write networks, runtime and example below ``static``, and return the page.

    What cannot be had here, because neither the network nor ``SRLIB_WEIGHTS`` has it, is left out
    and said: on the page and on stderr.
    """
    models, missing = _models(static / "models", root)
    runtime = _runtime(static / "ort")
    hr = np.asarray(Image.open(root / EXAMPLE).convert("RGB"))
    side = SCALE * EXAMPLE_SIDE
    lr = imresize(hr[:side, :side], 1 / SCALE, border="replicate")
    Image.fromarray(lr).save(static / "example.png")
    text = json.dumps({"scale": SCALE, "models": models}).replace("<", "\\u003c")
    said = [
        "# Try your own picture",
        f"A network enlarges it ×{SCALE} in your browser, beside exact bicubic. The picture stays "
        "on your machine: nothing is sent.",
    ]
    if missing or not (models and runtime):
        left_out = "; ".join(filter(None, [*missing, "" if runtime else "ONNX Runtime"]))
        said.append(f"**Not in this build of the site:** {left_out}.")
    if not (models and runtime):
        return "\n\n".join(said)
    said += [
        '<link rel="stylesheet" href="_static/viewer.css"><div id="srlib-try"></div>\n'
        "<noscript>This page needs JavaScript.</noscript>\n"
        f'<script type="application/json" id="srlib-models">{text}</script>\n'
        '<script type="module" src="_static/try.js"></script>',
        "## What it does",
        "The networks are those of `srlib export-onnx`, equal to PyTorch to within 10⁻⁴ of a "
        "value in 0 to 1. Large pictures go in tiles, each of which sees 16 pixels beyond its own "
        "part; attention that averages over what it sees then changes the result a little. "
        "Bicubic is MATLAB's, to the bit. Transparency is enlarged bicubically beside the "
        "colours. The same in a terminal, on files of any kind and size: `srlib upscale`, and "
        "`srlib compare` for the page with the viewer.",
    ]
    return "\n\n".join(said)


def _models(folder: Path, root: Path) -> tuple[list[dict], list[str]]:
    """The exported networks, as the page's script takes them, and what could not be had."""
    folder.mkdir()
    models, missing = [], []
    for name in NETWORKS:
        try:
            network = load_best(name, SCALE)
        except WeightsError as error:
            print(f"papers: {name} is left out: {error}", file=sys.stderr)
            missing.append(LABELS.get(name, name.upper()))
            continue
        state = state_sha256(network.state_dict())
        kept = root / CACHE / f"{name}-{state[:16]}.onnx"
        if not kept.exists():
            kept.parent.mkdir(parents=True, exist_ok=True)
            export_onnx(network, kept, {"network": name})
        shutil.copyfile(kept, folder / f"{name}.onnx")
        by = OFFICIAL if by_authors(name, SCALE) else OWN
        models.append(
            {
                "name": name,
                "label": LABELS.get(name, name.upper()),
                "by": by,
                "file": f"models/{name}.onnx",
                "bytes": kept.stat().st_size,
                "min_size": int(network.min_size),  # type: ignore[arg-type]
            }
        )
    return models, missing


def _runtime(folder: Path) -> bool:
    """ONNX Runtime's files for the browser; False where npm's registry cannot be reached."""
    try:
        archive = pooch.retrieve(
            RUNTIME, known_hash=f"sha256:{RUNTIME_SHA256}", downloader=Downloader(bar=False)
        )
    except (OSError, ValueError) as error:
        print(f"papers: ONNX Runtime is left out: {error}", file=sys.stderr)
        return False
    folder.mkdir()
    with tarfile.open(archive) as tar:
        for name in RUNTIME_FILES:
            member = tar.extractfile(f"package/dist/{name}")
            assert member is not None
            (folder / name).write_bytes(member.read())
    return True
