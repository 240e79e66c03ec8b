"""spandrel loads the authors' files and ours, and its network gives what srlib's gives."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch

pytest.importorskip("torchvision", reason='spandrel needs it: pip install "srlib[spandrel]"')
spandrel = pytest.importorskip("spandrel", reason='pip install "srlib[spandrel]"')

from srlib import spandrel_pack  # noqa: E402
from srlib.paths import ROOT  # noqa: E402
from srlib.weights.files import load_trained, save_tensors  # noqa: E402
from srlib.weights.official import load_official  # noqa: E402

if TYPE_CHECKING:
    from spandrel import ImageModelDescriptor, ModelLoader

AUTHORS = [("arfdn", 4), ("e-rfdn", 4), ("imdn", 2), ("imdn", 4), ("fdiwn", 2), ("fdiwn", 4)]
OURS = [
    "aidn-wide/aidn-aidb-x4",
    "ablation/aidn-base-x4",
    "ablation/aidn-aieb-x4",
    "bsd400-others/imdn-x4",
    "bsd400-others/rfdn-x4",
    "rdsrn/rdsrn-x4",
]


@pytest.fixture
def loader() -> "ModelLoader":
    """With a registry of its own: spandrel's is one for the whole process."""
    registry = spandrel.MAIN_REGISTRY.copy()
    spandrel_pack.install(registry)
    return spandrel.ModelLoader(registry=registry)


@torch.inference_mode()
def same(model: "ImageModelDescriptor", network: torch.nn.Module) -> bool:
    x = torch.rand(1, 3, 24, 40)
    return bool(torch.equal(model(x), network(x).clamp(0, 1)))


@pytest.mark.parametrize(("name", "scale"), AUTHORS)
def test_it_loads_the_authors_files(
    loader: "ModelLoader", reference: Path, name: str, scale: int
) -> None:
    path = reference / "weights" / f"{name.upper()}_x{scale}.safetensors"
    model = loader.load_from_file(path)
    assert model.architecture.id == f"srlib.{'aidn' if name == 'arfdn' else name}"
    assert model.scale == scale and same(model, load_official(name, scale, path))


@pytest.mark.filterwarnings("ignore:taken as aidn")
@pytest.mark.parametrize("place", OURS)
def test_it_loads_ours(loader: "ModelLoader", place: str) -> None:
    path = ROOT / "results" / place / "seed0/weights.safetensors"
    network, header = load_trained(path)
    model = loader.load_from_file(path)
    assert model.architecture.name in (header["network"], "aidn") and same(model, network)


def test_what_cannot_be_told_apart_is_said(loader: "ModelLoader") -> None:
    with pytest.warns(UserWarning, match="taken as aidn; a file of aidn-fdc has the same names"):
        loader.load_from_file(ROOT / "results/ablation/aidn-fdc-x4/seed0/weights.safetensors")


def test_small_pictures_are_padded(loader: "ModelLoader") -> None:
    path = ROOT / "results/ablation/aidn-base-x4/seed0/weights.safetensors"
    assert loader.load_from_file(path)(torch.rand(1, 3, 5, 7)).shape == (1, 3, 20, 28)


def test_what_spandrel_knew_it_still_loads(loader: "ModelLoader", tmp_path: Path) -> None:
    from spandrel.architectures.Compact.__arch.SRVGG import SRVGGNetCompact

    save_tensors(
        SRVGGNetCompact(num_feat=8, num_conv=1).state_dict(), tmp_path / "w.safetensors", {}
    )
    assert loader.load_from_file(tmp_path / "w.safetensors").architecture.id == "Compact"


def test_to_install_it_twice_changes_nothing(loader: "ModelLoader") -> None:
    before = len(loader.registry)
    spandrel_pack.install(loader.registry)
    assert len(loader.registry) == before
