"""The command line, for those who do not open notebooks: ``srlib COMMAND --help``.

Each command imports what it needs when it runs: a look-up must not wait for PyTorch.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from torch import nn

    from srlib.enlarge import Tile
    from srlib.evaluation.score import Method
    from srlib.folders import Report
    from srlib.pictures import Frame, Picture

# What `srlib evaluate` takes outside a campaign alone, whose file and records say the rest.
OUTSIDE = ("engine", "precision", "self_ensemble", "lr", "csv", "border", "folder", "weights",
           "official", "chop", "all", "jobs")  # fmt: skip
TRY_AGAIN = 75  # sysexits' EX_TEMPFAIL: nothing is wrong, the same command goes on


def main(arguments: list[str] | None = None) -> int:
    """Run one command; an expected error is one line on stderr and exit status 2."""
    for stream in (sys.stdout, sys.stderr):  # a name that the terminal cannot show is no error
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    options = _parser().parse_args(arguments)
    try:
        status = options.run(options)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader has gone, as `head` does; nothing is wrong
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (ValueError, OSError) as error:
        print(f"srlib: error: {error}", file=sys.stderr)
        return 2
    return status or 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="srlib", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(
        name: str, run, about: str, *groups: str, aliases: Sequence[str] = ()
    ) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=about, description=about, aliases=aliases)
        sub.set_defaults(run=run)
        if "params" in groups:
            sub.add_argument("--params", default="params.yaml", help="a campaign's file")
        if "scale" in groups:
            sub.add_argument("--scale", type=int, default=4, help="magnification (default 4)")
        if "network" in groups:
            sub.add_argument("--network", help="a name; `srlib complexity` lists them")
        if "weights" in groups:
            sub.add_argument("--weights", help="a safetensors or .pth file, of any program; "
                             "default: trained here")  # fmt: skip
        if "device" in groups:
            sub.add_argument(
                "--device", default="auto", help="auto (default), cpu, cuda, cuda:1 ..."
            )
        if "engine" in groups:
            sub.add_argument("--engine", default="torch",
                             choices=("torch", "auto", "openvino", "onnxruntime"),
                             help="what runs the network; torch (default) is at once ready, the "
                             "others convert it first and are quicker; auto: the quickest that is "
                             "installed and exact")  # fmt: skip
            sub.add_argument("--self-ensemble", action="store_true",
                             help="the mean of eight turns and flips")  # fmt: skip
            sub.add_argument("--precision", default="f32", choices=("f32", "bf16", "int8"),
                             help="bf16 is quicker still, and int8 of AIDN, IMDN and RFDN by "
                             "openvino; their loss is printed")  # fmt: skip
        if "seed" in groups:
            sub.add_argument("--seed", type=int, default=0)
        return sub

    sub = command("fetch", _fetch, "Fetch and verify image sets.")
    sub.add_argument("names", nargs="*", help="sets of the registry, such as Set5 Set14")
    sub.add_argument("--params", help="fetch what this campaign needs, to where it needs it")
    sub.add_argument("--folder", type=Path, help="where named sets go")  # fmt: skip

    command("prepare", _prepare, "Pack a campaign's images at one scale.", "params", "scale")
    command(
        "train",
        _train,
        "Train one network of a campaign; after an interruption, type the same again.",
        *("params", "network", "scale", "seed"),
    )

    sub = command(
        "search",
        _search,
        "Train one network of a campaign shortly at a multiple of its rates; scored on the images "
        "held out of training.",
        *("params", "network", "scale"),
    )
    sub.add_argument("--rate", type=float, required=True, help="the multiple, such as 2")

    command(
        "accept",
        _accept,
        "After a change of code that should not change a result: take the first steps of every "
        "tracked run of a campaign again; where the losses are the same, DVC takes the code.",
        "params",
    )

    sub = command(
        "evaluate",
        _evaluate,
        "PSNR-Y and SSIM-Y: of a campaign's network or reference, or of any weights on any sets.",
        *("params", "network", "scale", "seed", "engine"),
    )
    sub.add_argument("--reference", help="bicubic, hr, or a name of --official")
    sub.add_argument("--sets", nargs="+", help="sets of the registry, outside any campaign")
    sub.add_argument("--hr", type=Path, help="a folder of one's own HR images, in place of --sets")
    sub.add_argument("--lr", type=Path, help="their LR images, by stem (with or without x4)")
    sub.add_argument("--csv", type=Path, help="where to write the score of each image")
    sub.add_argument("--border", default="replicate", choices=("replicate", "symmetric"),
                     help="MATLAB's border where LR is made: older or newer")  # fmt: skip
    sub.add_argument("--folder", type=Path, help="where images are kept")
    sub.add_argument("--weights", help="a safetensors or .pth file, with --sets")
    sub.add_argument("--official", help="the authors' weights, with --sets")
    sub.add_argument("--chop", action="store_true", help="in quarters, with --sets; as FDIWN does")
    sub.add_argument("--all", action="store_true",
                     help="every network with its authors' weights, with --sets and --csv; typed "
                     "again, it goes on")  # fmt: skip
    sub.add_argument("--jobs", type=int, default=1, help="processes of --all (default 1)")
    sub.set_defaults(outside={name: sub.get_default(name) for name in OUTSIDE})

    command(
        "reconstruct",
        _reconstruct,
        "Keep a network's pictures of a campaign's pictures.images.",
        *("params", "network", "scale"),
    )

    sub = command(
        "check-lr", _check_lr, "Compare our LR images with MATLAB's in SRLIB_MIRROR.", "params"
    )
    sub.add_argument("--out", default="lr_bytes.csv", help="a file in the campaign's results")

    sub = command(
        "grid",
        _grid,
        "Score a campaign's `protocols`: its networks by every protocol.",
        "params",
    )
    sub.add_argument("--out", default="protocols.csv", help="a file in the campaign's results")

    sub = command(
        "why",
        _why,
        "Which protocol gives a PSNR that is not the printed one: a look-up, quick.",
        *("scale", "network"),
    )
    sub.add_argument("number", metavar="NUMBER", help="the PSNR, with the digits that you have")
    sub.add_argument("--set", default="Set5", help="what was scored (default Set5)")
    sub.add_argument("--image", default="", help="one image of it, such as baboon")
    sub.add_argument("--ssim", metavar="X", help="the SSIM beside it")
    sub.add_argument("--printed", metavar="X", help="the PSNR that was expected")

    sub = command(
        "score", _score, "Score your own result pictures, and tell what looks wrong.", "scale"
    )
    sub.add_argument(
        "folder", metavar="SR_FOLDER", type=Path, help="pictures named as HR's, or STEMx4"
    )
    sub.add_argument("--set", help="a set of the registry, such as Set5")
    sub.add_argument("--hr", type=Path, help="a folder of HR images, in place of --set")
    sub.add_argument("--claimed", metavar="X", help="a PSNR that these pictures are said to have")
    sub.add_argument("--csv", type=Path, help="where to write the score of each image")
    sub.add_argument("--folder", dest="kept", type=Path, help="where registered sets are kept")

    sub = command("run", _run, "What made a number: the record of a run, by its id.")
    sub.add_argument("id", metavar="HASH", help="as beside any tracked number; four digits may do")

    command("count", _count, "Count every network of the registry into results/counts.csv.")

    sub = command(
        "upscale",
        _upscale,
        "Upscale picture files and folders.",
        *("network", "scale", "weights", "device", "engine"),
    )
    sub.add_argument("inputs", metavar="IN", nargs="+",
                     help="any picture that Pillow reads, - for standard input; or several, "
                     "folders with all below them, globs")  # fmt: skip
    sub.add_argument("output", metavar="OUT",
                     help="a file; its ending names the format; or - with --format; of several "
                     "inputs a folder, whose manifest lets a broken job go on")  # fmt: skip
    sub.add_argument("--ray", nargs="?", const="", metavar="ADDRESS",
                     help="IN and OUT are folders or fsspec's addresses (s3://...), and Ray's "
                     "workers enlarge: of this machine, or of the cluster at ADDRESS")  # fmt: skip
    sub.add_argument("--workers", type=int, default=1, help="of --ray (default 1)")
    sub.add_argument("--gpus", type=float, default=0, help="of each worker of --ray (default 0)")
    sub.add_argument("--skip-existing", action="store_true",
                     help="of several inputs: keep what is there, whoever made it")  # fmt: skip
    sub.add_argument("--official", help="the authors' weights, such as imdn")
    sub.add_argument("--tile", type=_tile, default="auto",
                     help="side of LR tiles, 0 for none; auto (default): tiles where the memory is "
                     "not enough for the whole; those of AIDN, IMDN and RFDN are exact and take "
                     "3.4 to 4.6 times as long, others change the result a little")  # fmt: skip
    sub.add_argument("--quick-tiles", action="store_true",
                     help="tiles that take no longer, 54 to 70 dB from the whole")  # fmt: skip
    sub.add_argument("--seamless", action="store_true",
                     help="what repeats as a texture still does, without a seam")  # fmt: skip
    sub.add_argument("--format", default="", help="of the output, in place of its ending: png ...")
    sub.add_argument("--background", help="a colour under what is transparent, such as white")
    sub.add_argument("--quality", type=int, help="1 to 100, of JPEG (95), WebP and AVIF")
    sub.add_argument("--chroma", help="4:4:4 (default), 4:2:2 or 4:2:0, of JPEG and AVIF")
    sub.add_argument("--frame", type=int, help="one frame or page alone, from 0")
    sub.add_argument("--white", type=float, help="the value of white in 32-bit pictures")

    sub = command(
        "compare",
        _compare,
        "A picture by several networks, as one HTML page to compare.",
        *("scale", "device"),
    )
    sub.add_argument("input", metavar="IN", type=Path, help="a still, opaque picture")
    sub.add_argument("output", metavar="OUT.html", help="the page; named before --networks")
    sub.add_argument("--networks", nargs="+", default=["aidn"], metavar="NAME",
                     help="such as arfdn imdn aidn (default aidn): by their authors' weights where "
                     "they are known, else trained here")  # fmt: skip
    sub.add_argument("--degrade", action="store_true",
                     help="make LR of it by MATLAB's bicubic first, restore it, and score against "
                     "it")  # fmt: skip
    sub.add_argument("--tile", type=_tile, default="auto", help="as `srlib upscale` takes it")

    sub = command(
        "export",
        _export,
        "Write a network as an ONNX file, or as OpenVINO's IR, of any height and width, verified "
        "against PyTorch.",
        *("scale", "weights"),
        aliases=["export-onnx"],
    )
    sub.add_argument("network", metavar="NETWORK", help="a name; `srlib complexity` lists them")
    sub.add_argument("output", metavar="OUT",
                     help="OUT.onnx, or OUT.xml for OpenVINO, with OUT.bin beside it")  # fmt: skip
    sub.add_argument("--official", action="store_true",
                     help="NETWORK names the authors' weights, such as imdn")  # fmt: skip

    sub = command("weights", _weights, "Say what a weights file is, and which network it fits.")
    sub.add_argument("file", metavar="FILE", help="a safetensors, or a .pth of plain tensors")

    sub = command("complexity", _complexity, "Parameters, multiply-adds and activations.")
    sub.add_argument("names", nargs="*", help="networks; all of them if none is named")
    sub.add_argument("--all", action="store_true", help="all networks")
    sub.add_argument("--scale", type=int, nargs="+", default=[2, 3, 4])
    return parser


def _fetch(options: argparse.Namespace) -> None:
    from srlib import pipeline
    from srlib.data.download import default_folder, fetch

    if options.params:
        pipeline.download(options.params)
    elif not options.names:
        raise ValueError("name the sets to fetch, or a campaign with --params")
    for name in options.names:
        print(fetch(name, options.folder or default_folder() / "sets"))


def _prepare(options: argparse.Namespace) -> None:
    from srlib import pipeline

    pipeline.prepare(options.params, options.scale)


def _train(options: argparse.Namespace) -> int:
    from srlib import pipeline
    from srlib.training.loop import OutOfTime, TrainingError

    _need(options, "network")
    try:
        pipeline.train(options.params, options.network, options.scale, options.seed)
    except OutOfTime as pause:
        print(f"srlib: {pause}", file=sys.stderr)
        return TRY_AGAIN
    except TrainingError as error:
        raise ValueError(str(error)) from error
    return 0


def _search(options: argparse.Namespace) -> None:
    from srlib import pipeline

    _need(options, "network")
    pipeline.search(options.params, options.network, options.scale, options.rate)


def _accept(options: argparse.Namespace) -> None:
    from srlib import pipeline
    from srlib.training.loop import TrainingError

    try:
        pipeline.accept(options.params)
    except TrainingError as error:
        raise ValueError(str(error)) from error


def _grid(options: argparse.Namespace) -> None:
    from srlib import pipeline

    pipeline.grid(options.params, options.out)


def _evaluate(options: argparse.Namespace) -> int:
    from srlib import pipeline

    if options.all:
        return _evaluate_all(options)
    if options.sets or options.hr:
        _evaluate_images(options)
        return 0
    for name, default in options.outside.items():
        if getattr(options, name) != default:
            raise ValueError(
                f"--{name.replace('_', '-')} goes with --sets or --hr; a campaign is scored as its "
                "file says, by PyTorch in f32"
            )
    if options.reference:
        pipeline.reference(options.params, options.reference, options.scale)
    else:
        _need(options, "network")
        pipeline.evaluate(options.params, options.network, options.scale, options.seed)
    return 0


def _evaluate_all(options: argparse.Namespace) -> int:
    """Every network on sets; status 1 where one failed."""
    from srlib.engines.compiled import check
    from srlib.evaluation.score import summarise
    from srlib.official_scores import How, score_all

    if not options.sets or not options.csv:
        raise ValueError("--all takes --sets, such as Set5 Set14, and --csv, the table to write")
    alone = ("network", "reference", "hr", "lr", "weights", "official")
    _refuse(options, alone, "--all")
    if options.jobs < 1:
        raise ValueError(f"--jobs {options.jobs}: expected a number of processes from 1")
    check(options.engine, options.precision)
    how = How(
        options.border, options.engine, options.precision, options.self_ensemble, options.chop
    )
    table, errors = score_all(
        _packed(options), options.sets, options.scale, options.csv, options.jobs, how
    )
    for (name, scale), rows in table.groupby(["network", "scale"], sort=False):
        means = "  ".join(
            f"{each} {row['psnr_y']:.3f} dB, SSIM {row['ssim_y']:.4f}"
            for each, row in summarise(rows).items()
        )
        print(f"{name} x{scale}: {means}")
    for line in errors:
        print(f"srlib: error: {line}", file=sys.stderr)
    return 1 if errors else 0


def _refuse(options: argparse.Namespace, names: Sequence[str], beside: str) -> None:
    """Refuse options that ``beside`` would ignore."""
    if given := [name for name in names if getattr(options, name) not in ("", None, False)]:
        raise ValueError(f"--{given[0].replace('_', '-')} does not go with {beside}; leave it out")


def _packed(options: argparse.Namespace) -> Path:
    """The folder of the sets' images, fetched and packed at the scale."""
    from srlib import pipeline
    from srlib.data.download import default_folder, fetch
    from srlib.data.pack import pack

    kept = options.folder or default_folder()
    folder = kept / "packed" / "-".join([*options.sets, f"x{options.scale}"])
    sets = kept / "sets"
    for name in options.sets:
        fetch(name, sets)
    files = [file for name in options.sets for file in pipeline.images_of(name, sets)]
    pack(pipeline.decoded(files), folder, options.scale, options.border)
    return folder


