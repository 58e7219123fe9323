"""The Stable Diffusion generator on tiny random folders: what a request gives, and what goes wrong how."""

from __future__ import annotations

import dataclasses
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import UNet2DConditionModel
from forwards import count_rows, spoil
from json_edits import edit_json
from safetensors.torch import load_file, save_file

from pmg_sdk.conditioning import Conditioning, join
from pmg_sdk.errors import (
    Cancelled,
    ConfigError,
    GenerationError,
    InputError,
    ModelFolderError,
    OutOfMemory,
    SpaceMismatch,
)
from pmg_sdk.interfaces import GenerationRequest, SupportsLoading, SupportsPreview
from pmg_sdk.media import Image, Media
from pmg_stable_diffusion import StableDiffusionGenerator


def on_cpu(model: Path, **options: Any) -> StableDiffusionGenerator:
    return StableDiffusionGenerator(model=str(model), device="cpu", **{"steps": 3, **options})


@pytest.fixture(scope="module")
def emoji(embedded_model: Path) -> StableDiffusionGenerator:
    return on_cpu(embedded_model)


def pixels(media: Media) -> np.ndarray[Any, np.dtype[np.float32]]:
    assert isinstance(media, Image)
    return media.pixels.astype(np.float32)


def difference(one: Media, other: Media) -> float:
    """Mean absolute difference in grey levels, 0..255."""
    return float(np.abs(pixels(one) - pixels(other)).mean())


def requests_of(generator: StableDiffusionGenerator, *texts: str, **options: Any) -> list[GenerationRequest]:
    encoded = generator.text_encoder.encode(texts)
    return [
        GenerationRequest(seed=seed, conditioning=part, **options)
        for seed, part in enumerate(encoded, start=1)
    ]


