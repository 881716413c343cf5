"""What tests of pages have in common."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.services.processes import ANSWERS_WITHIN_S


@pytest.fixture
def browser(alice: User) -> Client:
    """A browser in which Alice has logged in."""
    browser = Client()
    browser.force_login(alice)
    return browser


@pytest.fixture
def patient_readiness(monkeypatch: pytest.MonkeyPatch) -> None:
    """Database and channel layer may take their time: `/readyz` says the same however busy the machine is."""
    monkeypatch.setattr("config.health.ANSWER_LIMIT_S", ANSWERS_WITHIN_S)
