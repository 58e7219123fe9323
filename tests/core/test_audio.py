"""Sounds: what they hold, the files they come from and go to, and what they look like."""

from __future__ import annotations

import io
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pmg_sdk import Audio, Behavior, Image
from pmg_sdk.audio import expect_audio
from pmg_sdk.errors import (
    BehaviorError,
    CapabilityError,
    InputError,
    MediaCorrupt,
    MediaError,
    MediaTooLarge,
    MediaUnsupported,
)
from pmg_sdk.media import expect_image
from pmg_sdk.spectrogram import FLOOR, mel_levels

sounds = st.tuples(
    st.tuples(st.integers(1, 2), st.integers(1, 50)).flatmap(lambda shape: arrays(np.int16, shape)),
    st.sampled_from([8_000, 16_000, 44_100, 192_000]),
).map(lambda made: Audio(*made))


def tone(hertz: float = 440, seconds: float = 1.0, rate: int = 16_000, level: float = 0.5) -> Audio:
    """A sine of one channel."""
    t = np.arange(round(seconds * rate)) / rate
    return Audio.from_waveform(level * np.sin(2 * np.pi * hertz * t), rate)


def written(samples: np.ndarray, rate: int, form: str, subtype: str | None = None) -> bytes:
    """The bytes of a file, as other programs write them; `samples` of shape (length, channels)."""
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format=form, subtype=subtype)
    return buffer.getvalue()


def pitch(sound: Audio) -> float:
    """The strongest frequency, Hz."""
    x = sound.mono().waveform[0]
    spectrum = np.abs(np.fft.rfft(x * np.hanning(len(x))))
    return float(np.fft.rfftfreq(len(x), 1 / sound.sample_rate)[spectrum.argmax()])


@given(sounds)
def test_a_sound_survives_its_own_bytes(sound: Audio) -> None:
    assert Audio.open(sound.to_bytes()) == sound


@pytest.mark.parametrize("ending", [".wav", ".WAV", ".flac"])
def test_a_sound_survives_a_lossless_file(tmp_path: Path, ending: str) -> None:
    noise = Audio(np.random.default_rng(0).integers(-(2**15), 2**15, (2, 4000), dtype=np.int16), 44_100)
    assert Audio.open(noise.save(tmp_path / "new" / f"noise{ending}")) == noise


def test_ogg_keeps_what_is_heard(tmp_path: Path) -> None:
    heard = Audio.open(tone(660).save(tmp_path / "tone.ogg"))
    assert (heard.length, heard.sample_rate, heard.channels) == (16_000, 16_000, 1)
    assert pitch(heard) == pytest.approx(660, abs=2)
    assert heard.loudness == pytest.approx(tone(660).loudness, abs=0.5)


def test_minutes_of_ogg_are_written(tmp_path: Path) -> None:
    long = Audio(np.random.default_rng(0).integers(-9000, 9000, (2, 16_000 * 120), dtype=np.int16), 16_000)
    assert Audio.open(long.save(tmp_path / "long.ogg")).seconds == pytest.approx(120)


@pytest.mark.parametrize("name", ["sound.mp3", "sound.txt", "sound"])
def test_other_endings_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(MediaUnsupported, match=r"\.wav, \.flac or \.ogg"):
        tone().save(tmp_path / name)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("form", "subtype"),
    [
        ("WAV", "PCM_U8"),
        ("WAV", "PCM_16"),
        ("WAV", "PCM_24"),
        ("WAV", "PCM_32"),
        ("WAV", "FLOAT"),
        ("WAV", "DOUBLE"),
        ("WAVEX", "PCM_24"),
        ("RF64", "PCM_16"),
        ("FLAC", "PCM_24"),
        ("OGG", "VORBIS"),
        ("OGG", "OPUS"),
        ("MP3", None),
    ],
)
def test_the_usual_formats_are_read(form: str, subtype: str | None) -> None:
    t = np.arange(48_000) / 48_000
    stereo = np.stack([0.5 * np.sin(2 * np.pi * 500 * t), 0.25 * np.sin(2 * np.pi * 500 * t)], axis=1)
    sound = Audio.open(written(stereo, 48_000, form, subtype))
    assert (sound.channels, sound.sample_rate) == (2, 48_000)
    assert sound.seconds == pytest.approx(1, abs=0.06)  # MP3 pads
    assert pitch(sound) == pytest.approx(500, abs=2)
    left, right = (Audio(sound.samples[[place]], 48_000).loudness for place in (0, 1))
    assert (left, right) == pytest.approx((-9.03, -15.05), abs=0.6)


