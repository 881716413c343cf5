"""How things stand with a token: pure. How often it was used the provider alone knows."""

from __future__ import annotations

import datetime
from dataclasses import asdict, dataclass
from typing import Any

RENEW_BEFORE_MS = 60_000
"""With so little time left it is worth having the next one."""

_MS = datetime.timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class TokenStatus:
    """What can be said of a token.

    `has_token`: there is one that was not forgotten. `is_valid`: what it opened goes on and can be resumed.
    `can_start_new_session`: it may also begin one, if it is not used up. `uses`: how many it may begin in all.
    `name`: what can be shown of it; it lets nobody in. Both times are ms, 0 when over.
    """

    has_token: bool = False
    can_start_new_session: bool = False
    is_valid: bool = False
    new_session_time_left_ms: int = 0
    total_time_left_ms: int = 0
    uses: int = 0
    name: str = ""

    @property
    def is_due_for_renewal(self) -> bool:
        return self.has_token and self.total_time_left_ms <= RENEW_BEFORE_MS

    def as_data(self) -> dict[str, Any]:
        return asdict(self)


NO_TOKEN = TokenStatus()


def status_of(
    name: str,
    uses: int,
    new_session_expire_time: datetime.datetime,
    expire_time: datetime.datetime,
    now: datetime.datetime,
) -> TokenStatus:
    """The status of a token that was not forgotten."""
    total_ms = _left_ms(expire_time, now)
    begin_ms = min(_left_ms(new_session_expire_time, now), total_ms)
    return TokenStatus(True, begin_ms > 0, total_ms > 0, begin_ms, total_ms, uses, name)


def _left_ms(until: datetime.datetime, now: datetime.datetime) -> int:
    return max(0, (until - now) // _MS)
