"""The SDK's side of `/mcp`: loaded once somebody needs it, and alive as long as the process serves.

The SDK wants to be begun and ended around all requests, which it expects the `lifespan` of ASGI for. Daphne has none,
so a task of its own holds it. Nothing is kept between requests (`stateless`): each may come to another process, and
clients that lose what a server remembers of them are the most frequent trouble with this transport
(https://github.com/modelcontextprotocol/python-sdk/issues/520). Answers are streams, for progress to be told, and for
a proxy to see that a long call is alive: the SDK pings every 15 s.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any, cast

from config.mcp.calls import Calls
from sessions_app.auth_tokens.callers import Caller

logger = logging.getLogger(__name__)

CALLER = "holdline.caller"
"""Under which the scope of a request has who asks."""

LOADED_WITHIN_S = 30.0
LEAVE_LIMIT_S = 2.0


class NotServing(Exception):
    """It could not be begun, or has ended."""


class Hosting:
    """Serves requests whose callers are known. To be used in one event loop."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._manager: Any = None
        self._task: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()
        self._over = asyncio.Event()

    def start(self) -> None:
        """Begin, and begin again what has failed. Returns at once; the SDK is loaded beside."""
        if self._task is None or (self._task.done() and not self._over.is_set()):
            self._ready.clear()
            self._task = asyncio.get_running_loop().create_task(self._serve(), name="mcp")

    async def serve(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer a request. Raises `NotServing`."""
        self.start()
        async with asyncio.timeout(LOADED_WITHIN_S):
            await self._ready.wait()
        if self._manager is None:
            raise NotServing
        await self._manager.handle_request(scope, receive, send)

    async def leave(self) -> None:
        """End; calls that are under way are broken off."""
        self._over.set()
        if self._task is not None:
            await asyncio.wait({self._task}, timeout=LEAVE_LIMIT_S)
        self._calls.close()

    async def _serve(self) -> None:
        try:
            manager = await asyncio.to_thread(_manager, self._calls, asyncio.get_running_loop())
            async with manager.run():
                self._manager = manager
                self._ready.set()
                await self._over.wait()
        except Exception:
            logger.exception("MCP cannot be served")
        finally:
            self._manager = None
            self._ready.set()


def _manager(calls: Calls, loop: asyncio.AbstractEventLoop) -> Any:
    """Loads the SDK, which takes a second."""
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

    from config.mcp.answers import Listening, RecordedAnswers
    from config.mcp.audio_tools import AudioTools
    from config.mcp.server import Context, server_of
    from config.mcp.tools import tools

    def caller_of(context: Context) -> Caller:
        request: Any = context.request
        return cast(Caller, request.scope[CALLER])

    server = server_of(tools(AudioTools(RecordedAnswers(Listening(), loop), takes_paths=False)), calls, caller_of)
    return StreamableHTTPSessionManager(server, stateless=True)
