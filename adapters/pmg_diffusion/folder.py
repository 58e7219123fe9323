"""What a diffusers folder says about its model, read from its JSON files alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pmg_sdk.errors import ModelFolderError
from pmg_transformers.model_folder import ModelFolder
from pmg_transformers.text_tower import LEAST_TOKENS

if TYPE_CHECKING:
    from pmg_sdk.progress import Observer

__all__ = ["WEIGHTS", "Defaults", "DiffusersFolder"]

WEIGHTS = "diffusion_pytorch_model"


class Defaults(BaseModel):
    """How a model is best sampled: the optional "pmg" object of model_index.json; unknown keys are ignored.

    Attributes:
        steps, guidance: used where a request names none.
        guidance_interval: (low, high) in 0..1 of the noise schedule, 1 being pure noise; the guidance
            acts only inside it and each step outside costs one forward instead of two.
        guidance_rescale: phi of arXiv 2305.08891; None takes 0.7 for schedules that
            end in pure noise, else 0.
        max_tokens: longest text the model was trained on, in tokens.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    steps: int = Field(default=20, ge=1, le=1000)
    guidance: float = Field(default=5.0, ge=0, le=100)
    guidance_interval: tuple[float, float] | None = None
    guidance_rescale: float | None = Field(default=None, ge=0, le=1)
    max_tokens: int | None = Field(default=None, ge=LEAST_TOKENS)


D = TypeVar("D", bound=Defaults)


@dataclass(frozen=True)
class DiffusersFolder:
    """A diffusers folder with a UNet, an autoencoder, a scheduler and more.

    A kind of model names its `KIND`, for errors, its `PARTS`, which model_index.json must name, and the
    `FILES` to fetch of a hub repository; it gives `defaults`, and adds its own rules to `_check`.
    """

    KIND: ClassVar[str]
    PARTS: ClassVar[tuple[str, ...]] = ("unet", "vae", "scheduler", "text_encoder", "tokenizer")
    FILES: ClassVar[tuple[str, ...]] = (
        "model_index.json",
        "scheduler/*.json",
        "unet/*.json",
        "unet/*.safetensors",
        "vae/*.json",
        "vae/*.safetensors",
        "text_encoder*/*.json",
        "text_encoder*/*.safetensors",
        "tokenizer*/*",
    )

    files: ModelFolder

    @classmethod
    def locate(cls, model: str, observer: Observer | None = None) -> Self:
        """The folder of `model`: a path, a hub id, or "pmg:NAME".

        Raises:
            ModelFolderError: a file is missing, or the folder holds another kind of model.
        """
        folder = cls(ModelFolder.locate(model, only=cls.FILES, observer=observer))
        folder._check()
        return folder

    @cached_property
    def index(self) -> Mapping[str, Any]:
        """model_index.json."""
        return self.files.json("model_index.json")

    @cached_property
    def unet(self) -> Mapping[str, Any]:
        """unet/config.json."""
        return self.files.json("unet/config.json")

    @cached_property
    def vae(self) -> Mapping[str, Any]:
        """vae/config.json."""
        return self.files.json("vae/config.json")

    @cached_property
    def scheduler(self) -> Mapping[str, Any]:
        """scheduler/scheduler_config.json."""
        return self.files.json("scheduler/scheduler_config.json")

    @property
    def defaults(self) -> Defaults:
        """How the model is best sampled."""
        return self._read_defaults(Defaults)

    @property
    def downscaling(self) -> int:
        """Values of the medium along one side of a latent position."""
        return int(2 ** (len(self.vae["block_out_channels"]) - 1))

    @property
    def guidance_rescale(self) -> float:
        """phi of arXiv 2305.08891."""
        if self.defaults.guidance_rescale is not None:
            return self.defaults.guidance_rescale
        return 0.7 if self.scheduler.get("rescale_betas_zero_snr") else 0.0

    def _read_defaults(self, kind: type[D]) -> D:
        try:
            return kind.model_validate(self.index.get("pmg", {}))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, ("pmg", *first["loc"])))
            raise ModelFolderError(
                f"{self.files.path / 'model_index.json'}: {where}: {first['msg']}, got {first['input']!r}"
            ) from error

    def _check(self) -> None:
        where = self.files.path
        for name in self.PARTS:
            if name not in self.index:
                raise ModelFolderError(
                    f"{self.KIND} folder has a {name}; model_index.json in {where} names "
                    f"a {self.index.get('_class_name', 'model')} without one"
                )
        if self.unet.get("in_channels") is None:
            raise ModelFolderError(f"{where / 'unet' / 'config.json'} should state in_channels")
        latent = self.vae.get("latent_channels", 4)
        if self.unet["in_channels"] != latent:
            raise ModelFolderError(
                f"a UNet that makes media of text takes the {latent} channels of its autoencoder; this one "
                f"in {where} takes {self.unet['in_channels']}. Inpainting and editing models cannot be used."
            )
        if self.unet.get("time_cond_proj_dim") is not None:
            raise ModelFolderError(
                f"the UNet in {where} takes its guidance strength as an input (latent consistency); "
                "that is not supported. Take the model it was distilled from."
            )
        if "block_out_channels" not in self.vae:
            raise ModelFolderError(f"{where / 'vae' / 'config.json'} should state block_out_channels")
        self.files.sub("unet").weights(WEIGHTS)
        self.files.sub("vae").weights(WEIGHTS)
        _ = self.scheduler, self.defaults
