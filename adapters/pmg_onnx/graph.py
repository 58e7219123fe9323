"""One ONNX graph on ONNX Runtime: on which provider it runs, and how it is opened and called."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pmg_onnx.folder import ExportFolder
from pmg_onnx.machine import features
from pmg_onnx.missing import expect
from pmg_sdk.assets.cache import digest, ensure_folder, folder_of
from pmg_sdk.errors import BackendError, ConfigError, ModelFolderError, StorageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Graph", "Settings", "quieted"]

CUDA = "CUDAExecutionProvider"
CPU = "CPUExecutionProvider"
ERRORS_ONLY = 3
OPTIMISED = "onnx-optimised"
"""Folder in the SDK's cache."""


@dataclass(frozen=True)
class Settings:
    """How graphs are run; checked when it is made, and nothing is imported.

    Attributes:
        device: "auto" (CUDA where ONNX Runtime can use it, then the CPU), "cpu", "cuda" or "cuda:N".
        threads: of the CPU, for one operation; None takes one for every core.
        io_binding: on CUDA, keep inputs and outputs on the device until a call is done.
        cache: keep the optimised graph in the SDK's cache folder, for a quicker start the next time.
    """

    device: str = "auto"
    threads: int | None = None
    io_binding: bool = True
    cache: bool = True

    def __post_init__(self) -> None:
        kind, _, number = self.device.partition(":")
        if kind not in ("auto", "cpu", "cuda") or (number and not (kind == "cuda" and number.isdecimal())):
            raise ConfigError(f'device: expected "auto", "cpu", "cuda" or "cuda:N"; got {self.device!r}')
        if self.threads is not None and self.threads < 1:
            raise ConfigError(f"threads: expected 1 or more, or None for one a core; got {self.threads}")