@pytest.mark.parametrize("form", ["AIFF", "AU", "CAF", "W64"])
def test_formats_nobody_needs_are_not_even_tried(form: str) -> None:
    with pytest.raises(MediaCorrupt, match="WAV, FLAC, Ogg or MP3"):
        Audio.open(written(np.zeros((100, 1)), 16_000, form))


@given(
    st.binary(max_size=200),
    st.sampled_from([b"", b"RIFF\0\0\0\0WAVE", b"fLaC", b"OggS", b"ID3", b"\xff\xfb"]),
)
def test_arbitrary_bytes_are_a_media_error(data: bytes, head: bytes) -> None:
    with pytest.raises(MediaError):
        Audio.open(head + data)


@given(st.integers(0, 10_000), st.integers(1, 255), st.sampled_from(["WAV", "FLAC", "OGG", "MP3"]))
def test_a_damaged_byte_is_a_media_error_or_harmless(position: int, flip: int, form: str) -> None:
    data = bytearray(written(tone(seconds=0.1).waveform.T, 16_000, form))
    data[position % len(data)] ^= flip
    try:
        Audio.open(bytes(data))
    except MediaError:
        return


def test_a_part_of_a_file_is_read_alone(tmp_path: Path) -> None:
    """An hour is too long to read whole; ten seconds of it are not."""
    hour = np.zeros(3600 * 8000, dtype=np.int16)
    hour[1800 * 8000 : 1801 * 8000] = 1000
    path = tmp_path / "hour.flac"
    soundfile.write(path, hour, 8000)
    with pytest.raises(MediaTooLarge, match="at most 1200 s was expected; this one states 3600 s"):
        Audio.open(path)
    part = Audio.open(path, start=1799.5, seconds=10)
    assert part.seconds == 10
    assert np.flatnonzero(part.samples[0])[[0, -1]].tolist() == [4000, 11_999]
    assert Audio.open(path, start=3599, seconds=10).seconds == 1, "it ends with the file"
    assert Audio.open(path, max_seconds=4000).seconds == 3600


@pytest.mark.parametrize("part", [{"start": 2}, {"start": -1}, {"seconds": 0}, {"seconds": -1}])
def test_a_part_that_is_not_there_is_an_error(part: dict[str, float]) -> None:
    with pytest.raises(InputError, match="a part of a sound"):
        Audio.open(tone().to_bytes(), **part)  # type: ignore[arg-type]


def test_a_giant_file_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "giant.wav"
    with path.open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(MediaTooLarge, match="1,099,511,627,776"):
        Audio.open(path)
    with pytest.raises(MediaTooLarge, match="at most 9 bytes"):
        Audio.open(tone().to_bytes(), max_bytes=9)


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(MediaCorrupt, match=r"nowhere\.wav"):
        Audio.open(tmp_path / "nowhere.wav")
    with pytest.raises(MediaCorrupt):
        Audio.open(tmp_path)


@pytest.mark.parametrize(
    "samples",
    [
        np.zeros((1, 0), np.int16),
        np.zeros((3, 5), np.int16),
        np.zeros(5, np.int16),
        np.zeros((1, 5), np.float32),
    ],
)
def test_samples_of_another_shape_or_type_are_refused(samples: np.ndarray) -> None:
    with pytest.raises(MediaCorrupt, match=r"int16 samples of shape \(channels, length\)"):
        Audio(samples, 16_000)


@pytest.mark.parametrize("rate", [0, 7_999, 192_001])
def test_rates_nobody_records_at_are_refused(rate: int) -> None:
    with pytest.raises(MediaUnsupported, match="8,000 to 192,000 Hz"):
        Audio(np.zeros((1, 5), np.int16), rate)


def test_what_exceeds_full_scale_is_turned_down_as_a_whole() -> None:
    loud = Audio.from_waveform([0.5, -2.0, 1.0], 16_000)
    assert loud.waveform[0].tolist() == pytest.approx([0.25, -1, 0.5], abs=1e-4)
    assert loud.peak == 0


@given(arrays(np.float32, st.integers(1, 30), elements=st.floats(-1, 1, width=32)))
def test_a_waveform_within_full_scale_is_rounded_to_16_bits(x: np.ndarray) -> None:
    assert np.abs(Audio.from_waveform(x, 8_000).waveform[0] - x).max() <= 0.51 / 32767


