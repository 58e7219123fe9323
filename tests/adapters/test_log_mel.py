"""Log-mel spectrograms against the authors' formulas, written out."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from pmg_audioldm.log_mel import LogMel, MelSettings

RATE = 16000
AUDIOLDM = LogMel(MelSettings(), RATE, 160, 64)


def tone(pitch: float, seconds: float = 0.5) -> NDArray[np.float32]:
    return (0.5 * np.sin(2 * np.pi * pitch * np.arange(int(seconds * RATE)) / RATE)).astype(np.float32)


def slaney(hertz: float) -> float:
    """Mels: linear below 1000 Hz, logarithmic above (Slaney, Auditory Toolbox, 1998)."""
    return 3 * hertz / 200 if hertz < 1000 else 15 + 27 * float(np.log(hertz / 1000) / np.log(6.4))


def reference(x: NDArray[np.float32]) -> NDArray[np.float64]:
    """audioldm 0.1.1: windows of 1024 every 160 samples, magnitudes, librosa's 64 filters, log."""
    padded = np.pad(x.astype(np.float64), 512, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, 1024)[::160]
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(1024) / 1024)
    magnitudes = np.abs(np.fft.rfft(frames * hann))
    mels = np.linspace(slaney(0), slaney(8000), 66)
    edges = np.array([200 * m / 3 if m < 15 else 1000 * 6.4 ** ((m - 15) / 27) for m in mels])
    bins = np.arange(513) * RATE / 1024
    bank = np.zeros((64, 513))
    for band, (low, middle, high) in enumerate(zip(edges, edges[1:], edges[2:], strict=False)):
        rise, fall = (bins - low) / (middle - low), (high - bins) / (high - middle)
        bank[band] = np.maximum(0, np.minimum(rise, fall)) * 2 / (high - low)
    return np.log(np.maximum(magnitudes @ bank.T, 1e-5))


@pytest.mark.parametrize("sound", ["tone", "noise", "silence"])
def test_spectrograms_are_the_authors(sound: str) -> None:
    noise = 0.1 * np.random.default_rng(0).standard_normal(8000).astype(np.float32)
    x = {"tone": tone(440), "noise": noise, "silence": 0 * noise}[sound]
    made = AUDIOLDM(torch.from_numpy(x)[None])[0].numpy()
    assert made.dtype == np.float32
    assert made.shape == (1 + 8000 // 160, 64)
    # Beside a loud tone, float32 rounds a quiet band; such a band is below -80 dB.
    loud = reference(x) > np.log(1e-4)
    assert np.abs(made - reference(x))[loud].max(initial=0) <= 2e-3
    assert np.abs(made - reference(x)).max() <= (0.2 if sound == "tone" else 2e-3)


@pytest.mark.parametrize("pitch", [200.0, 1000.0, 5000.0])
def test_a_tone_is_loudest_in_the_band_of_its_pitch(pitch: float) -> None:
    mel = AUDIOLDM(torch.from_numpy(tone(pitch))[None])[0].mean(0)
    expected = slaney(pitch) / slaney(8000) * 65 - 1
    assert abs(int(mel.argmax()) - expected) <= 1


def test_sounds_of_a_batch_do_not_mix() -> None:
    x = torch.from_numpy(np.stack([tone(200), tone(3000)]))
    together = AUDIOLDM(x)
    assert torch.allclose(together[1], AUDIOLDM(x[1:])[0], atol=1e-5)


def test_a_sound_shorter_than_a_window_has_frames() -> None:
    assert AUDIOLDM(torch.zeros(1, 10)).shape[1] >= 1
    assert torch.isfinite(AUDIOLDM(torch.zeros(1, 10))).all()


def test_settings_change_the_bands() -> None:
    mel = LogMel(
        MelSettings(n_fft=2048, win_length=1200, fmin=20, fmax=None, mel_scale="htk", norm=None),
        48000,
        480,
        128,
    )
    assert mel.filters.shape == (128, 1025)
    assert mel(torch.zeros(1, 4800)).shape == (1, 11, 128)
    assert float(mel(torch.zeros(1, 4800)).max()) == pytest.approx(np.log(1e-5))
