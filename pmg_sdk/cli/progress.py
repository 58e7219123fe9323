"""Progress of long work on the terminal, as bars that vanish when they are done."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from pmg_sdk.progress import Silent

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from pmg_sdk.progress import Observer

__all__ = ["progress", "quiet_option"]

quiet_option = click.option("-q", "--quiet", is_flag=True, help="No progress bars.")


class _Bars:
    """An observer with one bar for every stage."""

    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}

    def start(self, stage: str, total: int) -> None:
        """A bar for the stage; a stage that comes again starts its bar anew."""
        if stage in self._tasks:
            self._bars.remove_task(self._tasks[stage])
        self._tasks[stage] = self._bars.add_task(stage, total=total)

    def advance(self, stage: str, steps: int = 1) -> None:
        """Move the stage's bar."""
        if stage in self._tasks:
            self._bars.advance(self._tasks[stage], steps)

    def cancelled(self) -> bool:
        """Never: Ctrl-C interrupts by itself."""
        return False


@contextmanager
def progress(quiet: bool = False) -> Iterator[Observer]:
    """An observer that draws on stderr; one that shows nothing when `quiet`, or away from a terminal."""
    from rich.console import Console

    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield Silent()
        return
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bars:
        yield _Bars(bars)
