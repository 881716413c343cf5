"""How a live session begins, and what it is set up with."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from energy.levels import Mode
from sessions_app.live.machine.events import Action, State
from sessions_app.live.machine.failures import INITIAL_HISTORY_FIELD, Failure, Phase
from sessions_app.live.providers.upstream import GoAway, HandleUpdate
from sessions_app.live.transcript import Role
from tests.fakes.energy import NEWEST, OLDER, OLDEST
from tests.fakes.upstream import REFUSED, Answer, AudioEnded
from tests.live.stage import CONSUMED_S, INSTRUCTION, Stage, a_turn, numbers

DEAD_HANDLE = Failure(1008, "BidiGenerateContent session not found", Phase.SETUP)
INVALID = Failure(1007, "Request contains an invalid argument.", Phase.SETUP)
BAD_KEY = Failure(1007, "API key not valid. Please pass a valid API key.", Phase.SETUP)
UNKNOWN_FIELD = Failure(1007, "Unknown name \"proactivity\" at 'setup': Cannot find field.", Phase.SETUP)

PAST = (a_turn(0, "My code word is PLUM-42."), a_turn(1, "Noted.", Role.MODEL))


@pytest.mark.parametrize("mode", Mode)
async def test_a_new_session_is_new(mode: Mode) -> None:
    stage = await Stage(mode).open()
    assert stage.page.states == [State.CONNECTING, State.LIVE]
    (ready,) = stage.page.readies
    assert (ready.action, ready.turns, ready.ack) == (Action.NEW, (), 0)
    assert (ready.conversation, ready.session) == ("conversation-1", "session-1")
    assert stage.page.toasts == []
    setup = stage.upstream.attempts[0].setup
    assert (setup.model, setup.instruction, setup.voice, setup.handle) == (NEWEST, INSTRUCTION, "Kore", None)


@pytest.mark.parametrize("mode", Mode)
async def test_each_mode_has_a_slot_of_its_own_for_handles(mode: Mode) -> None:
    assert Stage(mode).manager.get_resumption_storage_key() == f"gdm:{mode}-session-handle"


async def test_the_first_words_spoken_while_connecting_arrive_in_order() -> None:
    stage = Stage(Mode.CALL)
    stage.upstream.script(Answer(after_s=2))
    await stage.open()
    spoken = await stage.speak(80)
    assert numbers(stage.connection.audio) == spoken
    assert stage.page.states == [State.CONNECTING, State.LIVE]


async def test_a_message_typed_and_a_mute_before_the_session_is_open_arrive_in_their_place() -> None:
    stage = Stage(Mode.CALL)
    stage.upstream.script(Answer(after_s=2))
    await stage.open()
    await stage.speak(2)
    stage.manager.take_text("typed-1", "Hello")
    await stage.speak(1)
    stage.manager.mute()
    await stage.wait(3)
    sent = stage.connection.sent
    assert [type(item) for item in sent] == [bytes, bytes, str, bytes, AudioEnded]


async def test_a_handle_of_the_same_page_life_is_used() -> None:
    stage = await Stage(
        Mode.CALL, turns=PAST, handle="h", handle_model=NEWEST, covered_turn=1, next_number=50, same_page=True
    ).open()
    assert stage.upstream.attempts[0].setup.handle == "h"
    assert stage.upstream.attempts[0].setup.history == ()
    (ready,) = stage.page.readies
    assert (ready.action, ready.turns, ready.ack) == (Action.RESUMED, PAST, 50)


async def test_a_handle_of_another_model_is_not_used() -> None:
    stage = await Stage(turns=PAST, handle="h", handle_model=OLDER, covered_turn=1, same_page=True).open()
    assert stage.upstream.attempts[0].setup.handle is None
    assert stage.page.readies[0].action is Action.REBUILT


async def test_a_resumed_session_is_told_the_turns_that_its_handle_does_not_know() -> None:
    stage = await Stage(turns=PAST, handle="h", handle_model=NEWEST, covered_turn=-1, same_page=True).open()
    assert stage.upstream.attempts[0].setup.handle == "h"
    assert stage.connection.past_turns == [PAST]
    assert stage.page.readies[0].action is Action.RESUMED


@pytest.mark.parametrize("model", [NEWEST, OLDER])
async def test_a_model_that_takes_history_is_given_the_turns_as_history(model: str) -> None:
    stage = await Stage(models=[model, model], turns=PAST).open()
    setup = stage.upstream.attempts[0].setup
    assert setup.history == PAST
    assert setup.expects_history
    assert "PLUM-42" not in setup.instruction
    assert setup.instruction.startswith(INSTRUCTION)
    assert "Do not greet again" in setup.instruction
    assert stage.page.readies[0].action is Action.REBUILT
    assert stage.page.toasts == []


async def test_a_model_that_takes_no_history_is_given_the_turns_in_its_instruction() -> None:
    stage = await Stage(models=[OLDEST, OLDEST], turns=PAST).open()
    setup = stage.upstream.attempts[0].setup
    assert not setup.expects_history
    assert setup.history == ()
    assert "User: My code word is PLUM-42." in setup.instruction
    assert setup.typed_as_content


async def test_a_resumed_session_keeps_the_instruction_that_gave_it_the_past() -> None:
    stage = await Stage(models=[OLDEST, OLDEST], turns=PAST).open()
    await stage.exchange("typed-1", "Hello", "Hello.", handle="h")
    stage.connection.drop()
    await stage.wait(1)
    first, second = (attempt.setup for attempt in stage.upstream.attempts)
    assert second.handle == "h"
    assert second.instruction == first.instruction


async def test_a_model_that_refuses_history_is_given_it_in_the_instruction_at_once() -> None:
    stage = Stage(turns=PAST)
    stage.upstream.script(INVALID)
    await stage.open()
    first, second = stage.upstream.attempts
    assert first.setup.expects_history
    assert not second.setup.expects_history
    assert "PLUM-42" in second.setup.instruction
    assert INITIAL_HISTORY_FIELD in second.setup.left_out
    assert second.at_s - first.at_s < 1
    assert stage.page.readies[0].action is Action.REBUILT


async def test_a_field_that_is_refused_is_left_out_of_every_later_set_up() -> None:
    stage = Stage()
    stage.upstream.script(UNKNOWN_FIELD)
    await stage.open()
    stage.connection.feed(HandleUpdate("h"), GoAway(50_000))
    await stage.wait(1)
    assert [attempt.setup.left_out for attempt in stage.upstream.attempts] == [
        frozenset(),
        frozenset({"proactivity"}),
        frozenset({"proactivity"}),
    ]


async def test_a_model_that_must_be_told_how_hard_to_think_is_told() -> None:
    stage = await Stage(models=["gemini-3.8-live-extended-thinking"] * 2).open()
    assert stage.upstream.attempts[0].setup.thinking_level == "LOW"


@pytest.mark.parametrize(
    ("opening", "action", "toast"),
    [
        ({"turns": PAST, "covered_turn": 1}, Action.REBUILT, "rebuilt"),
        ({}, Action.NEW, "started"),
    ],
)
async def test_a_dead_handle_at_the_opening_gives_a_new_session_and_the_toast_says_so(
    opening: dict[str, Any], action: Action, toast: str
) -> None:
    stage = Stage(handle="h", handle_model=NEWEST, same_page=True, **opening)
    stage.upstream.script(DEAD_HANDLE)
    await stage.open()
    assert [attempt.setup.handle for attempt in stage.upstream.attempts] == ["h", None]
    assert stage.page.readies[-1].action is action
    assert stage.page.toasts == [toast]
    assert stage.store.handle is None


async def test_a_bad_key_is_told_at_once_with_the_turns_that_are_stored() -> None:
    stage = Stage(turns=PAST)
    stage.upstream.script(BAD_KEY)
    await stage.open()
    assert stage.page.states == [State.CONNECTING, State.FAILED]
    assert stage.page.all_of("state")[-1][3] == "bad-key"
    assert stage.page.toasts == ["failed"]
    assert [text for _, text, _ in stage.page.lines] == ["My code word is PLUM-42.", "Noted."]


async def test_a_set_up_that_stalls_is_given_up_and_tried_again() -> None:
    stage = Stage()
    stage.upstream.script(Answer(after_s=300))
    await stage.open()
    stage.upstream.script(Answer(after_s=300))
    await stage.wait(11)
    assert stage.page.shows(State.LIVE)
    first, _, third = stage.upstream.attempts
    assert third.at_s - first.at_s == pytest.approx(10, abs=0.3)


# -- a second dial beside a slow one -----------------------------------------------------------------------------------


async def dial_with_a_handle(*answers: Answer | Failure) -> Stage:
    stage = Stage(turns=PAST, handle="h", handle_model=NEWEST, covered_turn=1, same_page=True)
    stage.upstream.script(*answers)
    return await stage.open()


async def test_a_set_up_that_stalls_costs_four_seconds_for_another_is_dialled_beside_it() -> None:
    stage = await dial_with_a_handle(Answer(after_s=300))
    await stage.wait(4.1)
    assert stage.page.shows(State.LIVE)
    assert [attempt.setup.handle for attempt in stage.upstream.attempts] == ["h", "h"]
    assert [attempt.at_s - stage.upstream.attempts[0].at_s for attempt in stage.upstream.attempts] == [0, 4]
    await stage.wait(300)
    assert len(stage.upstream.connections) == 1, "the first one was given up"


async def test_a_set_up_that_is_only_slow_is_used_when_it_comes_first() -> None:
    stage = await dial_with_a_handle(Answer(after_s=5), Answer(after_s=3))
    await stage.wait(5.1)
    assert stage.page.shows(State.LIVE)
    await stage.exchange("typed-1", "Hello", "Hello!")
    await stage.wait(10)
    assert [attempt.connection is None for attempt in stage.upstream.attempts] == [False, True]


async def test_two_set_ups_that_come_at_once_leave_one_connection_open() -> None:
    stage = await dial_with_a_handle(Answer(after_s=5), Answer(after_s=1))
    await stage.wait(20)
    used, closed = stage.upstream.connections
    assert (used.is_closed, closed.is_closed) == (False, True)


async def test_a_resume_that_is_refused_because_another_dial_holds_the_session_costs_nothing() -> None:
    stage = await dial_with_a_handle(Answer(after_s=8), DEAD_HANDLE)
    await stage.wait(9)
    assert stage.page.shows(State.LIVE)
    assert stage.page.readies[-1].action is Action.RESUMED
    assert stage.page.toasts == []
    assert len(stage.upstream.attempts) == 2


async def test_a_slow_refusal_of_the_first_dial_counts_at_once() -> None:
    stage = await dial_with_a_handle(Answer(DEAD_HANDLE, after_s=5), Answer(after_s=3))
    await stage.wait(5.1)
    assert stage.upstream.attempts[2].setup.handle is None
    assert stage.page.shows(State.LIVE)


async def test_a_first_dial_that_is_lost_on_the_way_leaves_the_second_its_time() -> None:
    stage = await dial_with_a_handle(Answer(REFUSED, after_s=5), Answer(after_s=3))
    await stage.wait(7.1)
    assert stage.page.shows(State.LIVE)
    assert len(stage.upstream.attempts) == 2


async def test_hanging_up_beside_two_dials_leaves_no_connection_behind() -> None:
    stage = await dial_with_a_handle(Answer(after_s=9), Answer(after_s=3))
    await stage.wait(5)
    stage.manager.hang_up()
    await stage.wait(1)
    assert stage.manager.finished.is_set()
    await stage.wait(20)
    assert stage.upstream.connections == []


# -- after the death of a worker ---------------------------------------------------------------------------------------


async def test_a_typed_message_that_was_never_answered_is_delivered_when_the_page_sends_it_again() -> None:
    turns = (*PAST, a_turn(2, "And my name is Ada.", id="typed-2"))
    stage = await Stage(turns=turns, handle="h", handle_model=NEWEST, covered_turn=1, same_page=True).open()
    stage.manager.take_text("typed-2", "And my name is Ada.")
    await stage.wait(CONSUMED_S)
    assert stage.connection.texts == ["And my name is Ada."]
    await stage.reply("Hello Ada.")
    assert [text for _, text, _ in stage.page.lines][2:] == ["And my name is Ada.", "Hello Ada."]
    assert stage.page.acks[-1][1] == ("typed-2",)


@pytest.mark.parametrize("status", ["partial", "interrupted"])
async def test_a_typed_message_whose_reply_was_cut_by_the_death_is_answered_again(status: str) -> None:
    """SIGTERM, or worse, in the middle of a reply: the page was never acknowledged, and sends the message again."""
    turns = (a_turn(0, "Tell me a story.", id="typed-1"), a_turn(1, "Once upon", Role.MODEL, status=status))
    stage = await Stage(turns=turns, handle="h", handle_model=NEWEST, covered_turn=-1, same_page=True).open()
    assert "Tell me a story." not in [turn.text for past in stage.connection.past_turns for turn in past]
    stage.manager.take_text("typed-1", "Tell me a story.")
    await stage.wait(CONSUMED_S)
    assert stage.page.acks == []
    await stage.reply("Once upon a time.")
    assert stage.page.acks[-1][1] == ("typed-1",)
    stage.manager.take_text("typed-1", "Tell me a story.")
    await stage.wait(CONSUMED_S)
    assert stage.connection.texts == ["Tell me a story."]


async def test_a_typed_message_that_was_answered_before_the_death_is_acknowledged_and_not_delivered_again() -> None:
    turns = (a_turn(0, "My name is Ada.", id="typed-1"), a_turn(1, "Hello Ada.", Role.MODEL))
    stage = await Stage(turns=turns, handle="h", handle_model=NEWEST, covered_turn=1, same_page=True).open()
    stage.manager.take_text("typed-1", "My name is Ada.")
    await stage.wait(1)
    assert stage.connection.texts == []
    assert stage.page.acks == [(0, ("typed-1",))]


@pytest.mark.parametrize("code", ["turn.no_answer", "turn.refused"])
async def test_a_typed_message_that_was_told_to_have_no_answer_is_not_asked_again_after_the_death(code: str) -> None:
    turns = (a_turn(0, "What is in the box?", id="typed-1"), replace(a_turn(1, "No.", Role.SYSTEM), code=code))
    stage = await Stage(turns=turns, handle="h", handle_model=NEWEST, covered_turn=1, same_page=True).open()
    stage.manager.take_text("typed-1", "What is in the box?")
    await stage.wait(1)
    assert stage.connection.texts == []
    assert stage.page.acks == [(0, ("typed-1",))]
    assert stage.connection.past_turns == []


async def test_a_sentence_whose_reply_the_death_cut_off_stands_once_when_its_sound_is_heard_again() -> None:
    turns = (a_turn(0, "Tell me a story."), a_turn(1, "Once upon", Role.MODEL, status="interrupted"))
    stage = await Stage(Mode.CALL, turns=turns, handle="h", handle_model=NEWEST, same_page=True).open()
    await stage.spoken_exchange("Tell me a story.", "Once upon a time.")
    await stage.spoken_exchange("Tell me a story.", "There was a fox.")
    assert stage.page.lines == [
        ("user", "Tell me a story.", "complete"),
        ("model", "Once upon", "interrupted"),
        ("model", "Once upon a time.", "complete"),
        ("user", "Tell me a story.", "complete"),
        ("model", "There was a fox.", "complete"),
    ]


async def test_what_is_said_after_the_death_in_place_of_what_was_lost_is_a_sentence_of_its_own() -> None:
    """A page that was loaded again does not send its sound again."""
    turns = (a_turn(0, "Tell me a story."), a_turn(1, "Once upon", Role.MODEL, status="interrupted"))
    stage = await Stage(Mode.CALL, turns=turns, handle="h", handle_model=NEWEST, same_page=True).open()
    await stage.spoken_exchange("Tell me your name.", "I have none.")
    assert stage.page.lines == [
        ("user", "Tell me a story.", "complete"),
        ("model", "Once upon", "interrupted"),
        ("user", "Tell me your name.", "complete"),
        ("model", "I have none.", "complete"),
    ]


async def test_audio_that_was_safe_before_the_death_is_not_sent_again() -> None:
    stage = await Stage(Mode.CALL, handle="h", handle_model=NEWEST, next_number=10, same_page=True).open()
    stage.next_frame = 8
    await stage.speak(5)
    assert numbers(stage.connection.audio) == [10, 11, 12]
