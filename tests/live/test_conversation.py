"""A live session from the side of the user: speaking, typing, stopping, muting, leaving and coming back."""

from __future__ import annotations

import pytest

from energy.levels import Mode
from sessions_app.live.machine.events import Action, State
from sessions_app.live.providers.upstream import (
    GenerationComplete,
    Interrupted,
    ReplyAudio,
    ReplyWords,
    TurnComplete,
    Unrecognised,
    UsageReported,
    UserWords,
    VoiceBegan,
)
from tests.fakes.energy import NEWEST
from tests.fakes.page import FakePage
from tests.fakes.upstream import Answer, AudioEnded
from tests.live.stage import CONSUMED_S, FRAME_MS, Stage, numbers, sound

OPENED_ELSEWHERE = 4409
USAGE = UsageReported(prompt_tokens=834, response_tokens=64)


# -- turns -------------------------------------------------------------------------------------------------------------


async def test_a_spoken_exchange_is_heard_shown_and_stored() -> None:
    stage = await Stage(Mode.CALL).open_quietly()
    spoken = await stage.speak(5)
    await stage.wait(CONSUMED_S)
    await stage.hear(UserWords("Who are you?"))
    await stage.hear(ReplyAudio(sound(100, 1)), ReplyWords("I am "), ReplyAudio(sound(100, 2)), ReplyWords("Kore."))
    await stage.hear(GenerationComplete(), USAGE, TurnComplete())
    assert numbers(stage.connection.audio) == spoken
    assert stage.page.heard == sound(100, 1) + sound(100, 2)
    assert stage.page.lines == [("user", "Who are you?", "complete"), ("model", "I am Kore.", "complete")]
    assert stage.store.lines == stage.page.lines
    number = stage.page.transcript[-1].number
    assert stage.page.all_of("generation_complete") == [number]
    assert stage.page.all_of("turn_complete") == [(number, USAGE)]
    ((connection, turn, model, usage),) = stage.store.usages
    assert (connection, turn, model) == (1, number, NEWEST)
    assert usage.as_data() == {"prompt_tokens": 834, "response_tokens": 64}
    assert stage.page.acks[-1][0] == len(spoken)


async def test_words_without_an_answer_are_paid_for_and_noise_takes_no_other_turns_place() -> None:
    stage = await Stage(Mode.CALL).open_quietly()
    await stage.spoken_exchange("Who are you?", "I am Kore.")
    await stage.hear(USAGE, TurnComplete())
    assert stage.store.usages == []
    await stage.hear(UserWords("Never mind."))
    await stage.hear(USAGE, TurnComplete())
    ((_, turn, _, _),) = stage.store.usages
    assert turn == stage.page.transcript[-1].number


async def test_the_page_is_told_a_line_as_it_grows() -> None:
    stage = await Stage().open_quietly()
    stage.manager.take_text("typed-1", "Hello")
    await stage.wait(CONSUMED_S)
    for words in ("Hel", "lo ", "you."):
        await stage.hear(ReplyWords(words))
    await stage.hear(GenerationComplete(), TurnComplete())
    grown = [(turn.text, str(turn.status)) for turn in stage.page.all_of("turn")][1:]
    assert grown == [("Hel", "partial"), ("Hello ", "partial"), ("Hello you.", "partial"), ("Hello you.", "complete")]


async def test_a_barge_in_stops_playback_at_once_and_the_next_reply_is_heard() -> None:
    stage = await Stage(Mode.CALL).open_quietly()
    await stage.speak(3)
    await stage.wait(CONSUMED_S)
    await stage.hear(UserWords("Tell me a story."))
    await stage.produce_reply("Once upon a time", ms=5_000)
    await stage.speak(3)
    await stage.hear(VoiceBegan(), Interrupted())
    assert stage.page.heard == b""
    await stage.hear(TurnComplete(), UserWords("No, "), UserWords("a joke."))
    await stage.reply("Knock knock.", ms=300)
    assert stage.page.heard == sound(300)
    assert stage.page.lines == [
        ("user", "Tell me a story.", "complete"),
        ("model", "Once upon a time", "interrupted"),
        ("user", "No, a joke.", "complete"),
        ("model", "Knock knock.", "complete"),
    ]


