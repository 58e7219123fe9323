"""Text encoders on the CPU: torch beside ONNX Runtime, in float32 and in eight bits; and what they hold.

    python benchmarks/onnx_text_encoder.py                      # minutes; prints tables in Markdown
    python benchmarks/onnx_text_encoder.py --json figures.json  # and writes the figures
    python benchmarks/onnx_text_encoder.py --tiny               # seconds: does it run?

Every variant lives in a process of its own and is loaded and warm before the first figure. They are then
asked in turn, a few calls each, round after round, so that what else the machine does hits all alike; a
process that is not asked sleeps. Times are medians over all calls. Peak memory is that of a process that
loads, encodes and scores, and does nothing else.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from keyword_texts import texts  # beside this file

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = (".", "adapters", "scenarios", "models", "conformance", "tests", "benchmarks")
BATCHES = (1, 8)
EMBEDDED = "pmg:emoji-diffusion"
MINILM = "pmg:all-minilm-l6-v2"
"""The text encoder in it."""
SCORER = "pmg:emoji-clip"


def encoder_of(kind: str, model: str, padding: bool, threads: int) -> Any:
    """The encoder of one variant, not yet loaded."""
    if kind == "torch":
        import torch

        from pmg_transformers.text_encoder import TransformersTextEncoder

        torch.set_num_threads(threads)
        return TransformersTextEncoder(model, padding=padding, device="cpu")
    from pmg_onnx import OnnxTextEncoder

    return OnnxTextEncoder(model, padding=padding, device="cpu", threads=threads)


def serve(job: dict[str, Any]) -> None:
    """Be one variant: load, then answer every line of input with seconds, or with the peak memory."""
    encoder = encoder_of(job["kind"], job["model"], job["padding"], job["threads"])
    for batch in BATCHES:
        for _ in range(2):
            encoder.encode(texts(batch, job["words"]))
    if job.get("scorer"):
        score(job)
    print("ready", flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        if "batch" not in asked:
            answer: Any = peak_mib()
        else:
            inputs, answer = texts(asked["batch"], job["words"]), []
            for _ in range(asked["calls"]):
                started = time.perf_counter()
                encoder.encode(inputs)
                answer.append(time.perf_counter() - started)
        print(json.dumps(answer), flush=True)


def peak_mib() -> float:
    """The most memory this process has held.

    Linux hands getrusage's figure on from the process that started this one, and VmHWM it does not.
    """
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # macOS counts bytes


def score(job: dict[str, Any]) -> None:
    """Score a few texts and pictures."""
    import numpy as np

    from pmg_sdk import Image

    scorer: Any
    if job["kind"] == "torch":
        from pmg_open_clip import OpenClipScorer

        scorer = OpenClipScorer(model=job["scorer"], device="cpu")
    else:
        from pmg_onnx import OnnxScorer

        scorer = OnnxScorer(job["scorer"], device="cpu", threads=job["threads"])
        assert "torch" not in sys.modules
        assert "transformers" not in sys.modules
    scorer.embed_text(texts(8, 4))
    scorer.embed_media([Image(np.full((128, 128, 3), value, np.uint8)) for value in range(9)])


class Variant:
    """A process that `serve`s."""

    def __init__(self, **job: Any) -> None:
        command = [sys.executable, __file__, "--serve", json.dumps(job)]
        environment = os.environ | {"OMP_NUM_THREADS": str(job["threads"])}
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )
        line = self._read()
        if line != "ready":
            raise SystemExit(f"{job['kind']} could not be loaded: {line}")

    def ask(self, **asked: Any) -> Any:
        """What it answers."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        return json.loads(self._read())

    def close(self) -> None:
        """End it."""
        self._process.communicate()

    def _read(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()


def timed(jobs: dict[str, dict[str, Any]], rounds: int) -> dict[str, dict[str, float]]:
    """Median milliseconds of every variant and batch, and its peak memory in MiB."""
    variants = {name: Variant(**job) for name, job in jobs.items()}
    seconds: dict[tuple[str, int], list[float]] = {}
    for _ in range(rounds):
        for batch in BATCHES:
            for name, variant in variants.items():
                seconds.setdefault((name, batch), []).extend(variant.ask(batch=batch, calls=3))
    found = {
        name: {f"batch_{batch}_ms": 1000 * statistics.median(seconds[name, batch]) for batch in BATCHES}
        | {"peak_mib": variant.ask()}
        for name, variant in variants.items()
    }
    for variant in variants.values():
        variant.close()
    return found


def table(title: str, found: dict[str, dict[str, float]], parity: dict[str, str]) -> str:
    """The figures in Markdown."""
    base = found["torch fp32"]
    lines = [
        f"**{title}**\n",
        "| variant | 1 text, ms | ratio | 8 texts, ms | ratio | peak MiB | largest difference |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, figures in found.items():
        cells = []
        for batch in BATCHES:
            value = figures[f"batch_{batch}_ms"]
            cells += [f"{value:.1f}", f"{base[f'batch_{batch}_ms'] / value:.1f}"]
        cells += [f"{figures['peak_mib']:.0f}", parity.get(name, "")]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def run(folder: Path, *, rounds: int, threads: int, tiny: bool) -> dict[str, Any]:
    """Make the models, export them, measure."""
    from clip_text import clip_text_folder

    from pmg_onnx.export import export_scorer, export_text_encoder

    if tiny:
        from tiny_models import clip_text_folder as tiny_folder

        clip = str(tiny_folder(folder / "clip"))
    else:
        clip = str(clip_text_folder(folder / "clip"))
    cases = {
        "Stable Diffusion 1.5's text encoder, 77 tokens": (clip, clip, True, 12),
        "The embedded text encoder, 13 tokens": (EMBEDDED, MINILM, False, 6),
    }
    report: dict[str, Any] = {"machine": machine(threads), "rounds": rounds}
    for title, (source, original, padding, words) in cases.items():
        common = {"padding": padding, "threads": threads, "words": words}
        jobs = {"torch fp32": {"kind": "torch", "model": original, **common}}
        parity = {}
        for precision in ("fp32", "int8"):
            out = folder / f"{len(report)}-{precision}"
            record = export_text_encoder(source, out, precision=precision)  # type: ignore[arg-type]
            assert record.parity is not None
            kept = record.parity
            parity[f"ONNX {precision}"] = f"{kept.max_abs:.1e}, cosine {kept.min_cosine:.5f}"
            jobs[f"ONNX {precision}"] = {"kind": "onnx", "model": str(out), **common}
        report[title] = {"figures": timed(jobs, rounds), "parity": parity}
    export_scorer(SCORER, folder / "scorer")
    text = str(folder / "text")
    export_text_encoder(EMBEDDED, Path(text))
    common = {"padding": False, "threads": threads, "words": 6}
    both = {
        "with torch": Variant(kind="torch", model=MINILM, scorer=SCORER, **common),
        "without": Variant(kind="onnx", model=text, scorer=str(folder / "scorer"), **common),
    }
    report["peak_mib"] = {name: variant.ask() for name, variant in both.items()}
    for variant in both.values():
        variant.close()
    return report


def machine(threads: int) -> dict[str, Any]:
    """What the figures were taken on."""
    import onnxruntime
    import torch

    names = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    model = next((line.partition(":")[2].strip() for line in names.splitlines() if "model name" in line), "")
    return {
        "processor": model or platform.processor(),
        "threads": threads,
        "load": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "onnxruntime": onnxruntime.__version__,
    }


def main() -> None:
    """Read the options, run, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--tiny", action="store_true", help="a tiny CLIP and one round: does it run?")
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    options = parser.parse_args()
    sys.path[:0] = [str(ROOT / folder) for folder in FOLDERS]
    if options.serve:
        serve(json.loads(options.serve))
        return
    with tempfile.TemporaryDirectory(prefix="pmg-onnx-") as scratch:
        rounds = 1 if options.tiny else options.rounds
        report = run(Path(scratch), rounds=rounds, threads=options.threads, tiny=options.tiny)
    print(" | ".join(f"{name}: {value}" for name, value in report["machine"].items()), "\n")
    for title, case in report.items():
        if isinstance(case, dict) and "figures" in case:
            print(table(title, case["figures"], case["parity"]))
    print("**A process that only encodes and scores (embedded models)**\n")
    print("| | peak MiB |\n|---|---|")
    for name, peak in report["peak_mib"].items():
        print(f"| {name} | {peak:.0f} |")
    if options.json:
        options.json.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
