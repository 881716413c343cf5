"""Every exchange has one honest end, and only a dead connection is treated as dead: the driver, on virtual time."""

from __future__ import annotations

import pytest

from energy.levels import Mode
from sessions_app.live.machine.events import Action, State
from sessions_app.live.providers.upstream import (
    GenerationComplete,
    GoAway,
    HandleUpdate,
    Interrupted,
    ReplyAudio,
    ReplyWords,
    TurnComplete,
    UserWords,
    VoiceBegan,
    Working,
)
from tests.fakes.page import FakePage
from tests.fakes.upstream import AudioEnded
from tests.live.stage import CONSUMED_S, FRAME_MS, Stage, sound

LOUD = (4_000).to_bytes(2, "little", signed=True) * 640
QUIET = bytes(1_280)


async def a_call(*, history: bool = True) -> Stage:
    """A call that has had an exchange, and holds a handle that covers it."""
    stage = await Stage(Mode.CALL).open_quietly()
    if history:
        await stage.spoken_exchange("Hello.", "Hello!", handle="h-1")
    await stage.wait(5)
    return stage


async def speak_aloud(stage: Stage, ms: int = 800, quiet_ms: int = 800) -> None:
    """Something loud, and the quiet after it."""
    for pcm in [*[LOUD] * (ms // FRAME_MS), *[QUIET] * (quiet_ms // FRAME_MS)]:
        stage.manager.take_audio(stage.next_frame, pcm)
        stage.next_frame += 1
        await stage.wait(FRAME_MS / 1000 - 0.001)


def lines_after(stage: Stage, count: int = 2) -> list[tuple[str, str, str]]:
    return stage.page.lines[count:]


def codes(stage: Stage) -> list[str]:
    return [turn.code for turn in stage.page.transcript if turn.code]


# -- the provider's own end of a turn ----------------------------------------------------------------------------------


async def test_a_turn_without_a_word_ends_the_users_turn_and_the_next_sentence_is_one_of_its_own() -> None:
    stage = await a_call()
    await speak_aloud(stage)
    await stage.hear(UserWords("Buy milk."))
    await stage.hear(TurnComplete())
    await stage.wait(30)
    await stage.hear(UserWords("Call mum."))
    await stage.reply("Calling.")
    assert lines_after(stage) == [
        ("user", "Buy milk.", "complete"),
        ("user", "Call mum.", "complete"),
        ("model", "Calling.", "complete"),
    ]
    assert len(stage.upstream.attempts) == 1
    assert stage.page.toasts == []


async def test_a_refusal_is_told_in_the_transcript_in_plain_words() -> None:
    stage = await a_call()
    await stage.hear(UserWords("Say something wicked."), TurnComplete(reason="RESPONSE_REJECTED"))
    await stage.wait(30)
    assert lines_after(stage) == [
        ("user", "Say something wicked.", "complete"),
        ("system", "The model declined to answer: its answer was rejected by the provider.", "complete"),
    ]
    assert codes(stage) == ["turn.refused"]
    assert len(stage.upstream.attempts) == 1


@pytest.mark.parametrize("reason", ["", "RESPONSE_REJECTED"])
async def test_the_end_is_told_of_what_lost_its_reply_to_a_cut_and_gets_none_from_the_next_connection(
    reason: str,
) -> None:
    stage = await a_call()
    await speak_aloud(stage)
    await stage.hear(UserWords("Buy milk."))
    await stage.begin_reply("I wi")
    stage.connection.drop()
    await stage.wait(1)
    await stage.hear(UserWords("Buy milk."), TurnComplete(reason=reason))
    said = stage.page.transcript[2].number
    assert [turn for turn, _ in stage.page.all_of("turn_complete")][1:] == [said]


@pytest.mark.parametrize("reason", ["", "RESPONSE_REJECTED"])
async def test_words_of_the_user_after_a_turn_without_a_word_stand_in_it_and_nobody_waits_for_an_answer(
    reason: str,
) -> None:
    stage = await a_call()
    await speak_aloud(stage)
    await stage.hear(TurnComplete(reason=reason))
    await stage.wait(0.3)
    await stage.hear(UserWords("Buy milk."))
    assert len(stage.page.all_of("turn_complete")) == 2
    await stage.wait(3)
    await stage.hear(UserWords("Call mum."))
    await stage.reply("Calling.")
    said = [line for line in lines_after(stage) if line[0] != "system"]
    assert said == [
        ("user", "Buy milk.", "complete"),
        ("user", "Call mum.", "complete"),
        ("model", "Calling.", "complete"),
    ]
    assert codes(stage) == (["turn.refused"] if reason else [])


async def test_what_got_no_answer_is_told_to_a_session_that_remembers_nothing() -> None:
    stage = await Stage().open_quietly()
    stage.manager.take_text("typed-1", "My name is Alice.")
    await stage.wait(CONSUMED_S)
    await stage.hear(TurnComplete())
    stage.connection.drop()
    await stage.wait(1)
    assert stage.page.readies[-1].action is Action.REBUILT
    assert [turn.text for turn in stage.upstream.attempts[-1].setup.history] == ["My name is Alice."]


async def test_a_reply_that_does_not_go_on_is_over_though_handles_come() -> None:
    stage = await a_call()
    await stage.speak(5)
    await stage.begin_reply("It is")
    for number in range(6):
        await stage.wait(5)
        await stage.hear(HandleUpdate(f"h-{number + 2}"))
    assert lines_after(stage) == [("model", "It is", "complete")]
    assert len(stage.upstream.attempts) == 1


async def test_what_was_refused_at_once_is_not_said_to_the_next_connection() -> None:
    stage = await a_call()
    stage.connection.unread_ms = 400
    first = len(stage.connection.audio)
    await speak_aloud(stage, quiet_ms=0)
    stage.manager.mute()
    await stage.hear(UserWords("Say something wicked."), TurnComplete(reason="RESPONSE_REJECTED"))
    assert LOUD in stage.connection.audio[first:]
    stage.connection.drop()
    await stage.wait(1)
    assert len(stage.upstream.attempts) == 2
    assert LOUD not in stage.connection.audio


async def test_a_typed_message_without_an_answer_is_over_and_a_line_says_so() -> None:
    stage = await Stage().open_quietly()
    stage.manager.take_text("typed-1", "Hello?")
    await stage.wait(CONSUMED_S)
    await stage.hear(TurnComplete())
    await stage.wait(30)
    assert codes(stage) == ["turn.no_answer"]
    assert [turn for turn, _ in stage.page.all_of("turn_complete")] == [0]
    assert stage.page.acks == [(0, ("typed-1",))]
    assert len(stage.upstream.attempts) == 1


async def test_words_of_the_reply_after_its_end_stand_in_it_and_nothing_is_asked_again() -> None:
    stage = await Stage().open_quietly()
    stage.manager.take_text("typed-1", "What is the time?")
    await stage.wait(CONSUMED_S)
    await stage.hear(ReplyAudio(sound(200)), ReplyWords("It is "), GenerationComplete(), TurnComplete())
    await stage.wait(0.3)
    await stage.hear(ReplyWords("noon."))
    await stage.wait(60)
    assert stage.page.lines == [("user", "What is the time?", "complete"), ("model", "It is noon.", "complete")]
    assert stage.connection.texts == ["What is the time?"]
    assert len(stage.upstream.attempts) == 1


async def test_words_of_the_user_after_the_reply_stand_before_it_and_not_in_the_next_sentence() -> None:
    stage = await a_call()
    await stage.speak(5)
    await stage.wait(CONSUMED_S)
    await stage.reply("Noted.")
    await stage.wait(0.3)
    await stage.hear(UserWords("Buy milk."))
    await stage.wait(3)
    await stage.hear(UserWords("Call mum."))
    await stage.reply("Calling.")
    assert lines_after(stage) == [
        ("user", "Buy milk.", "complete"),
        ("model", "Noted.", "complete"),
        ("user", "Call mum.", "complete"),
        ("model", "Calling.", "complete"),
    ]


async def test_words_that_are_heard_again_only_after_the_reply_open_no_turn_that_waits_for_an_answer() -> None:
    stage = await Stage(Mode.CALL).open_quietly()
    await stage.speak(5)
    await stage.hear(UserWords("Buy milk."))
    stage.connection.drop()
    await stage.wait(2)
    await stage.reply("Milk it is.")
    await stage.wait(0.4)
    await stage.hear(UserWords("Buy milk."))
    await stage.hear(ReplyWords(" Anything else?"))
    await stage.wait(70)
    assert stage.page.lines == [("user", "Buy milk.", "complete"), ("model", "Milk it is. Anything else?", "complete")]


async def test_a_message_typed_while_the_turn_before_is_open_is_answered_only_by_its_own_reply() -> None:
    stage = await Stage().open_quietly()
    stage.manager.take_text("typed-1", "One")
    await stage.wait(CONSUMED_S)
    await stage.produce_reply("First.")
    await stage.wait(1)
    stage.manager.take_text("typed-2", "Two")
    await stage.wait(7)
    await stage.hear(TurnComplete())
    await stage.wait(0.5)
    assert not any("typed-2" in ids for _, ids in stage.page.acks)
    stage.connection.drop()
    await stage.wait(1)
    assert stage.connection.texts[-1:] == ["Two"]


async def test_an_answer_that_ends_without_turn_complete_is_handed_over_by_its_handle_and_nothing_is_said() -> None:
    stage = await a_call()
    stage.manager.take_text("typed-1", "Tell me.")
    await stage.wait(CONSUMED_S)
    await stage.produce_reply("Told.", ms=1_000)
    await stage.offer("h-2")
    await stage.hear(GoAway(50_000))
    await stage.wait(8)
    assert len(stage.upstream.attempts) == 2
    assert stage.upstream.attempts[1].setup.handle == "h-2"
    assert stage.page.toasts == []
    assert [ready.action for ready in stage.page.readies] == []
    assert lines_after(stage)[-1] == ("model", "Told.", "complete")


async def test_a_session_that_is_stuck_in_empty_turns_is_left_once_and_the_words_are_answered_by_the_next() -> None:
    stage = await a_call()
    for words in ("One.", "Two."):
        await speak_aloud(stage)
        await stage.hear(UserWords(words), TurnComplete())
        await stage.wait(2)
    assert len(stage.upstream.attempts) == 2
    await stage.hear(UserWords("Two."))
    await stage.reply("Two what?")
    assert lines_after(stage) == [
        ("user", "One.", "complete"),
        ("user", "Two.", "complete"),
        ("model", "Two what?", "complete"),
    ]


# -- silence is not death ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [True, False])
async def test_a_spoken_question_that_takes_half_a_minute_is_waited_for(status: bool) -> None:
    stage = await a_call()
    await speak_aloud(stage)
    await stage.hear(UserWords("Why is the sky blue?"))
    for _ in range(6):
        await stage.wait(5)
        if status:
            await stage.hear(Working())
    await stage.reply("Because of the air.")
    assert len(stage.upstream.attempts) == 1
    assert lines_after(stage)[-1] == ("model", "Because of the air.", "complete")


async def test_a_connection_on_which_nothing_moves_is_left_within_ten_seconds_of_the_users_turn() -> None:
    stage = await a_call()
    stage.connection.die()
    await speak_aloud(stage)
    ended_at = stage.now_s
    await stage.wait(10)
    assert len(stage.upstream.attempts) == 2
    assert stage.upstream.attempts[1].at_s - ended_at < 10
    assert stage.upstream.attempts[1].setup.handle == "h-1"
    assert stage.page.losses == []


async def test_six_bangs_in_a_minute_at_a_provider_that_lives_and_says_nothing_redial_nothing() -> None:
    stage = await a_call()
    for _ in range(6):
        await speak_aloud(stage, ms=280, quiet_ms=9_720)
    assert len(stage.upstream.attempts) == 1
    assert codes(stage) == []


async def test_an_answer_that_begins_before_our_own_ear_has_heard_the_end_of_the_question_starts_no_watch() -> None:
    stage = await a_call()
    await speak_aloud(stage, quiet_ms=200)
    await stage.hear(UserWords("Hello again."))
    await stage.reply("Hello!")
    stage.connection.die()
    await speak_aloud(stage, ms=0, quiet_ms=20_000)
    assert len(stage.upstream.attempts) == 1


async def test_an_answer_that_never_comes_on_a_connection_that_lives_is_told_after_a_minute() -> None:
    stage = await Stage().open_quietly()
    stage.manager.take_text("typed-1", "Hello?")
    await stage.wait(70)
    assert codes(stage) == ["turn.no_answer"]
    assert len(stage.upstream.attempts) == 1
    assert stage.manager.state is State.LIVE


async def test_after_a_barge_in_the_words_of_the_user_are_a_new_sentence_however_soon_they_come() -> None:
    stage = await a_call()
    await stage.hear(UserWords("Tell me a story."))
    await stage.begin_reply("Once upon", ms=3_000)
    await stage.hear(VoiceBegan(), Interrupted(), TurnComplete(), UserWords("No, a joke."))
    await stage.reply("Knock knock.")
    assert lines_after(stage) == [
        ("user", "Tell me a story.", "complete"),
        ("model", "Once upon", "interrupted"),
        ("user", "No, a joke.", "complete"),
        ("model", "Knock knock.", "complete"),
    ]


async def test_a_handle_after_the_answer_resumes_at_a_cut_without_being_called_behind() -> None:
    stage = await a_call()
    stage.manager.take_text("typed-1", "Tell me.")
    await stage.wait(CONSUMED_S)
    await stage.produce_reply("Told.", ms=200)
    await stage.hear(HandleUpdate("h-2"))
    await stage.wait(5)
    stage.connection.drop()
    await stage.wait(1)
    assert stage.upstream.attempts[1].setup.handle == "h-2"
    assert Action.REBUILT not in [ready.action for ready in stage.page.readies]


async def test_what_was_said_right_before_a_hang_up_is_in_the_transcript_and_the_page_does_not_wait() -> None:
    stage = await a_call()
    await speak_aloud(stage, quiet_ms=80)
    stage.manager.hang_up()
    await stage.settle()
    assert stage.page.shows(State.ENDED)
    closed_at_first = stage.connection.is_closed
    await stage.wait(0.3)
    assert stage.connection.sent[-1] == AudioEnded()
    await stage.hear(UserWords("And buy milk."))
    await stage.wait(2)
    assert (closed_at_first, stage.connection.is_closed) == (False, True)
    assert stage.store.lines[-1] == ("user", "And buy milk.", "complete")
    assert stage.store.finished == ("hung-up", True)


async def test_a_hang_up_in_silence_closes_at_once() -> None:
    stage = await a_call()
    stage.manager.hang_up()
    await stage.settle()
    assert stage.connection.is_closed
    assert stage.store.finished == ("hung-up", True)


# -- replies that are only read ----------------------------------------------------------------------------------------


async def test_with_the_sound_off_a_reply_is_whole_when_its_text_is_and_a_follow_up_does_not_interrupt_it() -> None:
    stage = await Stage().open_quietly()
    stage.manager.set_sound(False)
    stage.manager.take_text("typed-1", "Tell me a story.")
    await stage.wait(CONSUMED_S)
    await stage.produce_reply("Once upon a time.", ms=20_000)
    assert stage.page.lines[-1] == ("model", "Once upon a time.", "complete")
    stage.manager.take_text("typed-2", "Another one.")
    await stage.wait(CONSUMED_S)
    await stage.hear(Interrupted(), TurnComplete())
    await stage.reply("Long ago.")
    assert stage.page.lines == [
        ("user", "Tell me a story.", "complete"),
        ("model", "Once upon a time.", "complete"),
        ("user", "Another one.", "complete"),
        ("model", "Long ago.", "complete"),
    ]
    assert stage.store.lines == stage.page.lines


async def test_what_is_still_being_produced_is_interrupted_with_the_sound_off_too() -> None:
    stage = await Stage().open_quietly()
    stage.manager.set_sound(False)
    stage.manager.take_text("typed-1", "Tell me a story.")
    await stage.wait(CONSUMED_S)
    await stage.begin_reply("Once upon", ms=20_000)
    await stage.hear(Interrupted(), TurnComplete())
    assert stage.page.lines[-1] == ("model", "Once upon", "interrupted")


async def test_a_page_that_comes_back_plays_replies_until_it_says_otherwise() -> None:
    stage = await Stage().open_quietly()
    stage.manager.set_sound(False)
    stage.manager.attach(stage.page)
    stage.manager.take_text("typed-1", "Tell me a story.")
    await stage.wait(CONSUMED_S)
    await stage.produce_reply("Once upon a time.", ms=20_000)
    await stage.hear(Interrupted(), TurnComplete())
    assert stage.page.lines[-1] == ("model", "Once upon a time.", "interrupted")


async def test_a_reply_that_is_read_to_its_end_is_whole_when_the_sound_goes_off() -> None:
    stage = await Stage().open_quietly()
    stage.manager.take_text("typed-1", "Tell me a story.")
    await stage.wait(CONSUMED_S)
    await stage.produce_reply("Once upon a time.", ms=20_000)
    assert stage.page.lines[-1][2] == "partial"
    stage.manager.set_sound(False)
    assert stage.page.lines[-1][2] == "complete"


# -- a page that is away -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("away_s", [5, 29, 45])
@pytest.mark.parametrize("words", ["", "Tell me about"])
@pytest.mark.parametrize("quiet_ms", [0, 800])
async def test_a_page_that_is_cut_off_in_mid_sentence_never_makes_a_provider_seem_silent(
    quiet_ms: int, words: str, away_s: float
) -> None:
    """Its frames stop coming, so the provider waits for the rest of the sentence and says nothing, as it should."""
    stage = await a_call()
    await speak_aloud(stage, quiet_ms=quiet_ms)
    if words:
        await stage.hear(UserWords(words))
    if away_s < 45:
        stage.manager.detach(stage.page)  # else the server has not noticed yet
    await stage.wait(away_s)
    back = FakePage()
    stage.manager.attach(back, away_ms=int(away_s * 1_000))
    await speak_aloud(stage)
    await stage.wait(1)
    await stage.hear(UserWords(" whales."))
    await stage.wait(20)
    await stage.reply("They sing.")
    assert len(stage.upstream.attempts) == 1
    assert stage.manager.state is State.LIVE
    assert codes(stage) == []
    assert back.lines[-2:] == [("user", f"{words} whales.".strip(), "complete"), ("model", "They sing.", "complete")]
