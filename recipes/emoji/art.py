"""Build the emoji art set: five open emoji styles, joined by code point and drawn at 128 x 128.

``python -m recipes.emoji.art --out build/emoji`` fetches pinned npm packages with ``npm pack`` (an
archive download: nothing in a package is ever executed), joins the five Iconify sets with English names
and keywords, draws every icon and writes ``art.zip``:

* ``<style>/<hexcode>.webp``: lossless RGBA picture, 128 x 128 pixels, transparent background;
* ``index.json``: one record per picture, see :class:`Icon`.

Reading the archive back with :func:`load_art` needs numpy and Pillow only.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import re
import subprocess
import tarfile
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

Json = dict[str, Any]

SIZE = 128  # side of every picture, in pixels
FIT = 116  # longest side of an icon's painted box, in pixels
MAX_ZOOM = 1.4  # an icon drawn small on its own canvas is enlarged at most this much

STYLES: dict[str, str] = {
    "glossy": "@iconify-json/fluent-emoji@1.2.7",
    "flat": "@iconify-json/fluent-emoji-flat@1.2.6",
    "outline": "@iconify-json/fluent-emoji-high-contrast@1.2.6",
    "noto": "@iconify-json/noto@1.2.9",
    "twemoji": "@iconify-json/twemoji@1.2.5",
}
NAMES_PACKAGE = "emojibase-data@17.0.0"
KEYWORDS_PACKAGE = "emojilib@4.0.3"

# Styles whose package ships no code point table borrow the one of this style (the names are equal).
NAME_SOURCE = "flat"

# The glossy style's gradients carry noise in the lowest colour bit; without it they take a fifth less.
COARSE_STYLES = {"glossy"}

SKIPPED_GROUPS = {"component", "flags"}
SKIPPED_SUBGROUPS = {"keycap", "alphanum"}
MIN_STYLES = 4  # an emoji drawn in fewer styles is left out


@dataclass(frozen=True)
class Emoji:
    """What an emoji means, whatever the style: names and keywords are lower-case English."""

    hexcode: str
    name: str
    group: str
    subgroup: str
    tags: tuple[str, ...]


@dataclass(frozen=True)
class Icon:
    """One picture of the archive; ``id`` is ``<style>/<hexcode>``."""

    id: str
    name: str
    hexcode: str
    style: str
    group: str
    subgroup: str
    tags: tuple[str, ...]


@dataclass(frozen=True)
class Art:
    """All pictures: ``rgba`` is uint8 [N, 128, 128, 4] (straight alpha), row i described by ``index[i]``."""

    index: list[Icon]
    rgba: np.ndarray


# --- packages ---------------------------------------------------------------------------------------


def fetch_package(spec: str, folder: Path) -> Path:
    """Return the archive of ``name@version`` in ``folder``, downloading it with ``npm pack`` if absent."""
    name, _, version = spec.rpartition("@")
    archive = folder / f"{name.lstrip('@').replace('/', '-')}-{version}.tgz"
    if not archive.exists():
        folder.mkdir(parents=True, exist_ok=True)
        command = ["npm", "pack", spec, "--ignore-scripts", "--silent"]
        subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return archive


def read_json(archive: Path, member: str) -> Any:
    """Parse one JSON member of an npm archive without unpacking anything to disk."""
    with tarfile.open(archive) as tar:
        stream = tar.extractfile(f"package/{member}")
        if stream is None:
            raise FileNotFoundError(f"{archive.name}: no file {member}")
        return json.load(stream)


# --- joining ----------------------------------------------------------------------------------------


def plain_hex(hexcode: str) -> str:
    """Upper-case code points joined by '-', without the FE0F variation selector."""
    return "-".join(part for part in hexcode.upper().split("-") if part != "FE0F")


def merge_tags(name: str, *sources: Iterable[str]) -> tuple[str, ...]:
    """Merge keyword lists in order: lower-case, spaces for underscores, no repeats, not the name itself."""
    merged: dict[str, None] = {}
    for word in (word for source in sources for word in source):
        clean = " ".join(word.lower().replace("_", " ").split())
        if re.search(r"[a-z]{2}|\d", clean) and clean != name:
            merged.setdefault(clean)
    return tuple(merged)


def list_emoji(data: Sequence[Json], groups: Json, keywords: Mapping[str, Sequence[str]]) -> list[Emoji]:
    """Join emojibase records with emojilib keywords; skin tones, flags, keycaps and letters are left out."""
    keywords = {key.replace("\ufe0f", ""): words for key, words in keywords.items()}
    found = []
    for record in sorted(data, key=lambda record: record.get("order", 0)):
        group = groups["groups"].get(str(record.get("group")), "component")
        subgroup = groups["subgroups"].get(str(record.get("subgroup")), "")
        if group in SKIPPED_GROUPS or subgroup in SKIPPED_SUBGROUPS:
            continue
        name = record["label"].lower()
        words = keywords.get(record["emoji"].replace("\ufe0f", ""), ())
        tags = merge_tags(name, record.get("tags", ()), words)
        found.append(Emoji(plain_hex(record["hexcode"]), name, group, subgroup, tags))
    return found


def icon_names(chars: Mapping[str, str]) -> dict[str, str]:
    """Map plain code points to icon names, from an Iconify ``chars.json``."""
    return {plain_hex(code): name for code, name in chars.items()}


def find_icon(icons: Json, name: str) -> Json | None:
    """Return {body, left, top, width, height} of an Iconify icon, following aliases; None if unknown."""
    flips: list[Json] = []
    while name not in icons["icons"]:
        alias = icons.get("aliases", {}).get(name)
        if alias is None:
            return None
        flips.append(alias)
        name = alias["parent"]
    icon = icons["icons"][name]
    box = {key: icon.get(key, icons.get(key, 0)) for key in ("left", "top")}
    box |= {key: icon.get(key, icons.get(key, 16)) for key in ("width", "height")}
    body = icon["body"]
    for alias in reversed(flips):
        body = turn(body, box, alias)
    return {"body": body, **box}


def turn(body: str, box: Json, alias: Json) -> str:
    """Apply an alias's hFlip, vFlip and rotate (quarter turns) about the centre of the icon's box."""
    x, y = box["left"] + box["width"] / 2, box["top"] + box["height"] / 2
    sx, sy = (-1 if alias.get("hFlip") else 1), (-1 if alias.get("vFlip") else 1)
    angle = 90 * alias.get("rotate", 0)
    if (sx, sy, angle) == (1, 1, 0):
        return body
    how = f"translate({x} {y}) rotate({angle}) scale({sx} {sy}) translate({-x} {-y})"
    return f'<g transform="{how}">{body}</g>'


def join_styles(emoji: Sequence[Emoji], sets: Mapping[str, tuple[Json, Json]]) -> Iterator[tuple[Icon, Json]]:
    """Yield (icon, drawing) for every style that draws an emoji; ``sets`` maps style -> (icons, chars)."""
    tables = {style: icon_names(chars) for style, (_, chars) in sets.items()}
    for one in emoji:
        drawings = {}
        for style, (icons, _) in sets.items():
            name = tables[style].get(one.hexcode) or tables[NAME_SOURCE].get(one.hexcode)
            drawings[style] = find_icon(icons, name) if name else None
        if sum(drawing is not None for drawing in drawings.values()) < MIN_STYLES:
            continue
        for style, drawing in drawings.items():
            if drawing is not None:
                yield Icon(id=f"{style}/{one.hexcode}", style=style, **asdict(one)), drawing


# --- drawing ----------------------------------------------------------------------------------------


def svg_text(drawing: Json, view: tuple[float, float, float, float], pixels: int) -> str:
    """SVG of the icon seen through ``view`` (x, y, width, height in icon units), ``pixels`` square."""
    x, y, w, h = (drawing[key] for key in ("left", "top", "width", "height"))
    body = drawing["body"].replace("currentColor", "#000")
    box = " ".join(f"{value:.5g}" for value in view)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'width="{pixels}" height="{pixels}" viewBox="{box}">'
        f'<svg x="{x}" y="{y}" width="{w}" height="{h}" viewBox="{x} {y} {w} {h}">{body}</svg></svg>'
    )


def rasterize(svg: str) -> np.ndarray:
    """Draw SVG text: uint8 [height, width, 4], straight alpha."""
    import resvg_py

    png = bytes(resvg_py.svg_to_bytes(svg_string=svg, skip_system_fonts=True))
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGBA"))


def full_view(drawing: Json) -> tuple[float, float, float, float]:
    """The smallest square view (x, y, side, side) around the icon's own canvas, in icon units."""
    side = max(drawing["width"], drawing["height"])
    x = drawing["left"] - (side - drawing["width"]) / 2
    y = drawing["top"] - (side - drawing["height"]) / 2
    return x, y, side, side


