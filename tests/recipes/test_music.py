"""The music recipe: what is composed, what is held out, and what is said of a piece."""

from __future__ import annotations

import sys
from collections.abc import Callable
from itertools import product
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from pmg_audioldm.log_mel import LogMel as AdapterLogMel
from pmg_audioldm.log_mel import MelSettings
from recipes.music import corpus
from recipes.music.caption_pool import CaptionPool
from recipes.music.captions import ANY, Caption, joint_captions, preference_captions, scene_captions
from recipes.music.compose import BPM, DRUMS, KICK, LEAD, SECONDS, Piece, compose
from recipes.music.contrast import SHARPEST, Captions, contrast, true_of
from recipes.music.export import MEL
from recipes.music.frechet import frechet
from recipes.music.mel import HOP, MELS, LogMel
from recipes.music.pieces import VALUES, held_out, is_held_out, labels, sampled
from recipes.music.recogniser import Recogniser
from recipes.music.recording import noise_floor, spoilt
from recipes.music.render import LENGTH, RATE
from recipes.music.selection import tastes
from recipes.music.spectrogram_loss import liveliness
from recipes.music.train import corpus_stage, stages


def test_the_same_piece_gives_the_same_notes_and_another_seed_gives_others() -> None:
    piece = Piece("piano", "jazz", "cheerful", "fast", 7)
    assert compose(piece) == compose(piece)
    assert compose(piece) != compose(Piece("piano", "jazz", "cheerful", "fast", 8))


@pytest.mark.parametrize("combination", sampled(40, seed=3))
def test_every_combination_has_a_lead_from_the_first_beat_to_the_last(combination: Piece) -> None:
    notes = compose(combination)
    lead = [note for note in notes if note.channel == LEAD]
    assert lead[0].start < 0.1
    assert lead[-1].start > SECONDS - 3 * 60 / BPM[combination.tempo][0]
    assert all(21 <= note.pitch <= 108 and 1 <= note.velocity <= 127 for note in notes)


@pytest.mark.parametrize(
    ("tempo", "beats"), [("slow", (3.8, 5)), ("medium", (6.5, 7.7)), ("fast", (10.3, 12.1))]
)
def test_a_tempo_is_how_many_beats_there_are(tempo: str, beats: tuple[float, float]) -> None:
    for seed in range(5):
        notes = compose(Piece("piano", "electronic", "cheerful", tempo, seed))
        kicks = [note.start for note in notes if note.channel == DRUMS and note.pitch == KICK]
        assert beats[0] <= SECONDS / float(np.median(np.diff(kicks))) <= beats[1]


def test_classical_music_has_no_drums() -> None:
    assert not any(note.channel == DRUMS for note in compose(Piece("harp", "classical", "calm", "slow", 1)))


def test_no_piece_that_is_trained_on_is_held_out_and_every_value_is_in_both() -> None:
    trained, unseen = sampled(4000, seed=1), sampled(700, seed=4, unseen=True)
    assert not any(is_held_out(p.instrument, p.genre, p.mood) for p in trained)
    assert all(is_held_out(p.instrument, p.genre, p.mood) for p in unseen)
    for pieces in (trained, unseen):
        for column, name in enumerate(VALUES):
            assert set(labels(pieces)[:, column]) == set(range(len(VALUES[name])))
    assert len({(p.instrument, p.genre, p.mood, p.tempo) for p in unseen}) == len(held_out())


def test_sets_share_no_rendering() -> None:
    seeds = [piece.seed for seed in (1, 2, 5) for piece in sampled(300, seed=seed, unseen=None)]
    assert len(set(seeds)) == len(seeds)


@pytest.mark.parametrize("captions", [preference_captions(), scene_captions(), joint_captions()])
def test_a_text_asks_for_one_thing_only(captions: list[Caption]) -> None:
    asked: dict[str, tuple[int, ...]] = {}
    for text, wanted in captions:
        assert asked.setdefault(text, wanted) == wanted
        assert any(place != ANY for place in wanted)


