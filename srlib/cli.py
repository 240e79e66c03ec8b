"""The command line, for those who do not open notebooks: ``srlib COMMAND --help``."""

import argparse
import sys
from pathlib import Path

from PIL import Image

from srlib import pipeline
from srlib.config import load_config
from srlib.data.download import fetch
from srlib.data.pack import pack
from srlib.data.packed import Store
from srlib.evaluation.complexity import LR_720P, complexity
from srlib.evaluation.inference import upscale, upscale_array
from srlib.evaluation.score import evaluate, summarise
from srlib.files import replacing
from srlib.networks import NETWORKS, create_network, list_networks
from srlib.paths import ROOT
from srlib.training.loop import OutOfTime, TrainingError
from srlib.weights.files import load_trained
from srlib.weights.official import load_official, official
from srlib.weights.pretrained import SAME, pretrained_path

TRY_AGAIN = 75  # sysexits' EX_TEMPFAIL: nothing is wrong, the same command goes on


def main(arguments: list[str] | None = None) -> int:
    """Run one command; an expected error is one line on stderr and exit status 2."""
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except OutOfTime as pause:
        print(f"srlib: {pause}", file=sys.stderr)
        return TRY_AGAIN
    except (ValueError, OSError, TrainingError) as error:
        print(f"srlib: error: {error}", file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="srlib", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run, about: str, *groups: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=about, description=about)
        sub.set_defaults(run=run)
        if "params" in groups:
            sub.add_argument("--params", default="params.yaml", help="a campaign's file")
        if "scale" in groups:
            sub.add_argument("--scale", type=int, default=4, help="magnification (default 4)")
        if "network" in groups:
            sub.add_argument("--network", help="one of: " + ", ".join(list_networks()))
        if "seed" in groups:
            sub.add_argument("--seed", type=int, default=0)
        return sub

    sub = command("fetch", _fetch, "Fetch and verify image sets.")
    sub.add_argument("names", nargs="*", help="sets of the registry, such as Set5 Set14")
    sub.add_argument("--params", help="fetch what this campaign needs, to where it needs it")
    sub.add_argument("--folder", default="datasets/sets", help="where named sets go")

    command("prepare", _prepare, "Pack a campaign's images at one scale.", "params", "scale")
    command(
        "train",
        _train,
        "Train one network of a campaign; after an interruption, type the same again.",
        *("params", "network", "scale", "seed"),
    )

    sub = command(
        "evaluate",
        _evaluate,
        "PSNR-Y and SSIM-Y: of a campaign's network or reference, or of any weights on any sets.",
        *("params", "network", "scale", "seed"),
    )
    sub.add_argument("--reference", help="bicubic, hr, or one of: " + ", ".join(official()))
    sub.add_argument("--sets", nargs="+", help="sets of the registry, outside any campaign")
    sub.add_argument("--weights", help="a safetensors file of the trainer, with --sets")
    sub.add_argument("--official", help="the authors' weights, with --sets")
    sub.add_argument("--chop", action="store_true", help="in quarters, with --sets; as FDIWN does")

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

    command("count", _count, "Count every network of the registry into results/counts.csv.")

    sub = command("upscale", _upscale, "Upscale an image file.", "network", "scale")
    sub.add_argument("input", type=Path, help="any image that Pillow reads")
    sub.add_argument("output", type=Path)
    sub.add_argument("--weights", help="a safetensors file; default: trained here")
    sub.add_argument("--official", help="the authors' weights: " + ", ".join(official()))
    sub.add_argument("--tile", type=int, default=0, help="LR tile size; 0 takes the whole image")
    sub.add_argument("--device", default="cpu", help="cpu or cuda")

    sub = command("complexity", _complexity, "Parameters, multiply-adds and activations.")
    sub.add_argument("names", nargs="*", help="networks; all of them if none is named")
    sub.add_argument("--all", action="store_true", help="all networks")
    sub.add_argument("--scale", type=int, nargs="+", default=[2, 3, 4])
    return parser


def _fetch(options: argparse.Namespace) -> None:
    if options.params:
        pipeline.download(options.params)
    elif not options.names:
        raise ValueError("name the sets to fetch, or a campaign with --params")
    for name in options.names:
        print(fetch(name, Path(options.folder)))


def _prepare(options: argparse.Namespace) -> None:
    pipeline.prepare(options.params, options.scale)


def _train(options: argparse.Namespace) -> None:
    _need(options, "network")
    pipeline.train(options.params, options.network, options.scale, options.seed)


def _evaluate(options: argparse.Namespace) -> None:
    if options.sets:
        network = _network(options)
        folder = Path("datasets/packed") / "-".join([*options.sets, f"x{options.scale}"])
        border = load_config(options.params).data.border
        sets = Path("datasets/sets")
        for name in options.sets:
            fetch(name, sets)
        images = [file for name in options.sets for file in pipeline.images_of(name, sets)]
        pack(pipeline.decoded(images), folder, options.scale, border)
        result = evaluate(lambda lr: upscale_array(network, lr, chop=options.chop), Store(folder))
        for name, row in summarise(result).items():
            print(f"{name}: {row['psnr_y']:.3f} dB, SSIM {row['ssim_y']:.4f}")
    elif options.reference:
        pipeline.reference(options.params, options.reference, options.scale)
    else:
        _need(options, "network")
        pipeline.evaluate(options.params, options.network, options.scale, options.seed)


def _reconstruct(options: argparse.Namespace) -> None:
    _need(options, "network")
    pipeline.reconstruct(options.params, options.network, options.scale)


def _check_lr(options: argparse.Namespace) -> None:
    pipeline.check_lr(options.params, options.out)


def _count(_: argparse.Namespace) -> None:
    pipeline.count()


def _upscale(options: argparse.Namespace) -> None:
    network = _network(options).to(options.device)
    with Image.open(options.input) as image:
        result = upscale(image, network, options.tile, options.device)
    suffix = Image.registered_extensions().get(options.output.suffix.lower())
    if suffix is None:
        raise ValueError(f"{options.output}: Pillow knows no image format with this ending")
    with replacing(options.output) as temporary:
        result.save(temporary, format=suffix)
    print(f"{options.output}: {result.width}x{result.height} pixels, mode {result.mode}")


def _complexity(options: argparse.Namespace) -> None:
    names = list_networks() if options.all or not options.names else options.names
    print("Convolution multiply-adds and NTIRE's FLOPs at LR 256x256, multiply-adds at 1280x720.")
    print(f"{'network':17} {'scale':5} {'params':>10} {'MACs':>13} {'NTIRE':>13} "
          f"{'MACs 720p':>13} {'activations':>12}")  # fmt: skip
    for name in names:
        if name not in NETWORKS:
            create_network(name)  # says which there are
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


def _network(options: argparse.Namespace):
    """The network that --network and --weights, or --official, name."""
    if options.official:
        return load_official(options.official, options.scale)
    if not options.weights:
        _need(options, "network")
        options.weights = pretrained_path(options.network, options.scale)
        print(f"weights: {options.weights.relative_to(ROOT)}", file=sys.stderr)
    network, header = load_trained(options.weights)
    held, wanted = header["network"], options.network or header["network"]
    if SAME.get(wanted, wanted) != SAME.get(held, held) or options.scale != network.scale:
        raise ValueError(
            f"{options.weights} holds {held} x{network.scale}, not {wanted} x{options.scale}; "
            "correct --network or --scale"
        )
    return network


def _need(options: argparse.Namespace, name: str) -> None:
    if not getattr(options, name):
        raise ValueError(f"--{name} is missing")


if __name__ == "__main__":
    sys.exit(main())
