"""Text of foreign code, in a form that terminals, XML and browsers can show.

An adapter's error message may hold anything: escape sequences that drive a terminal, halves of surrogate
pairs that no file can hold, marks that turn the direction of what follows.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator

__all__ = ["Printable", "printable"]


def printable(text: str) -> str:
    """`text` with everything that does not print, but line ends and tabs, as a Python escape."""
    return "".join(
        letter if letter.isprintable() or letter in "\n\t" else ascii(letter)[1:-1] for letter in text
    )


Printable = Annotated[str, AfterValidator(printable)]
"""A field of a report: what it holds can be shown as it is."""