def _evaluate_images(options: argparse.Namespace) -> None:
    """Any weights, or bicubic, on registered sets or on a folder of one's own."""
    from srlib.data.packed import PackedImages
    from srlib.evaluation.own import own_images
    from srlib.evaluation.score import evaluate, evaluate_images, summarise
    from srlib.files import write_csv

    method = _method(options)
    if options.hr:
        images = own_images(options.hr, options.lr, options.scale, options.border)
        result = evaluate_images(method, images, options.scale)
    else:
        result = evaluate(method, PackedImages(_packed(options)))
    if options.csv:
        write_csv(options.csv, result)
    for name, row in summarise(result).items():
        print(
            f"{name}: {row['psnr_y']:.3f} dB, SSIM {row['ssim_y']:.4f}, {row['images']:.0f} images"
        )


def _method(options: argparse.Namespace) -> Method:
    from srlib.data.imresize import imresize
    from srlib.evaluation.inference import upscale_array

    if options.reference == "bicubic":
        return lambda lr: imresize(lr, options.scale, border=options.border)
    if options.reference:
        raise ValueError(
            f"--reference {options.reference}: with --sets or --hr it is bicubic; the authors' "
            "weights are --official"
        )
    network = _network(options, "cpu")
    return lambda lr: upscale_array(network, lr, chop=options.chop)


