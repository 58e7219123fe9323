"""Train everything the music models need, in one command.

`python -m recipes.music.train --data build/music`; with `--gpus 2` the parts that
need not wait for one another have a GPU each.

Renders the corpus first. Every stage writes a log; a stage whose result is already there is left alone and
one that was interrupted goes on from its last checkpoint, so the same command takes a broken run up again.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

from recipes.stages import Stage, run

__all__ = ["corpus_stage", "main", "stages"]


def corpus_stage(options: argparse.Namespace, *sets: str) -> Stage:
    """Rendering of some sets."""
    corpus: Path = options.data / "corpus"
    words = ("--font", options.font, "--out", corpus, "--count", options.clips, "--sets", *sets)
    return Stage("recipes.music.corpus", corpus / f"{sets[-1]}-labels.npy", words, name=f"corpus-{sets[0]}")


def stages(options: argparse.Namespace) -> list[list[Stage]]:
    """Chains that run side by side once "train" is rendered; the stages of a chain run in order.

    The generator waits for autoencoder and dual encoder, whose vectors condition it. The vocoder takes
    spectrograms that went through the autoencoder as soon as there is one.
    """
    data: Path = options.data
    first, second = (0, options.gpus - 1) if options.gpus else (None, None)
    text = ("--text", options.text)
    vae, clap, unet, vocoder, judge, ear = (
        data / name for name in ("vae", "clap", "unet", "vocoder", "recogniser", "ear")
    )

    def stage(
        module: str, out: Path, gpu: int | None, minutes: float, *arguments: object, name: str = ""
    ) -> Stage:
        words = ("--corpus", data / "corpus", "--out", out, "--minutes", minutes, *arguments)
        return Stage(f"recipes.music.{module}", out / "measured.json", words, gpu=gpu, name=name)

    compiled = ("--compile",) if options.gpus else ()
    return [
        [stage("train_autoencoder", vae, first, options.autoencoder, "--batch", 64)],
        [stage("train_vocoder", vocoder, second, options.vocoder, "--vae", vae)],
        [
            stage(
                "train_diffusion",
                unet,
                first,
                options.diffusion,
                "--vae",
                vae,
                "--clap",
                clap,
                *text,
                *compiled,
            )
        ],
        [
            stage("train_dual_encoder", clap, second, options.dual_encoder, *text),
            stage("train_recogniser", judge, second, options.recogniser),
            stage("train_dual_encoder", ear, second, options.ear, "--ear-of", clap, *text, name="train_ear"),
        ],
        [corpus_stage(options, "seen", "unseen", "judge", "scorer")],
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--font", type=Path, default=Path("build/music/FluidR3Mono_GM.sf3"))
    parser.add_argument("--data", type=Path, default=Path("build/music"))
    parser.add_argument("--text", type=Path, default=Path("build/emoji/minilm"))
    parser.add_argument("--clips", type=int, default=60_000)
    parser.add_argument("--gpus", type=int, default=1, help="of this machine: 0, 1 or 2")
    for name, minutes in (("autoencoder", 4.0), ("diffusion", 9.0), ("vocoder", 13.5), ("dual-encoder", 4.3)):
        parser.add_argument(f"--{name}", type=float, default=minutes, help="minutes")
    parser.add_argument("--recogniser", type=float, default=2.5, help="minutes")
    parser.add_argument("--ear", type=float, default=2.5, help="minutes")
    options = parser.parse_args()
    begin = corpus_stage(options, "train")
    if not begin.result.exists():
        print("rendering", flush=True)
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        subprocess.run(begin.command(), check=True, env=environment)
    print("training", flush=True)
    if failed := run(stages(options), options.data):
        sys.exit(f"not done: see {', '.join(failed)}, then run this again")


if __name__ == "__main__":
    main()
