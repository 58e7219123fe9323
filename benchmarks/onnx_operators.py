"""Where the time of an exported text encoder goes, by operator; and how much faster it could become at most.

    python benchmarks/onnx_operators.py                    # int8, a minute or two; prints a table in Markdown
    python benchmarks/onnx_operators.py --precision fp32
    python benchmarks/onnx_operators.py --tiny             # seconds: does it run?

Stable Diffusion 1.5's text encoder in its true size with random weights, 77 tokens; torch in float32 and ONNX
Runtime are called in turn in one process. Times of operators are medians of every node, summed, with the
profiler's own cost in them. Whatever is done to the rest of the graph, its products with weights take as long
as they do alone: torch's time over theirs is the largest ratio that can be had.

The machine should be idle: torch's threads wait for each other, so that another program on one of the cores
slows torch down more than ONNX Runtime, and every ratio comes out too large.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = (".", "adapters", "scenarios", "models", "conformance", "tests", "benchmarks")
BATCHES = (1, 8)
PRODUCTS = {"fp32": "MatMul", "int8": "MatMulIntegerToFloat"}
"""What multiplies with weights; of fp32 one product of the attention is in it too."""


def timed(call: Callable[[], Any]) -> float:
    """Milliseconds of one call, after another that is not counted."""
    call()
    started = time.perf_counter()
    call()
    return 1000 * (time.perf_counter() - started)


def by_operator(trace: Path) -> dict[str, float]:
    """Milliseconds of one run by operator, out of ONNX Runtime's profile."""
    nodes: dict[tuple[str, str], list[float]] = defaultdict(list)
    for event in json.loads(trace.read_text()):
        if event.get("cat") == "Node" and event["name"].endswith("_kernel_time"):
            nodes[event["args"]["op_name"], event["name"]].append(event["dur"] / 1000)
    found: dict[str, float] = defaultdict(float)
    for (operator, _), times in nodes.items():
        found[operator] += statistics.median(times)
    return found


def session(model: Path, threads: int, trace: Path | None = None) -> Any:
    """A session as the adapter opens it, which writes a profile where `trace` says."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 4
    options.add_session_config_entry("session.force_spinning_stop", "1")
    if trace is not None:
        options.enable_profiling = True
        options.profile_file_prefix = str(trace)
    return ort.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])


def run(folder: Path, *, precision: str, rounds: int, threads: int, tiny: bool) -> dict[int, dict[str, Any]]:
    """For every batch torch's and ONNX Runtime's medians and fastest calls, and the times of operators."""
    import clip_text
    import tiny_models
    import torch
    from transformers import CLIPTextModel

    from pmg_onnx.export import export_text_encoder

    source = (tiny_models.clip_text_folder if tiny else clip_text.clip_text_folder)(folder / "clip")
    export_text_encoder(str(source), folder / "onnx", precision=precision)  # type: ignore[arg-type]
    graph = folder / "onnx" / "text_encoder.onnx"
    torch.set_num_threads(threads)
    original = CLIPTextModel.from_pretrained(source)
    length, words = original.config.max_position_embeddings, original.config.vocab_size
    found = {}
    for batch in BATCHES:
        plain, profiled = session(graph, threads), session(graph, threads, folder / "trace")
        ids = np.random.default_rng(0).integers(1, words, (batch, length))
        of_torch = partial(original, input_ids=torch.from_numpy(ids))
        of_onnx = partial(plain.run, None, {"input_ids": ids})
        times = []
        with torch.inference_mode():
            for _ in range(rounds):
                times.append((timed(of_torch), timed(of_onnx)))
                profiled.run(None, {"input_ids": ids})
        found[batch] = {
            "torch": statistics.median(of_torch for of_torch, _ in times),
            "torch, fastest": min(of_torch for of_torch, _ in times),
            "ours": statistics.median(of_onnx for _, of_onnx in times),
            "ours, fastest": min(of_onnx for _, of_onnx in times),
            "operators": by_operator(Path(profiled.end_profiling())),
        }
    return found


def main() -> None:
    """Read the options, run, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--precision", choices=list(PRODUCTS), default="int8")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--tiny", action="store_true", help="a tiny CLIP and two rounds: does it run?")
    options = parser.parse_args()
    sys.path[:0] = [str(ROOT / folder) for folder in FOLDERS]
    with tempfile.TemporaryDirectory(prefix="pmg-onnx-") as scratch:
        found = run(
            Path(scratch),
            precision=options.precision,
            rounds=2 if options.tiny else options.rounds,
            threads=options.threads,
            tiny=options.tiny,
        )
    columns = [found[batch] for batch in BATCHES]
    rows = [
        ("torch fp32", [each["torch"] for each in columns]),
        ("its fastest call", [each["torch, fastest"] for each in columns]),
        (f"ONNX {options.precision}", [each["ours"] for each in columns]),
        ("its fastest call", [each["ours, fastest"] for each in columns]),
    ]
    largest = sorted(columns[-1]["operators"], key=columns[-1]["operators"].get, reverse=True)[:12]
    rows += [(f"`{name}`", [each["operators"][name] for each in columns]) for name in largest]
    products = PRODUCTS[options.precision]
    rows += [
        ("ratio", [each["torch"] / each["ours"] for each in columns]),
        ("ratio of the fastest", [each["torch, fastest"] / each["ours, fastest"] for each in columns]),
        ("largest ratio", [each["torch"] / each["operators"][products] for each in columns]),
    ]
    print("| | " + " | ".join(f"batch of {batch}, ms" for batch in BATCHES) + " |")
    print("|---|" + "---|" * len(BATCHES))
    for name, values in rows:
        print(f"| {name} | " + " | ".join(f"{value:.1f}" for value in values) + " |")


if __name__ == "__main__":
    main()
