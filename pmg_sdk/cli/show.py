"""A result on the terminal: keywords, candidates, the winner, and where the files are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from pmg_sdk.result import Result

__all__ = ["show_result", "show_warnings"]


def show_result(result: Result, folder: Path | None) -> None:
    """Print what was understood, every candidate's weights and scores, and the winner."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    parts = result.plan.keywords
    for title, keywords in (("likes", parts.preference), ("avoids", parts.avoided), ("target", parts.target)):
        if keywords:
            # Text, not markup: keywords may hold brackets.
            console.print(Text(f"{title:>7}: {keywords.text}"), soft_wrap=True)
    table = Table(box=box.SIMPLE_HEAD)
    weights = max((candidate.weights.form for candidate in result.candidates), key=len)
    for column in ("", weights, "seed", "d_p", "d_t", "z"):
        table.add_column(column, justify="right")
    for candidate in result.candidates:
        won = candidate is result.winner
        table.add_row(
            "*" if won else "",
            str(candidate.weights),
            str(candidate.seed),
            _number(candidate.preference_score),
            _number(candidate.accuracy_score),
            _number(candidate.z),
            style="bold green" if won else None,
        )
    console.print(table)
    console.print(f"winner: {result.winner.weights} (alpha {result.selection.alpha:g})", highlight=False)
    if folder is not None:
        for path in sorted(folder.iterdir()):
            click.echo(str(path))


def show_warnings(warnings: tuple[str, ...]) -> None:
    """Print warnings on stderr, one line each."""
    for warning in warnings:
        click.echo(f"warning: {warning}", err=True)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"
