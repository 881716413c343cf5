"""Personal access keys: by one, a program of a user's own asks in their name. Their rows are written here alone.

Each is for one use, for what one program is trusted with another need not be. A key is shown once, and kept as a
digest: it is random enough that nobody finds it from that. It ends when it is revoked, with the account, and with the
password under which it was made, as the log-ins of browsers do.
"""

from __future__ import annotations

import datetime
import hashlib
import logging
import secrets
import uuid
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.translation import ngettext

from sessions_app.models import AccessKey

logger = logging.getLogger(__name__)

PREFIX = "hl_"
"""By which people, and programs that look for secrets in the wrong places, know one."""

RANDOM_BYTES = 32
SHOWN_CHARACTERS = 7
KEYS_OF_A_USER = 10
USED_EVERY = datetime.timedelta(minutes=5)
"""That a key was used is written this often at most."""


class NoMoreKeys(Exception):
    """The user has as many as there may be. As a string, a sentence for people."""

    def __str__(self) -> str:
        words = ngettext(
            "You have %(count)s key already. Revoke one that is not used any more.",
            "You have %(count)s keys already. Revoke one that is not used any more.",
            KEYS_OF_A_USER,
        )
        return words % {"count": KEYS_OF_A_USER}


class NameTaken(Exception):
    """The user has a key of this name."""


@dataclass(frozen=True, slots=True)
class MadeKey:
    """A key, this once: `value` is the secret."""

    row: AccessKey
    value: str


def make(user: User, name: str, use: AccessKey.Use = AccessKey.Use.TOKENS) -> MadeKey:
    """Make a key. Raises `NoMoreKeys` and `NameTaken`."""
    value = PREFIX + secrets.token_urlsafe(RANDOM_BYTES)
    with transaction.atomic():
        list(User.objects.select_for_update(no_key=True).filter(pk=user.pk).values_list("pk"))
        AccessKey.objects.filter(user=user).exclude(password_trace__in=_traces(user)).delete()
        if AccessKey.objects.filter(user=user).count() >= KEYS_OF_A_USER:
            raise NoMoreKeys
        try:
            with transaction.atomic():
                row = AccessKey.objects.create(
                    user=user,
                    name=name,
                    use=use,
                    digest=_digest(value),
                    hint=value[:SHOWN_CHARACTERS],
                    password_trace=user.get_session_auth_hash(),
                )
        except IntegrityError:
            raise NameTaken from None
    logger.info("made an access key", extra={"access_key": row.pk, "user": user.pk})
    return MadeKey(row, value)


def find(value: str, use: AccessKey.Use) -> AccessKey | None:
    """The key that this is, with its user; None when it lets nobody in (any more), or is for something else."""
    keys = AccessKey.objects.select_related("user")
    row = keys.filter(digest=_digest(value), use=use, user__is_active=True).first()
    if row is None or not _fits_password(row):
        return None
    now = timezone.now()
    if row.last_used_at is None or now - row.last_used_at >= USED_EVERY:
        AccessKey.objects.filter(pk=row.pk).update(last_used_at=now)
    return row


def still_counts(key: AccessKey) -> bool:
    """Whether a key that let somebody in lets them in still: it stands there, and so do account and password."""
    row = AccessKey.objects.select_related("user").filter(pk=key.pk, user__is_active=True).first()
    return row is not None and _fits_password(row)


def keys_of(user: User) -> list[AccessKey]:
    """Those that let somebody in, the newest first."""
    return list(AccessKey.objects.filter(user=user, password_trace__in=_traces(user)).order_by("-made_at"))


def revoke(user: User, id: uuid.UUID) -> bool:
    """End a key of a user; False when there is none of this id."""
    revoked = bool(AccessKey.objects.filter(user=user, pk=id).delete()[1].get(AccessKey._meta.label))
    if revoked:
        logger.info("revoked an access key", extra={"access_key": id, "user": user.pk})
    return revoked


def _fits_password(row: AccessKey) -> bool:
    return any(constant_time_compare(row.password_trace, trace) for trace in _traces(row.user))


def _traces(user: User) -> list[str]:
    """What a key of the present password may carry: as many as there are keys of the server."""
    return [user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()]


def _digest(value: str) -> str:
    return hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()
