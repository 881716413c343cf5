"""Claiming rows: whoever claims one does what it asks for, and says so again and again while at it.

A claim is short, so that what a dead worker had in hand is taken over soon, and is renewed by a thread of its own, so
that a model may think for minutes. Its number is a fence: every write of the holder is conditional on it, and who was
suspended for too long writes nothing. Times are those of the database's clock, for machines do not agree on the time.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from django.db import Error, connection, transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from sessions_app.claimable import Claimable
from sessions_app.process_names import own_name
from summarization import attempts

logger = logging.getLogger(__name__)

Row = TypeVar("Row", bound=Claimable)

RENEWAL_RETRY_S = 1.0
"""A database that was away may be back by then; between renewals that went well there is more time."""

LOST_AT_ONCE = 500
"""Claims that are taken back in one transaction; the next cleanup finds the others."""

_FREE: dict[str, Any] = {"claim": None, "claimed_by": "", "claimed_until": None}

GIVEN_BACK: dict[str, Any] = {**_FREE, "claims_lost": 0}
"""What a holder that has come to an end writes into its row, beside what came of it."""


@dataclass(frozen=True, slots=True)
class Claim(Generic[Row]):
    """The right to do what a row asks for."""

    model: type[Row]
    about_id: uuid.UUID
    number: uuid.UUID

    @property
    def rows(self) -> QuerySet[Row]:
        """The row for as long as it is held, then none: what the holder reads and writes."""
        return self.model._default_manager.filter(**{self.model.CLAIMED_FOR: self.about_id}, claim=self.number)

    def renew(self, now: datetime | Now | None = None) -> bool:
        """Hold it for another while from now; False when it was taken back, or the row is gone."""
        return bool(self.rows.update(claimed_until=(now or Now()) + attempts.CLAIM_VALID))


def may_be_taken(now: datetime) -> Q:
    """What is due by the clock of this machine, as it was written: a minute is no matter there. Nobody has it, and
    neither tries nor lost workers have used up its chances."""
    chances = Q(attempts__lt=attempts.TRIES_BY_ITSELF, claims_lost__lt=attempts.CLAIMS_LOST_BEFORE_FAILED)
    return Q(due_at__lte=now, claimed_until=None) & chances


def take(wanted: QuerySet[Row], about_id: uuid.UUID, now: datetime | Now | None = None) -> Claim[Row] | None:
    """Claim the one row of these that is due, unless somebody has it; counts an attempt.

    A claim that ran out is not free until `take_back_lost` has counted it.
    """
    claim = Claim(wanted.model, about_id, uuid.uuid4())
    taken = wanted.filter(may_be_taken(timezone.now()), **{wanted.model.CLAIMED_FOR: about_id}).update(
        claim=claim.number,
        claimed_by=own_name(),
        claimed_until=(now or Now()) + attempts.CLAIM_VALID,
        attempts=F("attempts") + 1,
    )
    return claim if taken else None


@transaction.atomic
def take_back_lost(model: type[Claimable], now: datetime | Now | None = None) -> int:
    """Free the rows whose claims ran out, and count a lost worker for each; gives their number."""
    run_out: QuerySet[Any] = model._default_manager.filter(claimed_until__lte=now or Now())
    # What another cleanup is taking back, or a holder is writing at this moment, is left to them.
    locked = run_out.select_for_update(skip_locked=True).order_by("claimed_until")
    lost = list(locked.values_list("pk", model.CLAIMED_FOR, "claimed_by")[:LOST_AT_ONCE])
    for _, about_id, holder in lost:
        logger.warning("%s was lost while it was at %s", holder or "somebody", about_id)
    ids = [pk for pk, *_ in lost]
    return model._default_manager.filter(pk__in=ids).update(**_FREE, claims_lost=F("claims_lost") + 1) if ids else 0


def let_go_of_own(model: type[Claimable]) -> int:
    """Free what this process has in hand, which ends in order: nobody has to wait, and no loss is counted."""
    return model._default_manager.filter(claimed_by=own_name(), claimed_until__isnull=False).update(**_FREE)


@contextmanager
def kept(claim: Claim[Row], renew_every_s: float = attempts.RENEW_EVERY_S) -> Iterator[None]:
    """Renew a claim from a thread until the block is left, in whatever way; for `LONGEST_WORK_S` at most."""
    is_over = threading.Event()
    renewing = threading.Thread(
        target=_renew, args=(claim, renew_every_s, is_over), name=f"claim-{claim.number}", daemon=True
    )
    renewing.start()
    try:
        yield
    finally:
        is_over.set()
        renewing.join()


def _renew(claim: Claim[Row], every_s: float, is_over: threading.Event) -> None:
    started = time.monotonic()
    wait_s = every_s
    while not is_over.wait(wait_s):
        if time.monotonic() - started > attempts.LONGEST_WORK_S:
            logger.error("somebody has been at %s for too long: its claim is left to run out", claim.about_id)
            return
        try:
            is_held = claim.renew()
        except Error as error:
            logger.warning("a claim could not be renewed: %s", type(error).__name__)
            wait_s = RENEWAL_RETRY_S
            continue
        finally:
            connection.close()  # this thread's own, back to the pool
        if not is_held:
            logger.warning("the claim of %s is lost: what comes of it will not count", claim.about_id)
            return
        wait_s = every_s
