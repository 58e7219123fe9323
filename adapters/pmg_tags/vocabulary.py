"""The words a tag captioner may say, attribute by attribute."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from pmg_sdk.errors import ConfigError, ModelFolderError
from pmg_sdk.json_file import load_object

__all__ = ["FILE", "Vocabulary", "of", "once"]

FILE = "tags.json"
"""Where a model folder may keep its vocabulary, as the fields of `Vocabulary`."""

V = TypeVar("V")
Word = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1)]


class Vocabulary(BaseModel):
    """What to look for in a medium and when to say it.

    Every attribute is a question of its own: its tags compete in a softmax with the model's learned
    temperature, and those with a large enough share are said. `template`, `threshold` and `top_k`
    take one value for all attributes or a mapping by attribute.

    Attributes:
        tags: attribute to words: {"thing": ["dog face", "red apple"], "style": ["flat design style"]}.
        silent: attribute to words that compete but are never said, for media the attribute does not
            apply to: {"expression": ["food", "object"]}.
        template: what is embedded for a tag; "{tag}" stands for it.
        threshold: smallest share of the softmax, in [0, 1], that a said tag has.
        top_k: most tags said of an attribute.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    tags: dict[Word, Annotated[tuple[Word, ...], Field(min_length=1)]] = Field(min_length=1)
    silent: dict[Word, tuple[Word, ...]] = {}
    template: str | dict[str, str] = "{tag}"
    threshold: Share | dict[str, Share] = 0.0
    top_k: Count | dict[str, Count] = 1

    @model_validator(mode="after")
    def _check(self) -> Vocabulary:
        for name in ("silent", "template", "threshold", "top_k"):
            value = getattr(self, name)
            unknown = set(value) - set(self.tags) if isinstance(value, dict) else set()
            if unknown:
                raise ValueError(f"{name} names {sorted(unknown)}, which tags does not have")
        for attribute in self.tags:
            if "{tag}" not in of(self.template, attribute, "{tag}"):
                raise ValueError(f"the template of {attribute!r} has no {{tag}}")
        return self

    @classmethod
    def made(cls, options: Mapping[str, Any], *, origin: str) -> Vocabulary:
        """From plain values.

        Raises:
            ConfigError: they are not what the fields take; the message names `origin`.
        """
        try:
            return cls.model_validate(dict(options))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "vocabulary"
            raise ConfigError(f"{origin}: {where}: {first['msg']}") from error

    @classmethod
    def of_model(cls, folder: Path | None) -> Vocabulary:
        """The vocabulary that lies in a model folder.

        Raises:
            ModelFolderError: there is none; ConfigError: it is malformed.
        """
        path = folder / FILE if folder is not None else None
        if path is None or not path.is_file():
            raise ModelFolderError(
                f"a vocabulary was expected: the model has no {FILE}. "
                f'Give vocabulary={{"attribute": ["word", ...]}}, or a model folder that has one.'
            )
        return cls.made(load_object(path, ModelFolderError), origin=str(path))

    def words(self, attribute: str) -> list[str]:
        """All competing words once each: the tags, then the silent ones."""
        return once([*self.tags[attribute], *self.silent.get(attribute, ())])

    def said(self, attribute: str) -> int:
        """How many of the first `words` may be said."""
        return len(once(self.tags[attribute]))

    def prompts(self, attribute: str) -> list[str]:
        """What is embedded for each of `words`."""
        template = of(self.template, attribute, "{tag}")
        return [template.replace("{tag}", word) for word in self.words(attribute)]


def of(value: V | Mapping[str, V], attribute: str, default: V) -> V:
    """The value for an attribute: the same for all, or by name."""
    if isinstance(value, Mapping):
        return value.get(attribute, default)
    return value


def once(words: Iterable[str]) -> list[str]:
    """Every word once, whatever its case, where it first stands."""
    found: dict[str, str] = {}
    for word in words:
        found.setdefault(word.casefold(), word)
    return list(found.values())
