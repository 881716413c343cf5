"""The settings of users as rows, and what the operator allows. The only writer of `UserSettings`."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from energy.models import Persona
from sessions_app.user_settings import rows
from sessions_app.user_settings.terms import NAMES, Chosen, Rules, UserSettings, chosen_of, read_defaults, settings_of

_NO_CHOICE: dict[str, Any] = {
    name: "" if isinstance(value, str) else None for name, value in asdict(UserSettings()).items()
}
"""How a column says that its default counts."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What counts for a user. `revision`: which of their savings that is, 0 before the first. `can_undo`: what was
    chosen before can be had back. `is_default`: nothing is otherwise than the operator has it."""

    settings: UserSettings
    revision: int = 0
    can_undo: bool = False
    is_default: bool = True


class ChangedMeanwhile(Exception):
    """Something else was saved since the page was shown on which this was chosen."""


def rules_of_the_server() -> Rules:
    """What the operator allows, and has by default."""
    return _rules(Persona.objects.order_by("name"))


def kept_without_persona(user_id: int) -> Kept:
    """What counts for pages and live sessions of a user, of whom no persona is asked: one query, for there are many."""
    return kept_by(user_id, rules_without_personas())


def rules_without_personas() -> Rules:
    """What the operator allows, and has by default, without a query."""
    return _rules(())


def _rules(all_personas: Iterable[Persona]) -> Rules:
    personas = {persona.slug: persona for persona in all_personas}
    default_persona = next((slug for slug, persona in personas.items() if persona.is_default), "")
    defaults = read_defaults(settings.USER_SETTINGS_DEFAULTS, settings.ASSISTANT_VOICE)
    return Rules(
        defaults=replace(defaults, persona=default_persona),
        locked=frozenset(settings.USER_SETTINGS_LOCKED),
        history_days=settings.HISTORY_DAYS,
        personas={slug: persona.name for slug, persona in personas.items()},
    )


def kept_by(user_id: int, rules: Rules) -> Kept:
    """What a user has saved, and what counts for them."""
    row = rows.UserSettings.objects.filter(pk=user_id).first()
    if row is None:
        return Kept(settings_of({}, rules))
    chosen = settings_of(chosen_in(row), rules)
    return Kept(chosen, row.revision, row.previous is not None, not chosen_of(chosen, rules))


def settings_for(user_id: int) -> UserSettings:
    """What counts for a user."""
    return kept_by(user_id, rules_of_the_server()).settings


def history_days_of(user_id: int) -> int:
    """After how many days without a word a user's conversations go, as they or the operator want it; 0 for never."""
    return kept_without_persona(user_id).settings.history_days or settings.HISTORY_DAYS


def revisions_of(user_ids: Collection[int]) -> dict[int, int]:
    """The revisions of those who have saved anything, by user."""
    return dict(rows.UserSettings.objects.filter(pk__in=user_ids).values_list("pk", "revision"))


def save(user_id: int, wanted: UserSettings, rules: Rules, shown: int | None = None) -> bool:
    """Keep what a user has chosen; False when it is as it was. What is locked stays as it was chosen once.

    `shown`: the revision that the user was shown, where that is known. Raises `ChangedMeanwhile` when it is not the
    last one any more: all settings are saved together, so an old page would take back what was chosen elsewhere.
    """
    return _change(user_id, chosen_of(wanted, rules), rules, shown, keep_locked=True)


def reset(user_id: int, rules: Rules) -> bool:
    """Back to the operator's defaults; False when nothing was otherwise."""
    return _change(user_id, {}, rules)


@transaction.atomic
def undo(user_id: int, revision: int) -> bool:
    """Back to what stood before the saving of this number; False when that is not the last one any more."""
    row = rows.UserSettings.objects.select_for_update().filter(pk=user_id, revision=revision).first()
    if row is None or row.previous is None:
        return False
    _write(row, row.previous, previous=None)
    return True


@transaction.atomic
def _change(user_id: int, chosen: Chosen, rules: Rules, shown: int | None = None, *, keep_locked: bool = False) -> bool:
    row, _ = rows.UserSettings.objects.select_for_update().get_or_create(pk=user_id)
    before = chosen_in(row)
    if keep_locked:
        chosen = {**chosen, **{name: value for name, value in before.items() if name in rules.locked}}
    if chosen == before:
        return False
    if shown not in (None, row.revision):
        raise ChangedMeanwhile
    _write(row, chosen, previous=before)
    return True


def _write(row: rows.UserSettings, chosen: Chosen, previous: Chosen | None) -> None:
    for name, nothing in _NO_CHOICE.items():
        setattr(row, name, chosen.get(name, nothing))
    row.previous = previous
    row.revision += 1
    row.saved_at = timezone.now()
    row.save()


def chosen_in(row: rows.UserSettings) -> dict[str, Any]:
    """What a user has chosen, whether or not it counts."""
    values = {name: getattr(row, name) for name in NAMES}
    return {name: value for name, value in values.items() if value != _NO_CHOICE[name]}
