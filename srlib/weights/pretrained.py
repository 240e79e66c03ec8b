"""The networks that were trained here: the tracked weights of the campaigns."""

from pathlib import Path

from torch import nn

from srlib.networks import check_name
from srlib.paths import ROOT, Result, find
from srlib.weights.files import WeightsError, load_trained

# The best-trained first: a network is taken from the first campaign that has tracked weights of it.
CAMPAIGNS: tuple[str, ...]
CAMPAIGNS = ("paper", "aidn-wide", "ablation", "ablation-adam", "aidn-long", "bsd400-others")
CAMPAIGNS += ("rdsrn", "quick")
SAME = {"aidn": "aidn-aidb"}  # names of one network


def pretrained_path(name: str, scale: int = 4, seed: int = 0, root: Path = ROOT) -> Path:
    """The weights file that ``load_pretrained`` takes: of the repository, or of the installed copy.

    Raises:
        WeightsError: no campaign has weights of this network and scale; names those that exist.
    """
    check_name(name)
    for campaign in CAMPAIGNS:
        result = Result(campaign, SAME.get(name, name), scale, seed)
        path = result.folder(root) / "weights.safetensors"
        if path.exists():
            return path
    inside = Path(__file__).with_name("trained") / f"{SAME.get(name, name)}-x{scale}.safetensors"
    if inside.exists():  # of an installed copy, which has no results
        return inside
    there = sorted({result.label for result, _ in find("weights.safetensors", root=root)})
    raise WeightsError(
        f"there are no weights of {name} x{scale}, seed {seed}, trained here; there are "
        f"{', '.join(there) or 'none'}; train it, or see srlib.load_official for the authors'"
    )


def load_pretrained(name: str, scale: int = 4, seed: int = 0) -> nn.Module:
    """A network with the best weights trained in this repository, ready to evaluate.

    The quick run's weights show that the code works; they are barely better than bicubic. The
    budget of each campaign is in ``notebooks/00_start_here.ipynb``.

    Args:
        name, scale: as for ``create_network``; "aidn" is "aidn-aidb".
        seed: of the training run.

    Raises:
        WeightsError: nothing was trained under this name (see ``pretrained_path``).
    """
    return load_trained(pretrained_path(name, scale, seed))[0]
