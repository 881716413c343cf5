"""The connection is torn or replaced in the middle of a conversation; the conversation goes on."""

from __future__ import annotations

import gc
import weakref

import pytest

from energy.levels import Mode
from sessions_app.live.machine.events import Action, State
from sessions_app.live.machine.failures import Failure, Phase
from sessions_app.live.providers.upstream import (
    GenerationComplete,
    GoAway,
    HandleUpdate,
    Interrupted,
    ReplyAudio,
    ReplyWords,
    TurnComplete,
    UserWords,
)
from sessions_app.live.transcript import Role, TurnCode
from tests.fakes.energy import NEWEST, OLDER, OLDEST
from tests.fakes.upstream import CUT, REFUSED, Answer, FakeConnection
from tests.live.stage import CONSUMED_S, FRAME_MS, Stage, a_call, a_turn, numbers, sound

ABORTED = Failure(1008, "The operation was aborted.", Phase.LIVE)
DEAD_HANDLE = Failure(1008, "BidiGenerateContent session not found", Phase.SETUP)
OVERLAP = Failure(1011, "Internal error encountered.", Phase.SETUP)
INVALID = Failure(1007, "Request contains an invalid argument.", Phase.LIVE)
QUOTA = Failure(1011, "You exceeded your current quota, please check your plan and billing details.", Phase.LIVE)

NEVER_CATCHES_UP = "gemini-3.1-flash-live-preview"

CUTS = [CUT, ABORTED, Failure(1011, "Internal error encountered.", Phase.LIVE), Failure(1000, "", Phase.LIVE)]


def slow_to_close(connection: FakeConnection) -> None:
    connection.close_takes_s = 2.0


# -- GoAway ------------------------------------------------------------------------------------------------------------


async def test_a_go_away_hands_over_at_a_safe_point_and_the_page_sees_nothing_but_its_state() -> None:
    stage = await a_call(Answer(prepare=slow_to_close))
    went_away = stage.now_s
    await stage.hear(GoAway(50_000))
    assert stage.page.states == [State.HANDOVER]
    spoken = await stage.speak(75)
    old, new = stage.upstream.connections
    assert old.is_closed
    assert stage.upstream.attempts[1].at_s - went_away >= 2.0, "the old connection is closed first"
    assert stage.upstream.attempts[1].setup.handle == "h-1"
    assert stage.page.states == [State.HANDOVER, State.LIVE]
    assert {told.name for told in stage.page.told} <= {"go_away", "state", "ack"}
    assert numbers(new.audio) == spoken, "nothing lost, nothing twice"


async def test_what_is_said_while_a_refresh_is_carried_out_arrives_once_and_in_order() -> None:
    stage = await a_call(Answer(prepare=slow_to_close))
    stage.manager.refresh_session()
    spoken = await stage.speak(75)
    old, new = stage.upstream.connections
    assert old.is_closed
    assert stage.upstream.attempts[1].setup.handle == "h-1"
    assert stage.page.states == [State.HANDOVER, State.LIVE]
    assert numbers(new.audio) == spoken


async def test_a_handle_that_is_to_be_forgotten_is_gone_from_the_store_too() -> None:
    stage = await a_call()
    stage.manager.drop_handle()
    await stage.wait(1)
    assert stage.manager.current_handle is None
    assert stage.store.handle is None
    stage.manager.refresh_session()
    await stage.wait(5)
    assert stage.upstream.attempts[1].setup.handle is None


async def test_a_handover_waits_for_its_own_connection_and_not_for_a_dead_one_that_was_left_before() -> None:
    stage = await a_call(Answer(prepare=slow_to_close), Answer(prepare=slow_to_close))
    dead = stage.connection
    dead.close_takes_s = 4.0
    dead.stall()
    await stage.speak(1)
    await stage.wait(5)
    assert len(stage.upstream.attempts) == 2
    await stage.wait(3)
    await stage.hear(GoAway(50_000))
    went_away = stage.now_s
    await stage.wait(10)
    assert dead.is_closed
    assert len(stage.upstream.attempts) == 3
    assert stage.upstream.attempts[2].at_s - went_away == pytest.approx(2.0, abs=0.01)


