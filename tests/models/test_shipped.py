"""The weights that ship are the recorded ones, and load as what they say they are."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pmg_models import folder_of
from pmg_scenarios.emoticons.catalogue import catalogue
from pmg_sdk import Image

ROOT = Path(__file__).resolve().parents[2]
MODELS = ("emoji-diffusion", "emoji-clip", "emoji-soft", "music-diffusion", "music-clap")
RED = Image(np.full((128, 128, 3), (220, 30, 30), dtype=np.uint8))


@pytest.mark.parametrize("name", MODELS)
def test_every_weight_file_has_its_recorded_sha256(name: str) -> None:
    folder = folder_of(name)
    lines = (folder / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    recorded = {path: digest for digest, path in (line.split(maxsplit=1) for line in lines)}
    found = {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*.safetensors")
    }
    assert found
    assert found == recorded


@pytest.mark.parametrize("name", MODELS)
def test_every_json_file_can_be_read(name: str) -> None:
    for path in folder_of(name).rglob("*.json"):
        assert json.loads(path.read_text(encoding="utf-8")), path


def test_the_denoiser_and_the_autoencoder_load_with_stock_diffusers() -> None:
    import diffusers
    import torch

    folder = folder_of("emoji-diffusion")
    unet, unet_report = diffusers.UNet2DConditionModel.from_pretrained(
        folder, subfolder="unet", output_loading_info=True
    )
    vae, vae_report = diffusers.AutoencoderKL.from_pretrained(
        folder, subfolder="vae", output_loading_info=True
    )
    for report in (unet_report, vae_report):
        assert not report["missing_keys"]
        assert not report["unexpected_keys"]
    assert unet.config.in_channels == vae.config.latent_channels
    parameters = [*unet.parameters(), *vae.parameters()]
    assert all(bool(torch.isfinite(parameter).all()) for parameter in parameters)


def test_the_autoencoder_gives_the_scenarios_icons_back() -> None:
    """Mean error over an icon of every style; the figure on all of the art stands in the model card."""
    import diffusers
    import torch

    vae = diffusers.AutoencoderKL.from_pretrained(
        folder_of("emoji-diffusion"), subfolder="vae", torch_dtype=torch.float32
    ).eval()
    one_of_each = {icon.style: icon.name for icon in catalogue().icons}
    icons = [catalogue().image(name, style) for style, name in one_of_each.items()]
    images = [np.asarray(icon.to_pil().resize((128, 128))) for icon in icons]
    assert len(images) >= 2
    pixels = torch.from_numpy(np.stack(images).astype(np.float32) / 127.5 - 1).permute(0, 3, 1, 2)
    with torch.inference_mode():
        again = vae.decode(vae.encode(pixels).latent_dist.mean).sample.clamp(-1, 1)
    assert float((again - pixels).abs().mean()) * 127.5 <= 4


@pytest.mark.slow
def test_the_denoising_loop_agrees_with_the_stock_pipeline_on_the_shipped_model(
    published: Callable[[str], Path],
) -> None:
    """Same embeddings, same noise: from `StableDiffusionPipeline.from_pretrained`, within 2 of 255."""
    import diffusers
    import torch

    from pmg_sdk.interfaces import GenerationRequest
    from pmg_stable_diffusion import StableDiffusionGenerator

    folder = published("pmg:emoji-diffusion")
    generator = StableDiffusionGenerator(
        model=str(folder), device="cpu", steps=4, guidance=4.0, guidance_rescale=0.0, padding=True
    )
    prompt, negative = generator.text_encoder.encode(["cat face, glossy 3D style", ""])
    (own,) = generator.generate([GenerationRequest(seed=7, conditioning=prompt, negative=negative)])
    stock: Any = diffusers.StableDiffusionPipeline.from_pretrained(folder, torch_dtype=torch.float32)
    stock.set_progress_bar_config(disable=True)
    picture = stock(
        prompt_embeds=torch.from_numpy(prompt.embeds)[None],
        negative_prompt_embeds=torch.from_numpy(negative.embeds)[None],
        num_inference_steps=4,
        guidance_scale=4.0,
        generator=torch.Generator().manual_seed(7),
        output_type="np",
    ).images[0]
    assert isinstance(own, Image)
    assert np.abs(own.pixels - picture * 255).max() <= 2


@pytest.mark.slow
def test_the_dual_encoder_loads_with_stock_open_clip_and_embeds_as_the_scorer(
    published: Callable[[str], Path],
) -> None:
    """The two further arguments keep open_clip from asking a hub for the text tower's configuration."""
    import open_clip
    import torch

    from pmg_open_clip import OpenClipScorer

    folder = published("pmg:emoji-clip")
    text = json.loads((folder / "open_clip_config.json").read_text(encoding="utf-8"))["model_cfg"]["text_cfg"]
    model, _, preprocess = open_clip.create_model_and_transforms(
        f"local-dir:{folder}",
        text_cfg={**text, "hf_model_name": str(folder), "hf_model_pretrained": False},
    )
    model = model.eval()
    words = ["red square, glossy 3D style", "crying, sad"]
    with torch.inference_mode():
        texts = model.encode_text(open_clip.get_tokenizer(f"local-dir:{folder}")(words), normalize=True)
        pictures = model.encode_image(preprocess(RED.to_pil())[None], normalize=True)
    scorer = OpenClipScorer(model=str(folder), device="cpu")
    assert np.abs(scorer.embed_text(words) - texts.numpy()).max() < 1e-4
    assert np.abs(scorer.embed_media([RED]) - pictures.numpy()).max() < 1e-4


