"""Claiming rows: whoever claims one does what it asks for, and a claim ends by itself."""

from __future__ import annotations

import datetime
import uuid
from typing import TypeVar

from django.db.models import F, Model, Q, QuerySet
from django.utils import timezone

from summarization import attempts

Row = TypeVar("Row", bound=Model)


def claim_row(rows: QuerySet[Row]) -> datetime.datetime | None:
    """Take the one row of these that is due, unless somebody has it; gives the end of the claim, which is its mark."""
    now = timezone.now()
    claim = now + attempts.CLAIM_VALID
    is_free = Q(claimed_until__isnull=True) | Q(claimed_until__lte=now)
    due = rows.filter(is_free, due_at__lte=now, attempts__lt=attempts.TRIES_BY_ITSELF)
    return claim if due.update(claimed_until=claim, attempts=F("attempts") + 1) else None


def held_row(rows: QuerySet[Row], conversation_id: uuid.UUID, claim: datetime.datetime) -> Row | None:
    """The row as it was claimed, with its conversation; None when it was deleted since."""
    claimed = rows.filter(conversation_id=conversation_id, claimed_until=claim)
    return claimed.select_related("conversation").first()
