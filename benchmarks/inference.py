"""Time engines and precisions beside PyTorch's plain pass, in turn in one process.

    python benchmarks/inference.py --official arfdn imdn --sizes 64 128

Prints a table of ratios of CPU time (above 1 is quicker than the plain pass of the network), and
the largest difference from it on a photograph. An engine that is not installed is left out.
"""

from __future__ import annotations

import argparse
import platform
from collections.abc import Callable
from time import process_time

import numpy as np
import skimage.data
import torch
from PIL import Image
from torch import Tensor

from srlib import load_official
from srlib.engines.compiled import EngineError, compile
from srlib.engines.extras import MissingExtra

WAYS = (
    ("torch", "f32"),
    ("onnxruntime", "f32"),
    ("openvino", "f32"),
    ("torch", "bf16"),
    ("openvino", "bf16"),
)


def photograph(side: int) -> Tensor:
    """(1, 3, side, side) in 0..1."""
    image = Image.fromarray(skimage.data.astronaut()).resize((side, side))
    return torch.from_numpy(np.array(image)).permute(2, 0, 1)[None].contiguous() / 255


@torch.inference_mode()
def seconds(run: Callable[[Tensor], Tensor], lr: Tensor) -> float:
    start = process_time()
    run(lr)
    return process_time() - start


def main() -> None:
    parser = argparse.ArgumentParser(description="Time engines beside PyTorch's plain pass.")
    parser.add_argument("--official", nargs="+", default=["arfdn", "e-rfdn", "imdn", "rlfn"])
    parser.add_argument("--sizes", nargs="+", type=int, default=[64, 160])
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(1)
    print(f"{platform.processor() or platform.machine()}, one thread, x4, CPU time, best of "
          f"{options.repeats}")  # fmt: skip
    print("| network | LR | engine | precision | times as quick | largest difference |")
    print("|---|---|---|---|---|---|")
    for name in options.official:
        network = load_official(name)
        for side in options.sizes:
            lr = photograph(side)
            with torch.inference_mode():
                expected = network(lr)
            for engine, precision in WAYS:
                try:
                    run = compile(network, engine, precision)  # type: ignore[arg-type]
                except (EngineError, MissingExtra) as error:
                    print(f"| {name} | {side}x{side} | {engine} | {precision} | {error} | |")
                    continue
                with torch.inference_mode():
                    off = float((run(lr) - expected).abs().max())  # and warmed up
                pairs = [(seconds(network, lr), seconds(run, lr)) for _ in range(options.repeats)]
                plain, ours = (min(times) for times in zip(*pairs, strict=True))
                print(
                    f"| {name} | {side}x{side} | {engine} | {precision} | {plain / ours:.2f} "
                    f"| {off:.0e} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
