"""The trainer: one loop for CPU and GPUs, exact after any kill.

Everything random is a pure function of (seed, step), so a run that was killed goes on from its
last checkpoint as though nothing had happened: type the same command again. Checkpoints lie in
``.cache/train/NAME-HASH`` under a hash of parameters, data and code, so that a changed run never
resumes from a stale one; they are deleted when the run ends.

Start it under ``torchrun`` for several devices: each takes its slice of the same global batch.
"""

import math
import shutil
import sys
import time
from contextlib import nullcontext
from dataclasses import asdict
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
from srlib.data.packed import Store
from srlib.evaluation.inference import upscale_array
from srlib.evaluation.metrics import score
from srlib.files import replacing
from srlib.networks import create_network
from srlib.provenance import digest, file_sha256, run_id
from srlib.training.devices import Devices, Stopwatch, joules
from srlib.training.initialise import unit_variance
from srlib.training.schedule import learning_rate, schedule
from srlib.weights.files import load_tensors, save_tensors

CHECKPOINTS = Path(".cache/train")
LOSSES = {"l1": nn.L1Loss, "l2": nn.MSELoss}


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


def train(
    name: str,
    settings: dict[str, Any],
    scale: int,
    seed: int,
    recipe: Train,
    store: Store,
    folder: str | Path,
    checkpoints: Path = CHECKPOINTS,
    test: Store | None = None,
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
        test: packed test images at this scale; needed by ``recipe.validate``.

    Raises:
        OutOfTime: ``recipe.max_minutes`` is over.
        TrainingError: the loss is not finite; names the step and the last good checkpoint.
        ValueError: a store of another scale, no image as large as the patch, or a set to validate
            on that ``test`` does not hold.
    """
    if store.scale != scale:
        raise ValueError(f"{store.folder} was packed for x{store.scale}; prepare it for x{scale}")
    sets = {name for name, _ in test.names} if test else set()
    if recipe.validate and recipe.validate.set not in sets:
        raise ValueError(
            f"train.validate.set: {recipe.validate.set} is not among the packed test sets "
            f"({', '.join(sorted(sets)) or 'none'}); add it to data.test, or take validate out"
        )
    # Neither steps between checkpoints nor time limit nor validation change the weights.
    asdict_recipe = asdict(recipe)
    for key in ("checkpoint_every", "max_minutes", "validate"):
        del asdict_recipe[key]
    if recipe.init == "default":  # what was trained before there was a choice keeps its run id
        del asdict_recipe["init"]
    facts = {
        "network": name,
        "settings": settings,
        "scale": scale,
        "seed": seed,
        "train": asdict_recipe,
        "data": store.digest(),
    }
    header = facts | {"run": run_id(facts), "steps": recipe.steps}
    with Devices(recipe) as (device, rank, world):
        run = Run(facts, recipe, store, device, rank, world, checkpoints, test)
        run.loop()
        if rank == 0:
            run.finish(Path(folder), header)
        return Trained(header, run.cost())


class Run:
    """One run in progress: what a checkpoint holds, and the loop over steps."""

    def __init__(
        self,
        facts: dict[str, Any],
        recipe: Train,
        store: Store,
        device: torch.device,
        rank: int,
        world: int,
        checkpoints: Path,
        test: Store | None = None,
    ) -> None:
        self.facts, self.recipe, self.store, self.test = facts, recipe, store, test
        self.device, self.rank, self.world = device, rank, world
        self.patch = recipe.patch // store.scale * store.scale
        self.label = f"{facts['network']}-x{facts['scale']}-s{facts['seed']}"
        torch.manual_seed(facts["seed"])
        network = create_network(facts["network"], facts["scale"], **facts["settings"])
        if recipe.init == "unit_variance":
            # A batch beyond the last step's, the same on every rank.
            unit_variance(network, store.batch(self.patch, 4, facts["seed"], recipe.steps)[0])
        key = digest([facts, _code(network), world])[:12]  # ranks sum in another order
        self.checkpoint = checkpoints / f"{self.label}-{key}" / "checkpoint.safetensors"
        layout = torch.channels_last if recipe.channels_last else torch.contiguous_format
        self.network = network.to(device, memory_format=layout)  # type: ignore[call-overload]
        self.ema = (
            AveragedModel(self.network, multi_avg_fn=get_ema_multi_avg_fn(recipe.ema))
            if recipe.ema
            else None
        )
        self.model: nn.Module = self.network
        if dist.is_initialized():
            self.model = DistributedDataParallel(self.network)
        if recipe.compile:
            self.model = torch.compile(self.model)  # type: ignore[assignment]
        self.optimizer = self.new_optimizer()
        self.step = 0
        self.log: list[tuple[int, str, float, float]] = []  # step, loss, its mean, rate
        self.curve: list[tuple[int, str, float]] = []  # step, set, PSNR-Y
        self.spent = {"seconds": 0.0, "data": 0.0}  # in earlier pieces of this run, and up to now
        self.watches = {"seconds": Stopwatch(device), "data": Stopwatch(device)}
        self.energy: float | None = 0.0
        self.counter = joules(device)

    def new_optimizer(self) -> torch.optim.Adam:
        return torch.optim.Adam(self.network.parameters(), lr=0.0, fused=True)

    # --- the loop ---------------------------------------------------------------------------

    def loop(self) -> None:
        """Run every step that is not done yet."""
        self.resume()
        recipe, started = self.recipe, time.monotonic()
        first = self.step
        losses: list[Tensor] = []
        bar = tqdm(
            total=recipe.steps,
            initial=first,
            desc=self.label,
            unit="step",
            disable=self.rank != 0 or not sys.stderr.isatty(),
        )
        for step, stage, local in schedule(recipe.stages):
            if step < first:
                continue
            if local == 0 and step > 0:
                self.optimizer = self.new_optimizer()
            rate = learning_rate(stage, local)
            with self.watches["seconds"]:
                losses.append(self.one_step(step, stage, rate))
            self.step = step + 1
            if self.step % recipe.log_every == 0 or local + 1 == stage.steps:
                self.write_log(losses, stage.loss, rate, time.monotonic() - started, first, bar)
                losses = []
            if self.step == recipe.steps or self.step % recipe.checkpoint_every == 0:
                self.check_weights()
            if recipe.validate and (
                self.step == recipe.steps or self.step % recipe.validate.every == 0
            ):
                self.validate(recipe.validate.set)
            if self.step % recipe.checkpoint_every == 0 and self.step < recipe.steps:
                self.save()  # a step that is also logged (Config sees to it), so the loss is good
                if self.is_over(time.monotonic() - started):
                    bar.close()
                    raise OutOfTime(
                        f"{self.label}: {recipe.max_minutes} minutes are over after step "
                        f"{self.step} of {recipe.steps}; the same command goes on from there"
                    )
            bar.update()
        bar.close()
        if self.rank == 0:
            cost = self.cost()
            energy = "" if cost["joules"] is None else f", {cost['joules'] / 3600:.1f} Wh"
            print(
                f"{self.label}  {self.step} steps of {cost['ms_a_step']:.1f} ms{energy}; "
                f"{cost['data_share']:.2%} of the time went into batches",
                flush=True,
            )

    def cost(self) -> dict[str, float | None]:
        """What the steps took so far: see ``Trained``."""
        for name, watch in self.watches.items():
            self.spent[name] += watch.seconds()
            self.watches[name] = Stopwatch(self.device)
        now, before = joules(self.device), self.counter
        if now is None or before is None or self.energy is None or now < before:
            self.energy = None  # not reported, or the counter started anew
        else:
            self.energy += now - before
        self.counter = now
        seconds = self.spent["seconds"]
        return {
            "seconds": round(seconds, 1),
            "ms_a_step": round(1e3 * seconds / max(1, self.step), 2),
            "data_share": round(self.spent["data"] / max(seconds, 1e-9), 5),
            "joules": self.energy,
        }

    def validate(self, name: str) -> None:
        """Add one point to the curve: the weights that would be written if the run ended here."""
        if self.rank or self.test is None:
            return
        network = self.ema.module if self.ema is not None else self.network
        network.eval()
        psnr = [
            score(
                upscale_array(network, self.test.lr(index), str(self.device)),
                np.asarray(self.test.hr(index)),
                self.test.scale,
            )[0]
            for index, (found, _) in enumerate(self.test.names)
            if found == name
        ]
        network.train()
        self.curve.append((self.step, name, sum(psnr) / len(psnr)))

    def is_over(self, seconds: float) -> bool:
        """Whether ``max_minutes`` have passed, by the clock of rank 0: all ranks stop together."""
        over = 0 < self.recipe.max_minutes * 60 < seconds
        if dist.is_initialized():
            decision = torch.tensor([over], dtype=torch.int32, device=self.device)
            dist.broadcast(decision, 0)
            over = bool(decision.item())
        return over

    def one_step(self, step: int, stage: Stage, rate: float) -> Tensor:
        """Draw a batch, go forward, back, and update; the loss stays on the device."""
        recipe = self.recipe
        with self.watches["data"]:
            lr, hr = self.store.batch(
                self.patch,
                recipe.batch,
                self.facts["seed"],
                step,
                rank=self.rank,
                world_size=self.world,
                device=str(self.device),
            )
        autocast = (
            torch.autocast(self.device.type, dtype=torch.bfloat16)
            if recipe.precision == "bfloat16"
            else nullcontext()
        )
        with autocast:
            sr = self.model(lr)
        loss = LOSSES[stage.loss]()(sr.float(), hr)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        if self.ema is not None:
            self.ema.update_parameters(self.network)
        return loss.detach()

    def check(self, losses: list[Tensor]) -> list[float]:
        """The losses since the last look, as numbers; an error if one is not finite."""
        stacked = torch.stack(losses).double()
        if self.world > 1:
            dist.all_reduce(stacked)
            stacked /= self.world
        values = stacked.tolist()
        for number, value in enumerate(values, self.step - len(values) + 1):
            if not math.isfinite(value):
                raise self.diverged(f"the loss is {value} at step {number}")
        return values

    def diverged(self, what: str) -> TrainingError:
        kept = f"the last good checkpoint is {self.checkpoint}"
        if not self.checkpoint.exists():
            kept = "there is no checkpoint yet"
        return TrainingError(
            f"{self.label}: {what} of {self.recipe.steps}; {kept}; "
            "lower train.stages.*.lr or use precision float32"
        )

    def check_weights(self) -> None:
        """A loss is taken before its update: what the last update did shows only here."""
        if not all(bool(weight.isfinite().all()) for weight in self.network.parameters()):
            raise self.diverged(f"a weight is not finite after step {self.step}")

    def write_log(
        self,
        losses: list[Tensor],
        kind: str,
        rate: float,
        seconds: float,
        first: int,
        bar: tqdm,
    ) -> None:
        values = self.check(losses)
        mean = sum(values) / len(values)
        self.log.append((self.step, kind, mean, rate))
        done = self.step - first
        speed = done * self.recipe.batch / max(seconds, 1e-9)
        left = (self.recipe.steps - self.step) * seconds / max(done, 1)
        status = f"loss {mean:.5f}  lr {rate:.2e}  {speed:.1f} patches/s"
        bar.set_postfix_str(status, refresh=False)
        if bar.disable and self.rank == 0:
            print(
                f"{self.label}  step {self.step}/{self.recipe.steps}  {status}  "
                f"{left / 60:.1f} min left",
                flush=True,
            )

    # --- checkpoints ------------------------------------------------------------------------

    def save(self) -> None:
        """Write a checkpoint, whole or not at all; only rank 0 writes."""
        if self.rank:
            return
        tensors = {f"network.{k}": v for k, v in self.network.state_dict().items()}
        if self.ema is not None:
            tensors |= {f"ema.{k}": v for k, v in self.ema.state_dict().items()}
        for number, state in self.optimizer.state_dict()["state"].items():
            tensors |= {f"adam.{number}.{k}": v for k, v in state.items()}
        self.cost()
        kept = {"log": self.log, "curve": self.curve, "spent": self.spent, "energy": self.energy}
        save_tensors(tensors, self.checkpoint, {"step": self.step} | kept)

    def resume(self) -> None:
        """Go on from this run's checkpoint if there is one."""
        if not self.checkpoint.exists():
            return
        tensors, header = load_tensors(self.checkpoint)
        self.network.load_state_dict(_part(tensors, "network."))
        if self.ema is not None:
            self.ema.load_state_dict(_part(tensors, "ema."))
        state: dict[int, dict[str, Tensor]] = {}
        parameters = list(self.network.parameters())
        for key, value in _part(tensors, "adam.").items():
            number, what = key.split(".", 1)
            like = parameters[int(number)]
            if value.shape == like.shape:  # the fused Adam pairs elements by their place in memory
                value = torch.empty_like(like).copy_(value)
            state.setdefault(int(number), {})[what] = value
        self.optimizer.load_state_dict(self.optimizer.state_dict() | {"state": state})
        self.step = header["step"]
        self.log = [tuple(row) for row in header["log"]]
        self.curve = [tuple(row) for row in header["curve"]]
        self.spent, self.energy = header["spent"], header["energy"]
        if self.rank == 0:
            print(f"{self.label}  resumes after step {self.step} of {self.recipe.steps}")

    def finish(self, folder: Path, header: dict[str, Any]) -> None:
        """Write the results and forget the checkpoint."""
        for stale in folder.glob(".*.tmp"):  # of a process that was killed while it wrote
            stale.unlink()
        network = self.ema.module if self.ema is not None else self.network
        save_tensors(network.state_dict(), folder / "weights.safetensors", header)
        with replacing(folder / "train.csv") as temporary:
            rows = [f"{step},{kind},{mean:.8f},{rate:.6e}\n" for step, kind, mean, rate in self.log]
            temporary.write_text("step,kind,loss,lr\n" + "".join(rows))
        with replacing(folder / "validation.csv") as temporary:
            rows = [f"{step},{name},{psnr:.6f}\n" for step, name, psnr in self.curve]
            temporary.write_text("step,set,psnr_y\n" + "".join(rows))
        shutil.rmtree(self.checkpoint.parent, ignore_errors=True)


def _code(network: nn.Module) -> list[str]:
    """Digests of the code that a checkpoint comes from: changed code starts anew."""
    modules = {type(part).__module__ for part in network.modules()}
    ours = {name for name in modules if name.startswith("srlib.")} | {
        __name__,
        "srlib.training.initialise",
        "srlib.training.schedule",
        "srlib.data.packed",
    }
    return [file_sha256(str(sys.modules[name].__file__)) for name in sorted(ours)]


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
