"""What every registered network promises, whatever its paper. New names are covered as they come.

The forward pass is tried of every name at every scale, of the deepest networks with fewer
repetitions of the same block; the rest once for each structure, with two repetitions.
``test_complexity.py`` counts all of them whole.
"""

import copy
from collections.abc import Iterator

import pytest
import torch
from structures import SCALE, STRUCTURES, create, repeated
from torch import Tensor, nn

from srlib.networks import NETWORKS, create_network

HEIGHT, WIDTH = 17, 23
# LapSRN doubles the size at each level; test_luma.py sees that it refuses the scale.
NOT_OFFERED = {("lapsrn", 3), ("lapsrn-d5", 3)}


@pytest.fixture(scope="module", params=sorted(STRUCTURES.values()))
def network(request: pytest.FixtureRequest) -> nn.Module:
    """A network of each structure, in training mode as `create_network` gives it; only read."""
    return repeated(request.param, 2)


def batch(channels: int = 3, height: int = HEIGHT, width: int = WIDTH, count: int = 2) -> Tensor:
    return torch.rand(count, channels, height, width, generator=torch.manual_seed(1))


@pytest.fixture
def fresh_compiler() -> Iterator[None]:
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


# --- one forward pass, of every name ----------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "scale"),
    [(name, scale) for name in NETWORKS for scale in (2, 3, 4) if (name, scale) not in NOT_OFFERED],
)
def test_output_is_finite_rgb_at_scale_times_the_odd_size(name: str, scale: int) -> None:
    network = create(name, scale)
    with torch.no_grad():
        output = network(batch())
    assert output.shape == (2, 3, scale * HEIGHT, scale * WIDTH)
    assert output.isfinite().all()
    assert network.scale == scale


# --- the rest, of every structure -------------------------------------------------------------


def test_grey_in_a_batch_equals_the_same_grey_alone_as_rgb(network: nn.Module) -> None:
    # In double precision: some networks amplify rounding at their random start, and the memory
    # layout of the two differs, and so does the order of sums.
    double, grey = copy.deepcopy(network).double().eval(), batch(channels=1).double()
    with torch.no_grad():
        alone = torch.cat([double(image[None].repeat(1, 3, 1, 1)) for image in grey])
        torch.testing.assert_close(double(grey), alone, rtol=1e-6, atol=1e-8)


def test_finite_gradients_reach_the_input_and_every_parameter(network: nn.Module) -> None:
    trained, x = copy.deepcopy(network), batch().requires_grad_()
    for each in getattr(trained, "scales", (SCALE,)):  # CARN keeps an upsampler a scale
        trained.scale = each  # type: ignore[assignment]
        trained(x).abs().mean().backward()
    unused = getattr(trained, "unused", ())  # SAN's class says why
    without = [
        label
        for label, parameter in trained.named_parameters()
        if parameter.requires_grad
        and (parameter.grad is None or not parameter.grad.isfinite().all())
    ]
    assert [label for label in without if not label.startswith(tuple(unused))] == []
    assert x.grad is not None and x.grad.isfinite().all() and x.grad.abs().sum() > 0


def test_least_size_is_enough_and_a_pixel_less_is_named(network: nn.Module) -> None:
    least = int(network.min_size)  # type: ignore[arg-type]
    with torch.no_grad():
        output = network(batch(height=least, width=least))
    assert output.shape == (2, 3, SCALE * least, SCALE * least)
    with pytest.raises(ValueError, match=f"needs at least {least}x{least}; pad it"):
        network(batch(height=least, width=least - 1))


def test_exported_program_gives_the_same_output(network: nn.Module) -> None:
    x = batch(count=1)
    exported = torch.export.export(network, (x,), strict=False).module()
    with torch.no_grad():
        torch.testing.assert_close(exported(x), network(x))


@pytest.mark.parametrize("name", sorted(STRUCTURES.values()))
def test_compiles_without_a_graph_break(name: str, fresh_compiler: None) -> None:
    network, x = repeated(name, 1), batch(count=1)  # a block that breaks does so the first time
    compiled = torch.compile(network, backend="eager", fullgraph=True)
    with torch.no_grad():
        torch.testing.assert_close(compiled(x), network(x))


# --- errors that all share --------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(3, 20, 20), (1, 4, 20, 20), (1, 2, 20, 20)])
def test_what_is_no_batch_of_images_is_named(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"expected an LR batch of shape \(N, 3, H, W\)"):
        create("aidn")(torch.rand(shape))


def test_fewer_rows_than_least_size_are_named() -> None:
    with pytest.raises(ValueError, match="14x20 pixels, and this network needs at least 15x15"):
        create("aidn")(batch(height=14, width=20))


def test_unknown_name_is_named_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"network 'nonsense' is unknown; .*\baidn\b"):
        create_network("nonsense")