async def test_an_interruption_with_nothing_playing_does_no_harm() -> None:
    stage = await Stage(Mode.CALL).open_quietly()
    await stage.hear(Interrupted(), TurnComplete(), Interrupted())
    await stage.spoken_exchange("Hello?", "Hello.")
    assert stage.page.lines == [("user", "Hello?", "complete"), ("model", "Hello.", "complete")]


async def test_an_interruption_with_nothing_playing_answers_nothing() -> None:
    """The message that made the provider break off is still to be answered: it must survive a cut."""
    stage = await Stage().open_quietly()
    stage.manager.take_text("typed-1", "Are you there?")
    await stage.wait(CONSUMED_S)
    await stage.hear(Interrupted())
    await stage.wait(1)
    assert stage.page.acks == []
    stage.connection.drop()
    await stage.wait(1)
    assert stage.connection.texts == ["Are you there?"]


async def test_a_turn_broken_off_before_its_first_word_answers_nothing() -> None:
    """A second message makes the provider begin anew: both are answered by what it says then."""
    stage = await Stage().open_quietly()
    stage.manager.take_text("typed-1", "My name is")
    await stage.wait(CONSUMED_S)
    stage.manager.take_text("typed-2", "Ada.")
    await stage.hear(Interrupted(), TurnComplete())
    await stage.wait(CONSUMED_S)
    assert stage.page.acks == []
    await stage.reply("Hello Ada.")
    assert stage.page.acks == [(0, ("typed-1", "typed-2"))]


async def test_a_model_that_never_says_that_its_turn_is_over_is_taken_to_be_done_after_its_playback() -> None:
    stage = await Stage(Mode.CALL).open_quietly()
    spoken = await stage.speak(3)
    await stage.wait(CONSUMED_S)
    await stage.hear(UserWords("Hello?"))
    await stage.produce_reply("Hello.", ms=2_000)
    await stage.wait(1.5)
    assert stage.page.lines[-1] == ("model", "Hello.", "partial")
    await stage.wait(4)
    assert stage.page.lines[-1] == ("model", "Hello.", "complete")
    assert len(stage.page.all_of("turn_complete")) == 1
    assert stage.page.acks[-1][0] == len(spoken)
    await stage.spoken_exchange("And now?", "Now, too.")
    assert stage.page.lines[-1] == ("model", "Now, too.", "complete")


async def test_an_end_that_is_told_late_ends_nothing_else() -> None:
    stage = await Stage().open_quietly()
    stage.manager.take_text("typed-1", "One")
    await stage.wait(CONSUMED_S)
    await stage.produce_reply("First.", ms=100)
    await stage.wait(4)
    stage.manager.take_text("typed-2", "Two")
    await stage.wait(CONSUMED_S)
    await stage.begin_reply("Sec")
    await stage.hear(GenerationComplete(), TurnComplete())
    assert [text for _, text, _ in stage.page.lines] == ["One", "First.", "Two", "Sec"]
    assert [ids for _, ids in stage.page.acks] == [("typed-1",), ("typed-2",)]


async def test_filler_does_not_end_the_turn() -> None:
    stage = await Stage().open_quietly()
    stage.manager.take_text("typed-1", "How many?")
    await stage.wait(CONSUMED_S)
    await stage.hear(ReplyWords("Let me think. "), TurnComplete(is_filler=True), ReplyWords("Three."))
    await stage.hear(GenerationComplete(), TurnComplete())
    assert stage.page.lines[-1] == ("model", "Let me think. Three.", "complete")
    assert len(stage.page.all_of("turn_complete")) == 1


async def test_a_turn_that_is_refused_is_over_and_recorded_and_nothing_reconnects() -> None:
    stage = await Stage().open_quietly()
    stage.manager.take_text("typed-1", "Say something awful.")
    await stage.wait(CONSUMED_S)
    await stage.hear(TurnComplete(reason="PROHIBITED_INPUT_CONTENT"))
    await stage.wait(30)
    assert stage.store.of_kind("turn_refused") == [{"reason": "PROHIBITED_INPUT_CONTENT"}]
    assert stage.page.acks == [(0, ("typed-1",))]
    assert len(stage.upstream.attempts) == 1
    await stage.exchange("typed-2", "Say something nice.", "You are nice.")
    assert stage.page.lines[-1] == ("model", "You are nice.", "complete")


