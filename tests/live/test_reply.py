"""What a reply answers and when its exchange is over, without a provider, a page or a clock."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from sessions_app.live.machine.reply import (
    Answered,
    BeginReply,
    BreakOff,
    CloseTurn,
    Deliver,
    EndExchange,
    MarkProduced,
    ReplyMachine,
    Sent,
    Step,
    StopPlayback,
)
from tests.repeatable import cases

CERTAIN = Answered(10, frozenset({"first"}))
EVERYTHING = Answered(15, frozenset({"first", "second"}))
PROVEN_AT_MS = 1_000
NOTHING = Sent()


def sent() -> Sent:
    return Sent(CERTAIN, EVERYTHING, PROVEN_AT_MS)


def replying() -> ReplyMachine:
    machine = ReplyMachine()
    machine.words(sent)
    return machine


def test_the_first_output_begins_a_reply_and_the_next_goes_on_with_it() -> None:
    machine = ReplyMachine()
    assert machine.words(sent) == [BeginReply(answers_voice=False), Deliver()]
    assert machine.audio(40, sent, 0) == [Deliver()]


def test_a_reply_after_sound_may_answer_it_and_the_one_after_that_does_not() -> None:
    machine = ReplyMachine()
    machine.voice_taken()
    assert machine.words(sent)[0] == BeginReply(answers_voice=True)
    machine.turn_complete(sent, 0)
    assert machine.words(sent)[0] == BeginReply(answers_voice=False)


def test_a_whole_reply_that_ends_at_once_answers_what_was_consumed_and_every_typed_message() -> None:
    steps = replying().turn_complete(sent, PROVEN_AT_MS - 1)
    assert steps == [EndExchange(True, Answered(CERTAIN.mark, EVERYTHING.typed_ids)), CloseTurn()]


def test_a_reply_that_is_broken_off_at_once_answers_only_what_was_consumed_when_it_began() -> None:
    assert replying().interrupted(PROVEN_AT_MS - 1) == [StopPlayback(), EndExchange(False, CERTAIN)]


def test_a_reply_that_went_on_until_all_was_consumed_answers_all() -> None:
    assert replying().interrupted(PROVEN_AT_MS) == [StopPlayback(), EndExchange(False, EVERYTHING)]


def test_a_turn_without_a_reply_answers_what_was_typed_and_one_without_anything_answers_nothing() -> None:
    machine = ReplyMachine()
    answered = Answered(CERTAIN.mark, EVERYTHING.typed_ids)
    assert machine.turn_complete(sent, 0) == [EndExchange(True, answered), CloseTurn()]
    assert machine.turn_complete(lambda: NOTHING, 0) == [CloseTurn()]


def test_the_end_of_a_turn_that_was_broken_off_before_it_said_anything_answers_nothing() -> None:
    machine = ReplyMachine()
    assert machine.interrupted(0) == [StopPlayback()]
    assert machine.turn_complete(sent, 0) == [CloseTurn()]
    assert EndExchange(True, Answered(CERTAIN.mark, EVERYTHING.typed_ids)) in machine.turn_complete(sent, 0)


def test_what_is_left_of_the_playback_is_counted_from_the_first_sound() -> None:
    machine = ReplyMachine()
    machine.audio(2_000, sent, 500)
    machine.audio(1_000, sent, 700)
    assert machine.generation_complete(1_000) == [MarkProduced(2_500)]
    assert machine.generation_complete(9_000) == [MarkProduced(0)]


def test_what_the_user_stopped_is_not_delivered_and_the_next_reply_is() -> None:
    machine = replying()
    assert machine.stop(0) == [StopPlayback(), EndExchange(False, CERTAIN)]
    assert machine.words(sent) == machine.audio(40, sent, 0) == []
    machine.generation_complete(0)
    assert machine.turn_complete(sent, 0) == [CloseTurn()]
    assert machine.words(sent) == [BeginReply(answers_voice=False), Deliver()]


def test_a_reply_that_was_stopped_while_it_was_only_played_takes_nothing_of_the_next_one() -> None:
    machine = replying()
    machine.generation_complete(0)
    machine.stop(0)
    assert machine.words(sent) == [BeginReply(answers_voice=False), Deliver()]


def test_a_connection_takes_half_a_reply_with_it_and_leaves_a_whole_one() -> None:
    assert replying().connection_lost(0, produced=False) == [StopPlayback(), BreakOff()]
    whole = replying().connection_lost(0, produced=True)
    assert whole == [EndExchange(True, Answered(CERTAIN.mark, EVERYTHING.typed_ids)), CloseTurn()]


SIGNALS = {
    "voice": lambda machine, now_ms: machine.voice_taken() or [],
    "words": lambda machine, now_ms: machine.words(sent),
    "audio": lambda machine, now_ms: machine.audio(40, sent, now_ms),
    "produced": lambda machine, now_ms: machine.generation_complete(now_ms),
    "interrupted": lambda machine, now_ms: machine.interrupted(now_ms),
    "complete": lambda machine, now_ms: machine.turn_complete(sent, now_ms),
    "stop": lambda machine, now_ms: machine.stop(now_ms),
    "lost": lambda machine, now_ms: machine.connection_lost(now_ms, produced=False),
    "lost whole": lambda machine, now_ms: machine.connection_lost(now_ms, produced=True),
    "played": lambda machine, now_ms: machine.played_to_its_end(now_ms),
    "connected": lambda machine, now_ms: machine.connected() or [],
}


@settings(max_examples=cases(300))
@given(st.lists(st.sampled_from(sorted(SIGNALS)), max_size=40))
def test_in_any_order_of_signals_every_reply_that_begins_ends_once(signals: list[str]) -> None:
    machine = ReplyMachine()
    is_open = False
    for number, signal in enumerate(signals):
        steps: list[Step] = SIGNALS[signal](machine, number * 300)
        for step in steps:
            match step:
                case BeginReply():
                    assert not is_open
                    is_open = True
                case Deliver():
                    assert is_open
                case EndExchange(is_whole):
                    assert is_open or is_whole, "nothing is interrupted that had not begun"
                    is_open = False
                case BreakOff():
                    is_open = False
        assert machine.is_open is is_open
