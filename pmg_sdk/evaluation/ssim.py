"""Structural similarity (Wang et al. 2004), with the settings of its authors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from pmg_sdk.evaluation.pairs import check_pairs
from pmg_sdk.media import Image

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["SSIM_SETTINGS", "ssim"]

WINDOW, SIGMA = 11, 1.5
K1, K2, RANGE = 0.01, 0.03, 255.0
LUMA = (0.2989, 0.5870, 0.1140)

SSIM_SETTINGS = (
    "SSIM on BT.601 luma rounded to integers (Matlab's rgb2gray) at the images' own size, "
    f"Gaussian window {WINDOW}x{WINDOW} sigma {SIGMA}, whole windows only, "
    f"K1 {K1}, K2 {K2}, data range {RANGE:g}, population covariance"
)
"""To be printed beside every figure: other settings give other values."""


def ssim(a: Sequence[Image], b: Sequence[Image]) -> NDArray[np.float32]:
    """SSIM of every pair: 1 for equal images, near 0 for unrelated ones, negative for inverted structure.

    Settings: `SSIM_SETTINGS`. Pairs may differ in size from each other.

    Returns:
        Float32, shape (n,).

    Raises:
        InputError: the images do not pair up, or are smaller than the window.
    """
    check_pairs(a, b, smallest=WINDOW)
    return np.array([_ssim(_luma(x), _luma(y)) for x, y in zip(a, b, strict=True)], dtype=np.float32)


def _ssim(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Equation 13 of the paper, averaged over the windows; symbols as there."""
    mu_x, mu_y = _blur(x), _blur(y)
    var_x = _blur(x * x) - mu_x**2
    var_y = _blur(y * y) - mu_y**2
    cov_xy = _blur(x * y) - mu_x * mu_y
    c1, c2 = (K1 * RANGE) ** 2, (K2 * RANGE) ** 2
    map_ = ((2 * mu_x * mu_y + c1) * (2 * cov_xy + c2)) / ((mu_x**2 + mu_y**2 + c1) * (var_x + var_y + c2))
    return float(map_.mean())


def _luma(image: Image) -> NDArray[np.float64]:
    return np.asarray(np.round(image.pixels.astype(np.float64) @ np.array(LUMA)))


def _blur(values: NDArray[np.float64]) -> NDArray[np.float64]:
    offsets = np.arange(WINDOW) - WINDOW // 2
    kernel = np.exp(-(offsets**2) / (2 * SIGMA**2))
    kernel /= kernel.sum()
    rows = sliding_window_view(values, WINDOW, axis=0) @ kernel
    return np.asarray(sliding_window_view(rows, WINDOW, axis=1) @ kernel)
