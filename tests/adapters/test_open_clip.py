"""Scorer and tag captioner on open_clip folders."""

from __future__ import annotations

import json
import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from sample_media import pictures, sound
from tiny_models.dual_encoders import emoji_clip_folder, open_clip_folder

from pmg_open_clip import OpenClipScorer, OpenClipTagCaptioner
from pmg_open_clip.dual_encoder import load_dual_encoder
from pmg_open_clip.source import locate
from pmg_sdk.accelerator import in_batches
from pmg_sdk.errors import CapabilityError, ConfigError, ModelFolderError, OutOfMemory
from pmg_sdk.interfaces import SupportsLoading
from pmg_sdk.media import Image
from pmg_tags.rows import vocabulary_rows
from pmg_tags.vocabulary import Vocabulary

WORDS = {"thing": ["dog face", "red apple", "heart"], "style": ["flat design style", "glossy 3d style"]}


@pytest.fixture(scope="module", autouse=True)
def no_hub() -> object:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
        yield


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PMG_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture(scope="module")
def emoji_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return emoji_clip_folder(tmp_path_factory.mktemp("emoji-clip"))


@pytest.fixture(scope="module")
def classic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return open_clip_folder(tmp_path_factory.mktemp("classic"))


@pytest.fixture
def copy(emoji_clip: Path, tmp_path: Path) -> Path:
    """A copy of the emoji-clip folder that a test may damage."""
    return Path(shutil.copytree(emoji_clip, tmp_path / "copy"))


@pytest.mark.parametrize("kind", ["emoji_clip", "classic"])
def test_scorer_embeds_both_sides_into_one_space_of_unit_rows(
    kind: str, request: pytest.FixtureRequest
) -> None:
    scorer = OpenClipScorer(model=str(request.getfixturevalue(kind)), device="cpu")
    texts = scorer.embed_text(["a dog face", "red apple", ""])
    images = scorer.embed_media(pictures(2))
    assert texts.dtype == images.dtype == np.float32
    assert (texts.shape, images.shape) == ((3, 16), (2, 16))
    np.testing.assert_allclose(np.linalg.norm(np.concatenate([texts, images]), axis=1), 1, atol=1e-5)


def test_embeddings_are_those_of_open_clip_itself(classic: Path) -> None:
    import open_clip

    model, _, preprocess = open_clip.create_model_and_transforms(f"local-dir:{classic}")
    tokens = open_clip.get_tokenizer(f"local-dir:{classic}")(["a dog face", "heart"])
    image = pictures(1)[0]
    with torch.inference_mode():
        texts = model.eval().encode_text(tokens, normalize=True).numpy()
        images = model.encode_image(preprocess(image.to_pil())[None], normalize=True).numpy()
    scorer = OpenClipScorer(model=str(classic), device="cpu")
    np.testing.assert_allclose(scorer.embed_text(["a dog face", "heart"]), texts, atol=1e-6)
    np.testing.assert_allclose(scorer.embed_media([image]), images, atol=1e-6)


def test_text_tower_pools_like_the_padded_original(emoji_clip: Path) -> None:
    import open_clip

    source = locate(str(emoji_clip))
    model = open_clip.create_model(source.name, **source.options).eval()
    padded = open_clip.get_tokenizer(source.name)(["dog", "a red apple"])
    with torch.inference_mode():
        expected = model.encode_text(padded, normalize=True).numpy()
    rows = OpenClipScorer(model=str(emoji_clip), device="cpu").embed_text(["dog", "a red apple"])
    np.testing.assert_allclose(rows, expected, atol=1e-5)


def test_batch_size_and_order_do_not_change_embeddings(emoji_clip: Path) -> None:
    texts = ["dog", "a picture of the laughing cat", "heart", "a red apple", ""]
    one = OpenClipScorer(model=str(emoji_clip), device="cpu", batch_size=1)
    all_at_once = OpenClipScorer(model=str(emoji_clip), device="cpu", batch_size=32)
    np.testing.assert_allclose(one.embed_text(texts), all_at_once.embed_text(texts), atol=1e-5)
    np.testing.assert_allclose(one.embed_media(pictures(5)), all_at_once.embed_media(pictures(5)), atol=1e-5)


