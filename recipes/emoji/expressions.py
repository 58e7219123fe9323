"""Put the expressions of the yellow faces on animal faces, in every emoji style.

``python -m recipes.emoji.expressions --out build/emoji`` writes ``expressions.zip``, laid out like the
art archive: ``<style>/<animal>-<expression>.webp`` and ``index.json`` (see :class:`Expression`).

A yellow face is split into its vector shapes; the ones that paint the disc are hidden and what remains
(eyes, brows, mouth, tears, glasses, ...) is drawn on an animal whose own eyes and mouth were hidden the
same way. The outline style has one shape per icon, so there connected strokes take the part of shapes.
All working pictures are ``WORK`` pixels square; positions are fractions of an icon's own canvas.
"""

from __future__ import annotations

import argparse
import colorsys
import json
import xml.etree.ElementTree as ET
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from recipes.emoji import art
from recipes.emoji.art import Json

WORK = 256  # side of working pictures, in pixels
PROBE = 64  # side of the pictures that measure one shape, in pixels

ANIMALS: dict[str, str] = {
    "mouse": "1F42D",
    "rabbit": "1F430",
    "cat": "1F431",
    "dog": "1F436",
    "pig": "1F437",
    "frog": "1F438",
    "hamster": "1F439",
    "wolf": "1F43A",
    "bear": "1F43B",
    "panda": "1F43C",
    "koala": "1F428",
    "polar bear": "1F43B-200D-2744",
    "monkey": "1F435",
    "fox": "1F98A",
    "lion": "1F981",
    "tiger": "1F42F",
    "cow": "1F42E",
    "raccoon": "1F99D",
    "chick": "1F425",
}

EXPRESSIONS: dict[str, str] = {
    "happy": "1F600",
    "laughing": "1F602",
    "in love": "1F60D",
    "kissing": "1F618",
    "winking": "1F609",
    "crying": "1F62D",
    "sad": "2639",
    "angry": "1F620",
    "surprised": "1F632",
    "sleepy": "1F634",
    "cool": "1F60E",
    "scared": "1F628",
    "sick": "1F637",
    "tired": "1F62B",
    "silly": "1F61C",
    "nerdy": "1F913",
}

# A face with a plain ring, and the shape of that ring in the outline style.
PLAIN_FACE = "1F636"

Place = tuple[float, float, float]  # centre x, centre y, side, in fractions of the animal's canvas

# Where the yellow face's canvas goes on the animal's canvas; "" is any style.
DEFAULT_PLACE: Place = (0.5, 0.56, 0.70)
PLACES: dict[tuple[str, str], Place] = {
    ("frog", ""): (0.5, 0.6, 0.66),
    ("chick", ""): (0.5, 0.48, 0.62),
}

# Where the animal's own features are looked for, if not where the face goes.
REGIONS: dict[tuple[str, str], Place] = {
    ("frog", ""): (0.5, 0.48, 0.94),
}

# Features are darker than this; eye patches, which stay where eyes show on them, are not.
DARK = 0.4
DARKNESS: dict[tuple[str, str], float] = {
    ("panda", "glossy"): 0.3,
    ("panda", "flat"): 0.3,
    ("raccoon", "glossy"): 0.25,
    ("frog", "noto"): 0.6,
    ("monkey", "noto"): 0.6,
}

# Drawn from the side, or with markings and features in one shape: these would look wrong.
SKIPPED = {("raccoon", "noto"), ("raccoon", "twemoji"), ("tiger", "flat"), ("tiger", "noto"), ("fox", "flat")}


@dataclass(frozen=True)
class Expression:
    """One picture of the archive; ``id`` is ``<style>/<animal>-<expression>`` with '-' for spaces."""

    id: str
    animal: str
    expression: str
    style: str
    name: str


@dataclass(frozen=True)
class Expressions:
    """All pictures: ``rgba`` is uint8 [N, 128, 128, 4] (straight alpha), row i described by ``index[i]``."""

    index: list[Expression]
    rgba: np.ndarray


@dataclass(frozen=True)
class Shape:
    """A painted shape: box (left, top, right, bottom; canvas fractions) and mean colour (r, g, b; 0-1)."""

    box: tuple[float, float, float, float]
    colour: tuple[float, float, float]

    @property
    def size(self) -> tuple[float, float]:
        """Width and height of the box, in fractions of the canvas."""
        left, top, right, bottom = self.box
        return right - left, bottom - top

    @property
    def lightness(self) -> float:
        """Perceived lightness, 0 (black) to 1 (white)."""
        r, g, b = self.colour
        return 0.299 * r + 0.587 * g + 0.114 * b


