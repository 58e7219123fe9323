"""The BLIP-2 captioner on tiny folders."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from sample_media import pictures, sound
from tiny_models.captioners import blip2_folder, blip_folder
from tiny_models.dual_encoders import clip_folder

from pmg_sdk.errors import CapabilityError, ConfigError, ModelFolderError
from pmg_sdk.media import Image
from pmg_transformers.blip2 import Blip2Captioner


@pytest.fixture(scope="module")
def opt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return blip2_folder(tmp_path_factory.mktemp("blip2-opt"))


@pytest.fixture(scope="module")
def t5(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return blip2_folder(tmp_path_factory.mktemp("blip2-t5"), language_model="t5")


@pytest.fixture(scope="module")
def blip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return blip_folder(tmp_path_factory.mktemp("blip"))


@pytest.mark.parametrize("kind", ["opt", "t5", "blip"])
@pytest.mark.parametrize("prompt", ["", "a picture of"])
def test_caption_is_what_transformers_generates_without_the_prompt(
    kind: str, prompt: str, request: pytest.FixtureRequest
) -> None:
    from transformers import AutoModelForImageTextToText, AutoProcessor

    folder = request.getfixturevalue(kind)
    model, processor = (
        AutoModelForImageTextToText.from_pretrained(folder).eval(),
        AutoProcessor.from_pretrained(folder),
    )
    image = pictures(1)[0]
    text = {"text": prompt} if prompt else {}
    inputs = processor(images=image.to_pil(), return_tensors="pt", **text)
    with torch.inference_mode():
        tokens = model.generate(**inputs, max_new_tokens=6, do_sample=False, num_beams=1)
    expected = processor.batch_decode(tokens, skip_special_tokens=True)[0].strip()
    assert len(expected) > len(prompt)
    captioner = Blip2Captioner(model=str(folder), device="cpu", prompt=prompt, max_new_tokens=6)
    assert captioner.caption([image]) == [" ".join(expected.removeprefix(prompt).split())]


@pytest.mark.parametrize("kind", ["opt", "t5", "blip"])
def test_batch_size_does_not_change_captions(kind: str, request: pytest.FixtureRequest) -> None:
    folder, images = str(request.getfixturevalue(kind)), pictures(5)
    together = Blip2Captioner(model=folder, device="cpu", max_new_tokens=6, batch_size=8).caption(images)
    alone = Blip2Captioner(model=folder, device="cpu", max_new_tokens=6, batch_size=1).caption(images)
    assert together == alone
    assert len(set(together)) > 1


def test_caption_has_at_most_the_tokens_asked_for(opt: Path) -> None:
    (caption,) = Blip2Captioner(model=str(opt), device="cpu", max_new_tokens=3).caption(pictures(1))
    assert 1 <= len(caption.split()) <= 3


@pytest.mark.parametrize("seed", [0, 2])
def test_a_caption_is_never_empty(seed: int, tmp_path: Path) -> None:
    folder = blip2_folder(tmp_path, seed=seed)  # would end some captions with their first token
    blank = Image(np.full((32, 32, 3), 90, np.uint8))
    assert all(Blip2Captioner(model=str(folder), device="cpu").caption([*pictures(8), blank]))


def test_nothing_in_gives_nothing_out(opt: Path) -> None:
    assert Blip2Captioner(model=str(opt), device="cpu").caption([]) == []


def test_other_media_are_refused_by_name(opt: Path) -> None:
    with pytest.raises(CapabilityError, match="Image was expected; got Audio"):
        Blip2Captioner(model=str(opt), device="cpu").caption([sound()])


@pytest.mark.parametrize(
    ("missing", "named"),
    [
        ("config.json", "config.json"),
        ("model.safetensors", "model.safetensors"),
        ("processor_config.json", "preprocessor_config.json"),
        ("tokenizer_config.json", "tokenizer_config.json"),
    ],
)
def test_missing_file_is_named(tmp_path: Path, missing: str, named: str) -> None:
    folder = blip_folder(tmp_path)
    (folder / missing).unlink()
    with pytest.raises(ModelFolderError, match=named):
        Blip2Captioner(model=str(folder), device="cpu").load()


def test_folder_of_another_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelFolderError, match=r"blip-2 or blip was expected.*says 'clip'"):
        Blip2Captioner(model=str(clip_folder(tmp_path)), device="cpu").load()


def test_outdated_folder_says_what_it_lacks(tmp_path: Path) -> None:
    folder = blip2_folder(tmp_path)
    config = json.loads((folder / "config.json").read_text())
    config["image_token_index"] = None
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelFolderError, match="image_token_index"):
        Blip2Captioner(model=str(folder), device="cpu").load()


@pytest.mark.parametrize("option", [{"max_new_tokens": 0}, {"batch_size": 0}, {"dtype": "int8"}])
def test_malformed_setting_is_refused_at_once(option: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=next(iter(option))):
        Blip2Captioner(**option)
