"""Every error the SDK raises on purpose, as one tree.

A message says what was expected, what came, and what to do about it. Catching
[`PMGError`][] catches them all; a bug in the SDK is never a `PMGError`.
"""

from __future__ import annotations

__all__ = [
    "AdapterError",
    "AdapterLoadError",
    "AdapterNotFound",
    "AssetCorrupt",
    "AssetError",
    "AssetUnavailable",
    "BackendError",
    "BehaviorError",
    "Cancelled",
    "CapabilityError",
    "ConfigError",
    "GenerationError",
    "InputError",
    "MediaCorrupt",
    "MediaError",
    "MediaTooLarge",
    "MediaUnsupported",
    "MissingExtra",
    "ModelFolderError",
    "OutOfMemory",
    "PMGError",
    "PluginError",
    "ReplayError",
    "ScenarioNotFound",
    "SelectionError",
    "SpaceMismatch",
    "StorageError",
]


class PMGError(Exception):
    """Base of every error raised by pmg-sdk."""


class ConfigError(PMGError):
    """A configuration value is missing, unknown or out of range."""


class InputError(PMGError):
    """Something the caller handed in cannot be used."""


class BehaviorError(InputError):
    """A behaviour file or value does not describe items and messages."""


class MediaError(InputError):
    """An image or a sound cannot be used."""


class MediaCorrupt(MediaError):
    """The bytes are not the medium they claim to be."""


class MediaTooLarge(MediaError):
    """The medium is larger than the limit, found before decoding it."""


class MediaUnsupported(MediaError):
    """The medium is whole, but of a kind that is not read or written."""


class PluginError(PMGError):
    """A plugin breaks the rules of registration."""


class AdapterError(PMGError):
    """Something about an adapter."""


class AdapterNotFound(AdapterError):
    """No adapter of that name is registered for the role."""


class ScenarioNotFound(PMGError):
    """No scenario of that name is registered."""


class MissingExtra(AdapterError):
    """The adapter is known, but the packages it needs are not installed."""


class AdapterLoadError(AdapterError):
    """The adapter's class could not be imported or constructed."""


class CapabilityError(AdapterError):
    """The adapter does not have the ability that was asked of it."""


class BackendError(AdapterError):
    """The backend behind an adapter failed."""


class ModelFolderError(AdapterError):
    """A model folder is missing, incomplete or of another kind."""


class SpaceMismatch(AdapterError):
    """Embeddings of one space were given to a part that lives in another."""


class GenerationError(PMGError):
    """The generator did not produce usable media."""


class OutOfMemory(GenerationError):
    """The device ran out of memory even for the smallest batch."""


class Cancelled(PMGError):
    """The caller's observer asked to stop; nothing was written."""


class SelectionError(PMGError):
    """There is nothing to select from, or the scores are not numbers."""


class AssetError(PMGError):
    """Something about a published file the SDK fetches on demand."""


class AssetUnavailable(AssetError):
    """The asset is not in the cache and could not be fetched."""


class AssetCorrupt(AssetError):
    """The asset's bytes differ from the recorded sha256."""


class StorageError(PMGError):
    """A file could not be written; what was there before is untouched."""


class ReplayError(PMGError):
    """A result file cannot be replayed with what is installed."""
