"""When no line is to be had, the conversation goes on at a level that needs none, and comes back by itself."""

from __future__ import annotations

import datetime

import pytest

from energy.levels import Mode
from sessions_app.live.line_probe import ANSWER_LIMIT_S, WITHOUT_LINE_EVERY_S
from sessions_app.live.line_probe import QUESTION as PROBE_QUESTION
from sessions_app.live.machine.backoff import REDIALS_PER_HOUR
from sessions_app.live.machine.events import (
    CloseFinished,
    Connect,
    GoAwayReceived,
    LadderExhausted,
    LevelChanged,
    LevelKept,
    LowerLevel,
    NoModel,
    ProviderSilent,
    Replay,
    ReplyBegan,
    SeekRefuge,
    SetupCompleted,
    StartTimer,
    State,
    Timer,
    TimerFired,
    Toast,
    Wish,
)
from sessions_app.live.machine.failures import Failure, Phase
from sessions_app.live.machine.reasons import StateReason
from sessions_app.live.machine.states import ANSWER_AFTER_SILENCE_MS, Features
from sessions_app.live.machine.turns import WATCH_MS
from sessions_app.live.manager import PATIENCE_MS
from sessions_app.live.providers.upstream import GenerationComplete, ReplyAudio, ReplyWords, TurnComplete
from sessions_app.live.transcript import TurnCode
from tests.fakes.energy import NEWEST, OLDER, OLDEST, FakeEnergy
from tests.live.play import LIVED_MS, NETWORK, QUOTA, REFUSED, Play, of, only
from tests.live.stage import Stage, sound

IN_TURNS = "gemini-3.8-flash"
LADDER = (NEWEST, OLDER, IN_TURNS)
SPENT = Failure(429, "RESOURCE_EXHAUSTED You exceeded your current quota", Phase.LIVE)
DOWN = Failure(503, "The service is currently unavailable.", Phase.HANDSHAKE)

# -- patience: the machine ---------------------------------------------------------------------------------------------


def patient() -> Play:
    play = Play()
    play.machine.features = Features(history_anytime=True, patience_ms=PATIENCE_MS)
    play.go_live().have_a_turn("handle-1")
    return play


def patience(play: Play) -> int:
    return [wish.ms for wish in of(play.wishes, StartTimer) if wish.timer is Timer.PATIENCE][-1]


def test_a_line_that_stays_away_is_given_up_for_a_level_that_needs_none() -> None:
    play = patient()
    play.lose()
    assert patience(play) == PATIENCE_MS
    for _ in range(3):
        play.tell(TimerFired(Timer.REDIAL), 1_000)
        play.lose(REFUSED, 1_000)
    assert patience(play) == PATIENCE_MS - 6_000
    wishes = play.tell(TimerFired(Timer.PATIENCE), 4_000)
    assert only(wishes, SeekRefuge)
    assert play.is_in(State.FALLING_BACK)


def test_a_model_below_which_nothing_needs_no_line_is_dialled_for_ever() -> None:
    play = Play().go_live()
    play.lose()
    assert not any(wish.timer is Timer.PATIENCE for wish in of(play.wishes, StartTimer))
    assert play.tell(TimerFired(Timer.PATIENCE), 60_000) == []


def test_a_line_that_is_back_in_time_stays() -> None:
    play = patient()
    play.lose()
    play.tell(TimerFired(Timer.REDIAL), 8_000)
    play.complete_setup()
    assert play.tell(TimerFired(Timer.PATIENCE), 2_000) == []
    assert play.is_in(State.LIVE)


def test_lives_of_a_moment_are_no_line() -> None:
    play = patient()
    play.lose()
    play.tell(TimerFired(Timer.REDIAL), 4_000)
    play.complete_setup()
    play.lose(NETWORK, 300)
    assert patience(play) == PATIENCE_MS - 4_000 - 100 - 300


