"""The client's input, kept until it cannot be lost any more."""

from __future__ import annotations

from typing import Any

import pytest

from sessions_app.live.backlog import (
    AUDIO_LIMIT_BYTES,
    COVERED_AUDIO_KEPT_BYTES,
    COVERED_SPEECH_KEPT_BYTES,
    SPEECHES_LIMIT,
    TYPED_LIMIT,
    AudioEnd,
    AudioFrame,
    Backlog,
    Item,
    Loss,
    RepeatedAudio,
    TypedMessage,
)
from sessions_app.live.voice import BYTES_PER_MS

FRAME_MS = 40
FRAME = bytes(FRAME_MS * BYTES_PER_MS)
SECOND = b"\x00\x20" * (1_000 * BYTES_PER_MS // 2)
QUIET_SECOND = bytes(1_000 * BYTES_PER_MS)


def name_of(item: Item) -> int | str:
    if isinstance(item, AudioFrame):
        return item.number
    if isinstance(item, RepeatedAudio):
        return "again"
    return item.id if isinstance(item, TypedMessage) else "end"


def unsent(backlog: Backlog) -> list[int | str]:
    """What the present connection still has to be sent, without sending it."""
    return [name_of(item) for item in backlog._unsent]


def send(backlog: Backlog, count: int | None = None, at_ms: int = 0) -> list[int | str]:
    """Send so many items, or all."""
    sent: list[int | str] = []
    while (item := backlog.next_unsent()) is not None and len(sent) != count:
        backlog.mark_sent(item, at_ms, item.position + 1)
        sent.append(name_of(item))
    return sent


def speak(backlog: Backlog, *numbers: int, pcm: bytes = FRAME) -> None:
    for number in numbers:
        backlog.add_audio(number, pcm)


# -- in order, once ----------------------------------------------------------------------------------------------------


def test_input_goes_out_in_the_order_it_came_in() -> None:
    backlog = Backlog()
    speak(backlog, 0, 1)
    backlog.add_typed("typed-1", "Hello")
    speak(backlog, 2)
    backlog.add_audio_end()
    assert send(backlog) == [0, 1, "typed-1", 2, "end"]
    assert backlog.is_drained


def test_a_frame_that_was_taken_in_before_is_not_taken_in_again() -> None:
    backlog = Backlog()
    speak(backlog, 0, 1, 2)
    assert backlog.add_audio(1, FRAME) is None
    assert backlog.add_audio(2, FRAME) is None
    assert send(backlog) == [0, 1, 2]


def test_a_page_life_that_goes_on_elsewhere_begins_where_it_was() -> None:
    backlog = Backlog(next_number=5)
    speak(backlog, 3, 4, 5)
    assert send(backlog) == [5]
    assert backlog.acknowledged_number == 5


def test_numbers_may_have_gaps() -> None:
    backlog = Backlog()
    speak(backlog, 0, 7)
    assert send(backlog) == [0, 7]
    assert backlog.next_number == 8


def test_what_was_dropped_while_it_was_being_sent_is_not_marked() -> None:
    backlog = Backlog()
    speak(backlog, 0, 1)
    item = backlog.next_unsent()
    assert item is not None
    backlog.drop_audio()
    backlog.mark_sent(item, 0, 1)
    assert item.sent_at_ms is None


# -- after a swap ------------------------------------------------------------------------------------------------------


def test_a_resumed_connection_is_sent_what_its_handle_does_not_cover() -> None:
    backlog = Backlog()
    speak(backlog, 0, 1, 2)
    send(backlog, at_ms=1_000)
    backlog.cover_audio(backlog.mark_at(1_000))
    speak(backlog, 3, 4)
    send(backlog, at_ms=2_000)
    speak(backlog, 5)
    backlog.rewind(resumed=True)
    assert unsent(backlog) == [3, 4, 5]


def test_a_fresh_connection_is_sent_everything_that_is_unanswered() -> None:
    backlog = Backlog()
    speak(backlog, 0, 1, 2)
    send(backlog, at_ms=1_000)
    backlog.cover_audio(backlog.mark_at(1_000))
    speak(backlog, 3)
    backlog.rewind(resumed=False)
    assert unsent(backlog) == [0, 1, 2, 3]


def test_what_was_in_flight_when_the_handle_came_is_sent_again() -> None:
    backlog = Backlog()
    for number, at_ms in enumerate((1_000, 1_040, 1_080)):
        speak(backlog, number)
        send(backlog, at_ms=at_ms)
    backlog.cover_audio(backlog.mark_at(1_050))
    backlog.rewind(resumed=True)
    assert unsent(backlog) == [2]


def test_a_typed_message_is_covered_by_its_reply_alone() -> None:
    backlog = Backlog()
    backlog.add_typed("typed-1", "Hello")
    speak(backlog, 0)
    send(backlog, at_ms=1_000)
    backlog.cover_audio(backlog.mark_at(1_000))
    backlog.rewind(resumed=True)
    assert unsent(backlog) == ["typed-1"]
    send(backlog, at_ms=2_000)
    backlog.answered(backlog.mark_at(2_000), frozenset({"typed-1"}))
    backlog.rewind(resumed=True)
    assert unsent(backlog) == []
    assert not backlog.holds_typed("typed-1")


def test_only_what_was_sent_awaits_an_answer() -> None:
    backlog = Backlog()
    backlog.add_typed("typed-1", "One")
    send(backlog)
    backlog.add_typed("typed-2", "Two")
    assert backlog.typed_sent() == {"typed-1"}
    backlog.rewind(resumed=True)
    assert backlog.typed_sent() == frozenset()


def test_what_a_reply_answered_is_never_sent_again() -> None:
    backlog = Backlog()
    speak(backlog, 0, 1)
    send(backlog, at_ms=1_000)
    mark = backlog.mark_at(1_000)
    speak(backlog, 2)
    send(backlog, at_ms=2_000)
    backlog.answered(mark, frozenset())
    backlog.rewind(resumed=False)
    assert unsent(backlog) == [2]


def test_muting_twice_in_a_row_is_told_once() -> None:
    backlog = Backlog()
    speak(backlog, 0)
    for _ in range(1_000):
        backlog.add_audio_end()
    assert send(backlog) == [0, "end"]


# -- acknowledging -----------------------------------------------------------------------------------------------------


def test_only_what_is_covered_or_answered_may_be_acknowledged() -> None:
    backlog = Backlog()
    speak(backlog, 0, 1, 2, 3)
    send(backlog, 2, at_ms=1_000)
    assert backlog.acknowledged_number == 0
    backlog.cover_audio(backlog.mark_at(1_000))
    assert backlog.acknowledged_number == 2
    send(backlog, at_ms=2_000)
    backlog.answered(backlog.mark_at(2_000), frozenset())
    assert backlog.acknowledged_number == 4


def test_an_acknowledgement_is_never_taken_back() -> None:
    backlog = Backlog()
    speak(backlog, 0, 1)
    send(backlog, at_ms=1_000)
    backlog.cover_audio(backlog.mark_at(1_000))
    backlog.rewind(resumed=False)
    assert backlog.acknowledged_number == 2


# -- bounds ------------------------------------------------------------------------------------------------------------


def test_a_minute_of_audio_is_kept_and_the_oldest_goes_first_and_is_counted() -> None:
    backlog = Backlog()
    speak(backlog, *range(63), pcm=SECOND)
    assert backlog.take_loss() == Loss(ms=3_000)
    assert unsent(backlog) == list(range(3, 63))
    assert not backlog.take_loss(), "told once"


def test_what_was_sent_and_dropped_is_lost_only_with_its_connection() -> None:
    backlog = Backlog()
    speak(backlog, *range(60), pcm=SECOND)
    send(backlog, at_ms=1_000)
    speak(backlog, 60, 61, pcm=SECOND)
    assert not backlog.take_loss()
    backlog.rewind(resumed=True)
    assert backlog.take_loss() == Loss(ms=2_000)


def test_a_microphone_that_was_open_and_silent_has_lost_nothing_with_its_connection() -> None:
    backlog = Backlog()
    for number in range(90):
        speak(backlog, number, pcm=QUIET_SECOND)
        send(backlog, at_ms=number * 1_000)
    backlog.rewind(resumed=True)
    assert not backlog.take_loss()


def test_where_something_else_is_lost_the_silence_before_it_is_counted_with_it() -> None:
    backlog = Backlog()
    speak(backlog, 0, pcm=QUIET_SECOND)
    send(backlog, at_ms=1_000)
    speak(backlog, *range(1, 63), pcm=QUIET_SECOND)
    backlog.rewind(resumed=True)
    assert backlog.take_loss() == Loss(ms=3_000)


@pytest.mark.parametrize("how", ["covered", "answered"])
def test_what_was_sent_and_dropped_and_then_made_safe_is_not_lost(how: str) -> None:
    backlog = Backlog()
    speak(backlog, *range(60), pcm=SECOND)
    send(backlog, at_ms=1_000)
    speak(backlog, 60, 61, pcm=SECOND)
    send(backlog, at_ms=1_100)
    mark = backlog.mark_at(1_050)
    if how == "covered":
        backlog.cover_audio(mark)
    else:
        backlog.answered(mark, frozenset())
    backlog.rewind(resumed=True)
    assert not backlog.take_loss()


def test_a_reply_to_something_older_makes_nothing_safe_that_was_dropped_since() -> None:
    """A long reply over an open microphone: what was said during it is not answered by it."""
    backlog = Backlog()
    speak(backlog, 0, pcm=SECOND)
    send(backlog, at_ms=1_000)
    mark = backlog.mark_at(1_000)
    speak(backlog, *range(1, 60), pcm=SECOND)
    send(backlog, at_ms=2_000)
    speak(backlog, 60, 61, 62, pcm=SECOND)
    backlog.answered(mark, frozenset())
    backlog.rewind(resumed=True)
    assert backlog.take_loss() == Loss(ms=2_000)


def test_two_hundred_typed_messages_are_kept() -> None:
    backlog = Backlog()
    for number in range(TYPED_LIMIT + 2):
        backlog.add_typed(f"typed-{number}", "Hello")
    assert backlog.take_loss() == Loss(ids=("typed-0", "typed-1"))
    assert len(send(backlog)) == TYPED_LIMIT


def test_the_memory_of_covered_audio_is_given_back_but_for_the_last_seconds() -> None:
    backlog = Backlog()
    for number in range(30):
        speak(backlog, number, pcm=SECOND)
        send(backlog, at_ms=number * 1_000)
    backlog.cover_audio(backlog.mark_at(29_000))
    backlog.rewind(resumed=False)
    kept = COVERED_AUDIO_KEPT_BYTES // len(SECOND)
    assert unsent(backlog) == list(range(30 - kept, 30))
    assert not backlog.take_loss()


@pytest.mark.parametrize(
    ("quiet_s", "first_kept"), [(10, 4), (30, 34 - COVERED_SPEECH_KEPT_BYTES // len(SECOND))], ids=["soon", "late"]
)
def test_what_was_said_and_is_not_answered_is_kept_for_a_fresh_session(quiet_s: int, first_kept: int) -> None:
    backlog = Backlog()
    for number in range(4 + quiet_s):
        speak(backlog, number, pcm=SECOND)
        send(backlog, at_ms=number * 1_000)
        if number == 4:
            backlog.keep_speech(1)
    backlog.cover_audio(backlog.mark_at(60_000))
    backlog.rewind(resumed=False)
    assert unsent(backlog) == list(range(first_kept, 4 + quiet_s))


def test_what_is_answered_is_kept_no_longer() -> None:
    backlog = Backlog()
    speak(backlog, 0, pcm=SECOND)
    backlog.keep_speech(1)
    send(backlog)
    backlog.answered(backlog.mark_at(), frozenset())
    for number in range(1, 11):
        speak(backlog, number, pcm=QUIET_SECOND)
        send(backlog, at_ms=number * 1_000)
    backlog.cover_audio(backlog.mark_at(60_000))
    backlog.rewind(resumed=False)
    assert len(unsent(backlog)) == COVERED_AUDIO_KEPT_BYTES // len(SECOND)


def test_of_sentences_that_nobody_answers_no_more_than_some_are_remembered() -> None:
    backlog = Backlog()
    for number in range(2 * SPEECHES_LIMIT):
        speak(backlog, number)
        backlog.keep_speech(1)
    assert len(backlog._speeches) == SPEECHES_LIMIT


def test_an_endless_call_does_not_grow() -> None:
    backlog = Backlog()
    for number in range(500):
        speak(backlog, number, pcm=SECOND)
        send(backlog, at_ms=number * 1_000)
        if number % 10 == 0:
            backlog.cover_audio(backlog.mark_at(number * 1_000))
        if number % 3 == 0:
            backlog.add_audio_end()
    held: dict[str, Any] = vars(backlog)
    assert sum(len(item.pcm) for item in held["_items"] if isinstance(item, AudioFrame)) <= AUDIO_LIMIT_BYTES
    assert sum(isinstance(item, AudioEnd) for item in held["_items"]) < 100


# -- a refused replay --------------------------------------------------------------------------------------------------


def test_audio_that_the_provider_refused_is_dropped_and_counted_and_typed_messages_stay() -> None:
    backlog = Backlog()
    speak(backlog, *range(25))
    backlog.add_typed("typed-1", "Hello")
    backlog.add_audio_end()
    backlog.rewind(resumed=True)
    backlog.drop_audio()
    assert backlog.take_loss() == Loss(ms=25 * FRAME_MS)
    assert unsent(backlog) == ["typed-1"]


def test_audio_that_a_handle_covers_is_not_counted_when_a_replay_is_refused() -> None:
    backlog = Backlog()
    speak(backlog, 0, 1)
    send(backlog, at_ms=1_000)
    backlog.cover_audio(backlog.mark_at(1_000))
    speak(backlog, 2)
    backlog.drop_audio()
    assert backlog.take_loss() == Loss(ms=FRAME_MS)


# -- said again --------------------------------------------------------------------------------------------------------


def test_what_is_said_again_goes_out_in_its_turn() -> None:
    backlog = Backlog()
    speak(backlog, 0, 1)
    send(backlog, 1)
    backlog.repeat_audio([FRAME, FRAME], is_muted=False)
    backlog.add_typed("typed-1", "Hello")
    speak(backlog, 2)
    assert send(backlog) == [1, "again", "again", "typed-1", 2]


def test_what_is_said_again_while_the_microphone_is_muted_has_an_end_of_its_own() -> None:
    backlog = Backlog()
    speak(backlog, 0)
    backlog.add_audio_end()
    send(backlog)
    backlog.repeat_audio([FRAME], is_muted=True)
    assert send(backlog) == ["again", "end"]


@pytest.mark.parametrize("resumed", [True, False])
@pytest.mark.parametrize("was_sent", [True, False])
def test_after_a_swap_the_original_comes_again_and_not_what_was_said_again(resumed: bool, was_sent: bool) -> None:
    backlog = Backlog()
    speak(backlog, 0, 1)
    send(backlog)
    backlog.repeat_audio([FRAME, FRAME], is_muted=False)
    send(backlog, 1 if was_sent else 0)
    backlog.rewind(resumed=resumed)
    assert send(backlog) == [0, 1]


def test_what_is_said_again_is_not_acknowledged_and_not_lost() -> None:
    backlog = Backlog()
    speak(backlog, 0, 1)
    send(backlog)
    backlog.repeat_audio([FRAME] * 3, is_muted=False)
    send(backlog)
    assert backlog.mark_at() == 2
    backlog.cover_audio(backlog.mark_at())
    assert backlog.acknowledged_number == 2
    backlog.repeat_audio([FRAME] * 3, is_muted=False)
    backlog.rewind(resumed=True)
    backlog.repeat_audio([FRAME] * 3, is_muted=False)
    backlog.drop_audio()
    assert not backlog.take_loss()
    assert unsent(backlog) == []


def test_what_was_answered_meanwhile_is_not_said_again() -> None:
    backlog = Backlog()
    speak(backlog, 0)
    send(backlog)
    backlog.repeat_audio([FRAME, FRAME], is_muted=False)
    send(backlog, 1)
    backlog.answered(backlog.mark_at(), frozenset())
    assert unsent(backlog) == []
