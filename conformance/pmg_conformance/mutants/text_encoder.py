"""Text encoders that are wrong."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pmg_conformance.mutants.mutant import mutant, wrong_module
from pmg_conformance.reference import ReferenceTextEncoder
from pmg_conformance.reference.world import SPACE, WIDTH, words
from pmg_sdk.conditioning import Conditioning


@mutant("text_encoder", "PMG-ANY-003", declared=frozenset({"preview"}))
class ClaimsAPreview(ReferenceTextEncoder):
    """Claims an ability that it lacks."""


@mutant("text_encoder", "PMG-ANY-003", declared=frozenset({"thread"}))
class MisspellsAnAbility(ReferenceTextEncoder):
    """Claims an ability that does not exist."""


@mutant("text_encoder", "PMG-ANY-010")
class DropsTheLastBatch(ReferenceTextEncoder):
    """Drops what does not fill a batch of three."""

    def encode(self, texts: Sequence[str]) -> list[Conditioning]:
        return super().encode(texts[: len(texts) // 3 * 3])


@mutant("text_encoder", "PMG-ANY-013")
class SortsByLength(ReferenceTextEncoder):
    """Batches by length and forgets to sort back."""

    def encode(self, texts: Sequence[str]) -> list[Conditioning]:
        return super().encode(sorted(texts, key=len))


@mutant("text_encoder", "PMG-ANY-014")
class PadsToTheLongest(ReferenceTextEncoder):
    """Returns the padding of its batch as tokens."""

    def encode(self, texts: Sequence[str]) -> list[Conditioning]:
        made = super().encode(texts)
        longest = max((each.tokens for each in made), default=0)
        return [
            Conditioning(np.pad(each.embeds, ((0, longest - each.tokens), (0, 0))), self.space, each.pooled)
            for each in made
        ]


@mutant("text_encoder", "PMG-ANY-015")
class SortsItsInput(ReferenceTextEncoder):
    """Sorts the caller's list."""

    def encode(self, texts: Sequence[str]) -> list[Conditioning]:
        made = super().encode(texts)
        if isinstance(texts, list):
            texts.sort()
        return made


@mutant("text_encoder", "PMG-ANY-016")
class LendsItsBuffer(ReferenceTextEncoder):
    """Returns views of a buffer that the next call overwrites."""

    def __init__(self) -> None:
        super().__init__()
        self._buffer = np.zeros((self.max_tokens, WIDTH), np.float32)

    def encode(self, texts: Sequence[str]) -> list[Conditioning]:
        made = super().encode(texts)
        if len(made) != 1:
            return [self.encode([text])[0] for text in texts]
        view = self._buffer[: made[0].tokens]
        view[:] = made[0].embeds
        return [Conditioning(view, self.space, made[0].pooled)]


@mutant("text_encoder", "PMG-ANY-023", named=True)
class HashesWords(ReferenceTextEncoder):
    """Draws vectors from Python's own hash of a word, which differs in every process."""

    def encode(self, texts: Sequence[str]) -> list[Conditioning]:
        made = []
        for text in texts:
            seeds = [hash(word) % 2**32 for word in words(text)[: self.max_tokens] or [""]]
            rows = np.array([np.random.default_rng(seed).normal(size=WIDTH) for seed in seeds], np.float32)
            made.append(Conditioning(rows, self.space, rows.mean(axis=0)))
        return made


_APART = logging.getLogger(f"{__name__}.apart")
_APART.propagate = False


@mutant("text_encoder", "PMG-ANY-030")
class LogsApart(ReferenceTextEncoder):
    """Logs what it encodes to a logger that does not propagate, as those of some libraries."""

    def encode(self, texts: Sequence[str]) -> list[Conditioning]:
        _APART.info("encoding %s", list(texts))
        return super().encode(texts)


@mutant("text_encoder", "PMG-ANY-030")
class LogsWhatItCuts(ReferenceTextEncoder):
    """Warns of texts that are too long, and quotes them."""

    def encode(self, texts: Sequence[str]) -> list[Conditioning]:
        for text, count in zip(texts, self.count_tokens(texts), strict=True):
            if count > self.max_tokens:
                logging.getLogger(__name__).warning("cut at %d tokens: %s", self.max_tokens, text)
        return super().encode(texts)


@mutant("text_encoder", "PMG-ANY-024")
class SharesItsTexts(ReferenceTextEncoder):
    """Claims to be safe in threads, and keeps the texts of a call in the instance."""

    def encode(self, texts: Sequence[str]) -> list[Conditioning]:
        self._texts = texts
        time.sleep(0.002)
        return super().encode(self._texts)


@mutant("text_encoder", "PMG-ANY-025")
class RoundsByTheBatch(ReferenceTextEncoder):
    """Claims to be exact, and sums in another order for every size of a batch."""

    def encode(self, texts: Sequence[str]) -> list[Conditioning]:
        rounding = np.float32(1 + 1e-6 * len(texts))
        return [
            Conditioning(each.embeds * rounding, each.space, each.pooled) for each in super().encode(texts)
        ]


