"""Observers that remember, and that stop."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

__all__ = ["Recorder", "StopsAfter"]


class Recorder:
    """Remembers what it hears.

    Args:
        at_step: called at every advance.
    """

    def __init__(self, at_step: Callable[[], None] | None = None) -> None:
        self.totals: dict[str, int] = {}
        self.steps: Counter[str] = Counter()
        self.asked = 0
        self._at_step = at_step

    def start(self, stage: str, total: int) -> None:
        self.totals[stage] = total

    def advance(self, stage: str, steps: int = 1) -> None:
        self.steps[stage] += steps
        if self._at_step is not None:
            self._at_step()

    def cancelled(self) -> bool:
        self.asked += 1
        return False


class StopsAfter(Recorder):
    """Asks to stop once a stage has advanced this often."""

    def __init__(self, stage: str, steps: int) -> None:
        super().__init__()
        self._stage, self._limit = stage, steps

    def cancelled(self) -> bool:
        super().cancelled()
        return self.steps[self._stage] >= self._limit
