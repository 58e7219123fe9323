"""Do exported models choose what the originals choose? Every sample user with every message.

    python benchmarks/onnx_winners.py --json winners.json   # int8, a quarter of an hour on two cores
    python benchmarks/onnx_winners.py --precision fp32 --users cat-lover   # some of it

The emoticons scenario with its default profile; with the exported text encoder, with the exported scorer, and
with both. The JSON holds the winner of every pair, by torch and by ONNX Runtime. Exit code 1: one differs.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = (".", "adapters", "scenarios", "models", "conformance")
SCENARIO = "emoticons"


def main() -> int:
    """Read the options, run, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--precision", choices=["fp32", "fp16", "int8"], default="int8")
    parser.add_argument("--users", nargs="*", help="names of sample users; all of them")
    parser.add_argument("--messages", type=int, help="how many of the sample messages; all of them")
    parser.add_argument("--json", type=Path, help="also write the winners to this file")
    options = parser.parse_args()
    sys.path[:0] = [str(ROOT / folder) for folder in FOLDERS]
    from pmg_onnx import OnnxScorer, OnnxTextEncoder
    from pmg_onnx.export import export_scorer, export_text_encoder
    from pmg_onnx.export.winners import compare_winners, summary
    from pmg_sdk.cli.users import sample_messages

    precision: Any = options.precision
    chosen = {"users": options.users, "messages": sample_messages(SCENARIO)[: options.messages]}
    found = {}
    with tempfile.TemporaryDirectory(prefix="pmg-onnx-") as scratch:
        text, scorer = Path(scratch) / "text", Path(scratch) / "scorer"
        export_text_encoder("pmg:emoji-diffusion", text, precision=precision)
        export_scorer("pmg:emoji-clip", scorer, precision=precision)
        exported: dict[str, dict[str, Any]] = {
            "text encoder": {"text_encoder": OnnxTextEncoder(str(text), cache=False)},
            "scorer": {"scorer": OnnxScorer(str(scorer), cache=False)},
        }
        exported["both"] = exported["text encoder"] | exported["scorer"]
        for role, adapter in exported.items():
            found[role] = list(compare_winners(SCENARIO, **adapter, **chosen))
            print(f"{role}, {precision}: {summary(found[role])}", flush=True)
    if options.json:
        pairs = {role: [asdict(pair) for pair in pairs] for role, pairs in found.items()}
        options.json.write_text(json.dumps({"precision": precision, "pairs": pairs}, indent=2) + "\n")
    return not all(pair.same for pairs in found.values() for pair in pairs)


if __name__ == "__main__":
    sys.exit(main())
