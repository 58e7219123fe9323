"""Six users with visibly different tastes, and messages over the range of feelings."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pmg_scenarios.emoticons.catalogue import Catalogue, catalogue
from pmg_sdk.behavior import Behavior
from pmg_sdk.errors import BehaviorError
from pmg_sdk.json_file import load_json

__all__ = ["load_user", "sample_messages", "sample_user", "sample_users"]

_USERS = Path(__file__).parent / "users"

_MESSAGES = (
    "I got the job! Best day ever!",
    "That joke was so funny, I can't breathe",
    "We have been together for ten years and I adore you",
    "The film was so moving, tears are running down my face",
    "They scratched my car and just drove away!",
    "Wow, I did not expect that at all!",
    "It is 3 am, I can hardly keep my eyes open",
    "There is a strange noise in the dark cellar",
)


def sample_messages() -> tuple[str, ...]:
    """Messages to answer with an emoji, each of another feeling."""
    return _MESSAGES


def sample_users(icons: Catalogue | None = None) -> dict[str, Behavior]:
    """All sample users by name, in alphabetical order."""
    return {path.stem: load_user(path, icons) for path in sorted(_USERS.glob("*.json"))}


def sample_user(name: str, icons: Catalogue | None = None) -> Behavior:
    """One sample user.

    Raises:
        BehaviorError: nobody is called that.
    """
    path = _USERS / f"{name}.json"
    known: Sequence[str] = sorted(entry.stem for entry in _USERS.glob("*.json"))
    if name not in known:
        raise BehaviorError(f"sample users are {', '.join(known)}; got {name!r}")
    return load_user(path, icons)


def load_user(path: str | Path, icons: Catalogue | None = None) -> Behavior:
    """A behaviour file (`Behavior.load`) whose items may also be `{"emoji": "<name>|<style>"}`.

    Raises:
        BehaviorError: the file is not such JSON, or names an emoji that is not in the catalogue.
    """
    path = Path(path)
    data = load_json(path, "a behaviour file", BehaviorError)
    if isinstance(data, dict) and isinstance(data.get("history"), list):
        data["history"] = (icons or catalogue()).items(data["history"])
    return Behavior.from_mapping(data, folder=path.parent)
