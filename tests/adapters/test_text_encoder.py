"""Text encoders of the CLIP, BERT and T5 families, and SDXL's pair, on tiny random weights."""

from __future__ import annotations

import json
import logging
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_models
import torch
from safetensors.torch import load_file, save_file

from pmg_sdk.errors import ConfigError, ModelFolderError
from pmg_transformers.clip_pair import CLIPPairTextEncoder
from pmg_transformers.text_encoder import TransformersTextEncoder

TEXTS = ["dog face", "", "apple, flat design"]
FAMILIES = {
    "clip": tiny_models.clip_text_folder,
    "bert": tiny_models.bert_text_folder,
    "t5": tiny_models.t5_text_folder,
}


@pytest.fixture(scope="session", params=FAMILIES)
def text_model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return FAMILIES[request.param](tmp_path_factory.mktemp(request.param))


@pytest.fixture
def clip_model(tmp_path: Path) -> Path:
    return tiny_models.clip_text_folder(tmp_path / "clip")


def on_cpu(model: Path, **options: object) -> TransformersTextEncoder:
    return TransformersTextEncoder(str(model), device="cpu", **options)  # type: ignore[arg-type]


def test_a_text_becomes_as_many_rows_as_it_has_tokens(text_model: Path) -> None:
    encoder = on_cpu(text_model)
    encoded = encoder.encode(TEXTS)
    assert [entry.tokens for entry in encoded] == encoder.count_tokens(TEXTS)
    assert all(entry.embeds.shape[1] == encoder.width == 32 for entry in encoded)


def test_a_text_is_encoded_alike_alone_and_in_a_batch(text_model: Path) -> None:
    encoder = on_cpu(text_model)
    for text, together in zip(TEXTS, encoder.encode(TEXTS), strict=True):
        (alone,) = encoder.encode([text])
        np.testing.assert_allclose(alone.embeds, together.embeds, atol=1e-5)


def test_a_long_text_is_cut_with_a_warning_that_does_not_quote_it(
    text_model: Path, caplog: pytest.LogCaptureFixture
) -> None:
    encoder = on_cpu(text_model)
    long = "dog " * 200
    with caplog.at_level(logging.WARNING):
        (encoded,) = encoder.encode([long])
    assert encoder.count_tokens([long])[0] > encoder.max_tokens == encoded.tokens
    assert f"1 of 1 texts cut at {encoder.max_tokens} tokens" in caplog.text
    assert "dog" not in caplog.text


def test_a_limit_below_the_models_own_holds(text_model: Path) -> None:
    encoder = on_cpu(text_model, max_tokens=5)
    assert encoder.encode(["apple apple apple apple"])[0].tokens == encoder.max_tokens == 5


def test_padding_gives_every_text_equally_many_tokens(text_model: Path) -> None:
    encoder = on_cpu(text_model, padding=True)
    assert {entry.tokens for entry in encoder.encode(TEXTS)} == {encoder.max_tokens}


@pytest.mark.parametrize("text", ["\ud83d", "dog \ud83d, \udc00 apple", "狗 🐶 كلب"])
def test_any_text_is_encoded_and_none_refused(text_model: Path, text: str) -> None:
    encoder = on_cpu(text_model)
    (encoded,) = encoder.encode([text])
    assert np.isfinite(encoded.embeds).all()
    assert encoder.count_tokens([text]) == [encoded.tokens]


def test_no_texts_give_no_conditionings(text_model: Path) -> None:
    assert on_cpu(text_model).encode([]) == []


def test_clip_gives_the_last_hidden_state_behind_the_final_norm(clip_model: Path) -> None:
    from transformers import AutoTokenizer, CLIPTextModel

    tokens = AutoTokenizer.from_pretrained(clip_model)("dog face", return_tensors="pt")
    with torch.no_grad():
        expected = CLIPTextModel.from_pretrained(clip_model)(**tokens).last_hidden_state[0].numpy()
    np.testing.assert_allclose(on_cpu(clip_model).encode(["dog face"])[0].embeds, expected, atol=1e-5)


def test_padded_texts_match_the_stock_pipeline(sd15_model: Path) -> None:
    from diffusers import StableDiffusionPipeline

    pipeline = StableDiffusionPipeline.from_pretrained(sd15_model)
    expected, _ = pipeline.encode_prompt("dog face", "cpu", 1, False)
    encoder = on_cpu(sd15_model, subfolder="text_encoder", padding=True)
    np.testing.assert_allclose(
        encoder.encode(["dog face"])[0].embeds, expected[0].detach().numpy(), atol=1e-5
    )


def test_clip_skip_is_the_model_with_its_last_layers_left_out(clip_model: Path) -> None:
    from transformers import AutoTokenizer, CLIPTextModel

    tokens = AutoTokenizer.from_pretrained(clip_model)("dog face", return_tensors="pt")
    shorter = CLIPTextModel.from_pretrained(clip_model, num_hidden_layers=2)
    with torch.no_grad():
        expected = shorter(**tokens).last_hidden_state[0].numpy()
    encoder = on_cpu(clip_model, clip_skip=1)
    np.testing.assert_allclose(encoder.encode(["dog face"])[0].embeds, expected, atol=1e-5)


