"""`pmg new-adapter`: the package that an adapter's author starts from."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from pmg_sdk.interfaces import Role

__all__ = ["ROLES", "new_adapter"]

# `pmg_sdk.interfaces.Role` by value: to import it is to import numpy, which `--help` does without.
ROLES = ("llm", "captioner", "text_encoder", "soft_preference", "generator", "scorer")


@click.command(epilog="Example: pmg new-adapter sunny-stickers --role generator")
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), required=True, help="What the adapter is to be.")
@click.option(
    "--out",
    "folder",
    metavar="DIR",
    type=click.Path(path_type=Path),
    default=Path("."),
    show_default=True,
    help="The folder to put the new folder NAME into.",
)
def new_adapter(name: str, role: Role, folder: Path) -> None:
    """Write a package with a small adapter that works, its tests, and what to do next.

    NAME is that of the folder, the distribution and the adapter: lower-case letters, digits, hyphens.
    """
    from pmg_conformance.new_adapter import write_adapter

    made = write_adapter(name, role, folder)
    click.echo(f"wrote {made}; its README.md says what to do next. It conforms as it is:")
    click.echo(f"  pip install -e {shlex.quote(f'{made}[test]')}")
    click.echo(f"  pytest {shlex.quote(str(made))}")
    click.echo(f"  pmg conformance {name} --role {role}")
