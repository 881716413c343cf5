"""Days as the clocks of a place have them: pure."""

from __future__ import annotations

import datetime
from zoneinfo import ZoneInfo


def day_of(now: datetime.datetime, zone: str) -> tuple[datetime.datetime, datetime.datetime]:
    """The beginning of the day there and of the next one, in UTC; days of 23 and 25 hours are as long as they are."""
    here = ZoneInfo(zone)
    today = now.astimezone(here).date()
    begins, ends = (
        datetime.datetime.combine(day, datetime.time.min, here).astimezone(datetime.UTC)
        for day in (today, today + datetime.timedelta(days=1))
    )
    return begins, ends