async def test_a_go_away_during_a_reply_lets_it_be_heard_whole() -> None:
    stage = await a_call()
    await stage.speak(5)
    await stage.begin_reply("Once upon ", ms=400)
    await stage.hear(GoAway(50_000))
    await stage.wait(3)
    await stage.hear(ReplyAudio(sound(400)), ReplyWords("a time."), GenerationComplete())
    await stage.wait(1)
    await stage.hear(TurnComplete())
    assert len(stage.upstream.attempts) == 1, "the handle does not know this turn yet"
    await stage.hear(HandleUpdate("h-2"))
    await stage.wait(1)
    assert stage.upstream.attempts[1].setup.handle == "h-2"
    assert len(stage.page.heard) == len(sound(800))
    assert stage.page.lines[-1] == ("model", "Once upon a time.", "complete")


async def test_words_of_a_reply_that_come_late_come_before_the_swap() -> None:
    stage = await a_call()
    await stage.speak(5)
    await stage.begin_reply("Once upon ", ms=400)
    await stage.hear(GoAway(50_000), GenerationComplete(), TurnComplete(), HandleUpdate("h-2"))
    await stage.wait(0.4)
    await stage.hear(ReplyWords("a time."))
    await stage.wait(2)
    assert stage.upstream.attempts[1].setup.handle == "h-2"
    assert stage.page.lines[-1] == ("model", "Once upon a time.", "complete")


async def test_a_go_away_that_finds_no_quiet_moment_is_forced_and_the_reply_spoken_again() -> None:
    stage = await a_call()
    spoken = await stage.speak(5)
    await stage.wait(CONSUMED_S)
    await stage.hear(UserWords("Tell me a story."))
    await stage.begin_reply("Once ")
    await stage.hear(GoAway(9_500))
    told_at = stage.now_s
    while len(stage.upstream.attempts) == 1:
        await stage.begin_reply("and then ", ms=400)
        await stage.wait(0.4)
    assert stage.upstream.attempts[1].at_s - told_at == pytest.approx(4.75, abs=0.01)
    assert numbers(stage.connection.audio) == spoken
    assert ("model", "interrupted") in [(role, status) for role, _, status in stage.page.lines]


async def test_a_go_away_without_any_time_and_without_a_handle_begins_anew_with_the_context() -> None:
    stage = await Stage().open()
    await stage.exchange("typed-1", "My code word is PLUM-42.", "Noted.")
    await stage.hear(GoAway(0))
    await stage.wait(1)
    assert [turn.text for turn in stage.upstream.attempts[1].setup.history] == ["My code word is PLUM-42.", "Noted."]
    assert stage.page.readies[-1].action is Action.REBUILT
    assert stage.page.toasts == ["rebuilt"]


async def test_frames_of_the_old_connection_are_not_heard_after_the_swap() -> None:
    stage = await a_call(Answer(prepare=slow_to_close))
    await stage.hear(GoAway(50_000))
    old = stage.connection
    old.feed(ReplyAudio(sound(100)), ReplyWords("I was saying"), HandleUpdate("stale"), GoAway(0), TurnComplete())
    old.drop(ABORTED)
    await stage.wait(10)
    assert len(stage.upstream.attempts) == 2
    assert stage.page.played == []
    assert stage.page.transcript == []
    assert stage.store.handle is not None
    assert stage.store.handle.handle == "h-1"


async def test_frames_that_came_together_with_the_go_away_are_not_heard_either() -> None:
    """What the provider said after it is answered again on the new connection: heard here, it would come twice."""
    stage = await a_call()
    await stage.hear(GoAway(50_000), ReplyAudio(sound(100)), ReplyWords("I was"), TurnComplete(), HandleUpdate("stale"))
    await stage.wait(1)
    assert stage.upstream.attempts[1].setup.handle == "h-1"
    assert stage.page.played == []
    assert stage.page.transcript == []


async def test_a_provider_that_still_tidies_up_is_asked_again_and_the_page_sees_one_handover() -> None:
    stage = await a_call()
    stage.upstream.script(OVERLAP)
    await stage.hear(GoAway(50_000))
    await stage.wait(2)
    first, second = stage.upstream.attempts[1:]
    assert second.at_s - first.at_s == pytest.approx(0.5, abs=0.05)
    assert stage.page.states == [State.HANDOVER, State.LIVE]
    assert stage.page.toasts == []


async def test_a_call_goes_through_many_swaps_without_losing_a_frame_or_repeating_one() -> None:
    stage = await a_call()
    for number in range(20):
        await stage.speak(7)
        await stage.wait(CONSUMED_S)
        await stage.hear(UserWords(f"Sentence {number}."))
        await stage.reply(f"Answer {number}.")
        await stage.offer(f"swap-{number}")
        await stage.hear(GoAway(50_000))
        await stage.wait(1)
        await stage.speak(3)
    await stage.wait(1)
    heard = numbers([pcm for connection in stage.upstream.connections for pcm in connection.audio])
    assert heard == list(range(stage.next_frame))
    assert len(stage.upstream.attempts) == 21
    assert stage.page.toasts == []


