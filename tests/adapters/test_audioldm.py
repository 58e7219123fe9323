"""AudioLDM and AudioLDM 2 on tiny random folders: what a request gives, and what goes wrong how."""

from __future__ import annotations

import dataclasses
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from forwards import count_rows, spoil
from json_edits import edit_json
from safetensors.torch import load_file, save_file
from sound_generators import KINDS, ROUNDING, UNETS, difference, on_cpu, requests_of, samples
from tiny_models.audioldm import RATE, SECONDS
from transformers import SpeechT5HifiGan

from pmg_audioldm import AudioLDM2Generator, AudioLDMGenerator
from pmg_audioldm.sound_generator import SoundGenerator
from pmg_conformance.observers import Recorder, StopsAfter
from pmg_sdk.audio import Audio
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
from pmg_sdk.interfaces import GenerationRequest, SupportsLoading, SupportsPreview, SupportsTraining
from pmg_sdk.media import Media


@pytest.fixture(scope="module", params=KINDS)
def place(request: pytest.FixtureRequest) -> tuple[type[SoundGenerator], Path]:
    """A kind of generator, and a folder for it."""
    return KINDS[request.param], request.getfixturevalue(request.param)


@pytest.fixture(scope="module")
def generator(place: tuple[type[SoundGenerator], Path]) -> SoundGenerator:
    return on_cpu(*place)


@pytest.fixture(scope="module")
def pooled(audioldm_model: Path) -> SoundGenerator:
    return on_cpu(AudioLDMGenerator, audioldm_model)


def test_sounds_are_as_long_as_the_folder_says(generator: SoundGenerator) -> None:
    for sound in generator.generate(requests_of(generator, "dog", "red apple")):
        assert isinstance(sound, Audio)
        assert (sound.sample_rate, sound.channels, sound.seconds) == (RATE, 1, SECONDS)
        assert sound.peak < 0
        assert not sound.is_silent


@pytest.mark.parametrize("seconds", [0.04, 0.333, 1.0])
def test_any_length_is_made_and_cut_to_the_sample(
    place: tuple[type[SoundGenerator], Path], seconds: float
) -> None:
    generator = on_cpu(*place, seconds=seconds)
    (sound,) = generator.generate(requests_of(generator, "dog"))
    assert samples(sound).shape == (1, round(seconds * RATE))


def test_the_spec_is_read_without_loading_weights(place: tuple[type[SoundGenerator], Path]) -> None:
    generator = on_cpu(*place)
    spec = generator.spec
    assert spec.conditioning == ("pooled" if place[0] is AudioLDMGenerator else "sequence")
    assert (spec.modality, spec.negative, spec.size) == ("audio", True, None)
    assert (spec.steps, spec.guidance) == (4, 2.0)
    assert spec.space == generator.text_encoder.space
    assert generator._sampler.value is None


@pytest.mark.parametrize(("kind", "guidance"), [(AudioLDMGenerator, 2.5), (AudioLDM2Generator, 3.5)])
def test_a_folder_that_says_nothing_is_sampled_as_the_authors_do(
    kind: type[SoundGenerator], guidance: float, audioldm_model: Path, audioldm2_model: Path, tmp_path: Path
) -> None:
    model = audioldm_model if kind is AudioLDMGenerator else audioldm2_model
    shutil.copytree(model, tmp_path / "model")
    edit_json(tmp_path / "model" / "model_index.json", pmg={})
    generator = on_cpu(kind, tmp_path / "model")
    assert (generator.spec.steps, generator.spec.guidance) == (100, guidance)
    assert generator._folder.form().samples == 10.24 * RATE


def test_options_stand_above_the_folders_defaults(place: tuple[type[SoundGenerator], Path]) -> None:
    spec = on_cpu(*place, steps=7, guidance=2.5).spec
    assert (spec.steps, spec.guidance) == (7, 2.5)


def test_it_can_be_loaded_ahead(place: tuple[type[SoundGenerator], Path]) -> None:
    generator, recorder = on_cpu(*place), Recorder()
    assert isinstance(generator, SupportsLoading)
    assert isinstance(generator, SupportsPreview)
    assert isinstance(generator, SupportsTraining)
    generator.load(recorder)
    assert recorder.steps["load"] >= 4
    assert generator.preview() == []


