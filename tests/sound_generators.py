"""What tests of AudioLDM share: its kinds, and how their sounds are compared."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from diffusers import AudioLDM2UNet2DConditionModel, UNet2DConditionModel

from pmg_audioldm import AudioLDM2Generator, AudioLDMGenerator
from pmg_audioldm.sound_generator import SoundGenerator
from pmg_sdk.audio import Audio
from pmg_sdk.interfaces import GenerationRequest
from pmg_sdk.media import Media

KINDS: dict[str, type[SoundGenerator]] = {
    "audioldm_model": AudioLDMGenerator,
    "audioldm2_model": AudioLDM2Generator,
}
UNETS = {AudioLDMGenerator: UNet2DConditionModel, AudioLDM2Generator: AudioLDM2UNet2DConditionModel}
ROUNDING = 4
"""Of 32767: what batches of other sizes may differ by."""


def on_cpu(kind: type[SoundGenerator], model: Path, **options: Any) -> SoundGenerator:
    return kind(model=str(model), device="cpu", **options)


def samples(medium: Media) -> np.ndarray[Any, np.dtype[np.float32]]:
    assert isinstance(medium, Audio)
    return medium.samples.astype(np.float32)


def difference(one: Media, other: Media) -> float:
    """Largest difference of samples, out of 32767."""
    return float(np.abs(samples(one) - samples(other)).max())


def requests_of(generator: SoundGenerator, *texts: str, **options: Any) -> list[GenerationRequest]:
    encoded = generator.text_encoder.encode(texts)
    return [
        GenerationRequest(seed=seed, conditioning=part, text=text, **options)
        for seed, (text, part) in enumerate(zip(texts, encoded, strict=True), start=1)
    ]
