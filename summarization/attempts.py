"""When a summary that failed is tried again: pure."""

from __future__ import annotations

import datetime

from summarization.summarizer import SummarizerError

CLAIM_VALID = datetime.timedelta(minutes=10)
"""Longer than a summary in many pieces takes; a worker that died is forgotten then."""

TRIES_BEFORE_FAILED = 6
"""After 5 s, 10 s, 20 s, ...: for the first two and a half minutes a summary is late, then it has failed."""

TRIES_BY_ITSELF = 20
"""A failed summary goes on being tried, at last every six hours, for about two days."""

FIRST_DELAY = datetime.timedelta(seconds=5)
LONGEST_DELAY = datetime.timedelta(hours=6)


def delay_after(tries: int, failure: SummarizerError) -> datetime.timedelta | None:
    """How long to wait after so many tries of which the last ended with `failure`; None when it is of no use.

    A provider that says how long it wants to be left alone is believed, up to the longest delay.
    """
    if not failure.may_work_later or tries >= TRIES_BY_ITSELF:
        return None
    asked = datetime.timedelta(seconds=failure.retry_after_s or 0)
    return min(max(FIRST_DELAY * 2 ** max(0, tries - 1), asked), LONGEST_DELAY)
