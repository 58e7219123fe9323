"""`pmg adapters` and `pmg scenarios`: what is installed, where it comes from, whether it can run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import click

__all__ = ["adapters", "print_table", "scenarios"]


@click.command(epilog="Example: pmg adapters --json")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def adapters(as_json: bool) -> None:
    """List the adapters: role, name, modality, origin and health.

    "ok" means that the packages it needs are installed; no model is loaded to find out. A plugin that
    cannot be used is named below the table with its error.
    """
    from pmg_sdk.plugins import registry

    found = registry()
    rows: list[dict[str, Any]] = []
    for spec in sorted(found.adapters(), key=lambda spec: (spec.role, spec.name)):
        origin, missing = found.origin(spec), found.missing(spec)
        rows.append(
            {
                "role": spec.role,
                "name": spec.name,
                "modality": spec.modality,
                "capabilities": sorted(spec.capabilities),
                "origin": origin.distribution or origin.plugin,
                "version": origin.version,
                "extra": spec.extra,
                "missing": list(missing),
                "health": f"needs {', '.join(missing)}" if missing else "ok",
                "description": spec.description,
            }
        )
    problems = [str(problem) for problem in found.problems()]
    if as_json:
        click.echo(json.dumps({"adapters": rows, "problems": problems}, indent=2))
        return
    columns = ("role", "name", "modality", "origin", "version", "health")
    print_table(columns, [[str(row[column] or "") for column in columns] for row in rows])
    extras = sorted({str(row["extra"]) for row in rows if row["missing"] and row["extra"]})
    if extras:
        click.echo(f"To install what is missing: pip install 'pmg-sdk[{','.join(extras)}]'")
    for problem in problems:
        click.echo(f"problem: {problem}", err=True)


@click.command(epilog="Example: pmg scenarios")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def scenarios(as_json: bool) -> None:
    """List the scenarios and their sample users (for --user)."""
    from pmg_sdk.cli.users import sample_users
    from pmg_sdk.plugins import registry

    found = registry()
    rows: list[dict[str, Any]] = [
        {
            "name": spec.name,
            "origin": str(found.origin(spec)),
            "users": list(sample_users(spec.name)),
            "description": spec.description,
        }
        for spec in found.scenarios()
    ]
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    print_table(
        ("name", "origin", "sample users", "description"),
        [[row["name"], row["origin"], ", ".join(row["users"]), row["description"]] for row in rows],
    )


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table; cells are plain text, whatever brackets they hold."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    Console().print(table)