def _reconstruct(options: argparse.Namespace) -> None:
    from srlib import pipeline

    _need(options, "network")
    pipeline.reconstruct(options.params, options.network, options.scale)


def _check_lr(options: argparse.Namespace) -> None:
    from srlib import pipeline

    pipeline.check_lr(options.params, options.out)


def _why(options: argparse.Namespace) -> None:
    from srlib.doctor.why import in_words, why

    _need(options, "network")
    place = (options.network, options.scale, options.set, options.image)
    print(in_words(why(options.number, *place, ssim=options.ssim, printed=options.printed)))


def _score(options: argparse.Namespace) -> None:
    from srlib.data.download import default_folder, fetch
    from srlib.doctor import why
    from srlib.doctor.pictures import examine, pairs
    from srlib.evaluation.own import image_paths
    from srlib.files import write_csv

    if bool(options.set) == bool(options.hr):
        raise ValueError("name the HR images: either --set, such as Set5, or --hr FOLDER")
    claimed = why.Typed.read(options.claimed, "--claimed") if options.claimed else None
    folder = options.hr
    if options.set:
        sets = (options.kept or default_folder()) / "sets"
        fetch(options.set, sets)
        folder = sets / options.set / "HR"
    originals = {path.stem: path for path in image_paths(folder, "--hr")}
    report = examine(pairs(image_paths(options.folder, "SR_FOLDER"), originals), options.scale)
    if options.csv:
        write_csv(options.csv, report.images)
    print(report.in_words(len(originals)))
    if claimed and report.scores:
        place = why.Place("these pictures", options.scale, options.set or options.hr.name)
        print("\n" + why.in_words(why.among(place, claimed, None, report.scores)))