class Graph:
    """An open graph. It may be called from several threads at once.

    Args:
        path: of the ONNX file; what it keeps outside lies beside it.
        sha256: of the file and of what it keeps outside, which name the optimised graph in the cache.

    Raises:
        MissingExtra: ONNX Runtime is not installed.
        ConfigError: the device is not there, or this build of ONNX Runtime cannot use it.
        ModelFolderError: the file is no graph that this ONNX Runtime can run.
    """

    def __init__(self, path: Path, sha256: Sequence[str], settings: Settings) -> None:
        self._path = path
        self._ort = expect("onnxruntime")
        self._settings = settings
        self._session = self._open(list(sha256))
        self.provider: str = self._session.get_providers()[0]
        self.outputs: tuple[str, ...] = tuple(each.name for each in self._session.get_outputs())

    @classmethod
    def of(cls, folder: ExportFolder, name: str, settings: Settings) -> Graph:
        """The graph `name` of an exported folder."""
        files = folder.record.files
        sha256 = [files[each] for each in (name, f"{name}.data") if each in files]
        return cls(folder.path / name, sha256, settings)

    def __call__(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[np.float32]]:
        """Run it; outputs by name.

        Raises:
            MemoryError: it does not fit. BackendError: it failed.
        """
        try:
            if self.provider == CUDA and self._settings.io_binding:
                found = self._bound(inputs)
            else:
                found = self._session.run(self.outputs, dict(inputs))
        except Exception as error:  # ONNX Runtime's own exceptions share no base
            if _is_memory(error):
                raise MemoryError(_short(error)) from error
            raise BackendError(f"ONNX Runtime failed on {self._path.name}: {_short(error)}") from error
        return dict(zip(self.outputs, found, strict=True))

    def _bound(self, inputs: Mapping[str, NDArray[Any]]) -> list[Any]:
        binding = self._session.io_binding()
        for name, value in inputs.items():
            binding.bind_cpu_input(name, value)
        for name in self.outputs:
            binding.bind_output(name, "cuda", self._device_id)
        self._session.run_with_iobinding(binding)
        return list(binding.copy_outputs_to_cpu())

    @property
    def _device_id(self) -> int:
        return int(self._settings.device.partition(":")[2] or 0)

    def _open(self, sha256: list[str]) -> Any:
        wanted = self._settings.device
        with quieted(self._ort):
            if wanted != "cpu" and CUDA in self._ort.get_available_providers():
                # CUDA's libraries may come as Python packages, where no linker looks for them.
                with contextlib.redirect_stdout(io.StringIO()):  # it prints what it does not find
                    getattr(self._ort, "preload_dlls", lambda **_: None)(directory="")
                session = self._optimised(sha256, CUDA)
                if CUDA in session.get_providers() or wanted == "auto":
                    return session
            if wanted.startswith("cuda"):
                raise ConfigError(
                    f"device {wanted!r} was asked for, but ONNX Runtime {self._ort.__version__} cannot use "
                    f"it: its providers are {', '.join(self._ort.get_available_providers())}, and CUDA also "
                    "needs its driver and libraries. Take onnxruntime out and run: "
                    'pip install "pmg-sdk[onnx-gpu]"; or use device="auto"'
                )
            return self._optimised(sha256, CPU)

    def _optimised(self, sha256: list[str], provider: str) -> Any:
        """A session on the graph optimised for this machine, from the cache or made for it."""
        if not self._settings.cache:
            return self._session_of(self._path, provider)
        key = digest([sha256, self._ort.__version__, provider, features()])
        folder = folder_of(OPTIMISED, key)
        try:
            built = ensure_folder(folder, lambda scratch: self._optimise(scratch, provider))
        except StorageError:  # a cache that cannot be written costs time at every start, no result
            return self._session_of(self._path, provider)
        return self._session_of(built / self._path.name, provider, optimise=False)

    def _optimise(self, scratch: Path, provider: str) -> None:
        target = scratch / self._path.name

        def save(options: Any) -> None:
            options.optimized_model_filepath = str(target)
            entries = {
                "session.optimized_model_external_initializers_file_name": f"{target.name}.data",
                "session.optimized_model_external_initializers_min_size_in_bytes": "1024",
            }
            for name, value in entries.items():
                options.add_session_config_entry(name, value)

        self._session_of(self._path, provider, also=save)

    def _session_of(
        self,
        path: Path,
        provider: str,
        *,
        optimise: bool = True,
        also: Callable[[Any], None] = lambda options: None,
    ) -> Any:
        options = self._ort.SessionOptions()
        options.log_severity_level = ERRORS_ONLY + 1
        levels = self._ort.GraphOptimizationLevel
        options.graph_optimization_level = levels.ORT_ENABLE_ALL if optimise else levels.ORT_DISABLE_ALL
        # Between calls, threads that wait by spinning would take the cores from torch and others.
        options.add_session_config_entry("session.force_spinning_stop", "1")
        if self._settings.threads is not None:
            options.intra_op_num_threads = self._settings.threads
        also(options)
        providers: list[Any] = (
            [(CUDA, {"device_id": self._device_id, "use_tf32": 0})] if provider == CUDA else []
        )
        try:
            return self._ort.InferenceSession(str(path), options, providers=[*providers, CPU])
        except Exception as error:  # ONNX Runtime's own exceptions share no base
            if _is_memory(error):
                raise MemoryError(_short(error)) from error
            raise ModelFolderError(
                f"an ONNX graph was expected in {path}; ONNX Runtime {self._ort.__version__} cannot open it "
                f"({_short(error)}). Export it again, or with the versions that its pmg_onnx.json names."
            ) from error


class quieted:  # noqa: N801 - reads as a word
    """While ONNX Runtime opens a graph it says on the terminal what we say as errors."""

    def __init__(self, ort: Any) -> None:
        self._ort = ort

    def __enter__(self) -> None:
        self._ort.set_default_logger_severity(ERRORS_ONLY + 1)

    def __exit__(self, *_: object) -> None:
        self._ort.set_default_logger_severity(2)


def _is_memory(error: Exception) -> bool:
    text = str(error).lower()
    return (
        isinstance(error, MemoryError)
        or "allocate memory" in text
        or "bad_alloc" in text
        or "out of memory" in text
    )


def _short(error: Exception) -> str:
    return str(error).strip().partition("\n")[0][:300]
