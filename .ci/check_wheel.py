"""Says what is wrong with a wheel: its size, its top-level names, files that do not belong in it."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

LARGEST = 100_000_000
TOP_LEVEL = {
    "pmg_sdk",
    "pmg_transformers",
    "pmg_open_clip",
    "pmg_tags",
    "pmg_clap",
    "pmg_laion_clap",
    "pmg_audioldm_original",
    "pmg_diffusion",
    "pmg_stable_diffusion",
    "pmg_audioldm",
    "pmg_openai",
    "pmg_onnx",
    "pmg_scenarios",
    "pmg_models",
    "pmg_conformance",
}


def problems(wheel: Path) -> list[str]:
    """What is wrong with `wheel`, one sentence each; nothing when it is as it should be."""
    found = []
    size = wheel.stat().st_size
    if size >= LARGEST:
        found.append(f"the wheel has {size:,} bytes; it must stay under {LARGEST:,}")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    top = {name.split("/")[0] for name in names}
    packages = {name for name in top if not name.endswith(".dist-info")}
    if packages != TOP_LEVEL:
        found.append(f"top-level names are {sorted(packages)}; expected {sorted(TOP_LEVEL)}")
    found += [
        f"{package} has no py.typed" for package in TOP_LEVEL & packages if f"{package}/py.typed" not in names
    ]
    licences = {name.rsplit("/", 1)[-1] for name in names if ".dist-info/licenses/" in name}
    if licences != {"LICENSE", "NOTICE"}:
        found.append(f"licence files are {sorted(licences)}; expected LICENSE and NOTICE")
    strays = [
        n for n in names if "__pycache__" in n or "/tests/" in n or n.startswith(("tests/", "recipes/"))
    ]
    found += [f"{name} does not belong in a wheel" for name in strays]
    return found


if __name__ == "__main__":
    complaints = problems(Path(sys.argv[1]))
    print("\n".join(complaints) or "the wheel is as it should be")
    sys.exit(bool(complaints))
