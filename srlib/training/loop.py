"""The trainer: one loop for CPU and GPUs, exact after any kill.

Everything random is a pure function of (seed, step), so a run that was killed goes on from its
last checkpoint as though nothing had happened: type the same command again. Checkpoints lie in
``.cache/train/NAME-HASH`` under a hash of parameters, data and code, so that a changed run never
resumes from a stale one; they are deleted when the run ends.

Start it under ``torchrun`` for several devices: each takes its slice of the same global batch.
"""

import shutil
import sys
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm import tqdm

from srlib.config import Stage, Train
from srlib.data.packed import PackedImages
from srlib.evaluation.inference import upscale_array
from srlib.evaluation.metrics import score
from srlib.files import replacing
from srlib.networks import create_network
from srlib.paths import Result
from srlib.provenance import digest, file_sha256, run_id
from srlib.training.checkpoint import Cost, CurvePoint, LogRow, State
from srlib.training.devices import Devices
from srlib.training.initialise import unit_variance
from srlib.training.optimizers import new_optimizers, rates
from srlib.training.schedule import learning_rate, schedule
from srlib.weights.files import load_trained, save_tensors

CHECKPOINTS = Path(".cache/train")
LOSSES = {"l1": nn.L1Loss, "l2": nn.MSELoss}
LARGEST_LOSS = 1e3  # of pixels in 0..1: beyond it a run is lost, though finite
LOST_GROUND = 0.3  # dB of PSNR-Y; a run goes up and down by less at its highest rate


class TrainingError(RuntimeError):
    """Training cannot go on; the message says at which step, and what to do."""


class OutOfTime(Exception):
    """``max_minutes`` is over; the run stands at a checkpoint, and the same command goes on."""


class Trained(NamedTuple):
    """What ``train`` returns.

    Attributes:
        header: of the weights: what determined them, with the run's id.
        cost: what differs from run to run: seconds (of all steps, over all pieces of a run; neither
            validation nor checkpoints), ms_a_step, data_share (of the steps' time, spent on making
            batches), joules (None where the device does not report its energy).
    """

    header: dict[str, Any]
    cost: dict[str, float | None]


class Run(NamedTuple):
    """Which run this is, and where it computes.

    Attributes:
        label: NETWORK-xSCALE-sSEED.
        recipe: the parameters' ``train`` block.
        checkpoint: the file that it resumes from.
        device: of this process.
        rank, world: this process's number, and how many there are.
    """

    label: str
    recipe: Train
    checkpoint: Path
    device: torch.device
    rank: int
    world: int


