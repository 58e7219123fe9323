"""The patches of a fused CLAP, in a form that can be traced.

transformers picks the sounds of a batch that are longer, and fuses those alone: how many there are is not
known while a model is traced. Here every sound is fused, and of those that are not longer the result is left.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

import torch

__all__ = ["FusedPatches"]


class FusedPatches(torch.nn.Module):
    """In place of a `ClapAudioPatchEmbed` with fusion; the same numbers, but for how many are longer.

    Args:
        patches: the original.
    """

    def __init__(self, patches: Any) -> None:
        super().__init__()
        self.patches = patches
        self.patch_stride = patches.patch_stride
        self._longer: list[torch.Tensor] = []

    @classmethod
    def within(cls, model: Any) -> Self:
        """Put it into a `ClapModel`, which then no longer asks which sounds are longer."""
        encoder = model.audio_model.audio_encoder
        made = cls(encoder.patch_embed)
        encoder.patch_embed, encoder.enable_fusion = made, False
        return made

    @contextmanager
    def knowing(self, longer: torch.Tensor | None) -> Iterator[None]:
        """While the model runs: which sounds are longer, bool of shape (batch, 1)."""
        assert longer is not None
        self._longer.append(longer)
        try:
            yield
        finally:
            self._longer.clear()

    def forward(self, pictures: torch.Tensor, _: Any = None) -> torch.Tensor:
        """Four views of every sound, shape (batch, 4, height, width), to patches, (batch, patches, width)."""
        own = self.patches
        (longer,) = self._longer
        whole = own.proj(pictures[:, :1])
        batch, views, height, width = pictures[:, 1:].shape
        parts = own.mel_conv2d(pictures[:, 1:].reshape(batch * views, 1, height, width))
        _, channels, rows, columns = parts.shape
        parts = parts.reshape(batch, views, channels, rows, columns).permute(0, 2, 3, 1, 4).flatten(3)
        parts = torch.nn.functional.pad(parts, (0, whole.shape[-1] - parts.shape[-1]))
        found = torch.where(longer[:, :, None, None], own.fusion_model(whole, parts), whole)
        found = found.flatten(2).transpose(1, 2) if own.flatten else found
        normed: torch.Tensor = own.norm(found)
        return normed
