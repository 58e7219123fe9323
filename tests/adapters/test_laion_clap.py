"""The original laion-clap on random weights; in an environment of its own, see docs/audio.md."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tiny_models.tokenizers import roberta_tokenizer

from pmg_laion_clap import LaionClapScorer, LaionClapTagCaptioner
from pmg_laion_clap.checkpoint import read_checkpoint
from pmg_laion_clap.package import clap_module
from pmg_sdk.audio import Audio
from pmg_sdk.errors import ConfigError, MissingExtra, ModelFolderError

installed = importlib.util.find_spec("laion_clap") is not None
needs_it = pytest.mark.skipif(
    not installed, reason="laion-clap is not installed; it needs numpy<2: run .ci/own-environment laion-clap"
)
TAGS = {"thing": ["dog", "cat", "ball"], "mood": ["happy", "sad"]}


def tone(seconds: float, pitch: float) -> Audio:
    at = np.arange(int(seconds * 48000)) / 48000
    return Audio.from_waveform(0.3 * np.sin(2 * np.pi * pitch * at * (1 + at / (2 * seconds))), 48000)


SOUNDS = [tone(3, 220), tone(10, 880), tone(13, 110)]


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny RoBERTa: tokenizer and config.json, no weights."""
    from transformers import RobertaConfig

    folder = tmp_path_factory.mktemp("roberta")
    size = roberta_tokenizer(folder, max_tokens=30)
    RobertaConfig(
        vocab_size=size,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=34,
    ).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module", params=[False, True], ids=["unfused", "fused"])
def options(request: pytest.FixtureRequest, text: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A checkpoint as laion-clap's own training writes it."""
    from transformers import RobertaConfig

    from pmg_laion_clap.model import build_clap

    torch.manual_seed(0)
    model = build_clap(
        RobertaConfig.from_pretrained(text), architecture="HTSAT-tiny", fused=request.param
    ).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.ndim > 1 and not name.startswith(("audio_branch.spec", "audio_branch.logmel")):
                # As made, every sound and every text is nearly the same.
                parameter.mul_(15.0 if name.startswith("text_branch") else 1.5)
        model.audio_branch.bn0.running_mean.fill_(-40.0)
        model.audio_branch.bn0.running_var.fill_(400.0)
    weights = {f"module.{name}": tensor for name, tensor in model.state_dict().items()}
    weights["module.text_branch.embeddings.position_ids"] = torch.arange(34)[None]
    path = tmp_path_factory.mktemp("checkpoint") / "best.pt"
    torch.save({"epoch": 3, "best": np.float64(0.5), "state_dict": weights}, path)
    return {"model": str(path), "text": str(text), "fused": request.param, "device": "cpu"}


@pytest.mark.slow
@needs_it
def test_importing_its_models_asks_no_hub() -> None:
    import sys

    assert clap_module().CLAP
    assert "laion_clap" not in sys.modules


@pytest.mark.slow
@needs_it
def test_rows_are_those_of_the_package(options: Any) -> None:
    from pmg_clap import ClapFeatures

    scorer = LaionClapScorer(**options)
    scorer.load()
    model, tokenizer = scorer._ready().model, scorer._ready().processor.tokenizer
    texts = ["a dog", "sad cat with a ball"]
    sound = SOUNDS[1].waveform[0]
    mel = ClapFeatures.like(scorer._ready().processor.feature_extractor).log_mel(sound)
    heard = {
        "waveform": torch.from_numpy(sound),
        "mel_fusion": torch.from_numpy(np.stack([mel] * 4)),
        "longer": torch.tensor([False]),
    }
    with torch.inference_mode():
        rows = model.get_audio_embedding([heard])
        words = model.get_text_embedding(
            dict(tokenizer(texts, padding="max_length", max_length=30, return_tensors="pt"))
        )
    np.testing.assert_allclose(scorer.embed_media([SOUNDS[1]]), rows.numpy(), atol=1e-5)
    np.testing.assert_allclose(scorer.embed_text(texts), words.numpy(), atol=1e-5)


@pytest.mark.slow
@needs_it
def test_transformers_gives_the_same_rows_with_the_same_weights(options: Any, tmp_path: Path) -> None:
    from pmg_transformers.clap import ClapScorer

    folder = as_transformers(options, tmp_path)
    theirs, ours = ClapScorer(model=str(folder), device="cpu"), LaionClapScorer(**options)
    texts = ["a dog", "sad cat with a ball", ""]
    np.testing.assert_allclose(ours.embed_text(texts), theirs.embed_text(texts), atol=1e-4)
    np.testing.assert_allclose(ours.embed_media(SOUNDS), theirs.embed_media(SOUNDS), atol=1e-3)


@pytest.mark.slow
@needs_it
def test_batch_and_chance_do_not_change_embeddings(options: Any) -> None:
    one, many = LaionClapScorer(**options, batch_size=1), LaionClapScorer(**options)
    np.random.seed(1)
    torch.manual_seed(1)
    expected = many.embed_media(SOUNDS)
    np.random.seed(2)
    torch.manual_seed(2)
    np.testing.assert_allclose(one.embed_media(SOUNDS), expected, atol=1e-5)
    texts = ["dog", "a cat and a ball", "", "x" * 10_000]
    np.testing.assert_allclose(one.embed_text(texts), many.embed_text(texts), atol=1e-5)
    assert one._ready() is many._ready()
    assert one.embed_media([]).shape == one.embed_text([]).shape == (0, 512)


@pytest.mark.slow
@needs_it
def test_sounds_are_tagged(options: Any) -> None:
    silence = Audio(np.zeros((1, 100), np.int16), 48000)
    captioner = LaionClapTagCaptioner(**options, vocabulary=TAGS, cache=False)
    said = captioner.caption([SOUNDS[0], silence])
    assert said[1] == "a sound"
    assert said[0].split(", ")[0] in TAGS["thing"]
    assert said[0].split(", ")[1] in TAGS["mood"]


@pytest.mark.slow
@needs_it
def test_checkpoint_of_another_model_is_refused(options: Any) -> None:
    with pytest.raises(ModelFolderError, match="Name its architecture"):
        LaionClapScorer(**{**options, "fused": not options["fused"]}).load()
    with pytest.raises(ConfigError, match="HTSAT-tiny"):
        LaionClapScorer(**options, architecture="HTSAT").load()


def test_without_the_package_the_error_says_how_to_have_it(text: Path) -> None:
    if installed:
        pytest.skip("laion-clap is installed here")
    with pytest.raises(MissingExtra, match="numpy<2"):
        LaionClapScorer(model="best.pt", text=str(text), device="cpu").load()


def test_published_checkpoint_is_read_without_running_it(tmp_path: Path) -> None:
    path = tmp_path / "best.pt"
    weights = {"module.logit_scale_a": torch.ones(()), "module.text_branch.embeddings.position_ids": 1}
    torch.save({"epoch": 3, "best": np.float64(0.5), "state_dict": weights}, path)
    assert list(read_checkpoint(path)) == ["logit_scale_a"]


def test_safetensors_are_read_too(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    save_file({"module.logit_scale_a": torch.ones(())}, tmp_path / "best.safetensors")
    assert list(read_checkpoint(tmp_path / "best.safetensors")) == ["logit_scale_a"]


class Boom:
    def __init__(self, place: Path) -> None:
        self.place = place

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.place),)