def _count(_: argparse.Namespace) -> None:
    from srlib import pipeline

    pipeline.count()


def _run(options: argparse.Namespace) -> None:
    from srlib.runs import find_runs, in_words

    print(in_words(find_runs(options.id)))


def _upscale(options: argparse.Namespace) -> int:
    from srlib.evaluation.inference import find_device
    from srlib.film import is_film
    from srlib.folders import are_many
    from srlib.pictures import plan, read_picture, write_picture

    device = find_device(options.device)
    if options.ray is not None:
        return _upscale_on_ray(options, device)
    if are_many(options.inputs):
        return _upscale_all(options, device)
    (source,) = options.inputs
    if is_film(source):
        return _upscale_film(options, source, device)
    file = sys.stdin.buffer if source == "-" else source
    picture = read_picture(file, options.frame, options.white)
    writer = plan(picture, options.output, options.format, *_looks(options))

    def say(note: str) -> None:
        print(f"srlib: {options.output}: {note}", file=sys.stderr)

    for note in picture.notes + writer.notes:
        say(note)
    frames = _enlarged(options, picture, _network(options, device), device, say)
    if options.output == "-":
        write_picture(frames, picture, writer, sys.stdout.buffer)
        return 0
    write_picture(frames, picture, writer, options.output)
    height, width = frames[0].shape[:2]
    many = f", {len(frames)} frames" if len(frames) > 1 else ""
    print(f"{options.output}: {width}x{height} pixels{many}")
    return 0


