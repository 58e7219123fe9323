"""Train everything the emoji models need, in one command, on one GPU.

`python -m recipes.emoji.train --data build/emoji`

Stages that do not wait for one another share the GPU; every stage writes `<stage>.log` and can be taken
up again after an interruption by the same command.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

__all__ = ["main"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("build/emoji"))
    parser.add_argument("--scenes", type=int, default=500_000)
    parser.add_argument("--autoencoder", type=float, default=4.5, help="minutes")
    parser.add_argument("--diffusion", type=float, default=15.0, help="minutes")
    parser.add_argument("--dual-encoder", type=float, default=6.0, help="minutes")
    parser.add_argument("--recogniser", type=float, default=4.5, help="minutes")
    options = parser.parse_args()
    data = options.data
    stages = {
        "pool": ["--scenes", options.scenes, "--out", data / "pool"],
        "train_autoencoder": ["--minutes", options.autoencoder, "--out", data / "vae", "--compile"],
        "train_diffusion": ["--minutes", options.diffusion, "--vae", data / "vae", "--compile"],
        "train_dual_encoder": ["--minutes", options.dual_encoder, "--out", data / "clip"],
        "train_recogniser": ["--minutes", options.recogniser, "--out", data / "recogniser"],
    }
    stages["train_diffusion"] += ["--pool", data / "pool", "--out", data / "unet"]
    stages["train_dual_encoder"] += ["--pool", data / "pool"]
    for stage in ("pool", "train_diffusion", "train_dual_encoder"):
        stages[stage] += ["--text", data / "minilm"]
    stages["train_autoencoder"] += ["--vgg", data / "vgg16-trunk.safetensors"]
    running = {}
    for stage, arguments in stages.items():
        command = [sys.executable, "-u", "-m", f"recipes.emoji.{stage}", "--data", data, *arguments]
        with (data / f"{stage}.log").open("a") as log:
            running[stage] = subprocess.Popen([str(part) for part in command], stdout=log, stderr=log)
    failed = [stage for stage, process in running.items() if process.wait() != 0]
    if failed:
        sys.exit(f"failed: {', '.join(failed)}; see {data}/<stage>.log, then run the same command again")


if __name__ == "__main__":
    main()
