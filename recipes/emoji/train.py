"""Train everything the emoji models need, in one command.

`python -m recipes.emoji.train --data build/emoji`; with `--gpus 2` the generator trains on two.

Stages that do not wait for one another share the GPU; every stage writes `<stage>.log`. A stage whose
result is already there is left alone and one that was interrupted goes on from its last checkpoint, so
the same command takes a broken run up again.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Stage", "main", "stages"]


@dataclass(frozen=True)
class Stage:
    """One training run.

    Attributes:
        name: of its log file.
        module: of `recipes.emoji` to run.
        result: the file that shows it is done.
        arguments: command-line arguments besides `--data`.
        gpus: how many processes train together, one a GPU.
    """

    name: str
    module: str
    result: Path
    arguments: tuple[object, ...]
    gpus: int = 1

    def command(self, data: Path) -> list[str]:
        """What to run."""
        together = ("torch.distributed.run", "--nproc-per-node", self.gpus, "-m") if self.gpus > 1 else ()
        words = [sys.executable, "-u", "-m", *together, f"recipes.emoji.{self.module}", "--data", data]
        return [str(word) for word in (*words, *self.arguments)]


def stages(options: argparse.Namespace) -> list[list[Stage]]:
    """Chains that run side by side; the stages of one chain run one after another."""
    data: Path = options.data
    text = ("--text", data / "minilm")
    vgg = ("--vgg", data / "vgg16-trunk.safetensors")
    vae, polished, unet = data / "vae", data / "vae-polished", data / "unet"
    clip, judge, pool = data / "clip", data / "recogniser", data / "pool"
    weights = ("--weights", options.weights) if options.weights else ()
    latents, batch = ("--vae", vae, "--pool", pool), ("--batch", 512 // options.gpus)
    return [
        [Stage("pool", "pool", pool / "pool.npz", ("--scenes", options.scenes, "--out", pool, *text))],
        [
            Stage(
                "autoencoder",
                "train_autoencoder",
                vae / "measured.json",
                ("--minutes", options.autoencoder, "--out", vae, "--compile", *vgg),
            ),
            Stage(
                "decoder",
                "train_autoencoder",
                polished / "measured.json",
                ("--minutes", options.decoder, "--out", polished, "--decoder-of", vae, "--rate", 4e-4, *vgg),
            ),
        ],
        [
            Stage(
                "diffusion",
                "train_diffusion",
                unet / "config.json",
                (
                    "--minutes",
                    options.diffusion,
                    "--out",
                    unet,
                    *latents,
                    *weights,
                    *text,
                    *batch,
                    "--compile",
                ),
                options.gpus,
            )
        ],
        [
            Stage(
                "recogniser",
                "train_recogniser",
                judge / "measured.json",
                ("--minutes", options.recogniser, "--out", judge),
            ),
            Stage(
                "dual_encoder",
                "train_dual_encoder",
                clip / "dual_encoder.safetensors",
                ("--minutes", options.dual_encoder, "--out", clip, "--pool", pool, *text),
            ),
        ],
    ]


def run(chain: list[Stage], data: Path) -> subprocess.Popen[bytes]:
    """Start the stages of a chain that are not done, as one process that ends with the first failure."""
    commands = [
        (stage.command(data), str(data / f"{stage.name}.log")) for stage in chain if not stage.result.exists()
    ]
    script = (
        "import subprocess, sys\n"
        f"for command, log in {commands!r}:\n"
        "    with open(log, 'a') as file:\n"
        "        if subprocess.run(command, stdout=file, stderr=file).returncode:\n"
        "            sys.exit(1)\n"
    )
    return subprocess.Popen([sys.executable, "-c", script])


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
    running = {chain[0].name: run(chain, options.data) for chain in stages(options)}
    failed = [name for name, process in running.items() if process.wait() != 0]
    if failed:
        sys.exit(f"failed: {', '.join(failed)}; see the logs in {options.data}, then run this again")


if __name__ == "__main__":
    main()
