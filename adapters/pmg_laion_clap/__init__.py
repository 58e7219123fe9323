"""Scorer and tag captioner for sounds on the original `laion-clap` package and its checkpoints."""

from pmg_laion_clap.captioner import LaionClapTagCaptioner
from pmg_laion_clap.scorer import LaionClapScorer

__all__ = ["LaionClapScorer", "LaionClapTagCaptioner"]
