"""The control API and page: what is open, what happened, and every fault at the press of a button."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from aiohttp import web

from emulator.clock import stamp
from emulator.fault_actions import NoConnectionError, submit
from emulator.faults import FaultError, parse_fault
from emulator.models import MODELS
from emulator.state import Emulator
from emulator.texts import CATALOGUE

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_PAGE = Path(__file__).with_name("page")
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_FURTHEST_S = 366 * 24 * 3600
"""How far the clock can be moved at once."""


class ControlError(ValueError):
    """A request the control API cannot read."""


def control_application(emulator: Emulator) -> web.Application:
    """The application behind CONTROL_URL."""
    calls = ControlCalls(emulator)
    application = web.Application(middlewares=[_answer_errors, _loopback_only])
    router = application.router
    router.add_get("/", calls.page)
    router.add_static("/page", _PAGE)
    router.add_get("/api/connections", calls.connections)
    router.add_get("/api/log", calls.log)
    router.add_get("/api/heard", calls.heard)
    router.add_get("/api/account", calls.account)
    router.add_get("/api/files", calls.files)
    router.add_get("/api/clock", calls.clock)
    router.add_post("/api/clock", calls.forward)
    router.add_get("/api/faults", calls.faults)
    router.add_post("/api/faults", calls.add_fault)
    router.add_delete("/api/faults", calls.disarm)
    router.add_post("/api/reset", calls.reset)
    router.add_get("/api/catalogue", calls.catalogue)
    return application


@web.middleware
async def _answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except (ControlError, FaultError, NoConnectionError) as error:
        return web.json_response({"error": str(error)}, status=400)


@web.middleware
async def _loopback_only(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse pages of other sites: a browser would let them reach loopback."""
    origin = request.headers.get("Origin")
    host = request.url.host
    if host not in _LOOPBACK or (origin is not None and origin != str(request.url.origin())):
        return web.json_response({"error": "only from this machine and this page"}, status=403)
    response = await handler(request)
    response.headers["Cache-Control"] = "no-store"
    return response


class ControlCalls:
    """The handlers of the control API."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator

    async def page(self, request: web.Request) -> web.StreamResponse:
        """`GET /`"""
        return web.FileResponse(_PAGE / "index.html")

    async def connections(self, request: web.Request) -> web.Response:
        """`GET /api/connections`"""
        return web.json_response({"connections": [c.describe() for c in self._emulator.connections.values()]})

    async def log(self, request: web.Request) -> web.Response:
        """`GET /api/log?after=N`"""
        after = request.query.get("after", "0")
        if not after.isdecimal():
            raise ControlError(f"after: expected a whole number, not {after!r}")
        entries, last = self._emulator.log.after(int(after))
        return web.json_response({"entries": entries, "next": last})

    async def heard(self, request: web.Request) -> web.Response:
        """`GET /api/heard?session=ID`"""
        session = self._emulator.sessions.find(request.query.get("session", ""))
        if session is None:
            raise ControlError(f"session: there is no session {request.query.get('session', '')!r}")
        heard = session.heard
        return web.json_response(
            {"dropped": heard.dropped, "chunks": heard.marks(), "forgotten": heard.forgotten_marks()}
        )

    async def account(self, request: web.Request) -> web.Response:
        """`GET /api/account`"""
        return web.json_response({"models": self._emulator.account.by_model(self._emulator.caches.token_seconds())})

    async def files(self, request: web.Request) -> web.Response:
        """`GET /api/files`"""
        store, now = self._emulator.files, self._emulator.clock.time()
        files = [{**file.as_resource("", now), "project": file.project} for file in store.all()]
        return web.json_response(
            {"files": files, "stored_bytes": store.stored_bytes(), "unfinished_uploads": store.unfinished}
        )

    async def clock(self, request: web.Request) -> web.Response:
        """`GET /api/clock`"""
        return web.json_response({"now": stamp(self._emulator.clock.time())})

    async def forward(self, request: web.Request) -> web.Response:
        """`POST /api/clock`"""
        body = await _json(request)
        seconds = body.get("forward_s") if isinstance(body, dict) else None
        if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not 0 <= seconds <= _FURTHEST_S:
            raise ControlError(f"forward_s: expected seconds, from 0 to {_FURTHEST_S}, not {seconds!r}")
        self._emulator.clock.forward(seconds)
        self._emulator.log.add("clock_moved", forward_s=seconds)
        return await self.clock(request)

    async def faults(self, request: web.Request) -> web.Response:
        """`GET /api/faults`"""
        return web.json_response({"faults": self._emulator.faults.armed()})

    async def add_fault(self, request: web.Request) -> web.Response:
        """`POST /api/faults`"""
        fault = parse_fault(await _json(request))
        happened_to = await submit(self._emulator, fault)
        return web.json_response({"fault": fault.as_json(), "connections": happened_to})

    async def disarm(self, request: web.Request) -> web.Response:
        """`DELETE /api/faults`"""
        self._emulator.faults.disarm()
        self._emulator.cancel_pending()
        return web.json_response({"faults": []})

    async def reset(self, request: web.Request) -> web.Response:
        """`POST /api/reset`"""
        await self._emulator.reset()
        return web.json_response({})

    async def catalogue(self, request: web.Request) -> web.Response:
        """`GET /api/catalogue`: the close texts and the models, for the page's lists."""
        texts = [{"name": text.name, "code": text.code, "text": text.reason} for text in CATALOGUE.values()]
        return web.json_response({"texts": texts, "models": list(MODELS)})


async def _json(request: web.Request) -> Any:
    try:
        return json.loads(await request.read())
    except ValueError as error:
        raise ControlError(f"the body is not JSON: {error}") from error
