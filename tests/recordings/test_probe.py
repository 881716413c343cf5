"""What is found in files, whatever they are called and whoever made them up."""

from __future__ import annotations

import base64
import random
from pathlib import Path

import pytest

from sessions_app.recordings import probe as child
from sessions_app.recordings.probe import Refused, look_into
from sessions_app.recordings.probing import NotTaken, probe
from sessions_app.recordings.refusals import DAMAGED, NO_AUDIO, NO_SOUND
from tests.recordings.sounds import KINDS, encoded, wav

NOISE = random.Random(7).randbytes(200_000)


def look(tmp_path: Path, content: bytes) -> child.Found:
    path = tmp_path / "file.part"
    path.write_bytes(content)
    return look_into(path, tmp_path / "file.sound")


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_audio_is_taken_for_what_it_is(tmp_path: Path, kind: str) -> None:
    muxer, codec, media_type = KINDS[kind]
    found = look(tmp_path, encoded(muxer, codec, 2.0))
    assert found.media_type == media_type
    assert abs(found.duration_ms - 2_000) < 60
    assert (found.is_cut, found.note, found.is_alone) == (False, "", False)
    peaks = base64.b64decode(found.peaks)
    assert 0 < len(peaks) <= 1_000
    assert 80 < max(peaks) < 110


@pytest.mark.parametrize(
    ("muxer", "codec", "media_type"),
    [("mp4", "aac", "audio/mp4"), ("webm", "libopus", "audio/ogg"), ("matroska", "aac", "audio/mp4")],
)
def test_of_a_film_the_sound_alone_is_taken(tmp_path: Path, muxer: str, codec: str, media_type: str) -> None:
    film = encoded(muxer, codec, 2.0, with_pictures=True)
    found = look(tmp_path, film)
    assert (found.media_type, found.is_alone) == (media_type, True)
    again = look(tmp_path, (tmp_path / "file.sound").read_bytes())
    assert (again.media_type, again.is_alone) == (media_type, False)
    assert abs(again.duration_ms - found.duration_ms) < 60


def test_a_tag_before_the_sound_is_no_part_of_it(tmp_path: Path) -> None:
    muxer, codec, _ = KINDS["mp3"]
    sound = encoded(muxer, codec, 2.0)
    assert sound[:3] == b"ID3"
    tagged = b"ID3\x04\0\0\0\2\0\0" + bytes(2 << 14) + sound[10 + sound[9] :]
    assert not look(tmp_path, tagged).is_cut


def test_the_same_film_gives_the_same_sound(tmp_path: Path) -> None:
    film = encoded("mp4", "aac", 1.0, with_pictures=True)
    sounds = []
    for _ in range(2):
        look(tmp_path, film)
        sounds.append((tmp_path / "file.sound").read_bytes())
    assert sounds[0] == sounds[1]


@pytest.mark.parametrize("kind", ["wav", "flac", "aiff", "mp3"])
def test_of_a_file_that_was_cut_counts_what_is_there(tmp_path: Path, kind: str) -> None:
    muxer, codec, media_type = KINDS[kind]
    whole = encoded(muxer, codec, 4.0)
    found = look(tmp_path, whole[: len(whole) // 2])
    assert (found.media_type, found.is_cut) == (media_type, True)
    assert 1_000 < found.duration_ms < 3_000
    assert found.note.startswith("The end of this file is missing")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", NO_AUDIO),
        (b"PK\x03\x04" + NOISE, NO_AUDIO),
        (b"<html>no sound</html>", NO_AUDIO),
        (NOISE, NO_AUDIO),
        (b"RIFF\xff\xff\xff\xffWAVE" + NOISE, DAMAGED),
        (b"OggS" + NOISE, DAMAGED),
        (b"fLaC" + NOISE, DAMAGED),
        (b"\x1aE\xdf\xa3" + NOISE, DAMAGED),
        (b"\x00\x00\x00\x18ftypM4A " + NOISE, DAMAGED),
        (wav(0.01), NO_SOUND),
        (wav(1.0)[:44], NO_SOUND),
    ],
    ids=["empty", "zip", "page", "noise", "wav", "ogg", "flac", "webm", "m4a", "too short", "nothing but a head"],
)
def test_what_is_no_recording_is_refused_with_a_sentence(tmp_path: Path, content: bytes, sentence: str) -> None:
    with pytest.raises(Refused) as refused:
        look(tmp_path, content)
    assert str(refused.value) == sentence


def test_a_recording_that_is_too_long_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "LONGEST_S", 1.5)
    with pytest.raises(Refused, match="longer than 6 hours"):
        look(tmp_path, wav(2.0))


def test_a_recording_that_unfolds_to_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "DECODED_BYTES", 20_000)
    with pytest.raises(Refused, match="unfolds"):
        look(tmp_path, wav(2.0))


def test_a_process_of_its_own_looks_into_a_file(tmp_path: Path) -> None:
    path = tmp_path / "file.part"
    path.write_bytes(wav(3.0))
    found = probe(path, tmp_path / "file.sound")
    assert (found.media_type, found.duration_ms, found.is_alone) == ("audio/wav", 3_000, False)


def test_its_refusal_comes_back_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "file.part"
    path.write_bytes(b"no sound")
    with pytest.raises(NotTaken, match="no audio file"):
        probe(path, tmp_path / "file.sound")


def test_a_process_that_dies_of_a_file_is_a_refusal(tmp_path: Path) -> None:
    with pytest.raises(NotTaken, match="cannot be read"):
        probe(tmp_path / "nothing", tmp_path / "file.sound")
