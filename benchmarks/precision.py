"""What bf16 and int8 cost and save: PSNR-Y on Set5 and CPU time, beside f32 by the same engine.

    python benchmarks/precision.py --networks imdn aidn

What a network is not offered is printed with the reason; where that is int8's loss, it is a row.
"""

from __future__ import annotations

from time import process_time

import numpy as np
import torch
from numpy.typing import NDArray
from table import NETWORKS, QUICKER, Row, keep, load, parser, photograph, show
from torch import nn

from srlib.data.download import default_folder, fetch
from srlib.data.imresize import imresize
from srlib.data.registry import read_image
from srlib.engines.compiled import EngineError, TooLossy, compile
from srlib.engines.extras import MissingExtra
from srlib.evaluation.inference import upscale_array
from srlib.evaluation.metrics import score
from srlib.weights.files import WeightsError

SCALE, SIDE = 4, 160
WAYS = (("torch", "bf16"), ("openvino", "f32"), ("openvino", "bf16"), ("openvino", "int8"))
Image = NDArray[np.uint8]


def set5() -> list[tuple[Image, Image]]:
    """LR and HR."""
    images = []
    for path in sorted(fetch("Set5", default_folder() / "sets").iterdir()):
        hr = read_image(path)
        hr = hr[: hr.shape[0] // SCALE * SCALE, : hr.shape[1] // SCALE * SCALE]
        images.append((imresize(hr, 1 / SCALE, border="replicate"), hr))
    return images


def psnr_y(network: nn.Module, images: list[tuple[Image, Image]]) -> float:
    """The mean, in dB."""
    return float(np.mean([score(upscale_array(network, lr), hr, SCALE)[0] for lr, hr in images]))


def seconds(network: nn.Module, lr: Image) -> float:
    start = process_time()
    upscale_array(network, lr)
    return process_time() - start


def measured(name: str, network: nn.Module, images: list[tuple[Image, Image]],
             repeats: int) -> list[Row]:  # fmt: skip
    """Each way beside f32 by the same engine, in turn."""
    lr, plain, rows = photograph(SIDE, SIDE), {}, []
    for engine, precision in WAYS:
        try:
            run = compile(network, engine, precision)  # type: ignore[arg-type]
            if engine not in plain:
                plain[engine] = run if precision == "f32" else compile(network, engine)  # type: ignore[arg-type]
        except TooLossy as error:
            place = (
                name,
                "a photograph x4",
                f"{engine} {precision} (not offered)",
                f"{engine} f32",
            )
            rows.append(show(Row(*place, "dB of loss", error.loss)))
            continue
        except (EngineError, MissingExtra) as error:
            print(f"{name} by {engine} {precision}: {error}")
            continue
        way, against = f"{engine} {precision}", f"{engine} f32"
        found = psnr_y(run, images)
        rows.append(show(Row(name, "Set5 x4", way, "", "dB of PSNR-Y", found)))
        if precision == "f32":
            continue
        lost = psnr_y(plain[engine], images) - found
        rows.append(show(Row(name, "Set5 x4", way, against, "dB of loss", lost)))
        pairs = [(seconds(plain[engine], lr), seconds(run, lr)) for _ in range(repeats)]
        slow, quick = (min(times) for times in zip(*pairs, strict=True))
        rows.append(show(Row(name, f"{SIDE}x{SIDE}", way, against, QUICKER, slow / quick)))
    return rows


def main() -> None:
    arguments = parser("Measure what bf16 and int8 cost and save.")
    names = [*NETWORKS, "rlfn", "spanv2"]
    arguments.add_argument("--networks", nargs="+", default=names)
    arguments.add_argument("--repeats", type=int, default=5)
    options = arguments.parse_args()
    torch.set_num_threads(1)
    images, rows = set5(), []
    for name in options.networks:
        try:
            rows += measured(name, load(name), images, options.repeats)
        except WeightsError as error:
            print(error)
    if options.keep:
        keep("precision", rows, threads=1)


if __name__ == "__main__":
    main()
