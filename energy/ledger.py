"""The quota ledger: the rows of `quota`'s rules, shared by all users and workers. Plain sync functions."""

from __future__ import annotations

import datetime
import logging
import uuid
from collections.abc import Callable, Collection, Iterable, Mapping

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils.crypto import salted_hmac

from energy.models import ModelQuota
from energy.places import place_of
from energy.quota import (
    PROBATION,
    Access,
    LimitKind,
    ModelState,
    Refusal,
    access_of,
    after_refusal,
    after_success,
    claimed,
    limit_of,
)

logger = logging.getLogger(__name__)

PROJECT_CHARACTERS = 16
TEXT_CHARACTERS = 300
CLAIM_ATTEMPTS = 3
"""Each fails only when somebody else has just changed the row."""

UNHEARD_OF = ModelState()


def project_of(model: str) -> str:
    """Stands for the project that a model is asked for: quota belongs to it.

    Of the Developer API the key is all that is known of it. Of Agent Platform each location has a quota of its own.
    """
    place = place_of(model)
    if not place.is_agent_platform:
        return project_of_the_key()
    return _standing_for(f"{settings.GOOGLE_CLOUD_PROJECT}/{place.location}")


def project_of_the_key() -> str:
    """Stands for the project of the Developer API."""
    return _standing_for(settings.GEMINI_API_KEY)


def _standing_for(subject: str) -> str:
    return salted_hmac("energy.ledger", subject).hexdigest()[:PROJECT_CHARACTERS]


def projects_of(models: Iterable[str]) -> frozenset[str]:
    """The projects that these models are asked for."""
    return frozenset(map(project_of, models))


def states_of(models: Iterable[str]) -> Mapping[str, ModelState]:
    """What is known of these models."""
    wanted = tuple(models)
    rows = ModelQuota.objects.filter(project__in=projects_of(wanted), model__in=wanted)
    return dict.fromkeys(wanted, UNHEARD_OF) | {row.model: row.state for row in rows}


def may_use(model: str, holder: uuid.UUID, now: datetime.datetime, state: ModelState | None = None) -> Access:
    """Whether `holder` may dial the model now; a lease that this takes is claimed at once.

    Of any number that ask for a lease at the same moment, over all workers, one gets it.

    Args:
        state: what was read of it already.
    """
    known = states_of([model])[model] if state is None else state
    for _ in range(CLAIM_ATTEMPTS):
        access = access_of(known, holder, now)
        if access not in (Access.SCOUT, Access.PROBE) or _claim(model, holder, now, known):
            return access
        known = states_of([model])[model]
    return Access.WAIT


def note_refusal(model: str, refusal: Refusal, now: datetime.datetime, *, costs_nobody: bool = False) -> ModelState:
    """Take in a quota verdict about a model; gives what is known now. `costs_nobody`: as in `quota.after_refusal`."""
    kind, text = limit_of(refusal), _cut(refusal.text)

    def rule(state: ModelState) -> ModelState:
        return after_refusal(state, kind, now, refusal.retry_after_ms, text, costs_nobody=costs_nobody)

    known = _change(model, rule)
    logger.warning("%s is spent (%s) until %s", model, known.kind, known.resets_at)
    return known


def note_missing(model: str, text: str, now: datetime.datetime) -> ModelState:
    """The project has no such model, or it is of no use: one for the operator to put right."""
    logger.error("the model %s cannot be used: %s", model, text)
    return _change(model, lambda state: after_refusal(state, LimitKind.MISSING, now, text=_cut(text)))


def note_outage(models: Collection[str], text: str, now: datetime.datetime) -> None:
    """None of these models can be reached."""
    for model in sorted(models):  # in one order, so that two workers do not wait for each other
        _change(model, lambda state: after_refusal(state, LimitKind.OUTAGE, now, text=_cut(text)))
    logger.warning("%s cannot be reached: %s", ", ".join(models), text)


def note_success(model: str, holder: uuid.UUID, now: datetime.datetime) -> None:
    """A set-up on the model went through: closes the probe."""
    state = states_of([model])[model]
    if after_success(state, holder, now) != state:
        _change(model, lambda latest: after_success(latest, holder, now))


def note_answer(model: str, now: datetime.datetime) -> None:
    """The model has completed a turn. That matters when somebody else was refused it: one write, else none."""
    ModelQuota.objects.filter(
        Q(restored_at=None) | Q(restored_at__gt=now - PROBATION),
        project=project_of(model),
        model=model,
        spent_since__isnull=False,
    ).update(answered_at=now)


def forget(quotas: Iterable[ModelQuota]) -> int:
    """Take models for usable again, whatever was known; gives their number."""
    deleted, _ = ModelQuota.objects.filter(pk__in=[quota.pk for quota in quotas]).delete()
    return deleted


def forget_missing(models: Iterable[str]) -> int:
    """Models that the provider lists after all are tried again; gives the number of those that were missing."""
    named = tuple(models)
    deleted, _ = ModelQuota.objects.filter(
        project__in=projects_of(named), model__in=named, kind=LimitKind.MISSING
    ).delete()
    return deleted


def _claim(model: str, holder: uuid.UUID, now: datetime.datetime, known: ModelState) -> bool:
    """Take the lease if nothing has changed since `known` was read and nobody else holds it."""
    if known is UNHEARD_OF:
        ModelQuota.objects.bulk_create([ModelQuota(project=project_of(model), model=model)], ignore_conflicts=True)
    lease = claimed(known, holder, now)
    is_free = Q(prober=None) | Q(prober=holder) | Q(probe_until__lte=now)
    rows = ModelQuota.objects.filter(
        is_free,
        project=project_of(model),
        model=model,
        spent_since=known.spent_since,
        resets_at=known.resets_at,
        restored_at=known.restored_at,
    )
    return rows.update(prober=lease.prober, probe_until=lease.probe_until) == 1


@transaction.atomic
def _change(model: str, rule: Callable[[ModelState], ModelState]) -> ModelState:
    """Apply a rule to what is known of a model, one worker after the other."""
    row = _locked(model)
    before = row.state
    after = rule(before)
    if after != before:
        _write(row, after)
    return after


def _locked(model: str) -> ModelQuota:
    """The row of a model, made where there is none. An operator may delete it between any two statements."""
    rows = ModelQuota.objects.select_for_update().filter(project=project_of(model), model=model)
    while True:  # each round takes another deletion
        ModelQuota.objects.bulk_create([ModelQuota(project=project_of(model), model=model)], ignore_conflicts=True)
        row = rows.first()
        if row is not None:
            return row


def _write(row: ModelQuota, state: ModelState) -> None:
    row.kind = state.kind or ""
    row.spent_since, row.resets_at, row.restored_at = state.spent_since, state.resets_at, state.restored_at
    row.prober, row.probe_until, row.trusted_until = state.prober, state.probe_until, state.trusted_until
    row.refusals, row.answered_at, row.text = state.refusals, state.answered_at, state.text
    row.save()


def _cut(text: str) -> str:
    """As much as is kept, without the one character that PostgreSQL refuses."""
    return text.replace("\x00", "")[:TEXT_CHARACTERS]
