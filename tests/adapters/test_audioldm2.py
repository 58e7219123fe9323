"""AudioLDM 2's two streams: what keywords, soft tokens and text each decide, and the stock pipeline."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import AudioLDM2Pipeline
from json_edits import edit_json
from sound_generators import ROUNDING, difference, samples
from tiny_models.audioldm import SECONDS
from transformers import GPT2LMHeadModel

from pmg_audioldm import AudioLDM2Generator
from pmg_sdk.audio import Audio
from pmg_sdk.conditioning import Conditioning, join
from pmg_sdk.errors import ModelFolderError
from pmg_sdk.interfaces import GenerationRequest


def on_cpu(model: Path, **options: Any) -> AudioLDM2Generator:
    return AudioLDM2Generator(model=str(model), device="cpu", **options)


@pytest.fixture(scope="module")
def generator(audioldm2_model: Path) -> AudioLDM2Generator:
    return on_cpu(audioldm2_model)


@pytest.fixture(scope="module")
def stock(audioldm2_model: Path) -> Any:
    """The stock pipeline. It needs a head on the language model, whose words are never used."""
    pipeline = AudioLDM2Pipeline.from_pretrained(
        audioldm2_model, language_model=GPT2LMHeadModel.from_pretrained(audioldm2_model / "language_model")
    )
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def test_padding_a_short_prompt_beside_a_long_one_changes_nothing(generator: AudioLDM2Generator) -> None:
    short, long = generator.text_encoder.encode(["dog", "dog cat apple heart dog cat apple heart"])
    requests = [GenerationRequest(seed=1, conditioning=part, text="dog") for part in (short, long)]
    (alone,), (beside, other) = generator.generate(requests[:1]), generator.generate(requests)
    assert difference(alone, beside) <= ROUNDING
    assert difference(beside, other) > 10 * ROUNDING


def test_zero_tokens_that_are_not_masked_would_change_the_sound(generator: AudioLDM2Generator) -> None:
    preference, target = generator.text_encoder.encode(["flat design style", "dog"])
    left_out = join([(preference, 0.0), (target, 1.0)])
    zeroed = Conditioning(np.concatenate([preference.embeds * 0, target.embeds]), target.space)
    alone, without, scaled = generator.generate(
        [GenerationRequest(seed=1, conditioning=part, text="dog") for part in (target, left_out, zeroed)]
    )
    assert difference(alone, without) <= ROUNDING
    assert difference(alone, scaled) > 10 * ROUNDING


def test_the_text_decides_beside_the_conditioning(generator: AudioLDM2Generator) -> None:
    (dog,) = generator.text_encoder.encode(["dog"])
    request = GenerationRequest(seed=1, conditioning=dog, text="dog", negative=dog, negative_text="cat")
    made = generator.generate(
        [
            request,
            dataclasses.replace(request, text="red apple"),
            dataclasses.replace(request, negative_text="sad heart"),
        ]
    )
    assert difference(made[0], made[1]) > 10 * ROUNDING
    assert difference(made[0], made[2]) > 10 * ROUNDING


def test_a_negative_without_text_is_completed_by_the_empty_one(generator: AudioLDM2Generator) -> None:
    (dog,) = generator.text_encoder.encode(["dog"])
    bare = GenerationRequest(seed=1, conditioning=dog, text="dog", negative=dog)
    bare_sound, implied = generator.generate([bare, dataclasses.replace(bare, negative_text="")])
    assert difference(bare_sound, implied) == 0


def test_soft_tokens_condition_beside_keywords(generator: AudioLDM2Generator) -> None:
    (dog,) = generator.text_encoder.encode(["dog"])
    E_m = Conditioning(np.random.default_rng(0).standard_normal((4, 32)).astype(np.float32), dog.space)
    plain, weak, strong = generator.generate(
        [
            GenerationRequest(seed=1, conditioning=join([(E_m, w), (dog, 1.0)]), text="dog")
            for w in (0.0, 0.1, 2.0)
        ]
    )
    assert difference(plain, weak) > ROUNDING
    assert difference(weak, strong) > 10 * ROUNDING


def test_what_the_language_model_makes_is_the_same_beside_longer_texts(
    audioldm2_model: Path, generator: AudioLDM2Generator
) -> None:
    texts = ["dog", "", "red apple in the snow with a blue heart"]
    together = on_cpu(audioldm2_model)._stream.of(texts)
    for text, tokens in zip(texts, together, strict=True):
        (alone,) = on_cpu(audioldm2_model)._stream.of([text])
        assert tokens.shape == (8, 16)
        assert np.allclose(tokens, alone, atol=1e-5)
    assert np.abs(together[0] - together[2]).max() > 0.1


def test_a_text_is_read_once(audioldm2_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    generator = on_cpu(audioldm2_model)
    made: list[int] = []
    make = generator._stream._make
    monkeypatch.setattr(generator._stream, "_make", lambda texts: made.append(len(texts)) or make(texts))
    requests = [GenerationRequest(seed=seed, text=text) for seed, text in enumerate(("dog", "cat", "dog"))]
    generator.generate(requests)
    generator.generate([*requests, GenerationRequest(seed=1, text="apple")])
    assert made == [3, 1]  # dog, cat and the empty text in one batch; apple


def test_the_language_model_continues_as_the_stock_pipelines(
    stock: Any, generator: AudioLDM2Generator
) -> None:
    """Of one text. In a batch, stock counts the positions of padding too and gives others."""
    for text in ("dog", "", "red apple with a heart"):
        _, _, tokens = stock.encode_prompt([text], "cpu", 1, False)
        assert np.allclose(generator._stream.of([text])[0], tokens[0].detach().numpy(), atol=1e-5)


def test_sounds_equal_the_stock_pipelines(stock: Any, generator: AudioLDM2Generator) -> None:
    """Within a step of 16 bits, with prompts of two lengths in one batch."""
    texts = ["dog", "red apple, blue heart", "sad", "cat cat"]
    parts = generator.text_encoder.encode(texts)
    streams = torch.from_numpy(np.stack(generator._stream.of(texts)))
    longest = max(part.tokens for part in parts)
    embeds = torch.zeros(4, longest, 32)
    mask = torch.zeros(4, longest, dtype=torch.long)
    for row, part in enumerate(parts):
        embeds[row, : part.tokens] = torch.from_numpy(part.embeds)
        mask[row, : part.tokens] = 1
    expected = stock(
        prompt_embeds=embeds[:2],
        attention_mask=mask[:2],
        generated_prompt_embeds=streams[:2],
        negative_prompt_embeds=embeds[2:],
        negative_attention_mask=mask[2:],
        negative_generated_prompt_embeds=streams[2:],
        audio_length_in_s=SECONDS,
        num_inference_steps=4,
        guidance_scale=3.0,
        generator=[torch.Generator().manual_seed(seed) for seed in (1, 2)],
    ).audios
    made = generator.generate(
        [
            GenerationRequest(
                seed=row + 1,
                conditioning=parts[row],
                text=texts[row],
                negative=parts[row + 2],
                negative_text=texts[row + 2],
                guidance=3.0,
            )
            for row in range(2)
        ]
    )
    for sound, wanted in zip(made, expected, strict=True):
        assert np.abs(samples(sound) - wanted * 32767).max() <= 1


def test_prompt_to_sound_equals_the_stock_pipelines(stock: Any, generator: AudioLDM2Generator) -> None:
    """With a negative of as many tokens: stock pads or cuts it to the prompt's length."""
    (wanted,) = stock(
        "red apple",
        negative_prompt="cat dog",
        audio_length_in_s=SECONDS,
        num_inference_steps=4,
        guidance_scale=3.0,
        generator=torch.Generator().manual_seed(7),
    ).audios
    request = GenerationRequest(seed=7, text="red apple", negative_text="cat dog", guidance=3.0)
    assert np.abs(samples(generator.generate([request])[0]) - wanted * 32767).max() <= 1