def painted_box(alpha: np.ndarray, threshold: int = 8) -> tuple[int, int, int, int] | None:
    """Box (left, top, right, bottom) in pixels of alpha [H, W] above the threshold; None if empty."""
    rows = np.flatnonzero((alpha > threshold).any(axis=1))
    cols = np.flatnonzero((alpha > threshold).any(axis=0))
    if not len(rows):
        return None
    return int(cols[0]), int(rows[0]), int(cols[-1]) + 1, int(rows[-1]) + 1


def fitted_view(drawing: Json) -> tuple[float, float, float, float]:
    """The square view that centres the painted part, its longest side ``FIT`` of ``SIZE`` pixels."""
    view = full_view(drawing)
    box = painted_box(rasterize(svg_text(drawing, view, SIZE))[..., 3])
    if box is None:
        return view
    unit = view[2] / SIZE
    left, top, right, bottom = (value * unit for value in box)
    side = max(right - left, bottom - top) * SIZE / FIT
    side = max(side, view[2] / MAX_ZOOM)
    return view[0] + (left + right - side) / 2, view[1] + (top + bottom - side) / 2, side, side


def blank_hidden(rgba: np.ndarray) -> np.ndarray:
    """Set the colour of fully transparent pixels to 0, so that pictures compress well."""
    return np.where(rgba[..., 3:] == 0, np.uint8(0), rgba)


