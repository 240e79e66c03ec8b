"""`srlib upscale` over hundreds of odd files: a picture, or one line that names the file.

The files are made here: every mode in every format that Pillow writes, whole and then cut short,
with bits flipped, bytes overwritten, parts swapped; sizes and colours that a header states and the
file does not have; chunks of PNG and APNG left out, doubled, misplaced.
"""

import io
import os
import struct
import warnings
import zlib
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

from srlib import cli
from srlib.pictures import read_picture

SIDE = 12
MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "HSV", "I", "I;16", "F")
ENDINGS = {".png", ".webp", ".jpg", ".gif", ".tif", ".avif", ".bmp"}
Odd = tuple[str, bytes]  # a file's name and content
Image.init()


class Nearest(nn.Module):
    """Repeat every pixel."""

    scale, min_size = 2, 1

    def forward(self, x: Tensor) -> Tensor:
        return F.interpolate(x, scale_factor=2, mode="nearest")


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


def picture(mode: str) -> Image.Image:
    if mode in ("I", "F", "I;16"):
        deep = noise(SIDE, SIDE).astype({"I": np.int32, "F": np.float32, "I;16": np.uint16}[mode])
        return Image.fromarray(deep)
    rgba = Image.fromarray(noise(SIDE, SIDE, 4))
    if mode == "PA":
        return rgba.convert("P").convert("PA")
    if mode == "LAB":
        return Image.frombytes("LAB", (SIDE, SIDE), noise(SIDE, SIDE, 3).tobytes())
    return rgba.convert("RGBA" if mode in ("LA", "RGBA") else "RGB").convert(mode)


@cache
def whole() -> dict[str, bytes]:
    """Every mode in every format that Pillow writes, and animations, by a file's name."""
    found = {}
    endings: dict[str, str] = {}
    for ending, kind in sorted(Image.registered_extensions().items()):
        endings.setdefault(kind, ending)
    for kind in sorted(set(endings) & set(Image.SAVE)):
        for mode in ("RGB",) if kind == "ICNS" else MODES:  # which is written as large icons
            out = io.BytesIO()
            try:
                picture(mode).save(out, kind)
            except Exception:  # this format has not this mode
                continue
            found[f"{mode.replace(';', '-')}{endings[kind]}"] = out.getvalue()
    frames = [Image.fromarray(noise(SIDE, SIDE, 3) // (n + 1)) for n in range(3)]
    for ending in ("gif", "png", "webp", "tiff", "avif", "mpo"):
        out = io.BytesIO()
        kind = Image.registered_extensions()[f".{ending}"]
        frames[0].save(out, kind, save_all=True, append_images=frames[1:])
        found[f"three.{ending}"] = out.getvalue()
    return found


def damaged() -> Iterator[Odd]:
    """One file of each format in RGB or grey, and every animation, spoilt in many ways."""
    rng = np.random.default_rng(0)
    for name, data in whole().items():
        if not name.startswith(("RGB.", "three.", "L.p", "1.")):
            continue
        for share in (0.02, 0.3, 0.9):
            yield f"cut-{share}-{name}", data[: int(len(data) * share)]
        for number in range(4):
            changed = bytearray(data)
            changed[rng.integers(min(len(data), 100))] ^= 1 << int(rng.integers(8))
            yield f"flip-{number}-{name}", bytes(changed)
        for number in range(2):
            changed = bytearray(data)
            for place in rng.integers(0, len(data), 6):
                changed[place] = rng.integers(256)
            yield f"overwritten-{number}-{name}", bytes(changed)
        a, b = sorted(int(place) for place in rng.integers(0, len(data), 2))
        yield f"without-{name}", data[:a] + data[b:]
        yield f"twice-{name}", data[:b] + data[a:]


def chunk(kind: bytes, body: bytes) -> bytes:
    crc = zlib.crc32(kind + body)
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", crc)


def chunks(png: bytes) -> list[bytes]:
    found, place = [], 8
    while place < len(png):
        size = 12 + int.from_bytes(png[place : place + 4], "big")
        found.append(png[place : place + size])
        place += size
    return found


def broken_chunks() -> Iterator[Odd]:
    """PNG and APNG with each chunk left out, doubled, moved to either end, cut, or empty."""
    for name in ("RGB.png", "P.png", "L.png", "three.png"):
        data = whole().get(name) or whole()[name.replace(".png", ".apng")]
        own = chunks(data)
        for place, each in enumerate(own):
            rest = own[:place] + own[place + 1 :]
            label = f"{place}-{each[4:8].decode()}-{name}"
            for how, changed in {
                "no": rest,
                "two": [*own[:place], each, *own[place:]],
                "first": [each, *rest],
                "last": [*rest, each],
                "empty": [*own[:place], chunk(each[4:8], b""), *own[place + 1 :]],
                "short": [*own[:place], chunk(each[4:8], each[8:-5]), *own[place + 1 :]],
                "long": [*own[:place], chunk(each[4:8], each[8:-4] + b"\0"), *own[place + 1 :]],
            }.items():
                yield f"{how}-{label}", data[:8] + b"".join(changed)


def headers() -> Iterator[Odd]:
    """Headers that state what the file has not: no pixels, too many, depths that there are not."""

    def png(width: int, height: int, depth: int = 8, colour: int = 2, tail: bytes = b"") -> bytes:
        ihdr = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
        body = chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
        return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", ihdr) + tail + body

    def bmp(width: int, height: int, bits: int = 24, compression: int = 0) -> bytes:
        info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, compression, 0, 0, 0, 0, 0)
        return b"BM" + struct.pack("<IHHI", 54, 0, 0, 54) + info + bytes(48)

    for width, height in ((0, 0), (0, 5), (5, 0), (1, 1), (2**31 - 1, 2**31 - 1), (60_000, 60_000)):
        yield f"{width}x{height}.png", png(width, height)
        yield f"{width}x{height}.bmp", bmp(width, height)
        size = f"{width} {height}\n255\n".encode()
        yield f"{width}x{height}.ppm", b"P6\n" + size + bytes(27)
        gif = b"GIF89a" + struct.pack("<HH", width % 65536, height % 65536) + b"\x80\0\0" + bytes(6)
        yield f"{width}x{height}.gif", gif + b",\0\0\0\0" + struct.pack("<HH", 5, 5) + b"\0\2\0;"
    for bits in (0, 2, 3, 7, 64):
        yield f"{bits}-bits.bmp", bmp(3, 3, bits)
        yield f"{bits}-bits.png", png(3, 3, bits)
    for colour in (1, 3, 5, 7, 255):
        yield f"colour-{colour}.png", png(3, 3, 8, colour)
    for compression in (1, 2, 3, 4, 5, 99):
        yield f"compression-{compression}.bmp", bmp(3, 3, 8, compression)
    text = chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(2**24)))
    yield "text-bomb.png", png(3, 3, tail=text)
    yield "profile-bomb.png", png(3, 3, tail=chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(2**24))))
    yield "negative.bmp", bmp(-3, 3)
    yield "top-down.bmp", bmp(3, -3)
    for name, data in {
        "nothing": b"",
        "text": b"no picture\n",
        "zeros": bytes(1000),
        "signature": b"\x89PNG\r\n\x1a\n",
        "two-bytes": b"\xff\xd8",
        "gif": b"GIF89a",
        "tiff": b"II*\0\x08\0\0\0",
        "tiff-circle": b"II*\0\x08\0\0\0\0\0\x08\0\0\0",
        "svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        "html": b"<html>404</html>",
        "zip": b"PK\x03\x04" + bytes(40),
        "eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 5 5\n%%EndComments\n",
    }.items():
        yield f"{name}.png", data


