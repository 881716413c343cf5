"""The rules of the quota ledger: pure.

What a refusal says about the limit behind it, when that limit is over, and who may dial a model meanwhile. A spent
model is nobody's to dial until its reset; then one session at a time may probe it (half-open), on a lease, so that a
prober that died does not keep it shut. A model that nobody has heard from for some seconds is scouted the same way: one
session dials first, so that many that open at once learn of a spent quota from one refusal.
"""

from __future__ import annotations

import datetime
import uuid
from dataclasses import KW_ONLY, dataclass, replace
from enum import StrEnum

from energy.days import day_of

QUOTA_ZONE = "America/Los_Angeles"
"""Daily quotas of the Gemini API begin anew at midnight Pacific time."""

MINUTE_WAIT = datetime.timedelta(seconds=65)
"""Per-minute quota is back after a minute; every attempt before that counts against it."""

WAIT_LIMIT = datetime.timedelta(minutes=5)

CONCURRENCY_WAIT = datetime.timedelta(seconds=20)
"""A session that somebody else ends makes room at any moment; the provider also notices late that one has ended."""

OPERATOR_WAIT = datetime.timedelta(hours=1)
"""What only an operator can put right is tried so often."""

OUTAGE_WAIT = datetime.timedelta(seconds=4)
"""A model that cannot be reached is asked for by one session at a time, in the background, so often: who goes on
without it is back a few seconds after it is."""

OUTAGE_MEMORY = datetime.timedelta(seconds=30)
"""So long after it was to be asked for, nobody was there to ask, and nothing is known of it any more."""

DAILY_FROM_MS = 3_600_000
"""A provider that asks for an hour or more does not speak of its limit per minute."""

LEASE = datetime.timedelta(seconds=30)
"""How long a prober has: dialling, set-up and a seed take some seconds at most."""

TRUST = datetime.timedelta(seconds=5)
"""How long a set-up that went through lets others dial without scouting."""

PROBATION = datetime.timedelta(minutes=10)
"""A refusal so soon after a model came back counts as that of its probe: a set-up alone proves little."""

SHORTEST_WAIT = datetime.timedelta(seconds=1)
LONGEST_WAIT = datetime.timedelta(hours=25)
"""Whatever is asked for: no quota lasts longer than the longest day."""


