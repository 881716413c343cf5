"""Everything is stored as it happens, and an `ack` promises nothing that is not stored."""

from __future__ import annotations

import pytest

from energy.levels import Mode
from sessions_app.live.providers.upstream import HandleUpdate, ReplyWords, UserWords
from sessions_app.live.writer import RETRY_AFTER_S, TRIES
from tests.live.stage import CONSUMED_S, Stage, numbers


async def test_a_handle_covers_audio_only_once_it_is_stored() -> None:
    stage = await Stage(Mode.CALL).open_quietly()
    stage.store.takes_s = 0.5
    await stage.speak(10)
    await stage.offer("h-1")
    assert stage.page.acks == []
    await stage.wait(1)
    assert stage.page.acks == [(10, ())]
    assert stage.store.handle is not None
    assert stage.store.handle.acknowledged_number == 10


async def test_a_reply_answers_a_message_only_once_both_are_stored() -> None:
    stage = await Stage().open_quietly()
    stage.store.takes_s = 0.5
    stage.manager.take_text("typed-1", "Hello")
    await stage.wait(CONSUMED_S)
    await stage.reply("Hello!")
    assert stage.page.acks == []
    await stage.wait(3)
    assert stage.page.acks == [(0, ("typed-1",))]
    assert stage.store.lines == [("user", "Hello", "complete"), ("model", "Hello!", "complete")]


async def test_a_slow_store_delays_acknowledgements_and_never_the_conversation() -> None:
    stage = await Stage(Mode.CALL).open_quietly()
    stage.store.takes_s = 10
    begun_at = stage.now_s
    for number in range(5):
        spoken = await stage.spoken_exchange(f"Question {number}", f"Answer {number}", handle=f"h-{number}")
        assert numbers(stage.connection.audio)[-len(spoken) :] == spoken
    assert stage.now_s - begun_at < 5
    assert [text for _, text, _ in stage.page.lines][-1] == "Answer 4"
    assert stage.page.acks == []
    await stage.wait(300)
    assert stage.page.acks[-1][0] == stage.next_frame
    assert stage.store.lines == stage.page.lines


async def test_a_store_that_fails_is_tried_again() -> None:
    stage = await Stage().open_quietly()
    stage.store.is_broken = True
    stage.manager.take_text("typed-1", "Hello")
    await stage.wait(RETRY_AFTER_S / 2)
    stage.store.is_broken = False
    await stage.wait(RETRY_AFTER_S)
    assert stage.store.lines == [("user", "Hello", "complete")]


async def test_a_store_that_stays_broken_means_no_acknowledgement_and_a_conversation_that_goes_on() -> None:
    stage = await Stage(Mode.CALL).open_quietly()
    stage.store.is_broken = True
    await stage.exchange("typed-1", "Hello", "Hello!", handle="h-1")
    await stage.spoken_exchange("And you?", "Fine.", handle="h-2")
    await stage.wait(60 * TRIES * RETRY_AFTER_S)
    assert stage.page.acks == []
    assert stage.page.lines[-1] == ("model", "Fine.", "complete")
    stage.connection.drop()
    await stage.wait(1)
    assert stage.upstream.attempts[-1].setup.handle == "h-2", "this process still knows it"


async def test_what_a_broken_store_missed_is_stored_when_it_is_back_before_anything_is_acknowledged() -> None:
    stage = await Stage().open_quietly()
    stage.store.is_broken = True
    await stage.exchange("typed-1", "One", "First.")
    await stage.wait(60)
    stage.store.is_broken = False
    await stage.exchange("typed-2", "Two", "Second.")
    await stage.wait(60)
    assert [text for _, text, _ in stage.store.lines] == ["One", "First.", "Two", "Second."]
    assert stage.page.acks[-1][1] == ("typed-2",)


async def test_a_line_that_is_still_growing_is_stored_within_a_second() -> None:
    stage = await Stage(Mode.CALL).open_quietly()
    for word in ("I ", "think ", "that "):
        await stage.hear(UserWords(word))
        await stage.wait(0.2)
    tries = stage.store.tries
    await stage.wait(0.5)
    assert stage.store.lines == [("user", "I think that ", "partial")]
    assert stage.store.tries <= tries + 1, "not with every word"
    await stage.hear(ReplyWords("So "))
    await stage.wait(0.01)
    assert stage.store.lines[0] == ("user", "I think that ", "complete")


async def test_handles_are_stored_with_what_they_cover() -> None:
    stage = await Stage(Mode.CALL).open_quietly()
    await stage.spoken_exchange("Hello.", "Hello!", handle="h-1")
    await stage.speak(3)
    await stage.hear(HandleUpdate("h-2"))
    await stage.wait(0.1)
    first, second = stage.store.handles
    assert (first.acknowledged_number, second.handle) == (5, "h-2")
    assert first.covered_turn == stage.page.transcript[-1].number
    assert 5 <= second.acknowledged_number < 8, "the last frames were still on their way"


async def test_everything_that_happens_to_the_connection_is_recorded() -> None:
    stage = await Stage().open()
    await stage.exchange("typed-1", "Hello", "Hello!", handle="h-1")
    stage.connection.drop()
    await stage.wait(1)
    stage.manager.hang_up()
    await stage.wait(1)
    kinds = [kind for kind, _ in stage.store.records]
    assert kinds == ["connected", "connection_lost", "connected", "handle_forgotten", "ended"]


async def test_nothing_that_was_said_stands_in_the_records_or_the_log(caplog: pytest.LogCaptureFixture) -> None:
    stage = await Stage().open()
    await stage.exchange("typed-1", "My code word is PLUM-42.", "Noted: PLUM-42.", handle="secret-handle")
    stage.connection.drop()
    await stage.wait(1)
    stage.manager.hang_up()
    await stage.wait(1)
    assert "PLUM" not in str(stage.store.records)
    assert "PLUM" not in caplog.text
    assert "secret-handle" not in str(stage.store.records)
    assert "secret-handle" not in caplog.text
