"""Fetching: only complete, verified sets appear; every fault is named; nothing is left over."""

import functools
import http.server
import shutil
import struct
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from socket import SO_LINGER, SOL_SOCKET

import pytest
from PIL import Image

from srlib.data import registry as datasets
from srlib.data.download import fetch, verify
from srlib.data.registry import (
    Dataset,
    DatasetError,
    Source,
    get_dataset,
    image_files,
    read_manifest,
)

ROOT = Path(__file__).resolve().parents[2]
NAME = "embedded-heldout"  # three small images with a manifest
STEMS = ["astronaut", "chelsea", "coffee"]
COMMIT = "0" * 40


@pytest.fixture(autouse=True)
def _no_outside_world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SRLIB_MIRROR", raising=False)
    monkeypatch.setenv("SRLIB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("srlib.data.download._RETRIES", 0)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    """A mirror of NAME, in another container than the repository's."""
    folder = tmp_path / "mirror" / NAME / "HR"
    folder.mkdir(parents=True)
    for path in image_files(ROOT / "data" / "heldout").values():
        Image.open(path).save(folder / f"{path.stem}.bmp")
    return tmp_path / "mirror"


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves a folder; cuts off files whose name contains `truncate`, resets at `reset`."""

    truncate = reset = "nothing"

    def log_message(self, *args: object) -> None:
        pass

    def copyfile(self, source: object, outputfile: object) -> None:
        data = source.read()  # type: ignore[attr-defined]
        if self.reset in self.path:
            self.connection.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            return
        cut = len(data) // 2 if self.truncate in self.path else len(data)
        outputfile.write(data[:cut])  # type: ignore[attr-defined]


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Path, str]]:
    """A web server on this machine: its folder and its address."""
    root = tmp_path / "www"
    root.mkdir()
    handler = functools.partial(Handler, directory=str(root))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as httpd:
        thread = threading.Thread(target=httpd.serve_forever, args=(0.02,))
        thread.start()
        yield root, f"http://127.0.0.1:{httpd.server_port}"
        httpd.shutdown()
        thread.join()


def use(monkeypatch: pytest.MonkeyPatch, **changes: object) -> None:
    """Change the registry's entry NAME for this test."""
    changed: Dataset = replace(get_dataset(NAME), **changes)  # type: ignore[arg-type]
    monkeypatch.setitem(datasets._registry(), NAME, changed)


def github(address: str) -> Source:
    names = tuple((stem, f"img_{i}") for i, stem in enumerate(STEMS))
    return Source("github", "set/{stem}_HR.png", "some/one", COMMIT, url=address, names=names)


def serve_github(root: Path) -> Path:
    """Put NAME into the server's folder as a repository; return that folder."""
    folder = root / "some" / "one" / COMMIT / "set"
    folder.mkdir(parents=True)
    for i, stem in enumerate(STEMS):
        shutil.copy(ROOT / "data" / "heldout" / f"{stem}.png", folder / f"img_{i}_HR.png")
    return folder


def stems(path: Path) -> list[str]:
    return sorted(p.stem for p in path.iterdir())


def test_from_this_repository(out: Path) -> None:
    path = fetch(NAME, out)
    assert path == out / NAME / "HR"
    assert stems(path) == STEMS
    assert verify(NAME, out).count == 3
    before = path.stat().st_mtime_ns
    assert fetch(NAME, out) == path  # again: verified and left alone
    assert path.stat().st_mtime_ns == before
    assert [p.name for p in path.parent.iterdir()] == ["HR"]


def test_from_a_mirror(out: Path, mirror: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, sources=())
    assert {p.suffix for p in fetch(NAME, out, mirror).iterdir()} == {".bmp"}
    monkeypatch.setenv("SRLIB_MIRROR", str(mirror))
    assert stems(fetch(NAME, out / "again")) == STEMS


def test_a_mirror_without_the_set_is_passed_over(out: Path, tmp_path: Path) -> None:
    assert stems(fetch(NAME, out, tmp_path)) == STEMS
    with pytest.raises(DatasetError, match=r"mirror .*none: there is no such folder.*SRLIB_MIRROR"):
        fetch(NAME, out / "again", tmp_path / "none")


def test_a_wrong_mirror_is_named_and_nothing_is_left(out: Path, mirror: Path) -> None:
    (mirror / NAME / "HR" / "coffee.bmp").unlink()
    with pytest.raises(DatasetError, match=r"mirror.*does not match(?s:.*)missing \(1\): coffee"):
        fetch(NAME, out, mirror)
    assert list(out.iterdir()) == []


def test_faults_are_all_named_in_one_error(out: Path) -> None:
    path = fetch(NAME, out)
    (path / "astronaut.png").rename(path / "moon.png")
    Image.open(path / "chelsea.png").resize((45, 30)).save(path / "chelsea.png")
    (path / "coffee.png").unlink()
    Image.new("RGB", (8, 8)).save(path / "own.png")
    with pytest.raises(DatasetError) as caught:
        verify(NAME, out)
    lines = str(caught.value).splitlines()
    assert lines[0] == f"{NAME}: {path} does not match srlib/data/manifests/{NAME}.csv"
    assert lines[1:5] == [
        "  missing (1): coffee",
        "  extra (1): own.png",
        "  renamed (1): moon.png holds the pixels of astronaut",
        "  altered (1): chelsea (451x300 RGB expected, 45x30 RGB found)",
    ]
    assert lines[5] == f"  to fix it: delete {path} and fetch {NAME} again"
    with pytest.raises(DatasetError, match="does not match"):
        fetch(NAME, out)  # what is there is never overwritten
    assert (path / "own.png").exists()


def test_swapped_names_and_one_altered_pixel(out: Path) -> None:
    path = fetch(NAME, out)
    image = Image.open(path / "coffee.png")
    image.putpixel((0, 0), (1, 2, 3))
    image.save(path / "coffee.png")
    (path / "astronaut.png").rename(path / "x")
    (path / "chelsea.png").rename(path / "astronaut.png")
    (path / "x").rename(path / "chelsea.png")
    with pytest.raises(DatasetError) as caught:
        verify(NAME, out)
    assert "renamed (2): astronaut.png holds the pixels of chelsea, chelsea" in str(caught.value)
    assert "altered (1): coffee (600x400 RGB expected, 600x400 RGB found)" in str(caught.value)
    assert "missing" not in str(caught.value)


def test_a_broken_file_is_named(out: Path) -> None:
    path = fetch(NAME, out)
    (path / "coffee.png").write_bytes((path / "coffee.png").read_bytes()[:5000])
    with pytest.raises(
        DatasetError, match=r"altered \(1\): coffee .*a file that cannot be decoded"
    ):
        verify(NAME, out)


def test_only_ten_are_named(out: Path) -> None:
    (out / "Urban100" / "HR").mkdir(parents=True)
    with pytest.raises(DatasetError, match=r"missing \(100\): (img_0\d\d, ){10}\.\.\.\n"):
        verify("Urban100", out)


def test_equal_images_in_one_set(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    manifest = read_manifest(NAME)
    twin = manifest[manifest["stem"] == "coffee"].assign(stem="twin")
    both = datasets.pd.concat([manifest, twin])
    path = fetch(NAME, out)
    monkeypatch.setattr("srlib.data.download.read_manifest", lambda name: both)
    with pytest.raises(DatasetError, match=r"missing \(1\): twin\n  to fix"):
        verify(NAME, out)
    shutil.copy(path / "coffee.png", path / "other.png")
    with pytest.raises(DatasetError, match=r"renamed \(1\): other.png holds the pixels of twin\n"):
        verify(NAME, out)
    (path / "other.png").rename(path / "twin.png")
    assert verify(NAME, out).count == 4


def test_a_container_without_grey(
    out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, sources=(), count=1)
    grey = Image.open(ROOT / "data" / "heldout" / "coffee.png").convert("L")
    for name in ("manifest", f"mirror/{NAME}/HR"):
        (tmp_path / name).mkdir(parents=True)
    grey.save(tmp_path / "manifest" / "coffee.png")
    manifest = datasets.build_manifest(tmp_path / "manifest")
    monkeypatch.setattr("srlib.data.download.read_manifest", lambda name: manifest)
    grey.save(tmp_path / "mirror" / NAME / "HR" / "coffee.webp", lossless=True)
    fetch(NAME, out, tmp_path / "mirror")
    assert verify(NAME, out).count == 1


def test_no_such_folder(out: Path) -> None:
    with pytest.raises(DatasetError, match="HR: there is no such folder"):
        verify(NAME, out)


def test_without_a_manifest_images_are_counted(
    out: Path, mirror: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, manifest=None)
    with pytest.warns(UserWarning, match="no manifest yet; 3 images counted"):
        fetch(NAME, out, mirror)
    assert "pixels not checked" in (verify(NAME, out).warning or "")
    (out / NAME / "HR" / "coffee.bmp").unlink()
    with pytest.raises(DatasetError, match="holds 2 images, not 3; delete"):
        verify(NAME, out)


@pytest.mark.parametrize("name", ["Manga109", "DIV2K-train", "DIV2K-valid", "Flickr2K", "OST"])
def test_sets_the_user_supplies(out: Path, name: str) -> None:
    home = get_dataset(name).sources[0].url
    where = out / name / "HR"
    with pytest.raises(DatasetError, match=f"not fetched here .*known home: {home}.*into {where}"):
        fetch(name, out)
    assert list(out.iterdir()) == []


def test_from_github(
    out: Path, server: tuple[Path, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    serve_github(server[0])
    use(monkeypatch, sources=(github(server[1]),))
    assert stems(fetch(NAME, out, progress=False)) == STEMS
    shutil.rmtree(server[0])  # the second time, everything is in the cache
    assert stems(fetch(NAME, out / "again", progress=False)) == STEMS
    assert len(list((tmp_path / "cache").iterdir())) == 3


def test_a_truncated_download_leaves_nothing(
    out: Path, server: tuple[Path, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    serve_github(server[0])
    use(monkeypatch, sources=(github(server[1]),))
    monkeypatch.setattr(Handler, "truncate", "img_2")
    with pytest.raises(DatasetError, match=r"image coffee could not be downloaded.*check"):
        fetch(NAME, out, progress=False)
    assert list(out.iterdir()) == []
    assert len(list((tmp_path / "cache").iterdir())) == 2  # the two whole files
    monkeypatch.setattr(Handler, "truncate", "nothing")
    assert stems(fetch(NAME, out, progress=False)) == STEMS


def test_a_wrong_download_is_thrown_away(
    out: Path, server: tuple[Path, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = serve_github(server[0])
    (folder / "img_0_HR.png").write_text("not an image")
    use(monkeypatch, sources=(github(server[1]),))
    with pytest.raises(DatasetError, match=r"img_0_HR.png: .*cannot be decoded.*removed"):
        fetch(NAME, out, progress=False)
    shutil.copy(folder / "img_1_HR.png", folder / "img_0_HR.png")
    with pytest.raises(DatasetError, match="its pixels are not those of astronaut in the manifest"):
        fetch(NAME, out, progress=False)
    assert list(out.iterdir()) == []
    assert list((tmp_path / "cache").iterdir()) == []


def test_the_next_source_is_tried(
    out: Path, server: tuple[Path, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    dead = github(server[1])
    use(monkeypatch, sources=(dead, *get_dataset(NAME).sources))
    assert stems(fetch(NAME, out, progress=False)) == STEMS
    use(monkeypatch, sources=(dead, replace(dead, repository="other/one")))
    with pytest.raises(DatasetError, match=r"(?s)could not be fetched\n.*some/one.*other/one"):
        fetch(NAME, out / "again", progress=False)


def test_from_an_archive(
    out: Path, server: tuple[Path, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    archive = server[0] / "set.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for stem in STEMS:
            packed.write(ROOT / "data" / "heldout" / f"{stem}.png", f"top/a/{stem}.png")
        packed.write(ROOT / "data" / "README.md", "top/README.md")
    source = Source("archive", "top/*/{stem}.png", url=f"{server[1]}/set.zip")
    use(monkeypatch, sources=(source,))
    assert stems(fetch(NAME, out, progress=False)) == STEMS
    use(monkeypatch, sources=(replace(source, path="other/{stem}.png"),))
    with pytest.raises(DatasetError, match=r"holds 0 files other/astronaut.png, expected one"):
        fetch(NAME, out / "again", progress=False)

    shutil.rmtree(tmp_path / "cache")
    use(monkeypatch, sources=(replace(source, sha256="0" * 64),))
    with pytest.raises(DatasetError, match=r"could not be downloaded.*SHA-256 of .*set.zip"):
        fetch(NAME, out / "again", progress=False)
    assert list((out / "again").iterdir()) == []
    assert list((tmp_path / "cache").iterdir()) == []


def test_an_archive_larger_than_its_source_states(
    out: Path, server: tuple[Path, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (server[0] / "set.zip").write_bytes(bytes(1001))
    source = Source("archive", "{stem}.png", url=f"{server[1]}/set.zip", size=1000)
    use(monkeypatch, sources=(source,))
    with pytest.raises(DatasetError, match="its archive could not be .* more than the 1000 bytes"):
        fetch(NAME, out, progress=False)


def test_an_image_larger_than_its_pixels(
    out: Path, server: tuple[Path, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with (serve_github(server[0]) / "img_1_HR.png").open("ab") as file:
        file.truncate(4 * 451 * 300 + 2**20 + 1)
    use(monkeypatch, sources=(github(server[1]),))
    with pytest.raises(DatasetError, match="image chelsea could not be .* more than the 1589776 b"):
        fetch(NAME, out, progress=False)


def test_a_broken_connection_is_told_of_the_image_and_not_of_the_cache(
    out: Path, server: tuple[Path, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    serve_github(server[0])
    use(monkeypatch, sources=(github(server[1]),))
    monkeypatch.setattr(Handler, "reset", "img_2")
    with pytest.raises(DatasetError) as caught:
        fetch(NAME, out, progress=False)
    assert str(caught.value) == (
        f"{NAME}: image coffee could not be downloaded from {server[1]}/some/one/{COMMIT}/set/"
        "img_2_HR.png: Connection reset by peer; check the network, or set SRLIB_MIRROR to a "
        f"folder that holds {NAME}/HR"
    )


def test_what_is_not_there_is_no_matter_of_the_network(
    out: Path, server: tuple[Path, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, sources=(github(server[1]),))
    with pytest.raises(DatasetError, match="image astronaut .*: the server answers 404") as caught:
        fetch(NAME, out, progress=False)
    assert "network" not in str(caught.value)


def test_a_cache_that_cannot_be_written(
    out: Path, server: tuple[Path, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    serve_github(server[0])
    use(monkeypatch, sources=(github(server[1]),))
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(DatasetError, match="image astronaut cannot be written into .*cache.*CACHE"):
        fetch(NAME, out, progress=False)
