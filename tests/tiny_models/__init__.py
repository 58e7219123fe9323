"""Builders of tiny random model folders, in the formats that real models come in.

Each takes an empty folder, fills it in a second or two, and returns it. Equal calls give equal weights.
"""

from tiny_models.audioldm import audioldm2_folder, audioldm_folder
from tiny_models.diffusion import embedded_folder, sd15_folder, sd21_folder, sdxl_folder
from tiny_models.text_encoders import (
    bert_text_folder,
    clap_text_folder,
    clip_text_folder,
    t5_text_folder,
)

__all__ = [
    "audioldm2_folder",
    "audioldm_folder",
    "bert_text_folder",
    "clap_text_folder",
    "clip_text_folder",
    "embedded_folder",
    "sd15_folder",
    "sd21_folder",
    "sdxl_folder",
    "t5_text_folder",
]
