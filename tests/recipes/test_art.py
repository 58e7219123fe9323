"""The emoji recipes' drawing steps, on tiny made-up icon sets (nothing is downloaded)."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("resvg_py")
pytest.importorskip("PIL")

from recipes.emoji import art, expressions

GROUPS = {
    "groups": {"0": "smileys-emotion", "2": "component", "8": "symbols", "9": "flags"},
    "subgroups": {"1": "face-smiling", "2": "heart", "3": "keycap"},
}
DATA = [
    {"hexcode": "2764-FE0F", "label": "Red Heart", "emoji": "❤️", "order": 2, "group": 0, "subgroup": 2,
     "tags": ["love"]},
    {"hexcode": "1F600", "label": "grinning face", "emoji": "😀", "order": 1, "group": 0, "subgroup": 1,
     "tags": ["happy"]},
    {"hexcode": "1F1E6", "label": "regional indicator A", "emoji": "🇦"},
    {"hexcode": "1F3FB", "label": "light skin tone", "emoji": "🏻", "group": 2, "subgroup": 1},
    {"hexcode": "1F3C1", "label": "flag", "emoji": "🏁", "group": 9, "subgroup": 1},
    {"hexcode": "23-20E3", "label": "keycap: #", "emoji": "#⃣", "group": 8, "subgroup": 3},
]  # fmt: skip
KEYWORDS = {"❤": ["red_heart", "LOVE", "valentine_day", "<3", ":)"], "😀": ["grin"]}
DISC = '<circle cx="16" cy="16" r="14" fill="#fb2"/>'
EYES = '<circle cx="11" cy="13" r="2" fill="#402"/><circle cx="21" cy="13" r="2" fill="#402"/>'


def drawing(body: str, side: int = 32) -> art.Json:
    return {"body": body, "left": 0, "top": 0, "width": side, "height": side}


def icon_set(chars: bool = True) -> tuple[art.Json, art.Json]:
    icons = {"heart": {"body": '<path fill="currentColor" d="M2 4h10v6H2z"/>'}, "grin": {"body": DISC + EYES}}
    aliases = {"grinning-face": {"parent": "grin", "hFlip": True}}
    table = {"2764-fe0f": "heart", "1f600": "grinning-face"} if chars else {}
    return {"icons": icons, "aliases": aliases, "width": 32, "height": 32}, table


def test_names_are_joined_and_filtered() -> None:
    emoji = art.list_emoji(DATA, GROUPS, KEYWORDS)
    assert [one.hexcode for one in emoji] == ["1F600", "2764"]
    assert emoji[1].name == "red heart"
    assert emoji[1].tags == ("love", "valentine day", "<3")


def test_styles_are_joined_by_code_point() -> None:
    sets = {style: icon_set(chars=style != "glossy") for style in art.STYLES}
    pairs = list(art.join_styles(art.list_emoji(DATA, GROUPS, KEYWORDS), sets))
    assert len(pairs) == 2 * len(art.STYLES)
    assert pairs[0][0].id == "glossy/1F600"
    assert "scale(-1 1)" in pairs[0][1]["body"]


def test_emoji_with_few_styles_is_left_out() -> None:
    sets = {style: icon_set() for style in list(art.STYLES)[:3]}
    assert not list(art.join_styles(art.list_emoji(DATA, GROUPS, KEYWORDS), sets))


@pytest.mark.parametrize("body", ['<path fill="currentColor" d="M1 2h30v9H1z"/>', DISC])
def test_icons_are_fitted_and_centred(body: str) -> None:
    rgba = art.draw_icon(drawing(body))
    assert rgba.shape == (128, 128, 4)
    assert rgba.dtype == np.uint8
    left, top, right, bottom = art.painted_box(rgba[..., 3]) or (0, 0, 0, 0)
    assert 112 <= max(right - left, bottom - top) <= 120
    assert abs(left + right - 128) <= 2
    assert abs(top + bottom - 128) <= 2
    assert not rgba[..., :3][rgba[..., 3] == 0].any()


def test_coarse_colours_keep_black_and_white() -> None:
    rgba = np.array([[[0, 255, 7, 9]]], np.uint8)
    assert art.drop_low_bit(rgba).tolist() == [[[0, 255, 6, 9]]]


def test_archive_round_trip(tmp_path: Path) -> None:
    icon = art.Icon(
        "flat/1F600", "grinning face", "1F600", "flat", "smileys-emotion", "face-smiling", ("grin",)
    )
    rgba = art.draw_icon(drawing(DISC + EYES))
    art.write_archive(tmp_path / "art.zip", [asdict(icon)], [art.encode_webp(rgba)])
    loaded = art.load_art(tmp_path / "art.zip")
    assert loaded.index == [icon]
    assert np.array_equal(loaded.rgba, rgba[None])


def test_base_disc_is_dropped() -> None:
    features = expressions.face_features(drawing(DISC + EYES))
    shape = expressions.measure(features)
    assert shape is not None
    assert shape.lightness < 0.3
    assert shape.box == pytest.approx((9 / 32, 11 / 32, 23 / 32, 15 / 32), abs=0.01)


def test_outline_ring_is_cut_from_a_joined_shape() -> None:
    ring = "M16 1a15 15 0 1 0 0 30a15 15 0 1 0 0-30zM16 3a13 13 0 1 1 0 26a13 13 0 1 1 0-26z"
    plain = drawing(f'<path fill-rule="evenodd" d="{ring}"/>')
    face = drawing(f'<path fill-rule="evenodd" d="{ring}M14 14h4v4h-4z"/>')
    shape = expressions.measure(expressions.face_features(face, plain))
    assert shape is not None
    assert shape.box == pytest.approx((14 / 32, 14 / 32, 18 / 32, 18 / 32), abs=0.01)


@pytest.mark.parametrize("style", ["flat", "outline"])
def test_animal_loses_its_eyes(style: str) -> None:
    head = '<path fill="#888" fill-rule="evenodd" d="M2 2h28v28H2zM4 4h24v24H4z"/>'
    blank = expressions.blank_animal(drawing(head + EYES), style, expressions.DEFAULT_PLACE)
    assert not blank[80:128, 60:200, 3].any()
    assert blank[128, 24, 3] > 200


def test_expressions_round_trip(tmp_path: Path) -> None:
    layers = {
        ("animal", "dog", "flat"): expressions.blank_animal(drawing(DISC), "flat", expressions.DEFAULT_PLACE),
        ("face", "in love", "flat"): expressions.face_features(drawing(DISC + EYES)),
    }
    ((record, rgba),) = expressions.compose(layers)
    assert (record.id, record.name) == ("flat/dog-in-love", "in love dog")
    art.write_archive(tmp_path / "e.zip", [asdict(record)], [art.encode_webp(rgba)])
    loaded = expressions.load_expressions(tmp_path / "e.zip")
    assert loaded.index == [record]
    assert np.array_equal(loaded.rgba, rgba[None])
