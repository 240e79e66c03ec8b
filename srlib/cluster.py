"""Many pictures on many machines, by Ray Data: from and to any place that fsspec reaches.

Each picture that is done leaves its line in ``OUT/.done``, so a job goes on after any interruption
and needs no file that several workers write; at the end the lines are put into the manifest.
"""

import hashlib
import io
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import PurePosixPath
from typing import Any

from PIL import Image
from torch import nn

from srlib.engines.extras import need
from srlib.enlarge import upscale_frames
from srlib.folders import MANIFEST, Done, Report, written_ending
from srlib.pictures import plan, read_picture, write_picture

DONE = ".done"


def enlarge_on_ray(
    source: str,
    out: str,
    by: str,
    make: Callable[[], nn.Module],
    address: str | None = None,
    workers: int = 1,
    gpus: float = 0,
    settings: Mapping[str, Any] | None = None,
) -> Report:
    """Enlarge all pictures below a folder, or a bucket, by a pool of Ray's actors.

    A worker that is killed is started again, and its picture too.

    Args:
        source, out: folders, or what fsspec takes, such as s3://bucket/folder.
        by: a digest of all that determines the results: another one makes them anew.
        make: called once by each worker; what it needs must be installed where Ray runs it.
        address: of a running cluster; None starts Ray on this machine.
        workers: how many actors.
        gpus: of each actor; a part, such as 0.5, shares one.
        settings: more arguments of ``upscale_frames``, such as ``tile``.

    Raises:
        MissingExtra: Ray is not installed.
        ValueError: there is no picture below ``source``.
    """
    ray = need("ray", "ray", "--ray")
    from ray import data

    items = _items(source, out)
    todo = [item for item in items if not _is_done(item, by)]
    errors: list[str] = []
    if todo:
        pooled: Any = _Worker  # a class with __call__, as Ray's documentation has it
        ray.init(address=address, ignore_reinit_error=True, log_to_driver=False)
        data.DataContext.get_current().enable_progress_bars = False
        rows = data.from_items(todo, override_num_blocks=len(todo)).map(
            pooled,
            fn_constructor_args=(make, by, settings or {}),
            compute=data.ActorPoolStrategy(size=workers),
            num_cpus=1,
            num_gpus=gpus,
            max_restarts=-1,
            max_task_retries=-1,
        )
        errors = [row["error"] for row in rows.iter_rows() if row["error"]]
    _write_manifest(items, out)
    return Report(len(todo) - len(errors), len(items) - len(todo), tuple(sorted(errors)))


def _place(address: str) -> tuple[Any, str]:
    """The file system of an address, and the path in it; nothing that others write is remembered.

    Raises:
        ValueError: fsspec needs one more package for such an address, which it names.
    """
    fsspec = need("fsspec", "ray", "--ray")
    try:
        return fsspec.core.url_to_fs(address, use_listings_cache=False)
    except ImportError as error:
        raise ValueError(f"{address}: {error}") from None


def _items(source: str, out: str) -> list[dict[str, str]]:
    """Source, output and the file of the line, as whole addresses, of every picture."""
    endings = Image.registered_extensions()
    files, top = _place(source)
    found = [each for each in sorted(files.find(top)) if _ending(each) in endings]
    if not found:
        raise ValueError(f"{source}: there is no picture below it")
    where = _place(out)[1]
    items = []
    for each in found:
        if each.startswith(f"{where}/"):
            continue
        place = PurePosixPath(each).relative_to(top)
        place = place.with_suffix(written_ending(place.suffix))
        items.append(
            {
                "source": files.unstrip_protocol(each),
                "output": f"{out.rstrip('/')}/{place}",
                "line": f"{out.rstrip('/')}/{DONE}/{place}.json",
            }
        )
    return items


def _ending(path: str) -> str:
    return PurePosixPath(path).suffix.lower()


def _is_done(item: dict[str, str], by: str) -> bool:
    done = _line(item)
    if done is None or done.by != by:
        return False
    return (_sha256(item["source"]), _sha256(item["output"])) == (
        done.input_sha256,
        done.output_sha256,
    )


def _line(item: dict[str, str]) -> Done | None:
    files, path = _place(item["line"])
    return Done(**json.loads(files.cat_file(path))) if files.exists(path) else None


def _sha256(address: str) -> str:
    files, path = _place(address)
    return hashlib.sha256(files.cat_file(path)).hexdigest() if files.exists(path) else ""


def _write_manifest(items: list[dict[str, str]], out: str) -> None:
    lines = [json.dumps(asdict(done)) for item in items if (done := _line(item))]
    _write(f"{out.rstrip('/')}/{MANIFEST}", "".join(f"{line}\n" for line in lines).encode())


def _write(address: str, data: bytes) -> None:
    """Whole or not at all: a worker may be killed in the middle."""
    files, path = _place(address)
    files.makedirs(files._parent(path), exist_ok=True)
    temporary = f"{files._parent(path)}/.{PurePosixPath(path).name}.{os.getpid()}.tmp"
    files.pipe_file(temporary, data)
    files.mv(temporary, path)


class _Worker:
    """An actor: one network, one picture at a time; a bad file is a line and no exception."""

    def __init__(self, make: Callable[[], nn.Module], by: str, settings: Mapping[str, Any]) -> None:
        self.network, self.by, self.settings = make(), by, settings

    def __call__(self, item: dict[str, str]) -> dict[str, Any]:
        try:
            self._enlarge(item)
        except (ValueError, OSError) as error:
            return {"error": f"{item['source']}: {error}"}
        return {"error": ""}

    def _enlarge(self, item: dict[str, str]) -> None:
        files, path = _place(item["source"])
        data = files.cat_file(path)
        picture = read_picture(io.BytesIO(data))
        writer = plan(picture, item["output"])
        device = str(next(self.network.parameters()).device)
        frames = upscale_frames(
            picture.frames, self.network, device=device, say=lambda note: None, **self.settings
        )
        made = io.BytesIO()
        write_picture(frames, picture, writer, made)
        _write(item["output"], made.getvalue())
        done = Done(
            item["source"],
            hashlib.sha256(data).hexdigest(),
            item["output"],
            hashlib.sha256(made.getvalue()).hexdigest(),
            self.by,
        )
        _write(item["line"], json.dumps(asdict(done)).encode())
