"""A program listens to recordings and asks on about them, with the SDK's own client: over both ways in."""

from __future__ import annotations

import signal
from pathlib import Path

from tests.mcp.conftest import SWITCHED_ON, StartWeb, make_key, over_http, over_stdio, text_of
from tests.services.emulator import Emulator

HELLO = Path(__file__).parent.parent / "browser" / "fixtures" / "hello.wav"


async def test_a_program_lists_listens_and_asks_again_after_the_server_was_killed(
    start_web: StartWeb, emulator: Emulator
) -> None:
    """The session is a conversation in the database: what served it may be gone."""
    web = start_web("daphne", **SWITCHED_ON)
    key = make_key(web)
    async with over_stdio(web, "--user", "alice") as client:
        first = await client.call_tool("listen_to_audio", {"file": str(HELLO), "question": "What is said here?"})
    assert not first.is_error, text_of(first)
    session = first.structured_content["session"]
    assert first.structured_content["recordings"][0]["name"] == "hello.wav"

    heard = []
    async with over_http(web, key) as client:
        listed = await client.call_tool("list_conversations", {})
        asked = {"session": session, "question": "My name is Bartleby. How long is it?"}

        async def progress(progress: float, total: float | None, message: str | None) -> None:
            heard.append(message)

        emulator.fault("bad_text", answer="late")  # later than the server takes to say how it goes
        second = await client.call_tool("ask_about_audio", asked, progress_callback=progress)
        emulator.disarm()
    assert listed.structured_content["conversations"][0]["id"] == session
    assert not second.is_error, text_of(second)
    assert second.structured_content["session"] == session
    assert heard

    web.send(signal.SIGKILL)
    web.wait()
    web.start()
    async with over_http(web, key, "legacy") as client:
        third = await client.call_tool("ask_about_audio", {"session": session, "question": "What is my name?"})
        read = await client.call_tool("read_conversation", {"conversation": session})
    assert third.structured_content["session"] == session
    assert "Bartleby" in third.structured_content["answer"]
    assert [turn["role"] for turn in read.structured_content["turns"]] == ["user", "model"] * 3
    assert read.structured_content["recordings"][0]["name"] == "hello.wav"
