"""What was said to pages while they were away, for those that come back after their session was closed here: rows, so
that any worker can give it to them."""

from __future__ import annotations

import datetime
import uuid

from django.db.models import Sum
from django.utils import timezone

from energy.levels import Mode
from sessions_app import secrets
from sessions_app.live.parcel import Parcel, unpack
from sessions_app.models import KeptSound

KEPT = datetime.timedelta(minutes=10)

PAGES_OF_A_USER = 2
"""The last page lives of a user in one mode: whoever loads pages one after the other must not fill the database."""

LIMIT_BYTES = 256_000_000
"""In all. At most a minute of sound of either side is 5 MB, and a third more when it is encrypted."""


def keep(user_id: int, mode: Mode, page_id: uuid.UUID, parcel: Parcel) -> None:
    """Keep what a page life has not heard; whatever was kept for it before goes."""
    now = timezone.now()
    KeptSound.objects.filter(user=user_id, mode=mode, page_id=page_id).delete()
    prune()
    if parcel.is_empty:
        return
    ciphertext = secrets.encrypt_bytes(parcel.pack())
    KeptSound.objects.create(
        user_id=user_id,
        mode=mode,
        page_id=page_id,
        ciphertext=ciphertext,
        size_bytes=len(ciphertext),
        until=now + KEPT,
    )
    of_user = KeptSound.objects.filter(user=user_id, mode=mode).order_by("-until", "-pk")
    KeptSound.objects.filter(pk__in=list(of_user.values_list("pk", flat=True)[PAGES_OF_A_USER:])).delete()
    _bound()


def take(user_id: int, mode: Mode, page_id: uuid.UUID) -> Parcel | None:
    """What a page life that is back has missed; None when there is nothing for it. It is given once."""
    row = KeptSound.objects.filter(user=user_id, mode=mode, page_id=page_id).first()
    if row is None:
        return None
    row.delete()
    packed = secrets.decrypt_bytes(row.ciphertext) if row.until > timezone.now() else None
    return None if packed is None else unpack(packed)


def prune() -> None:
    """Delete what nobody asked for in time."""
    KeptSound.objects.filter(until__lte=timezone.now()).delete()


def _bound() -> None:
    """Delete the oldest while there is too much."""
    while (KeptSound.objects.aggregate(size=Sum("size_bytes"))["size"] or 0) > LIMIT_BYTES:
        oldest = KeptSound.objects.order_by("until", "pk").values_list("pk", flat=True)[:1]
        KeptSound.objects.filter(pk__in=list(oldest)).delete()
