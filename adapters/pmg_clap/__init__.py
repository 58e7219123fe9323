"""How CLAP hears a sound, whatever runs the model: torch, or ONNX Runtime without it. Registers nothing."""

from pmg_clap.features import ClapFeatures
from pmg_clap.windows import embed_windows

__all__ = ["ClapFeatures", "embed_windows"]
