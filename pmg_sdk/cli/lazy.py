"""Commands that are imported when they are used, so that `pmg --help` does not wait for them."""

from __future__ import annotations

import importlib
from typing import Any

import click

__all__ = ["LazyCommand"]


class LazyCommand(click.Command):
    """Stands for a command until somebody asks it to do something.

    Args:
        name: of the command.
        where: "module:name" of the command itself.
        summary: its line in the list of commands.
    """

    def __init__(self, name: str, where: str, summary: str) -> None:
        super().__init__(name, short_help=summary)
        self._where = where

    @property
    def real(self) -> click.Command:
        """The command itself."""
        module, _, name = self._where.partition(":")
        found = getattr(importlib.import_module(module), name)
        assert isinstance(found, click.Command), self._where
        return found

    def make_context(self, *arguments: Any, **extra: Any) -> click.Context:
        """The command's own context: all that follows is its own doing."""
        return self.real.make_context(*arguments, **extra)
