"""srlib.data.registry: a sound registry, manifests that agree with the images, safe decoding.

Checks against a full mirror need one: SRLIB_MIRROR, else ../shared/datasets beside this repository.
"""

import os
import re
import struct
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from srlib.data.registry import (
    IMAGE_SUFFIXES,
    MANIFEST_COLUMNS,
    DatasetError,
    build_manifest,
    forms,
    get_dataset,
    image_files,
    list_datasets,
    manifest_digest,
    pixel_sha256,
    read_image,
    read_manifest,
)

ROOT = Path(__file__).resolve().parents[2]
MIRROR = Path(os.environ.get("SRLIB_MIRROR") or ROOT.parent / "shared" / "datasets")
WITH_MANIFEST = [name for name in list_datasets() if get_dataset(name).manifest]
RED = np.array([[[255, 0, 0], [255, 0, 0]]], np.uint8)  # (1, 2, 3)


@pytest.mark.parametrize("name", list_datasets())
def test_registry_entry(name: str) -> None:
    dataset = get_dataset(name)
    assert dataset.role in ("train", "test")
    assert dataset.count > 0
    assert min(len(dataset.title), len(dataset.citation), len(dataset.licence)) > 3
    assert dataset.sources
    for source in dataset.sources:
        assert source.kind in ("bundled", "github", "archive", "user")
        if source.kind == "bundled":
            assert len(image_files(ROOT / source.path)) == dataset.count
        elif source.kind == "github":
            assert re.fullmatch(r"[0-9a-f]{40}", source.commit)
            assert re.fullmatch(r"[\w.-]+/[\w.-]+", source.repository)
        else:
            assert source.url.startswith(("https://", "http://"))
        if source.kind in ("github", "archive"):  # their images are recognised by the manifest
            assert dataset.manifest
            assert "{stem}" in source.path
            assert source.path.endswith(IMAGE_SUFFIXES)
            assert set(dict(source.names)) <= set(read_manifest(name)["stem"])


@pytest.mark.parametrize("name", WITH_MANIFEST)
def test_manifest(name: str) -> None:
    manifest = read_manifest(name)
    assert list(manifest.columns) == MANIFEST_COLUMNS
    assert len(manifest) == get_dataset(name).count
    assert manifest["stem"].is_unique
    twins = manifest["stem"][manifest["sha256"].duplicated(keep=False)].tolist()
    assert twins == (["t36", "t65"] if name == "T91" else [])
    assert manifest["sha256"].str.fullmatch("[0-9a-f]{64}").all()
    assert manifest["mode"].isin(["RGB", "L"]).all()
    assert (manifest[["width", "height"]] > 0).all(axis=None)


def test_no_test_image_is_in_a_training_set() -> None:
    pixels = {
        role: set(
            pd.concat([read_manifest(n) for n in WITH_MANIFEST if get_dataset(n).role == role])[
                "sha256"
            ]
        )
        for role in ("train", "test")
    }
    assert not pixels["train"] & pixels["test"]


def test_every_manifest_is_registered() -> None:
    files = {path.name for path in (ROOT / "srlib" / "data" / "manifests").glob("*.csv")}
    assert files == {get_dataset(name).manifest for name in WITH_MANIFEST}


@pytest.mark.parametrize("split", ["train", "heldout"])
def test_bundled_images(split: str) -> None:
    built = build_manifest(ROOT / "data" / split)
    pd.testing.assert_frame_equal(built, read_manifest(f"embedded-{split}"), check_dtype=False)
    assert (built["mode"] == "RGB").all()
    files = list((ROOT / "data" / split).iterdir())
    assert all(path.stat().st_size < 2_000_000 for path in files)
    readme = (ROOT / "data" / "README.md").read_text("utf-8")
    assert all(f"`{split}/{path.name}`" in readme for path in files)


@pytest.mark.parametrize("name", ["Set5", "Set14", "B100", "Urban100", "BSD400", "T91", "CID22"])
def test_manifest_agrees_with_the_mirror(name: str) -> None:
    folder = MIRROR / name / "HR"
    if not folder.is_dir():
        pytest.skip(f"no {name} in the mirror {MIRROR}; set SRLIB_MIRROR")
    files = image_files(folder)
    manifest = read_manifest(name).set_index("stem")
    assert set(files) == set(manifest.index)
    step = {"Urban100": 10, "BSD400": 10, "CID22": 10}.get(name, 1)  # the same tenth, for speed
    for stem in sorted(files)[::step]:
        image = read_image(files[stem])
        assert str(manifest.loc[stem, "sha256"]) in map(pixel_sha256, forms(image)), stem
        assert image.shape[:2] == tuple(manifest.loc[stem, ["height", "width"]])


def test_grey_and_three_equal_channels_are_forms_of_each_other() -> None:
    grey = np.arange(6, dtype=np.uint8).reshape(2, 3)
    rgb = np.stack([grey] * 3, axis=2)
    for image, other in ((grey, rgb), (rgb, grey)):
        own, twin = forms(image)
        np.testing.assert_array_equal(own, image)
        np.testing.assert_array_equal(twin, other)


