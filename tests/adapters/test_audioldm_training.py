"""Sounds as training targets, and dL/dE of frozen AudioLDMs: right, repeatable, the same in any batch."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sample_media import pictures
from tiny_models.audioldm import RATE, SECONDS, SETTINGS, audioldm_folder

from pmg_audioldm import AudioLDM2Generator, AudioLDMGenerator
from pmg_audioldm.sound_generator import SoundGenerator
from pmg_sdk.audio import Audio
from pmg_sdk.conditioning import Conditioning
from pmg_sdk.errors import CapabilityError, InputError, SpaceMismatch

KINDS: dict[str, type[SoundGenerator]] = {
    "audioldm_model": AudioLDMGenerator,
    "audioldm2_model": AudioLDM2Generator,
}
TEXTS = ("dog", "red apple in the snow", "cat")


@pytest.fixture(scope="module", params=KINDS)
def generator(request: pytest.FixtureRequest) -> SoundGenerator:
    model = str(request.getfixturevalue(request.param))
    return KINDS[request.param](model=model, device="cpu", dtype="float32")


def tone(pitch: float, *, seconds: float = SECONDS, rate: int = RATE, loud: float = 0.4) -> Audio:
    at = np.arange(round(seconds * rate)) / rate
    return Audio.from_waveform(loud * np.sin(2 * np.pi * pitch * at * (1 + at)), rate)


def problem(generator: SoundGenerator, count: int = 3) -> dict[str, Any]:
    return {
        "conditionings": generator.text_encoder.encode(TEXTS[:count]),
        "targets": generator.training_targets([tone(200), tone(500), tone(1500)][:count]),
        "seeds": list(range(10, 10 + count)),
    }


def distance(one: Any, other: Any) -> float:
    """Relative to what latents of another sound are apart."""
    return float(np.abs(one - other).mean())


def test_targets_have_one_form_whatever_the_sound(generator: SoundGenerator) -> None:
    left = tone(300, seconds=1.1, rate=44100).samples
    sounds = [
        tone(300),
        tone(300, seconds=0.01),
        tone(300, seconds=3),
        Audio(np.concatenate([left, left]), 44100),
        Audio(np.zeros((1, 1), np.int16), 22050),
    ]
    targets = generator.training_targets(sounds)
    assert {target.shape for target in targets} == {(8, 16, 4)}
    assert all(target.dtype == np.float32 and np.isfinite(target).all() for target in targets)
    again = generator.training_targets(sounds[::-1])[::-1]
    assert all(np.allclose(one, other, atol=1e-5) for one, other in zip(targets, again, strict=True))


def test_what_sounds_alike_has_one_target(generator: SoundGenerator) -> None:
    quiet, loud, stereo, finer, longer, other = generator.training_targets(
        [
            tone(300, loud=0.05),
            tone(300),
            Audio(np.repeat(tone(300).samples, 2, axis=0), RATE),
            tone(300, rate=48000),
            tone(300, seconds=2),
            tone(1200),
        ]
    )
    apart = distance(loud, other)
    for alike in (quiet, stereo, finer, longer):
        assert distance(loud, alike) < apart / 5


def test_loudness_is_kept_where_the_folder_says_so(audioldm_model: Path, tmp_path: Path) -> None:
    mel = {**SETTINGS["mel"], "peak": None}  # type: ignore[dict-item]
    kept = AudioLDMGenerator(model=str(audioldm_folder(tmp_path, pmg={**SETTINGS, "mel": mel})), device="cpu")
    usual = AudioLDMGenerator(model=str(audioldm_model), device="cpu")
    sounds = [tone(300, loud=0.2), tone(300, loud=0.8)]
    near, far = (distance(*made.training_targets(sounds)) for made in (usual, kept))
    assert near < far / 5


def test_a_target_is_what_the_autoencoder_gives_at_unit_scale(generator: SoundGenerator) -> None:
    """And decoded, its spectrogram goes to the vocoder: what is learnt from is what is made."""
    import torch

    model = generator._loss.model
    (target,) = generator.training_targets([tone(300)])
    waveform = torch.from_numpy(tone(300).waveform)
    waveform = (waveform - waveform.mean()) * 0.5 / (waveform - waveform.mean()).abs().max()
    mel = model.log_mel(waveform)[:, None, :64]  # type: ignore[attr-defined]
    with torch.inference_mode():
        wanted = model.vae.encode(mel).latent_dist.mean * 0.9  # type: ignore[attr-defined]
    assert np.allclose(target, wanted[0].numpy(), atol=1e-5)


def test_gradients_have_the_form_of_their_conditioning(generator: SoundGenerator) -> None:
    given = problem(generator)
    found = generator.training_loss(**given, draws=2)
    assert found.values.shape == (3,)
    assert (found.values > 0).all()
    for slope, conditioning in zip(found.gradients, given["conditionings"], strict=True):
        assert repr(slope) == repr(conditioning)
        learns = slope.embeds if generator.spec.conditioning == "sequence" else slope.pooled
        assert np.abs(learns).max() > 0  # type: ignore[arg-type]


def test_gradients_agree_with_finite_differences(generator: SoundGenerator) -> None:
    given = problem(generator, 1)
    (conditioning,) = given["conditionings"]
    (slope,) = generator.training_loss(**given, draws=2).gradients
    field = "embeds" if generator.spec.conditioning == "sequence" else "pooled"
    stated, values = getattr(slope, field), getattr(conditioning, field)
    random = np.random.default_rng(0)

    def loss(moved: Any) -> float:
        again = {**given, "conditionings": [dataclasses.replace(conditioning, **{field: moved})]}
        return float(generator.training_loss(**again, draws=2, gradients=False).values[0])

    for direction in (stated / np.linalg.norm(stated), random.standard_normal(stated.shape)):
        step = (0.05 * direction / np.linalg.norm(direction)).astype(np.float32)
        rise = (loss(values + step) - loss(values - step)) / 2
        assert rise == pytest.approx(float((stated * step).sum()), rel=0.05, abs=3e-6)


def test_an_entry_is_the_same_alone_and_beside_longer_ones(generator: SoundGenerator) -> None:
    given = problem(generator)
    together = generator.training_loss(**given, draws=2)
    for place in range(3):
        entry = {name: [values[place]] for name, values in given.items()}
        alone = generator.training_loss(**entry, draws=2)
        assert alone.values[0] == pytest.approx(together.values[place], abs=1e-6)
        one, other = alone.gradients[0], together.gradients[place]
        assert np.allclose(one.embeds, other.embeds, atol=1e-6)
        if one.pooled is not None and other.pooled is not None:
            assert np.allclose(one.pooled, other.pooled, atol=1e-6)


def test_a_pooled_vector_learns_its_direction_alone(audioldm_model: Path) -> None:
    """A step along itself changes nothing, as only its direction conditions."""
    generator = AudioLDMGenerator(model=str(audioldm_model), device="cpu")
    given = problem(generator, 1)
    (slope,) = generator.training_loss(**given).gradients
    (conditioning,) = given["conditionings"]
    assert slope.pooled is not None
    along = float(slope.pooled @ conditioning.pooled)
    assert abs(along) < 1e-3 * float(np.linalg.norm(slope.pooled))


def test_half_precision_points_the_same_way(generator: SoundGenerator) -> None:
    given = problem(generator)
    halved = type(generator)(model=generator.model, device="cpu", dtype="bfloat16")
    rough, exact = halved.training_loss(**given, draws=4), generator.training_loss(**given, draws=4)
    assert np.allclose(rough.values, exact.values, rtol=0.03)
    field = "embeds" if generator.spec.conditioning == "sequence" else "pooled"
    for one, other in zip(rough.gradients, exact.gradients, strict=True):
        a, b = getattr(one, field), getattr(other, field)
        assert (a * b).sum() / (np.linalg.norm(a) * np.linalg.norm(b)) > 0.95


def test_what_does_not_fit_is_refused(generator: SoundGenerator) -> None:
    given = problem(generator)
    foreign = [dataclasses.replace(each, space="another") for each in given["conditionings"]]
    with pytest.raises(SpaceMismatch):
        generator.training_loss(**{**given, "conditionings": foreign})
    with pytest.raises(InputError, match="3 conditionings, 3 targets and 2 seeds"):
        generator.training_loss(**{**given, "seeds": [1, 2]})
    own = given["conditionings"][0]
    with pytest.raises(InputError, match=r"pooled vector|at least one token"):
        generator.training_loss([Conditioning(own.embeds[:0], own.space)], given["targets"][:1], [1])
    with pytest.raises(CapabilityError, match="AudioLDM"):
        generator.training_targets(pictures(1))


def test_nothing_costs_nothing(generator: SoundGenerator) -> None:
    assert generator.training_targets([]) == []
    assert generator.training_loss([], [], []).values.shape == (0,)
