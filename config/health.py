"""What load balancers and orchestrators ask: is the process alive, and can it do its work?"""

import asyncio
import uuid
from collections.abc import Awaitable
from typing import Any

from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache

from config.composition import registry

ANSWER_LIMIT_S = 3
"""How long a part may take before it counts as out of order."""


async def healthz(request: HttpRequest) -> HttpResponse:
    """200 as long as the event loop turns. Asks nothing else, for a restart must be the cure."""
    return HttpResponse("ok\n", content_type="text/plain")


@never_cache
async def readyz(request: HttpRequest) -> JsonResponse:
    """200 when database and channel layer answer, else 503; each part has `ok` or what is wrong with it.

    A process that leaves sends its pages away, and is to be asked by nobody any more.
    """
    database, layer = await asyncio.gather(_verdict(_ask_database()), _verdict(ask_channel_layer()))
    parts = {"database": database, "channel_layer": layer, "process": "leaving" if registry.is_draining else "ok"}
    ready = all(verdict == "ok" for verdict in parts.values())
    return JsonResponse({"ready": ready, **parts}, status=200 if ready else 503)


async def _verdict(question: Awaitable[None]) -> str:
    """`ok` or the kind of error. Not its text: that may hold addresses and names of users."""
    try:
        async with asyncio.timeout(ANSWER_LIMIT_S):
            await question
    except TimeoutError:
        return f"no answer within {ANSWER_LIMIT_S} s"
    except Exception as error:
        return type(error).__name__
    return "ok"


@sync_to_async
def _ask_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


async def ask_channel_layer() -> None:
    """A message to ourselves, there and back.

    On a channel with a name of its own: those that belong to a process share a lock, which a worker that listens holds
    for seconds.
    """
    layer: Any = get_channel_layer()
    channel = f"readyz.{uuid.uuid4().hex}"
    await layer.send(channel, {"type": "readyz"})
    await layer.receive(channel)