def drop_low_bit(rgba: np.ndarray) -> np.ndarray:
    """Replace the lowest bit of each colour value by its highest one: black and white stay exact."""
    colour = rgba[..., :3]
    return np.concatenate([(colour & 0xFE) | (colour >> 7), rgba[..., 3:]], axis=-1)


def draw_icon(drawing: Json, coarse: bool = False) -> np.ndarray:
    """Draw an icon centred with a small margin: uint8 [128, 128, 4]; ``coarse`` keeps 7 colour bits."""
    rgba = rasterize(svg_text(drawing, fitted_view(drawing), SIZE))
    return blank_hidden(drop_low_bit(rgba) if coarse else rgba)


def encode_webp(rgba: np.ndarray) -> bytes:
    """Lossless WebP bytes of uint8 [H, W, 4]."""
    buffer = io.BytesIO()
    Image.fromarray(rgba).save(buffer, "WEBP", lossless=True, quality=80, method=4, exact=False)
    return buffer.getvalue()


def _draw_job(job: tuple[Json, bool]) -> bytes:
    return encode_webp(draw_icon(*job))


def draw_all(pairs: Sequence[tuple[Icon, Json]], workers: int = 2) -> Iterator[bytes]:
    """Draw icons in worker processes, yielding WebP bytes in order."""
    jobs = [(drawing, icon.style in COARSE_STYLES) for icon, drawing in pairs]
    with ProcessPoolExecutor(workers) as pool:
        yield from pool.map(_draw_job, jobs, chunksize=16)


# --- archive ----------------------------------------------------------------------------------------


