"""Pictures that cannot be decoded, or should not be, through `pmg generate`."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result

from pmg_sdk import Image

from .conftest import Run

PICTURE = {"history": [{"image": "picture.png"}]}


def png_that_states(width: int, height: int) -> bytes:
    """A true header and no data: sixty bytes that ask for gigabytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b""))


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "cannot be decoded"),
        (b"\x89PNG\r\n\x1a\nnonsense", "cannot be decoded"),
        (Image(np.zeros((64, 64, 3), dtype=np.uint8)).to_bytes()[:60], "cannot be decoded"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "PNG, JPEG, WebP or GIF"),
        (png_that_states(65_000, 65_000), "at most 64,000,000 pixels"),
        (png_that_states(2**31 - 1, 2**31 - 1), "at most 64,000,000 pixels"),
    ],
    ids=["empty", "damaged", "cut", "another format", "bomb", "larger bomb"],
)
def test_a_picture_that_cannot_be_used_is_an_error_that_says_what_can(
    run: Run, refused: Callable[[Result, str], None], data: bytes, told: str
) -> None:
    Path("picture.png").write_bytes(data)
    refused(run(PICTURE), told)


def test_a_giant_file_is_refused_unread(run: Run, refused: Callable[[Result, str], None]) -> None:
    with Path("picture.png").open("wb") as file:
        file.truncate(2**33)
    refused(run(PICTURE), "at most 67,108,864 bytes")


def test_a_large_picture_within_the_limits_is_looked_at(run: Run) -> None:
    Image(np.full((4000, 4000, 3), (30, 30, 220), dtype=np.uint8)).save("picture.png")
    done = run(PICTURE)
    assert done.exit_code == 0, done.output
    assert "likes: blue" in done.stdout
