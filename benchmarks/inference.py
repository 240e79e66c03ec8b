"""Time engines and precisions beside PyTorch's plain pass, in turn in one process.

    python benchmarks/inference.py --networks arfdn imdn --sizes 64 128

Ratios of CPU time on one thread (above 1 is quicker than the plain pass of the network as it is
loaded), and the largest difference from it on a photograph. What is not installed is left out.
"""

from __future__ import annotations

from collections.abc import Callable
from time import process_time

import torch
from table import NETWORKS, QUICKER, Row, keep, load, parser, photograph, show
from torch import Tensor

from srlib.engines.compiled import EngineError, compile
from srlib.engines.extras import MissingExtra

WAYS = (
    ("torch", "f32"),
    ("onnxruntime", "f32"),
    ("openvino", "f32"),
    ("torch", "bf16"),
    ("openvino", "bf16"),
)
PLAIN = "PyTorch's plain pass"


@torch.inference_mode()
def seconds(run: Callable[[Tensor], Tensor], lr: Tensor) -> float:
    start = process_time()
    run(lr)
    return process_time() - start


def main() -> None:
    arguments = parser("Time engines beside PyTorch's plain pass.")
    arguments.add_argument("--networks", nargs="+", default=NETWORKS)
    arguments.add_argument("--sizes", nargs="+", type=int, default=[64, 256], help="LR sides")
    arguments.add_argument("--repeats", type=int, default=5)
    options = arguments.parse_args()
    torch.set_num_threads(1)
    rows = []
    for name in options.networks:
        network = load(name)
        for engine, precision in WAYS:
            try:
                run = compile(network, engine, precision)  # type: ignore[arg-type]
            except (EngineError, MissingExtra) as error:
                print(f"{name}: {error}")
                continue
            for side in options.sizes:
                image = torch.from_numpy(photograph(side, side)).permute(2, 0, 1)[None]
                lr = (image / 255).contiguous()
                with torch.inference_mode():
                    off = float((run(lr) - network(lr)).abs().max())  # and both are warm
                pairs = [(seconds(network, lr), seconds(run, lr)) for _ in range(options.repeats)]
                plain, ours = (min(times) for times in zip(*pairs, strict=True))
                place = (name, f"{side}x{side}", f"{engine} {precision}", PLAIN)
                rows.append(show(Row(*place, QUICKER, plain / ours)))
                rows.append(show(Row(*place, "largest difference", off)))
    if options.keep:
        keep("inference", rows, threads=1)


if __name__ == "__main__":
    main()
