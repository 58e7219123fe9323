"""`pmg preference`: what a user likes, computed once and kept."""

from __future__ import annotations

import json
from pathlib import Path

import click

from pmg_sdk.cli.progress import progress, quiet_option
from pmg_sdk.cli.settings import config_from, settings_options

__all__ = ["preference"]


@click.command(
    epilog="Example: pmg preference cat-lover --out cats.json; then pmg generate -p cats.json -m 'good night'"
)
@click.argument("user")
@settings_options
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="JSON file to write; soft embeddings go beside it.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the keywords as JSON.")
@quiet_option
def preference(
    user: str,
    scenario: str | None,
    config_file: Path | None,
    assignments: tuple[str, ...],
    out: Path,
    as_json: bool,
    quiet: bool,
) -> None:
    """Read what USER likes from the behaviour and save it for many later runs.

    USER is a sample user of the scenario or a behaviour JSON file. The file holds a summary of the
    behaviour: keep it as carefully as the behaviour itself.
    """
    config = config_from(scenario, config_file, assignments)
    from pmg_sdk.cli.show import show_warnings
    from pmg_sdk.cli.users import behavior_of
    from pmg_sdk.pipeline import PMGPipeline

    behavior = behavior_of(user, config.scenario)
    with progress(quiet) as observer:
        found = PMGPipeline(config).preference(behavior, observer)
    found.save(out)
    show_warnings(found.warnings)
    if as_json:
        keywords = {"keywords": found.keywords.texts, "avoided": found.avoided.texts, "file": str(out)}
        click.echo(json.dumps(keywords, ensure_ascii=False, indent=2))
        return
    for title, listed in (("likes", found.keywords), ("avoids", found.avoided)):
        if listed:
            click.echo(f"{title}: {listed.text}")
    click.echo(str(out))
