"""The emoticons scenario: its catalogue, its users, its place in the registry."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow
from pydantic import ValidationError

from pmg_scenarios import plugin
from pmg_scenarios.emoticons import EMOTICONS, Catalogue, sample_messages, sample_user, sample_users
from pmg_scenarios.emoticons.catalogue import catalogue
from pmg_scenarios.emoticons.expressions import EXPRESSIONS
from pmg_scenarios.emoticons.samples import load_user
from pmg_scenarios.emoticons.scenario import STYLES
from pmg_sdk.config import PMGConfig
from pmg_sdk.errors import BehaviorError, MediaCorrupt
from pmg_sdk.plugins import Registry
from pmg_sdk.scenario import Scenario

USERS = Path(__file__).parents[2] / "scenarios" / "pmg_scenarios" / "emoticons" / "users"


@pytest.fixture
def icons(tmp_path: Path) -> Catalogue:
    """Two icons in two styles, one red and one half transparent."""
    path = tmp_path / "icons.zip"
    records = [
        {"name": name, "hexcode": code, "style": style, "tags": ["animal"]}
        for name, code in (("cat face", "1F431"), ("dog face", "1F436"))
        for style in ("glossy", "flat")
    ]
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("index.json", json.dumps(records))
        for record in records:
            buffer = io.BytesIO()
            colour = (255, 0, 0, 255) if record["name"] == "cat face" else (0, 0, 0, 0)
            Pillow.new("RGBA", (8, 8), colour).save(buffer, format="WEBP", lossless=True)
            archive.writestr(f"{record['style']}/{record['hexcode']}.webp", buffer.getvalue())
    return Catalogue(path)


def test_it_is_registered_and_its_profile_is_a_config() -> None:
    assert PMGConfig(scenario="emoticons", **EMOTICONS.profile).llm is not None
    found = Registry(strict=True)
    found.register(plugin, "pmg_scenarios")
    assert found.scenario("emoticons") is EMOTICONS


def test_there_are_fourteen_expressions_and_five_styles() -> None:
    assert len(EXPRESSIONS) == 14
    assert set(EMOTICONS.attributes[-1].vocabulary) == set(STYLES.values())


def test_an_icon_becomes_an_item_with_text_and_picture(icons: Catalogue) -> None:
    item = icons.item("Cat Face", "flat")
    assert item.text == "cat face, flat design style"
    assert item.id == "Cat Face|flat"
    (image,) = item.media
    assert np.asarray(image.picture().pixels).mean(axis=(0, 1)).tolist() == [255, 0, 0]


def test_transparency_goes_onto_white(icons: Catalogue) -> None:
    assert icons.image("dog face", "glossy").pixels.min() == 255


def test_names_are_listed(icons: Catalogue) -> None:
    assert icons.names() == icons.names("flat") == ("cat face", "dog face")
    assert icons.names("noto") == ()


@pytest.mark.parametrize(
    ("name", "style", "hint"), [("cat fase", "flat", "cat face"), ("cat face", "cubist", "glossy")]
)
def test_what_is_not_there_is_an_error_with_a_hint(
    icons: Catalogue, name: str, style: str, hint: str
) -> None:
    with pytest.raises(BehaviorError, match=hint):
        icons.find(name, style)


def test_a_damaged_catalogue_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "icons.zip").write_bytes(b"PK nothing")
    with pytest.raises(MediaCorrupt, match="catalogue"):
        Catalogue(tmp_path / "icons.zip").names()


@pytest.mark.parametrize(
    "index",
    ["nothing", "[" * 100_000, "7", "[7]", '[{"name": "cat face"}]'],
    ids=["no JSON", "nested too deeply", "a number", "numbers", "half an icon"],
)
def test_a_catalogue_with_another_index_is_an_error(tmp_path: Path, index: str) -> None:
    with zipfile.ZipFile(tmp_path / "icons.zip", "w") as archive:
        archive.writestr("index.json", index)
    with pytest.raises(MediaCorrupt, match=r"index\.json"):
        Catalogue(tmp_path / "icons.zip").names()


def test_a_user_file_may_name_emoji(icons: Catalogue, tmp_path: Path) -> None:
    path = tmp_path / "user.json"
    history = [{"emoji": "cat face|flat"}, "a plain text", {"emoji": "dog face|glossy", "liked": False}]
    path.write_text(json.dumps({"history": history, "conversation": ["Hello"]}))
    user = load_user(path, icons)
    assert [item.text for item in user.liked] == ["cat face, flat design style", "a plain text"]
    assert [item.text for item in user.disliked] == ["dog face, glossy 3D style"]
    assert user.liked[0].media


@pytest.mark.parametrize("entry", [{"emoji": "cat face"}, {"emoji": "no such emoji|flat"}, {"emoji": 3}])
def test_a_wrong_emoji_in_a_user_file_is_an_error(icons: Catalogue, tmp_path: Path, entry: object) -> None:
    path = tmp_path / "user.json"
    path.write_text(json.dumps({"history": [entry]}))
    with pytest.raises(BehaviorError, match="emoji"):
        load_user(path, icons)


def test_without_pictures_the_texts_stand_alone(tmp_path: Path) -> None:
    users = sample_users(Catalogue(tmp_path / "absent.zip"))
    assert len(users) == 6
    for user in users.values():
        assert 5 <= len(user.liked) <= 10
        assert 1 <= len(user.disliked) <= 2
        assert 2 <= len(user.conversation) <= 4
        assert not any(item.media for item in user.history)


@pytest.mark.skipif(not catalogue().available, reason="the catalogue's pictures are not built")
def test_every_emoji_of_the_sample_users_has_its_picture() -> None:
    for user in sample_users().values():
        assert all(item.media for item in user.history)


def test_an_unknown_sample_user_is_an_error_that_names_the_known_ones() -> None:
    with pytest.raises(BehaviorError, match="cat-lover"):
        sample_user("nobody")


def test_sample_messages_are_different_and_no_sample_is_a_worked_example() -> None:
    messages = sample_messages()
    assert len(set(messages)) == len(messages) == 8
    shown = {example.text for example in EMOTICONS.target_examples} | set(EMOTICONS.target.neutral)
    assert not shown & set(messages)


def test_a_scenario_whose_parts_do_not_fit_together_is_refused() -> None:
    fields = EMOTICONS.model_dump()
    with pytest.raises(ValidationError, match="a name of its own"):
        Scenario(**{**fields, "attributes": fields["attributes"] * 2})
    with pytest.raises(ValidationError, match="answers every attribute"):
        Scenario(**{**fields, "attributes": fields["attributes"][:1]})
    with pytest.raises(ValidationError, match=r"holds \{item\}"):
        Scenario(**{**fields, "conversation_templates": ("I like it",)})