def test_captions_cover_every_pair_they_may_have_to_say() -> None:
    pairs = {asked[:2] for _, asked in preference_captions()}
    assert pairs >= set(product(range(len(VALUES["instrument"])), range(len(VALUES["genre"]))))
    scenes = {asked[2:] for _, asked in scene_captions()}
    assert scenes >= set(product(range(len(VALUES["mood"])), range(len(VALUES["tempo"]))))


def test_a_drawn_caption_says_what_it_may_and_nothing_else() -> None:
    captions = preference_captions()
    pool = CaptionPool(captions, torch.device("cpu"))
    labels = torch.tensor([[3, 2, 1, 0]] * 40 + [[19, 6, 4, 2]] * 40)
    keep = torch.tensor([[True, True, False, False], [True, False, False, False]] * 40)
    drawn = pool.drawn(labels, keep)
    assert torch.equal(pool.asked[drawn], torch.where(keep, labels, ANY))
    assert len({captions[number][0] for number in drawn.tolist()}) > 8  # wordings vary


def test_a_caption_is_true_of_what_has_all_it_asks_for() -> None:
    clips = torch.tensor([[0, 1, 2, 0], [0, 3, 2, 1]])
    asked = torch.tensor([[0, ANY, ANY, ANY], [0, 1, ANY, ANY], [ANY, ANY, 2, 1]])
    assert true_of(clips, asked).tolist() == [[True, True, False], [True, False, True]]


def test_training_hears_the_spectrogram_that_the_adapter_states() -> None:
    waveform = torch.randn(2, LENGTH, generator=torch.Generator().manual_seed(0)) * 0.1
    ours = LogMel()(waveform)
    theirs = AdapterLogMel(MelSettings.model_validate(MEL), RATE, HOP, MELS)(waveform)[:, : LENGTH // HOP]
    assert torch.allclose(ours, theirs, atol=2e-3)


def test_the_distance_of_a_set_to_itself_is_zero_and_grows_with_a_shift() -> None:
    a = np.random.default_rng(0).normal(size=(400, 6))
    assert frechet(a, a) == pytest.approx(0, abs=1e-8)
    assert frechet(a, a + 2) == pytest.approx(6 * 4, rel=1e-6)
    assert frechet(a, 3 * a) == pytest.approx(
        4 * np.trace(np.cov(a.T)) + 4 * (a.mean(0) ** 2).sum(), rel=1e-6
    )


def test_the_judge_hears_no_difference_in_loudness() -> None:
    judge = Recogniser().eval()
    waveform = torch.randn(1, LENGTH, generator=torch.Generator().manual_seed(0)) * 0.1
    loud, soft = (judge.features(judge.spectrogram(waveform * gain)) for gain in (1.0, 0.25))
    assert torch.allclose(loud, soft, atol=1e-3)


def test_the_floor_that_spoils_a_spectrogram_is_that_of_white_noise() -> None:
    judge = Recogniser()
    noise = torch.randn(4, LENGTH, generator=torch.Generator().manual_seed(0))
    power = judge.log_mel(noise).exp().mean((0, 1)).log()
    assert torch.allclose(power[4:], noise_floor(judge.bank, judge.window)[4:], atol=0.15)


def test_a_spoilt_spectrogram_is_the_same_piece_from_another_start() -> None:
    torch.manual_seed(0)
    frames = torch.arange(64.0)[None, :, None].expand(2, 64, 20)
    made = spoilt(frames, torch.full((20,), -40.0), latest=10)
    tilt = made - frames
    assert torch.allclose(tilt[:, :50], tilt[:, :1].expand(-1, 50, -1), atol=1e-4)
    assert not torch.allclose(made, spoilt(frames, torch.full((20,), -40.0), latest=10))


def test_liveliness_asks_for_strong_edges_and_not_for_their_place() -> None:
    mel = torch.randn(1, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    blurred = torch.nn.functional.avg_pool2d(mel, 5, 1, 2)
    assert float(liveliness(mel, mel)) == 0
    assert liveliness(blurred, mel) > 3 * liveliness(mel.roll(1, 2), mel)


@pytest.mark.parametrize("gpus", [0, 1, 2, 4])
def test_the_plans_train_every_part_that_export_needs(gpus: int) -> None:
    options = SimpleNamespace(data=Path("d"), text=Path("t"), font=Path("f"), gpus=gpus, scale=1.0, clips=9)
    names = [stage.result.parent.name for chain in stages(options) for stage in chain]  # type: ignore[arg-type]
    assert {"vae", "decoder", "unet", "clap", "ear", "recogniser"} == {*names} - {"corpus"}


def test_agreeing_with_every_clip_a_text_is_true_of_loses_least() -> None:
    text = torch.eye(2)
    fits, scale = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]), torch.tensor(2.0)
    right, half, wrong = (text[list(heard)] for heard in ((0, 0, 1), (0, 1, 1), (1, 1, 0)))
    losses = [float(contrast(clips, text, fits, scale)) for clips in (right, half, wrong)]
    assert losses == sorted(losses)
    assert losses[2] > 4 * losses[0]
    sharpest = [float(contrast(right, text, fits, torch.tensor(scale))) for scale in (SHARPEST, 9.0)]
    assert sharpest[0] == sharpest[1]


