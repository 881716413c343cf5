"""Everything is stored as it happens, and an `ack` promises nothing that is not stored."""

from __future__ import annotations

import asyncio

import pytest

from energy.levels import Mode
from sessions_app.live.machine.events import State
from sessions_app.live.page import StoreRefused
from sessions_app.live.providers.upstream import (
    GenerationComplete,
    HandleUpdate,
    ReplyAudio,
    ReplyWords,
    TurnComplete,
    UserWords,
)
from sessions_app.live.transcript import Turn
from sessions_app.live.writer import QUEUE_LIMIT, REFUSALS_LIMIT, RETRY_AFTER_S, TRIES, StoreWriter
from tests.fakes.store import FakeStore
from tests.fakes.upstream import Answer
from tests.live.stage import CONSUMED_S, Stage, a_turn, numbers, sound


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


async def test_one_turn_that_cannot_be_stored_does_not_keep_the_others_from_being_stored_and_acknowledged() -> None:
    stage = await Stage().open_quietly()
    stage.store.unstorable = ("Bad",)
    await stage.exchange("typed-1", "Bad", "First.")
    await stage.wait(10)
    await stage.exchange("typed-2", "Two", "Second.")
    await stage.wait(10)
    assert [text for _, text, _ in stage.store.lines] == ["First.", "Two", "Second."]
    assert [id for _, ids in stage.page.acks for id in ids] == ["typed-1", "typed-2"]


async def test_while_the_store_is_away_no_turn_is_taken_for_one_that_cannot_be_stored() -> None:
    store = FakeStore()
    writer = StoreWriter(store, lambda: None)
    store.is_broken, store.unstorable = True, ("Words 1",)
    for number in range(3):
        writer.save_turn(a_turn(number, f"Words {number}"))
    await writer.flush()
    store.is_broken = False
    writer.after(lambda: None)
    await writer.flush()
    assert sorted(store.turns) == [0, 2]


async def test_a_line_that_is_still_growing_is_stored_within_a_second() -> None:
    stage = await Stage(Mode.CALL).open_quietly()
    for word in ("I ", "think ", "that "):
        await stage.hear(UserWords(word))
        await stage.wait(0.2)
    tries = stage.store.tries
    await stage.wait(0.5)
    assert stage.store.lines == [("user", "I think that ", "partial")]
    assert stage.store.tries <= tries + 1, "not with every word"
    await stage.hear(ReplyAudio(sound(40)), ReplyWords("So "))
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


async def test_a_handle_that_comes_when_all_of_a_reply_is_there_is_stored_as_covering_it() -> None:
    stage = await Stage().open_quietly()
    stage.manager.take_text("typed-1", "Hello")
    await stage.wait(0.1)
    await stage.begin_reply("Hello!", ms=5_000)
    await stage.offer("h-too-early")
    await stage.hear(GenerationComplete())
    await stage.offer("h-1")
    stage.manager.take_text("typed-2", "And who are you?")
    await stage.wait(0.1)
    early, late = stage.store.handles
    reply = stage.page.transcript[1]
    assert (early.covered_turn, late.covered_turn) == (-1, reply.number)
    assert stage.store.lines[reply.number] == ("model", "Hello!", "partial")


async def test_a_reply_that_a_handle_covers_is_not_told_again_to_a_session_that_missed_the_next_one() -> None:
    stage = await Stage().open_quietly()
    stage.manager.take_text("typed-1", "Hello")
    await stage.wait(0.1)
    await stage.produce_reply("Hello!")
    await stage.offer("h-1")
    await stage.hear(TurnComplete())
    await stage.exchange("typed-2", "And who are you?", "A model.")
    stage.connection.drop()
    await stage.wait(1)
    assert stage.upstream.attempts[-1].setup.handle == "h-1"
    assert [turn.text for past in stage.connection.past_turns for turn in past] == ["And who are you?", "A model."]


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


async def test_an_error_of_whoever_waits_for_a_write_does_not_stop_the_next_ones() -> None:
    store = FakeStore()
    writer = StoreWriter(store, lambda: None)
    heard: list[str] = []

    def fail() -> None:
        raise RuntimeError("not the store's fault")

    writer.after(fail)
    writer.after(lambda: heard.append("second"))
    await writer.flush()
    writer.after(lambda: heard.append("third"))
    await writer.flush()
    assert heard == ["second", "third"]