def test_loudness_is_told_in_decibels_of_full_scale() -> None:
    assert tone(level=1).peak == pytest.approx(0, abs=0.01)
    assert tone(level=1).loudness == pytest.approx(-3.01, abs=0.01)
    assert tone(level=0.1).loudness == pytest.approx(-23.01, abs=0.01)
    assert not tone(level=0.01).is_silent
    assert tone(level=0.0009).is_silent


def test_silence_is_a_sound() -> None:
    silence = Audio(np.zeros((1, 100), np.int16), 16_000)
    assert silence.is_silent
    assert silence.peak == silence.loudness == -math.inf
    assert Audio.open(silence.to_bytes()) == silence


def test_mono_is_the_mean_of_the_channels() -> None:
    stereo = Audio.from_waveform([[0.5, 0.5], [-0.5, 0.25]], 16_000)
    assert stereo.mono().waveform[0].tolist() == pytest.approx([0, 0.375], abs=1e-4)
    assert tone().mono() == tone()


@pytest.mark.parametrize("rate", [8_000, 22_050, 44_100, 48_000, 192_000])
def test_resampling_keeps_pitch_loudness_and_length(rate: int) -> None:
    made = tone(hertz=1000).resampled(rate)
    assert (made.sample_rate, made.length) == (rate, rate)
    assert pitch(made) == pytest.approx(1000, abs=2)
    assert made.loudness == pytest.approx(tone(hertz=1000).loudness, abs=0.1)
    assert made == tone(hertz=1000).resampled(rate), "the same every time"


@given(sounds, st.sampled_from([8_000, 11_025, 48_000]))
def test_every_sound_can_be_resampled(sound: Audio, rate: int) -> None:
    made = sound.resampled(rate)
    assert (made.channels, made.sample_rate) == (sound.channels, rate)
    assert made.length == max(1, round(sound.length * rate / sound.sample_rate))


