"""What will be made: one candidate for every weight pair and noise (paper, section 3.4).

    M = Generator(w_p * E^p, w_t * E^t)        E^p = [E_m; E_k]

A pair with a w_s of its own weighs E_m apart from E_k: E^p is then [w_s * E_m; w_p * E_k].

All weight pairs of one noise share its seed, so what differs between them is the weights alone.
A generator of kind "sequence" or "pooled" is conditioned through `conditioning.join`; one that
takes only text gets the heavier part first and as often as it is heavier.

For a user nothing is known of there is no E^p: one unpersonalised candidate a noise is made,
at w_p:w_t = 0:1.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from pmg_sdk.answers import one_for_each
from pmg_sdk.conditioning import Conditioning, WeightPair, join
from pmg_sdk.config import PMGConfig
from pmg_sdk.errors import ConfigError, InputError, SpaceMismatch
from pmg_sdk.interfaces import GenerationRequest, GeneratorSpec, TextEncoder
from pmg_sdk.keywords import Keywords, fit
from pmg_sdk.preference import UserPreference
from pmg_sdk.target import Target

__all__ = ["UNPERSONALISED", "Draft", "KeywordParts", "Plan", "noise_seed", "plan", "weighted_text"]

UNPERSONALISED = WeightPair(0, 1)
"""The one pair that is tried when nothing is known of the user."""

_MOST_REPEATS = 3


@dataclass(frozen=True)
class KeywordParts:
    """Keywords by what they are for: k^p, k^t and what to stay away from."""

    preference: Keywords = field(default_factory=Keywords)
    target: Keywords = field(default_factory=Keywords)
    avoided: Keywords = field(default_factory=Keywords)


@dataclass(frozen=True, eq=False)
class Draft:
    """A candidate before it is made: its weights and the request to the generator."""

    weights: WeightPair
    request: GenerationRequest


@dataclass(frozen=True, eq=False)
class Plan:
    """Everything the generator and the scorer need.

    Attributes:
        drafts: one for every candidate; all pairs of the first noise, then of the next. Of pairs that
            come to the same for this user one is made, of those that leave nothing to condition none.
        keywords: what media are scored against: k^p and k^t whole.
        dropped: keywords beyond the text encoder's limit; they condition nothing.
        warnings: what went differently than asked.
    """

    drafts: tuple[Draft, ...]
    keywords: KeywordParts
    dropped: KeywordParts
    warnings: tuple[str, ...] = ()


def plan(
    preference: UserPreference,
    target: Target,
    *,
    config: PMGConfig,
    spec: GeneratorSpec,
    encoder: TextEncoder | None,
    seed: int,
) -> Plan:
    """Lay out the grid of weights and noises, with every part's text encoded in one batch.

    Args:
        encoder: turns keywords into E_k; not needed by generators that take only text.
        seed: the noises follow from it and from nothing else.

    Raises:
        InputError: the target has no keywords, so there is nothing to show.
        ConfigError: the generator needs a text encoder and there is none.
        SpaceMismatch: the encoder's or E_m's space is not the generator's; E_m is looked at where it
            conditions.
    """
    if not target.keywords:
        raise InputError("a target with keywords was expected; got none. Describe what is to be shown.")
    keywords = KeywordParts(preference.keywords, target.keywords, preference.avoided)
    used, warnings = _used(keywords, config, spec)
    soft, soft_warnings = _soft(preference.soft if config.use_soft else None, spec)
    warnings += soft_warnings
    if spec.conditioning == "text":
        kept, dropped = used, KeywordParts()
        parts = _Parts()
    else:
        encoder = _matching(encoder, spec)
        kept, dropped = _fitted(used, encoder)
        parts = _encoded(kept, soft, encoder, with_empty=config.weighting == "from_empty")
    pairs = _distinct(config.pairs, soft=soft is not None, keywords=bool(kept.preference))
    personal = bool(pairs)
    if personal and len(pairs) < len(config.pairs):
        warnings.append(
            f"{len(config.pairs) - len(pairs)} of {len(config.pairs)} weight pairs make no candidate of "
            "their own for this user and were left out"
        )
    if not personal and keywords.preference:
        warnings.append("no preference keyword conditions the generator: the result is not personalised")
    elif not personal:
        warnings.append(
            "nothing is known of what the user likes: the result is not personalised, z = log d_t"
        )
    elif not keywords.preference:
        warnings.append("there are no preference keywords to score against: z = log d_t")
    warnings += _about_dropped(dropped)
    drafts = tuple(
        Draft(pair, _request(pair, noise_seed(seed, index), kept, parts, config))
        for index in range(config.seeds_per_pair)
        for pair in pairs or (UNPERSONALISED,)
    )
    return Plan(drafts, keywords, dropped, tuple(warnings))


def noise_seed(seed: int, index: int) -> int:
    """The seed of noise `index`, 0 to 2^32 - 1: the same on every machine and in every version."""
    return int.from_bytes(hashlib.sha256(f"pmg-noise:{seed}:{index}".encode()).digest()[:4], "big")


def weighted_text(preference: Keywords, target: Keywords, weights: WeightPair) -> str:
    """Weights as words: the heavier part first, repeated round(heavier / lighter) times, at most 3.

    A part of weight 0 is left out; at equal weights the target leads. w_s has no words to repeat.
    """
    parts = [(weights.target, target), (weights.preference, preference)]
    parts = [(weight, part) for weight, part in parts if weight > 0 and part]
    parts.sort(key=lambda pair: -pair[0])
    lightest = min((weight for weight, _ in parts), default=1.0)
    repeated = [
        part.text for weight, part in parts for _ in range(min(_MOST_REPEATS, round(weight / lightest)))
    ]
    return ", ".join(repeated)


@dataclass(frozen=True, eq=False)
class _Parts:
    """E_m, E_k, E^t, what to stay away from and E_0, where there are any."""

    soft: Conditioning | None = None
    preference: Conditioning | None = None
    target: Conditioning | None = None
    negative: Conditioning | None = None
    empty: Conditioning | None = None


def _distinct(pairs: Sequence[WeightPair], *, soft: bool, keywords: bool) -> tuple[WeightPair, ...]:
    """The pairs that differ where E_m, E_k or both can condition, each once; none where neither can.

    The weight of a part that is not there is that of the other: without E_m, 1:0.5:2 is 1:0.5.
    """
    if not (soft or keywords):
        return ()
    found: dict[WeightPair, None] = {}
    for pair in pairs:
        w_p = pair.preference if keywords else pair.soft
        w_s = pair.soft if soft else pair.preference
        if w_p or w_s or pair.target:
            found[WeightPair(w_p, pair.target, w_s)] = None
    return tuple(found)


def _used(keywords: KeywordParts, config: PMGConfig, spec: GeneratorSpec) -> tuple[KeywordParts, list[str]]:
    warnings = []
    # What is asked for is asked for, also by a user who turned it down before.
    asked = {text.casefold() for text in keywords.target.texts}
    avoided = tuple(entry for entry in keywords.avoided.items if entry.text.casefold() not in asked)
    if len(avoided) < len(keywords.avoided.items):
        warnings.append("the target is something the user turned down before: it is shown all the same")
        keywords = replace(keywords, avoided=Keywords(avoided))
    if keywords.avoided and not spec.negative:
        warnings.append("the generator cannot stay away from things: disliked items are not used")
        keywords = replace(keywords, avoided=Keywords())
    if not config.use_keywords:
        keywords = replace(keywords, preference=Keywords())
    return keywords, warnings


def _soft(E_m: Conditioning | None, spec: GeneratorSpec) -> tuple[Conditioning | None, list[str]]:
    """E_m where the generator can take it, else why it is not used."""
    if E_m is None:
        return None, []
    if spec.conditioning == "text":
        return None, ["the generator takes only text: the soft preference embeddings are not used"]
    if E_m.space != spec.space:
        raise SpaceMismatch(
            f"soft preference embeddings of space {spec.space!r} were expected, the generator's; got some of "
            f"space {E_m.space!r}. Make the preference again for this generator, or set use_soft=false."
        )
    if spec.conditioning == "pooled" and E_m.pooled is None:
        return None, ["the generator takes one vector: the soft preference embeddings are not used"]
    if spec.conditioning == "sequence" and not E_m.tokens:
        return None, ["the generator takes tokens: the soft preference embeddings are not used"]
    return E_m, []


def _matching(encoder: TextEncoder | None, spec: GeneratorSpec) -> TextEncoder:
    if encoder is None:
        raise ConfigError(
            "config field 'text_encoder': the generator takes embeddings and brings no encoder of its own; "
            f"choose one whose space is {spec.space!r}"
        )
    if encoder.space != spec.space:
        raise SpaceMismatch(
            f"a text encoder of space {spec.space!r} was expected, the generator's; "
            f"got one of space {encoder.space!r}. Leave text_encoder out to take the generator's own."
        )
    return encoder


def _fitted(keywords: KeywordParts, encoder: TextEncoder) -> tuple[KeywordParts, KeywordParts]:
    pairs = [
        fit(part, encoder) if part else (part, Keywords())
        for part in (keywords.preference, keywords.target, keywords.avoided)
    ]
    if not pairs[1][0]:
        # Not even one target keyword fits whole: the encoder shows the beginning of the first.
        first, *rest = keywords.target.items
        pairs[1] = Keywords((first,)), Keywords(tuple(rest))
    return KeywordParts(*(kept for kept, _ in pairs)), KeywordParts(*(dropped for _, dropped in pairs))


def _encoded(
    kept: KeywordParts, soft: Conditioning | None, encoder: TextEncoder, *, with_empty: bool
) -> _Parts:
    texts = [part.text for part in (kept.preference, kept.target, kept.avoided) if part]
    if with_empty:
        texts.append("")
    E = one_for_each(encoder.encode(texts), texts, f"the text encoder {type(encoder).__name__}")
    encoded = dict(zip(texts, E, strict=True))
    E_k = encoded.get(kept.preference.text) if kept.preference else None
    return _Parts(
        soft=soft,
        preference=E_k,
        target=encoded.get(kept.target.text),
        negative=encoded.get(kept.avoided.text) if kept.avoided else None,
        empty=encoded.get(""),
    )


def _request(
    weights: WeightPair, seed: int, kept: KeywordParts, parts: _Parts, config: PMGConfig
) -> GenerationRequest:
    weighed = [
        (parts.soft, weights.soft),
        (parts.preference, weights.preference),
        (parts.target, weights.target),
    ]
    present = [(part, weight) for part, weight in weighed if part is not None]
    return GenerationRequest(
        seed=seed,
        conditioning=join(present, empty=parts.empty, how=config.weighting) if present else None,
        negative=parts.negative,
        text=weighted_text(kept.preference, kept.target, weights),
        negative_text=kept.avoided.text,
        steps=config.steps,
        guidance=config.guidance,
    )


def _about_dropped(dropped: KeywordParts) -> list[str]:
    named: Sequence[tuple[str, Keywords]] = (
        ("preference", dropped.preference),
        ("target", dropped.target),
        ("avoided", dropped.avoided),
    )
    return [
        f"{len(part.items)} {name} keywords beyond the text encoder's limit were dropped: {part.text}"
        for name, part in named
        if part
    ]
