"""A new call goes on from an earlier one, or not: what the provider is told decides what it knows."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator

import pytest

from tests.scenarios.page import Page, log_in, submit
from tests.scenarios.test_conversations_survive import ask_code_word, tell_code_word
from tests.scenarios.test_energy import forget_quota
from tests.scenarios.test_settings import save
from tests.services.emulator import Emulator
from tests.services.processes import ANSWERS_WITHIN_S, eventually
from tests.services.web import WebServer


@pytest.fixture
def cookies(web: WebServer) -> Iterator[str]:
    """Of Bob's browser, whose settings are the defaults again when the test is over. Nothing is known of any quota."""
    cookies = log_in(web.url, "bob")
    forget_quota(web)
    yield cookies
    forget_quota(web)
    submit(web.url, "/settings/reset/", cookies)


def lobby(web: WebServer, cookies: str) -> str:
    request = urllib.request.Request(f"{web.url}/call/", headers={"Cookie": cookies})
    with urllib.request.urlopen(request, timeout=ANSWERS_WITHIN_S) as answer:
        page: str = answer.read().decode()
        return page


async def test_a_new_call_knows_the_code_word_of_the_last_one_if_its_user_wants_that_and_not_otherwise(
    web: WebServer, emulator: Emulator, cookies: str
) -> None:
    async with Page(web, "call", "bob") as page:
        earlier = (await page.start())["conversation"]
        await tell_code_word(page)
    await eventually(lambda: f'data-conversation="{earlier}"' in lobby(web, cookies))
    async with Page(web, "call", "bob") as page:
        await page.start()
        assert "PLUM-42" not in await ask_code_word(page)
    async with Page(web, "call", "bob") as page:
        ready = await page.start(goes_on_from=earlier)
        assert (ready["action"], ready["goes_on_from"]["conversation"]) == ("new", earlier)
        assert "PLUM-42" in await ask_code_word(page)
        emulator.fault("dead_handle")
        emulator.fault("cut")
        await page.wait_for("ready", action="rebuilt")
        assert "PLUM-42" in await ask_code_word(page)
        emulator.fault("quota", model="gemini-3.8-live", limit="day")
        emulator.fault("close", text="quota exceeded", connection="latest")
        await page.wait_for("energy")
        await page.wait_for("state", state="live")
        assert "PLUM-42" in await ask_code_word(page)
    save(web, cookies, new_call="never")
    assert "data-earlier-call" not in lobby(web, cookies)
    async with Page(web, "call", "bob") as page:
        await page.start(goes_on_from=earlier)
        assert page.toasts() == ["begins_anew"]
        assert "PLUM-42" not in await ask_code_word(page)
