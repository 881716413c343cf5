"""Which token is dialled with, and when another is made: on a clock that the test moves."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from sessions_app.live.providers.token_stock import (
    AT_ONCE,
    COUNTED_FOR_MS,
    EXPECTED_MAX,
    FIRST_PAUSE_MS,
    KEPT_MAX,
    LONGEST_PAUSE_MS,
    OPENS_FOR_MS,
    RENEW_BEFORE_MS,
    TokenStock,
)
from tests.repeatable import cases

MODEL, OTHER = "gemini-3.8-live", "gemini-3.1-flash-live-preview"
START_MS = 50_000


def stocked(*tokens: str, asked_ms: int = START_MS) -> TokenStock:
    """A stock with two calls, in which these three or fewer lie ready."""
    stock = TokenStock()
    for _ in range(2):
        stock.opened(MODEL)
    assert list(stock.due(asked_ms)) == [MODEL] * 3
    for token in tokens:
        stock.made(MODEL, token, asked_ms)
    return stock


def test_nothing_is_made_before_anybody_dials() -> None:
    stock = TokenStock()
    assert list(stock.due(START_MS)) == []
    assert stock.look_again_ms(START_MS) is None


def test_a_dial_that_waits_has_one_made_and_two_for_what_may_follow_it() -> None:
    stock = TokenStock()
    assert stock.take(MODEL, START_MS) is None
    stock.begin_to_wait(MODEL)
    assert list(stock.due(START_MS)) == [MODEL] * 3
    assert list(stock.due(START_MS)) == []
    stock.made(MODEL, "first", START_MS)
    assert stock.hand_out(MODEL, START_MS) == "first"
    stock.end_to_wait(MODEL)
    stock.opened(MODEL)
    stock.dialled(MODEL)
    assert list(stock.due(START_MS)) == []


def test_a_token_is_handed_out_once_and_for_its_model_alone() -> None:
    stock = stocked("first", "second")
    assert stock.take(OTHER, START_MS) is None
    assert [stock.take(MODEL, START_MS) for _ in range(3)] == ["first", "second", None]


def test_one_that_is_nearly_over_is_replaced_and_one_that_is_over_is_not_handed_out() -> None:
    stock = stocked("old", "older", "oldest")
    renew_ms = START_MS + COUNTED_FOR_MS - RENEW_BEFORE_MS
    assert stock.look_again_ms(START_MS) == renew_ms
    assert list(stock.due(renew_ms - 1)) == []
    assert list(stock.due(renew_ms)) == [MODEL] * 3
    stock.made(MODEL, "new", renew_ms)
    assert stock.take(MODEL, START_MS + COUNTED_FOR_MS - 1) == "old"
    assert stock.take(MODEL, START_MS + COUNTED_FOR_MS) == "new"


def test_clocks_may_be_apart_by_minutes() -> None:
    assert OPENS_FOR_MS - COUNTED_FOR_MS >= 120_000


def test_nothing_is_renewed_once_the_last_connection_is_closed() -> None:
    stock = stocked("a", "b", "c")
    for _ in range(2):
        stock.closed(MODEL)
    assert stock.look_again_ms(START_MS) is None
    assert list(stock.due(START_MS + COUNTED_FOR_MS)) == []


def test_a_line_that_is_changed_keeps_its_spares() -> None:
    """Between the close of the old connection and the dial there is none."""
    stock = TokenStock()
    stock.opened(MODEL)
    for number, _ in enumerate(stock.due(START_MS)):
        stock.made(MODEL, f"{number}", START_MS)
    stock.closed(MODEL)
    assert stock.take(MODEL, START_MS) == "0"
    assert list(stock.due(START_MS)) == [MODEL]


def test_as_many_lie_ready_as_connections_are_known_to_end() -> None:
    stock = stocked("a", "b", "c")
    for _ in range(30):
        stock.opened(MODEL)
    assert list(stock.due(START_MS)) == [MODEL] * (KEPT_MAX - 3)
    for _ in range(6):
        stock.expect(MODEL, START_MS + 60_000)
    assert list(stock.due(START_MS)) == [MODEL] * 2
    assert list(stock.due(START_MS + 60_000)) == []


def test_an_announced_dial_that_came_is_no_longer_expected() -> None:
    stock = TokenStock()
    stock.expect(MODEL, START_MS + 1_000)
    assert list(stock.due(START_MS)) == [MODEL]
    stock.made(MODEL, "one", START_MS)
    assert stock.take(MODEL, START_MS) == "one"
    stock.dialled(MODEL)
    assert list(stock.due(START_MS)) == []


def test_what_was_refused_costs_what_lies_ready() -> None:
    stock = stocked("bad", "worse", "worst")
    stock.refused(MODEL)
    assert stock.take(MODEL, START_MS) is None
    assert list(stock.due(START_MS)) == [MODEL] * 4


def test_after_a_failure_spares_pause_longer_and_longer_and_a_dial_does_not() -> None:
    stock = TokenStock()
    stock.expect(MODEL, START_MS + 10_000_000)
    now_ms, pauses = START_MS, []
    for _ in range(9):
        assert list(stock.due(now_ms)) == [MODEL]
        stock.not_made(MODEL, now_ms)
        again_ms = stock.look_again_ms(now_ms)
        assert again_ms is not None
        pauses.append(again_ms - now_ms)
        assert list(stock.due(again_ms - 1)) == []
        now_ms = again_ms
    assert pauses[:3] == [FIRST_PAUSE_MS, 2 * FIRST_PAUSE_MS, 4 * FIRST_PAUSE_MS]
    assert pauses[-1] == LONGEST_PAUSE_MS
    assert list(stock.due(now_ms)) == [MODEL]
    stock.not_made(MODEL, now_ms)
    stock.begin_to_wait(MODEL)
    assert list(stock.due(now_ms + 1)) == [MODEL]


def test_a_provider_that_asks_for_a_pause_gets_it() -> None:
    stock = TokenStock()
    stock.expect(MODEL, START_MS + 60_000)
    assert list(stock.due(START_MS)) == [MODEL]
    stock.not_made(MODEL, START_MS, limited_ms=30_000)
    assert stock.limited_ms(START_MS + 10_000) == 20_000
    assert stock.look_again_ms(START_MS) == START_MS + 30_000
    assert stock.limited_ms(START_MS + 30_000) == 0


def test_no_token_is_in_what_is_shown_of_the_stock() -> None:
    stock = stocked("auth_tokens/secret")
    assert "secret" not in repr(stock._shelves)


class AnyLife(RuleBasedStateMachine):
    """Calls that come, go, are announced to end, and dial; a provider that makes tokens, late or not at all."""

    def __init__(self) -> None:
        super().__init__()
        self.stock = TokenStock()
        self.now_ms = START_MS
        self.open = 0
        self.dialling = 0
        self.waiting = 0
        self.asked: list[int] = []
        self.made = 0
        self.asked_at: dict[str, int] = {}
        self.handed_out: set[str] = set()
        self.paused_until_ms = 0

    @rule(ms=st.sampled_from((1, 500, 20_000, RENEW_BEFORE_MS, COUNTED_FOR_MS)))
    def wait(self, ms: int) -> None:
        self.now_ms += ms

    @rule()
    def open_one(self) -> None:
        self.stock.opened(MODEL)
        self.open += 1

    @precondition(lambda self: self.open)
    @rule()
    def close_one(self) -> None:
        self.stock.closed(MODEL)
        self.open -= 1

    @rule(count=st.sampled_from((1, 5, EXPECTED_MAX + 5)), within_ms=st.sampled_from((1_000, 60_000)))
    def announce(self, count: int, within_ms: int) -> None:
        for _ in range(count):
            self.stock.expect(MODEL, self.now_ms + within_ms)

    @rule()
    def dial(self) -> None:
        token = self.stock.take(MODEL, self.now_ms)
        self.dialling += 1
        if token is None:
            self.stock.begin_to_wait(MODEL)
            self.waiting += 1
        else:
            self.check(token)

    @precondition(lambda self: self.waiting)
    @rule()
    def give_up_waiting(self) -> None:
        self.stock.end_to_wait(MODEL)
        self.stock.dialled(MODEL)
        self.waiting -= 1
        self.dialling -= 1

    @precondition(lambda self: self.dialling > self.waiting)
    @rule(comes_about=st.booleans())
    def end_a_dial(self, comes_about: bool) -> None:
        if comes_about:
            self.stock.opened(MODEL)
            self.open += 1
        self.stock.dialled(MODEL)
        self.dialling -= 1

    @rule()
    def begin(self) -> None:
        self.asked += [self.now_ms for _ in self.stock.due(self.now_ms)]
        assert len(self.asked) <= AT_ONCE
        paused = self.stock.look_again_ms(self.now_ms)
        assert paused is None or paused > self.now_ms
        assert not self.waiting or self.asked, "somebody waits, and nothing is made"
        if not self.asked and self.now_ms >= self.paused_until_ms:
            wanted = min(self.open + 1, KEPT_MAX) if self.open else 0
            assert self.stock.ready(MODEL) >= wanted, "a call is without a spare, and none is made"

    @precondition(lambda self: self.asked)
    @rule()
    def make(self) -> None:
        self.made += 1
        token, asked_ms = f"token-{self.made}", self.asked.pop(0)
        self.asked_at[token] = asked_ms
        self.stock.made(MODEL, token, asked_ms)
        while self.waiting and (given := self.stock.hand_out(MODEL, self.now_ms)) is not None:
            self.stock.end_to_wait(MODEL)
            self.waiting -= 1
            self.check(given)

    @precondition(lambda self: self.asked)
    @rule(limited_ms=st.sampled_from((0, 30_000)))
    def fail(self, limited_ms: int) -> None:
        self.asked.pop(0)
        self.stock.not_made(MODEL, self.now_ms, limited_ms)
        self.paused_until_ms = self.now_ms + LONGEST_PAUSE_MS

    @rule()
    def refuse(self) -> None:
        self.stock.refused(MODEL)

    def check(self, token: str) -> None:
        assert token not in self.handed_out
        self.handed_out.add(token)
        assert self.now_ms < self.asked_at[token] + COUNTED_FOR_MS

    @invariant()
    def what_lies_ready_is_bounded(self) -> None:
        assert self.stock.ready(MODEL) <= 2 * EXPECTED_MAX + AT_ONCE


AnyLife.TestCase.settings = settings(max_examples=cases(60), stateful_step_count=40)
TestAnyLife = AnyLife.TestCase
