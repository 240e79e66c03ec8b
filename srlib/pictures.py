"""A user's pictures: read with all that they hold, written with all that the format can hold.

A picture is read into arrays of 8 or 16 bits a channel, all frames and pages of it, with colour
profile, EXIF and resolution beside them. What an output format cannot hold is known before any
work: it is converted and said (``Writer.notes``), or it is an error.

Rules:

- 16 bits go to 8 by value / 257, rounded.
- A colour under alpha 0 is not seen, so it does not matter: the nearest visible colour takes its
  place before the picture is enlarged.
- Palettes and bilevel images become colour or grey; CMYK and Lab become sRGB, by their profile
  where they have one. Any other profile stays with the pixels, which are not converted.
- EXIF stays as far as it tells of the picture and its making; the orientation is applied, and the
  thumbnail, which is of the small picture, goes. Dots an inch stay as they are.
"""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO

import imagecodecs
import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageCms, ImageColor, ImageOps, UnidentifiedImageError
from scipy.ndimage import distance_transform_edt

from srlib.files import replacing

Frame = NDArray[Any]  # uint8 or uint16, (H, W, C): see ``MODES`` for C
MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
DEEP_FORMATS = ("PNG", "TIFF")  # they hold 16 bits a channel in colour, which Pillow cannot
NO_TIMES = ("MPO", "PSD")  # their further frames are other views and layers, not moments or pages
ORIENTATION = ExifTags.Base.Orientation
ABOUT = (
    ExifTags.Base.ImageDescription,
    ExifTags.Base.Make,
    ExifTags.Base.Model,
    ExifTags.Base.Software,
    ExifTags.Base.DateTime,
    ExifTags.Base.Artist,
    ExifTags.Base.Copyright,
)
PARTS = (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo)


class PictureError(ValueError):
    """A picture that cannot be read or written; the message names the file and what to do."""


@dataclass(frozen=True)
class Picture:
    """All of a picture file.

    Attributes:
        name: of the file, for messages.
        frames: one for a still; all of one size and kind.
        durations: milliseconds of each frame of an animation; empty for a still and for pages.
        loop: how often an animation runs, 0 for ever.
        profile: its ICC profile, or nothing.
        exif: its EXIF block, or nothing.
        dpi: dots an inch, across and down, or None.
        notes: what was converted in reading.
    """

    name: str
    frames: tuple[Frame, ...]
    durations: tuple[float, ...] = ()
    loop: int = 0
    profile: bytes = b""
    exif: bytes = b""
    dpi: tuple[float, float] | None = None
    notes: tuple[str, ...] = ()

    @property
    def channels(self) -> int:
        """1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha."""
        return int(self.frames[0].shape[2])

    @property
    def deep(self) -> bool:
        """Whether the picture has 16 bits a channel."""
        return self.frames[0].dtype == np.uint16


# --- reading ----------------------------------------------------------------------------------


def read_picture(
    file: str | Path | BinaryIO, frame: int | None = None, white: float | None = None
) -> Picture:
    """Read a picture file whole.

    Args:
        file: a path, or a binary stream.
        frame: one frame or page alone, counted from 0.
        white: the value of white where the file does not say it (32-bit integers, floats).

    Raises:
        PictureError: no such file, no picture, a broken one, or one whose white is not known.
    """
    name = str(getattr(file, "name", file))
    with _named(name, "cannot be read"), warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        data = file.read() if hasattr(file, "read") else Path(file).read_bytes()
        with Image.open(io.BytesIO(data)) as image:
            count = getattr(image, "n_frames", 1)
            notes: tuple[str, ...] = ()
            if frame is not None and not 0 <= frame < count:
                raise PictureError(f"{name} has frames 0 to {count - 1}, no frame {frame}")
            if image.format in NO_TIMES and frame is None:
                if count > 1:
                    notes = (f"the first of {count} views or layers",)
                frame, count = 0, 1
            places = range(count) if frame is None else [frame]
            parts, durations = [], []
            for place in places:
                image.seek(place)
                parts.append(frame_of(image, data, white))
                durations.append(float(image.info.get("duration", 0)))
            timed = len(parts) > 1 and image.format != "TIFF"
            return Picture(
                name,
                tuple(_alike([pixels for pixels, _ in parts], name)),
                tuple(durations) if timed else (),
                int(image.info.get("loop", 1)) if timed else 0,
                b"" if _converts(image) else image.info.get("icc_profile") or b"",
                _exif(image),
                _dpi(image),
                notes + tuple(dict.fromkeys(note for _, note in parts if note)),
            )


