"""Real icons for histories, by name and style; pictures are decoded when they are asked for."""

from __future__ import annotations

import difflib
import functools
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pmg_scenarios.emoticons.scenario import STYLES
from pmg_sdk.behavior import Item
from pmg_sdk.errors import BehaviorError, MediaCorrupt
from pmg_sdk.json_file import parse_json
from pmg_sdk.media import Image

__all__ = ["Catalogue", "Icon", "catalogue"]


@dataclass(frozen=True)
class Icon:
    """One icon.

    Attributes:
        name: lower-case English, as "dog face".
        hexcode: its code points.
        style: a key of `STYLES`.
        tags: further words for it.
    """

    name: str
    hexcode: str
    style: str
    tags: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """Name and style as captions have them: "dog face, glossy 3D style"."""
        return f"{self.name}, {STYLES.get(self.style, self.style)}"


class Catalogue:
    """A zip file of `<style>/<hexcode>.webp` and an `index.json` that lists them."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    @property
    def available(self) -> bool:
        """Whether the pictures are installed."""
        return self.path.is_file()

    @functools.cached_property
    def icons(self) -> tuple[Icon, ...]:
        """Every icon.

        Raises:
            MediaCorrupt: the file is missing or is no catalogue.
        """
        index = self._read("index.json")
        try:
            return tuple(
                Icon(record["name"], record["hexcode"], record["style"], tuple(record.get("tags", ())))
                for record in parse_json(index)
            )
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise MediaCorrupt(
                f"a list of icons was expected in index.json of {self.path}; it is something else "
                f"({type(error).__name__}). Reinstall pmg-sdk."
            ) from error

    def names(self, style: str | None = None) -> tuple[str, ...]:
        """The names of all icons, or of those drawn in one style, sorted."""
        return tuple(sorted({icon.name for icon in self.icons if style in (None, icon.style)}))

    def find(self, name: str, style: str) -> Icon:
        """The icon of that name and style.

        Raises:
            BehaviorError: there is none; the message names the nearest.
        """
        try:
            return self._by_name[name.casefold(), style]
        except KeyError:
            if style not in STYLES:
                raise BehaviorError(f"a style is one of {', '.join(STYLES)}; got {style!r}") from None
            near = difflib.get_close_matches(name, self.names(style), n=3)
            hint = f"near it: {', '.join(near)}" if near else "`catalogue().names()` lists them all"
            raise BehaviorError(f"no emoji is called {name!r} in style {style!r}; {hint}") from None

    def image(self, name: str, style: str, *, background: tuple[int, int, int] = (255, 255, 255)) -> Image:
        """The picture, decoded now.

        Raises:
            BehaviorError: see `find`. MediaCorrupt: the picture is damaged.
        """
        icon = self.find(name, style)
        return Image.open(self._read(f"{icon.style}/{icon.hexcode}.webp"), background=background)

    def item(self, name: str, style: str, *, liked: bool = True) -> Item:
        """The icon as something a user used: its name and style as text, its picture where it is installed.

        Without the pictures (a source tree before they are built) the text stands alone.
        """
        if not self.available:
            return Item(text=Icon(name, "", style).text, liked=liked, id=f"{name}|{style}")
        icon = self.find(name, style)
        return Item(text=icon.text, media=(self.image(name, style),), liked=liked, id=f"{name}|{style}")

    def items(self, entries: Sequence[dict[str, Any] | str]) -> list[dict[str, Any] | str]:
        """Entries of a behaviour file; an "emoji": "<name>|<style>" is replaced by its text and picture.

        Raises:
            BehaviorError: an emoji is not in the catalogue.
        """
        return [_expanded(entry, self) for entry in entries]

    @functools.cached_property
    def _by_name(self) -> dict[tuple[str, str], Icon]:
        return {(icon.name.casefold(), icon.style): icon for icon in self.icons}

    def _read(self, member: str) -> bytes:
        try:
            with zipfile.ZipFile(self.path) as archive:
                return archive.read(member)
        except (OSError, KeyError, zipfile.BadZipFile) as error:
            raise MediaCorrupt(
                f"the emoji catalogue was expected at {self.path}; {member} cannot be read from it "
                f"({type(error).__name__}). Reinstall pmg-sdk."
            ) from error


@functools.cache
def catalogue() -> Catalogue:
    """The icons that come with pmg-sdk."""
    return Catalogue(Path(__file__).parent / "catalogue" / "icons.zip")


def _expanded(entry: dict[str, Any] | str, icons: Catalogue) -> dict[str, Any] | str:
    if not isinstance(entry, dict) or "emoji" not in entry:
        return entry  # what is neither text nor an object is refused with its place by `Behavior`
    name, separator, style = str(entry["emoji"]).partition("|")
    if not separator:
        raise BehaviorError(f'an emoji is written "<name>|<style>", like "cat face|glossy"; got {name!r}')
    item = icons.item(name, style)
    rest = {key: value for key, value in entry.items() if key != "emoji"}
    return {"text": item.text, "media": item.media, "id": item.id, **rest}
