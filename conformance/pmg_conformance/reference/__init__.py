"""One small adapter for every role, in plain numpy: the contract by example, and what tests run on.

They share a toy world: a word is a direction in 8 dimensions, a picture is a 4 x 4 grid of colours
that shows a point of that space, a sound is a chord of 8 tones, so personalisation can be seen, heard and
measured without a model.
"""

from __future__ import annotations

from pmg_conformance.reference.captioner import ReferenceCaptioner
from pmg_conformance.reference.generator import ReferenceGenerator
from pmg_conformance.reference.language_model import ReferenceLanguageModel
from pmg_conformance.reference.scorer import ReferenceScorer
from pmg_conformance.reference.soft_preference import ReferenceSoftPreferenceEncoder
from pmg_conformance.reference.sound_captioner import ReferenceSoundCaptioner
from pmg_conformance.reference.sound_generator import ReferenceSoundGenerator
from pmg_conformance.reference.sound_scorer import ReferenceSoundScorer
from pmg_conformance.reference.text_encoder import ReferenceTextEncoder

__all__ = [
    "ReferenceCaptioner",
    "ReferenceGenerator",
    "ReferenceLanguageModel",
    "ReferenceScorer",
    "ReferenceSoftPreferenceEncoder",
    "ReferenceSoundCaptioner",
    "ReferenceSoundGenerator",
    "ReferenceSoundScorer",
    "ReferenceTextEncoder",
]
