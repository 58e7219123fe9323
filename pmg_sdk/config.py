"""The settings of a pipeline, as one frozen value that is written beside every result."""

from __future__ import annotations

import difflib
import hashlib
import json
import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    ValidationError,
    field_validator,
    model_validator,
)

from pmg_sdk.conditioning import Weighting, WeightPair
from pmg_sdk.errors import ConfigError, InputError

__all__ = ["Choice", "Limits", "PMGConfig"]

# The config is written beside every result, where a key would be read by everyone who gets the picture.
_SECRET = re.compile(r"(^|_)(api_?key|secret|password|access_token|auth_token)$", re.IGNORECASE)


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise _config_error(type(self), error) from None

    # Says that this __init__ only validates, as pydantic's own RootModel does; settings inside settings
    # are then validated in place, and their errors carry the whole path of the field.
    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]


class Choice(_Settings):
    """Which adapter fills a role, and its options. A plain string is an adapter without options.

    Options go to the adapter's constructor as they are. Keys and passwords are refused here:
    adapters that need one read it from an environment variable.
    """

    adapter: str = Field(min_length=1)
    options: dict[str, JsonValue] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _a_name_is_enough(cls, value: Any) -> Any:
        return {"adapter": value} if isinstance(value, str) else value

    @field_validator("options")
    @classmethod
    def _no_secrets(cls, options: dict[str, JsonValue]) -> dict[str, JsonValue]:
        for name in options:
            if _SECRET.search(name):
                raise ValueError(
                    f"option {name!r} looks like a secret, and the config is written beside every result; "
                    "set the adapter's environment variable instead"
                )
        return options


class Limits(_Settings):
    """How much of a behaviour is looked at; the newest comes first, what is left out is reported.

    Attributes:
        items: liked items of the history, and as many disliked ones.
        messages: messages of the conversation.
        media: pictures or sounds of one item.
        text: characters of one item's or message's text; the rest is cut before the LLM reads it.
    """

    items: int = Field(default=32, ge=1)
    messages: int = Field(default=32, ge=1)
    media: int = Field(default=4, ge=0)
    text: int = Field(default=4_000, ge=1)