def test_sets_are_rendered_in_the_order_that_a_stage_waits_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    rendered: list[str] = []
    monkeypatch.setattr(corpus, "render", lambda name, *_: rendered.append(name))
    options = SimpleNamespace(data=tmp_path, font=Path("f"), clips=9)
    stage = corpus_stage(options, "seen", "scorer", "judge")  # type: ignore[arg-type]
    monkeypatch.setattr(sys, "argv", ["corpus", *map(str, stage.arguments)])
    corpus.main()
    assert rendered == ["seen", "scorer", "judge"]
    assert stage.result.name == "judge-labels.npy"


def test_listeners_next_to_each_other_differ_in_instrument_and_genre() -> None:
    users = tastes(20)
    assert all(
        a.instrument != b.instrument and a.genre != b.genre
        for a, b in zip(users, [*users[1:], users[0]], strict=True)
    )
    assert len({user.instrument for user in users}) == 20


def test_captions_of_a_batch_are_true_of_their_clips_and_every_clip_has_one(
    published: Callable[[str], Path],
) -> None:
    from recipes.music.dual_encoder import make_clap

    folder = published("pmg:all-minilm-l6-v2")
    captions = Captions(make_clap(folder).eval(), folder, torch.device("cpu"))
    clips = torch.tensor([[k % 20, k % 7, k % 5, k % 3] for k in range(40)])
    number, asked = captions.drawn(clips)
    assert torch.equal(captions.asked[number], asked)
    assert len(number) == 60
    fits = true_of(clips, asked)
    owners = [*range(20), *range(10, 30), *range(20, 40)]
    assert fits[owners, torch.arange(60)].all()
    assert not fits.all()


def test_the_text_tower_gives_the_hidden_states_of_minilm(published: Callable[[str], Path]) -> None:
    from transformers import BertModel

    from recipes.music.dual_encoder import make_clap, text_ids

    folder = published("pmg:all-minilm-l6-v2")
    ids = text_ids(folder, ["piano, jazz", "a very slow and sad music with bells"])
    mask = (ids > 0).long()
    bert = BertModel.from_pretrained(folder, add_pooling_layer=False).eval()
    with torch.no_grad():
        ours = make_clap(folder).text_model.eval()(ids, attention_mask=mask).last_hidden_state
        theirs = bert(ids, attention_mask=mask).last_hidden_state
    assert torch.allclose(ours * mask[..., None], theirs * mask[..., None], atol=1e-4)


def test_the_part_that_is_trained_ends_where_the_whole_text_tower_does(
    published: Callable[[str], Path],
) -> None:
    from recipes.music.dual_encoder import embed_texts, make_clap, project_texts, read_texts, text_ids

    folder = published("pmg:all-minilm-l6-v2")
    model, ids = make_clap(folder).eval(), text_ids(folder, ["harp, waltz", ""])
    with torch.no_grad():
        assert torch.allclose(
            project_texts(model, read_texts(model, ids)), embed_texts(model, ids), atol=1e-5
        )