def test_a_line_that_lived_and_goes_again_is_waited_for_anew() -> None:
    play = patient()
    play.lose()
    play.tell(TimerFired(Timer.REDIAL), 8_000)
    play.complete_setup()
    play.lose(NETWORK, LIVED_MS)
    assert patience(play) == PATIENCE_MS


def test_a_first_dial_that_hangs_is_not_waited_for_longer_than_any_other() -> None:
    play = Play()
    play.machine.features = Features(history_anytime=True, patience_ms=PATIENCE_MS)
    play.open()
    assert patience(play) == PATIENCE_MS
    assert only(play.tell(TimerFired(Timer.PATIENCE), PATIENCE_MS), SeekRefuge)


def test_silence_in_spite_of_a_redial_is_no_line_either() -> None:
    play = patient()
    play.tell(ProviderSilent(), LIVED_MS)
    play.tell(SetupCompleted(), 200)
    assert only(play.tell(TimerFired(Timer.PATIENCE), PATIENCE_MS - 200), SeekRefuge)


def test_a_line_that_took_the_place_of_a_silent_one_has_time_to_answer() -> None:
    play = patient()
    play.tell(ProviderSilent(), LIVED_MS)
    play.tell(SetupCompleted(), PATIENCE_MS - 500)
    assert patience(play) == ANSWER_AFTER_SILENCE_MS
    play.tell(ReplyBegan(), 1_000)
    assert play.tell(TimerFired(Timer.PATIENCE), 3_000) == []


def test_where_there_is_nowhere_to_go_the_handle_is_kept_and_the_line_dialled_on() -> None:
    play = patient()
    play.lose()
    play.tell(TimerFired(Timer.PATIENCE), PATIENCE_MS)
    play.tell(LevelKept(1_000, StateReason.PROVIDER_UNAVAILABLE))
    assert play.is_in(State.RECONNECTING)
    assert patience(play) == PATIENCE_MS
    assert only(play.tell(TimerFired(Timer.REDIAL), 1_000), Connect).handle == "handle-1"


def test_the_way_down_is_told_once_however_long_it_took() -> None:
    play = patient()
    play.lose()
    play.tell(TimerFired(Timer.PATIENCE), PATIENCE_MS)
    play.machine.features = Features(history_anytime=True)
    play.tell(LevelChanged("in-turns", toast="energy.in_turns"))
    wishes = play.tell(SetupCompleted(), 10)
    assert [wish.code for wish in play.wishes if hasattr(wish, "code")] == ["energy.in_turns"]
    assert only(wishes, Replay)


# -- models that issue no handles --------------------------------------------------------------------------------------


def without_handles() -> Play:
    play = Play()
    play.machine.features = Features(history_anytime=True, issues_handles=False)
    play.go_live().have_a_turn()
    play.wait_for_late_words()
    return play


def test_a_planned_end_is_taken_without_a_handle_and_without_a_word() -> None:
    play = without_handles()
    play.tell(GoAwayReceived(0))
    assert play.is_in(State.HANDOVER)
    assert play.tell(CloseFinished()) == [Connect(seed=True)]
    assert not of(play.tell(SetupCompleted(), 10), Toast)


def test_a_line_that_was_away_for_a_while_is_told_as_one_that_was_resumed() -> None:
    play = without_handles()
    play.lose()
    play.tell(TimerFired(Timer.REDIAL), 5_000)
    assert only(play.tell(SetupCompleted(), 10), Toast).code == "reconnected"


# -- down and up: the driver -------------------------------------------------------------------------------------------


async def a_call_on(*models: str) -> Stage:
    stage = await Stage(Mode.CALL, models).open()
    await stage.spoken_exchange("My code word is plum.", "Noted.", handle="h-1")
    await stage.wait(20)
    stage.page.told.clear()
    return stage


def dialled(stage: Stage) -> list[str]:
    return [attempt.setup.model for attempt in stage.upstream.attempts]


