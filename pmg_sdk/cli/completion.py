"""`pmg completion`: the script that completes commands and options in a shell."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

__all__ = ["completion"]


@click.command(epilog='bash: add  eval "$(pmg completion bash)"  to ~/.bashrc')
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the completion script for SHELL."""
    kind = get_completion_class(shell)
    assert kind is not None, "click knows the shells listed above"
    script = kind(ctx.find_root().command, {}, "pmg", "_PMG_COMPLETE")
    click.echo(script.source())