# -- cuts --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("failure", CUTS)
async def test_a_cut_while_the_user_speaks_resumes_within_a_quarter_of_a_second_and_loses_nothing(
    failure: Failure,
) -> None:
    stage = await a_call()
    before = await stage.speak(10)
    stage.connection.drop(failure)
    cut_at = stage.now_s
    after = await stage.speak(30)
    assert stage.upstream.attempts[1].at_s - cut_at <= 0.25
    assert stage.upstream.attempts[1].setup.handle == "h-1"
    assert numbers(stage.connection.audio) == before + after
    assert stage.page.states == [State.RECONNECTING, State.LIVE]
    assert stage.page.toasts == []
    assert stage.page.losses == []


@pytest.mark.parametrize("failure", CUTS)
async def test_a_reply_that_is_cut_off_is_spoken_again_whole_and_stands_once(
    failure: Failure,
) -> None:
    stage = await a_call()
    await stage.speak(5)
    await stage.wait(CONSUMED_S)
    await stage.hear(UserWords("What is my code word?"))
    await stage.begin_reply("Your code ", ms=300)
    stage.connection.drop(failure)
    await stage.wait(1)
    assert len(stage.connection.audio) == 5, "the question is asked again"
    assert stage.page.lines[-1] == ("model", "Your code ", "interrupted")
    assert stage.page.transcript[-1].code == "turn.cut"
    await stage.hear(UserWords("What is my code word?"))
    await stage.reply("Your code word is plum.", ms=900)
    assert stage.page.lines[-2:] == [
        ("user", "What is my code word?", "complete"),
        ("model", "Your code word is plum.", "complete"),
    ]
    assert stage.page.transcript[-1].code == "turn.given_again"
    assert stage.store.lines == stage.page.lines
    assert stage.page.heard == sound(900)


async def test_a_typed_question_whose_reply_is_cut_off_is_asked_again() -> None:
    stage = await Stage().open()
    await stage.exchange("typed-1", "My code word is PLUM-42.", "Noted.", handle="h-1")
    stage.manager.take_text("typed-2", "What is it?")
    await stage.wait(CONSUMED_S)
    await stage.begin_reply("It is")
    stage.connection.drop()
    await stage.wait(1)
    assert stage.connection.texts == ["What is it?"]
    assert stage.connection.past_turns == []
    await stage.reply("It is PLUM-42.")
    assert [line for line in stage.page.lines if line[0] == "user"][-1] == ("user", "What is it?", "complete")
    assert stage.page.lines[-2:] == [("user", "What is it?", "complete"), ("model", "It is PLUM-42.", "complete")]
    assert stage.page.acks[-1][1] == ("typed-2",)


async def test_a_reply_that_was_all_there_when_the_cut_came_is_not_given_again() -> None:
    stage = await Stage().open()
    await stage.exchange("typed-1", "My code word is PLUM-42.", "Noted.", handle="h-1")
    stage.manager.take_text("typed-2", "What is it?")
    await stage.wait(CONSUMED_S)
    await stage.produce_reply("It is PLUM-42.", ms=2_000)
    heard = stage.page.heard
    stage.connection.drop()
    await stage.wait(1)
    assert stage.connection.texts == []
    assert stage.page.lines[-1] == ("model", "It is PLUM-42.", "complete")
    assert stage.page.heard == heard, "its playback goes on"
    assert stage.page.acks[-1][1] == ("typed-2",)
    (past,) = stage.connection.past_turns
    assert [turn.text for turn in past] == ["What is it?", "It is PLUM-42."], "the handle is older than the reply"
    assert len(stage.page.all_of("turn_complete")) == 2


async def test_a_model_that_cannot_catch_up_is_given_the_whole_conversation_anew() -> None:
    stage = await Stage(models=[NEVER_CATCHES_UP, OLDEST]).open()
    await stage.exchange("typed-1", "My code word is PLUM-42.", "Noted.", handle="h-1")
    await stage.exchange("typed-2", "And my name is Ada.", "Hello Ada.")
    stage.connection.drop()
    await stage.wait(1)
    setup = stage.upstream.attempts[1].setup
    assert setup.handle is None
    assert [turn.text for turn in setup.history][-2:] == ["And my name is Ada.", "Hello Ada."]
    assert stage.page.readies[-1].action is Action.REBUILT


