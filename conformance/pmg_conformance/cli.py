"""`pmg conformance`: the engine's door for people and build servers."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, get_args

import click

from pmg_conformance.check import TIERS, Check, Kind, Tier, checks, find_check
from pmg_conformance.failure import NotRun
from pmg_conformance.printable import printable
from pmg_conformance.report_files import FORMATS, write_reports
from pmg_sdk.cli.listing import print_table
from pmg_sdk.cli.settings import parse_assignment

if TYPE_CHECKING:
    from pmg_conformance.difference import Change
    from pmg_conformance.report import Entry, Report
    from pmg_conformance.subject import Aids, Subject

__all__ = ["conformance"]

F = TypeVar("F", bound=Callable[..., Any])

_ROLES = [kind for kind in get_args(Kind) if kind != "any"]
_COLOURS = {"pass": "green", "fail": "bold red", "waived": "yellow"}


class _TargetFirst(click.Group):
    """A group whose first word may be a target: `pmg conformance TARGET` is `pmg conformance run TARGET`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = ["run", *args]
        return super().parse_args(ctx, args)

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        return ["TARGET [OPTIONS] | COMMAND ..."]

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The options of a run, which are what the group is mostly asked for, and the commands."""
        options = (option for option in run.params if isinstance(option, click.Option))
        rows = [record for option in options if (record := option.get_help_record(ctx)) is not None]
        with formatter.section("Options"):
            formatter.write_dl(rows)
        self.format_commands(ctx, formatter)


@click.group(
    cls=_TargetFirst,
    epilog="\b\n"
    "Examples:\n"
    "  pmg conformance stable-diffusion --tier smoke\n"
    "  pmg conformance my_package:MyScorer --option model=my-folder --pairs pictures\n"
    "  pmg conformance my-generator --tier full --report html,junit --out report\n"
    "  pmg conformance repro PMG-GEN-014 my-generator --debug",
)
def conformance() -> None:
    """Check whether an adapter or scenario honours the contract, and say what is to be mended.

    TARGET is a registered name (`pmg adapters`, `pmg scenarios`), or module:Class of one that is not
    registered; its module may be in this folder. Only fake and tiny work is given to it, but its own
    model is loaded.

    Tiers: smoke takes seconds and finds gross errors, core minutes on a CPU, full may want a GPU; each
    runs those before it. When a smoke check fails, nothing after that tier runs.

    Exit code 0 says that TARGET conforms, 1 that it does not.
    """


def _subject_options(command: F) -> F:
    """What says how the subject is made."""
    command = click.option(
        "--option",
        "assignments",
        metavar="NAME=VALUE",
        multiple=True,
        help="An option of the adapter, VALUE as in TOML or else text; may be repeated.",
    )(command)
    return click.option(
        "--role", type=click.Choice(_ROLES), help="Of TARGET, where its name or class leaves that open."
    )(command)


def _media_options(command: F) -> F:
    """What sample media are."""
    folder = click.Path(path_type=Path, file_okay=False)
    for option in (
        click.option(
            "--media",
            metavar="FOLDER",
            type=folder,
            help="Sample pictures or sounds for what reads them; or made-up ones.",
        ),
        click.option(
            "--pairs",
            metavar="FOLDER",
            type=folder,
            help="For scorers: red_cat.png shows a red cat; or .wav, .flac, .ogg, .mp3.",
        ),
    ):
        command = option(command)
    return command


def _aid_options(command: F) -> F:
    """What some checks need besides."""
    for option in (
        click.option(
            "--budget-seconds",
            metavar="SECONDS",
            type=click.FloatRange(min=0, min_open=True),
            help="For the first answer of a new process.  [60, 120 or 600, by tier]",
        ),
        click.option(
            "--golden",
            metavar="FILE",
            type=click.Path(path_type=Path, dir_okay=False),
            help="What it answered before, as `record` wrote it.",
        ),
        click.option(
            "--twin",
            metavar="NAME|module:Class",
            help="For text encoders and soft preferences: a text encoder that claims the same space.",
        ),
        click.option(
            "--twin-option",
            "twin_options",
            metavar="NAME=VALUE",
            multiple=True,
            help="An option of the twin; may be repeated.",
        ),
        click.option(
            "--scorer",
            metavar="NAME|module:Class",
            help="For generators: the scorer that judges what they make.",
        ),
        click.option(
            "--scorer-option",
            "scorer_options",
            metavar="NAME=VALUE",
            multiple=True,
            help="An option of that scorer; may be repeated.",
        ),
    ):
        command = option(command)
    return _media_options(command)


@conformance.command(epilog="Example: pmg conformance run stable-diffusion --tier smoke")
@click.argument("target")
@_subject_options
@click.option("--tier", type=click.Choice(TIERS), default="core", show_default=True, help="How far to go.")
@click.option(
    "--only", metavar="ID", multiple=True, help="Run this check alone, whatever its tier; may be repeated."
)
@click.option(
    "--waivers",
    "waivers_file",
    metavar="TOML",
    type=click.Path(path_type=Path),
    help="Known failures, each with a reason and the last day it is accepted.",
)
@_aid_options
@click.option(
    "--report",
    "formats",
    metavar="LIST",
    help=f"Files to write, out of {','.join(FORMATS)}. [html,json with --out]",
)
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for the files. [conformance-report]",
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON, and nothing else.")
@click.pass_context
def run(
    ctx: click.Context,
    /,
    target: str,
    role: Kind | None,
    assignments: tuple[str, ...],
    tier: Tier,
    only: tuple[str, ...],
    waivers_file: Path | None,
    formats: str | None,
    out: Path | None,
    as_json: bool,
    **aids: Any,
) -> None:
    """Check TARGET; the same as naming it at once, for one that is called like a command."""
    wanted = _formats(formats, out)
    options = _options(assignments)
    from pmg_conformance.engine import check_subject
    from pmg_conformance.waivers import load_waivers

    waivers = None if waivers_file is None else load_waivers(waivers_file)
    # What adapters print is not part of the JSON.
    with contextlib.redirect_stdout(sys.stderr) if as_json else contextlib.nullcontext():
        subject = _subject(target, role, options, _aids(**aids))
        report = check_subject(subject, tier=tier, only=only, waivers=waivers, on_entry=_progress(as_json))
    written = write_reports(report, wanted, out or Path("conformance-report")) if wanted else []
    if as_json:
        click.echo(report.to_json(), nl=False)
    else:
        _show(report)
        for path in written:
            click.echo(str(path))
    if not report.passed:
        ctx.exit(1)


@conformance.command(epilog="Example: pmg conformance repro PMG-GEN-014 my_package:MyGenerator --debug")
@click.argument("id")
@click.argument("target")
@_subject_options
@_aid_options
@click.option("--debug", is_flag=True, help="Show the traceback of a failure.")
@click.pass_context
def repro(
    ctx: click.Context,
    /,
    id: str,
    target: str,
    role: Kind | None,
    assignments: tuple[str, ...],
    debug: bool,
    **aids: Any,
) -> None:
    """Run the check ID alone on TARGET, and show what was expected and what came.

    Exit code 1 says that it failed.
    """
    from pmg_conformance.engine import Run, chosen_checks

    subject = _subject(target, role, _options(assignments), _aids(**aids))
    (check,) = chosen_checks(subject, only=[id])
    raised: list[BaseException] = []
    entry = Run(subject).entry(_recording(check, raised))
    click.echo(entry.explanation)
    click.echo(f"{'outcome:':<14}{entry.outcome}{f' ({entry.reason})' if entry.reason else ''}")
    if raised and (debug or ctx.find_root().params.get("debug")):
        click.echo(printable("".join(traceback.format_exception(raised[0]))), err=True)
    if entry.outcome == "fail":
        ctx.exit(1)


@conformance.command(epilog="Example: pmg conformance record my_package:MyScorer --out golden.json")
@click.argument("target")
@_subject_options
@_media_options
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="The file; whole or not at all.",
)
def record(target: str, role: Kind | None, assignments: tuple[str, ...], out: Path, **media: Any) -> None:
    """Write what TARGET answers to the sample items into a file, for --golden to compare with later.

    Counts of tokens and text are kept exactly, embeddings as numbers, media as thumbnails. Look at the
    report of a run first: what is recorded is what it answers, right or wrong.
    """
    from pmg_conformance.golden import record as recorded

    subject = _subject(target, role, _options(assignments), _aids(**media))
    click.echo(str(recorded(subject).save(out)))


@conformance.command(epilog="Example: pmg conformance diff before/report.json after/report.json")
@click.argument("before", metavar="A", type=click.Path(path_type=Path))
@click.argument("after", metavar="B", type=click.Path(path_type=Path))
@click.pass_context
def diff(ctx: click.Context, before: Path, after: Path) -> None:
    """Compare two JSON reports: what changed from A to B, and on what they were made.

    Exit code 1 says that a check that passed in A no longer does in B. A golden hash that changed says
    that the adapter answers the same questions otherwise than before; that is no failure by itself.
    """
    from pmg_conformance.difference import compare

    one, other = _report(before), _report(after)
    if (one.kind, one.name) != (other.kind, other.name):
        click.echo(f"note: {one.kind} {one.name} is compared with {other.kind} {other.name}", err=True)
    found = compare(one, other)
    if found.outcomes:
        print_table(
            ("check", "before", "after", ""), [[*_cells(each), each.title] for each in found.outcomes]
        )
    if found.made_on:
        print_table(("made on", "before", "after"), [_cells(change) for change in found.made_on])
    if found.not_compared:
        click.echo(f"not compared, as B stops at tier {other.tier}: {', '.join(found.not_compared)}")
    if not found.outcomes and not found.made_on:
        click.echo("nothing changed")
    if found.regressions:
        names = ", ".join(change.name for change in found.regressions)
        click.echo(f"passed before and no longer: {names}")
        ctx.exit(1)


@conformance.command(name="checks", epilog="Example: pmg conformance checks --role scorer")
@click.argument("id", required=False)
@click.option("--role", type=click.Choice(_ROLES), help="Those that an adapter of this role meets.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_checks(id: str | None, role: Kind | None, as_json: bool) -> None:
    """List the checks; with an ID, say why there is that one and what to do when it fails."""
    if id is not None and role is not None:
        raise click.UsageError("give an ID or --role, not both")
    found = checks(role) if id is None else (find_check(id),)
    if as_json:
        rows = [_described(check) for check in found]
        click.echo(json.dumps(rows if id is None else rows[0], ensure_ascii=False, indent=2))
    elif id is None:
        print_table(
            ("id", "tier", "since", "title"),
            [[check.id, check.tier, check.since, check.title] for check in found],
        )
    else:
        for name, text in _described(found[0]).items():
            if text not in (None, False):
                click.echo(f"{name + ':':<11}{text}")


@conformance.command(epilog="Example: pmg conformance schema > report.schema.json")
def schema() -> None:
    """Print the JSON Schema of the JSON report."""
    from pmg_conformance.report import Report

    stated = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Report.model_json_schema(mode="serialization"),
    }
    click.echo(json.dumps(stated, ensure_ascii=False, indent=2))


def _formats(stated: str | None, out: Path | None) -> list[str]:
    """The formats asked for; a folder alone asks for two."""
    if stated is None:
        return [] if out is None else ["html", "json"]
    names = [name.strip() for name in stated.split(",") if name.strip()]
    unknown = [name for name in names if name not in FORMATS]
    if unknown or not names:
        raise click.BadParameter(
            f"some of {','.join(FORMATS)} were expected, got {stated!r}", param_hint="--report"
        )
    return names


def _options(assignments: Sequence[str]) -> dict[str, Any]:
    options: dict[str, Any] = {}
    for assignment in assignments:
        options |= parse_assignment(assignment, "--option")
    return options


def _subject(target: str, role: Kind | None, options: dict[str, Any], aids: Aids | None = None) -> Subject:
    from pmg_conformance.target import find

    if "" not in sys.path and str(Path.cwd()) not in sys.path:
        # Last, so that a file that happens to be called like a package hides nothing.
        sys.path.append(str(Path.cwd()))
    return find(target, kind=role, options=options, aids=aids)


def _aids(
    scorer: str | None = None,
    twin: str | None = None,
    twin_options: Sequence[str] = (),
    scorer_options: Sequence[str] = (),
    pairs: Path | None = None,
    media: Path | None = None,
    golden: Path | None = None,
    budget_seconds: float | None = None,
) -> Aids:
    from pmg_conformance.aids import media_in, pairs_in
    from pmg_conformance.subject import Aids

    given = {
        "--scorer": scorer,
        "--twin": twin,
        "--pairs": pairs,
        "--media": media,
        "--budget-seconds": budget_seconds,
    }
    aids = Aids(
        media=() if media is None else media_in(media),
        pairs=() if pairs is None else pairs_in(pairs),
        scorer=None if scorer is None else _subject(scorer, "scorer", _options(scorer_options)).fresh(),
        twin=None if twin is None else _subject(twin, "text_encoder", _options(twin_options)).fresh(),
        budget_seconds=budget_seconds,
        words=(
            *(str(word) for pair in given.items() if pair[1] is not None for word in pair),
            *(word for option in twin_options for word in ("--twin-option", option)),
            *(word for option in scorer_options for word in ("--scorer-option", option)),
        ),
    )
    return aids if golden is None else aids.with_golden(golden)


def _recording(check: Check, raised: list[BaseException]) -> Check:
    """The check, which leaves the error it fails with in `raised`."""

    def record(subject: Subject) -> None:
        try:
            check.run(subject)
        except NotRun:
            raise
        except (Exception, SystemExit) as error:
            raised.append(error)
            raise

    return dataclasses.replace(check, run=record)


def _report(path: Path) -> Report:
    from pmg_conformance.report import Report
    from pmg_sdk.errors import InputError

    try:
        return Report.from_json(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"a conformance report was expected at {path} ({error})") from error


def _progress(quiet: bool) -> Callable[[Entry], None] | None:
    """Prints a line for every check as it comes, on a terminal."""
    from rich.console import Console
    from rich.text import Text

    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        return None

    def show(entry: Entry) -> None:
        line = Text(f"{entry.outcome:<11}", style=_COLOURS.get(entry.outcome, "dim"))
        line.append(f" {entry.seconds:6.2f} s ", style="dim")
        line.append(f" {entry.id:<12} {entry.title}", style="default")
        line.append(f" {entry.reason}", style="dim")
        line.truncate(console.width, overflow="ellipsis")
        console.print(line)

    return show


def _show(report: Report) -> None:
    """What failed, how to run it alone, and the verdict."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    failed = [entry for entry in report.entries if entry.outcome == "fail"]
    if failed:
        table = Table(box=box.SIMPLE_HEAD)
        table.add_column("check", no_wrap=True)
        for column in ("expected", "got", "likely cause"):
            table.add_column(column, overflow="fold")
        for entry in failed:
            assert entry.failure is not None
            told = (entry.failure.expected, entry.failure.got, entry.failure.cause)
            name = f"{entry.id}\nprovisional" if entry.provisional else entry.id
            table.add_row(Text(name), *(Text(text) for text in told))
        Console().print(table)
        for entry in failed:
            assert entry.failure is not None
            if entry.failure.repro:
                click.echo(entry.failure.repro)  # outside the table, in one piece to be copied
    click.echo(report.summary)


def _cells(change: Change) -> list[str]:
    return [change.name, change.before or "-", change.after or "-"]


def _described(check: Check) -> dict[str, Any]:
    return {
        "id": check.id,
        "title": check.title,
        "role": check.kind,
        "tier": check.tier,
        "since": check.since,
        "requires": check.requires,
        "provisional": check.provisional,
        "rationale": check.rationale,
        "advice": check.advice,
    }