@pytest.mark.parametrize("text", ["dog " * 250_000, "\ud83d lone surrogate", "狗 🐶 كلب", " \n\t "])
def test_any_text_is_cut_or_cleaned_and_never_refused(emoji_clip: Path, classic: Path, text: str) -> None:
    for folder in (emoji_clip, classic):
        assert np.isfinite(OpenClipScorer(model=str(folder), device="cpu").embed_text([text])).all()


def test_long_text_counts_as_its_beginning(classic: Path) -> None:
    scorer = OpenClipScorer(model=str(classic), device="cpu")
    rows = scorer.embed_text(["dog " * 30 + "apple", "dog " * 30 + "heart", "dog heart"])
    np.testing.assert_allclose(rows[0], rows[1], atol=1e-6)
    assert np.abs(rows[0] - rows[2]).max() > 1e-3


def test_wide_picture_is_padded_and_not_cropped(emoji_clip: Path) -> None:
    pixels = np.full((20, 60, 3), 255, np.uint8)
    edge = pixels.copy()
    edge[:, :10] = 0
    rows = OpenClipScorer(model=str(emoji_clip), device="cpu").embed_media([Image(pixels), Image(edge)])
    assert np.abs(rows[0] - rows[1]).max() > 1e-4


def test_nothing_in_gives_nothing_out(emoji_clip: Path) -> None:
    scorer = OpenClipScorer(model=str(emoji_clip), device="cpu")
    assert scorer.embed_text([]).shape == scorer.embed_media([]).shape == (0, 16)


def test_loads_on_request_and_two_adapters_share_one_model(emoji_clip: Path) -> None:
    first = OpenClipScorer(model=str(emoji_clip), device="cpu")
    assert isinstance(first, SupportsLoading)
    first.load()
    again = load_dual_encoder(str(emoji_clip), device="cpu")
    assert again is first._loaded()


def test_other_media_are_refused_by_name(emoji_clip: Path) -> None:
    with pytest.raises(CapabilityError, match="Image was expected; got Audio"):
        OpenClipScorer(model=str(emoji_clip), device="cpu").embed_media([sound()])


@pytest.mark.parametrize(
    "missing", ["open_clip_config.json", "open_clip_model.safetensors", "tokenizer.json", "config.json"]
)
def test_missing_file_is_named(copy: Path, missing: str) -> None:
    (copy / missing).unlink()
    with pytest.raises(ModelFolderError, match=missing.replace("open_clip_model", r"\*")):
        OpenClipScorer(model=str(copy), device="cpu").load()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("open_clip_config.json", b"[1"),
        ("open_clip_config.json", b'{"model_cfg": 3}'),
        ("open_clip_config.json", b"[" * 100_000),
        ("config.json", b"nonsense"),
        ("open_clip_model.safetensors", b"cut off"),
    ],
)
def test_damaged_file_is_a_model_folder_error(copy: Path, name: str, content: bytes) -> None:
    (copy / name).write_bytes(content)
    with pytest.raises(ModelFolderError, match="copy"):
        OpenClipScorer(model=str(copy), device="cpu").load()


def test_weights_of_another_architecture_are_refused(copy: Path, classic: Path) -> None:
    shutil.copy(classic / "open_clip_model.safetensors", copy)
    with pytest.raises(ModelFolderError, match="cannot be loaded"):
        OpenClipScorer(model=str(copy), device="cpu").load()


def test_model_that_is_nowhere(tmp_path: Path) -> None:
    with pytest.raises(ModelFolderError, match="Check the path"):
        OpenClipScorer(model=str(tmp_path / "nothing"), device="cpu").load()


