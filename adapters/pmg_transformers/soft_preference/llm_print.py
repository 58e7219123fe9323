"""What a language model's weights look like, so that a checkpoint can tell its own LLM from another.

A hash would change with the precision the model is loaded in; a few values, compared with tolerance, do not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pmg_sdk.errors import ModelFolderError

if TYPE_CHECKING:
    from transformers import PreTrainedModel

__all__ = ["LLMPrint"]

SAMPLES = 32
TOLERANCE = 0.02
"""bfloat16 keeps eight bits."""


@dataclass(frozen=True)
class LLMPrint:
    """Sizes of an LLM, and values from its word embeddings and its last layer."""

    hidden: int
    layers: int
    vocabulary: int
    values: tuple[float, ...]

    @classmethod
    def of(cls, llm: PreTrainedModel) -> LLMPrint:
        """Of a loaded model."""
        embedding: Any = llm.get_input_embeddings()
        words = embedding.weight
        last = [value for value in llm.base_model.parameters() if value.ndim == 2][-1]
        values: list[float] = []
        for tensor in (words, last):
            flat = tensor.detach().flatten()
            values += flat[:: max(1, len(flat) // (SAMPLES // 2))][: SAMPLES // 2].float().tolist()
        config: Any = llm.config
        return cls(config.hidden_size, config.num_hidden_layers, len(words), tuple(values))

    @classmethod
    def from_json(cls, stated: Mapping[str, Any]) -> LLMPrint:
        """From what `dataclasses.asdict` made of one."""
        return cls(
            int(stated["hidden"]),
            int(stated["layers"]),
            int(stated["vocabulary"]),
            tuple(map(float, stated["values"])),
        )

    def expect(self, llm: PreTrainedModel, name: str) -> None:
        """Refuse another model than the one printed.

        Raises:
            ModelFolderError: sizes or values differ.
        """
        found = LLMPrint.of(llm)
        sizes = ("hidden", "layers", "vocabulary")
        different = [size for size in sizes if getattr(self, size) != getattr(found, size)]
        if not different and not _close(self.values, found.values):
            different = ["weights"]
        if different:
            raise ModelFolderError(
                f"the soft preference checkpoint was trained on another language model than {name!r}: "
                f"{', '.join(different)} differ. Name the LLM that its JSON states, or train one for this."
            )


def _close(ours: tuple[float, ...], theirs: tuple[float, ...]) -> bool:
    if len(ours) != len(theirs):
        return False
    largest = max(map(abs, ours), default=0.0)
    return all(
        abs(a - b) <= TOLERANCE * max(abs(a), 0.01 * largest) for a, b in zip(ours, theirs, strict=True)
    )
