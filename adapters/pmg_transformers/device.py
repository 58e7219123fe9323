"""Which device a model runs on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pmg_sdk.errors import ConfigError

if TYPE_CHECKING:
    import torch

__all__ = ["pick_device"]


def pick_device(name: str = "auto") -> torch.device:
    """The torch device of that name; "auto" takes CUDA, then Apple's GPU, then the CPU.

    Raises:
        ConfigError: torch knows no such device, or it is not there.
    """
    import torch

    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise ConfigError(f"a device such as auto, cpu or cuda was expected; {name!r} cannot be used") from error
    return device
