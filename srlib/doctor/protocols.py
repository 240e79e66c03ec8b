"""What a score's protocol consists of, part by part, and every choice that public code makes.

A protocol is one choice for each part. The field's own has the first choice of every part; any
other is a deviation, with its words and with the line that undoes it. Nothing here needs more than
Python itself, so that a look-up is quick.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import NamedTuple


class Choice(NamedTuple):
    """One way to do a part of the protocol: in words, and how to come back to the field's."""

    words: str
    mend: str = ""


PARTS: dict[str, dict[str, Choice]] = {
    "channel": {
        "y": Choice("Y of BT.601 in studio range, not rounded"),
        "y-rounded": Choice(
            "Y rounded to 8 bits",
            "keep Y as float: 16 + (65.481 R + 128.553 G + 24.966 B) / 255, without round or uint8",
        ),
        "y-full": Choice(
            "full-range Y (OpenCV's and Pillow's formula), not rounded",
            "take MATLAB's Y, 16 + (65.481 R + 128.553 G + 24.966 B) / 255, in place of "
            "0.299 R + 0.587 G + 0.114 B",
        ),
        "y-full-rounded": Choice(
            "full-range Y in 8 bits (OpenCV's YCrCb or GRAY, Pillow's YCbCr or L)",
            "take MATLAB's Y, 16 + (65.481 R + 128.553 G + 24.966 B) / 255, as float, in place of "
            "cvtColor or convert",
        ),
        "rgb": Choice("RGB instead of Y", "score Y alone (BasicSR: test_y_channel: true)"),
        "y-swapped": Choice(
            "Y with red and blue swapped (an image read by OpenCV, taken for RGB)",
            "turn OpenCV's BGR into RGB before Y is made: image[..., ::-1]",
        ),
    },
    "output": {
        "rounded": Choice("output rounded to 8 bits"),
        "truncated": Choice(
            "output cut off to 8 bits (.byte() or astype(uint8))",
            "round before the cast: .clamp(0, 255).round().byte()",
        ),
        "float": Choice(
            "output kept as float", "round the output to 8 bits before it is scored: .round()"
        ),
    },
    "border": {
        "scale": Choice("as many pixels shaved as the scale"),
        "0": Choice("no border shaved", "shave as many pixels from each side as the scale"),
        "scale+6": Choice(
            "scale + 6 pixels shaved (DIV2K's rule)",
            "shave as many pixels from each side as the scale",
        ),
        "2*scale": Choice(
            "twice the scale shaved", "shave as many pixels from each side as the scale"
        ),
        "20": Choice("20 pixels shaved", "shave as many pixels from each side as the scale"),
    },
    "lr": {
        "matlab": Choice("LR by MATLAB's bicubic of the older kind (edge pixel repeated)"),
        "matlab-new": Choice(
            "LR by the newer MATLAB (image mirrored at its border)",
            'take the LR files of SelfExSR, or srlib.imresize(hr, 1 / scale, border="replicate")',
        ),
        "pillow": Choice("LR by Pillow's bicubic", "make LR by srlib.imresize"),
        "opencv": Choice(
            "LR without antialiasing (OpenCV's INTER_CUBIC; PyTorch's bicubic, antialias=False)",
            "make LR by srlib.imresize: MATLAB widens the kernel by the scale",
        ),
        "pytorch-antialias": Choice(
            "LR by PyTorch's bicubic with antialias=True", "make LR by srlib.imresize"
        ),
        "skimage": Choice(
            "LR by scikit-image's resize(order=3, anti_aliasing=True)", "make LR by srlib.imresize"
        ),
        "jpeg": Choice("LR saved as JPEG (quality 75)", "save LR as PNG"),
        "jpeg-95": Choice("LR saved as JPEG (quality 95)", "save LR as PNG"),
        "blur-down": Choice(
            "LR blurred before it is reduced (BD: 7x7 Gaussian, sigma 1.6)",
            "take the bicubic LR: the weights of BD are others",
        ),
        "swapped": Choice(
            "LR given to the network with red and blue swapped",
            "turn OpenCV's BGR into RGB before the network: image[..., ::-1]",
        ),
    },
    "hr": {
        "crop": Choice("HR cropped to a multiple of the scale from the top left"),
        "centre": Choice(
            "HR cropped to a multiple of the scale from its middle",
            "crop from the top left: hr[: h // s * s, : w // s * s]",
        ),
        "resized": Choice(
            "HR not cropped, and the result resized to it",
            "crop HR to a multiple of the scale from the top left, before LR is made",
        ),
    },
    "pass": {
        "whole": Choice("the image in one pass"),
        "chop": Choice(
            "the image in four overlapping quarters (EDSR's --chop)",
            "take the image in one pass (FDIWN's authors do take quarters: its print is of them)",
        ),
        "x8": Choice(
            "mean over eight flips and rotations (self-ensemble, the '+' of a network's name)",
            "compare with the row of the table that has a '+', or take one pass",
        ),
    },
    "mean": {
        "images": Choice("mean of the images' PSNRs"),
        "pooled": Choice(
            "PSNR of the images' mean squared error",
            "take the PSNR of each image first, then their mean",
        ),
        "pooled-pixels": Choice(
            "PSNR of the squared error over all pixels of the set (torchmetrics)",
            "take the PSNR of each image first, then their mean",
        ),
    },
    "window": {
        "gaussian": Choice("SSIM over 11x11 Gaussian windows wholly inside"),
        "gaussian-same": Choice(
            "SSIM over an image padded by zeros (pytorch-ssim)",
            "leave out the five pixels at each border of the map",
        ),
        "gaussian-mirror": Choice(
            "SSIM over an image mirrored at its border (torchmetrics)",
            "leave out the five pixels at each border of the map",
        ),
        "gaussian-sample": Choice(
            "SSIM with sample covariances (scikit-image's default)",
            "pass use_sample_covariance=False",
        ),
        "uniform": Choice(
            "SSIM over 7x7 windows of equal weight (scikit-image's default)",
            "pass gaussian_weights=True, sigma=1.5, use_sample_covariance=False",
        ),
        "image-range": Choice(
            "SSIM's data range taken from the image", "pass data_range=255, for 8 bits"
        ),
    },
}
RECONSTRUCTION = ("lr", "hr", "pass")  # the parts that another reconstruction is needed for


