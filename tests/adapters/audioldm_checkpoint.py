"""Makes a small random checkpoint of the original audioldm package; run by the interpreter that has it.

    python audioldm_checkpoint.py WORKER FOLDER

FOLDER holds a tiny RoBERTa, text/; model.yaml and model.ckpt are written beside it. WORKER is the
adapter's worker.py, whose way to the package is taken.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any


def main(worker: Path, folder: Path) -> None:
    """Write the configuration and the checkpoint."""
    import torch
    import yaml
    from audioldm import LatentDiffusion
    from audioldm.utils import default_audioldm_config

    spec = importlib.util.spec_from_file_location("worker", worker)
    assert spec is not None
    assert spec.loader is not None
    module: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module._roberta_from(str(folder / "text"))
    settings: Any = default_audioldm_config("audioldm-s-full")
    parameters = settings["model"]["params"]
    parameters["unet_config"]["params"].update(
        model_channels=32, channel_mult=[1, 2, 2, 2], num_res_blocks=1, num_head_channels=16
    )
    parameters["first_stage_config"]["params"]["ddconfig"].update(ch=32, num_res_blocks=1)
    (folder / "model.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    torch.manual_seed(0)
    model = LatentDiffusion(**{**parameters, "device": "cpu", "cond_stage_key": "text"})
    with torch.no_grad():
        # As made, last layers are zero, every text is nearly the same, and every sound nearly silent.
        for name, parameter in model.named_parameters():
            if parameter.ndim > 1 and name.startswith("model.diffusion_model"):
                parameter.normal_(std=0.3 if "emb" in name else 0.05)
            elif parameter.ndim > 1 and "text_branch" in name:
                parameter.mul_(15)
            elif parameter.ndim > 1 and "vocoder" in name:
                parameter.mul_(2)
    model.model_ema = type(model.model_ema)(model.model)
    torch.save({"state_dict": model.state_dict(), "epoch": 1}, folder / "model.ckpt")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