def corpus() -> dict[str, bytes]:
    return whole() | dict(damaged()) | dict(broken_chunks()) | dict(headers())


Upscale = Callable[[Path, Path], str]


@pytest.fixture
def upscale(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Upscale:
    """The command on a file; returns its error, one line that names the file, or nothing."""
    monkeypatch.setattr(cli, "_network", lambda options, device: Nearest())

    def run(source: Path, out: Path) -> str:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's own, of files that it reads all the same
            status = cli.main(["upscale", str(source), str(out), "--background", "white"])
        said = [line for line in capfd.readouterr().err.splitlines() if line.startswith("srlib: ")]
        if status == 0:
            frame = read_picture(out).frames[0]
            assert min(frame.shape) > 0, source
            out.unlink()
            return ""
        assert status == 2 and said[-1].startswith("srlib: error: "), source
        assert str(source) in said[-1] or str(out) in said[-1], said
        assert not out.exists(), source
        return said[-1]

    return run


def test_odd_files_give_a_picture_or_one_line_that_names_them(
    upscale: Upscale, tmp_path: Path, tried: Callable[[str, int], None]
) -> None:
    files, errors = corpus(), 0
    for number, (name, data) in enumerate(files.items()):
        source = tmp_path / name
        source.write_bytes(data)
        errors += bool(upscale(source, tmp_path / f"out{sorted(ENDINGS)[number % len(ENDINGS)]}"))
        source.unlink()
    assert list(tmp_path.iterdir()) == []
    assert len(files) > 600 and 100 < errors < len(files) - 100
    tried("odd pictures", len(files))


ODD = Path(os.environ.get("SRLIB_ODD_PICTURES", Path(__file__).parents[3] / "shared/odd-inputs"))


@pytest.mark.parametrize("ending", sorted(ENDINGS))
def test_collected_odd_files_give_a_picture_or_one_line(
    upscale: Upscale, tmp_path: Path, ending: str
) -> None:
    files = sorted(path for path in ODD.glob("*.*") if path.suffix != ".md")
    if not files:
        pytest.skip(f"no odd pictures at {ODD}; name their folder in SRLIB_ODD_PICTURES")
    for path in files:
        upscale(path, tmp_path / f"{path.stem}{ending}")