async def test_frames_that_nobody_knows_are_passed_over() -> None:
    stage = await Stage().open_quietly()
    await stage.hear(Unrecognised("unreadable frame: TypeError"), Unrecognised("error frame with code 400"))
    await stage.exchange("typed-1", "Hello", "Hello!")
    assert stage.page.lines[-1] == ("model", "Hello!", "complete")
    assert len(stage.upstream.attempts) == 1


# -- typing ------------------------------------------------------------------------------------------------------------


async def test_a_typed_message_is_delivered_once_though_the_page_sends_it_twice() -> None:
    stage = await Stage().open_quietly()
    stage.manager.take_text("typed-1", "Hello")
    stage.manager.take_text("typed-1", "Hello")
    await stage.wait(CONSUMED_S)
    stage.manager.take_text("typed-1", "Hello")
    await stage.reply("Hello!")
    stage.manager.take_text("typed-1", "Hello")
    await stage.wait(CONSUMED_S)
    assert stage.connection.texts == ["Hello"]
    assert stage.page.lines == [("user", "Hello", "complete"), ("model", "Hello!", "complete")]
    assert [ids for _, ids in stage.page.acks] == [("typed-1",), ("typed-1",)], "the second time it had not heard"


async def test_a_message_typed_during_a_reply_is_answered_after_it() -> None:
    stage = await Stage().open_quietly()
    stage.manager.take_text("typed-1", "One")
    await stage.wait(CONSUMED_S)
    await stage.begin_reply("First")
    stage.manager.take_text("typed-2", "Two")
    await stage.wait(CONSUMED_S)
    await stage.hear(GenerationComplete(), TurnComplete())
    assert [ids for _, ids in stage.page.acks] == [("typed-1",)]
    await stage.reply("Second")
    assert [text for _, text, _ in stage.page.lines] == ["One", "First", "Two", "Second"]
    assert [ids for _, ids in stage.page.acks] == [("typed-1",), ("typed-2",)]


async def test_a_message_typed_during_a_reply_survives_a_cut_between_the_two_replies() -> None:
    stage = await Stage().open_quietly()
    stage.manager.take_text("typed-1", "One")
    await stage.wait(CONSUMED_S)
    await stage.begin_reply("First")
    stage.manager.take_text("typed-2", "Two")
    await stage.wait(CONSUMED_S)
    await stage.hear(GenerationComplete(), TurnComplete())
    await stage.offer("h-1")
    stage.connection.drop()
    await stage.wait(1)
    assert stage.connection.texts == ["Two"]


# -- stopping and muting -----------------------------------------------------------------------------------------------


async def test_stop_silences_the_reply_and_what_is_still_produced_of_it() -> None:
    stage = await Stage().open_quietly()
    stage.manager.take_text("typed-1", "Tell me a story.")
    await stage.wait(CONSUMED_S)
    await stage.begin_reply("Once upon ")
    stage.manager.stop_reply()
    await stage.hear(ReplyAudio(sound(500)), ReplyWords("a time"), GenerationComplete(), TurnComplete())
    assert stage.page.heard == b""
    assert stage.page.lines[-1] == ("model", "Once upon ", "interrupted")
    assert stage.page.acks[-1][1] == ("typed-1",)
    await stage.exchange("typed-2", "A short one.", "The end.")
    assert stage.page.heard == sound(200)
    assert stage.page.lines[-1] == ("model", "The end.", "complete")


async def test_stop_while_the_rest_is_played_silences_it_and_the_next_reply_is_heard() -> None:
    stage = await Stage().open_quietly()
    stage.manager.take_text("typed-1", "Tell me a story.")
    await stage.wait(CONSUMED_S)
    await stage.produce_reply("Once upon a time", ms=9_000)
    stage.manager.stop_reply()
    assert stage.page.heard == b""
    await stage.exchange("typed-2", "A short one.", "The end.")
    assert stage.page.heard == sound(200)


async def test_stop_with_nothing_to_stop_does_nothing() -> None:
    stage = await Stage().open_quietly()
    stage.manager.stop_reply()
    assert stage.page.told == []


async def test_the_reply_after_a_stop_and_a_cut_is_heard() -> None:
    stage = await Stage().open_quietly()
    stage.manager.take_text("typed-1", "Tell me a story.")
    await stage.wait(CONSUMED_S)
    await stage.begin_reply("Once upon ")
    stage.manager.stop_reply()
    stage.connection.drop()
    await stage.wait(1)
    await stage.exchange("typed-2", "A short one.", "The end.")
    assert stage.page.heard == sound(200)
    assert stage.page.lines[-1] == ("model", "The end.", "complete")


