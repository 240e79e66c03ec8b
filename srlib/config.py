"""A campaign's ``params.yaml``, read into frozen dataclasses.

Nothing about a run is written in code. An unknown key, a wrong type or an impossible value is an
error that names the file and the key, raised before anything starts.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from itertools import product
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from srlib.data.registry import image_files, list_datasets
from srlib.networks import create_network

STRICT = ConfigDict(extra="forbid")
MOST_THREADS = 1024
LARGEST_SEED = 2**63 - 1  # the seeds that both PyTorch and NumPy accept
Role = Literal["train", "validation", "test"]
LEAST_LR_PATCH = 15  # what ESA needs (srlib.networks.blocks)


class ConfigError(ValueError):
    """A parameter file that cannot be used; the message names file and key, and how to fix it."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Campaign:
    """A campaign's name and files; paths are relative to the repository's root."""

    name: str
    root: str
    file: str
    networks: str


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Folder:
    """A folder of one's own images to train on, seen from where one stands."""

    folder: str

    @property
    def name(self) -> str:
        """The name that its images have in packed stores and records."""
        return Path(self.folder).resolve().name


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Data:
    """Training and test sets, and MATLAB's border for the LR.

    A set is a name of the registry; one to train on may be a folder of one's own, which is known by
    its pixels as the others are: they are part of a run's identity.
    """

    train: tuple[str | Folder, ...]
    test: tuple[str, ...] = Field(min_length=1)
    border: Literal["replicate", "symmetric"]
    # how many images of a training set are held out, to validate on
    validation: dict[str, int] = Field(default_factory=dict)

    @property
    def train_names(self) -> tuple[str, ...]:
        """The names of the sets to train on."""
        return tuple(one if isinstance(one, str) else one.name for one in self.train)

    @property
    def registered(self) -> tuple[str, ...]:
        """All sets that are the registry's, to train and to test on, each once."""
        train = tuple(one for one in self.train if isinstance(one, str))
        return tuple(dict.fromkeys(train + self.test))


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Matrix:
    """What the pipeline's stages run over."""

    networks: tuple[str, ...]
    scales: tuple[int, ...] = Field(min_length=1)
    seeds: tuple[int, ...]
    references: tuple[str, ...]
    check_lr: tuple[str, ...]
    grid: tuple[str, ...]
    rates: tuple[float, ...] = ()  # of ``search``, times those of the recipe


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Stage:
    """One stage of training: a loss and a learning rate from ``lr`` to ``lr_end``."""

    loss: Literal["l1", "l2"]
    steps: int = Field(gt=0)
    lr: float = Field(gt=0, le=1)
    lr_end: float = Field(ge=0, le=1)
    warmup: int = Field(ge=0)
    # in place of the recipe's: larger patches late cost little, and a whole image is larger still
    batch: int | None = Field(default=None, gt=0)
    patch: int | None = Field(default=None, gt=0)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Validate:
    """How often to score: on the images held out of training, or on a test set.

    A test set is for the curve alone; nothing is chosen by it.
    """

    every: int = Field(gt=0)
    set: str | None = None


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Train:
    """The recipe.

    ``batch`` is over all devices. ``patch`` is in HR pixels, and rounded down to a multiple of the
    scale: 256 means 255 at x3.
    """

    stages: tuple[Stage, ...] = Field(min_length=1)
    init: Literal["default", "unit_variance"]
    batch: int = Field(gt=0)
    patch: int = Field(gt=0)
    device: Literal["cpu", "cuda"]
    precision: Literal["float32", "bfloat16"]
    channels_last: bool
    compile: bool
    threads: int = Field(gt=0, le=MOST_THREADS)
    ema: float = Field(ge=0, lt=1)
    log_every: int = Field(gt=0)
    checkpoint_every: int = Field(gt=0)
    max_minutes: float = Field(ge=0)
    validate: Validate | None = None
    # Muon for the inner convolutions, at this many times the rate of Adam for the rest
    muon: float | None = Field(default=None, gt=0)
    # a campaign whose weights of the same network, scale and seed this one goes on from
    start: str | None = None

    @property
    def identity(self) -> dict[str, Any]:
        """All that can change the weights: not when to log, to save, to validate or to stop."""
        silent = {"checkpoint_every", "log_every", "max_minutes", "validate"}
        given = {k: v for k, v in asdict(self).items() if k not in silent and v is not None}
        stages = [{k: v for k, v in stage.items() if v is not None} for stage in given["stages"]]
        return given | {"stages": stages}

    def drawn(self, stage: Stage, scale: int) -> tuple[int, int]:
        """What a stage's steps draw: the side of a patch in HR pixels, and how many patches."""
        patch = stage.patch or self.patch
        return patch // scale * scale, stage.batch or self.batch  # 255 of 256 at x3

    @property
    def patches(self) -> int:
        """How many patches all steps together draw."""
        return sum(number for number, _ in drawn(self.identity))

    def lr_pixels(self, scale: int) -> int:
        """How many LR pixels all steps together see."""
        return lr_pixels(self.identity, scale)

    @property
    def steps(self) -> int:
        """Steps of all stages together."""
        return sum(stage.steps for stage in self.stages)


