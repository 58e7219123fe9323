"""Render the corpus: labelled clips, in as many processes as there are cores.

`python -m recipes.music.corpus --out build/music/corpus --count 60000`
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from recipes.loop import wait_for
from recipes.music.compose import Piece
from recipes.music.pieces import labels, sampled
from recipes.music.render import LENGTH, Renderer

__all__ = ["floats", "load_corpus", "main", "render"]

SETS: dict[str, tuple[int, bool | None]] = {
    "train": (1, False),
    "judge": (2, None),
    "seen": (3, False),
    "unseen": (4, True),
    "scorer": (5, None),
}
"""Seed, and whether of held-out combinations; None is of all.

Who was never shown a mood on an instrument takes its absence for a rule, so those that have to name what
is there, the judge and the ear of the scorer, know all combinations, each from renderings of its own.
"""

FULL = 32767
"""A sample at full scale."""
_CHUNK = 250


def render(name: str, count: int, font: Path, out: Path, workers: int) -> None:
    """Write `NAME.npy`, int16 (count, LENGTH), and `NAME-labels.npy`."""
    seed, unseen = SETS[name]
    pieces = sampled(count, seed=seed, unseen=unseen)
    path = out / f"{name}.npy"
    np.lib.format.open_memmap(path, mode="w+", dtype=np.int16, shape=(count, LENGTH)).flush()
    spans = [(at, min(at + _CHUNK, count)) for at in range(0, count, _CHUNK)]
    with ProcessPoolExecutor(workers, initializer=_begin, initargs=(font,)) as pool:
        jobs = [pool.submit(_fill, path, pieces[start:end], start) for start, end in spans]
        for job in jobs:
            job.result()
    np.save(out / "labels.part.npy", labels(pieces))
    os.replace(out / "labels.part.npy", out / f"{name}-labels.npy")


def load_corpus(folder: Path, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Clips, int16 (n, LENGTH), and labels, int64 (n, 4), once they are rendered."""
    wait_for(folder / f"{name}-labels.npy")
    return np.load(folder / f"{name}.npy", mmap_mode="r"), np.load(folder / f"{name}-labels.npy")


def floats(clips: np.ndarray | Tensor, device: torch.device | None = None) -> Tensor:
    """int16 clips as waveforms, float32, -1 to 1, where they are or on `device`."""
    return (
        torch.as_tensor(np.array(clips) if isinstance(clips, np.ndarray) else clips).to(device).float() / FULL
    )


_renderer: list[Renderer] = []


def _begin(font: Path) -> None:
    _renderer.append(Renderer(font))


def _fill(path: Path, pieces: Sequence[Piece], start: int) -> None:
    clips = np.stack([_renderer[0](piece) for piece in pieces])
    rows = np.load(path, mmap_mode="r+")
    rows[start : start + len(pieces)] = np.rint(clips * FULL).astype(np.int16)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--font", type=Path, default=Path("build/music/FluidR3Mono_GM.sf3"))
    parser.add_argument("--out", type=Path, default=Path("build/music/corpus"))
    parser.add_argument("--count", type=int, default=60_000, help="clips to train on")
    parser.add_argument("--sets", nargs="*", choices=list(SETS), help="only these, in this order")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    counts = {
        "train": options.count,
        "judge": options.count // 2,
        "seen": max(options.count // 60, 64),
        "unseen": max(options.count // 60, 64),
        "scorer": options.count,
    }
    for name in options.sets or counts:
        count, start = counts[name], time.monotonic()
        render(name, count, options.font, options.out, options.workers)
        print(f"{name}: {count:,} clips, {time.monotonic() - start:.1f} s", flush=True)


if __name__ == "__main__":
    main()
