"""The CLAP scorer and tag captioner on tiny folders: unfused and fused, with RoBERTa's words or BERT's."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from sample_media import pictures
from tiny_models.clap import RATE, TAGS, clap_folder, tagged_clap_folder
from tiny_models.dual_encoders import clip_folder
from transformers import ClapFeatureExtractor

from pmg_clap import ClapFeatures
from pmg_clap.shrinking import shrunk
from pmg_sdk.audio import Audio
from pmg_sdk.errors import CapabilityError, ConfigError, ModelFolderError
from pmg_transformers.clap import ClapScorer
from pmg_transformers.clap_tags import ClapTagCaptioner

KINDS = ("unfused", "fused")


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PMG_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture(scope="module")
def unfused(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return clap_folder(tmp_path_factory.mktemp("clap"))


@pytest.fixture(scope="module")
def fused(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tagged_clap_folder(tmp_path_factory.mktemp("fused-clap"))


@pytest.fixture(params=KINDS)
def folder(request: pytest.FixtureRequest) -> Path:
    return Path(request.getfixturevalue(request.param))


def scorer(folder: Path, **options: object) -> ClapScorer:
    return ClapScorer(**{"model": str(folder), "device": "cpu", **options})


def captioner(folder: Path, **options: object) -> ClapTagCaptioner:
    return ClapTagCaptioner(**{"model": str(folder), "device": "cpu", **options})


def tone(seconds: float, pitch: float, *, rate: int = RATE) -> Audio:
    """Rises by an octave over its length."""
    at = np.arange(int(seconds * rate)) / rate
    return Audio.from_waveform(0.3 * np.sin(2 * np.pi * pitch * at * (1 + at / (2 * seconds))), rate)


def noise(samples: int, seed: int = 0) -> np.ndarray:
    return 0.1 * np.random.default_rng(seed).standard_normal(samples).astype(np.float32)


SOUNDS = [tone(0.3, 220), tone(1.0, 880), tone(2.7, 110), tone(1.5, 2000)]
SILENCE = Audio(np.zeros((1, RATE // 2), np.int16), RATE)


def test_rows_are_the_model_s_own_projections_made_unit(folder: Path) -> None:
    from transformers import ClapModel, ClapProcessor

    model, processor = ClapModel.from_pretrained(folder).eval(), ClapProcessor.from_pretrained(folder)
    texts, sounds = ["a dog", "sad cat"], SOUNDS[:2]
    seen = processor.feature_extractor(
        [sound.waveform[0] for sound in sounds], sampling_rate=RATE, return_tensors="pt"
    )
    seen["is_longer"][:] = False
    with torch.inference_mode():
        rows = model.get_audio_features(**seen).pooler_output
        words = model.get_text_features(**processor.tokenizer(texts, padding=True, return_tensors="pt"))
    np.testing.assert_allclose(scorer(folder).embed_media(sounds), rows.numpy(), atol=1e-5)
    np.testing.assert_allclose(scorer(folder).embed_text(texts), words.pooler_output.numpy(), atol=1e-5)
    assert scorer(folder).embed_text(texts).dtype == np.float32


@pytest.mark.parametrize("truncation", ["rand_trunc", "fusion"])
@pytest.mark.parametrize("padding", ["repeatpad", "repeat", "pad"])
def test_spectrograms_are_those_of_the_extractor(truncation: str, padding: str) -> None:
    extractor = ClapFeatureExtractor(truncation=truncation, padding=padding, max_length_s=1)
    rate = extractor.sampling_rate
    loud = tone(1.0, 440, rate=rate).waveform[0]  # beside it other bands are quiet
    sounds = [noise(1), noise(333), noise(rate // 2), noise(rate - 1), noise(rate), loud, 0 * loud]
    theirs = extractor(sounds, sampling_rate=rate, return_tensors="pt")["input_features"]
    ours, longer = ClapFeatures.like(extractor).inputs(sounds)
    np.testing.assert_allclose(ours, theirs.float().numpy(), atol=1e-4, rtol=0)
    assert not longer.any()


@pytest.mark.parametrize("more", [0.9, 1.0, 2.0])
def test_fused_views_of_a_longer_sound_are_those_of_the_extractor_where_it_has_no_choice(
    more: float,
) -> None:
    extractor = ClapFeatureExtractor(truncation="fusion", max_length_s=1)
    longer = noise(extractor.sampling_rate + int(more * extractor.hop_length))  # up to three places
    theirs = extractor([longer], sampling_rate=extractor.sampling_rate, return_tensors="pt")
    ours, is_longer = ClapFeatures.like(extractor).inputs([longer])
    np.testing.assert_allclose(ours, theirs["input_features"].float().numpy(), atol=1e-4, rtol=0)
    assert is_longer.item() == (more >= 1)


@pytest.mark.parametrize("frames", [11, 12, 13, 97, 5000])
def test_a_long_sound_is_shrunk_as_torch_shrinks_it(frames: int) -> None:
    mel = 20 * np.random.default_rng(frames).standard_normal((frames, 4)).astype(np.float32)
    theirs = torch.nn.functional.interpolate(
        torch.from_numpy(mel)[None, None], size=(11, 4), mode="bilinear", align_corners=False
    )
    np.testing.assert_allclose(shrunk(mel, 11), theirs[0, 0].numpy(), atol=1e-4, rtol=0)


def test_five_sounds_are_seen_in_much_less_than_a_second() -> None:
    features = ClapFeatures.like(ClapFeatureExtractor(truncation="rand_trunc"))
    started = time.process_time()
    features.inputs([noise(4 * features.rate, seed) for seed in range(5)])
    assert time.process_time() - started < 1


def test_batch_does_not_change_embeddings(folder: Path) -> None:
    texts = ["dog", "a long line of words", ""]
    one, many = scorer(folder, batch_size=1), scorer(folder)
    np.testing.assert_allclose(one.embed_text(texts), many.embed_text(texts), atol=1e-5)
    np.testing.assert_allclose(one.embed_media(SOUNDS), many.embed_media(SOUNDS), atol=1e-5)
    np.testing.assert_allclose(many.embed_media(SOUNDS[2:3])[0], many.embed_media(SOUNDS)[2], atol=1e-5)


def test_again_is_the_same_whatever_numpy_draws(folder: Path) -> None:
    rows = []
    for seed in (1, 2):
        np.random.seed(seed)
        rows.append(scorer(folder).embed_media(SOUNDS))
    np.testing.assert_array_equal(*rows)


def test_long_sound_is_the_mean_of_windows_that_cover_it(unfused: Path) -> None:
    long = tone(2.4, 150)
    parts = [Audio(long.samples[:, start : start + RATE], RATE) for start in (0, RATE, int(1.4 * RATE))]
    mean = scorer(unfused).embed_media(parts).mean(axis=0)
    (row,) = scorer(unfused).embed_media([long])
    np.testing.assert_allclose(row, mean / np.linalg.norm(mean), atol=1e-5)


def test_every_part_of_a_long_sound_counts(folder: Path) -> None:
    long = tone(3.2, 150)
    rows = [scorer(folder).embed_media([long])[0]]
    for place in (0, 1.2, 3.0):
        other = long.samples.copy()
        other[:, int(place * RATE) :][:, : RATE // 5] = 0
        rows.append(scorer(folder).embed_media([Audio(other, RATE)])[0])
    assert min(np.abs(row - rows[0]).max() for row in rows[1:]) > 1e-4


def test_other_rates_and_channels_are_heard_alike(folder: Path) -> None:
    mono, high = tone(1.0, 300), tone(1.0, 300, rate=44100)
    stereo = Audio(np.concatenate([mono.samples, mono.samples]), RATE)
    rows = scorer(folder).embed_media([mono, high, stereo])
    np.testing.assert_allclose(rows[2], rows[0], atol=1e-5)
    assert rows[1] @ rows[0] > 0.99


@pytest.mark.parametrize("samples", [1, RATE // 2, 3 * RATE])
def test_silence_of_any_length_has_a_row_of_numbers(folder: Path, samples: int) -> None:
    (row,) = scorer(folder).embed_media([Audio(np.zeros((1, samples), np.int16), RATE)])
    np.testing.assert_allclose(np.linalg.norm(row), 1, atol=1e-5)


@pytest.mark.parametrize("text", ["dog " * 250_000, "\ud83d", "狗 🐶 كلب", " \n "])
def test_any_text_is_cut_or_cleaned_and_never_refused(folder: Path, text: str) -> None:
    assert np.isfinite(scorer(folder).embed_text([text])).all()


def test_long_text_counts_as_its_beginning(folder: Path) -> None:
    rows = scorer(folder).embed_text(["dog " * 30 + "apple", "dog " * 30 + "heart", "heart"])
    np.testing.assert_allclose(rows[0], rows[1], atol=1e-6)
    assert np.abs(rows[0] - rows[2]).max() > 1e-3


def test_nothing_in_gives_nothing_out(folder: Path) -> None:
    assert scorer(folder).embed_text([]).shape == scorer(folder).embed_media([]).shape == (0, 16)


def test_pictures_are_refused_by_name(folder: Path) -> None:
    with pytest.raises(CapabilityError, match="an Audio was expected; got Image, which CLAP"):
        scorer(folder).embed_media(pictures(1))


@pytest.mark.parametrize(
    "missing", ["config.json", "model.safetensors", "tokenizer.json", "processor_config.json"]
)
def test_missing_file_is_named(unfused: Path, tmp_path: Path, missing: str) -> None:
    copy = Path(shutil.copytree(unfused, tmp_path / "copy"))
    (copy / missing).unlink()
    named = {"tokenizer.json": r"vocab\.txt", "processor_config.json": "preprocessor_config"}
    with pytest.raises(ModelFolderError, match=named.get(missing, missing)):
        scorer(copy).load()


def test_folder_of_another_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelFolderError, match="says 'clip'"):
        scorer(clip_folder(tmp_path)).load()


def test_folder_that_contradicts_itself_about_fusion_is_refused(fused: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(fused, tmp_path / "copy"))
    settings = json.loads((copy / "processor_config.json").read_text())
    settings["feature_extractor"]["truncation"] = "rand_trunc"
    (copy / "processor_config.json").write_text(json.dumps(settings))
    with pytest.raises(ModelFolderError, match="enable_fusion is True"):
        scorer(copy).load()


def test_scorer_and_captioner_share_one_model(fused: Path) -> None:
    first, second = scorer(fused), captioner(fused)
    first.load()
    second.load()
    assert first._ready() is second._scorer._ready()


def test_caption_is_the_best_word_of_every_attribute(fused: Path) -> None:
    rows = scorer(fused).embed_media(SOUNDS)
    best = [
        [words[i] for i in (rows @ scorer(fused).embed_text(words).T).argmax(axis=1)]
        for words in TAGS.values()
    ]
    expected = [", ".join(words) for words in zip(*best, strict=True)]
    assert captioner(fused).caption(SOUNDS) == expected
    assert captioner(fused, vocabulary=TAGS).caption(SOUNDS) == expected


def test_shares_are_the_softmax_at_the_model_s_temperature(fused: Path) -> None:
    (tags,) = captioner(fused, top_k=4).tags(SOUNDS[:1])
    cosines = scorer(fused).embed_text(TAGS["thing"]) @ scorer(fused).embed_media(SOUNDS[:1])[0]
    logits = np.exp(scorer(fused).temperature_scale * cosines.astype(np.float64))
    shares = {tag.text: tag.share for tag in tags if tag.attribute == "thing"}
    np.testing.assert_allclose([shares[word] for word in TAGS["thing"]], logits / logits.sum(), rtol=1e-4)


def test_of_silence_nothing_is_said(fused: Path) -> None:
    quiet = Audio(np.full((2, RATE), 20, np.int16), RATE)
    said = captioner(fused, otherwise="silence").caption([SILENCE, SOUNDS[0], quiet])
    assert said[0] == said[2] == "silence"
    assert said[1] != "silence"
    assert captioner(fused).caption([SILENCE]) == ["a sound"]


def test_without_any_vocabulary_the_error_says_how_to_give_one(unfused: Path) -> None:
    with pytest.raises(ModelFolderError, match=r"tags\.json.*vocabulary="):
        captioner(unfused).load()


def test_malformed_settings_are_refused_at_once() -> None:
    with pytest.raises(ConfigError, match="batch_size"):
        ClapScorer(batch_size=0)
    with pytest.raises(ConfigError, match="clap-tags: threshold"):
        ClapTagCaptioner(vocabulary=TAGS, threshold=1.5)


def test_plugin_offers_both_adapters(fused: Path) -> None:
    import pmg_transformers.plugin
    from pmg_sdk.plugins import Registry

    registry = Registry(strict=True)
    registry.register(pmg_transformers.plugin, "pmg_transformers")
    options = {"model": str(fused), "device": "cpu"}
    assert len(registry.create("scorer", "clap", options).embed_text(["dog"])) == 1
    assert len(registry.create("captioner", "clap-tags", options).caption(SOUNDS)) == len(SOUNDS)