async def down(stage: Stage) -> None:
    """Every Live model refuses from now on, and what is in turns does not."""
    stage.upstream.refuses = lambda setup: DOWN if setup.model != IN_TURNS else None
    stage.connection.drop()
    await stage.settle()


async def test_what_was_said_while_there_was_no_line_is_answered_in_turns_with_the_context() -> None:
    stage = await a_call_on(*LADDER)
    await down(stage)
    spoken = await stage.speak(50)
    await stage.wait(PATIENCE_MS / 1000 - 1.8)
    assert stage.page.shows(State.LIVE)
    setup = stage.connection.setup
    assert setup.model == IN_TURNS
    assert [turn.text for turn in setup.history] == ["My code word is plum.", "Noted."]
    assert len(stage.connection.audio) >= len(spoken)
    assert stage.page.toasts == ["energy.in_turns"]
    assert OLDER not in dialled(stage)
    assert [turn.code for turn in stage.page.all_of("turn")].count(TurnCode.ENERGY_LOWER) == 1


async def test_a_line_is_asked_for_in_the_background_and_gone_back_to_between_two_turns() -> None:
    stage = await a_call_on(*LADDER)
    await down(stage)
    await stage.wait(PATIENCE_MS / 1000 + 0.1)
    in_turns = stage.connection
    await stage.wait(3 * WITHOUT_LINE_EVERY_S)
    assert stage.energy.probed[:2] == [NEWEST, NEWEST]
    assert stage.connection is in_turns, "nobody who talks notices the probes"
    stage.upstream.refuses = lambda setup: None
    in_turns.feed(ReplyAudio(sound(200)), ReplyWords("A long answer"))
    await stage.wait(2 * WITHOUT_LINE_EVERY_S)
    assert stage.manager.get_current_model() == IN_TURNS, "not in the middle of a reply"
    in_turns.feed(ReplyWords("."), GenerationComplete(), TurnComplete())
    await stage.wait(2 * WITHOUT_LINE_EVERY_S)
    assert stage.manager.get_current_model() == NEWEST
    assert stage.page.shows(State.LIVE)
    assert stage.page.toasts == ["energy.in_turns", "energy.restored"]
    texts = [turn.text for turn in stage.connection.setup.history]
    assert texts[:2] == ["My code word is plum.", "Noted."]
    assert "A long answer." in texts


async def test_probes_ask_whether_somebody_is_there_and_nothing_else() -> None:
    stage = await a_call_on(*LADDER)
    await down(stage)
    await stage.wait(PATIENCE_MS / 1000 + 0.1)
    stage.upstream.refuses = lambda setup: None
    before = len(stage.upstream.connections)
    await stage.wait(WITHOUT_LINE_EVERY_S + 0.1)
    probe = stage.upstream.connections[before]
    assert probe.setup.model == NEWEST
    assert probe.setup.handle is None
    assert not probe.setup.history
    assert probe.sent == [PROBE_QUESTION]
    assert probe.is_closed


async def silent_call() -> Stage:
    """Every Live connection is open, and answered pings, and says nothing from now on."""
    stage = await a_call_on(*LADDER)
    stage.upstream.is_silent = True
    return stage


async def test_a_line_that_says_nothing_is_left_when_another_one_says_nothing_either() -> None:
    stage = await silent_call()
    stage.manager.take_text("t-1", "What is my code word?")
    await stage.wait(WATCH_MS / 1000 + ANSWER_LIMIT_S + 1)
    assert stage.manager.get_current_model() == IN_TURNS
    assert stage.connection.texts == ["What is my code word?"]
    assert stage.page.toasts == ["energy.in_turns"]


