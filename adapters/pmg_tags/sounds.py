"""Tags of sounds: of silence nothing is said."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from pmg_sdk.audio import FULL_SCALE, Audio
from pmg_sdk.media import Media
from pmg_tags.captioner import Tag, TagCaptioner

__all__ = ["SoundTagCaptioner"]

SILENCE = 1e-3
"""A sound that nowhere exceeds this part of full scale (-60 dB) is silent."""


class SoundTagCaptioner(TagCaptioner):
    """A tag captioner for sounds; a silent one has no tags: any word fits it as little as another."""

    modality: ClassVar[str] = "audio"

    def tags(self, media: Sequence[Media]) -> list[tuple[Tag, ...]]:
        """What `caption` says of every sound, with the evidence; best first within an attribute."""
        tags = super().tags(media)
        return [() if _silent(medium) else said for medium, said in zip(media, tags, strict=True)]


def _silent(medium: Media) -> bool:
    if not isinstance(medium, Audio) or not medium.samples.size:
        return True
    # As floats: the magnitude of the lowest int16 is no int16.
    return float(np.abs(medium.samples.astype(np.float32)).max()) < SILENCE * FULL_SCALE