def train(
    name: str,
    settings: dict[str, Any],
    scale: int,
    seed: int,
    recipe: Train,
    store: PackedImages,
    folder: str | Path,
    checkpoints: Path = CHECKPOINTS,
    validation: PackedImages | None = None,
) -> Trained:
    """Train one network and write what came of it into ``folder``.

    ``weights.safetensors``; ``train.csv``, the log of the loss; ``validation.csv``, PSNR-Y in dB
    against steps, empty without ``recipe.validate``.

    Args:
        name, settings, scale: what ``create_network`` takes.
        seed: of the initial weights and of every draw.
        recipe: the parameters' ``train`` block.
        store: packed training images at this scale.
        folder: where the results go, written whole at the end.
        checkpoints: where the run's checkpoints lie until it ends.
        validation: packed images at this scale to validate on; needed by ``recipe.validate``.

    Raises:
        OutOfTime: ``recipe.max_minutes`` is over.
        TrainingError: the loss is not finite; names the step and the last good checkpoint.
        ValueError: a store of another scale, no image as large as the patch, or nothing to
            validate on where the recipe asks for it.
    """
    _check(scale, recipe, store, validation)
    facts = _facts(name, settings, scale, seed, recipe, store)
    header = facts | {"run": run_id(facts), "steps": recipe.steps}

    with Devices(recipe) as (device, rank, world):
        network = new_network(name, settings, scale, seed, recipe, store)
        label = f"{name}-x{scale}-s{seed}"
        key = digest([facts, _code(network), world])[:12]  # ranks sum in another order
        checkpoint = checkpoints / f"{label}-{key}" / "checkpoint.safetensors"
        run = Run(label, recipe, checkpoint, device, rank, world)
        state = new_state(network, recipe, device)
        if checkpoint.exists():
            state.load(checkpoint)
            if rank == 0:
                print(f"{label}  resumes after step {state.step} of {recipe.steps}")
        model = parallel(state.network, recipe)

        first, started = state.step, time.monotonic()
        losses: list[Tensor] = []
        silent = rank != 0 or not sys.stderr.isatty()
        bar = tqdm(total=recipe.steps, initial=first, desc=label, unit="step", disable=silent)
        for step, stage, local in schedule(recipe.stages):
            if step < first:
                continue
            if local == 0 and step > 0:
                state.optimizers = new_optimizers(state.network, recipe.muon)
            rate = learning_rate(stage, local)
            with state.cost.steps:
                with state.cost.data:
                    drawn = recipe.drawn(stage, scale)
                    batch = store.batch(*drawn, seed, step, rank, world, device)
                losses.append(one_step(model, state, *batch, stage, rate, recipe))
            state.step = step + 1

            done = state.step == recipe.steps
            if state.step % recipe.log_every == 0 or local + 1 == stage.steps:
                row = log(run, state, losses, stage, rate)
                _show(run, bar, row, first, time.monotonic() - started)
                losses = []
            if done or state.step % recipe.checkpoint_every == 0:
                check_weights(run, state)
            if recipe.validate and (done or state.step % recipe.validate.every == 0):
                validate(run, state, validation)
            if not done and state.step % recipe.checkpoint_every == 0:
                if rank == 0:  # after a step that is also logged, so the loss is good
                    state.save(checkpoint)
                if _is_over(run, time.monotonic() - started):
                    bar.close()
                    raise OutOfTime(
                        f"{label}: {recipe.max_minutes} minutes are over after step "
                        f"{state.step} of {recipe.steps}; the same command goes on from there"
                    )
            bar.update()
        bar.close()

        cost = state.cost.report(state.step)
        if rank == 0:
            write(state, Path(folder), header)
            shutil.rmtree(checkpoint.parent, ignore_errors=True)
            energy = "" if cost["joules"] is None else f", {cost['joules'] / 3600:.1f} Wh"
            print(
                f"{label}  {state.step} steps of {cost['ms_a_step']:.1f} ms{energy}; "
                f"{cost['data_share']:.2%} of the time went into batches",
                flush=True,
            )
        return Trained(header, cost)


# --- one step ---------------------------------------------------------------------------------


def new_network(
    name: str, settings: dict[str, Any], scale: int, seed: int, recipe: Train, store: PackedImages
) -> nn.Module:
    """A network with its initial weights, which depend on the seed and, for some, on the images.

    Raises:
        ValueError: the campaign that ``recipe.start`` names has no weights of this network.
    """
    torch.manual_seed(seed)
    if recipe.start:
        return load_trained(started_from(recipe.start, name, scale, seed))[0].train()
    network = create_network(name, scale, **settings)
    if recipe.init == "unit_variance":
        # A batch beyond the last step's, the same on every rank.
        patch, _ = recipe.drawn(recipe.stages[0], scale)
        unit_variance(network, store.batch(patch, 4, seed, recipe.steps)[0])
    return network


def started_from(campaign: str, name: str, scale: int, seed: int) -> Path:
    """The tracked weights that a run goes on from.

    Raises:
        ValueError: the campaign has none of this network, scale and seed.
    """
    path = Result(campaign, name, scale, seed).folder() / "weights.safetensors"
    if not path.is_file():
        raise ValueError(
            f"train.start: {campaign} has no weights of {name} x{scale}, seed {seed} ({path}); "
            "train them first"
        )
    return path


