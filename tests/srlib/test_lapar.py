"""LAPAR: the dictionary, and that assembling kernels is the papers' sum of filtered images."""

import torch
import torch.nn.functional as F

from srlib.networks import create_network
from srlib.networks.lapar import LAPAR, dictionary


def test_dictionary_has_72_different_kernels_of_sum_one() -> None:
    kernels = dictionary()
    assert kernels.shape == (72, 25) and len(kernels.unique(dim=0)) == 72
    torch.testing.assert_close(kernels.sum(1), torch.ones(72, dtype=torch.double))


def test_kernels_are_turned_as_the_authors() -> None:
    larger_and_smaller = {
        1: ((2, 4), (4, 2)),  # 0 degrees: long in x
        4: ((4, 2), (2, 4)),  # -90 degrees
        2: ((1, 3), (3, 3)),  # -30 degrees, y downwards: rises to the right
        20: ((1, 4), (3, 4)),  # -15 degrees
        32: ((2, 4), (4, 2)),
        33: ((1, 3), (3, 3)),
    }
    kernels = dictionary().reshape(-1, 5, 5)
    turned = {i: kernels[i][a] > kernels[i][b] for i, (a, b) in larger_and_smaller.items()}
    assert [index for index, right in turned.items() if not right] == []


def test_output_is_the_weighted_sum_of_the_filtered_images() -> None:
    torch.manual_seed(0)
    network = create_network("lapar-a", 2, blocks=1, channels=4, wide=4)
    assert isinstance(network, LAPAR)
    x = torch.rand(2, 3, 5, 6)
    weights = []
    network.predict.register_forward_hook(lambda *args: weights.append(args[2]))
    with torch.no_grad():
        output = network(x)
    enlarged = F.interpolate(x, scale_factor=2, mode="bicubic", align_corners=False)
    padded = F.pad(enlarged, (2, 2, 2, 2), mode="reflect").reshape(6, 1, 14, 16)
    filtered = F.conv2d(padded, network.kernels.reshape(72, 1, 5, 5)).reshape(2, 3, 72, 10, 12)
    torch.testing.assert_close(output, (filtered * weights[0][:, None]).sum(2))
