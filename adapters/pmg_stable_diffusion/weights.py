"""UNet and autoencoder, loaded from safetensors onto a device."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pmg_sdk.accelerator import choose_dtype
from pmg_sdk.errors import OutOfMemory
from pmg_stable_diffusion.diffusion_folder import WEIGHTS, DiffusionFolder

if TYPE_CHECKING:
    import torch

    from pmg_sdk.progress import Observer

__all__ = ["DiffusionWeights"]


@dataclass(frozen=True, eq=False)
class DiffusionWeights:
    """The two networks that make the picture, in evaluation mode, without gradients."""

    unet: Any
    vae: Any

    @property
    def device(self) -> torch.device:
        """Where they are."""
        device: torch.device = self.unet.device
        return device

    @classmethod
    def load(
        cls, folder: DiffusionFolder, device: torch.device, dtype: str, observer: Observer
    ) -> DiffusionWeights:
        """Load both in a `dtype` that `choose_dtype` knows.

        "bfloat16" makes a forward nearly twice as fast on CPUs with AVX512-BF16 or AMX, at about 1 % error;
        it is not the default there, because a result should replay on CPUs without.

        The autoencoder stays in fp32 where its config asks for it and the dtype is fp16: SDXL's overflows.

        Raises:
            ModelFolderError: damaged weights, or weights that do not fit their config.
            ConfigError: an unknown dtype.
        """
        import diffusers
        import torch

        precision = choose_dtype(dtype, str(device))
        overflows = precision == torch.float16 and folder.vae.get("force_upcast", True)
        unet = _load(diffusers.UNet2DConditionModel, folder, "unet", device, precision)
        observer.advance("load")
        vae = _load(diffusers.AutoencoderKL, folder, "vae", device, torch.float32 if overflows else precision)
        observer.advance("load")
        return cls(unet, vae)


def _load(kind: Any, folder: DiffusionFolder, name: str, device: torch.device, dtype: torch.dtype) -> Any:
    import torch

    model = folder.files.sub(name).model(kind, name, stem=WEIGHTS, torch_dtype=dtype)
    try:
        model = model.to(device=device, memory_format=torch.channels_last)
    except torch.OutOfMemoryError as error:
        raise OutOfMemory(
            f"the {name} does not fit into the memory of {device}. Choose another device."
        ) from error
    return model.eval().requires_grad_(False)