def new_state(network: nn.Module, recipe: Train, device: torch.device) -> State:
    """A run before its first step."""
    layout = torch.channels_last if recipe.channels_last else torch.contiguous_format
    network = network.to(device, memory_format=layout)  # type: ignore[call-overload]
    ema = None
    if recipe.ema:
        ema = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(recipe.ema))
    return State(network, ema, new_optimizers(network, recipe.muon), Cost(device))


def parallel(network: nn.Module, recipe: Train) -> nn.Module:
    """The network as the steps run it: under torchrun over all devices, and compiled if asked."""
    model: nn.Module = DistributedDataParallel(network) if dist.is_initialized() else network
    return torch.compile(model) if recipe.compile else model  # type: ignore[return-value]


def one_step(
    model: nn.Module,
    state: State,
    lr: Tensor,
    hr: Tensor,
    stage: Stage,
    rate: float,
    recipe: Train,
) -> Tensor:
    """Go forward, back, and update; the loss (a scalar) stays on the device."""
    autocast = (
        torch.autocast(lr.device.type, dtype=torch.bfloat16)
        if recipe.precision == "bfloat16"
        else nullcontext()
    )
    with autocast:
        sr = model(lr)
    loss = LOSSES[stage.loss]()(sr.float(), hr)
    state.network.zero_grad()
    loss.backward()
    for name, own_rate in rates(rate, recipe.muon).items():
        for group in state.optimizers[name].param_groups:
            group["lr"] = own_rate
        state.optimizers[name].step()
    if state.ema is not None:
        state.ema.update_parameters(state.network)
    return loss.detach()


# --- between steps ----------------------------------------------------------------------------


def log(run: Run, state: State, losses: list[Tensor], stage: Stage, rate: float) -> LogRow:
    """Add a line for the losses since the last one.

    Raises:
        TrainingError: a loss is not finite, or absurd.
    """
    stacked = torch.stack(losses).double()
    if run.world > 1:
        dist.all_reduce(stacked)
        stacked /= run.world
    values = stacked.tolist()
    for number, value in enumerate(values, state.step - len(values) + 1):
        if not value < LARGEST_LOSS:  # false for nan, too
            raise _diverged(run, f"the loss is {value:.4g} at step {number}, rate {rate:.1e},")
    row = LogRow(state.step, stage.loss, sum(values) / len(values), rate)
    state.log.append(row)
    return row


def check_weights(run: Run, state: State) -> None:
    """A loss is taken before its update: what the last update did shows only here.

    Raises:
        TrainingError: a weight is not finite.
    """
    if not all(bool(weight.isfinite().all()) for weight in state.network.parameters()):
        raise _diverged(run, f"a weight is not finite after step {state.step}")


def _diverged(run: Run, what: str) -> TrainingError:
    kept = f"the last good checkpoint is {run.checkpoint}"
    if not run.checkpoint.exists():
        kept = "there is no checkpoint yet"
    return TrainingError(
        f"{run.label}: {what} of {run.recipe.steps}; {kept}; "
        "lower train.stages.*.lr or use precision float32"
    )


def validate(run: Run, state: State, images: PackedImages | None) -> None:
    """Add a point a set to the curve: the weights that would be written if the run ended here.

    A rate that is too high can undo what was learnt without any loss that is not finite: a fall
    of more than ``LOST_GROUND`` below a set's best so far is said on stderr.
    """
    if run.rank or images is None or run.recipe.validate is None:
        return
    network = state.result.eval()
    psnr: dict[str, list[float]] = {}
    for index, (name, _) in enumerate(images.names):
        if run.recipe.validate.set in (None, name):
            sr = upscale_array(network, images.lr(index), str(run.device))
            own = score(sr, np.asarray(images.hr(index)), images.scale)[0]
            psnr.setdefault(name, []).append(own)
    network.train()
    for name, values in psnr.items():
        state.curve.append(CurvePoint(state.step, name, sum(values) / len(values)))
        fall = falls(state.curve)[name]
        if fall > LOST_GROUND:
            print(
                f"{run.label}: at step {state.step} PSNR-Y on {name} is {fall:.2f} dB below its "
                "best so far; if it does not come back, lower train.stages.*.lr",
                file=sys.stderr,
            )


