"""What is told of a recording's copy at the provider: pure."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from enum import StrEnum

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from sessions_app.recordings import google_rules
from sessions_app.recordings.google_rules import Known, State


class Place(StrEnum):
    """What there is of a recording at the provider."""

    ALONG = "along"
    """Nothing: it is so small that it goes along with each question."""

    NOWHERE = "nowhere"
    """Nothing: it is uploaded with the next question about it."""

    COMING = "coming"
    """It is being uploaded, or processed while somebody waits for it."""

    THERE = "there"
    """It is used by the next question about it, which may have to wait until it is processed."""

    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Copy:
    """`expires_in`: in words, of what is there. `sent_bytes`: of what is coming. `reason`: why it has failed."""

    place: Place
    expires_at: datetime.datetime | None = None
    expires_in: str = ""
    sent_bytes: int = 0
    reason: str = ""

    @property
    def can_be_deleted(self) -> bool:
        return self.place in (Place.THERE, Place.FAILED)


def copy_shown(
    size_bytes: int, known: Known | None, now: datetime.datetime, sent_bytes: int = 0, reason: str = ""
) -> Copy:
    """What is told of a recording of `size_bytes`; `known`: its copy, if there has ever been one."""
    nothing = Copy(Place.ALONG if size_bytes <= google_rules.INLINE_BYTES else Place.NOWHERE)
    if known is None or known.state is State.DELETED:
        return nothing
    if known.state is State.FAILED:
        return Copy(Place.FAILED, reason=reason)
    if known.is_claimed and known.state is not State.ACTIVE:
        return Copy(Place.COMING, sent_bytes=min(sent_bytes, size_bytes))
    if known.state is State.UPLOADING or known.expires_at is None or known.expires_at <= now:
        return nothing
    return Copy(Place.THERE, known.expires_at, left_words(known.expires_at - now))


def left_words(left: datetime.timedelta) -> str:
    """Such as "31 h" or "45 minutes"; never more than there is."""
    minutes = max(0, int(left.total_seconds() // 60))
    if minutes >= 120:
        return _("%(hours)s h") % {"hours": minutes // 60}
    if not minutes:
        return _("less than a minute")
    return ngettext("%(count)s minute", "%(count)s minutes", minutes) % {"count": minutes}
