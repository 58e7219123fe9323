"""E_m of a frozen LLM: what it reads, what it leaves alone, and what a checkpoint must fit."""

from __future__ import annotations

import gc
import json
import shutil
import warnings
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_models.language_models import llama_folder

from pmg_sdk.conditioning import Conditioning, join
from pmg_sdk.errors import ModelFolderError, StorageError
from pmg_sdk.interfaces import Chat, SupportsLoading
from pmg_transformers.language_model import TransformersLanguageModel
from pmg_transformers.shared_model import shared_causal_model
from pmg_transformers.soft_preference import checkpoint as checkpoints
from pmg_transformers.soft_preference.checkpoint import JSON_FILE, SoftCheckpoint
from pmg_transformers.soft_preference.encoder import TransformersSoftPreferenceEncoder
from pmg_transformers.soft_preference.llm_print import LLMPrint
from pmg_transformers.soft_preference.soft_form import conditionings, joined, one_vector, pulled_back
from pmg_transformers.soft_preference.soft_tokens import Shape, SoftTokens, prompt_ids, prompt_rows

SHAPE = Shape(tokens=2, prefix=3, width=5)
VECTOR = Shape(tokens=2, prefix=3, width=5, length=1.5)
PROMPTS = ("The user likes: cat", "The user likes: dog, frog, robot and glossy 3D style\n- sleepy", "", "cat")

GOLDEN = [
    -0.125773,
    -0.522671,
    -1.43338,
    1.051993,
    1.283644,
    0.256988,
    -0.447305,
    0.590054,
    -1.043083,
    -0.550485,
    0.114352,
    -1.725523,
]
"""Hidden states at m of two prompts, three values each, with the fixed values of the test below."""

Encoder = Callable[..., TransformersSoftPreferenceEncoder]


def same_weights(llm: Path) -> Any:
    return shared_causal_model(str(llm), device="cpu", dtype="float32")


def checkpoint_of(llm: Path, shape: Shape = SHAPE, *, seed: int = 1) -> SoftCheckpoint:
    shared = same_weights(llm)
    return SoftCheckpoint(
        llm=str(llm),
        llm_print=LLMPrint.of(shared.model),
        space="toy-5",
        scenario="reference",
        tokens=shape.tokens,
        prefix=shape.prefix,
        values=SoftTokens(shared.model, shape, seed=seed).values(),
        length=shape.length,
        recipe={"steps": 3},
        measures={"validation_loss": 0.5},
        progress={"step": 3},
        state={"now.m": torch.ones(2, 3)},
    )


@pytest.fixture(scope="module")
def llm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return llama_folder(tmp_path_factory.mktemp("llm"), context=64)


