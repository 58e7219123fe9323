"""Between latents and sounds: autoencoder of spectrograms and vocoder, which AudioLDM 1 and 2 share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from pmg_audioldm.log_mel import LogMel
from pmg_audioldm.sound_form import SoundForm
from pmg_diffusion.latent_scale import scaled, unscaled
from pmg_diffusion.model import DiffusionModel
from pmg_diffusion.weights import load_network, load_unet_and_vae
from pmg_sdk.accelerator import in_batches
from pmg_sdk.audio import Audio, expect_audio
from pmg_sdk.errors import GenerationError

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

    from pmg_audioldm.folder import AudioLDMFolder
    from pmg_sdk.media import Media
    from pmg_sdk.progress import Observer

__all__ = ["SoundModel"]

SAMPLES_AT_ONCE = 2**21
"""The vocoder works at full rate: about 2 GB of activations for this many samples, 131 s at 16 kHz."""


@dataclass(frozen=True, eq=False)
class SoundModel(DiffusionModel):
    """The networks that make the sound, but for what the UNet is told.

    Attributes:
        vocoder: a `SpeechT5HifiGan`, in float32: the 8 or 11 bits of half precision can be heard. Or a
            `GriffinLim`, where the folder names that.
        form: of the sounds it makes.
        log_mel: how sounds become spectrograms.
    """

    unet: Any
    vae: Any
    vocoder: Any
    form: SoundForm
    log_mel: LogMel

    @classmethod
    def load_networks(
        cls,
        folder: AudioLDMFolder,
        device: torch.device,
        dtype: str,
        observer: Observer,
        *,
        form: SoundForm,
        unet: Any,
    ) -> Self:
        """Load all three, see `load_unet_and_vae`; `unet` is the UNet's class."""
        import torch
        from transformers import SpeechT5HifiGan

        networks = load_unet_and_vae(folder, device, dtype, observer, unet=unet)
        vocoder = folder.griffin_lim or load_network(
            folder, "vocoder", SpeechT5HifiGan, device, stem="model", dtype=torch.float32
        )
        observer.advance("load")
        return cls(*networks, vocoder, form, folder.log_mel)

    @property
    def latent_shape(self) -> tuple[int, int, int]:
        """(C, positions in time, positions in pitch) of one sound's latent."""
        return self.unet.config.in_channels, *self.form.latent_size

    def encode(self, media: Sequence[Media]) -> list[NDArray[np.float32]]:
        """x_0 of every sound: one channel, at the model's rate, cut or padded with silence at its end."""
        waveforms = [self._waveform(expect_audio(medium, "AudioLDM")) for medium in media]
        return in_batches(waveforms, self._encode, limit=self._at_once)

    def decode(self, latents: Sequence[torch.Tensor]) -> list[Audio]:
        """Sounds of latents of shape (C, h, w), as long as the form says."""
        return in_batches(latents, self._decode, limit=self._at_once)

    @property
    def _at_once(self) -> int:
        return max(1, SAMPLES_AT_ONCE // self.form.samples)

    def _waveform(self, sound: Audio) -> NDArray[np.float32]:
        """Without an offset and as loud as the model was trained (audioldm 0.1.1, `normalize_wav`)."""
        form, peak = self.form, self.log_mel.settings.peak
        x = sound.mono().resampled(form.sample_rate).waveform[0, : form.samples]
        if peak is not None:
            x = x - x.mean()
            x = x * np.float32(peak / max(float(np.abs(x).max()), 1e-8))
        return np.pad(x, (0, form.frames * form.hop - len(x)))

    def _encode(self, waveforms: Sequence[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
        import torch

        x = torch.from_numpy(np.stack(waveforms)).to(self.device)
        mel = self.log_mel(x)[:, None, : self.form.frames]
        mean = self.vae.encode(mel.to(self.vae.dtype)).latent_dist.mean.float()
        return list(scaled(self.vae.config, mean).cpu().numpy())

    def _decode(self, latents: Sequence[torch.Tensor]) -> list[Audio]:
        import torch

        z = unscaled(self.vae.config, torch.stack(list(latents)))
        mel = self.vae.decode(z.to(self.vae.dtype), return_dict=False)[0].squeeze(1)
        waveforms = self.vocoder(mel.to(self.vocoder.dtype)).float()[:, : self.form.samples]
        if not waveforms.isfinite().all():
            raise GenerationError(
                "numbers were expected in every sample; autoencoder or vocoder gave others. "
                'Try dtype="float32" or "bfloat16".'
            )
        return [Audio.from_waveform(x, self.form.sample_rate) for x in waveforms.cpu().numpy()]
