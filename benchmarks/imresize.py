"""Time `srlib.imresize` against Pillow's BICUBIC on a 2040x1356 RGB image at scale 1/4.

Both run in turn in one process; Pillow's result is not MATLAB's, and the bytes that differ are
counted.

    python benchmarks/imresize.py
"""

from __future__ import annotations

from statistics import median
from time import process_time

import numpy as np
from PIL import Image
from table import Row, keep, parser

from srlib.data.imresize import imresize

WIDTH, HEIGHT, SCALE = 2040, 1356, 4


def picture() -> np.ndarray:
    """Make a smooth picture with edges and some noise: uint8 (HEIGHT, WIDTH, 3)."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (HEIGHT // 12, WIDTH // 12, 3), dtype=np.uint8)
    smooth = np.asarray(Image.fromarray(coarse).resize((WIDTH, HEIGHT), Image.Resampling.BILINEAR))
    noise = rng.integers(-8, 9, smooth.shape)
    return np.clip(smooth + noise, 0, 255).astype(np.uint8)


def main() -> None:
    arguments = parser("Time imresize against Pillow's BICUBIC.")
    arguments.add_argument("--repeats", type=int, default=51)
    options = arguments.parse_args()
    repeats = options.repeats
    image = picture()
    pillow = Image.fromarray(image)
    size = (WIDTH // SCALE, HEIGHT // SCALE)
    times: dict[str, list[float]] = {"srlib": [], "Pillow": []}
    for _ in range(repeats):
        start = process_time()
        ours = imresize(image, 1 / SCALE)
        times["srlib"].append(process_time() - start)
        start = process_time()
        theirs = pillow.resize(size, Image.Resampling.BICUBIC)
        times["Pillow"].append(process_time() - start)
    wrong = int(np.count_nonzero(ours != np.asarray(theirs)))
    ms = {name: 1e3 * median(values) for name, values in times.items()}
    print(f"{WIDTH}x{HEIGHT} RGB at 1/{SCALE}, CPU time, median of {repeats} runs in turn")
    print(f"srlib.imresize  {ms['srlib']:7.2f} ms  (exact: `srlib check-lr`)")
    print(f"Pillow BICUBIC  {ms['Pillow']:7.2f} ms  (not exact: {wrong:,} of {ours.size:,} differ)")
    ratio = ms["srlib"] / ms["Pillow"]
    print(f"ratio           {ratio:7.2f}")
    if options.keep:
        place = (
            "imresize to a quarter",
            f"{WIDTH}x{HEIGHT}",
            "srlib",
            "Pillow, which is not exact",
        )
        keep("imresize", [Row(*place, "times as long, CPU time", ratio)], threads=1)


if __name__ == "__main__":
    main()
