"""M = Generator(w_p * E^p, w_t * E^t) with AudioLDM 2 (arXiv 2308.05734): two streams of tokens.

Keywords and soft tokens stand in T5's stream, masked where padded. The other is what GPT-2 makes of the
keywords as text, see `generated_stream`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

from pmg_audioldm.clap_text import ClapTextEncoder
from pmg_audioldm.folder import AudioLDM2Folder
from pmg_audioldm.generated_stream import GeneratedStream
from pmg_audioldm.sound_generator import SoundGenerator
from pmg_audioldm.sound_model import SoundModel
from pmg_diffusion.sampling import Job
from pmg_diffusion.text_batch import TextBatch, TwoStreams
from pmg_sdk.conditioning import Conditioning
from pmg_sdk.interfaces import ConditioningKind, GenerationRequest
from pmg_transformers.text_encoder import TransformersTextEncoder

if TYPE_CHECKING:
    import torch

    from pmg_sdk.progress import Observer

__all__ = ["AudioLDM2Generator", "AudioLDM2Model"]


class AudioLDM2Model(SoundModel):
    """AudioLDM 2's networks."""

    def predict(self, x: torch.Tensor, t: torch.Tensor, text: TextBatch) -> torch.Tensor:
        """eps(x, t, c) in float32: GPT-2's tokens, and T5's with their mask."""
        assert text.second is not None
        eps: torch.Tensor = self.unet(
            x.to(self.unet.dtype),
            t,
            encoder_hidden_states=text.second,
            encoder_hidden_states_1=text.embeds,
            encoder_attention_mask_1=text.mask,
            return_dict=False,
        )[0]
        return eps.float()


class AudioLDM2Generator(SoundGenerator):
    """Sounds and music from any diffusers folder of AudioLDM 2; options are those of `SoundGenerator`.

    A request's conditioning is T5's stream; its `text` makes the other, the negative's its `negative_text`.
    In training the other is that of the empty text.
    """

    CONDITIONING: ClassVar[ConditioningKind] = "sequence"
    MODEL: ClassVar[str] = "cvssp/audioldm2"

    def load(self, observer: Observer | None = None) -> None:
        """Load all networks and encoders; calling it twice costs nothing."""
        super().load(observer)
        self._stream.load(observer)

    def _jobs(self, requests: Sequence[GenerationRequest]) -> list[Job]:
        texts = [text for request in requests for text in (request.text, request.negative_text)]
        self._stream.of(["", *texts])  # all in one batch; each is asked for again below
        return super()._jobs(requests)

    def _completed(self, conditioning: Conditioning, text: str | None) -> Conditioning:
        """With the stream that GPT-2 makes of the text."""
        (second,) = self._stream.of([text or ""])
        return TwoStreams(conditioning.embeds, conditioning.space, conditioning.pooled, second=second)

    @cached_property
    def _folder(self) -> AudioLDM2Folder:
        return AudioLDM2Folder.locate(self.model)

    @cached_property
    def _own_encoder(self) -> TransformersTextEncoder:
        folder = self._folder
        return TransformersTextEncoder(
            str(folder.files.path),
            subfolder="text_encoder_2",
            max_tokens=min(folder.defaults.max_tokens or folder.longest_text, folder.longest_text),
            device=self._options.device,
        )

    @cached_property
    def _stream(self) -> GeneratedStream:
        folder, device = self._folder, self._options.device
        clap = ClapTextEncoder(str(folder.files.path), subfolder="text_encoder", device=device)
        return GeneratedStream(folder, clap, self._own_encoder, device)

    def _load_model(self, device: torch.device, observer: Observer) -> AudioLDM2Model:
        from diffusers import AudioLDM2UNet2DConditionModel

        folder, form = self._folder, self._folder.form(self._seconds)
        return AudioLDM2Model.load_networks(
            folder, device, self._options.dtype, observer, form=form, unet=AudioLDM2UNet2DConditionModel
        )