def test_an_image_with_colour_has_one_form() -> None:
    almost_grey = np.full((2, 3, 3), 7, np.uint8)
    almost_grey[1, 2, 2] = 8
    assert len(forms(almost_grey)) == 1


def test_unknown_name_lists_the_known() -> None:
    with pytest.raises(KeyError, match=r"^dataset 'Set6' is not known; take one of .*Set5, Set14"):
        get_dataset("Set6")


def test_manifest_digest() -> None:
    digest = manifest_digest(["Set5", "Set14"])
    assert digest == manifest_digest(["Set14", "Set5", "Set5"])
    assert digest != manifest_digest(["Set5"])
    with pytest.raises(DatasetError, match=r"Manga109: no manifest yet; write one with"):
        manifest_digest(["Set5", "Manga109"])


def test_pixel_sha256_is_as_documented() -> None:
    # SHA-256 of b"RGB 2 1\n\xff\x00\x00\xff\x00\x00", by sha256sum
    assert pixel_sha256(RED) == "531e3a924604bfa2533fdaa72710e0391713ce037ea1eb1534ec0d5ad0305218"
    assert pixel_sha256(RED) != pixel_sha256(RED.reshape(2, 1, 3))
    assert pixel_sha256(RED[..., 0]) != pixel_sha256(RED)
    wrong: Any
    for wrong in (RED.astype(np.float32), RED[..., :2], RED[0, 0]):
        with pytest.raises(DatasetError, match=r"expected uint8 \(H, W, 3\) or \(H, W\)"):
            pixel_sha256(wrong)


def test_lossless_containers_are_equal(tmp_path: Path) -> None:
    image = np.random.default_rng(0).integers(0, 256, (9, 7, 3), np.uint8)
    for suffix in (".png", ".bmp", ".webp"):
        Image.fromarray(image).save(tmp_path / f"a{suffix}", lossless=True)
        assert np.array_equal(read_image(tmp_path / f"a{suffix}"), image)


def test_what_converts_without_loss(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    red = Image.fromarray(RED)
    for image in (red, red.convert("P"), red.convert("RGBA")):
        image.save(path)
        assert np.array_equal(read_image(path), RED)
    for image in (red.convert("L"), red.convert("L").convert("1"), red.convert("LA")):
        image.save(path)
        assert read_image(path).shape == (1, 2)


def png_16_bit_rgb() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", 2, 1, 16, 2, 0, 0, 0)
    rows = zlib.compress(b"\0" + bytes(12))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    )


def test_what_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.png"
    red = Image.fromarray(RED)

    Image.fromarray(RED[..., 0].astype(np.uint16) * 257).save(path)
    with pytest.raises(DatasetError, match=r"a\.png: more than 8 bits a sample"):
        read_image(path)
    path.write_bytes(png_16_bit_rgb())
    with pytest.raises(DatasetError, match=r"a\.png: more than 8 bits a sample"):
        read_image(path)
    red.convert("CMYK").save(tmp_path / "a.jpg")
    with pytest.raises(DatasetError, match=r"a\.jpg: mode CMYK .* convert it"):
        read_image(tmp_path / "a.jpg")
    clear = red.convert("RGBA")
    clear.putalpha(128)
    clear.save(path)
    with pytest.raises(DatasetError, match=r"a\.png: mode RGBA .*transparency"):
        read_image(path)
    red.save(tmp_path / "a.webp", save_all=True, append_images=[Image.new("RGB", (2, 1))])
    with pytest.raises(DatasetError, match=r"a\.webp: holds several frames"):
        read_image(tmp_path / "a.webp")
    path.write_bytes((ROOT / "data" / "heldout" / "chelsea.png").read_bytes()[:9999])
    with pytest.raises(DatasetError, match=r"a\.png: cannot be decoded"):
        read_image(path)
    with pytest.raises(DatasetError, match=r"b\.png: there is no such file"):
        read_image(tmp_path / "b.png")
    red.resize((20, 20)).save(path)
    for limit in (300, 100):  # Pillow warns above the limit, and raises above twice the limit
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
        with pytest.raises(DatasetError, match=r"a\.png: too many pixels"):
            read_image(path)


def test_image_files(tmp_path: Path) -> None:
    for name in ("b.PNG", "a.jpg", "Thumbs.db", ".a.png"):
        (tmp_path / name).touch()
    assert list(image_files(tmp_path)) == ["a", "b"]
    (tmp_path / "a.bmp").touch()
    with pytest.raises(DatasetError, match=r"a\.bmp and a\.jpg share a stem; remove one"):
        image_files(tmp_path)
    with pytest.raises(DatasetError, match="there is no such folder"):
        image_files(tmp_path / "none")


def test_command_writes_the_manifest(tmp_path: Path) -> None:
    out = tmp_path / "embedded-heldout.csv"
    command = [
        sys.executable,
        "-m",
        "srlib.data.registry",
        str(ROOT / "data" / "heldout"),
        str(out),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.endswith("3 images\n")
    assert out.read_bytes() == (ROOT / "srlib" / "data" / "manifests" / out.name).read_bytes()
    (tmp_path / "empty").mkdir()
    with pytest.raises(DatasetError, match="no image"):
        build_manifest(tmp_path / "empty")
