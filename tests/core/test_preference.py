"""A user's preference as a file: whole or not at all, and never from a pickle."""

from __future__ import annotations

import json
import resource
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pmg_sdk import BehaviorSummary, Conditioning, Keyword, Keywords, UserPreference
from pmg_sdk.errors import InputError, StorageError
from pmg_sdk.provenance import Provenance

SOFT = Conditioning(np.arange(6, dtype=np.float32).reshape(2, 3), "reference")
OTHER = Conditioning(SOFT.embeds + 1, "reference")
PREFERENCE = UserPreference(
    keywords=Keywords((Keyword("blue", "colour"), Keyword("小猫", "subject"))),
    avoided=Keywords((Keyword("red", "colour"),)),
    summary=BehaviorSummary(("a blue cat",), ("a red cat",), ("hello",), ()),
    soft=SOFT,
    made_by=Provenance("reference", "ab" * 32, {"llm": {"adapter": "reference"}}, "0.1.0"),
    warnings=("one",),
)


def test_a_preference_survives_its_file(tmp_path: Path) -> None:
    loaded = UserPreference.load(PREFERENCE.save(tmp_path / "user.json"))
    assert loaded.keywords == PREFERENCE.keywords
    assert loaded.avoided == PREFERENCE.avoided
    assert loaded.summary == PREFERENCE.summary
    assert loaded.made_by == PREFERENCE.made_by
    assert loaded.warnings == PREFERENCE.warnings
    assert loaded.soft is not None
    assert np.array_equal(loaded.soft.embeds, SOFT.embeds)
    assert loaded.soft.space == "reference"


def test_soft_vectors_have_files_of_their_own(tmp_path: Path) -> None:
    """So that JSON that could not be replaced still names the vector that belongs to it."""
    no_tokens = np.zeros((0, 2), np.float32)
    names = set()
    for value in (1, 2):
        soft = Conditioning(no_tokens, "reference", np.full(2, value, np.float32))
        path = UserPreference(Keywords(), soft=soft).save(tmp_path / "user.json")
        loaded = UserPreference.load(path).soft
        assert loaded is not None
        assert loaded.pooled is not None
        assert loaded.pooled.tolist() == [value, value]
        assert loaded.tokens == 0
        names.add(json.loads(path.read_text())["soft"])
    assert len(names) == 2


def test_keywords_alone_need_no_second_file(tmp_path: Path) -> None:
    UserPreference(PREFERENCE.keywords).save(tmp_path / "user.json")
    assert [path.name for path in tmp_path.iterdir()] == ["user.json"]


def test_a_newer_preference_takes_its_old_embeddings_along(tmp_path: Path) -> None:
    path = PREFERENCE.save(tmp_path / "user.json")
    UserPreference(PREFERENCE.keywords, soft=OTHER).save(path)
    loaded = UserPreference.load(path)
    assert loaded.soft is not None
    assert np.array_equal(loaded.soft.embeds, OTHER.embeds)
    assert len(list(tmp_path.iterdir())) == 2


LARGE = Conditioning(np.zeros((64, 64), dtype=np.float32), "reference")


@pytest.mark.parametrize(
    "newer",
    [UserPreference(Keywords(), soft=LARGE), replace(PREFERENCE, soft=OTHER, warnings=("long " * 2000,))],
    ids=["the embeddings do not fit", "the JSON does not fit"],
)
def test_a_full_disk_keeps_the_old_preference(tmp_path: Path, newer: UserPreference) -> None:
    path = PREFERENCE.save(tmp_path / "user.json")
    before = {entry.name: entry.read_bytes() for entry in tmp_path.iterdir()}
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limit[1]))
    try:
        with pytest.raises(StorageError, match="nothing was changed"):
            newer.save(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert {entry.name: entry.read_bytes() for entry in tmp_path.iterdir()} == before


@pytest.mark.parametrize(
    ("edit", "complaint"),
    [
        ({"format": 2}, "format 1 was expected.*states 2"),
        ({"keywords": 7}, "keywords are a list"),
        ({"soft": "../elsewhere.safetensors"}, "not one beside it"),
        ({"soft": "gone.safetensors"}, "gone.safetensors"),
        ({"soft": "user.json"}, "not one beside it"),
        ({"made_by": {"surprise": 1}}, "not a preference file"),
    ],
)
def test_a_damaged_preference_is_named(tmp_path: Path, edit: dict[str, object], complaint: str) -> None:
    path = PREFERENCE.save(tmp_path / "user.json")
    path.write_text(json.dumps(json.loads(path.read_text()) | edit))
    with pytest.raises(InputError, match=complaint):
        UserPreference.load(path)


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff\xfe"])
def test_what_is_no_preference_at_all_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "user.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"user\.json"):
        UserPreference.load(path)


def test_embeddings_are_never_unpickled(tmp_path: Path) -> None:
    path = PREFERENCE.save(tmp_path / "user.json")
    name = json.loads(path.read_text())["soft"]
    (tmp_path / name).write_bytes(b"\x80\x04cos\nsystem\n(S'true'\ntR.")
    with pytest.raises(InputError, match="safetensors file with embeddings"):
        UserPreference.load(path)
