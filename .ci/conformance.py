"""Holds every adapter and scenario of the repository to the contract; reports go to build/conformance/.

    python .ci/conformance.py            # all
    python .ci/conformance.py clip blip2 # some, by name

Each runs as a user would run it, `pmg conformance ...`, in a process of its own, so that none sees what
another has loaded. Exit code 1 says that one does not conform, or took longer than it may.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "build" / "conformance"
FOLDERS = (".", "adapters", "scenarios", "models", "conformance", "tests")
PAIRS = ("cat face", "rocket", "pizza", "soccer ball", "red heart", "crying face", "tulip", "guitar")


@dataclass(frozen=True)
class Case:
    """One adapter on one model.

    Attributes:
        folder: of its report.
        target, role: as `pmg conformance` takes them.
        options: further words of the command, or a function that prepares what they name.
        seconds: it may take, on two cores.
        tier: how far to go.
    """

    folder: str
    target: str
    role: str
    options: tuple[str, ...] | Callable[[], tuple[str, ...]] = ()
    seconds: int = 300
    tier: str = "core"


def pairs() -> tuple[str, ...]:
    """Real emoji under their names, for scorers that know emoji."""
    from pmg_scenarios.emoticons.catalogue import catalogue

    folder = OUT / "inputs" / "emoji"
    folder.mkdir(parents=True, exist_ok=True)
    for name in PAIRS:
        catalogue().image(name, "noto").save(folder / f"{name.replace(' ', '_')}.png")
    return ("--pairs", str(folder))


def sounds() -> tuple[str, ...]:
    """Music under what it is, for scorers that know music: pieces that the recipe rendered."""
    return ("--pairs", str(ROOT / "recipes" / "music" / "examples"))


def tiny(maker: str) -> Callable[[], tuple[str, ...]]:
    """A model of random weights, as "module:function" of tests/tiny_models: it can keep every rule."""

    def options() -> tuple[str, ...]:
        module, _, name = maker.partition(":")
        folder = OUT / "inputs" / name
        folder.mkdir(parents=True, exist_ok=True)
        make = getattr(importlib.import_module(f"tiny_models.{module}"), name)
        return model(str(make(folder)))

    return options


def exported(source: str, *, kind: str = "text-encoder") -> Callable[[], tuple[str, ...]]:
    """What `pmg export` makes of a published model, or of a tiny one as "module:function"; and its twin.

    Args:
        kind: "text-encoder", or "scorer", which a captioner can read as well.
    """

    def options() -> tuple[str, ...]:
        from pmg_onnx.export import export_scorer, export_text_encoder

        folder = OUT / "inputs" / f"onnx-{source.rpartition(':')[2]}-{kind}"
        name = source if source.startswith("pmg:") else tiny(source)()[1].removeprefix("model=")
        if kind == "scorer":
            export_scorer(name, folder)
            return model(str(folder))
        export_text_encoder(name, folder)
        return (*model(str(folder)), "--twin", "transformers", "--twin-option", f"model={name}")

    return options


def model(name: str) -> tuple[str, ...]:
    """The words that choose a model."""
    return ("--option", f"model={name}")


CASES = (
    Case("emoticons", "emoticons", "scenario"),
    Case("background_music", "background_music", "scenario"),
    Case("bouquet", "pmg_adapter_example.generator:BouquetGenerator", "generator"),
    Case("flowers", "pmg_adapter_example.flowers:FlowerEncoder", "text_encoder"),
    Case("clip", "clip", "scorer", tiny("dual_encoders:clip_folder")),
    Case("clap", "clap", "scorer", tiny("clap:clap_folder")),
    Case("clap-tags", "clap-tags", "captioner", tiny("clap:tagged_clap_folder")),
    Case("blip2", "blip2", "captioner", tiny("captioners:blip2_folder")),
    Case("blip", "blip2", "captioner", tiny("captioners:blip_folder")),
    Case("clip-text", "transformers", "text_encoder", tiny("text_encoders:clip_text_folder")),
    Case("t5-text", "transformers", "text_encoder", tiny("text_encoders:t5_text_folder")),
    Case("sd-1.5", "stable-diffusion", "generator", tiny("diffusion:sd15_folder")),
    Case("sd-xl", "stable-diffusion", "generator", tiny("diffusion:sdxl_folder")),
    Case("audioldm", "audioldm", "generator", tiny("audioldm:audioldm_folder")),
    Case("audioldm2", "audioldm2", "generator", tiny("audioldm:audioldm2_folder")),
    Case("clap-pooled", "clap", "text_encoder", tiny("audioldm:bert_clap_text_folder")),
    Case("open-clip", "open-clip", "scorer", lambda: (*model("pmg:emoji-clip"), *pairs())),
    Case("open-clip-tags", "open-clip-tags", "captioner", model("pmg:emoji-clip")),
    Case("text-encoder", "transformers", "text_encoder", model("pmg:all-minilm-l6-v2")),
    Case("onnx-clip-text", "onnx", "text_encoder", exported("text_encoders:clip_text_folder")),
    Case("onnx-text", "onnx", "text_encoder", exported("pmg:all-minilm-l6-v2")),
    Case("onnx-clip", "onnx", "scorer", exported("dual_encoders:clip_folder", kind="scorer")),
    Case("onnx-clap", "onnx", "scorer", exported("clap:clap_folder", kind="scorer")),
    Case("onnx-clap-tags", "onnx-tags", "captioner", exported("clap:tagged_clap_folder", kind="scorer")),
    Case("onnx-emoji-tags", "onnx-tags", "captioner", exported("pmg:emoji-clip", kind="scorer")),
    Case(
        "onnx-emoji-clip", "onnx", "scorer", lambda: (*exported("pmg:emoji-clip", kind="scorer")(), *pairs())
    ),
    Case(
        "stable-diffusion",
        "stable-diffusion",
        "generator",
        (*model("pmg:emoji-diffusion"), "--scorer", "open-clip"),
        seconds=360,
    ),
    Case(
        "music-clap",
        "clap",
        "scorer",
        lambda: (*model("pmg:music-clap"), *sounds()),
    ),
    Case("music-clap-tags", "clap-tags", "captioner", model("pmg:music-clap")),
    Case(
        "music-diffusion",
        "audioldm",
        "generator",
        (*model("pmg:music-diffusion"), "--scorer", "clap", "--scorer-option", "model=pmg:music-clap"),
        seconds=360,
    ),
    Case("soft-preference", "transformers", "soft_preference", tiny("soft_preference:soft_folder")),
    Case("soft-vector", "transformers", "soft_preference", tiny("soft_preference:soft_vector_folder")),
    Case("llm", "transformers", "llm", model("pmg:smollm2-135m-instruct"), seconds=240),
    # The server is the reference model behind HTTP: what is tested is the adapter, not somebody's model.
    Case("openai", "openai", "llm", lambda: (*model("reference"), "--option", f"base_url={SERVER}")),
)
SERVER = ""


class _Answers(BaseHTTPRequestHandler):
    """Chat completions, answered by the reference language model."""

    def do_POST(self) -> None:
        from pmg_conformance.reference import ReferenceLanguageModel

        asked: dict[str, Any] = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        limit = asked.get("max_tokens") or asked.get("max_completion_tokens") or 32
        (answer,) = ReferenceLanguageModel().complete([asked["messages"]], max_tokens=limit)
        data = json.dumps({"choices": [{"message": {"role": "assistant", "content": answer}}]}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        """Nothing: the reports say what happened."""


@contextlib.contextmanager
def chat_server() -> Iterator[str]:
    """The address of a chat server on this machine."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    finally:
        server.shutdown()
        server.server_close()


