"""Patches a second: packed images against a DataLoader that decodes a pair of PNGs per patch.

Both cut the same images (made here, or the PNGs of a folder), in turn in one process: batches of
aligned LR and HR patches, flipped and rotated, as float32 on the CPU. The DataLoader is the usual
one of super-resolution code: per item a PNG of HR and one of LR, and a random crop. It is timed
from each worker's second batch on.

    python benchmarks/patches.py
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np
import torch
from PIL import Image
from table import QUICKER, Row, keep, parser
from torch.utils.data import DataLoader, Dataset

from srlib.data.pack import pack
from srlib.data.packed import PackedImages

SCALE, BATCH, PATCHES = 4, 32, (256, 96)


def pictures(count: int) -> Iterator[tuple[str, str, np.ndarray]]:
    """Make smooth, slightly noisy images of the size of DIV2K's, which compress as photos do."""
    rng = np.random.default_rng(0)
    for number in range(count):
        coarse = rng.integers(0, 256, (57, 85, 3), dtype=np.uint8)
        smooth = Image.fromarray(coarse).resize((2040, 1356), Image.Resampling.BICUBIC)
        noisy = np.asarray(smooth) + rng.normal(0, 3, (1356, 2040, 3))
        yield "made", f"{number:02}", noisy.clip(0, 255).astype(np.uint8)


def from_folder(folder: Path) -> Iterator[tuple[str, str, np.ndarray]]:
    for path in sorted(folder.glob("*.png")):
        yield folder.name, path.stem, np.asarray(Image.open(path).convert("RGB"))


class PngPairs(Dataset[tuple[torch.Tensor, torch.Tensor]]):
    """Decode the pair of an image, crop, flip and rotate."""

    def __init__(self, folder: Path, count: int, patch: int, length: int) -> None:
        self.folder, self.count, self.patch, self.length = folder, count, patch, length

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, item: int) -> tuple[torch.Tensor, torch.Tensor]:
        rng = np.random.default_rng(item)
        number, side = rng.integers(self.count), self.patch // SCALE
        lr = np.asarray(Image.open(self.folder / f"{number}x{SCALE}.png"))
        hr = np.asarray(Image.open(self.folder / f"{number}.png"))
        y, x = (rng.integers(size - side + 1) for size in lr.shape[:2])
        cuts = [lr[y : y + side, x : x + side]]
        y, x = y * SCALE, x * SCALE
        cuts.append(hr[y : y + self.patch, x : x + self.patch])
        turns, flip = int(rng.integers(4)), rng.integers(2)
        lr, hr = (np.rot90(cut, turns)[:: -1 if flip else 1] for cut in cuts)
        return self._tensor(lr), self._tensor(hr)

    @staticmethod
    def _tensor(cut: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(cut.transpose(2, 0, 1))).float().div_(255)


def timed(batches: Iterator[object], count: int) -> float:
    """Patches a second over the next `count` batches."""
    start = perf_counter()
    for _ in range(count):
        next(batches)
    return BATCH * count / (perf_counter() - start)


def from_store(store: PackedImages, patch: int) -> Iterator[object]:
    step = 0
    while True:
        yield store.batch(patch, BATCH, 0, step)
        step += 1


def main() -> None:
    arguments = parser("Time PackedImages.batch against a DataLoader of PNGs.")
    arguments.add_argument("--images", type=Path, help="a folder of PNGs; without it they are made")
    arguments.add_argument("--count", type=int, default=8, help="images to make")
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--workers", type=int, default=2, help="of the DataLoader")
    arguments.add_argument(
        "--threads", type=int, default=1, help="of PyTorch, for PackedImages.batch"
    )
    args = arguments.parse_args()
    torch.set_num_threads(args.threads)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        images = from_folder(args.images) if args.images else pictures(args.count)
        pack(images, folder / "store", SCALE, "replicate")
        store = PackedImages(folder / "store")
        for index in range(len(store)):
            Image.fromarray(store.hr(index)).save(folder / f"{index}.png")
            Image.fromarray(store.lr(index)).save(folder / f"{index}x{SCALE}.png")
        threads = f"{args.threads} thread(s) against {args.workers} workers"
        print(f"{len(store)} images, batch {BATCH}, x{SCALE}, {threads}, patches/s:")
        kept = []
        for patch in PATCHES:
            ours, speeds, theirs = from_store(store, patch), [], []
            pairs = PngPairs(folder, len(store), patch, BATCH * 3 * args.workers)
            timed(ours, 3)
            for _ in range(args.rounds):
                speeds.append(timed(ours, 20))
                # Started anew each round and used up: workers running ahead would slow the store
                loader = iter(DataLoader(pairs, BATCH, num_workers=args.workers))
                timed(loader, args.workers)  # each worker's first batch, with its start
                theirs.append(timed(loader, 2 * args.workers))
                del loader
            rows = median(speeds), median(theirs)
            print(
                f"HR patch {patch:3}: PackedImages.batch {rows[0]:9,.0f}   "
                f"DataLoader {rows[1]:7,.0f}   ratio {rows[0] / rows[1]:7.1f}"
            )
            place = ("training batches", f"HR patches of {patch}", "PackedImages.batch")
            against = f"a DataLoader of PNGs, {args.workers} workers"
            kept.append(Row(*place, against, f"{QUICKER}, by the clock", rows[0] / rows[1]))
    if args.keep:
        keep("patches", kept, args.threads)


if __name__ == "__main__":
    main()
