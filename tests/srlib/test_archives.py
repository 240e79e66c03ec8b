"""Zip files of every bad kind: images come out of them with the right pixels, or there is an error.

Each archive is made here and put where the download would lie.
"""

import io
import stat
import struct
import tarfile
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pooch
import pytest
from PIL import Image

from srlib.data import registry as datasets
from srlib.data.download import fetch, verify
from srlib.data.registry import DatasetError, Source, get_dataset
from srlib.paths import ROOT

NAME, STEMS = "embedded-heldout", ["astronaut", "chelsea", "coffee"]
URL = "https://example.org/set.zip"
IMAGES = {s: (ROOT / "data" / "heldout" / f"{s}.png").read_bytes() for s in STEMS}
WANTED = "top/a/astronaut.png"
BOMB = bytes(2**25)
LOCAL, CENTRAL, END = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
Member = tuple[str, bytes] | tuple[str, bytes, int]  # name, content, Unix mode


def member(name: str, content: bytes = b"x", mode: int = stat.S_IFREG | 0o644) -> Member:
    return name, content, mode


def zipped(*more: Member, **instead: bytes | None) -> bytes:
    """A zip of ``more`` and the images; ``instead``: other bytes of an image, None for none."""
    return packed_by(zipfile.ZIP_DEFLATED, *more, **instead)


def packed_by(method: int, *more: Member, **instead: bytes | None) -> bytes:
    file = io.BytesIO()
    images = {stem: instead.get(stem, content) for stem, content in IMAGES.items()}
    own = [member(f"top/a/{stem}.png", data) for stem, data in images.items() if data is not None]
    with zipfile.ZipFile(file, "w") as packed:
        for name, content, *mode in [*more, *own]:
            info = zipfile.ZipInfo("x")
            info.filename = info.orig_filename = name  # ZipInfo's own would tidy it up
            info.external_attr = (mode or [0])[0] << 16
            info.compress_type = method
            packed.writestr(info, content, compresslevel=1)
    return file.getvalue()


def patched(data: bytes, header: bytes, offset: int, layout: str, value: int) -> bytes:
    """The field of the first such header, at ``offset`` in it, set to ``value``."""
    changed = bytearray(data)
    struct.pack_into("<" + layout, changed, data.index(header) + offset, value)
    return bytes(changed)


def both(local: int, central: int, layout: str, value: int, data: bytes | None = None) -> bytes:
    """A field that stands in the local header and in the directory, set in both for astronaut."""
    data = data or zipped()
    return patched(patched(data, LOCAL, local, layout, value), CENTRAL, central, layout, value)


def method(number: int) -> bytes:
    """Astronaut said to be packed by another method, as a newer program would."""
    return both(8, 10, "H", number)


def size(value: int) -> bytes:
    """Astronaut said to have another size."""
    return both(22, 24, "I", value)


def broken_stream() -> bytes:
    data = bytearray(zipped())
    data[200:260] = bytes(range(60))
    return bytes(data)


def renamed(data: bytes, name: bytes, other: bytes) -> bytes:
    assert len(name) == len(other) and name in data
    return data.replace(name, other)


def large_directory() -> bytes:
    """Twice as many bytes of directory as are read, of entries that all name one member."""
    data = zipped(member("other.txt"))
    start, end = data.index(CENTRAL), data.index(END)
    entry = data[start : data.index(CENTRAL, start + 4)]
    directory = entry * (2 * 4 * 2**20 // len(entry)) + data[start:end]
    return data[:start] + directory + patched(data[end:], END, 12, "I", len(directory))


def zip64(directory_bytes: int, offset: int) -> bytes:
    """The three images behind a zip64 directory that states this size and place."""
    data = zipped()
    end = data.index(END)
    long_end = struct.pack(
        "<4sQ2H2I4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, 3, 3, directory_bytes, offset
    )
    locator = struct.pack("<4sIQI", b"PK\x06\x07", 0, end, 1)
    tail = patched(patched(data[end:], END, 12, "I", 2**32 - 1), END, 16, "I", 2**32 - 1)
    return data[:end] + long_end + locator + tail


def true_zip64() -> bytes:
    data = zipped()
    return zip64(data.index(END) - data.index(CENTRAL), data.index(CENTRAL))


def tar(mode: str) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode) as packed:  # type: ignore[call-overload]
        for stem, content in IMAGES.items():
            info = tarfile.TarInfo(f"top/a/{stem}.png")
            info.size = len(content)
            packed.addfile(info, io.BytesIO(content))
    return file.getvalue()