async def test_what_was_sent_just_before_the_handle_came_is_sent_again() -> None:
    """A few repeated milliseconds are better than a lost syllable."""
    stage = await a_call()
    await stage.speak(10)
    await stage.hear(HandleUpdate("h-2"))
    stage.connection.drop()
    await stage.wait(1)
    again = numbers(stage.connection.audio)
    assert again == list(range(stage.next_frame))[-len(again) :]
    assert 1 <= len(again) <= 3


async def test_what_a_handle_covers_is_not_sent_again() -> None:
    stage = await a_call()
    await stage.speak(10)
    await stage.offer("h-2")
    after = await stage.speak(2)
    stage.connection.drop()
    await stage.wait(1)
    assert numbers(stage.connection.audio) == after
    assert stage.upstream.attempts[1].setup.handle == "h-2"


async def test_a_withdrawn_handle_is_still_used() -> None:
    stage = await a_call()
    await stage.hear(HandleUpdate(None))
    stage.connection.drop()
    await stage.wait(1)
    assert stage.upstream.attempts[1].setup.handle == "h-1"


async def test_a_cut_during_the_greeting_of_a_new_connection_is_one_outage() -> None:
    stage = await a_call()
    stage.connection.drop()
    await stage.wait(0.3)
    stage.connection.drop()
    await stage.wait(3)
    assert len(stage.upstream.attempts) == 3
    assert stage.page.shows(State.LIVE)
    assert stage.page.toasts == []


# -- dead handles ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", Mode)
async def test_a_dead_handle_gives_a_fresh_session_with_the_context_and_one_toast(mode: Mode) -> None:
    stage = await Stage(mode).open()
    await stage.exchange("typed-1", "My code word is PLUM-42.", "Noted.", handle="h-1")
    stage.upstream.script(DEAD_HANDLE)
    stage.connection.drop()
    cut_at = stage.now_s
    await stage.wait(3)
    assert [attempt.setup.handle for attempt in stage.upstream.attempts] == [None, "h-1", None]
    assert [turn.text for turn in stage.upstream.attempts[2].setup.history] == ["My code word is PLUM-42.", "Noted."]
    assert stage.upstream.attempts[2].at_s - cut_at < 1.5
    assert stage.page.readies[-1].action is Action.REBUILT
    assert stage.page.toasts == ["rebuilt"]
    assert stage.store.handle is None
    assert stage.store.of_kind("handle_forgotten")


async def test_what_was_said_after_the_last_turn_reaches_the_session_that_replaces_a_dead_one() -> None:
    stage = await a_call()
    spoken = await stage.speak(10)
    await stage.offer("h-2")
    spoken += await stage.speak(10)
    stage.upstream.script(DEAD_HANDLE)
    stage.connection.drop()
    await stage.wait(2)
    assert stage.upstream.attempts[-1].setup.handle is None
    assert numbers(stage.connection.audio) == spoken, "also what only the dead handle covered"
    assert stage.page.losses == []


async def test_a_session_that_was_rebuilt_is_not_called_resumed_before_it_has_a_handle_of_its_own() -> None:
    stage = await Stage().open()
    await stage.exchange("typed-1", "Hello", "Hello!", handle="h-1")
    stage.upstream.script(DEAD_HANDLE)
    stage.connection.drop()
    await stage.wait(2)
    stage.connection.drop()
    await stage.wait(2)
    assert stage.upstream.attempts[-1].setup.handle is None
    assert [ready.action for ready in stage.page.readies] == [Action.NEW, Action.REBUILT, Action.REBUILT]


# -- refusals ----------------------------------------------------------------------------------------------------------


