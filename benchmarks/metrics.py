"""Time PSNR-Y and SSIM-Y beside scikit-image's own functions and BasicSR's way of computing.

    python benchmarks/metrics.py

All in turn in one process, CPU time on one thread, and by how much their numbers differ from ours.
BasicSR's way needs OpenCV (`pip install opencv-python-headless`); without it, it is left out.
"""

from __future__ import annotations

from collections.abc import Callable
from time import process_time
from typing import Any

import numpy as np
from numpy.typing import NDArray
from skimage.color import rgb2ycbcr
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from table import QUICKER, Row, keep, parser, photograph, show

from srlib.engines.extras import installed
from srlib.evaluation.metrics import score, shave

SCALE = 4
SIZES = ((512, 512), (2040, 1356))
Image = NDArray[np.uint8]
Scores = tuple[float, float]


def ours(sr: Image, hr: Image) -> Scores:
    return score(sr, hr, SCALE)


def scikit_image(sr: Image, hr: Image) -> Scores:
    planes = [shave(rgb2ycbcr(image)[..., 0], SCALE) for image in (hr, sr)]
    settings: dict[str, Any] = {"gaussian_weights": True, "sigma": 1.5, "data_range": 255}
    return (
        float(peak_signal_noise_ratio(*planes, data_range=255)),
        float(structural_similarity(*planes, **settings, use_sample_covariance=False)),
    )


def basicsr(sr: Image, hr: Image) -> Scores:
    """As ``calculate_psnr`` and ``calculate_ssim`` do with ``test_y_channel``: each takes luma of
    its own in float32, and SSIM has five passes of a two-dimensional window by OpenCV.

    Source: XPixelGroup/BasicSR, basicsr/metrics/psnr_ssim.py; written here from what it does.
    """
    import cv2

    def planes() -> list[NDArray[np.float64]]:
        weights = np.array([65.481, 128.553, 24.966], np.float32)
        images = [shave(image, SCALE).astype(np.float32) / 255 for image in (sr, hr)]
        return [(image @ weights + 16).astype(np.float64) for image in images]

    a, b = planes()
    psnr = float(10 * np.log10(255**2 / np.mean((a - b) ** 2)))
    a, b = planes()
    line = cv2.getGaussianKernel(11, 1.5)

    def mean(x: NDArray[np.float64]) -> NDArray[np.float64]:
        return shave(np.asarray(cv2.filter2D(x, -1, line @ line.T)), 5)

    first, second = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    mean_a, mean_b = mean(a), mean(b)
    var_a, var_b = mean(a**2) - mean_a**2, mean(b**2) - mean_b**2
    both = mean(a * b) - mean_a * mean_b
    index = (2 * mean_a * mean_b + first) * (2 * both + second)
    index /= (mean_a**2 + mean_b**2 + first) * (var_a + var_b + second)
    return psnr, float(index.mean())


def main() -> None:
    arguments = parser("Time PSNR-Y and SSIM beside scikit-image and BasicSR.")
    arguments.add_argument("--repeats", type=int, default=9)
    options = arguments.parse_args()
    ways: dict[str, Callable[[Image, Image], Scores]] = {"scikit-image": scikit_image}
    if installed("cv2"):
        import cv2

        cv2.setNumThreads(1)
        ways["BasicSR's way"] = basicsr
    else:
        print("BasicSR's way needs OpenCV: pip install opencv-python-headless")
    rows = []
    for width, height in SIZES:
        hr = photograph(width, height)
        noise = np.random.default_rng(0).normal(0, 5, hr.shape)
        sr = np.rint(hr + noise).clip(0, 255).astype(np.uint8)
        times: dict[str, list[float]] = {name: [] for name in ("srlib", *ways)}
        for _ in range(options.repeats):
            for name, way in {"srlib": ours, **ways}.items():
                start = process_time()
                way(sr, hr)
                times[name].append(process_time() - start)
        for name, way in ways.items():
            place = ("PSNR-Y and SSIM-Y", f"{width}x{height} of HR", "srlib", name)
            rows.append(show(Row(*place, QUICKER, min(times[name]) / min(times["srlib"]))))
            off = np.abs(np.subtract(way(sr, hr), ours(sr, hr)))
            rows.append(show(Row(*place, "dB of difference", off[0])))
            rows.append(show(Row(*place, "of SSIM of difference", off[1])))
    if options.keep:
        keep("metrics", rows, threads=1)


if __name__ == "__main__":
    main()
