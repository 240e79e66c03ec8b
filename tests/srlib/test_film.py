"""Films: frames, their times and the sound are kept; what is no film is one line."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from srlib.cli import main
from srlib.film import FilmError, upscale_film

av = pytest.importorskip("av", reason='pip install "srlib[film]"')

TIMES = [0, 1, 2, 5, 6, 11]  # uneven, in 1/12 s


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """Six frames of 32x24 pixels, and half a second of a tone."""
    path = tmp_path / "in.mkv"
    with av.open(str(path), "w") as made:
        video = made.add_stream("libx264", rate=12)
        video.width, video.height, video.pix_fmt = 32, 24, "yuv420p"
        video.codec_context.time_base = Fraction(1, 12)
        sound = made.add_stream("aac", rate=8000)
        for number, time in enumerate(TIMES):
            frame = av.VideoFrame.from_ndarray(np.full((24, 32, 3), 40 * number, np.uint8), "rgb24")
            frame.pts, frame.time_base = time, Fraction(1, 12)
            made.mux(video.encode(frame))
        tone = np.sin(np.arange(4096) / 3).astype(np.float32)[None]
        samples = av.AudioFrame.from_ndarray(tone, format="fltp", layout="mono")
        samples.sample_rate, samples.pts = 8000, 0
        made.mux(sound.encode(samples))
        made.mux(video.encode(None))
        made.mux(sound.encode(None))
    return path


def contents(path: Path):
    """Times of the frames in seconds, their means and sizes, and the bytes of the sound."""
    with av.open(str(path)) as film:
        frames = [*film.decode(video=0)]
        shown = [(round(f.time, 3), round(f.to_ndarray(format="rgb24").mean())) for f in frames]
        size = frames[0].width, frames[0].height
    with av.open(str(path)) as film:
        sound = b"".join(bytes(packet) for packet in film.demux(audio=0))
    return shown, size, sound


@pytest.mark.parametrize(("ending", "scale"), [("mkv", 2), ("mp4", 3)])
def test_frames_times_and_sound_are_kept(film: Path, tmp_path: Path, ending, scale) -> None:
    out = tmp_path / f"out.{ending}"

    def enlarge(frame):
        return frame.repeat(scale, axis=0).repeat(scale, axis=1)

    assert upscale_film(av, film, out, scale, enlarge) == len(TIMES)
    before, after = contents(film), contents(out)
    assert after[1] == (32 * scale, 24 * scale)
    assert [time for time, _ in after[0]] == [time for time, _ in before[0]]
    assert all(
        abs(one - other) <= 2 for (_, one), (_, other) in zip(before[0], after[0], strict=True)
    )
    assert after[2] == before[2]


def test_what_is_no_film_is_one_line(film: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.mp4"
    bad.write_bytes(b"no film")
    with pytest.raises(FilmError, match=r"bad\.mp4 could not be made into"):
        upscale_film(av, bad, tmp_path / "out.mp4", 2, lambda frame: frame)
    with pytest.raises(FilmError, match=r"name a film that ends in \.mp4"):
        upscale_film(av, film, tmp_path / "out.png", 2, lambda frame: frame)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.mp4", "in.mkv"]


def test_the_command_takes_a_film(film: Path, tmp_path: Path, capsys) -> None:
    out = tmp_path / "out.mp4"
    assert main(["upscale", str(film), str(out), "--network", "aidn", "--scale", "4"]) == 0
    assert "6 frames" in capsys.readouterr().out
    assert contents(out)[1] == (128, 96)
