"""The counts of `throttle`'s rules, shared by all workers. Plain sync functions, the only writers of `Throttle`.

A try is taken before what it tries is done, and given back if it was right: of any number that come at the same moment
no more get through than the rule says. Without the database nothing is let through: what is limited needs it anyway.
"""

from __future__ import annotations

import datetime
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.crypto import salted_hmac

from sessions_app.models import Throttle
from sessions_app.throttle import (
    Count,
    Limit,
    Rule,
    Scope,
    TooManyTries,
    after_try,
    given_back,
    over_at,
    wait_s,
)

logger = logging.getLogger(__name__)

BATCH = 200
"""Rows pruned in one transaction."""

Subjects = Mapping[Scope, str]
"""Who tries: an address, a name or an id, a device. Only their digests are stored, and addresses."""


@dataclass(frozen=True, slots=True)
class TakenTry:
    """A try that was let through, and until when it closed each of the rows on which it counts."""

    rule: Rule
    closed_until: Mapping[int, datetime.datetime | None]


def take(rule: Rule, subjects: Subjects, user: User | None = None) -> TakenTry:
    """Count a try that is about to be made. Raises `TooManyTries` and counts nothing where one of them has to wait.

    Args:
        subjects: for which of the rule's scopes it counts.
        user: whose account is tried, if there is one, for operators to see.
    """
    # Those who have to wait lock nothing and write nothing, however many they are.
    _refuse_if_closed(_rows(rule, subjects), rule, timezone.now())
    with transaction.atomic():
        # One after the other in the same order, so that no two of them wait for each other.
        rows = [_locked(rule, scope, subjects[scope]) for scope in Scope if scope in subjects]
        now = timezone.now()
        _refuse_if_closed(rows, rule, now)
        for row in rows:
            _count(row, rule, now, user)
    return TakenTry(rule, {row.pk: row.closed_until for row in rows})


@transaction.atomic
def succeed(taken: TakenTry) -> None:
    """The try was right: what was counted for the account or the device is forgotten.

    An address gets back this one try alone: whoever owns one account there must not open it for tries on others.
    """
    rows = Throttle.objects.select_for_update().filter(pk__in=taken.closed_until)
    for row in rows.order_by("-scope"):  # an address before an account, as in `take`
        if row.scope == Scope.ADDRESS:
            _write(row, given_back(row.count, taken.closed_until[row.pk]), taken.rule.limits[Scope.ADDRESS])
            continue
        if row.tries > 1:
            logger.info("a right try after wrong ones", extra=_facts(row))
        row.delete()


def forget(throttles: Iterable[Throttle]) -> int:
    """Let those in again who would have to wait; gives the number of counts."""
    return sum(Throttle.objects.filter(pk=throttle.pk).delete()[0] for throttle in throttles)


def prune() -> int:
    """Delete the counts of which nothing matters any more; gives their number."""
    count = 0
    while deleted := _prune_some():
        count += deleted
    return count


@transaction.atomic
def _prune_some() -> int:
    """Delete a batch, leaving out what somebody is counting on at the moment."""
    over = Throttle.objects.select_for_update(skip_locked=True).filter(over_at__lte=timezone.now()).order_by("pk")
    deleted, _ = Throttle.objects.filter(pk__in=list(over.values_list("pk", flat=True)[:BATCH])).delete()
    return deleted


def _rows(rule: Rule, subjects: Subjects) -> Iterable[Throttle]:
    wanted = Q()
    for scope, subject in subjects.items():
        wanted |= Q(scope=scope, digest=_digest(rule, scope, subject))
    return Throttle.objects.filter(wanted, kind=rule.name)


def _refuse_if_closed(rows: Iterable[Throttle], rule: Rule, now: datetime.datetime) -> None:
    """Tells of the longest wait, for whoever has waited so long shall not be told to wait again."""
    seconds, scope = max(((wait_s(row.count, now), row.scope) for row in rows), default=(0, ""))
    if seconds:
        raise TooManyTries(rule, Scope(scope), seconds)


def _locked(rule: Rule, scope: Scope, subject: str) -> Throttle:
    """The row of a subject, made where there is none. It may be pruned between any two statements."""
    key = {"kind": rule.name, "scope": scope, "digest": _digest(rule, scope, subject)}
    address = subject if scope is Scope.ADDRESS else ""
    while True:  # each round takes another deletion
        row = Throttle.objects.select_for_update().filter(**key).first()
        if row is not None:
            return row
        now = timezone.now()
        fresh = Throttle(**key, address=address, first_at=now, last_at=now, counted_at=now, over_at=now)
        Throttle.objects.bulk_create([fresh], ignore_conflicts=True)


def _count(row: Throttle, rule: Rule, now: datetime.datetime, user: User | None) -> None:
    limit = rule.limits[Scope(row.scope)]
    if row.scope != Scope.ADDRESS:
        row.user = user
    row.total, row.last_at = row.total + 1, now
    _write(row, after_try(row.count, limit, now), limit)
    if row.closed_until is not None:
        logger.warning("too many tries, closed for a while", extra=_facts(row) | {"wait_s": wait_s(row.count, now)})


def _write(row: Throttle, count: Count, limit: Limit) -> None:
    row.tries, row.counted_at, row.closed_until = count.tries, count.counted_at, count.closed_until
    row.over_at = over_at(count, limit)
    row.save()


def _facts(row: Throttle) -> dict[str, object]:
    return {"throttle": row.kind, "scope": row.scope, "tries": row.tries, "user": row.user_id}


def _digest(rule: Rule, scope: Scope, subject: str) -> str:
    """Stands for a subject. Keyed, for what is typed as a name is sometimes a password."""
    salt = f"sessions_app.throttle {rule.name} {scope}"
    return salted_hmac(salt, subject.encode("utf-8", "backslashreplace"), algorithm="sha256").hexdigest()