def frame_of(
    image: Image.Image, data: bytes = b"", white: float | None = None
) -> tuple[Frame, str]:
    """The pixels of an image's present frame, upright, and what was converted.

    Args:
        image: of any mode.
        data: the file that it is from; without it colours of 16 bits are what Pillow makes of them.
        white: see ``read_picture``.

    Raises:
        PictureError: no pixels, or no known white.
    """
    if min(image.size) < 1:
        raise PictureError(f"it is {image.size[0]}x{image.size[1]} pixels; nothing to enlarge")
    claims_deep = _claims_deep_colours(image)
    if claims_deep and data:
        deep = _deep_colours(image, data)
        if deep is not None:
            return _upright(deep, image), ""
    if image.mode.startswith("I") or image.mode == "F":
        return _upright(_deep_grey(image, white), image), ""
    note = "16 bits a channel were read as 8" if claims_deep else ""
    image.load()
    upright = ImageOps.exif_transpose(image)
    if upright.mode in ("CMYK", "LAB"):
        upright, note = _to_srgb(upright)
    if upright.mode in ("La", "RGBa"):
        upright = upright.convert(upright.mode.upper())  # Pillow turns these into nothing else
    alpha = upright.mode in ("LA", "PA", "RGBA") or "transparency" in upright.info
    grey = upright.mode in ("1", "L", "LA")
    pixels = np.asarray(upright.convert("RGBA" if alpha else "RGB"))
    if grey:  # three equal channels
        pixels = pixels[..., [0, 3]] if alpha else pixels[..., :1]
    return np.array(pixels), note


def _claims_deep_colours(image: Image.Image) -> bool:
    """Whether it is colours, or grey with alpha, of 16 bits a channel, which Pillow cuts to 8."""
    tiles = getattr(image, "tile", None)
    return image.mode in ("RGB", "RGBA", "LA") and ";16" in str(tiles[:1] if tiles else "")


def _deep_colours(image: Image.Image, data: bytes) -> Frame | None:
    """Their pixels, or None where no library here reads them at full depth."""
    if image.format not in DEEP_FORMATS:
        return None
    if image.format == "TIFF":
        pixels = tifffile.imread(io.BytesIO(data), key=image.tell())
    else:
        pixels = imagecodecs.png_decode(data)
    if pixels.ndim != 3 or pixels.dtype != np.uint16 or pixels.shape[2] not in MODES:
        return None
    transparent = image.info.get("transparency")
    if transparent is not None and pixels.shape[2] == 3:
        shown = (pixels != np.array(transparent, np.uint16)).any(2, keepdims=True)
        pixels = np.concatenate([pixels, shown * np.uint16(65535)], axis=2)
    return pixels


def _deep_grey(image: Image.Image, white: float | None) -> Frame:
    """Grey of 16 bits; of 32-bit integers and floats only with a known white."""
    if image.mode.startswith("I;16"):
        grey = np.asarray(image).astype(np.uint16)
    else:
        values = np.asarray(image).astype(np.float64)
        if white is None and image.mode == "I" and image.format == "PPM":
            white = 65535  # Pillow scales them so
        if white is None:
            raise PictureError(
                f"values {values.min():g} to {values.max():g} of mode {image.mode} have no known "
                "white; name it with --white, or convert the picture to 8 or 16 bits a channel"
            )
        grey = (np.clip(values / white, 0, 1) * 65535).round().astype(np.uint16)
    transparent = image.info.get("transparency")
    if transparent is None:
        return grey[..., None]
    shown = (grey != transparent) * np.uint16(65535)
    return np.stack([grey, shown], axis=2)


