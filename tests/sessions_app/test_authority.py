"""Whoever loses the right to be here loses the line within seconds, and nobody else does."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from energy.levels import Mode
from sessions_app.accounts import browsers, deletion
from sessions_app.gateway import authority
from sessions_app.gateway.authority import IN_ONE_QUERY, Credentials, those_over
from sessions_app.gateway.session_registry import SessionRegistry
from sessions_app.models import BrowserSession, Turn
from tests.fakes.upstream import FakeUpstream
from tests.sessions_app.page_socket import Socket
from tests.sessions_app.talking import ask

pytestmark = pytest.mark.django_db(transaction=True)

CLOSED_WITHIN_S = 5.0
TOLD_WITHIN_S = 0.5


class Browser:
    """A browser in which somebody has logged in."""

    def __init__(self, user: User) -> None:
        self.user = user
        self.client = Client()
        self.client.force_login(user)
        self.session = SessionStore(self.client.cookies["sessionid"].value)

    def log_out(self) -> None:
        self.client.post("/accounts/logout/")

    def log_in_again(self) -> None:
        self.client.force_login(self.user)

    def open(self, registry: SessionRegistry, mode: Mode = Mode.TEXT) -> Socket:
        return Socket(registry, mode, User.objects.get(pk=self.user.pk), browser=self.session)


async def a_page(registry: SessionRegistry, user: User, mode: Mode = Mode.TEXT) -> tuple[Browser, Socket]:
    """A browser, and a page in it that is not open yet."""
    browser = await ask(lambda: Browser(user))
    return browser, await ask(lambda: browser.open(registry, mode))


def deactivate(browser: Browser) -> None:
    user = User.objects.get(pk=browser.user.pk)
    user.is_active = False
    user.save()


def change_password(browser: Browser) -> None:
    user = User.objects.get(pk=browser.user.pk)
    user.set_password("another-one")
    user.save(update_fields=["password"])


def delete_account(browser: Browser) -> None:
    User.objects.get(pk=browser.user.pk).delete()


def expire(browser: Browser) -> None:
    Session.objects.update(expire_date=timezone.now() - datetime.timedelta(seconds=1))


def log_out_everywhere(browser: Browser) -> None:
    Session.objects.all().delete()


def log_out_from_another_browser(browser: Browser) -> None:
    other = Browser(browser.user)
    assert browsers.log_out_others(browser.user, other.session.session_key) == 1


def delete_account_by_its_page(browser: Browser) -> None:
    deletion.delete_account(User.objects.get(pk=browser.user.pk))


End = Callable[[Browser], None]
TOLD: list[End] = [
    *(Browser.log_out, deactivate, change_password, delete_account),
    *(log_out_from_another_browser, delete_account_by_its_page),
]
"""Signals tell of these; of the others only the rows do."""
ENDS: list[End] = [*TOLD, expire, log_out_everywhere]


@pytest.fixture(params=[True, False], ids=["layer there", "layer away"])
def layer(request: pytest.FixtureRequest, registry: SessionRegistry, settings: Settings) -> bool:
    if not request.param:
        settings.CHANNEL_LAYERS = {}
    return bool(request.param)


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("end", ENDS, ids=lambda end: end.__name__)
async def test_a_right_that_ends_closes_the_socket_and_the_line(
    layer: bool, registry: SessionRegistry, upstream: FakeUpstream, alice: User, end: End, mode: Mode
) -> None:
    browser, page = await a_page(registry, alice, mode)
    async with page:
        await page.start()
        await asyncio.sleep(0.3)
        ended_at = asyncio.get_running_loop().time()
        await ask(lambda: end(browser))
        assert await page.wait_closed() == 4401
        assert page.error_codes == ["auth.over"]
        seconds = asyncio.get_running_loop().time() - ended_at
        assert seconds < (TOLD_WITHIN_S if layer and end in TOLD else CLOSED_WITHIN_S)
    await asyncio.sleep(1)
    assert upstream.connection.is_closed
    assert len(upstream.attempts) == 1


@pytest.mark.parametrize("end", ENDS, ids=lambda end: end.__name__)
async def test_nothing_that_is_typed_after_it_is_stored_or_answered(
    registry: SessionRegistry, upstream: FakeUpstream, alice: User, settings: Settings, end: End
) -> None:
    settings.CHANNEL_LAYERS = {}
    browser, page = await a_page(registry, alice)
    async with page:
        await page.start()
        await asyncio.sleep(0.3)  # until the beginning of the session is stored, which may stop a deletion
        await ask(lambda: end(browser))
        await page.send(type="text", id="typed-1", text="Is anybody there?")
        await page.send(type="text", id="typed-2", text="Hello?")
        assert await page.wait_closed() == 4401
    await asyncio.sleep(1)
    assert await ask(Turn.objects.count) == 0
    assert [sent for connection in upstream.connections for sent in connection.sent] == []


async def test_a_session_whose_page_is_away_ends_with_the_right_of_the_one_it_had(
    registry: SessionRegistry, upstream: FakeUpstream, alice: User
) -> None:
    browser, page = await a_page(registry, alice)
    async with page:
        await page.start()
        await asyncio.sleep(0.3)
    await ask(lambda: deactivate(browser))
    await asyncio.sleep(CLOSED_WITHIN_S)
    assert upstream.connection.is_closed


async def test_another_browser_and_another_user_stay(registry: SessionRegistry, alice: User, bob: User) -> None:
    leaving, staying, bobs = await ask(lambda: (Browser(alice), Browser(alice), Browser(bob)))
    pages = await ask(
        lambda: (leaving.open(registry, Mode.TEXT), staying.open(registry, Mode.CALL), bobs.open(registry))
    )
    async with pages[0] as gone, pages[1] as other, pages[2] as of_bob:
        for page in pages:
            await page.start()
        await ask(leaving.log_out)
        assert await gone.wait_closed() == 4401
        await asyncio.sleep(2 * CLOSED_WITHIN_S)
        for page in (other, of_bob):
            await page.send(type="ping", t=1)
            await page.wait_for("pong")
            assert page.error_codes == []


async def test_logging_in_again_in_the_same_browser_closes_nothing(registry: SessionRegistry, alice: User) -> None:
    browser, page = await a_page(registry, alice)
    async with page:
        await page.start()
        await ask(browser.log_in_again)
        await asyncio.sleep(2 * CLOSED_WITHIN_S)
        await page.send(type="ping", t=1)
        await page.wait_for("pong")


async def test_after_logging_in_again_the_same_page_life_goes_on(
    registry: SessionRegistry, upstream: FakeUpstream, alice: User
) -> None:
    browser, page = await a_page(registry, alice)
    async with page:
        first = await page.start()
        await ask(browser.log_out)
        await page.wait_closed()
    again = await ask(lambda: Browser(alice))
    user = await ask(lambda: User.objects.get(pk=alice.pk))
    async with Socket(registry, Mode.TEXT, user, page.page_id, again.session) as back:  # type: ignore[arg-type]
        ready = await back.start()
        assert ready["conversation"] == first["conversation"]


async def test_a_browser_that_has_a_page_open_is_seen(registry: SessionRegistry, alice: User) -> None:
    browser, page = await a_page(registry, alice)
    row = BrowserSession.objects.filter(session_id=browser.session.session_key)
    an_hour_ago = timezone.now() - datetime.timedelta(hours=1)
    async with page:
        await page.start()
        await ask(lambda: row.update(seen_at=an_hour_ago))
        await asyncio.sleep(browsers.SEEN_EVERY.total_seconds() - CLOSED_WITHIN_S)
        assert (await ask(row.get)).seen_at == an_hour_ago
        await asyncio.sleep(2 * CLOSED_WITHIN_S)
        assert (await ask(row.get)).seen_at > an_hour_ago


async def test_a_database_that_is_away_closes_nobodys_line(
    registry: SessionRegistry, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser, page = await a_page(registry, alice)
    async with page:
        await page.start()

        def away(held: Any) -> frozenset[Credentials]:
            raise ConnectionError("away")

        monkeypatch.setattr(authority, "those_over", away)
        await page.send(type="text", id="typed-1", text="Is anybody there?")
        await page.wait_for("turn", text="Is anybody there?")
        await asyncio.sleep(2 * CLOSED_WITHIN_S)
        monkeypatch.undo()
        await ask(browser.log_out)
        assert await page.wait_closed() == 4401


def test_all_sockets_of_a_worker_are_looked_up_together(alice: User, django_assert_num_queries: Any) -> None:
    trace = alice.get_session_auth_hash()
    living = Browser(alice).session.session_key or ""
    held = {Credentials(alice.pk, f"gone-{number}", trace) for number in range(IN_ONE_QUERY - 1)}
    held.add(Credentials(alice.pk, living, trace))
    with django_assert_num_queries(2):
        over = those_over(held)
    assert held - over == {Credentials(alice.pk, living, trace)}