def measure(rgba: np.ndarray) -> Shape | None:
    """Describe what is painted on uint8 [H, W, 4]; None if nothing is."""
    box = art.painted_box(rgba[..., 3], threshold=16)
    if box is None:
        return None
    side = rgba.shape[0]
    weight = rgba[..., 3:] / 255.0
    red, green, blue = (rgba[..., :3] / 255.0 * weight).sum((0, 1)) / weight.sum()
    left, top, right, bottom = (value / side for value in box)
    return Shape((left, top, right, bottom), (float(red), float(green), float(blue)))


# --- which shapes to hide ---------------------------------------------------------------------------


def is_disc(shape: Shape) -> bool:
    """A yellow face's base: as large as the canvas, or a patch of skin-coloured shading."""
    width, height = shape.size
    if width > 0.78 and height > 0.72:
        return True
    hue, saturation, value = colorsys.rgb_to_hsv(*shape.colour)
    return 20 / 360 < hue < 56 / 360 and saturation > 0.55 and value > 0.75


def is_feature(shape: Shape, region: Place, dark: float = DARK) -> bool:
    """An animal's own eye, nose, mouth or tongue: small, inside the region, dark or white or red."""
    x, y, side = region
    left, top, right, bottom = shape.box
    hue, saturation, _ = colorsys.rgb_to_hsv(*shape.colour)
    red = saturation > 0.5 and (hue > 0.88 or hue < 0.04)
    reach = 0.55 * side
    if left < x - reach or right > x + reach or top < y - reach or bottom > y + reach * (1.1 if red else 1):
        return False
    width, height = shape.size
    if width > (0.72 if red else 0.62) or height > 0.5:
        return False
    speck = height < 0.2 and (width < 0.2 or shape.lightness > 0.9)
    return shape.lightness < dark or red or speck


# --- vector shapes ----------------------------------------------------------------------------------

SVG = "{http://www.w3.org/2000/svg}"
NOT_PAINTED = {
    f"{SVG}{tag}" for tag in ("defs", "linearGradient", "radialGradient", "filter", "clipPath", "mask")
}


def parse_body(drawing: Json) -> ET.Element:
    """Parse an icon's body into one ``<g>`` element."""
    ET.register_namespace("", SVG[1:-1])
    ET.register_namespace("xlink", "http://www.w3.org/1999/xlink")
    names = f'xmlns="{SVG[1:-1]}" xmlns:xlink="http://www.w3.org/1999/xlink"'
    return ET.fromstring(f"<g {names}>{drawing['body']}</g>")


def leaves(root: ET.Element) -> Iterator[ET.Element]:
    """The painted elements: plain groups are opened, a group with a filter or mask is one shape."""
    for child in root:
        if child.tag in NOT_PAINTED:
            continue
        if child.tag == f"{SVG}g" and not {"filter", "mask"} & set(child.attrib):
            yield from leaves(child)
        else:
            yield child


def draw_body(root: ET.Element, drawing: Json, pixels: int) -> np.ndarray:
    """Draw a parsed body on the icon's own canvas: uint8 [pixels, pixels, 4]."""
    drawing = {**drawing, "body": ET.tostring(root, encoding="unicode")}
    return art.rasterize(art.svg_text(drawing, art.full_view(drawing), pixels))


def hide(element: ET.Element, hidden: bool = True) -> None:
    """Hide or show an element."""
    if hidden:
        element.set("display", "none")
    else:
        element.attrib.pop("display", None)


def split_shapes(root: ET.Element, drawing: Json) -> list[tuple[ET.Element, Shape]]:
    """Measure every painted element alone."""
    elements = list(leaves(root))
    for element in elements:
        hide(element)
    found = []
    for element in elements:
        hide(element, False)
        shape = measure(draw_body(root, drawing, PROBE))
        hide(element)
        if shape:
            found.append((element, shape))
    for element in elements:
        hide(element, False)
    return found


def draw_without(
    drawing: Json, unwanted: Sequence[bool], shapes: Sequence[ET.Element], root: ET.Element
) -> np.ndarray:
    """Draw the body with the unwanted shapes hidden: uint8 [WORK, WORK, 4]."""
    for element, drop in zip(shapes, unwanted, strict=True):
        hide(element, drop)
    return draw_body(root, drawing, WORK)


# --- strokes of the outline style -------------------------------------------------------------------


def strokes(rgba: np.ndarray) -> list[np.ndarray]:
    """Connected painted parts of uint8 [H, W, 4], each a bool mask [H, W]."""
    rest = rgba[..., 3] > 60
    found = []
    while rest.any():
        y, x = divmod(int(rest.argmax()), rest.shape[1])
        canvas = Image.fromarray(rest.astype(np.uint8)).copy()  # a copy is writable
        ImageDraw.floodfill(canvas, (x, y), 2)
        mask = np.array(canvas) == 2
        mask[y, x] = True
        found.append(mask)
        rest = rest & ~mask
    return found


