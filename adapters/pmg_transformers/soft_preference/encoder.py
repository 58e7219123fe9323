"""E_m of a user with a trained checkpoint: the adapter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from pmg_sdk.accelerator import check_batch_size, check_dtype, choose_device, in_batches
from pmg_sdk.conditioning import Conditioning
from pmg_sdk.errors import ModelFolderError
from pmg_sdk.interfaces import SoftPreferenceEncoder
from pmg_sdk.loading import Once
from pmg_sdk.progress import Silent
from pmg_transformers.model_folder import ModelFolder
from pmg_transformers.soft_preference.checkpoint import JSON_FILE, SoftCheckpoint

if TYPE_CHECKING:
    from pmg_sdk.progress import Observer
    from pmg_transformers.shared_model import SharedModel
    from pmg_transformers.soft_preference.soft_tokens import SoftTokens

__all__ = ["TransformersSoftPreferenceEncoder"]

FILES = (JSON_FILE, "soft_preference.*.safetensors")


class TransformersSoftPreferenceEncoder(SoftPreferenceEncoder):
    """Reads behaviour with a frozen LLM, multimodal tokens and a trained prefix; gives tokens or a vector.

    An LLM that another adapter has loaded with the same name, device and dtype is used, not loaded again.

    Args:
        model: the checkpoint's folder as `pmg train` writes it, a hub id, or "pmg:NAME".
        llm: where the LLM is, if elsewhere than in training; it must be the same one.
        device: "auto", "cpu", "cuda", "cuda:N", "mps".
        dtype: of the LLM: "auto" (bfloat16 on CUDA, else float32), "float32", "float16" or "bfloat16".
        batch_size: prompts at once; halved where memory runs out.
    """

    def __init__(
        self,
        *,
        model: str,
        llm: str | None = None,
        device: str = "auto",
        dtype: str = "auto",
        batch_size: int = 32,
    ) -> None:
        check_dtype(dtype)
        check_batch_size(batch_size)
        self.model = model
        self.llm = llm
        self._device = device
        self._dtype = dtype
        self._batch_size = batch_size
        self._loaded: Once[_Loaded] = Once()

    @property
    def space(self) -> str:
        """As the checkpoint states it; no weights are loaded."""
        return self._about.space

    @property
    def scenario(self) -> str | None:
        """As the checkpoint states it; no weights are loaded."""
        return self._about.scenario

    def load(self, observer: Observer | None = None) -> None:
        """Load LLM and checkpoint; later calls do nothing.

        Raises:
            ModelFolderError: the checkpoint is damaged, or was trained on another LLM.
            AssetError: the LLM, or the checkpoint, cannot be had.
        """
        self._parts(observer)

    def encode(self, prompts: Sequence[str]) -> list[Conditioning]:
        """E_m for every prompt, in order: float32 (L, width), or one vector as `pooled`, as was trained.

        A prompt longer than the LLM's context loses its middle: the principle stands at the beginning, the
        newest behaviour at the end.

        Raises:
            OutOfMemory: one prompt does not fit.
        """
        parts = self._parts()
        with parts.llm.lock:
            rows = [parts.ids(prompt) for prompt in prompts]
            return in_batches(rows, lambda batch: self._encode(batch, parts), limit=self._batch_size)

    def _encode(self, rows: Sequence[list[int]], parts: _Loaded) -> list[Conditioning]:
        import torch

        from pmg_transformers.soft_preference.soft_form import conditionings
        from pmg_transformers.soft_preference.soft_tokens import prompt_rows

        with torch.inference_mode():
            return conditionings(parts.soft(*prompt_rows(rows, device=parts.device)), self.space)

    @cached_property
    def _folder(self) -> Path:
        return ModelFolder.locate(self.model, only=FILES).path

    @cached_property
    def _about(self) -> SoftCheckpoint:
        return SoftCheckpoint.describe(self._folder)

    def _parts(self, observer: Observer | None = None) -> _Loaded:
        return self._loaded.get(lambda: self._read(observer or Silent()))

    def _read(self, observer: Observer) -> _Loaded:
        from pmg_transformers.shared_model import shared_causal_model
        from pmg_transformers.soft_preference.soft_tokens import Shape, SoftTokens

        observer.start("load soft preference", 1)
        checkpoint = SoftCheckpoint.load(self._folder)
        name = self.llm or checkpoint.llm
        device = choose_device(self._device)
        llm = shared_causal_model(name, device=device, dtype=self._dtype, observer=observer)
        checkpoint.llm_print.expect(llm.model, name)
        weight = checkpoint.values.get("map.weight")
        if weight is None or weight.ndim != 2:
            raise ModelFolderError(f"the checkpoint in {self._folder} holds no linear map. Copy it again.")
        shape = Shape(checkpoint.tokens, checkpoint.prefix, len(weight), checkpoint.length)
        soft = SoftTokens(llm.model, shape)
        soft.set_values(checkpoint.values)
        observer.advance("load soft preference")
        return _Loaded(llm, soft.to(device).requires_grad_(False), device)


@dataclass(frozen=True, eq=False)
class _Loaded:
    llm: SharedModel
    soft: SoftTokens
    device: str

    def ids(self, prompt: str) -> list[int]:
        from pmg_transformers.soft_preference.soft_tokens import prompt_ids

        return prompt_ids(prompt, self.llm, self.soft.shape)
