"""On what a report was made: without it, two reports cannot be compared."""

from __future__ import annotations

import hashlib
import importlib.metadata
import platform
import sys
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from pmg_conformance.subject import Subject

__all__ = ["Fingerprint", "take"]

_PACKAGES = (
    "pmg-sdk",
    "numpy",
    "torch",
    "transformers",
    "diffusers",
    "open_clip_torch",
    "onnxruntime",
    "peft",
)


class Fingerprint(BaseModel):
    """Versions and device.

    Attributes:
        python, system, machine: of the process.
        device: what torch computes on, "cpu" without torch.
        packages: versions of those that matter and are installed; the adapter's own among them.
        golden: a coarse hash of the adapter's answers to the sample items: equal where nothing changed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    python: str
    system: str
    machine: str
    device: str
    packages: dict[str, str]
    golden: str = ""


def take(subject: Subject, golden: str = "") -> Fingerprint:
    """Of this process and this subject."""
    names = {*_PACKAGES}
    own = getattr(subject.factory, "__module__", "").partition(".")[0]
    names.update(importlib.metadata.packages_distributions().get(own, ()))
    packages = {}
    for name in sorted(names):
        try:
            packages[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return Fingerprint(
        python=platform.python_version(),
        system=f"{platform.system()} {platform.release()}",
        machine=platform.machine(),
        device=_device(),
        packages=packages,
        golden=golden,
    )


def golden(subject: Subject) -> str:
    """A short hash of what the subject answers to the sample items."""
    from pmg_conformance.checks.determinism import answers_digest

    return hashlib.sha256(answers_digest(subject).encode()).hexdigest()[:16]


def _device() -> str:
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        return str(torch.cuda.get_device_name(0))
    return "cpu"
