"""Two rows of images that are compared one to one."""

from __future__ import annotations

from collections.abc import Sequence

from pmg_sdk.errors import InputError
from pmg_sdk.media import Image

__all__ = ["check_pairs"]


def check_pairs(a: Sequence[Image], b: Sequence[Image], *, smallest: int) -> None:
    """Check that every image has a partner of its own size.

    Args:
        smallest: fewest pixels that either side of an image may have.

    Raises:
        InputError: the numbers or the sizes differ, or an image is too small.
    """
    if len(a) != len(b):
        raise InputError(f"as many images on both sides were expected; got {len(a)} and {len(b)}")
    for index, (one, other) in enumerate(zip(a, b, strict=True)):
        if one.size != other.size:
            raise InputError(
                f"images of one size were expected in a pair; pair {index} has {one.size} and {other.size}. "
                f"Resize both to the size that the report states."
            )
        if min(one.size) < smallest:
            raise InputError(
                f"images of at least {smallest} x {smallest} pixels were expected; "
                f"pair {index} has {one.size}. Scale the pair up."
            )
