"""Stands in for another interpreter with audioldm: the real worker's protocol around a package in numpy.

    python fake_audioldm.py WAY PATH_OF_WORKER

WAY says what goes wrong: "well", "dies", "babbles", "no-package", "memory" (batches above one do not fit),
"no-memory" (none fits), "numbers", "slow" (loading takes a minute).
"""

from __future__ import annotations

import importlib.util
import os
import sys
import time
import zlib
from typing import Any

import numpy as np

WIDTH, RATE = 8, 16000


def load(path: str) -> Any:
    """The module at `path`, as it would run there."""
    spec = importlib.util.spec_from_file_location("worker", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main(way: str, path: str) -> None:
    """Speak the protocol, or do what `way` says instead."""
    worker = load(path)

    class Package:
        """Sounds are the conditioning, guided, and noise of the candidate's own."""

        max_tokens = 12
        rate = RATE

        def __init__(self, **options: Any) -> None:
            if way == "dies":
                sys.stderr.write("the library is gone")
                sys.stderr.flush()
                os._exit(3)
            if way == "no-package":
                raise worker.Failed("package", "No module named 'audioldm'")
            if options["architecture"] == "another":
                raise worker.Failed("checkpoint", "1 tensors of another shape")
            time.sleep(60 if way == "slow" else 0)
            sys.stdout.write("packages print what they like")
            sys.stdout.flush()

        def count(self, texts: list[str]) -> list[int]:
            return [len(text.split()) + 2 for text in texts]

        def encode(self, texts: list[str]) -> Any:
            rows = [np.random.default_rng(zlib.crc32(text.encode())).normal(size=WIDTH) for text in texts]
            return np.array([row / np.linalg.norm(row) for row in rows], dtype=np.float32)

        def generate(self, asked: dict[str, Any], arrays: dict[str, Any], step: Any) -> Any:
            if len(asked["seeds"]) > {"memory": 1, "no-memory": 0}.get(way, 1000):
                raise MemoryError("out of memory")
            if way == "numbers":
                raise worker.Failed("numbers", "they are not")
            for _ in range(asked["steps"]):
                step()
            noise = [np.random.default_rng(seed).normal(size=WIDTH) for seed in asked["seeds"]]
            wanted, unwanted = arrays["conditioning"], arrays["negative"]
            point = unwanted + asked["guidance"] * (wanted - unwanted) + 0.1 * np.array(noise)
            length = int(asked["seconds"] * RATE)
            return (0.05 * np.repeat(point, length // WIDTH, axis=1)).astype(np.float32)

    worker.Package = Package
    if way == "babbles":
        sys.stdout.write("Usage: this is no worker")
        sys.stdout.flush()
        time.sleep(60)
    worker.main()


if __name__ == "__main__":
    main(*sys.argv[1:3])
