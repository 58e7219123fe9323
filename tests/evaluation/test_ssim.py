"""SSIM, against torchmetrics where the two define it alike."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sample_media import pictures

from pmg_sdk.errors import InputError
from pmg_sdk.evaluation import SSIM_SETTINGS, ssim
from pmg_sdk.media import Image


def noisy(images: list[Image], sigma: float) -> list[Image]:
    random = np.random.default_rng(9)
    return [
        Image(np.clip(i.pixels + random.normal(0, sigma, i.pixels.shape), 0, 255).astype(np.uint8))
        for i in images
    ]


def test_map_is_torchmetrics_map_where_windows_are_whole() -> None:
    from torchmetrics.functional.image import structural_similarity_index_measure

    a = pictures(3)
    b = noisy(a, 60)
    luma = [
        torch.from_numpy(
            np.stack([np.round(image.pixels @ np.array([0.2989, 0.5870, 0.1140])) for image in images])
        )[:, None]
        for images in (a, b)
    ]
    _, maps = structural_similarity_index_measure(
        luma[0], luma[1], data_range=255.0, reduction="none", return_full_image=True
    )
    expected = maps[:, 0, 5:-5, 5:-5].mean(dim=(1, 2)).numpy()
    np.testing.assert_allclose(ssim(a, b), expected, atol=1e-5)


def test_equal_images_score_one_and_noise_scores_less_and_less() -> None:
    a = pictures(1)
    values = [float(ssim(a, noisy(a, sigma))[0]) for sigma in (0, 20, 60, 200)]
    assert values[0] == 1
    assert values == sorted(values, reverse=True)
    assert values[-1] < 0.5


def test_inverted_structure_is_negative() -> None:
    a = pictures(1)
    assert ssim(a, [Image(255 - a[0].pixels)])[0] < 0


def test_one_value_for_every_pair_of_whatever_size() -> None:
    a = pictures(1) + pictures(1, size=(11, 11))
    assert ssim(a, a).tolist() == [1, 1]
    assert ssim([], []).shape == (0,)


def test_images_smaller_than_the_window_are_refused() -> None:
    with pytest.raises(InputError, match="at least 11 x 11"):
        ssim(pictures(1, size=(10, 40)), pictures(1, size=(10, 40)))


def test_settings_say_everything_a_value_depends_on() -> None:
    for part in ("luma", "11x11", "1.5", "0.01", "0.03", "255"):
        assert part in SSIM_SETTINGS
