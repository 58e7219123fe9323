"""Users to learn from, as a file: one behaviour a line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, overload

from pmg_sdk.behavior import Behavior
from pmg_sdk.errors import BehaviorError, MediaError
from pmg_sdk.json_file import parse_json

__all__ = ["User", "UserFile"]


@dataclass(frozen=True)
class User:
    """One user's log.

    Attributes:
        id: the caller's name for the user; unique in its file, never shown to a model.
        behavior: the whole sequence, oldest first; `split` takes the last item off.
        target: what was asked for when the last item was chosen, as keywords, comma-separated; "" where
            nobody noted it. It must say nothing that only the user's taste could tell.
    """

    id: str
    behavior: Behavior
    target: str = ""


class UserFile(Sequence[User]):
    """A JSONL file of users: a line is a behaviour (see `Behavior.load`) with an "id" and perhaps a "target".

    The lines are read now; a user's pictures and sounds are opened each time the user is asked for.

    Raises:
        BehaviorError: there is no such file, a line is no such object, or an id comes twice.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        try:
            lines = self.path.read_bytes().splitlines()
        except OSError as error:
            raise BehaviorError(
                f"a file of users, one JSON object a line, was expected at {path}; {error.strerror}"
            ) from error
        self._records = [(n, self._record(n, line)) for n, line in enumerate(lines, start=1) if line.strip()]
        seen: dict[str, int] = {}
        for number, record in self._records:
            first = seen.setdefault(record["id"], number)
            if first != number:
                raise BehaviorError(
                    f"{self._place(number)}: the id {record['id']!r} stands in line {first}, too"
                )

    def __len__(self) -> int:
        return len(self._records)

    @overload
    def __getitem__(self, index: int) -> User: ...

    @overload
    def __getitem__(self, index: slice) -> list[User]: ...

    def __getitem__(self, index: int | slice) -> User | list[User]:
        """One user, or several.

        Raises:
            BehaviorError: the line is no behaviour. MediaError: a picture or sound cannot be used.
        """
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(len(self)))]
        number, record = self._records[index]
        rest = {key: value for key, value in record.items() if key not in ("id", "target")}
        try:
            return User(record["id"], Behavior.from_mapping(rest, folder=self.path.parent), record["target"])
        except (BehaviorError, MediaError) as error:
            raise type(error)(f"{self._place(number)}: {error}") from error

    def _record(self, number: int, line: bytes) -> dict[str, Any]:
        try:
            values = parse_json(line)
        except ValueError as error:
            raise BehaviorError(f"{self._place(number)} is not UTF-8 JSON: {error}") from error
        if not isinstance(values, Mapping) or not isinstance(values.get("id"), str) or not values["id"]:
            raise BehaviorError(
                f'{self._place(number)}: an object like {{"id": "u1", "history": [...]}} was expected'
            )
        target = values.get("target", "")
        if not isinstance(target, str):
            raise BehaviorError(f"{self._place(number)}: 'target' is text; got {type(target).__name__}")
        return {**values, "target": target}

    def _place(self, number: int) -> str:
        return f"{self.path}, line {number}"
