"""The bytes of a medium from outside, read only when there are not too many of them."""

from __future__ import annotations

from pathlib import Path

from pmg_sdk.errors import MediaCorrupt, MediaTooLarge

__all__ = ["read_limited"]


def read_limited(source: str | Path | bytes, max_bytes: int, what: str) -> bytes:
    """The whole file.

    Args:
        what: was expected, as "an image"; for errors.

    Raises:
        MediaTooLarge: it has more than `max_bytes`; nothing was read.
        MediaCorrupt: it cannot be read.
    """
    if isinstance(source, bytes):
        _check(len(source), max_bytes, what)
        return source
    path = Path(source)
    try:
        _check(path.stat().st_size, max_bytes, what)
        return path.read_bytes()
    except OSError as error:
        raise MediaCorrupt(f"{what} was expected at {path}; {error.strerror}") from error


def _check(size: int, max_bytes: int, what: str) -> None:
    if size > max_bytes:
        raise MediaTooLarge(
            f"{what} of at most {max_bytes:,} bytes was expected; this file has {size:,}. "
            "Make it smaller, or raise max_bytes."
        )
