"""The image sets srlib knows, and how an image is recognised: by its decoded pixels.

``datasets.yaml`` says what each set is, whom to cite and where it lives; ``manifests/NAME.csv``
(columns stem, width, height, mode, sha256) says which pixels it holds. The container does not
matter: PNG, BMP and lossless WebP of one image are equal, and so are grey and three equal channels.
A JPG is what Pillow decodes it to; a libjpeg other than the libjpeg-turbo in Pillow's wheels may
round differently, and then such images count as altered: install Pillow from PyPI, or start from a
PNG copy.

To add a set, write its manifest with ``python -m srlib.data.registry FOLDER
srlib/data/manifests/NAME.csv``, then its entry in ``datasets.yaml``.
"""

import argparse
import hashlib
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from numpy.typing import NDArray
from PIL import Image

IMAGE_SUFFIXES = (".png", ".webp", ".jpg", ".jpeg", ".bmp")
MANIFEST_COLUMNS = ["stem", "width", "height", "mode", "sha256"]
_PACKAGE = Path(__file__).resolve().parent


class DatasetError(ValueError):
    """An image or a set is not as registered; the message says how to fix it."""


class UnknownDatasetError(DatasetError, KeyError):
    """The registry holds no set of that name."""

    def __str__(self) -> str:  # KeyError would print the message in quotation marks
        return str(self.args[0])


@dataclass(frozen=True)
class Source:
    """One place that holds a set; the kinds and keys are explained at the top of datasets.yaml."""

    kind: str
    path: str = ""
    repository: str = ""
    commit: str = ""
    url: str = ""
    sha256: str | None = None
    size: int | None = None
    names: tuple[tuple[str, str], ...] = ()
    note: str = ""

    def location(self, stem: str) -> str:
        """Path of image ``stem`` inside the source."""
        return self.path.replace("{stem}", dict(self.names).get(stem, stem))

    def file_url(self, stem: str) -> str:
        """Address of image ``stem`` of a ``github`` source."""
        root = self.url or "https://raw.githubusercontent.com"
        return f"{root}/{self.repository}/{self.commit}/{self.location(stem)}"


@dataclass(frozen=True)
class Dataset:
    """One image set: what it is, whom to cite, how many images, in which places.

    ``role`` is ``"train"`` or ``"test"``; ``manifest`` is a file in ``manifests``, or None
    for "no manifest yet", when only the number of images can be checked.
    """

    name: str
    title: str
    citation: str
    licence: str
    count: int
    role: str
    manifest: str | None
    sources: tuple[Source, ...]


@lru_cache(maxsize=1)
def _registry() -> dict[str, Dataset]:
    entries: dict[str, dict[str, Any]] = yaml.safe_load(
        (_PACKAGE / "datasets.yaml").read_text("utf-8")
    )
    registry = {}
    for name, entry in entries.items():
        try:
            sources = tuple(
                Source(**{**source, "names": tuple(source.get("names", {}).items())})
                for source in entry["sources"]
            )
            registry[name] = Dataset(name=name, **{**entry, "sources": sources})
        except (KeyError, TypeError) as error:
            raise DatasetError(
                f"srlib/data/datasets.yaml, entry {name!r}: {error}; compare it with the entry Set5"
            ) from error
    return registry


def list_datasets() -> list[str]:
    """Names of all known sets, in the order of ``datasets.yaml``."""
    return list(_registry())


def get_dataset(name: str) -> Dataset:
    """The set called ``name``; UnknownDatasetError (a KeyError) lists the known names."""
    try:
        return _registry()[name]
    except KeyError:
        raise UnknownDatasetError(
            f"dataset {name!r} is not known; take one of {', '.join(list_datasets())}, or add it "
            "to srlib/data/datasets.yaml"
        ) from None


def read_manifest(name: str) -> pd.DataFrame:
    """The manifest of set ``name``: one row an image; stem, mode, sha256 as str, sizes in pixels.

    Raises DatasetError if the set has no manifest yet.
    """
    dataset = get_dataset(name)
    if dataset.manifest is None:
        raise DatasetError(
            f"{name}: no manifest yet; write one with `python -m srlib.data.registry FOLDER "
            f"srlib/data/manifests/{name}.csv` and name it in srlib/data/datasets.yaml"
        )
    # Stems such as 101085 are names and must not become numbers.
    text = {"stem": str, "mode": str, "sha256": str}
    return pd.read_csv(_PACKAGE / "manifests" / dataset.manifest, dtype=text, keep_default_na=False)


def manifest_digest(names: Iterable[str]) -> str:
    """SHA-256 (hex) over the manifests of ``names``: the data's part of a result's provenance.

    Depends on the sets, not on the order or repetition of their names. Raises DatasetError for a
    set without a manifest: what is not pinned cannot be vouched for.
    """
    total = hashlib.sha256()
    for name in sorted(set(names)):
        # Through the parsed table, so that a checkout with CRLF line ends has the same digest.
        total.update(f"{name}\n".encode())
        for row in read_manifest(name).itertuples(index=False):
            total.update((",".join(map(str, row)) + "\n").encode())
    return total.hexdigest()


def pixel_sha256(image: NDArray[np.uint8]) -> str:
    """SHA-256 (hex) of an image's pixels.

    Of the ASCII line ``"MODE WIDTH HEIGHT\\n"``, MODE being RGB or L, followed by the samples as
    uint8, row by row, channels innermost. ``image``: uint8, shape (H, W, 3) or (H, W).
    """
    if image.dtype != np.uint8 or not (image.ndim == 2 or image.shape[2:] == (3,)):
        raise DatasetError(
            f"image has shape {image.shape} and type {image.dtype}; "
            "expected uint8 (H, W, 3) or (H, W): convert it first"
        )
    height, width = image.shape[:2]
    header = f"{'L' if image.ndim == 2 else 'RGB'} {width} {height}\n"
    return hashlib.sha256(header.encode() + np.ascontiguousarray(image).tobytes()).hexdigest()