def _upscale_film(options: argparse.Namespace, source: str, device: str) -> int:
    from srlib.engines.extras import need
    from srlib.film import upscale_film

    av = need("av", "film", "a film")
    network = _network(options, device)

    def enlarge(frame: Frame) -> Frame:
        (sr,) = _frames(options, [frame], network, device, lambda note: None)
        return sr

    count = upscale_film(av, source, options.output, options.scale, enlarge)
    print(f"{options.output}: {count} frames")
    return 0


def _upscale_all(options: argparse.Namespace, device: str) -> int:
    """Several inputs into a folder; status 1 where one failed."""
    from srlib.folders import MANIFEST, enlarge_all, listed
    from srlib.pictures import plan, read_picture, write_picture

    out = Path(options.output)
    if out.is_file():
        raise ValueError(f"{out} is a file; name a folder for several inputs")
    jobs = listed(options.inputs, out, f".{options.format}" if options.format else "")
    network = _network(options, device)

    def write(frames, picture, path) -> None:
        writer = plan(picture, str(path), options.format, *_looks(options))
        write_picture(frames, picture, writer, path)

    report = enlarge_all(
        jobs,
        out,
        _digest(options, network),
        lambda path: read_picture(path, options.frame, options.white),
        lambda picture: _enlarged(options, picture, network, device, lambda note: None),
        write,
        options.skip_existing,
    )
    return _say(report, str(out / MANIFEST))


