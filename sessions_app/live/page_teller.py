"""What the page is told, and what it is owed when it comes back: its state, a `ready`, what is stored."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from energy.levels import LevelChange
from sessions_app.live.backlog import Loss
from sessions_app.live.downlink import Downlink
from sessions_app.live.level_keeper import LevelKeeper
from sessions_app.live.machine.events import Action, State, TellGoAway, TellState, Toast
from sessions_app.live.page import Page, Ready
from sessions_app.live.providers.upstream import UsageReported
from sessions_app.live.questions import QuestionMoved, QuestionState
from sessions_app.live.transcript import Turn
from sessions_app.live.turn_window import TurnWindow

LEVEL_TOASTS = ("energy.lower", "energy.restored", "exhausted")


class PageTeller:
    """Tells the page that is there; without one, remembers what the next one must be told.

    Args:
        downlink: where sound goes.
        levels: whose words are used for toasts about the level.
        describe: gives the `ready` that holds now.
        stored: what is readable where there is no live session to say `ready`.
    """

    def __init__(
        self,
        downlink: Downlink,
        levels: LevelKeeper,
        describe: Callable[[Action], Ready],
        stored: TurnWindow,
    ) -> None:
        self.downlink = downlink
        self.told_state = TellState(State.CONNECTING)
        self._levels = levels
        self._describe = describe
        self._stored = stored
        self._page: Page | None = None
        self._owes_ready = False
        self._question: QuestionMoved | None = None

    # -- which page --------------------------------------------------------------------------------------------------

    @property
    def page(self) -> Page | None:
        """The page that is told."""
        return self._page

    def is_for(self, page: Page) -> bool:
        return page is self._page

    def take_place(self, page: Page, last_heard: int) -> Page | None:
        """The page is told everything from now on, and at once the sound after `last_heard`; gives the page before."""
        previous, self._page = self._page, page
        self.downlink.attach(page, last_heard, _now_ms())
        return previous if previous is not page else None

    def welcome_back(self) -> None:
        """Tell the page where the session stands; `ready` follows when there is one that is live."""
        self._owes_ready = True
        if self._page is None:
            return
        if self.told_state.state is State.LIVE:
            self.ready(Action.ATTACHED)
        self._page.tell_state(self.told_state)
        if self.told_state.state is State.EXHAUSTED:
            self._standing(self._page)

    def let_go(self) -> Page | None:
        """Nobody is told anything until another page takes the place; gives the page that had it."""
        page, self._page = self._page, None
        self.downlink.detach()
        return page

    # -- what the session machine wishes -----------------------------------------------------------------------------

    def wait_in_line(self, told: TellState) -> None:
        self.told_state = told
        if self._page is not None:
            self._page.tell_state(told)

    def state(self, wish: TellState) -> None:
        self.told_state = wish
        if wish.state is State.LIVE and self._owes_ready:
            self.ready(Action.RESUMED)
        if self._page is None:
            return
        self._page.tell_state(wish)
        if wish.state is State.EXHAUSTED:
            self._standing(self._page)
        if wish.state in (State.FAILED, State.EXHAUSTED):
            # Without a live session there is no `ready`, and what was said stays readable all the same.
            for turn in self._stored.turns:
                self._page.tell_turn(turn)
            if self._stored.more:
                self._page.tell_turns(TurnWindow(more=True))

    def ready(self, action: Action) -> None:
        if self._page is not None:
            self._owes_ready = False
            self._page.tell_ready(self._describe(action))
            if self._question is not None:
                self._page.tell_question(self._question)

    def go_away(self, wish: TellGoAway) -> None:
        if self._page is not None:
            self._page.tell_go_away(wish.time_left_ms)

    def toast(self, wish: Toast) -> None:
        if self._page is not None:
            is_of_level = wish.code in LEVEL_TOASTS
            notice, until = (self._levels.notice, self._levels.resets_at) if is_of_level else ("", None)
            self._page.tell_toast(wish.code, wish.outage_ms, notice, until)

    # -- what is said and heard --------------------------------------------------------------------------------------

    def turn(self, turn: Turn) -> None:
        if self._page is not None:
            self._page.tell_turn(turn)

    def generation_complete(self, turn: int) -> None:
        if self._page is not None:
            self._page.tell_generation_complete(turn)

    def turn_complete(self, turn: int, usage: UsageReported | None) -> None:
        if self._page is not None:
            self._page.tell_turn_complete(turn, usage)

    def ack(self, number: int, ids: frozenset[str]) -> None:
        if self._page is not None:
            self._page.tell_ack(number, tuple(sorted(ids)))

    def lost(self, loss: Loss, reason: str) -> None:
        if self._page is not None:
            self._page.tell_lost(loss, reason)
            self._page.tell_toast("input.lost")

    def question(self, moved: QuestionMoved) -> None:
        """A page that comes later is told of the one that is not over."""
        self._question = None if moved.state is QuestionState.OVER else moved
        if self._page is not None:
            self._page.tell_question(moved)

    def energy(self, change: LevelChange) -> None:
        if self._page is not None:
            self._page.tell_energy(change, self._levels.top_level)

    def _standing(self, page: Page) -> None:
        page.tell_energy(self._levels.current_level(), self._levels.top_level)


def _now_ms() -> int:
    return int(asyncio.get_running_loop().time() * 1000)
