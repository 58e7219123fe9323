"""What checks feed to adapters: media, texts and prompts that everybody can read."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from pmg_sdk.audio import Audio
from pmg_sdk.media import Image

if TYPE_CHECKING:
    from pmg_sdk.interfaces import Chat
    from pmg_sdk.media import Media

__all__ = ["LONG_TEXT", "PATTERNS", "SCRIPTS", "SECRET", "TEXTS", "chats"]

TEXTS = ("a red cat", "blue rocket, happy", "a green frog sleeps", "robot, pixelated, yellow")
"""Short keywords, each another."""

SCRIPTS = (
    "笑っている猫",
    "кошка смеётся",
    "قطة سعيدة",
    "बिल्ली हँसती है",
    "😀🐈‍⬛",
    "cafe\u0301 n\u0303",
    "\u202eabc\u202c \u200b",
    "tab\there, line\nthere",
)
"""Other scripts, emoji, combining marks, direction marks, control characters."""

LONG_TEXT = ", ".join(f"word{number} red cat" for number in range(600))
"""Longer than any encoder takes, and than most language models."""

SECRET = "zyxwqomarker"
"""Stands in behaviour text; must never be seen in a log."""


def chats() -> list[Chat]:
    """Prompts as the SDK writes them: a principle, what the user did, a question."""
    return [
        [
            {"role": "system", "content": "Extract what the user prefers. Answer with a few keywords."},
            {"role": "user", "content": f"The user liked: {text}. What does the user like to see?"},
        ]
        for text in TEXTS
    ]


def _images(count: int) -> list[Media]:
    """Two-coloured pictures, each another, 96 x 96."""
    colours = np.array(
        [(220, 30, 30), (30, 30, 220), (30, 180, 30), (240, 220, 40), (250, 250, 250), (20, 20, 20)], np.uint8
    )
    made: list[Media] = []
    for number in range(count):
        pixels = np.empty((96, 96, 3), np.uint8)
        pixels[:] = colours[number % len(colours)]
        pixels[24:72, 24 : 40 + 8 * (number % 5)] = colours[(number * 2 + 1) % len(colours)]
        made.append(Image(pixels))
    return made


def _sounds(count: int) -> list[Media]:
    """Tones with an overtone, each another, 1.5 s at 16 kHz."""
    time = np.arange(24000) / 16000
    made: list[Media] = []
    for number in range(count):
        pitch = 2 * np.pi * 110 * 1.5 ** (number % 9) * time
        beat = 0.5 + 0.5 * np.sin(2 * np.pi * (1 + number % 5) * time)
        made.append(Audio.from_waveform(0.3 * beat * (np.sin(pitch) + 0.5 * np.sin(3 * pitch)), 16000))
    return made


PATTERNS: dict[str, Callable[[int], list[Media]]] = {"image": _images, "audio": _sounds}
"""Modality -> drawn sample media."""
