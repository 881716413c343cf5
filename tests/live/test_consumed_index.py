"""Transparent resumption: a handle that says which message it covers last is believed to the message."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from google.genai import types
from hypothesis import given
from hypothesis import strategies as st

from energy.levels import Mode
from sessions_app.live.backlog import AudioFrame, Backlog
from sessions_app.live.machine.failures import TRANSPARENT_FIELD, Failure, History, Phase, Verdict, judge
from sessions_app.live.providers.gemini import GeminiConnection, config_of
from sessions_app.live.providers.loop_lag import LoopLag
from sessions_app.live.providers.upstream import (
    HandleUpdate,
    ReplyAudio,
    ReplyWords,
    Setup,
    TurnComplete,
    UndeclaredCall,
    UpstreamFailed,
    UpstreamMessage,
    UsageReported,
)
from tests.fakes.wire import Wire, session_over
from tests.live.stage import Stage, frame, numbers

THERE = Setup("vertex@us-central1:gemini-3.8-live", "", "Kore", is_on_agent_platform=True)
HERE = Setup("gemini-3.8-live", "", "Kore")


# -- the driver --------------------------------------------------------------------------------------------------------


async def test_after_a_swap_comes_what_the_index_leaves_open_and_nothing_else() -> None:
    stage = await Stage(Mode.CALL).open()
    spoken = await stage.speak(10)
    await stage.hear(HandleUpdate("h-1", consumed_index=10))
    later = await stage.speak(3)
    stage.connection.drop()
    await stage.wait(1)
    assert numbers(stage.connection.audio) == later
    assert numbers(stage.upstream.connections[0].audio) == [*spoken, *later]


async def test_what_was_just_sent_is_covered_where_the_index_says_so_however_short_the_time() -> None:
    stage = await Stage(Mode.CALL).open()
    await stage.speak(2, every_ms=1)
    await stage.hear(HandleUpdate("h-1", consumed_index=2))
    stage.connection.drop()
    await stage.wait(1)
    assert stage.connection.audio == []


async def test_a_handle_whose_index_is_missing_covers_what_time_shows() -> None:
    stage = await Stage(Mode.CALL).open()
    await stage.speak(10)
    await stage.hear(HandleUpdate("h-1", consumed_index=10))
    early = await stage.speak(10)
    await stage.wait(1)
    late = await stage.speak(1, every_ms=1)
    await stage.hear(HandleUpdate("h-2"))
    stage.connection.drop()
    await stage.wait(1)
    assert numbers(stage.connection.audio) == late
    assert early


async def test_a_reply_to_what_was_typed_answers_no_audio_that_the_index_leaves_open() -> None:
    """By the clock the provider had taken it all in when it began to answer: it was slower than that (soak)."""
    stage = await Stage(Mode.CALL, [THERE.model] * 3).open()
    await stage.speak(5)
    await stage.hear(HandleUpdate("h-1", consumed_index=5))
    stage.manager.take_text("m-1", "What is the time?")
    later = await stage.speak(10)
    await stage.reply("Noon.")
    await stage.hear(HandleUpdate("h-2", consumed_index=10))
    stage.connection.drop()
    await stage.wait(1)
    assert numbers(stage.connection.audio) == later[4:]
    assert stage.connection.texts == []


async def test_the_first_handle_of_a_connection_covers_nothing_where_its_index_is_left_out() -> None:
    """As JSON leaves out 0, however long ago something was sent."""
    stage = await Stage(Mode.CALL, [THERE.model] * 3).open()
    await stage.speak(5)
    await stage.hear(HandleUpdate("h-1", consumed_index=5))
    stage.connection.drop()
    await stage.wait(1)
    later = await stage.speak(10)
    await stage.wait(0.5)
    await stage.hear(HandleUpdate("h-2"))
    stage.connection.drop()
    await stage.wait(1)
    assert numbers(stage.connection.audio) == later


async def test_a_newer_handle_that_covers_less_gives_back_what_the_one_before_was_said_to_cover() -> None:
    stage = await Stage(Mode.CALL).open()
    spoken = await stage.speak(10)
    await stage.hear(HandleUpdate("h-1", consumed_index=9))
    await stage.hear(HandleUpdate("h-2", consumed_index=6))
    stage.connection.drop()
    await stage.wait(1)
    assert stage.upstream.attempts[-1].setup.handle == "h-2"
    assert numbers(stage.connection.audio) == spoken[6:]


async def test_the_index_of_a_connection_counts_for_that_connection_alone() -> None:
    stage = await Stage(Mode.CALL).open()
    await stage.speak(10)
    await stage.hear(HandleUpdate("h-1", consumed_index=10))
    stage.connection.drop()
    await stage.wait(1)
    spoken = await stage.speak(4)
    await stage.hear(HandleUpdate("h-2", consumed_index=3))
    stage.connection.drop()
    await stage.wait(1)
    assert numbers(stage.connection.audio) == spoken[3:]


async def test_the_number_that_the_connection_before_told_last_is_not_believed_however_possible_it_is() -> None:
    stage = await Stage(Mode.CALL).open()
    await stage.speak(10)
    await stage.hear(HandleUpdate("h-1", consumed_index=10))
    stage.connection.drop()
    await stage.wait(1)
    spoken = await stage.speak(12, every_ms=1)
    await stage.hear(HandleUpdate("h-2", consumed_index=10))
    stage.connection.drop()
    await stage.wait(1)
    assert numbers(stage.connection.audio) == spoken
    await stage.hear(HandleUpdate("h-3", consumed_index=5))
    stage.connection.drop()
    await stage.wait(1)
    assert numbers(stage.connection.audio) == spoken[5:]


async def test_a_typed_message_that_was_consumed_comes_again_until_its_reply_is_stored_and_then_never() -> None:
    stage = await Stage(Mode.TEXT).open()
    stage.manager.take_text("m-1", "What is the time?")
    await stage.settle()
    await stage.hear(HandleUpdate("h-1", consumed_index=1))
    stage.connection.drop()
    await stage.wait(1)
    assert stage.connection.texts == ["What is the time?"]
    await stage.reply("Noon.")
    await stage.hear(HandleUpdate("h-2", consumed_index=1))
    stage.connection.drop()
    await stage.wait(1)
    assert stage.connection.texts == []
    assert stage.upstream.attempts[-1].setup.handle == "h-2"


@pytest.mark.parametrize(("index", "is_behind"), [(0, True), (1, False)])
async def test_whether_a_handle_knows_the_past_that_was_given_shows_by_its_index(index: int, is_behind: bool) -> None:
    stage = await Stage(Mode.CALL).open()
    await stage.spoken_exchange("My code word is plum.", "Noted.", handle="h-1")
    await stage.spoken_exchange("And my name is Ann.", "Noted, Ann.")
    stage.connection.drop()
    await stage.wait(1)
    assert stage.connection.past_turns, "the handle did not know the second exchange"
    await stage.hear(HandleUpdate("h-2", consumed_index=index))
    stage.connection.drop()
    await stage.wait(1)
    assert stage.upstream.attempts[-1].setup.handle == "h-2"
    assert bool(stage.connection.past_turns) is is_behind


# -- the backlog -------------------------------------------------------------------------------------------------------


@given(
    steps=st.lists(
        st.one_of(st.tuples(st.just("speak"), st.integers(1, 5)), st.tuples(st.just("swap"), st.integers(0, 30))),
        max_size=40,
    )
)
def test_over_any_swaps_each_frame_is_consumed_once_where_the_index_is_exact(steps: list[tuple[str, int]]) -> None:
    backlog, number, sent, consumed = Backlog(), 0, 0, list[int]()
    on_its_way = list[int]()
    for what, count in steps:
        if what == "speak":
            for _ in range(count):
                backlog.add_audio(number, frame(number))
                number += 1
        else:
            taken = min(count, len(on_its_way))
            consumed += on_its_way[:taken]
            backlog.cover_exactly(backlog.mark_of(taken))
            backlog.rewind(resumed=True)
            on_its_way, sent = [], 0
        while (item := backlog.next_unsent()) is not None:
            assert isinstance(item, AudioFrame)
            sent += 1
            on_its_way.append(item.number)
            backlog.mark_sent(item, 0, sent)
    assert consumed + on_its_way == list(range(number))


# -- the provider ------------------------------------------------------------------------------------------------------


async def said_on(wire: Wire, setup: Setup, sent: int = 0) -> list[UpstreamMessage]:
    session = session_over(wire)
    connection = GeminiConnection(contextlib.nullcontext(session), session, LoopLag(), setup)
    for _ in range(sent):
        await connection.send_audio(bytes(1280))
    said, heard = connection.messages(), list[UpstreamMessage]()
    with contextlib.suppress(UpstreamFailed):
        while True:
            heard.append(await anext(said))
    return heard


def frames(*messages: dict[str, Any]) -> Wire:
    return Wire(*(json.dumps(message).encode() for message in messages))


def update(index: Any = None) -> dict[str, Any]:
    told = {} if index is None else {"lastConsumedClientMessageIndex": index}
    return {"sessionResumptionUpdate": {"newHandle": "h-1", "resumable": True, **told}}


@pytest.mark.parametrize(("told", "read"), [("3", 3), (3, 3), (None, None), ("500", None), ("0", 0)])
async def test_the_index_is_read_as_the_string_that_an_int64_is_and_not_believed_beyond_what_was_sent(
    told: Any, read: int | None
) -> None:
    assert await said_on(frames(update(told)), THERE, sent=5) == [HandleUpdate("h-1", read)]


async def test_the_index_is_not_read_where_nobody_asked_for_it() -> None:
    assert await said_on(frames(update("3")), HERE, sent=5) == [HandleUpdate("h-1")]


async def test_the_turn_of_a_refused_call_is_over_before_the_answer_begins() -> None:
    call = {"toolCall": {"functionCalls": [{"name": "look_up", "args": {}, "id": "7"}]}}
    over: dict[str, Any] = {"serverContent": {"turnComplete": True}}
    heard = await said_on(frames(call, over, over), THERE)
    assert heard == [UndeclaredCall(("look_up",)), TurnComplete(is_filler=True), TurnComplete()]
    assert await said_on(frames(call, over), HERE) == [UndeclaredCall(("look_up",)), TurnComplete()]


@pytest.mark.parametrize("answer", [ReplyAudio(bytes(4)), ReplyWords("Noon.")])
async def test_an_answer_in_the_turn_of_a_refused_call_ends_with_that_turn(answer: UpstreamMessage) -> None:
    """Not every model there has to end that turn before it answers: what was answered must not wait for another end."""
    call = {"toolCall": {"functionCalls": [{"name": "look_up", "args": {}, "id": "7"}]}}
    sound = {"modelTurn": {"parts": [{"inlineData": {"mimeType": "audio/pcm", "data": "AAAAAA=="}}]}}
    said = sound if isinstance(answer, ReplyAudio) else {"outputTranscription": {"text": "Noon."}}
    usage = {"promptTokenCount": 3, "candidatesTokenCount": 2, "totalTokenCount": 5}
    over: dict[str, Any] = {"serverContent": {"turnComplete": True}, "usageMetadata": usage}
    heard = await said_on(frames(call, {"serverContent": said}, over), THERE)
    assert heard[:2] == [UndeclaredCall(("look_up",)), answer]
    assert heard[-1] == TurnComplete()
    assert [message.model for message in heard if isinstance(message, UsageReported)] == [""]


async def test_the_end_of_the_microphone_is_told_by_silence_alone() -> None:
    wire = Wire()
    session = session_over(wire)
    setup = Setup("m", "", "Kore", silence_before_end_ms=1_000, is_on_agent_platform=True)
    await GeminiConnection(contextlib.nullcontext(session), session, LoopLag(), setup).send_audio_end()
    assert len(wire.sent) == 10
    assert not any("audio_stream_end" in str(message) for message in wire.sent)


def test_transparent_resumption_is_asked_for_on_agent_platform_unless_it_is_refused() -> None:
    assert config_of(THERE).session_resumption == types.SessionResumptionConfig(transparent=True)
    assert config_of(HERE).session_resumption == types.SessionResumptionConfig()
    refusal = Failure(1007, "Unknown name \"transparent\" at 'setup.session_resumption'", Phase.SETUP)
    judgement = judge(refusal, History())
    assert (judgement.verdict, judgement.field) == (Verdict.STRIP_FIELD, TRANSPARENT_FIELD)
    refused = Setup(THERE.model, "", "Kore", left_out=frozenset({judgement.field}), is_on_agent_platform=True)
    assert config_of(refused).session_resumption == types.SessionResumptionConfig()
