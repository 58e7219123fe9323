"""A loaded model: what a kind of model adds to the diffusion."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

    from pmg_diffusion.text_batch import TextBatch
    from pmg_sdk.media import Media

__all__ = ["DiffusionModel"]


class DiffusionModel(ABC):
    """Networks in evaluation mode on one device, without gradients.

    Attributes:
        unet: predicts the noise, or the velocity v; the scheduler knows which.
        latent_shape: (C, h, w) of one candidate's latent.
    """

    unet: Any

    @property
    @abstractmethod
    def latent_shape(self) -> tuple[int, int, int]:
        """(C, h, w) of one candidate's latent."""

    @abstractmethod
    def predict(self, x: torch.Tensor, t: torch.Tensor, text: TextBatch) -> torch.Tensor:
        """eps(x, t, c) in float32: what the network is told is what kinds of models differ in.

        Args:
            x: noisy latents, float32, shape (B, C, h, w); t: one timestep, or one a row.
        """

    @abstractmethod
    def encode(self, media: Sequence[Media]) -> list[NDArray[Any]]:
        """x_0 of every medium, float32 (C, h, w): the mean that the autoencoder gives, at unit variance.

        Raises:
            CapabilityError: a medium of another modality. OutOfMemory: one does not fit.
        """

    @abstractmethod
    def decode(self, latents: Sequence[torch.Tensor]) -> Sequence[Media]:
        """Media of latents of shape (C, h, w), in order.

        Raises:
            GenerationError: the autoencoder gave values that are not numbers.
            OutOfMemory: one does not fit.
        """

    @property
    def device(self) -> torch.device:
        """Where the networks are."""
        device: torch.device = self.unet.device
        return device
