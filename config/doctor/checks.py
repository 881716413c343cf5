"""All that the doctor looks at, in the order in which it is told."""

from __future__ import annotations

from functools import partial

from config.doctor import clock, database, disk, files, provider, proxy, services, settings, tls, tokens, websocket
from config.doctor.findings import Check
from config.doctor.http import Address


def checks(address: Address | None) -> list[Check]:
    """`address`: under which people reach the server; None leaves out what needs one."""
    return [
        Check("settings", settings.look),
        Check("database", database.look),
        Check("disk", disk.look),
        Check("key, models", provider.look),
        Check("tokens", tokens.look),
        Check("clock", clock.look),
        Check("layer", services.layer),
        Check("broker", services.broker),
        Check("worker", services.worker),
        Check("summaries", services.summaries),
        Check("files", files.look),
        Check("web", services.web),
        Check("TLS", partial(tls.look, address)),
        Check("proxy", partial(proxy.look, address)),
        Check("WebSocket", partial(websocket.look, address)),
    ]
