"""One training step: its time, the arithmetic in it, and the price of a campaign's schedule.

    python benchmarks/step.py --params campaigns/paper/params.yaml --device cpu

Times whole steps (draw, forward, backward, update) on made pixels, with the campaign's batch and
patch: first as PyTorch does it by itself, then with each change of the recipe added to the
ones before, in turns within one run. Prints the share of the device's own matrix-product rate,
measured in the same run, that the convolutions' arithmetic reaches.
"""

import tempfile
import time
from dataclasses import replace
from pathlib import Path
from statistics import median

import numpy as np
import torch
from table import QUICKER, Row, keep, parser
from torch import nn

from srlib.config import Train, load_config
from srlib.data.pack import pack
from srlib.data.packed import PackedImages
from srlib.evaluation.complexity import complexity
from srlib.networks import create_network
from srlib.training.devices import Devices
from srlib.training.loop import new_state, one_step, parallel
from srlib.training.optimizers import ConvolutionMuon, as_matrix, inner_convolutions


def synchronise(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize()


def matrix_rate(device: torch.device, dtype: torch.dtype, size: int) -> float:
    """Multiply-adds per second of a square matrix product of random numbers."""
    a, b = torch.randn(2, size, size, device=device, dtype=dtype)
    times = []
    for _ in range(5):
        synchronise(device)
        start = time.perf_counter()
        a @ b
        synchronise(device)
        times.append(time.perf_counter() - start)
    return size**3 / min(times)


def changes(recipe: Train) -> dict[str, Train]:
    """The recipe without any of its changes, and with them added one by one."""
    plain = replace(recipe, precision="float32", channels_last=False, compile=False)
    steps = {"float32": plain}
    for key in ("channels_last", "precision", "compile"):
        value = getattr(recipe, key)
        if value != getattr(plain, key):
            plain = replace(plain, **{key: value})
            steps[f"+ {value if isinstance(value, str) else key}"] = plain
    return steps


def optimizers(network: nn.Module, steps: int) -> dict[str, float]:
    """Seconds of an update alone: Adam's, Muon's as PyTorch has it, and Muon's as it is here."""
    weights = inner_convolutions(network)
    matrices = [nn.Parameter(as_matrix(weight.detach())) for weight in weights]
    for parameter in [*network.parameters(), *matrices]:
        parameter.grad = torch.ones_like(parameter)
    updates = {
        "Adam, all weights": torch.optim.Adam(network.parameters(), lr=1e-9, fused=True).step,
        "torch.optim.Muon": torch.optim.Muon(matrices, lr=1e-9, weight_decay=0.0).step,
        "ConvolutionMuon": ConvolutionMuon(weights).step,
    }
    times: dict[str, list[float]] = {name: [] for name in updates}
    for _ in range(steps + 2):
        for name, update in updates.items():
            start = time.perf_counter()
            update()
            times[name].append(time.perf_counter() - start)
    return {name: median(each[2:]) for name, each in times.items()}


def main() -> None:
    arguments = parser("Time training steps.")
    arguments.add_argument("--params", default="campaigns/paper/params.yaml")
    arguments.add_argument("--network", default="aidn-aidb")
    arguments.add_argument("--scale", type=int, default=4)
    arguments.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    arguments.add_argument("--steps", type=int, default=5, help="timed steps, after two warm-ups")
    options = arguments.parse_args()
    config = load_config(options.params)
    if config.train is None:
        raise SystemExit(f"{options.params} trains nothing; name another campaign")
    recipe = replace(
        config.train,
        device=options.device,
        compile=config.train.compile and options.device == "cuda",
        threads=min(config.train.threads, torch.get_num_threads()),
    )
    device = torch.device(options.device)
    side = max(512, recipe.patch)
    pixels = np.random.default_rng(0).integers(0, 256, (side, side, 3), dtype=np.uint8)
    settings = config.networks.get(options.network, {})
    lr_side = recipe.patch // options.scale
    times: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder, Devices(recipe):
        pack([("made", "noise", pixels)], Path(folder) / "store", options.scale, "replicate")
        store = PackedImages(Path(folder) / "store")
        runs = {}
        for name, changed in changes(recipe).items():
            network = create_network(options.network, options.scale, **settings)
            state = new_state(network, changed, device)
            runs[name] = changed, state, parallel(state.network, changed)
        for step in range(options.steps + 2):
            for name, (changed, state, model) in runs.items():
                synchronise(device)
                start = time.perf_counter()
                batch = store.batch(recipe.patch, recipe.batch, 0, step, device=device)
                one_step(model, state, *batch, recipe.stages[0], 1e-4, changed)
                synchronise(device)
                times.setdefault(name, []).append(time.perf_counter() - start)
    seconds = {name: median(each[2:]) for name, each in times.items()}
    macs = 3 * recipe.batch * complexity(network, (lr_side, lr_side)).conv_macs
    dtype = torch.bfloat16 if recipe.precision == "bfloat16" else torch.float32
    rate = matrix_rate(device, dtype, 8192 if options.device == "cuda" else 1024)
    where = (
        torch.cuda.get_device_name() if options.device == "cuda" else f"{recipe.threads} threads"
    )
    print(f"{options.network} x{options.scale}, batch {recipe.batch}, LR {lr_side}x{lr_side}, "
          f"{options.device} ({where})")  # fmt: skip
    print(f"multiply-adds {macs / 1e9:.1f} G a step (three forward passes)")
    floor = macs / rate
    print(f"floor {1e3 * floor:.1f} ms at {rate / 1e12:.3f} T multiply-adds/s, {recipe.precision}")
    first, rows = seconds["float32"], []
    for name, each in seconds.items():
        ratio, share = first / each, 100 * floor / each
        print(f"{name:16}{1e3 * each:10.1f} ms{ratio:8.2f} times{share:8.1f} % of the floor's rate")
        place = (f"a step of {options.network}", f"batch {recipe.batch}, LR {lr_side}x{lr_side}")
        if name != "float32":
            rows.append(
                Row(*place, name, "PyTorch's own float32", f"{QUICKER}, by the clock", ratio)
            )
    if options.device == "cpu":
        for name, each in optimizers(network, options.steps).items():
            print(f"{name:24}{1e3 * each:7.1f} ms an update")
    count = len(config.matrix.networks) * len(config.matrix.scales) * len(config.matrix.seeds)
    days = recipe.steps * min(seconds.values()) / 86400
    print(f"{config.campaign.name}: {recipe.steps:,} steps = {days:,.2f} days a run")
    print(f"{count} runs = {count * days:,.1f} days, all priced as this network and scale")
    if options.keep:
        keep("step", rows, recipe.threads)


if __name__ == "__main__":
    main()
