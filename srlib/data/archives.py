"""Unpack archives from the net: everything is checked before the first file is written."""

import gzip
import lzma
import re
import shutil
import stat
import tarfile
import tempfile
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

_DAMAGED = (
    zipfile.BadZipFile,
    tarfile.TarError,
    gzip.BadGzipFile,
    lzma.LZMAError,
    zlib.error,
    EOFError,
)


class ArchiveError(ValueError):
    """The archive is damaged, too large, or would write where it must not."""


def extract(
    archive: str | Path,
    folder: str | Path,
    *,
    max_bytes: int = 20 * 2**30,
    max_ratio: float = 200.0,
    max_members: int = 100_000,
) -> Path:
    """Unpack a zip or tar (plain, gz, bz2, xz) into the new folder ``folder``; return that folder.

    Refused with ArchiveError, naming the member: names that are absolute, have a drive letter, a
    backslash or ``..``; links, devices, fifos and encrypted members; two members that would land on
    one file (also on a file system that ignores case); more than ``max_members`` members,
    ``max_bytes`` unpacked bytes, or ``max_ratio`` unpacked bytes per packed byte. The files are
    written to a hidden folder beside ``folder``, renamed at the end: on an error nothing is left.
    """
    archive, folder = Path(archive), Path(folder)
    if not archive.is_file():
        raise ArchiveError(f"{archive}: there is no such archive; check the path or download it")
    if folder.exists():
        raise ArchiveError(f"{folder}: already there; remove it or choose another folder")
    limits = (max_bytes, max_ratio, max_members)
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        # Tar first: a tar that ends in a stored zip looks like a zip, but not the other way round.
        if tarfile.is_tarfile(archive):
            with tarfile.open(archive) as packed_tar:
                # Opened lazily: a bomb is refused at its header, before it is decompressed.
                _check(archive, _tar_members(archive, packed_tar), *limits)
                if hasattr(tarfile, "data_filter"):  # Python 3.11.4; a second line of defence
                    packed_tar.extractall(temporary, filter="data")
                else:
                    packed_tar.extractall(temporary)
        elif zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as packed:
                _check(archive, _zip_members(archive, packed), *limits)
                packed.extractall(temporary)
        else:
            raise ArchiveError(f"{archive}: neither zip nor tar; download it again")
        temporary.chmod(0o755)  # mkdtemp makes folders that only their owner can read
        temporary.replace(folder)
    except _DAMAGED as error:
        raise ArchiveError(
            f"{archive}: damaged or incomplete ({error}); delete it and download it again"
        ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return folder


def _zip_members(archive: Path, packed: zipfile.ZipFile) -> Iterator[tuple[str, int, bool]]:
    """Name, unpacked size and whether it is a folder, of every member."""
    for info in packed.infolist():
        kind = stat.S_IFMT(info.external_attr >> 16)  # 0 where the packer stored no Unix mode
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise ArchiveError(f"{archive}: {info.filename!r} is a link or device; not unpacked")
        if info.flag_bits & 0x1:
            raise ArchiveError(f"{archive}: {info.filename!r} is encrypted; get a plain archive")
        # zipfile cleans up `filename` while reading; the archive's own word is `orig_filename`.
        yield info.orig_filename, info.file_size, info.is_dir()


def _tar_members(archive: Path, packed: tarfile.TarFile) -> Iterator[tuple[str, int, bool]]:
    """Name, unpacked size and whether it is a folder, of every member."""
    for member in packed:
        if not (member.isreg() or member.isdir()):
            raise ArchiveError(f"{archive}: {member.name!r} is a link or device; not unpacked")
        yield member.name, member.size, member.isdir()


def _check(
    archive: Path,
    members: Iterator[tuple[str, int, bool]],
    max_bytes: int,
    max_ratio: float,
    max_members: int,
) -> None:
    """Raise ArchiveError at the first member that breaks a rule of `extract`."""
    packed_bytes = max(1, archive.stat().st_size)
    total = 0
    files: dict[str, str] = {}
    folders: dict[str, str] = {}
    for number, (name, size, is_folder) in enumerate(members, start=1):
        total += size
        if number > max_members:
            raise ArchiveError(
                f"{archive}: more than {max_members} members; raise max_members if you trust it"
            )
        if total > max_bytes:
            raise ArchiveError(
                f"{archive}: unpacks to more than {max_bytes} bytes; raise max_bytes if you "
                "trust it"
            )
        # Small archives of constant images compress well; they cannot fill a disk.
        if total > max(max_ratio * packed_bytes, 2**20):
            raise ArchiveError(
                f"{archive}: unpacks to more than {max_ratio:g} times its size; raise max_ratio if "
                "you trust it"
            )
        # Case and Unicode form are folded: what is two files here is one on macOS or Windows.
        parts = [unicodedata.normalize("NFC", p).casefold() for p in _parts(archive, name)]
        paths = ["/".join(parts[: i + 1]) for i in range(len(parts))]
        own, parents = paths[-1:], paths[:-1]
        if is_folder:
            own, parents = [], paths
        clash = next((files[p] for p in parents + own if p in files), None)
        clash = clash or next((folders[p] for p in own if p in folders), None)
        if clash is not None:
            raise ArchiveError(f"{archive}: {name!r} would overwrite {clash!r}; not unpacked")
        files.update(dict.fromkeys(own, name))
        folders.update(dict.fromkeys(parents, name))


def _parts(archive: Path, name: str) -> list[str]:
    """The parts of a member's path; ArchiveError if it could leave the folder."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    unsafe = (
        name.startswith("/")
        or "\\" in name  # a separator on Windows, and no honest part of an image's name
        or "\0" in name
        or ".." in parts
        or any(re.match("[A-Za-z]:", part) for part in parts)
    )
    if unsafe:
        raise ArchiveError(
            f"{archive}: {name!r} would land outside the folder (absolute, '..', drive or "
            "backslash); not unpacked, do not use this archive"
        )
    return parts
