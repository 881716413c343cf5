"""What tests of pages have in common."""

import pytest
from django.contrib.auth.models import User
from django.test import Client


@pytest.fixture
def browser(alice: User) -> Client:
    """A browser in which Alice has logged in."""
    browser = Client()
    browser.force_login(alice)
    return browser
