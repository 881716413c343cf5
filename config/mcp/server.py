"""The tools as the SDK serves them: schemas, arguments checked, errors that are sentences."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from mcp import types
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.shared.exceptions import MCPError
from pydantic import ValidationError

from config.mcp.calls import Calls, Failed, Refused, Tell
from config.mcp.tools import INSTRUCTIONS, Tool
from sessions_app.auth_tokens.callers import Caller
from sessions_app.throttle import TooManyTries

Context = ServerRequestContext[Any, Any]

NAME_SHOWN_CHARACTERS = 60
PROBLEMS_SHOWN = 3


def server_of(tools: Mapping[str, Tool], calls: Calls, caller_of: Callable[[Context], Caller]) -> Server[Any]:
    """A server of these tools.

    Args:
        calls: runs what is asked for.
        caller_of: who asks, by a request.
    """
    told = types.ListToolsResult(tools=[_told(tool) for tool in tools.values()])

    async def list_tools(context: Context, params: types.PaginatedRequestParams | None) -> types.ListToolsResult:
        return told

    async def call_tool(context: Context, params: types.CallToolRequestParams) -> types.CallToolResult:
        tool = tools.get(params.name)
        if tool is None:
            raise MCPError(types.INVALID_PARAMS, f"There is no tool {params.name[:NAME_SHOWN_CHARACTERS]!r}.")
        caller = caller_of(context)

        async def report(seconds: float, words: str) -> None:
            await context.session.report_progress(seconds, message=words or None)

        work = partial(_work, tool, caller, params.arguments or {})
        try:
            result = await calls.run(tool.name, caller, work, report, tool.asks)
        except (Refused, TooManyTries, Failed) as error:
            return types.CallToolResult(content=[types.TextContent(text=str(error))], is_error=True)
        return types.CallToolResult(
            content=[types.TextContent(text=result.as_text())], structured_content=result.model_dump(mode="json")
        )

    return Server(
        "holdline", title="Holdline", instructions=INSTRUCTIONS, on_list_tools=list_tools, on_call_tool=call_tool
    )


def _work(tool: Tool, caller: Caller, arguments: Mapping[str, Any], tell: Tell) -> Any:
    """Raises what the tool raises, and `Refused` for arguments that are none."""
    try:
        asked = tool.arguments.model_validate(arguments)
    except ValidationError as error:
        raise Refused(_sentence(error)) from None
    return tool.run(caller, asked, tell)


def _sentence(error: ValidationError) -> str:
    """What is wrong with arguments, without repeating them."""
    problems = [
        f"{'.'.join(map(str, problem['loc'])) or 'arguments'}: {problem['msg'][:1].lower()}{problem['msg'][1:]}"
        for problem in error.errors(include_url=False, include_input=False)
    ]
    more = len(problems) - PROBLEMS_SHOWN
    return f"{'; '.join(problems[:PROBLEMS_SHOWN])}{f'; and {more} more' if more > 0 else ''}."


def _told(tool: Tool) -> types.Tool:
    return types.Tool(
        name=tool.name,
        title=tool.title,
        description=tool.description,
        input_schema=tool.arguments.model_json_schema(),
        output_schema=tool.result.model_json_schema(),
        annotations=types.ToolAnnotations(
            read_only_hint=tool.asks is None,
            destructive_hint=False,
            idempotent_hint=tool.asks is None,
            open_world_hint=False,
        ),
    )