class LimitKind(StrEnum):
    """Which limit a model is held back by. `missing`: none; the project has no such model, or it is of no use here.
    `outage`: none; it cannot be reached."""

    MINUTE = "minute"
    DAY = "day"
    CONCURRENCY = "concurrency"
    UNKNOWN = "unknown"
    MISSING = "missing"
    OUTAGE = "outage"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A confirmed verdict about quota, as the provider gave it.

    `retry_after_ms`: how long it asks to wait, if it does. `quotas`: ids and metrics of the quotas that were exceeded,
    where it names them: `GenerateRequestsPerDayPerProjectPerModel-FreeTier`.
    """

    text: str
    _: KW_ONLY
    retry_after_ms: int | None = None
    quotas: tuple[str, ...] = ()


class Access(StrEnum):
    """Whether a session may dial a model.

    `open`: yes. `scout`, `probe`: yes, once it has claimed the lease. `wait`: another is finding out, or there is no
    room at the moment. `spent`: no.
    """

    OPEN = "open"
    SCOUT = "scout"
    PROBE = "probe"
    WAIT = "wait"
    SPENT = "spent"


@dataclass(frozen=True, slots=True)
class ModelState:
    """What the ledger knows of a model. Spent from `spent_since` until `restored_at`; `kind` is that of the last time.

    `refusals`: in a row, since it was last well. `prober` holds the lease until `probe_until`. `answered_at`: when it
    last completed a turn of somebody since it was refused.
    """

    kind: LimitKind | None = None
    spent_since: datetime.datetime | None = None
    resets_at: datetime.datetime | None = None
    restored_at: datetime.datetime | None = None
    refusals: int = 0
    prober: uuid.UUID | None = None
    probe_until: datetime.datetime | None = None
    trusted_until: datetime.datetime | None = None
    answered_at: datetime.datetime | None = None
    text: str = ""

    @property
    def is_spent(self) -> bool:
        return self.spent_since is not None and self.restored_at is None

    def is_due(self, now: datetime.datetime) -> bool:
        """Whether it is spent and its limit should be over: half-open."""
        return self.is_spent and (self.resets_at is None or now >= self.resets_at)

    @property
    def is_out(self) -> bool:
        """Whether it could not be reached when it was last asked for."""
        return self.is_spent and self.kind is LimitKind.OUTAGE

    def is_known_to_be_out(self, now: datetime.datetime) -> bool:
        """Whether that was just now."""
        return self.is_out and (self.resets_at is None or now < self.resets_at + OUTAGE_MEMORY)

    def is_held_by_another(self, holder: uuid.UUID, now: datetime.datetime) -> bool:
        return self.prober is not None and self.prober != holder and _is_after(self.probe_until, now)


_CONCURRENCY_TEXTS = ("concurrent", "too many sessions", "simultaneous")
_DAY_TEXTS = ("per day", "perday", "per_day", "daily")
_MINUTE_TEXTS = ("per minute", "perminute", "per_minute")

_HINTS: tuple[tuple[LimitKind, tuple[str, ...]], ...] = (
    (LimitKind.CONCURRENCY, _CONCURRENCY_TEXTS),
    (LimitKind.DAY, _DAY_TEXTS),
    (LimitKind.MINUTE, _MINUTE_TEXTS),
)


def limit_of(refusal: Refusal) -> LimitKind:
    """The limit a refusal speaks of; `unknown` when it gives no hint.

    The names of the quotas count more than the sentence. Where several were exceeded at once, as on a model that a free
    project may not use at all (google-gemini/gemini-cli#8437), that of the day counts, not that of the minute.
    """
    for text in (" ".join(refusal.quotas).lower(), refusal.text.lower()):
        for kind, needles in _HINTS:
            if any(needle in text for needle in needles):
                return kind
    if refusal.retry_after_ms is None:
        return LimitKind.UNKNOWN
    return LimitKind.DAY if refusal.retry_after_ms >= DAILY_FROM_MS else LimitKind.MINUTE


def resets_at(
    kind: LimitKind, now: datetime.datetime, retry_after_ms: int | None = None, refusals: int = 1
) -> datetime.datetime:
    """When a limit of this kind, met at `now`, should be over.

    A day's limit ends at midnight Pacific; a short `RetryInfo` beside it belongs to another limit.

    Args:
        refusals: in a row, this one included; short waits double with each.
    """
    if kind is LimitKind.MISSING:
        return now + OPERATOR_WAIT
    if kind is LimitKind.OUTAGE:
        return now + OUTAGE_WAIT
    if kind is LimitKind.DAY and (retry_after_ms is None or retry_after_ms < DAILY_FROM_MS):
        return day_of(now, QUOTA_ZONE)[1]
    if retry_after_ms is not None:
        seconds = min(retry_after_ms / 1000, LONGEST_WAIT.total_seconds())
        return now + max(SHORTEST_WAIT, datetime.timedelta(seconds=seconds))
    return now + untold_wait(refusals, CONCURRENCY_WAIT if kind is LimitKind.CONCURRENCY else MINUTE_WAIT)


def untold_wait(refusals: int, first: datetime.timedelta = MINUTE_WAIT) -> datetime.timedelta:
    """How long to leave a provider alone that did not say how long: `first`, doubling up to five minutes.

    Args:
        refusals: in a row, this one included.
    """
    doublings = min(max(0, refusals - 1), 8)
    return min(first * 2**doublings, WAIT_LIMIT)


def access_of(state: ModelState, holder: uuid.UUID, now: datetime.datetime) -> Access:
    """What the ledger allows `holder`, a live session, at this moment."""
    held = state.is_held_by_another(holder, now)
    if not state.is_spent:
        if _is_after(state.trusted_until, now):
            return Access.OPEN
        return Access.WAIT if held else Access.SCOUT
    if held or not state.is_due(now):
        return Access.WAIT if state.kind is LimitKind.CONCURRENCY else Access.SPENT
    return Access.PROBE


def claimed(state: ModelState, holder: uuid.UUID, now: datetime.datetime) -> ModelState:
    """The state once `holder` may dial alone."""
    return replace(state, prober=holder, probe_until=now + LEASE)


def after_refusal(
    state: ModelState,
    kind: LimitKind,
    now: datetime.datetime,
    retry_after_ms: int | None = None,
    text: str = "",
    *,
    costs_nobody: bool = False,
) -> ModelState:
    """The state after a refusal of this kind.

    One without any hint is taken for the limit per minute first; when the model is refused again after that minute, for
    the limit per day, unless it has answered somebody meanwhile: then there were too many sessions at once, and it is
    tried again and again, and so it is where it was asked for in the background, which costs nobody anything. Sessions
    that were under way when it was spent repeat what is known, and prolong nothing.
    """
    if state.is_spent and not state.is_due(now) and not _is_stronger(kind, state.kind):
        return state
    again = state.is_due(now) or (
        state.restored_at is not None and not state.is_spent and now < state.restored_at + PROBATION
    )
    refusals = state.refusals + 1 if again else 1
    is_hintless_again = kind is LimitKind.UNKNOWN and again and state.kind is LimitKind.UNKNOWN
    if is_hintless_again and state.answered_at is None and not costs_nobody:
        kind = LimitKind.DAY
    return ModelState(
        kind=kind,
        spent_since=state.spent_since if state.is_spent else now,
        resets_at=resets_at(kind, now, retry_after_ms, refusals),
        refusals=refusals,
        text=text,
    )


def after_success(state: ModelState, holder: uuid.UUID, now: datetime.datetime) -> ModelState:
    """The state after a set-up went through.

    It brings a spent model back when it was the probe; one that was under way when the model was spent proves nothing.
    """
    if state.is_spent:
        if state.prober != holder and not state.is_due(now):
            return state
        state = replace(state, restored_at=now)
    elif _is_after(state.trusted_until, now) and state.prober != holder:
        return state
    return replace(state, prober=None, probe_until=None, trusted_until=now + TRUST)


_STRENGTH = (LimitKind.OUTAGE, LimitKind.CONCURRENCY, LimitKind.UNKNOWN, LimitKind.MINUTE, LimitKind.DAY)


def _is_stronger(kind: LimitKind, known: LimitKind | None) -> bool:
    """Whether a refusal says more than is known: a limit that lasts longer, or a model that is missing."""
    if known is None or kind is LimitKind.MISSING:
        return True
    return known in _STRENGTH and _STRENGTH.index(kind) > _STRENGTH.index(known)


def _is_after(moment: datetime.datetime | None, now: datetime.datetime) -> bool:
    return moment is not None and now < moment
