"""Keywords to E_k with an exported text encoder, on ONNX Runtime (paper, section 3.3.2)."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from pmg_onnx.folder import ExportFolder
from pmg_onnx.graph import Settings
from pmg_onnx.tower import Tower
from pmg_sdk.conditioning import Conditioning
from pmg_sdk.errors import ConfigError, ModelFolderError
from pmg_sdk.interfaces import TextEncoder
from pmg_sdk.loading import Once

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pmg_sdk.progress import Observer

__all__ = ["OnnxTextEncoder"]

log = logging.getLogger(__name__)

LEAST_TOKENS = 3
"""A limit below leaves no token between the special ones at the ends of a text."""


class OnnxTextEncoder(TextEncoder):
    """A text encoder that `pmg export text-encoder` made, in the space of the original, without torch.

    Args:
        model: the exported folder.
        padding: keep the padding up to `max_tokens` as tokens, as Stable Diffusion was trained; None
            does what the generator it was exported from does.
        max_tokens: a limit below the model's own, for generators trained on shorter texts.
        device: "auto" (CUDA where ONNX Runtime can use it, then the CPU), "cpu", "cuda" or "cuda:N".
        threads: of the CPU; None takes one for every core.
        io_binding: on CUDA, keep inputs and outputs on the device until a call is done.
        cache: keep the graph optimised for this machine in the SDK's cache folder: a quicker start.
    """

    def __init__(
        self,
        model: str,
        *,
        padding: bool | None = None,
        max_tokens: int | None = None,
        device: str = "auto",
        threads: int | None = None,
        io_binding: bool = True,
        cache: bool = True,
    ) -> None:
        if max_tokens is not None and max_tokens < LEAST_TOKENS:
            raise ConfigError(f"max_tokens: expected {LEAST_TOKENS} or more, or None; got {max_tokens}")
        self.model = model
        self._padding = padding
        self._max_tokens = max_tokens
        self._settings = Settings(device, threads, io_binding, cache)
        self._found: Once[ExportFolder] = Once()
        self._read: Once[tuple[Tower, ...]] = Once()

    @property
    def space(self) -> str:
        """That of the encoder it was exported from."""
        return self._folder.record.space

    @property
    def width(self) -> int:
        """Width of the embeddings."""
        return self._folder.record.width

    @property
    def padding(self) -> bool:
        """Whether padding is kept as tokens."""
        return self._folder.record.padding if self._padding is None else self._padding

    @property
    def max_tokens(self) -> int:
        """Longest text, in tokens, special tokens included."""
        limits = [tower.max_tokens for tower in self._folder.record.towers]
        return min(limits if self._max_tokens is None else [*limits, self._max_tokens])

    @property
    def provider(self) -> str:
        """What the graph runs on, in ONNX Runtime's words; loads it."""
        return self._towers[0].provider

    def load(self, observer: Observer | None = None) -> None:
        """Check the files, open tokenizers and graphs; a second call costs nothing.

        Raises:
            ModelFolderError: a file is missing, damaged, or not the one that was exported.
            ConfigError: the device cannot be had. MissingExtra: onnxruntime or tokenizers is not installed.
        """
        if observer is not None:
            observer.start("load", 1)
        for tower in self._towers:
            tower.load()
        if observer is not None:
            observer.advance("load")

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of every text, special tokens included, without truncation."""
        counts = [tower.count(texts) for tower in self._towers]
        return [max(of_text) for of_text in zip(*counts, strict=True)]

    def encode(self, texts: Sequence[str]) -> list[Conditioning]:
        """Embed every text, in order. Longer texts than `max_tokens` are cut, with a warning in the log.

        Texts of equal length run together, so no text's embedding depends on another's.

        Raises:
            ModelFolderError: see `load`; or two tokenizers disagree about the tokens of a text.
            OutOfMemory: not even one text fits. BackendError: ONNX Runtime failed.
        """
        encoded = [tower.encode(texts, padding=self.padding) for tower in self._towers]
        if encoded and encoded[0].cut:
            log.warning("%d of %d texts cut at %d tokens", encoded[0].cut, len(texts), self.max_tokens)
        return [self._joined([each.rows[index] for each in encoded]) for index in range(len(texts))]

    def _joined(self, parts: Sequence[Mapping[str, NDArray[np.float32]]]) -> Conditioning:
        import numpy as np

        embeds = [part["embeds"] for part in parts if "embeds" in part]
        pooled = [part["pooled"] for part in parts if "pooled" in part]
        if len({len(each) for each in embeds}) > 1:
            raise ModelFolderError(
                f"all tokenizers of {self.model} should cut a text into equally many tokens; they gave "
                f"{' and '.join(str(len(each)) for each in embeds)}"
            )
        # A space without tokens has none of the full width.
        tokens = np.concatenate(embeds, axis=1) if embeds else np.zeros((0, self.width), np.float32)
        return Conditioning(tokens, self.space, pooled[-1] if pooled else None)

    @property
    def _folder(self) -> ExportFolder:
        return self._found.get(lambda: ExportFolder.locate(self.model, "text encoder"))

    @property
    def _towers(self) -> tuple[Tower, ...]:
        return self._read.get(self._open)

    def _open(self) -> tuple[Tower, ...]:
        folder = self._folder
        folder.check()
        return tuple(
            Tower(folder, tower, self._settings, limit=self.max_tokens) for tower in folder.record.towers
        )
