"""A user's pictures: whatever is read comes out right, or is an error that names the file.

The kinds are a table of every mode against every format that Pillow writes; broken files are in
test_odd_pictures.py.
"""

import io
import struct
import zlib
from functools import cache
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile
import torch
import torch.nn.functional as F
from PIL import Image, ImageCms
from torch import Tensor, nn

from srlib.cli import main
from srlib.enlarge import upscale_frame
from srlib.pictures import (
    MODES,
    Picture,
    PictureError,
    plan,
    read_picture,
    visible_colours,
    write_picture,
)

HEIGHT, WIDTH = 24, 32
Image.init()


class Nearest(nn.Module):
    """Repeat every pixel."""

    scale, min_size = 2, 1

    def forward(self, x: Tensor) -> Tensor:
        return F.interpolate(x, scale_factor=2, mode="nearest")


def ramp(channels: int, deep: bool) -> np.ndarray:
    """From black to white across, alpha (if any) from nothing to full down."""
    top = 65535 if deep else 255
    across = np.linspace(0, 1, WIDTH)[None, :, None].repeat(HEIGHT, 0)
    colours = across.repeat(1 if channels < 3 else 3, 2)
    parts = [colours]
    if channels % 2 == 0:
        parts.append(np.linspace(0, 1, HEIGHT)[:, None, None].repeat(WIDTH, 1))
    return (np.concatenate(parts, 2) * top).round().astype(np.uint16 if deep else np.uint8)


def written(picture: Picture, name: str, **options: str) -> bytes:
    """The bytes of a picture's own frames, written as they are."""
    out = io.BytesIO()
    write_picture(list(picture.frames), picture, plan(picture, name, **options), out)  # type: ignore[arg-type]
    return out.getvalue()


def read(data: bytes) -> Picture:
    return read_picture(io.BytesIO(data))


# --- every mode in every format ---------------------------------------------------------------

ENDINGS: dict[str, str] = {}
for ending, kind in sorted(Image.registered_extensions().items()):
    ENDINGS.setdefault(kind, ending)
# Their readers need programs or are not there; what their writers make is looked at by no one here.
UNREAD = {"PDF", "EPS", "PALM", "BUFR", "GRIB", "HDF5", "WMF", "MPO"}
COARSE = {"XBM", "MSP"}  # bilevel


@pytest.mark.parametrize("deep", [False, True], ids=["8 bits", "16 bits"])
@pytest.mark.parametrize("channels", MODES)
@pytest.mark.parametrize("kind", sorted(set(ENDINGS) & set(Image.SAVE) - UNREAD))
def test_a_ramp_comes_back_from_every_format(kind: str, channels: int, deep: bool) -> None:
    """Mean and extremes, by value and not by bytes: no white or black picture in silence."""
    picture = Picture("in", (ramp(channels, deep),))
    try:
        data = written(picture, f"out{ENDINGS[kind]}", background="black")
    except PictureError as error:
        assert "name a .png" in str(error)
        return
    back = read(data).frames[0]
    values = back / np.iinfo(back.dtype).max
    shown = values[-1, :, : 1 if back.shape[2] < 3 else 3]  # the last row, where alpha is full
    loose = 0.1 if kind in COARSE else 0.02
    assert shown.mean() == pytest.approx(0.5, abs=loose)
    assert shown.min() <= 0.05 and shown.max() >= 0.95


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
@pytest.mark.parametrize("channels", MODES)
def test_sixteen_bits_survive_where_the_format_has_them(kind: str, channels: int) -> None:
    frame = ramp(channels, True)
    back = read(written(Picture("in", (frame,)), f"out{ENDINGS[kind]}")).frames[0]
    if (kind, channels) == ("TIFF", 2):  # written as colour, which more programs read
        back = back[..., 2:]
    np.testing.assert_array_equal(back, frame)


@pytest.mark.parametrize("channels", MODES)
def test_eight_bits_survive_in_png(channels: int) -> None:
    frame = ramp(channels, False)
    np.testing.assert_array_equal(read(written(Picture("a", (frame,)), "b.png")).frames[0], frame)


@pytest.mark.parametrize("ending", ["webp", "avif", "jpg", "gif", "bmp"])
def test_lost_depth_is_said(ending: str) -> None:
    writer = plan(Picture("in", (ramp(1, True),)), f"out.{ending}")
    assert any("16 bits a channel became 8" in note for note in writer.notes)


def test_sixteen_bits_become_eight_by_value_over_257() -> None:
    values = np.arange(65536, dtype=np.uint16).reshape(256, 256, 1)
    back = read(written(Picture("in", (values,)), "out.bmp")).frames[0]
    np.testing.assert_array_equal(back[..., :1], np.round(values / 257).astype(np.uint8))


# --- transparency -----------------------------------------------------------------------------


