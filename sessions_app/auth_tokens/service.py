"""Ephemeral tokens of users: made, renewed, forgotten. The only writer of `EphemeralToken`.

The token itself is given once and kept nowhere: a row has what can be shown of it. The provider takes none back, so
that one is forgotten means that nothing here makes another in its place; it counts until its time is over.
"""

from __future__ import annotations

import datetime
import logging
import math
import uuid
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from energy.ladders import models_for_tokens
from energy.levels import profile_of
from sessions_app.auth_tokens.status import NO_TOKEN, TokenStatus, status_of
from sessions_app.auth_tokens.terms import Rules, Wish, locked_by, order_of, read_wish
from sessions_app.live.providers.minting import Minter, MintingFailed
from sessions_app.models import AccessKey, EphemeralToken

logger = logging.getLogger(__name__)

DAY = datetime.timedelta(days=1)
KEPT = datetime.timedelta(days=30)
"""Rows of tokens that are over are there so long, for whoever asks who had one."""

UNMADE_KEPT = datetime.timedelta(hours=1)
"""Rows of tokens that were asked for by a process that did not live to hear the answer."""

SHOWN_CHARACTERS = 18
"""Of a token: `auth_tokens/` and 6 of at least 32 digits."""


class TooManyTokens(Exception):
    """The user has had as many as they may; there may be another in `wait_s` seconds."""

    def __init__(self, a_day: int, wait_s: int) -> None:
        super().__init__(_("You may have %(count)s tokens in 24 hours, and have had them.") % {"count": a_day})
        self.wait_s = wait_s


class NoSuchToken(Exception):
    """The user has none of this id, or it was forgotten."""


class RightEnded(Exception):
    """The account was closed or deleted, or the access key revoked, while somebody asked by it."""


@dataclass(frozen=True, slots=True)
class MintedToken:
    """A token, this once: `value` is the secret."""

    row: EphemeralToken
    value: str


def rules_of_the_server() -> Rules:
    """What the settings allow. The best model for calls comes first."""
    return Rules(
        models=models_for_tokens(),
        locked=frozenset(settings.EPHEMERAL_TOKEN_LOCKS),
        instruction=settings.ASSISTANT_INSTRUCTION,
        voice=settings.ASSISTANT_VOICE,
        longest_s=settings.EPHEMERAL_TOKEN_MAX_MINUTES * 60,
        a_day=settings.EPHEMERAL_TOKENS_PER_DAY,
    )


