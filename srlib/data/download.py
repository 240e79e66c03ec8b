"""Put the verified images of a set into ``FOLDER/NAME/HR/``: from a mirror, data/ or the net."""

import io
import os
import re
import shutil
import stat
import tempfile
import warnings
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import platformdirs
import pooch
from tqdm.auto import tqdm

from srlib.data.registry import (
    IMAGE_SUFFIXES,
    Dataset,
    DatasetError,
    Source,
    forms,
    get_dataset,
    image_files,
    pixel_sha256,
    read_image,
    read_manifest,
)
from srlib.http import LARGEST, Downloader, DownloadError
from srlib.paths import ROOT

MIRROR_VARIABLE = "SRLIB_MIRROR"
CACHE_VARIABLE = "SRLIB_CACHE"
_REPOSITORY = ROOT.resolve()
_RETRIES = 2
_DIRECTORY = 4 * 2**20  # bytes of a zip's directory: some 40,000 members
_HEADER = 2**20  # bytes that an image file may have beside its pixels


class ArchiveError(ValueError):
    """A file is no zip archive, is damaged, or does not hold the image that was looked for."""


def default_folder() -> Path:
    """Where images are kept if nothing else is said: ``datasets`` in the repository, else a cache.

    The cache is the user's, by the rules of the system (platformdirs), so that nothing grows in
    whatever folder one stands in.
    """
    here = Path("datasets")
    return here if Path("dvc.yaml").exists() else Path(platformdirs.user_cache_dir("srlib"))


@dataclass(frozen=True)
class Verification:
    """What `verify` found: where, how many images, and a warning where pixels were not checked."""

    name: str
    path: Path
    count: int
    warning: str | None = None


def fetch(
    name: str, folder: str | Path, mirror: str | Path | None = None, progress: bool = True
) -> Path:
    """Put the images of set ``name`` into ``folder/NAME/HR/`` and return that path.

    A folder that is already there is verified and left alone. Otherwise the images come from
    ``mirror`` (else the environment's SRLIB_MIRROR), a folder that holds ``NAME/HR/STEM.png`` (or
    webp, jpg, bmp), and where it lacks the set, from the sources in ``datasets.yaml``. Downloads
    are kept in SRLIB_CACHE (default: the user's cache folder). ``progress`` shows a bar.

    Every image is verified before the folder gets its name, so that it is complete or not there.
    Raises DatasetError that says what is wrong and how to fix it; warns (UserWarning) if the set
    has no manifest and only the number of images could be checked.
    """
    dataset = get_dataset(name)
    target = Path(folder) / name / "HR"
    mirror = mirror or os.environ.get(MIRROR_VARIABLE) or None
    if mirror is not None and not Path(mirror).is_dir():
        raise DatasetError(
            f"mirror {mirror}: there is no such folder; correct or unset it ({MIRROR_VARIABLE})"
        )
    if target.exists():
        found = verify(name, folder)
    else:
        tries: list[tuple[str, Callable[[Path], None]]] = []
        if mirror is not None and (Path(mirror) / name / "HR").is_dir():
            origin = Path(mirror) / name / "HR"
            # A mirror that is there but wrong must be put right, not silently passed over.
            tries.append((str(origin), lambda out: _copy(image_files(origin), out)))
        else:
            tries = [_from_source(dataset, source, progress) for source in dataset.sources]
        found = _first_that_works(dataset, target, tries)
    if found.warning:
        warnings.warn(found.warning, UserWarning, stacklevel=2)
    return target


def verify(name: str, folder: str | Path) -> Verification:
    """Compare ``folder/NAME/HR/`` with the manifest of set ``name``, pixel by pixel.

    Raises one DatasetError that names the missing, extra, renamed and altered images (ten of each).
    For a set without a manifest only the number of images is checked, and the result's ``warning``
    says so.
    """
    path = Path(folder) / name / "HR"
    return _compare(get_dataset(name), path, f"delete {path} and fetch {name} again")