def _upscale_on_ray(options: argparse.Namespace, device: str) -> int:
    from functools import partial

    from srlib.engines.extras import need

    need("ray", "ray", "--ray")
    from srlib.cluster import enlarge_on_ray
    from srlib.engines.compiled import check
    from srlib.folders import MANIFEST

    if len(options.inputs) != 1:
        raise ValueError("--ray takes one folder, or one address, and OUT")
    alone = ("format", "frame", "white", "background", "quality", "chroma", "skip_existing")
    _refuse(options, alone, "--ray")
    check(options.engine, options.precision, device)
    report = enlarge_on_ray(
        options.inputs[0],
        options.output,
        _digest(options, _chosen(options).network),  # the workers compile it
        partial(_network, options, device),
        options.ray or None,
        options.workers,
        options.gpus,
        {"tile": options.tile, "quick": options.quick_tiles, "seamless": options.seamless},
    )
    return _say(report, f"{options.output}/{MANIFEST}")


def _digest(options: argparse.Namespace, network: nn.Module) -> str:
    """Of the weights and of the options that change a result."""
    import hashlib

    from srlib.evaluation.inference import unwrapped
    from srlib.weights.files import state_sha256

    weights = state_sha256(unwrapped(network).state_dict())
    free = ("inputs", "output", "run", "skip_existing", "device", "weights", "official", "network",
            "ray", "workers", "gpus")  # fmt: skip
    chosen = {key: value for key, value in vars(options).items() if key not in free}
    return hashlib.sha256(f"{weights} {sorted(chosen.items())}".encode()).hexdigest()[:10]


def _say(report: Report, manifest: str) -> int:
    for line in report.errors:
        print(f"srlib: error: {line}", file=sys.stderr)
    failed = f", {len(report.errors)} failed" if report.errors else ""
    print(f"{manifest}: {report.made} made, {report.kept} were there{failed}")
    return 1 if report.errors else 0


def _looks(options: argparse.Namespace) -> tuple[str | None, int | None, str | None]:
    return options.background, options.quality, options.chroma


def _enlarged(
    options: argparse.Namespace,
    picture: Picture,
    network: nn.Module,
    device: str,
    say: Callable[[str], object],
) -> list[Frame]:
    try:
        return _frames(options, picture.frames, network, device, say)
    except ValueError as error:
        raise ValueError(f"{picture.name}: {error}") from None


def _frames(
    options: argparse.Namespace,
    frames: Sequence[Frame],
    network: nn.Module,
    device: str,
    say: Callable[[str], object],
) -> list[Frame]:
    from srlib.enlarge import upscale_frames

    quick, seamless = options.quick_tiles, options.seamless
    return upscale_frames(frames, network, options.tile, device, say, quick, seamless)


def _compare(options: argparse.Namespace) -> None:
    from srlib.compare import compare
    from srlib.evaluation.inference import find_device
    from srlib.viewer import page, write_page

    output = Path(options.output)
    if output.suffix.lower() not in (".html", ".htm") or output.is_dir():
        raise ValueError(f"{output}: expected a page to write, such as OUT.html")

    def say(note: str) -> None:
        print(f"srlib: {note}", file=sys.stderr)

    scene = compare(
        options.input,
        options.networks,
        options.scale,
        degrade=options.degrade,
        tile=options.tile,
        device=find_device(options.device),
        say=say,
        done=say,
    )
    right = scene.pictures[len(scene.pictures) - 1 - options.degrade].name
    write_page(output, page([scene], options.input.name, left="bicubic", right=right))
    for picture in scene.pictures:
        if picture.psnr_y is not None:
            print(f"{picture.name}: {picture.psnr_y:.3f} dB, SSIM {picture.ssim_y:.4f}")
    size = output.stat().st_size / 1e6
    print(f"{output}: {len(scene.pictures)} pictures, {size:.1f} MB; open it in any browser")


