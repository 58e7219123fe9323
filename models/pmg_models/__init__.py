"""Weights that ship with pmg-sdk: one folder for each model, with its model card."""

from __future__ import annotations

from pathlib import Path

__all__ = ["folder_of"]


def folder_of(name: str) -> Path:
    """The shipped folder of the model `name`; it may lack files that `pmg_sdk.assets` adds."""
    return Path(__file__).parent / name
