"""Captions by BLIP-2, or by its predecessor BLIP (paper, section 3.2.1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from pmg_sdk.errors import ConfigError, ModelFolderError
from pmg_sdk.interfaces import Captioner
from pmg_sdk.media import Media
from pmg_transformers.image_pixels import image_pixels
from pmg_transformers.media_reader import MediaModel, MediaReader
from pmg_transformers.model_folder import ModelFolder

if TYPE_CHECKING:
    from pmg_sdk.progress import Observer

__all__ = ["Blip2Captioner"]


class Blip2Captioner(MediaReader, Captioner):
    """One greedily decoded sentence for every image.

    Args:
        model: a transformers folder or hub id of a BLIP-2 or BLIP model, or "pmg:NAME".
        prompt: the beginning of every caption, "a photo of" for example; it is not part of the answer.
        max_new_tokens: the longest caption, in the model's tokens.
        device: "auto", "cpu", "cuda", "cuda:N" or "mps".
        dtype: "auto" (float16 on CUDA, else float32), "float32", "float16" or "bfloat16".
        batch_size: most images at once; halved where memory runs out.
    """

    modality: ClassVar[str] = "image"
    _family = "BLIP"
    _classes: ClassVar = {
        "blip-2": ("Blip2ForConditionalGeneration", "AutoProcessor"),
        "blip": ("BlipForConditionalGeneration", "AutoProcessor"),
    }
    _tokenizers = ("tokenizer_config.json",)

    def __init__(
        self,
        *,
        model: str = "Salesforce/blip2-opt-2.7b",
        prompt: str = "",
        max_new_tokens: int = 24,
        device: str = "auto",
        dtype: str = "auto",
        batch_size: int = 8,
    ) -> None:
        if max_new_tokens < 1:
            raise ConfigError(f"max_new_tokens: expected 1 or more; got {max_new_tokens}")
        super().__init__(model=model, device=device, dtype=dtype, batch_size=batch_size)
        self.prompt = prompt
        self.max_new_tokens = max_new_tokens

    def caption(self, media: Sequence[Media]) -> list[str]:
        """One caption for every image, in order, without line breaks.

        Raises:
            CapabilityError: a medium is no image; OutOfMemory: not even one image fits.
        """
        return self._run(media, self._sentences)

    def _read(self, folder: ModelFolder, device: str, observer: Observer) -> MediaModel:
        blip = super()._read(folder, device, observer)
        if blip.kind == "blip-2" and blip.model.config.image_token_index is None:
            raise ModelFolderError(
                f"image_token_index was expected in the config.json of {self.model}: the folder is older "
                "than transformers 4.46. Download the current version of the model."
            )
        return blip

    def _sentences(self, blip: MediaModel, media: Sequence[Media]) -> list[str]:
        prompt = _prompt_ids(blip, self.prompt)
        inputs = {"input_ids": prompt.to(blip.device).repeat(len(media), 1)} if prompt is not None else {}
        tokens = blip.model.generate(
            pixel_values=image_pixels(blip, media, "BLIP"),
            **inputs,
            # A caption that ends before it began would be an empty line of a prompt.
            begin_suppress_tokens=blip.processor.tokenizer.all_special_ids,
            max_new_tokens=self.max_new_tokens,
            do_sample=False,
            num_beams=1,
        )
        sentences = blip.processor.tokenizer.batch_decode(
            tokens[:, _echoed(blip, prompt) :], skip_special_tokens=True
        )
        return [" ".join(sentence.split()) for sentence in sentences]


def _prompt_ids(blip: MediaModel, prompt: str) -> Any:
    """What generation starts from, shape (1, tokens); None leaves it to the model.

    BLIP-2 has the query tokens' places first, even before the beginning-of-sentence token.
    """
    import torch

    if blip.kind == "blip":
        return blip.processor.tokenizer([prompt], return_tensors="pt").input_ids if prompt else None
    config = blip.model.config
    words = blip.processor.tokenizer(prompt).input_ids or [config.text_config.bos_token_id]
    return torch.tensor([[config.image_token_index] * config.num_query_tokens + words])


def _echoed(blip: MediaModel, prompt: Any) -> int:
    """How many tokens at the start of an answer are the prompt's; an encoder-decoder (T5) repeats none."""
    if blip.kind == "blip":
        # One beginning-of-sentence token, or the prompt without the [SEP] that closes it.
        return 1 if prompt is None else int(prompt.shape[1]) - 1
    return 0 if blip.model.config.text_config.is_encoder_decoder else int(prompt.shape[1])
