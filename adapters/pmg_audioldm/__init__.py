"""AudioLDM and AudioLDM 2 as generators of sounds, and CLAP's text encoder."""

from pmg_audioldm.audioldm import AudioLDMGenerator
from pmg_audioldm.audioldm2 import AudioLDM2Generator
from pmg_audioldm.clap_text import ClapTextEncoder

__all__ = ["AudioLDM2Generator", "AudioLDMGenerator", "ClapTextEncoder"]
