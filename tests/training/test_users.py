"""Files of users: one behaviour a line, and errors that name the line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sample_media import pictures

from pmg_sdk.errors import BehaviorError, MediaError
from pmg_sdk.training import UserFile


def written(folder: Path, *lines: object) -> Path:
    path = folder / "users.jsonl"
    path.write_text(
        "".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines), "utf-8"
    )
    return path


def test_a_line_is_a_user(tmp_path: Path) -> None:
    (tmp_path / "cat.png").write_bytes(pictures(1)[0].to_bytes())
    users = UserFile(
        written(
            tmp_path,
            {"id": "u1", "history": ["owl", {"text": "cat", "image": "cat.png"}], "target": "happy, excited"},
            "",
            {"id": "u2", "conversation": ["Grüße"]},
        )
    )
    assert len(users) == 2
    first, second = users
    assert (first.id, first.target, first.behavior.history[1].media) == (
        "u1",
        "happy, excited",
        tuple(pictures(1)),
    )
    assert (second.id, second.target, second.behavior.conversation[0].text) == ("u2", "", "Grüße")
    assert [user.id for user in users[:1]] == ["u1"]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("{", "line 2 is not UTF-8 JSON"),
        ("[1]", "line 2: an object like"),
        ({"history": []}, "line 2: an object like"),
        ({"id": ""}, "line 2: an object like"),
        ({"id": 7}, "line 2: an object like"),
        ({"id": "u2", "target": ["happy"]}, "line 2: 'target' is text; got list"),
        ({"id": "u1"}, "line 2: the id 'u1' stands in line 1, too"),
    ],
)
def test_a_line_that_is_no_user_is_an_error_with_its_number(tmp_path: Path, line: object, told: str) -> None:
    with pytest.raises(BehaviorError, match=told):
        UserFile(written(tmp_path, {"id": "u1"}, line))


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ({"id": "u2", "histroy": []}, "line 2: behaviour field 'histroy'"),
        ({"id": "u2", "history": [{"image": "../cat.png"}]}, "line 2: an item's image must lie"),
    ],
)
def test_a_behaviour_is_checked_when_it_is_asked_for(tmp_path: Path, line: object, told: str) -> None:
    users = UserFile(written(tmp_path, {"id": "u1"}, line))
    assert users[0].id == "u1"
    with pytest.raises(BehaviorError, match=told):
        users[1]


def test_a_picture_that_is_not_there_is_an_error_with_its_line(tmp_path: Path) -> None:
    users = UserFile(written(tmp_path, {"id": "u1", "history": [{"image": "cat.png"}]}))
    with pytest.raises(MediaError, match="line 1"):
        users[0]


def test_no_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BehaviorError, match=r"nowhere\.jsonl"):
        UserFile(tmp_path / "nowhere.jsonl")