@mutant("text_encoder", "PMG-ANY-025", named=True)
class SumsInTheOrderOfASet(ReferenceTextEncoder):
    """Claims to be exact, and rounds by Python's own hash of text, which differs in every process."""

    def encode(self, texts: Sequence[str]) -> list[Conditioning]:
        return [
            Conditioning(each.embeds * np.float32(1 + 1e-6 * (hash(text) % 64)), each.space, each.pooled)
            for text, each in zip(texts, super().encode(texts), strict=True)
        ]


@mutant("text_encoder", "PMG-ANY-026", before=ReferenceTextEncoder)
class ChangedItsTokenizer(ReferenceTextEncoder):
    """Counts and encodes one token more than when its golden file was recorded."""

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [count + 1 for count in super().count_tokens(texts)]

    def encode(self, texts: Sequence[str]) -> list[Conditioning]:
        made = [np.concatenate([each.embeds, each.embeds[-1:]]) for each in super().encode(texts)]
        return [Conditioning(rows[: self.max_tokens], self.space, rows.mean(axis=0)) for rows in made]


@mutant("text_encoder", "PMG-ANY-030")
class LogsTexts(ReferenceTextEncoder):
    """Logs what it encodes, at DEBUG."""

    def encode(self, texts: Sequence[str]) -> list[Conditioning]:
        logging.getLogger(__name__).debug("encoding %s", texts)
        return super().encode(texts)


wrong_module(
    "computes-a-table",
    "text_encoder",
    "PMG-ANY-041",
    "pmg_conformance.mutants.slow_import:ComputesATable",
    "Computes a table when its module is imported.",
)


@mutant("text_encoder", "PMG-ANY-042", named=True, budget_seconds=0.2)
class ConvertsItsWeights(ReferenceTextEncoder):
    """Converts its weights anew at every start, and takes longer than it may."""

    def __init__(self) -> None:
        super().__init__()
        time.sleep(0.3)


@mutant("text_encoder", "PMG-ANY-043", named=True, options={"model": str(Path(__file__).parent)})
class ReadsItsModelOften(ReferenceTextEncoder):
    """Has far more in memory while it starts than the files of its model hold."""

    def __init__(self, *, model: str) -> None:
        super().__init__()
        np.ones(256 * 2**17)  # 256 MiB, and gone


@mutant("text_encoder", "PMG-TXT-001")
class StatesAnotherSpace(ReferenceTextEncoder):
    """States one space and writes another into its embeddings."""

    @property
    def space(self) -> str:
        return f"{SPACE}, but another"


@mutant("text_encoder", "PMG-TXT-001")
class Overflows(ReferenceTextEncoder):
    """Embeds some words as infinity, as fp16 does."""

    def encode(self, texts: Sequence[str]) -> list[Conditioning]:
        made = super().encode(texts)
        return [Conditioning(each.embeds / np.float32(0), each.space, each.pooled) for each in made]


@mutant("text_encoder", "PMG-TXT-002")
class NeverCuts(ReferenceTextEncoder):
    """Encodes more tokens than it says it can."""

    def encode(self, texts: Sequence[str]) -> list[Conditioning]:
        return ReferenceTextEncoder(max_tokens=10**6).encode(texts)


@mutant("text_encoder", "PMG-TXT-003")
class HasNoEmptyText(ReferenceTextEncoder):
    """Gives the empty text no token at all."""

    def encode(self, texts: Sequence[str]) -> list[Conditioning]:
        made = super().encode(texts)
        return [
            each if text else Conditioning(each.embeds[:0], self.space)
            for text, each in zip(texts, made, strict=True)
        ]


@mutant("text_encoder", "PMG-TXT-004")
class CountsAfterCutting(ReferenceTextEncoder):
    """Counts what is left after cutting."""

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [min(count, self.max_tokens) for count in super().count_tokens(texts)]


@mutant("text_encoder", "PMG-TXT-005")
class ForgetsSpecialTokens(ReferenceTextEncoder):
    """Counts without the token that it puts in front."""

    def encode(self, texts: Sequence[str]) -> list[Conditioning]:
        made = []
        for each in super().encode(texts):
            rows = np.concatenate([np.ones((1, WIDTH), np.float32), each.embeds])[: self.max_tokens]
            made.append(Conditioning(rows, self.space, each.pooled))
        return made


@mutant("text_encoder", "PMG-TXT-006")
class SpeaksAscii(ReferenceTextEncoder):
    """Refuses every script but one."""

    def encode(self, texts: Sequence[str]) -> list[Conditioning]:
        for text in texts:
            text.encode("ascii")
        return super().encode(texts)


@mutant("text_encoder", "PMG-TXT-007")
class BorrowsAName(ReferenceTextEncoder):
    """Claims the space of another encoder, with embeddings of its own."""

    def encode(self, texts: Sequence[str]) -> list[Conditioning]:
        return [
            Conditioning(each.embeds * np.float32(1.1), each.space, each.pooled)
            for each in super().encode(texts)
        ]


@mutant("text_encoder", "PMG-TXT-008")
class GrowsWithUse(ReferenceTextEncoder):
    """Learns how long its texts may be when it loads."""

    _loaded = False

    @property
    def max_tokens(self) -> int:
        return 24 if self._loaded else 77

    def encode(self, texts: Sequence[str]) -> list[Conditioning]:
        self._loaded = True
        return super().encode(texts)
