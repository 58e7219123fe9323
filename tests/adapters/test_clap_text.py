"""CLAP as a text encoder: one vector, in a space of its own."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import load_file, save_file
from sound_generators import difference, on_cpu
from tiny_models.audioldm import audioldm_folder
from transformers import ClapTextModelWithProjection

from pmg_audioldm import AudioLDMGenerator, ClapTextEncoder
from pmg_sdk.errors import (
    ModelFolderError,
)
from pmg_sdk.interfaces import GenerationRequest


@pytest.fixture(params=["audioldm_model", "audioldm2_model"])
def encoder(request: pytest.FixtureRequest) -> ClapTextEncoder:
    """CLAP's text part alone with BERT's words, and out of the whole of a CLAP with RoBERTa's."""
    return ClapTextEncoder(
        str(request.getfixturevalue(request.param)), subfolder="text_encoder", device="cpu"
    )


def test_clap_embeds_a_text_as_its_own_projection_made_unit(encoder: ClapTextEncoder) -> None:
    from transformers import AutoTokenizer

    folder = Path(encoder.model)
    model = ClapTextModelWithProjection.from_pretrained(folder / "text_encoder").eval()
    tokenizer = AutoTokenizer.from_pretrained(folder / "tokenizer")
    texts = ["dog", "", "red apple in the snow"]
    for text, made in zip(texts, encoder.encode(texts), strict=True):
        wanted = model(**tokenizer(text, return_tensors="pt")).text_embeds[0].detach().numpy()
        assert made.embeds.shape == (0, 24)
        assert made.space == encoder.space
        assert made.pooled is not None
        assert np.allclose(made.pooled, wanted / np.linalg.norm(wanted), atol=1e-6)


def test_claps_longest_text_leaves_room_for_the_paddings_positions(encoder: ClapTextEncoder) -> None:
    longest = "dog " * 500
    assert encoder.max_tokens == 64
    assert encoder.count_tokens([longest])[0] > 64
    assert np.isfinite(encoder.encode([longest])[0].pooled).all()  # type: ignore[call-overload]


@pytest.mark.parametrize("tensor", ["text_projection.linear2.weight", "text_model.pooler.dense.weight"])
def test_what_makes_the_vector_makes_the_space(tensor: str, audioldm_model: Path, tmp_path: Path) -> None:
    shutil.copytree(audioldm_model, tmp_path / "model")
    file = tmp_path / "model" / "text_encoder" / "model.safetensors"
    weights = load_file(file)
    weights[tensor] = weights[tensor] * 2
    save_file(weights, file)
    spaces = {
        ClapTextEncoder(str(folder), subfolder="text_encoder").space
        for folder in (audioldm_model, tmp_path / "model")
    }
    assert len(spaces) == 2


def test_the_whole_of_a_clap_serves_as_well_as_its_text_part(audioldm2_model: Path, tmp_path: Path) -> None:
    from transformers import ClapModel, ClapTextModelWithProjection

    whole = ClapTextEncoder(str(audioldm2_model), subfolder="text_encoder", device="cpu")
    clap = ClapModel.from_pretrained(audioldm2_model / "text_encoder")
    part = ClapTextModelWithProjection(clap.config.text_config)
    part.text_model, part.text_projection = clap.text_model, clap.text_projection
    audioldm_folder(tmp_path)
    for name in ("text_encoder", "tokenizer"):
        shutil.rmtree(tmp_path / name)
    part.save_pretrained(tmp_path / "text_encoder")
    shutil.copytree(audioldm2_model / "tokenizer", tmp_path / "tokenizer")
    alone = on_cpu(AudioLDMGenerator, tmp_path)
    assert alone.text_encoder.space == whole.space
    shared = on_cpu(AudioLDMGenerator, tmp_path, text_encoder=whole)
    (one,), (other,) = (made.generate([GenerationRequest(seed=1, text="dog")]) for made in (alone, shared))
    assert difference(one, other) <= 1  # of 32767: the two sum up in another order


def test_another_encoder_is_no_clap(audioldm2_model: Path) -> None:
    with pytest.raises(ModelFolderError, match="CLAP"):
        _ = ClapTextEncoder(str(audioldm2_model), subfolder="text_encoder_2").space
