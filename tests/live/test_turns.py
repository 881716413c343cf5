"""Who has the word, what is owed, what may still come late, and what proves that the other side lives."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessions_app.live.machine.reply import Answered, Sent
from sessions_app.live.machine.turn_events import (
    Asked,
    BeginReply,
    BreakOff,
    BrokenOff,
    CloseTurn,
    Delivered,
    EndExchange,
    Explain,
    GenerationEnded,
    Hear,
    LineBack,
    LineLost,
    Play,
    PlayedOut,
    ReplyAnnounced,
    Say,
    SayAgain,
    SoundCame,
    SpeechEnded,
    StartPlaybackTimer,
    StartWatch,
    StartWordsTimer,
    Step,
    StopAsked,
    StopPlayback,
    StopPlaybackTimer,
    StopWatch,
    Suspect,
    TurnEnded,
    TurnFact,
    UserWordsCame,
    VoiceNoticed,
    WatchFired,
    WordsCame,
    WordsWaited,
)
from sessions_app.live.machine.turns import (
    HEARD_WATCH_MS,
    IN_VAIN_ASKS,
    IN_VAIN_MS,
    LATE_WORDS_MS,
    PATIENCE_MS,
    STALLED_REPLY_MS,
    SUSPICIONS_LIMIT,
    TURN_END_GRACE_MS,
    TURNS,
    WATCH_MS,
    TurnMachine,
    TurnState,
)
from sessions_app.live.transcript import TurnCode
from tests.live.play import of
from tests.repeatable import cases

SOUND = SoundCame(b"\x01\x00" * 960, 40)
CERTAIN = Answered(10, frozenset({"first"}))
EVERYTHING = Answered(15, frozenset({"first", "second"}))
PROVEN_AT_MS = 1_000


class Talk:
    """A machine with a clock, and what the provider has been sent."""

    def __init__(self) -> None:
        self.now_ms = 0
        self.sent = Sent()
        self.machine = TurnMachine(lambda: self.sent)
        self.steps: list[Step] = []

    @property
    def state(self) -> TurnState:
        return self.machine.state

    def tell(self, *facts: TurnFact, after_ms: int = 0) -> list[Step]:
        self.now_ms += after_ms
        steps = [step for fact in facts for step in self.machine.handle(fact, self.now_ms)]
        self.steps += steps
        return steps

    def spoken(self, words: str = "Hello?") -> Talk:
        self.tell(UserWordsCame(words), after_ms=2_000)
        return self

    def typed(self, *ids: str) -> Talk:
        answered = Answered(0, frozenset(ids or ("typed-1",)))
        self.sent = Sent(answered, answered)
        self.tell(Delivered(typed=True))
        return self

    def answered(self) -> Talk:
        """A whole reply to whatever was said."""
        self.tell(SOUND, WordsCame("Yes."), GenerationEnded(), TurnEnded())
        self.sent = Sent()
        return self

    def watch(
        self, *, lifeless_ms: int = 0, idle_ms: int = WATCH_MS, user_speaks: bool = False, after_ms: int = WATCH_MS
    ) -> list[Step]:
        return self.tell(WatchFired(lifeless_ms, idle_ms, user_speaks), after_ms=after_ms)


def replying() -> Talk:
    talk = Talk()
    talk.sent = Sent(CERTAIN, EVERYTHING, PROVEN_AT_MS)
    talk.tell(SOUND)
    return talk


def explained(steps: list[Step]) -> list[tuple[str, str]]:
    return [(step.code, step.reason) for step in of(steps, Explain)]


# -- the table ---------------------------------------------------------------------------------------------------------

FACTS: list[TurnFact] = [
    SpeechEnded(),
    SpeechEnded(is_speech=True),
    Delivered(typed=True),
    Delivered(typed=False),
    VoiceNoticed(),
    UserWordsCame("Hello"),
    UserWordsCame("Hello", goes_on=False),
    Asked(),
    ReplyAnnounced(),
    SOUND,
    WordsCame("Hello"),
    WordsWaited(),
    GenerationEnded(),
    BrokenOff(),
    TurnEnded(),
    TurnEnded("RESPONSE_REJECTED"),
    StopAsked(),
    WatchFired(0, 0),
    WatchFired(0, 90_000),
    WatchFired(90_000, 90_000),
    PlayedOut(),
    LineLost(),
    LineBack(),
]


def test_the_table_has_a_row_for_every_fact_in_every_state() -> None:
    kinds = set(TurnFact.__args__)
    assert {type(fact) for fact in FACTS} == kinds
    assert {(state, fact) for state, row in TURNS.items() for fact in row} == set(itertools.product(TurnState, kinds))


@settings(max_examples=cases(1_000))
@given(
    st.lists(st.tuples(st.sampled_from(FACTS), st.sampled_from([0, 300, 9_000])), max_size=30),
    st.sampled_from([Sent(), Sent(CERTAIN, EVERYTHING, PROVEN_AT_MS)]),
)
def test_in_any_order_of_facts_every_reply_that_begins_ends_once(facts: list[tuple[TurnFact, int]], sent: Sent) -> None:
    talk = Talk()
    talk.sent = sent
    is_open, is_watched, is_played = False, False, False
    for fact, after_ms in facts:
        for step in talk.tell(fact, after_ms=after_ms):
            match step:
                case BeginReply():
                    assert not is_open
                    is_open = True
                case Play() | Say(late=False):
                    assert is_open
                case EndExchange(is_whole):
                    assert is_open or is_whole, "nothing is interrupted that had not begun"
                    is_open = False
                case BreakOff():
                    is_open = False
                case StartWatch(ms):
                    assert ms > 0
                    is_watched = True
                case StopWatch() | Suspect():
                    is_watched = False
                case StartPlaybackTimer():
                    is_played = True
                case StopPlaybackTimer():
                    is_played = False
        if isinstance(fact, WatchFired | LineLost):
            is_watched = is_watched and talk.steps[-1:] != [] and not isinstance(fact, LineLost)
        assert talk.machine.is_replying is is_open
        assert (talk.state in (TurnState.GENERATING, TurnState.SPEAKING)) is is_open
        assert is_played is (talk.state is TurnState.SPEAKING) or isinstance(fact, PlayedOut)


# -- a reply -----------------------------------------------------------------------------------------------------------


def test_the_first_sound_begins_a_reply_and_the_next_goes_on_with_it() -> None:
    talk = Talk()
    assert of(talk.tell(SOUND), BeginReply) == [BeginReply(answers_voice=False)]
    assert talk.tell(SOUND, WordsCame("Hi")) == [Play(SOUND.pcm), Say("Hi")]


def test_words_before_the_first_sound_stand_in_the_reply_that_it_begins() -> None:
    talk = Talk().typed()
    assert talk.tell(WordsCame("Early ")) == [StartWordsTimer(LATE_WORDS_MS)]
    steps = talk.tell(SOUND, WordsCame("words"))
    assert [step for step in steps if isinstance(step, BeginReply | Say | Play)] == [
        BeginReply(answers_voice=False),
        Say("Early "),
        Play(SOUND.pcm),
        Say("words"),
    ]


def test_a_reply_of_words_alone_is_one_when_it_ends() -> None:
    talk = Talk().typed()
    talk.tell(WordsCame("Only words."))
    steps = talk.tell(TurnEnded())
    assert [type(step) for step in steps if isinstance(step, BeginReply | Say | EndExchange | CloseTurn)] == [
        BeginReply,
        Say,
        EndExchange,
        CloseTurn,
    ]


def test_an_answer_of_words_is_shown_when_no_sound_comes_with_it() -> None:
    talk = Talk().typed()
    talk.tell(WordsCame("It is foggy."))
    steps = talk.tell(WordsWaited(), after_ms=LATE_WORDS_MS)
    assert [step for step in steps if isinstance(step, BeginReply | Say)] == [
        BeginReply(answers_voice=False),
        Say("It is foggy."),
    ]


def test_words_of_the_model_that_come_very_late_begin_no_reply_either() -> None:
    talk = Talk().spoken().answered()
    talk.tell(WordsCame("very late."), after_ms=5_000)
    assert talk.tell(WordsWaited(), after_ms=LATE_WORDS_MS) == [Say("very late.", late=True)]
    assert talk.state is TurnState.LISTENING


def test_words_after_a_turn_that_was_broken_off_are_those_of_the_next_reply() -> None:
    talk = Talk().typed()
    talk.tell(SOUND, WordsCame("I am searching."), GenerationEnded(), BrokenOff(), TurnEnded())
    talk.tell(WordsCame("The cheapest"))
    steps = talk.tell(SOUND, after_ms=100)
    assert [step for step in steps if isinstance(step, BeginReply | Say)] == [
        BeginReply(answers_voice=False),
        Say("The cheapest"),
    ]


def test_late_words_of_a_reply_that_was_broken_off_begin_none_when_no_sound_comes_with_them() -> None:
    talk = Talk().spoken()
    talk.tell(SOUND, WordsCame("I am searching."), BrokenOff(), TurnEnded())
    talk.tell(SpeechEnded(is_speech=True), after_ms=200)
    talk.tell(WordsCame("for it."), after_ms=100)
    assert talk.tell(WordsWaited(), after_ms=LATE_WORDS_MS) == []
    assert talk.state is TurnState.WAITING
    assert of(talk.tell(SOUND, after_ms=5_000), Say) == []


def test_an_answer_of_words_to_what_was_typed_is_one_also_after_a_reply_that_was_broken_off() -> None:
    talk = Talk().spoken()
    talk.tell(SOUND, BrokenOff(), TurnEnded())
    talk.typed().tell(WordsCame("It is foggy."), after_ms=300)
    assert of(talk.tell(WordsWaited(), after_ms=LATE_WORDS_MS), Say) == [Say("It is foggy.")]


def test_words_of_the_model_after_its_turn_belong_to_the_reply_that_is_over_and_begin_none() -> None:
    talk = Talk().spoken().answered()
    assert talk.tell(WordsCame("late."), after_ms=300) == [Say("late.", late=True)]
    assert talk.state is TurnState.LISTENING
    assert talk.watch(after_ms=8_000) == []


def test_words_of_the_user_after_the_turn_belong_to_it_for_a_second() -> None:
    talk = Talk().spoken().answered()
    assert talk.tell(UserWordsCame("milk."), after_ms=LATE_WORDS_MS) == [Hear("milk.", late=True)]
    assert talk.state is TurnState.LISTENING
    assert of(talk.tell(UserWordsCame("Next."), after_ms=1), Hear) == [Hear("Next.")]
    assert str(talk.state) == "waiting"


@pytest.mark.parametrize("fact", [VoiceNoticed(), BrokenOff()])
def test_words_of_a_user_who_speaks_again_are_new(fact: TurnFact) -> None:
    talk = Talk().spoken().answered()
    talk.tell(fact, after_ms=100)
    assert of(talk.tell(UserWordsCame("Next."), after_ms=100), Hear) == [Hear("Next.")]


def test_words_of_the_user_that_begin_a_sentence_of_their_own_are_new() -> None:
    talk = Talk().spoken().answered()
    assert of(talk.tell(UserWordsCame("Call mum.", goes_on=False), after_ms=100), Hear) == [Hear("Call mum.")]


def test_a_reply_after_sound_may_answer_it_and_the_one_after_that_does_not() -> None:
    talk = Talk()
    talk.machine.voice_taken()
    assert of(talk.tell(SOUND), BeginReply) == [BeginReply(answers_voice=True)]
    talk.tell(TurnEnded())
    assert of(talk.tell(SOUND), BeginReply) == [BeginReply(answers_voice=False)]


def test_what_the_user_stopped_is_not_delivered_and_the_next_reply_is() -> None:
    talk = Talk().spoken()
    talk.tell(SOUND)
    assert [type(step) for step in talk.tell(StopAsked())] == [StopPlayback, StopWatch, StopPlaybackTimer, EndExchange]
    assert talk.tell(SOUND, WordsCame("more")) == []
    assert talk.tell(GenerationEnded(), TurnEnded()) == [CloseTurn()]
    assert of(talk.tell(SOUND), BeginReply)


def test_a_reply_that_was_stopped_while_it_was_only_played_takes_nothing_of_the_next_one() -> None:
    talk = Talk()
    talk.tell(SOUND, GenerationEnded(), StopAsked())
    assert of(talk.tell(SOUND), BeginReply)


# -- what it answers ---------------------------------------------------------------------------------------------------


def test_a_whole_reply_that_ends_at_once_answers_what_was_consumed_and_every_typed_message() -> None:
    (ended,) = of(replying().tell(TurnEnded(), after_ms=PROVEN_AT_MS - 1), EndExchange)
    assert ended == EndExchange(True, Answered(CERTAIN.mark, EVERYTHING.typed_ids))


def test_a_reply_that_is_broken_off_at_once_answers_only_what_was_consumed_and_owes_the_rest() -> None:
    talk = replying()
    (ended,) = of(talk.tell(BrokenOff(), after_ms=PROVEN_AT_MS - 1), EndExchange)
    assert ended == EndExchange(False, CERTAIN)
    assert talk.state is TurnState.WAITING


def test_a_reply_that_went_on_until_all_was_consumed_answers_all() -> None:
    (ended,) = of(replying().tell(BrokenOff(), after_ms=PROVEN_AT_MS), EndExchange)
    assert ended == EndExchange(False, EVERYTHING)


def test_a_message_typed_during_a_reply_is_owed_its_own_answer() -> None:
    talk = Talk().typed("first")
    talk.tell(SOUND, GenerationEnded())
    talk.sent = Sent(everything=Answered(0, frozenset({"first", "second"})))
    talk.tell(Delivered(typed=True))
    steps = talk.tell(TurnEnded(), after_ms=3_000)
    assert of(steps, EndExchange) == [EndExchange(True, Answered(0, frozenset({"first"})))]
    assert talk.state is TurnState.WAITING


def test_the_late_end_of_a_turn_answers_nothing_of_the_next_one() -> None:
    talk = Talk().typed("first")
    talk.tell(SOUND, GenerationEnded())
    talk.tell(PlayedOut(), after_ms=3_040)
    talk.sent = Sent()
    talk.typed("second")
    assert talk.tell(TurnEnded(), after_ms=5_000) == [CloseTurn()]
    assert talk.state is TurnState.WAITING
    assert of(talk.tell(SOUND, TurnEnded()), EndExchange)[0].answered.typed_ids == {"second"}


# -- turns without a word ----------------------------------------------------------------------------------------------


def test_a_model_that_chooses_to_be_silent_ends_the_users_turn_and_nothing_is_said_about_it() -> None:
    talk = Talk().spoken("Buy milk.")
    steps = talk.tell(TurnEnded(), after_ms=500)
    assert of(steps, EndExchange) == [EndExchange(True, Answered())]
    assert of(steps, CloseTurn)
    assert explained(steps) == []
    assert talk.state is TurnState.LISTENING
    assert talk.watch(lifeless_ms=9_000) == []


def test_a_refusal_is_explained_by_its_reason() -> None:
    steps = Talk().spoken().tell(TurnEnded("RESPONSE_REJECTED"))
    assert explained(steps) == [("turn.refused", "RESPONSE_REJECTED")]
    assert of(steps, EndExchange)


def test_a_refusal_of_what_was_only_loud_is_explained_too() -> None:
    talk = Talk()
    talk.tell(SpeechEnded())
    assert explained(talk.tell(TurnEnded("PROHIBITED_INPUT_CONTENT"))) == [("turn.refused", "PROHIBITED_INPUT_CONTENT")]


def test_a_typed_message_without_an_answer_is_answered_by_a_line_that_says_so() -> None:
    steps = Talk().typed().tell(TurnEnded())
    assert of(steps, EndExchange) == [EndExchange(True, Answered(0, frozenset({"typed-1"})))]
    assert explained(steps) == [("turn.no_answer", "")]


def test_a_model_that_needs_more_input_has_refused_nothing() -> None:
    assert explained(Talk().spoken().tell(TurnEnded("NEED_MORE_INPUT"))) == []


def test_the_end_of_a_turn_of_which_nothing_was_known_ends_nothing() -> None:
    assert Talk().tell(TurnEnded()) == [StopWatch(), CloseTurn()]


def test_two_empty_turns_in_a_row_after_transcribed_words_are_a_sick_session_and_one_is_not() -> None:
    talk = Talk().spoken().answered()
    talk.spoken("One.")
    assert of(talk.tell(TurnEnded()), Suspect) == []
    talk.spoken("Two.")
    steps = talk.tell(TurnEnded())
    assert of(steps, Suspect) == [Suspect("empty-turns")]
    assert of(steps, EndExchange) == [], "the words are owed an answer by the next connection"
    talk.tell(LineLost(), LineBack(), Delivered(typed=False))
    assert of(talk.tell(TurnEnded()), Suspect) == [], "once is enough"


def test_an_empty_turn_on_each_of_two_connections_is_no_sick_session() -> None:
    """A new connection is what would have been tried against one more on the old one."""
    talk = Talk().spoken().answered()
    talk.spoken("One.").tell(TurnEnded())
    talk.tell(LineLost(), LineBack())
    talk.spoken("Two.")
    assert of(talk.tell(TurnEnded()), Suspect) == []
    talk.spoken("Three.")
    assert of(talk.tell(TurnEnded()), Suspect) == [Suspect("empty-turns")]


def test_a_provider_that_never_answered_is_not_sick_but_silent_by_choice() -> None:
    talk = Talk()
    for _ in range(4):
        talk.spoken()
        assert of(talk.tell(TurnEnded()), Suspect) == []


# -- waiting -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fact", [SpeechEnded(), Delivered(typed=True), UserWordsCame("Hello?")])
def test_whoever_has_spoken_is_owed_an_answer_and_somebody_looks_after_it(fact: TurnFact) -> None:
    talk = Talk()
    assert StartWatch(WATCH_MS) in talk.tell(fact)
    assert talk.state is TurnState.WAITING


def test_a_connection_on_which_nothing_moves_is_left_after_eight_seconds_with_its_handle() -> None:
    assert Talk().typed().watch(lifeless_ms=WATCH_MS) == [Suspect("silent", costs_handle=False)]


def test_an_answer_that_takes_its_time_is_waited_for_while_the_connection_lives() -> None:
    talk = Talk().spoken("A hard question?")
    for _ in range(6):
        assert talk.watch(lifeless_ms=300) == [StartWatch(WATCH_MS)]
    assert of(talk.tell(SOUND), BeginReply)


def test_words_that_were_transcribed_just_now_prove_life_for_longer_than_silence_disproves_it() -> None:
    talk = Talk().spoken()
    assert talk.watch(lifeless_ms=WATCH_MS) == [StartWatch(WATCH_MS)]
    assert talk.watch(lifeless_ms=HEARD_WATCH_MS) == [Suspect("silent", costs_handle=False)]


def test_an_answer_that_does_not_come_for_a_minute_is_given_up_and_said_to_be_missing() -> None:
    talk = Talk().typed()
    steps = talk.watch(after_ms=PATIENCE_MS)
    assert explained(steps) == [("turn.no_answer", "")]
    assert of(steps, EndExchange)
    assert talk.state is TurnState.LISTENING


def test_the_third_dead_connection_in_a_row_costs_the_handle_and_the_fourth_ends_the_exchange() -> None:
    talk = Talk().typed()
    seen: list[Any] = []
    for _ in range(4):
        steps = talk.watch(lifeless_ms=WATCH_MS)
        seen += of(steps, Suspect)
        talk.tell(LineLost(), LineBack(), Delivered(typed=True))
    assert seen == [Suspect("silent"), Suspect("silent"), Suspect("silent", costs_handle=True)]
    assert ("turn.no_answer", "") in explained(talk.steps)


def test_what_was_only_loud_is_worth_one_new_connection_until_something_was_heard_again() -> None:
    talk = Talk()
    suspected = 0
    for _ in range(6):
        talk.tell(SpeechEnded(), after_ms=2_000)
        suspected += len(of(talk.watch(lifeless_ms=WATCH_MS), Suspect))
        talk.tell(LineLost(), LineBack(), Delivered(typed=False))
    assert suspected == 1


def test_what_was_only_loud_is_forgotten_on_a_connection_that_lives() -> None:
    talk = Talk()
    talk.tell(SpeechEnded())
    assert talk.watch() == [StopWatch()]
    assert talk.state is TurnState.LISTENING


def test_speech_that_nobody_heard_is_said_again_once_and_then_told_as_not_heard() -> None:
    talk = Talk()
    talk.tell(SpeechEnded(is_speech=True))
    assert talk.watch() == [SayAgain(), StartWatch(WATCH_MS)]
    assert explained(talk.watch()) == [("turn.not_heard", "")]
    assert talk.state is TurnState.LISTENING


@pytest.mark.parametrize("was_answering", [False, True], ids=["new", "begun to be answered"])
def test_speech_that_nobody_heard_is_over_with_what_our_own_ear_knows_of_it(was_answering: bool) -> None:
    """What was sent since then may be the beginning of something: nobody says that it is safe."""
    talk = Talk()
    talk.tell(SpeechEnded(is_speech=True))
    if was_answering:
        talk.tell(UserWordsCame("Hello?"), SOUND, LineLost(), LineBack(), Delivered(typed=False))
    talk.tell(SpeechEnded(is_speech=True))
    talk.sent = Sent(CERTAIN, EVERYTHING, said=4, said_until=7)
    talk.watch()
    steps = talk.watch()
    assert explained(steps) == [("turn.not_heard", "")]
    assert [end.answered.mark for end in of(steps, EndExchange)] == [7]
    assert len(of(steps, CloseTurn)) == 1


@pytest.mark.parametrize(("said_until", "mark"), [(7, 7), (0, CERTAIN.mark)], ids=["heard by us", "not heard by us"])
def test_of_what_was_heard_and_never_answered_the_quiet_after_it_is_not_over(said_until: int, mark: int) -> None:
    talk = Talk().spoken()
    talk.sent = Sent(CERTAIN, EVERYTHING, said=said_until, said_until=said_until)
    steps = talk.watch(after_ms=PATIENCE_MS)
    assert explained(steps) == [("turn.no_answer", "")]
    assert [end.answered.mark for end in of(steps, EndExchange)] == [mark]


@pytest.mark.parametrize(("words", "mark"), [(True, 12), (False, CERTAIN.mark)], ids=["transcribed", "not transcribed"])
def test_a_reply_to_transcribed_speech_answers_it_however_soon_it_came(words: bool, mark: int) -> None:
    """As after a replay by a machine that stands still: by the clock nothing of it was taken in yet."""
    talk = Talk()
    talk.tell(SpeechEnded(is_speech=True))
    talk.sent = Sent(CERTAIN, EVERYTHING, PROVEN_AT_MS, said=12, said_until=12)
    talk.tell(*([UserWordsCame("Hello?")] if words else []), SOUND, GenerationEnded())
    steps = talk.tell(TurnEnded())
    assert [end.answered.mark for end in of(steps, EndExchange)] == [mark]


@pytest.mark.parametrize(
    ("is_speech", "dead_lines", "told"),
    [(True, SUSPICIONS_LIMIT, [("turn.not_heard", "")]), (False, 1, [])],
    ids=["voice", "noise"],
)
def test_a_voice_over_which_lines_go_dead_is_said_to_be_not_heard_and_a_noise_is_not(
    is_speech: bool, dead_lines: int, told: list[tuple[str, str]]
) -> None:
    talk = Talk()
    talk.tell(SpeechEnded(is_speech=is_speech))
    for _ in range(dead_lines):
        assert of(talk.watch(lifeless_ms=WATCH_MS), Suspect)
        talk.tell(LineLost(), LineBack(), Delivered(typed=False))
    steps = talk.watch(lifeless_ms=WATCH_MS)
    assert explained(steps) == told
    assert of(steps, EndExchange)


def test_speech_that_was_heard_the_second_time_is_not_told_as_not_heard() -> None:
    talk = Talk()
    talk.tell(SpeechEnded(is_speech=True))
    talk.watch()
    talk.spoken().answered()
    assert explained(talk.steps) == []


def test_nothing_is_said_again_into_what_the_user_is_saying() -> None:
    talk = Talk()
    talk.tell(SpeechEnded(is_speech=True))
    assert talk.watch(user_speaks=True) == [StartWatch(WATCH_MS)]
    assert talk.watch() == [SayAgain(), StartWatch(WATCH_MS)]


def test_something_loud_that_does_not_end_keeps_no_exchange_open_for_longer_than_a_minute() -> None:
    talk = Talk()
    talk.tell(SpeechEnded(is_speech=True))
    for _ in range(1 + PATIENCE_MS // WATCH_MS):
        talk.watch(user_speaks=True)
    assert of(talk.steps, SayAgain)


def test_a_new_connection_is_told_again_what_the_one_before_had_been_told_again() -> None:
    talk = Talk()
    talk.tell(SpeechEnded(is_speech=True))
    assert of(talk.watch(), SayAgain)
    talk.tell(LineLost(), LineBack(), Delivered(typed=False))
    assert of(talk.watch(), SayAgain)
    assert explained(talk.watch()) == [("turn.not_heard", "")]


def test_speech_that_broke_a_reply_off_is_owed_an_answer() -> None:
    talk = Talk()
    talk.tell(SOUND, SpeechEnded(is_speech=True), BrokenOff())
    assert talk.state is TurnState.WAITING
    assert of(talk.watch(), SayAgain)


def test_speech_during_a_reply_that_was_stopped_by_hand_is_owed_none() -> None:
    talk = Talk()
    talk.tell(SOUND, SpeechEnded(is_speech=True), StopAsked())
    assert talk.state is TurnState.LISTENING


def test_speech_during_a_reply_that_did_not_break_it_off_is_owed_an_answer_after_it() -> None:
    talk = Talk()
    talk.tell(SOUND, SpeechEnded(is_speech=True), GenerationEnded(), TurnEnded())
    assert talk.state is TurnState.WAITING
    assert of(talk.watch(), SayAgain)


# -- a reply that does not go on ---------------------------------------------------------------------------------------


def test_a_reply_in_the_middle_of_which_the_connection_dies_is_cut() -> None:
    talk = replying()
    assert talk.watch(lifeless_ms=WATCH_MS) == [Suspect("silent")]
    assert of(talk.tell(LineLost()), BreakOff)
    assert talk.state is TurnState.WAITING


def test_a_reply_that_pauses_on_a_connection_that_lives_is_waited_for_and_in_the_end_over() -> None:
    talk = Talk()
    talk.tell(SOUND)
    assert talk.watch(lifeless_ms=1_000, idle_ms=9_000) == [StartWatch(WATCH_MS - 1_000)]
    steps = talk.watch(idle_ms=STALLED_REPLY_MS)
    assert of(steps, EndExchange)[0].is_whole
    assert of(steps, CloseTurn)


def test_a_reply_whose_end_is_never_told_ends_after_its_playback() -> None:
    talk = Talk()
    talk.tell(SoundCame(b"", 2_000))
    talk.tell(SoundCame(b"", 1_000), after_ms=500)
    assert StartPlaybackTimer(2_000 + TURN_END_GRACE_MS) in talk.tell(GenerationEnded(), after_ms=500)
    steps = talk.tell(PlayedOut())
    assert of(steps, EndExchange)[0].is_whole
    assert of(steps, CloseTurn)
    assert talk.tell(TurnEnded()) == [CloseTurn()]


def test_a_connection_takes_half_a_reply_with_it_and_leaves_a_whole_one() -> None:
    assert [step for step in replying().tell(LineLost()) if isinstance(step, StopPlayback | BreakOff)] == [
        StopPlayback(),
        BreakOff(),
    ]
    talk = replying()
    talk.tell(GenerationEnded())
    assert of(talk.tell(LineLost()), EndExchange)[0].is_whole


# -- a provider that is asked, and says when it answers ----------------------------------------------------------------


def test_a_reply_that_is_announced_begins_with_its_first_words() -> None:
    talk = Talk().typed()
    steps = talk.tell(ReplyAnnounced(), WordsCame("Well, "))
    assert of(steps, BeginReply)
    assert of(steps, Say) == [Say("Well, ")]
    assert talk.tell(ReplyAnnounced()) == []


def test_a_reply_that_nobody_wants_any_more_is_not_begun_by_being_announced() -> None:
    talk = Talk()
    talk.tell(SOUND, StopAsked())
    assert talk.tell(ReplyAnnounced()) == []
    talk.tell(TurnEnded())
    assert of(talk.tell(ReplyAnnounced()), BeginReply)


def test_what_the_model_is_asked_about_is_not_said_again_however_long_it_takes() -> None:
    talk = Talk()
    talk.tell(SpeechEnded(is_speech=True), Asked())
    assert talk.watch() == [StartWatch(WATCH_MS)]
    assert of(talk.watch(after_ms=PATIENCE_MS), Explain) == [Explain(TurnCode.NO_ANSWER)]


def test_what_the_next_connection_is_not_asked_about_is_said_again() -> None:
    talk = Talk()
    talk.tell(SpeechEnded(is_speech=True), Asked(), LineLost(), LineBack(), Delivered(typed=False))
    assert of(talk.watch(), SayAgain)


def test_speech_that_was_asked_about_and_refused_is_over_though_it_began_in_the_reply_before_it() -> None:
    talk = Talk()
    talk.sent = Sent(CERTAIN, CERTAIN)
    talk.tell(SOUND, VoiceNoticed(), GenerationEnded(), TurnEnded(), SpeechEnded(is_speech=True), Asked())
    (ended,) = of(talk.tell(TurnEnded("BLOCKLIST")), EndExchange)
    assert ended.answered.mark == CERTAIN.mark


def asked_by_connections(talk: Talk, count: int, every_ms: int) -> list[Step]:
    steps: list[Step] = []
    for _ in range(count):
        talk.tell(LineBack(), Asked())
        steps = talk.tell(LineLost(), after_ms=every_ms)
    return steps


def test_what_many_connections_were_asked_in_vain_gets_no_answer() -> None:
    talk = Talk().typed()
    steps = asked_by_connections(talk, IN_VAIN_ASKS, IN_VAIN_MS // IN_VAIN_ASKS)
    assert of(steps, EndExchange)[0].answered.typed_ids == {"typed-1"}
    assert of(steps, Explain) == [Explain(TurnCode.NO_ANSWER)]
    assert talk.state is TurnState.LISTENING


def test_what_was_asked_twice_is_asked_again_however_long_that_took() -> None:
    talk = Talk().typed()
    assert not of(asked_by_connections(talk, IN_VAIN_ASKS - 1, IN_VAIN_MS), EndExchange)
    assert talk.state is TurnState.WAITING


def test_what_is_asked_often_in_a_short_time_is_asked_again() -> None:
    talk = Talk().typed()
    assert not of(asked_by_connections(talk, 20, IN_VAIN_MS // 21), EndExchange)
    assert talk.state is TurnState.WAITING


def test_a_reply_that_many_connections_took_with_them_is_not_given_again() -> None:
    talk = Talk().typed()
    asked_by_connections(talk, IN_VAIN_ASKS - 1, IN_VAIN_MS)
    talk.tell(LineBack(), Asked(), ReplyAnnounced())
    steps = talk.tell(LineLost())
    assert not of(steps, EndExchange)[0].is_whole
    assert talk.state is TurnState.LISTENING