def _export(options: argparse.Namespace) -> None:
    from srlib.engines.export import export

    if options.official:
        options.official, options.network = options.network, None
    chosen = _chosen(options)
    about = {"network": chosen.name, "run": chosen.run, "weights": chosen.weights}
    worst = export(
        chosen.network, options.output, {key: value for key, value in about.items() if value}
    )
    print(f"{options.output}: {chosen.name} x{chosen.network.scale}, at most {worst:.1g} off")


def _weights(options: argparse.Namespace) -> None:
    from srlib.weights.foreign import describe

    print(describe(options.file))


def _complexity(options: argparse.Namespace) -> None:
    from srlib.evaluation.complexity import LR_720P, complexity
    from srlib.networks import check_name, create_network, list_networks

    names = list_networks() if options.all or not options.names else options.names
    print("Convolution multiply-adds and NTIRE's FLOPs at LR 256x256, multiply-adds at 1280x720.")
    print(f"{'network':17} {'scale':5} {'params':>10} {'MACs':>13} {'NTIRE':>13} "
          f"{'MACs 720p':>13} {'activations':>12}")  # fmt: skip
    for name in names:
        check_name(name)
        for scale in options.scale:
            try:
                network = create_network(name, scale)
            except ValueError as error:
                print(f"{name:17} x{scale:<4} {error}")
                continue
            small, large = complexity(network), complexity(network, LR_720P[scale])
            print(
                f"{name:17} x{scale:<4} {small.params:>10,} {small.conv_macs / 1e9:>11.4f} G "
                f"{small.ntire_flops / 1e9:>11.4f} G {large.conv_macs / 1e9:>11.4f} G "
                f"{small.conv_activations / 1e6:>10.4f} M"
            )


class _Chosen(NamedTuple):
    """The network that the options name: its name, the run that made it, where weights are from."""

    network: nn.Module
    name: str
    run: str
    weights: str


def _network(options: argparse.Namespace, device: str) -> nn.Module:
    """The network as --engine and --precision ask for it; what was chosen is said on stderr."""
    from srlib.engines.compiled import compile
    from srlib.evaluation.inference import SelfEnsemble

    compiled = compile(_chosen(options).network.to(device), options.engine, options.precision)
    if options.engine == "auto":
        print(f"engine: {compiled.engine}", file=sys.stderr)
    if compiled.precision != "f32":
        print(
            f"{compiled.precision}: {compiled.loss:.4f} dB below f32 on a photograph",
            file=sys.stderr,
        )
    return SelfEnsemble(compiled) if options.self_ensemble else compiled


def _chosen(options: argparse.Namespace) -> _Chosen:
    """The network that --network and --weights, or --official, name."""
    from srlib.networks import check_name
    from srlib.weights.files import load_trained, read_state, verify
    from srlib.weights.foreign import load_foreign
    from srlib.weights.official import load_official, official
    from srlib.weights.pretrained import SAME, pretrained_path

    if options.official:
        network = load_official(options.official, options.scale)
        entry = official()[options.official]
        return _Chosen(
            network, entry["network"], "", f"of the authors: {options.official}, {entry['licence']}"
        )
    if not options.weights:
        _need(options, "network")
        options.weights = pretrained_path(options.network, options.scale)
        print(f"weights: {options.weights}", file=sys.stderr)
    if options.network:
        check_name(options.network)
    if "network" not in read_state(options.weights)[1]:
        network, fit = load_foreign(options.weights, options.scale, options.network)
        return _Chosen(network, fit.network, "", f"from elsewhere, by the names of {fit.names}")
    network, header = load_trained(options.weights)
    held, wanted = header["network"], options.network or header["network"]
    if SAME.get(wanted, wanted) != SAME.get(held, held) or options.scale != network.scale:
        raise ValueError(
            f"{options.weights} holds {held} x{network.scale}, not {wanted} x{options.scale}; "
            "correct --network or --scale"
        )
    if not verify(options.weights):
        print(f"srlib: {options.weights}: not verified, no record lies beside it", file=sys.stderr)
    return _Chosen(network, held, header.get("run", ""), "trained by srlib")


def _tile(text: str) -> Tile:
    """``--tile``: "auto", or a number from 0."""
    if text == "auto":
        return "auto"
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text}: expected auto, or a number of pixels from 0")
    return int(text)


def _need(options: argparse.Namespace, name: str) -> None:
    if not getattr(options, name):
        raise ValueError(f"--{name} is missing")


if __name__ == "__main__":
    sys.exit(main())
