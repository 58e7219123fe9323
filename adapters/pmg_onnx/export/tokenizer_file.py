"""A tokenizer of transformers as the one file that `tokenizers` reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pmg_sdk.errors import ModelFolderError

__all__ = ["write_tokenizer"]


def write_tokenizer(tokenizer: Any, path: Path) -> Path:
    """Write the fast backend of `tokenizer`, slow ones converted, to `path`.

    Raises:
        ModelFolderError: it has none, and cannot be converted.
    """
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        try:
            from transformers.convert_slow_tokenizer import convert_slow_tokenizer

            backend = convert_slow_tokenizer(tokenizer)
        except Exception as error:  # an unknown class, or a package that the conversion needs
            raise ModelFolderError(
                f"a tokenizer that can be written as tokenizer.json was expected; {type(tokenizer).__name__} "
                f"cannot ({type(error).__name__}: {error})"
            ) from error
    backend.no_padding()
    backend.no_truncation()
    backend.save(str(path))
    return path
