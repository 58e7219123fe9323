"""How a command ends that Ctrl-C interrupts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click

from pmg_sdk.errors import Cancelled

__all__ = ["STOPPED", "resumable"]

STOPPED = 130
"""The exit code, as of any program that SIGINT ends."""


@contextmanager
def resumable(told: str) -> Iterator[None]:
    """Work of which something is kept when it is stopped.

    Args:
        told: says on stderr what that is; "" says nothing.
    """
    try:
        yield
    except (KeyboardInterrupt, Cancelled):
        if told:
            click.echo(f"stopped; {told}", err=True)
        raise click.exceptions.Exit(STOPPED) from None
