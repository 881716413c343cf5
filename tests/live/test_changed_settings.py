"""What a session is set up with is changed while it goes on: what a resume takes, and what ends it for another one."""

from __future__ import annotations

import pytest

from energy.levels import Mode
from sessions_app.live.machine.events import (
    Action,
    CloseFinished,
    Connect,
    ForgetHandle,
    GoAwayReceived,
    HandleOffered,
    Record,
    ReplyBegan,
    ReplyEnded,
    SettingsChanged,
    SetupCompleted,
    State,
    Toast,
)
from sessions_app.live.machine.failures import SPEECH_FIELD, TURN_TAKING_FIELD, Failure, Phase
from sessions_app.live.page import Assistant
from sessions_app.live.providers.upstream import GenerationComplete, HandleUpdate, TurnComplete, TurnTaking
from tests.fakes.energy import NEWEST, OLDER
from tests.fakes.upstream import CUT, Answer
from tests.live.play import LIVED_MS, QUOTA, Play
from tests.live.stage import INSTRUCTION, Stage, a_call, numbers
from tests.live.test_states import of, only, told

OTHER_TURNS = Assistant(INSTRUCTION, "Kore", turn_taking=TurnTaking(silence_ms=900))
OTHER_VOICE = Assistant(INSTRUCTION, "Puck")
REFUSED_SETUP = Failure(1007, "Request contains an invalid argument.", Phase.SETUP)
TAKEN_BY_RESUME = SettingsChanged(keeps_handle=True)
NEW_SESSION = SettingsChanged(keeps_handle=False)


# -- the machine -------------------------------------------------------------------------------------------------------


def test_what_a_resume_takes_is_a_planned_swap_by_the_handle() -> None:
    play = Play().go_live().offer_handle()
    assert told(play.tell(TAKEN_BY_RESUME, LIVED_MS)) == [State.HANDOVER]
    assert only(play.tell(CloseFinished()), Connect) == Connect("handle-1")
    assert only(play.tell(SetupCompleted(), 100), Record).data["cause"] == "settings"
    assert not of(play.wishes, Toast)


def test_what_a_resume_does_not_take_ends_the_session_at_a_safe_point_and_is_told() -> None:
    play = Play().go_live().have_a_turn("handle-1")
    play.tell(ReplyBegan(), LIVED_MS)
    wishes = play.tell(NEW_SESSION, 100)
    assert of(wishes, ForgetHandle)
    assert not told(wishes), "the reply is heard to its end"
    play.tell(HandleOffered("of-the-old-session"), 100)
    assert play.machine.handle is None
    play.tell(ReplyEnded(), 100)
    play.wait_for_late_words()
    assert play.is_in(State.HANDOVER)
    assert only(play.tell(CloseFinished()), Connect) == Connect(seed=True)
    assert only(play.tell(SetupCompleted(), 100), Toast).code == "settings.applied"


def test_a_swap_that_comes_anyway_takes_what_has_changed() -> None:
    play = Play().go_live().offer_handle()
    play.tell(ReplyBegan(), 500)
    play.tell(GoAwayReceived(50_000), 100)
    assert play.tell(TAKEN_BY_RESUME, 100) == []


def test_a_handle_of_other_settings_is_gone_however_the_session_stands() -> None:
    play = Play().go_live().have_a_turn("handle-1")
    play.lose()
    assert of(play.tell(NEW_SESSION), ForgetHandle)
    assert play.is_in(State.RECONNECTING)
    assert play.machine.handle is None


# -- the driver --------------------------------------------------------------------------------------------------------


async def test_a_call_goes_on_with_other_turn_taking_by_its_handle_and_nothing_is_lost() -> None:
    stage = await a_call()
    stage.manager.use(OTHER_TURNS)
    spoken = await stage.speak(10)
    first, second = (attempt.setup for attempt in stage.upstream.attempts)
    assert (first.turn_taking, second.turn_taking) == (TurnTaking(), OTHER_TURNS.turn_taking)
    assert second.handle == "h-1"
    assert numbers(stage.connection.audio) == spoken
    assert stage.page.states == [State.HANDOVER, State.LIVE]