async def test_a_message_typed_after_a_stop_is_answered_by_its_own_reply() -> None:
    stage = await Stage().open_quietly()
    stage.manager.take_text("typed-1", "Tell me a story.")
    await stage.wait(CONSUMED_S)
    await stage.begin_reply("Once upon ")
    stage.manager.stop_reply()
    stage.manager.take_text("typed-2", "A short one.")
    await stage.wait(CONSUMED_S)
    await stage.hear(ReplyAudio(sound(100)), Interrupted(), TurnComplete())
    assert [ids for _, ids in stage.page.acks] == [("typed-1",)]
    await stage.reply("The end.")
    assert [ids for _, ids in stage.page.acks] == [("typed-1",), ("typed-2",)]
    assert stage.page.heard == sound(200)


async def test_muting_is_told_after_everything_said_before_it() -> None:
    stage = await Stage(Mode.CALL).open_quietly()
    stage.connection.stall()
    await stage.speak(3)
    stage.manager.mute()
    stage.connection.unstall()
    await stage.wait(1)
    assert [type(item) for item in stage.connection.sent] == [bytes, bytes, bytes, AudioEnded]
    later = await stage.speak(2)
    assert numbers(stage.connection.audio)[-2:] == later


# -- a provider that is slow -------------------------------------------------------------------------------------------


async def test_a_connection_that_takes_nothing_for_a_moment_gets_everything_in_order_afterwards() -> None:
    stage = await Stage(Mode.CALL).open_quietly()
    spoken = await stage.speak(5)
    stage.connection.stall()
    spoken += await stage.speak(25)
    stage.connection.unstall()
    spoken += await stage.speak(5)
    assert numbers(stage.connection.audio) == spoken
    assert len(stage.upstream.attempts) == 1


async def test_a_connection_that_takes_nothing_any_more_is_left_and_nothing_is_lost() -> None:
    stage = await Stage(Mode.CALL).open_quietly()
    stage.connection.stall()
    spoken = await stage.speak(250)
    await stage.wait(2)
    assert len(stage.upstream.attempts) == 2
    assert numbers(stage.connection.audio) == spoken
    assert stage.page.losses == []


async def test_a_typed_message_that_is_met_with_silence_is_asked_again_on_a_new_connection() -> None:
    stage = await Stage().open_quietly()
    await stage.exchange("typed-1", "Hello", "Hello!", handle="h-1")
    stage.connection.die()
    stage.manager.take_text("typed-2", "Are you there?")
    asked_at = stage.now_s
    await stage.wait(10)
    assert len(stage.upstream.attempts) == 2
    assert stage.upstream.attempts[1].at_s - asked_at < 10
    assert stage.connection.texts == ["Are you there?"]
    assert stage.page.losses == []


# -- time --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", Mode)
async def test_half_an_hour_of_a_silent_user_triggers_nothing(mode: Mode) -> None:
    stage = await Stage(mode).open()
    await stage.exchange("typed-1", "Hello", "Hello!", handle="h-1")
    await stage.wait(10)
    stage.page.told.clear()
    await stage.wait(1_800)
    assert stage.page.told == []
    assert len(stage.upstream.attempts) == 1
    assert not stage.connection.is_closed
    assert stage.store.of_kind("connection_lost") == []


