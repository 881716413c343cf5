"""Programs that ask a running server at `/mcp`, with the SDK's own client."""

from __future__ import annotations

import pytest

from tests.mcp.conftest import make_key, over_http, talk_about, text_of
from tests.services.web import WebServer

ERAS = ["auto", "legacy"]
"""Of the protocol: without a handshake, and with one."""


@pytest.mark.parametrize("mode", ERAS)
async def test_a_program_lists_reads_and_searches_what_its_user_has_said(either: WebServer, mode: str) -> None:
    (id,) = talk_about(either, f"The {mode} code word is heliotrope.")
    async with over_http(either, make_key(either), mode) as client:
        names = [tool.name for tool in (await client.list_tools()).tools]
        listed = await client.call_tool("list_conversations", {})
        read = await client.call_tool("read_conversation", {"conversation": id})
        found = await client.call_tool("search_history", {"words": f"{mode} heliotrope"})
    assert {"list_conversations", "read_conversation", "search_history"} <= set(names)
    assert listed.structured_content["conversations"][0]["id"] == id
    assert [turn["text"] for turn in read.structured_content["turns"]] == [
        f"The {mode} code word is heliotrope.",
        "I shall remember that.",
    ]
    assert "heliotrope" in text_of(read)
    assert [entry["id"] for entry in found.structured_content["conversations"]] == [id]
