"""What becomes of a live session: facts in, wishes out, one table of legal moves."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import pytest

from sessions_app.live.machine.backoff import OUTAGE_LIMIT_MS, REDIALS_PER_HOUR
from sessions_app.live.machine.diagrams import session_diagram
from sessions_app.live.machine.events import (
    Action,
    BacklogReplayed,
    CloseAfterTail,
    CloseFinished,
    CloseUpstream,
    Connect,
    ConnectionLost,
    DropAudio,
    Fact,
    Finish,
    ForgetHandle,
    ForgetRequested,
    GoAwayReceived,
    HandleOffered,
    HandleWithdrawn,
    HangUpRequested,
    HoldInput,
    KeepHandle,
    LadderExhausted,
    LeaveOut,
    LevelChanged,
    LevelKept,
    LowerLevel,
    NoModel,
    Opened,
    OwnerLeaving,
    PageBack,
    PageGone,
    Record,
    RefreshRequested,
    Replay,
    ReplyBegan,
    ReplyEnded,
    ReplyProduced,
    RestoreLevel,
    RetryRequested,
    SetupCompleted,
    StartTimer,
    State,
    StopTimer,
    TellGoAway,
    TellReady,
    TellState,
    Timer,
    TimerFired,
    Toast,
)
from sessions_app.live.machine.failures import LINGER_MS, Failure, Phase, Verdict
from sessions_app.live.machine.states import (
    FIRST_HANDLE_WAIT_MS,
    NOTICEABLE_OUTAGE_MS,
    PARK_MS,
    RETRY_AFTER_CLOSE_MS,
    STABLE_MS,
    SessionMachine,
    swap_deadline_ms,
)
from sessions_app.live.machine.transitions import IGNORED, TRANSITIONS, UnexpectedFact
from sessions_app.live.machine.turns import LATE_WORDS_MS
from tests.live.facts import FACTS, can_come
from tests.live.play import (
    ABORTED,
    BAD_KEY,
    DEAD_HANDLE,
    INTERNAL,
    INVALID,
    LIVED_MS,
    NETWORK,
    QUOTA,
    RATE_LIMIT,
    REFUSED,
    UNKNOWN_FIELD,
    Play,
    of,
    only,
    play_to,
    told,
)

LINGERS = Failure(1011, "Internal error encountered.", Phase.SETUP)
INVALID_SETUP = Failure(1007, "Request contains an invalid argument.", Phase.SETUP)

GRID = list(itertools.product(State, FACTS))


def name_of(value: object) -> str | None:
    if isinstance(value, ConnectionLost):
        return f"lost-{value.failure.code}-{value.failure.phase}"
    return repr(value) if type(value) in Fact.__args__ else None


def everything_in(machine: SessionMachine) -> dict[str, Any]:
    """All that a machine knows, for comparing."""
    known = dict(vars(machine))
    known["_backoff"] = {name: repr(value) for name, value in vars(known["_backoff"]).items()}
    return known


# -- the table ---------------------------------------------------------------------------------------------------------


def test_every_kind_of_fact_is_tried_below() -> None:
    assert {type(fact) for fact in FACTS} == set(Fact.__args__)


def test_every_state_has_its_rows_and_no_fact_stands_in_both() -> None:
    assert set(TRANSITIONS) == set(IGNORED) == set(State)
    for state in State:
        assert not TRANSITIONS[state].keys() & IGNORED[state]


@pytest.mark.parametrize("state", State)
def test_whatever_can_come_has_an_answer_in_every_state(state: State) -> None:
    assert {fact for fact in Fact.__args__ if can_come(state, fact)} == TRANSITIONS[state].keys() | IGNORED[state]


def test_a_reset_by_the_operator_while_the_quota_is_spent_says_when_it_comes_back() -> None:
    for state in (State.EXHAUSTED, State.FAILED):
        play = play_to(state)
        wishes = play.tell(LadderExhausted(NoModel("quota", 90_000)))
        assert play.state is State.EXHAUSTED
        assert only(wishes, TellState) == TellState(State.EXHAUSTED, retry_in_ms=90_000, reason="quota")
        assert StartTimer(Timer.REDIAL, 90_000) in wishes
        assert only(play.tell(RetryRequested()), RestoreLevel)


@pytest.mark.parametrize(("state", "fact"), GRID, ids=name_of)
def test_a_fact_makes_a_listed_move_or_is_ignored_or_raises_and_changes_nothing(state: State, fact: Fact) -> None:
    play = play_to(state)
    before = everything_in(play.machine)
    if type(fact) in TRANSITIONS[state]:
        play.tell(fact)
        assert play.state in TRANSITIONS[state][type(fact)]
    elif type(fact) in IGNORED[state]:
        assert play.tell(fact) == []
        assert everything_in(play.machine) == before
    else:
        with pytest.raises(UnexpectedFact) as raised:
            play.tell(fact)
        assert raised.value.state is state
        assert raised.value.fact is fact
        assert type(fact).__name__ in str(raised.value)
        assert everything_in(play.machine) == before


@pytest.mark.parametrize("state", [state for state in State if state is not State.ENDED])
def test_a_hang_up_ends_every_state(state: State) -> None:
    play = play_to(state)
    wishes = play.tell(HangUpRequested())
    assert play.state is State.ENDED
    assert only(wishes, Finish).conversation_over
    assert told(wishes) == [State.ENDED]
    assert of(wishes, CloseAfterTail if state is State.LIVE else CloseUpstream)


@pytest.mark.parametrize("state", [state for state in State if state is not State.ENDED])
def test_every_state_can_be_reached(state: State) -> None:
    reached, edge = {State.IDLE}, {State.IDLE}
    while edge:
        edge = {target for source in edge for targets in TRANSITIONS[source].values() for target in targets} - reached
        reached |= edge
    assert state in reached


@pytest.mark.parametrize("state", [state for state in State if state not in (State.IDLE, State.ENDED)])
def test_a_page_may_go_and_come_back_in_every_state(state: State) -> None:
    play = play_to(state)
    assert StartTimer(Timer.PARK, PARK_MS) in play.tell(PageGone())
    assert play.state is state
    assert StopTimer(Timer.PARK) in play.tell(PageBack())


def test_a_page_that_was_away_is_told_so_in_one_toast_and_a_row() -> None:
    play = play_to(State.LIVE)
    wishes = play.tell(PageBack(away_ms=5_000))
    assert of(wishes, Toast) == [Toast("reconnected", 5_000)]
    assert Record("page_back", {"away_ms": 5_000}) in wishes
    assert not of(play.tell(PageBack(away_ms=1_000)), Toast)


def test_a_page_that_comes_back_while_the_other_leg_is_torn_is_told_of_that_one_only() -> None:
    play = play_to(State.RECONNECTING)
    assert not of(play.tell(PageBack(away_ms=5_000)), Toast)


def test_a_page_whose_session_was_closed_meanwhile_is_told_how_long_it_was_away() -> None:
    play = Play()
    assert Record("page_back", {"away_ms": 45_000}) in play.tell(Opened("h-1", has_context=True, away_ms=45_000))
    assert of(play.tell(SetupCompleted()), Toast) == [Toast("reconnected", 45_000)]


@pytest.mark.parametrize("state", [state for state in State if state not in (State.IDLE, State.ENDED)])
def test_a_page_that_stays_away_parks_the_session_and_keeps_its_handle(state: State) -> None:
    play = play_to(state)
    play.tell(PageGone())
    wishes = play.tell(TimerFired(Timer.PARK), PARK_MS)
    assert play.state is State.ENDED
    assert not only(wishes, Finish).conversation_over
    assert not of(wishes, ForgetHandle)
    assert of(wishes, CloseUpstream)


def test_the_end_hears_everything_and_does_nothing() -> None:
    play = play_to(State.ENDED)
    for fact in FACTS:
        assert play.tell(fact) == []


# -- opening -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("opened", "history_anytime", "expected"),
    [
        (Opened(), True, Connect()),
        (Opened(has_context=True), True, Connect(seed=True)),
        (Opened("h"), True, Connect("h")),
        (Opened("h", has_context=True), False, Connect("h")),
        (Opened("h", handle_is_behind=True, has_context=True), True, Connect("h", catch_up=True)),
        (Opened("h", handle_is_behind=True, has_context=True), False, Connect(seed=True)),
    ],
)
def test_a_session_is_opened_in_the_best_way_there_is(opened: Opened, history_anytime: bool, expected: Connect) -> None:
    wishes = Play(history_anytime=history_anytime).tell(opened)
    assert wishes == [TellState(State.CONNECTING), expected]


@pytest.mark.parametrize(
    ("opened", "action"),
    [
        (Opened(), Action.NEW),
        (Opened(has_context=True), Action.REBUILT),
        (Opened("h"), Action.RESUMED),
        (Opened("h", handle_is_behind=True), Action.RESUMED),
    ],
)
def test_the_page_is_told_what_it_got_and_not_with_a_toast(opened: Opened, action: Action) -> None:
    play = Play()
    play.tell(opened)
    wishes = play.tell(SetupCompleted())
    assert only(wishes, TellReady).action is action
    assert told(wishes) == [State.LIVE]
    assert not of(wishes, Toast)
    assert wishes[-1] == Replay()


def test_a_dead_handle_at_the_opening_gives_a_new_session_and_says_so() -> None:
    play = Play().open(handle="h", has_context=True)
    wishes = play.lose(DEAD_HANDLE, after_ms=100)
    assert of(wishes, ForgetHandle)
    assert only(wishes, Connect) == Connect(seed=True)
    wishes = play.tell(SetupCompleted(), 100)
    assert only(wishes, TellReady).action is Action.REBUILT
    assert only(wishes, Toast).code == "rebuilt"


def test_a_dead_handle_of_a_session_without_words_says_that_a_new_one_was_started() -> None:
    play = Play().open(handle="h")
    assert only(play.lose(DEAD_HANDLE, after_ms=100), Connect) == Connect()
    wishes = play.tell(SetupCompleted(), 100)
    assert only(wishes, TellReady).action is Action.NEW
    assert only(wishes, Toast).code == "started"


# -- GoAway ------------------------------------------------------------------------------------------------------------


def test_a_go_away_at_a_safe_point_hands_over_at_once() -> None:
    play = Play().go_live().offer_handle("h")
    wishes = play.tell(GoAwayReceived(50_000))
    assert play.state is State.HANDOVER
    assert only(wishes, TellGoAway).time_left_ms == 50_000
    assert wishes.index(HoldInput()) < wishes.index(CloseUpstream())
    assert not of(wishes, Connect), "the provider refuses a resume while the old connection is open"
    assert not of(wishes, Toast)


def test_a_handover_dials_when_the_old_connection_is_closed_and_tells_the_page_nothing_but_its_state() -> None:
    play = Play().go_live().offer_handle("h")
    wishes = play.tell(GoAwayReceived(50_000))
    wishes += play.tell(CloseFinished(), 2_900)
    assert only(wishes, Connect) == Connect("h")
    wishes += play.tell(SetupCompleted(), 800)
    assert told(wishes) == [State.HANDOVER, State.LIVE]
    assert not of(wishes, Toast)
    assert not of(wishes, TellReady)
    assert wishes[-1] == Replay()


def test_a_go_away_during_a_reply_waits_for_its_end_and_for_a_handle_that_knows_it() -> None:
    play = Play().go_live().offer_handle("h-1")
    play.tell(ReplyBegan(), 100)
    wishes = play.tell(GoAwayReceived(50_000))
    assert play.state is State.LIVE
    assert StartTimer(Timer.SWAP, 45_000) in wishes
    play.tell(ReplyProduced(), 500)
    play.tell(ReplyEnded(), 1_000)
    assert play.is_in(State.LIVE), "the handle is older than the turn"
    wishes = play.tell(HandleOffered("h-2"), 20)
    assert play.is_in(State.LIVE), "words of the reply may be late"
    assert StartTimer(Timer.LATE_WORDS, LATE_WORDS_MS - 20) in wishes
    play.wait_for_late_words()
    assert play.is_in(State.HANDOVER)
    assert only(play.tell(CloseFinished()), Connect) == Connect("h-2")


@pytest.mark.parametrize("turn", [[ReplyBegan()], [ReplyBegan(), ReplyProduced()]])
def test_a_go_away_that_finds_no_safe_point_is_forced_in_time(turn: list[Fact]) -> None:
    play = Play().go_live().offer_handle("h")
    for fact in turn:
        play.tell(fact)
    play.tell(GoAwayReceived(50_000))
    wishes = play.tell(TimerFired(Timer.SWAP), 45_000)
    assert play.state is State.HANDOVER
    assert of(wishes, HoldInput)


def test_a_second_go_away_replaces_the_deadline_of_the_first() -> None:
    play = Play().go_live().offer_handle("h")
    play.tell(ReplyBegan())
    play.tell(GoAwayReceived(50_000))
    wishes = play.tell(GoAwayReceived(8_000), 20_000)
    assert play.state is State.LIVE
    assert only(wishes, StartTimer) == StartTimer(Timer.SWAP, 4_000)


def test_a_go_away_without_time_hands_over_as_soon_as_the_loop_turns() -> None:
    play = Play().go_live().offer_handle("h")
    play.tell(ReplyBegan())
    assert StartTimer(Timer.SWAP, 0) in play.tell(GoAwayReceived(0))
    play.tell(TimerFired(Timer.SWAP))
    assert play.state is State.HANDOVER


def test_a_go_away_without_a_handle_waits_for_one_and_in_the_end_starts_anew_with_the_context() -> None:
    play = Play().go_live().have_a_turn()
    play.tell(GoAwayReceived(50_000))
    assert play.state is State.LIVE
    wishes = play.tell(TimerFired(Timer.SWAP), 45_000)
    wishes += play.tell(CloseFinished(), 100)
    assert only(wishes, Connect) == Connect(seed=True)
    wishes = play.tell(SetupCompleted(), 100)
    assert only(wishes, TellReady).action is Action.REBUILT
    assert only(wishes, Toast).code == "rebuilt"


def test_a_handle_that_comes_after_the_go_away_makes_the_point_safe() -> None:
    play = Play().go_live().have_a_turn()
    play.tell(GoAwayReceived(50_000))
    play.tell(HandleOffered("h"), 3_000)
    assert play.state is State.HANDOVER


def test_a_handle_that_does_not_know_the_context_yet_makes_no_safe_point() -> None:
    play = Play().go_live(has_context=True)
    play.tell(HandleOffered("h", covers_context=False))
    play.tell(GoAwayReceived(50_000))
    assert play.state is State.LIVE


# -- refresh -----------------------------------------------------------------------------------------------------------


def test_a_refresh_swaps_at_once_at_a_safe_point_and_by_the_handle() -> None:
    play = Play().go_live().offer_handle()
    wishes = play.tell(RefreshRequested(), LIVED_MS)
    assert told(wishes) == [State.HANDOVER]
    assert Record("refresh_asked") in wishes
    assert only(play.tell(CloseFinished()), Connect) == Connect("handle-1")
    connected = only(play.tell(SetupCompleted(), 100), Record)
    assert connected.data["cause"] == "refresh"
    assert not of(play.wishes, Toast)


def test_a_refresh_waits_for_the_end_of_the_reply_and_for_the_handle_that_covers_it() -> None:
    play = Play().go_live().offer_handle("before")
    play.tell(ReplyBegan(), 500)
    assert not told(play.tell(RefreshRequested(), 100))
    assert not of(play.tell(RefreshRequested(), 100), Record), "one is enough"
    play.tell(ReplyProduced(), 100)
    play.tell(ReplyEnded(), 100)
    assert not told(play.wait_for_late_words())
    play.offer_handle("after")
    assert play.is_in(State.HANDOVER)
    assert only(play.tell(CloseFinished()), Connect) == Connect("after")


def test_a_refresh_without_a_handle_gives_the_conversation_to_a_new_session() -> None:
    play = Play().go_live().have_a_turn()
    play.wait_for_late_words()
    assert told(play.tell(RefreshRequested(), 100)) == [State.HANDOVER]
    assert only(play.tell(CloseFinished()), Connect) == Connect(seed=True)


def test_a_refresh_during_a_go_away_is_the_swap_that_comes_anyway() -> None:
    play = Play().go_live().offer_handle()
    play.tell(ReplyBegan(), 500)
    play.tell(GoAwayReceived(50_000), 100)
    assert play.tell(RefreshRequested(), 100) == []


def test_a_handle_that_the_user_wants_forgotten_is_dropped_and_the_line_stands() -> None:
    play = Play().go_live().have_a_turn("handle-1")
    wishes = play.tell(ForgetRequested())
    assert wishes == [ForgetHandle("asked"), Record("handle_forgotten", {"reason": "asked"})]
    assert play.state is State.LIVE
    assert play.tell(ForgetRequested()) == []
    play.lose()
    assert only(play.tell(TimerFired(Timer.REDIAL), 250), Connect) == Connect(seed=True)
    assert only(play.tell(SetupCompleted()), Toast).code == "rebuilt"


@pytest.mark.parametrize("fact", [GoAwayReceived(50_000), HandleOffered("late"), ReplyBegan(), ReplyEnded()])
def test_what_the_old_connection_still_says_during_a_handover_is_not_heard(fact: Fact) -> None:
    play = play_to(State.HANDOVER)
    assert play.tell(fact) == []
    assert only(play.tell(CloseFinished()), Connect) == Connect("handle-1")


def test_a_resume_refused_right_after_the_close_is_tried_again_after_half_a_second() -> None:
    play = play_to(State.HANDOVER)
    play.tell(CloseFinished())
    wishes = play.lose(Failure(1011, "Internal error encountered.", Phase.SETUP), after_ms=300)
    assert play.state is State.HANDOVER
    assert only(wishes, StartTimer) == StartTimer(Timer.REDIAL, RETRY_AFTER_CLOSE_MS)
    assert only(play.tell(TimerFired(Timer.REDIAL), RETRY_AFTER_CLOSE_MS), Connect) == Connect("handle-1")
    assert told(play.tell(SetupCompleted(), 300)) == [State.LIVE]


def test_a_handover_that_is_refused_again_and_again_becomes_an_outage_that_is_shown() -> None:
    play = play_to(State.HANDOVER)
    play.tell(CloseFinished())
    play.lose(REFUSED, after_ms=100)
    play.tell(TimerFired(Timer.REDIAL), RETRY_AFTER_CLOSE_MS)
    assert told(play.lose(REFUSED, after_ms=100)) == [State.RECONNECTING]


def test_a_handover_that_is_refused_when_the_hours_redials_are_used_up_fails_instead_of_dialling_on() -> None:
    play = Play().go_live().offer_handle("h")
    for _ in range(REDIALS_PER_HOUR):
        play.lose()
        play.tell(TimerFired(Timer.REDIAL), 125)
        play.complete_setup().offer_handle("h")
    play.tell(GoAwayReceived(50_000), LIVED_MS)
    play.tell(CloseFinished())
    assert told(play.lose(REFUSED, after_ms=100)) == [State.FAILED]


def test_a_handover_long_after_a_cut_is_as_quiet_as_any() -> None:
    """What an outage of before counted must not make the page see this one."""
    play = Play().go_live().offer_handle("h")
    play.lose()
    play.tell(TimerFired(Timer.REDIAL), 125)
    play.complete_setup().offer_handle("h")
    play.tell(GoAwayReceived(50_000), 8_000)
    play.tell(CloseFinished(), 100)
    assert told(play.lose(REFUSED, after_ms=100)) == []
    assert play.state is State.HANDOVER


@pytest.mark.parametrize(
    ("time_left_ms", "expected"),
    [(60_000, 55_000), (50_000, 45_000), (10_000, 5_000), (9_999, 4_999), (9_500, 4_750), (1_500, 750), (1, 0), (0, 0)],
)
def test_a_swap_is_forced_five_seconds_before_the_end_or_at_half_of_a_short_notice(
    time_left_ms: int, expected: int
) -> None:
    assert swap_deadline_ms(time_left_ms) == expected


# -- cuts --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("failure", [NETWORK, ABORTED, INTERNAL])
def test_a_cut_holds_the_input_before_anything_else(failure: Failure) -> None:
    play = Play().go_live().offer_handle("h")
    play.tell(ReplyBegan())
    assert play.lose(failure)[0] == HoldInput()


@pytest.mark.parametrize("chance", [0.0, 0.5, 0.999])
def test_a_cut_is_followed_by_a_redial_within_a_quarter_of_a_second(chance: float) -> None:
    play = Play(random=lambda: chance).go_live().offer_handle("h")
    wishes = play.lose()
    assert play.state is State.RECONNECTING
    assert wishes[0] == HoldInput()
    timer = only(wishes, StartTimer)
    assert timer.timer is Timer.REDIAL
    assert timer.ms <= 250
    assert only(wishes, TellState).retry_in_ms == timer.ms
    assert only(play.tell(TimerFired(Timer.REDIAL), timer.ms), Connect) == Connect("h")


def test_a_short_cut_is_not_worth_a_word() -> None:
    play = Play().go_live().offer_handle("h")
    wishes = play.lose()
    wishes += play.tell(TimerFired(Timer.REDIAL), 125)
    wishes += play.tell(SetupCompleted(), 800)
    assert not of(wishes, Toast)
    assert only(wishes, TellReady).action is Action.RESUMED


def test_a_long_outage_that_ends_well_has_one_toast_with_its_length() -> None:
    play = Play().go_live().offer_handle("h")
    wishes = play.lose()
    wishes += play.tell(TimerFired(Timer.REDIAL), 125)
    wishes += play.lose(REFUSED, after_ms=3_000)
    wishes += play.tell(TimerFired(Timer.REDIAL), 250)
    wishes += play.tell(SetupCompleted(), 500)
    toast = only(wishes, Toast)
    assert toast.code == "reconnected"
    assert toast.outage_ms == 3_875 >= NOTICEABLE_OUTAGE_MS


def test_a_connection_that_comes_and_goes_at_once_is_one_outage_with_one_toast() -> None:
    play = Play().go_live().offer_handle("h")
    wishes = play.lose()
    for _ in range(4):
        wishes += play.tell(TimerFired(Timer.REDIAL), 2_500)
        wishes += play.tell(SetupCompleted(), 100)
        wishes += play.lose(NETWORK, after_ms=300)
    assert [toast.code for toast in of(wishes, Toast)] == ["reconnected"]


def test_a_session_lost_after_it_was_said_to_be_back_is_told_all_the_same() -> None:
    play = Play().go_live().have_a_turn("h")
    wishes = play.lose()
    wishes += play.tell(TimerFired(Timer.REDIAL), 2_500)
    wishes += play.tell(SetupCompleted(), 100)
    wishes += play.lose(DEAD_HANDLE, after_ms=300)
    wishes += play.tell(SetupCompleted(), 100)
    assert [toast.code for toast in of(wishes, Toast)] == ["reconnected", "rebuilt"]


def test_two_outages_have_a_toast_each() -> None:
    play = Play().go_live().offer_handle("h")
    wishes = []
    for _ in range(2):
        wishes += play.lose()
        wishes += play.tell(TimerFired(Timer.REDIAL), 2_500)
        wishes += play.tell(SetupCompleted(), 100)
    assert [toast.code for toast in of(wishes, Toast)] == ["reconnected", "reconnected"]


def test_a_cut_after_the_handle_fell_behind_resumes_and_catches_up_where_the_model_can() -> None:
    play = Play(history_anytime=True).go_live().offer_handle("h").have_a_turn()
    play.lose()
    assert only(play.tell(TimerFired(Timer.REDIAL)), Connect) == Connect("h", catch_up=True)
    assert only(play.tell(SetupCompleted()), TellReady).action is Action.RESUMED


def test_a_cut_after_the_handle_fell_behind_starts_anew_with_the_context_where_the_model_cannot() -> None:
    play = Play(history_anytime=False).go_live().offer_handle("h").have_a_turn()
    play.lose()
    assert only(play.tell(TimerFired(Timer.REDIAL)), Connect) == Connect(seed=True)
    assert only(play.tell(SetupCompleted()), TellReady).action is Action.REBUILT


def test_a_reply_that_was_all_there_when_the_cut_came_is_newer_than_the_handle() -> None:
    play = Play().go_live().offer_handle("h")
    play.tell(ReplyBegan())
    play.tell(ReplyProduced())
    play.lose()
    assert only(play.tell(TimerFired(Timer.REDIAL)), Connect) == Connect("h", catch_up=True)


def test_a_reply_that_was_cut_off_comes_again_from_the_handle_before_it() -> None:
    play = Play().go_live().offer_handle("h")
    play.tell(ReplyBegan())
    play.lose()
    assert only(play.tell(TimerFired(Timer.REDIAL)), Connect) == Connect("h")


def test_a_handle_that_is_withdrawn_is_still_good() -> None:
    play = Play().go_live().offer_handle("h")
    assert play.tell(HandleWithdrawn()) == []
    play.lose()
    assert only(play.tell(TimerFired(Timer.REDIAL)), Connect) == Connect("h")


def test_every_handle_is_kept_and_the_newest_is_used() -> None:
    play = Play().go_live()
    assert only(play.tell(HandleOffered("h-1")), KeepHandle).handle == "h-1"
    assert only(play.tell(HandleOffered("h-2")), KeepHandle).handle == "h-2"
    play.lose()
    assert only(play.tell(TimerFired(Timer.REDIAL)), Connect) == Connect("h-2")


# -- dead handles and other verdicts -----------------------------------------------------------------------------------


def test_a_dead_handle_is_forgotten_for_good_and_the_session_rebuilt_at_once() -> None:
    play = Play().go_live().have_a_turn("h")
    wishes = play.lose()
    wishes += play.tell(TimerFired(Timer.REDIAL), 125)
    wishes += play.lose(DEAD_HANDLE, after_ms=100)
    assert of(wishes, ForgetHandle)
    assert of(wishes, Connect) == [Connect("h"), Connect(seed=True)]
    wishes += play.tell(SetupCompleted(), 100)
    assert only(wishes, TellReady).action is Action.REBUILT
    assert only(wishes, Toast).code == "rebuilt"


def test_a_provider_that_finds_no_session_though_none_was_asked_for_is_not_dialled_in_a_tight_loop() -> None:
    play = Play().go_live()
    wishes = play.lose(DEAD_HANDLE)
    assert not of(wishes, Connect)
    assert only(wishes, StartTimer).timer is Timer.REDIAL


def test_quota_steps_down_and_dials_the_next_model_without_the_handle() -> None:
    play = Play().go_live().have_a_turn("h")
    wishes = play.lose(QUOTA)
    assert play.state is State.FALLING_BACK
    assert only(wishes, LowerLevel).quota
    wishes = play.tell(LevelChanged("gemini-3.1-flash-live-preview"))
    assert of(wishes, ForgetHandle)
    assert only(wishes, Connect) == Connect(seed=True)
    wishes = play.tell(SetupCompleted(), 900)
    assert only(wishes, TellReady).action is Action.REBUILT
    assert only(wishes, Toast).code == "energy.lower"


def test_a_step_that_keeps_the_model_keeps_the_handle() -> None:
    play = Play().go_live().have_a_turn("h")
    play.lose(QUOTA)
    wishes = play.tell(LevelChanged("gemini-3.8-live", keeps_handle=True))
    assert not of(wishes, ForgetHandle)
    assert only(wishes, Connect) == Connect("h")


def test_one_session_too_many_is_dialled_again_when_there_is_room_and_keeps_its_handle() -> None:
    play = Play().go_live().have_a_turn("h")
    play.lose(QUOTA)
    wishes = play.tell(LevelKept(20_000))
    assert told(wishes) == [State.RECONNECTING]
    assert StartTimer(Timer.REDIAL, 20_000) in wishes
    assert only(play.tell(TimerFired(Timer.REDIAL), 20_000), Connect) == Connect("h")


def test_a_model_that_others_found_spent_is_left_before_it_is_dialled() -> None:
    play = Play().go_live().have_a_turn("h")
    play.lose()
    play.tell(TimerFired(Timer.REDIAL), 125)
    wishes = play.tell(LevelChanged("gemini-3.1-flash-live-preview"))
    assert told(wishes) == [State.FALLING_BACK]
    assert only(wishes, Connect) == Connect(seed=True)
    assert of(wishes, ForgetHandle)


def test_a_better_model_takes_over_at_a_safe_point_with_the_context_and_one_toast() -> None:
    play = Play().go_live().have_a_turn("h")
    play.tell(LevelChanged("gemini-3.8-live", is_raised=True))
    assert told(play.wait_for_late_words()) == [State.HANDOVER]
    assert only(play.tell(CloseFinished()), Connect) == Connect(seed=True)
    wishes = play.tell(SetupCompleted(), 300)
    assert only(wishes, TellReady).action is Action.REBUILT
    assert only(wishes, Toast).code == "energy.restored"


def test_a_better_model_waits_for_the_end_of_a_reply_and_takes_no_handle_of_the_other() -> None:
    play = Play().go_live().have_a_turn("h")
    play.tell(ReplyBegan(), 500)
    assert not told(play.tell(LevelChanged("gemini-3.8-live", is_raised=True)))
    assert not of(play.tell(HandleOffered("of the older model")), KeepHandle)
    assert not told(play.tell(ReplyEnded(), 1_000))
    assert told(play.wait_for_late_words()) == [State.HANDOVER]
    assert only(play.tell(CloseFinished()), Connect) == Connect(seed=True)


def test_a_better_model_that_is_there_while_the_line_is_down_is_dialled_next_without_the_handle() -> None:
    play = Play().go_live().have_a_turn("h")
    play.lose()
    assert of(play.tell(LevelChanged("gemini-3.8-live", is_raised=True)), ForgetHandle)
    assert only(play.tell(TimerFired(Timer.REDIAL), 125), Connect) == Connect(seed=True)
    assert told(play.tell(SetupCompleted(), 100)) == [State.LIVE]


def test_a_session_that_may_dial_no_model_is_refused_and_tried_again_when_one_is_back() -> None:
    play = Play()
    wishes = play.tell(Opened(has_context=True, refused=NoModel(retry_in_ms=90_000)))
    assert told(wishes) == [State.EXHAUSTED]
    assert only(wishes, TellState).retry_in_ms == 90_000
    assert of(play.tell(TimerFired(Timer.REDIAL), 90_000), RestoreLevel)
    assert only(play.tell(LevelChanged("gemini-3.8-live", is_raised=True)), Connect) == Connect(seed=True)


@pytest.mark.parametrize("state", [State.CONNECTING, State.LIVE])
def test_a_session_that_is_refused_every_model_lets_go_of_the_connection_it_has_or_dials(state: State) -> None:
    wishes = play_to(state).tell(LadderExhausted())
    assert of(wishes, CloseUpstream)
    assert told(wishes) == [State.EXHAUSTED]


def test_a_session_without_a_model_asks_again_when_the_user_does() -> None:
    play = play_to(State.EXHAUSTED)
    assert of(play.tell(RetryRequested()), RestoreLevel)
    assert told(play.tell(LadderExhausted(NoModel(retry_in_ms=60_000)))) == [State.EXHAUSTED]


def test_a_page_that_leaves_while_it_waits_for_its_turn_gives_it_up_after_a_while() -> None:
    play = Play()
    assert StartTimer(Timer.PARK, PARK_MS) in play.tell(PageGone())
    assert StopTimer(Timer.PARK) in play.tell(PageBack())
    play.tell(PageGone())
    play.tell(TimerFired(Timer.PARK), PARK_MS)
    assert play.is_in(State.ENDED)


def test_a_ladder_without_a_further_step_is_exhausted_and_says_so_once() -> None:
    play = play_to(State.FALLING_BACK)
    wishes = play.tell(LadderExhausted())
    assert told(wishes) == [State.EXHAUSTED]
    assert only(wishes, Toast).code == "exhausted"


def test_short_lives_in_a_row_resume_then_start_afresh_then_step_down_and_then_stop() -> None:
    play = Play().go_live().have_a_turn("h")
    play.lose(INTERNAL)
    assert only(play.tell(TimerFired(Timer.REDIAL), 200), Connect) == Connect("h")
    play.complete_setup()
    play.lose(INTERNAL, after_ms=1_500)
    assert only(play.tell(TimerFired(Timer.REDIAL), 200), Connect) == Connect("h")
    play.complete_setup()
    wishes = play.lose(INTERNAL, after_ms=1_500)
    assert of(wishes, ForgetHandle)
    assert only(wishes, Connect) == Connect(seed=True)
    play.complete_setup()
    play.lose(INTERNAL, after_ms=1_500)
    assert play.is_in(State.RECONNECTING), "four faults within ten seconds are a burst"
    play.tell(TimerFired(Timer.REDIAL), 5_000)
    play.complete_setup()
    play.lose(INTERNAL, after_ms=1_500)
    assert play.is_in(State.FALLING_BACK)
    play.tell(LevelChanged("an-older-model"))
    play.complete_setup()
    play.lose(INTERNAL, after_ms=1_500)
    assert play.is_in(State.FAILED), "a fault that follows from model to model is none of the models'"


def test_a_session_that_lingers_is_dialled_with_its_handle_for_five_seconds_and_then_given_up() -> None:
    play = Play().go_live().have_a_turn("h")
    play.lose(NETWORK)
    play.tell(TimerFired(Timer.REDIAL), 400)
    play.lose(LINGERS, after_ms=200)
    refused_at = play.now_ms
    handles, fresh_at = [], 0
    while not fresh_at:
        wishes = play.tell(TimerFired(Timer.REDIAL), 400)
        handles.append(only(wishes, Connect).handle)
        wishes = play.lose(LINGERS, after_ms=200)
        fresh_at = play.now_ms if of(wishes, ForgetHandle) else 0
    assert set(handles) == {"h"}
    assert LINGER_MS <= fresh_at - refused_at < LINGER_MS + 1_000
    assert not of(play.wishes, LowerLevel)


@pytest.mark.parametrize(("was_cut", "handle"), [(True, "h"), (False, None)], ids=["cut", "closed"])
def test_a_session_may_linger_whose_process_did_not_live_to_close_it(was_cut: bool, handle: str | None) -> None:
    play = Play().open(handle="h", was_cut=was_cut)
    for _ in range(3):
        play.lose(LINGERS, after_ms=100)
        play.tell(TimerFired(Timer.REDIAL), 200)
    assert of(play.wishes, Connect)[-1].handle == handle


def test_a_session_may_linger_though_the_first_dial_took_longer_than_it_ever_does() -> None:
    play = Play().open(handle="h", was_cut=True)
    play.lose(LINGERS, after_ms=LINGER_MS + 1_000)
    assert only(play.tell(TimerFired(Timer.REDIAL), 200), Connect).handle == "h"


def test_a_session_that_lingered_is_resumed_and_nothing_is_held_against_it() -> None:
    play = Play().go_live().have_a_turn("h")
    play.lose(NETWORK)
    for _ in range(3):
        play.tell(TimerFired(Timer.REDIAL), 200)
        play.lose(LINGERS, after_ms=100)
    assert only(play.tell(TimerFired(Timer.REDIAL), 200), Connect) == Connect("h")
    play.complete_setup()
    assert play.is_in(State.LIVE)


NO_PROJECT = Failure(1008, "Permission denied on resource project None.", Phase.SETUP)
UNPAID = Failure(429, "Your prepayment credits are depleted.", Phase.HANDSHAKE)


@pytest.mark.parametrize("refusal", [BAD_KEY, NO_PROJECT, UNPAID])
@pytest.mark.parametrize("state", [State.CONNECTING, State.LIVE, State.HANDOVER, State.RECONNECTING])
def test_who_is_refused_at_one_place_is_asked_for_at_another_where_the_ladder_has_one(
    refusal: Failure, state: State
) -> None:
    play = play_to(state)
    play.machine.features = replace(play.machine.features, has_other_place=True)
    wishes = play.lose(refusal)
    assert not only(wishes, LowerLevel).quota
    assert play.is_in(State.FALLING_BACK)
    assert only(play.tell(LevelChanged("vertex@us-central1:gemini-3.8-live", False, False)), Connect).handle is None
    play.machine.features = replace(play.machine.features, has_other_place=False)
    assert told(play.lose(refusal)) == [State.FAILED]


def test_a_request_that_is_refused_as_it_stands_is_tried_with_another_model_before_it_fails() -> None:
    play = Play().open()
    wishes = play.lose(INVALID_SETUP)
    assert play.is_in(State.FALLING_BACK)
    assert only(wishes, LowerLevel) == LowerLevel("bad-request", quota=False)
    play.tell(LevelChanged("an-older-model"))
    play.lose(INVALID_SETUP)
    assert play.is_in(State.FAILED)


def test_a_field_that_is_refused_although_it_was_left_out_is_no_reason_to_go_on_with_the_model() -> None:
    play = Play().open()
    assert only(play.lose(UNKNOWN_FIELD), LeaveOut) == LeaveOut("proactivity")
    play.lose(UNKNOWN_FIELD)
    assert play.is_in(State.FALLING_BACK)


@pytest.mark.parametrize("proof", ["ten seconds of life", "a whole turn"])
def test_a_life_that_proved_itself_ends_the_row_of_short_ones(proof: str) -> None:
    play = Play().go_live().offer_handle("h")
    play.lose(INTERNAL, after_ms=1_500)
    play.tell(TimerFired(Timer.REDIAL), 200)
    play.complete_setup()
    if proof == "a whole turn":
        play.have_a_turn("h-2")
    else:
        play.tell(TimerFired(Timer.STABLE), STABLE_MS)
    wishes = play.lose(INTERNAL, after_ms=100)
    assert play.state is State.RECONNECTING
    assert not of(wishes, ForgetHandle)


def test_a_rate_limit_waits_as_long_as_it_was_told_to() -> None:
    play = Play().open()
    wishes = play.lose(RATE_LIMIT)
    assert only(wishes, StartTimer) == StartTimer(Timer.REDIAL, 12_000)
    assert only(wishes, TellState).retry_in_ms == 12_000
    assert only(play.tell(TimerFired(Timer.REDIAL), 12_000), Connect) == Connect()


@pytest.mark.parametrize("state", [State.CONNECTING, State.RECONNECTING])
def test_a_refused_field_is_left_out_and_the_dialling_repeated_at_once(state: State) -> None:
    play = play_to(state)
    if state is State.RECONNECTING:
        play.tell(TimerFired(Timer.REDIAL))
    wishes = play.lose(UNKNOWN_FIELD, after_ms=100)
    assert only(wishes, LeaveOut).field == "proactivity"
    assert of(wishes, Connect)


def test_a_provider_that_refuses_one_field_after_the_other_is_given_up() -> None:
    play = Play().open()
    for _ in range(20):
        play.lose(UNKNOWN_FIELD, after_ms=100)
        if play.state is State.FAILED:
            return
    raise AssertionError("dialled for ever")


@pytest.mark.parametrize("after_replay_ms", [None, 0, 150, 1_000])
def test_a_1007_that_answers_a_replay_drops_the_audio_once(after_replay_ms: int | None) -> None:
    """The replay is sent in a few milliseconds; the refusal needs a round trip."""
    play = Play().go_live().offer_handle("h")
    play.lose()
    play.tell(TimerFired(Timer.REDIAL), 125)
    play.tell(SetupCompleted(), 100)
    if after_replay_ms is not None:
        play.tell(BacklogReplayed(anything=True), 5)
    wishes = play.lose(INVALID, after_ms=after_replay_ms or 0)
    assert of(wishes, DropAudio)
    assert not of(wishes, ForgetHandle)
    play.tell(TimerFired(Timer.REDIAL), 250)
    play.tell(SetupCompleted(), 100)
    play.tell(BacklogReplayed(anything=True), 5)
    assert not of(play.lose(INVALID, after_ms=150), DropAudio)


@pytest.mark.parametrize("replayed", [False, True])
def test_a_1007_that_answers_no_replay_drops_nothing(replayed: bool) -> None:
    play = Play().go_live().offer_handle("h")
    play.lose()
    play.tell(TimerFired(Timer.REDIAL), 125)
    play.tell(SetupCompleted(), 100)
    play.tell(BacklogReplayed(anything=replayed), 5)
    play.tell(BacklogReplayed(anything=True), 9_000)
    assert not of(play.lose(INVALID, after_ms=100), DropAudio)


# -- backing off, giving up, trying again ------------------------------------------------------------------------------


def keep_refusing(play: Play) -> list[int]:
    """Refuse every attempt until the machine gives up; gives the waits."""
    waits = []
    while play.state is not State.FAILED:
        timer = only([wish for wish in play.wishes[-2:] if isinstance(wish, StartTimer)], StartTimer)
        waits.append(timer.ms)
        play.tell(TimerFired(Timer.REDIAL), timer.ms)
        play.lose(REFUSED, after_ms=50)
    return waits


def test_a_provider_that_refuses_for_a_minute_is_given_up_with_one_toast() -> None:
    play = Play().go_live().offer_handle("h")
    play.lose()
    lost_at = play.now_ms
    waits = keep_refusing(play)
    assert 40_000 < play.now_ms - lost_at <= OUTAGE_LIMIT_MS
    assert max(waits) <= 8_000
    assert len(waits) > 8
    assert [toast.code for toast in of(play.wishes, Toast)] == ["failed"]
    assert told(play.wishes)[-1] is State.FAILED


def test_try_again_after_giving_up_dials_at_once_and_has_another_minute() -> None:
    play = Play().go_live().offer_handle("h")
    play.lose()
    keep_refusing(play)
    wishes = play.tell(RetryRequested(), 300_000)
    assert only(wishes, Connect) == Connect("h")
    assert only(wishes, TellState).retry_in_ms == 0
    again = play.now_ms
    play.lose(REFUSED, after_ms=50)
    keep_refusing(play)
    assert play.now_ms - again > 40_000


def test_try_again_during_a_countdown_dials_now_and_stops_the_countdown() -> None:
    play = play_to(State.RECONNECTING)
    wishes = play.tell(RetryRequested(), 10)
    assert StopTimer(Timer.REDIAL) in wishes
    assert of(wishes, Connect)
    assert play.tell(RetryRequested()) == [], "one attempt at a time"
    assert not of(play.tell(TimerFired(Timer.REDIAL)), Connect)


def test_a_page_that_comes_back_to_a_session_given_up_has_it_tried_again() -> None:
    play = play_to(State.FAILED)
    assert of(play.tell(PageBack()), Connect)
    assert play.state is State.RECONNECTING


def test_more_than_fifty_redials_an_hour_are_not_made() -> None:
    play = Play(random=lambda: 0.0).go_live().offer_handle("h")
    redials = 0
    for _ in range(80):
        play.lose(NETWORK, after_ms=20_000)
        if play.state is State.FAILED:
            break
        play.tell(TimerFired(Timer.REDIAL))
        redials += 1
        play.complete_setup()
    assert redials == 50


# -- the end of a turn -------------------------------------------------------------------------------------------------


def test_a_handle_that_came_when_all_of_the_reply_was_there_is_not_behind_it() -> None:
    play = Play().go_live().offer_handle("h-1")
    play.tell(ReplyBegan(), 100)
    play.tell(ReplyProduced(), 500)
    play.tell(HandleOffered("h-2"), 20)
    play.tell(ReplyEnded(), 5_000)
    assert play.machine.handle_is_current
    play.tell(GoAwayReceived(50_000), LATE_WORDS_MS)
    assert play.state is State.HANDOVER
    assert only(play.tell(CloseFinished()), Connect) == Connect("h-2")


def test_a_handle_that_came_before_the_reply_was_whole_is_behind_it() -> None:
    play = Play().go_live().offer_handle("h-1")
    play.tell(ReplyBegan(), 100)
    play.tell(HandleOffered("h-2"), 20)
    play.tell(ReplyProduced(), 500)
    play.tell(ReplyEnded(), 5_000)
    assert not play.machine.handle_is_current


@pytest.mark.parametrize("fact", [ReplyEnded(), ReplyProduced()])
def test_signals_of_a_reply_that_is_not_there_do_nothing(fact: Fact) -> None:
    play = Play().go_live().offer_handle("h")
    assert play.tell(fact) == []
    assert play.machine.handle_is_current


# -- leaving -----------------------------------------------------------------------------------------------------------


def test_a_worker_that_leaves_keeps_the_handle_for_the_next_one() -> None:
    play = Play().go_live().offer_handle("h")
    wishes = play.tell(OwnerLeaving("draining"))
    assert only(wishes, Finish) == Finish("draining", conversation_over=False)
    assert not of(wishes, ForgetHandle)
    assert not told(wishes), "the page is to come back, not to show an end"


def test_a_hang_up_forgets_the_handle() -> None:
    play = Play().go_live().offer_handle("h")
    wishes = play.tell(HangUpRequested())
    assert of(wishes, ForgetHandle)
    assert only(wishes, Finish) == Finish("hung-up", conversation_over=True)


def test_the_end_stops_every_timer() -> None:
    play = Play().go_live()
    assert {wish.timer for wish in of(play.tell(HangUpRequested()), StopTimer)} == set(Timer)


def test_every_loss_is_recorded_with_what_was_made_of_it() -> None:
    play = Play().go_live()
    record = of(play.lose(ABORTED), Record)[0]
    assert record.kind == "connection_lost"
    assert record.data["code"] == 1008
    assert record.data["text"] == ABORTED.text
    assert record.data["verdict"] == Verdict.RESUME


# -- the diagram -------------------------------------------------------------------------------------------------------


def test_the_diagram_shows_every_move_to_another_state() -> None:
    lines = session_diagram().splitlines()
    assert lines[0] == "stateDiagram-v2"
    arrows = {tuple(line.strip().split(":")[0].split(" --> ")) for line in lines[1:]}
    moves = {
        (str(source), str(target))
        for source, row in TRANSITIONS.items()
        for targets in row.values()
        for target in targets
        if target is not source
    }
    assert arrows == moves | {("[*]", "idle"), ("ended", "[*]")}
    assert "    connecting --> live: setup completed" in lines


def test_a_silent_user_wants_nothing_of_the_machine() -> None:
    play = Play().go_live().have_a_turn("h")
    play.tell(TimerFired(Timer.STABLE), LIVED_MS)
    running = set()
    for wish in play.wishes:
        if isinstance(wish, StartTimer):
            running.add(wish.timer)
        elif isinstance(wish, StopTimer):
            running.discard(wish.timer)
    assert running - {Timer.STABLE} == set()


# -- the first handle --------------------------------------------------------------------------------------------------


def with_audio_to_replay() -> Play:
    """A call that was cut off and is back, with audio of the time between."""
    play = Play().go_live()
    play.lose()
    play.tell(TimerFired(Timer.REDIAL), after_ms=125)
    wishes = play.tell(SetupCompleted(replays_audio=True), after_ms=100)
    assert not of(wishes, Replay)
    assert StartTimer(Timer.FIRST_HANDLE, FIRST_HANDLE_WAIT_MS) in wishes
    return play


def test_audio_is_replayed_after_the_handle_that_comes_with_the_set_up_so_that_it_is_certain_what_that_covers() -> None:
    wishes = with_audio_to_replay().tell(HandleOffered("handle-2", True))
    assert wishes == [KeepHandle("handle-2"), StopTimer(Timer.FIRST_HANDLE), Replay()]


def test_audio_is_replayed_soon_when_no_handle_comes_with_the_set_up() -> None:
    play = with_audio_to_replay()
    assert Replay() in play.tell(TimerFired(Timer.FIRST_HANDLE), after_ms=FIRST_HANDLE_WAIT_MS)
    assert not of(play.tell(HandleOffered("handle-2", True)), Replay)


def test_a_connection_that_goes_before_its_first_handle_replays_nothing_later() -> None:
    play = with_audio_to_replay()
    assert StopTimer(Timer.FIRST_HANDLE) in play.lose(after_ms=10)
    assert not of(play.tell(TimerFired(Timer.FIRST_HANDLE)), Replay)
