"""Errors that the event loop reports and that are none: a line in the log for each would hide those that are."""

import asyncio
import logging
from typing import Any

logger = logging.getLogger(__name__)


def pass_over_closed_lines(loop: asyncio.AbstractEventLoop) -> None:
    """Have a loop say nothing of TLS that is still being read when its connection has been closed.

    uvloop answers a last record of the other side on the closed connection, and takes its own refusal for a fatal error
    (https://github.com/MagicStack/uvloop/issues/506); asyncio's own loop does not. Nothing comes of it: the connection
    was to be closed.
    """
    loop.set_exception_handler(_handle)


def _handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    error = context.get("exception")
    if isinstance(error, RuntimeError) and "TCPTransport closed=True" in str(error) and "protocol" in context:
        logger.debug("a connection was closed before all of it was read")
        return
    loop.default_exception_handler(context)
