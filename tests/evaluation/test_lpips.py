"""LPIPS on random weights, against torchmetrics' own network filled with the same ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from sample_media import pictures

from pmg_sdk.errors import ConfigError, InputError, ModelFolderError
from pmg_sdk.evaluation import LPIPS_SETTINGS, lpips

TORCHVISION = {"alex": "alexnet", "vgg": "vgg16"}
WIDTHS = {"alex": (64, 192, 384, 256, 256), "vgg": (64, 128, 256, 512, 512)}


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A safetensors file of random weights for every net, in the published asset's names."""
    import torchvision

    torch.manual_seed(0)
    files = {}
    for net, name in TORCHVISION.items():
        features = getattr(torchvision.models, name)(weights=None).features.state_dict()
        tensors = {f"features.{key}": value.contiguous() for key, value in features.items()}
        tensors |= {f"lin{i}.weight": torch.rand(1, width, 1, 1) for i, width in enumerate(WIDTHS[net])}
        files[net] = tmp_path_factory.mktemp(net) / "model.safetensors"
        save_file(tensors, files[net])
    return files


@pytest.mark.parametrize("net", ["alex", "vgg"])
def test_values_are_torchmetrics_values(net: str, weights: dict[str, Path]) -> None:
    from safetensors.torch import load_file
    from torchmetrics.functional.image.lpips import _LPIPS

    reference = _LPIPS(net=net, pretrained=False, pnet_rand=True)
    ours = load_file(weights[net])
    for index in range(1, 6):
        for key, tensor in getattr(reference.net, f"slice{index}").named_parameters():
            tensor.copy_(ours[f"features.{key}"])
    for index in range(5):
        getattr(reference, f"lin{index}").model[-1].weight.copy_(ours[f"lin{index}.weight"])
    a, b = pictures(3), pictures(3, seed=1)
    first, second = (
        torch.stack([torch.from_numpy(image.pixels).permute(2, 0, 1) / 255 for image in images])
        for images in (a, b)
    )
    expected = reference(first, second, normalize=True).flatten().numpy()
    np.testing.assert_allclose(lpips(a, b, net, weights=str(weights[net]), device="cpu"), expected, rtol=1e-3)


def test_equal_images_have_no_distance_and_it_is_symmetric(weights: dict[str, Path]) -> None:
    a, b = pictures(2), pictures(2, seed=1)
    options = {"weights": str(weights["alex"]), "device": "cpu"}
    np.testing.assert_array_equal(lpips(a, a, **options), 0)
    np.testing.assert_allclose(lpips(a, b, **options), lpips(b, a, **options), rtol=1e-5)
    assert (lpips(a, b, **options) > 0).all()


def test_pairs_may_differ_in_size_from_each_other(weights: dict[str, Path]) -> None:
    a = pictures(1) + pictures(2, size=(40, 80)) + pictures(1)
    b = pictures(1, seed=1) + pictures(2, size=(40, 80), seed=1) + pictures(1, seed=2)
    options = {"weights": str(weights["alex"]), "device": "cpu"}
    alone = [lpips([x], [y], **options)[0] for x, y in zip(a, b, strict=True)]
    np.testing.assert_allclose(lpips(a, b, **options), alone, rtol=1e-4)
    np.testing.assert_allclose(lpips(a, b, batch_size=1, **options), alone, rtol=1e-4)


def test_nothing_in_gives_nothing_out() -> None:
    assert lpips([], []).shape == (0,)


@pytest.mark.parametrize(("net", "smallest"), [("alex", 35), ("vgg", 16)])
def test_smallest_size_works_and_a_smaller_one_is_refused(
    net: str, smallest: int, weights: dict[str, Path]
) -> None:
    for side in (smallest, smallest - 1):
        a, b = pictures(1, size=(side, 64)), pictures(1, size=(side, 64), seed=1)
        if side == smallest:
            assert np.isfinite(lpips(a, b, net, weights=str(weights[net]), device="cpu")).all()
        else:
            with pytest.raises(InputError, match=f"at least {smallest}"):
                lpips(a, b, net, weights=str(weights[net]))


def test_images_that_do_not_pair_up_are_refused() -> None:
    with pytest.raises(InputError, match="got 2 and 1"):
        lpips(pictures(2), pictures(1))
    with pytest.raises(InputError, match="pair 0 has"):
        lpips(pictures(1), pictures(1, size=(48, 64)))


def test_weights_of_the_other_net_are_refused_by_tensor_name(
    weights: dict[str, Path], tmp_path: Path
) -> None:
    with pytest.raises(ModelFolderError, match=r"features\.\d+\.weight"):
        lpips(pictures(1), pictures(1), "vgg", weights=str(weights["alex"]))
    with pytest.raises(ModelFolderError, match=r"model\.safetensors"):
        lpips(pictures(1), pictures(1), weights=str(tmp_path))


def test_unknown_net_is_refused() -> None:
    with pytest.raises(ConfigError, match='"alex" or "vgg"'):
        lpips(pictures(1), pictures(1), "squeeze")  # type: ignore[arg-type]


def test_settings_name_the_network() -> None:
    assert "AlexNet" in LPIPS_SETTINGS["alex"]
    assert "VGG16" in LPIPS_SETTINGS["vgg"]
