"""Networks of srlib in spandrel, by which chaiNNer and ComfyUI load (the extra ``spandrel``).

>>> from spandrel import ModelLoader
>>> from srlib import spandrel_pack
>>> spandrel_pack.install()
>>> ModelLoader().load_from_file("IMDN_x4.pth").scale
4
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping

from torch import Tensor, nn

from srlib.engines.extras import MissingExtra
from srlib.networks import create_network
from srlib.weights.files import apply_state
from srlib.weights.foreign import SCALES, Fit, fits

try:
    from spandrel import (
        MAIN_REGISTRY,
        Architecture,
        ArchRegistry,
        ArchSupport,
        ImageModelDescriptor,
        SizeRequirements,
    )
except ModuleNotFoundError as error:
    raise MissingExtra(
        f'srlib.spandrel_pack needs {error.name}: pip install "srlib[spandrel]"'
    ) from error

# Those of which there are weights, the authors' or ours. aidn-fdc, whose tensors have the names and
# shapes of aidn's, cannot be told from it.
NAMES = (
    *("aidn", "aidn-base", "aidn-aieb"),
    *("rfdn", "e-rfdn", "imdn", "rdsrn", "rdsrn-plain", "rdsrn-wider", "rdsrn-hfrrb", "fdiwn"),
    *("rlfn", "rlfn-s", "rlfn-ntire", "bsrn", "bsrn-s"),
    *("span", "span-52", "span-28", "spanv2"),
)


class SrlibArchitecture(Architecture[nn.Module]):
    """One network of the registry, told by the names and shapes of all tensors."""

    def __init__(self, name: str) -> None:
        super().__init__(id=f"srlib.{name}", name=name, detect=self._fits)
        self.network = name

    def _fits(self, state: Mapping[str, Tensor]) -> bool:
        return self._fit(state) is not None

    def _fit(self, state: Mapping[str, Tensor]) -> Fit | None:
        found = (fit for scale in SCALES for fit in fits(state, scale, self.network))
        return next(found, None)

    def load(self, state_dict: Mapping[str, Tensor]) -> ImageModelDescriptor[nn.Module]:
        """The network with these weights.

        Raises:
            ValueError: they are not this network's.
            WeightsError: a value is not finite.
        """
        fit = self._fit(state_dict)
        if fit is None:
            raise ValueError(f"these weights are not those of {self.network} at x2, x3 or x4")
        if fit == Fit("aidn", fit.scale, "srlib"):
            warnings.warn(
                "taken as aidn; a file of aidn-fdc has the same names and shapes, and is loaded by "
                "srlib.load_pretrained alone",
                stacklevel=2,
            )
        tensors = fit.renamed(state_dict)
        network = create_network(fit.network, fit.scale, **fit.settings())
        apply_state(network, tensors, f"the file of {fit.network}")
        return ImageModelDescriptor(
            network.eval(),
            tensors,
            architecture=self,
            purpose="SR",
            tags=[],
            supports_half=False,
            supports_bfloat16=True,
            scale=fit.scale,
            input_channels=3,
            output_channels=3,
            size_requirements=SizeRequirements(minimum=int(network.min_size)),  # type: ignore[arg-type]
        )


def install(registry: ArchRegistry = MAIN_REGISTRY) -> None:
    """Let spandrel know the networks of ``NAMES``; what it knows itself it goes on to load itself.

    Args:
        registry: spandrel's own, which ``ModelLoader`` takes unless it is given another. A second
            call changes nothing.
    """
    supported = [ArchSupport.from_architecture(SrlibArchitecture(name)) for name in NAMES]
    registry.add(*supported, ignore_duplicates=True)