def test_architecture_needs_a_known_tag() -> None:
    with pytest.raises(ConfigError, match=r"pretrained=.*openai"):
        locate("ViT-B-32")
    with pytest.raises(ConfigError, match=r"its tags: .*laion2b"):
        locate("ViT-B-32", "opnai")


def test_activation_follows_the_weights() -> None:
    assert locate("ViT-B-32", "openai").options == {"force_quick_gelu": True}
    assert locate("ViT-B-32", "laion2b_s34b_b79k").options == {}


def test_folder_says_which_activation_it_has(tmp_path: Path) -> None:
    plain = open_clip_folder(tmp_path / "plain")
    quick = Path(shutil.copytree(plain, tmp_path / "quick"))
    settings = json.loads((quick / "open_clip_config.json").read_text())
    settings["model_cfg"]["quick_gelu"] = True
    (quick / "open_clip_config.json").write_text(json.dumps(settings))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rows = [OpenClipScorer(model=str(f), device="cpu").embed_text(["dog"]) for f in (plain, quick)]
    assert np.abs(rows[0] - rows[1]).max() > 1e-6


def test_tag_with_a_folder_is_refused(emoji_clip: Path) -> None:
    with pytest.raises(ConfigError, match="Leave pretrained out"):
        OpenClipScorer(model=str(emoji_clip), pretrained="openai").load()


def test_device_that_is_not_there() -> None:
    with pytest.raises(ConfigError, match="device"):
        OpenClipScorer(model="ViT-B-32", pretrained="openai", device="gpu").load()


def test_batches_are_halved_until_they_fit() -> None:
    tried = []

    def run(batch: list[int]) -> list[int]:
        tried.append(len(batch))
        torch.empty(2**50 if len(batch) > 2 else 1, dtype=torch.uint8)
        return [2 * item for item in batch]

    assert in_batches(list(range(10)), run, limit=8) == [2 * item for item in range(10)]
    assert tried == [8, 4, 2, 2, 2, 2, 2]


def test_one_item_that_does_not_fit_is_out_of_memory() -> None:
    with pytest.raises(OutOfMemory, match="batch of one"):
        in_batches([1, 2], lambda batch: [torch.empty(2**50) for _ in batch], limit=2)


def captioner(folder: Path, **options: object) -> OpenClipTagCaptioner:
    return OpenClipTagCaptioner(**{"model": str(folder), "device": "cpu", "vocabulary": WORDS, **options})


def test_caption_is_the_best_word_of_every_attribute(emoji_clip: Path) -> None:
    images = pictures(4)
    scorer = OpenClipScorer(model=str(emoji_clip), device="cpu")
    best = [
        [words[i] for i in (scorer.embed_media(images) @ scorer.embed_text(words).T).argmax(axis=1)]
        for words in WORDS.values()
    ]
    expected = [f"{thing}, {style}" for thing, style in zip(*best, strict=True)]
    assert captioner(emoji_clip).caption(images) == expected


def test_tags_carry_their_share_of_the_softmax(emoji_clip: Path) -> None:
    (tags,) = captioner(emoji_clip, top_k={"thing": 3, "style": 2}).tags(pictures(1))
    assert [tag.attribute for tag in tags] == ["thing"] * 3 + ["style"] * 2
    for attribute in WORDS:
        shares = [tag.share for tag in tags if tag.attribute == attribute]
        assert sum(shares) == pytest.approx(1)
        assert shares == sorted(shares, reverse=True)


def test_words_below_the_threshold_are_not_said(emoji_clip: Path) -> None:
    image = pictures(1)
    (tags,) = captioner(emoji_clip).tags(image)
    above = {tag.attribute: tag.share + 1e-6 for tag in tags}
    assert captioner(emoji_clip, threshold={"style": above["style"]}).caption(image) == [tags[0].text]
    assert captioner(emoji_clip, threshold=1.0, otherwise="a picture").caption(image) == ["a picture"]


