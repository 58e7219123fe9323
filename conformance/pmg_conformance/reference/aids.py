"""What the reference adapters are checked with: each helps to check the others."""

from __future__ import annotations

from pmg_conformance.reference.generator import ReferenceGenerator
from pmg_conformance.reference.scorer import ReferenceScorer
from pmg_conformance.reference.sound_generator import ReferenceSoundGenerator
from pmg_conformance.reference.sound_scorer import ReferenceSoundScorer
from pmg_conformance.reference.text_encoder import ReferenceTextEncoder
from pmg_conformance.samples import PATTERNS, TEXTS
from pmg_conformance.subject import Aids
from pmg_conformance.work import request

__all__ = ["reference_aids"]

_MAKERS = {
    "image": (ReferenceGenerator, ReferenceScorer),
    "audio": (ReferenceSoundGenerator, ReferenceSoundScorer),
}


def reference_aids(modality: str | None = None) -> Aids:
    """Media of the sample texts, a scorer that reads them, and another encoder of the same space.

    Args:
        modality: "image" or "audio"; None, of a role that has none, is as "image".
    """
    generator, scorer = _MAKERS[modality or "image"]
    made = generator()
    requests = [request(made, text, seed, steps=None) for seed, text in enumerate(TEXTS)]
    return Aids(
        media=PATTERNS[modality or "image"](6),
        pairs=tuple(zip(TEXTS, made.generate(requests), strict=True)),
        scorer=scorer(),
        twin=ReferenceTextEncoder(),
    )