class Watching:
    """An observer that remembers, and that may stop the work after some steps."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.total: dict[str, int] = {}
        self.done: dict[str, int] = {}
        self.stop_after = stop_after

    def start(self, stage: str, total: int) -> None:
        self.total[stage] = total

    def advance(self, stage: str, steps: int = 1) -> None:
        self.done[stage] = self.done.get(stage, 0) + steps

    def cancelled(self) -> bool:
        return self.stop_after is not None and self.done.get("denoise", 0) >= self.stop_after


@pytest.mark.parametrize("folder", ["sd15_model", "sd21_model", "sdxl_model", "embedded_model"])
def test_every_shape_of_model_makes_images_of_its_size(folder: str, request: pytest.FixtureRequest) -> None:
    generator = on_cpu(request.getfixturevalue(folder))
    media = generator.generate(requests_of(generator, "dog", "red apple"))
    assert [picture.size for picture in media if isinstance(picture, Image)] == [generator.spec.size] * 2


def test_the_spec_is_read_without_loading_weights(embedded_model: Path) -> None:
    generator = on_cpu(embedded_model, steps=None)
    spec = generator.spec
    assert (spec.modality, spec.conditioning, spec.negative) == ("image", "sequence", True)
    assert (spec.steps, spec.guidance, spec.size) == (4, 3.0, (128, 128))
    assert spec.space == generator.text_encoder.space
    assert generator.text_encoder.max_tokens == 24
    assert generator._sampler.value is None


def test_options_stand_above_the_folders_defaults(embedded_model: Path) -> None:
    spec = on_cpu(embedded_model, steps=7, guidance=2.0, size=(64, 96)).spec
    assert (spec.steps, spec.guidance, spec.size) == (7, 2.0, (64, 96))


def test_it_can_be_loaded_ahead_and_previewed(embedded_model: Path) -> None:
    generator, watching = on_cpu(embedded_model), Watching()
    assert isinstance(generator, SupportsLoading)
    assert isinstance(generator, SupportsPreview)
    generator.load(watching)
    assert watching.done["load"] == 3
    assert generator.preview() == []


def test_a_candidate_is_the_same_alone_and_in_a_batch(emoji: StableDiffusionGenerator) -> None:
    requests = requests_of(emoji, "dog", "red apple, flat design style", "a heart")
    together = emoji.generate(requests)
    for request, media in zip(requests, together, strict=True):
        assert np.abs(pixels(emoji.generate([request])[0]) - pixels(media)).max() <= 1


def test_a_candidate_is_the_same_first_or_last_and_in_any_batch_size(embedded_model: Path) -> None:
    generator = on_cpu(embedded_model, batch_size=2)
    requests = requests_of(generator, "dog", "cat with soccer ball", "heart")
    forwards, backwards = generator.generate(requests), generator.generate(requests[::-1])
    for one, other in zip(forwards, backwards[::-1], strict=True):
        assert np.abs(pixels(one) - pixels(other)).max() <= 1


def test_seed_and_conditioning_change_the_picture(emoji: StableDiffusionGenerator) -> None:
    dog, cat = requests_of(emoji, "dog dog dog", "cat")
    first, other_seed, other_text = emoji.generate(
        [dog, dataclasses.replace(dog, seed=99), dataclasses.replace(dog, conditioning=cat.conditioning)]
    )
    assert difference(first, other_seed) > 1
    assert difference(first, other_text) > 0


def test_seeds_that_differ_in_their_high_bits_alone_give_other_noise(emoji: StableDiffusionGenerator) -> None:
    (dog,) = requests_of(emoji, "dog dog dog")
    small, large, larger = emoji.generate([dataclasses.replace(dog, seed=2**32 * n + 1) for n in range(3)])
    assert min(difference(small, large), difference(large, larger)) > 1


def test_padding_a_short_conditioning_beside_a_long_one_changes_nothing(
    emoji: StableDiffusionGenerator,
) -> None:
    (short,) = requests_of(emoji, "dog", guidance=1.0)
    (long,) = requests_of(emoji, "dog cat apple heart dog cat apple heart", guidance=1.0)
    alone, (beside, _) = emoji.generate([short])[0], emoji.generate([short, long])
    assert np.abs(pixels(alone) - pixels(beside)).max() <= 1


def test_zero_tokens_take_attention_so_a_part_of_weight_zero_is_left_out(
    emoji: StableDiffusionGenerator,
) -> None:
    preference, target = emoji.text_encoder.encode(["flat design style", "dog"])
    left_out = join([(preference, 0.0), (target, 1.0)])
    zeroed = Conditioning(np.concatenate([preference.embeds * 0, target.embeds]), target.space)
    alone, without, scaled = emoji.generate(
        [GenerationRequest(seed=1, conditioning=part) for part in (target, left_out, zeroed)]
    )
    assert np.abs(pixels(alone) - pixels(without)).max() <= 1
    assert difference(alone, scaled) > difference(alone, without)


def test_requests_of_different_steps_and_guidance_share_a_call(emoji: StableDiffusionGenerator) -> None:
    (base,) = requests_of(emoji, "dog")
    mixed = [
        dataclasses.replace(base, steps=2),
        dataclasses.replace(base, steps=4, guidance=1.0),
        dataclasses.replace(base, steps=2, guidance=8.0),
    ]
    watching = Watching()
    together = emoji.generate(mixed, watching)
    assert watching.total["denoise"] == watching.done["denoise"] == 2 + 4 + 2
    for request, media in zip(mixed, together, strict=True):
        assert np.abs(pixels(emoji.generate([request])[0]) - pixels(media)).max() <= 1
    assert difference(together[0], together[2]) > 0


def test_no_negative_means_the_empty_prompt(emoji: StableDiffusionGenerator) -> None:
    (request,) = requests_of(emoji, "dog")
    empty, other = emoji.text_encoder.encode(["", "cat cat cat"])
    implied, stated, different = emoji.generate(
        [request, dataclasses.replace(request, negative=empty), dataclasses.replace(request, negative=other)]
    )
    assert np.abs(pixels(implied) - pixels(stated)).max() <= 1
    assert difference(implied, different) > difference(implied, stated)


def test_without_guidance_no_unconditional_forward_is_made(
    emoji: StableDiffusionGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = count_rows(monkeypatch, UNet2DConditionModel)
    emoji.generate(requests_of(emoji, "dog", "cat", guidance=1.0))
    assert rows == [2, 2, 2]
    emoji.generate(requests_of(emoji, "dog", "cat", guidance=2.0))
    assert rows[3:] == [4, 4, 4]


def test_guidance_acts_only_inside_its_interval(
    embedded_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = count_rows(monkeypatch, UNet2DConditionModel)
    generator = on_cpu(embedded_model, steps=4, guidance_interval=(0.3, 0.9))
    generator.generate(requests_of(generator, "dog"))
    assert rows == [1, 2, 2, 1]


def test_text_stands_in_for_a_missing_conditioning(emoji: StableDiffusionGenerator) -> None:
    (encoded,) = requests_of(emoji, "dog")
    from_text = GenerationRequest(seed=encoded.seed, text="dog")
    one, other = emoji.generate([encoded]), emoji.generate([from_text])
    assert np.array_equal(pixels(one[0]), pixels(other[0]))


def test_text_with_lone_surrogates_is_text_like_any_other(emoji: StableDiffusionGenerator) -> None:
    assert len(emoji.generate([GenerationRequest(seed=1, text="\ud83d", negative_text="cat \udc00")])) == 1


def test_text_stands_in_for_sdxls_missing_pooled_vector(sdxl_model: Path) -> None:
    generator = on_cpu(sdxl_model)
    (request,) = requests_of(generator, "dog", text="dog")
    assert request.conditioning is not None
    bare = dataclasses.replace(request, conditioning=dataclasses.replace(request.conditioning, pooled=None))
    one, other = generator.generate([request]), generator.generate([bare])
    assert np.array_equal(pixels(one[0]), pixels(other[0]))


def test_progress_is_told_and_a_preview_can_be_had_at_every_step(embedded_model: Path) -> None:
    generator = on_cpu(embedded_model)
    previews: list[int] = []

    class Looking(Watching):
        def advance(self, stage: str, steps: int = 1) -> None:
            super().advance(stage, steps)
            if stage == "denoise":
                previews.append(len(generator.preview()))

    looking = Looking()
    generator.generate(requests_of(generator, "dog", "cat"), looking)
    assert looking.total["denoise"] == looking.done["denoise"] == 6
    assert previews == [2, 2, 2]
    assert generator.preview() == []


def test_the_caller_can_stop_at_any_step(emoji: StableDiffusionGenerator) -> None:
    watching = Watching(stop_after=1)
    with pytest.raises(Cancelled):
        emoji.generate(requests_of(emoji, "dog"), watching)
    assert watching.done["denoise"] == 1


def test_ctrl_c_leaves_the_generator_usable(emoji: StableDiffusionGenerator) -> None:
    class Interrupting(Watching):
        def advance(self, stage: str, steps: int = 1) -> None:
            raise KeyboardInterrupt

    requests = requests_of(emoji, "dog")
    before = emoji.generate(requests)
    with pytest.raises(KeyboardInterrupt):
        emoji.generate(requests, Interrupting())
    assert emoji.preview() == []
    assert np.array_equal(pixels(emoji.generate(requests)[0]), pixels(before[0]))


def test_batches_are_halved_until_they_fit(
    emoji: StableDiffusionGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests = requests_of(emoji, "dog", "cat", "heart", "red apple", "sad cat")
    expected = emoji.generate(requests)
    tried = count_rows(monkeypatch, UNet2DConditionModel, most=4)
    watching = Watching()
    for one, other in zip(emoji.generate(requests, watching), expected, strict=True):
        assert np.abs(pixels(one) - pixels(other)).max() <= 1
    assert tried == [10, *[4, 4, 4] * 2, 2, 2, 2]
    assert watching.done["denoise"] == watching.total["denoise"]


def test_a_batch_of_one_that_does_not_fit_is_out_of_memory(
    emoji: StableDiffusionGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    count_rows(monkeypatch, UNet2DConditionModel, most=1)
    with pytest.raises(OutOfMemory, match="batch of one"):
        emoji.generate(requests_of(emoji, "dog"))


def test_values_that_are_not_numbers_name_the_step(
    emoji: StableDiffusionGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil(monkeypatch, UNet2DConditionModel, call=2)
    with pytest.raises(GenerationError, match="step 2 of 3"):
        emoji.generate(requests_of(emoji, "dog"))


def test_a_conditioning_of_another_space_is_refused(
    emoji: StableDiffusionGenerator, sd15_model: Path
) -> None:
    foreign = requests_of(on_cpu(sd15_model), "dog")
    with pytest.raises(SpaceMismatch, match="clip-32"):
        emoji.generate(foreign)


def test_a_text_encoder_of_another_space_is_refused(embedded_model: Path, sd15_model: Path) -> None:
    generator = on_cpu(embedded_model, text_encoder=on_cpu(sd15_model).text_encoder)
    with pytest.raises(SpaceMismatch, match="text encoder given"):
        _ = generator.text_encoder


def test_a_text_encoder_of_the_same_space_is_shared(embedded_model: Path) -> None:
    shared = on_cpu(embedded_model).text_encoder
    assert on_cpu(embedded_model, text_encoder=shared).text_encoder is shared


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"steps": 0}, "at least 1"),
        ({"guidance": float("nan")}, "number >= 0"),
        ({"guidance": -1.0}, "number >= 0"),
    ],
)
def test_impossible_requests_are_refused(
    change: dict[str, Any], message: str, emoji: StableDiffusionGenerator
) -> None:
    (request,) = requests_of(emoji, "dog")
    with pytest.raises(InputError, match=message):
        emoji.generate([dataclasses.replace(request, **change)])


def test_a_conditioning_without_tokens_is_refused(emoji: StableDiffusionGenerator) -> None:
    nothing = Conditioning(np.zeros((0, 32), dtype=np.float32), emoji.text_encoder.space)
    with pytest.raises(InputError, match="at least one token"):
        emoji.generate([GenerationRequest(seed=1, conditioning=nothing)])


@pytest.mark.parametrize(
    "options", [{"size": (100, 128)}, {"scheduler": "best"}, {"dtype": "int8"}, {"batch_size": 0}]
)
def test_impossible_options_are_refused(options: dict[str, Any], embedded_model: Path) -> None:
    with pytest.raises(ConfigError):
        on_cpu(embedded_model, **options).generate([GenerationRequest(seed=1, text="dog")])


@pytest.fixture
def damaged(embedded_model: Path, tmp_path: Path) -> Path:
    """A copy that a test may damage."""
    return Path(shutil.copytree(embedded_model, tmp_path / "model"))


@pytest.mark.parametrize(
    "name",
    [
        "model_index.json",
        "unet/config.json",
        "unet/diffusion_pytorch_model.safetensors",
        "vae/diffusion_pytorch_model.safetensors",
        "scheduler/scheduler_config.json",
        "text_encoder/model.safetensors",
        "tokenizer/tokenizer_config.json",
    ],
)
def test_a_missing_file_is_named(name: str, damaged: Path) -> None:
    (damaged / name).unlink()
    with pytest.raises(ModelFolderError, match=Path(name).name):
        on_cpu(damaged).generate([GenerationRequest(seed=1, text="dog")])


def test_damaged_weights_are_a_model_folder_error(damaged: Path) -> None:
    file = damaged / "unet" / "diffusion_pytorch_model.safetensors"
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(ModelFolderError, match="unet"):
        on_cpu(damaged).load()


@pytest.mark.parametrize("part", ["unet", "vae"])
def test_incomplete_weights_are_refused_with_the_missing_tensor(part: str, damaged: Path) -> None:
    file = damaged / part / "diffusion_pytorch_model.safetensors"
    weights = load_file(file)
    missing = min(weights)
    del weights[missing]
    save_file(weights, file)
    with pytest.raises(ModelFolderError, match=f"no tensor {re.escape(missing)}"):
        on_cpu(damaged).load()


def test_an_inpainting_model_is_refused(damaged: Path) -> None:
    edit_json(damaged / "unet" / "config.json", in_channels=17)
    with pytest.raises(ModelFolderError, match="Inpainting"):
        _ = on_cpu(damaged).spec


def test_a_folder_of_another_kind_of_model_is_refused(damaged: Path) -> None:
    (damaged / "model_index.json").write_text('{"_class_name": "FluxPipeline", "transformer": []}')
    with pytest.raises(ModelFolderError, match="FluxPipeline"):
        _ = on_cpu(damaged).spec


def test_the_folders_defaults_are_checked(damaged: Path) -> None:
    edit_json(damaged / "model_index.json", pmg={"steps": "many", "unknown": 1})
    with pytest.raises(ModelFolderError, match=r"pmg\.steps"):
        _ = on_cpu(damaged).spec


def test_nothing_is_asked_of_the_model_for_no_requests(embedded_model: Path) -> None:
    generator = on_cpu(embedded_model)
    assert generator.generate([]) == []
    assert generator._sampler.value is None


def test_a_scheduler_whose_package_is_missing_is_said_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    from pmg_diffusion.schedulers import make_scheduler
    from pmg_sdk.errors import MissingExtra

    monkeypatch.setattr("diffusers.LMSDiscreteScheduler.from_config", _needs_scipy)

    with pytest.raises(MissingExtra, match="scipy"):
        make_scheduler("lms", {}, 4, torch.device("cpu"))


def _needs_scipy(*_: object, **__: object) -> None:
    raise ImportError("LMSDiscreteScheduler requires the scipy library")