class EphemeralTokenService:
    """The tokens of one user. To be used outside of transactions: the provider is asked in between.

    Args:
        user: whose.
        minter: makes them.
        rules: what may be asked for.
        access_key: of theirs, by which they ask.
    """

    def __init__(self, user: User, minter: Minter, rules: Rules, access_key: AccessKey | None = None) -> None:
        self._user = user
        self._access_key = access_key
        self._minter = minter
        self._rules = rules

    def create_token(self, asked: object) -> MintedToken:
        """Make a token.

        Args:
            asked: as the body of a request has it, see `docs/own-client.md`.

        Raises `WishRefused`, `TooManyTokens`, `MintingFailed` and `RightEnded`; there is then no row of it.
        """
        return self._mint(read_wish(asked, self._rules))

    def renew_token(self, id: uuid.UUID) -> MintedToken:
        """Make another in the place of a token, as it was asked for, by the present rules; the old one is forgotten.

        As often as wanted, before it expires or after. Raises as `create_token`, when nothing has changed, and
        `NoSuchToken`.
        """
        old = self._row(id)
        minted = self._mint(read_wish(old.asked, self._rules))
        forget(EphemeralToken.objects.filter(user=self._user, pk=old.pk))
        return minted

    def forget_token(self, id: uuid.UUID) -> None:
        """Nothing makes another in its place any more. Raises `NoSuchToken`."""
        self._row(id)
        forget(EphemeralToken.objects.filter(user=self._user, pk=id))

    def get_token_status(self, id: uuid.UUID | None = None) -> TokenStatus:
        """The status of a token, without an id of the newest; that of none where there is none."""
        rows = self._rows() if id is None else self._rows().filter(pk=id)
        row = rows.order_by("-made_at").first()
        return NO_TOKEN if row is None else status_of_row(row, timezone.now())

    def tokens(self, limit: int) -> list[EphemeralToken]:
        """Those that were not forgotten and are not over, the newest first."""
        rows = self._rows().filter(expire_time__gt=timezone.now()).select_related("access_key")
        return list(rows.order_by("-made_at")[:limit])

    def left_today(self) -> int | None:
        """How many the user may still ask for at the moment; None for any number."""
        return max(0, self._rules.a_day - self._of_the_day().count()) if self._rules.a_day else None

    def _mint(self, wish: Wish) -> MintedToken:
        now = timezone.now()
        order = order_of(wish, self._rules, profile_of(wish.model).thinking_level, now)
        row = EphemeralToken(
            user=self._user,
            access_key=self._access_key,
            model=order.model,
            asked=wish.as_data(),
            locked=sorted(locked_by(wish, self._rules)),
            uses=order.uses,
            made_at=now,
            new_session_expire_time=order.new_session_expire_time,
            expire_time=order.expire_time,
        )
        self._reserve(row)
        try:
            value = self._minter.mint(order)
        except MintingFailed:
            row.delete()
            raise
        row.name = f"{value[:SHOWN_CHARACTERS]}…"
        # A key that was revoked meanwhile is the row's no more.
        still = EphemeralToken.objects.filter(pk=row.pk, user__is_active=True, access_key=self._access_key)
        named = still.update(name=row.name)
        if not named:
            EphemeralToken.objects.filter(pk=row.pk).delete()
            raise RightEnded
        logger.info("made an ephemeral token", extra={"token": row.pk, "user": self._user.pk})
        return MintedToken(row, value)

    def _reserve(self, row: EphemeralToken) -> None:
        """Store the row, nameless, unless the user has had enough: of those who ask side by side, too."""
        with transaction.atomic():
            if not User.objects.select_for_update(no_key=True).filter(pk=self._user.pk, is_active=True).first():
                raise RightEnded
            key = self._access_key
            if key and not AccessKey.objects.select_for_update(no_key=True).filter(pk=key.pk).first():
                raise RightEnded
            if full_since := self._full_since():
                wait = full_since + DAY - row.made_at
                raise TooManyTokens(self._rules.a_day, max(1, math.ceil(wait.total_seconds())))
            row.save(force_insert=True)

    def _full_since(self) -> datetime.datetime | None:
        """When the one was asked for that has to be a day old before there may be another; None if there may be now."""
        if not self._rules.a_day:
            return None
        newest_first = self._of_the_day().order_by("-made_at").values_list("made_at", flat=True)
        return next(iter(newest_first[self._rules.a_day - 1 : self._rules.a_day]), None)

    def _row(self, id: uuid.UUID) -> EphemeralToken:
        row = self._rows().filter(pk=id).first()
        if row is None:
            raise NoSuchToken
        return row

    def _rows(self) -> QuerySet[EphemeralToken]:
        return EphemeralToken.objects.filter(user=self._user, forgotten_at=None).exclude(name="")

    def _of_the_day(self) -> QuerySet[EphemeralToken]:
        return EphemeralToken.objects.filter(user=self._user, made_at__gt=timezone.now() - DAY)


def status_of_row(row: EphemeralToken, now: datetime.datetime) -> TokenStatus:
    """The status of a token that was made."""
    if row.forgotten_at is not None:
        return NO_TOKEN
    return status_of(row.name, row.uses, row.new_session_expire_time, row.expire_time, now)


def forget(rows: QuerySet[EphemeralToken]) -> int:
    """Forget those that are not forgotten yet; gives their number."""
    ids = list(rows.filter(forgotten_at=None).values_list("pk", flat=True))
    count = EphemeralToken.objects.filter(pk__in=ids, forgotten_at=None).update(forgotten_at=timezone.now())
    for id in ids:
        logger.info("forgot an ephemeral token", extra={"token": id})
    return count


def prune() -> int:
    """Delete the rows of tokens that were over long ago, and of those that were never made; gives their number."""
    now = timezone.now()
    over = Q(expire_time__lt=now - KEPT) | Q(name="", made_at__lt=now - UNMADE_KEPT)
    return EphemeralToken.objects.filter(over).delete()[0]


def as_data(row: EphemeralToken, now: datetime.datetime) -> dict[str, Any]:
    """A token as answers have it: what can be shown of it, and its status."""
    return {
        "id": str(row.pk),
        "access_key": None if row.access_key is None else row.access_key.name,
        "model": row.model,
        "locked_fields": row.locked,
        "made_at": row.made_at.isoformat(),
        "new_session_expire_time": row.new_session_expire_time.isoformat(),
        "expire_time": row.expire_time.isoformat(),
        **status_of_row(row, now).as_data(),
    }
