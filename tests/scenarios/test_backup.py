"""A server loses its database; it begins again with a backup, and the page comes back to it."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.scenarios.page import Page
from tests.services.databases import empty_database
from tests.services.emulator import Emulator
from tests.services.processes import eventually
from tests.services.web import WebServer


async def test_a_page_goes_on_with_its_conversation_after_a_restore_into_an_empty_place(
    start_web: Callable[..., WebServer], emulator: Emulator, tmp_path: Path
) -> None:
    """The backup is made in the middle of the call, and nobody notices. The page is even logged in still."""
    web = start_web(REDIS_URL="")
    backup = str(tmp_path / "holdline.backup")
    async with Page(web, "call") as page:
        await page.start()
        await page.say("my code word is PLUM-42")
        await page.reply()
        await page.wait_for("ack", ids=["typed-1"])
        await eventually(lambda: bool(emulator.entries("handle_issued")))
        assert "Saved: " in web.manage("backup", backup)
        with pytest.raises(RuntimeError, match="Web processes are alive"):
            web.manage("restore", backup, "--replace")
        web.send(signal.SIGKILL)
        web.wait()
        await page.wait_closed()
        web.move(empty_database(tmp_path))
        assert "Restored: " in web.manage("restore", backup)
        web.start()
        await page.connect()
        ready = await page.start()
        assert ready["action"] == "resumed"
        assert [turn["status"] for turn in ready["transcript"]] == ["complete", "complete"]
        await page.say("What is my code word?")
        assert "PLUM-42" in await page.reply()
        assert [entry["text"] for entry in emulator.entries("text_in")] == [
            "my code word is PLUM-42",
            "What is my code word?",
        ]
