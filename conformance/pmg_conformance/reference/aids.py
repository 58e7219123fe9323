"""What the reference adapters are checked with: each helps to check the others."""

from __future__ import annotations

from pmg_conformance.reference.generator import ReferenceGenerator
from pmg_conformance.reference.scorer import ReferenceScorer
from pmg_conformance.reference.text_encoder import ReferenceTextEncoder
from pmg_conformance.samples import PATTERNS, TEXTS
from pmg_conformance.subject import Aids
from pmg_conformance.work import request

__all__ = ["reference_aids"]


def reference_aids() -> Aids:
    """Pictures of the sample texts, a scorer that reads them, and another encoder of the same space."""
    generator = ReferenceGenerator()
    requests = [request(generator, text, seed, steps=None) for seed, text in enumerate(TEXTS)]
    pictures = generator.generate(requests)
    return Aids(
        media=PATTERNS["image"](6),
        pairs=tuple(zip(TEXTS, pictures, strict=True)),
        scorer=ReferenceScorer(),
        twin=ReferenceTextEncoder(),
    )