def forms(image: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    """The image, and if it is grey, also the same pixels in the other mode.

    WebP has no grey: a grey PNG becomes three equal channels in it, and is still the same image.
    ``image``: uint8, shape (H, W, 3) or (H, W).
    """
    if image.ndim == 2:
        return [image, np.repeat(image[..., None], 3, axis=2)]
    grey = image[..., 0]
    return [image, grey] if (image == grey[..., None]).all() else [image]


def crop_to_multiple(hr: NDArray[np.uint8], scale: int) -> NDArray[np.uint8]:
    """HR without the last rows and columns that no LR pixel covers, before LR is made of it.

    Args:
        hr: (H, W) or (H, W, C).

    Returns:
        A view of the top left, with sides that are multiples of ``scale``; of size 0 where a side
        is below the scale.
    """
    height, width = (side // scale * scale for side in hr.shape[:2])
    return hr[:height, :width]


def three_channels(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(H, W, 3) of any image: grey, (H, W), as three equal channels, as the field scores it."""
    return image if image.ndim == 3 else np.repeat(image[..., None], 3, axis=2)


def read_image(path: str | Path) -> NDArray[np.uint8]:
    """Decode an 8-bit image file to uint8, shape (H, W, 3) for RGB and (H, W) for grey.

    Only conversions that lose nothing are made: a palette without transparency to RGB, one bit to
    grey, an alpha channel that is opaque everywhere dropped. Everything else (16 bit, CMYK,
    transparency, animations, files too large to be meant) raises DatasetError, as does a file that
    is not there or incomplete. EXIF rotation is not applied: the hash is of the stored pixels.
    """
    path = Path(path)
    try:
        with warnings.catch_warnings():
            # Pillow only warns from 90 to 180 megapixels; no image of these sets comes near.
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path) as image:
                # Pillow cuts 16-bit RGB to 8 bit silently; only the decoder's raw mode shows it.
                if image.mode.startswith(("I", "F")) or "16" in str(image.tile):
                    raise DatasetError(f"{path}: more than 8 bits a sample; save it as 8-bit PNG")
                if getattr(image, "n_frames", 1) > 1:
                    raise DatasetError(f"{path}: holds several frames; save one of them as PNG")
                image.load()
                return np.asarray(_plain(image, path))
    except FileNotFoundError:
        raise DatasetError(f"{path}: there is no such file; check the path") from None
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise DatasetError(f"{path}: too many pixels ({error}); crop it into tiles") from error
    except (OSError, SyntaxError) as error:  # Pillow reports some broken files as SyntaxError
        raise DatasetError(f"{path}: cannot be decoded ({error}); fetch the file again") from error


def _plain(image: Image.Image, path: Path) -> Image.Image:
    """The image as mode RGB or L, if that is possible without loss."""
    if image.mode in ("RGB", "L"):
        return image
    if image.mode == "1":
        return image.convert("L")
    if image.mode == "P" and "transparency" not in image.info:
        return image.convert("RGB")
    if image.mode in ("RGBA", "LA") and image.getchannel("A").getextrema() == (255, 255):
        return image.convert(image.mode[:-1])
    raise DatasetError(
        f"{path}: mode {image.mode} holds colours or transparency that 8-bit RGB or grey cannot; "
        "convert it to an RGB or grey PNG first"
    )


def image_files(folder: str | Path) -> dict[str, Path]:
    """The image files directly in ``folder`` by stem, sorted; other files are passed over.

    Raises DatasetError if there is no such folder or two files share a stem.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise DatasetError(f"{folder}: there is no such folder; check the path or fetch the set")
    files: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in IMAGE_SUFFIXES or path.name.startswith("."):
            continue
        if path.stem in files:
            raise DatasetError(
                f"{folder}: {files[path.stem].name} and {path.name} share a stem; remove one"
            )
        files[path.stem] = path
    return files


def build_manifest(folder: str | Path) -> pd.DataFrame:
    """The manifest of the images directly in ``folder``, sorted by stem, in MANIFEST_COLUMNS."""
    rows = []
    for stem, path in sorted(image_files(folder).items()):
        image = read_image(path)
        mode = "L" if image.ndim == 2 else "RGB"
        rows.append((stem, image.shape[1], image.shape[0], mode, pixel_sha256(image)))
    if not rows:
        raise DatasetError(f"{folder}: no image ({', '.join(IMAGE_SUFFIXES)}) in this folder")
    return pd.DataFrame(rows, columns=MANIFEST_COLUMNS)


def main() -> None:
    """Write a manifest: ``python -m srlib.data.registry FOLDER OUT.csv``."""
    parser = argparse.ArgumentParser(prog="python -m srlib.data.registry", description=main.__doc__)
    parser.add_argument("folder", type=Path, help="folder that holds the images")
    parser.add_argument("out", type=Path, help="manifest to write, srlib/data/manifests/NAME.csv")
    arguments = parser.parse_args()
    try:
        manifest = build_manifest(arguments.folder)
    except DatasetError as error:
        parser.error(str(error))
    manifest.to_csv(arguments.out, index=False, lineterminator="\n")
    print(f"{arguments.out}: {len(manifest)} images")


if __name__ == "__main__":
    main()
