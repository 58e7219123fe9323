"""Says how high a sound is, and how loud."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from pmg_sdk.audio import Audio, expect_audio
from pmg_sdk.interfaces import Captioner
from pmg_sdk.media import Media
from pmg_sdk.spectrogram import mel_levels

__all__ = ["ReferenceSoundCaptioner"]

_HEIGHTS = ("low", "middle", "high")
_SOFT = -30.0
"""dBFS; what is softer is called quiet."""


class ReferenceSoundCaptioner(Captioner):
    """Two words: the third of the bands that holds the loudest, and quiet or loud; or silence."""

    modality: ClassVar[str] = "audio"

    def caption(self, media: Sequence[Media]) -> list[str]:
        return [_told(expect_audio(medium, type(self).__name__)) for medium in media]


def _told(sound: Audio) -> str:
    if sound.is_silent:
        return "silence"
    loudest = mel_levels(sound.waveform, sound.sample_rate, bands=3, columns=1)[:, 0].argmax()
    return f"{_HEIGHTS[int(loudest)]}, {'quiet' if sound.loudness < _SOFT else 'loud'}"
