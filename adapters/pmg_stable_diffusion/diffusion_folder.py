"""What a diffusers folder says about its model, read from its JSON files alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pmg_sdk.errors import ModelFolderError
from pmg_transformers.model_folder import ModelFolder
from pmg_transformers.text_tower import LEAST_TOKENS

if TYPE_CHECKING:
    from pmg_sdk.progress import Observer

__all__ = ["Defaults", "DiffusionFolder"]

FILES = (
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
WEIGHTS = "diffusion_pytorch_model"


class Defaults(BaseModel):
    """How a model is best sampled: the optional "pmg" object of model_index.json; unknown keys are ignored.

    Attributes:
        steps, guidance: used where a request names none.
        guidance_interval: (low, high) in 0..1 of the noise schedule, 1 being pure noise; the guidance
            acts only inside it and each step outside costs one forward instead of two.
        guidance_rescale: phi of arXiv 2305.08891; None takes 0.7 for schedules that
            end in pure noise, else 0.
        size: (width, height) in pixels.
        max_tokens: longest text the model was trained on, in tokens.
        padding: whether it was trained on texts padded to that length, padding attended to.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    steps: int = Field(default=20, ge=1, le=1000)
    guidance: float = Field(default=5.0, ge=0, le=100)
    guidance_interval: tuple[float, float] | None = None
    guidance_rescale: float | None = Field(default=None, ge=0, le=1)
    size: tuple[int, int] | None = None
    max_tokens: int | None = Field(default=None, ge=LEAST_TOKENS)
    padding: bool = False


@dataclass(frozen=True)
class DiffusionFolder:
    """A diffusers folder with a UNet, an autoencoder, a scheduler and one or two text encoders."""

    files: ModelFolder

    @classmethod
    def locate(cls, model: str, observer: Observer | None = None) -> DiffusionFolder:
        """The folder of `model`: a path, a hub id, or "pmg:NAME".

        Raises:
            ModelFolderError: a file is missing, or the folder holds another kind of model.
        """
        folder = cls(ModelFolder.locate(model, only=FILES, observer=observer))
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

    @cached_property
    def defaults(self) -> Defaults:
        """How the model is best sampled."""
        try:
            return Defaults.model_validate(self.index.get("pmg", {}))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, ("pmg", *first["loc"])))
            raise ModelFolderError(
                f"{self.files.path / 'model_index.json'}: {where}: {first['msg']}, got {first['input']!r}"
            ) from error

    @property
    def is_xl(self) -> bool:
        """Whether the UNet takes a pooled text vector and time ids, as SDXL's does."""
        return self.unet.get("addition_embed_type") == "text_time"

    @property
    def text_width(self) -> int:
        """Width of the text embeddings that the UNet takes."""
        width = self.unet.get("encoder_hid_dim") or self.unet.get("cross_attention_dim")
        return int(width[0] if isinstance(width, list) else width or 0)

    @property
    def downscaling(self) -> int:
        """Pixels along one side of a latent position."""
        return int(2 ** (len(self.vae["block_out_channels"]) - 1))

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels the model was trained for."""
        if self.defaults.size is not None:
            return self.defaults.size
        sample = self.unet["sample_size"]
        height, width = (sample, sample) if isinstance(sample, int) else sample
        return int(width) * self.downscaling, int(height) * self.downscaling

    @property
    def guidance_rescale(self) -> float:
        """phi of arXiv 2305.08891."""
        if self.defaults.guidance_rescale is not None:
            return self.defaults.guidance_rescale
        return 0.7 if self.scheduler.get("rescale_betas_zero_snr") else 0.0

    @property
    def empty_prompt_is_zeros(self) -> bool:
        """Whether the model was trained with zeros, not the encoding of "", as the empty prompt (SDXL)."""
        return self.is_xl and bool(self.index.get("force_zeros_for_empty_prompt", True))

    def _check(self) -> None:
        where = self.files.path
        for name in ("unet", "vae", "scheduler", "text_encoder", "tokenizer"):
            if name not in self.index:
                raise ModelFolderError(
                    f"a Stable Diffusion folder has a {name}; model_index.json in {where} names "
                    f"a {self.index.get('_class_name', 'model')} without one"
                )
        for key in ("in_channels", "sample_size", "cross_attention_dim"):
            if self.unet.get(key) is None:
                raise ModelFolderError(f"{where / 'unet' / 'config.json'} should state {key}")
        latent = self.vae.get("latent_channels", 4)
        if self.unet["in_channels"] != latent:
            raise ModelFolderError(
                f"a text-to-image UNet takes the {latent} channels of its autoencoder; this one in "
                f"{where} takes {self.unet['in_channels']}. Inpainting and editing models cannot be used."
            )
        kind = self.unet.get("addition_embed_type")
        if kind not in (None, "text_time"):
            raise ModelFolderError(
                f"Stable Diffusion 1.x, 2.x or XL was expected in {where}; got a {kind!r} UNet"
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
