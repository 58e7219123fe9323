"""`pmg generate`: the main job."""

from __future__ import annotations

import json
from pathlib import Path

import click

from pmg_sdk.cli.settings import config_from, settings_options

__all__ = ["generate"]


@click.command(
    epilog="Example: pmg generate --user cat-lover --message 'I got the job!' --weights 0.5:1,1:1 --out out"
)
@click.option(
    "-u", "--user", metavar="USER", help="A sample user (see `pmg scenarios`) or a behaviour JSON file."
)
@click.option(
    "-p",
    "--preference",
    "preference_file",
    metavar="JSON",
    type=click.Path(path_type=Path),
    help="A file of `pmg preference`, instead of --user.",
)
@click.option(
    "-m",
    "--message",
    "--target",
    "targets",
    metavar="TEXT",
    multiple=True,
    required=True,
    help="What is asked for: a message, or the thing itself; may be repeated.",
)
@click.option("--weights", metavar="W_P:W_T[:W_S],...", help="The weight pairs to try, one candidate each.")
@click.option("--alpha", type=float, help="Share of the preference in z, 0 to 1.")
@click.option("--seed", type=click.IntRange(min=0), help="Decides the noise.")
@click.option("--steps", type=click.IntRange(min=1), help="Denoising steps.")
@settings_options
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("out"),
    show_default=True,
    help="Folder for the winner, report.html, the contact sheet and result.json.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result's record as JSON.")
@click.option("-q", "--quiet", is_flag=True, help="No progress bars, and only the winner's path.")
def generate(
    user: str | None,
    preference_file: Path | None,
    targets: tuple[str, ...],
    weights: str | None,
    alpha: float | None,
    seed: int | None,
    steps: int | None,
    scenario: str | None,
    config_file: Path | None,
    assignments: tuple[str, ...],
    out: Path,
    as_json: bool,
    quiet: bool,
) -> None:
    """Make media for a USER and a message, and keep the best.

    One candidate is made for every weight pair; z balances what the user likes (d_p) with what was
    asked for (d_t), and the largest z wins. Without a user the result is not personalised.
    """
    if user is not None and preference_file is not None:
        raise click.UsageError("give --user or --preference, not both")
    config = config_from(
        scenario,
        config_file,
        assignments,
        weights=None if weights is None else [pair.strip() for pair in weights.split(",")],
        alpha=alpha,
        seed=seed,
        steps=steps,
    )
    from pmg_sdk.behavior import Behavior
    from pmg_sdk.cli.progress import progress
    from pmg_sdk.cli.show import show_result, show_warnings
    from pmg_sdk.cli.users import behavior_of
    from pmg_sdk.pipeline import PMGPipeline
    from pmg_sdk.preference import UserPreference
    from pmg_sdk.result import check_result_folder

    check_result_folder(out)  # now, not after minutes of work
    of_user: Behavior | UserPreference
    if preference_file is not None:
        of_user = UserPreference.load(preference_file)
    else:
        of_user = Behavior() if user is None else behavior_of(user, config.scenario)
    pipeline = PMGPipeline(config)
    with progress(quiet) as observer:
        result = pipeline.generate(of_user, targets, observer=observer)
    folder = result.save(out)
    show_warnings(result.warnings)
    record = result.record()
    if as_json:
        found = {**record.model_dump(mode="json"), "folder": str(folder)}
        click.echo(json.dumps(found, ensure_ascii=False, indent=2))
    elif quiet:
        click.echo(str(folder / record.media.file))
    else:
        show_result(result, folder)
