"""Training pool: scenes with ready-made captions as token ids and claims, built once on the CPU.

    python -m recipes.emoji.pool --data build/emoji --text build/emoji/minilm --scenes 400000 \\
        --out build/emoji/pool
"""

from __future__ import annotations

import argparse
import os
import pickle
from concurrent.futures import ProcessPoolExecutor
from dataclasses import fields
from pathlib import Path
from random import Random

import numpy as np

from recipes.emoji.captions import caption
from recipes.emoji.library import Library, load_library
from recipes.emoji.scenes import Scenes, draw_scenes
from recipes.emoji.text import token_ids, tokenizer

__all__ = ["Pool", "build_pool", "load_pool"]

CAPTIONS = 3
CLAIMS = 3


class Pool:
    """Scenes with `CAPTIONS` captions each.

    Attributes:
        scenes: n scenes.
        ids: int16 (n, CAPTIONS, 2, MAX_TOKENS); a part that says nothing is all zero.
        claims: int16 (n, CAPTIONS, 2, CLAIMS), concepts each part claims, -1 where unused.
    """

    def __init__(self, scenes: Scenes, ids: np.ndarray, claims: np.ndarray) -> None:
        self.scenes, self.ids, self.claims = scenes, ids, claims

    def __len__(self) -> int:
        return len(self.scenes)

    def __getitem__(self, rows: slice) -> Pool:
        return Pool(self.scenes[rows], self.ids[rows], self.claims[rows])


_library: Library | None = None


def _prepare(data: Path) -> None:
    global _library
    cached = data / "library.pickle"
    with cached.open("rb") as file:  # our own file, written by `build_pool` a moment ago
        _library = pickle.load(file)


def _chunk(task: tuple[Path, int, int]) -> tuple[Scenes, np.ndarray, np.ndarray]:
    text, count, seed = task
    assert _library is not None
    rng = Random(seed)
    scenes = draw_scenes(_library, count, seed)
    captions = [caption(_library, scenes, i, rng) for i in range(count) for _ in range(CAPTIONS)]
    texts = [part for entry in captions for part in entry.parts]
    ids = token_ids(tokenizer(text), texts)
    ids[[i for i, part in enumerate(texts) if not part]] = 0
    claims = np.full((len(texts), CLAIMS), -1, np.int16)
    for i, claim in enumerate(claim for entry in captions for claim in entry.claims):
        claims[i, : len(claim)] = claim[:CLAIMS]
    shape = (count, CAPTIONS, 2)
    return scenes, ids.reshape(*shape, -1), claims.reshape(*shape, -1)


def build_pool(data: Path, text: Path, count: int, seed: int, workers: int) -> Pool:
    """Draw `count` scenes and their captions; the same seed gives the same pool on any machine."""
    library = load_library(data)
    slim = Library(**{f.name: getattr(library, f.name) for f in fields(library)} | {"rgba": np.empty(0)})
    with (data / "library.pickle").open("wb") as file:
        pickle.dump(slim, file)
    size = 10_000
    tasks = [(text, min(size, count - at), seed * 100_003 + at) for at in range(0, count, size)]
    with ProcessPoolExecutor(workers, initializer=_prepare, initargs=(data,)) as pool:
        chunks = list(pool.map(_chunk, tasks))
    scenes = Scenes(
        *(np.concatenate([getattr(chunk[0], f.name) for chunk in chunks]) for f in fields(Scenes))
    )
    return Pool(scenes, np.concatenate([c[1] for c in chunks]), np.concatenate([c[2] for c in chunks]))


def save_pool(pool: Pool, folder: Path) -> None:
    """Write the pool as plain arrays."""
    folder.mkdir(parents=True, exist_ok=True)
    columns = {f.name: getattr(pool.scenes, f.name) for f in fields(Scenes)}
    np.savez(folder / "pool.part.npz", ids=pool.ids, claims=pool.claims, **columns)
    os.replace(folder / "pool.part.npz", folder / "pool.npz")


def load_pool(folder: Path) -> Pool:
    """Read what `save_pool` wrote."""
    with np.load(folder / "pool.npz") as arrays:
        scenes = Scenes(*(arrays[f.name] for f in fields(Scenes)))
        return Pool(scenes, arrays["ids"], arrays["claims"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("build/emoji"))
    parser.add_argument("--text", type=Path, default=Path("build/emoji/minilm"))
    parser.add_argument("--out", type=Path, default=Path("build/emoji/pool"))
    parser.add_argument("--scenes", type=int, default=400_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    pool = build_pool(options.data, options.text, options.scenes, options.seed, options.workers)
    save_pool(pool, options.out)
    print(f"{len(pool):,} scenes with {CAPTIONS} captions each in {options.out}")


if __name__ == "__main__":
    main()
