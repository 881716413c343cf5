"""Utterances out of a microphone's sound."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from sessions_app.live.providers.turns.hearing import UTTERANCE_LIMIT_BYTES, Hearing, Spoken, VoiceFound
from sessions_app.live.voice import BYTES_PER_MS
from tests.live.noises import NOISES, recorded
from tests.live.turns.voices import voice

QUIET = bytes(1_500 * BYTES_PER_MS)


def test_an_utterance_is_found_while_it_is_said_and_is_whole_when_it_has_ended() -> None:
    hearing = Hearing()
    assert hearing.hear(QUIET + voice()) == [VoiceFound()]
    (spoken,) = hearing.hear(QUIET)
    assert isinstance(spoken, Spoken)
    assert voice() in spoken.pcm
    assert len(spoken.pcm) < len(voice()) + 1_100 * BYTES_PER_MS


def test_more_quiet_is_waited_for_where_the_user_wants_that() -> None:
    hearing = Hearing(silence_ms=1_400)
    assert len(hearing.hear(voice() + bytes(1_300 * BYTES_PER_MS))) == 1
    assert len(hearing.hear(bytes(200 * BYTES_PER_MS))) == 1


def test_a_microphone_that_is_muted_ends_an_utterance() -> None:
    hearing = Hearing()
    hearing.hear(voice())
    (spoken,) = hearing.end()
    assert isinstance(spoken, Spoken)
    assert hearing.end() == []


def test_an_utterance_that_does_not_end_is_cut() -> None:
    hearing = Hearing()
    heard = [each for _ in range(130) for each in hearing.hear(voice())]
    first = next(each for each in heard if isinstance(each, Spoken))
    assert abs(len(first.pcm) - UTTERANCE_LIMIT_BYTES) <= 40 * BYTES_PER_MS


def test_noises_are_not_asked_about() -> None:
    for noise in NOISES:
        hearing = Hearing()
        assert [*hearing.hear(recorded(noise, 1) + QUIET), *hearing.end()] == [], noise.__name__


@settings(max_examples=20)
@given(st.lists(st.integers(1, 3_000), min_size=1, max_size=20))
def test_sound_cut_anywhere_gives_the_same_utterances(sizes: list[int]) -> None:
    sound = QUIET + voice() + QUIET + voice(600) + QUIET
    whole = Hearing()
    expected = [*whole.hear(sound), *whole.end()]
    hearing, place, heard = Hearing(), 0, []
    while place < len(sound):
        size = 2 * sizes[place % len(sizes)]
        heard += hearing.hear(sound[place : place + size])
        place += size
    assert [*heard, *hearing.end()] == expected
    assert sum(isinstance(each, Spoken) for each in expected) == 2