def run(case: Case) -> bool:
    """Check one, print its line, and say whether all is well."""
    options = case.options if isinstance(case.options, tuple) else case.options()
    out = OUT / case.folder
    command = [sys.executable, "-m", "pmg_sdk.cli", "conformance", case.target, "--role", case.role]
    command += ["--tier", case.tier, "--report", "html,json,junit", "--out", str(out), *options]
    waivers = ROOT / ".ci" / "waivers" / f"{case.folder}.toml"
    if waivers.exists():
        command += ["--waivers", str(waivers)]
    started = time.monotonic()
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=3 * case.seconds, cwd=ROOT)
    except subprocess.TimeoutExpired:
        print(f"FAIL  {case.folder:<17} not done after {3 * case.seconds} s", flush=True)
        return False
    seconds = time.monotonic() - started
    late = f", over its budget of {case.seconds} s" if seconds > case.seconds else ""
    good = done.returncode == 0 and not late
    said = done.stdout.strip().splitlines() or ["no output"]
    verdict = next((line for line in reversed(said) if "conform" in line and " to " in line), said[-1])
    print(f"{'ok  ' if good else 'FAIL'}  {case.folder:<17} {seconds:5.0f} s{late}  {verdict}", flush=True)
    if done.returncode:
        print(done.stdout, done.stderr, sep="\n", flush=True)
    return good


def main(names: list[str]) -> int:
    """Check all cases, or those named."""
    global SERVER
    unknown = sorted(set(names) - {case.folder for case in CASES})
    if unknown:
        print(f"no case is called {', '.join(unknown)}; there are {', '.join(c.folder for c in CASES)}")
        return 2
    paths = [*(str(ROOT / folder) for folder in FOLDERS), str(ROOT / "examples" / "pmg-adapter-example")]
    sys.path[:0] = paths
    os.environ |= {"PYTHONPATH": os.pathsep.join(paths), "TQDM_DISABLE": "1"}
    chosen = [case for case in CASES if not names or case.folder in names]
    with chat_server() as SERVER:
        failed = [case.folder for case in chosen if not run(case)]
    print(f"{len(chosen) - len(failed)} of {len(chosen)} conform; reports in {OUT.relative_to(ROOT)}")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
