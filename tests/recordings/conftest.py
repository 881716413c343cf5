"""Everybody's files lie in a place of the test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from sessions_app.recordings import checking
from tests.services.processes import HANGS_AFTER_S


@pytest.fixture(autouse=True)
def places(settings: Settings, tmp_path: Path) -> Iterator[Path]:
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.RECORDING_UPLOADS_DIR = tmp_path / "uploads"
    settings.RECORDING_UPLOADS_DIR.mkdir()
    yield tmp_path
    assert checking.thread.flush(HANGS_AFTER_S), "a check goes on after its test"


@pytest.fixture
def page(alice: User) -> Client:
    """Alice's browser."""
    client = Client()
    client.force_login(alice)
    return client


@pytest.fixture
def bobs(bob: User) -> Client:
    """A stranger's browser, who has an account."""
    client = Client()
    client.force_login(bob)
    return client
