"""Tags of sounds: of silence nothing is said."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from pmg_sdk.audio import expect_audio
from pmg_sdk.media import Media
from pmg_tags.captioner import Tag, TagCaptioner

__all__ = ["A_SOUND", "SoundTagCaptioner", "unless_silent"]

A_SOUND = "a sound"
"""What is said of a sound of which nothing else is."""


class SoundTagCaptioner(TagCaptioner):
    """A tag captioner for sounds; a silent one has no tags: any word fits it as little as another."""

    modality: ClassVar[str] = "audio"

    def tags(self, media: Sequence[Media]) -> list[tuple[Tag, ...]]:
        """What `caption` says of every sound, with the evidence; best first within an attribute."""
        return unless_silent(media, super().tags(media))


def unless_silent(media: Sequence[Media], tags: Sequence[tuple[Tag, ...]]) -> list[tuple[Tag, ...]]:
    """The tags of every sound, none of a silent one.

    Raises:
        CapabilityError: a medium is no sound.
    """
    return [
        () if expect_audio(medium, "the captioner").is_silent else said
        for medium, said in zip(media, tags, strict=True)
    ]
