"""A reply answers what the provider had been sent when it began, and what it answers is not said to it again."""

from __future__ import annotations

from energy.levels import Mode
from sessions_app.live.machine.failures import Failure, Phase
from sessions_app.live.providers.upstream import GenerationComplete, Interrupted, TurnComplete
from tests.fakes.upstream import Answer
from tests.live.stage import CONSUMED_S, Stage, numbers

REDIALLED_S = 0.19
"""After so long a connection that was cut off has been replaced and sent what it did not know."""

DEAD_HANDLE = Failure(1008, "BidiGenerateContent session not found", Phase.SETUP)


async def a_call(*answers: Answer | Failure) -> Stage:
    """A call with a turn behind it and a handle that covers it."""
    stage = Stage(Mode.CALL)
    stage.upstream.script(*answers)
    await stage.open()
    await stage.spoken_exchange("My code word is plum.", "Noted.", handle="h-1")
    return stage


async def test_speech_that_was_replayed_and_answered_at_once_is_not_answered_again_by_a_fresh_session() -> None:
    stage = await a_call(Answer(), Answer(), DEAD_HANDLE)
    spoken = await stage.speak(20)
    stage.connection.drop()
    await stage.wait(REDIALLED_S)
    assert numbers(stage.connection.audio) == spoken
    await stage.produce_reply("I heard you.")
    await stage.wait(1)
    await stage.hear(TurnComplete())
    await stage.offer("h-2")
    stage.connection.drop()
    await stage.wait(1)
    fresh = stage.connection
    assert fresh.setup.handle is None
    assert fresh.audio == []


async def test_speech_that_was_replayed_is_not_said_again_when_its_whole_reply_was_cut_off_from_its_end() -> None:
    stage = await a_call()
    spoken = await stage.speak(20)
    stage.connection.drop()
    await stage.wait(REDIALLED_S)
    resumed = stage.connection
    assert numbers(resumed.audio) == spoken
    await stage.begin_reply("I heard you.", ms=2_000)
    await stage.wait(0.5)
    await stage.hear(GenerationComplete())
    stage.connection.drop()
    await stage.wait(1)
    assert stage.connection is not resumed
    assert stage.connection.audio == []


async def test_speech_on_its_way_when_a_reply_began_that_it_broke_off_is_still_owed_an_answer() -> None:
    stage = await a_call()
    await stage.speak(5)
    await stage.wait(CONSUMED_S)
    later = await stage.speak(3, every_ms=0)
    await stage.begin_reply("You said")
    await stage.hear(Interrupted(), TurnComplete())
    stage.connection.drop()
    await stage.wait(1)
    assert set(later) <= set(numbers(stage.connection.audio))


async def test_a_typed_message_on_its_way_when_a_reply_began_that_it_broke_off_is_still_owed_an_answer() -> None:
    stage = await a_call()
    await stage.speak(5)
    await stage.wait(CONSUMED_S)
    stage.manager.take_text("typed-1", "And my name is Alice")
    await stage.settle()
    await stage.begin_reply("You said")
    await stage.hear(Interrupted(), TurnComplete())
    assert not any("typed-1" in ids for _, ids in stage.page.acks)
    stage.connection.drop()
    await stage.wait(1)
    assert stage.connection.texts == ["And my name is Alice"]


async def test_a_typed_message_whose_whole_reply_comes_at_once_is_answered() -> None:
    stage = await a_call()
    stage.manager.take_text("typed-1", "Hello")
    await stage.settle()
    await stage.reply("Hello.")
    stage.connection.drop()
    await stage.wait(1)
    assert stage.connection.texts == []
