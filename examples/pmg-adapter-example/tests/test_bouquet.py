"""What the contract cannot know: that a bouquet shows what it was asked for."""

from __future__ import annotations

import numpy as np

from pmg_adapter_example.generator import BouquetGenerator
from pmg_sdk import GenerationRequest
from pmg_sdk.conditioning import join


def redness(w_red: float) -> float:
    """The share of red pixels, on average over noises, of red and blue at weights w_red : 2 - w_red."""
    generator = BouquetGenerator(side=64)
    red, blue = generator.text_encoder.encode(["red", "blue"])
    both = join([(red, w_red), (blue, 2 - w_red)])
    made = generator.generate([GenerationRequest(seed, both) for seed in range(8)])
    pixels = np.stack([medium.picture().pixels for medium in made]).astype(int)
    return float((pixels[..., 0] > pixels[..., 2] + 80).mean())


def test_the_word_that_weighs_more_fills_more_of_the_picture() -> None:
    assert redness(0.4) < redness(1.0) < redness(1.6)