@pytest.mark.parametrize("deep", [False, True])
def test_a_hidden_colour_does_not_matter(deep: bool) -> None:
    results = []
    for hidden in (0, 1):
        frame = ramp(4, deep)
        frame[8:16, 8:16, 3] = 0
        frame[frame[..., 3] == 0] = [*[hidden * np.iinfo(frame.dtype).max] * 3, 0]
        results.append(upscale_frame(frame, Nearest()))
    np.testing.assert_array_equal(results[0], results[1])


def test_a_hidden_colour_becomes_the_nearest_that_is_seen() -> None:
    frame = np.zeros((1, 5, 4), np.uint8)
    frame[0, 0], frame[0, 4] = [10, 20, 30, 255], [90, 80, 70, 255]
    np.testing.assert_array_equal(visible_colours(frame)[0, [1, 3]], [[10, 20, 30], [90, 80, 70]])


def test_a_picture_that_is_all_hidden_is_black() -> None:
    assert visible_colours(np.full((2, 2, 4), [9, 9, 9, 0], np.uint8)).max() == 0


@pytest.mark.parametrize("deep", [False, True], ids=["8 bits", "16 bits"])
def test_the_transparent_value_of_grey_becomes_alpha(deep: bool) -> None:
    grey = ramp(1, deep)
    value = int(grey[0, 5, 0])
    if deep:
        png = imagecodecs.png_encode(grey[..., 0])
        chunk = b"tRNS" + struct.pack(">H", value)
        made = struct.pack(">I", 2) + chunk + struct.pack(">I", zlib.crc32(chunk))
        data = png[:33] + made + png[33:]
    else:
        out = io.BytesIO()
        Image.fromarray(grey[..., 0]).save(out, "PNG", transparency=value)
        data = out.getvalue()
    frame = read(bytes(data)).frames[0]
    assert frame.shape[2] == 2
    np.testing.assert_array_equal(frame[..., 1] == 0, grey[..., 0] == value)


def test_transparency_that_a_format_has_not_is_an_error_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match=r"in is transparent, and JPEG .* --background white"):
        plan(Picture("in", (ramp(4, False),)), str(tmp_path / "out.jpg"))


def test_a_background_lies_under_what_is_transparent() -> None:
    frame = np.zeros((8, 8, 4), np.uint8)
    back = read(written(Picture("in", (frame,)), "out.bmp", background="#ff8000")).frames[0]
    if back.shape[2] == 3:
        np.testing.assert_array_equal(back[0, 0], [255, 128, 0])


# --- frames, profiles, metadata ---------------------------------------------------------------

TIMES = (100.0, 250.0, 400.0)
STILLS = tuple(np.full((16, 16, 3), level, np.uint8) for level in (40, 120, 200))


@pytest.mark.parametrize("ending", ["gif", "png", "webp", "avif"])
def test_every_frame_comes_with_its_time(ending: str) -> None:
    back = read(written(Picture("in", STILLS, TIMES), f"out.{ending}"))
    assert back.durations == TIMES
    assert [round(float(f[..., 0].mean()), -1) for f in back.frames] == [40, 120, 200]


def test_every_page_of_a_tiff_comes() -> None:
    back = read(written(Picture("in", STILLS), "out.tif"))
    assert [int(frame.mean()) for frame in back.frames] == [40, 120, 200]


def test_deep_pages_of_a_tiff_come() -> None:
    pages = tuple(frame.astype(np.uint16) * 257 for frame in STILLS)
    back = read(written(Picture("in", pages), "out.tif"))
    np.testing.assert_array_equal(np.stack(back.frames), np.stack(pages))


def test_frames_that_a_format_has_not_are_counted_before_any_work() -> None:
    with pytest.raises(PictureError, match=r"in has 3 frames, and out.jpg .* leave 2 out"):
        plan(Picture("in", STILLS, TIMES), "out.jpg")


def test_one_frame_can_be_taken() -> None:
    data = written(Picture("in", STILLS, TIMES), "out.gif")
    assert int(read_picture(io.BytesIO(data), frame=2).frames[0].mean()) == 200
    with pytest.raises(PictureError, match="frames 0 to 2, no frame 3"):
        read_picture(io.BytesIO(data), frame=3)


