"""The background music scenario: its words, its users, its place in the registry, and a whole run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tiny_models.audioldm import audioldm_folder
from tiny_models.clap import clap_folder

from pmg_scenarios import plugin
from pmg_scenarios.background_music import BACKGROUND_MUSIC, SCENES
from pmg_scenarios.background_music.vocabulary import GENRES, INSTRUMENTS, MOODS, TEMPI, scene_keyword
from pmg_sdk import Audio, Behavior, Item, PMGConfig, PMGPipeline
from pmg_sdk.cli.users import behavior_of, sample_users
from pmg_sdk.keywords import Keyword, Keywords
from pmg_sdk.plugins import Registry
from pmg_sdk.preference import UserPreference
from pmg_sdk.target import Target


def test_it_is_registered_and_its_profile_is_a_config() -> None:
    assert PMGConfig(scenario="background_music", **BACKGROUND_MUSIC.profile).llm is not None
    found = Registry(strict=True)
    found.register(plugin, "pmg_scenarios")
    assert found.scenario("background_music") is BACKGROUND_MUSIC


def test_no_word_names_two_things() -> None:
    for words in (INSTRUMENTS, GENRES, MOODS, TEMPI, SCENES):
        said = [word.casefold() for entry, names in words.items() for word in {entry, *names}]
        assert len(set(said)) == len(said)


def test_every_scene_is_a_mood_at_a_tempo_and_every_mood_and_tempo_has_one() -> None:
    every = {scene_keyword(mood, tempo): (mood, tempo) for mood in MOODS for tempo in TEMPI}
    assert set(SCENES) <= set(every)
    assert {every[scene][0] for scene in SCENES} == set(MOODS)
    assert {every[scene][1] for scene in SCENES} == set(TEMPI)


@pytest.mark.parametrize(
    ("user", "instrument", "genre"),
    [
        ("ballroom-dancer", "violin", "waltz"),
        ("baroque-listener", "harpsichord", "classical"),
        ("island-dreamer", "steel drum", "latin"),
        ("jazz-pianist", "piano", "jazz"),
        ("metal-fan", "electric guitar", "rock"),
        ("retro-gamer", "chiptune synth", "electronic"),
    ],
)
def test_a_sample_user_names_what_they_like_most(user: str, instrument: str, genre: str) -> None:
    """Counting alone finds it: closed, grounded attributes need the language model for ties only."""
    behavior = behavior_of(user, "background_music")
    for attribute, wanted in zip(BACKGROUND_MUSIC.attributes, (instrument, genre), strict=True):
        counts = {
            entry: sum(any(word in item.text.casefold() for word in words) for item in behavior.liked)
            for entry, words in attribute.readings.items()
        }
        assert max(counts, key=lambda entry: counts[entry]) == wanted
    assert behavior.disliked


def test_every_sample_user_is_tested() -> None:
    assert len(sample_users("background_music")) == 6


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> PMGPipeline:
    """The scenario on small random models of the true architectures."""
    folder = tmp_path_factory.mktemp("sound")
    clap = str(clap_folder(folder / "clap"))
    return PMGPipeline.from_scenario(
        "background_music",
        generator={
            "adapter": "audioldm",
            "options": {"model": str(audioldm_folder(folder / "audioldm")), "device": "cpu"},
        },
        scorer={"adapter": "clap", "options": {"model": clap, "device": "cpu"}},
        captioners={
            "audio": {
                "adapter": "clap-tags",
                "options": {
                    "model": clap,
                    "vocabulary": {"instrument": list(INSTRUMENTS)},
                    "device": "cpu",
                    "cache": False,
                },
            }
        },
        llm=None,
        steps=2,
    )


def test_a_listener_and_a_scene_become_a_sound_with_its_evidence(
    pipeline: PMGPipeline, tmp_path: Path
) -> None:
    liked = Keywords((Keyword("piano", "instrument"), Keyword("jazz", "genre")))
    scene = Target(Keywords((Keyword("fast tense music", "scene"),)))
    result = pipeline.generate(UserPreference(liked), scene)
    assert isinstance(result.media, Audio)
    assert len(result.candidates) == len(BACKGROUND_MUSIC.profile["weights"])
    folder = result.save(tmp_path / "out")
    assert Audio.open(folder / "winner.wav") == result.media
    assert {path.name for path in folder.iterdir()} == {
        "winner.wav",
        "sheet.png",
        "report.html",
        "result.json",
    }
    assert "<audio" in (folder / "report.html").read_text(encoding="utf-8")


def test_a_sound_in_the_history_is_heard_and_named(pipeline: PMGPipeline) -> None:
    t = np.arange(16_000) / 16_000
    tone = Audio.from_waveform(0.3 * np.sin(2 * np.pi * 440 * t), 16_000)
    behavior = Behavior(history=[Item(media=(tone,))])
    captioner = pipeline.roles.captioners["audio"]
    (said,) = captioner.caption(list(behavior.history[0].media))
    assert said in INSTRUMENTS
