"""The command line on the reference adapters, for every test of it."""

from __future__ import annotations

from command_line import Pmg, plugins, pmg

__all__ = ["Pmg", "plugins", "pmg"]
