"""The two servers of the emulator: the API over TLS, and the control API and page over plain HTTP on loopback."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from emulator.admission import bearer_refusal
from emulator.certificate import ensure_certificate, server_context
from emulator.connection import Connection
from emulator.control import control_application
from emulator.faults import Fault
from emulator.quota import quota_error
from emulator.rest import add_rest_routes
from emulator.rest_errors import bearer_error, error_body, read_key, rest_errors
from emulator.state import Emulator
from emulator.wire import Json

_CONTROL_HOST = "127.0.0.1"
_SERVICE = re.compile(
    r"^google\.ai\.generativelanguage\.(?P<version>v1|v1beta|v1alpha)\.GenerativeService"
    r"[./](?P<method>BidiGenerateContent(?:Constrained)?)$"
)
_SERVICE_THERE = re.compile(
    r"^google\.cloud\.aiplatform\.(?P<version>v1|v1beta1)\.LlmBidiService[./]BidiGenerateContent$"
)
_SHUTDOWN_S = 0.5
EMULATOR = web.AppKey("emulator", Emulator)


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where a running emulator is found."""

    api_url: str
    certificate: Path
    control_url: str


class Server:
    """Starts and stops both servers of one emulator."""

    def __init__(self, emulator: Emulator, state_dir: Path) -> None:
        self._emulator = emulator
        self._state_dir = state_dir
        self._runners: list[web.AppRunner] = []

    async def start(self) -> Addresses:
        """Bind both ports and return the addresses; raises `OSError` when a port is taken."""
        options = self._emulator.options
        certificate = ensure_certificate(self._state_dir, options.host)
        api = await self._listen(api_application(self._emulator), options.host, options.port, certificate)
        control = await self._listen(control_application(self._emulator), _CONTROL_HOST, options.control_port, None)
        return Addresses(f"https://{options.host}:{api}", certificate, f"http://{_CONTROL_HOST}:{control}")

    async def stop(self) -> None:
        """Close every connection and both ports."""
        for connection in list(self._emulator.connections.values()):
            connection.close_soon(1001, "going away")
        for runner in self._runners:
            await runner.cleanup()
        await self._emulator.close()

    async def _listen(self, application: web.Application, host: str, port: int, certificate: Path | None) -> int:
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=_SHUTDOWN_S)
        await runner.setup()
        self._runners.append(runner)
        context = server_context(certificate) if certificate else None
        await web.TCPSite(runner, host, port, ssl_context=context).start()
        return int(runner.addresses[0][1])


def api_application(emulator: Emulator) -> web.Application:
    """The application that plays the Gemini API."""
    application = web.Application(middlewares=[rest_errors], client_max_size=64 * 1024 * 1024)
    application[EMULATOR] = emulator
    # The SDK joins its base address and the path with one slash or two, depending on how the address ends.
    application.router.add_get(r"/{slash:/?}ws/{service:.+}", _live)
    add_rest_routes(application, emulator)
    return application


async def _live(request: web.Request) -> web.StreamResponse:
    name = request.match_info["service"]
    service = _SERVICE.match(name) or _SERVICE_THERE.match(name)
    if service is None:
        return web.json_response(error_body(404, "NOT_FOUND", "Not found."), status=404)
    emulator = request.app[EMULATOR]
    if refusal := emulator.faults.use("refuse_handshake"):
        status = refusal.params["status"]
        emulator.log.add("fault", fault="refuse_handshake", status=status)
        return web.json_response(_handshake_error(status, refusal), status=status)
    if (down := emulator.faults.peek("live_down")) and down.params["dials"] == "refused":
        emulator.log.add("fault", fault="live_down", status=503)
        return web.json_response(_handshake_error(503, down), status=503)
    if service.re is _SERVICE_THERE:
        if reason := bearer_refusal(request.headers.get("Authorization", "")):
            return web.json_response(bearer_error(reason), status=401)
        return await Connection(emulator, version=service["version"], is_there=True).run(request)
    constrained = service["method"].endswith("Constrained")
    key = read_key(request)
    connection = Connection(
        emulator,
        version=service["version"],
        key=key,
        token=_read_token(request, key) if constrained else None,
    )
    return await connection.run(request)


def _read_token(request: web.Request, key: str) -> str:
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    return value if scheme.lower() == "token" else request.query.get("access_token", key)


def _handshake_error(status: int, refusal: Fault) -> Json:
    if status == 429 and "limit" in refusal.params:
        return quota_error(refusal.params["limit"], refusal.model or "", refusal.params.get("retry_after_s"))
    if status == 429:
        return error_body(429, "RESOURCE_EXHAUSTED", "Resource has been exhausted (e.g. check quota).")
    if status in (401, 403):
        return error_body(
            status, "UNAUTHENTICATED" if status == 401 else "PERMISSION_DENIED", "The request is refused."
        )
    if status < 500:
        return error_body(status, "INVALID_ARGUMENT", "Request contains an invalid argument.")
    return error_body(status, "UNAVAILABLE", "The service is currently unavailable.")