@given(sounds, st.integers(1, 60))
def test_windows_are_equally_long_and_cover_the_whole(sound: Audio, length: int) -> None:
    windows = sound.windows(length / sound.sample_rate)
    assert {window.length for window in windows} == {min(length, sound.length)}
    assert len(windows) == -(-sound.length // length), "no more of them than needed"
    whole = np.concatenate([window.samples for window in windows[:-1]] or [sound.samples[:, :0]], axis=1)
    assert np.array_equal(whole, sound.samples[:, : whole.shape[1]]), "one after another"
    assert np.array_equal(windows[-1].samples, sound.samples[:, -windows[-1].length :]), "up to the end"


def test_a_window_is_a_part() -> None:
    sound = Audio(np.arange(16_000, dtype=np.int16)[None], 16_000)
    assert sound.window(0.5, 0.25).samples[0, [0, -1]].tolist() == [8000, 11_999]
    assert sound.window(0.9, 1).seconds == pytest.approx(0.1)
    for start, seconds in ((1, 1), (-1, 1), (0, 0)):
        with pytest.raises(InputError, match="a part of a sound of 1 s"):
            sound.window(start, seconds)
    with pytest.raises(InputError, match="at least a sample"):
        sound.windows(0)


def test_mel_levels_find_a_tone_and_its_loudness() -> None:
    levels = mel_levels(tone(hertz=1000, level=1).waveform, 16_000, bands=64, columns=10)
    assert levels.shape == (64, 10)
    edges = 2595 * np.log10(1 + np.array([40, 1000, 8000]) / 700)
    assert np.abs(levels[:, 5].argmax() - (edges[1] - edges[0]) / (edges[2] - edges[0]) * 64) < 1.5
    assert -8 < levels[:, 5].max() <= 0
    silence = mel_levels(np.zeros((2, 1), np.float32), 8_000, bands=8, columns=4)
    assert np.array_equal(silence, np.full((8, 4), FLOOR, np.float32))


@pytest.mark.parametrize(
    "sound",
    [
        Audio(np.zeros((1, 16_000), np.int16), 16_000),
        Audio(np.full((2, 1), -32768, np.int16), 8_000),
        Audio(np.full((1, 100), 9000, np.int16), 192_000),
        tone(seconds=61),
    ],
    ids=["silence", "one sample", "a click", "a minute"],
)
def test_every_sound_has_a_picture(sound: Audio) -> None:
    assert sound.picture().size == (384, 384)
    assert sound.picture((192, 100)).size == (192, 100)
    assert sound.picture() == sound.picture()


def test_a_picture_shows_when_how_loud_and_how_high() -> None:
    halves = [tone(300).samples, tone(3000, level=0.1).samples]
    pixels = Audio(np.concatenate(halves, axis=1), 16_000).picture((200, 200)).pixels.astype(int)
    wave, spectrogram = pixels[:56].sum(axis=2), pixels[56:].sum(axis=2)
    loud, soft = ((wave[:, columns] > 350).sum() for columns in (slice(10, 90), slice(110, 190)))
    assert loud > 3 * soft
    low, high = (spectrogram[:, column].argmax() for column in (50, 150))
    assert low > high + 20, "low sounds are at the bottom"


def test_stereo_has_a_lane_for_each_channel() -> None:
    left_only = Audio(np.concatenate([tone().samples, np.zeros((1, 16_000), np.int16)]), 16_000)
    wave = left_only.picture((200, 200)).pixels[:56].astype(int).sum(axis=2) > 250
    assert wave[:28].sum() > 5 * wave[28:].sum() > 0


def test_a_sound_can_be_played_in_a_page() -> None:
    element = tone().element('a "tone" <b>')
    assert element.count("data:image/png;base64,") == element.count("data:audio/wav;base64,") == 1
    assert "<audio controls" in element
    assert "&quot;tone&quot; &lt;b&gt;" in element
    assert "<b>" not in element


def test_readers_of_one_kind_refuse_the_other() -> None:
    picture = Image(np.zeros((2, 2, 3), np.uint8))
    assert expect_audio(tone(), "CLAP") == tone()
    with pytest.raises(CapabilityError, match="an Audio was expected; got Image, which CLAP cannot read"):
        expect_audio(picture, "CLAP")
    with pytest.raises(CapabilityError, match="an Image was expected; got Audio, which CLIP cannot read"):
        expect_image(tone(), "CLIP")


def test_equal_sounds_are_equal_and_found_in_sets() -> None:
    assert len({tone(), tone(), tone(441), tone(rate=8_000)}) == 3
    assert tone() != "a tone"
    assert repr(tone()) == "Audio(1.00 s, 1 x 16000 Hz)"


def test_a_behaviour_file_names_sounds_beside_pictures(tmp_path: Path) -> None:
    tone(440).save(tmp_path / "a.wav")
    tone(660).save(tmp_path / "b.flac")
    picture = Image(np.zeros((2, 2, 3), np.uint8))
    picture.save(tmp_path / "cover.png")
    (tmp_path / "user.json").write_text(
        '{"history": [{"text": "a song", "audio": "a.wav", "image": "cover.png"},'
        ' {"audio": ["a.wav", "b.flac"]}]}'
    )
    song, both = Behavior.load(tmp_path / "user.json").history
    assert (song.text, song.media) == ("a song", (picture, tone(440)))
    assert both.media == (tone(440), tone(660))


@pytest.mark.parametrize("name", ["/etc/hostname", "../secret.wav", "sub/../../secret.wav"])
def test_a_behaviour_file_reads_no_sound_outside_its_folder(tmp_path: Path, name: str) -> None:
    tone().save(tmp_path / "secret.wav")
    with pytest.raises(BehaviorError, match="audio must lie in the behaviour file's folder"):
        Behavior.from_mapping({"history": [{"audio": name}]}, folder=tmp_path / "data")


@pytest.mark.parametrize("named", [7, {"path": "a.wav"}, ["a.wav", 7]])
def test_a_sound_is_named_by_paths(tmp_path: Path, named: object) -> None:
    with pytest.raises(BehaviorError, match="'audio' is a path or a list of paths"):
        Behavior.from_mapping({"history": [{"audio": named}]}, folder=tmp_path)


def test_without_the_extra_the_error_says_what_to_install(tmp_path: Path) -> None:
    """A process in which soundfile and soxr cannot be imported; WAV is written all the same."""
    program = """
import sys
sys.modules["soundfile"] = sys.modules["soxr"] = None
import numpy as np
from pmg_sdk import Audio
from pmg_sdk.errors import MissingExtra
sound = Audio(np.zeros((1, 10), np.int16), 16000)
sound.save("sound.wav")
for ask in (lambda: Audio.open("sound.wav"), lambda: sound.resampled(8000), lambda: sound.save("sound.flac")):
    try:
        ask()
    except MissingExtra as error:
        print(error)
"""
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert run.stdout.count("pip install 'pmg-sdk[audio]'") == 3
    assert [path.name for path in tmp_path.iterdir()] == ["sound.wav"]