def _upright(pixels: Frame, image: Image.Image) -> Frame:
    """Apply the EXIF orientation to an array, as ``ImageOps.exif_transpose`` does to an image."""
    turns: dict[int, Callable[[Frame], Frame]] = {
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.swapaxes(0, 1),
        6: lambda a: a.swapaxes(0, 1)[:, ::-1],
        7: lambda a: a.swapaxes(0, 1)[::-1, ::-1],
        8: lambda a: a.swapaxes(0, 1)[::-1],
    }
    turn = turns.get(image.getexif().get(ORIENTATION, 1))
    return np.ascontiguousarray(turn(pixels)) if turn else pixels


def _converts(image: Image.Image) -> bool:
    """Whether the pixels leave the space that their profile describes."""
    return image.mode in ("CMYK", "LAB")


def _to_srgb(image: Image.Image) -> tuple[Image.Image, str]:
    profile = image.info.get("icc_profile")
    srgb = ImageCms.createProfile("sRGB")
    try:
        source: Any = ImageCms.ImageCmsProfile(io.BytesIO(profile)) if profile else None
        if source is None and image.mode == "LAB":
            source = ImageCms.createProfile("LAB")
        if source is not None:
            changed = ImageCms.profileToProfile(image, source, srgb, outputMode="RGB")
            assert changed is not None
            return changed, f"{image.mode} became sRGB by its profile"
    except ImageCms.PyCMSError:
        pass  # a profile of another space; as without one
    return image.convert("RGB"), f"{image.mode} became RGB without a profile"


def _exif(image: Image.Image) -> bytes:
    """What EXIF says of the picture and its making, nothing of how the file stored it."""
    found, kept = image.getexif(), Image.Exif()
    for tag in ABOUT:
        if tag in found:
            kept[tag] = found[tag]
    for part in PARTS:
        if inner := found.get_ifd(part):
            kept.get_ifd(part).update(inner)
    return kept.tobytes() if len(kept) or any(kept.get_ifd(p) for p in PARTS) else b""


def _dpi(image: Image.Image) -> tuple[float, float] | None:
    dpi = image.info.get("dpi")
    if dpi is None or len(dpi) != 2 or min(dpi) <= 1:  # 1 stands for "unknown" in TIFF and JFIF
        return None
    return float(dpi[0]), float(dpi[1])


def _alike(frames: list[Frame], name: str) -> Iterator[Frame]:
    """Frames of one size, depth and number of channels: the most that any of them has."""
    if len({frame.shape[:2] for frame in frames}) > 1:
        sizes = ", ".join(sorted({f"{f.shape[1]}x{f.shape[0]}" for f in frames}))
        raise PictureError(
            f"{name} has {len(frames)} pages of different sizes ({sizes}); take one with --frame"
        )
    deep = any(frame.dtype == np.uint16 for frame in frames)
    colour = any(frame.shape[2] > 2 for frame in frames)
    alpha = any(frame.shape[2] % 2 == 0 for frame in frames)
    for frame in frames:
        if deep and frame.dtype == np.uint8:
            frame = frame.astype(np.uint16) * 257
        yield _with_channels(frame, colour, alpha)


def _with_channels(frame: Frame, colour: bool, alpha: bool) -> Frame:
    own = frame[..., : 1 if frame.shape[2] < 3 else 3]
    if colour and own.shape[2] == 1:
        own = own.repeat(3, axis=2)
    if not alpha:
        return own
    top = np.iinfo(frame.dtype).max
    shown = frame[..., -1:] if frame.shape[2] % 2 == 0 else np.full_like(own[..., :1], top)
    return np.concatenate([own, shown], axis=2)


# --- transparency -----------------------------------------------------------------------------


def visible_colours(frame: Frame) -> Frame:
    """The colours without alpha; what alpha hides wholly takes the nearest colour that is seen.

    ``frame``: (H, W, C), C as in ``Picture``. Returns (H, W, 1 or 3).
    """
    if frame.shape[2] % 2:
        return frame
    colours, alpha = frame[..., :-1], frame[..., -1]
    hidden = alpha == 0
    if not hidden.any():
        return colours
    if hidden.all():
        return np.zeros_like(colours)
    rows, columns = distance_transform_edt(hidden, return_distances=False, return_indices=True)
    return colours[rows, columns]


