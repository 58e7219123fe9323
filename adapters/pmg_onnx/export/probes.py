"""What an export is compared on: texts of every length and many scripts, pictures of many shapes, sounds."""

from __future__ import annotations

import numpy as np

from pmg_sdk.audio import Audio
from pmg_sdk.media import Image

__all__ = ["CALIBRATION", "TEXTS", "pictures", "sounds"]

TEXTS = (
    "",
    "cat",
    "dog face, glossy 3D style",
    "a red apple on a blue table",
    "A LOUD, Mixed-Case title; with (brackets) & 100% punctuation!",
    "soft piano and rain, 90 bpm, warm and slow",
    "un chat noir mange une crème brûlée à Besançon",
    "狗 和 猫 在 花园 里",
    "كلب سعيد 🐶🎉",
    "smiling face with heart eyes, flat design style, black outline, high contrast",
    "a watercolour painting of a quiet harbour at dawn, with fishing boats, gulls and a lighthouse far away "
    "behind the fog, painted on rough paper in muted greens and greys",
    "word " * 120,
)


CALIBRATION = (
    "",
    "a",
    "rocket",
    "happy cat, 3D render, soft light",
    "the quick brown fox jumps over the lazy dog",
    "poster of a science fiction film: two astronauts, a red planet, bold letters",
    "pizza, slice of cheese pizza, food, black outline style",
    "medieval dress with wide sleeves, dark green velvet, golden embroidery, front view, studio photograph",
    "calm ambient music with strings; slow tempo; no drums (instrumental)",
    "ein altes Haus am Rand des Waldes, 1890",
    "gato preto, fundo branco; perro y gato",
    "音楽 を 聴く 犬",
    "Счастливый робот 🤖 !!!",
    "50% OFF -- BUY NOW?! #sale @home https://example.org/a_b-c",
    "an oil painting in the style of the seventeenth century that shows a merchant, his family and a "
    "small dog in front of a window, with a map on the wall and a bowl of fruit on the table",
    "and then " * 60,
)
"""What the channels of activations are measured on; other texts than those that are compared."""


def pictures(seed: int = 0) -> list[Image]:
    """Colours, edges and noise, upright, lying, square, small and large; always the same for a seed."""
    random = np.random.default_rng(seed)
    found = []
    for height, width in ((128, 128), (224, 224), (300, 200), (199, 301), (40, 64), (512, 512)):
        y, x = np.mgrid[0:height, 0:width] / max(height, width)
        angle = random.uniform(0, 6, (3, 3))
        waves = np.stack([np.sin(20 * (x * a + y * b) + c) for a, b, c in angle], axis=-1)
        disc = ((x - 0.4) ** 2 + (y - 0.4) ** 2 < 0.05)[..., None] * random.uniform(-2, 2, 3)
        noise = random.normal(0, 0.15, (height, width, 3))
        values = np.clip((waves + disc + noise + 1) * 127.5, 0, 255)
        found.append(Image(values.astype(np.uint8)))
    return found


def sounds(rate: int, seconds: float, seed: int = 0) -> list[Audio]:
    """Chords, beats and noise, soft and loud, mono and stereo, and silence; always the same for a seed.

    Args:
        rate: samples a second, Hz.
        seconds: what a model hears at once; the sounds are from a tenth to two and a half times as long.
    """
    random = np.random.default_rng(seed)
    found = [Audio(np.zeros((1, max(round(0.3 * seconds * rate), 1)), np.int16), rate)]
    for length, channels in ((0.1, 1), (0.5, 2), (0.9, 1), (1.0, 1), (1.001, 1), (1.7, 2), (2.5, 1)):
        time = np.arange(max(round(length * seconds * rate), 1)) / rate
        pitches = random.uniform(np.log(60), np.log(0.45 * rate), (3, channels, 1))
        chord = np.sin(2 * np.pi * np.exp(pitches) * time).mean(axis=0)
        beat = np.exp(-random.uniform(2, 20) * (time * random.uniform(1, 6) % 1))
        noise = random.normal(0, 1, (channels, len(time)))
        mixed = random.uniform(0.05, 0.6) * chord * beat + 10 ** random.uniform(-3, -0.7) * noise
        found.append(Audio.from_waveform(mixed, rate))
    return found
