"""What is counted of a live session: openings, swaps, resumes, alarms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import pytest
from hypothesis import settings
from hypothesis.stateful import invariant

from energy.levels import Mode
from sessions_app.live.machine.events import Connect, Fact, Record, State, Wish
from sessions_app.live.machine.failures import Failure, Phase
from sessions_app.live.machine.observed import (
    SERVED,
    Alarm,
    AlarmJudged,
    AlarmOutcome,
    ConnectionJudged,
    FramesResent,
    InputLost,
    LevelMoved,
    Observation,
    OpeningEnded,
    Outcome,
    Replied,
    ResentReason,
    ResumeOutcome,
    ResumeTried,
    SetUp,
    SwapKind,
    Swapped,
    TurnCounted,
    WaitedInLine,
    Watch,
)
from sessions_app.live.machine.reasons import GapCause
from sessions_app.live.machine.states import Features, SessionMachine
from sessions_app.live.machine.turns import WATCH_MS
from sessions_app.live.page import Assistant
from sessions_app.live.providers.upstream import GoAway, ReplyAudio, TurnComplete, TurnTaking, UsageReported
from sessions_app.live.watch import Watched
from tests.fakes.upstream import CUT, Answer
from tests.live.stage import INSTRUCTION, Stage, sound
from tests.live.test_states_at_random import AnyLife
from tests.live.test_swaps import DEAD_HANDLE, QUOTA
from tests.repeatable import cases

OTHER_TURNS = Assistant(INSTRUCTION, "Kore", turn_taking=TurnTaking(silence_ms=900))

Seen = TypeVar("Seen")


class Notes:
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.seen: list[Observation] = []

    def saw(self, watched: Watched, observation: Observation) -> None:
        self.seen.append(observation)

    def of(self, kind: type[Seen]) -> list[Seen]:
        return [observation for observation in self.seen if isinstance(observation, kind)]


class Stumbles:
    def saw(self, watched: Watched, observation: Observation) -> None:
        raise ValueError("who watches has a fault")


async def a_watched_call(*answers: Answer) -> tuple[Stage, Notes]:
    """A call with a turn and a handle behind it; what was seen so far is forgotten."""
    notes = Notes()
    stage = Stage(Mode.CALL, observer=notes)
    stage.upstream.script(*answers)
    await stage.open()
    await stage.spoken_exchange("My code word is plum.", "Noted.", handle="h-1")
    await stage.wait(20)
    notes.seen.clear()
    return stage, notes


async def test_an_opening_and_a_whole_turn() -> None:
    notes = Notes()
    stage = await Stage(Mode.CALL, observer=notes).open()
    await stage.speak(5)
    await stage.wait(1)
    await stage.begin_reply("Noted.", ms=200)
    await stage.wait(0.5)
    await stage.hear(UsageReported(prompt_tokens=40, response_tokens=20, thoughts_tokens=2), TurnComplete())
    assert [(seen.outcome, seen.ms) for seen in notes.of(OpeningEnded)] == [(Outcome.NEW, 0)]
    assert [seen.outcome for seen in notes.of(SetUp)] == [Outcome.NEW]
    assert notes.of(TurnCounted) == [TurnCounted(40, 22)]
    (reply,) = notes.of(Replied)
    assert 500 <= reply.ms < 600


async def test_a_go_away_is_a_swap_of_its_kind_that_resumed() -> None:
    stage, notes = await a_watched_call(Answer(), Answer(after_s=0.3))
    await stage.hear(GoAway(50_000))
    await stage.speak(20)
    (swap,) = notes.of(Swapped)
    assert (swap.kind, swap.outcome) == (SwapKind.GO_AWAY, Outcome.RESUMED)
    assert notes.of(ResumeTried) == [ResumeTried(ResumeOutcome.ACCEPTED)]
    assert notes.of(ConnectionJudged) == []


async def test_a_refresh_that_the_user_asks_for_is_a_swap_of_its_own_kind() -> None:
    stage, notes = await a_watched_call()
    stage.manager.refresh_session()
    await stage.wait(10)
    await stage.hear(GoAway(50_000))
    await stage.wait(10)
    kinds = [(swap.kind, swap.outcome) for swap in notes.of(Swapped)]
    assert kinds == [(SwapKind.REFRESH, Outcome.RESUMED), (SwapKind.GO_AWAY, Outcome.RESUMED)]


async def test_a_refresh_that_a_go_away_overtakes_is_a_swap_of_that() -> None:
    stage, notes = await a_watched_call()
    await stage.begin_reply("I was", ms=200)
    stage.manager.refresh_session()
    await stage.hear(GoAway(8_000))
    await stage.wait(30)
    assert notes.of(Swapped)[0].kind is SwapKind.GO_AWAY


@pytest.mark.parametrize("go_away_comes_first", [False, True])
async def test_a_change_of_settings_that_a_go_away_overtakes_is_a_swap_of_that(go_away_comes_first: bool) -> None:
    stage, notes = await a_watched_call()
    await stage.begin_reply("I was", ms=200)
    if go_away_comes_first:
        await stage.hear(GoAway(8_000))
    stage.manager.use(OTHER_TURNS)
    if not go_away_comes_first:
        await stage.hear(GoAway(8_000))
    await stage.wait(30)
    assert notes.of(Swapped)[0].kind is SwapKind.GO_AWAY
    told = [data for kind, data in stage.store.records if "gap_ms" in data]
    assert told[0]["cause"] == GapCause.GO_AWAY


async def test_a_cut_is_a_swap_whose_gap_is_the_time_without_a_connection() -> None:
    stage, notes = await a_watched_call(Answer(), Answer(after_s=0.7))
    before_s = stage.now_s
    stage.connection.drop(CUT)
    await stage.speak(50)
    (swap,) = notes.of(Swapped)
    assert (swap.kind, swap.outcome) == (SwapKind.CONNECTION_LOST, Outcome.RESUMED)
    connected_s = stage.upstream.attempts[1].at_s + 0.7
    assert swap.ms == pytest.approx((connected_s - before_s) * 1000, abs=5)
    assert notes.of(ConnectionJudged) == [ConnectionJudged("live", "resume")]


async def test_frames_that_no_handle_covers_are_resent_and_counted_once() -> None:
    stage, notes = await a_watched_call()
    await stage.speak(3)
    stage.connection.drop(CUT)
    await stage.wait(3)
    assert notes.of(FramesResent) == [FramesResent(3, ResentReason.SWAP)]
    await stage.hear(GoAway(50_000))
    await stage.wait(60)
    assert [seen.count for seen in notes.of(FramesResent)] == [3, 3], "what is not answered is sent to each connection"


async def test_a_dead_handle_is_a_resume_that_was_refused_in_a_swap_that_rebuilt() -> None:
    stage, notes = await a_watched_call(Answer(), Answer(failure=DEAD_HANDLE))
    stage.connection.drop(CUT)
    await stage.wait(5)
    assert notes.of(ResumeTried) == [ResumeTried(ResumeOutcome.REFUSED)]
    assert [(swap.kind, swap.outcome) for swap in notes.of(Swapped)] == [(SwapKind.CONNECTION_LOST, Outcome.REBUILT)]


async def test_quota_that_runs_out_is_a_swap_of_the_level() -> None:
    stage, notes = await a_watched_call()
    stage.connection.drop(QUOTA)
    await stage.wait(5)
    assert [(swap.kind, swap.outcome) for swap in notes.of(Swapped)] == [(SwapKind.LEVEL, Outcome.REBUILT)]
    assert notes.of(LevelMoved) == [LevelMoved(False, "rate-limit-exceeded")]
    assert notes.of(ConnectionJudged) == [ConnectionJudged("live", "next_model")]


async def test_what_is_given_up_has_an_outcome_and_its_retry_is_a_swap_of_its_own() -> None:
    stage, notes = await a_watched_call()
    stage.connection.drop(Failure(1007, "API key not valid. Please pass a valid API key.", Phase.LIVE))
    await stage.wait(1)
    stage.manager.reconnect_session()
    await stage.wait(1)
    assert [(swap.kind, swap.outcome) for swap in notes.of(Swapped)] == [
        (SwapKind.CONNECTION_LOST, Outcome.FAILED),
        (SwapKind.RETRY, Outcome.RESUMED),
    ]


async def test_lost_input_is_counted_as_the_page_is_told_of_it() -> None:
    stage, notes = await a_watched_call()
    stage.manager.miss_audio(320)
    assert notes.of(InputLost) == [InputLost(320, 0, "limit")]


async def test_a_silence_that_a_new_connection_ends_was_a_right_alarm() -> None:
    stage, notes = await a_watched_call()
    stage.manager.take_text("m-1", "Are you there?")
    stage.connection.die()
    await stage.wait(WATCH_MS / 1000 + 3)
    assert [swap.kind for swap in notes.of(Swapped)] == [SwapKind.SILENT]
    assert notes.of(AlarmJudged) == []
    await stage.hear(ReplyAudio(sound(200)))
    assert notes.of(AlarmJudged) == [AlarmJudged(Alarm.SILENT, AlarmOutcome.RIGHT)]


async def test_a_second_dial_that_was_not_needed_was_a_false_alarm() -> None:
    stage, notes = await a_watched_call(Answer(), Answer(after_s=4.5), Answer(after_s=3))
    stage.connection.drop(CUT)
    await stage.wait(10)
    assert notes.of(AlarmJudged) == [AlarmJudged(Alarm.SLOW_SETUP, AlarmOutcome.FALSE)]


async def test_who_waits_in_line_has_waited_until_it_begins() -> None:
    notes = Notes()
    stage = Stage(Mode.CALL, observer=notes)
    stage.manager.attach(stage.page)
    for _ in range(3):
        stage.manager.wait_in_line(1)
        await stage.wait(1)
    stage.manager.init_session()
    (waited,) = notes.of(WaitedInLine)
    assert waited.was_let_in
    assert waited.ms == pytest.approx(3_000, abs=10)


async def test_a_fault_of_who_watches_does_the_session_no_harm() -> None:
    stage = await Stage(Mode.TEXT, observer=Stumbles()).open()
    await stage.exchange("m-1", "Hello", "Hello to you.", handle="h-1")
    stage.connection.drop(CUT)
    await stage.wait(3)
    assert stage.page.states[-1] == State.LIVE


class WatchedMachine(SessionMachine):
    """A machine with somebody who watches it, and a second account of what there is to be counted."""

    def __init__(self, features: Features, random: Callable[[], float]) -> None:
        super().__init__(features, random)
        self.watch = Watch()
        self.seen: list[Observation] = []
        self.swaps_begun = self.resumes_begun = 0

    def handle_fact(self, fact: Fact, now_ms: int) -> list[Wish]:
        before = self.state
        wishes = super().handle_fact(fact, now_ms)
        self._account(before, wishes)
        seen = list(self.watch.decided(fact, before, self.state, wishes, self.gap_cause, now_ms))
        self.seen += seen
        told_ms = [wish.data["gap_ms"] for wish in wishes if isinstance(wish, Record) and "gap_ms" in wish.data]
        swaps = [each for each in seen if isinstance(each, Swapped) and each.outcome in SERVED]
        for swap in swaps:
            # Where all had been given up meanwhile, the record counts from the first loss, if there ever was a line.
            is_retry = swap.kind is SwapKind.RETRY
            assert all(swap.ms <= gap_ms for gap_ms in told_ms) if is_retry else [swap.ms] == told_ms
        return wishes

    def _account(self, before: State, wishes: Sequence[Wish]) -> None:
        left = before is State.LIVE and self.state not in (State.LIVE, State.ENDED)
        given_up = (State.FAILED, State.EXHAUSTED)
        self.swaps_begun += left or (before in given_up and self.state not in (*given_up, State.ENDED))
        self.resumes_begun += sum(isinstance(wish, Connect) and wish.handle is not None for wish in wishes)


class WatchedLife(AnyLife):
    """Whatever happens, everything that begins ends once, with an outcome."""

    machine_type = WatchedMachine

    @invariant()
    def everything_is_counted_once(self) -> None:
        machine = self.machine
        assert isinstance(machine, WatchedMachine)
        openings = [seen for seen in machine.seen if isinstance(seen, OpeningEnded)]
        swaps = [seen for seen in machine.seen if isinstance(seen, Swapped)]
        resumes = [seen for seen in machine.seen if isinstance(seen, ResumeTried)]
        resumes = [seen for seen in resumes if seen.outcome is not ResumeOutcome.FORGOT]
        settled = machine.state in (State.LIVE, State.FAILED, State.EXHAUSTED, State.ENDED)
        assert len(openings) <= 1
        assert len(openings) + len(swaps) == 1 + machine.swaps_begun - (not settled)
        assert len(resumes) <= machine.resumes_begun <= len(resumes) + (machine.state is not State.ENDED)
        ends: list[OpeningEnded | Swapped] = [*openings, *swaps]
        assert all(seen.ms >= 0 for seen in ends)
        if machine.state is State.LIVE:
            assert ends[-1].outcome in SERVED


WatchedLife.TestCase.settings = settings(max_examples=cases(60), stateful_step_count=40, deadline=None)
TestWatchedLife = WatchedLife.TestCase