class Protocol(NamedTuple):
    """One choice for each part of ``PARTS``; by default the field's.

    ``way`` is the part "pass", whose name is a word of Python.
    """

    channel: str = "y"
    output: str = "rounded"
    border: str = "scale"
    lr: str = "matlab"
    hr: str = "crop"
    way: str = "whole"
    mean: str = "images"
    window: str = "gaussian"

    @classmethod
    def of(cls, parts: dict[str, str]) -> Protocol:
        """The field's protocol with some parts changed, named as in ``PARTS``.

        Raises:
            ValueError: an unknown part or choice; names it.
        """
        for part, choice in parts.items():
            if part not in PARTS or choice not in PARTS[part]:
                known = PARTS.get(part, PARTS)
                raise ValueError(f"protocol: {part}: {choice}: expected one of {', '.join(known)}")
        return cls(**{"way" if part == "pass" else part: c for part, c in parts.items()})

    @property
    def parts(self) -> dict[str, str]:
        """Part -> choice, in the order of ``PARTS``."""
        return dict(zip(PARTS, self, strict=True))

    @property
    def deviations(self) -> dict[str, str]:
        """The parts that are not the field's."""
        return {part: c for part, c in self.parts.items() if c != next(iter(PARTS[part]))}

    @property
    def reconstruction(self) -> tuple[str, str, str]:
        """What a reconstruction depends on: lr, hr and pass."""
        return self.lr, self.hr, self.way

    @property
    def words(self) -> str:
        """The deviations in words."""
        found = [PARTS[part][choice].words for part, choice in self.deviations.items()]
        return "; ".join(found) or "the field's protocol"


FIELD = Protocol()


def border_pixels(border: str, scale: int) -> int:
    """How many pixels a choice of the border shaves from each side."""
    by_scale = {"scale": scale, "scale+6": scale + 6, "2*scale": 2 * scale}
    return by_scale[border] if border in by_scale else int(border)


def reconstructions() -> list[tuple[str, str, str]]:
    """(lr, hr, pass) of every reconstruction of the grid: one part changed, and one pair.

    The pair is the newer MATLAB's LR in quarters: EDSR's test code on DIV2K's kind of LR.
    """
    single = [
        Protocol.of({part: choice}).reconstruction
        for part in RECONSTRUCTION
        for choice in PARTS[part]
    ]
    return [*dict.fromkeys(single), ("matlab-new", "crop", "chop")]


def protocols_on(found: list[tuple[str, str, str]]) -> Iterator[Protocol]:
    """The protocols that are tried on reconstructions: what occurs by itself or together.

    All channels with all borders on every reconstruction; anything else alone, or with one other
    deviation; ``COMBINATIONS``; other kinds of SSIM for Y and RGB on the field's reconstruction.
    """
    for lr, hr, way in found:
        scoring = (PARTS[part] for part in ("channel", "output", "border", "mean"))
        for channel, output, border, mean in product(*scoring):
            one = Protocol(channel, output, border, lr, hr, way, mean)
            common = output == FIELD.output and mean == FIELD.mean
            if common or len(one.deviations) <= 2 or one in COMBINATIONS:
                yield one
    for channel, border, window in product(("y", "rgb"), ("scale", "0"), PARTS["window"]):
        if window != FIELD.window:
            yield FIELD._replace(channel=channel, border=border, window=window)


# Of more than two deviations: CARN's evaluation while it trains, and loops of one's own.
RGB = Protocol(channel="rgb")
COMBINATIONS = frozenset(
    {
        RGB._replace(output="truncated", way="chop"),
        RGB._replace(border="0", mean="pooled"),
        RGB._replace(border="0", mean="pooled-pixels"),
        RGB._replace(output="float", border="0"),
        RGB._replace(output="float", border="0", mean="pooled"),
        RGB._replace(output="float", border="0", mean="pooled-pixels"),
        Protocol(channel="y-full", output="float", border="0"),
        RGB._replace(output="float", border="0", lr="opencv"),
        RGB._replace(output="float", border="0", lr="pytorch-antialias"),
        RGB._replace(output="float", border="0", lr="opencv", mean="pooled"),
    }
)