def _compare(dataset: Dataset, path: Path, fix: str, shown: str | None = None) -> Verification:
    """`verify` for the images in ``path``, called ``shown`` in errors."""
    name, shown = dataset.name, shown or str(path)
    if dataset.manifest is None:
        count = len(image_files(path))
        if count != dataset.count:
            raise DatasetError(f"{name}: {shown} holds {count} images, not {dataset.count}; {fix}")
        warning = f"{name}: no manifest yet; {count} images counted, their pixels not checked"
        return Verification(name, path, count, warning)

    files = {stem: file.name for stem, file in image_files(path).items()}
    expected = {stem: (size, sha) for stem, size, sha in _rows(name)}
    known = {sha for _, sha in expected.values()}
    found = {stem: _decoded(path / file, known) for stem, file in files.items()}
    right = {stem for stem, (_, sha) in expected.items() if found.get(stem, ("", ""))[1] == sha}
    # Two images may be equal (t36 and t65 of T91): a stray copy is taken for one that is missing.
    owner = {
        sha: stem for stem, (_, sha) in sorted(expected.items(), key=lambda e: e[0] not in right)
    }
    renamed = {s: owner[sha] for s, (_, sha) in found.items() if s not in right and sha in owner}
    altered = [
        f"{stem} ({size} expected, {found[stem][0]} found)"
        for stem, (size, _) in expected.items()
        if stem in found and stem not in renamed and stem not in right
    ]
    problems = {
        "missing": [s for s in expected if s not in found and s not in renamed.values()],
        "extra": [files[s] for s in found if s not in expected and s not in renamed],
        "renamed": [f"{files[s]} holds the pixels of {stem}" for s, stem in renamed.items()],
        "altered": altered,
    }
    if any(problems.values()):
        lines = [
            f"  {kind} ({len(items)}): {', '.join(items[:10])}{', ...' if len(items) > 10 else ''}"
            for kind, items in problems.items()
            if items
        ]
        if len(altered) > len(expected) // 2 and any(".jp" in file for file in files.values()):
            fix += "; if only JPG files are altered, your libjpeg decodes otherwise than Pillow's "
            fix += "wheel: install Pillow from PyPI"
        raise DatasetError(
            f"{name}: {shown} does not match srlib/data/manifests/{dataset.manifest}\n"
            + "\n".join(lines)
            + f"\n  to fix it: {fix}"
        )
    return Verification(name, path, len(files))


def _rows(name: str) -> list[tuple[str, str, str]]:
    """Stem, "WIDTHxHEIGHT MODE" and pixel hash of every image in the manifest."""
    columns = read_manifest(name).astype(str).to_dict("list")
    sizes = zip(columns["width"], columns["height"], columns["mode"], strict=True)
    return [
        (stem, f"{width}x{height} {mode}", sha)
        for stem, sha, (width, height, mode) in zip(
            columns["stem"], columns["sha256"], sizes, strict=True
        )
    ]


def _decoded(file: Path, known: set[str]) -> tuple[str, str]:
    """Size and pixel hash of an image file, as in `_rows`; a broken file has no hash.

    The hash is that of the form which is among the ``known``, if any is.
    """
    try:
        image = read_image(file)
    except DatasetError:
        return "a file that cannot be decoded", ""
    mode = "L" if image.ndim == 2 else "RGB"
    hashes = [pixel_sha256(form) for form in forms(image)]
    sha = next((sha for sha in hashes if sha in known), hashes[0])
    return f"{image.shape[1]}x{image.shape[0]} {mode}", sha


def _first_that_works(
    dataset: Dataset, target: Path, tries: list[tuple[str, Callable[[Path], None]]]
) -> Verification:
    """Gather the set in a hidden folder beside ``target``, verify it, rename it."""
    failures = []
    for origin, gather in tries:
        temporary = _beside(target)
        try:
            gather(temporary)
            found = _compare(dataset, temporary, f"fix or remove {origin}", origin)
            temporary.chmod(0o755)  # mkdtemp makes folders that only their owner can read
            try:
                temporary.rename(target)
            except OSError:
                if not target.exists():
                    raise
                return verify(dataset.name, target.parents[1])  # another process was faster
            return replace(found, path=target)
        except DatasetError as error:
            failures.append(str(error))
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
            with suppress(OSError):  # it is not empty, or another process has removed it
                target.parent.rmdir()
    if len(failures) > 1:
        failures.insert(0, f"{dataset.name}: could not be fetched")
    raise DatasetError("\n".join(failures))