def test_a_sound_is_the_same_alone_and_in_any_batch(place: tuple[type[SoundGenerator], Path]) -> None:
    generator = on_cpu(*place)
    requests = requests_of(generator, "dog", "red apple, flat design style", "a heart")
    together = generator.generate(requests)
    by_two = on_cpu(*place, batch_size=2).generate(requests[::-1])[::-1]
    for request, sound, other in zip(requests, together, by_two, strict=True):
        assert difference(generator.generate([request])[0], sound) <= ROUNDING
        assert difference(other, sound) <= ROUNDING


def test_seed_and_conditioning_change_the_sound(generator: SoundGenerator) -> None:
    dog, cat = requests_of(generator, "dog dog dog", "cat")
    first, other_seed, other_text = generator.generate(
        [dog, dataclasses.replace(dog, seed=99), dataclasses.replace(dog, conditioning=cat.conditioning)]
    )
    assert difference(first, other_seed) > 10 * ROUNDING
    assert difference(first, other_text) > 10 * ROUNDING


def test_seeds_that_differ_in_their_high_bits_alone_give_other_noise(generator: SoundGenerator) -> None:
    (dog,) = requests_of(generator, "dog")
    small, large = generator.generate([dataclasses.replace(dog, seed=2**32 * n + 1) for n in range(2)])
    assert difference(small, large) > 10 * ROUNDING


def test_requests_of_different_steps_and_guidance_share_a_call(generator: SoundGenerator) -> None:
    (base,) = requests_of(generator, "dog")
    mixed = [
        dataclasses.replace(base, steps=2),
        dataclasses.replace(base, steps=4, guidance=1.0),
        dataclasses.replace(base, steps=2, guidance=8.0),
    ]
    recorder = Recorder()
    together = generator.generate(mixed, recorder)
    assert recorder.totals["denoise"] == recorder.steps["denoise"] == 2 + 4 + 2
    for request, sound in zip(mixed, together, strict=True):
        assert difference(generator.generate([request])[0], sound) <= ROUNDING
    assert difference(together[0], together[2]) > 10 * ROUNDING


def test_no_negative_means_the_empty_prompt(generator: SoundGenerator) -> None:
    (request,) = requests_of(generator, "dog")
    empty, other = generator.text_encoder.encode(["", "cat cat cat"])
    implied, stated, different = generator.generate(
        [request, dataclasses.replace(request, negative=empty), dataclasses.replace(request, negative=other)]
    )
    assert difference(implied, stated) <= ROUNDING
    assert difference(implied, different) > 10 * ROUNDING


def test_text_stands_in_for_a_missing_conditioning(generator: SoundGenerator) -> None:
    (encoded,) = requests_of(generator, "dog")
    from_text = GenerationRequest(seed=encoded.seed, text="dog")
    assert difference(generator.generate([encoded])[0], generator.generate([from_text])[0]) == 0
    away, stated = generator.generate(
        [
            dataclasses.replace(from_text, negative_text="cat"),
            dataclasses.replace(
                encoded, negative=generator.text_encoder.encode(["cat"])[0], negative_text="cat"
            ),
        ]
    )
    assert difference(away, stated) <= ROUNDING


