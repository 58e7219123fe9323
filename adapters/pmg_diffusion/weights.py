"""Networks of a diffusers folder, loaded from safetensors onto a device."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pmg_diffusion.folder import WEIGHTS, DiffusersFolder
from pmg_sdk.accelerator import choose_dtype
from pmg_sdk.errors import OutOfMemory

if TYPE_CHECKING:
    import torch

    from pmg_sdk.progress import Observer

__all__ = ["load_network", "load_unet_and_vae"]


def load_unet_and_vae(
    folder: DiffusersFolder, device: torch.device, dtype: str, observer: Observer, *, unet: Any
) -> tuple[Any, Any]:
    """UNet, of the class `unet`, and autoencoder in a `dtype` that `choose_dtype` knows.

    "bfloat16" makes a forward nearly twice as fast on CPUs with AVX512-BF16 or AMX, at about 1 % error;
    it is not the default there, because a result should replay on CPUs without.

    The autoencoder stays in fp32 where its config asks for it and the dtype is fp16: SDXL's overflows.

    Raises:
        ModelFolderError: damaged weights, or weights that do not fit their config.
        ConfigError: an unknown dtype. OutOfMemory: the device is too small.
    """
    import diffusers
    import torch

    precision = choose_dtype(dtype, str(device))
    overflows = precision == torch.float16 and folder.vae.get("force_upcast", True)
    found = []
    for name, kind, wanted in (
        ("unet", unet, precision),
        ("vae", diffusers.AutoencoderKL, torch.float32 if overflows else precision),
    ):
        found.append(load_network(folder, name, kind, device, stem=WEIGHTS, torch_dtype=wanted))
        observer.advance("load")
    return found[0], found[1]


def load_network(
    folder: DiffusersFolder, name: str, kind: Any, device: torch.device, *, stem: str, **options: Any
) -> Any:
    """The network `name` of the folder on a device, in evaluation mode, without gradients.

    Args:
        stem: of its files' names.
        options: of its `from_pretrained`.

    Raises:
        ModelFolderError: see `ModelFolder.model`. OutOfMemory: the device is too small.
    """
    import torch

    model = folder.files.sub(name).model(kind, name, stem=stem, **options)
    try:
        model = model.to(device=device, memory_format=torch.channels_last)
    except torch.OutOfMemoryError as error:
        raise OutOfMemory(
            f"the {name} does not fit into the memory of {device}. Choose another device."
        ) from error
    return model.eval().requires_grad_(False)
