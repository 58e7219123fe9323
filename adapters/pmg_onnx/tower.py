"""One exported text tower and its tokenizer: texts of equal length run together, without padding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from pmg_onnx.folder import ExportFolder
from pmg_onnx.graph import Graph, Settings
from pmg_onnx.record import TextTower
from pmg_onnx.tokens import TokenReader
from pmg_sdk.accelerator import in_batches
from pmg_sdk.loading import Once

__all__ = ["EncodedTexts", "Tower"]

BATCH = 64
"""Texts in one call; a text is at most a few hundred tokens."""


@dataclass(frozen=True, eq=False)
class EncodedTexts:
    """What a tower gave.

    Attributes:
        rows: for every text its "embeds" of shape (tokens, width) and "pooled" of shape (width,), which
            of the two there are.
        cut: how many texts were too long.
    """

    rows: list[Mapping[str, NDArray[np.float32]]]
    cut: int


class Tower:
    """A graph that reads token ids, and what makes them; both are opened at their first use."""

    def __init__(self, folder: ExportFolder, tower: TextTower, settings: Settings, *, limit: int) -> None:
        self._folder = folder
        self._tower = tower
        self._settings = settings
        self._reader = TokenReader(folder.path, tower, limit=limit)
        self._graph: Once[Graph] = Once()

    @property
    def provider(self) -> str:
        """What it runs on."""
        return self._opened.provider

    def load(self) -> None:
        """Open tokenizer and graph."""
        self._reader.load()
        _ = self._opened

    def count(self, texts: Sequence[str]) -> list[int]:
        """Tokens of every text, special tokens included, without truncation."""
        return [len(row) for row in self._reader.ids(texts)]

    def encode(self, texts: Sequence[str], *, padding: bool = False, limit: int = BATCH) -> EncodedTexts:
        """Embed every text, in order, at most `limit` at once.

        Args:
            padding: keep the padding up to the longest length as tokens.
        """
        ids, cut = self._reader.cut(texts)
        lengths = [self._reader.limit if padding or self._tower.padded else len(row) for row in ids]
        rows: list[Mapping[str, NDArray[np.float32]]] = [{}] * len(texts)
        for length in sorted(set(lengths)):
            here = [index for index, other in enumerate(lengths) if other == length]
            run = partial(self._run, length=length)
            found = in_batches([ids[index] for index in here], run, limit=limit)
            for index, row in zip(here, found, strict=True):
                rows[index] = row
        return EncodedTexts(rows, cut)

    def _run(self, batch: Sequence[Sequence[int]], length: int) -> list[Mapping[str, NDArray[np.float32]]]:
        ids = np.full((len(batch), length), self._tower.pad, np.int64)
        mask = np.zeros((len(batch), length), np.int64)
        for index, row in enumerate(batch):
            ids[index, : len(row)] = row
            mask[index, : len(row)] = 1
        inputs = {"input_ids": ids, **({"attention_mask": mask} if self._tower.masked else {})}
        outputs = self._opened(inputs)
        return [{name: value[index].copy() for name, value in outputs.items()} for index in range(len(batch))]

    @property
    def _opened(self) -> Graph:
        return self._graph.get(self._open)

    def _open(self) -> Graph:
        return Graph.of(self._folder, self._tower.graph, self._settings)
