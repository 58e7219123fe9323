"""What an adapter does, as batches of independent items, so that one check serves every role.

A generator makes a medium for every request, an encoder embeds every text, a captioner describes every
medium: that answers come in order, one each, the same alone or together, is one rule, not seven.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pmg_conformance.contents import perceived
from pmg_conformance.samples import LONG_TEXT, SECRET, TEXTS, chats
from pmg_sdk.conditioning import Conditioning
from pmg_sdk.interfaces import GenerationRequest
from pmg_sdk.media import Media

if TYPE_CHECKING:
    from pmg_conformance.subject import Subject

__all__ = ["MEDIA_TOLERANCE", "TOLERANCE", "Work", "as_numbers", "request", "works_of"]

TOLERANCE = 1e-4
"""Largest relative difference of embeddings that should be equal."""

MEDIA_TOLERANCE = 2.0
"""Largest difference of media that should be equal, in 1/255 of their range: the mean over a 256th part of
what is perceived, wherever that is largest, so that a small subject on a large page counts."""


@dataclass(frozen=True)
class Work:
    """One batched method of an adapter.

    Attributes:
        name: of the method.
        samples: different items, at least three; adapters are given copies, see `items`.
        secrets: items that carry the marker `SECRET` in behaviour text, one short and one too long to be
            used whole; none where items carry no text.
        do: the method: an adapter and items to a list of answers, one each.
        tolerance: of `distance`.
        exact: whether answers are text, which is equal or not.
    """

    name: str
    samples: tuple[Any, ...]
    do: Callable[[Any, Sequence[Any]], Sequence[Any]]
    tolerance: float = TOLERANCE
    exact: bool = False
    secrets: tuple[Any, ...] = ()

    @property
    def items(self) -> tuple[Any, ...]:
        """New copies of the samples: what one check's adapter does to its items, no other check sees."""
        return copy.deepcopy(self.samples)

    def distance(self, one: Any, other: Any) -> float:
        """0 for equal answers; infinite for answers of different shape."""
        if self.exact:
            return 0.0 if one == other else float("inf")
        a, b = as_numbers(one), as_numbers(other)
        if a.shape != b.shape:
            return float("inf")
        apart = np.abs(a - b)
        difference = _worst_part(apart) if isinstance(one, Media) else float(apart.max())
        scale = 1.0 if isinstance(one, Media) else max(float(np.abs(a).max()), 1e-6)
        return difference / scale if np.isfinite(difference) else float("inf")

    def same(self, one: Any, other: Any) -> bool:
        """Whether two answers are equal within the tolerance."""
        return self.distance(one, other) <= self.tolerance


def as_numbers(answer: Any) -> NDArray[np.float64]:
    """An answer as an array; media as they are perceived, 0 to 255."""
    if isinstance(answer, Conditioning):
        pooled = [] if answer.pooled is None else [answer.pooled.ravel()]
        return np.concatenate([answer.embeds.ravel(), *pooled]).astype(np.float64)
    if isinstance(answer, Media):
        return perceived(answer)
    return np.asarray(answer, dtype=np.float64)


def _worst_part(apart: NDArray[np.float64]) -> float:
    """The largest mean over 16 x 16 parts of the differences of two media."""
    rows = np.array_split(apart, min(16, apart.shape[0]))
    parts = [part for row in rows for part in np.array_split(row, min(16, apart.shape[1]), axis=1)]
    return max(float(part.mean()) for part in parts)


def request(adapter: Any, text: str, seed: int, **fields: Any) -> GenerationRequest:
    """A request for `text`, encoded by the generator's own encoder where it has one."""
    encoder = adapter.text_encoder
    conditioning = fields.pop("conditioning", None)
    if conditioning is None and encoder is not None:
        (conditioning,) = encoder.encode([text])
    fields.setdefault("steps", 2)
    return GenerationRequest(seed=seed, conditioning=conditioning, text=text, **fields)


def works_of(subject: Subject) -> tuple[Work, ...]:
    """What the subject's role does."""
    marked = (f"{TEXTS[0]}, {SECRET}", f"{LONG_TEXT}, {SECRET}")
    if subject.kind == "generator":
        adapter = subject.adapter
        items = tuple(request(adapter, text, seed) for seed, text in enumerate(TEXTS[:3]))
        return (
            Work(
                "generate",
                items,
                lambda made, requests: made.generate(requests),
                MEDIA_TOLERANCE,
                secrets=tuple(request(adapter, text, 0) for text in marked),
            ),
        )
    if subject.kind == "text_encoder":
        return (Work("encode", TEXTS, lambda made, texts: made.encode(texts), secrets=marked),)
    if subject.kind == "soft_preference":
        return (Work("encode", TEXTS, lambda made, prompts: made.encode(prompts), secrets=marked),)
    if subject.kind == "llm":
        asked = chats()
        secret = [{"role": "user", "content": f"The user liked: {marked[0]}. What do they like to see?"}]
        return (
            Work(
                "complete",
                tuple(asked),
                lambda made, prompts: made.complete(prompts, max_tokens=8),
                exact=True,
                secrets=(secret,),
            ),
        )
    media = tuple(subject.media(4))
    if subject.kind == "captioner":
        return (Work("caption", media, lambda made, items: made.caption(items), exact=True),)
    return (
        Work("embed_text", TEXTS, lambda made, texts: list(made.embed_text(texts)), secrets=marked),
        Work("embed_media", media, lambda made, items: list(made.embed_media(items))),
    )
