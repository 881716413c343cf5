"""Fragments become turns, whatever habits a generation of models has."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions_app.live.spoken_lines import WORDS_GAP_MS, WORDS_LAG_MS, SpokenLines
from sessions_app.live.transcript import (
    REPEATED_WITHIN_MS,
    TURNS_KEPT_AT_LEAST,
    Role,
    Transcript,
    Turn,
    TurnCode,
    TurnStatus,
    merge_heard_again,
)

PARTIAL, COMPLETE, INTERRUPTED = TurnStatus.PARTIAL, TurnStatus.COMPLETE, TurnStatus.INTERRUPTED


TIMED = ("heard", "heard_late", "said", "add_typed", "add_system", "voice_paused")


class Talk:
    """A transcript that keeps what its page would show, built from the changes alone."""

    def __init__(self, *turns: Turn) -> None:
        self.transcript = Transcript(turns)
        self.at_ms = 0
        self.shown: dict[int, Turn] = {turn.number: turn for turn in turns}

    def __getattr__(self, name: str) -> Callable[..., tuple[Turn, ...]]:
        method = getattr(self.transcript, name)

        def call(*args: object) -> tuple[Turn, ...]:
            times = (self.at_ms,) if name in TIMED else ()
            changed = method(*args, *times) or ()
            changed = changed if isinstance(changed, tuple) else (changed,)
            self.shown |= {turn.number: turn for turn in changed}
            assert len({turn.number for turn in changed}) == len(changed)
            return changed

        return call

    def lines(self) -> list[tuple[str, str, str]]:
        """(role, text, status), in order; what the page shows is what the transcript holds."""
        assert [turn for turn in self.transcript.turns if turn.text] == [
            self.shown[number] for number in sorted(self.shown) if self.shown[number].text
        ]
        return [(str(turn.role), turn.text, str(turn.status)) for turn in self.transcript.turns]


# -- the habits of each generation -------------------------------------------------------------------------------------


def test_3_8_gives_the_whole_sentence_of_the_user_before_the_answer() -> None:
    talk = Talk()
    talk.voice_began()
    talk.heard("What fruit is in the image?")
    talk.reply_began(True)
    talk.said("The image shows a ")
    talk.said("sliced kiwi fruit.")
    talk.reply_ended(COMPLETE)
    assert talk.lines() == [
        ("user", "What fruit is in the image?", "complete"),
        ("model", "The image shows a sliced kiwi fruit.", "complete"),
    ]


def test_2_5_gives_the_words_of_the_user_in_small_pieces() -> None:
    talk = Talk()
    for piece in (" Hello", ",", " my", " name", " is Marcelo."):
        talk.heard(piece)
        assert talk.lines()[0][2] == "partial"
    talk.reply_began(True)
    talk.said("Hello again,")
    talk.said(" Marcelo.")
    talk.reply_ended(COMPLETE)
    assert talk.lines() == [
        ("user", "Hello, my name is Marcelo.", "complete"),
        ("model", "Hello again, Marcelo.", "complete"),
    ]


def test_pieces_of_the_user_that_come_after_the_answer_has_begun_stand_before_it() -> None:
    talk = Talk()
    talk.reply_began(True)
    talk.said("Your name")
    talk.heard("What is")
    talk.said(" is Alice.")
    talk.heard(" my name?")
    talk.reply_ended(COMPLETE)
    assert talk.lines() == [
        ("user", "What is my name?", "complete"),
        ("model", "Your name is Alice.", "complete"),
    ]


def test_a_barge_in_cuts_the_reply_off_and_begins_a_turn_of_its_own() -> None:
    """2.5: generationComplete, interrupted, turnComplete, and only then the words that interrupted."""
    talk = Talk()
    talk.heard("How are")
    talk.reply_began(True)
    talk.said(" you today?")
    talk.reply_ended(INTERRUPTED)
    talk.reply_ended(COMPLETE)
    for piece in (" Hello", ",", " my", " name"):
        talk.heard(piece)
    talk.reply_began(True)
    talk.said("Hello again,")
    talk.reply_ended(COMPLETE)
    assert talk.lines() == [
        ("user", "How are", "complete"),
        ("model", "you today?", "interrupted"),
        ("user", "Hello, my name", "complete"),
        ("model", "Hello again,", "complete"),
    ]


def test_a_barge_in_that_is_noticed_before_the_interruption_belongs_to_the_next_exchange() -> None:
    """3.8 says that a voice began, and sends the sentence, while the reply is still called alive."""
    talk = Talk()
    talk.heard("Tell me a story.")
    talk.reply_began(True)
    talk.said("Once upon a time")
    talk.voice_began()
    talk.heard("Stop, please.")
    talk.reply_ended(INTERRUPTED)
    talk.reply_began(True)
    talk.said("All right.")
    talk.reply_ended(COMPLETE)
    assert talk.lines() == [
        ("user", "Tell me a story.", "complete"),
        ("model", "Once upon a time", "interrupted"),
        ("user", "Stop, please.", "complete"),
        ("model", "All right.", "complete"),
    ]


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        (("See www.", "Example", ".com."), "See www.Example.com."),
        (("The U.", "S.", "A. is far."), "The U.S.A. is far."),
        (("Wait.", "..", " What?"), "Wait... What?"),
        (("今天", "天气好吗？", "我想出去。"), "今天天气好吗？我想出去。"),
        (("I'm here.", " The", " door", " is open."), "I'm here. The door is open."),
    ],
)
def test_pieces_are_joined_as_they_are_sent(pieces: tuple[str, ...], expected: str) -> None:
    talk = Talk()
    for piece in pieces:
        talk.heard(piece)
    talk.reply_began(True)
    for piece in pieces:
        talk.said(piece)
    assert [text for _, text, _ in talk.lines()] == [expected, expected]


@pytest.mark.parametrize("again", [("How's that?",), (" how's that?",), (" How", "'s", " that?")])
def test_a_sentence_that_is_transcribed_twice_within_a_second_stands_once(again: tuple[str, ...]) -> None:
    transcript = Transcript()
    transcript.heard("It is done.", 0)
    transcript.heard(" How's that?", 5_000)
    for piece in again:
        transcript.heard(piece, 5_900)
    assert [turn.text for turn in transcript.turns] == ["It is done. How's that?"]
    transcript.heard(" Go on.", 6_000)
    assert [turn.text for turn in transcript.turns] == ["It is done. How's that? Go on."]


@pytest.mark.parametrize(
    ("first", "second", "pause_ms"),
    [
        ("How's that?", " How's that?", 1_001),
        ("No.", " No.", 300),
        ("I know how's that?", " How's that?", 300),
        ("really", " really", 0),
    ],
)
def test_what_somebody_can_have_said_twice_stands_twice(first: str, second: str, pause_ms: int) -> None:
    transcript = Transcript()
    transcript.heard(first, 0)
    transcript.heard(second, pause_ms)
    assert [turn.text for turn in transcript.turns] == [first + second]


def test_a_sentence_that_is_transcribed_twice_after_a_cut_stands_once() -> None:
    transcript = Transcript()
    transcript.heard("My code word", 0)
    transcript.expect_again()
    transcript.heard("My code word is plum.", 3_000)
    transcript.heard("My code word is plum.", 3_100)
    assert [turn.text for turn in transcript.turns] == ["My code word is plum."]


def test_a_reply_of_sound_without_words_has_a_line_that_says_so() -> None:
    talk = Talk()
    talk.heard("Hum.")
    talk.reply_began(True)
    talk.transcript.sounded(0)
    talk.reply_ended(INTERRUPTED)
    assert talk.lines() == [("user", "Hum.", "complete"), ("model", "(spoken, not transcribed)", "interrupted")]


def test_words_that_come_late_take_the_place_of_that_line() -> None:
    talk = Talk()
    talk.reply_began(True)
    talk.transcript.sounded(0)
    talk.reply_ended(COMPLETE)
    talk.transcript.sounded(0)
    for piece in ("Good", " morning."):
        talk.shown |= {turn.number: turn for turn in talk.transcript.said_late(piece, 0)}
    assert talk.lines() == [("model", "Good morning.", "complete")]


def test_a_reply_whose_sound_broke_off_with_the_connection_is_given_again_and_has_no_line_of_its_own() -> None:
    talk = Talk()
    talk.heard("Hum.")
    talk.reply_began(True)
    talk.transcript.sounded(0)
    talk.connection_lost()
    talk.reply_began(True)
    talk.reply_ended(COMPLETE)
    assert talk.lines() == [("user", "Hum.", "complete")]


def test_a_reply_of_sound_alone_leaves_no_empty_line() -> None:
    talk = Talk()
    talk.heard("Hum.")
    talk.reply_began(True)
    talk.reply_ended(COMPLETE)
    assert talk.lines() == [("user", "Hum.", "complete")]


def test_a_typed_question_answered_by_voice_keeps_no_place_for_speech() -> None:
    talk = Talk()
    talk.add_typed("typed-1", "Hello")
    talk.reply_began(False)
    talk.said("Hello!")
    talk.reply_ended(COMPLETE)
    assert [turn.number for turn in talk.transcript.turns] == [0, 1]
    assert talk.transcript.turns[0].id == "typed-1"


def test_a_message_typed_during_a_reply_stands_after_it() -> None:
    talk = Talk()
    talk.add_typed("typed-1", "First")
    talk.reply_began(False)
    talk.said("One")
    talk.add_typed("typed-2", "Second")
    talk.said(" and done.")
    talk.reply_ended(COMPLETE)
    talk.reply_began(False)
    talk.said("Two.")
    talk.reply_ended(COMPLETE)
    assert [text for _, text, _ in talk.lines()] == ["First", "One and done.", "Second", "Two."]


def test_lines_of_our_own_are_turns_too() -> None:
    talk = Talk()
    talk.add_system("The energy is low.")
    assert talk.lines() == [("system", "The energy is low.", "complete")]


# -- cuts --------------------------------------------------------------------------------------------------------------


def test_a_cut_marks_the_reply_and_the_reply_that_comes_again_takes_its_place() -> None:
    talk = Talk()
    talk.heard("What is my name?")
    talk.reply_began(True)
    talk.said("Your na")
    talk.connection_lost()
    talk.heard("What is my name?")
    talk.reply_began(True)
    talk.said("Your name is Alice.")
    talk.reply_ended(COMPLETE)
    assert talk.lines() == [
        ("user", "What is my name?", "complete"),
        ("model", "Your name is Alice.", "complete"),
    ]
    assert talk.transcript.turns[-1].code == TurnCode.GIVEN_AGAIN


def test_speech_that_is_heard_again_in_pieces_is_still_one_line() -> None:
    talk = Talk()
    for piece in ("My code", " word is", " plum"):
        talk.heard(piece)
    talk.connection_lost()
    for piece in (" word is", " plum", " forty-two."):
        talk.heard(piece)
    talk.reply_began(True)
    assert talk.lines() == [("user", "My code word is plum forty-two.", "complete")]


def test_a_quiet_swap_in_the_middle_of_a_sentence_makes_one_line_of_it() -> None:
    talk = Talk()
    talk.heard("I wanted to")
    talk.expect_again()
    talk.heard("wanted to ask you something.")
    assert talk.lines() == [("user", "I wanted to ask you something.", "partial")]


def test_what_is_said_in_the_next_exchange_is_not_taken_for_an_echo() -> None:
    talk = Talk()
    talk.heard("Yes.")
    talk.connection_lost()
    talk.heard("Yes.")
    talk.reply_began(True)
    talk.said("Good.")
    talk.reply_ended(COMPLETE)
    talk.heard("Yes.")
    assert [text for _, text, _ in talk.lines()] == ["Yes.", "Good.", "Yes."]


@pytest.mark.parametrize("late", [("My code word is plum.",), (" word is", " plum.")], ids=["whole", "in pieces"])
def test_what_is_heard_again_only_after_the_reply_is_no_sentence_of_its_own(late: tuple[str, ...]) -> None:
    talk = Talk()
    talk.heard("My code word is plum.")
    talk.connection_lost()
    talk.reply_began(True)
    talk.said("Noted.")
    talk.reply_ended(COMPLETE)
    for piece in late:
        assert talk.transcript.goes_on(piece)
        talk.heard_late(piece)
    assert talk.lines() == [("user", "My code word is plum.", "complete"), ("model", "Noted.", "complete")]
    assert not talk.transcript.goes_on("Another one.")


def test_what_was_heard_again_in_time_can_be_said_once_more() -> None:
    talk = Talk()
    talk.heard("Yes, please.")
    talk.connection_lost()
    talk.heard("Yes, please.")
    talk.reply_began(True)
    talk.said("Good.")
    talk.reply_ended(COMPLETE)
    assert not talk.transcript.goes_on("Yes, please.")


def test_a_reply_that_is_given_again_without_words_keeps_those_of_the_first_time() -> None:
    talk = Talk()
    talk.add_typed("typed-1", "What is my name?")
    talk.reply_began(False)
    talk.said("Your na")
    talk.connection_lost()
    talk.reply_began(False)
    talk.reply_ended(COMPLETE)
    assert talk.lines()[1:] == [("model", "Your na", "complete")]


def test_what_answers_something_new_does_not_take_the_place_of_the_reply_that_was_cut_off() -> None:
    talk = Talk()
    talk.add_typed("typed-1", "What is my name?")
    talk.reply_began(False)
    talk.said("Your na")
    talk.connection_lost()
    talk.add_typed("typed-2", "And yours?")
    talk.reply_began(False)
    talk.said("Holdline.")
    talk.reply_ended(COMPLETE)
    assert talk.lines() == [
        ("user", "What is my name?", "complete"),
        ("model", "Your na", "interrupted"),
        ("user", "And yours?", "complete"),
        ("model", "Holdline.", "complete"),
    ]


def test_a_reply_that_is_never_given_again_stays_cut_off_and_the_next_one_is_another() -> None:
    talk = Talk()
    talk.add_typed("typed-1", "What is my name?")
    talk.reply_began(False)
    talk.said("Your na")
    talk.connection_lost()
    talk.reply_ended(COMPLETE)
    talk.reply_began(False)
    talk.said("Hello?")
    assert [(text, status) for _, text, status in talk.lines()[1:]] == [
        ("Your na", "interrupted"),
        ("Hello?", "partial"),
    ]


def test_a_cut_in_silence_changes_nothing() -> None:
    talk = Talk()
    talk.add_typed("typed-1", "Hello")
    assert talk.connection_lost() == ()


@pytest.mark.parametrize(
    ("before", "again", "expected"),
    [
        ("My code word is plum", "My code word is plum", "My code word is plum"),
        ("My code word is plum", "word is plum", "My code word is plum"),
        ("My code word is", "my code word is plum", "my code word is plum"),
        ("My code word is", "word is plum", "My code word is plum"),
        ("Hello", "", "Hello"),
        ("", "Hello", "Hello"),
        ("plum", "Forty-two is the number", "Forty-two is the number"),
        ("My code word is plum", "forty-two", "My code word is plum forty-two"),
    ],
)
def test_two_hearings_of_one_speech_make_one_text(before: str, again: str, expected: str) -> None:
    assert merge_heard_again(before, again) == expected


@given(st.text(max_size=80), st.integers(0, 80))
def test_hearing_the_end_again_adds_nothing(text: str, place: int) -> None:
    assert merge_heard_again(text, text[place:]) == text


# -- pauses ------------------------------------------------------------------------------------------------------------


def talk_with_a_pause(*said: tuple[str, ...], lag_ms: int = 0, late: bool = False) -> Talk:
    """Pieces of what is said between pauses, a second each. The words of each utterance come together: `lag_ms` after
    the pause after it was noticed, or, where they are `late`, so long after the next one has begun."""
    talk = Talk()
    waiting: tuple[str, ...] = ()
    for pieces in said:
        talk.voice_resumed()
        talk.at_ms += lag_ms
        for piece in waiting:
            talk.heard(piece)
        talk.at_ms += 1_000
        talk.voice_paused()
        if not late:
            talk.at_ms += lag_ms
            for piece in pieces:
                talk.heard(piece)
        waiting = pieces if late else ()
    talk.at_ms += lag_ms
    for piece in waiting:
        talk.heard(piece)
    return talk


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (("Is there a train?",), ("Is there an earlier one?",), "Is there a train?\nIs there an earlier one?"),
        ((" Is", " there", "?"), (" And", " a", " bus", "?"), "Is there?\nAnd a bus?"),
        ((" how are you",), (" what's the time",), "how are you\nwhat's the time"),
        ((" how", " are", " you"), (" what", "'s", " the", " time"), "how are you\nwhat's the time"),
        (("¿Qué hora es?",), ("¿Y mañana?",), "¿Qué hora es?\n¿Y mañana?"),
        (("今日は。",), ("天気はどう？",), "今日は。\n天気はどう？"),
        (("今日", "は"), ("天気", "は"), "今日は\n天気は"),
        (("متى؟",), ("وأين؟",), "متى؟\nوأين؟"),
    ],
)
def test_what_is_said_after_a_pause_stands_in_a_line_of_its_own(
    first: tuple[str, ...], second: tuple[str, ...], expected: str, late: bool
) -> None:
    talk = talk_with_a_pause(first, second, lag_ms=WORDS_GAP_MS, late=late)
    assert talk.lines() == [("user", expected, "partial")]


@pytest.mark.parametrize("rest", ["ing", ", and then", "."])
def test_the_rest_of_a_word_or_of_a_sentence_stays_in_its_line(rest: str) -> None:
    talk = talk_with_a_pause((" I", " was", " go"), (rest,), lag_ms=WORDS_GAP_MS)
    assert talk.lines()[0][1] == f"I was go{rest}"


def test_words_of_before_a_pause_that_come_after_it_stay_in_their_line() -> None:
    talk = talk_with_a_pause((" I", " want"))
    talk.voice_resumed()
    talk.at_ms += WORDS_LAG_MS
    talk.heard(" to")
    talk.heard(" leave")
    talk.at_ms += WORDS_GAP_MS
    talk.heard(" or")
    assert talk.lines()[0][1] == "I want to leave\nor"


def test_words_that_come_all_at_once_long_after_they_were_said_are_not_parted_where_nobody_paused() -> None:
    talk = talk_with_a_pause((), (), lag_ms=WORDS_LAG_MS)
    for piece in (" how", " are", " you", " what", " time", " is", " it"):
        talk.heard(piece)
    assert talk.lines()[0][1] == "how are you what time is it"


def test_only_the_first_words_after_a_pause_begin_a_line() -> None:
    talk = talk_with_a_pause(("Hello.",), (" Is it", " late?", " I", " think so."), lag_ms=WORDS_GAP_MS)
    assert talk.lines()[0][1] == "Hello.\nIs it late? I think so."
    talk = talk_with_a_pause((" I", " was", " go"), ("ing. ", "Yes", "."), lag_ms=WORDS_GAP_MS)
    assert talk.lines()[0][1] == "I was going. Yes."


def test_who_begins_to_speak_has_made_no_pause_and_one_during_a_reply_counts_for_nothing() -> None:
    talk = Talk()
    talk.voice_resumed()
    talk.heard("Hello.")
    talk.heard("Is it late?")
    assert talk.lines()[0][1] == "Hello.Is it late?"
    talk = Talk()
    talk.voice_resumed()
    talk.reply_began(True)
    talk.voice_paused()
    talk.voice_resumed()
    talk.heard("Hello.")
    talk.heard("Is it late?")
    assert talk.lines()[0][1] == "Hello.Is it late?"


def test_a_pause_of_an_exchange_that_is_over_parts_nothing() -> None:
    talk = talk_with_a_pause(("Hello.",), ())
    talk.reply_began(True)
    talk.said("Yes?")
    talk.reply_ended(COMPLETE)
    talk.voice_resumed()
    talk.heard("Good.")
    talk.heard("Now then.")
    assert talk.lines()[-1][1] == "Good.Now then."


def test_of_pauses_without_words_only_the_last_are_remembered() -> None:
    talk = talk_with_a_pause(*[() for _ in range(1_000)])
    for _ in range(1_000):
        talk.heard("Well.")
        talk.at_ms += REPEATED_WITHIN_MS + 1
    assert talk.lines()[0][1].count("\n") == 8


@pytest.mark.parametrize(
    "again",
    [
        ("How are you?", "What's the time?"),
        ("How are you? What's the time?",),
        (" What's", " the", " time?"),
        ("how are you? what's",),
    ],
)
def test_lines_that_are_heard_again_stay_as_they_were(again: tuple[str, ...]) -> None:
    talk = talk_with_a_pause(("How are you?",), ("What's the time?",))
    talk.connection_lost()
    for piece in again:
        talk.heard(piece)
    talk.reply_began(True)
    assert talk.lines() == [("user", "How are you?\nWhat's the time?", "complete")]


@pytest.mark.parametrize(
    ("again", "expected"),
    [
        (("How are you?", "What's the time?", "Is it late?"), "How are you?\nWhat's the time?\nIs it late?"),
        (("How are you?What's the time? Is it late?",), "How are you?\nWhat's the time? Is it late?"),
        (("the time?", " In", " Rome?"), "How are you?\nWhat's the time? In Rome?"),
    ],
)
def test_lines_that_go_further_when_they_are_heard_again_keep_their_breaks(
    again: tuple[str, ...], expected: str
) -> None:
    talk = talk_with_a_pause(("How are you?",), ("What's the time?",))
    talk.connection_lost()
    for piece in again:
        talk.heard(piece)
    assert talk.lines()[0][1] == expected


def test_what_is_said_after_a_cut_and_a_pause_stands_in_a_line_of_its_own() -> None:
    talk = talk_with_a_pause(("How are you?",))
    talk.connection_lost()
    talk.voice_resumed()
    talk.heard("How are you?")
    talk.heard("What's the time?")
    assert talk.lines()[0][1] == "How are you?\nWhat's the time?"


@given(
    st.lists(
        st.tuples(
            st.sampled_from([" Well", " so.", "ing", ",", "¿", " ", "", "天気", "Is it so?"]),
            st.integers(0, 3_000),
            st.sampled_from(["", "paused", "resumed", "both"]),
        ),
        max_size=30,
    )
)
def test_pauses_change_nothing_of_what_was_said_but_the_blanks(said: list[tuple[str, int, str]]) -> None:
    lines, text, at_ms = SpokenLines(), "", 0
    for piece, passed_ms, voice in said:
        at_ms += passed_ms
        if voice in ("paused", "both"):
            lines.voice_paused(at_ms)
        if voice in ("resumed", "both"):
            lines.voice_resumed()
        text += lines.place(text, piece, at_ms)
    assert "".join(text.split()) == "".join("".join(piece for piece, _, _ in said).split())
    assert not text.startswith("\n")
    assert "\n\n" not in text


@given(st.lists(st.sampled_from(["Ah.", "Oh, no?", "Well yes"]), min_size=1, max_size=6), st.data())
def test_wherever_words_are_heard_again_after_pauses_none_is_lost_or_doubled(
    said: list[str], data: st.DataObject
) -> None:
    said = [f"{words[0]}{number} {words}" for number, words in enumerate(said)]
    talk = talk_with_a_pause(*((words,) for words in said))
    shown = talk.lines()[0][1]
    assert shown.split("\n") == said
    talk.connection_lost()
    for words in said[data.draw(st.integers(0, len(said) - 1)) :]:
        talk.heard(words)
    assert talk.lines()[0][1] == shown


# -- numbers -----------------------------------------------------------------------------------------------------------


def test_numbers_go_on_after_the_turns_of_before() -> None:
    before = Turn(7, Role.MODEL, "Good bye.", COMPLETE, 0)
    talk = Talk(before)
    talk.heard("Me again.")
    assert [turn.number for turn in talk.transcript.turns] == [7, 8]


def test_a_typed_message_is_found_by_its_id() -> None:
    talk = Talk()
    turn = talk.transcript.add_typed("typed-1", "Hello", 0)
    assert talk.transcript.find_typed("typed-1") == turn.number
    assert talk.transcript.find_typed("typed-2") is None


def test_an_exchange_is_settled_when_it_is_over() -> None:
    talk = Talk()
    assert talk.transcript.settled_number == -1
    talk.heard("Hello")
    assert talk.transcript.settled_number == -1
    talk.reply_began(True)
    talk.said("Hello!")
    talk.reply_ended(COMPLETE)
    assert talk.transcript.settled_number == 1


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("heard"), st.sampled_from(["Hello", " there", ".", "Who?", ""])),
        st.tuples(st.just("said"), st.sampled_from(["Well", ", well", ".", "I?", ""])),
        st.tuples(st.just("voice_began")),
        st.tuples(st.just("reply_began"), st.booleans()),
        st.tuples(st.just("reply_ended"), st.sampled_from([COMPLETE, INTERRUPTED])),
        st.tuples(st.just("connection_lost")),
        st.tuples(st.just("expect_again")),
        st.tuples(st.just("voice_paused")),
        st.tuples(st.just("voice_resumed")),
    ),
    max_size=40,
)


@given(STEPS)
def test_in_any_order_turns_never_shrink_back_swap_roles_or_reopen(steps: list[tuple[object, ...]]) -> None:
    talk = Talk()
    for number, (name, *arguments) in enumerate([*steps, ("add_typed", "typed-1", "Bye")]):
        before = dict(talk.shown)
        changed = getattr(talk, str(name))(*arguments)
        for turn in changed:
            earlier = before.get(turn.number)
            assert earlier is None or earlier.role is turn.role
            is_over = earlier is not None and earlier.status is INTERRUPTED and earlier.code != TurnCode.CUT
            assert not (is_over and turn.status is PARTIAL), f"step {number}"
            if turn.role is Role.MODEL and earlier is not None and earlier.code != TurnCode.CUT:
                assert turn.text.startswith(earlier.text)
    talk.lines()


@given(STEPS)
def test_after_the_end_of_an_exchange_nothing_of_the_model_is_left_open(steps: list[tuple[object, ...]]) -> None:
    talk = Talk()
    for name, *arguments in [*steps, ("reply_ended", COMPLETE)]:
        getattr(talk, str(name))(*arguments)
    assert not [turn for turn in talk.transcript.turns if turn.role is Role.MODEL and turn.status is PARTIAL]
    assert talk.transcript.reply_number is None


# -- after the death of a process --------------------------------------------------------------------------------------


STORED = (Turn(4, Role.USER, "Tell me a story.", COMPLETE, 0), Turn(5, Role.MODEL, "Once upon", INTERRUPTED, 0))


def hear_after_death(*pieces: str, late: bool = False) -> list[tuple[int, str]]:
    """What the user said by the numbers of the turns, once `pieces` were heard and answered."""
    transcript = Transcript(STORED, unanswered=4)
    if late:
        transcript.reply_began(True)
    for piece in pieces:
        transcript.heard(piece, 0)
    transcript.reply_began(True)
    transcript.said("Well.", 0)
    transcript.reply_ended(COMPLETE)
    last = max(turn.number for turn in transcript.turns)
    assert transcript.turns[-1] == Turn(last, Role.MODEL, "Well.", COMPLETE, 0)
    return [(turn.number, turn.text) for turn in transcript.turns if turn.role is Role.USER]


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize(
    "pieces",
    [("Tell me a story.",), ("Tell", " me", " a", " story."), ("a story.",), ("Tell me the story.",)],
)
def test_a_sentence_that_is_heard_again_after_the_death_stands_once(pieces: tuple[str, ...], late: bool) -> None:
    assert len(hear_after_death(*pieces, late=late)) == 1


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("pieces", [("Call my mother.",), ("Tell", " me", " your", " name.")])
def test_another_sentence_after_the_death_stands_beside_it_and_before_its_answer(
    pieces: tuple[str, ...], late: bool
) -> None:
    (first, second) = hear_after_death(*pieces, late=late)
    assert first == (4, "Tell me a story.")
    assert second[1] == "".join(pieces)


def test_a_sentence_that_goes_further_when_it_is_heard_again_is_one() -> None:
    assert hear_after_death("Tell me a story. ", "And a joke.") == [(4, "Tell me a story. And a joke.")]


def test_a_talk_without_end_is_not_kept_whole_and_what_was_typed_is_still_known() -> None:
    transcript = Transcript()
    for number in range(10_000):
        transcript.add_typed(f"typed-{number}", "Go on.", at_ms=number)
    assert len(transcript.turns) <= 2 * TURNS_KEPT_AT_LEAST
    assert [turn.number for turn in transcript.turns[-TURNS_KEPT_AT_LEAST:]] == list(range(9_000, 10_000))
    assert transcript.find_typed("typed-7") == 7
    assert transcript.find_typed("typed-9999") == 9_999
