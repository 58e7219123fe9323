"""Captions by BLIP-2, or by its predecessor BLIP (paper, section 3.2.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from pmg_sdk.accelerator import choose_device, in_batches
from pmg_sdk.errors import BackendError, ConfigError, ModelFolderError, PMGError
from pmg_sdk.interfaces import Captioner
from pmg_sdk.media import Media, expect_image
from pmg_sdk.progress import Silent
from pmg_transformers.model_folder import ModelFolder

if TYPE_CHECKING:
    from pmg_sdk.progress import Observer

__all__ = ["Blip2Captioner"]

FILES = ("*.json", "*.txt", "*.safetensors")
CLASSES = {"blip-2": "Blip2ForConditionalGeneration", "blip": "BlipForConditionalGeneration"}


@dataclass(frozen=True)
class _Blip:
    model: Any
    processor: Any
    device: str
    kind: str


class Blip2Captioner(Captioner):
    """One greedily decoded sentence for every image.

    Args:
        model: a transformers folder or hub id of a BLIP-2 or BLIP model, or "pmg:NAME".
        prompt: the beginning of every caption, "a photo of" for example; it is not part of the answer.
        max_new_tokens: the longest caption, in the model's tokens.
        device: "auto", "cpu", "cuda", "cuda:N" or "mps".
        dtype: name of a torch dtype for the weights; "auto" is half precision on CUDA, else float32.
        batch_size: most images at once; halved where memory runs out.
    """

    modality: ClassVar[str] = "image"

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
        for name, value in (("max_new_tokens", max_new_tokens), ("batch_size", batch_size)):
            if value < 1:
                raise ConfigError(f"{name}: expected 1 or more; got {value}")
        if dtype not in ("auto", "float32", "float16", "bfloat16"):
            raise ConfigError(f'dtype: expected "auto", "float32", "float16" or "bfloat16"; got {dtype!r}')
        self.model = model
        self.prompt = prompt
        self.max_new_tokens = max_new_tokens
        self.device = device
        self.dtype = dtype
        self.batch_size = batch_size
        self._blip: _Blip | None = None

    def load(self, observer: Observer | None = None) -> None:
        """Load the model.

        Raises:
            AssetError, ConfigError: the model or the device cannot be had.
            ModelFolderError: files are missing, damaged, or of another kind of model.
        """
        if self._blip is None:
            self._blip = _load(self.model, self.device, self.dtype, observer or Silent())

    def caption(self, media: Sequence[Media]) -> list[str]:
        """One caption for every image, in order, without line breaks.

        Raises:
            CapabilityError: a medium is no image; OutOfMemory: not even one image fits.
        """
        import torch

        self.load()
        blip = self._blip
        assert blip is not None
        try:
            with torch.inference_mode():
                return in_batches(media, lambda batch: self._sentences(blip, batch), limit=self.batch_size)
        except PMGError:
            raise
        except Exception as error:
            raise BackendError(f"BLIP failed to caption: {type(error).__name__}: {error}") from error

    def _sentences(self, blip: _Blip, media: Sequence[Media]) -> list[str]:
        pictures = [expect_image(medium, "BLIP").to_pil() for medium in media]
        pixels = blip.processor.image_processor(pictures, return_tensors="pt").pixel_values
        prompt = _prompt_ids(blip, self.prompt)
        inputs = {"input_ids": prompt.to(blip.device).repeat(len(media), 1)} if prompt is not None else {}
        tokens = blip.model.generate(
            pixel_values=pixels.to(blip.device, blip.model.dtype),
            **inputs,
            max_new_tokens=self.max_new_tokens,
            do_sample=False,
            num_beams=1,
        )
        sentences = blip.processor.tokenizer.batch_decode(
            tokens[:, _echoed(blip, prompt) :], skip_special_tokens=True
        )
        return [" ".join(sentence.split()) for sentence in sentences]


def _load(model: str, device: str, dtype: str, observer: Observer) -> _Blip:
    import torch
    import transformers

    folder = ModelFolder.locate(model, only=FILES, observer=observer)
    kind = str(folder.json("config.json").get("model_type"))
    if kind not in CLASSES:
        raise ModelFolderError(
            f"a model of type {' or '.join(CLASSES)} was expected in {folder.path}; "
            f"its config.json says {kind!r}. Name another folder."
        )
    weights = folder.weights("model")
    if not folder.has("processor_config.json"):
        folder.require("preprocessor_config.json")
    folder.require("tokenizer_config.json")
    chosen = choose_device(device)
    if dtype == "auto":
        dtype = "float16" if chosen.startswith("cuda") else "float32"
    observer.start("load BLIP", 1)
    try:
        loaded, report = getattr(transformers, CLASSES[kind]).from_pretrained(
            folder.path,
            dtype=getattr(torch, dtype),
            variant=weights.variant,
            use_safetensors=True,
            local_files_only=True,
            output_loading_info=True,
        )
        processors: Any = transformers.AutoProcessor
        processor = processors.from_pretrained(folder.path, local_files_only=True)
    except Exception as error:  # transformers, tokenizers and safetensors fail in many ways
        raise ModelFolderError(
            f"a {kind} model was expected in {folder.path}; it cannot be loaded "
            f"({type(error).__name__}: {error}). Download it again."
        ) from error
    if report["missing_keys"]:
        raise ModelFolderError(
            f"the weights in {folder.path} lack {len(report['missing_keys'])} tensors, for example "
            f"{min(report['missing_keys'])}. Complete the folder, or name another model."
        )
    if kind == "blip-2" and loaded.config.image_token_index is None:
        raise ModelFolderError(
            f"image_token_index was expected in {folder.path / 'config.json'}: the folder is older than "
            f"transformers 4.46. Download the current version of the model."
        )
    observer.advance("load BLIP")
    return _Blip(loaded.eval().requires_grad_(False).to(chosen), processor, chosen, kind)


def _prompt_ids(blip: _Blip, prompt: str) -> Any:
    """What generation starts from, shape (1, tokens); None leaves it to the model.

    BLIP-2 has the query tokens' places first, even before the beginning-of-sentence token.
    """
    import torch

    if blip.kind == "blip":
        return blip.processor.tokenizer([prompt], return_tensors="pt").input_ids if prompt else None
    config = blip.model.config
    words = blip.processor.tokenizer(prompt).input_ids or [config.text_config.bos_token_id]
    return torch.tensor([[config.image_token_index] * config.num_query_tokens + words])


def _echoed(blip: _Blip, prompt: Any) -> int:
    """How many tokens at the start of an answer are the prompt's; an encoder-decoder (T5) repeats none."""
    if blip.kind == "blip":
        # One beginning-of-sentence token, or the prompt without the [SEP] that closes it.
        return 1 if prompt is None else int(prompt.shape[1]) - 1
    return 0 if blip.model.config.text_config.is_encoder_decoder else int(prompt.shape[1])
