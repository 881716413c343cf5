"""Quota runs out and comes back; the conversation goes on, and says what happened."""

from __future__ import annotations

import asyncio
import datetime
import re
import urllib.parse
import urllib.request
import zoneinfo
from collections.abc import Iterator

import pytest

from energy.quota import QUOTA_ZONE
from tests.fakes.energy import NEWEST, OLDER
from tests.scenarios.page import Page, log_in
from tests.services.cast import PASSWORD
from tests.services.emulator import Emulator
from tests.services.processes import ANSWERS_WITHIN_S
from tests.services.web import WebServer

CODE_WORD = "my code word is PLUM-42"
QUESTION = "What is my code word?"
IN_TURNS = "gemini-3.8-flash"


@pytest.fixture(autouse=True)
def full_energy(web: WebServer) -> Iterator[None]:
    """Nothing is known of any quota, before and after."""
    forget_quota(web)
    yield
    forget_quota(web)


def forget_quota(web: WebServer) -> None:
    """What an operator does in the admin when they know better."""
    url = f"{web.url}/admin/energy/modelquota/"
    cookies = {"Cookie": log_in(web.url, "sam"), "Referer": url}
    page = (
        urllib.request.urlopen(urllib.request.Request(url, headers=cookies), timeout=ANSWERS_WITHIN_S).read().decode()
    )
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    known = re.findall(r'name="_selected_action" value="(\d+)"', page)
    if not known:
        return
    assert token is not None
    chosen = [("_selected_action", id) for id in known]
    fields = [("csrfmiddlewaretoken", token[1]), ("action", "forget_quota"), *chosen]
    form = urllib.request.Request(url, urllib.parse.urlencode(fields).encode(), cookies)
    urllib.request.urlopen(form, timeout=ANSWERS_WITHIN_S)


def spend(emulator: Emulator, *models: str) -> None:
    for model in models:
        emulator.fault("quota", model=model, limit="day", connection="all")


def levels(page: Page) -> list[tuple[int, int]]:
    return [(message["previous"], message["level"]) for message in page.of_type("energy")]


async def ask(page: Page) -> str:
    await page.say(QUESTION)
    return await page.reply()


@pytest.mark.developer_api
async def test_quota_that_runs_out_in_mid_call_takes_it_down_step_by_step_with_its_memory(
    web: WebServer, emulator: Emulator
) -> None:
    async with Page(web, "call") as call, Page(web, "text") as chat:
        assert (await call.start())["energy"]["level"] == 3
        await chat.start()
        await call.say(CODE_WORD)
        await call.reply()
        for model, level in ((NEWEST, 2), (OLDER, 1)):
            spend(emulator, model)
            assert "PLUM-42" in await ask(call)
            assert levels(call)[-1] == (level + 1, level)
        assert call.of_type("energy")[-1]["word"] == "in turns"
        spend(emulator, IN_TURNS)
        await call.say(QUESTION)
        exhausted = await call.wait_for("state", state="exhausted")
        assert exhausted["retry_in_ms"] > 0
        await call.wait_for("toast", code="energy.exhausted")
        assert call.of_type("energy")[-1]["resets_at"]
        assert (call.toasts()[0], call.toasts()[-1]) == ("energy.lower", "energy.exhausted")
        notices = [turn["text"] for turn in call.of_type("turn") if turn["role"] == "system"]
        assert len(notices) == 3
        assert levels(chat) == []
    opened = [(entry["model"], entry["handle_given"]) for entry in emulator.entries("opened")]
    assert all(not handle_given for model, handle_given in opened if model != NEWEST)
    assert emulator.entries("handle_refused") == []


@pytest.mark.developer_api
async def test_the_level_rises_at_a_turns_end_when_the_quota_is_back(web: WebServer, emulator: Emulator) -> None:
    async with Page(web, "text") as page:
        await page.start()
        await page.say(CODE_WORD)
        await page.reply()
        spend(emulator, NEWEST)
        assert "PLUM-42" in await ask(page)
        emulator.disarm()
        await asyncio.to_thread(forget_quota, web)
        # Whoever looks at the quota as the last turn ends may already find it forgotten, and not wait for the next.
        assert "PLUM-42" in await ask(page)
        await page.wait_until(lambda: levels(page) == [(3, 2), (2, 3)], "the rise")
        assert page.of_type("energy")[-1]["reason"] == "quota-reset"
        await page.wait_until(lambda: page.of_type("ready")[-1]["model"] == NEWEST, "the newest model")
        assert "PLUM-42" in await ask(page)
        assert page.toasts() == ["energy.lower", "energy.restored"]


@pytest.mark.parametrize("text", ["internal error encountered", "aborted"])
async def test_what_is_not_quota_lowers_no_level(web: WebServer, emulator: Emulator, text: str) -> None:
    async with Page(web, "call") as page:
        await page.start()
        await page.say(CODE_WORD)
        await page.reply()
        emulator.fault("close", text=text)
        await page.wait_for("state", state="live")
        assert "PLUM-42" in await ask(page)
        assert levels(page) == []


async def test_a_refused_handshake_that_names_a_days_quota_is_believed_at_once(
    web: WebServer, emulator: Emulator
) -> None:
    """Until midnight Pacific, whatever short delay the provider asks for beside it."""
    emulator.fault("refuse_handshake", status=429, limit="day", retry_after_s=36, count=1)
    async with Page(web, "call") as page:
        await page.start()
        lowered = page.of_type("energy")[-1]
        assert (lowered["previous"], lowered["level"]) == (3, 2)
        resets_at = datetime.datetime.fromisoformat(lowered["resets_at"]).astimezone(zoneinfo.ZoneInfo(QUOTA_ZONE))
        assert (resets_at.hour, resets_at.minute, resets_at.second) == (0, 0, 0)


async def test_missing_credit_stops_a_conversation_by_its_name_and_is_not_in_the_ledger(
    web: WebServer, emulator: Emulator
) -> None:
    """As soon as the operator has paid, "try again" works, and so does whoever comes next."""
    async with Page(web, "text") as page:
        await page.start()
        await page.say(CODE_WORD)
        await page.reply()
        emulator.fault("quota", limit="billing", connection="all")
        await page.say(QUESTION)
        assert (await page.wait_for("state", state="failed"))["reason"] == "billing"
        emulator.disarm()
        await page.send(type="retry")
        assert "PLUM-42" in await page.reply()
        assert levels(page) == []


@pytest.mark.developer_api
async def test_many_users_on_a_spent_model_cost_one_refusal(web: WebServer, emulator: Emulator) -> None:
    names = [f"caller{number}" for number in range(10)]
    web.shell(
        "from django.contrib.auth.models import User\n"
        f"for name in {names}: User.objects.filter(username=name).exists() or "
        f"User.objects.create_user(name, password={PASSWORD!r})"
    )
    spend(emulator, NEWEST)
    pages = [Page(web, "call", user=name) for name in names]
    await asyncio.gather(*(page.connect() for page in pages))
    readies = await asyncio.gather(*(page.start() for page in pages))
    assert {ready["model"] for ready in readies} == {OLDER}
    refused = [entry for entry in emulator.entries("closed") if "quota" in entry["reason"]]
    assert len(refused) == 1
    await asyncio.gather(*(page.hang_up() for page in pages))
