"""What a user did: H, the items, and C, the conversations (paper, section 3.2.1).

Behaviour is untrusted. It is checked here, described as text in `describe.py`, and from
there on only parsed keywords travel towards a generator.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from pmg_sdk.errors import BehaviorError
from pmg_sdk.json_file import load_json
from pmg_sdk.media import Media
from pmg_sdk.media_files import FILE_KINDS

__all__ = ["Behavior", "Item", "Message"]


class Item(BaseModel):
    """One thing the user met: a product, a film, an emoji, or the target itself.

    Attributes:
        text: title, description, review; any length, any script.
        media: pictures or sounds of it; each is described by the captioner of its modality.
        liked: False marks an item the user turned down; it becomes negative conditioning.
        id: the caller's own name for it; never shown to a model.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    text: str = ""
    media: tuple[Media, ...] = ()
    liked: bool = True
    id: str | None = None

    @field_validator("media", mode="before")
    @classmethod
    def _one_is_enough(cls, value: Any) -> Any:
        return (value,) if isinstance(value, Media) else value


class Message(BaseModel):
    """One message of a conversation, oldest first.

    Attributes:
        text: what was said.
        role: who said it; preferences are read from the user's own messages.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str
    role: Literal["user", "assistant"] = "user"


class Behavior(BaseModel):
    """H and C: `history` and `conversation`, each oldest first. Both may be empty."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    history: tuple[Item, ...] = ()
    conversation: tuple[Message, ...] = Field(default=())

    @field_validator("conversation", mode="before")
    @classmethod
    def _plain_text_is_the_user_talking(cls, value: Any) -> Any:
        if isinstance(value, str):
            return (Message(text=value),)
        if isinstance(value, Sequence):
            return tuple(Message(text=entry) if isinstance(entry, str) else entry for entry in value)
        return value

    @field_validator("history", mode="before")
    @classmethod
    def _plain_text_is_an_item(cls, value: Any) -> Any:
        if isinstance(value, Sequence) and not isinstance(value, str):
            return tuple(Item(text=entry) if isinstance(entry, str) else entry for entry in value)
        return value

    @property
    def liked(self) -> tuple[Item, ...]:
        """The items of the history that the user kept."""
        return tuple(item for item in self.history if item.liked)

    @property
    def disliked(self) -> tuple[Item, ...]:
        """The items of the history that the user turned down."""
        return tuple(item for item in self.history if not item.liked)

    @classmethod
    def load(cls, path: str | Path) -> Behavior:
        """Read JSON: `{"history": [{"text", "image", "audio", "liked", "id"}], "conversation": [...]}`.

        `image` and `audio` are paths relative to the file (a string or a list of them each); paths that
        leave the file's folder are refused. Entries of `history` and `conversation` may be plain strings.

        Raises:
            BehaviorError: the file is not such JSON.
            MediaError: an image or a sound of it cannot be used.
            MissingExtra: it names sounds, and what reads them is not installed.
        """
        path = Path(path)
        data = load_json(path, "a behaviour file", BehaviorError)
        return cls.from_mapping(data, folder=path.parent)

    @classmethod
    def from_mapping(cls, data: Mapping[str, Any], *, folder: Path) -> Behavior:
        """As `load`, from JSON that is already parsed; media are looked up in `folder`."""
        if not isinstance(data, Mapping):
            raise BehaviorError(
                'a behaviour is an object like {"history": [...], "conversation": [...]}; '
                f"got {type(data).__name__}"
            )
        values = dict(data)
        history = values.get("history", ())
        if isinstance(history, Sequence) and not isinstance(history, str):
            values["history"] = [_with_media(entry, folder) for entry in history]
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise BehaviorError(f"behaviour field {where!r}: {first['msg']}") from error


def _with_media(entry: Any, folder: Path) -> Any:
    if not isinstance(entry, Mapping):
        return entry
    fields = {key: value for key, value in entry.items() if key not in FILE_KINDS}
    media = [
        kind.open(_inside(folder, path, name))
        for name, kind in FILE_KINDS.items()
        if name in entry
        for path in _paths(entry[name], name)
    ]
    return {**fields, "media": tuple(media)} if media else fields


def _paths(named: Any, name: str) -> list[str]:
    paths = [named] if isinstance(named, str) else named
    if not isinstance(paths, list) or not all(isinstance(path, str) for path in paths):
        raise BehaviorError(f"an item's {name!r} is a path or a list of paths; got {type(named).__name__}")
    return paths


def _inside(folder: Path, path: str, name: str) -> Path:
    try:
        found = (folder / path).resolve()
    except (OSError, RuntimeError, ValueError) as error:  # a link to itself, a NUL in the name
        raise BehaviorError(f"an item's {name} is a path in the behaviour file's folder; {error}") from error
    if not found.is_relative_to(folder.resolve()):
        raise BehaviorError(f"an item's {name} must lie in the behaviour file's folder; {path!r} does not")
    return found
