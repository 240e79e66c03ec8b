"""Many pictures in one process: files, folders and globs, read and written beside the computing.

``OUT/manifest.jsonl`` has a line for each picture that is done: an interrupted job, typed again,
goes on, and what has changed since is made anew.
"""

import glob
import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TextIO

from PIL import Image
from tqdm import tqdm

from srlib.pictures import Frame, Picture
from srlib.provenance import file_sha256

Prepared = tuple[str, Picture] | None  # an input's hash and pixels; None where all is done
MANIFEST = "manifest.jsonl"
AHEAD = 2  # pictures that are read before their turn, and that wait to be written


@dataclass(frozen=True)
class Job:
    """A picture file and the file to make of it."""

    source: Path
    output: Path


@dataclass(frozen=True)
class Done:
    """A line of the manifest; ``by`` is the digest of weights and options."""

    input: str
    input_sha256: str
    output: str
    output_sha256: str
    by: str


@dataclass(frozen=True)
class Report:
    """How a job ended: counts, and a line for each file that failed."""

    made: int
    kept: int
    errors: tuple[str, ...]


def are_many(inputs: Sequence[str]) -> bool:
    """Whether the inputs are a job for a folder, and not one file or standard input."""
    return len(inputs) > 1 or Path(inputs[0]).is_dir() or _is_glob(inputs[0])


def _is_glob(text: str) -> bool:
    return glob.has_magic(text) and not Path(text).exists()


def listed(inputs: Iterable[str], out: Path, ending: str = "") -> list[Job]:
    """What is to be made: files by their names, folders with all below them, globs.

    Args:
        inputs: as the user named them.
        out: the folder of the results; what lies in it is no input.
        ending: of all outputs, such as ".png"; else the input's own, or .png where Pillow cannot
            write that.

    Raises:
        ValueError: an input that does not exist or holds no picture, or two that would be one file.
    """
    endings = Image.registered_extensions()
    jobs: dict[Path, Path] = {}
    for text in inputs:
        found: list[tuple[Path, Path]] = []  # source, and its place below `out`
        if Path(text).is_dir():
            below = sorted(each for each in Path(text).rglob("*") if each.is_file())
            found = [(each, each.relative_to(text)) for each in below if _apart(each, out)]
            found = [pair for pair in found if pair[0].suffix.lower() in endings]
        elif _is_glob(text):
            matches = sorted(Path(each) for each in glob.glob(text, recursive=True))  # noqa: PTH207
            found = [(each, Path(each.name)) for each in matches if each.is_file()]
        elif Path(text).exists():
            found = [(Path(text), Path(Path(text).name))]
        if not found:
            raise ValueError(f"{text}: there is no picture; name a file, a folder or a glob")
        for source, place in found:
            output = out / place.with_suffix(ending or written_ending(place.suffix))
            if jobs.setdefault(output, source) != source:
                raise ValueError(
                    f"{jobs[output]} and {source} would both be written to {output}; enlarge them "
                    "into two folders"
                )
    return [Job(source, output) for output, source in jobs.items()]


def written_ending(ending: str) -> str:
    """The ending of what is made of a picture file: its own, or .png where Pillow only reads it."""
    return ending if Image.registered_extensions().get(ending.lower()) in Image.SAVE else ".png"


def _apart(path: Path, out: Path) -> bool:
    return not path.resolve().is_relative_to(out.resolve())


def enlarge_all(
    jobs: Sequence[Job],
    out: Path,
    by: str,
    read: Callable[[Path], Picture],
    enlarge: Callable[[Picture], list[Frame]],
    write: Callable[[list[Frame], Picture, Path], None],
    skip_existing: bool = False,
) -> Report:
    """Make what is not made yet; a file that fails stops no other.

    Args:
        jobs: from ``listed``.
        out: the folder of the manifest.
        by: a digest of all that determines the results: another one makes them anew.
        read, enlarge, write: what to do with one picture; ``read`` and ``write`` are called in
            threads.
        skip_existing: take any file that is there for the result, whoever made it.
    """
    out.mkdir(parents=True, exist_ok=True)
    known = read_manifest(out / MANIFEST)
    errors: list[str] = []
    made = kept = 0

    def prepare(job: Job) -> Prepared:
        if skip_existing and job.output.exists():
            return None
        digest = file_sha256(job.source)
        done = known.get(str(job.output.relative_to(out)))
        same = done and (done.input_sha256, done.by) == (digest, by)
        if done and same and job.output.exists() and file_sha256(job.output) == done.output_sha256:
            return None
        return digest, read(job.source)

    def finish(job: Job, digest: str, frames: list[Frame], picture: Picture) -> Done:
        write(frames, picture, job.output)
        place = str(job.output.relative_to(out))
        return Done(str(job.source), digest, place, file_sha256(job.output), by)

    with (
        ThreadPoolExecutor(AHEAD) as threads,
        _appending(out / MANIFEST) as manifest,
        tqdm(total=len(jobs), unit="picture", disable=None) as bar,
    ):
        writing: deque[tuple[Job, Future[Done]]] = deque()

        def settle(most: int) -> None:
            nonlocal made
            while len(writing) > most:
                job, future = writing.popleft()
                try:
                    done = future.result()
                except (ValueError, OSError) as error:
                    errors.append(_line(job, error))
                else:
                    manifest.write(json.dumps(asdict(done)) + "\n")
                    manifest.flush()
                    made += 1
                bar.update()

        for job, future in _ahead(threads, prepare, jobs):
            try:
                prepared = future.result()
                if prepared is None:
                    kept += 1
                    bar.update()
                    continue
                digest, picture = prepared
                frames = enlarge(picture)
            except (ValueError, OSError) as error:
                errors.append(_line(job, error))
                bar.update()
                continue
            writing.append((job, threads.submit(finish, job, digest, frames, picture)))
            settle(AHEAD)
        settle(0)
    return Report(made, kept, tuple(errors))


def _ahead(
    threads: ThreadPoolExecutor, prepare: Callable[[Job], Prepared], jobs: Sequence[Job]
) -> Iterator[tuple[Job, Future[Prepared]]]:
    """Each job with what its preparation will give; as many as ``AHEAD`` are under way."""
    waiting: deque[tuple[Job, Future[Prepared]]] = deque()
    for job in jobs:
        waiting.append((job, threads.submit(prepare, job)))
        if len(waiting) > AHEAD:
            yield waiting.popleft()
    yield from waiting


def _appending(path: Path) -> TextIO:
    """The manifest, on a new line: a kill may have cut the last one short."""
    file = path.open("a+")
    file.seek(0)
    text = file.read()
    if text and not text.endswith("\n"):
        file.write("\n")
    return file


def _line(job: Job, error: Exception) -> str:
    said = str(error)
    return said if str(job.source) in said else f"{job.source}: {said}"


def read_manifest(path: Path) -> dict[str, Done]:
    """The last line of each output, by its place; a line that a kill cut short is passed over."""
    known: dict[str, Done] = {}
    for line in path.read_text().splitlines() if path.exists() else []:
        try:
            done = Done(**json.loads(line))
        except (ValueError, TypeError):
            continue
        known[done.output] = done
    return known