def falls(curve: list[CurvePoint]) -> dict[str, float]:
    """How far, in dB, each set's last point lies below its best."""
    best: dict[str, float] = {}
    last: dict[str, float] = {}
    for _, name, psnr in curve:
        best[name] = max(best.get(name, psnr), psnr)
        last[name] = psnr
    return {name: best[name] - last[name] for name in last}


def _is_over(run: Run, seconds: float) -> bool:
    """Whether ``max_minutes`` have passed, by the clock of rank 0: all ranks stop together."""
    over = 0 < run.recipe.max_minutes * 60 < seconds
    if dist.is_initialized():
        decision = torch.tensor([over], dtype=torch.int32, device=run.device)
        dist.broadcast(decision, 0)
        over = bool(decision.item())
    return over


def _show(run: Run, bar: tqdm, row: LogRow, first: int, seconds: float) -> None:
    """Show a line of the log, with the speed since this piece of the run started."""
    done = row.step - first
    speed = done * run.recipe.patches / run.recipe.steps / max(seconds, 1e-9)
    status = f"loss {row.loss:.5f}  lr {row.lr:.2e}  {speed:.1f} patches/s"
    bar.set_postfix_str(status, refresh=False)
    if bar.disable and run.rank == 0:
        left = (run.recipe.steps - row.step) * seconds / max(done, 1)
        print(
            f"{run.label}  step {row.step}/{run.recipe.steps}  {status}  {left / 60:.1f} min left",
            flush=True,
        )


# --- before and after -------------------------------------------------------------------------


def _check(scale: int, recipe: Train, store: PackedImages, validation: PackedImages | None) -> None:
    if store.scale != scale:
        raise ValueError(f"{store.folder} was packed for x{store.scale}; prepare it for x{scale}")
    if recipe.validate is None:
        return
    sets = {name for name, _ in validation.names} if validation else set()
    if not sets or recipe.validate.set not in {None, *sets}:
        raise ValueError(
            f"train.validate: {recipe.validate.set or 'an image'} is not among the packed images "
            f"({', '.join(sorted(sets)) or 'none'}); name a set of data.test, or hold images out "
            "of training by data.validation"
        )


def _facts(
    name: str, settings: dict[str, Any], scale: int, seed: int, recipe: Train, store: PackedImages
) -> dict[str, Any]:
    """What determines the weights, and so the run's id."""
    return {
        "network": name,
        "settings": settings,
        "scale": scale,
        "seed": seed,
        "train": recipe.identity,
        "data": store.digest(),
    } | _start(name, scale, seed, recipe)


def _start(name: str, scale: int, seed: int, recipe: Train) -> dict[str, str]:
    if not recipe.start:
        return {}
    return {"start_sha256": file_sha256(started_from(recipe.start, name, scale, seed))}


def _code(network: nn.Module) -> list[str]:
    """Digests of the code that a checkpoint comes from: changed code starts anew."""
    modules = {type(part).__module__ for part in network.modules()}
    ours = {name for name in modules if name.startswith("srlib.")}
    ours |= {name for name in sys.modules if name.startswith("srlib.training.")}
    ours |= {"srlib.data.packed"}
    return [file_sha256(str(sys.modules[name].__file__)) for name in sorted(ours)]


def write(state: State, folder: Path, header: dict[str, Any]) -> None:
    """Write the weights and both curves."""
    for stale in folder.glob(".*.tmp"):  # of a process that was killed while it wrote
        stale.unlink()
    save_tensors(state.result.state_dict(), folder / "weights.safetensors", header)
    with replacing(folder / "train.csv") as temporary:
        rows = [f"{step},{kind},{loss:.8f},{rate:.6e}\n" for step, kind, loss, rate in state.log]
        temporary.write_text("step,kind,loss,lr\n" + "".join(rows))
    with replacing(folder / "validation.csv") as temporary:
        rows = [f"{step},{name},{psnr:.6f}\n" for step, name, psnr in state.curve]
        temporary.write_text("step,set,psnr_y\n" + "".join(rows))