def write_archive(path: Path, records: Sequence[Json], pictures: Iterable[bytes]) -> None:
    """Write ``<id>.webp`` members and ``index.json`` uncompressed; the file appears only when complete."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".part")
    with zipfile.ZipFile(partial, "w", zipfile.ZIP_STORED) as archive:
        for record, picture in zip(records, pictures, strict=True):
            archive.writestr(f"{record['id']}.webp", picture)
        archive.writestr("index.json", json.dumps(records, ensure_ascii=False))
    partial.replace(path)


def decode_webp(data: bytes) -> np.ndarray:
    """Decode a picture: uint8 [H, W, 4]."""
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGBA"))


def read_archive(path: str | Path, threads: int = 8) -> tuple[list[Json], np.ndarray]:
    """Read (records, rgba uint8 [N, 128, 128, 4]) written by :func:`write_archive`."""
    with zipfile.ZipFile(path) as archive:
        records = json.loads(archive.read("index.json"))
        blobs = [archive.read(f"{record['id']}.webp") for record in records]
    rgba = np.zeros((len(records), SIZE, SIZE, 4), np.uint8)

    def fill(i: int) -> None:
        rgba[i] = decode_webp(blobs[i])

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(fill, range(len(blobs))))
    return records, rgba


def load_art(path: str | Path) -> Art:
    """Load ``art.zip``."""
    records, rgba = read_archive(path)
    return Art([Icon(**{**record, "tags": tuple(record["tags"])}) for record in records], rgba)


# --- looking ----------------------------------------------------------------------------------------


def contact_sheet(rgba: np.ndarray, columns: int, gap: int = 4) -> Image.Image:
    """Lay pictures [N, H, W, 4] on white, row by row, ``columns`` a row."""
    count, height, width = rgba.shape[:3]
    rows = -(-count // columns)
    sheet = Image.new("RGB", (columns * (width + gap), rows * (height + gap)), "white")
    for i, picture in enumerate(rgba):
        tile = Image.fromarray(picture)
        sheet.paste(tile, (i % columns * (width + gap), i // columns * (height + gap)), tile)
    return sheet


def sample_sheet(art: Art, names: int = 24, columns: int = 3, seed: int = 0) -> Image.Image:
    """A random sample of emoji, one column per style, ``columns`` emoji side by side."""
    place = {icon.id: i for i, icon in enumerate(art.index)}
    hexcodes = sorted({icon.hexcode for icon in art.index})
    chosen = random.Random(seed).sample(hexcodes, min(names, len(hexcodes)))
    blank = np.zeros((SIZE, SIZE, 4), np.uint8)
    tiles = []
    for hexcode in chosen:
        rows = [place.get(f"{style}/{hexcode}") for style in STYLES]
        tiles += [blank if row is None else art.rgba[row] for row in rows]
    return contact_sheet(np.stack(tiles), columns * len(STYLES))


def load_sets(packages: Path) -> dict[str, tuple[Json, Json]]:
    """Fetch and parse the five sets: style -> (icons, chars)."""
    archives = {style: fetch_package(spec, packages) for style, spec in STYLES.items()}
    return {
        style: (read_json(archive, "icons.json"), read_json(archive, "chars.json"))
        for style, archive in archives.items()
    }


def load_emoji(packages: Path) -> list[Emoji]:
    """Fetch and parse the names and keywords."""
    names = fetch_package(NAMES_PACKAGE, packages)
    keywords = read_json(fetch_package(KEYWORDS_PACKAGE, packages), "dist/emoji-en-US.json")
    return list_emoji(read_json(names, "en/data.json"), read_json(names, "meta/groups.json"), keywords)


def build(out: Path, packages: Path) -> Path:
    """Fetch, join and draw everything; returns the path of the archive."""
    pairs = list(join_styles(load_emoji(packages), load_sets(packages)))
    path = out / "art.zip"
    write_archive(path, [asdict(icon) for icon, _ in pairs], draw_all(pairs))
    return path


def summary(path: Path) -> str:
    """Counts and sizes of an archive, in a few lines."""
    with zipfile.ZipFile(path) as archive:
        sizes = Counter[str]()
        for member in archive.infolist():
            sizes[member.filename.partition("/")[0]] += member.file_size
        records = json.loads(archive.read("index.json"))
    counts = Counter(record["style"] for record in records)
    lines = [f"{path}: {len(records)} pictures, {path.stat().st_size / 2**20:.1f} MiB"]
    lines += [f"  {style:8} {counts[style]:5} pictures {sizes[style] / 2**20:5.1f} MiB" for style in counts]
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> None:
    """Command line entry point."""
    parser = argparse.ArgumentParser(description="Build the emoji art archive.")
    parser.add_argument("--out", type=Path, default=Path("build/emoji"), help="folder of art.zip")
    parser.add_argument("--packages", type=Path, help="download folder (default: OUT/packages)")
    parser.add_argument("--sheet", type=Path, help="also write a contact sheet PNG of a random sample")
    parser.add_argument("--seed", type=int, default=0, help="seed of the contact sheet's sample")
    options = parser.parse_args(argv)
    path = build(options.out, options.packages or options.out / "packages")
    print(summary(path))
    if options.sheet:
        sample_sheet(load_art(path), seed=options.seed).save(options.sheet)


if __name__ == "__main__":
    main()
