"""Tags of sounds: of silence nothing is said."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from pmg_sdk.audio import expect_audio
from pmg_sdk.media import Media
from pmg_tags.captioner import Tag, TagCaptioner

__all__ = ["SoundTagCaptioner"]


class SoundTagCaptioner(TagCaptioner):
    """A tag captioner for sounds; a silent one has no tags: any word fits it as little as another."""

    modality: ClassVar[str] = "audio"

    def tags(self, media: Sequence[Media]) -> list[tuple[Tag, ...]]:
        """What `caption` says of every sound, with the evidence; best first within an attribute."""
        tags = super().tags(media)
        return [
            () if expect_audio(medium, "the captioner").is_silent else said
            for medium, said in zip(media, tags, strict=True)
        ]
