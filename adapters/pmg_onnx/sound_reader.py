"""Sounds to rows, by the exported sound tower of CLAP."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pmg_clap import ClapFeatures, embed_windows
from pmg_onnx.folder import ExportFolder
from pmg_onnx.graph import Graph
from pmg_onnx.record import Hearing
from pmg_sdk.accelerator import in_batches
from pmg_sdk.errors import ModelFolderError
from pmg_sdk.media import Media

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["SoundReader", "as_inputs", "features_of"]


@dataclass(frozen=True, eq=False)
class SoundReader:
    """An open graph, and how sounds are heard before it."""

    graph: Graph
    features: ClapFeatures

    def embed(self, media: Sequence[Media], *, limit: int) -> list[NDArray[np.float32]]:
        """A unit row for every sound, at most `limit` windows at once.

        Raises:
            CapabilityError: a medium is no sound.
            MissingExtra: a sound has another rate than the model, and soxr is not installed.
        """

        def rows(pieces: Sequence[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
            return list(self.graph(as_inputs(self.features, pieces))["pooled"])

        return list(
            embed_windows(
                media,
                self.features,
                lambda pieces: np.array(in_batches(pieces, rows, limit=limit), np.float32),
                reader="an exported scorer of sounds",
            )
        )


def as_inputs(features: ClapFeatures, pieces: Sequence[NDArray[np.float32]]) -> dict[str, NDArray[Any]]:
    """What the graph takes, by name; an unfused model does not ask which are longer."""
    seen, longer = features.inputs(pieces)
    return {"features": seen, **({"longer": longer} if features.fused else {})}


def features_of(folder: ExportFolder, hearing: Hearing) -> ClapFeatures:
    """How sounds are heard before a tower of `folder`.

    Raises:
        ModelFolderError: its filters cannot be read.
    """
    path = folder.path / hearing.filters
    try:
        mel = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise ModelFolderError(f"mel filters were expected in {path}; {error}. Export it again.") from error
    if mel.dtype != np.float64 or mel.ndim != 2:
        raise ModelFolderError(
            f"mel filters, float64 of shape (bins, bands), were expected in {path}; got {mel.dtype} of shape "
            f"{mel.shape}. Export it again."
        )
    return ClapFeatures(hearing.fused, hearing.rate, hearing.length, hearing.padding, hearing.hop, mel)