def test_a_model_that_cannot_be_fetched_skips_a_test_for_people_and_fails_it_in_ci(
    published: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PMG_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    for ci, outcome in (("", pytest.skip.Exception), ("true", pytest.fail.Exception)):
        monkeypatch.setenv("CI", ci)
        with pytest.raises(outcome, match="cannot be fetched"):
            published("pmg:all-minilm-l6-v2")


def test_the_parts_of_the_music_generator_load_with_stock_libraries() -> None:
    import diffusers

    folder = folder_of("music-diffusion")
    parts = {
        "unet": diffusers.UNet2DConditionModel,
        "vae": diffusers.AutoencoderKL,
    }
    for name, kind in parts.items():
        _, report = kind.from_pretrained(folder, subfolder=name, output_loading_info=True)
        assert not report["missing_keys"], name
        assert not report["unexpected_keys"], name


def test_the_music_models_read_text_with_minilm_and_share_their_text_space(
    published: Callable[[str], Path],
) -> None:
    """The scorer's text tower is the generator's: what conditions is what is scored against."""
    import torch
    from transformers import AutoTokenizer, ClapModel, ClapTextModelWithProjection

    clap, diffusion = published("pmg:music-clap"), published("pmg:music-diffusion")
    tokens = AutoTokenizer.from_pretrained(clap)(
        ["piano, jazz", "slow sad music"], return_tensors="pt", padding=True
    )
    inputs = {name: tokens[name] for name in ("input_ids", "attention_mask")}
    with torch.no_grad():
        whole = ClapModel.from_pretrained(clap).get_text_features(**inputs).pooler_output
        half = ClapTextModelWithProjection.from_pretrained(diffusion / "text_encoder")(**inputs).text_embeds
    assert torch.allclose(whole, torch.nn.functional.normalize(half, dim=-1), atol=1e-5)


@pytest.mark.slow
def test_the_music_generator_agrees_with_the_stock_pipeline(published: Callable[[str], Path]) -> None:
    """The same vector, noise and scheduler: the same sound. Its vocoder, no network, is handed over."""
    import diffusers
    import torch
    import transformers
    from diffusers import AudioLDMPipeline

    from pmg_audioldm import AudioLDMGenerator
    from pmg_audioldm.folder import AudioLDMFolder
    from pmg_sdk import Audio, GenerationRequest

    class Handed:
        """A vocoder with the settings that the stock pipeline looks up."""

        def __init__(self, vocoder: Any, config: SimpleNamespace) -> None:
            self.vocoder, self.config = vocoder, config

        def __call__(self, mel: Any) -> Any:
            return self.vocoder(mel)

    folder = published("pmg:music-diffusion")
    generator = AudioLDMGenerator(model=str(folder), device="cpu")
    prompt, empty = generator.text_encoder.encode(["harp, waltz, slow calm music", ""])
    (ours,) = generator.generate([GenerationRequest(seed=5, conditioning=prompt, steps=4, guidance=2.0)])
    assert isinstance(ours, Audio)
    parts = AudioLDMFolder.locate(str(folder))
    vocoder = Handed(parts.griffin_lim, SimpleNamespace(**parts.vocoder))
    stock = AudioLDMPipeline(
        unet=diffusers.UNet2DConditionModel.from_pretrained(folder / "unet").float(),
        vae=diffusers.AutoencoderKL.from_pretrained(folder / "vae").float(),
        text_encoder=transformers.ClapTextModelWithProjection.from_pretrained(folder / "text_encoder"),
        tokenizer=transformers.AutoTokenizer.from_pretrained(folder / "tokenizer"),
        scheduler=diffusers.DPMSolverMultistepScheduler.from_pretrained(folder / "scheduler"),
        vocoder=vocoder,
    )
    stock.set_progress_bar_config(disable=True)
    assert prompt.pooled is not None
    assert empty.pooled is not None
    made = stock(
        prompt_embeds=torch.from_numpy(prompt.pooled)[None],
        negative_prompt_embeds=torch.from_numpy(empty.pooled)[None],
        num_inference_steps=4,
        guidance_scale=2.0,
        audio_length_in_s=4.0,
        generator=torch.Generator().manual_seed(5),
    ).audios[0]
    theirs = Audio.from_waveform(made, ours.sample_rate)
    assert np.abs(ours.waveform - theirs.waveform).max() <= 2e-3


@pytest.mark.slow
def test_a_listener_hears_what_was_asked_for(published: Callable[[str], Path]) -> None:
    """The judge, which had no part in training, on six held-out combinations; chance is one in twenty."""
    from pmg_audioldm import AudioLDMGenerator
    from recipes.music.evaluate import make, test_pieces, waveforms
    from recipes.music.pieces import labels
    from recipes.music.recogniser import Judge

    pieces = test_pieces(6)
    generator = AudioLDMGenerator(model=str(published("pmg:music-diffusion")), device="cpu")
    right = Judge(ROOT / "recipes" / "music" / "judge" / "recogniser.safetensors").accuracy(
        waveforms(make(generator, pieces)), labels(pieces)
    )
    assert right["instrument"] >= 5 / 6
    assert right["tempo"] >= 5 / 6
    assert right["mood"] >= 4 / 6
