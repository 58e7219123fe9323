"""Pack what the emoticons scenario and its captioner ship of the art.

`python -m recipes.emoji.catalogue --data build/emoji`

Writes the scenario's `icons.zip` (pictures for histories, 72 px WebP, an index beside them) and the dual
encoder's `tags.json` (the words its captions are made of).
"""

from __future__ import annotations

import argparse
import io
import json
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

import numpy as np
from PIL import Image

from recipes.emoji.art import Icon, load_art
from recipes.emoji.export import write_json
from recipes.emoji.vocabulary import STYLE_PHRASES

__all__ = ["chosen", "main"]

GROUPS = {"animals-nature", "food-drink", "activities", "smileys-emotion"}
SUBGROUPS = {"book-paper", "clothing", "computer", "musical-instrument", "sky-weather"}
SIZE = 72
QUALITY = 80


def chosen(icon: Icon, used: set[str]) -> bool:
    """Whether an icon is something people like and use (`used` by a sample user, or of a liked group)."""
    return icon.group in GROUPS or icon.subgroup in SUBGROUPS or icon.name in used


def used_by_samples(folder: Path) -> set[str]:
    """Names of the emoji in the sample users' histories."""
    users = [json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("*.json")]
    return {entry["emoji"].partition("|")[0] for user in users for entry in user["history"]}


def pack(data: Path, out: Path, used: set[str]) -> tuple[str, ...]:
    """Write the zip and return the names in it."""
    art = load_art(data / "art.zip")
    rows = [row for row, icon in enumerate(art.index) if chosen(icon, used)]
    out.parent.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor() as pool, zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for row, picture in zip(rows, pool.map(_small, (art.rgba[row] for row in rows)), strict=True):
            _add(archive, f"{art.index[row].id}.webp", picture)
        index = [{**asdict(art.index[row]), "tags": art.index[row].tags[:6]} for row in rows]
        _add(archive, "index.json", json.dumps(index, separators=(",", ":")).encode())
    return tuple(sorted({art.index[row].name for row in rows}))


def _small(rgba: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    picture = Image.fromarray(rgba).resize((SIZE, SIZE), Image.Resampling.LANCZOS)
    picture.save(buffer, "WEBP", quality=QUALITY, method=3)
    return buffer.getvalue()


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    """One member with a fixed date, so that the same art gives the same bytes."""
    archive.writestr(zipfile.ZipInfo(name, date_time=(2020, 1, 1, 0, 0, 0)), content)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("build/emoji"))
    parser.add_argument(
        "--icons", type=Path, default=Path("scenarios/pmg_scenarios/emoticons/catalogue/icons.zip")
    )
    parser.add_argument("--tags", type=Path, default=Path("models/pmg_models/emoji-clip/tags.json"))
    options = parser.parse_args()
    used = used_by_samples(options.icons.parent.parent / "users")
    names = pack(options.data, options.icons, used)
    tags = {"thing": list(names), "style": list(STYLE_PHRASES.values())}
    options.tags.parent.mkdir(parents=True, exist_ok=True)
    write_json(options.tags, {"tags": tags, "threshold": {"thing": 0.05}, "top_k": 1})
    print(f"{len(names)} names, {options.icons.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
