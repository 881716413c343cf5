"""How much of an answer was heard, by the clock."""

from __future__ import annotations

from sessions_app.live.providers.turns.playback import Playback
from sessions_app.live.providers.turns.sentences import Piece

SECOND = bytes(48_000)


def test_a_sentence_is_heard_from_its_first_sound_on() -> None:
    playback = Playback()
    first, code, second = Piece("One. ", "One."), Piece("---\n", ""), Piece("Two.", "Two.")
    for piece in (first, code, second):
        playback.written(piece)
    assert playback.heard(100) == ""
    for piece in (first, second):
        playback.sounded(piece, SECOND, 100)
    assert playback.heard(100.9) == "One. "
    assert playback.heard(101) == "One. ---\nTwo."
    assert playback.over_at_s == 102


def test_sound_that_is_late_is_heard_when_it_comes() -> None:
    playback = Playback()
    first, second = Piece("One. ", "One."), Piece("Two.", "Two.")
    playback.written(first)
    playback.written(second)
    playback.sounded(first, SECOND, 100)
    playback.sounded(second, SECOND, 105)
    assert playback.heard(104.9) == "One. "
    assert playback.over_at_s == 106


def test_the_same_sentence_twice_is_two_sentences() -> None:
    playback = Playback()
    pieces = [Piece("No. ", "No."), Piece("No. ", "No.")]
    for piece in pieces:
        playback.written(piece)
    playback.sounded(pieces[0], SECOND, 100)
    assert playback.heard(100) == "No. "