def encoded(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def huge_picture() -> bytes:
    return encoded(Image.new("1", (20_000, 20_000)))


def extra_field(content: bytes) -> bytes:
    """Astronaut's entry with an extra field, which zipfile reads for sizes beyond 4 GiB."""
    data = zipped()
    start = data.index(CENTRAL) + 46 + len(WANTED)
    longer = patched(data[:start] + content + data[start:], CENTRAL, 30, "H", len(content))
    directory = longer.index(END) - longer.index(CENTRAL)
    return patched(longer, END, 12, "I", directory)


HARMLESS: dict[str, Callable[[], bytes]] = {
    "nothing wrong": zipped,
    "stored": lambda: packed_by(zipfile.ZIP_STORED),
    "zip64": true_zip64,
    "no Unix modes": lambda: zipped(("a.txt", b"x", 0)),
    "traversal": lambda: zipped(member("../escape.png"), member("top/../../escape.png")),
    "images in a folder called ..": lambda: zipped(
        *(member(f"top/../{stem}.png", IMAGES[stem]) for stem in STEMS), **dict.fromkeys(STEMS)
    ),
    "absolute names": lambda: zipped(member("/escape.png"), member("C:/escape.png")),
    "backslashes": lambda: zipped(member("..\\escape.png"), member("\\\\host\\escape.png")),
    "links and devices beside": lambda: zipped(
        member("link", b"/etc/passwd", stat.S_IFLNK | 0o777), member("pipe", b"", stat.S_IFIFO)
    ),
    "a link as folder": lambda: zipped(member("top", b"/etc", stat.S_IFLNK | 0o777)),
    "other duplicates": lambda: zipped(member("a.txt"), member("a.txt"), member("A.TXT")),
    "a file and a folder of one name": lambda: zipped(member("top"), member("top/a")),
    "empty and dot-only names": lambda: zipped(*map(member, ("", ".", "..", "...", "/", "//"))),
    "a very long name": lambda: zipped(member("x" * 65_000)),
    "a very deep name": lambda: zipped(member("d/" * 30_000 + "x")),
    "NUL and newline in names": lambda: zipped(member("a\0b"), member("a\nb\r\x1b[2J")),
    "names that are no UTF-8": lambda: renamed(
        zipped(member("other")), b"other", b"\xff\xfe\xfd()"
    ),
    "a bomb that is not asked for": lambda: zipped(member("bomb", BOMB)),
    "an archive in the archive": lambda: zipped(member("inner.zip", zipped())),
    "something before": lambda: b"#!/bin/sh\n" * 100 + zipped(),
    "something behind": lambda: zipped() + b"x" * 1000,
    "a wrong number of members": lambda: patched(zipped(), END, 10, "H", 60_000),
    "encrypted beside": lambda: both(6, 8, "H", 1, zipped(member("secret"))),
}
CUT, DAMAGED = "it is not a whole zip file", r"its top/\*/astronaut.png is damaged"
REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "a link": (
        lambda: zipped(member(WANTED, b"/etc/passwd", stat.S_IFLNK | 0o777), astronaut=None),
        r"its top/\*/astronaut.png is no image file",
    ),
    "a pipe": (
        lambda: zipped(member(WANTED, b"", stat.S_IFIFO), astronaut=None),
        "is no image file",
    ),
    "a folder": (lambda: zipped(member(WANTED + "/"), astronaut=None), "it holds 0 files"),
    "twice the same name": (lambda: zipped(member(WANTED)), "it holds 2 files"),
    "twice in two folders": (lambda: zipped(member(WANTED.replace("a/", "b/"))), "holds 2 files"),
    "one is missing": (lambda: zipped(coffee=None), r"it holds 0 files top/\*/coffee.png"),
    "only its name in another folder": (
        lambda: zipped(member("top/a/b/coffee.png", IMAGES["coffee"]), coffee=None),
        "it holds 0 files",
    ),
    "a bomb": (lambda: zipped(astronaut=BOMB), r"unpacks to more than \d+ bytes"),
    "a bomb that states a small size": (
        lambda: both(22, 24, "I", 1000, zipped(astronaut=BOMB)),
        DAMAGED,
    ),
    "more in all than the images": (
        lambda: zipped(**{s: data + bytes(2**20) for s, data in IMAGES.items()}),
        r"coffee.png unpacks to more than \d+ bytes",
    ),
    "a size too small": (lambda: size(len(IMAGES["astronaut"]) - 1), DAMAGED),
    "a size too large": (lambda: size(len(IMAGES["astronaut"]) + 1), DAMAGED),
    "a size of 4 GiB": (lambda: size(2**32 - 2), DAMAGED),
    "encrypted": (lambda: both(6, 8, "H", 1), "is encrypted"),
    "strongly encrypted": (lambda: both(6, 8, "H", 0x41), "is encrypted"),
    "patch data": (lambda: both(6, 8, "H", 0x20), DAMAGED),
    "deflate64": (lambda: method(9), "is neither stored nor deflated"),
    "bzip2": (lambda: packed_by(zipfile.ZIP_BZIP2), "is neither stored nor deflated"),
    "corrupt bzip2": (lambda: method(12), "is neither stored nor deflated"),
    "lzma": (lambda: packed_by(zipfile.ZIP_LZMA), "is neither stored nor deflated"),
    "corrupt lzma": (lambda: method(14), "is neither stored nor deflated"),
    "zstd": (lambda: method(93), "is neither stored nor deflated"),
    "a method of the future": (lambda: method(0x7777), "is neither stored nor deflated"),
    "deflated, said to be stored": (lambda: method(0), DAMAGED),
    "corrupt deflate": (broken_stream, DAMAGED),
    "a wrong CRC": (lambda: both(14, 16, "I", 0), DAMAGED),
    "two names for one member": (
        lambda: patched(zipped(), LOCAL, 30, "B", ord("T")),
        DAMAGED,
    ),
    "an image behind the end": (lambda: patched(zipped(), CENTRAL, 42, "I", 2**31), "set.zip: it"),
    "no local header": (lambda: patched(zipped(), LOCAL, 0, "I", 0), DAMAGED),
    "a version of the future": (lambda: patched(zipped(), CENTRAL, 6, "B", 255), CUT),
    "bad UTF-8 that is said to be UTF-8": (
        lambda: renamed(zipped(member("öther")), "öther".encode(), b"\xff\xfether"),
        CUT,
    ),
    "truncated by a byte": (lambda: zipped()[:-1], CUT),
    "truncated in the directory": (lambda: zipped()[:-100], CUT),
    "truncated in an image": (lambda: zipped()[:100_000], CUT),
    "cut out of the middle": (lambda: zipped()[:50_000] + zipped()[60_000:], DAMAGED),
    "much behind": (lambda: zipped() + b"x" * 100_000, CUT),
    "a directory too large": (large_directory, "its directory has more than 4194304 bytes"),
    "a directory behind the end": (lambda: patched(zipped(), END, 16, "I", 2**31), DAMAGED),
    "a directory larger than the file": (lambda: patched(zipped(), END, 12, "I", 2**31), CUT),
    "zip64 with a directory of 2**63 bytes": (lambda: zip64(2**63, 0), CUT),
    "zip64 with a directory of no bytes": (lambda: zip64(0, 2**62), "it holds 0 files"),
    "an extra field cut off": (lambda: extra_field(b"\x01\x00\xff\xff"), CUT),
    "an extra field without its sizes": (
        lambda: patched(extra_field(b"\x01\x00\x00\x00"), CENTRAL, 24, "I", 2**32 - 1),
        CUT,
    ),
    "an archive as image": (lambda: zipped(astronaut=zipped()[:50_000]), "cannot be decoded"),
    "half an image": (lambda: zipped(coffee=IMAGES["coffee"][:5000]), "image coffee: cannot be"),
    "an empty image": (lambda: zipped(coffee=b""), "image coffee: cannot be decoded"),
    "an image of 400 megapixels": (lambda: zipped(coffee=huge_picture()), "too many pixels"),
    "another image": (
        lambda: zipped(coffee=IMAGES["chelsea"]),
        "its pixels are not those of coffee in the manifest",
    ),
    "an empty file": (lambda: b"", CUT),
    "no members": (lambda: zipped(**dict.fromkeys(STEMS)), "it holds 0 files"),
    "a page that says no": (lambda: b"<html>404: not found</html>", CUT),
    "an image": (lambda: IMAGES["coffee"], CUT),
    "tar": (lambda: tar("w"), CUT),
    "tar.gz": (lambda: tar("w:gz"), CUT),
    "the first bytes of a zip": (lambda: LOCAL, CUT),
    "an end alone": (lambda: zipped()[-22:], CUT),
}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where the downloaded archive lies; nothing else may have appeared there afterwards."""
    monkeypatch.delenv("SRLIB_MIRROR", raising=False)
    monkeypatch.setenv("SRLIB_CACHE", str(tmp_path / "cache"))
    source = Source("archive", "top/*/{stem}.png", url=URL)
    changed = replace(get_dataset(NAME), sources=(source,))
    monkeypatch.setitem(datasets._registry(), NAME, changed)
    archive = tmp_path / "cache" / pooch.utils.unique_file_name(URL)
    archive.parent.mkdir()
    yield archive
    assert {path.name for path in tmp_path.iterdir()} <= {"cache", "out"}
    assert {path.name for path in archive.parent.iterdir()} <= {archive.name}
    assert not Path("/escape.png").exists()


@pytest.mark.faults("archives")
@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("kind", HARMLESS)
def test_the_images_come_out(place: Path, tmp_path: Path, kind: str) -> None:
    place.write_bytes(HARMLESS[kind]())
    path = fetch(NAME, tmp_path / "out", progress=False)
    assert sorted(file.name for file in path.iterdir()) == [f"{stem}.png" for stem in STEMS]
    assert [p.name for p in path.parent.iterdir()] == ["HR"]
    assert verify(NAME, tmp_path / "out").count == 3


@pytest.mark.faults("archives")
@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("kind", REFUSED)
def test_a_bad_archive_is_refused_and_removed(place: Path, tmp_path: Path, kind: str) -> None:
    make, message = REFUSED[kind]
    place.write_bytes(make())
    with pytest.raises(DatasetError, match=message) as caught:
        fetch(NAME, tmp_path / "out", progress=False)
    text = str(caught.value)
    assert text.startswith(f"{NAME}: {URL}: ") and text.isprintable() and len(text) < 500
    assert "removed from the cache, fetch again or use another source" in text
    assert str(tmp_path) not in text
    assert not place.exists() and list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("kind", ["a bomb", "a bomb that states a small size"])
def test_a_bomb_is_not_unpacked(place: Path, tmp_path: Path, kind: str) -> None:
    place.write_bytes(REFUSED[kind][0]())
    tracemalloc.start()
    try:
        with pytest.raises(DatasetError):
            fetch(NAME, tmp_path / "out", progress=False)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < len(BOMB) / 3
