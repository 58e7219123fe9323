"""What was exported is encoded, scored and tagged by a process that cannot import torch or transformers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

SCRIPT = """
import json, sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "transformers", "open_clip", "onnx", "onnxscript"):
            raise AssertionError("imported " + name)

sys.meta_path.insert(0, Refuse())
import numpy as np
from pmg_sdk import Image
from pmg_sdk.audio import Audio
from pmg_sdk.plugins import Registry
import pmg_onnx.plugin

registry = Registry(strict=True)
registry.register(pmg_onnx.plugin, "pmg_onnx")
encoder = registry.create("text_encoder", "onnx", {"model": sys.argv[1], "device": "cpu"})
scorer = registry.create("scorer", "onnx", {"model": sys.argv[2], "device": "cpu"})
encoder.load(); scorer.load()
(encoded,) = encoder.encode(["dog face"])
rows = scorer.embed_media([Image(np.zeros((40, 30, 3), np.uint8))]) @ scorer.embed_text(["dog"]).T
sounds = registry.create("scorer", "onnx", {"model": sys.argv[3], "device": "cpu"})
noise = Audio.from_waveform(np.random.default_rng(0).normal(0, 0.1, 70_000), 44_100)
heard = sounds.embed_media([noise]) @ sounds.embed_text(["dog"]).T
tags = registry.create("captioner", "onnx-tags", {"model": sys.argv[3], "device": "cpu"}, "audio")
print(json.dumps({
    "tokens": encoded.tokens,
    "cosines": [float(rows[0, 0]), float(heard[0, 0])],
    "space": encoder.space,
    "said": tags.caption([noise]),
}))
"""


def test_a_fresh_process_needs_neither_torch_nor_transformers(
    clip_export: Path, scorer_export: Path, fused_export: Path
) -> None:
    command = [sys.executable, "-c", SCRIPT, *map(str, (clip_export, scorer_export, fused_export))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    said = json.loads(done.stdout)
    assert said["tokens"] > 2
    assert said["space"].startswith("clip-32-")
    assert all(-1 <= cosine <= 1 for cosine in said["cosines"])
    assert len(said["said"]) == 1
    assert len(said["said"][0].split(", ")) == 2
