"""`pmg replay`: the same medium again, from its JSON."""

from __future__ import annotations

import json
from pathlib import Path

import click

__all__ = ["replay"]


@click.command(epilog="Example: pmg replay out/result.json --out again")
@click.argument("result", type=click.Path(path_type=Path))
@click.option(
    "-o", "--out", type=click.Path(path_type=Path, file_okay=False), help="Save what was made there."
)
@click.option("--json", "as_json", is_flag=True, help="Print the new record as JSON.")
@click.option("-q", "--quiet", is_flag=True, help="No progress bars, and only whether it is the same.")
def replay(result: Path, out: Path | None, as_json: bool, quiet: bool) -> None:
    """Make the candidates of RESULT (a result.json) again and compare the winner with the recorded one.

    The language model is not asked again: the keywords are in the file. Exit code 0 also when bytes
    differ, which another device or version may cause; a warning then says so.
    """
    from pmg_sdk.cli.progress import progress
    from pmg_sdk.cli.show import show_result, show_warnings
    from pmg_sdk.replay import replay as make_again
    from pmg_sdk.result import check_result_folder

    if out is not None:
        check_result_folder(out)  # now, not after minutes of work
    with progress(quiet) as observer:
        again = make_again(result, observer=observer)
    folder = None if out is None else again.save(out)
    show_warnings(again.warnings)
    if as_json:
        found = {**again.record().model_dump(mode="json"), "reproduced": again.reproduced}
        click.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return
    if not quiet:
        show_result(again, folder)
    click.echo("reproduced byte for byte" if again.reproduced else "not the same bytes as recorded")
