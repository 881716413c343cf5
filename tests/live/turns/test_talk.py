"""Conversations in turns from the side of the user."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from energy.levels import Mode
from sessions_app.live.machine.events import State
from sessions_app.live.machine.failures import Failure, Phase
from sessions_app.live.page import Assistant
from sessions_app.live.providers.turns import connection as connections
from sessions_app.live.providers.turns.account import Sound, Words
from sessions_app.live.providers.turns.reply import FIRST_PIECE_LIMIT_S
from sessions_app.live.providers.turns.upstream import TurnsUpstream
from sessions_app.live.providers.upstream import Setup, TurnTaking, UsageReported
from sessions_app.live.transcript import NOT_TRANSCRIBED, TurnCode
from tests.fakes.generation import USAGE, VOICE_USAGE, Chunk, FakeGeneration, Stream, sound, spoken, words
from tests.live.stage import INSTRUCTION
from tests.live.turns.stage import BEST, PAUSE_S, SECOND, VOICES, TurnsStage
from tests.live.turns.voices import voice

UNAVAILABLE = Failure(503, "UNAVAILABLE The model is overloaded. Please try again later.", Phase.LIVE)
QUOTA = Failure(429, "RESOURCE_EXHAUSTED You exceeded your current quota, please check your plan.", Phase.LIVE)
HANGS = 1_000.0


# -- turns -------------------------------------------------------------------------------------------------------------


async def test_a_typed_question_is_answered_in_writing_at_once_and_read_aloud() -> None:
    stage = await TurnsStage(Mode.TEXT).open()
    stage.answers(words("A plum. ", "It is ", "blue."))
    stage.manager.take_text("t-1", "What is it?")
    await stage.wait(0.055)
    assert stage.page.lines[-1] == ("model", "A plum. ", "partial")
    await stage.wait(5)
    assert stage.page.lines == [("user", "What is it?", "complete"), ("model", "A plum. It is blue.", "complete")]
    assert stage.store.lines == stage.page.lines
    assert [read.text for read in stage.read] == ["A plum.", "It is blue."]
    assert {(read.model, read.voice) for read in stage.read} == {(VOICES[0], "Kore")}
    assert len(stage.page.heard) == 2 * 1_000 * 48
    assert stage.page.acks[-1][1] == ("t-1",)
    assert stage.page.toasts == []
    asked = stage.asked[0]
    assert (asked.model, asked.thinking_level) == (BEST, "LOW")
    assert asked.prompt.instruction.startswith(INSTRUCTION)


async def test_a_spoken_question_is_written_down_and_answered() -> None:
    stage = await TurnsStage().open()
    stage.answers(spoken("What is it?", "A plum. ", "Blue."))
    await stage.say()
    await stage.pause(5)
    assert stage.page.lines == [("user", "What is it?", "complete"), ("model", "A plum. Blue.", "complete")]
    assert stage.page.acks[-1][0] > 25
    assert stage.sounds() == 1
    await stage.say()
    assert stage.before() == [("user", "What is it?"), ("model", "A plum. Blue.")]


@pytest.mark.parametrize(
    ("model", "level"),
    [(BEST, "LOW"), ("gemini-3-pro-preview", "LOW"), ("gemini-3.5-flash-lite", ""), ("gemini-2.5-flash", "")],
)
async def test_models_are_asked_to_think_little_where_they_can_be_told(model: str, level: str) -> None:
    generation = FakeGeneration()
    connection = await TurnsUpstream(generation, VOICES).connect(Setup(model, "", "Kore"))
    await connection.send_text("Hello?")
    await asyncio.sleep(0.1)
    assert generation.asked[0].thinking_level == level
    await connection.close(100)


async def test_the_first_sound_comes_after_the_first_sentence_and_not_after_the_answer() -> None:
    stage = await TurnsStage().open()
    stage.answers(spoken("What?", "A plum. ", "It ", *["and "] * 50, "ends.", every_s=0.2))
    await stage.say()
    await stage.wait(0.8)
    assert len(stage.page.played) > 0
    assert stage.page.lines[-1][2] == "partial"


async def test_a_turn_ends_when_its_sound_was_played() -> None:
    stage = await TurnsStage(Mode.TEXT).open()
    stage.voices(sound(4_000))
    stage.manager.take_text("t-1", "What is it?")
    await stage.wait(1)
    assert len(stage.page.all_of("generation_complete")) == 1
    assert stage.page.all_of("turn_complete") == []
    await stage.wait(4)
    assert len(stage.page.all_of("turn_complete")) == 1


async def test_answers_that_are_only_read_are_not_spoken() -> None:
    stage = await TurnsStage(Mode.TEXT).open()
    stage.manager.set_sound(False)
    stage.manager.take_text("t-1", "What is it?")
    await stage.wait(0.2)
    assert stage.read == []
    assert len(stage.page.all_of("turn_complete")) == 1
    assert "not spoken" in stage.asked[0].prompt.note


async def test_what_each_model_took_is_kept_and_the_page_is_told_of_the_one_that_answers() -> None:
    stage = await TurnsStage(Mode.TEXT).open()
    for id in ("t-1", "t-2"):
        stage.answers(words("A plum. ", "Blue. "))
        stage.manager.take_text(id, "What is it?")
        await stage.wait(5)
    first, second = stage.page.all_of("turn_complete")
    assert first[1] == second[1] == USAGE
    assert [(connection, turn, model) for connection, turn, model, _ in stage.store.usages] == [
        (2, first[0], VOICES[0]),
        (1, first[0], BEST),
        (3, second[0], VOICES[0]),
        (1, second[0], BEST),
    ]
    voice_report = stage.store.usages[0][3].as_data()
    assert voice_report == {"prompt_tokens": 2 * (VOICE_USAGE.prompt_tokens or 0), "response_tokens": 50}


async def test_what_a_turn_took_is_kept_though_its_sound_stood_still_and_the_session_ends_it_first() -> None:
    stage = await TurnsStage(Mode.TEXT).open()
    stage.answers(words("One is here. ", "Two is there."))
    stage.voices(sound(1_000), [5.0, *sound(5_000)])
    stage.manager.take_text("t-1", "What is it?")
    await stage.wait(20)
    ((_, usage),) = stage.page.all_of("turn_complete")
    assert usage == USAGE
    assert len(stage.store.usages) == 2


MADE = UsageReported(cache_made_tokens=1_000)
KEPT = UsageReported(cache_token_seconds=5_000)


async def test_what_keeping_the_conversation_takes_goes_with_a_turn_and_never_takes_the_place_of_its_own() -> None:
    stage = await TurnsStage(Mode.TEXT).open()
    (conversation,) = stage.generation.conversations
    conversation.to_tell += [MADE]
    stage.voices(sound(4_000))
    stage.manager.take_text("t-1", "What is it?")
    await stage.wait(1)
    conversation.to_tell += [KEPT]  # while the answer is heard: it is for the next turn
    await stage.wait(5)
    stage.manager.take_text("t-2", "What is it?")
    await stage.wait(5)
    usages = [usage for _, usage in stage.page.all_of("turn_complete")]
    assert usages == [replace(USAGE, cache_made_tokens=1_000), replace(USAGE, cache_token_seconds=5_000)]


async def test_what_keeping_the_conversation_takes_waits_for_a_turn_that_is_counted() -> None:
    stage = await TurnsStage(Mode.TEXT).open()
    (conversation,) = stage.generation.conversations
    conversation.to_tell += [MADE]
    stage.answers([0.1, Chunk("A plum. "), HANGS], words("Blue."))
    stage.manager.take_text("t-1", "What is it?")
    await stage.wait(1)
    stage.manager.take_text("t-2", "What colour?")
    await stage.wait(5)
    usages = [usage for _, usage in stage.page.all_of("turn_complete") if usage is not None]
    assert usages == [replace(USAGE, cache_made_tokens=1_000)]


# -- going on before there is an answer --------------------------------------------------------------------------------


async def test_who_goes_on_speaking_before_the_answer_is_answered_to_all_of_it_at_once() -> None:
    stage = await TurnsStage().open()
    stage.answers([HANGS], spoken("One and two?", "Three."))
    await stage.say()
    await stage.say()
    await stage.pause(3)
    assert stage.asked[0].was_torn
    assert stage.sounds(1) == 2
    assert stage.page.lines == [("user", "One and two?", "complete"), ("model", "Three.", "complete")]


async def test_what_was_written_down_before_goes_into_the_next_request_as_words() -> None:
    stage = await TurnsStage().open()
    stage.answers([Chunk('{"heard": "One?", "answer": "'), HANGS], spoken("And two?", "Three."))
    await stage.say()
    await stage.say()
    await stage.pause(3)
    parts = stage.asked[1].prompt.question.parts
    assert [type(part) for part in parts] == [Words, Sound]
    assert stage.page.lines[-1] == ("model", "Three.", "complete")


async def test_a_typed_message_before_the_answer_is_answered_with_the_one_before_it() -> None:
    stage = await TurnsStage(Mode.TEXT).open()
    stage.answers([HANGS])
    stage.manager.take_text("t-1", "What is it?")
    await stage.wait(1)
    stage.manager.take_text("t-2", "And why?")
    await stage.wait(5)
    assert stage.asked[0].was_torn
    assert stage.asked[1].prompt.question.parts == (Words("What is it?"), Words("And why?"))
    assert stage.page.acks[-1][1] == ("t-1", "t-2")


async def test_a_slow_answer_is_waited_for_and_nothing_is_said_twice() -> None:
    stage = await TurnsStage().open()
    stage.answers([15.0, *spoken("What is it?", "A plum.")])
    await stage.say()
    await stage.pause(20)
    assert len(stage.asked) == 1
    assert stage.page.lines[-1] == ("model", "A plum.", "complete")
    assert stage.page.states == [State.CONNECTING, State.LIVE]


# -- ending an answer --------------------------------------------------------------------------------------------------


async def test_speaking_into_an_answer_stops_it_and_what_was_heard_of_it_is_remembered() -> None:
    stage = await TurnsStage().open()
    stage.answers(spoken("Tell me.", "Once upon a time. ", "There was a king with a plum. ", *["And so on. "] * 40))
    stage.voices(sound(3_000))
    await stage.say()
    await stage.pause(1)
    await stage.listen(voice())
    assert stage.page.names_after("flush")
    assert stage.read[-1].was_torn or stage.asked[0].was_torn
    await stage.pause()
    assert stage.before() == [("user", "Tell me."), ("model", "Once upon a time. [cut off]")]
    assert stage.page.lines[1][2] == "interrupted"
    await stage.pause(5)
    assert stage.page.lines[-1] == ("model", "Yes.", "complete")
    assert len(stage.store.usages) >= 4


async def test_stop_ends_an_answer_at_the_provider_too() -> None:
    stage = await TurnsStage(Mode.TEXT).open()
    stage.answers([*words("Once upon a time. ", "There was. ")[:-1], HANGS])
    stage.voices([0.1, Chunk(pcm=bytes(4_800)), HANGS])
    stage.manager.take_text("t-1", "Tell me.")
    await stage.wait(1)
    stage.manager.stop_reply()
    await stage.wait(0.1)
    assert stage.asked[0].was_torn
    assert stage.read[0].was_torn
    assert stage.page.lines[-1][2] == "interrupted"
    assert len(stage.page.all_of("turn_complete")) == 1
    stage.manager.take_text("t-2", "Go on.")
    await stage.wait(5)
    assert stage.before() == [("user", "Tell me."), ("model", "Once upon a time. [cut off]")]
    assert stage.page.lines[-1] == ("model", "Yes.", "complete")


async def test_typing_into_an_answer_ends_it_and_is_answered() -> None:
    stage = await TurnsStage(Mode.TEXT).open()
    stage.voices(sound(20_000))
    stage.manager.take_text("t-1", "Tell me.")
    await stage.wait(2)
    stage.manager.take_text("t-2", "Something else.")
    await stage.wait(5)
    assert [status for _, _, status in stage.page.lines] == ["complete", "interrupted", "complete", "complete"]
    assert [id for _, ids in stage.page.acks for id in ids] == ["t-1", "t-2"]


async def test_where_answers_are_not_to_be_interrupted_what_was_said_into_one_is_answered_after_it() -> None:
    assistant = Assistant(INSTRUCTION, "Kore", turn_taking=TurnTaking(interruptions=False))
    stage = await TurnsStage(assistant=assistant).open()
    stage.voices(sound(6_000))
    await stage.say()
    await stage.say()
    assert len(stage.asked) == 1
    await stage.pause(12)
    assert len(stage.asked) == 2
    assert [status for role, _, status in stage.page.lines if role == "model"] == ["complete", "complete"]


# -- nothing to answer -------------------------------------------------------------------------------------------------


async def test_a_voice_that_says_nothing_leaves_nothing_behind() -> None:
    stage = await TurnsStage().open()
    for _ in range(3):
        stage.answers(spoken("", ""))
        await stage.say()
        await stage.pause(10)
    assert stage.page.lines == []
    assert stage.page.toasts == []
    assert stage.page.states == [State.CONNECTING, State.LIVE]
    await stage.say()
    assert stage.before() == []


async def test_a_prompt_that_is_blocked_says_so_and_is_not_asked_again() -> None:
    stage = await TurnsStage(Mode.TEXT).open()
    stage.answers([Chunk(refusal="PROHIBITED_INPUT_CONTENT")])
    stage.manager.take_text("t-1", "Something bad.")
    await stage.wait(1)
    assert stage.page.transcript[-1].code == TurnCode.REFUSED
    stage.manager.take_text("t-2", "Something good.")
    await stage.wait(3)
    assert stage.before() == []
    assert stage.page.lines[-1] == ("model", "Yes.", "complete")


async def test_an_answer_that_is_held_back_in_the_middle_says_so() -> None:
    stage = await TurnsStage(Mode.TEXT).open()
    stage.answers([Chunk("Well, "), 0.1, Chunk(finish="SAFETY", refusal="GENERATED_CONTENT_SAFETY")])
    stage.manager.take_text("t-1", "Something bad.")
    await stage.wait(3)
    assert [turn.code for turn in stage.page.transcript] == ["", "", TurnCode.REFUSED]


async def test_a_model_that_ignores_the_schema_is_asked_for_the_users_words_alone() -> None:
    stage = await TurnsStage().open()
    stage.answers(words("A plum."), words("What is it?"))
    await stage.say()
    await stage.pause(5)
    assert sorted(stage.page.lines) == [("model", "A plum.", "complete"), ("user", "What is it?", "complete")]
    assert not stage.asked[1].prompt.is_structured
    assert stage.sounds(1) == 1


async def test_an_answer_stands_also_where_the_users_words_are_not_to_be_had() -> None:
    stage = await TurnsStage().open()
    stage.answers(words("A plum."), [UNAVAILABLE])
    await stage.say()
    await stage.pause(5)
    assert stage.page.lines == [("model", "A plum.", "complete")]
    await stage.say()
    assert stage.before() == [("user", NOT_TRANSCRIBED), ("model", "A plum.")]


# -- trouble -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "stream",
    [
        pytest.param([UNAVAILABLE], id="refused"),
        pytest.param([Chunk('{"heard": "What is it?", "answer": "A pl')], id="torn"),
        pytest.param([0.5, Chunk('{"heard": "Wh'), Failure(0, "connection reset", Phase.LIVE)], id="lost"),
        pytest.param([HANGS], id="hanging"),
    ],
)
async def test_a_request_that_fails_is_made_again_with_what_was_said(stream: Stream) -> None:
    stage = await TurnsStage().open()
    stage.answers(stream, spoken("What is it?", "A plum."))
    await stage.say()
    await stage.pause(FIRST_PIECE_LIMIT_S + 5)
    assert [stage.sounds(request) for request in range(len(stage.asked))] == [1, 1]
    assert stage.page.lines == [("user", "What is it?", "complete"), ("model", "A plum.", "complete")]
    assert stage.page.shows(State.LIVE)


async def test_sound_that_is_refused_is_told_as_lost_and_not_asked_about_again_and_again() -> None:
    refused = Failure(1007, "INVALID_ARGUMENT Audio input modality is not enabled for this model.", Phase.LIVE)
    stream: Stream = [0.3, refused]
    stage = await TurnsStage().open()
    stage.answers(stream, stream)
    await stage.say()
    await stage.pause(60)
    assert len(stage.asked) == 2
    assert stage.page.toasts.count("input.lost") == 1
    assert [turn.code for turn in stage.page.all_of("turn")] == [TurnCode.NOT_HEARD]
    await stage.say()
    await stage.pause(5)
    assert stage.page.lines[-2:] == [("user", "Well?", "complete"), ("model", "Yes.", "complete")]


async def test_what_was_asked_in_vain_for_two_minutes_has_no_answer_and_the_next_question_is_asked() -> None:
    stage = await TurnsStage().open()
    stage.answers(*[[HANGS]] * 7)
    await stage.say()
    await stage.pause(170)
    assert [turn.code for turn in stage.page.transcript] == [TurnCode.NO_ANSWER]
    asked = len(stage.asked)
    assert 6 <= asked <= 7
    stage.generation.script.clear()
    await stage.say()
    await stage.pause(5)
    assert stage.sounds() == 1
    assert stage.page.lines[-1] == ("model", "Yes.", "complete")


async def test_an_answer_that_always_breaks_off_is_not_begun_for_ever() -> None:
    stage = await TurnsStage(Mode.TEXT).open()
    stream: Stream = [Chunk("A pl"), HANGS]
    stage.answers(*[stream] * 20)
    stage.manager.take_text("t-1", "What is it?")
    await stage.wait(400)
    assert len(stage.asked) < 15
    assert stage.page.lines[-1] == ("model", "A pl", "interrupted")
    assert stage.page.acks[-1][1] == ("t-1",)


async def test_quota_that_is_used_up_takes_the_next_model_with_the_conversation() -> None:
    stage = await TurnsStage().open()
    stage.answers(spoken("One?", "Two."), [QUOTA], spoken("Three?", "Four."))
    await stage.say()
    await stage.pause(4)
    await stage.say()
    await stage.pause(4)
    assert [asked.model for asked in stage.asked] == [BEST, BEST, SECOND]
    assert stage.before() == [("user", "One?"), ("model", "Two.")]
    assert [text for role, text, _ in stage.page.lines if role == "model"] == ["Two.", "Four."]


async def test_a_long_conversation_goes_on_over_a_connection_that_begins_with_less(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connections, "CONVERSATION_LIMIT_TOKENS", 20)
    stage = await TurnsStage(Mode.TEXT).open()
    stage.answers(words("Word. " * 30))
    stage.manager.take_text("t-1", "Tell me.")
    await stage.wait(10)
    assert stage.store.of_kind("go_away") == [{"time_left_ms": 0}]
    assert stage.page.shows(State.LIVE)
    stage.manager.take_text("t-2", "Go on.")
    await stage.wait(5)
    assert stage.before()[0] == ("user", "Tell me.")
    assert stage.page.lines[-1] == ("model", "Yes.", "complete")
    *replaced, present = stage.generation.conversations
    assert replaced
    assert all(conversation.is_closed for conversation in replaced)
    assert not present.is_closed


async def test_a_hang_up_lets_go_of_everything() -> None:
    stage = await TurnsStage().open()
    stage.answers([HANGS])
    await stage.say()
    stage.manager.hang_up()
    await stage.wait(10)
    assert stage.asked[0].was_torn
    assert stage.manager.finished.is_set()
    assert [conversation.is_closed for conversation in stage.generation.conversations] == [True]


async def test_nobody_waits_for_longer_than_they_want_to_for_what_lets_go_slowly() -> None:
    generation = FakeGeneration()
    connection = await TurnsUpstream(generation, VOICES).connect(Setup(BEST, "", "Kore"))
    generation.conversations[0].closing_s = HANGS
    began_s = asyncio.get_running_loop().time()
    await connection.close(100)
    assert asyncio.get_running_loop().time() - began_s == pytest.approx(0.1)
    assert generation.conversations[0].is_closed


# -- voices ------------------------------------------------------------------------------------------------------------

NO_SOUND = [Chunk(finish="OTHER")]


async def test_a_voice_that_fails_once_is_asked_again() -> None:
    stage = await TurnsStage(Mode.TEXT).open()
    stage.voices(NO_SOUND)
    stage.manager.take_text("t-1", "What is it?")
    await stage.wait(5)
    assert [read.model for read in stage.read] == [VOICES[0], VOICES[0]]
    assert len(stage.page.heard) == 48_000


async def test_a_voice_that_fails_twice_makes_room_for_the_next() -> None:
    stage = await TurnsStage(Mode.TEXT).open()
    stage.voices(NO_SOUND, [HANGS])
    stage.manager.take_text("t-1", "What is it?")
    await stage.wait(12)
    assert [read.model for read in stage.read] == [VOICES[0], VOICES[0], VOICES[1]]
    assert len(stage.page.heard) == 48_000


async def test_a_voice_without_quota_is_left_alone_for_as_long_as_it_asks() -> None:
    stage = await TurnsStage(Mode.TEXT).open()
    stage.voices([Failure(429, "RESOURCE_EXHAUSTED", Phase.LIVE, retry_after_ms=30_000)])
    for id, after_s in (("t-1", 3), ("t-2", 30), ("t-3", 3)):
        stage.manager.take_text(id, "What is it?")
        await stage.wait(after_s)
    assert [read.model for read in stage.read] == [VOICES[0], VOICES[1], VOICES[1], VOICES[0]]


async def test_of_a_piece_that_broke_off_nothing_is_said_twice() -> None:
    stage = await TurnsStage(Mode.TEXT).open()
    stage.answers(words("One is here. ", "Two is there."))
    stage.voices([Chunk(pcm=b"\x01"), Chunk(pcm=b"\x02\x03"), Chunk(pcm=b"\x04"), UNAVAILABLE])
    stage.manager.take_text("t-1", "What is it?")
    await stage.wait(5)
    assert [read.text for read in stage.read] == ["One is here.", "Two is there."]
    assert stage.page.heard[:4] == b"\x01\x02\x03\x04"
    assert len(stage.page.heard) == 4 + 48_000


async def test_without_a_voice_the_answer_is_written_and_a_line_says_so_once() -> None:
    stage = await TurnsStage(Mode.TEXT).open()
    for id in ("t-1", "t-2"):
        stage.voices(*[NO_SOUND] * 4)
        stage.answers(words("One is here. ", "Two is there."))
        stage.manager.take_text(id, "What is it?")
        await stage.wait(5)
    assert [text for role, text, _ in stage.page.lines if role == "model"] == ["One is here. Two is there."] * 2
    assert [turn.code for turn in stage.page.transcript if turn.code] == [TurnCode.NO_VOICE]
    assert len(stage.store.of_kind("voice_missing")) == 1
    assert stage.before() == [("user", "What is it?"), ("model", "One is here. Two is there.")]


async def test_a_page_that_is_silenced_in_the_middle_of_an_answer_does_not_wait_for_its_sound() -> None:
    stage = await TurnsStage(Mode.TEXT).open()
    stage.voices(sound(20_000))
    stage.manager.take_text("t-1", "What is it?")
    await stage.wait(1)
    stage.manager.set_sound(False)
    await stage.wait(0.1)
    assert len(stage.page.all_of("turn_complete")) == 1
    assert stage.page.lines[-1] == ("model", "Yes.", "complete")


async def test_a_short_pause_does_not_end_what_is_said() -> None:
    stage = await TurnsStage().open()
    await stage.listen(voice(600))
    await stage.pause(PAUSE_S / 2)
    await stage.say()
    assert len(stage.asked) == 1
