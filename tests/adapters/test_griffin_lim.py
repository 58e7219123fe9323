"""The vocoder that is no network: tones stay tones, whatever else is in the batch."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tiny_models.audioldm import audioldm_folder

from pmg_audioldm import AudioLDMGenerator
from pmg_audioldm.folder import AudioLDMFolder
from pmg_audioldm.griffin_lim import GriffinLim
from pmg_audioldm.log_mel import LogMel, MelSettings
from pmg_sdk.errors import ModelFolderError
from pmg_sdk.interfaces import GenerationRequest

RATE = 16_000
MEL = LogMel(MelSettings(n_fft=2048, win_length=1280, fmax=None, peak=None), RATE, 256, 128)
VOCODER = GriffinLim(MEL)


def tone(hertz: float, frames: int = 64) -> Any:
    """Float32 (frames * hop,)."""
    return 0.3 * torch.sin(2 * torch.pi * hertz * torch.arange(frames * MEL.hop) / RATE)


def heard(waveforms: Any) -> Any:
    """Spectrograms, without the frame behind the end."""
    return MEL(waveforms)[:, :-1]


@pytest.mark.parametrize("hertz", [110.0, 440.0, 1760.0])
def test_a_tone_comes_back_as_the_same_tone(hertz: float) -> None:
    made = VOCODER(heard(tone(hertz)[None]))[0]
    spectrum = torch.fft.rfft(made).abs()
    assert float(spectrum.argmax()) * RATE / len(made) == pytest.approx(
        hertz, abs=4 + 0.003 * hertz
    )  # a band is wider
    assert float(made.std()) == pytest.approx(float(tone(hertz).std()), rel=0.15)


def test_the_spectrogram_of_what_it_made_is_the_one_it_was_given() -> None:
    generator = torch.Generator().manual_seed(1)
    chord = tone(220) + tone(277) + tone(330) + 0.01 * torch.randn(64 * MEL.hop, generator=generator)
    wanted = heard(chord[None])
    error = (heard(VOCODER(wanted)) - wanted).abs().mean()
    worse = (heard(GriffinLim(MEL, iterations=1)(wanted)) - wanted).abs().mean()
    assert error < 0.25
    assert error < 0.7 * worse


def test_a_sound_is_the_same_in_every_batch() -> None:
    mels = heard(torch.stack([tone(200), tone(300), torch.zeros(64 * MEL.hop)]))
    together = VOCODER(mels)
    assert together.shape == (3, 64 * MEL.hop)
    for row, mel in zip(together, mels, strict=True):
        assert torch.equal(VOCODER(mel[None])[0], row)


def test_silence_stays_silent() -> None:
    assert float(VOCODER(heard(torch.zeros(1, 64 * MEL.hop))).abs().max()) < 1e-3


def without_network(folder: Path, **changes: Any) -> Path:
    """A tiny AudioLDM whose vocoder folder names Griffin and Lim's method."""
    folder = audioldm_folder(folder)
    config = json.loads((folder / "vocoder" / "config.json").read_text())
    config = {name: config[name] for name in ("model_in_dim", "sampling_rate", "upsample_rates")}
    shutil.rmtree(folder / "vocoder")
    (folder / "vocoder").mkdir()
    said = {"_class_name": "GriffinLim", "iterations": 8, **config, **changes}
    (folder / "vocoder" / "config.json").write_text(json.dumps(said))
    return folder


def test_a_folder_may_name_it_instead_of_a_network(tmp_path: Path) -> None:
    generator = AudioLDMGenerator(model=str(without_network(tmp_path)), device="cpu")
    (prompt,) = generator.text_encoder.encode(["a bell"])
    requests = [GenerationRequest(seed=seed, conditioning=prompt, steps=2) for seed in (1, 2, 1)]
    first, second, again = generator.generate(requests)
    assert first == again
    assert first != second
    assert np.isfinite(first.waveform).all()


@pytest.mark.parametrize("iterations", [0, "many", None, 1.5])
def test_iterations_are_a_whole_number(tmp_path: Path, iterations: object) -> None:
    with pytest.raises(ModelFolderError, match="iterations"):
        AudioLDMFolder.locate(str(without_network(tmp_path, iterations=iterations)))
