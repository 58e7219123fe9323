"""Texts to token ids with a `tokenizer.json`, without torch and without transformers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pmg_onnx.cleaning import cleaner
from pmg_onnx.missing import expect
from pmg_onnx.record import TextTower
from pmg_sdk.errors import ModelFolderError
from pmg_sdk.loading import Once
from pmg_sdk.tokenizable import well_formed

if TYPE_CHECKING:
    from tokenizers import Tokenizer

__all__ = ["TokenReader"]


class TokenReader:
    """The tokenizer of one tower, loaded at its first use.

    Args:
        folder: where the tower's files are.
        limit: longest text in tokens.
    """

    def __init__(self, folder: Path, tower: TextTower, *, limit: int) -> None:
        self.limit = limit
        self._path = folder / tower.tokenizer
        self._clean = cleaner(tower.cleaning)
        self._whole: Once[Tokenizer] = Once()
        self._cutting: Once[Tokenizer] = Once()

    def load(self) -> None:
        """Load it; a second call does nothing."""
        self._whole.get(self._read)

    def ids(self, texts: Sequence[str]) -> list[list[int]]:
        """Tokens of every text, special tokens included, without truncation."""
        whole = self._whole.get(self._read)
        clean = [self._clean(well_formed(text)) for text in texts]
        return [encoding.ids for encoding in whole.encode_batch(clean)]

    def cut(self, texts: Sequence[str]) -> tuple[list[list[int]], int]:
        """As `ids`, but at most `limit` tokens each; and how many texts were cut."""
        rows = self.ids(texts)
        long = [index for index, row in enumerate(rows) if len(row) > self.limit]
        if long:
            # A tokenizer's truncation is a setting of the whole object: one that never cuts, one that does.
            cutting = self._cutting.get(self._read_cutting)
            clean = [self._clean(well_formed(texts[index])) for index in long]
            for index, encoding in zip(long, cutting.encode_batch(clean), strict=True):
                rows[index] = encoding.ids
        return rows, len(long)

    def _read(self) -> Any:
        tokenizers = expect("tokenizers")
        try:
            tokenizer = tokenizers.Tokenizer.from_file(str(self._path))
        except Exception as error:  # the library raises bare Exceptions
            raise ModelFolderError(
                f"a tokenizer was expected in {self._path}; it cannot be read ({error}). Export it again."
            ) from error
        tokenizer.no_padding()
        tokenizer.no_truncation()
        return tokenizer

    def _read_cutting(self) -> Any:
        tokenizer = self._read()
        tokenizer.enable_truncation(self.limit)
        return tokenizer
