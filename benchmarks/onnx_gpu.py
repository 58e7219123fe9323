"""Exported text encoders on CUDA: are they right, and how fast beside torch in float16?

    python benchmarks/onnx_gpu.py                 # needs a GPU, onnxruntime-gpu and the extra export
    python benchmarks/onnx_gpu.py --device cpu --tiny   # seconds: does it run?

Stable Diffusion 1.5's text encoder in its true size with random weights, texts padded to 77 tokens. Every
variant is compared with torch in float32 on the CPU; times are medians of one process, warm, numpy to numpy.
Exit code 1 says that a variant is further from the original than its precision may be, or ran elsewhere.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from keyword_texts import texts  # beside this file

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = (".", "adapters", "scenarios", "models", "conformance", "tests", "benchmarks")
BATCHES = (1, 8, 64)
LIMITS = {"fp32": 1e-4, "fp16": 5e-3}


def measured(encoder: Any, expected: Any, calls: int) -> dict[str, float]:
    """Largest difference from `expected`, and median milliseconds by batch."""
    encoder.load()
    found = [each.embeds for each in encoder.encode(texts(len(expected), 9))]
    worst = max(float(np.abs(a - b).max()) for a, b in zip(found, expected, strict=True))
    figures = {"largest_difference": worst}
    for batch in BATCHES:
        inputs, seconds = texts(batch, 9), []
        for _ in range(3):
            encoder.encode(inputs)
        for _ in range(calls):
            started = time.perf_counter()
            encoder.encode(inputs)
            seconds.append(time.perf_counter() - started)
        figures[f"batch_{batch}_ms"] = 1000 * statistics.median(seconds)
    return figures


def run(folder: Path, device: str, calls: int, tiny: bool) -> tuple[dict[str, dict[str, float]], list[str]]:
    """Figures by variant, and what is wrong with them."""
    import clip_text
    import tiny_models

    from pmg_onnx import OnnxTextEncoder
    from pmg_onnx.export import export_text_encoder
    from pmg_transformers.text_encoder import TransformersTextEncoder

    make = tiny_models.clip_text_folder if tiny else clip_text.clip_text_folder
    model = str(make(folder / "clip"))
    original = TransformersTextEncoder(model, padding=True, device="cpu")
    expected = [each.embeds for each in original.encode(texts(8, 9))]
    half = "float16" if device != "cpu" else "float32"
    of_torch = TransformersTextEncoder(model, padding=True, device=device, dtype=half)
    found = {f"torch {half}": measured(of_torch, expected, calls)}
    problems = []
    for precision in ("fp32", "fp16"):
        export_text_encoder(model, folder / precision, precision=precision)  # type: ignore[arg-type]
        for binding in (False, True) if device != "cpu" else (True,):
            encoder = OnnxTextEncoder(
                str(folder / precision), padding=True, device=device, io_binding=binding
            )
            name = f"ONNX {precision}" + (", IO binding" if binding and device != "cpu" else "")
            found[name] = measured(encoder, expected, calls)
            limit = LIMITS[precision]
            worst = found[name]["largest_difference"]
            if worst > limit:
                problems.append(f"{name}: a difference of at most {limit:g} was expected; got {worst:.3g}")
            wanted = "CPU" if device == "cpu" else "CUDA"
            if not encoder.provider.startswith(wanted):
                problems.append(f"{name}: {wanted} was expected; it ran on {encoder.provider}")
    return found, problems


def main() -> int:
    """Read the options, run, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--calls", type=int, default=30)
    parser.add_argument("--tiny", action="store_true", help="a tiny CLIP: does it run?")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    options = parser.parse_args()
    sys.path[:0] = [str(ROOT / folder) for folder in FOLDERS]
    with tempfile.TemporaryDirectory(prefix="pmg-onnx-") as scratch:
        found, problems = run(Path(scratch), options.device, options.calls, options.tiny)
    print("| variant | largest difference | " + " | ".join(f"{batch} texts, ms" for batch in BATCHES) + " |")
    print("|---|---|" + "---|" * len(BATCHES))
    for name, figures in found.items():
        times = " | ".join(f"{figures[f'batch_{batch}_ms']:.2f}" for batch in BATCHES)
        print(f"| {name} | {figures['largest_difference']:.1e} | {times} |")
    print(*problems, sep="\n")
    if options.json:
        options.json.write_text(json.dumps({"figures": found, "problems": problems}, indent=2) + "\n")
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())
