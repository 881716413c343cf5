"""Days and times as the clocks of a place have them: pure."""

from __future__ import annotations

import datetime
from zoneinfo import ZoneInfo

from energy.marking import gettext_noop

UNKNOWN_TIME = gettext_noop("further notice")


def day_of(now: datetime.datetime, zone: str) -> tuple[datetime.datetime, datetime.datetime]:
    """The beginning of the day there and of the next one, in UTC; days of 23 and 25 hours are as long as they are."""
    here = ZoneInfo(zone)
    today = now.astimezone(here).date()
    begins, ends = (
        datetime.datetime.combine(day, datetime.time.min, here).astimezone(datetime.UTC)
        for day in (today, today + datetime.timedelta(days=1))
    )
    return begins, ends


def time_in_words(moment: datetime.datetime | None, now: datetime.datetime, zone: str) -> str:
    """A moment for people: "14:30 UTC", on another day "Monday 07:00 UTC"."""
    if moment is None:
        return UNKNOWN_TIME
    here = ZoneInfo(zone)
    local = moment.astimezone(here)
    is_today = local.date() == now.astimezone(here).date()
    return f"{local:%H:%M %Z}" if is_today else f"{local:%A %H:%M %Z}"