async def test_a_call_goes_on_with_another_voice_in_a_new_session_that_knows_what_was_said() -> None:
    stage = await a_call()
    stage.manager.use(OTHER_VOICE)
    spoken = await stage.speak(10)
    setup = stage.upstream.attempts[1].setup
    assert (setup.voice, setup.handle) == ("Puck", None)
    assert [turn.text for turn in setup.history] == ["My code word is plum.", "Noted."]
    assert numbers(stage.connection.audio) == spoken
    assert stage.page.readies[-1].action is Action.REBUILT
    assert stage.store.handle is None
    await stage.spoken_exchange("Hello", "Hello.", handle="h-2")
    assert [kept.made_with == OTHER_VOICE.made_with for kept in stage.store.handles] == [False, True]


async def test_what_is_changed_while_a_connection_is_made_counts_as_soon_as_it_stands() -> None:
    stage = await a_call(Answer(), Answer(after_s=1.0))
    stage.connection.drop(CUT)
    await stage.wait(0.5)
    stage.manager.use(OTHER_VOICE)
    await stage.wait(10)
    assert [(attempt.setup.voice, attempt.setup.handle) for attempt in stage.upstream.attempts] == [
        ("Kore", None),
        ("Kore", "h-1"),
        ("Puck", None),
    ]
    assert stage.page.states[-1] is State.LIVE


async def test_what_is_changed_and_changed_back_before_anything_was_dialled_changes_nothing() -> None:
    stage = await a_call()
    stage.manager.use(Assistant(INSTRUCTION, "Kore"))
    await stage.wait(10)
    assert len(stage.upstream.attempts) == 1


async def test_a_page_that_comes_back_does_not_resume_a_session_of_other_settings() -> None:
    stage = Stage(Mode.CALL, handle="h-0", handle_model=NEWEST, handle_made_with=OTHER_VOICE.made_with)
    await stage.open()
    assert stage.upstream.attempts[0].setup.handle is None


async def test_without_resumption_no_handle_is_kept_and_every_connection_is_given_the_context() -> None:
    stage = await a_call()
    stage.manager.use(Assistant(INSTRUCTION, "Kore", resumes=False))
    await stage.wait(5)
    assert stage.store.handle is None
    await stage.hear(HandleUpdate("nobody-asked-for-it"))
    assert stage.manager.current_handle is None
    assert not stage.manager.get_session_stats().resumption_enabled
    stage.connection.drop(CUT)
    await stage.wait(5)
    setup = stage.upstream.attempts[2].setup
    assert (setup.resumes, setup.handle) == (False, None)
    assert [turn.text for turn in setup.history] == ["My code word is plum.", "Noted."]


async def test_a_reply_in_the_old_voice_is_heard_whole_before_the_new_one_comes() -> None:
    stage = await a_call()
    await stage.begin_reply("Once upon a time.", ms=400)
    stage.manager.use(OTHER_VOICE)
    await stage.wait(1)
    assert len(stage.upstream.attempts) == 1
    await stage.hear(GenerationComplete(), TurnComplete())
    await stage.wait(5)
    assert stage.page.lines[-1] == ("model", "Once upon a time.", "complete")
    assert stage.upstream.attempts[1].setup.history[-1].text == "Once upon a time."


@pytest.mark.parametrize("model", [NEWEST, OLDER])
async def test_compression_is_told_in_tokens(model: str) -> None:
    stage = Stage(Mode.CALL, models=[model] * 3)
    stage.manager.use(Assistant(INSTRUCTION, "Kore", trigger_tokens=20_000, compression_ratio=0.25))
    await stage.open()
    compression = stage.upstream.attempts[0].setup.compression
    assert compression is not None
    assert (compression.trigger_tokens, compression.target_tokens) == (20_000, 5_000)


# -- what the provider does not take -----------------------------------------------------------------------------------


async def test_a_choice_that_is_refused_without_its_name_costs_neither_the_handle_nor_the_level() -> None:
    stage = await a_call(Answer(), Answer(REFUSED_SETUP))
    stage.manager.use(OTHER_TURNS)
    spoken = await stage.speak(10)
    await stage.wait(10)
    assert [(dial.setup.handle, dial.setup.model) for dial in stage.upstream.attempts[1:]] == [("h-1", NEWEST)] * 2
    assert stage.upstream.attempts[-1].setup.left_out == {TURN_TAKING_FIELD}
    assert numbers(stage.connection.audio) == spoken
    stage.connection.drop(CUT)
    await stage.wait(10)
    assert stage.upstream.attempts[-1].setup.left_out == {TURN_TAKING_FIELD}, "it is not tried at every swap"


