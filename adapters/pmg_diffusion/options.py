"""What every diffusion generator can be told, whatever it makes."""

from __future__ import annotations

from dataclasses import dataclass

from pmg_sdk.accelerator import check_batch_size, check_dtype
from pmg_sdk.interfaces import TextEncoder

__all__ = ["Options"]


@dataclass(frozen=True)
class Options:
    """Options, checked before anything is loaded; None takes what the model folder says.

    Attributes:
        model: a diffusers folder, a hub id, or "pmg:NAME".
        device: "auto", "cpu", "cuda", "mps".
        dtype: "auto" (fp16 on CUDA, else fp32), "float32", "float16" or "bfloat16".
        batch_size: most candidates in one batch; None is all of them. Halved when memory runs out.
        steps, guidance: used where a request names none.
        guidance_interval: (low, high) in 0..1 of the noise schedule, 1 being pure noise, in which the
            guidance acts; each step outside costs one forward instead of two. None is everywhere.
        guidance_rescale: 0..1, against overexposure (arXiv 2305.08891).
        scheduler: a name out of `SCHEDULERS`.
        text_encoder: another encoder of the same space, to share one between models.

    Raises:
        ConfigError: an unknown dtype, or an empty batch.
    """

    model: str
    device: str = "auto"
    dtype: str = "auto"
    batch_size: int | None = None
    steps: int | None = None
    guidance: float | None = None
    guidance_interval: tuple[float, float] | None = None
    guidance_rescale: float | None = None
    scheduler: str | None = None
    text_encoder: TextEncoder | None = None

    def __post_init__(self) -> None:
        check_dtype(self.dtype)
        if self.batch_size is not None:
            check_batch_size(self.batch_size)
