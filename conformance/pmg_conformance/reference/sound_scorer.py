"""Hears in a sound the point it sings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from pmg_conformance.reference.scorer import ReferenceScorer, rows
from pmg_conformance.reference.sound_world import heard
from pmg_sdk.audio import expect_audio
from pmg_sdk.media import Media

__all__ = ["ReferenceSoundScorer"]


class ReferenceSoundScorer(ReferenceScorer):
    """The dual encoder of the toy world, for ears."""

    modality: ClassVar[str] = "audio"

    def embed_media(self, media: Sequence[Media]) -> NDArray[np.float32]:
        return rows([heard(expect_audio(medium, type(self).__name__)) for medium in media])
