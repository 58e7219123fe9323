"""Train everything the emoji models need, in one command.

`python -m recipes.emoji.train --data build/emoji`; with `--gpus 2` the generator trains on two.

Stages that do not wait for one another share the GPU; every stage writes `<stage>.log`. A stage whose
result is already there is left alone and one that was interrupted goes on from its last checkpoint, so
the same command takes a broken run up again.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from recipes.stages import Stage, run

__all__ = ["main", "stages"]


def stages(options: argparse.Namespace) -> list[list[Stage]]:
    """Chains that run side by side; the stages of one chain run one after another."""
    data: Path = options.data
    text = ("--text", data / "minilm")
    vgg = ("--vgg", data / "vgg16-trunk.safetensors")
    vae, polished, unet = data / "vae", data / "vae-polished", data / "unet"
    clip, judge, pool = data / "clip", data / "recogniser", data / "pool"
    weights = ("--weights", options.weights) if options.weights else ()
    latents, batch = ("--vae", vae, "--pool", pool), ("--batch", 512 // options.gpus)

    def stage(module: str, result: Path, *arguments: object, gpus: int = 1, name: str = "") -> Stage:
        words = ("--data", data, "--out", result.parent, *arguments)
        return Stage(f"recipes.emoji.{module}", result, words, gpus, name=name)

    def minutes(name: str) -> tuple[object, ...]:
        return "--minutes", getattr(options, name)

    return [
        [stage("pool", pool / "pool.npz", "--scenes", options.scenes, *text)],
        [
            stage("train_autoencoder", vae / "measured.json", *minutes("autoencoder"), "--compile", *vgg),
            stage(
                "train_autoencoder",
                polished / "measured.json",
                *minutes("decoder"),
                *("--decoder-of", vae, "--rate", 4e-4),
                *vgg,
                name="train_decoder",
            ),
        ],
        [
            stage(
                "train_diffusion",
                unet / "config.json",
                *minutes("diffusion"),
                *latents,
                *weights,
                *text,
                *batch,
                "--compile",
                gpus=options.gpus,
            )
        ],
        [
            stage("train_recogniser", judge / "measured.json", *minutes("recogniser")),
            stage(
                "train_dual_encoder",
                clip / "dual_encoder.safetensors",
                *minutes("dual_encoder"),
                *("--pool", pool),
                *text,
            ),
        ],
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("build/emoji"))
    parser.add_argument("--scenes", type=int, default=500_000)
    parser.add_argument("--gpus", type=int, default=1, help="of this machine, for the generator")
    parser.add_argument("--weights", type=Path, help="folder of a trained UNet to go on from")
    for name, minutes in (("autoencoder", 5.0), ("decoder", 2.0), ("diffusion", 20.0)):
        parser.add_argument(f"--{name}", type=float, default=minutes, help="minutes")
    parser.add_argument("--dual-encoder", type=float, default=7.0, help="minutes")
    parser.add_argument("--recogniser", type=float, default=6.0, help="minutes")
    options = parser.parse_args()
    if failed := run(stages(options), options.data):
        sys.exit(f"not done: see {', '.join(failed)}, then run this again")


if __name__ == "__main__":
    main()
