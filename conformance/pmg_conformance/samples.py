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

__all__ = ["LONG_TEXT", "ODD", "PATTERNS", "SCRIPTS", "SECRET", "TEXTS", "chats"]

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


def _odd_images() -> list[Media]:
    """A pixel, a strip, a large one."""
    return [Image(np.full(shape, 90, np.uint8)) for shape in ((1, 1, 3), (3, 400, 3), (700, 500, 3))]


def _sounds(count: int) -> list[Media]:
    """Tones, pulses and noise, each another, one to two seconds at 16,000 or 44,100 Hz."""
    made: list[Media] = []
    for number in range(count):
        rate = (16_000, 44_100)[number % 2]
        t = np.arange(rate + rate * (number % 3) // 2) / rate
        tone = np.sin(2 * np.pi * 110 * 2 ** (number % 6) * t)
        noise = np.random.default_rng(number).standard_normal(len(t)) / 3
        beat = 0.5 + 0.5 * np.sign(np.sin(2 * np.pi * (2 + number) * t))
        x = (tone, tone * beat, noise * beat, noise * np.exp(-3 * t))[number % 4]
        made.append(Audio.from_waveform(0.5 * x, rate))
    return made


def _odd_sounds() -> list[Media]:
    """A sample, silence at telephone quality, half a minute of stereo."""
    t = np.arange(30 * 48_000) / 48_000
    chord = 0.3 * np.sin(2 * np.pi * np.array([[220], [330]]) * t)
    return [
        Audio(np.full((1, 1), 9_000, np.int16), 16_000),
        Audio(np.zeros((1, 4_000), np.int16), 8_000),
        Audio.from_waveform(chord, 48_000),
    ]


PATTERNS: dict[str, Callable[[int], list[Media]]] = {"image": _images, "audio": _sounds}
"""Modality -> sample media."""

ODD: dict[str, Callable[[], list[Media]]] = {"image": _odd_images, "audio": _odd_sounds}
"""Modality -> three media of sizes that nobody trained on."""
