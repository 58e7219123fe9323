"""M = Generator(w_p * E^p, w_t * E^t) with AudioLDM (arXiv 2301.12503): one CLAP vector is all it is told.

c = normalise(w_s e_m + w_p e_p + w_t e_t)
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

from pmg_audioldm.clap_text import ClapTextEncoder
from pmg_audioldm.folder import AudioLDMFolder
from pmg_audioldm.sound_generator import SoundGenerator
from pmg_audioldm.sound_model import SoundModel
from pmg_diffusion.text_batch import TextBatch
from pmg_sdk.interfaces import ConditioningKind

if TYPE_CHECKING:
    import torch

    from pmg_sdk.progress import Observer

__all__ = ["AudioLDMGenerator", "AudioLDMModel"]


class AudioLDMModel(SoundModel):
    """AudioLDM's networks."""

    def predict(self, x: torch.Tensor, t: torch.Tensor, text: TextBatch) -> torch.Tensor:
        """eps(x, t, c) in float32: c goes in as the "class", beside the time step.

        Unit length is what CLAP gives and all that was trained on, so it is made here once more.
        """
        import torch

        assert text.pooled is not None
        c = torch.nn.functional.normalize(text.pooled.float(), dim=-1)
        eps: torch.Tensor = self.unet(
            x.to(self.unet.dtype),
            t,
            encoder_hidden_states=None,
            class_labels=c.to(self.unet.dtype),
            return_dict=False,
        )[0]
        return eps.float()


class AudioLDMGenerator(SoundGenerator):
    """Sounds and music from any diffusers folder of AudioLDM; options are those of `SoundGenerator`.

    The conditioning is one vector: weights turn it between preference and target, and E_m that was trained
    for it is one, too.
    """

    CONDITIONING: ClassVar[ConditioningKind] = "pooled"
    MODEL: ClassVar[str] = "cvssp/audioldm-s-full-v2"

    @cached_property
    def _folder(self) -> AudioLDMFolder:
        return AudioLDMFolder.locate(self.model)

    @cached_property
    def _own_encoder(self) -> ClapTextEncoder:
        return ClapTextEncoder(
            str(self._folder.files.path),
            subfolder="text_encoder",
            max_tokens=self._folder.defaults.max_tokens,
            device=self._options.device,
        )

    def _load_model(self, device: torch.device, observer: Observer) -> AudioLDMModel:
        import diffusers

        folder, form = self._folder, self._folder.form(self._seconds)
        return AudioLDMModel.load_networks(
            folder, device, self._options.dtype, observer, form=form, unet=diffusers.UNet2DConditionModel
        )