def test_clip_skip_is_a_space_of_its_own_and_for_clip_only(clip_model: Path, tmp_path: Path) -> None:
    assert on_cpu(clip_model, clip_skip=1).space == on_cpu(clip_model).space + "-skip1"
    bert = on_cpu(tiny_models.bert_text_folder(tmp_path / "bert"), clip_skip=1)
    with pytest.raises(ConfigError, match="clip_skip is for CLIP"):
        bert.encode(["dog"])


def test_the_sdxl_pair_matches_the_stock_pipeline(sdxl_model: Path) -> None:
    from diffusers import StableDiffusionXLPipeline

    pipeline = StableDiffusionXLPipeline.from_pretrained(sdxl_model, add_watermarker=False)
    embeds, _, pooled, _ = pipeline.encode_prompt("dog face", device="cpu", do_classifier_free_guidance=False)
    (encoded,) = CLIPPairTextEncoder(str(sdxl_model), device="cpu", padding=True).encode(["dog face"])
    np.testing.assert_allclose(encoded.embeds, embeds[0].detach().numpy(), atol=1e-5)
    assert encoded.pooled is not None
    np.testing.assert_allclose(encoded.pooled, pooled[0].detach().numpy(), atol=1e-5)


def test_the_sdxl_pair_encodes_a_text_alike_alone_and_in_a_batch(sdxl_model: Path) -> None:
    encoder = CLIPPairTextEncoder(str(sdxl_model), device="cpu")
    together = encoder.encode(TEXTS)
    assert [entry.tokens for entry in together] == encoder.count_tokens(TEXTS)
    (alone,) = encoder.encode(TEXTS[:1])
    assert alone.pooled is not None
    assert together[0].pooled is not None
    np.testing.assert_allclose(alone.pooled, together[0].pooled, atol=1e-5)
    assert together[0].embeds.shape == (encoder.count_tokens(TEXTS)[0], encoder.width)


def test_the_space_names_family_width_and_weights(text_model: Path) -> None:
    family, width, fingerprint = on_cpu(text_model).space.split("-")
    assert family in FAMILIES
    assert width == "32"
    assert len(fingerprint) == 8
    assert on_cpu(text_model).space == f"{family}-{width}-{fingerprint}"


def test_other_weights_are_another_space(tmp_path: Path) -> None:
    one, two = (tiny_models.clip_text_folder(tmp_path / str(seed), seed=seed) for seed in (1, 2))
    assert on_cpu(one).space != on_cpu(two).space


@pytest.mark.parametrize("change", ["half precision", "other prefix", "no pooler", "other versions"])
def test_the_space_holds_still_where_the_embeddings_do(change: str, tmp_path: Path) -> None:
    original = tiny_models.bert_text_folder(tmp_path / "original")
    copy = tmp_path / "copy"
    shutil.copytree(original, copy)
    weights = load_file(copy / "model.safetensors")
    changes: dict[str, Callable[[], object]] = {
        "half precision": lambda: {name: tensor.half() for name, tensor in weights.items()},
        "other prefix": lambda: {f"bert.{name}": tensor for name, tensor in weights.items()},
        "no pooler": lambda: {name: tensor for name, tensor in weights.items() if "pooler" not in name},
        "other versions": lambda: weights,
    }
    save_file(changes[change](), copy / "model.safetensors")  # type: ignore[arg-type]
    config = (copy / "config.json").read_text()
    (copy / "config.json").write_text(
        config.replace('"transformers_version": "5', '"transformers_version": "4')
    )
    assert on_cpu(copy).space == on_cpu(original).space


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer_config.json"])
def test_a_missing_file_is_named(name: str, clip_model: Path) -> None:
    (clip_model / name).unlink()
    with pytest.raises(ModelFolderError, match=name):
        on_cpu(clip_model).encode(["dog"])


@pytest.mark.parametrize(
    "weights",
    [b"not weights at all", (100_000).to_bytes(8, "little") + b"[" * 100_000],
    ids=["noise", "nested too deeply"],
)
def test_damaged_weights_are_a_model_folder_error(clip_model: Path, weights: bytes) -> None:
    (clip_model / "model.safetensors").write_bytes(weights)
    with pytest.raises(ModelFolderError, match="safetensors"):
        _ = on_cpu(clip_model).space


def test_weights_in_shards_give_the_same_space_and_embeddings(clip_model: Path, tmp_path: Path) -> None:
    from transformers import CLIPTextModel

    shards = Path(shutil.copytree(clip_model, tmp_path / "shards"))
    (shards / "model.safetensors").unlink()
    CLIPTextModel.from_pretrained(clip_model).save_pretrained(shards, max_shard_size="50KB")
    assert len(list(shards.glob("*.safetensors"))) > 1
    whole, in_shards = on_cpu(clip_model), on_cpu(shards)
    assert in_shards.space == whole.space
    np.testing.assert_array_equal(in_shards.encode(["dog"])[0].embeds, whole.encode(["dog"])[0].embeds)