def test_pickle_that_would_run_something_is_refused(tmp_path: Path) -> None:
    torch.save({"state_dict": Boom(tmp_path / "ran")}, tmp_path / "evil.pt")
    with pytest.raises(ModelFolderError, match="convert it to safetensors"):
        read_checkpoint(tmp_path / "evil.pt")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("content", [b"", b"nothing of the kind"])
def test_damaged_or_missing_checkpoint_is_a_model_folder_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad.pt").write_bytes(content)
    for name in ("bad.pt", "nowhere.pt"):
        with pytest.raises(ModelFolderError, match="laion-clap checkpoint"):
            read_checkpoint(tmp_path / name)


def as_transformers(options: Any, folder: Path) -> Path:
    """The same weights as a folder of transformers' ClapModel."""
    from transformers import AutoTokenizer, ClapConfig, ClapModel, ClapProcessor, RobertaConfig

    scorer = LaionClapScorer(**options)
    text = RobertaConfig.from_pretrained(options["text"])
    kept = ("vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads")
    more = ("max_position_embeddings", "type_vocab_size", "pad_token_id")
    sizes = {name: getattr(text, name) for name in (*kept, *more)}
    config = ClapConfig(
        text_config=sizes,
        audio_config={
            "enable_fusion": options["fused"],
            "fusion_type": "aff_2d" if options["fused"] else None,
        },
    )
    model = ClapModel(config)
    missing, unknown = model.load_state_dict(renamed(read_checkpoint(Path(options["model"]))), strict=False)
    assert not [name for name in missing if not name.endswith(("_ids", "_index"))]
    assert not unknown
    model.save_pretrained(folder)
    extractor = scorer._ready().processor.feature_extractor
    ClapProcessor(extractor, AutoTokenizer.from_pretrained(options["text"])).save_pretrained(folder)
    return folder


def renamed(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """From laion-clap's names to those of transformers."""
    names = {
        "text_branch": "text_model",
        "audio_branch": "audio_model.audio_encoder",
        "attn": "attention.self",
        "self.proj": "output.dense",
        "mlp.fc1": "intermediate.dense",
        "mlp.fc2": "output.dense",
        "norm1": "layernorm_before",
        "norm2": "layernorm_after",
        "bn0": "batch_norm",
        "projection.0": "projection.linear1",
        "projection.2": "projection.linear2",
    }
    left_out = ("spectrogram", "logmel", "tscam", "head.", "_transform.", "attn_mask")
    found = {}
    for name, tensor in tensors.items():
        if any(part in name for part in left_out) and "text_branch" not in name:
            continue
        for old, new in names.items():
            if old in ("attn", "self.proj", "mlp.fc1", "mlp.fc2", "norm1", "norm2") and "text" in name:
                continue
            name = name.replace(old, new)
        if "qkv" in name:
            for part, third in zip(("query", "key", "value"), tensor.chunk(3), strict=True):
                found[name.replace("qkv", part)] = third
        else:
            found[name] = tensor
    return found
