"""What a graph that was optimised here depends on, besides the graph."""

from __future__ import annotations

import platform
from pathlib import Path

__all__ = ["features"]


def features() -> str:
    """Architecture and abilities of the processor: ONNX Runtime lays weights out for them."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:  # no Linux: the name has to do
        return f"{platform.machine()} {platform.processor()}"
    found = next((line for line in lines if line.lower().startswith(("flags", "features"))), "")
    return f"{platform.machine()} {' '.join(sorted(found.partition(':')[2].split()))}"
