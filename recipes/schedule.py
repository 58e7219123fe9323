"""The noise schedule that the embedded generators were trained with."""

from __future__ import annotations

from diffusers import DDPMScheduler

__all__ = ["make_schedule"]


def make_schedule() -> DDPMScheduler:
    """1000 steps, v-prediction, zero terminal SNR."""
    return DDPMScheduler(
        beta_schedule="scaled_linear",
        beta_start=0.00085,
        beta_end=0.012,
        prediction_type="v_prediction",
        rescale_betas_zero_snr=True,
        timestep_spacing="trailing",
        clip_sample=False,
    )
