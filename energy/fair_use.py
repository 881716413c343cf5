"""How much of the service one user may have: pure.

Three limits, each off when it is 0. Whoever calls this counts what was used; days are those of the server's time zone.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from enum import StrEnum

from energy.days import day_of, time_in_words
from energy.levels import Mode
from energy.marking import gettext_noop as _


class FairUseLimit(StrEnum):
    CALL_MINUTES = "call-minutes"
    SESSIONS = "sessions"
    TOKENS = "tokens"


@dataclass(frozen=True, slots=True)
class Allowance:
    """What each user may have; 0 for as much as they like."""

    call_minutes_per_day: int = 0
    sessions: int = 0
    tokens_per_day: int = 0


@dataclass(frozen=True, slots=True)
class Used:
    """What a user has used: today, and `sessions_open` besides the one that is asked for."""

    call_seconds_today: float = 0
    sessions_open: int = 0
    tokens_today: int = 0


@dataclass(frozen=True, slots=True)
class FairUseRefusal:
    """`limit` of which kind was reached, at `allowed` of its unit; `ends_at` is None when another session must end."""

    limit: FairUseLimit
    allowed: int
    ends_at: datetime.datetime | None

    def in_words(self, now: datetime.datetime, zone: str) -> str:
        """A few words for the user; the time is that of `zone`."""
        when = time_in_words(self.ends_at, now, zone)
        return SENTENCES[self.limit].format(allowed=f"{self.allowed:,}", when=when)


SENTENCES = {
    FairUseLimit.CALL_MINUTES: _(
        "You have used your {allowed} minutes of call for today. There is more from {when} on."
    ),
    FairUseLimit.SESSIONS: _(
        "You have {allowed} conversations open, as many as are allowed at a time. End one of them to begin another."
    ),
    FairUseLimit.TOKENS: _("You have used your {allowed} tokens for today. There is more from {when} on."),
}
"""In English, as they are kept in transcripts."""


def refusal_of(
    used: Used, allowance: Allowance, mode: Mode, now: datetime.datetime, zone: str
) -> FairUseRefusal | None:
    """Why a user may not begin a session of this mode, or go on with it; None when they may.

    When several limits are reached it names one that ends by the clock first: ending a session would not help.
    """
    tomorrow = day_of(now, zone)[1]
    minutes = allowance.call_minutes_per_day
    if mode is Mode.CALL and minutes and used.call_seconds_today >= minutes * 60:
        return FairUseRefusal(FairUseLimit.CALL_MINUTES, minutes, tomorrow)
    if allowance.tokens_per_day and used.tokens_today >= allowance.tokens_per_day:
        return FairUseRefusal(FairUseLimit.TOKENS, allowance.tokens_per_day, tomorrow)
    if allowance.sessions and used.sessions_open >= allowance.sessions:
        return FairUseRefusal(FairUseLimit.SESSIONS, allowance.sessions, None)
    return None