def drawn(recipe: Mapping[str, Any]) -> list[tuple[int, int]]:
    """How many patches each stage draws, and their side in HR pixels.

    Args:
        recipe: ``Train.identity``, as headers of weights have it.
    """
    return [
        (stage["steps"] * stage.get("batch", recipe["batch"]), stage.get("patch", recipe["patch"]))
        for stage in recipe["stages"]
    ]


def lr_pixels(recipe: Mapping[str, Any], scale: int) -> int:
    """How many LR pixels a recipe sees; ``recipe`` as ``drawn`` takes it."""
    return sum(number * (side // scale) ** 2 for number, side in drawn(recipe))


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Search:
    """How the networks' learning rates are compared: by this fraction of each stage's steps."""

    fraction: float = Field(gt=0, le=1)
    seed: int = Field(ge=0, le=LARGEST_SEED)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Evaluate:
    """Where evaluation runs."""

    device: Literal["cpu", "cuda"]
    threads: int = Field(gt=0, le=MOST_THREADS)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Picture:
    """An image to keep; ``crop`` is (top, left, height, width) in HR pixels, none for all of it."""

    set: str
    stem: str
    crop: tuple[int, int, int, int] | None = None


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Pictures:
    """Images to keep reconstructions of, from the runs of one seed."""

    seed: int
    images: tuple[Picture, ...]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Tried:
    """What the grid of protocols tries: methods at scales on sets.

    ``changed`` lists choices of LR, HR crop or pass (``srlib.doctor.protocols``) that are tried in
    place of the field's, each of which takes a reconstruction of its own; "all" is all of them.
    """

    methods: tuple[str, ...] = Field(min_length=1)
    scales: tuple[int, ...] = Field(min_length=1)
    sets: tuple[str, ...] = Field(min_length=1)
    changed: tuple[str, ...] | Literal["all"]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Config:
    """A whole ``params.yaml``."""

    campaign: Campaign
    data: Data
    matrix: Matrix
    networks: dict[str, dict[str, Any]]
    train: Train | None = None  # a campaign that trains nothing has none
    search: Search | None = None
    evaluate: Evaluate
    pictures: Pictures
    protocols: tuple[Tried, ...] = ()

    @property
    def sets(self) -> Path:
        """The folder of the campaign's verified images."""
        return Path("datasets") / self.campaign.name / "sets"

    def packed(self, scale: int, role: Role) -> Path:
        """The packed images of a scale, to train, to validate or to test on."""
        return Path("datasets") / self.campaign.name / f"x{scale}" / role

    def settings(self, network: str) -> dict[str, Any]:
        """What a network is built with.

        Raises:
            ConfigError: the file has no settings for it.
        """
        if network not in self.networks:
            raise ConfigError(
                f"{self.campaign.file}: networks: no settings for {network!r}; there are "
                f"{', '.join(self.networks)}"
            )
        return self.networks[network]


def load_config(path: str | Path) -> Config:
    """Read and check a parameter file.

    Raises:
        ConfigError: no such file, no YAML, or a key that is unknown, missing, of the wrong type or
            impossible; names the file, every such key, what was expected and what was found.
    """
    path = Path(path)
    try:
        # Through JSON, because pydantic's strict mode then takes lists for tuples and nothing else.
        text = json.dumps(yaml.safe_load(path.read_text(encoding="utf-8")), default=str)
    except FileNotFoundError:
        raise ConfigError(
            f"{path} does not exist; give a campaign's file with --params, such as params.yaml"
        ) from None
    except (OSError, UnicodeDecodeError, TypeError, yaml.YAMLError) as error:
        raise ConfigError(f"{path} is not valid YAML: {error}") from error
    try:
        config = TypeAdapter(Config).validate_json(text, strict=True)
    except ValidationError as error:
        raise ConfigError(_explain(path, error)) from None
    _check_together(path, config)
    return config


def _explain(path: Path, error: ValidationError) -> str:
    lines = []
    for problem in error.errors():
        key = ".".join(str(part) for part in problem["loc"]) or "(top level)"
        what = problem["msg"]
        if problem["type"] == "unexpected_keyword_argument":
            what = "this key is unknown; remove it or correct its spelling"
        elif problem["type"] in ("missing", "missing_argument"):
            what = "this key is missing"
        else:
            what += f", got {problem['input']!r}"
        lines.append(f"{path}: {key}: {what}")
    return "\n".join(lines)


def _check_together(path: Path, config: Config) -> None:
    """Check what no single key shows."""
    _check_names(path, config)
    if config.train is not None:
        _check_train(path, config.train, config.matrix.scales)
        _check_validation(path, config)
    _check_search(path, config)
    names = config.matrix.networks
    if names and not (config.train and config.data.train and config.matrix.seeds):
        raise ConfigError(
            f"{path}: train, data.train and matrix.seeds must be there, and not empty, where "
            "matrix.networks lists networks to train"
        )
    for name in names:
        if name not in config.networks:
            raise ConfigError(
                f"{path}: networks: no settings for {name!r}, which matrix.networks lists; "
                f"add a line '{name}: {{}}'"
            )
        for scale in config.matrix.scales:
            try:
                create_network(name, scale, **config.networks[name])
            except (TypeError, ValueError) as error:
                raise ConfigError(f"{path}: networks.{name}: {error}") from None


def _check_validation(path: Path, config: Config) -> None:
    for name, count in config.data.validation.items():
        if name not in config.data.train_names or count < 1:
            raise ConfigError(
                f"{path}: data.validation: {name}: {count} must be a positive number of images of "
                f"one of data.train ({', '.join(config.data.train_names)})"
            )
    validate = config.train.validate if config.train else None
    if validate and validate.set is None and not config.data.validation:
        raise ConfigError(
            f"{path}: train.validate: no images are held out of training; name some in "
            "data.validation, such as 'validation: {BSD400: 20}'"
        )
    if validate and validate.set and validate.set not in config.data.test:
        raise ConfigError(
            f"{path}: train.validate.set: {validate.set} is not one of data.test "
            f"({', '.join(config.data.test)}); add it there"
        )


def _check_search(path: Path, config: Config) -> None:
    if not config.matrix.rates:
        return
    if config.search is None or not config.data.validation:
        raise ConfigError(
            f"{path}: matrix.rates: there is no search, or nothing in data.validation; add both, "
            "such as 'search: {fraction: 0.1, seed: 0}'"
        )
    if min(config.matrix.rates) <= 0:
        raise ConfigError(f"{path}: matrix.rates: {list(config.matrix.rates)} must be positive")


def _check_names(path: Path, config: Config) -> None:
    for key in ("networks", "scales", "seeds", "references", "rates"):
        values = getattr(config.matrix, key)
        if len(set(values)) < len(values):
            raise ConfigError(f"{path}: matrix.{key}: {list(values)} names something twice")
    for seed in config.matrix.seeds:
        if not 0 <= seed <= LARGEST_SEED:
            raise ConfigError(f"{path}: matrix.seeds: {seed} must lie between 0 and 2^63 - 1")
    for one in config.data.train:
        if isinstance(one, Folder) and not (Path(one.folder).is_dir() and image_files(one.folder)):
            raise ConfigError(
                f"{path}: data.train: folder: {one.folder} is no folder with images (PNG, WebP, "
                f"JPG or BMP), seen from {Path.cwd()}"
            )
    sets = config.data.train_names
    if len(set(sets)) < len(sets):
        raise ConfigError(f"{path}: data.train: {list(sets)} names something twice")
    for name in config.data.registered:
        if name not in list_datasets():
            raise ConfigError(
                f"{path}: data: there is no set {name!r}; there are {', '.join(list_datasets())}"
            )
    if config.matrix.networks and config.pictures.seed not in config.matrix.seeds:
        raise ConfigError(
            f"{path}: pictures.seed: {config.pictures.seed} is not one of matrix.seeds"
        )
    for picture in config.pictures.images:
        if picture.set not in config.data.test or min(picture.crop or (0,)) < 0:
            raise ConfigError(
                f"{path}: pictures.images: {picture} must be of a set in data.test, its crop not "
                "negative"
            )


def _check_train(path: Path, train: Train, scales: tuple[int, ...]) -> None:
    for scale, patch in product(scales, [train.patch, *(one.patch for one in train.stages)]):
        if patch and (scale < 1 or patch < scale * LEAST_LR_PATCH):
            raise ConfigError(
                f"{path}: train.patch: {patch} HR pixels at the scale {scale} of "
                f"matrix.scales leave an LR patch under {LEAST_LR_PATCH}; choose a larger patch"
            )
    if train.checkpoint_every % train.log_every:
        raise ConfigError(
            f"{path}: train.checkpoint_every: {train.checkpoint_every} is not a multiple of "
            f"train.log_every ({train.log_every}); the loss is checked where it is logged"
        )
    for stage in train.stages:
        if stage.lr_end > stage.lr or stage.warmup >= stage.steps:
            raise ConfigError(
                f"{path}: train.stages: {stage} must have lr_end <= lr and warmup < steps"
            )