async def test_a_store_that_stays_away_fills_no_memory_and_loses_no_turn() -> None:
    store = FakeStore()
    store.takes_s = 1
    writer = StoreWriter(store, lambda: None)
    for number in range(3 * QUEUE_LIMIT):
        writer.save_turn(a_turn(number, f"Words {number}"))
        writer.record("go_away", {"number": number})
    begun_at = asyncio.get_running_loop().time()
    await writer.flush()
    assert asyncio.get_running_loop().time() - begun_at <= QUEUE_LIMIT + 1
    assert len(store.turns) == 3 * QUEUE_LIMIT
    assert store.of_kind("go_away")[-1] == {"number": 3 * QUEUE_LIMIT - 1}


ADDING = frozenset({"save_turns", "save_handle", "record", "save_usage"})


async def test_a_conversation_that_has_no_place_any_more_ends_and_its_page_is_told() -> None:
    """The account was deleted: adding is refused for good, while reading and deleting go on as before."""
    stage = await Stage().open()
    await stage.exchange("typed-1", "Hello", "Hello!", handle="h-1")
    stage.store.refused = ADDING
    for number in range(2, 5):
        await stage.exchange(f"typed-{number}", "And now?", "Well.", handle=f"h-{number}")
        await stage.wait(1)
    assert stage.manager.state is State.ENDED
    assert stage.page.all_of("state")[-1][3] == "gone"
    assert stage.connection.is_closed
    assert stage.manager.finished.is_set()
    assert [ids for _, ids in stage.page.acks] == [("typed-1",)]


async def test_a_row_that_is_refused_for_good_is_not_tried_again_and_ends_nothing() -> None:
    stage = await Stage().open()
    stage.store.refused = frozenset({"save_handle"})
    for number in range(2 * REFUSALS_LIMIT):
        tries = stage.store.tries
        await stage.exchange(f"typed-{number}", "Hello", "Hello!", handle=f"h-{number}")
        await stage.wait(3 * RETRY_AFTER_S)
    assert stage.store.tries - tries < 10
    assert stage.manager.state is State.LIVE
    assert stage.store.lines == stage.page.lines


async def test_a_turn_that_is_stored_by_itself_proves_that_there_is_a_place(monkeypatch: pytest.MonkeyPatch) -> None:
    store, ended = FakeStore(), list[str]()
    store.refused = frozenset({"record"})
    save_turns = store.save_turns

    async def refuse_one(turns: tuple[Turn, ...]) -> None:
        if any(turn.text == "unstorable" for turn in turns):
            raise StoreRefused("DataError")
        await save_turns(turns)

    monkeypatch.setattr(store, "save_turns", refuse_one)
    writer = StoreWriter(store, lambda: ended.append("gone"))
    for _ in range(REFUSALS_LIMIT - 2):
        writer.record("go_away", {})
    writer.save_turn(a_turn(0, "unstorable"))
    writer.save_turn(a_turn(1, "Hello"))
    writer.record("go_away", {})
    await writer.flush()
    assert [turn.text for turn in store.turns.values()] == ["Hello"]
    assert ended == []


async def test_a_store_that_is_away_ends_no_conversation() -> None:
    stage = await Stage().open()
    stage.store.is_broken = True
    for number in range(2 * REFUSALS_LIMIT):
        await stage.exchange(f"typed-{number}", "Hello", "Hello!")
        await stage.wait(3 * TRIES * RETRY_AFTER_S)
    assert stage.manager.state is State.LIVE


async def test_words_that_cannot_be_sent_are_told_as_lost_and_the_conversation_goes_on() -> None:
    stage = await Stage().open_quietly()
    stage.connection.unsendable = ("unspeakable",)
    stage.upstream.otherwise = Answer(prepare=lambda connection: setattr(connection, "unsendable", ("unspeakable",)))
    stage.manager.take_text("typed-1", "unspeakable")
    await stage.wait(5)
    stage.manager.take_text("typed-2", "Hello")
    await stage.wait(5)
    assert stage.manager.state is State.LIVE
    assert stage.connection.texts == ["Hello"]
    assert [loss.ids for loss, _ in stage.page.losses] == [("typed-1",)]
    assert len(stage.upstream.attempts) == 2


async def test_a_wish_that_fails_does_not_take_the_others_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = await Stage().open_quietly()

    def fail(kind: str, data: dict[str, object]) -> None:
        raise RuntimeError("not expected")

    monkeypatch.setattr(StoreWriter, "record", lambda self, kind, data: fail(kind, data))
    stage.connection.drop()
    await stage.wait(2)
    assert stage.manager.state is State.LIVE
    assert len(stage.upstream.connections) == 2