def test_the_guidance_costs_a_forward_only_where_it_acts(
    place: tuple[type[SoundGenerator], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = count_rows(monkeypatch, UNETS[place[0]])
    generator = on_cpu(*place, guidance_interval=(0.3, 0.7))
    generator.generate(requests_of(generator, "dog", "cat", guidance=1.0))
    generator.generate(requests_of(generator, "dog", "cat"))
    assert rows == [2, 2, 2, 2, *(2, 4, 2, 2)]


def test_progress_is_told_and_a_preview_can_be_heard_at_every_step(generator: SoundGenerator) -> None:
    previews: list[list[Media]] = []
    recorder = Recorder(lambda: previews.append(generator.preview()))
    generator.generate(requests_of(generator, "dog", "cat"), recorder)
    assert recorder.totals["denoise"] == recorder.steps["denoise"] == 8
    assert [len(preview) for preview in previews] == [2] * 4
    assert all(isinstance(sound, Audio) for sound in previews[0])
    assert generator.preview() == []


def test_the_caller_can_stop_in_the_middle(generator: SoundGenerator) -> None:
    stopping = StopsAfter("denoise", 2)
    requests = requests_of(generator, "dog")
    before = generator.generate(requests)
    with pytest.raises(Cancelled):
        generator.generate(requests, stopping)
    assert stopping.steps["denoise"] == 2
    assert generator.preview() == []
    assert difference(generator.generate(requests)[0], before[0]) == 0


def test_batches_are_halved_until_they_fit(
    generator: SoundGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests = requests_of(generator, "dog", "cat", "heart", "red apple", "sad cat", steps=1)
    expected = generator.generate(requests)
    tried = count_rows(monkeypatch, UNETS[type(generator)], most=4)  # type: ignore[index]
    heard = count_rows(monkeypatch, SpeechT5HifiGan, most=3)
    recorder = Recorder()
    for one, other in zip(generator.generate(requests, recorder), expected, strict=True):
        assert difference(one, other) <= ROUNDING
    assert tried == [10, 4, 4, 2]
    assert heard == [5, 2, 2, 1]
    assert recorder.steps["denoise"] == recorder.totals["denoise"]


def test_a_sound_that_does_not_fit_is_out_of_memory(
    generator: SoundGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    count_rows(monkeypatch, SpeechT5HifiGan, most=0)
    with pytest.raises(OutOfMemory, match="batch of one"):
        generator.generate(requests_of(generator, "dog"))


def test_values_that_are_not_numbers_name_the_step(
    generator: SoundGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil(monkeypatch, UNETS[type(generator)], call=2)  # type: ignore[index]
    with pytest.raises(GenerationError, match="step 2 of 4"):
        generator.generate(requests_of(generator, "dog"))


def test_samples_that_are_not_numbers_are_no_sound(
    generator: SoundGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil(monkeypatch, SpeechT5HifiGan, call=1)
    with pytest.raises(GenerationError, match="vocoder"):
        generator.generate(requests_of(generator, "dog"))


def test_every_scheduler_makes_sounds(place: tuple[type[SoundGenerator], Path]) -> None:
    for scheduler in ("dpm++", "euler", "unipc"):
        generator = on_cpu(*place, scheduler=scheduler)
        (sound,) = generator.generate(requests_of(generator, "dog"))
        assert isinstance(sound, Audio)
        assert not sound.is_silent


def test_nothing_is_asked_of_the_model_for_no_requests(place: tuple[type[SoundGenerator], Path]) -> None:
    generator = on_cpu(*place)
    assert generator.generate([]) == []
    assert generator._sampler.value is None


def test_what_does_not_condition_is_refused(generator: SoundGenerator) -> None:
    (request,) = requests_of(generator, "dog")
    given = request.conditioning
    assert given is not None
    foreign = dataclasses.replace(given, space="another")
    with pytest.raises(SpaceMismatch, match="another"):
        generator.generate([dataclasses.replace(request, conditioning=foreign)])
    with pytest.raises(SpaceMismatch, match="another"):
        generator.generate([dataclasses.replace(request, negative=foreign)])
    nothing = Conditioning(given.embeds[:0], given.space)
    with pytest.raises(InputError, match=r"pooled vector|at least one token"):
        generator.generate([dataclasses.replace(request, conditioning=nothing)])


def test_a_text_encoder_of_another_space_is_refused(audioldm_model: Path, audioldm2_model: Path) -> None:
    foreign = on_cpu(AudioLDM2Generator, audioldm2_model).text_encoder
    with pytest.raises(SpaceMismatch, match="text encoder given"):
        _ = on_cpu(AudioLDMGenerator, audioldm_model, text_encoder=foreign).text_encoder


@pytest.mark.parametrize(
    "options",
    [
        {"seconds": 0.001},
        {"seconds": float("nan")},
        {"scheduler": "best"},
        {"dtype": "int8"},
        {"batch_size": 0},
    ],
)
def test_impossible_options_are_refused(
    options: dict[str, Any], place: tuple[type[SoundGenerator], Path]
) -> None:
    with pytest.raises(ConfigError):
        on_cpu(*place, **options).generate([GenerationRequest(seed=1, text="dog")])


@pytest.mark.parametrize(("change", "message"), [({"steps": 0}, "at least 1"), ({"guidance": -1.0}, ">= 0")])
def test_impossible_requests_are_refused(
    change: dict[str, Any], message: str, generator: SoundGenerator
) -> None:
    (request,) = requests_of(generator, "dog")
    with pytest.raises(InputError, match=message):
        generator.generate([dataclasses.replace(request, **change)])


@pytest.fixture
def damaged(place: tuple[type[SoundGenerator], Path], tmp_path: Path) -> Path:
    """A copy that a test may damage."""
    return Path(shutil.copytree(place[1], tmp_path / "model"))


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
        "vocoder/config.json",
        "vocoder/model.safetensors",
    ],
)
def test_a_missing_file_is_named(name: str, place: tuple[type[SoundGenerator], Path], damaged: Path) -> None:
    (damaged / name).unlink()
    with pytest.raises(ModelFolderError, match=Path(name).name):
        on_cpu(place[0], damaged).generate([GenerationRequest(seed=1, text="dog")])


@pytest.mark.parametrize("part", ["unet/diffusion_pytorch_model", "vocoder/model"])
def test_damaged_and_incomplete_weights_are_refused(
    part: str, place: tuple[type[SoundGenerator], Path], damaged: Path
) -> None:
    file = damaged / f"{part}.safetensors"
    weights = load_file(file)
    missing = min(weights)
    save_file({name: tensor for name, tensor in weights.items() if name != missing}, file)
    with pytest.raises(ModelFolderError, match=f"no tensor {re.escape(missing)}"):
        on_cpu(place[0], damaged).load()
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(ModelFolderError, match=part.split("/")[0]):
        on_cpu(place[0], damaged).load()


def test_a_folder_of_another_kind_of_model_is_refused(
    place: tuple[type[SoundGenerator], Path], audioldm_model: Path, sd15_model: Path, tmp_path: Path
) -> None:
    with pytest.raises(ModelFolderError, match="StableDiffusionPipeline"):
        _ = on_cpu(place[0], sd15_model).spec
    if place[0] is AudioLDM2Generator:
        with pytest.raises(ModelFolderError, match="AudioLDMPipeline"):
            _ = on_cpu(place[0], audioldm_model).spec


def test_the_first_audioldm_does_not_take_the_second_ones_folder(audioldm2_model: Path) -> None:
    with pytest.raises(ModelFolderError, match="one vector"):
        _ = on_cpu(AudioLDMGenerator, audioldm2_model).spec


@pytest.mark.parametrize(
    ("file", "change", "message"),
    [
        ("model_index.json", {"pmg": {"seconds": "long"}}, r"pmg\.seconds"),
        ("model_index.json", {"pmg": {"mel": {"bins": 3}}}, r"pmg\.mel\.bins"),
        ("model_index.json", {"pmg": {"mel": {"hop_length": 100}}}, r"pmg\.mel\.hop_length.*80"),
        ("vocoder/config.json", {"model_in_dim": 18}, "multiples of the autoencoder's 4"),
        ("vocoder/config.json", {"sampling_rate": None}, "sampling_rate"),
        ("vocoder/config.json", {"upsample_rates": []}, "upsample_rates"),
        ("vae/config.json", {"in_channels": 3}, "spectrograms"),
        ("unet/config.json", {"in_channels": 4}, "8 channels"),
    ],
)
def test_what_contradicts_itself_is_refused(
    file: str, change: dict[str, Any], message: str, place: tuple[type[SoundGenerator], Path], damaged: Path
) -> None:
    edit_json(damaged / file, **change)
    with pytest.raises(ModelFolderError, match=message):
        _ = on_cpu(place[0], damaged).spec


def test_the_length_of_a_pooled_vector_says_nothing(pooled: SoundGenerator) -> None:
    (request,) = requests_of(pooled, "dog")
    assert request.conditioning is not None
    assert request.conditioning.pooled is not None
    longer = dataclasses.replace(request.conditioning, pooled=3 * request.conditioning.pooled)
    one, other = pooled.generate([request, dataclasses.replace(request, conditioning=longer)])
    assert difference(one, other) <= ROUNDING


def test_weights_turn_the_pooled_vector(pooled: SoundGenerator) -> None:
    liked, asked = pooled.text_encoder.encode(["dog", "red apple"])
    joined = [join([(liked, w), (asked, 2 - w)]) for w in (0, 0.4, 1.6, 2)]
    made = pooled.generate([GenerationRequest(seed=1, conditioning=c) for c in (*joined, asked, liked)])
    assert difference(made[0], made[4]) <= ROUNDING
    assert difference(made[3], made[5]) <= ROUNDING
    assert difference(made[1], made[0]) < difference(made[2], made[0]) < difference(made[3], made[0])