async def test_a_line_that_thinks_for_long_stays_while_another_one_answers() -> None:
    stage = await silent_call()
    stage.upstream.is_silent = False
    line = stage.connection
    stage.manager.take_text("t-1", "What is my code word?")
    await stage.wait(50)
    assert stage.manager.get_current_model() == NEWEST
    assert not line.is_closed
    assert len(dialled(stage)) == 2, "and it is asked once, not with every look"
    line.feed(ReplyAudio(sound(200)), ReplyWords("Plum."), GenerationComplete(), TurnComplete())
    await stage.settle()
    assert stage.page.toasts == []


async def test_a_refusal_for_quota_says_nothing_of_the_line_that_stands() -> None:
    stage = await silent_call()
    stage.upstream.refuses = lambda setup: QUOTA
    stage.manager.take_text("t-1", "What is my code word?")
    await stage.wait(30)
    assert stage.manager.get_current_model() == NEWEST


async def test_a_model_that_is_set_up_and_says_nothing_is_not_gone_back_to() -> None:
    stage = await a_call_on(*LADDER)
    await down(stage)
    await stage.wait(PATIENCE_MS / 1000 + 0.1)
    stage.upstream.is_silent = True
    stage.upstream.refuses = lambda setup: None
    await stage.wait(30)
    assert stage.manager.get_current_model() == IN_TURNS


async def test_where_no_level_needs_no_line_the_session_waits_for_it_as_before() -> None:
    stage = await a_call_on(NEWEST, OLDER, OLDEST)
    await down(stage)
    await stage.wait(PATIENCE_MS / 1000 + 5)
    assert stage.page.shows(State.RECONNECTING)
    assert stage.page.toasts == []


@pytest.mark.parametrize("mode", Mode)
async def test_a_ladder_may_have_nothing_but_what_is_in_turns(mode: Mode) -> None:
    stage = await Stage(mode, [IN_TURNS]).open()
    assert stage.page.shows(State.LIVE)
    assert dialled(stage) == [IN_TURNS]
    await stage.wait(30)
    assert dialled(stage) == [IN_TURNS]


async def test_a_line_that_is_back_is_found_where_what_was_in_turns_has_no_quota_any_more() -> None:
    stage = await a_call_on(*LADDER)
    await down(stage)
    await stage.wait(PATIENCE_MS / 1000 + 0.1)
    stage.energy.resets_at = datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=9)
    stage.connection.drop(SPENT)
    await stage.wait(1)
    assert stage.page.shows(State.EXHAUSTED)
    stage.upstream.refuses = lambda setup: None
    await stage.wait(2 * WITHOUT_LINE_EVERY_S)
    assert stage.page.shows(State.LIVE)
    assert stage.manager.get_current_model() == NEWEST


async def test_a_session_that_begins_with_nothing_finds_the_line_when_it_is_back() -> None:
    energy = FakeEnergy(LADDER)
    await energy.leave_outage(Mode.CALL, DOWN, NEWEST)
    await energy.handle_rate_limit_error(Mode.CALL, SPENT, IN_TURNS)
    stage = await Stage(Mode.CALL, energy=energy).open()
    assert stage.page.shows(State.EXHAUSTED)
    await stage.wait(2 * WITHOUT_LINE_EVERY_S)
    assert stage.page.shows(State.LIVE)
    assert stage.manager.get_current_model() == NEWEST


async def test_a_line_that_is_back_is_taken_at_once_where_requests_fail() -> None:
    stage = await a_call_on(*LADDER)
    await down(stage)
    await stage.wait(PATIENCE_MS / 1000 + 0.1)
    stage.manager.take_text("t-1", "Hello?")
    await stage.settle()
    stage.upstream.refuses = lambda setup: DOWN
    stage.connection.drop(NETWORK)
    await stage.wait(20)
    assert stage.page.shows(State.RECONNECTING)
    stage.upstream.refuses = lambda setup: DOWN if setup.model == IN_TURNS else None
    await stage.wait(10)
    assert stage.page.shows(State.LIVE)
    assert stage.manager.get_current_model() == NEWEST
    assert stage.connection.texts == ["Hello?"]


