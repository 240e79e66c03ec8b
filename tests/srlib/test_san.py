"""SAN: counts scaled as the reference's, the parameters that are never used, the covariance."""

from pathlib import Path

import pandas as pd
import pytest
import torch

from srlib.evaluation.complexity import complexity
from srlib.networks import create_network
from srlib.networks.san import SAN, SOCA, covariance_root

PIXELS_64, PIXELS_256 = 64**2, 256**2


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_multiply_adds_scaled_from_64_pixels_are_the_references(
    reference: Path, scale: int
) -> None:
    table = pd.read_csv(reference / "networks.csv")
    row = table[(table["name"] == "SAN") & (table["scale"] == scale)]
    with torch.device("meta"):
        network = create_network("san", scale)
    macs = complexity(network, (64, 64)).conv_macs / PIXELS_64 / 1e9
    found = [round(macs * pixels, 4) for pixels in (PIXELS_256, 1280 * 720 / scale**2)]
    assert found == row[["conv_macs_lr256_G", "conv_macs_720p_G"]].to_numpy().tolist()[0]


@pytest.mark.parametrize(("scale", "published"), [(2, 15674), (3, 15859), (4, 15822)])
def test_published_counts_are_without_the_spare_modules(scale: int, published: int) -> None:
    network = create_network("san", scale)
    spare = [p for name, p in network.named_parameters() if name.startswith(SAN.unused)]
    modules = sum(p.numel() for p in spare if p.numel() > 1)
    assert modules == 38_024 and sum(p.numel() for p in spare) == 38_044
    assert (sum(p.numel() for p in network.parameters()) - modules) // 1000 == published


def test_root_squared_is_the_covariance() -> None:
    x = torch.randn(2, 3, 200, generator=torch.manual_seed(0), dtype=torch.double)
    root = covariance_root(x, steps=30)
    expected = torch.stack([features.cov(correction=0) for features in x])
    torch.testing.assert_close(root @ root, expected)


def test_constant_features_have_finite_gradients() -> None:
    x = torch.ones(1, 4, 5, 5, requires_grad=True)
    SOCA(4, 2)(x).sum().backward()
    assert x.grad is not None and x.grad.isfinite().all()


def test_attention_of_a_large_map_is_that_of_its_centre() -> None:
    attention = SOCA(2, 1)
    x = torch.rand(1, 2, 1006, 3, generator=torch.manual_seed(0))
    with torch.no_grad():
        torch.testing.assert_close(attention(x)[:, :, 3:-3], attention(x[:, :, 3:-3]))
