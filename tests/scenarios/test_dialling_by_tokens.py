"""Calls that are dialled with a token each: the worker that holds them has no key, another process makes the tokens."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.page import Page
from tests.services.emulator import Emulator
from tests.services.web import WebServer

pytestmark = pytest.mark.several_workers

Start = Callable[..., WebServer]
API_KEY = "a-key-that-no-worker-has"
SECRET = secrets.token_hex(32)
TOKEN_REFUSALS = (
    "token expired",
    "token used up",
    "token not yet",
    "token foreign model",
    "token locked field",
    "key not valid",
)

EVERYTHING_STORED = """
from django.apps import apps
for model in apps.get_models():
    for row in model.objects.all().values(): print(row)
"""
NO_TOKENS: dict[str, dict[str, Any]] = {
    "provider-unavailable": {"status": 503},
    "bad-key": {"status": 400, "text": "API key not valid. Please pass a valid API key."},
    "rate-limit": {"status": 429, "retry_after_s": 1},
}
"""How making one is refused, by what the page is told."""


class Site:
    """`keeper` has the key and makes tokens; `worker` serves pages without it."""

    def __init__(self, emulator: Emulator, directory: Path) -> None:
        secret = {"GEMINI_TOKEN_SERVICE_SECRET": SECRET, "LOG_LEVEL": "DEBUG"}
        has_key = {**emulator.environment, **secret, "GEMINI_API_KEY": API_KEY, "GEMINI_TOKEN_SERVICE": "1"}
        self.keeper = WebServer(directory / "keeper", has_key)
        has_none = {
            **emulator.environment,
            **secret,
            "DATABASE_URL": self.keeper.database_url,
            "GEMINI_API_KEY": "",
            "GEMINI_DIAL_WITH_TOKENS": "1",
            "GEMINI_TOKEN_SERVICE_URL": f"{self.keeper.url}/token-service/",
        }
        self.worker = WebServer(directory / "worker", has_none, "uvicorn")


@pytest.fixture(scope="module")
def site_program(emulator_program: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site = Site(emulator_program, tmp_path_factory.mktemp("site"))
    yield site
    site.worker.stop()
    site.keeper.stop()


@pytest.fixture
def site(site_program: Site, emulator: Emulator) -> Site:
    """The emulator has just been reset: it knows none of the tokens that the worker still has."""
    return site_program


async def tell(page: Page) -> None:
    await page.start()
    await page.say("my code word is PLUM-42")
    await page.reply()


async def goes_on(page: Page) -> None:
    """The line is back, and the session remembers."""
    await page.wait_for("state", state="live")
    await page.say("What is my code word?")
    assert "PLUM-42" in await page.reply()


def force_another_token(emulator: Emulator) -> None:
    """The next dial's token is refused, so that the one after it has to be made."""
    emulator.fault("refuse_token", connection="all")


async def test_swaps_and_cuts_are_survived_with_a_token_each_and_no_secret_is_written_anywhere(
    site: Site, emulator: Emulator
) -> None:
    emulator.fault("resume_uses_token", on=True)
    async with Page(site.worker, "call") as page:
        await tell(page)
        for fault in ("go_away", "cut", "go_away"):
            emulator.fault(fault)
            await goes_on(page)
    opened = emulator.entries("opened")
    assert [entry["resumed"] for entry in opened] == [False, True, True, True]
    assert {entry["uses"] for entry in emulator.entries("token_made")} == {1}
    stored = await asyncio.to_thread(site.keeper.shell, EVERYTHING_STORED)
    written = site.worker.log() + site.keeper.log() + stored
    assert "connected" in stored
    for secret in ("auth_tokens/", API_KEY, SECRET):
        assert secret not in written


async def test_a_token_that_is_refused_costs_a_redial_and_keeps_handle_level_and_set_up(
    site: Site, emulator: Emulator
) -> None:
    for text in TOKEN_REFUSALS:
        async with Page(site.worker, "call") as page:
            await tell(page)
            emulator.fault("refuse_token", connection="all", text=text)
            emulator.fault("cut")
            await page.wait_for("state", state="reconnecting", reason="token-refused")
            await goes_on(page)
            assert page.of_type("energy") == []
    assert len(emulator.entries("token_refused")) == len(TOKEN_REFUSALS)
    assert [entry["resumed"] for entry in emulator.entries("opened")] == [False, True] * len(TOKEN_REFUSALS)


async def test_a_call_waits_for_a_provider_that_makes_no_token_and_is_told_why(site: Site, emulator: Emulator) -> None:
    for reason, refusal in NO_TOKENS.items():
        async with Page(site.worker, "call") as page:
            await tell(page)
            emulator.fault("refuse_minting", **refusal)
            force_another_token(emulator)
            emulator.fault("cut")
            state = await page.wait_for("state", reason=reason)
            assert state["state"] == ("failed" if reason == "bad-key" else "reconnecting")
            emulator.disarm()
            if reason == "bad-key":
                await page.send(type="retry")
            await goes_on(page)
    assert [entry["resumed"] for entry in emulator.entries("opened")] == [False, True] * len(NO_TOKENS)


async def test_a_token_service_that_is_away_is_a_provider_that_is_away(site: Site, emulator: Emulator) -> None:
    async with Page(site.worker, "call") as page:
        await tell(page)
        site.keeper.stop()
        force_another_token(emulator)
        emulator.fault("cut")
        await page.wait_for("state", state="reconnecting", reason="provider-unavailable")
        await asyncio.to_thread(site.keeper.start)
        await goes_on(page)


async def test_a_session_of_the_key_goes_on_by_tokens_and_is_rebuilt_where_its_handle_is_of_another_version(
    start_web: Start, emulator: Emulator
) -> None:
    by_key = start_web()
    by_token = start_web("uvicorn", DATABASE_URL=by_key.database_url, GEMINI_DIAL_WITH_TOKENS="1")
    async with Page(by_key, "call") as page:
        await tell(page)
        by_key.stop()
        await page.move(by_token)
        await page.start()
        await goes_on(page)
        emulator.fault("dead_handle", text="invalid handle")
        emulator.fault("cut")
        await page.wait_for("ready", action="rebuilt")
        await goes_on(page)
    assert [entry["handle_given"] for entry in emulator.entries("opened")] == [False, True, False]
