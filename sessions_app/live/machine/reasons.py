"""Why a live session stands where it stands, in the words that pages have sentences for."""

from __future__ import annotations

from enum import StrEnum


class StateReason(StrEnum):
    """Of the `state` message. Other reasons are codes for logs, of which a page says nothing.

    Those after `FAIR_USE` are verdicts of `failures.judge`.
    """

    QUEUED = "queued"
    BUSY = "busy"
    QUOTA = "quota"
    GONE = "gone"
    FAIR_USE = "fair-use"
    ACCESS_DENIED = "access-denied"
    BAD_KEY = "bad-key"
    BAD_REQUEST = "bad-request"
    BILLING = "billing"
    NETWORK = "network"
    PROVIDER_FAULT = "provider-fault"
    PROVIDER_UNAVAILABLE = "provider-unavailable"
    RATE_LIMIT = "rate-limit"
    REGION = "region"
    TOKEN_REFUSED = "token-refused"  # noqa: S105 - no token


class GapCause(StrEnum):
    """Why a line was left for another one, where that was our choice. Other causes are the verdicts of
    `failures.judge`, the reasons of a connection that was abandoned, and that of a ladder that is exhausted."""

    GO_AWAY = "go-away"
    LEVEL_CHANGED = "level-changed"
    MEMORY_LOST = "memory-lost"
    REFRESH = "refresh"
    SETTINGS = "settings"


PLANNED = (GapCause.GO_AWAY, GapCause.LEVEL_CHANGED, GapCause.REFRESH, GapCause.SETTINGS)
"""Nothing was wrong with the line, and the moment was a safe one, or announced."""
