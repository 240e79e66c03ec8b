"""A user's own result pictures: their score, and what looks wrong with them.

Each check asks one question of a reconstruction and its HR image, and answers with words and with
the mend. The thresholds are far from what any network of the tracked results does, and near to what
each fault does; ``tests/srlib/test_doctor_pictures.py`` holds both.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.fft import dctn
from scipy.ndimage import shift as moved
from skimage.registration import phase_cross_correlation

from srlib.data.registry import crop_to_multiple
from srlib.doctor.grid import over_images, score_images
from srlib.doctor.lr import MAKERS, enlarged, reduced
from srlib.doctor.protocols import FIELD, PARTS, Protocol
from srlib.doctor.why import Scores
from srlib.evaluation.metrics import luma, psnr, score, shave
from srlib.evaluation.own import rgb_of

Pixels = NDArray[np.uint8]
LARGEST_SCALE = 8
# dB by which a mend must raise the score before the fault is named
SWAP_GAIN, SHIFT_GAIN, TURN_GAIN = 1.0, 0.3, 3.0
LEAST_SHIFT = 0.2  # pixels
BORDER_ERROR = 8.0  # times the error inside
JPEG_BLOCK = 8
JPEG_WEAKER = 0.85  # high frequencies in JPEG's blocks over those between
MAKER_GAIN = 8.0  # dB that LR of one maker is nearer than that of any other
SAME = 45.0  # dB from which two pictures are one, but for the rounding
RANGE = 0.03, 4.0  # gain and offset (grey levels) that no network has
# LR of these is MATLAB's to within what a network leaves: it cannot be told from pictures
ALIKE = ("matlab", "matlab-new", "pillow", "pytorch-antialias", "swapped")


class Pair(NamedTuple):
    """A user's picture and its HR image, uint8 (H, W, 3), with the picture's file."""

    stem: str
    path: Path
    sr: Pixels
    hr: Pixels


class Finding(NamedTuple):
    """What looks wrong with a picture, and how to fix it."""

    kind: str
    words: str
    mend: str


class Report(NamedTuple):
    """What a folder of pictures is.

    Attributes:
        images: a row a picture: image, psnr_y (dB), ssim_y, findings; not a number where it cannot
            be scored.
        findings: each kind's first finding with all pictures of the kind, the commonest first.
        scores: the set by every protocol that only scores, for ``srlib.doctor.why.among``.
    """

    images: pd.DataFrame
    findings: list[tuple[Finding, list[str]]]
    scores: dict[Protocol, Scores]

    def in_words(self, expected: int) -> str:
        """As the command prints it; ``expected`` is how many images the set has."""
        lines = [
            f"{row['image']:20} {row['psnr_y']:7.3f} dB  SSIM {row['ssim_y']:.4f}"
            for row in self.images.to_dict("records")
        ]
        means = self.images[["psnr_y", "ssim_y"]].mean()
        lines.append(
            f"{'mean':20} {means['psnr_y']:7.3f} dB  SSIM {means['ssim_y']:.4f}  by the field's "
            f"protocol, {self.images['psnr_y'].notna().sum()} of {expected} images"
        )
        lines += [
            f"- {finding.kind}: {len(stems)} of {len(self.images)} pictures. {stems[0]} "
            f"{finding.words}. To fix: {finding.mend}."
            for finding, stems in self.findings
        ]
        return "\n".join(lines if self.findings else [*lines, "Nothing looks wrong."])


def pairs(sr_paths: Iterable[Path], originals: dict[str, Path]) -> Iterator[Pair]:
    """Each picture with the HR image whose stem it bears, or bears before _, -, or x4.

    Raises:
        ValueError: a picture of no HR image, or an HR image with two; names it.
    """
    taken: dict[str, Path] = {}
    for path in sr_paths:
        fitting = [
            stem
            for stem in originals
            if re.fullmatch(rf"{re.escape(stem)}([_-].*|[xX]\d.*)?", path.stem)
        ]
        if not fitting:
            raise ValueError(
                f"{path}: no HR image has this name (there are {', '.join(list(originals)[:5])} "
                "...); name it STEM, STEMx4 or STEM_anything"
            )
        stem = max(fitting, key=len)
        if stem in taken:
            raise ValueError(f"{path}: {taken[stem].name} is of {stem} too; keep one")
        taken[stem] = path
    for stem, path in taken.items():
        yield Pair(stem, path, rgb_of(path), rgb_of(originals[stem]))


def examine(found: Iterable[Pair], scale: int) -> Report:
    """Score pictures by the field's protocol, and look at each.

    Args:
        found: the pictures; HR need not be cropped.
        scale: HR size over LR size.

    Raises:
        ValueError: none can be scored because they are too small.
    """
    rows, tables = [], []
    kinds: dict[str, tuple[Finding, list[str]]] = {}
    for pair in found:
        sr, hr, findings = fitted(pair, scale)
        psnr_y = ssim_y = float("nan")
        if sr is not None and hr is not None:
            psnr_y, ssim_y = score(sr, hr, scale)
            findings = [*findings, *looked_at(sr, hr, scale)]
            tables.append(_by_every_score(pair.stem, sr, hr, scale))
        for finding in findings:
            kinds.setdefault(finding.kind, (finding, []))[1].append(pair.stem)
        words = "; ".join(finding.words for finding in findings)
        rows.append({"image": pair.stem, "psnr_y": psnr_y, "ssim_y": ssim_y, "findings": words})
    scores: dict[Protocol, Scores] = {}
    if tables:
        table = over_images(pd.concat(tables, ignore_index=True))
        for row in table[table["image"] == ""].to_dict("records"):
            protocol = Protocol(*(row[part] for part in PARTS))
            scores[protocol] = Scores(row["psnr"], None if np.isnan(row["ssim"]) else row["ssim"])
    ordered = sorted(kinds.values(), key=lambda item: -len(item[1]))
    return Report(pd.DataFrame(rows), ordered, scores)


def fitted(pair: Pair, scale: int) -> tuple[Pixels | None, Pixels | None, list[Finding]]:
    """A picture and its HR image cut to one size, or None where no cut helps; and why."""
    findings = []
    if pair.path.suffix.lower() in (".jpg", ".jpeg"):
        findings.append(Finding("JPEG", "is a JPEG file", "save results as PNG"))
    (h, w), (height, width) = pair.sr.shape[:2], pair.hr.shape[:2]
    hr = crop_to_multiple(pair.hr, scale)
    wanted = hr.shape[:2]
    if (h, w) == wanted:
        return pair.sr, hr, findings
    if (h, w) == (height, width):
        findings.append(
            Finding(
                "HR not cropped",
                f"has the size of HR, which is no multiple of {scale}",
                "crop HR to a multiple of the scale from the top left before LR is made",
            )
        )
        return crop_to_multiple(pair.sr, scale), hr, findings
    size = f"is {w}x{h} pixels where {wanted[1]}x{wanted[0]} are expected"
    lr = height // scale, width // scale
    other = [
        k for k in range(1, LARGEST_SCALE + 1) if k != scale and (h, w) == (lr[0] * k, lr[1] * k)
    ]
    of_hr = [k for k in range(2, LARGEST_SCALE + 1) if (h, w) == (height // k * k, width // k * k)]
    if other:
        what = "it is an LR image" if other[0] == 1 else f"it is LR enlarged by {other[0]}"
        findings.append(
            Finding("another scale", f"{size}: {what}", "check --scale and the network's scale")
        )
        return None, None, findings
    if of_hr:
        h, w = min(h, wanted[0]), min(w, wanted[1])
        findings.append(
            Finding(
                "another scale",
                f"{size}: that is HR cropped to a multiple of {of_hr[0]}",
                "check --scale: the picture seems to be of that scale",
            )
        )
        return pair.sr[:h, :w], pair.hr[:h, :w], findings
    if (w, h) == wanted:
        findings.append(Finding("turned", f"{size}: it is turned on its side", "turn it back"))
        return None, None, findings
    lost = wanted[0] - h, wanted[1] - w
    if min(lost) >= 0 and max(lost) <= 8 * scale and lost[0] % 2 == lost[1] % 2 == 0:
        top, left = lost[0] // 2, lost[1] // 2
        findings.append(
            Finding(
                "border lost",
                f"{size}: {top} rows and {left} columns seem to be lost at each side",
                "pad the convolutions, or crop HR alike and say so beside the score",
            )
        )
        return pair.sr, pair.hr[top : top + h, left : left + w], findings
    findings.append(Finding("another size", size, "check --scale, and that HR is the right image"))
    return None, None, findings


def looked_at(sr: Pixels, hr: Pixels, scale: int) -> list[Finding]:
    """All that looks wrong with a picture of HR's size.

    A picture whose values, channels or place are wrong would fail the finer checks too; these are
    made of it as mended.
    """
    found = []
    for check in (_values, _channels, _turned, _shifted):
        finding, sr = check(sr, hr)
        if finding:
            found.append(finding)
    for fine in FINE:
        if finding := fine(sr, hr, scale):
            found.append(finding)
    return found


Coarse = tuple[Finding | None, Pixels]


def _values(sr: Pixels, hr: Pixels) -> Coarse:
    """Gain and offset, from means over blocks, which a network does not change."""
    if sr.max() <= 1 < hr.max():
        mend = "multiply by 255 before the picture is saved"
        return Finding("value range", "is black: its values are 0 and 1 of 255", mend), sr
    block = max(8, min(sr.shape[:2]) // 16)
    ours, theirs = _block_means(sr, block), _block_means(hr, block)
    spread = theirs - theirs.mean()
    if not spread.any():
        return None, sr
    gain = float(np.sum(spread * (ours - ours.mean())) / np.sum(spread**2))
    offset = float(ours.mean() - gain * theirs.mean())
    known = {
        "is in studio range, 16 to 235": (219 / 255, 16.0),
        "was stretched from studio range, as if it had been 16 to 235": (255 / 219, -18.6),
        "is in -1 to 1, shown as 0.5 to 1": (0.5, 127.5),
    }
    if gain > 0 and (abs(gain - 1) > RANGE[0] or abs(offset) > RANGE[1]):
        fits = (
            w for w, (g, o) in known.items() if abs(gain / g - 1) < 0.04 and abs(offset - o) < 6
        )
        words = next(fits, f"is HR times {gain:.2f} plus {offset:.0f} in the mean")
        mended = np.clip(np.rint((sr - offset) / gain), 0, 255).astype(np.uint8)
        mend = "scale the output to 0..255 of RGB before it is saved"
        # a picture of something else has a gain as well
        if psnr(mended, hr) > psnr(sr, hr) + SWAP_GAIN:
            return Finding("value range", words, mend), mended
    return None, sr


def _channels(sr: Pixels, hr: Pixels) -> Coarse:
    swapped = np.ascontiguousarray(sr[..., ::-1])
    if psnr(swapped, hr) > psnr(sr, hr) + SWAP_GAIN:
        words = "has red and blue swapped"
        return Finding("channels", words, "turn BGR into RGB: image[..., ::-1]"), swapped
    if np.ptp(sr, axis=2).max() == 0 and np.ptp(hr.astype(int), axis=2).mean() > 2:
        return Finding("channels", "is grey, and HR is not", "enlarge all three channels"), sr
    return None, sr


def _turned(sr: Pixels, hr: Pixels) -> Coarse:
    forms = {"mirrored": sr[:, ::-1], "upside down": sr[::-1], "turned by half": sr[::-1, ::-1]}
    words, best = max(forms.items(), key=lambda item: psnr(item[1], hr))
    if psnr(best, hr) > psnr(sr, hr) + TURN_GAIN:
        return Finding("turned", f"is {words}", "turn it back"), np.ascontiguousarray(best)
    return None, sr


def _shifted(sr: Pixels, hr: Pixels) -> Coarse:
    """By how much the picture lies off, to a twentieth of a pixel."""
    ours, theirs = luma(sr), luma(hr)
    if min(ours.shape) < 32 or not ours.std() or not theirs.std():
        return None, sr
    window = np.outer(np.hanning(ours.shape[0]), np.hanning(ours.shape[1]))
    flat = [(plane - plane.mean()) * window for plane in (theirs, ours)]
    by = phase_cross_correlation(*flat, upsample_factor=20, normalization=None)[0]
    if np.abs(by).max() < LEAST_SHIFT or np.abs(by).max() > min(ours.shape) / 4:
        return None, sr
    back = np.clip(np.rint(moved(sr.astype(float), (*by, 0), order=3, mode="nearest")), 0, 255)
    inner = int(np.ceil(np.abs(by).max())) + 2
    before, after = (psnr(shave(p, inner), shave(hr, inner)) for p in (sr, back))
    if after < before + SHIFT_GAIN:
        return None, sr
    down, right = -by[0], -by[1]
    words = f"lies {abs(down):.2f} pixels {'lower' if down > 0 else 'higher'} and "
    words += f"{abs(right):.2f} further {'right' if right > 0 else 'left'} than HR"
    mend = (
        "align the pixels' centres: half a pixel is align_corners or nearest-neighbour sampling, "
        "whole pixels are padding or a crop"
    )
    return Finding("shift", words, mend), back.astype(np.uint8)


def _border(sr: Pixels, hr: Pixels, scale: int) -> Finding | None:
    """Rows at a side that are far worse than the others."""
    error = ((luma(sr) - luma(hr)) ** 2).astype(float)
    deepest = min(6 * scale, min(error.shape) // 4)
    inside = float(shave(error, deepest).mean())
    worst = 0
    for side in (error, error[::-1], error.T, error.T[::-1]):
        rows = side[:deepest, deepest:-deepest].mean(axis=1) > BORDER_ERROR * max(inside, 0.5)
        worst = max(worst, int(np.argmin(rows)) if not rows.all() else deepest)
    if worst <= 1:
        return None
    words = f"is not reconstructed in its outer {worst} pixels"
    return Finding(
        "border", words, "pad the convolutions, or keep the border when tiles are joined"
    )


def _jpeg(sr: Pixels, hr: Pixels, scale: int) -> Finding | None:
    """High frequencies are weaker in JPEG's own blocks than in blocks four pixels on."""
    # what is wrong at the border has an edge there, which may lie on a block
    plane = shave(luma(sr, studio=False), 2 * JPEG_BLOCK)
    own, between = (_high_frequencies(plane[at:, at:]) for at in (0, JPEG_BLOCK // 2))
    if own > JPEG_WEAKER * between:
        return None
    return Finding("JPEG", "has the 8x8 blocks of JPEG", "save results as PNG")


def _high_frequencies(plane: NDArray[np.float64]) -> float:
    """Mean size of the finer half of the DCT's coefficients, over blocks of 8x8."""
    side = JPEG_BLOCK
    h, w = (length // side for length in plane.shape)
    blocks = plane[: h * side, : w * side].reshape(h, side, w, side)
    order = np.add.outer(np.arange(side), np.arange(side))
    coefficients = np.abs(dctn(blocks, axes=(1, 3), norm="ortho"))
    return float(coefficients.transpose(0, 2, 1, 3)[..., order >= side].mean())


def _maker(sr: Pixels, hr: Pixels, scale: int) -> Finding | None:
    """Whose LR the picture was made of.

    Reduced again, a network's reconstruction is its LR, far nearer than any other. Bicubic's is not
    and is known by itself.
    """
    inner = 3 * scale  # the two MATLABs differ at the border
    again = reduced(sr, scale, "matlab")
    near: dict[str, float] = {}
    for maker in (maker for maker in MAKERS if maker not in ALIKE[1:]):
        lr = reduced(hr, scale, maker)
        near[maker] = psnr(shave(again, 3), shave(lr, 3))
        for bicubic in (enlarged(lr, scale, by) for by in dict.fromkeys(("matlab", maker))):
            if psnr(shave(bicubic, inner), shave(sr, inner)) > SAME:
                return _other_lr(maker)
    best, second = sorted(near, key=lambda maker: -near[maker])[:2]
    return _other_lr(best) if near[best] > near[second] + MAKER_GAIN else None


def _other_lr(maker: str) -> Finding | None:
    if maker in ALIKE:
        return None
    choice = PARTS["lr"][maker]
    return Finding("LR", f"seems to be made of another LR: {choice.words}", choice.mend)


FINE: tuple[Callable[[Pixels, Pixels, int], Finding | None], ...] = (_border, _jpeg, _maker)


def _block_means(image: Pixels, block: int) -> NDArray[np.float64]:
    """Means of RGB over blocks (h, w), without those at the border."""
    plane = image.mean(axis=2)
    h, w = (side // block for side in plane.shape)
    blocks = plane[: h * block, : w * block].reshape(h, block, w, block)
    return shave(blocks.mean(axis=(1, 3)), 1)


def _by_every_score(stem: str, sr: Pixels, hr: Pixels, scale: int) -> pd.DataFrame:
    return score_images(lambda *_: sr, [(stem, hr)], scale, [FIELD.reconstruction])
