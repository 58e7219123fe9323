"""The CLIP scorer on a tiny transformers folder."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from sample_media import pictures
from tiny_models.captioners import blip_folder
from tiny_models.dual_encoders import clip_folder

from pmg_sdk.errors import ConfigError, ModelFolderError
from pmg_transformers.clip import ClipScorer


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return clip_folder(tmp_path_factory.mktemp("clip"))


@pytest.fixture(scope="module")
def scorer(clip: Path) -> ClipScorer:
    return ClipScorer(model=str(clip), device="cpu")


def test_rows_are_the_model_s_own_projections_made_unit(clip: Path, scorer: ClipScorer) -> None:
    from transformers import CLIPModel, CLIPProcessor

    model, processor = CLIPModel.from_pretrained(clip).eval(), CLIPProcessor.from_pretrained(clip)
    images, texts = pictures(2), ["a dog", "a red apple"]
    inputs = processor(
        text=texts, images=[image.to_pil() for image in images], padding=True, return_tensors="pt"
    )
    with torch.inference_mode():
        output = model(**inputs)
    np.testing.assert_allclose(scorer.embed_text(texts), output.text_embeds.numpy(), atol=1e-5)
    np.testing.assert_allclose(scorer.embed_media(images), output.image_embeds.numpy(), atol=1e-5)
    assert scorer.embed_text(texts).dtype == scorer.embed_media(images).dtype == np.float32


def test_batch_size_does_not_change_embeddings(clip: Path, scorer: ClipScorer) -> None:
    texts, images = ["dog", "a long line of words", ""], pictures(3)
    one = ClipScorer(model=str(clip), device="cpu", batch_size=1)
    np.testing.assert_allclose(one.embed_text(texts), scorer.embed_text(texts), atol=1e-5)
    np.testing.assert_allclose(one.embed_media(images), scorer.embed_media(images), atol=1e-5)


@pytest.mark.parametrize("text", ["dog " * 250_000, "\ud83d", "狗 🐶 كلب", " \n "])
def test_any_text_is_cut_or_cleaned_and_never_refused(scorer: ClipScorer, text: str) -> None:
    assert np.isfinite(scorer.embed_text([text])).all()


def test_nothing_in_gives_nothing_out(scorer: ClipScorer) -> None:
    assert scorer.embed_text([]).shape == scorer.embed_media([]).shape == (0, 16)


@pytest.mark.parametrize(
    "missing", ["config.json", "model.safetensors", "tokenizer.json", "processor_config.json"]
)
def test_missing_file_is_named(tmp_path: Path, missing: str) -> None:
    folder = clip_folder(tmp_path)
    (folder / missing).unlink()
    named = {"tokenizer.json": "vocab.json", "processor_config.json": "preprocessor_config.json"}.get(
        missing, missing
    )
    with pytest.raises(ModelFolderError, match=named):
        ClipScorer(model=str(folder), device="cpu").load()


def test_incomplete_weights_are_refused_and_not_filled_with_noise(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    folder = clip_folder(tmp_path)
    weights = load_file(folder / "model.safetensors")
    del weights["text_projection.weight"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelFolderError, match=r"text_projection\.weight"):
        ClipScorer(model=str(folder), device="cpu").load()


def test_folder_of_another_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelFolderError, match="says 'blip'"):
        ClipScorer(model=str(blip_folder(tmp_path)), device="cpu").load()


def test_damaged_weights_are_a_model_folder_error(tmp_path: Path) -> None:
    folder = clip_folder(tmp_path)
    (folder / "model.safetensors").write_bytes(json.dumps("no").encode())
    with pytest.raises(ModelFolderError, match="cannot be loaded"):
        ClipScorer(model=str(folder), device="cpu").load()


def test_batch_size_below_one_is_refused() -> None:
    with pytest.raises(ConfigError, match="batch_size"):
        ClipScorer(batch_size=0)
