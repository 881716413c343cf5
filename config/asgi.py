"""The application as servers see it: pages over HTTP, live sessions over WebSocket."""

import asyncio
import os
from typing import Any, cast

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
pages = get_asgi_application()  # sets Django up: everything below may import models

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from channels.sessions import CookieMiddleware  # noqa: E402
from django.urls import re_path  # noqa: E402

from config.access_logs import keep_queries_out  # noqa: E402
from config.composition import figures, figures_registry, in_turns, registry, traces, upstream  # noqa: E402
from config.crowd import CrowdGate  # noqa: E402
from config.drain import Drain, Lifespan, install_with_daphne  # noqa: E402
from config.health import ask_channel_layer  # noqa: E402
from config.loop_errors import pass_over_closed_lines  # noqa: E402
from config.mcp.calls import Calls  # noqa: E402
from config.mcp.door import McpDoor  # noqa: E402
from config.metrics.door import MetricsDoor  # noqa: E402
from config.metrics.exposition import Exposition  # noqa: E402
from config.metrics.lag import watch_lag  # noqa: E402
from config.minters import minter_with_key  # noqa: E402
from config.server_options import limit_messages  # noqa: E402
from config.sockets import OriginGate, SessionUser, refuse  # noqa: E402
from config.startup import refuse_failed_checks  # noqa: E402
from config.token_door import TokenDoor  # noqa: E402
from sessions_app.gateway.routing import websocket_urlpatterns  # noqa: E402
from sessions_app.gateway.socket_bounds import DoorBounds  # noqa: E402
from summarization.queue import end_background_work, start_background_work  # noqa: E402

refuse_failed_checks()
keep_queries_out()


# The stubs know patterns of views only; a pattern may hold any ASGI application.
socket_routes: list[Any] = [*websocket_urlpatterns(registry), re_path("", cast("Any", refuse))]


def prepare(receive: Any) -> None:
    """To be called before the server listens, with what it calls the lifespan with."""
    limit_messages(receive)
    pass_over_closed_lines(asyncio.get_running_loop())


def begin(loop: asyncio.AbstractEventLoop) -> None:
    """To be called once the server runs: nobody who opens a conversation waits for the SDK to be loaded."""
    loop.call_soon(registry.serve)
    watch_lag(loop, figures.loop_lag)
    upstream.prepare()
    in_turns.prepare()
    loop.call_soon(programs.start)
    start_background_work()


async def leave() -> None:
    """To be called before the server stops."""
    await asyncio.gather(registry.drain(), programs.leave())
    if traces is not None:
        await asyncio.to_thread(traces.close)
    await asyncio.to_thread(end_background_work)


known_users = CookieMiddleware(SessionUser(URLRouter(socket_routes)))
sockets = CrowdGate(known_users, DoorBounds(), figures.sockets_refused.inc)
drain = Drain(leave, begin)
install_with_daphne(drain)

programs = McpDoor(pages, Calls("http"))

application = ProtocolTypeRouter(
    {
        "http": TokenDoor(
            MetricsDoor(programs, Exposition(figures_registry, registry, ask_channel_layer)),
            minter_with_key,
            figures.tokens,
        ),
        "websocket": OriginGate(sockets),
        "lifespan": Lifespan(drain, prepare),
    }
)