@cache
def profile() -> bytes:
    """An sRGB profile, which holds the time when it was made."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("ending", ["png", "tif", "jpg", "webp", "avif"])
def test_a_profile_stays_where_the_format_has_a_place(ending: str, deep: bool) -> None:
    picture = Picture("in", (ramp(3, deep),), profile=profile())
    assert read(written(picture, f"out.{ending}")).profile == profile()


def test_a_dropped_profile_is_said() -> None:
    notes = plan(Picture("in", (ramp(3, False),), profile=profile()), "out.bmp").notes
    assert "colour profile dropped: BMP has no place for it" in notes


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("ending", ["png", "tif", "jpg"])
def test_the_resolution_stays(ending: str, deep: bool) -> None:
    picture = Picture("in", (ramp(3, deep),), dpi=(300, 300))
    found = read(written(picture, f"out.{ending}")).dpi
    assert found is not None and found == pytest.approx((300, 300), abs=0.1)


def test_exif_stays_without_orientation_and_layout() -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x013B] = 6, "Ada"  # orientation, artist
    out = io.BytesIO()
    Image.fromarray(ramp(3, False)).save(out, "JPEG", exif=exif)
    picture = read(out.getvalue())
    back = Image.open(io.BytesIO(written(picture, "out.png"))).getexif()
    assert picture.frames[0].shape[:2] == (WIDTH, HEIGHT)
    assert (back.get(0x0112, 1), back[0x013B]) == (1, "Ada")


def test_cmyk_becomes_colour_and_says_so() -> None:
    out = io.BytesIO()
    Image.fromarray(ramp(3, False)).convert("CMYK").save(out, "JPEG", quality=100)
    picture = read(out.getvalue())
    assert picture.channels == 3 and picture.notes == ("CMYK became RGB without a profile",)
    np.testing.assert_allclose(picture.frames[0].astype(int), ramp(3, False), atol=6)


def test_integers_of_32_bits_need_their_white() -> None:
    out = io.BytesIO()
    Image.fromarray(ramp(1, False)[..., 0].astype(np.int32)).save(out, "TIFF")
    with pytest.raises(PictureError, match=r"0 to 255 of mode I .* --white"):
        read(out.getvalue())
    out.seek(0)
    frame = read_picture(out, white=255).frames[0]
    np.testing.assert_array_equal(frame, ramp(1, False).astype(np.uint16) * 257)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_deep_pictures_are_turned_as_others_are(orientation: int) -> None:
    frames = []
    for deep in (False, True):
        frame = ramp(3, False)
        picture = Picture("in", (frame.astype(np.uint16) * 257 if deep else frame,))
        out = io.BytesIO(written(picture, "out.tif"))
        if deep:
            with tifffile.TiffFile(out) as tiff:
                pixels = tiff.asarray()
            out = io.BytesIO()
            extra = [(0x0112, "H", 1, orientation, True)]
            tifffile.imwrite(out, pixels, photometric="rgb", extratags=extra)
            frames.append(read(out.getvalue()).frames[0] // 257)
        else:
            exif = Image.Exif()
            exif[0x0112] = orientation
            out = io.BytesIO()
            Image.fromarray(picture.frames[0]).save(out, "TIFF", exif=exif)
            frames.append(read(out.getvalue()).frames[0])
    np.testing.assert_array_equal(frames[0], frames[1].astype(np.uint8))


# --- errors -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "options", "says"),
    [
        ("out.psd", {}, "out.psd: PSD can be read and not written"),
        ("out.xyz", {}, "out.xyz: .xyz names no picture format"),
        ("out", {}, "out: no ending names no picture format"),
        ("out.jpg", {"quality": 0}, "--quality 0: expected 1 to 100"),
        ("out.png", {"quality": 90}, "--quality 90: expected 1 to 100, for a .jpg"),
        ("out.jpg", {"chroma": "4:1:1"}, "--chroma 4:1:1: expected"),
        ("out.png", {"background": "nocolour"}, "--background nocolour: no colour"),
    ],
)
def test_what_cannot_be_written_is_named_before_any_work(name, options, says) -> None:
    with pytest.raises(PictureError, match=says):
        plan(Picture("in", (ramp(3, False),)), name, **options)


def test_a_folder_as_output_is_named(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match="is a folder"):
        plan(Picture("in", (ramp(3, False),)), str(tmp_path), "png")


def test_a_bomb_is_named(tmp_path: Path) -> None:
    size = (2**30, 30_000)
    header = b"BM" + struct.pack("<IHHIIiiHHIIiiII", 54, 0, 0, 54, 40, *size, 1, 24, *[0] * 6)
    path = tmp_path / "bomb.bmp"
    path.write_bytes(header)
    with pytest.raises(PictureError, match=r"bomb\.bmp cannot be read: it claims too many pixels"):
        read_picture(path)


# --- the command ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> str:
    from srlib.networks import create_network
    from srlib.weights.files import save_tensors

    path = tmp_path_factory.mktemp("weights") / "w.safetensors"
    torch.manual_seed(0)
    settings = {"blocks": 1, "channels": 8}
    network = create_network("aidn", 2, **settings)
    save_tensors(network.state_dict(), path, {"network": "aidn", "scale": 2, "settings": settings})
    return str(path)


def test_notes_go_to_stderr(weights: str, tmp_path: Path, capsys) -> None:
    (tmp_path / "in.png").write_bytes(written(Picture("in", (ramp(1, True),)), "a.png"))
    arguments = ["upscale", str(tmp_path / "in.png"), str(tmp_path / "out.webp")]
    assert main([*arguments, "--scale", "2", "--weights", weights]) == 0
    assert "16 bits a channel became 8: WEBP holds no more" in capsys.readouterr().err


@pytest.mark.parametrize("device", ["gpu", "meta", "cuda:99", "cpu:0"])
def test_a_device_that_is_not_there_is_named_first(device: str, capsys) -> None:
    assert main(["upscale", "no-such-file.png", "out.png", "--device", device]) == 2
    assert f"--device {device}: PyTorch has no such device here" in capsys.readouterr().err