async def test_a_line_that_is_back_is_taken_where_everything_was_given_up() -> None:
    stage = await a_call_on(*LADDER)
    await down(stage)
    await stage.wait(PATIENCE_MS / 1000 + 0.1)
    stage.upstream.refuses = lambda setup: DOWN
    stage.connection.drop(NETWORK)
    await stage.wait(90)
    assert stage.page.shows(State.FAILED)
    stage.upstream.refuses = lambda setup: None
    await stage.wait(2 * WITHOUT_LINE_EVERY_S)
    assert stage.page.shows(State.LIVE)
    assert stage.manager.get_current_model() == NEWEST


def test_what_says_twice_that_the_level_stays_does_not_hold_back_the_dial_that_is_made() -> None:
    play = patient()
    play.tell(LadderExhausted(NoModel("quota", None)))
    assert only(play.tell(LevelChanged(NEWEST, is_raised=True)), Connect)
    assert play.tell(LevelKept(20_000)) == []
    assert play.is_in(State.FALLING_BACK)


def test_time_in_which_nothing_could_be_dialled_costs_a_line_no_patience() -> None:
    play = patient()
    play.lose()
    play.tell(TimerFired(Timer.PATIENCE), PATIENCE_MS)
    play.tell(LevelChanged(IN_TURNS))
    play.lose(REFUSED, 100)
    play.tell(LadderExhausted(NoModel("quota", None)))
    wishes = play.tell(LevelChanged(NEWEST, is_raised=True), 60_000)
    assert StartTimer(Timer.PATIENCE, PATIENCE_MS) in wishes


FAULTY = Failure(1011, "Internal error encountered.", Phase.LIVE)


def test_a_line_that_comes_and_goes_until_it_is_given_up_is_left_for_a_level_that_needs_none() -> None:
    play = patient()
    wishes = play.lose(FAULTY, LIVED_MS)
    for _ in range(40):
        if of(wishes, SeekRefuge):
            break
        play.tell(TimerFired(Timer.REDIAL) if play.is_in(State.RECONNECTING) else LevelChanged(OLDER), 500)
        play.tell(SetupCompleted(), 500)
        wishes = play.lose(FAULTY, 2_000)
    assert only(wishes, SeekRefuge)
    assert play.is_in(State.FALLING_BACK)


def test_a_line_for_which_no_redial_is_left_is_left_for_a_level_that_needs_none() -> None:
    play = patient()
    for _ in range(REDIALS_PER_HOUR):
        play.lose(NETWORK, LIVED_MS)
        play.tell(TimerFired(Timer.REDIAL), 500)
        play.complete_setup()
    assert only(play.tell(ProviderSilent(), LIVED_MS), SeekRefuge)
    play.tell(LevelKept(1_000, StateReason.PROVIDER_UNAVAILABLE))
    play.tell(TimerFired(Timer.REDIAL), 1_000)
    play.lose(REFUSED)
    assert play.is_in(State.FAILED), "nowhere to go, and not asked for again and again"


def test_a_key_that_is_refused_is_no_reason_to_go_on_in_turns() -> None:
    play = patient()
    play.lose(Failure(1007, "API key not valid. Please pass a valid API key.", Phase.LIVE))
    assert play.is_in(State.FAILED)


def test_a_model_that_is_kept_for_want_of_another_is_not_given_up_for_what_it_did_before() -> None:
    play = Play().go_live()
    wishes: list[Wish] = []
    while not of(wishes, LowerLevel):
        wishes = play.lose(FAULTY, 1_000)
        if play.is_in(State.RECONNECTING):
            play.tell(TimerFired(Timer.REDIAL), 2_000)
            play.complete_setup()
    play.tell(LevelKept(20_000, StateReason.PROVIDER_UNAVAILABLE))
    play.tell(TimerFired(Timer.REDIAL), 20_000)
    play.complete_setup()
    play.lose(FAULTY, 1_000)
    assert play.is_in(State.RECONNECTING)
