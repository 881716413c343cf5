"""Sockets are tested on virtual time, too: a `start` that never comes is waited for in no time."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pytest_django import Settings

from sessions_app import lines
from sessions_app.gateway.session_registry import SessionRegistry
from summarization.memory import SummarisedMemory
from tests.fakes.upstream import FakeUpstream
from tests.virtual_time import VirtualTimeLoop


def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item) -> dict[str, Callable[[], Any]]:
    return {"virtual": VirtualTimeLoop}


@pytest.fixture(autouse=True)
def no_worker_dies_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers say by the clock of these tests that they live, and are believed by that of the database: between two
    heartbeats it may tell any number of seconds."""
    monkeypatch.setattr(lines, "DEAD_AFTER", datetime.timedelta(hours=1))


@pytest.fixture
def upstream() -> FakeUpstream:
    return FakeUpstream()


@pytest.fixture
def registry(upstream: FakeUpstream, transactional_db: None, settings: Settings) -> Iterator[SessionRegistry]:
    """A process's registry over the real services, and over a provider that the test plays.

    Its channel layer is in memory: on virtual time a real server would never answer in time.
    """
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
    yield from _worker(upstream)


@pytest.fixture
def other(registry: SessionRegistry, upstream: FakeUpstream) -> Iterator[SessionRegistry]:
    """Another worker, at the same database, provider and channel layer."""
    yield from _worker(upstream)


def _worker(upstream: FakeUpstream) -> Iterator[SessionRegistry]:
    registry = SessionRegistry(upstream, SummarisedMemory())
    yield registry
    registry._database._executor.submit(close_connections).result()
    registry._database._executor.shutdown()


def close_connections() -> None:
    from django.db import connections

    connections.close_all()
