"""What the tools that read give, and how they refuse: asked by the SDK's own client, in this process."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from hypothesis import given
from hypothesis import strategies as st
from mcp import Client
from mcp.shared.exceptions import MCPError

from config.mcp.audio_tools import AudioTools, Reply
from config.mcp.calls import Calls, Tell
from config.mcp.history_tools import ENTRIES_AT_MOST
from config.mcp.pages import CHARACTERS_AT_MOST, LINES_AT_MOST, pages_of
from config.mcp.server import server_of
from config.mcp.tools import tools
from energy.levels import Mode
from sessions_app.auth_tokens.callers import Caller
from sessions_app.models import Recording
from summarization.record import Line
from summarization.services import write_call_history
from tests.mcp.conftest import text_of
from tests.summarization.talk import Talk, spoken, turns

pytestmark = pytest.mark.django_db(transaction=True)

NOW = datetime.datetime(2026, 11, 27, tzinfo=datetime.UTC)
Asks = Callable[[User], AbstractAsyncContextManager[Client]]


class NobodyAnswers:
    """In the place of who answers questions, where none is asked."""

    def refuse_if_spent(self, user: User) -> None:
        raise NotImplementedError

    def begin(self, user: User, recording: Recording) -> uuid.UUID:
        raise NotImplementedError

    def ask(self, user: User, conversation_id: uuid.UUID, question: str, tell: Tell) -> Reply:
        raise NotImplementedError


@pytest.fixture
def program() -> Asks:
    """A program that asks in somebody's name."""

    @asynccontextmanager
    async def program_of(user: User) -> AsyncIterator[Client]:
        calls = Calls("stdio")
        served = tools(AudioTools(NobodyAnswers(), takes_paths=False))
        async with Client(server_of(served, calls, lambda _: Caller(user, None))) as client:
            yield client
        calls.close()

    return program_of


@sync_to_async
def talk(user: User, words: str, mode: Mode = Mode.CALL, count: int = 2) -> str:
    """A conversation of somebody that begins with these words; its id."""
    said = Talk(user, mode)
    said.say([spoken(0, words), *turns(count - 1, first=1)])
    write_call_history(said.id)
    return str(said.id)


async def test_conversations_are_listed_by_pages_and_by_their_kind(program: Asks, alice: User) -> None:
    for number in range(ENTRIES_AT_MOST):
        await talk(alice, f"Call {number}.")
    chat = await talk(alice, "A chat.", Mode.TEXT)
    async with program(alice) as client:
        first = (await client.call_tool("list_conversations", {})).structured_content
        second = (await client.call_tool("list_conversations", {"page": 2})).structured_content
        chats = (await client.call_tool("list_conversations", {"mode": "text"})).structured_content
        beyond = await client.call_tool("list_conversations", {"page": 3})
    assert (len(first["conversations"]), first["pages"], first["total"]) == (25, 2, 26)
    assert first["conversations"][0]["id"] == chat
    assert len(second["conversations"]) == 1
    assert [entry["id"] for entry in chats["conversations"]] == [chat]
    assert (beyond.is_error, text_of(beyond)) == (True, "There are 2 pages, and no page 3.")


async def test_a_long_conversation_is_read_page_by_page_and_whole(program: Asks, alice: User) -> None:
    id = await talk(alice, "It begins.", count=2 * LINES_AT_MOST + 1)
    async with program(alice) as client:
        pages = [
            (await client.call_tool("read_conversation", {"conversation": id, "page": page})).structured_content
            for page in (1, 2, 3)
        ]
    assert [page["pages"] for page in pages] == [3, 3, 3]
    assert [turn["number"] for page in pages for turn in page["turns"]] == list(range(2 * LINES_AT_MOST + 1))


@given(st.lists(st.integers(1, 2 * CHARACTERS_AT_MOST), max_size=200))
def test_pages_are_bounded_and_together_they_are_everything(lengths: list[int]) -> None:
    lines = [Line(number, "user", "x" * length, "complete", NOW) for number, length in enumerate(lengths)]
    pages = pages_of(lines)
    assert pages
    assert [line for page in pages for line in page] == lines
    assert all(len(page) <= LINES_AT_MOST for page in pages)
    assert all(len(page) == 1 or sum(len(line.text) for line in page) <= CHARACTERS_AT_MOST for page in pages if page)


async def test_a_stranger_finds_lists_and_reads_nothing(program: Asks, alice: User, bob: User) -> None:
    id = await talk(alice, "Heliotrope.")
    async with program(bob) as client:
        listed = (await client.call_tool("list_conversations", {})).structured_content
        found = (await client.call_tool("search_history", {"words": "heliotrope"})).structured_content
        read = await client.call_tool("read_conversation", {"conversation": id})
        unknown = await client.call_tool("read_conversation", {"conversation": (nobodys := str(uuid.uuid4()))})
    assert (listed["total"], found["total"]) == (0, 0)
    assert read.is_error
    assert text_of(read).replace(id, "") == text_of(unknown).replace(nobodys, "") == "You have no conversation ."


@pytest.mark.parametrize(
    ("tool", "arguments", "sentence"),
    [
        ("read_conversation", {}, "conversation: field required."),
        ("read_conversation", {"conversation": "last"}, "conversation: input should be a valid UUID"),
        ("list_conversations", {"page": 0}, "page: input should be greater than or equal to 1."),
        ("list_conversations", {"page": "x", "mode": "opera", "a": 1, "b": 2}, "; and 1 more."),
        ("list_conversations", {"page": 10**30}, "page: "),
        ("search_history", {"words": "?!"}, "Search for words: signs alone cannot be found."),
        ("search_history", {"words": "a b c d e f g h i j k l m n o p q r s t u v w x y z"}, "words at most."),
        ("search_history", {"words": "   "}, "words: string should have at least 1 character."),
        ("search_history", {"words": "x" * 201}, "words: string should have at most 200 characters."),
        ("search_history", {"words": ["a"]}, "words: input should be a valid string."),
    ],
)
async def test_what_is_asked_for_wrongly_is_refused_with_a_sentence(
    program: Asks, alice: User, tool: str, arguments: dict[str, Any], sentence: str
) -> None:
    async with program(alice) as client:
        refused = await client.call_tool(tool, arguments)
    assert refused.is_error
    assert sentence in text_of(refused)
    assert "pydantic" not in text_of(refused)
    assert refused.structured_content is None


async def test_a_tool_that_is_not_there_is_an_error_of_the_protocol(program: Asks, alice: User) -> None:
    async with program(alice) as client:
        with pytest.raises(MCPError, match="There is no tool 'rm'"):
            await client.call_tool("rm", {})


async def test_tools_say_what_they_take_and_give_and_that_they_only_read(program: Asks, alice: User) -> None:
    async with program(alice) as client:
        told = {tool.name: tool for tool in (await client.list_tools()).tools}
    for name in ("list_conversations", "read_conversation", "search_history"):
        tool = told[name].model_dump()
        assert tool["annotations"]["read_only_hint"] is True
        assert tool["input_schema"]["additionalProperties"] is False
        assert tool["output_schema"]["type"] == "object"
