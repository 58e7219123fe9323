"""One row for a sound that is heard in several windows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from pmg_clap.features import ClapFeatures
from pmg_sdk.audio import expect_audio
from pmg_sdk.media import Media

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["embed_windows"]


def embed_windows(
    media: Sequence[Media],
    features: ClapFeatures,
    embed: Callable[[Sequence[NDArray[np.float32]]], NDArray[np.float32]],
    *,
    reader: str,
) -> NDArray[np.float32]:
    """Unit rows, shape (len(media), width): of every sound the mean of its windows' rows, made unit.

    Args:
        embed: gives a unit row for each of the waveforms, of all sounds one after another.
        reader: who reads them, for errors.

    Raises:
        CapabilityError: a medium is no sound.
    """
    sounds = [features.pieces(expect_audio(medium, reader)) for medium in media]
    rows = embed([piece for pieces in sounds for piece in pieces])
    if not sounds:
        return rows
    sums = np.add.reduceat(rows, np.cumsum([0, *(len(pieces) for pieces in sounds[:-1])]), axis=0)
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    return np.asarray(sums / np.maximum(lengths, 1e-12), dtype=np.float32)
