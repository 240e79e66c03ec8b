"""What every registered network promises, whatever its paper. New names are covered as they come.

The deepest networks are tested with fewer repetitions of the same block; ``test_complexity.py``
counts them whole. Tracing is tried at one scale each.
"""

import functools
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from srlib.networks import NETWORKS, create_network, list_networks

HEIGHT, WIDTH = 17, 23
SHALLOW: dict[str, dict[str, Any]] = {
    "edsr": {"blocks": 2},
    "drcn": {"recursions": 2, "channels": 16},
    "drrn": {"units": 2, "channels": 16},
    "rcan": {"groups": 2, "blocks": 2},
    "rdn": {"blocks": 2},
    "san": {"groups": 2, "blocks": 2},
    "fdiwn": {"order": (0,)},
    "fdiwn-m": {"order": (0,)},
}
every_name = pytest.mark.parametrize("name", NETWORKS)
every_scale = pytest.mark.parametrize("scale", [2, 3, 4])


@functools.lru_cache(maxsize=8)
def network(name: str, scale: int) -> nn.Module:
    """A network in training mode, as `create_network` gives it; kept, since tests only read it."""
    torch.manual_seed(0)
    try:
        return create_network(name, scale, **SHALLOW.get(name, {}))
    except ValueError as error:
        assert "scale" in str(error)
        pytest.skip(f"its paper has other scales: {error}")


def batch(channels: int = 3, height: int = HEIGHT, width: int = WIDTH, count: int = 2) -> Tensor:
    return torch.rand(count, channels, height, width, generator=torch.manual_seed(1))


@pytest.fixture
def fresh_compiler() -> Iterator[None]:
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


# --- one forward pass -------------------------------------------------------------------------


@every_scale
@every_name
def test_output_is_finite_rgb_at_scale_times_the_odd_size(name: str, scale: int) -> None:
    with torch.no_grad():
        output = network(name, scale)(batch())
    assert output.shape == (2, 3, scale * HEIGHT, scale * WIDTH)
    assert output.isfinite().all()


@every_scale
@every_name
def test_grey_in_a_batch_equals_the_same_grey_alone_as_rgb(name: str, scale: int) -> None:
    # In double precision: some networks amplify rounding at their random start, and the memory
    # layout of the two differs, and so does the order of sums.
    built, grey = network(name, scale).double().eval(), batch(channels=1).double()
    try:
        with torch.no_grad():
            alone = torch.cat([built(image[None].repeat(1, 3, 1, 1)) for image in grey])
            torch.testing.assert_close(built(grey), alone, rtol=1e-6, atol=1e-8)
    finally:
        built.float().train()


# --- one backward pass ------------------------------------------------------------------------


@every_scale
@every_name
def test_finite_gradients_reach_the_input_and_every_parameter(name: str, scale: int) -> None:
    built, x = network(name, scale), batch().requires_grad_()
    built.zero_grad()
    for each in getattr(built, "scales", (scale,)):  # CARN keeps an upsampler a scale
        built.scale = each  # type: ignore[assignment]
        built(x).abs().mean().backward()
    built.scale = scale  # type: ignore[assignment]
    unused = getattr(built, "unused", ())  # SAN's class says why
    without = [
        label
        for label, parameter in built.named_parameters()
        if parameter.requires_grad
        and (parameter.grad is None or not parameter.grad.isfinite().all())
    ]
    assert [label for label in without if not label.startswith(tuple(unused))] == []
    assert x.grad is not None and x.grad.isfinite().all() and x.grad.abs().sum() > 0


# --- attributes and errors --------------------------------------------------------------------


@every_scale
@every_name
def test_scale_is_kept(name: str, scale: int) -> None:
    assert network(name, scale).scale == scale


@every_scale
@every_name
def test_least_size_is_enough(name: str, scale: int) -> None:
    built = network(name, scale)
    least = int(built.least_size)  # type: ignore[arg-type]
    with torch.no_grad():
        output = built(batch(height=least, width=least))
    assert output.shape == (2, 3, scale * least, scale * least)


@pytest.mark.parametrize("side", ["height", "width"])
@every_name
def test_one_pixel_less_than_least_size_is_named(name: str, side: str) -> None:
    built = network(name, 4)
    least = int(built.least_size)  # type: ignore[arg-type]
    sides = {"height": least, "width": least} | {side: least - 1}
    with pytest.raises(ValueError, match=f"needs at least {least}x{least}; pad it"):
        built(batch(**sides))


@pytest.mark.parametrize("shape", [(3, 20, 20), (1, 4, 20, 20), (1, 2, 20, 20)])
@every_name
def test_what_is_no_batch_of_images_is_named(name: str, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"expected an LR batch of shape \(N, 3, H, W\)"):
        network(name, 4)(torch.rand(shape))


@every_name
def test_unknown_setting_is_named(name: str) -> None:
    with pytest.raises(TypeError, match="nonsense"):
        create_network(name, 4, nonsense=1)


def test_unknown_name_is_named_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"network 'nonsense' is unknown; .*\baidn\b"):
        create_network("nonsense")


def test_names_are_listed_sorted() -> None:
    assert list_networks() == sorted(NETWORKS)


# --- PyTorch's tools --------------------------------------------------------------------------


@every_name
def test_exported_program_gives_the_same_output(name: str) -> None:
    built, x = network(name, 2), batch(count=1)
    exported = torch.export.export(built, (x,), strict=False).module()
    with torch.no_grad():
        torch.testing.assert_close(exported(x), built(x))


@every_name
def test_compiles_without_a_graph_break(name: str, fresh_compiler: None) -> None:
    built, x = network(name, 2), batch(count=1)
    compiled = torch.compile(built, backend="eager", fullgraph=True)
    with torch.no_grad():
        torch.testing.assert_close(compiled(x), built(x))


@every_name
def test_state_of_one_fits_another(name: str) -> None:
    torch.manual_seed(1)
    other = create_network(name, 4, **SHALLOW.get(name, {}))
    other.load_state_dict(network(name, 4).state_dict())
    for parameter, twin in zip(other.parameters(), network(name, 4).parameters(), strict=True):
        assert torch.equal(parameter, twin)
