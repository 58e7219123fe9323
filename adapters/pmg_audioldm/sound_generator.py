"""What the generators of AudioLDM 1 and 2 share: their options, and what their folders say."""

from __future__ import annotations

from abc import abstractmethod
from functools import cached_property
from typing import ClassVar

from pmg_audioldm.folder import AudioLDMFolder
from pmg_diffusion.generator import DiffusionGenerator
from pmg_diffusion.options import Options
from pmg_sdk.errors import ModelFolderError
from pmg_sdk.interfaces import ConditioningKind, GeneratorSpec, TextEncoder
from pmg_transformers.tower_encoder import TowerTextEncoder

__all__ = ["SoundGenerator"]


class SoundGenerator(DiffusionGenerator):
    """A generator of sounds; a subclass says its `CONDITIONING` and which `MODEL` it takes by default.

    Args:
        model: a diffusers folder, a hub id, or "pmg:NAME"; None is the authors' on the hub.
        seconds: how long a sound is; None is what the model folder says, else 10.24.
        device, dtype, batch_size, steps, guidance, guidance_interval, guidance_rescale, scheduler,
            text_encoder: see `Options`.
    """

    CONDITIONING: ClassVar[ConditioningKind]
    MODEL: ClassVar[str]
    NETWORKS: ClassVar[int] = 3

    def __init__(
        self,
        *,
        model: str | None = None,
        seconds: float | None = None,
        device: str = "auto",
        dtype: str = "auto",
        batch_size: int | None = None,
        steps: int | None = None,
        guidance: float | None = None,
        guidance_interval: tuple[float, float] | None = None,
        guidance_rescale: float | None = None,
        scheduler: str | None = None,
        text_encoder: TextEncoder | None = None,
    ) -> None:
        super().__init__(
            Options(
                model or self.MODEL,
                device,
                dtype,
                batch_size,
                steps,
                guidance,
                guidance_interval,
                guidance_rescale,
                scheduler,
                text_encoder,
            )
        )
        self._seconds = seconds

    @cached_property
    def spec(self) -> GeneratorSpec:
        """What this generator is, read from configuration files and a few bytes of the text encoder's."""
        folder, options, defaults = self._folder, self._options, self._folder.defaults
        folder.form(self._seconds)
        encoder = self._own_encoder
        if encoder.width != folder.text_width:
            raise ModelFolderError(
                f"the UNet in {folder.files.path} takes text embeddings of width {folder.text_width}; "
                f"the text encoder beside it gives {encoder.width}"
            )
        return GeneratorSpec(
            modality="audio",
            conditioning=self.CONDITIONING,
            space=encoder.space,
            steps=defaults.steps if options.steps is None else options.steps,
            guidance=defaults.guidance if options.guidance is None else options.guidance,
        )

    @property
    @abstractmethod
    def _folder(self) -> AudioLDMFolder: ...

    @property
    @abstractmethod
    def _own_encoder(self) -> TowerTextEncoder: ...
