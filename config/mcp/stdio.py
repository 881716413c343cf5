"""MCP over standard input and output: for a program on this machine that starts one of its own."""

from __future__ import annotations

import asyncio
from functools import partial

from mcp.server.stdio import stdio_server

from config.mcp.answers import Listening, RecordedAnswers
from config.mcp.audio_tools import AudioTools
from config.mcp.calls import Calls
from config.mcp.server import Context, server_of
from config.mcp.tools import tools
from sessions_app.auth_tokens.callers import Caller


def serve(caller: Caller) -> None:
    """Answer whoever writes to the input, until that ends. While it goes on, what anything else prints goes to the
    standard error: the SDK sees to that."""
    asyncio.run(_serve(caller))


async def _serve(caller: Caller) -> None:
    calls = Calls("stdio")
    answers = RecordedAnswers(Listening(), asyncio.get_running_loop())
    server = server_of(tools(AudioTools(answers, takes_paths=True)), calls, partial(_always, caller))
    try:
        async with stdio_server() as (incoming, outgoing):
            await server.run(incoming, outgoing, server.create_initialization_options())
    finally:
        calls.close()


def _always(caller: Caller, context: Context) -> Caller:
    return caller
