"""Exported text encoders against the originals: same space, same tokens, same embeddings."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest

from pmg_onnx import OnnxTextEncoder
from pmg_sdk.errors import ConfigError
from pmg_transformers.text_encoder import TransformersTextEncoder

TEXTS = ["dog face", "", "apple, flat design", "狗 🐶 \ud83d كلب", "the picture of a happy dog " * 40]


@pytest.fixture(params=["clip", "bert"])
def pair(
    request: pytest.FixtureRequest, clip_model: Path, clip_export: Path, bert_model: Path, bert_export: Path
) -> tuple[TransformersTextEncoder, OnnxTextEncoder]:
    model, export = {"clip": (clip_model, clip_export), "bert": (bert_model, bert_export)}[request.param]
    return TransformersTextEncoder(str(model), device="cpu"), OnnxTextEncoder(str(export), device="cpu")


def test_an_export_is_interchangeable_with_its_original(
    pair: tuple[TransformersTextEncoder, OnnxTextEncoder],
) -> None:
    original, exported = pair
    assert (exported.space, exported.width) == (original.space, original.width)
    assert exported.max_tokens == original.max_tokens
    assert exported.count_tokens(TEXTS) == original.count_tokens(TEXTS)
    for expected, found in zip(original.encode(TEXTS), exported.encode(TEXTS), strict=True):
        assert found.space == expected.space
        np.testing.assert_allclose(found.embeds, expected.embeds, atol=1e-5)


@pytest.mark.parametrize("limit", [None, 5])
def test_padded_texts_and_lower_limits_match_too(
    limit: int | None, clip_model: Path, clip_export: Path
) -> None:
    original = TransformersTextEncoder(str(clip_model), padding=True, max_tokens=limit, device="cpu")
    exported = OnnxTextEncoder(str(clip_export), padding=True, max_tokens=limit)
    for expected, found in zip(original.encode(TEXTS), exported.encode(TEXTS), strict=True):
        assert found.tokens == exported.max_tokens
        np.testing.assert_allclose(found.embeds, expected.embeds, atol=1e-5)


def test_padding_is_masked_where_a_model_can_see_it(bert_model: Path, bert_export: Path) -> None:
    original = TransformersTextEncoder(str(bert_model), padding=True, device="cpu")
    exported = OnnxTextEncoder(str(bert_export), padding=True)
    for expected, found in zip(original.encode(TEXTS), exported.encode(TEXTS), strict=True):
        np.testing.assert_allclose(found.embeds, expected.embeds, atol=1e-5)


def test_a_text_is_encoded_alike_alone_and_in_a_batch(
    pair: tuple[TransformersTextEncoder, OnnxTextEncoder],
) -> None:
    _, exported = pair
    texts = ["dog cat", "cat dog", "red apple", "dog"]
    for text, together in zip(texts, exported.encode(texts), strict=True):
        (alone,) = exported.encode([text])
        np.testing.assert_allclose(alone.embeds, together.embeds, atol=1e-5)


def test_a_long_text_is_cut_with_a_warning_that_does_not_quote_it(
    clip_export: Path, caplog: pytest.LogCaptureFixture
) -> None:
    exported = OnnxTextEncoder(str(clip_export))
    with caplog.at_level(logging.WARNING):
        exported.encode(["dog " * 200])
    assert f"1 of 1 texts cut at {exported.max_tokens} tokens" in caplog.text
    assert "dog" not in caplog.text


def test_no_texts_give_no_conditionings(clip_export: Path) -> None:
    exported = OnnxTextEncoder(str(clip_export))
    assert exported.encode([]) == []
    assert exported.count_tokens([]) == []


def test_the_optimised_graph_is_kept_and_gives_the_same(clip_export: Path, own_cache: Path) -> None:
    (fresh,) = OnnxTextEncoder(str(clip_export), cache=False).encode(["dog"])
    OnnxTextEncoder(str(clip_export)).load()
    kept = list(own_cache.glob("onnx-optimised/*/text_encoder.onnx"))
    assert kept
    (again,) = OnnxTextEncoder(str(clip_export)).encode(["dog"])
    np.testing.assert_allclose(again.embeds, fresh.embeds, atol=1e-6)


def test_a_cache_that_cannot_be_written_costs_no_result(
    clip_export: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("PMG_CACHE", str(tmp_path / "file"))
    assert OnnxTextEncoder(str(clip_export)).encode(["dog"])[0].tokens > 0


def test_loading_twice_costs_nothing(clip_export: Path) -> None:
    exported = OnnxTextEncoder(str(clip_export), threads=1)
    exported.load()
    exported.load()
    assert exported.provider == "CPUExecutionProvider"


@pytest.mark.parametrize(
    "option", [{"device": "tpu"}, {"device": "cpu:1"}, {"threads": 0}, {"max_tokens": 2}]
)
def test_options_out_of_range_are_refused_at_once(option: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=next(iter(option))):
        OnnxTextEncoder("nowhere", **option)  # type: ignore[arg-type]


def test_a_device_that_is_not_there_is_said_with_what_to_install(clip_export: Path) -> None:
    import onnxruntime

    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("this machine may have one")
    with pytest.raises(ConfigError, match=r"onnx-gpu"):
        OnnxTextEncoder(str(clip_export), device="cuda").load()
