"""Networks on the Hugging Face Hub, by the hub's own mixin for PyTorch (the extra ``hub``).

>>> from srlib import hub
>>> hub.trained("aidn", scale=4).push_to_hub("USER/aidn-x4")  # asks for nothing but a login
>>> network = hub.HubNetwork.from_pretrained("USER/aidn-x4")
>>> srlib.upscale(image, network)
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from srlib.engines.extras import MissingExtra
from srlib.evaluation.complexity import parameters
from srlib.networks import NETWORKS, create_network
from srlib.paths import ROOT
from srlib.runs import Run, facts, find_runs
from srlib.weights.files import load_trained, load_weights, save_tensors
from srlib.weights.pretrained import pretrained_path

try:
    from huggingface_hub import EvalResult, ModelCard, ModelCardData, PyTorchModelHubMixin
except ModuleNotFoundError as error:
    raise MissingExtra('srlib.hub needs huggingface_hub: pip install "srlib[hub]"') from error

METRICS = {"psnr_y": "PSNR-Y, dB", "ssim_y": "SSIM-Y"}


class HubNetwork(
    nn.Module,
    PyTorchModelHubMixin,
    library_name="srlib",
    license="mit",
    pipeline_tag="image-to-image",
    tags=["super-resolution"],
):
    """Any network of the registry, to load from the hub and to push there.

    ``save_pretrained`` writes ``model.safetensors`` as the trainer does, so that every command of
    srlib takes it with ``--weights``, ``config.json`` with the arguments below, and the model card.

    Args:
        name, scale: as for ``create_network``.
        settings: those that differ from the registry's.
        run: the id of the training run that made the weights, for the card.

    Attributes:
        original: the network itself.
        scale, min_size: the network's.

    Raises:
        ValueError: no such network; or, of ``from_pretrained``, a place that holds none, or weights
            that do not fit it.
    """

    def __init__(
        self,
        name: str,
        scale: int = 4,
        settings: dict[str, Any] | None = None,
        run: str | None = None,
    ) -> None:
        super().__init__()
        self.name = name
        self.settings = settings or {}
        self.run = run
        self.original = create_network(name, scale, **self.settings)
        self.scale = scale
        self.min_size = self.original.min_size

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3 or 1, H, W) in 0..1 -> (N, 3, scale*H, scale*W)."""
        return self.original(x)

    def generate_model_card(self, *_: Any, **__: Any) -> ModelCard:
        """The card: how to use the network, the record of its run and its scores."""
        runs = _runs(self.run)
        scores = _scores(runs[0]) if runs else {}
        data = ModelCardData(
            **self._hub_mixin_info.model_card_data.to_dict(),
            model_name=f"{self.name}-x{self.scale}",
            eval_results=_results(scores, self.scale) or None,
        )
        return ModelCard(f"---\n{data.to_yaml()}\n---\n\n{self._card(runs, scores)}")

    def _card(self, runs: list[Run], scores: dict[str, dict[str, float]]) -> str:
        lines = [
            f"# {self.name} ×{self.scale}",
            f"{NETWORKS[self.name].about}. {parameters(self.original):,} parameters; RGB in 0..1 "
            f"in and out, LR of {self.min_size} pixels or more each way.",
            "```python\n"
            "import srlib\n"
            "from srlib import hub\n\n"
            'network = hub.HubNetwork.from_pretrained("...")  # this page\'s name, USER/NAME\n'
            "sr = srlib.upscale(image, network)  # a PIL image\n"
            "```",
        ]
        if scores:
            rows = [
                f"| {name} | {each['psnr_y']:.2f} | {each['ssim_y']:.4f} | {each['images']} |"
                for name, each in scores.items()
            ]
            lines += [
                "\n".join(
                    [
                        f"| set | {' | '.join(METRICS.values())} | images |",
                        "|---|---|---|---|",
                        *rows,
                    ]
                ),
                "Of 8-bit RGB output against HR, on BT.601 luma of studio range, "
                f"{self.scale} pixels shaved; means over the images.",
            ]
        if runs:
            told = facts(runs[0])
            lines += ["## The run", "\n".join(f"- {name}: {what}" for name, what in told.items())]
        elif self.run:
            lines += [f"Trained by run {self.run}, whose record is in the repository of srlib."]
        else:
            lines += ["No record of a training run came with these weights."]
        return "\n\n".join(lines) + "\n"

    def _save_pretrained(self, save_directory: Path) -> None:
        header = {"network": self.name, "scale": self.scale, "settings": self.settings}
        header |= {"run": self.run} if self.run else {}
        path = Path(save_directory) / "model.safetensors"
        save_tensors(self.original.state_dict(), path, header)

    @classmethod
    def _from_pretrained(cls, *, model_id: str, **arguments: Any) -> HubNetwork:
        if "name" not in arguments:
            raise ValueError(
                f"{model_id} holds no network of srlib: expected a config.json with its name, as "
                "save_pretrained writes it; name another place"
            )
        return super()._from_pretrained(model_id=model_id, **arguments)

    @classmethod
    def _load_as_safetensor(
        cls, model: Any, model_file: str, map_location: str, strict: bool
    ) -> Any:
        load_weights(model.original, model_file)
        return model.to(map_location).eval()


def trained(name: str, scale: int = 4, seed: int = 0) -> HubNetwork:
    """A network with the best weights trained in this repository (``srlib.load_pretrained``).

    Raises:
        WeightsError: nothing was trained under this name.
    """
    original, header = load_trained(pretrained_path(name, scale, seed))
    network = HubNetwork(header["network"], scale, header["settings"], header["run"])
    network.original.load_state_dict(original.state_dict())
    return network.eval()


def _runs(run: str | None) -> list[Run]:
    """The run, where its record is here; an installed copy has none."""
    if run is None or not (ROOT / "results" / "runs").is_dir():
        return []
    return [found for found in find_runs(run) if found.stage == "train"]


def _scores(run: Run) -> dict[str, dict[str, float]]:
    """Set -> means, as they were measured of the weights that a training wrote."""
    assert run.result is not None
    path = run.result.folder() / "metrics.json"
    return json.loads(path.read_text())["sets"] if path.is_file() else {}


def _results(scores: dict[str, dict[str, float]], scale: int) -> list[EvalResult]:
    return [
        EvalResult(
            task_type="image-to-image",
            task_name=f"Super-resolution x{scale}",
            dataset_type=name,
            dataset_name=name,
            metric_type=metric,
            metric_name=METRICS[metric],
            metric_value=round(each[metric], 4),
        )
        for name, each in scores.items()
        for metric in METRICS
    ]