class PMGConfig(_Settings):
    """How a pipeline is put together and run.

    Attributes:
        scenario: name of the scenario whose prompts are used.
        llm: writes summaries and keywords.
        captioners: one for every modality that histories and targets hold, by modality.
        text_encoder: None takes the encoder that comes with the generator.
        soft_preference: gives E_m; None leaves E^p = E_k.
        generator: makes the candidates.
        scorer: measures d_p and d_t.
        use_keywords: whether E_k conditions; without it E^p = E_m (ablation of section 4.5.1).
        use_soft: whether E_m conditions, where there is one.
        weights: the predefined pairs "w_p:w_t", one candidate each (section 3.4). 1 is the strength the
            generator was trained with. The default spans "mostly the target" to "mostly the user".
            "w_p:w_t:w_s" gives E_m a weight of its own.
        alpha: share of log d_p in z, 0 to 1. 0.5 is the paper's.
        seed: decides the noise, and the LLM's answers where it samples.
        seeds_per_pair: how many noises every pair is tried with; all pairs see the same ones.
        steps: denoising steps; None takes the generator's own.
        guidance: guidance scale; None takes the generator's own.
        weighting: "scale" is the paper's w * E; "from_empty" is E_0 + w * (E - E_0).
        limits: how much of a behaviour is looked at.
    """

    scenario: str = Field(min_length=1)
    llm: Choice | None = None
    captioners: dict[str, Choice] = Field(default_factory=dict)
    text_encoder: Choice | None = None
    soft_preference: Choice | None = None
    generator: Choice | None = None
    scorer: Choice | None = None
    use_keywords: bool = True
    use_soft: bool = True
    weights: tuple[str, ...] = Field(
        default=("0.25:1", "0.5:1", "0.75:1", "1:1", "1:0.75", "1:0.5"), min_length=1, max_length=64
    )
    alpha: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = 0.5
    seed: int = Field(default=0, ge=0, lt=2**63)
    seeds_per_pair: int = Field(default=1, ge=1, le=64)
    steps: int | None = Field(default=None, ge=1, le=1000)
    guidance: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    weighting: Weighting = "scale"
    limits: Limits = Field(default_factory=Limits)

    @field_validator("weights", mode="before")
    @classmethod
    def _pairs_in_one_spelling(cls, value: Any) -> Any:
        if not isinstance(value, list | tuple):
            raise ValueError('a list of pairs like ["0.5:1", "1:1"] is expected')
        try:
            pairs = [entry if isinstance(entry, WeightPair) else WeightPair.parse(entry) for entry in value]
        except (InputError, AttributeError) as error:
            raise ValueError(str(error)) from error
        if len(set(pairs)) < len(pairs):
            raise ValueError("every pair may stand only once; more noises per pair are seeds_per_pair")
        return tuple(str(pair) for pair in pairs)

    @model_validator(mode="after")
    def _something_must_condition(self) -> Self:
        if not (self.use_keywords or self.use_soft):
            raise ValueError("use_keywords and use_soft cannot both be off: nothing would personalise")
        for pair in self.pairs:
            E_k, E_m = self.use_keywords and pair.preference, self.use_soft and pair.soft
            if not (E_k or E_m or pair.target):
                off = "use_keywords" if self.use_soft else "use_soft"
                raise ValueError(f"weights {str(pair)!r} leave nothing to condition with {off} off")
        return self

    @property
    def pairs(self) -> tuple[WeightPair, ...]:
        """`weights`, parsed."""
        return tuple(WeightPair.parse(text) for text in self.weights)

    @classmethod
    def load(cls, path: str | Path) -> PMGConfig:
        """Read a TOML file whose keys are the fields above.

        Raises:
            ConfigError: the file is missing, is not TOML, or a field is unknown or out of range.
        """
        try:
            values = tomllib.loads(Path(path).read_text(encoding="utf-8"))
        except OSError as error:
            raise ConfigError(f"a config file was expected at {path}; {error.strerror}") from error
        except (ValueError, RecursionError) as error:  # the latter for lists within lists within lists
            raise ConfigError(f"{path} is not UTF-8 TOML: {error}") from error
        return cls(**values)

    def replaced(self, **values: Any) -> PMGConfig:
        """A copy with these fields replaced and checked.

        Raises:
            ConfigError: a field is unknown or out of range.
        """
        kept = {name: getattr(self, name) for name in self.model_fields_set}
        return PMGConfig(**{**kept, **values})

    def to_json(self) -> dict[str, Any]:
        """Plain values; `PMGConfig(**config.to_json())` equals `config`."""
        return self.model_dump(mode="json")

    def digest(self) -> str:
        """sha256 of the canonical JSON: equal settings, however written, have equal digests."""
        canonical = json.dumps(self.to_json(), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(canonical.encode("ascii")).hexdigest()


def _config_error(model: type[BaseModel], error: ValidationError) -> ConfigError:
    lines = []
    for problem in error.errors():
        place = ".".join(str(part) for part in problem["loc"])
        if problem["type"] == "extra_forbidden":
            name = str(problem["loc"][-1])
            known = _fields_at(model, problem["loc"][:-1])
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
            lines.append(f"config field {place!r} is unknown; {hint}")
        elif not place:
            lines.append(f"config: {problem['msg'].removeprefix('Value error, ')}")
        else:
            message = problem["msg"].removeprefix("Value error, ")
            got = "" if problem["type"] in ("missing", "value_error") else f"; got {problem['input']!r:.60}"
            lines.append(f"config field {place!r}: {message}{got}")
    return ConfigError("\n".join(lines))


def _fields_at(model: type[BaseModel], place: tuple[int | str, ...]) -> list[str]:
    if not place or model is not PMGConfig:
        return list(model.model_fields)
    return list(Limits.model_fields if place[0] == "limits" else Choice.model_fields)
