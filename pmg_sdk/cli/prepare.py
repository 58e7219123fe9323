"""`pmg prepare`: from users' logs to examples that soft preference embeddings are trained on."""

from __future__ import annotations

import json
import re
from pathlib import Path

import click

from pmg_sdk.cli.progress import progress, quiet_option
from pmg_sdk.cli.settings import config_from, settings_options

__all__ = ["prepare"]


def _share(ctx: click.Context, option: click.Parameter, value: str) -> tuple[int, int]:
    """(k, n), k counted from 0."""
    found = re.fullmatch(r"(\d+)/(\d+)", value)
    k, n = map(int, found.groups()) if found else (0, 0)
    if not 1 <= k <= n:
        raise click.BadParameter(f"expected K/N with K from 1 to N, like 1/2; got {value!r}")
    return k - 1, n


@click.command(
    epilog="\b\n"
    "Examples:\n"
    "  pmg prepare train.jsonl --part train --out examples\n"
    "  pmg prepare held-out.jsonl --part validation --out examples\n"
    "then: pmg train examples --out soft"
)
@click.argument("users", metavar="USERS.jsonl", type=click.Path(path_type=Path))
@click.option(
    "--part",
    metavar="NAME",
    required=True,
    help='What the examples are for: "train" and "validation" are what `pmg train` reads.',
)
@click.option(
    "--share",
    metavar="K/N",
    default="1/1",
    callback=_share,
    help="Make the K-th of N shares, so that N processes or machines divide the work.  [1/1]",
)
@settings_options
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Folder of examples; other parts may be in it already.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the counts as JSON.")
@quiet_option
def prepare(
    users: Path,
    part: str,
    share: tuple[int, int],
    scenario: str | None,
    config_file: Path | None,
    assignments: tuple[str, ...],
    out: Path,
    as_json: bool,
    quiet: bool,
) -> None:
    """Make training examples of users: captions, keywords and latents, once, before training.

    USERS.jsonl has one behaviour a line: {"id": "u1", "history": [...], "conversation": [...]}. The last
    liked item with a medium of the generator's kind, a picture or a sound, is what is learnt from; all before
    it is read. A line may name what was asked for when that item was chosen: "target": "happy, excited".
    Users without such an item, or with nothing before it, are left out.

    The same command again goes on where it was stopped. The folder holds what users wrote: keep it as
    carefully as their logs.
    """
    if not re.fullmatch(r"[A-Za-z0-9_]+", part):
        raise click.BadParameter(f"letters, digits and _ were expected; got {part!r}", param_hint="--part")
    config = config_from(scenario, config_file, assignments)
    from pmg_sdk.cli.stopping import resumable
    from pmg_sdk.pipeline import PMGPipeline
    from pmg_sdk.training import ExampleFolder, UserFile
    from pmg_sdk.training import prepare as make

    listed, folder = UserFile(users), ExampleFolder(out)
    goes_on = f"{out} keeps what is done, and the same command goes on"
    with progress(quiet) as observer, resumable(goes_on):
        made = make(listed, part, PMGPipeline(config), folder, share=share, observer=observer)
    if as_json:
        counts = {"part": part, "examples": made.examples, "left_out": made.left_out, "folder": str(out)}
        click.echo(json.dumps(counts, indent=2))
        return
    click.echo(f"{made.examples} examples of the part {part} in {out}; users left out: {made.left_out}")