@pytest.fixture(scope="module")
def saved(llm: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return checkpoint_of(llm).save(tmp_path_factory.mktemp("soft"))


@pytest.fixture
def encoder(saved: Path) -> Encoder:
    def make(model: Path = saved, **options: Any) -> TransformersSoftPreferenceEncoder:
        return TransformersSoftPreferenceEncoder(model=str(model), device="cpu", **options)

    return make


def test_every_prompt_gives_as_many_tokens_as_were_trained(encoder: Encoder) -> None:
    soft = encoder()
    assert isinstance(soft, SupportsLoading)
    assert (soft.space, soft.scenario) == ("toy-5", "reference")
    assert soft._loaded.value is None, "what the JSON states needs no weights"
    found = soft.encode(PROMPTS)
    assert [(part.embeds.shape, part.embeds.dtype, part.space) for part in found] == [
        ((2, 5), np.dtype(np.float32), "toy-5")
    ] * len(PROMPTS)
    assert all(np.isfinite(part.embeds).all() for part in found)
    assert not np.allclose(found[0].embeds, found[1].embeds, atol=1e-3)
    assert soft.encode([]) == []


@pytest.mark.parametrize("prefix", [3, 0])
def test_batches_and_padding_on_the_left_change_nothing_and_order_is_kept(
    encoder: Encoder, llm: Path, tmp_path: Path, prefix: int
) -> None:
    folder = checkpoint_of(llm, Shape(2, prefix, 5)).save(tmp_path)
    together = encoder(folder).encode(PROMPTS)
    in_twos = encoder(folder, batch_size=2).encode(PROMPTS)
    backwards = encoder(folder).encode(PROMPTS[::-1])[::-1]
    for place, prompt in enumerate(PROMPTS):
        (alone,) = encoder(folder).encode([prompt])
        for other in (together, in_twos, backwards):
            assert np.abs(alone.embeds - other[place].embeds).max() < 1e-5


def test_for_generators_that_take_one_vector_tokens_become_one_of_its_length(
    encoder: Encoder, llm: Path, tmp_path: Path
) -> None:
    """The mean of what the same values give as tokens, as long as the space's vectors are."""
    found = encoder(checkpoint_of(llm, VECTOR).save(tmp_path / "vector")).encode(PROMPTS)
    for vector, tokens in zip(found, encoder().encode(PROMPTS), strict=True):
        mean = tokens.embeds.mean(axis=0)
        assert vector.pooled is not None
        assert (vector.embeds.shape, vector.pooled.dtype, vector.space) == ((0, 5), np.float32, "toy-5")
        assert np.allclose(vector.pooled, 1.5 * mean / np.linalg.norm(mean), atol=1e-5)
    exported = SoftCheckpoint.load(tmp_path / "vector").exported().save(tmp_path / "exported")
    for one, other in zip(found, encoder(exported).encode(PROMPTS), strict=True):
        assert one.pooled is not None
        assert other.pooled is not None
        assert np.allclose(one.pooled, other.pooled, atol=1e-2)
        assert abs(np.linalg.norm(other.pooled) - 1.5) < 1e-5


def test_a_checkpoint_of_tokens_is_written_as_before_there_were_vectors(saved: Path) -> None:
    """So that what was written then is read now, and what is written now by who knows tokens alone."""
    stated = json.loads((saved / JSON_FILE).read_text())
    assert stated["format"] == 1
    assert not stated.keys() & {"conditioning", "length"}


@pytest.mark.parametrize("width", [5, 512])
def test_vectors_are_joined_in_training_as_in_the_pipeline(width: int) -> None:
    random = np.random.default_rng(width)
    none = np.zeros((0, width), np.float32)

    def part(length: float) -> Conditioning:
        return Conditioning(none, "toy", (length * random.standard_normal(width)).astype(np.float32))

    beside = [[], [part(0.2)], [part(3.0), part(1.0)], [Conditioning(none, "toy"), part(1.0)]]
    E_m = torch.from_numpy(random.standard_normal((len(beside), width)).astype(np.float32))
    in_training = joined(E_m, beside).numpy()
    own = conditionings(E_m, "toy")
    for row, one, others in zip(in_training, own, beside, strict=True):
        in_pipeline = join([(each, 1.0) for each in (one, *others)]).pooled
        assert in_pipeline is not None
        assert np.allclose(row, in_pipeline, rtol=1e-5, atol=1e-6 * np.abs(in_pipeline).max())


def test_the_gradient_of_a_join_is_its_slope() -> None:
    random = np.random.default_rng(0)
    none = np.zeros((0, 5), np.float32)
    vectors = [Conditioning(none, "toy", random.standard_normal(5).astype(np.float32)) for _ in range(3)]
    beside = [[], vectors[:1], vectors[1:]]
    states = torch.from_numpy(random.standard_normal((3, 2, 5))).requires_grad_()
    assert torch.autograd.gradcheck(lambda E: joined(one_vector(E, 1.5), beside), states)


@pytest.mark.parametrize("shape", [(2, 5), (5,)], ids=["tokens", "vector"])
def test_a_generators_gradient_comes_back_through_the_join_of_the_pipeline(shape: tuple[int, ...]) -> None:
    """For a loss that is g . E^p, where E^p is `conditioning.join` of E_m and keywords."""
    random = np.random.default_rng(3)

    def drawn(*size: int) -> Any:
        return random.standard_normal(size).astype(np.float32)

    beside = [[Conditioning(drawn(3, 5), "toy", drawn(5)), Conditioning(drawn(1, 5), "toy", drawn(5))], []]
    start, directions = drawn(2, *shape), [drawn(6, 5), drawn(6, 5)]

    def joint(values: Any) -> list[Conditioning]:
        rows = zip(conditionings(torch.from_numpy(values), "toy"), beside, strict=True)
        return [join([(part, 1.0) for part in (own, *known)]) for own, known in rows]

    def loss(values: Any) -> float:
        """Of tokens or of vectors, whichever E_m is."""
        made = zip(joint(values), directions, strict=True)
        if len(shape) == 2:
            return float(sum((each.embeds * g[: each.tokens]).sum() for each, g in made))
        return float(sum(each.pooled @ g[5] for each, g in made if each.pooled is not None))

    slopes = [
        Conditioning(g[: each.tokens], "toy", g[5]) for each, g in zip(joint(start), directions, strict=True)
    ]
    E_m = torch.from_numpy(start.copy()).requires_grad_()
    (found,) = torch.autograd.grad(pulled_back(E_m, beside, slopes), E_m)
    for place in np.ndindex(start.shape):
        ends = []
        for step in (0.02, -0.02):
            moved = start.copy()
            moved[place] += step
            ends.append(loss(moved))
        assert float(found[place]) == pytest.approx((ends[0] - ends[1]) / 0.04, rel=0.02, abs=2e-3)


def test_of_a_prompt_that_is_too_long_the_middle_is_left_out(encoder: Encoder, llm: Path) -> None:
    shared = same_weights(llm)
    long = "Principle. " + "dog, frog, " * 100 + "newest"
    ids = prompt_ids(long, shared, SHAPE)
    assert len(ids) == 64 - SHAPE.tokens - SHAPE.prefix
    text = shared.tokenizer.decode(ids)
    assert text.startswith("Principle.")
    assert text.endswith("newest")
    assert encoder().encode([long])[0].embeds.shape == (2, 5)


def test_lone_surrogates_are_read_as_question_marks(encoder: Encoder) -> None:
    one, other = encoder().encode(["a \ud83d", "a ?"])
    assert np.abs(one.embeds - other.embeds).max() < 1e-6


def test_prefix_m_and_map_all_have_a_say(encoder: Encoder, llm: Path, tmp_path: Path) -> None:
    (before,) = encoder().encode(["cat"])
    for name in ("m", "prefix", "map.weight", "map.bias"):
        kept = checkpoint_of(llm)
        changed = SoftCheckpoint(**{**vars(kept), "values": {**kept.values, name: kept.values[name] + 0.5}})
        (after,) = encoder(changed.save(tmp_path / name)).encode(["cat"])
        assert np.abs(after.embeds - before.embeds).max() > 1e-3, name


def test_hidden_states_are_those_on_record(llm: Path) -> None:
    """A cache that transformers or PEFT hand over in another form would change them, and nothing else."""
    shared = same_weights(llm)
    soft = SoftTokens(shared.model, SHAPE)
    soft.set_values(
        {
            "m": torch.linspace(-0.5, 0.5, 2 * 48).reshape(2, 48),
            "prefix": torch.linspace(-1.0, 1.0, 3 * 96).reshape(3, 96).cos(),
            "map.weight": torch.zeros(5, 48),
            "map.bias": torch.zeros(5),
        }
    )
    rows = [prompt_ids(prompt, shared, SHAPE) for prompt in PROMPTS[:2]]
    with torch.inference_mode():
        states = soft.hidden(*prompt_rows(rows, device="cpu"))
    assert states.shape == (2, 2, 48)
    assert states[:, :, :3].flatten().tolist() == pytest.approx(GOLDEN, abs=1e-5)


def test_attaching_soft_tokens_changes_no_answer_of_the_llm(llm: Path, encoder: Encoder) -> None:
    bare = TransformersLanguageModel(model=str(llm), device="cpu", prefix_mib=0)
    chats: list[Chat] = [[{"role": "user", "content": text}] for text in ("Which?", "cat or dog?")]
    model = bare._parts()[0]
    ids = torch.arange(12)[None]
    with torch.inference_mode():
        logits = model(ids).logits
    answers, ratings = bare.complete(chats, max_tokens=6), bare.choose(chats, ["cat", "dog, frog"])
    soft = encoder()
    soft.encode(PROMPTS)
    with torch.inference_mode():
        assert torch.equal(model(ids).logits, logits)
    assert bare.complete(chats, max_tokens=6) == answers
    assert bare.choose(chats, ["cat", "dog, frog"]) == ratings
    soft.encode(PROMPTS[:1])


def test_llm_and_soft_tokens_share_one_copy_which_goes_with_the_last(llm: Path, saved: Path) -> None:
    writer = TransformersLanguageModel(model=str(llm), device="cpu")
    soft = TransformersSoftPreferenceEncoder(model=str(saved), device="cpu")
    soft.load()
    assert soft._loaded.value is not None
    model = writer._parts()[0]
    assert soft._loaded.value.llm.model is model
    assert soft._loaded.value.soft._words[0] is model.get_input_embeddings()
    left = weakref.ref(model)
    del model, writer
    gc.collect()
    assert left() is not None
    assert np.isfinite(soft.encode(["cat"])[0].embeds).all()
    del soft
    gc.collect()
    assert left() is None


def test_attaching_says_nothing(llm: Path, capfd: pytest.CaptureFixture[str]) -> None:
    shared = same_weights(llm)
    capfd.readouterr()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        soft = SoftTokens(shared.model, SHAPE)
        soft(*prompt_rows([[1, 2]], device="cpu"))
    assert capfd.readouterr() == ("", "")


def test_first_values_begin_near_the_text_space(llm: Path) -> None:
    shared = same_weights(llm)
    soft = SoftTokens(shared.model, SHAPE)
    known = torch.randn(200, 5, generator=torch.Generator().manual_seed(0)) * 3 + torch.arange(5)
    rows = prompt_rows([prompt_ids(prompt, shared, SHAPE) for prompt in PROMPTS], device="cpu")
    soft.aim(*rows, known)
    E_m = soft(*rows).detach().flatten(0, 1)
    assert torch.allclose(E_m.mean(0), known.mean(0), atol=1e-3)
    assert float(E_m.std()) < float(known.std())


def test_first_vectors_begin_near_the_text_space_though_there_be_one_prompt_and_one_text(llm: Path) -> None:
    shared = same_weights(llm)
    known = torch.nn.functional.normalize(torch.arange(5.0)[None], dim=-1)
    rows = prompt_rows([prompt_ids(PROMPTS[0], shared, VECTOR)], device="cpu")
    soft = SoftTokens(shared.model, VECTOR)
    soft.aim(*rows, known)
    assert torch.allclose(soft(*rows), 1.5 * known, atol=1e-3)
    other = soft(*prompt_rows([prompt_ids(PROMPTS[1], shared, VECTOR)], device="cpu")).detach()
    assert 0.1 < float((other - 1.5 * known).norm()) < 3


@pytest.mark.parametrize("shape", [SHAPE, VECTOR])
def test_a_checkpoint_comes_back_as_it_was_saved(llm: Path, tmp_path: Path, shape: Shape) -> None:
    stored = checkpoint_of(llm, shape)
    stored.save(tmp_path)
    found = SoftCheckpoint.load(tmp_path)
    tensors = ("values", "state")
    for name in tensors:
        one, other = getattr(stored, name), getattr(found, name)
        assert one.keys() == other.keys()
        assert all(torch.equal(value, other[key]) for key, value in one.items())
    plain = [{k: v for k, v in vars(each).items() if k not in tensors} for each in (stored, found)]
    assert plain[0] == plain[1]
    assert len(list(tmp_path.iterdir())) == 2


def test_a_checkpoint_replaces_the_one_before(llm: Path, tmp_path: Path) -> None:
    checkpoint_of(llm).save(tmp_path)
    checkpoint_of(llm, seed=2).save(tmp_path)
    assert len(list(tmp_path.iterdir())) == 2
    assert torch.equal(SoftCheckpoint.load(tmp_path).values["m"], checkpoint_of(llm, seed=2).values["m"])


def test_a_checkpoint_that_cannot_be_written_leaves_the_one_before(
    llm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint_of(llm).save(tmp_path)

    def full(path: Path, value: object) -> None:
        raise StorageError(f"cannot write {path}: No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(checkpoints, "write_json", full)
        with pytest.raises(StorageError):
            checkpoint_of(llm, seed=2).save(tmp_path)
    assert torch.equal(SoftCheckpoint.load(tmp_path).values["m"], checkpoint_of(llm).values["m"])


def test_an_export_is_smaller_and_agrees(encoder: Encoder, llm: Path, saved: Path, tmp_path: Path) -> None:
    exported = SoftCheckpoint.load(saved).exported()
    exported.save(tmp_path)
    found = SoftCheckpoint.load(tmp_path)
    assert (found.progress, found.state) == ({}, {})
    assert {value.dtype for value in found.values.values()} == {torch.float16}
    for one, other in zip(encoder().encode(PROMPTS), encoder(tmp_path).encode(PROMPTS), strict=True):
        assert np.abs(one.embeds - other.embeds).max() < 1e-2


@pytest.fixture
def damaged(saved: Path, tmp_path: Path) -> Path:
    """A copy that a test may damage."""
    return Path(shutil.copytree(saved, tmp_path / "soft"))


def weights_of(folder: Path) -> Path:
    (file,) = folder.glob("*.safetensors")
    return file


def edit(folder: Path, **changes: Any) -> None:
    path = folder / JSON_FILE
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def retensor(folder: Path, change: Callable[[dict[str, torch.Tensor]], None]) -> None:
    tensors = load_file(weights_of(folder))
    change(tensors)
    save_file(tensors, weights_of(folder))


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda f: (f / JSON_FILE).unlink(), JSON_FILE),
        (lambda f: (f / JSON_FILE).write_text("{"), JSON_FILE),
        (lambda f: (f / JSON_FILE).write_text("{}"), "format 1 or 2 was expected"),
        (lambda f: edit(f, format=3), "it states 3"),
        (lambda f: edit(f, format=2), "no soft preference checkpoint"),
        (lambda f: edit(f, format=2, conditioning="pooled", length=0), "length above 0"),
        (lambda f: edit(f, format=2, conditioning="text", length=1), "'pooled' was expected"),
        (lambda f: edit(f, tokens="many"), "no soft preference checkpoint"),
        (lambda f: edit(f, llm_print={}), "no soft preference checkpoint"),
        (lambda f: edit(f, weights="../elsewhere.safetensors"), "names no safetensors file"),
        (lambda f: edit(f, weights="model.bin"), "names no safetensors file"),
        (lambda f: weights_of(f).unlink(), "cannot be read"),
        (lambda f: weights_of(f).write_bytes(weights_of(f).read_bytes()[:300]), "cannot be read"),
        (lambda f: retensor(f, lambda t: t.pop("values.map.weight")), "no linear map"),
        (lambda f: retensor(f, lambda t: t.pop("values.m")), "it holds none"),
        (lambda f: edit(f, tokens=7), "hold m of shape"),
        (lambda f: edit(f, prefix=7), "hold prefix of shape"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_damaged_checkpoint_is_an_error(
    damaged: Path, encoder: Encoder, damage: Callable[[Path], object], told: str
) -> None:
    damage(damaged)
    with pytest.raises(ModelFolderError, match=told):
        encoder(damaged).encode(["cat"])


@pytest.mark.parametrize("change", ["weights", "sizes"])
def test_another_llm_than_the_one_trained_with_is_refused(
    encoder: Encoder, llm: Path, tmp_path: Path, change: str
) -> None:
    other = llama_folder(tmp_path / "other", seed=3)
    if change == "sizes":
        from transformers import AutoModelForCausalLM

        smaller = AutoModelForCausalLM.from_pretrained(other)
        smaller.resize_token_embeddings(320)
        smaller.save_pretrained(other)
    with pytest.raises(ModelFolderError, match=r"(weights|vocabulary) differ.*Name the LLM that its JSON"):
        encoder(llm=str(other)).load()


def test_the_llm_may_have_moved_and_may_be_read_in_another_precision(
    encoder: Encoder, llm: Path, tmp_path: Path
) -> None:
    moved = shutil.copytree(llm, tmp_path / "moved")
    (expected,) = encoder().encode(["cat"])
    (found,) = encoder(llm=str(moved)).encode(["cat"])
    assert np.abs(found.embeds - expected.embeds).max() < 1e-6
    (rough,) = encoder(llm=str(moved), dtype="bfloat16").encode(["cat"])
    assert np.abs(rough.embeds - expected.embeds).max() < 0.2 * np.abs(expected.embeds).max()
