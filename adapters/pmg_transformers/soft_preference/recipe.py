"""How soft preference embeddings are trained: the numbers of a run, written into its checkpoint."""

from __future__ import annotations

import math
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pmg_sdk.errors import ConfigError

__all__ = ["Recipe"]

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class Recipe(BaseModel):
    """Every setting of a training run; equal recipes on equal examples give equal checkpoints.

    Attributes:
        tokens: L, multimodal tokens.
        prefix: S, P-Tuning v2 prefixes in every layer; 0 trains tokens and map alone.
        steps: of the optimizer, at most; validation may end the run earlier.
        batch: users a step, over all processes.
        accumulate: forwards a step that share the batch, where it does not fit memory at once.
        draws: noises a user and step; one reading of the prompt serves them all.
        rate: peak learning rate of AdamW; it falls along a cosine to a fiftieth.
        prefix_rate: the same for m and prefix, which want larger steps than the map.
        warmup: share of the steps in which the rate rises.
        decay: weight decay of the map.
        target_share: how often k^t joins as a condition, as it will when media are made. The paper trains
            without, 0; the soft tokens then draw whole items of their own into whatever is asked for.
        keyword_share: how often k^p conditions beside E_m; below 1, E_m learns to stand alone, too.
        validate_every: steps between validations, and between checkpoints.
        patience: validations without a new best that end the run.
        precision: of the frozen LLM: "bf16", "fp32", or "auto": bf16 on CUDA, else fp32.
        seed: decides first values, order, noises.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    tokens: int = Field(default=4, ge=1, le=64)
    prefix: int = Field(default=8, ge=0, le=256)
    steps: int = Field(default=1500, ge=1)
    batch: int = Field(default=64, ge=1)
    accumulate: int = Field(default=1, ge=1)
    draws: int = Field(default=4, ge=1, le=64)
    rate: float = Field(default=1e-3, gt=0, lt=1)
    prefix_rate: float = Field(default=1e-2, gt=0, lt=1)
    warmup: Share = 0.05
    decay: float = Field(default=0.01, ge=0, lt=1)
    target_share: Share = 0.5
    keyword_share: Share = 0.8
    validate_every: int = Field(default=100, ge=1)
    patience: int = Field(default=5, ge=1)
    precision: Literal["auto", "bf16", "fp32"] = "auto"
    seed: int = Field(default=0, ge=0, lt=2**32)

    @classmethod
    def of(cls, **values: Any) -> Recipe:
        """A recipe of these settings.

        Raises:
            ConfigError: a setting is unknown or out of range.
        """
        try:
            return cls(**values)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"]))
            raise ConfigError(
                f"recipe setting {where!r}: {first['msg']}; got {first['input']!r:.60}"
            ) from error

    @classmethod
    def load(cls, path: Path) -> Recipe:
        """Read a TOML file whose keys are the fields above.

        Raises:
            ConfigError: the file is missing, is not TOML, or a setting is unknown or out of range.
        """
        try:
            return cls.of(**tomllib.loads(path.read_text(encoding="utf-8")))
        except OSError as error:
            raise ConfigError(f"a recipe was expected at {path}; {error.strerror}") from error
        except ValueError as error:
            raise ConfigError(f"{path} is not UTF-8 TOML: {error}") from error

    def rate_at(self, step: int) -> float:
        """Share of the peak learning rate at a step, 0-based."""
        begun = self.warmup * self.steps
        if step < begun:
            return (step + 1) / (begun + 1)
        done = (step - begun) / max(self.steps - begun, 1)
        return 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(done, 1.0)))
