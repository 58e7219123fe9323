"""Images from outside: checked before they are decoded, refused with a typed error."""

from __future__ import annotations

import io
import resource
import struct
import sys
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pmg_sdk import Behavior, Image
from pmg_sdk.errors import BehaviorError, MediaCorrupt, MediaTooLarge, StorageError

images = st.tuples(st.integers(1, 6), st.integers(1, 6)).flatmap(
    lambda size: arrays(np.uint8, (*size, 3)).map(Image)
)
PICTURE = Image(np.arange(4 * 5 * 3, dtype=np.uint8).reshape(4, 5, 3))


def png_that_states(width: int, height: int) -> bytes:
    """A PNG with a true header and almost no data: a decompression bomb in 60 bytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def encoded(image: PIL.Image.Image, kind: str) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format=kind)
    return buffer.getvalue()


@given(images)
def test_an_image_survives_its_own_bytes(image: Image) -> None:
    assert Image.open(image.to_bytes()) == image


def test_an_image_survives_a_file(tmp_path: Path) -> None:
    assert Image.open(PICTURE.save(tmp_path / "new" / "picture.png")) == PICTURE


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
def test_the_usual_formats_are_read(kind: str) -> None:
    red = PIL.Image.new("RGB", (9, 7), (250, 10, 10))
    opened = Image.open(encoded(red, kind))
    assert opened.size == (9, 7)
    assert np.abs(opened.pixels.astype(int) - (250, 10, 10)).max() < 12


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "1", "L", "CMYK", "I;16"])
def test_every_colour_mode_becomes_rgb(mode: str) -> None:
    kind = "JPEG" if mode == "CMYK" else "PNG"
    assert Image.open(encoded(PIL.Image.new(mode, (3, 2)), kind)).pixels.shape == (2, 3, 3)


def test_transparency_goes_onto_the_background() -> None:
    clear = encoded(PIL.Image.new("RGBA", (1, 1), (0, 0, 0, 0)), "PNG")
    assert Image.open(clear).pixels.tolist() == [[[255, 255, 255]]]
    assert Image.open(clear, background=(1, 2, 3)).pixels.tolist() == [[[1, 2, 3]]]


@pytest.mark.parametrize("cut", [0, 1, 8, 30, 60, -60])
def test_a_truncated_image_is_corrupt(cut: int) -> None:
    noise = Image(np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8))
    with pytest.raises(MediaCorrupt):
        Image.open(noise.to_bytes()[:cut])


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_corrupt(data: bytes) -> None:
    with pytest.raises(MediaCorrupt):
        Image.open(data)


@given(st.integers(33, 200), st.integers(1, 255))
def test_a_damaged_byte_is_corrupt_or_harmless(position: int, flip: int) -> None:
    data = bytearray(PICTURE.to_bytes())
    data[position % len(data)] ^= flip
    try:
        Image.open(bytes(data))
    except (MediaCorrupt, MediaTooLarge):
        return


@pytest.mark.parametrize("kind", ["TIFF", "BMP", "PPM", "ICO"])
def test_formats_nobody_needs_are_not_even_tried(kind: str) -> None:
    with pytest.raises(MediaCorrupt, match="PNG, JPEG, WebP or GIF"):
        Image.open(encoded(PIL.Image.new("RGB", (16, 16)), kind))


@pytest.mark.parametrize(("width", "height"), [(2**31 - 1, 2**31 - 1), (100_000, 100_000), (65_000_000, 1)])
def test_a_decompression_bomb_is_refused_before_decoding(width: int, height: int) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(MediaTooLarge, match="64,000,000 pixels"):
            Image.open(png_that_states(width, height))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8_000_000


def test_a_giant_image_says_what_is_allowed() -> None:
    with pytest.raises(MediaTooLarge, match="at most 19 pixels was expected; this one states 5 x 4"):
        Image.open(PICTURE.to_bytes(), max_pixels=19)


def test_a_giant_file_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "giant.png"
    with path.open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(MediaTooLarge, match="1,099,511,627,776"):
        Image.open(path)


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(MediaCorrupt, match=r"nowhere\.png"):
        Image.open(tmp_path / "nowhere.png")
    with pytest.raises(MediaCorrupt):
        Image.open(tmp_path)


@pytest.mark.parametrize("name", ["/etc/hostname", "../secret.png", "sub/../../secret.png"])
def test_a_behaviour_file_reads_no_image_outside_its_folder(tmp_path: Path, name: str) -> None:
    PICTURE.save(tmp_path / "secret.png")
    with pytest.raises(BehaviorError, match="must lie in the behaviour file's folder"):
        Behavior.from_mapping({"history": [{"image": name}]}, folder=tmp_path / "data")


def test_a_link_out_of_the_folder_is_refused_too(tmp_path: Path) -> None:
    PICTURE.save(tmp_path / "secret.png")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "link.png").symlink_to(tmp_path / "secret.png")
    with pytest.raises(BehaviorError):
        Behavior.from_mapping({"history": [{"image": "link.png"}]}, folder=tmp_path / "data")


@pytest.mark.skipif(sys.platform == "win32", reason="file size limits are POSIX")
def test_a_disk_that_fills_up_leaves_the_old_file(tmp_path: Path) -> None:
    """The kernel refuses to write on: the picture that was there stays, and nothing else remains."""
    path = PICTURE.save(tmp_path / "picture.png")
    large = Image(np.random.default_rng(0).integers(0, 256, (200, 200, 3), dtype=np.uint8))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        with pytest.raises(StorageError, match="nothing was changed"):
            large.save(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert Image.open(path) == PICTURE
    assert [entry.name for entry in tmp_path.iterdir()] == ["picture.png"]