async def test_input_of_a_long_outage_arrives_afterwards_in_order() -> None:
    stage = await a_call()
    stage.upstream.otherwise = Answer(REFUSED)
    stage.connection.drop()
    spoken = await stage.speak(20_000 // FRAME_MS)
    stage.manager.take_text("typed-1", "Are you there?")
    assert stage.page.states == [State.RECONNECTING] * len(stage.page.states)
    stage.upstream.otherwise = Answer()
    await stage.wait(9)
    assert numbers(stage.connection.audio) == spoken
    assert stage.connection.texts == ["Are you there?"]
    assert stage.page.toasts == ["reconnected"]
    assert stage.page.losses == []


async def test_a_provider_that_refuses_for_a_minute_is_given_up_and_try_again_works() -> None:
    stage = await a_call()
    stage.upstream.otherwise = Answer(REFUSED)
    stage.connection.drop()
    stage.manager.take_text("typed-1", "Are you there?")
    await stage.wait(61)
    assert stage.page.shows(State.FAILED)
    assert stage.page.toasts == ["failed"]
    attempts = len(stage.upstream.attempts)
    await stage.wait(240)
    assert len(stage.upstream.attempts) == attempts, "nothing is tried behind the user's back"
    stage.upstream.otherwise = Answer()
    stage.manager.reconnect_session()
    await stage.wait(1)
    assert stage.page.shows(State.LIVE)
    assert stage.upstream.attempts[-1].setup.handle == "h-1"
    assert stage.connection.texts == ["Are you there?"]


async def test_audio_beyond_a_minute_is_counted_and_told_and_the_rest_arrives() -> None:
    stage = await a_call()
    stage.upstream.otherwise = Answer(REFUSED)
    stage.connection.drop()
    spoken = await stage.speak(90_000 // FRAME_MS)
    stage.upstream.otherwise = Answer()
    stage.manager.reconnect_session()
    await stage.wait(1)
    ((loss, reason),) = stage.page.losses
    assert (loss.ms, loss.ids, reason) == (30_000, (), "connection")
    assert numbers(stage.connection.audio) == spoken[-60_000 // FRAME_MS :]
    assert "input.lost" in stage.page.toasts
    assert stage.store.of_kind("lost")[0]["ms"] == 30_000


async def test_a_1007_on_a_replay_drops_the_audio_once_and_says_so_and_keeps_what_was_typed() -> None:
    stage = await a_call()
    spoken = await stage.speak(10)
    stage.manager.take_text("typed-1", "Did you hear me?")
    stage.connection.drop()
    await stage.wait(0.3)
    assert numbers(stage.connection.audio) == spoken
    stage.connection.drop(INVALID)
    await stage.wait(1)
    assert stage.connection.audio == []
    assert stage.connection.texts == ["Did you hear me?"]
    ((loss, reason),) = stage.page.losses
    assert (loss.ms, loss.ids, reason) == (10 * FRAME_MS, (), "refused")
    await stage.reply("I did not.")
    after = await stage.speak(3)
    assert numbers(stage.connection.audio) == after


async def test_quota_that_is_used_up_goes_on_with_the_next_model_and_the_context() -> None:
    stage = await Stage().open()
    await stage.exchange("typed-1", "My code word is PLUM-42.", "Noted.", handle="h-1")
    stage.connection.drop(QUOTA)
    cut_at = stage.now_s
    await stage.wait(2)
    setup = stage.upstream.attempts[-1].setup
    assert (setup.model, setup.handle) == (OLDER, None)
    assert [turn.text for turn in setup.history] == ["My code word is PLUM-42.", "Noted."]
    assert stage.upstream.attempts[-1].at_s - cut_at <= 2
    assert stage.page.states[-2:] == [State.FALLING_BACK, State.LIVE]
    ((level, previous, top, reason),) = stage.page.all_of("energy")
    assert (level.number, previous.number, top.number, reason) == (1, 2, 2, "rate-limit-exceeded")
    assert stage.store.handle is None


async def test_a_network_fault_never_lowers_the_level() -> None:
    stage = await Stage().open()
    for _ in range(12):
        stage.connection.drop(CUT)
        await stage.wait(3)
    assert stage.page.all_of("energy") == []
    assert {attempt.setup.model for attempt in stage.upstream.attempts} == {NEWEST}


async def test_when_every_model_is_used_up_it_is_said_once_and_try_again_begins_at_the_top() -> None:
    stage = await Stage().open()
    stage.upstream.otherwise = Answer(QUOTA)
    stage.connection.drop(QUOTA)
    await stage.wait(2)
    assert stage.page.shows(State.EXHAUSTED)
    assert stage.page.toasts == ["exhausted"]
    stage.upstream.otherwise = Answer()
    stage.energy.spent.clear()
    stage.manager.reconnect_session()
    await stage.wait(2)
    assert stage.page.shows(State.LIVE)
    assert stage.upstream.attempts[-1].setup.model == NEWEST


async def test_a_better_model_takes_over_at_a_turns_end_when_its_quota_is_back() -> None:
    stage = await Stage().open()
    stage.energy.spent.add(NEWEST)
    await stage.exchange("typed-1", "My code word is PLUM-42.", "Noted.", handle="h-1")
    stage.connection.drop(QUOTA)
    await stage.wait(1)
    assert stage.upstream.attempts[-1].setup.model == OLDER
    await stage.exchange("typed-2", "Are you there?", "I am.", handle="of the older model")
    stage.energy.spent.clear()
    await stage.exchange("typed-3", "Still?", "Still.")
    await stage.wait(1)
    setup = stage.upstream.attempts[-1].setup
    assert (setup.model, setup.handle) == (NEWEST, None)
    assert setup.history[-1].text == "Still."
    assert stage.page.toasts == ["energy.lower", "energy.restored"]
    assert [line for line in stage.page.lines if line[0] == "system"] == [("system", "Now at low.", "complete")]
    (notice,) = (turn for turn in stage.page.all_of("turn") if turn.code == TurnCode.ENERGY_LOWER)
    assert notice.until_ms == stage.energy.resets_at.timestamp() * 1000, "pages show it by their reader's clock"
    assert stage.store.handle is None


async def test_one_session_too_many_is_waited_for_on_the_same_model_with_its_handle() -> None:
    stage = await Stage().open()
    await stage.exchange("typed-1", "My code word is PLUM-42.", "Noted.", handle="h-1")
    stage.energy.is_crowded = True
    stage.connection.drop(QUOTA)
    await stage.wait(1)
    assert stage.page.shows(State.RECONNECTING)
    await stage.wait(25)
    setup = stage.upstream.attempts[-1].setup
    assert (setup.model, setup.handle) == (NEWEST, "h-1")
    assert stage.page.all_of("energy") == []


async def test_a_model_that_others_found_spent_is_not_dialled_again() -> None:
    stage = await Stage().open()
    await stage.exchange("typed-1", "My code word is PLUM-42.", "Noted.", handle="h-1")
    stage.energy.spent.add(NEWEST)
    stage.connection.drop()
    await stage.wait(1)
    assert [attempt.setup.model for attempt in stage.upstream.attempts] == [NEWEST, OLDER]
    assert stage.page.shows(State.LIVE)


@pytest.mark.parametrize("overlaps", [False, True])
async def test_when_others_found_every_model_spent_nothing_is_dialled_and_nothing_left_open(overlaps: bool) -> None:
    stage = await Stage(overlaps=overlaps).open()
    await stage.exchange("typed-1", "My code word is PLUM-42.", "Noted.", handle="h-1")
    stage.energy.spent |= {NEWEST, OLDER, OLDEST}
    await stage.hear(GoAway(50_000))
    await stage.wait(1)
    assert stage.page.shows(State.EXHAUSTED)
    assert len(stage.upstream.attempts) == 1
    assert all(connection.is_closed for connection in stage.upstream.connections)


async def test_a_session_that_may_dial_no_model_is_refused_with_its_stored_turns_readable() -> None:
    stage = Stage(models=(), turns=(a_turn(0, "Hello"), a_turn(1, "Hello!", Role.MODEL)))
    await stage.open()
    assert stage.page.shows(State.EXHAUSTED)
    assert [line[1] for line in stage.page.lines] == ["Hello", "Hello!"]
    assert stage.upstream.attempts == []


# -- interruptions that meet a swap ------------------------------------------------------------------------------------


async def test_an_interrupted_reply_is_not_given_again_after_a_cut() -> None:
    stage = await a_call()
    await stage.speak(5)
    await stage.wait(CONSUMED_S)
    await stage.hear(UserWords("Tell me a story."))
    await stage.begin_reply("Once upon a time")
    await stage.hear(Interrupted(), TurnComplete())
    await stage.wait(CONSUMED_S)
    stage.connection.drop()
    await stage.wait(1)
    assert stage.connection.audio == []
    assert stage.page.lines[-1] == ("model", "Once upon a time", "interrupted")


@pytest.mark.parametrize("how", ["go_away", "refresh", "cut"])
async def test_a_connection_that_was_replaced_is_let_go_of(how: str) -> None:
    """It has buffers of a quarter of a megabyte."""
    stage = await Stage().open()
    await stage.exchange("typed-1", "My code word is PLUM-42.", "Noted.", handle="h-1")
    replaced = weakref.ref(stage.connection)
    if how == "go_away":
        await stage.hear(GoAway(50_000))
    elif how == "refresh":
        stage.manager.refresh_session()
    else:
        stage.connection.drop()
    await stage.wait(60)
    assert len(stage.upstream.attempts) == 2
    assert stage.manager.state is State.LIVE
    del stage.upstream.attempts[0]
    gc.collect()
    assert replaced() is None