async def test_choices_that_are_refused_at_the_first_dial_are_left_out_one_after_the_other() -> None:
    figures = Assistant(INSTRUCTION, "Kore", "de-DE", trigger_tokens=12_000)
    stage = Stage(Mode.CALL, assistant=figures)
    stage.upstream.script(REFUSED_SETUP, REFUSED_SETUP, Answer())
    await stage.open()
    await stage.wait(10)
    assert stage.page.states[-1] is State.LIVE
    assert [(dial.setup.model, len(dial.setup.left_out)) for dial in stage.upstream.attempts] == [
        (NEWEST, 0),
        (NEWEST, 1),
        (NEWEST, 2),
    ]


async def test_all_that_a_user_may_choose_can_be_refused_soon_after_the_beginning_and_the_call_goes_on() -> None:
    wanted = Assistant(INSTRUCTION, "Kore", "de-DE", TurnTaking(silence_ms=900), trigger_tokens=12_000)
    stage = Stage(Mode.CALL, assistant=wanted)
    stage.upstream.script(*[REFUSED_SETUP] * 3, Answer(), *[REFUSED_SETUP] * 4)
    await stage.open()
    await stage.wait(1)
    other_turns = TurnTaking(interruptions=False)
    stage.manager.use(Assistant(INSTRUCTION, "Puck", "fr-FR", other_turns, trigger_tokens=13_000))
    spoken = await stage.speak(10)
    await stage.wait(20)
    assert stage.page.states[-1] is State.LIVE
    assert {dial.setup.model for dial in stage.upstream.attempts} == {NEWEST}
    assert len(stage.upstream.attempts[-1].setup.left_out) == 4
    assert numbers(stage.connection.audio) == spoken, "what was said before the refusals is not their cause"


async def test_the_voice_that_is_chosen_after_one_that_was_refused_is_tried() -> None:
    unknown = Failure(1007, "No matching speaker voice found for name: Puck", Phase.SETUP)
    stage = await a_call(Answer(), Answer(unknown), Answer(), Answer())
    stage.manager.use(OTHER_VOICE)
    await stage.wait(20)
    assert stage.upstream.attempts[-1].setup.left_out == {SPEECH_FIELD}
    stage.manager.use(Assistant(INSTRUCTION, "Leda"))
    await stage.wait(20)
    last = stage.upstream.attempts[-1].setup
    assert (last.voice, last.left_out, last.model) == ("Leda", frozenset(), NEWEST)


async def test_a_voice_that_is_refused_like_the_one_before_it_is_left_out_again_and_costs_no_level() -> None:
    unknown = Failure(1007, "No matching speaker voice found.", Phase.SETUP)
    stage = await a_call(Answer(), Answer(unknown), Answer(), Answer(unknown))
    for voice in ("Puck", "Leda"):
        stage.manager.use(Assistant(INSTRUCTION, voice))
        await stage.wait(20)
    last = stage.upstream.attempts[-1].setup
    assert (len(stage.upstream.attempts), last.left_out, last.model) == (5, frozenset({SPEECH_FIELD}), NEWEST)
    assert stage.page.states[-1] is State.LIVE


async def test_what_went_through_before_is_not_what_a_later_refusal_means() -> None:
    stage = await a_call(Answer(), Answer(), Answer(failure=REFUSED_SETUP))
    stage.manager.use(OTHER_TURNS)
    await stage.wait(20)
    stage.connection.drop(CUT)
    await stage.wait(20)
    attempts = [(attempt.setup.handle, attempt.setup.left_out) for attempt in stage.upstream.attempts]
    assert attempts[1:3] == [("h-1", frozenset())] * 2
    assert all(left_out == frozenset() for _, left_out in attempts)


async def test_another_model_may_refuse_what_the_one_before_it_took() -> None:
    stage = Stage(Mode.CALL, assistant=OTHER_TURNS)
    stage.upstream.script(Answer(), QUOTA, REFUSED_SETUP)
    await stage.open()
    await stage.spoken_exchange("My code word is plum.", "Noted.", handle="h-1")
    stage.connection.drop(CUT)
    await stage.wait(20)
    dials = [(dial.setup.model, dial.setup.left_out) for dial in stage.upstream.attempts[2:]]
    assert dials == [(OLDER, frozenset()), (OLDER, frozenset({TURN_TAKING_FIELD}))]
