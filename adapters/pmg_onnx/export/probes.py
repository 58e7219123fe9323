"""What an export is compared on: texts of every length and many scripts."""

from __future__ import annotations

__all__ = ["TEXTS"]

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
