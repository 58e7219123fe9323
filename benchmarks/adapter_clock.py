"""A clock for the time spent inside adapters, so that the rest is the SDK's own."""

from __future__ import annotations

import threading
from collections import defaultdict
from time import perf_counter
from typing import Any

__all__ = ["AdapterClock"]


class AdapterClock:
    """Sums the wall time of adapter calls by role; calls inside a call count once, for the outer one.

    `clock.watch(adapter, role, methods)` replaces the bound methods on that object only.
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._depth = threading.local()

    def watch(self, adapter: Any, role: str, methods: tuple[str, ...]) -> None:
        """Time `methods` of `adapter`, where it has them."""
        for name in methods:
            if hasattr(adapter, name):
                setattr(adapter, name, self._timed(getattr(adapter, name), role))

    def _timed(self, method: Any, role: str) -> Any:
        def timed(*args: Any, **options: Any) -> Any:
            depth = getattr(self._depth, "value", 0)
            self._depth.value = depth + 1
            begun = perf_counter()
            try:
                return method(*args, **options)
            finally:
                self._depth.value = depth
                if depth == 0:
                    self.seconds[role] += perf_counter() - begun

        return timed
