"""What is decided without a file: formats by their beginnings, parts of uploads, limits, outlines, words."""

from __future__ import annotations

from array import array
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions_app.recordings import limits
from sessions_app.recordings.formats import announced_bytes, readers_of
from sessions_app.recordings.limits import Holdings, Limits, OverLimit, Reason
from sessions_app.recordings.parts import LARGEST_PART_BYTES, BadPart, part_in
from sessions_app.recordings.peaks import MOST_SLOTS, Peaks
from sessions_app.recordings.words import file_name, length_words, size_words
from tests.recordings.sounds import KINDS, encoded, wav

LIMITS = Limits(is_on=True, file_bytes=200_000_000, user_bytes=1_000_000_000, user_count=5, uploads_at_once=3)


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_is_known_by_what_it_begins_with(kind: str) -> None:
    muxer, codec, _ = KINDS[kind]
    assert len(readers_of(encoded(muxer, codec, 0.2))) >= 1


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"PK\x03\x04" + bytes(100),
        b"<!doctype html><script>",
        b"#EXTM3U\nfile:///etc/passwd",
        b"ffconcat version 1.0\nfile /etc/passwd",
        b"\xff\xfb\x90\x00 is two bytes of MP3 and a sentence" + bytes(1000),
        b"%PDF-1.7",
        b"\x7fELF",
    ],
)
def test_what_begins_otherwise_is_not_even_opened(head: bytes) -> None:
    assert readers_of(head) == ()


@given(st.binary(max_size=200))
def test_whatever_a_file_begins_with_is_answered(head: bytes) -> None:
    assert isinstance(readers_of(head), tuple)
    assert announced_bytes(head) >= 0


def test_a_wav_file_says_how_long_it_is() -> None:
    whole = wav(1.0)
    assert announced_bytes(whole[:100]) == len(whole)
    assert announced_bytes(b"RIFF\xff\xff\xff\xffWAVE") == 0


@given(first=st.integers(0, 10**9), length=st.integers(1, LARGEST_PART_BYTES), rest=st.integers(0, 10**9))
def test_a_part_is_what_its_headers_say(first: int, length: int, rest: int) -> None:
    whole = first + length + rest
    part = part_in(f"bytes {first}-{first + length - 1}/{whole}", str(length), whole)
    assert (part.start, len(part)) == (first, length)


@pytest.mark.parametrize(
    ("content_range", "content_length"),
    [
        ("", "10"),
        ("bytes 0-9/*", "10"),
        ("bytes 0-9/99", "10"),
        ("bytes 9-0/100", "10"),
        ("bytes 95-104/100", "10"),
        ("bytes 0-9/100", ""),
        ("bytes 0-9/100", "11"),
        ("bytes -5-9/100", "10"),
        ("bytes ٠-9/100", "10"),
    ],
)
def test_a_part_that_cannot_be_is_refused(content_range: str, content_length: str) -> None:
    with pytest.raises(BadPart):
        part_in(content_range, content_length, 100)


def test_a_part_is_never_larger_than_a_server_wants_to_hold() -> None:
    size = LARGEST_PART_BYTES + 1
    with pytest.raises(BadPart, match="at most"):
        part_in(f"bytes 0-{size - 1}/{size}", str(size), size)


@pytest.mark.parametrize(
    ("size_bytes", "holdings", "is_on", "reason", "sentence"),
    [
        (1, Holdings(), False, Reason.SWITCHED_OFF, "takes no recordings"),
        (0, Holdings(), True, Reason.EMPTY, "is empty"),
        (-1, Holdings(), True, Reason.EMPTY, "is empty"),
        (
            312_000_000,
            Holdings(),
            True,
            Reason.TOO_LARGE,
            "This file has 312 MB. This server takes up to 200 MB of one.",
        ),
        (1, Holdings(uploads=3), True, Reason.TOO_MANY_UPLOADS, "3 of your files are on their way"),
        (1, Holdings(recordings=3, uploads=2), True, Reason.QUOTA_COUNT, "You have 5 recordings"),
        (9_000_000, Holdings(size_bytes=995_000_000), True, Reason.QUOTA_BYTES, "of your 1000 MB 5.0 MB are left"),
        (1, Holdings(size_bytes=1_000_000_000), True, Reason.QUOTA_BYTES, "none is left"),
    ],
)
def test_every_limit_has_a_sentence(
    size_bytes: int, holdings: Holdings, is_on: bool, reason: Reason, sentence: str
) -> None:
    allowed = replace(LIMITS, is_on=is_on)
    with pytest.raises(OverLimit, match=sentence) as refused:
        limits.check(size_bytes, holdings, allowed)
    assert refused.value.reason == reason


def test_what_fits_exactly_is_taken() -> None:
    limits.check(200_000_000, Holdings(recordings=2, uploads=2, size_bytes=800_000_000), LIMITS)


@given(st.lists(st.integers(1, 5_000), max_size=60), st.integers(0, 32_767))
def test_an_outline_has_at_most_so_many_slots_however_it_comes(lengths: list[int], loudness: int) -> None:
    peaks = Peaks()
    for length in lengths:
        peaks.add(array("h", [loudness, -loudness] * length))
    outline = peaks.as_bytes()
    assert len(outline) <= MOST_SLOTS
    assert set(outline) <= {loudness >> 7}


def test_the_loudest_moment_is_in_its_place() -> None:
    peaks = Peaks()
    peaks.add(array("h", [0] * 100_000 + [-32_768] + [0] * 100_000))
    outline = peaks.as_bytes()
    assert max(outline) == 255
    assert abs(outline.index(255) / len(outline) - 0.5) < 0.01


def test_no_sound_has_no_outline() -> None:
    assert Peaks().as_bytes() == b""


@pytest.mark.parametrize(
    ("size_bytes", "words"), [(1, "1 KB"), (25_000, "25 KB"), (1_540_000, "1.5 MB"), (299_600_000, "300 MB")]
)
def test_sizes_are_read_as_people_say_them(size_bytes: int, words: str) -> None:
    assert size_words(size_bytes) == words


@pytest.mark.parametrize(("duration_ms", "words"), [(400, "0:00"), (7_000, "0:07"), (3_723_000, "1:02:03")])
def test_lengths_are_read_as_on_a_clock(duration_ms: int, words: str) -> None:
    assert length_words(duration_ms) == words


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("talk.mp3", "talk.mp3"),
        ("C:\\Users\\a\\talk.mp3", "talk.mp3"),
        ("../../etc/passwd", "passwd"),
        ("a\r\nb\x00c.mp3", "abc.mp3"),
        ("", "Recording"),
        ("x" * 500, "x" * 200),
    ],
)
def test_a_name_is_what_can_be_shown_of_it(sent: str, kept: str) -> None:
    assert file_name(sent, 200) == kept
