"""A model of open_clip, to be exported."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from pmg_onnx.export.duals import TEXT, TOKENIZER, TorchDual
from pmg_onnx.export.image_tower import image_tower
from pmg_onnx.export.open_clip_text import weights
from pmg_onnx.export.tokenizer_file import write_tokenizer
from pmg_onnx.record import Pixels, TextTower
from pmg_open_clip.dual_encoder import load_dual_encoder
from pmg_open_clip.scorer import OpenClipScorer
from pmg_sdk.errors import ModelFolderError
from pmg_transformers.model_folder import ModelFolder

__all__ = ["open_clip_dual"]

PATTERN = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
"""open_clip's words, special tokens apart; upper and lower case alike."""


def open_clip_dual(folder: ModelFolder) -> TorchDual:
    """The open_clip model in `folder`.

    Raises:
        ModelFolderError: files are missing or damaged, or its texts are prepared in an unknown way.
    """
    import torch
    from open_clip.hf_model import HFTextEncoder

    name = str(folder.path)
    found = load_dual_encoder(name, device="cpu")
    model, tokenizer = found.model.float(), found.tokenizer
    tower = getattr(model, "text", None)
    native = tower is None and getattr(model, "text_pool_type", "") in ("argmax", "eos")

    class Text(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, input_ids: torch.Tensor) -> torch.Tensor:
            rows: torch.Tensor = (
                _native_rows(self.model, input_ids) if native else self.model.encode_text(input_ids)
            )
            return torch.nn.functional.normalize(rows, dim=-1)

    class Image(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, pixels: torch.Tensor) -> torch.Tensor:
            rows: torch.Tensor = self.model.encode_image(pixels, normalize=True)
            return rows

    own = _is_own(tokenizer, folder)
    return TorchDual(
        scorer=OpenClipScorer(model=name, device="cpu"),
        text=TextTower(
            graph=TEXT,
            tokenizer=TOKENIZER,
            max_tokens=int(tokenizer.context_length),
            pad=0 if own else tokenizer.tokenizer.pad_token_id,
            masked=False,
            padded=not (native or isinstance(tower, HFTextEncoder)),
            cleaning=_cleaning(tokenizer.clean_fn),
        ),
        text_module=Text().eval(),
        media=image_tower(Image().eval(), _pixels(model.visual.preprocess_cfg)),
        write_tokenizer=partial(_write_own if own else _write_theirs, tokenizer),
        tokens=int(tokenizer.vocab_size) if own else len(tokenizer.tokenizer),
        width=found.width,
        temperature=found.temperature_scale,
        weights=weights(folder.path),
        root=folder.path,
    )


def _native_rows(model: Any, ids: Any) -> Any:
    """`CLIP.encode_text` for texts of any length; the original wants them padded to the whole context."""
    from open_clip.transformer import text_global_pool

    length = ids.shape[1]
    x = model.token_embedding(ids) + model.positional_embedding[:length]
    x = model.ln_final(model.transformer(x, attn_mask=model.attn_mask[:length, :length]))
    x = text_global_pool(x, ids, model.text_pool_type, eos_token_id=model.text_eos_id)
    projection = model.text_projection
    if projection is None:
        return x
    return projection(x) if callable(projection) else x @ projection


def _is_own(tokenizer: Any, folder: ModelFolder) -> bool:
    from open_clip.tokenizer import HFTokenizer, SimpleTokenizer

    if isinstance(tokenizer, SimpleTokenizer) and tokenizer.reduction_fn is None:
        return True
    if isinstance(tokenizer, HFTokenizer) and not (tokenizer.tokenizer_mode or tokenizer.strip_sep_token):
        return False
    raise ModelFolderError(
        f"open_clip's own tokenizer, or a plain one of transformers, was expected in {folder.path}; got "
        f"{type(tokenizer).__name__} with settings that cannot be exported"
    )


def _cleaning(function: Any) -> Any:
    from open_clip.tokenizer import get_clean_fn

    return next(name for name in ("lower", "whitespace", "canonicalize") if get_clean_fn(name) is function)


def _write_theirs(tokenizer: Any, path: Path) -> Path:
    return write_tokenizer(tokenizer.tokenizer, path)


def _write_own(tokenizer: Any, path: Path) -> Path:
    """open_clip's own tokenizer, which is written in Python, as `tokenizers` has it."""
    from tokenizers import AddedToken, Regex, Tokenizer, models, pre_tokenizers, processors

    merges = [pair for pair, _ in sorted(tokenizer.bpe_ranks.items(), key=lambda each: each[1])]
    made = Tokenizer(models.BPE(vocab=tokenizer.encoder, merges=merges, end_of_word_suffix="</w>"))
    words = pre_tokenizers.Split(Regex(f"(?i:{PATTERN})"), behavior="removed", invert=True)
    made.pre_tokenizer = pre_tokenizers.Sequence(
        [words, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    ends = [(tokenizer.decoder[each], each) for each in (tokenizer.sot_token_id, tokenizer.eot_token_id)]
    made.add_special_tokens([AddedToken(token, special=True, normalized=False) for token, _ in ends])
    (start, _), (end, _) = ends
    made.post_processor = processors.TemplateProcessing(single=f"{start} $A {end}", special_tokens=ends)
    made.save(str(path))
    return path


def _pixels(settings: dict[str, Any]) -> Pixels:
    """What `open_clip.transform.image_transform` does with them."""
    size = settings["size"]
    height, width = (size, size) if isinstance(size, int) else (int(size[0]), int(size[1]))
    mode = settings.get("resize_mode") or "shortest"
    resize = {
        "longest": "inside",
        "squash": "exact",
        "shortest": "shortest" if height == width else "outside",
    }
    return Pixels.model_validate(
        {
            "resize": resize[mode],
            "size": (height, width),
            "resample": "bilinear" if settings.get("interpolation") == "bilinear" else "bicubic",
            "crop": None if mode == "squash" else (height, width),
            "fill": settings.get("fill_color") or 0 if mode == "longest" else 0,
            "mean": tuple(settings["mean"]),
            "std": tuple(settings["std"]),
        }
    )
