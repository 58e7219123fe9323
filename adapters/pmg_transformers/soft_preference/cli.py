"""`pmg train` and `pmg export-soft`."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pmg_sdk.cli.progress import progress, quiet_option
from pmg_sdk.cli.settings import config_from, settings_options
from pmg_sdk.errors import ConfigError

if TYPE_CHECKING:
    from pmg_sdk.config import PMGConfig
    from pmg_transformers.soft_preference.dry_run import DryRun
    from pmg_transformers.soft_preference.recipe import Recipe
    from pmg_transformers.soft_preference.trainer import Outcome, Trainer

__all__ = ["export_soft", "train"]


@click.command(
    epilog="\b\n"
    "Examples:\n"
    "  pmg train examples --out soft --dry-run\n"
    "  pmg train examples --out soft --steps 500 --llm my-llm-folder\n"
    "  accelerate launch --num_processes 2 -m pmg_sdk.cli train examples --out soft"
)
@click.argument("examples", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Folder of the run: checkpoint, log.jsonl, TensorBoard's files.",
)
@click.option("--llm", metavar="NAME", help="Local causal model to read prompts with.  [the settings' one]")
@click.option(
    "--recipe",
    "recipe_file",
    metavar="TOML",
    type=click.Path(path_type=Path),
    help="Settings of the training; what it leaves out keeps its default.",
)
@click.option("--tokens", type=int, help="L, multimodal tokens.")
@click.option("--prefix", type=int, help="S, prefixes in every layer; 0 trains none.")
@click.option("--steps", type=int, help="Of the optimizer, at most.")
@click.option("--batch", type=int, help="Users a step, over all processes.")
@click.option("--seed", type=int, help="Decides first values, order and noises.")
@click.option("--precision", type=click.Choice(["auto", "bf16", "fp32"]), help="Of the frozen LLM.")
@click.option("--dry-run", is_flag=True, help="Take two steps, say what the run would cost, write nothing.")
@settings_options
@click.option("--json", "as_json", is_flag=True, help="Print how the run ended, or what it costs, as JSON.")
@quiet_option
def train(
    examples: Path,
    out: Path,
    llm: str | None,
    recipe_file: Path | None,
    dry_run: bool,
    scenario: str | None,
    config_file: Path | None,
    assignments: tuple[str, ...],
    as_json: bool,
    quiet: bool,
    **numbers: Any,
) -> None:
    """Train soft preference embeddings on EXAMPLES, a folder that `pmg prepare` made.

    Multimodal tokens, a prefix for every layer and a linear map learn from what users chose last; language
    model, text encoder and generator stay as they are. --out always holds the best values so far, ready to
    use. The same command again goes on with a run that was interrupted.

    The scenario is that of the examples. To watch: tensorboard --logdir OUT
    """
    from pmg_sdk.training import ExampleFolder

    folder = ExampleFolder(examples)
    # Generator and text encoder have to be those of the examples, so their scenario's are the default.
    config = config_from(scenario or str(folder.about["scenario"]), config_file, assignments)
    recipe = _recipe(recipe_file, numbers)
    name = llm or _local_model(config)

    from accelerate import PartialState

    from pmg_sdk.cli.stopping import resumable
    from pmg_sdk.plugins import registry
    from pmg_sdk.roles import Roles
    from pmg_transformers.soft_preference.trainer import Trainer

    needed = config.replaced(llm=None, captioners={}, soft_preference=None)
    roles = Roles.fill(needed, {}, registry())

    def make() -> Trainer:
        return Trainer(
            folder, out, llm=name, generator=roles.generator, text_encoder=roles.text_encoder, recipe=recipe
        )

    if dry_run:
        from pmg_transformers.soft_preference.dry_run import dry_run as measure

        measured = measure(make)
        if PartialState().is_main_process:
            _show_costs(measured, as_json)
        return
    trainer = make()
    main = PartialState().is_main_process
    if main and 0 < trainer.step < recipe.steps:
        click.echo(f"going on with the run in {out} at step {trainer.step} of {recipe.steps}", err=True)
    with (
        progress(quiet or not main) as observer,
        resumable("the run goes on from its last checkpoint with the same command" if main else ""),
    ):
        outcome = trainer.run(observer)
    if main:
        _show_outcome(outcome, out, as_json)


@click.command(epilog="Example: pmg export-soft soft soft-to-ship")
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("out", type=click.Path(path_type=Path, file_okay=False))
def export_soft(run: Path, out: Path) -> None:
    """Copy the best values of RUN, a folder of `pmg train`, into the folder OUT for use alone.

    OUT is an eighth of the size, in half precision and without what it takes to go on training. It names
    the language model it was trained with, and holds no user's text.
    """
    from pmg_transformers.soft_preference.checkpoint import JSON_FILE, SoftCheckpoint

    found = SoftCheckpoint.load(run)
    if (out / JSON_FILE).exists() and SoftCheckpoint.describe(out).progress:
        raise ConfigError(
            f"a folder without a training run was expected; the one in {out} would be lost. Name another."
        )
    found.exported().save(out)
    click.echo(str(out))
    click.echo(_usage(out))


def _recipe(file: Path | None, numbers: dict[str, Any]) -> Recipe:
    from pmg_transformers.soft_preference.recipe import Recipe

    stated = {} if file is None else Recipe.load(file).model_dump(exclude_unset=True)
    return Recipe.of(**stated | {key: value for key, value in numbers.items() if value is not None})


def _local_model(config: PMGConfig) -> str:
    """The model that the settings' LLM is made with.

    Raises:
        ConfigError: it is none that can be trained around.
    """
    from pmg_transformers.language_model import TransformersLanguageModel

    choice = config.llm
    if choice is None or choice.adapter != "transformers":
        found = "none" if choice is None else repr(choice.adapter)
        raise ConfigError(
            "soft tokens are trained on a local causal model; name one with --llm "
            f"(the settings name {found})"
        )
    return str(choice.options.get("model") or TransformersLanguageModel().model)


def _show_outcome(outcome: Outcome, out: Path, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({**asdict(outcome), "folder": str(out)}, indent=2))
        return
    ended = "validation no longer improved" if outcome.stopped_early else "all were taken"
    click.echo(f"steps: {outcome.steps}, {ended}; the best was {outcome.best_step}")
    click.echo(
        f"validation loss: {outcome.loss:.6f} with soft tokens, "
        f"{outcome.keywords_alone:.6f} with keywords alone"
    )
    if outcome.samples_per_second:
        click.echo(f"speed: {outcome.samples_per_second:.1f} users a second")
    click.echo(_usage(out))


def _usage(out: Path) -> str:
    return f"to use it: --set soft_preference.adapter=transformers --set soft_preference.options.model={out}"


def _show_costs(found: DryRun, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(found.to_json(), indent=2))
        return
    parts = ", ".join(f"{name} {count:,}" for name, count in found.trained.items())
    rows = {
        "trained": f"{sum(found.trained.values()):,} values: {parts}",
        "frozen": f"{found.frozen:,} values of the language model",
        "checkpoint": f"{found.checkpoint_bytes:,} bytes; exported {found.exported_bytes:,}",
        "examples": ", ".join(f"{count:,} {part}" for part, count in found.examples.items()),
        "a step": f"{found.seconds_per_step:.3g} s of {found.batch} users on {found.device}",
        "memory": f"{found.peak_bytes / 2**20:,.0f} MiB at most, models included",
        "all steps": f"{found.seconds:,.0f} s for {found.steps:,}, validation apart",
    }
    for name, text in rows.items():
        click.echo(f"{name + ':':<12} {text}")
