"""Sounds in the suite: samples, folders of them, and how two of them are told apart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sample_media import pictures, sound

from pmg_conformance import check_adapter
from pmg_conformance.aids import media_in, pairs_in
from pmg_conformance.contents import contents, perceived
from pmg_conformance.exhibit import Exhibit
from pmg_conformance.golden import SOUND_TOLERANCE, Sound
from pmg_conformance.html_report import html
from pmg_conformance.reference import ReferenceSoundGenerator, ReferenceSoundScorer
from pmg_conformance.samples import ODD, PATTERNS
from pmg_conformance.subject import Aids, Subject
from pmg_conformance.work import MEDIA_TOLERANCE, Work
from pmg_sdk import Audio
from pmg_sdk.errors import InputError

COMPARED = Work("generate", (), lambda made, items: [], MEDIA_TOLERANCE)


def test_sample_sounds_differ_and_come_at_two_rates() -> None:
    sounds = PATTERNS["audio"](6)
    assert len({contents(each) for each in sounds}) == 6
    assert {each.sample_rate for each in sounds if isinstance(each, Audio)} == {16_000, 44_100}
    assert not any(each.is_silent for each in sounds if isinstance(each, Audio))


def test_a_folder_of_sounds_and_pictures_gives_both(tmp_path: Path) -> None:
    sound().save(tmp_path / "calm_piano.flac")
    pictures(1)[0].save(tmp_path / "red_cat.png")
    (tmp_path / "notes.txt").write_text("no medium")
    assert media_in(tmp_path) == (sound(), pictures(1)[0])
    assert pairs_in(tmp_path) == (("calm piano", sound()), ("red cat", pictures(1)[0]))


def test_a_folder_without_media_says_what_is_looked_for(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"pictures or sounds \(\.flac, .*\.wav, .*\) were expected"):
        media_in(tmp_path)


def test_an_adapter_is_given_media_of_its_own_modality() -> None:
    aids = Aids(media=(*pictures(3), sound()))
    subject = Subject("scorer", "ears", ReferenceSoundScorer, aids=aids)
    assert subject.media(1) == [sound()]
    assert {medium.modality for medium in subject.media(4)} == {"audio"}


def test_rounding_and_phase_are_not_heard() -> None:
    t = np.arange(16_000) / 16_000
    heard = [
        Audio.from_waveform(0.5 * np.sin(2 * np.pi * 440 * t + phase), 16_000) for phase in (0, 1e-3, 1.5)
    ]
    assert COMPARED.same(heard[0], heard[1])
    assert COMPARED.distance(heard[0], heard[0]) == 0
    assert np.abs(perceived(heard[0]) - perceived(heard[2])).mean() < MEDIA_TOLERANCE


@pytest.mark.parametrize(
    "other",
    [
        Audio.from_waveform(sound().waveform / 2, 16_000),
        Audio.from_waveform(sound().waveform[:, :12_000], 16_000),
        Audio.from_waveform(np.repeat(sound().waveform, 2, axis=0), 16_000),
        Audio(sound().samples, 22_050),
    ],
    ids=["softer", "shorter", "stereo", "higher"],
)
def test_what_sounds_otherwise_is_told_apart(other: Audio) -> None:
    assert not COMPARED.same(sound(), other)


def test_a_golden_sound_may_differ_in_what_nobody_hears() -> None:
    noise = np.random.default_rng(0).normal(0, 0.2, 16_000)
    golden = Sound.of(Audio.from_waveform(noise, 16_000))
    assert golden.distance(Sound.of(Audio.from_waveform(noise * 1.05, 16_000))) < SOUND_TOLERANCE
    assert golden.distance(Sound.of(Audio.from_waveform(noise / 2, 16_000))) > SOUND_TOLERANCE
    assert golden.distance(Sound.of(Audio.from_waveform(noise[1:], 16_000))) == float("inf")


def test_odd_media_are_three_of_every_modality() -> None:
    assert {modality: len(make()) for modality, make in ODD.items()} == {"image": 3, "audio": 3}


def test_a_report_plays_what_was_made() -> None:
    report = check_adapter(ReferenceSoundGenerator, tier="smoke")
    assert report.passed, report.summary
    page = html(report)
    assert "<audio controls" in page
    assert "data:audio/wav;base64," in page
    assert Exhibit.of("a picture", pictures(1)[0]).sound == ""
