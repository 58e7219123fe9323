"""What made a value: the scenario, the settings, the adapters and models, the version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from pmg_sdk.config import Choice

__all__ = ["Provenance", "identify"]


@dataclass(frozen=True)
class Provenance:
    """Enough to tell whether two values were made alike.

    Attributes:
        scenario: its name.
        config_digest: `PMGConfig.digest()`.
        models: for every role, what `identify` says.
        version: of pmg-sdk.
    """

    scenario: str = ""
    config_digest: str = ""
    models: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    version: str = ""

    def to_json(self) -> dict[str, Any]:
        """Plain values; `Provenance(**p.to_json())` equals `p`."""
        return asdict(self)


def identify(choice: Choice | None, adapter: object, origin: str = "") -> dict[str, str]:
    """Name an adapter: the registered name or the class, where it comes from, and its model.

    `model` is the option of that name, else the adapter's attribute, which holds its default:
    a folder, a hub id or "pmg:NAME".
    """
    kind = type(adapter)
    named = choice.adapter if choice else f"{kind.__module__}:{kind.__qualname__}"
    chosen = choice.options.get("model") if choice else None
    model = chosen or getattr(adapter, "model", None)
    found = {"adapter": named, "origin": origin, "model": model if isinstance(model, str) else ""}
    return {name: value for name, value in found.items() if value}