# --- writing ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Writer:
    """How a picture's enlargement will be written; made before there is one, so that errors come
    early.

    Attributes:
        format: Pillow's name of it.
        channels, deep: what is written.
        background: RGB 0..255 to lay transparent pictures on, where the format has no alpha.
        options: of Pillow's writer.
        notes: what is converted or dropped.
    """

    format: str
    channels: int
    deep: bool
    background: tuple[int, int, int]
    options: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def plan(
    picture: Picture,
    name: str,
    format: str = "",
    background: str | None = None,
    quality: int | None = None,
    chroma: str | None = None,
) -> Writer:
    """Decide how a picture of the same kind is written into a file.

    Args:
        picture: what is to be enlarged.
        name: of the output file; its ending names the format.
        format: in place of the ending, such as "png".
        background: a colour, as CSS names it, to lay a transparent picture on if need be.
        quality: of JPEG, WebP and AVIF, 1 to 100.
        chroma: of JPEG and AVIF, "4:4:4", "4:2:2" or "4:2:0".

    Raises:
        PictureError: an ending without a writer, alpha that the format has not and no background,
            or frames that it has not.
    """
    if Path(name).is_dir():
        raise PictureError(f"{name} is a folder; name a file in it")
    kind = _format(name, format)
    notes: list[str] = []
    channels, deep = picture.channels, picture.deep
    if len(picture.frames) > 1 and kind not in _animated():
        raise PictureError(
            f"{picture.name} has {len(picture.frames)} frames, and {name} would hold one and leave "
            f"{len(picture.frames) - 1} out; name a .png, .webp, .avif, .gif or .tif, or take one "
            "with --frame"
        )
    if len(picture.frames) > 1 and not picture.durations and kind != "TIFF":
        notes.append(f"{len(picture.frames)} pages became the frames of an animation")
    if background is not None:
        try:
            colour = ImageColor.getrgb(background)[:3]
        except ValueError:
            raise PictureError(
                f"--background {background}: no colour; write it like white or #ffffff"
            ) from None
    else:
        colour = (255, 255, 255)
    if deep and kind != "TIFF" and (kind != "PNG" or len(picture.frames) > 1):
        deep = False
        notes.append(f"16 bits a channel became 8: {kind} holds no more")
    if channels % 2 == 0 and not _holds(kind, MODES[channels]):
        if _holds(kind, "RGBA"):
            channels = 4
        elif background is None:
            raise PictureError(
                f"{picture.name} is transparent, and {kind} has no transparency; name a .png, or "
                "lay it on a colour with --background white"
            )
        else:
            channels -= 1
            notes.append(f"transparency was laid on {background}")
    if deep and kind == "TIFF" and channels == 2:
        channels = 4  # few programs read grey with alpha at this depth
    if not _holds(kind, MODES[channels]):
        channels = 3 if _holds(kind, "RGB") else 1
        if not _holds(kind, MODES[channels]):
            raise PictureError(f"{name}: {kind} can hold no grey or colour picture; name a .png")
        if channels < picture.channels - (picture.channels % 2 == 0):
            notes.append(f"colours became grey: {kind} holds no more")
    if kind == "GIF" and channels > 2:
        notes.append("GIF has 256 colours; the picture's were reduced to them")
    if kind == "GIF" and channels % 2 == 0:
        notes.append("GIF's transparency is all or nothing")
    options = _options(kind, quality, chroma)
    for what, has, key in (
        ("colour profile", picture.profile, "icc_profile"),
        ("EXIF", picture.exif, "exif"),
        ("resolution", picture.dpi, "dpi"),
    ):
        if not has:
            continue
        if _keeps(kind, key):
            options[key] = has
            if key == "icc_profile":
                notes.append("the colour profile was kept")
        else:
            notes.append(f"{what} dropped: {kind} has no place for it")
    return Writer(kind, channels, deep, colour, options, tuple(notes))