def _beside(target: Path) -> Path:
    """A new hidden folder beside ``target``."""
    while True:
        target.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):  # another process has just removed the empty parent
            return Path(tempfile.mkdtemp(prefix=".HR.", dir=target.parent))


def _copy(files: dict[str, Path], out: Path) -> None:
    # Copies, not hard links: an edit of the copy must not reach the mirror or the repository.
    for file in files.values():
        shutil.copyfile(file, out / file.name)


def _from_source(
    dataset: Dataset, source: Source, progress: bool
) -> tuple[str, Callable[[Path], None]]:
    """A source's name for messages, and the function that fills a folder from it."""
    if source.kind == "bundled":
        path = _REPOSITORY / source.path
        return str(path), lambda out: _copy(image_files(path), out)
    if source.kind == "github":
        return source.file_url("*"), lambda out: _from_github(dataset, source, out, progress)
    if source.kind == "archive":
        return source.url, lambda out: _from_archive(dataset, source, out, progress)
    return source.url, lambda out: _ask_user(dataset, source, out)


def _ask_user(dataset: Dataset, source: Source, out: Path) -> None:
    raise DatasetError(
        f"{dataset.name}: not fetched here ({dataset.licence}); known home: {source.url}. Get it "
        f"there and put its {dataset.count} images ({', '.join(IMAGE_SUFFIXES)}) into "
        f"{out.parent / 'HR'}, or into {dataset.name}/HR below the folder that {MIRROR_VARIABLE} "
        f"names{'; ' + source.note if source.note else ''}"
    )


def _download(
    dataset: Dataset, what: str, url: str, sha256: str | None, largest: int, bar: bool
) -> Path:
    """The cached copy of ``url``, downloaded if it is not there; moved in only when complete."""
    cache = Path(os.environ.get(CACHE_VARIABLE) or pooch.os_cache("srlib"))
    pooch.get_logger().setLevel("ERROR")  # its line for every file would drown the progress bar
    file = pooch.utils.unique_file_name(url)  # holds a hash of the address, and so of the commit
    downloads = pooch.create(
        cache, base_url="", registry={file: sha256}, urls={file: url}, retry_if_failed=_RETRIES
    )
    try:
        return Path(downloads.fetch(file, downloader=Downloader(largest, bar)))
    except DownloadError as error:
        raise DatasetError(
            f"{dataset.name}: {what} could not be downloaded from {url}: {error}, or set "
            f"{MIRROR_VARIABLE} to a folder that holds {dataset.name}/HR"
        ) from error
    except ValueError as error:  # pooch's, after a download
        raise DatasetError(
            f"{dataset.name}: {what} could not be downloaded: the SHA-256 of {url} is not the one "
            f"in srlib/datasets.yaml; use another source ({MIRROR_VARIABLE})"
        ) from error
    except OSError as error:
        raise DatasetError(
            f"{dataset.name}: {what} cannot be written into {cache} ({error.strerror or error}); "
            f"make room there, or set {CACHE_VARIABLE} to another folder"
        ) from error


def _from_github(dataset: Dataset, source: Source, out: Path, progress: bool) -> None:
    rows, largest = _rows(dataset.name), _largest(dataset.name)
    for stem, _, sha in tqdm(rows, dataset.name, unit="image", disable=not progress):
        url = source.file_url(stem)
        file = _download(dataset, f"image {stem}", url, None, largest[stem], bar=False)
        # Checked one by one, so that a wrong source is found out by its first image.
        try:
            _check_pixels(file, stem, sha)
        except DatasetError as error:
            file.unlink()
            raise _removed(dataset, url, error) from error
        shutil.copyfile(file, out / f"{stem}{file.suffix}")


