"""Schedulers by name. Every call makes its own: they carry state from step to step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pmg_sdk.errors import ConfigError, MissingExtra, ModelFolderError

if TYPE_CHECKING:
    import torch

__all__ = ["SCHEDULERS", "make_scheduler"]

SCHEDULERS = {
    "ddim": "DDIMScheduler",
    "ddpm": "DDPMScheduler",
    "dpm++": "DPMSolverMultistepScheduler",
    "euler": "EulerDiscreteScheduler",
    "euler-ancestral": "EulerAncestralDiscreteScheduler",
    "heun": "HeunDiscreteScheduler",
    "lcm": "LCMScheduler",
    "lms": "LMSDiscreteScheduler",
    "pndm": "PNDMScheduler",
    "unipc": "UniPCMultistepScheduler",
}


def make_scheduler(name: str | None, config: Mapping[str, Any], steps: int, device: torch.device) -> Any:
    """A fresh scheduler set to `steps`; `name` None takes the class that the model's own `config` names.

    Raises:
        ConfigError: an unknown name. ModelFolderError: the config is of no scheduler in diffusers.
        MissingExtra: the scheduler needs a package of its own, as "lms" needs scipy.
    """
    import diffusers

    if name is not None and name not in SCHEDULERS:
        raise ConfigError(f"a scheduler of {', '.join(SCHEDULERS)} was expected; got {name!r}")
    wanted = SCHEDULERS[name] if name else str(config.get("_class_name"))
    kind = getattr(diffusers, wanted, None)
    if not wanted.endswith("Scheduler") or kind is None:
        raise ModelFolderError(f"scheduler_config.json names {wanted!r}, which is no scheduler of diffusers")
    try:
        scheduler = kind.from_config(dict(config))
    except ImportError as error:
        raise MissingExtra(
            f"{wanted} needs a package that is not installed ({' '.join(str(error).split())}); "
            "install it, or choose another scheduler"
        ) from error
    scheduler.set_timesteps(steps, device=device)
    return scheduler