def test_a_text_longer_than_the_language_model_reads_is_cut(audioldm2_model: Path, tmp_path: Path) -> None:
    damaged = Path(shutil.copytree(audioldm2_model, tmp_path / "model"))
    edit_json(damaged / "tokenizer_2" / "tokenizer_config.json", model_max_length=10**30)
    generator = on_cpu(damaged)
    longest = "red apple, " * 100
    assert generator.text_encoder.max_tokens == 96 - 8 - 5
    assert generator.text_encoder.count_tokens([longest])[0] > 96
    (sound,) = generator.generate([GenerationRequest(seed=1, text=longest)])
    assert isinstance(sound, Audio)


def test_training_stands_beside_the_empty_texts_stream(
    audioldm2_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    generator = on_cpu(audioldm2_model)
    made: list[list[str]] = []
    make = generator._stream._make
    monkeypatch.setattr(generator._stream, "_make", lambda texts: made.append(list(texts)) or make(texts))
    targets = generator.training_targets([Audio(np.ones((1, 800), np.int16), 8000)])
    for _ in range(2):
        generator.training_loss(generator.text_encoder.encode(["dog"]), targets, [1])
    assert made == [[""]]


@pytest.mark.parametrize(
    "name",
    [
        "text_encoder_2/model.safetensors",
        "tokenizer_2/tokenizer_config.json",
        "projection_model/diffusion_pytorch_model.safetensors",
        "language_model/model.safetensors",
        "language_model/config.json",
    ],
)
def test_a_missing_file_is_named(name: str, audioldm2_model: Path, tmp_path: Path) -> None:
    damaged = Path(shutil.copytree(audioldm2_model, tmp_path / "model"))
    (damaged / name).unlink()
    with pytest.raises(ModelFolderError, match=Path(name).name):
        on_cpu(damaged).generate([GenerationRequest(seed=1, text="dog")])


@pytest.mark.parametrize(
    ("file", "change", "message"),
    [
        ("text_encoder_2/config.json", {"model_type": "vits"}, "aloud"),
        ("unet/config.json", {"cross_attention_dim": [16, 32]}, "cross_attention_dim"),
        ("language_model/config.json", {"n_embd": 20}, "width 20"),
        ("text_encoder_2/config.json", {"d_model": 48}, "takes text embeddings of width 32"),
    ],
)
def test_what_contradicts_itself_is_refused(
    file: str, change: dict[str, Any], message: str, audioldm2_model: Path, tmp_path: Path
) -> None:
    damaged = Path(shutil.copytree(audioldm2_model, tmp_path / "model"))
    edit_json(damaged / file, **change)
    with pytest.raises(ModelFolderError, match=message):
        _ = on_cpu(damaged).spec
