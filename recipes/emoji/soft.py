"""The soft preference embeddings that ship, in one command: users, examples, training.

`python -m recipes.emoji.soft --data build/emoji`

Draws the population, prepares its three parts and trains; on a GPU with the recipe that the shipped
checkpoint was made with. Every step leaves alone what is there already, so the same command takes a broken
run up again.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from recipes.emoji.population import PARTS

__all__ = ["commands", "main"]


def commands(options: argparse.Namespace) -> Iterator[list[str]]:
    """What to run, one after another."""
    data: Path = options.data
    users, examples = data / "population", data / "examples"
    counts = [f"--{part}={getattr(options, part)}" for part in PARTS]
    if not (users / "population.json").exists():
        yield ["recipes.emoji.population", "--data", str(data), "--out", str(users), *counts]
    for part in PARTS:
        yield ["pmg_sdk.cli", "prepare", str(users / f"{part}.jsonl"), "--part", part, "--out", str(examples)]
    settings = ["--steps", str(options.steps), "--batch", str(options.batch)]
    dtype = ["--set", f"generator.options.dtype={options.dtype}"]
    yield ["pmg_sdk.cli", "train", str(examples), "--out", str(data / "soft"), *settings, *dtype]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("build/emoji"))
    parser.add_argument("--steps", type=int, default=800)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--dtype", default="bfloat16", help="of the generator; float32 on a CPU")
    for part, count in PARTS.items():
        parser.add_argument(f"--{part}", type=int, default=count, help=f"users, {count} by default")
    for command in commands(parser.parse_args()):
        print("python -m", *command, flush=True)
        subprocess.run([sys.executable, "-m", *command], check=True)


if __name__ == "__main__":
    main()