def _check_pixels(file: Path, stem: str, sha256: str) -> None:
    try:
        image = read_image(file)
    except DatasetError as error:  # which names the file that is about to be removed
        raise DatasetError(str(error).replace(str(file), f"image {stem}")) from error
    if sha256 not in map(pixel_sha256, forms(image)):
        raise DatasetError(f"its pixels are not those of {stem} in the manifest")


def _removed(dataset: Dataset, url: str, error: ValueError) -> DatasetError:
    """The error of a download that is not what it should be, and was removed for it."""
    return DatasetError(
        f"{dataset.name}: {url}: {error}; removed from the cache, fetch again or use another "
        f"source ({MIRROR_VARIABLE})"
    )


def _largest(name: str) -> dict[str, int]:
    """Bytes that the file of each image may have: 4 a pixel, as a BMP with alpha, and a header."""
    table = read_manifest(name)
    sizes = 4 * table["width"] * table["height"] + _HEADER
    return dict(zip(table["stem"], sizes.tolist(), strict=True))


def _from_archive(dataset: Dataset, source: Source, out: Path, progress: bool) -> None:
    size = source.size or LARGEST
    archive = _download(dataset, "its archive", source.url, source.sha256, size, bar=progress)
    largest = _largest(dataset.name)
    # Of all images together: one may have a long header, not every one.
    left = sum(largest.values()) - (len(largest) - 1) * _HEADER
    try:
        with _opened(archive) as packed:
            for stem, _, sha in _rows(dataset.name):
                suffix, data = _image(packed, source.location(stem), min(largest[stem], left))
                left -= len(data)
                file = out / f"{stem}{suffix}"
                file.write_bytes(data)
                _check_pixels(file, stem, sha)
    except (ArchiveError, DatasetError) as error:
        archive.unlink()  # or every later try would meet the same file
        raise _removed(dataset, source.url, error) from error


class _SmallReads(io.BufferedReader):
    """A file for zipfile, which reads a zip's directory at once, as long as the zip says it is."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > _DIRECTORY:
            raise ArchiveError(f"its directory has more than {_DIRECTORY} bytes")
        return super().read(size)


@contextmanager
def _opened(archive: Path) -> Iterator[zipfile.ZipFile]:
    with _SmallReads(archive.open("rb", buffering=0)) as file:
        with _typed("it is not a whole zip file"):
            packed = zipfile.ZipFile(file)
        with packed:
            yield packed


@contextmanager
def _typed(problem: str) -> Iterator[None]:
    """Turn whatever zipfile and its decompressors raise, of a dozen types, into ArchiveError."""
    try:
        yield
    except ArchiveError:
        raise
    except Exception as error:
        raise ArchiveError(f"{problem} ({str(error)[:120] or type(error).__name__})") from error


def _image(packed: zipfile.ZipFile, pattern: str, most: int) -> tuple[str, bytes]:
    """Suffix and bytes of the one image whose whole name is ``pattern``, ``*`` within a folder.

    Members are read, never extracted: a name is compared with the pattern and serves for no path.
    """
    name = re.compile(re.escape(pattern).replace(r"\*", "[^/]*"))
    members = [member for member in packed.infolist() if name.fullmatch(member.filename)]
    if len(members) != 1:
        raise ArchiveError(f"it holds {len(members)} files {pattern}, expected one")
    member = members[0]
    suffix = PurePosixPath(member.filename).suffix
    kind = stat.S_IFMT(member.external_attr >> 16)  # 0 where the packer stored no Unix mode
    if suffix.lower() not in IMAGE_SUFFIXES or kind not in (0, stat.S_IFREG):
        raise ArchiveError(f"its {pattern} is no image file")
    if member.flag_bits & 0x1:
        raise ArchiveError(f"its {pattern} is encrypted")
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ArchiveError(f"its {pattern} is neither stored nor deflated")
    data = bytearray()
    with _typed(f"its {pattern} is damaged"), packed.open(member) as file:
        while piece := file.read(2**16):
            data += piece
            if len(data) > most:
                raise ArchiveError(f"its {pattern} unpacks to more than {most} bytes")
        if len(data) != member.file_size:
            raise EOFError(f"{len(data)} bytes, stated {member.file_size}")
    return suffix, bytes(data)
