"""Access logs of the servers, which are not Holdline's own: requests stand there without what is nobody's business.

Scrapes of `/metrics`, of which there is one every few seconds, do not stand there at all.

Servers write whole addresses, with the query behind `?`, and with the token of a link that lets somebody set a new
password. What is in front of either says enough.
"""

import logging
import re
import sys
from collections.abc import Callable
from typing import Any

UVICORNS = ("uvicorn.access", "uvicorn.error")
"""Requests, and handshakes of sockets."""

PATHS_OF_MACHINES = ("/metrics",)

TOKEN_OF_A_LINK = re.compile(r"(?<=^/accounts/reset/)[^/]+/[^/].*")


def keep_queries_out() -> None:
    """Leave queries, and scrapes, out of the access logs of Daphne and uvicorn, whichever of them runs this process."""
    for name in UVICORNS:
        logging.getLogger(name).addFilter(_leave_queries_out_of_record)
    if "daphne.server" in sys.modules:
        from daphne.server import Server

        Server.log_action = _without_queries(Server.log_action)


def without_secrets(text: str) -> str:
    """`/history/` for `/history/?q=words`, `/accounts/reset/...` for a link; anything else is given back as it is."""
    path = text.partition("?")[0] if text.startswith("/") else text
    return TOKEN_OF_A_LINK.sub("...", path)


def _leave_queries_out_of_record(record: logging.LogRecord) -> bool:
    if isinstance(record.args, tuple):
        record.args = tuple(without_secrets(value) if isinstance(value, str) else value for value in record.args)
        return not any(value in PATHS_OF_MACHINES for value in record.args)
    return True


def _without_queries(log_action: Callable[..., None]) -> Callable[..., None]:
    def log(server: Any, protocol: str, action: str, details: dict[str, Any]) -> None:
        path = without_secrets(str(details.get("path", "")))
        if path not in PATHS_OF_MACHINES:
            log_action(server, protocol, action, details | {"path": path})

    return log
