"""Train everything the music models need, in one command.

`python -m recipes.music.train --data build/music`; with `--gpus 4`, or 2, the parts that need not wait for
one another have a GPU each, and with `--gpus 0` a core each.

Renders the corpus first. Every stage writes a log; a stage whose result is already there is left alone and
one that was interrupted goes on from its last checkpoint, so the same command takes a broken run up again.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from recipes.stages import Stage, run

__all__ = ["ON_CPU", "ON_GPUS", "Plan", "corpus_stage", "main", "stages"]


def corpus_stage(options: argparse.Namespace, *sets: str) -> Stage:
    """Rendering of some sets."""
    corpus: Path = options.data / "corpus"
    words = ("--font", options.font, "--out", corpus, "--count", options.clips, "--sets", *sets)
    return Stage("recipes.music.corpus", corpus / f"{sets[-1]}-labels.npy", words, name=f"corpus-{sets[0]}")


@dataclass(frozen=True)
class Plan:
    """How long every stage takes, in minutes, and what its command line says beyond that."""

    clips: int
    minutes: dict[str, float]
    words: dict[str, tuple[object, ...]]


ON_GPUS = Plan(
    150_000,
    {
        "clap": 2.0,
        "vae": 6.5,
        "unet": 14.5,
        "decoder": 11.0,
        "ear": 6.0,
        "recogniser": 3.0,
    },
    {
        "vae": ("--batch", 64, "--compile"),
        "unet": ("--compile",),
        "decoder": ("--batch", 32, "--frames", 256),
    },
)
ON_CPU = Plan(
    24_000,
    {"clap": 2.0, "vae": 30.0, "unet": 58.0, "decoder": 28.0, "recogniser": 12.0, "ear": 20.0},
    {
        "vae": ("--batch", 12, "--frames", 64, "--rate", 1.5e-3),
        "unet": ("--batch", 64),
        "recogniser": ("--batch", 64),
        "ear": ("--batch", 96),
    },
)
"""Small steps for two cores with bfloat16 arithmetic; not yet run to its end with these shapes."""


def stages(options: argparse.Namespace) -> list[list[Stage]]:
    """Chains that run side by side once "train" is rendered; the stages of a chain run in order.

    The generator waits for the autoencoder and for the text space, whose vectors condition it. The decoder
    waits for the autoencoder's latents.
    """
    data: Path = options.data
    plan = ON_GPUS if options.gpus else ON_CPU
    text, vae, clap = ("--text", options.text), data / "vae", data / "clap"
    corpus = ("--corpus", data / "corpus")

    def stage(module: str, name: str, *words: object, lane: int = 0, gpus: int = 1) -> Stage:
        """On GPU `lane`, or on the last there is; a stage on several takes the first ones."""
        out, minutes = data / name, plan.minutes[name] * options.scale
        gpu = min(lane, options.gpus - 1) if options.gpus and gpus == 1 else None
        every = ("--out", out, "--minutes", minutes)
        return Stage(
            f"recipes.music.{module}",
            out / "measured.json",
            (*every, *words, *plan.words.get(name, ())),
            gpus,
            gpu=gpu,
            name=name,
        )

    autoencoder = stage("train_autoencoder", "vae", *corpus, gpus=min(2, options.gpus) or 1)
    generator = stage("train_diffusion", "unet", *corpus, "--vae", vae, "--clap", clap, *text)
    listeners = [
        stage("train_text_space", "clap", *text, lane=2),
        stage("train_ear", "ear", *corpus, "--clap", clap, *text, lane=2),
        stage("train_recogniser", "recogniser", *corpus, lane=2),
    ]
    decoder = stage("train_decoder", "decoder", *corpus, "--vae", vae, lane=3)
    rest = [corpus_stage(options, "seen", "unseen", "scorer", "judge")]
    if not options.gpus:
        return [[autoencoder, generator], [*listeners, decoder], rest]
    # On GPUs the generator compiles while the autoencoder learns.
    if options.gpus > 2:
        return [[autoencoder], [generator], listeners, [decoder], rest]
    return [[autoencoder], [generator], [*listeners, decoder], rest]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--font", type=Path, default=Path("build/music/FluidR3Mono_GM.sf3"))
    parser.add_argument("--data", type=Path, default=Path("build/music"))
    parser.add_argument("--text", type=Path, default=Path("build/emoji/minilm"))
    parser.add_argument("--clips", type=int, help="to train on; by default as many as suit the machine")
    parser.add_argument("--gpus", type=int, default=1, choices=(0, 1, 2, 4), help="of this machine")
    parser.add_argument("--scale", type=float, default=1.0, help="train so many times as long")
    options = parser.parse_args()
    options.clips = options.clips or (ON_GPUS if options.gpus else ON_CPU).clips
    begin = corpus_stage(options, "train")
    if not begin.result.exists():
        print("rendering", flush=True)
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        subprocess.run(begin.command(), check=True, env=environment)
    if not options.gpus:
        os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 2) // 2)))
    print("training", flush=True)
    if failed := run(stages(options), options.data):
        sys.exit(f"not done: see {', '.join(failed)}, then run this again")


if __name__ == "__main__":
    main()