async def test_ten_minutes_of_an_open_microphone_in_a_quiet_room_trigger_nothing() -> None:
    stage = await Stage(Mode.CALL).open_quietly()
    quiet = bytes(16 * 2 * FRAME_MS)
    for number in range(600_000 // FRAME_MS):
        stage.manager.take_audio(number, quiet)
        await stage.wait(FRAME_MS / 1000)
    assert stage.page.told == []
    assert len(stage.upstream.attempts) == 1


# -- leaving and coming back -------------------------------------------------------------------------------------------


async def test_a_page_that_comes_back_is_attached_and_hears_what_it_missed() -> None:
    stage = await Stage(Mode.CALL).open()
    await stage.speak(3)
    await stage.wait(CONSUMED_S)
    await stage.hear(UserWords("Count."), ReplyAudio(sound(100, 1)), ReplyWords("One, "))
    last_heard = stage.page.played[-1][0]
    stage.manager.detach(stage.page)
    await stage.hear(ReplyAudio(sound(100, 2)), ReplyWords("two, "), ReplyAudio(sound(100, 3)), ReplyWords("three."))
    await stage.hear(GenerationComplete(), TurnComplete())
    await stage.wait(2)
    back = FakePage()
    stage.manager.attach(back, last_heard)
    await stage.settle()
    (ready,) = back.readies
    assert ready.action is Action.ATTACHED
    assert ready.ack == 3
    assert back.states == [State.LIVE]
    assert back.toasts == []
    assert [number for number, _ in back.played] == [last_heard + 1, last_heard + 2]
    assert back.heard == sound(100, 2) + sound(100, 3)
    assert back.lines == [("user", "Count.", "complete"), ("model", "One, two, three.", "complete")]
    assert len(stage.upstream.attempts) == 1
    await stage.spoken_exchange("Thanks.", "Welcome.")
    assert back.lines[-1] == ("model", "Welcome.", "complete")


async def test_frames_that_were_in_flight_when_the_page_vanished_are_sent_again_and_taken_in_once() -> None:
    stage = await Stage(Mode.CALL).open()
    spoken = await stage.speak(10)
    stage.manager.detach(stage.page)
    await stage.wait(2)
    stage.manager.attach(FakePage())
    stage.next_frame = 5
    await stage.speak(10, every_ms=0)
    assert numbers(stage.connection.audio) == [*spoken, *range(10, 15)]


async def test_a_page_that_stays_away_is_parked_and_its_handle_kept() -> None:
    stage = await Stage(Mode.CALL).open()
    await stage.spoken_exchange("Hello.", "Hello!", handle="h-1")
    stage.manager.detach(stage.page)
    await stage.wait(29)
    assert not stage.manager.finished.is_set()
    await stage.wait(2)
    assert stage.connection.is_closed
    assert stage.manager.finished.is_set()
    assert stage.store.finished == ("page-gone", False)
    assert stage.store.handle is not None
    assert (stage.store.handle.handle, stage.store.handle.model) == ("h-1", NEWEST)
    assert stage.store.handle.acknowledged_number == 5


async def test_a_page_that_comes_back_in_time_is_not_parked() -> None:
    stage = await Stage().open()
    stage.manager.detach(stage.page)
    await stage.wait(29)
    stage.manager.attach(FakePage())
    await stage.wait(60)
    assert stage.store.finished is None


async def test_a_page_that_comes_back_during_an_outage_is_told_where_things_stand() -> None:
    stage = await Stage().open()
    await stage.exchange("typed-1", "Hello", "Hello!", handle="h-1")
    stage.upstream.script(Answer(after_s=5))
    stage.connection.drop()
    await stage.wait(1)
    stage.manager.detach(stage.page)
    back = FakePage()
    stage.manager.attach(back)
    assert back.states == [State.RECONNECTING]
    assert back.readies == []
    await stage.wait(6)
    assert back.shows(State.LIVE)
    assert [ready.action for ready in back.readies] == [Action.RESUMED]


async def test_a_second_page_takes_the_place_of_the_first() -> None:
    stage = await Stage().open()
    second = FakePage()
    stage.manager.attach(second)
    assert stage.page.close_codes == [OPENED_ELSEWHERE]
    stage.manager.detach(stage.page)
    await stage.wait(60)
    assert stage.store.finished is None, "the first page's end is not the session's"
    assert second.readies[0].action is Action.ATTACHED


async def test_a_hang_up_ends_the_conversation() -> None:
    stage = await Stage(Mode.CALL).open()
    await stage.spoken_exchange("Hello.", "Hello!", handle="h-1")
    stage.manager.hang_up()
    await stage.wait(1)
    assert stage.page.shows(State.ENDED)
    assert stage.connection.is_closed
    assert stage.store.finished == ("hung-up", True)
    assert stage.store.handle is None
    assert stage.manager.finished.is_set()


async def test_a_hang_up_while_connecting_leaves_no_connection_behind() -> None:
    stage = Stage(Mode.CALL)
    stage.upstream.script(Answer(after_s=3))
    await stage.open()
    stage.manager.hang_up()
    await stage.wait(10)
    assert stage.upstream.connections == []
    assert stage.manager.finished.is_set()


async def test_a_hang_up_in_the_middle_of_a_reply_keeps_what_was_said() -> None:
    stage = await Stage(Mode.CALL).open()
    await stage.speak(3)
    await stage.wait(CONSUMED_S)
    await stage.hear(UserWords("Tell me a story."))
    await stage.begin_reply("Once upon")
    stage.manager.hang_up()
    await stage.wait(1)
    assert stage.store.lines == [("user", "Tell me a story.", "complete"), ("model", "Once upon", "interrupted")]


async def test_a_worker_that_leaves_has_stored_everything_and_says_no_end_to_the_page() -> None:
    stage = await Stage(Mode.CALL).open()
    await stage.spoken_exchange("My code word is plum.", "Noted.", handle="h-1")
    await stage.speak(3)
    await stage.wait(CONSUMED_S)
    await stage.hear(UserWords("Tell me a story."))
    await stage.begin_reply("Once upon")
    stage.manager.leave("draining")
    await stage.wait(6)
    assert stage.manager.finished.is_set()
    assert stage.connection.is_closed
    assert State.ENDED not in stage.page.states
    assert stage.store.finished == ("draining", False)
    assert stage.store.handle is not None
    assert [text for _, text, _ in stage.store.lines] == [
        "My code word is plum.",
        "Noted.",
        "Tell me a story.",
        "Once upon",
    ]


async def test_try_again_during_a_countdown_dials_now() -> None:
    stage = Stage(random=lambda: 0.99)
    await stage.open()
    stage.connection.drop()
    await stage.settle()
    stage.manager.reconnect_session()
    await stage.settle()
    assert stage.page.shows(State.LIVE)
    await stage.wait(60)
    assert len(stage.upstream.attempts) == 2


async def test_a_reply_that_is_heard_and_never_transcribed_has_a_line_until_its_words_come() -> None:
    stage = await Stage().open_quietly()
    stage.manager.take_text("typed-1", "Hello")
    await stage.wait(CONSUMED_S)
    await stage.hear(ReplyAudio(sound(300)), GenerationComplete(), TurnComplete())
    assert stage.page.lines[-1] == ("model", "(spoken, not transcribed)", "complete")
    await stage.hear(ReplyWords("Good morning."))
    assert stage.page.lines[-1] == ("model", "Good morning.", "complete")
    await stage.wait(1)
    assert stage.store.lines == stage.page.lines


# -- what a connection is told that can use it -----------------------------------------------------------------------


async def test_each_connection_is_told_whether_replies_are_heard() -> None:
    stage = await Stage().open_quietly()
    wanted = [stage.connection.wants_sound]
    stage.manager.set_sound(False)
    wanted.append(stage.connection.wants_sound)
    stage.connection.drop()
    await stage.wait(1)
    assert len(stage.upstream.connections) == 2
    wanted.append(stage.connection.wants_sound)
    assert wanted == [True, False, False]


async def test_stop_is_passed_on() -> None:
    stage = await Stage().open_quietly()
    await stage.begin_reply("Once upon a time")
    stage.manager.stop_reply()
    assert stage.connection.stops == 1


async def test_without_a_connection_there_is_nobody_to_be_told() -> None:
    stage = Stage()
    stage.manager.set_sound(False)
    stage.manager.stop_reply()
    await stage.open()
    assert not stage.connection.is_closed


async def test_counts_of_other_models_are_never_read_together_with_those_of_a_connection() -> None:
    stage = await Stage().open_quietly()
    voice = UsageReported(prompt_tokens=5, model="a-voice")
    for _ in range(2):
        for id in ("typed-1", "typed-2"):
            stage.manager.take_text(f"{id}-{len(stage.upstream.connections)}", "Hello?")
            await stage.wait(CONSUMED_S)
            await stage.produce_reply("Hello.")
            await stage.hear(voice, USAGE, TurnComplete())
        stage.connection.drop()
        await stage.wait(1)
    connections = [(connection, model) for connection, _, model, _ in stage.store.usages]
    of_models = {model: [number for number, other in connections if other == model] for model in (NEWEST, "a-voice")}
    assert of_models == {NEWEST: [1, 1, 4, 4], "a-voice": [2, 3, 5, 6]}
    assert [usage for _, usage in stage.page.all_of("turn_complete")] == [USAGE] * 4
