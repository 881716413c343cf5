"""The level of one live session on the event loop: asks the energy bar, and tells the machine what came of it."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

from energy.levels import Level, LevelChange, Mode, Reason, should_clear_resumption_handle
from energy.quota import CONCURRENCY_WAIT
from sessions_app.live.energy import Energy, LevelNews, Probe
from sessions_app.live.machine.events import Fact, LadderExhausted, LevelChanged, LevelKept, NoModel
from sessions_app.live.machine.failures import Failure
from sessions_app.live.machine.reasons import StateReason
from sessions_app.live.task_owner import TaskOwner

_IN_TURNS_TOAST = "energy.in_turns"

_RETRY_WHEN_BUSY_MS = CONCURRENCY_WAIT // datetime.timedelta(milliseconds=1)
"""When the ledger does not know for how long the provider has no room for one more session, and when no other model is
there to be tried."""

_RETRY_WITHOUT_REFUGE_MS = 1_000
"""When there is nowhere to go from a line that is away, it is tried on."""

LEAST_WAIT_MS = 1_000
LONGEST_WAIT_MS = 24 * 3_600_000


class LevelKeeper:
    """Keeps the level until the energy bar has answered; the bar's own may have moved before anybody acts on it.

    Args:
        mode: of the live session.
        energy: the bar.
        on_news: called with every change, before the machine hears of it.
        feed: tells the machine.
    """

    def __init__(
        self, mode: Mode, energy: Energy, on_news: Callable[[LevelNews], None], feed: Callable[[Fact], None]
    ) -> None:
        self.level = energy.get_level(mode)
        self._mode = mode
        self._energy = energy
        self._on_news = on_news
        self._feed = feed
        self._is_known_to_be_open = True
        self._is_asking_for_more = False
        self._tasks = TaskOwner()

    @property
    def top_level(self) -> Level:
        return self._energy.get_top_level(self._mode)

    @property
    def has_refuge(self) -> bool:
        """Whether there is a level below that needs no Live connection, as the present one does."""
        return self._energy.has_refuge(self._mode)

    @property
    def has_other_place(self) -> bool:
        """Whether a level below has a model at another place, where another account asks."""
        return self._energy.has_other_place(self._mode)

    @property
    def resets_at(self) -> datetime.datetime | None:
        """When a better model is expected back, if one is known to be spent."""
        return self._energy.get_resets_at(self._mode)

    @property
    def notice(self) -> str:
        """What there was to say last about the level."""
        return self._energy.notice

    @property
    def no_model(self) -> NoModel | None:
        """Why there is no model to dial; None when there is one."""
        return self._why_none() if self.level.is_exhausted else None

    def current_level(self) -> LevelChange:
        """Where the level stands, as a change that changes nothing."""
        return LevelChange(self.level, self.level, Reason.SESSION_RESET, _now(), self.resets_at)

    # -- asking --------------------------------------------------------------------------------------------------------

    def ask_again_before_dialling(self) -> None:
        """Time has passed since the level was found: others may have found the model spent."""
        self._is_known_to_be_open = False

    async def may_dial(self) -> bool:
        """Whether the model is not known to be spent; else another level takes over, and is dialled instead."""
        if self._is_known_to_be_open:
            self._is_known_to_be_open = False  # the one who opened the session has just asked
            return True
        news = await self._energy.avoid_spent(self._mode)
        if news is not None:
            self._take(news)
        return news is None

    async def fall_back(self, reason: str, quota: bool, failure: Failure) -> None:
        """Leave the model: for its quota, by the provider's own words, or for another reason."""
        if quota:
            self._take(await self._energy.handle_rate_limit_error(self._mode, failure, self.level.model))
        else:
            news = await self._energy.next_model(self._mode, self.level.model, reason)
            self._take(news, LevelKept(_RETRY_WHEN_BUSY_MS, StateReason.PROVIDER_UNAVAILABLE))

    async def leave_outage(self, failure: Failure) -> None:
        """No line is to be had: to a level that needs none, if there is one."""
        news = await self._energy.leave_outage(self._mode, failure, self.level.model)
        self._take(news, LevelKept(_RETRY_WITHOUT_REFUGE_MS, StateReason.PROVIDER_UNAVAILABLE))

    async def due_probe(self) -> Probe:
        """What is to be done to be back on a better line, or on one at all."""
        return await self._energy.due_probe(self._mode)

    async def probe_failed(self, failure: Failure, model: str, *, is_quota: bool) -> None:
        """What was asked for is not to be had yet."""
        await self._energy.probe_failed(failure, model, is_quota=is_quota)

    def restore(self, reason: Reason = Reason.MANUAL) -> None:
        """To the best model there is, because the user, the operator or the clock asks for it, or it has answered."""
        self._start(self._restore(reason))

    def ask_for_more(self) -> None:
        """At a turn's end: the model has answered, and a better one may be back."""
        if not self._is_asking_for_more:
            self._is_asking_for_more = True
            self._start(self._ask_for_more())

    def succeeded(self, model: str) -> None:
        """A set-up on `model` went through."""
        self._start(self.proven(model))

    async def proven(self, model: str) -> None:
        """As `succeeded`, until that is known to all."""
        await self._energy.succeeded(model)

    async def check_fair_use(self) -> None:
        """To level 0 if the user has had their share by now."""
        news = await self._energy.check_fair_use(self._mode)
        if news is not None:
            self._take(news)

    # -- inside --------------------------------------------------------------------------------------------------------

    async def _restore(self, reason: Reason) -> None:
        self._take(await self._energy.reset_energy_level(self._mode, reason))

    async def _ask_for_more(self) -> None:
        news = await self._energy.raise_if_possible(self._mode)
        self._is_asking_for_more = False
        if news is not None:
            self._take(news)

    def _take(self, news: LevelNews, kept: LevelKept | None = None) -> None:
        """From now on this is the level; what that means for the connection is the machine's affair.

        Args:
            news: what the energy bar found.
            kept: what the machine is told where there is no other level; None where the provider has no room.
        """
        change = replace(news.change, previous=self.level)  # the bar may have moved while nobody heard of it
        self.level = change.level
        if change.is_change:
            self._on_news(LevelNews(change, news.notice))
        if change.level.is_exhausted:
            self._feed(LadderExhausted(self._why_none()))
        elif change.is_change:
            keeps_handle = not should_clear_resumption_handle(change.previous, change.level)
            is_raised = change.level.number > change.previous.number
            toast = _IN_TURNS_TOAST if change.level.is_in_turns and not change.previous.is_in_turns else ""
            self._feed(LevelChanged(change.level.model, keeps_handle, is_raised, toast))
        else:
            self._feed(kept or LevelKept(_ms_until(change.resets_at) or _RETRY_WHEN_BUSY_MS))

    def _why_none(self) -> NoModel:
        return NoModel(self._energy.reason_for_nothing, _ms_until(self.resets_at))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.start(work, "live-energy")


def _ms_until(moment: datetime.datetime | None) -> int | None:
    if moment is None:
        return None
    left_ms = (moment - _now()).total_seconds() * 1000
    return min(max(int(left_ms), LEAST_WAIT_MS), LONGEST_WAIT_MS)


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
