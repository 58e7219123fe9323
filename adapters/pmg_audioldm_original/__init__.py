"""Generator on the original `audioldm` package, which runs in an environment of its own."""

from pmg_audioldm_original.generator import AudioLDMOriginalGenerator

__all__ = ["AudioLDMOriginalGenerator"]