def write_picture(
    frames: list[Frame], like: Picture, writer: Writer, file: str | Path | BinaryIO
) -> None:
    """Write enlarged frames, whole or not at all.

    Args:
        frames: of the channels and depth of ``like``.
        like: the picture that they were made from.
        writer: from ``plan``.
        file: a path, or a binary stream.

    Raises:
        PictureError: the file cannot be written; names it.
    """
    ready = [np.ascontiguousarray(_as(frame, writer)) for frame in frames]
    with _named(str(getattr(file, "name", file)), "cannot be written"):
        data = _encode(ready, like, writer)
        if isinstance(file, str | Path):
            with replacing(file) as temporary:
                temporary.write_bytes(data)
        else:
            file.write(data)
            file.flush()


def _as(frame: Frame, writer: Writer) -> Frame:
    """Pixels in the depth and channels that are written."""
    if frame.dtype == np.uint16 and not writer.deep:
        frame = ((frame.astype(np.uint32) + 128) // 257).astype(np.uint8)
    alpha = frame.shape[2] % 2 == 0
    if alpha and writer.channels % 2:
        top = np.iinfo(frame.dtype).max
        share = frame[..., -1:] / top
        under = np.array(writer.background) / 255 * top
        colours = _with_channels(frame, True, False)
        frame = (colours * share + under * (1 - share)).round().astype(frame.dtype)
        alpha = False
    if writer.channels == 1 and frame.shape[2] == 3:
        grey = frame @ np.array([0.299, 0.587, 0.114])
        return grey[..., None].round().astype(frame.dtype)
    return _with_channels(frame, writer.channels > 2, writer.channels % 2 == 0)


def _encode(frames: list[Frame], like: Picture, writer: Writer) -> bytes:
    if writer.deep:
        return (
            _encode_tiff(frames, writer)
            if writer.format == "TIFF"
            else _encode_png(frames[0], writer)
        )
    images = [Image.fromarray(np.squeeze(f, 2) if f.shape[2] == 1 else f) for f in frames]
    options = dict(writer.options)
    if len(images) > 1:
        options |= {"save_all": True, "append_images": images[1:]}
        if like.durations and writer.format != "TIFF":
            options |= {"duration": [round(d) for d in like.durations], "loop": like.loop}
        if writer.format == "GIF":
            options |= {"disposal": 2, "optimize": False}
    out = io.BytesIO()
    images[0].save(out, format=writer.format, **options)
    return out.getvalue()


def _encode_png(frame: Frame, writer: Writer) -> bytes:
    """A PNG of 16 bits, with the chunks that imagecodecs does not write after its header."""
    png = imagecodecs.png_encode(np.squeeze(frame, 2) if frame.shape[2] == 1 else frame)
    chunks = []
    if profile := writer.options.get("icc_profile"):
        chunks.append((b"iCCP", b"ICC Profile\0\0" + zlib.compress(profile)))
    if dpi := writer.options.get("dpi"):
        metres = [round(each / 0.0254) for each in dpi]
        chunks.append((b"pHYs", struct.pack(">IIB", *metres, 1)))
    if exif := writer.options.get("exif"):
        chunks.append((b"eXIf", exif.removeprefix(b"Exif\0\0")))
    made = b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )
    header = 8 + 25  # the signature and IHDR
    return bytes(png[:header] + made + png[header:])


def _encode_tiff(frames: list[Frame], writer: Writer) -> bytes:
    out = io.BytesIO()
    more: dict[str, Any] = {}
    if dpi := writer.options.get("dpi"):
        more |= {"resolution": dpi, "resolutionunit": "INCH"}
    with tifffile.TiffWriter(out) as tiff:
        for frame in frames:
            tiff.write(
                np.squeeze(frame, 2) if frame.shape[2] == 1 else frame,
                photometric="rgb" if frame.shape[2] > 2 else "minisblack",
                extrasamples=["unassalpha"] if frame.shape[2] % 2 == 0 else None,
                planarconfig="contig" if frame.shape[2] > 1 else None,
                compression="zlib",
                iccprofile=writer.options.get("icc_profile"),
                metadata=None,
                **more,
            )
    return out.getvalue()


# --- what a format can hold -------------------------------------------------------------------


