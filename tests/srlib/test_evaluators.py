"""Other evaluators beside ours on the same pictures: each has the parts that evaluators.yaml says.

Only scikit-image is installed with srlib. The others run where they are there: install basicsr,
pyiqa, torchmetrics, opencv-python-headless or tensorflow-cpu beside PyTorch, and run this file.
"""

import importlib
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from srlib.doctor.lr import reduced
from srlib.doctor.protocols import Protocol, border_pixels
from srlib.doctor.why import evaluators
from srlib.evaluation.metrics import mean_psnr, plane, psnr, score, shave

AGREE = 1e-4  # dB, and of SSIM


def photograph(seed: int, height: int = 96, width: int = 120) -> np.ndarray:
    """Smooth colours with an edge, as different in R, G and B as a photograph is."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width] / 20
    waves = [np.sin(x * a + b) * np.cos(y * c) for a, b, c in random.uniform(0.5, 3, (3, 3))]
    image = 128 + 90 * np.stack(waves, axis=2) + 25 * (x > 3)[..., None]
    return np.clip(np.rint(image), 0, 255).astype(np.uint8)


def spoilt(image: np.ndarray, seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed + 100).normal(0, 6, image.shape)
    return np.clip(np.rint(image + noise), 0, 255).astype(np.uint8)


PAIRS = [(spoilt(hr, seed), hr) for seed, hr in enumerate(map(photograph, range(3)))]
PAIRS.append((spoilt(photograph(3, 48, 64), 3), photograph(3, 48, 64)))


def module(name: str) -> ModuleType:
    """A package that srlib does not need; skip where it is not there, or does not start."""
    try:
        return importlib.import_module(name)
    except (ImportError, RuntimeError) as error:
        pytest.skip(f"{name.partition('.')[0]} cannot be used here: {error}")


def batch(image: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(image.copy()).permute(2, 0, 1)[None].double() / 255


def bgr(image: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(image[..., ::-1])


def basicsr(sr: np.ndarray, hr: np.ndarray) -> tuple[float, float]:
    found = module("basicsr.metrics.psnr_ssim")
    options: dict[str, Any] = {"crop_border": 4}
    return found.calculate_psnr(sr, hr, **options), found.calculate_ssim(sr, hr, **options)


def basicsr_y(sr: np.ndarray, hr: np.ndarray) -> tuple[float, float]:
    found = module("basicsr.metrics.psnr_ssim")
    options: dict[str, Any] = {"crop_border": 4, "test_y_channel": True}
    return found.calculate_psnr(sr, hr, **options), found.calculate_ssim(sr, hr, **options)


def skimage_rgb(sr: np.ndarray, hr: np.ndarray) -> tuple[float, float]:
    return peak_signal_noise_ratio(hr, sr), structural_similarity(hr, sr, channel_axis=2)


def pyiqa_psnr(sr: np.ndarray, hr: np.ndarray) -> tuple[float, None]:
    return module("pyiqa.archs.psnr_arch").PSNR()(batch(sr), batch(hr)).item(), None


def pyiqa_psnry(sr: np.ndarray, hr: np.ndarray) -> tuple[float, None]:
    found = module("pyiqa.archs.psnr_arch").PSNR(test_y_channel=True)
    return found(batch(sr).float(), batch(hr).float()).item(), None


def pyiqa_ssim(sr: np.ndarray, hr: np.ndarray) -> tuple[None, float]:
    found = module("pyiqa.archs.ssim_arch").SSIM()
    return None, found(batch(sr).float(), batch(hr).float()).item()


def torchmetrics_ssim(sr: np.ndarray, hr: np.ndarray) -> tuple[None, float]:
    found = module("torchmetrics.functional.image").structural_similarity_index_measure
    return None, found(batch(sr), batch(hr), data_range=1.0).item()


def tensorflow_rgb(sr: np.ndarray, hr: np.ndarray) -> tuple[float, float]:
    found = module("tensorflow").image
    return float(found.psnr(sr, hr, 255)), float(found.ssim(sr, hr, 255))


Evaluator = Callable[[np.ndarray, np.ndarray], tuple[float | None, float | None]]
OF_AN_IMAGE: dict[str, Evaluator] = {
    "BasicSR's calculate_psnr and calculate_ssim as they stand (test_y_channel is False)": basicsr,
    "BasicSR with test_y_channel, given RGB (it expects BGR)": basicsr_y,
    "scikit-image's peak_signal_noise_ratio and structural_similarity as they stand, on RGB": (
        skimage_rgb
    ),
    "pyiqa's psnr": pyiqa_psnr,
    "pyiqa's psnry (the Y of YIQ, in full range)": pyiqa_psnry,
    "pyiqa's ssim (the Y of YIQ, in full range and 8 bits)": pyiqa_ssim,
    "torchmetrics' structural_similarity_index_measure on RGB": torchmetrics_ssim,
    "TensorFlow's tf.image.psnr and tf.image.ssim on RGB": tensorflow_rgb,
}


def ours(settings: dict[str, Any], sr: np.ndarray, hr: np.ndarray) -> tuple[float, float]:
    parts: Any = Protocol.of(settings["parts"])
    border = border_pixels(parts.border, 4)
    found = score(sr, hr, 4, channel=parts.channel, border=border, kind=parts.window)
    planes = [shave(plane(image, parts.channel), border) for image in (sr, hr)]
    return psnr(planes[0], planes[1], added=settings.get("added", 0.0)), found[1]


@pytest.mark.parametrize("name", OF_AN_IMAGE)
@pytest.mark.parametrize("pair", range(len(PAIRS)))
def test_an_evaluator_scores_as_its_parts_say(name: str, pair: int) -> None:
    (settings,) = [one for one in evaluators() if one["name"] == name]
    found = OF_AN_IMAGE[name](*PAIRS[pair])
    expected = ours(settings, *PAIRS[pair])
    for theirs, own in zip(found, expected, strict=True):
        assert theirs is None or theirs == pytest.approx(own, abs=AGREE)


@pytest.mark.parametrize("pair", range(len(PAIRS)))
def test_basicsr_scores_bgr_by_the_fields_protocol(pair: int) -> None:
    sr, hr = PAIRS[pair]
    assert basicsr_y(bgr(sr), bgr(hr)) == pytest.approx(score(sr, hr, 4), abs=AGREE)


def test_torchmetrics_pools_the_pixels_of_a_set() -> None:
    found = module("torchmetrics.image").PeakSignalNoiseRatio(data_range=1.0)
    for sr, hr in PAIRS:
        found.update(batch(sr), batch(hr))
    each = [score(sr, hr, 4, channel="rgb", border=0)[0] for sr, hr in PAIRS]
    pixels = [hr.shape[0] * hr.shape[1] for _, hr in PAIRS]
    pooled = mean_psnr(each, "pooled-pixels", pixels)
    assert found.compute().item() == pytest.approx(pooled, abs=AGREE)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_lr_of_opencv_is_opencvs(scale: int) -> None:
    cv2 = module("cv2")
    hr = photograph(5, 24 * scale, 30 * scale)
    theirs = cv2.resize(hr, (30, 24), interpolation=cv2.INTER_CUBIC)
    off = np.abs(reduced(hr, scale, "opencv").astype(int) - theirs)
    assert off.max() <= 1 and off.mean() < 0.02  # OpenCV 5 rounds exact halves to even, 4 upwards


@pytest.mark.parametrize(("code", "channel"), [("COLOR_RGB2YCrCb", 0), ("COLOR_RGB2GRAY", None)])
def test_full_range_luma_is_opencvs(code: str, channel: int | None) -> None:
    cv2 = module("cv2")
    found = cv2.cvtColor(PAIRS[0][1], getattr(cv2, code))
    found = found if channel is None else found[..., channel]
    assert np.abs(found - plane(PAIRS[0][1], "y-full-rounded")).max() <= 1  # its fixed point


def test_every_evaluator_that_was_run_is_compared_here() -> None:
    run = {one["name"] for one in evaluators() if "run" in one}
    assert run == {*OF_AN_IMAGE, "torchmetrics' PeakSignalNoiseRatio over a set of RGB pictures"}
