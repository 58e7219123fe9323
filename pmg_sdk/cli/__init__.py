"""The command line, `pmg`. Nothing heavy is imported before a command needs it."""

from __future__ import annotations

import errno
import os
import warnings
from typing import Any

import click

from pmg_sdk import __version__
from pmg_sdk.cli.assets import assets
from pmg_sdk.cli.completion import completion
from pmg_sdk.cli.export import export
from pmg_sdk.cli.generate import generate
from pmg_sdk.cli.lazy import LazyCommand
from pmg_sdk.cli.listing import adapters, scenarios
from pmg_sdk.cli.new_adapter import new_adapter
from pmg_sdk.cli.preference import preference
from pmg_sdk.cli.prepare import prepare
from pmg_sdk.cli.replay import replay
from pmg_sdk.cli.stopping import STOPPED
from pmg_sdk.errors import Cancelled, PMGError

__all__ = ["main"]


class _OneLineErrors(click.Group):
    """Turns every error the SDK raises on purpose into one line and exit code 1; Ctrl-C into 130."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (KeyboardInterrupt, Cancelled):
            click.echo("stopped; nothing half-written was left", err=True)
            ctx.exit(STOPPED)
        except PMGError as error:
            if ctx.params.get("debug"):
                raise
            click.echo(f"error: {_one_line(error)}", err=True)
            ctx.exit(1)
        except OSError as error:
            if error.errno != errno.ENOSPC or ctx.params.get("debug"):
                raise
            # Our files report it as a StorageError; what is left is the output, sent to a full disk.
            click.echo(f"error: cannot print the output: {error.strerror}. Free some space.", err=True)
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # or Python complains again when it flushes
            ctx.exit(1)


def _one_line(error: PMGError) -> str:
    return "; ".join(line.strip() for line in str(error).splitlines() if line.strip())


@click.group(
    cls=_OneLineErrors,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Try: pmg generate --user cat-lover --message 'I got the job!'",
)
@click.option("--debug", is_flag=True, help="Show the traceback of an error, and the libraries' warnings.")
@click.version_option(__version__, prog_name="pmg")
def main(debug: bool) -> None:
    """Media that fit this user and still are the thing asked for.

    `pmg COMMAND --help` shows what a command takes, with an example.
    """
    if not debug:
        # The libraries underneath draw bars and warn about themselves; here only our own lines count.
        for name, value in _QUIET.items():
            os.environ.setdefault(name, value)
        warnings.simplefilter("ignore")


_QUIET = {
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "TRANSFORMERS_VERBOSITY": "error",
    "DIFFUSERS_VERBOSITY": "error",
    "TOKENIZERS_PARALLELISM": "false",
    "TQDM_DISABLE": "1",
}

conformance = LazyCommand(
    "conformance",
    "pmg_conformance.cli:conformance",
    "Check whether an adapter or scenario honours the contract.",
)
train = LazyCommand(
    "train",
    "pmg_transformers.soft_preference.cli:train",
    "Train soft preference embeddings on prepared examples.",
)
export_soft = LazyCommand(
    "export-soft",
    "pmg_transformers.soft_preference.cli:export_soft",
    "Copy what a training run learnt, for use alone.",
)

for command in (
    generate,
    replay,
    preference,
    prepare,
    train,
    export_soft,
    export,
    adapters,
    scenarios,
    assets,
    conformance,
    new_adapter,
    completion,
):
    main.add_command(command)
