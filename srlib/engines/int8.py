"""OpenVINO networks in 8 bits, by its NNCF: the 3x3, 3x1 and 1x3 convolutions within the blocks.

They are half to nine tenths of the multiply-adds, and what is left of PSNR decides which they are:
with all operations in 8 bits, IMDN loses 2.6 dB on Set5. The convolutions at the two ends, those
that distil and fuse, and the attention stay as they are (``benchmarks/precision.py``).
"""

import contextlib
import io
import logging
import re
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from srlib.data.imresize import imresize
from srlib.data.registry import crop_to_multiple, read_image, three_channels
from srlib.engines.extras import need
from srlib.networks.aidn import AIDN
from srlib.networks.imdn import IMDN
from srlib.networks.rfdn import RFDN

OFFERED = (AIDN, IMDN, RFDN)  # what it was measured of, with all their variants
LARGEST_LOSS = 0.1  # dB of PSNR-Y
SET, CROPS, SIDE = "BSD400", 30, 40  # what the ranges of features are taken from; LR pixels
INNER = re.compile(r"/blocks\.\d+/(?!attention)")


def in_eight_bits(network: nn.Module, model: Any) -> Any:
    """An OpenVINO model of a network, with the inner convolutions quantised.

    Args:
        network: of a class that is ``OFFERED``.
        model: as OpenVINO read it from the network's ONNX file.

    Raises:
        MissingExtra: NNCF is not installed.
        ValueError: the images of ``SET`` cannot be had (``fetch``).
    """
    nncf = need("nncf", "int8", "--precision int8")
    nncf.set_log_level(logging.ERROR)
    kept = [each.get_friendly_name() for each in model.get_ordered_ops() if not _is_quantised(each)]
    crops = calibration(int(network.scale))  # type: ignore[arg-type]
    with contextlib.redirect_stdout(io.StringIO()):  # its bars; a picture may be written there
        return nncf.quantize(
            model,
            nncf.Dataset(crops),
            preset=nncf.QuantizationPreset.MIXED,  # values below zero have a range of their own
            subset_size=len(crops),
            ignored_scope=nncf.IgnoredScope(names=kept, validate=False),
        )


def _is_quantised(operation: Any) -> bool:
    if operation.get_type_name() != "Convolution":
        return False
    if not INNER.match(operation.get_friendly_name()):
        return False
    return max(operation.input(1).get_partial_shape().get_max_shape()[2:]) > 1


def calibration(scale: int) -> list[NDArray[np.float32]]:
    """LR crops (1, 3, h, w) in 0..1 of images that lie evenly in the order of their names."""
    from srlib.data.download import default_folder, fetch  # which every start would wait for

    folder = fetch(SET, default_folder() / "sets")
    paths = sorted(folder.iterdir())
    crops = []
    for place in np.linspace(0, len(paths) - 1, CROPS).astype(int):
        hr = crop_to_multiple(three_channels(read_image(paths[place])), scale)
        lr = imresize(hr, 1 / scale)[:SIDE, :SIDE]
        crops.append(lr.transpose(2, 0, 1)[None].astype(np.float32) / np.float32(255))
    return crops