def test_silent_words_win_without_being_said(emoji_clip: Path) -> None:
    image = pictures(1)
    (tags,) = captioner(emoji_clip).tags(image)
    thing, style = (tag.text for tag in tags)
    others = [word for word in WORDS["thing"] if word != thing]
    quiet = captioner(emoji_clip, vocabulary={**WORDS, "thing": others}, silent={"thing": [thing]})
    assert quiet.caption(image) == [style]


def test_words_that_tie_are_said_in_the_order_of_the_vocabulary(emoji_clip: Path) -> None:
    same = {"thing": ["red apple", "RED  apple", "red\tapple"]}
    for words in (same["thing"], same["thing"][::-1]):
        assert captioner(emoji_clip, vocabulary={"thing": words}).caption(pictures(2)) == [words[0]] * 2


def test_word_of_two_attributes_is_said_once(emoji_clip: Path) -> None:
    assert captioner(emoji_clip, vocabulary={"thing": ["heart"], "symbol": ["Heart"]}).caption(
        pictures(1)
    ) == ["heart"]


def test_template_is_what_gets_embedded(emoji_clip: Path) -> None:
    scorer = OpenClipScorer(model=str(emoji_clip), device="cpu")
    vocabulary = Vocabulary.made({"tags": WORDS, "template": {"thing": "a picture of {tag}"}}, origin="test")
    rows = vocabulary_rows(vocabulary, scorer)
    np.testing.assert_allclose(rows["thing"][0], scorer.embed_text(["a picture of dog face"])[0], atol=1e-6)
    np.testing.assert_allclose(rows["style"][0], scorer.embed_text(["flat design style"])[0], atol=1e-6)


def test_vocabulary_is_embedded_once_and_kept(emoji_clip: Path, own_cache: Path) -> None:
    expected = captioner(emoji_clip).caption(pictures(2))
    (kept,) = (own_cache / "vocabularies").iterdir()
    written = kept.stat().st_mtime_ns
    assert captioner(emoji_clip).caption(pictures(2)) == expected
    assert kept.stat().st_mtime_ns == written
    kept.write_bytes(b"damaged")
    assert captioner(emoji_clip).caption(pictures(2)) == expected


def test_vocabulary_can_lie_in_the_model_folder(copy: Path) -> None:
    (copy / "tags.json").write_text(json.dumps({"tags": {"thing": ["dog", "cat"]}, "top_k": 2}))
    (caption,) = captioner(copy, vocabulary=None).caption(pictures(1))
    assert sorted(caption.split(", ")) == ["cat", "dog"]
    (caption,) = captioner(copy, vocabulary=None, top_k=1).caption(pictures(1))
    assert caption in ("cat", "dog")


def test_without_any_vocabulary_the_error_says_how_to_give_one(emoji_clip: Path) -> None:
    with pytest.raises(ModelFolderError, match=r"tags\.json.*vocabulary="):
        captioner(emoji_clip, vocabulary=None).caption(pictures(1))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"vocabulary": {}}, "tags"),
        ({"vocabulary": {"thing": []}}, "thing"),
        ({"vocabulary": {"thing": [" "]}}, "thing"),
        ({"threshold": 1.5}, "threshold"),
        ({"top_k": 0}, "top_k"),
        ({"top_k": {"colour": 1}}, "colour"),
        ({"template": "a picture"}, "template of 'thing'"),
    ],
)
def test_malformed_settings_are_refused_at_once(options: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        captioner(Path("unused"), **options)


def test_plugin_offers_both_adapters(emoji_clip: Path) -> None:
    import pmg_open_clip.plugin
    from pmg_sdk.plugins import Registry

    registry = Registry(strict=True)
    registry.register(pmg_open_clip.plugin, "pmg_open_clip")
    scorer = registry.create("scorer", "open-clip", {"model": str(emoji_clip), "device": "cpu"})
    tagger = registry.create(
        "captioner", "open-clip-tags", {"model": str(emoji_clip), "device": "cpu", "vocabulary": WORDS}
    )
    assert len(scorer.embed_text(["dog"])) == len(tagger.caption(pictures(1))) == 1
