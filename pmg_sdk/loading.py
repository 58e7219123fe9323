"""How models come into memory: each once, one at a time, and without a word on the terminal.

For adapters around torch; no library is imported here.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Generic, TypeVar

__all__ = ["Once", "loading"]

LIBRARIES = ("transformers", "diffusers")

T = TypeVar("T")

_one_at_a_time = threading.RLock()


class Once(Generic[T]):
    """What one adapter loads at its first use; other threads that ask meanwhile wait for it.

    Attributes:
        value: None before.
    """

    def __init__(self) -> None:
        self.value: T | None = None
        self._lock = threading.Lock()

    def get(self, load: Callable[[], T]) -> T:
        """The value, which `load` makes at the first call; after a failure the next call tries again."""
        if (value := self.value) is None:
            with self._lock:
                if (value := self.value) is None:
                    value = self.value = load()
        return value


@contextmanager
def loading() -> Iterator[None]:
    """While a library reads a model: no other is read, and no bars and no reports are shown.

    What the libraries change meanwhile is the whole process's: torch's default dtype and its
    initialisers. The bars are not ours to draw (see `Observer`), and what is wrong with a model is
    raised. Whoever has asked a library for more than its warnings keeps them.
    """
    with _one_at_a_time, ExitStack() as after:
        for library in LIBRARIES:
            _silence(sys.modules.get(f"{library}.utils.logging"), after)
        yield


def _silence(library: Any, after: ExitStack) -> None:
    if library is None:  # not imported, so it is not what reads the model
        return
    if library.is_progress_bar_enabled():
        library.disable_progress_bar()
        after.callback(library.enable_progress_bar)
    if library.get_verbosity() == logging.WARNING:
        library.set_verbosity_error()
        after.callback(library.set_verbosity_warning)
