"""Soft preference encoders that are wrong."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Sequence

import numpy as np

from pmg_conformance.mutants.mutant import mutant
from pmg_conformance.reference import ReferenceSoftPreferenceEncoder
from pmg_conformance.reference.world import SPACE
from pmg_sdk.conditioning import Conditioning

_number = itertools.count()


@mutant("soft_preference", "PMG-ANY-012")
class KnowsOneUser(ReferenceSoftPreferenceEncoder):
    """Gives everybody the same tokens, as a collapsed training does."""

    def encode(self, prompts: Sequence[str]) -> list[Conditioning]:
        return super().encode([""] * len(prompts))


@mutant("soft_preference", "PMG-ANY-014")
class NormalisesOverTheBatch(ReferenceSoftPreferenceEncoder):
    """Subtracts the mean of the batch, as a batch norm in training mode does."""

    def encode(self, prompts: Sequence[str]) -> list[Conditioning]:
        made = super().encode(prompts)
        mean = np.mean([each.embeds for each in made], axis=0) if made else np.float32(0)
        return [Conditioning(each.embeds - mean * np.float32(0.5), self.space) for each in made]


@mutant("soft_preference", "PMG-ANY-021")
class RemembersTheLastUser(ReferenceSoftPreferenceEncoder):
    """Mixes the last user's tokens into the next one's."""

    def __init__(self) -> None:
        super().__init__()
        self._last = np.float32(0)

    def encode(self, prompts: Sequence[str]) -> list[Conditioning]:
        made = [
            Conditioning(each.embeds + np.float32(0.3) * self._last, self.space)
            for each in super().encode(prompts)
        ]
        if made:
            self._last = made[-1].embeds.mean()
        return made


@mutant("soft_preference", "PMG-ANY-022")
class StartsAtRandom(ReferenceSoftPreferenceEncoder):
    """Has a layer that no checkpoint fills."""

    def __init__(self) -> None:
        super().__init__()
        self._layer = np.random.default_rng().normal(1, 0.3)

    def encode(self, prompts: Sequence[str]) -> list[Conditioning]:
        return [
            Conditioning(each.embeds * np.float32(self._layer), self.space)
            for each in super().encode(prompts)
        ]


@mutant("soft_preference", "PMG-ANY-030")
class PrintsPrompts(ReferenceSoftPreferenceEncoder):
    """Writes the behaviour that it reads to stdout."""

    def encode(self, prompts: Sequence[str]) -> list[Conditioning]:
        sys.stdout.write("\n".join(prompts))
        return super().encode(prompts)


@mutant("soft_preference", "PMG-SOFT-001")
class GrowsWithThePrompt(ReferenceSoftPreferenceEncoder):
    """Gives a long prompt more tokens than a short one."""

    def encode(self, prompts: Sequence[str]) -> list[Conditioning]:
        made = super().encode(prompts)
        return [
            Conditioning(np.tile(each.embeds, (1 + len(prompt) // 12, 1)), self.space)
            for prompt, each in zip(prompts, made, strict=True)
        ]


@mutant("soft_preference", "PMG-SOFT-001")
class WritesAnotherSpace(ReferenceSoftPreferenceEncoder):
    """States the space it was aligned with and writes that of its language model."""

    def encode(self, prompts: Sequence[str]) -> list[Conditioning]:
        return [Conditioning(each.embeds, "its language model") for each in super().encode(prompts)]


@mutant("soft_preference", "PMG-SOFT-001")
class SaysNothing(ReferenceSoftPreferenceEncoder):
    """Leaves its vector behind where it gives no tokens."""

    def encode(self, prompts: Sequence[str]) -> list[Conditioning]:
        return [Conditioning(each.embeds[:0], self.space) for each in super().encode(prompts)]


@mutant("soft_preference", "PMG-SOFT-002")
class NeedsBehaviour(ReferenceSoftPreferenceEncoder):
    """Divides by the length of the prompt."""

    def encode(self, prompts: Sequence[str]) -> list[Conditioning]:
        made = super().encode(prompts)
        return [
            Conditioning(each.embeds * np.float32(len(prompt) / len(prompt)), self.space)
            for prompt, each in zip(prompts, made, strict=True)
        ]


@mutant("soft_preference", "PMG-SOFT-003")
class NumbersItsSpace(ReferenceSoftPreferenceEncoder):
    """Names its space anew in every instance."""

    def __init__(self) -> None:
        super().__init__(space=f"{SPACE}-{next(_number)}")


@mutant("soft_preference", "PMG-SOFT-004")
class HasNothingForNewUsers(ReferenceSoftPreferenceEncoder):
    """Gives the empty prompt one token, and every other prompt two."""

    def encode(self, prompts: Sequence[str]) -> list[Conditioning]:
        made = super().encode(prompts)
        return [
            each if prompt else Conditioning(each.embeds[:1], self.space)
            for prompt, each in zip(prompts, made, strict=True)
        ]


@mutant("soft_preference", "PMG-SOFT-005")
class ReadsTheBeginning(ReferenceSoftPreferenceEncoder):
    """Cuts prompts before they come to what the user did."""

    def encode(self, prompts: Sequence[str]) -> list[Conditioning]:
        return super().encode([prompt[:64] for prompt in prompts])


@mutant("soft_preference", "PMG-SOFT-006")
class NamesNoScenario(ReferenceSoftPreferenceEncoder):
    """States the empty name where it means that it fits all."""

    @property
    def scenario(self) -> str | None:
        return ""


@mutant("soft_preference", "PMG-SOFT-006")
class LearnsItsScenarioLate(ReferenceSoftPreferenceEncoder):
    """Knows its scenario when its checkpoint is loaded, and states None before."""

    _loaded = False

    @property
    def scenario(self) -> str | None:
        return "reference" if self._loaded else None

    def encode(self, prompts: Sequence[str]) -> list[Conditioning]:
        self._loaded = True
        return super().encode(prompts)


@mutant("soft_preference", "PMG-SOFT-007")
class KeepsItsOwnWidth(ReferenceSoftPreferenceEncoder):
    """Names the space it was aligned with, and keeps the width of its language model."""

    def encode(self, prompts: Sequence[str]) -> list[Conditioning]:
        return [
            Conditioning(np.pad(each.embeds, ((0, 0), (0, 4))), self.space)
            for each in super().encode(prompts)
        ]


@mutant("soft_preference", "PMG-SOFT-007")
class GivesAVectorOfItsOwnWidth(ReferenceSoftPreferenceEncoder):
    """Names a space of one vector, and gives that of its language model."""

    def __init__(self) -> None:
        super().__init__(conditioning="pooled")

    def encode(self, prompts: Sequence[str]) -> list[Conditioning]:
        made = super().encode(prompts)
        vectors = [each.pooled for each in made if each.pooled is not None]
        return [Conditioning(made[0].embeds, self.space, np.pad(vector, (0, 4))) for vector in vectors]


@mutant("soft_preference", "PMG-SOFT-002")
class DividesItsVectorByItsWords(ReferenceSoftPreferenceEncoder):
    """Takes the mean over the words of a prompt, of which the empty one has none."""

    def __init__(self) -> None:
        super().__init__(conditioning="pooled")

    def encode(self, prompts: Sequence[str]) -> list[Conditioning]:
        rows = zip(prompts, super().encode(prompts), strict=True)
        return [
            Conditioning(each.embeds, self.space, each.pooled if prompt.split() else each.pooled * np.nan)
            for prompt, each in rows
            if each.pooled is not None
        ]
