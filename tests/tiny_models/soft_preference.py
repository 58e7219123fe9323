"""A soft preference checkpoint of random values, beside the tiny language model it belongs to."""

from __future__ import annotations

from pathlib import Path

from tiny_models.language_models import llama_folder

__all__ = ["soft_folder", "soft_vector_folder"]


def soft_vector_folder(folder: Path) -> Path:
    """`soft_folder` for a generator that takes one vector, of length 1."""
    return soft_folder(folder, length=1.0)


def soft_folder(
    folder: Path, *, tokens: int = 2, prefix: int = 2, width: int = 16, length: float | None = None
) -> Path:
    """As `pmg export-soft` writes one, for a text space "tiny" of that width and any scenario's prompts."""
    from pmg_transformers.shared_model import shared_causal_model
    from pmg_transformers.soft_preference.checkpoint import SoftCheckpoint
    from pmg_transformers.soft_preference.llm_print import LLMPrint
    from pmg_transformers.soft_preference.soft_tokens import Shape, SoftTokens

    llm = str(llama_folder(folder / "llm"))
    shared = shared_causal_model(llm, device="cpu", dtype="float32")
    soft = SoftTokens(shared.model, Shape(tokens, prefix, width))
    return SoftCheckpoint(
        llm=llm,
        llm_print=LLMPrint.of(shared.model),
        space="tiny",
        scenario="emoticons",
        tokens=tokens,
        prefix=prefix,
        values=soft.values(),
        length=length,
    ).save(folder)
