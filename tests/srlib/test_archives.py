"""Good archives unpack, bad ones are refused by name and leave nothing behind."""

import io
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest

from srlib.data.archives import ArchiveError, extract


def make_tar(path: Path, *members: tuple[str, bytes, str], mode: str = "w") -> Path:
    """A tar of (name, type, content or link target)."""
    with tarfile.open(path, mode) as tar:  # type: ignore[call-overload]
        for name, kind, content in members:
            info = tarfile.TarInfo(name)
            info.type = kind
            if kind in (tarfile.SYMTYPE, tarfile.LNKTYPE):
                info.linkname = content
                tar.addfile(info)
            else:
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content.encode()))
    return path


def make_zip(path: Path, *names: str, mode: int = 0, content: bytes = b"image") -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name in names:
            info = zipfile.ZipInfo(name)
            info.filename = name  # ZipInfo would tidy it up
            info.external_attr = mode << 16
            packed.writestr(info, content, zipfile.ZIP_DEFLATED)
    return path


def refused(archive: Path, match: str, **limits: int) -> None:
    """`extract` refuses with this message and leaves nothing beside the archive."""
    before = set(archive.parent.parent.rglob("*"))
    with pytest.raises(ArchiveError, match=match):
        extract(archive, archive.parent / "out", **limits)
    assert set(archive.parent.parent.rglob("*")) == before


@pytest.fixture
def box(tmp_path: Path) -> Path:
    """A folder with room above it, so that an escape would be seen."""
    folder = tmp_path / "box"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_good_tar(box: Path, mode: str) -> None:
    archive = make_tar(
        box / "a.tar",
        ("./", tarfile.DIRTYPE, ""),
        ("./set/", tarfile.DIRTYPE, ""),
        ("./set/a.png", tarfile.REGTYPE, "one"),
        ("./set/b.png", tarfile.REGTYPE, "two"),
        mode=mode,
    )
    out = extract(archive, box / "new" / "out")
    assert {p.relative_to(out).as_posix(): p.read_text() for p in out.rglob("*.png")} == {
        "set/a.png": "one",
        "set/b.png": "two",
    }
    assert sorted(p.name for p in out.parent.iterdir()) == ["out"]


def test_good_zip(box: Path) -> None:
    out = extract(make_zip(box / "a.zip", "set/", "set/a.png", mode=0o644), box / "out")
    assert (out / "set" / "a.png").read_bytes() == b"image"


def test_tar_that_ends_in_a_zip_is_a_tar(box: Path) -> None:
    inner = make_zip(box / "inner.zip", "a.png")
    with tarfile.open(box / "a.tar", "w") as tar:
        tar.add(inner, "inner.zip")
    assert [p.name for p in extract(box / "a.tar", box / "out").iterdir()] == ["inner.zip"]


@pytest.mark.parametrize(
    "name", ["../up.png", "a/../../up.png", "/abs.png", "C:/x.png", "a\\b.png"]
)
@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_names_that_land_outside(box: Path, name: str, kind: str) -> None:
    if kind == "zip":
        archive = make_zip(box / "a.zip", "good.png", name)
    else:
        archive = make_tar(box / "a.tar", (name, tarfile.REGTYPE, "x"))
    refused(archive, "would land outside")


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE]
)
def test_tar_links_and_devices(box: Path, kind: bytes) -> None:
    target = "good.png" if kind in (tarfile.SYMTYPE, tarfile.LNKTYPE) else ""
    archive = make_tar(box / "a.tar", ("good.png", tarfile.REGTYPE, "x"), ("bad", kind, target))
    refused(archive, "'bad' is a link or device")


@pytest.mark.parametrize("mode", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_zip_links_and_devices(box: Path, mode: int) -> None:
    refused(make_zip(box / "a.zip", "bad", mode=mode | 0o777), "'bad' is a link or device")


def test_encrypted_zip(box: Path) -> None:
    archive = make_zip(box / "a.zip", "a.png")
    data = bytearray(archive.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1  # the flag in the central directory
    archive.write_bytes(data)
    refused(archive, "'a.png' is encrypted")


@pytest.mark.parametrize("names", [("a.png", "A.PNG"), ("a", "a/b.png"), ("a/b.png", "./a/b.png")])
def test_members_that_overwrite(box: Path, names: tuple[str, ...]) -> None:
    refused(make_zip(box / "a.zip", *names), "would overwrite")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_folder_may_be_named_twice(box: Path) -> None:
    assert extract(make_zip(box / "a.zip", "a/", "a/", "a/b.png"), box / "out").is_dir()


@pytest.mark.parametrize("mode", ["w:gz", "w:xz"])
def test_tar_bomb(box: Path, mode: str) -> None:
    archive = make_tar(box / "a.tar", ("a", tarfile.REGTYPE, "0" * 2**22), mode=mode)
    refused(archive, "more than 200 times its size")


def test_zip_bomb(box: Path) -> None:
    archive = make_zip(box / "a.zip", "a", content=bytes(2**22))
    refused(archive, "more than 200 times its size")
    refused(archive, "more than 1000 bytes; raise max_bytes", max_bytes=1000)


def test_too_many_members(box: Path) -> None:
    refused(make_zip(box / "a.zip", "a", "b", "c"), "more than 2 members", max_members=2)


def test_damaged_and_foreign_files(box: Path) -> None:
    whole = make_tar(
        box / "a.tar", ("a", tarfile.REGTYPE, "".join(map(str, range(9999)))), mode="w:gz"
    )
    whole.write_bytes(whole.read_bytes()[:-2000])
    refused(whole, "damaged or incomplete.*download it again")
    (box / "text.zip").write_text("404: not found")
    refused(box / "text.zip", "neither zip nor tar")
    refused(box / "none.zip", "there is no such archive")


def test_bit_error_in_zip(box: Path) -> None:
    archive = make_zip(box / "a.zip", "a.png", content=bytes(range(256)))
    data = bytearray(archive.read_bytes())
    data[60] ^= 1
    archive.write_bytes(data)
    refused(archive, "damaged or incomplete")


def test_an_existing_folder_is_not_touched(box: Path) -> None:
    (box / "out").mkdir()
    refused(make_zip(box / "a.zip", "a.png"), "out: already there; remove it")
