"""What the event loop reports is in the log, but for what is no error."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from config.loop_errors import pass_over_closed_lines

CLOSED = RuntimeError(
    "unable to perform operation on <TCPTransport closed=True reading=False 0x1>; the handler is closed"
)


async def reported(context: dict[str, Any], caplog: pytest.LogCaptureFixture) -> list[str]:
    loop = asyncio.get_running_loop()
    pass_over_closed_lines(loop)
    caplog.clear()
    loop.call_exception_handler(context)
    loop.set_exception_handler(None)
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.INFO]


async def test_a_line_that_was_closed_while_it_was_read_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    context = {"message": "Fatal error on SSL protocol", "exception": CLOSED, "protocol": object()}
    assert await reported(context, caplog) == []


@pytest.mark.parametrize(
    "context",
    [
        {"message": "Fatal error on SSL protocol", "exception": OSError("no"), "protocol": object()},
        {"message": "Fatal error on SSL protocol", "exception": RuntimeError("no"), "protocol": object()},
        {"message": "Task exception was never retrieved", "exception": CLOSED},
        {"message": "something else"},
    ],
    ids=["another error", "another text", "a task of ours", "no error"],
)
async def test_everything_else_is_reported(context: dict[str, Any], caplog: pytest.LogCaptureFixture) -> None:
    (line,) = await reported(context, caplog)
    assert line.startswith(context["message"])
