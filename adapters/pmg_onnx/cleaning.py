"""What open_clip does to a text before its tokenizer sees it."""

from __future__ import annotations

import html
import string
from collections.abc import Callable

from pmg_onnx.missing import expect

__all__ = ["cleaner"]

_PUNCTUATION = str.maketrans("", "", string.punctuation)


def cleaner(name: str) -> Callable[[str], str]:
    """The function called `name` in open_clip's settings; "" changes nothing."""
    return {"": _nothing, "whitespace": _whitespace, "lower": _lower, "canonicalize": _canonicalize}[name]


def _nothing(text: str) -> str:
    return text


def _whitespace(text: str) -> str:
    repaired: str = expect("ftfy").fix_text(text)
    return " ".join(html.unescape(html.unescape(repaired)).split())


def _lower(text: str) -> str:
    return _whitespace(text).lower()


def _canonicalize(text: str) -> str:
    plain = _whitespace(text).replace("_", " ").translate(_PUNCTUATION).lower()
    return " ".join(plain.split())