TENSORS = {
    "clip": "text_model.encoder.layers.1.mlp.fc1.weight",
    "bert": "encoder.layer.0.attention.self.key.bias",
    "t5": "encoder.block.1.layer.0.layer_norm.weight",
}


@pytest.mark.parametrize("family", FAMILIES)
def test_incomplete_weights_are_refused_and_not_filled_with_noise(family: str, tmp_path: Path) -> None:
    folder = FAMILIES[family](tmp_path)
    weights = load_file(folder / "model.safetensors")
    missing = next(name for name in weights if name.endswith(TENSORS[family].removeprefix("text_model.")))
    del weights[missing]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelFolderError, match=f"no tensor {re.escape(missing)}"):
        on_cpu(folder).encode(["dog"])


def test_weights_of_another_shape_are_refused_with_the_tensor(clip_model: Path) -> None:
    weights = load_file(clip_model / "model.safetensors")
    name = next(name for name in weights if name.endswith("final_layer_norm.weight"))
    save_file({**weights, name: torch.ones(5)}, clip_model / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelFolderError, match=rf"{re.escape(name)} of shape \(5,\) instead of \(32,\)"):
        on_cpu(clip_model).encode(["dog"])


@pytest.mark.parametrize("name", ["shared.weight", "encoder.embed_tokens.weight"])
def test_tied_weights_may_lie_under_either_name(name: str, tmp_path: Path) -> None:
    folder = tiny_models.t5_text_folder(tmp_path)
    (expected,) = on_cpu(folder).encode(["dog"])
    weights = load_file(folder / "model.safetensors")
    weights[name] = weights.pop("shared.weight")
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    np.testing.assert_array_equal(on_cpu(folder).encode(["dog"])[0].embeds, expected.embeds)


def test_a_pooler_gives_no_embeddings_and_may_be_missing(tmp_path: Path) -> None:
    folder = tiny_models.bert_text_folder(tmp_path)
    (expected,) = on_cpu(folder).encode(["dog"])
    weights = load_file(folder / "model.safetensors")
    without = {name: tensor for name, tensor in weights.items() if not name.startswith("pooler.")}
    assert len(without) == len(weights) - 2
    save_file(without, folder / "model.safetensors", metadata={"format": "pt"})
    np.testing.assert_array_equal(on_cpu(folder).encode(["dog"])[0].embeds, expected.embeds)


@pytest.mark.parametrize(
    "weight_map",
    [
        [],
        {},
        None,
        ["model.safetensors"],
        {"w": 7},
        {"w": ["model.safetensors"]},
        {"w": "../outside.safetensors"},
        {"w": "deeper/../../outside.safetensors"},
        {"w": "/tmp/outside.safetensors"},
        {"w": "pytorch_model.bin"},
    ],
)
def test_a_shard_index_names_safetensors_files_of_its_folder(clip_model: Path, weight_map: object) -> None:
    (clip_model / "deeper").mkdir()
    shutil.copy(clip_model / "model.safetensors", clip_model / "pytorch_model.bin")
    (clip_model / "model.safetensors").rename(clip_model.parent / "outside.safetensors")
    (clip_model / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weight_map}))
    with pytest.raises(ModelFolderError, match=r"weight_map.*model\.safetensors\.index\.json"):
        _ = on_cpu(clip_model).space


def test_a_missing_shard_is_named(clip_model: Path) -> None:
    (clip_model / "model.safetensors").unlink()
    index = {"weight_map": {"w": "model-00001-of-00001.safetensors"}}
    (clip_model / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(ModelFolderError, match=r"model-00001-of-00001\.safetensors"):
        _ = on_cpu(clip_model).space


def test_pickled_weights_are_refused(clip_model: Path) -> None:
    (clip_model / "model.safetensors").rename(clip_model / "pytorch_model.bin")
    with pytest.raises(ModelFolderError, match="pickled"):
        on_cpu(clip_model).encode(["dog"])


def test_an_encoder_of_another_family_is_refused(clip_model: Path) -> None:
    config = (clip_model / "config.json").read_text()
    (clip_model / "config.json").write_text(config.replace("clip_text_model", "gpt2"))
    with pytest.raises(ModelFolderError, match="gpt2"):
        _ = on_cpu(clip_model).space


@pytest.mark.parametrize("kind", [TransformersTextEncoder, CLIPPairTextEncoder])
@pytest.mark.parametrize(
    "option", [{"dtype": "int8"}, {"max_tokens": 0}, {"max_tokens": -5}, {"max_tokens": 2}]
)
def test_options_out_of_range_are_refused_at_once(
    kind: type[TransformersTextEncoder | CLIPPairTextEncoder], option: dict[str, Any]
) -> None:
    with pytest.raises(ConfigError, match=next(iter(option))):
        kind("nowhere", **option)


@pytest.mark.parametrize("padding", [True, False])
def test_the_least_limit_leaves_a_token_of_the_text(text_model: Path, padding: bool) -> None:
    assert on_cpu(text_model, max_tokens=3, padding=padding).encode(["apple apple"])[0].tokens == 3


def test_a_folder_that_is_not_there_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(ModelFolderError, match="there is none"):
        on_cpu(tmp_path / "nowhere").encode(["dog"])
