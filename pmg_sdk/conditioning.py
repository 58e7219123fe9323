"""E_m, E_k, E^t and how they are weighted and joined (paper, sections 3.3.2 and 3.4).

Facts behind the design:

- A token scaled by 0 still takes softmax mass in cross-attention, so a part of weight 0 is
  left out rather than scaled.
- Token counts act as a hidden weight, so padding never travels: a `Conditioning` holds the
  tokens that mean something, and a backend that must pad masks what it pads.
- There is one pooled vector, however many parts condition: weights can turn it from one part
  towards another, and a length other than the trained ones means nothing to a generator.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Literal

import numpy as np

from pmg_sdk.errors import InputError, SpaceMismatch

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Conditioning", "WeightPair", "Weighting", "join", "weigh"]

Weighting = Literal["scale", "from_empty"]


@dataclass(frozen=True, order=True, init=False)
class WeightPair:
    """w_p, w_t and, inside the preference, w_s: how much each part conditions one candidate.

    All are >= 0 and not all 0; 1 is the strength the generator was trained with. w_s left out is
    w_p, as in the paper: 1:1 and 1:1:1 are one pair, and equal.

    Attributes:
        preference: w_p, of E_k; without a w_s of its own also of E_m, so of E^p = [E_m; E_k].
        target: w_t, of E^t.
        soft: w_s, of E_m.
    """

    preference: float
    target: float
    soft: float

    def __init__(self, preference: float, target: float, soft: float | None = None) -> None:
        values = (preference, target, preference if soft is None else soft)
        if not all(isfinite(value) and value >= 0 for value in values) or max(values) == 0:
            got = "w_p={}, w_t={}, w_s={}".format(*values)
            raise InputError(f"weights are finite, >= 0 and not all 0; got {got}")
        for name, value in zip(("preference", "target", "soft"), values, strict=True):
            object.__setattr__(self, name, value)

    def __str__(self) -> str:
        return ":".join(_shortest(value) for value in self._spelled)

    @property
    def form(self) -> str:
        """What the numbers of the text are: "w_p:w_t", or "w_p:w_t:w_s" where w_s is not w_p."""
        return ":".join(("w_p", "w_t", "w_s")[: len(self._spelled)])

    @classmethod
    def parse(cls, text: str) -> WeightPair:
        """From "w_p:w_t" or "w_p:w_t:w_s", for example "1:0.5" or "1:0.5:0.75"; equal to what was written.

        Raises:
            InputError: the text has another form.
        """
        parts = text.split(":")
        try:
            w_p, w_t, w_s = map(float, parts if len(parts) > 2 else (*parts, parts[0]))
        except ValueError as error:
            raise InputError(
                f"a weight pair looks like 1:0.5 (w_p:w_t) or 1:0.5:0.75 (w_p:w_t:w_s); got {text!r}"
            ) from error
        return cls(w_p, w_t, w_s)

    @property
    def _spelled(self) -> tuple[float, ...]:
        pair = (self.preference, self.target)
        return pair if self.soft == self.preference else (*pair, self.soft)


@dataclass(frozen=True, eq=False)
class Conditioning:
    """Embeddings that condition a generator.

    Attributes:
        embeds: float32, shape (tokens, width); no padding. Pooled-only spaces have 0 tokens.
        pooled: float32, shape (pooled width,), or None where the space has no pooled vector.
        space: name of the text space; conditionings of different spaces never mix.
    """

    embeds: NDArray[np.float32]
    space: str
    pooled: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        if self.embeds.ndim != 2 or self.embeds.dtype != np.float32:
            raise InputError(
                "a Conditioning holds float32 embeds of shape (tokens, width); "
                f"got {self.embeds.dtype} of shape {self.embeds.shape}"
            )
        if self.pooled is not None and (self.pooled.ndim != 1 or self.pooled.dtype != np.float32):
            raise InputError(
                f"pooled is float32 of shape (width,); got {self.pooled.dtype} of shape {self.pooled.shape}"
            )

    @property
    def tokens(self) -> int:
        """How many tokens condition."""
        return len(self.embeds)

    def __repr__(self) -> str:
        pooled = "" if self.pooled is None else f", pooled={self.pooled.shape[0]}"
        return f"Conditioning({self.tokens} tokens x {self.embeds.shape[1]}{pooled}, space={self.space!r})"


def weigh(
    part: Conditioning, weight: float, *, empty: Conditioning | None = None, how: Weighting = "scale"
) -> Conditioning:
    """One part at a weight: w * E ("scale", the paper), or E_0 + w * (E - E_0) ("from_empty").

    Tokens and the pooled vector are weighed alike. E_0 is the encoding of the empty text;
    position i of E is measured against position min(i, last) of E_0, the pooled vector against
    that of E_0.

    Raises:
        InputError: "from_empty" without `empty`, or with one that lacks the tokens or the pooled
            vector which `part` has.
    """
    if weight == 1.0:
        return part
    w = np.float32(weight)
    if how == "scale":
        return Conditioning(part.embeds * w, part.space, None if part.pooled is None else part.pooled * w)
    if empty is None or (part.tokens and not empty.tokens):
        raise InputError("weighting 'from_empty' needs the encoding of the empty text")
    embeds, pooled = part.embeds, part.pooled
    if part.tokens:
        origin = empty.embeds[np.minimum(np.arange(part.tokens), empty.tokens - 1)]
        embeds = origin + w * (embeds - origin)
    if pooled is not None:
        if empty.pooled is None:
            raise InputError(
                "weighting 'from_empty' needs the pooled vector of the empty text, as the part has one; "
                "got an empty text without. Encode it with the encoder of the part."
            )
        pooled = empty.pooled + w * (pooled - empty.pooled)
    return Conditioning(embeds, part.space, pooled)


def join(
    parts: Sequence[tuple[Conditioning, float]],
    *,
    empty: Conditioning | None = None,
    how: Weighting = "scale",
) -> Conditioning:
    """(w_s * E_m, w_p * E_k, w_t * E^t) as one conditioning: equation of section 3.4.

    Parts of weight 0 are left out, the others weighed as `weigh` does and their tokens
    concatenated in order. Parts without a pooled vector, as E_m where it is tokens, have no say in
    the one pooled vector, and parts without tokens none in the tokens, whatever width they state.
    The vector is None where no part has one, else

    - "scale": the direction of the sum of w * pooled, at the weighted mean of the parts' lengths.
      Only the ratio of weights counts, and one part alone keeps its vector at every weight;
    - "from_empty": the mean of the weighed vectors. One part alone moves along the line from E_0.

    Raises:
        InputError: no part has a weight above 0, or as `weigh`.
        SpaceMismatch: the parts live in different spaces.
    """
    used = [(part, weight) for part, weight in parts if weight > 0]
    if not used:
        raise InputError("at least one part with a weight above 0 is needed")
    spaces = {part.space for part, _ in used}
    if len(spaces) > 1:
        raise SpaceMismatch(
            f"parts of one text space were expected; got {sorted(spaces)}. "
            "Use a text encoder whose space is the generator's."
        )
    weighed = [weigh(part, weight, empty=empty, how=how) for part, weight in used]
    told = [part.embeds for part in weighed if part.tokens]
    embeds = np.concatenate(told) if told else weighed[0].embeds
    pooled = [
        (part.pooled.astype(np.float64), weight)
        for part, (_, weight) in zip(weighed, used, strict=True)
        if part.pooled is not None
    ]
    if not pooled:
        return Conditioning(embeds, used[0][0].space)
    vectors = [vector for vector, _ in pooled]
    total = sum(weight for _, weight in pooled)
    joined = np.mean(vectors, axis=0) if how == "from_empty" else _direction_of_sum(vectors, total)
    return Conditioning(embeds, used[0][0].space, joined.astype(np.float32))


def _direction_of_sum(scaled: Sequence[NDArray[np.float64]], total: float) -> NDArray[np.float64]:
    """The sum of vectors scaled by weights of sum `total`, at the weighted mean of their own lengths."""
    combined = np.sum(scaled, axis=0)
    norm = float(np.linalg.norm(combined))
    length = sum(float(np.linalg.norm(vector)) for vector in scaled) / total
    return np.asarray(combined * (length / norm if norm > 0 else 1.0))


def _shortest(value: float) -> str:
    """The fewest digits that are read back as the very number: 1, 0.5, 1e-05; 0 for -0.0 too."""
    return repr(abs(float(value))).removesuffix(".0")