def _format(name: str, format: str) -> str:
    ending = f".{format}" if format else Path(name).suffix
    kind = Image.registered_extensions().get(ending.lower())
    if kind is None:
        raise PictureError(
            f"{name}: {ending or 'no ending'} names no picture format; take .png, .jpg, .webp, "
            ".avif, .gif or .tif"
        )
    if kind not in Image.SAVE or not any(_holds(kind, mode) for mode in ("RGB", "L")):
        raise PictureError(
            f"{name}: {kind} can be read and not written; name a .png, .jpg, .webp, .avif, .gif or "
            ".tif"
        )
    return kind


def _animated() -> set[str]:
    Image.init()
    return {"GIF", "PNG", "WEBP", "AVIF", "TIFF"} & set(Image.SAVE_ALL)


@cache
def _holds(kind: str, mode: str) -> bool:
    """Whether a format keeps a mode: a small picture of it comes back, alpha and all.

    A format that is written and cannot be read back (PDF) holds what its writer takes.
    """
    ramp = np.repeat(np.array([0, 255], np.uint8), 128).reshape(16, 16)
    bands = Image.merge(mode, [Image.fromarray(ramp)] * len(mode)) if len(mode) > 1 else None
    image = bands or Image.fromarray(ramp)
    out = io.BytesIO()
    try:
        image.save(out, format=kind)
    except Exception:  # each writer has its own way to refuse a mode
        return False
    if not mode.endswith("A"):
        return True
    try:
        with Image.open(io.BytesIO(out.getvalue())) as back:
            alpha = np.asarray(back.convert("RGBA"))[..., 3]
    except Exception:
        return False
    if alpha.shape != ramp.shape:  # an icon, drawn anew in its own sizes
        return False
    return alpha[ramp == 0].max() < 128 and alpha[ramp > 0].min() > 128


@cache
def _keeps(kind: str, key: str) -> bool:
    """Whether a format's writer keeps a colour profile, EXIF or the resolution."""
    exif = Image.Exif()
    exif[0x0131] = "srlib"  # Software
    value: Any = {
        "icc_profile": ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
        "exif": exif.tobytes(),
        "dpi": (300.0, 300.0),
    }[key]
    out = io.BytesIO()
    try:
        Image.new("RGB" if _holds(kind, "RGB") else "L", (16, 16)).save(
            out, format=kind, **{key: value}
        )
        with Image.open(io.BytesIO(out.getvalue())) as back:
            if key == "exif":
                return back.getexif().get(0x0131) == "srlib"
            return bool(back.info.get(key))
    except Exception:
        return False


def _options(kind: str, quality: int | None, chroma: str | None) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if quality is not None:
        if kind not in ("JPEG", "WEBP", "AVIF", "JPEG2000") or not 1 <= quality <= 100:
            raise PictureError(
                f"--quality {quality}: expected 1 to 100, for a .jpg, .webp or .avif"
            )
        options["quality"] = quality
    if chroma is not None:
        if kind not in ("JPEG", "AVIF") or chroma not in ("4:4:4", "4:2:2", "4:2:0"):
            raise PictureError(
                f"--chroma {chroma}: expected 4:4:4, 4:2:2 or 4:2:0, for a .jpg or .avif"
            )
        options["subsampling"] = chroma
    if kind == "JPEG":
        options.setdefault("quality", 95)
        options.setdefault("subsampling", "4:4:4")
    if kind == "WEBP" and quality is None:
        options["lossless"] = True
    if kind == "PNG":
        options["optimize"] = False
    return options


@contextmanager
def _named(name: str, what: str) -> Iterator[None]:
    """Turn whatever Pillow and its codecs raise into a ``PictureError`` that names the file."""
    try:
        yield
    except PictureError as error:
        if str(error).startswith(name):
            raise
        raise PictureError(f"{name}: {error}") from None
    except FileNotFoundError:
        raise PictureError(f"{name} {what}: there is no such file") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PictureError(f"{name} {what}: it claims too many pixels ({error})") from None
    except UnidentifiedImageError:
        raise PictureError(
            f"{name} {what}: it is no picture, a broken one, or of an unknown kind"
        ) from None
    except MemoryError:
        raise PictureError(f"{name} {what}: there is not enough memory for it") from None
    except Exception as error:
        said = " ".join(str(error).split()) or type(error).__name__
        raise PictureError(f"{name} {what}: {said}") from None
