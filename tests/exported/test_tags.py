"""Tags by exported dual encoders: the words that the originals say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sample_media import pictures
from tiny_models.clap import RATE, TAGS

from pmg_onnx import OnnxScorer, OnnxTagCaptioner
from pmg_onnx.export.duals import dual
from pmg_onnx.export.probes import sounds
from pmg_sdk.audio import Audio
from pmg_sdk.errors import CapabilityError, ConfigError, ModelFolderError
from pmg_transformers.clap_tags import ClapTagCaptioner

SILENCE = Audio(np.zeros((1, RATE // 2), np.int16), RATE)


def test_sounds_get_the_words_of_the_original(fused_model: Path, fused_export: Path) -> None:
    original = ClapTagCaptioner(model=str(fused_model), device="cpu", top_k=2)
    exported = OnnxTagCaptioner(str(fused_export), device="cpu", top_k=2)
    media = [*sounds(RATE, 1.0), SILENCE]
    assert exported.caption(media) == original.caption(media)
    for one, two in zip(original.tags(media), exported.tags(media), strict=True):
        assert [tag.text for tag in two] == [tag.text for tag in one]
        assert [tag.share for tag in two] == pytest.approx([tag.share for tag in one], abs=1e-4)


def test_pictures_get_the_words_that_fit_best(scorer_export: Path) -> None:
    scorer = OnnxScorer(str(scorer_export), device="cpu")
    media = pictures(4)
    best = scorer.embed_media(media) @ scorer.embed_text(TAGS["thing"]).T
    exported = OnnxTagCaptioner(str(scorer_export), device="cpu", vocabulary={"thing": TAGS["thing"]})
    assert exported.modality == "image"
    assert exported.caption(media) == [TAGS["thing"][index] for index in best.argmax(axis=1)]


def test_of_silence_only_otherwise_is_said(fused_export: Path) -> None:
    media = [SILENCE, sounds(RATE, 1.0)[3]]
    said = OnnxTagCaptioner(str(fused_export), device="cpu").caption(media)
    assert (said[0], said[1] == said[0]) == ("a sound", False)
    assert OnnxTagCaptioner(str(fused_export), device="cpu", otherwise="").caption(media[:1]) == [""]


def test_media_of_another_modality_are_refused(fused_export: Path) -> None:
    with pytest.raises(CapabilityError, match="an Audio was expected; got Image"):
        OnnxTagCaptioner(str(fused_export), device="cpu").caption(pictures(1))


def test_without_any_vocabulary_the_error_says_how_to_give_one(sound_export: Path) -> None:
    with pytest.raises(ModelFolderError, match=r"tags\.json.*vocabulary="):
        OnnxTagCaptioner(str(sound_export), device="cpu").load()


def test_malformed_settings_are_refused_at_once() -> None:
    with pytest.raises(ConfigError, match="batch_size"):
        OnnxTagCaptioner("nowhere", batch_size=0)
    with pytest.raises(ConfigError, match="onnx-tags: threshold"):
        OnnxTagCaptioner("nowhere", vocabulary=TAGS, threshold=1.5)


def test_scorer_and_captioner_share_one_model(fused_export: Path) -> None:
    scorer = OnnxScorer(str(fused_export), device="cpu")
    captioner = OnnxTagCaptioner(str(fused_export), device="cpu")
    scorer.load()
    captioner.load()
    assert captioner._dual._loaded() is scorer._loaded()


def test_the_vocabulary_of_any_source_goes_along(scorer_model: Path, tmp_path: Path) -> None:
    import shutil

    copy = Path(shutil.copytree(scorer_model, tmp_path / "copy"))
    assert dual(str(copy)).tags is None
    (copy / "tags.json").write_text('{"tags": {"thing": ["dog", "cat"]}}')
    assert dual(str(copy)).tags == copy / "tags.json"
