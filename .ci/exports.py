"""Exports a model of every family with torch, and runs what came out where torch is not installed.

    python .ci/exports.py make FOLDER     # needs the extras image and export
    python .ci/exports.py check FOLDER    # needs the extra onnx alone, and refuses to find torch

What torch gave lies beside every export as `expected.npz`, and is what the check compares with.
"""

from __future__ import annotations

import importlib.util
import json
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = (".", "adapters", "scenarios", "models", "conformance", "tests")
TEXTS = ("", "dog face", "apple, flat design", "狗 🐶 “quoted” &amp; more", "a happy dog and a sad cat " * 30)
TOLERANCE = {"fp32": 1e-4, "fp16": 5e-3}


def _audioldm2(folder: Path) -> Path:
    """The layout of AudioLDM 2: CLAP first, and the T5 whose tokens condition."""
    import tiny_models

    folder.mkdir()
    (folder / "model_index.json").write_text(json.dumps({"_class_name": "AudioLDM2Pipeline"}))
    tiny_models.clap_text_folder(folder / "text_encoder", tokenizer=folder / "tokenizer")
    tiny_models.t5_text_folder(folder / "text_encoder_2", tokenizer=folder / "tokenizer_2")
    return folder


def sources() -> dict[str, tuple[str, Any]]:
    """Name of the export -> what it is, and a published model's name or what makes a tiny one."""
    import tiny_models
    from tiny_models import clap, dual_encoders

    def tiny(make: Callable[[Path], Path]) -> Callable[[Path], Path]:
        def made(folder: Path) -> Path:
            folder.mkdir()
            return make(folder)

        return made

    text = {
        "clip": tiny(tiny_models.clip_text_folder),
        "bert": tiny(tiny_models.bert_text_folder),
        "t5": tiny(tiny_models.t5_text_folder),
        "clap": tiny(tiny_models.clap_text_folder),
        "sd15": tiny(tiny_models.sd15_folder),
        "sd21": tiny(tiny_models.sd21_folder),
        "sdxl": tiny(tiny_models.sdxl_folder),
        "audioldm2": _audioldm2,
        "open-clip-text": tiny(dual_encoders.open_clip_folder),
        "open-clip-bert-text": tiny(dual_encoders.emoji_clip_folder),
        "all-minilm": "pmg:all-minilm-l6-v2",
        "emoji-diffusion": "pmg:emoji-diffusion",
        "emoji-clip-text": "pmg:emoji-clip",
    }
    scorers = {
        "clip-scorer": tiny(dual_encoders.clip_folder),
        "open-clip-scorer": tiny(dual_encoders.open_clip_folder),
        "open-clip-bert-scorer": tiny(dual_encoders.emoji_clip_folder),
        "clap-scorer": tiny(clap.clap_folder),
        "clap-fused-scorer": tiny(clap.tagged_clap_folder),
        "emoji-clip": "pmg:emoji-clip",
    }
    return {name: ("text encoder", made) for name, made in text.items()} | {
        name: ("scorer", made) for name, made in scorers.items()
    }


def make(out: Path) -> None:
    """Export everything below `out`, with what torch gives."""
    sys.path[:0] = [str(ROOT / folder) for folder in FOLDERS]
    from pmg_onnx.export import export_scorer, export_text_encoder
    from pmg_onnx.export.duals import dual
    from pmg_onnx.export.originals import original

    out.mkdir(parents=True, exist_ok=True)
    for name, (kind, made) in sources().items():
        model = made if isinstance(made, str) else str(made(out / f"{name}-source"))
        record = (export_text_encoder if kind == "text encoder" else export_scorer)(model, out / name)
        expected: dict[str, Any] = {}
        if kind == "text encoder":
            with original(model, None, None, 0) as found:
                for padding in (False, True):
                    for index, each in enumerate(found.encode(TEXTS, padding)):
                        count = found.encoder.count_tokens([TEXTS[index]])[0]
                        masked = padding and any(tower.masked for tower in found.towers)
                        rows = each.embeds[:count] if masked else each.embeds
                        expected[f"{padding}_{index}_embeds"] = rows
                        if each.pooled is not None:
                            expected[f"{padding}_{index}_pooled"] = each.pooled
        else:
            both = dual(model)
            probes = both.media.probes
            expected["text"] = both.scorer.embed_text(TEXTS)
            expected["media"] = both.scorer.embed_media(probes)
            _keep(probes, out / f"{name}.media.npz")
        np.savez(out / f"{name}.expected.npz", **expected)
        if not isinstance(made, str):
            shutil.rmtree(out / f"{name}-source")
        worst = record.parity.max_abs if record.parity else 0.0
        print(f"made  {name:<22} {record.space or record.kind:<28} {worst:.1e}", flush=True)


def _keep(media: Sequence[Any], file: Path) -> None:
    """Pictures, or sounds and the rate that all of them have; 0 says pictures."""
    sounds = hasattr(media[0], "samples")
    rate = media[0].sample_rate if sounds else 0
    np.savez(file, *[each.samples if sounds else each.pixels for each in media], rate=rate)


def check(out: Path) -> int:
    """Compare everything below `out` with what torch gave."""
    for package in ("torch", "transformers", "open_clip", "onnx"):
        if importlib.util.find_spec(package) is not None:
            print(f"{package} is installed here; this is to show that it is not needed")
            return 2
    failed = 0
    for file in sorted(out.glob("*.expected.npz")):
        name = file.name.removesuffix(".expected.npz")
        worst = _worst(out / name, np.load(file), out / f"{name}.media.npz")
        good = worst <= TOLERANCE["fp32"]
        failed += not good
        print(f"{'ok  ' if good else 'FAIL'}  {name:<22} {worst:.1e}", flush=True)
    print(f"{failed} failed")
    return bool(failed)


def _media(file: Path) -> list[Any]:
    """Pictures, or sounds where the file tells their rate."""
    from pmg_sdk import Image
    from pmg_sdk.audio import Audio

    with np.load(file) as arrays:
        rate = int(arrays["rate"])
        kept = [arrays[key] for key in arrays.files if key != "rate"]
    return [Audio(each, rate) if rate else Image(each) for each in kept]


def _worst(folder: Path, expected: Any, media_file: Path) -> float:
    from pmg_onnx import OnnxScorer, OnnxTextEncoder

    if media_file.exists():
        scorer, media = OnnxScorer(str(folder), device="cpu"), _media(media_file)
        found = {"text": scorer.embed_text(TEXTS), "media": scorer.embed_media(media)}
        return max(float(np.abs(found[key] - expected[key]).max()) for key in found)
    worst = 0.0
    for padding in (False, True):
        encoder = OnnxTextEncoder(str(folder), padding=padding, device="cpu")
        for index, each in enumerate(encoder.encode(TEXTS)):
            rows = expected[f"{padding}_{index}_embeds"]
            pairs = [(each.embeds[: len(rows)], rows)] if len(rows) else []
            if each.pooled is not None:
                pairs.append((each.pooled, expected[f"{padding}_{index}_pooled"]))
            worst = max([worst, *(float(np.abs(a - b).max()) for a, b in pairs)])
    return worst


if __name__ == "__main__":
    command, folder = sys.argv[1], Path(sys.argv[2])
    if command == "make":
        make(folder)
    else:
        sys.exit(check(folder))
