"""How long work tells where it is, and how a caller stops it."""

from __future__ import annotations

from typing import Protocol

from pmg_sdk.errors import Cancelled

__all__ = ["Observer", "Silent", "check_cancelled"]


class Observer(Protocol):
    """Hears of progress. Calls come from the thread that does the work."""

    def start(self, stage: str, total: int) -> None:
        """A stage of `total` steps begins, for example "denoise", 20."""

    def advance(self, stage: str, steps: int = 1) -> None:
        """`steps` of the stage are done."""

    def cancelled(self) -> bool:
        """Whether to stop; asked at every step."""


class Silent:
    """An observer that shows nothing and never stops the work."""

    def start(self, stage: str, total: int) -> None:
        """Nothing."""

    def advance(self, stage: str, steps: int = 1) -> None:
        """Nothing."""

    def cancelled(self) -> bool:
        """Never."""
        return False


def check_cancelled(observer: Observer) -> None:
    """Raise `Cancelled` when the observer asks to stop."""
    if observer.cancelled():
        raise Cancelled("stopped at the caller's request; nothing was written")
