"""The moment of the figures, and the day it belongs to."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from functools import cached_property

from energy.days import day_of


@dataclass(frozen=True)
class Clock:
    """`zone`: whose clocks say when the day begins."""

    now: datetime.datetime
    zone: str

    @cached_property
    def day(self) -> tuple[datetime.datetime, datetime.datetime]:
        """The beginning of today, and that of tomorrow."""
        return day_of(self.now, self.zone)

    def days_ago(self, days: int) -> datetime.datetime:
        """The beginning of an earlier day."""
        return day_of(self.now - datetime.timedelta(days=days), self.zone)[0]
