"""When a summary that failed is tried again, and how long somebody may be at one: pure."""

from __future__ import annotations

import datetime

from summarization.summarizer import SummarizerError

CLAIM_VALID = datetime.timedelta(seconds=30)
"""Who has not renewed a claim for so long is dead, or suspended: somebody else takes over."""

RENEW_EVERY_S = 8.0
"""Leaves time for a few that fail before the claim runs out."""

CLAIMS_LOST_BEFORE_FAILED = 3
"""What so many workers in a row were lost at may be what kills them: nobody tries it any more by itself."""

LONGEST_WORK_S = 600
"""However long a transcript is, nobody is at it for longer, and no claim is renewed for longer."""

LONGEST_ROLLING_WORK_S = 180

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
