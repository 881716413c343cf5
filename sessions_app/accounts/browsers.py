"""The browsers in which somebody is logged in, and how they are logged out. Their rows are written here alone."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.contrib.auth import HASH_SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from sessions_app.accounts.browser_words import browser_words
from sessions_app.authority_signals import tell_that_rights_may_have_ended
from sessions_app.models import BrowserSession

SEEN_EVERY = datetime.timedelta(minutes=5)
"""That a browser was there is written this often at most: most requests only read."""

SHOWN = 50
"""The last seen of a user's browsers; whoever logs in by a script may have any number."""


@dataclass(frozen=True, slots=True)
class Browser:
    """One of them, as a page shows it. `id` is no secret, which the key of its session would be."""

    id: uuid.UUID
    words: str
    logged_in_at: datetime.datetime
    seen_at: datetime.datetime
    is_this_one: bool


def note(request: HttpRequest, user: User) -> None:
    """Somebody who is logged in was here, by this browser."""
    key = request.session.session_key
    if key is None:
        return
    now = timezone.now()
    known = BrowserSession.objects.filter(session_id=key)
    seen_at = known.values_list("seen_at", flat=True).first()
    if seen_at is None:
        words = browser_words(request.META.get("HTTP_USER_AGENT", ""))
        try:
            with transaction.atomic():
                BrowserSession.objects.create(user=user, session_id=key, browser=words, logged_in_at=now, seen_at=now)
        except IntegrityError:
            pass  # another request has noted it, or the session has ended meanwhile
    elif now - seen_at >= SEEN_EVERY:
        known.update(seen_at=now)


def note_log_in(sender: Any, request: HttpRequest, user: User, **signal: Any) -> None:
    """Receives Django's signal of a log-in."""
    note(request, user)


def note_seen(session_keys: Collection[str]) -> None:
    """The browsers with these sessions are there: they have a page open, and may not load another for hours."""
    now = timezone.now()
    BrowserSession.objects.filter(session_id__in=session_keys, seen_at__lte=now - SEEN_EVERY).update(seen_at=now)


def browsers_of(user: User, own_key: str | None) -> list[Browser]:
    """Where a user is logged in, this browser first, then the last seen; `SHOWN` at most.

    A password that an operator or a command has changed leaves sessions behind that let nobody in; they do not count.
    """
    rows = BrowserSession.objects.filter(user=user, session__expire_date__gt=timezone.now()).select_related("session")
    hashes = [user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()]
    browsers = [
        Browser(row.pk, row.browser, row.logged_in_at, row.seen_at, is_this_one=row.session_id == own_key)
        for row in rows.order_by("-seen_at")[:SHOWN]
        if any(constant_time_compare(row.session.get_decoded().get(HASH_SESSION_KEY, ""), hash) for hash in hashes)
    ]
    return sorted(browsers, key=lambda browser: not browser.is_this_one)


def log_out(user: User, id: uuid.UUID) -> bool:
    """Log a user's browser out, and close what it has open; False when there is none of this id."""
    return bool(_end(BrowserSession.objects.filter(user=user, pk=id)))


def log_out_others(user: User, own_key: str | None) -> int:
    """Log a user out everywhere but in the browser whose session has this key; gives the number of browsers."""
    return _end(BrowserSession.objects.filter(user=user).exclude(session_id=own_key))


def log_out_everywhere(user: User) -> int:
    """Log a user out in every browser; gives their number."""
    return _end(BrowserSession.objects.filter(user=user))


def _end(rows: QuerySet[BrowserSession]) -> int:
    """Their sockets end with them: at once where the channel layer tells, else with the next look at the rows."""
    with transaction.atomic():
        _, deleted = Session.objects.filter(browser_session__in=rows).delete()
        transaction.on_commit(tell_that_rights_may_have_ended)
    return deleted.get(Session._meta.label, 0)
