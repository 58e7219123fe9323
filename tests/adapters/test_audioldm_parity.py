"""AudioLDM against the stock diffusers pipeline, on the same inputs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sound_generators import on_cpu, samples
from tiny_models.audioldm import SECONDS

from pmg_audioldm import AudioLDMGenerator
from pmg_sdk.interfaces import GenerationRequest


def stacked(rows: Sequence[Any]) -> Any:
    import torch

    return torch.from_numpy(np.stack(rows))


@pytest.mark.parametrize("seconds", [SECONDS, 0.63])
def test_sounds_equal_the_stock_pipelines(audioldm_model: Path, seconds: float) -> None:
    """Within a step of 16 bits, which is what rounding to an `Audio` takes."""
    import torch
    from diffusers import AudioLDMPipeline

    stock = AudioLDMPipeline.from_pretrained(audioldm_model)
    stock.set_progress_bar_config(disable=True)
    generator = on_cpu(AudioLDMGenerator, audioldm_model, seconds=seconds, guidance=3.0)
    encoded = generator.text_encoder.encode(["dog", "red apple", "sad", ""])
    prompts, negatives = encoded[:2], encoded[2:]
    expected = stock(
        prompt_embeds=stacked([part.pooled for part in prompts]),
        negative_prompt_embeds=stacked([part.pooled for part in negatives]),
        audio_length_in_s=seconds,
        num_inference_steps=4,
        guidance_scale=3.0,
        generator=[torch.Generator().manual_seed(seed) for seed in (1, 2)],
    ).audios
    made = generator.generate(
        [
            GenerationRequest(seed=seed, conditioning=prompt, negative=negative)
            for seed, prompt, negative in zip((1, 2), prompts, negatives, strict=True)
        ]
    )
    for sound, wanted in zip(made, expected, strict=True):
        assert np.abs(samples(sound)[0] - wanted * 32767).max() <= 1


def test_prompt_to_sound_equals_the_stock_pipelines(audioldm_model: Path) -> None:
    import torch
    from diffusers import AudioLDMPipeline

    stock = AudioLDMPipeline.from_pretrained(audioldm_model)
    stock.set_progress_bar_config(disable=True)
    (wanted,) = stock(
        "red apple",
        negative_prompt="cat",
        audio_length_in_s=SECONDS,
        num_inference_steps=4,
        guidance_scale=3.0,
        generator=torch.Generator().manual_seed(7),
    ).audios
    generator = on_cpu(AudioLDMGenerator, audioldm_model, guidance=3.0)
    (sound,) = generator.generate([GenerationRequest(seed=7, text="red apple", negative_text="cat")])
    assert np.abs(samples(sound)[0] - wanted * 32767).max() <= 1
