"""What somebody would get who began now, for pages that are looked at before anything begins: nothing is claimed."""

from __future__ import annotations

import uuid

from django.utils import timezone

from energy import ledger
from energy.ladders import ladder_of
from energy.levels import Level, Mode
from energy.quota import Access, access_of

_NOBODY = uuid.UUID(int=0)


def next_level(mode: Mode) -> Level:
    """The best level whose model is not known to be spent."""
    ladder = ladder_of(mode)
    nothing = ladder.level(0)
    levels = ladder.all_above(nothing)
    states, now = ledger.states_of(level.model for level in levels), timezone.now()
    usable = (level for level in levels if access_of(states[level.model], _NOBODY, now) != Access.SPENT)
    return next(usable, nothing)
