"""Fetch the sound font: Debian's package fluidr3mono-gm-soundfont, MIT licence.

`python -m recipes.music.font --out build/music`

Needs Debian's or Ubuntu's `apt-get` and `dpkg`; nothing is installed. Elsewhere, put FluidR3Mono_GM.sf3 of
version 2.315-7 there by hand: what counts is its sha256.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

__all__ = ["FONT", "SHA256", "fetch", "main"]

PACKAGE = "fluidr3mono-gm-soundfont"
FONT = "FluidR3Mono_GM.sf3"
SHA256 = "cda013d8c370a48ae8dad271e761078d2e77455488dabdedbfbe5fc76a38c682"


def fetch(out: Path) -> Path:
    """The font in `out`, checked.

    Raises:
        SystemExit: it cannot be fetched, or is another.
    """
    path = out / FONT
    if not path.exists():
        with tempfile.TemporaryDirectory() as folder:
            try:
                subprocess.run(["apt-get", "download", PACKAGE], cwd=folder, check=True)
                (archive,) = Path(folder).glob(f"{PACKAGE}_*.deb")
                subprocess.run(["dpkg", "-x", archive, folder], check=True)
                found = next(path for path in Path(folder).rglob(FONT) if not path.is_symlink())
            except (OSError, subprocess.CalledProcessError, ValueError, StopIteration) as error:
                sys.exit(f"Debian's package {PACKAGE} was expected from apt-get; {error}")
            out.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(found, path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest != SHA256:
        sys.exit(f"{path}: sha256 {SHA256} was expected, got {digest}")
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("build/music"))
    print(fetch(parser.parse_args().out))


if __name__ == "__main__":
    main()
