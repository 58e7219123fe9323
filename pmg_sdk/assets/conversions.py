"""Turning fetched files into what adapters load: safetensors and model folders.

Every file has been compared with its recorded sha256 before it arrives here, and no pickle is
read but with an unpickler that knows numpy arrays and nothing else.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from pmg_sdk.errors import AssetCorrupt, MissingExtra
from pmg_sdk.loading import loading

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["CONVERSIONS", "arrays_of_pickle"]

_ALEXNET_FEATURES = (0, 3, 6, 8, 10)
_VGG16_FEATURES = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)


class _ArraysOnly(pickle.Unpickler):
    """Knows the three names a pickled numpy array consists of."""

    def find_class(self, module: str, name: str) -> Any:
        import numpy as np
        from numpy._core.multiarray import _reconstruct  # no public name: it exists for pickles

        known = {
            ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
            ("numpy._core.multiarray", "_reconstruct"): _reconstruct,
            ("numpy", "ndarray"): np.ndarray,
            ("numpy", "dtype"): np.dtype,
        }
        if (module, name) not in known:
            raise AssetCorrupt(
                f"expected a pickle of numpy arrays, found {module}.{name} in it. The file was not read; "
                f"do not open it with anything else."
            )
        return known[module, name]


def arrays_of_pickle(file: IO[bytes]) -> dict[str, NDArray[Any]]:
    """The arrays of a pickled tree of dicts, by their path ("a/b/c"); nothing in it is executed.

    Raises:
        AssetCorrupt: it holds anything but dicts and numeric numpy arrays.
    """
    import numpy as np

    try:
        tree = _ArraysOnly(file).load()
    except (pickle.UnpicklingError, EOFError, ValueError, TypeError, AttributeError, IndexError) as error:
        raise AssetCorrupt(f"expected a pickle of numpy arrays, got something unreadable: {error}") from error

    arrays: dict[str, NDArray[Any]] = {}

    def collect(path: str, node: object) -> None:
        if isinstance(node, Mapping):
            for key, child in node.items():
                collect(f"{path}/{key}" if path else str(key), child)
        elif isinstance(node, np.ndarray) and node.dtype.kind in "fiub":
            arrays[path] = node
        else:
            raise AssetCorrupt(f"expected a numeric array at {path!r}, found {type(node).__name__}.")

    collect("", tree)
    return arrays


def _lpips(folder: Path, network: str, checkpoint: str, features: tuple[int, ...]) -> None:
    """Flax names and HWIO kernels to torchvision's names and OIHW; LPIPS heads as lin0 ... lin4."""
    import numpy as np
    from safetensors.numpy import save_file

    with (folder / checkpoint).open("rb") as file:
        arrays = arrays_of_pickle(file)
    tensors: dict[str, NDArray[np.float32]] = {}

    def take(source: str, to: str) -> None:
        if source not in arrays:
            raise AssetCorrupt(f"expected {source} in {checkpoint}, found {', '.join(sorted(arrays)[:4])}")
        array = arrays[source]
        tensors[to] = np.ascontiguousarray(
            array.transpose(3, 2, 0, 1) if array.ndim == 4 else array, dtype=np.float32
        )

    for index, layer in enumerate(features):
        take(f"{network}/Conv_{index}/kernel", f"features.{layer}.weight")
        take(f"{network}/Conv_{index}/bias", f"features.{layer}.bias")
    for index in range(5):
        take(f"NetLinLayer_{index}/Conv_0/kernel", f"lin{index}.weight")
    save_file(tensors, folder / "model.safetensors")
    (folder / checkpoint).unlink()


def _gguf(folder: Path) -> None:
    """De-quantise a GGUF language model to a float16 transformers folder, tokenizer included.

    Loading GGUF takes many seconds every time; the folder takes well under one.
    """
    try:
        import gguf  # noqa: F401  (transformers asks for it by name only when it is too late to explain)
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig
    except ImportError as error:
        raise MissingExtra(
            f"converting the language model needs transformers, torch and gguf, and {error.name} is not "
            f"installed: pip install 'pmg-sdk[image]'."
        ) from error

    with loading():
        source = str(folder)
        read: Any = AutoModelForCausalLM.from_pretrained(
            source,
            gguf_file="model.gguf",
            quantization_config=GgufConfig(dequantize=True),
            dtype=torch.float32,
        )
        tokenizer = AutoTokenizer.from_pretrained(source, gguf_file="model.gguf")
        # transformers saves nothing that came from GGUF, even de-quantised: a plain model takes the weights.
        settings = {k: v for k, v in read.config.to_dict().items() if k != "quantization_config"}
        settings |= {"_name_or_path": "", "dtype": "float16"}
        with torch.device("meta"):
            plain: Any = type(read)(type(read.config).from_dict(settings))
        plain.load_state_dict(read.to(torch.float16).state_dict(), assign=True)
        plain.tie_weights()
        plain.generation_config = read.generation_config
        plain.save_pretrained(source)
        tokenizer.save_pretrained(source)
    (folder / "model.gguf").unlink()


CONVERSIONS: Mapping[str, Callable[[Path], None]] = {
    "lpips-alexnet": lambda folder: _lpips(folder, "AlexNet_0", "alexnet.ckpt", _ALEXNET_FEATURES),
    "lpips-vgg16": lambda folder: _lpips(folder, "VGG16_0", "vgg16.ckpt", _VGG16_FEATURES),
    "gguf": _gguf,
}
"""Steps by the name an `Asset` gives; each works in place, inside a folder nobody else sees yet."""
