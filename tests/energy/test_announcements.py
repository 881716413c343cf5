"""A change of level reaches every worker over the channel layer, or nobody is kept waiting."""

from __future__ import annotations

import asyncio
import datetime
import uuid
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from pytest_django import Settings

from energy import announcements
from energy.announcements import announce, announce_from_thread, message_of
from energy.levels import Ladder, LevelChange, Mode, Reason
from tests.energy.test_levels import MODELS
from tests.services.processes import PATIENCE_S

NOW = datetime.datetime(2026, 11, 20, 15, 30, tzinfo=datetime.UTC)
LADDER = Ladder(Mode.CALL, MODELS[Mode.CALL])
CHANGE = LevelChange(LADDER.level(3), LADDER.level(2), Reason.RATE_LIMIT_EXCEEDED, NOW, NOW)


async def what_workers_hear(count: int) -> list[list[dict[str, Any]]]:
    """What arrives at each worker when the change is announced for user 7, from the loop and from a thread."""
    layer, group = get_channel_layer(), announcements.GROUP
    assert layer is not None
    channels = [await layer.new_channel() for _ in range(count)]
    for channel in channels:
        await layer.group_add(group, channel)
    assert await announce(7, CHANGE)
    assert await sync_to_async(announce_from_thread)(7, CHANGE)
    heard = []
    for channel in channels:
        await layer.send(channel, {"type": "the.end"})
        messages = []
        while (message := await asyncio.wait_for(layer.receive(channel), PATIENCE_S))["type"] != "the.end":
            messages.append(message)
        heard.append(messages)
        await layer.group_discard(group, channel)
    return heard


@pytest.mark.stored
async def test_every_worker_hears_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a group of this test's own: servers of other tests may be at the same channel layer."""
    monkeypatch.setattr(announcements, "GROUP", f"workers-{uuid.uuid4()}")
    monkeypatch.setattr(announcements, "TIMEOUT_S", PATIENCE_S)
    twice = [message_of(7, CHANGE)] * 2
    assert await what_workers_hear(2) == [twice, twice]


def test_the_message_has_plain_values_alone() -> None:
    message = message_of(7, CHANGE)
    assert message == {
        "type": "energy.changed",
        "id": str(CHANGE.id),
        "user": 7,
        "mode": "call",
        "previous": 3,
        "level": 2,
        "word": "reduced",
        "model": "gemini-3.8-live-extended-thinking",
        "reason": "rate-limit-exceeded",
        "resets_at": "2026-11-20T15:30:00+00:00",
    }
    assert {type(value) for value in message.values()} == {str, int}


@pytest.fixture
def dead_redis(settings: Settings) -> None:
    """Nobody listens at that port."""
    host = {"address": "redis://127.0.0.1:9", "socket_connect_timeout": 1}
    settings.CHANNEL_LAYERS = {
        "default": {"BACKEND": "channels_redis.core.RedisChannelLayer", "CONFIG": {"hosts": [host]}}
    }


@pytest.mark.usefixtures("dead_redis")
async def test_a_channel_layer_that_is_away_raises_nothing(caplog: pytest.LogCaptureFixture) -> None:
    assert not await announce(7, CHANGE)
    assert "could not be told" in caplog.text


@pytest.mark.usefixtures("dead_redis")
def test_nor_does_it_in_a_thread() -> None:
    assert not announce_from_thread(7, CHANGE)


async def test_the_event_loop_is_not_blocked_by_the_function_for_threads() -> None:
    with pytest.raises(RuntimeError):
        announce_from_thread(7, CHANGE)
