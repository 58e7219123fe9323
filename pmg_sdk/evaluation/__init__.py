"""Measures of finished images, for evaluation (extra `eval`): images in, numpy out.

Never evaluate with the scorer that selected; LPIPS and SSIM have no part in selection.
"""

from pmg_sdk.evaluation.lpips import LPIPS_SETTINGS, lpips
from pmg_sdk.evaluation.ssim import SSIM_SETTINGS, ssim

__all__ = ["LPIPS_SETTINGS", "SSIM_SETTINGS", "lpips", "ssim"]