def grown(mask: np.ndarray, pixels: int) -> np.ndarray:
    """A bool mask [H, W] grown by a number of pixels on each side (a square neighbourhood)."""
    for axis in (0, 1):
        padded = np.pad(mask, [(pixels, pixels) if a == axis else (0, 0) for a in (0, 1)])
        windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * pixels + 1, axis=axis)
        mask = windows.any(axis=-1)
    return mask


def halo(rgba: np.ndarray, closing: int = 15, rim: int = 6) -> np.ndarray:
    """The area features cover, gaps up to twice ``closing`` pixels filled, plus a rim: bool [H, W]."""
    closed = ~grown(~grown(rgba[..., 3] > 60, closing), closing)
    return grown(closed, rim)


def erase(rgba: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Make the masked pixels transparent."""
    return np.where(mask[..., None], np.uint8(0), rgba)


# --- the two layers ---------------------------------------------------------------------------------


def inside_ring(plain: np.ndarray, rim: int = 3) -> np.ndarray:
    """The area a plain outline face's ring encloses, a rim narrower: bool [H, W]."""
    ring = max(strokes(plain), key=lambda mask: int(np.ptp(np.argwhere(mask), axis=0).sum()))
    free = Image.fromarray((~ring).astype(np.uint8)).copy()
    ImageDraw.floodfill(free, (free.width // 2, free.height // 2), 2)
    return ~grown(np.asarray(free) != 2, rim)


def face_features(drawing: Json, plain: Json | None = None) -> np.ndarray:
    """What makes a yellow face's expression, without the face: uint8 [WORK, WORK, 4].

    ``plain`` is given for the outline style, where a ring and the features it touches are one shape:
    such a shape keeps what lies inside the plain face's ring.
    """
    root = parse_body(drawing)
    pairs = split_shapes(root, drawing)
    elements = [element for element, _ in pairs]
    if plain is None:
        return draw_without(drawing, [is_disc(shape) for _, shape in pairs], elements, root)
    large = [shape.size[0] > 0.78 and shape.size[1] > 0.6 for _, shape in pairs]
    features = draw_without(drawing, large, elements, root)
    ringed = draw_without(drawing, [not flag for flag in large], elements, root)
    ringed = erase(ringed, ~inside_ring(draw_body(parse_body(plain), plain, WORK)))
    for mask in strokes(ringed):  # a ring of another width leaves a thin ring
        if np.ptp(np.argwhere(mask), axis=0).min() > 0.7 * WORK:
            ringed = erase(ringed, grown(mask, 1))
    return np.maximum(features, ringed)  # both are black: the larger alpha wins


def blank_animal(drawing: Json, style: str, region: Place, dark: float = DARK) -> np.ndarray:
    """An animal without eyes and mouth: uint8 [WORK, WORK, 4]."""
    root = parse_body(drawing)
    if style != "outline":
        pairs = split_shapes(root, drawing)
        unwanted = [is_feature(shape, region, dark) for _, shape in pairs]
        return draw_without(drawing, unwanted, [element for element, _ in pairs], root)
    rgba = draw_body(root, drawing, WORK)
    for mask in strokes(rgba):
        shape = measure(erase(rgba, ~mask))
        if shape and is_feature(shape, region, dark):
            rgba = erase(rgba, grown(mask, 1))
    return rgba


def fit(picture: Image.Image) -> np.ndarray:
    """Centre a working picture with the margin of the art archive: uint8 [128, 128, 4]."""
    box = art.painted_box(np.asarray(picture)[..., 3])
    left, top, right, bottom = box or (0, 0, WORK, WORK)
    scale = art.FIT / max(right - left, bottom - top)
    size = (max(1, round((right - left) * scale)), max(1, round((bottom - top) * scale)))
    small = picture.crop((left, top, right, bottom)).resize(size, Image.Resampling.LANCZOS)
    canvas = Image.new("RGBA", (art.SIZE, art.SIZE))
    canvas.paste(small, ((art.SIZE - size[0]) // 2, (art.SIZE - size[1]) // 2))
    return art.blank_hidden(np.asarray(canvas))


def combine(animal: np.ndarray, face: np.ndarray, style: str, place: Place) -> np.ndarray:
    """Lay features [WORK, WORK, 4] on a blank animal [WORK, WORK, 4]: uint8 [128, 128, 4]."""
    x, y, side = (round(value * WORK) for value in place)
    pad = WORK // 4
    layer = Image.new("RGBA", (WORK + 2 * pad,) * 2)
    small = Image.fromarray(face).resize((side, side), Image.Resampling.LANCZOS)
    layer.paste(small, (pad + x - side // 2, pad + y - side // 2))
    base = np.pad(animal, ((pad, pad), (pad, pad), (0, 0)))
    if style == "outline":
        base = erase(base, halo(np.asarray(layer)))
    return fit(Image.alpha_composite(Image.fromarray(base), layer))


# --- archive ----------------------------------------------------------------------------------------


def place_of(animal: str, style: str) -> Place:
    """Where the face goes on an animal."""
    return PLACES.get((animal, style)) or PLACES.get((animal, "")) or DEFAULT_PLACE


def region_of(animal: str, style: str) -> Place:
    """Where an animal's own features are."""
    return REGIONS.get((animal, style)) or REGIONS.get((animal, "")) or place_of(animal, style)


def _layer_job(job: tuple[str, str, str, Json, Json | None]) -> np.ndarray:
    kind, name, style, drawing, plain = job
    if kind == "face":
        return face_features(drawing, plain)
    return blank_animal(drawing, style, region_of(name, style), DARKNESS.get((name, style), DARK))


def draw_layers(drawings: dict[str, Json], workers: int = 2) -> dict[tuple[str, str, str], np.ndarray]:
    """All features and blank animals: (kind, name, style) -> uint8 [WORK, WORK, 4]."""
    wanted = [("animal", name, code) for name, code in ANIMALS.items()]
    wanted += [("face", name, code) for name, code in EXPRESSIONS.items()]
    plain = drawings.get(f"outline/{PLAIN_FACE}")
    jobs = [
        (kind, name, style, drawings[f"{style}/{code}"], plain if style == "outline" else None)
        for kind, name, code in wanted
        for style in art.STYLES
        if f"{style}/{code}" in drawings and (name, style) not in SKIPPED
    ]
    with ProcessPoolExecutor(workers) as pool:
        layers = pool.map(_layer_job, jobs, chunksize=4)
        return {job[:3]: layer for job, layer in zip(jobs, layers, strict=True)}


def compose(layers: dict[tuple[str, str, str], np.ndarray]) -> Iterator[tuple[Expression, np.ndarray]]:
    """Yield (record, uint8 [128, 128, 4]) for every animal, expression and style that has both layers."""
    for style in art.STYLES:
        for animal in ANIMALS:
            for expression in EXPRESSIONS:
                base, face = layers.get(("animal", animal, style)), layers.get(("face", expression, style))
                if base is None or face is None:
                    continue
                key = f"{style}/{animal}-{expression}".replace(" ", "-")
                record = Expression(key, animal, expression, style, f"{expression} {animal}")
                yield record, combine(base, face, style, place_of(animal, style))


def load_expressions(path: str | Path) -> Expressions:
    """Load ``expressions.zip``."""
    records, rgba = art.read_archive(path)
    return Expressions([Expression(**record) for record in records], rgba)


def write_sheets(loaded: Expressions, folder: Path) -> None:
    """Write one contact sheet PNG per style: animals down, expressions across."""
    folder.mkdir(parents=True, exist_ok=True)
    for style in art.STYLES:
        rows = [i for i, one in enumerate(loaded.index) if one.style == style]
        if rows:
            art.contact_sheet(loaded.rgba[rows], len(EXPRESSIONS)).save(folder / f"expressions-{style}.png")


def build(out: Path, packages: Path) -> Path:
    """Draw every expression and write the archive; returns its path."""
    codes = {*ANIMALS.values(), *EXPRESSIONS.values(), PLAIN_FACE}
    emoji = [one for one in art.load_emoji(packages) if one.hexcode in codes]
    drawings = {icon.id: drawing for icon, drawing in art.join_styles(emoji, art.load_sets(packages))}
    pictures = list(compose(draw_layers(drawings)))
    path = out / "expressions.zip"
    art.write_archive(
        path, [asdict(one) for one, _ in pictures], (art.encode_webp(rgba) for _, rgba in pictures)
    )
    return path


def summary(path: Path) -> str:
    """Counts and size of an archive, in a few lines."""
    with zipfile.ZipFile(path) as archive:
        counts = Counter(record["style"] for record in json.loads(archive.read("index.json")))
    lines = [f"{path}: {counts.total()} pictures, {path.stat().st_size / 2**20:.1f} MiB"]
    return "\n".join(lines + [f"  {style:8} {count:5} pictures" for style, count in counts.items()])


def main(argv: Sequence[str] | None = None) -> None:
    """Command line entry point."""
    parser = argparse.ArgumentParser(description="Build the archive of animals wearing expressions.")
    parser.add_argument("--out", type=Path, default=Path("build/emoji"), help="folder of expressions.zip")
    parser.add_argument("--packages", type=Path, help="download folder (default: OUT/packages)")
    parser.add_argument("--sheets", type=Path, help="also write contact sheet PNGs into this folder")
    options = parser.parse_args(argv)
    path = build(options.out, options.packages or options.out / "packages")
    print(summary(path))
    if options.sheets:
        write_sheets(load_expressions(path), options.sheets)


if __name__ == "__main__":
    main()
