"""Changes of a level, told to every worker over the channel layer: one of them has the user's pages."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer

from energy.levels import LevelChange

logger = logging.getLogger(__name__)

TIMEOUT_S = 1.0
MESSAGE_TYPE = "energy.changed"

GROUP = "workers"
"""Every worker that holds live sessions is in it, and passes on what concerns them."""


def message_of(user_id: int, change: LevelChange) -> dict[str, Any]:
    """The change as the channel layer carries it: plain values only."""
    return {
        "type": MESSAGE_TYPE,
        "id": str(change.id),
        "user": user_id,
        "mode": change.mode.value,
        "previous": change.previous.number,
        "level": change.level.number,
        "word": change.level.word,
        "model": change.level.model,
        "reason": change.reason.value,
        "resets_at": None if change.resets_at is None else change.resets_at.isoformat(),
    }


async def announce(user_id: int, change: LevelChange) -> bool:
    """Tell all workers, on the event loop; False when the channel layer is away. Takes a second at most."""
    return await tell_workers(message_of(user_id, change))


async def tell_workers(message: dict[str, Any]) -> bool:
    """Send a message with plain values to every worker; False when the channel layer is away. Never raises."""
    layer = get_channel_layer()
    if layer is None:
        return False
    try:
        async with asyncio.timeout(TIMEOUT_S):
            await layer.group_send(GROUP, message)
    except Exception:  # each layer has errors of its own, and none of them is worth a conversation
        logger.warning("the workers could not be told: %s", message["type"], exc_info=True)
        return False
    return True


def announce_from_thread(user_id: int, change: LevelChange) -> bool:
    """As `announce`, for synchronous code: views, tasks, commands. Raises `RuntimeError` on an event loop."""
    return async_to_sync(announce)(user_id, change)
