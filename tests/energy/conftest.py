"""What tests of energy share: a clock that is set, and live sessions of their own."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator

import pytest
import time_machine
from django.contrib.auth.models import User

from energy.services import EnergyBarService

NOON = datetime.datetime(2026, 11, 20, 20, 0, tzinfo=datetime.UTC)
"""In Los Angeles, where the day's quota ends twelve hours later."""


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """Stands still at noon in Los Angeles until it is moved."""
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def open_session(transactional_db: None) -> Callable[[str], EnergyBarService]:
    """Begin a live session of the named user: `open_session("alice")`."""

    def begin(name: str) -> EnergyBarService:
        user, _ = User.objects.get_or_create(username=name)
        return EnergyBarService(user.pk)

    return begin
