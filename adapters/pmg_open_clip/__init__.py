"""Scorer and zero-shot tag captioner on open_clip models.

`OpenClipScorer` and `OpenClipTagCaptioner` share one loaded model where they name the same one.
"""

from pmg_open_clip.captioner import OpenClipTagCaptioner
from pmg_open_clip.scorer import OpenClipScorer

__all__ = ["OpenClipScorer", "OpenClipTagCaptioner"]
