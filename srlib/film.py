"""Films, by PyAV (FFmpeg's libraries): every frame enlarged, its time and the sound kept."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

from tqdm import tqdm

from srlib.files import replacing
from srlib.pictures import Frame

CONTAINERS = {".mp4": "mp4", ".mov": "mov", ".mkv": "matroska"}
CRF = "16"  # of H.264: without a visible loss


class FilmError(ValueError):
    """A film that cannot be read or written; the message names the file."""


def is_film(name: str) -> bool:
    """Whether a file's ending says that it is a film."""
    return Path(name).suffix.lower() in {*CONTAINERS, ".avi", ".webm", ".m4v", ".mpg", ".ts"}


def upscale_film(
    av: Any,
    source: str | Path,
    output: str | Path,
    scale: int,
    enlarge: Callable[[Frame], Frame],
) -> int:
    """Write a film with each frame enlarged, as H.264, whole or not at all.

    Args:
        av: the package PyAV.
        source: a film of any kind that FFmpeg reads; its first video stream is taken.
        output: its ending is one of ``CONTAINERS``.
        scale: of ``enlarge``.
        enlarge: uint8 (H, W, 3) -> uint8 (s*H, s*W, 3).

    Returns:
        The number of frames. Each has the time of its original, and the packets of sound are
        copied as they are.

    Raises:
        FilmError: an ending that names no container, a file that is no film, or sound that the
            container cannot hold.
    """
    kind = CONTAINERS.get(Path(output).suffix.lower())
    if kind is None:
        raise FilmError(f"{output}: name a film that ends in {', '.join(CONTAINERS)}")
    try:
        with (
            av.open(str(source)) as film,
            replacing(output) as temporary,
            av.open(str(temporary), "w", format=kind) as made,
        ):
            return _copy(av, film, made, scale, enlarge)
    except (av.FFmpegError, IndexError) as error:
        raise FilmError(f"{source} could not be made into {output} ({error})") from error


def _copy(av: Any, film: Any, made: Any, scale: int, enlarge: Callable[[Frame], Frame]) -> int:
    video = film.streams.video[0]
    target = made.add_stream("libx264", rate=video.average_rate or Fraction(25))
    target.options = {"crf": CRF}
    target.width, target.height = scale * video.width, scale * video.height
    odd = target.width % 2 or target.height % 2  # and halved colours need an even size
    target.pix_fmt = "yuv444p" if odd else "yuv420p"
    target.codec_context.time_base = video.time_base
    sounds = {each.index: made.add_stream_from_template(each) for each in film.streams.audio}
    count = 0
    with tqdm(total=video.frames or None, unit="frame", disable=None) as bar:
        for packet in film.demux(video, *film.streams.audio):
            if packet.stream.index in sounds:
                if packet.dts is not None:  # the last one is empty
                    packet.stream = sounds[packet.stream.index]
                    made.mux(packet)
                continue
            for frame in packet.decode():
                large = enlarge(frame.to_ndarray(format="rgb24"))
                new = av.VideoFrame.from_ndarray(large, format="rgb24")
                new.pts, new.time_base = frame.pts, frame.time_base
                made.mux(target.encode(new))
                count += 1
                bar.update()
    made.mux(target.encode(None))
    return count
