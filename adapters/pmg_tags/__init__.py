"""Captions without a language model: words of a vocabulary that fit a medium best (paper, section 3.2.1).

For captioners on dual encoders of any modality: `TagCaptioner` asks a `TagScorer`, which a scorer becomes
with three more properties.
"""

from pmg_tags.captioner import Tag, TagCaptioner
from pmg_tags.scorer import TagScorer
from pmg_tags.vocabulary import Vocabulary

__all__ = ["Tag", "TagCaptioner", "TagScorer", "Vocabulary"]
