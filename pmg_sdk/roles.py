"""Who fills the roles of one pipeline: objects as given, or adapters by the names in the config."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pmg_sdk.behavior import Item
from pmg_sdk.config import Choice, PMGConfig
from pmg_sdk.errors import ConfigError, SpaceMismatch
from pmg_sdk.interfaces import (
    Captioner,
    Generator,
    LanguageModel,
    Role,
    Scorer,
    SoftPreferenceEncoder,
    SupportsLoading,
    TextEncoder,
)
from pmg_sdk.plugins import Registry
from pmg_sdk.progress import Observer
from pmg_sdk.provenance import identify

__all__ = ["Roles", "load", "settings_and_objects"]


@dataclass(frozen=True, eq=False)
class Roles:
    """The adapters of a pipeline; `models` names them for the record.

    `llm` may be None as long as no text has to be written: preferences and targets that were
    made before need none. `soft_preference` is None as well where the config switches it off.
    """

    generator: Generator
    scorer: Scorer
    llm: LanguageModel | None = None
    captioners: Mapping[str, Captioner] = field(default_factory=dict)
    text_encoder: TextEncoder | None = None
    soft_preference: SoftPreferenceEncoder | None = None
    models: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @classmethod
    def fill(cls, config: PMGConfig, given: Mapping[str, Any], registry: Registry) -> Roles:
        """Take what is given, create the rest by name; no weights are loaded.

        Args:
            given: adapter objects by role, None or absent where the config decides;
                "captioners" maps modalities to captioners and is merged over the config's.

        Raises:
            ConfigError: no generator or no scorer.
            AdapterNotFound, MissingExtra, AdapterLoadError: see `Registry.create`.
        """
        models: dict[str, dict[str, str]] = {}

        def take(role: Role, choice: Choice | None, adapter: Any, modality: str | None = None) -> Any:
            origin = ""
            if adapter is not None:
                choice = None
            elif choice is not None:
                adapter = registry.create(role, choice.adapter, choice.options, modality)
                origin = str(registry.origin(registry.adapter(role, choice.adapter)))
            if adapter is not None:
                models[f"{role}:{modality}" if modality else role] = identify(choice, adapter, origin)
            return adapter

        captioners = dict(given.get("captioners") or {})
        off = () if config.use_soft else ("soft_preference",)
        filled: dict[str, Any] = {
            role: take(role, getattr(config, role), given.get(role))
            for role in ("llm", "text_encoder", "soft_preference", "generator", "scorer")
            if role not in off
        }
        filled["captioners"] = {
            modality: take("captioner", config.captioners.get(modality), captioners.get(modality), modality)
            for modality in sorted({*config.captioners, *captioners})
        }
        for role in ("generator", "scorer"):
            if filled[role] is None:
                raise ConfigError(
                    f"config field {role!r}: an adapter's name was expected, or an object as {role}=...; "
                    "got none. `pmg adapters` lists what is installed."
                )
        return cls(**filled, models=models)

    @property
    def encoder(self) -> TextEncoder | None:
        """The text encoder that conditions: the one chosen, else the generator's own."""
        return self.text_encoder if self.text_encoder is not None else self.generator.text_encoder

    def captioners_for(self, items: Iterable[Item]) -> list[Captioner]:
        """The captioners that are needed to describe `items`; none for text alone.

        Raises:
            ConfigError: one reads another modality than it was chosen for.
        """
        modalities = {medium.modality for item in items for medium in item.media}
        needed = {
            modality: self.captioners[modality] for modality in sorted(modalities & set(self.captioners))
        }
        for modality, captioner in needed.items():
            if captioner.modality != modality:
                raise ConfigError(
                    f"config field 'captioners': one that reads {modality} was expected under {modality!r}; "
                    f"got one that reads {captioner.modality}"
                )
        return list(needed.values())

    def writer(self) -> LanguageModel:
        """The language model.

        Raises:
            ConfigError: there is none, and text has to be written.
        """
        if self.llm is None:
            raise ConfigError(
                "config field 'llm': keywords of a behaviour or a target are written by a language model, "
                "and there is none. Choose one, or hand in a UserPreference and a Target."
            )
        return self.llm

    def soft_encoder(self, scenario: str) -> SoftPreferenceEncoder | None:
        """The encoder that gives E_m, if any; its and the generator's words are taken, no weights loaded.

        Args:
            scenario: name of the one whose prompts it will read.

        Raises:
            ConfigError: it was trained on another scenario.
            SpaceMismatch: its E_m is of another text space than the generator's.
        """
        encoder = self.soft_preference
        if encoder is None:
            return None
        if encoder.scenario not in (None, scenario):
            raise ConfigError(
                f"config field 'soft_preference': one trained on scenario {scenario!r} was expected; got one "
                f"of {encoder.scenario!r}. Train one for it with `pmg train`, or set use_soft=false."
            )
        spec = self.generator.spec
        if spec.conditioning != "text" and encoder.space != spec.space:
            raise SpaceMismatch(
                f"config field 'soft_preference': one of space {spec.space!r} was expected, the generator's; "
                f"got one of space {encoder.space!r}. Train one for this generator with `pmg train`, or set "
                "use_soft=false."
            )
        return encoder

    def check(self, scenario: str) -> None:
        """Refuse a scorer that cannot judge what the generator makes, and embeddings it cannot take.

        Raises:
            ConfigError: the modalities of generator and scorer differ.
            SpaceMismatch: the text encoder chosen lives in another text space than the generator.
            ConfigError, SpaceMismatch: see `soft_encoder`.
        """
        self.soft_encoder(scenario)
        self._check_text_encoder()
        made, judged = self.generator.spec.modality, self.scorer.modality
        if made != judged:
            raise ConfigError(
                f"config field 'scorer': one for {made} was expected, the generator's modality; "
                f"got one for {judged}"
            )

    def _check_text_encoder(self) -> None:
        spec = self.generator.spec
        if self.text_encoder is None or spec.conditioning == "text":
            return
        if self.text_encoder.space != spec.space:
            raise SpaceMismatch(
                f"config field 'text_encoder': one of space {spec.space!r} was expected, the generator's; "
                f"got one of space {self.text_encoder.space!r}. Leave it out to take the generator's own."
            )


def load(observer: Observer, *adapters: object) -> None:
    """Load the weights of those adapters that can load ahead of their first use."""
    for adapter in adapters:
        if isinstance(adapter, SupportsLoading):
            adapter.load(observer)


def settings_and_objects(overrides: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Tell what belongs into a config (names, mappings, numbers) from adapters given as objects."""
    settings: dict[str, Any] = {}
    objects: dict[str, Any] = {}
    for name, value in overrides.items():
        held = value.values() if isinstance(value, Mapping) else (value,)
        is_object = name in _ROLES and any(isinstance(each, _INTERFACES) for each in held)
        (objects if is_object else settings)[name] = value
    return settings, objects


_ROLES = frozenset({"llm", "captioners", "text_encoder", "soft_preference", "generator", "scorer"})
_INTERFACES = (LanguageModel, Captioner, TextEncoder, SoftPreferenceEncoder, Generator, Scorer)
