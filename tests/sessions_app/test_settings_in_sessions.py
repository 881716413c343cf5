"""What a user saves counts for their live sessions, whichever worker holds them, and for no handle of before."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import pytest
from channels.db import database_sync_to_async
from django.contrib.auth.models import User
from django.db import OperationalError

from energy.announcements import tell_workers
from energy.levels import Mode
from energy.models import Persona
from energy.services import EnergyBarService
from sessions_app.gateway.energy_bar import SessionEnergy
from sessions_app.gateway.session_registry import SessionRegistry
from sessions_app.models import ResumptionHandle
from sessions_app.user_settings.announcing import SETTINGS_CHANGED_TYPE
from sessions_app.user_settings.terms import UserSettings
from tests.fakes.upstream import CUT, FakeUpstream
from tests.live.test_swaps import QUOTA
from tests.sessions_app.page_socket import Socket
from tests.sessions_app.talking import ask, exchange
from tests.sessions_app.test_user_settings import save

pytestmark = pytest.mark.django_db(transaction=True)


async def change(user: User, **values: Any) -> None:
    assert await database_sync_to_async(save)(user, **values)


async def tell(user: User) -> None:
    assert await tell_workers({"type": SETTINGS_CHANGED_TYPE, "user": user.pk})


def dialled(upstream: FakeUpstream) -> list[tuple[str, str | None]]:
    return [(attempt.setup.voice, attempt.setup.handle) for attempt in upstream.attempts]


async def leave(registry: SessionRegistry, upstream: FakeUpstream, user: User) -> uuid.UUID:
    """A page life with an exchange behind it and a handle that covers it, whose worker has gone."""
    page_id = uuid.uuid4()
    async with Socket(registry, Mode.TEXT, user, page_id) as page:
        await page.start()
        await exchange(page, upstream, "m-1", "My code word is plum.", "Noted.", handle="h-1")
        await registry.drain()
    return page_id


async def test_a_new_session_is_set_up_as_its_user_wants_it(
    registry: SessionRegistry, upstream: FakeUpstream, alice: User, bob: User
) -> None:
    await change(alice, voice="Puck", silence_ms=900)
    async with Socket(registry, Mode.CALL, alice) as page, Socket(registry, Mode.CALL, bob) as other:
        await page.start()
        await other.start()
    assert [attempt.setup.voice for attempt in upstream.attempts] == ["Puck", "Kore"]
    assert upstream.attempts[0].setup.turn_taking.silence_ms == 900


async def test_all_sessions_of_a_user_follow_what_is_saved_and_keep_what_was_said(
    registry: SessionRegistry, other: SessionRegistry, upstream: FakeUpstream, alice: User
) -> None:
    async with Socket(registry, Mode.TEXT, alice) as chat, Socket(other, Mode.CALL, alice) as call:
        await call.start()
        await chat.start()
        await exchange(chat, upstream, "m-1", "My code word is plum.", "Noted.", handle="h-1")
        await asyncio.sleep(2)
        await change(alice, voice="Puck")
        await tell(alice)
        await chat.wait_for("ready", action="rebuilt")
        await call.wait_for("ready")
        await chat.wait_for("toast", code="settings.applied")
        assert ["My code word is plum.", "Noted."] in [
            [turn.text for turn in attempt.setup.history] for attempt in upstream.attempts
        ]
        assert dialled(upstream)[2:] == [("Puck", None)] * 2


async def test_without_a_channel_layer_it_takes_ten_seconds(
    registry: SessionRegistry, upstream: FakeUpstream, alice: User
) -> None:
    async with Socket(registry, Mode.CALL, alice) as page:
        await page.start()
        await change(alice, voice="Puck")
        await asyncio.sleep(11)
        assert dialled(upstream) == [("Kore", None), ("Puck", None)]


async def test_a_session_that_has_missed_a_change_is_found_also_beside_one_that_has_it(
    registry: SessionRegistry, upstream: FakeUpstream, alice: User
) -> None:
    async with Socket(registry, Mode.CALL, alice) as call, Socket(registry, Mode.TEXT, alice) as chat:
        await call.start()
        await change(alice, voice="Puck")
        await chat.start()
        await asyncio.sleep(11)
        assert dialled(upstream) == [("Kore", None), ("Puck", None), ("Puck", None)]


async def test_what_counts_for_pages_alone_leaves_the_line_as_it_is(
    registry: SessionRegistry, upstream: FakeUpstream, alice: User
) -> None:
    async with Socket(registry, Mode.CALL, alice) as page:
        await page.start()
        await change(alice, theme="dark", captions=False)
        await tell(alice)
        await asyncio.sleep(11)
        assert len(upstream.attempts) == 1


@pytest.mark.parametrize(
    ("saved", "resumed"), [({"voice": "Puck"}, False), ({"silence_ms": 900}, True), ({"resumption": False}, False)]
)
async def test_a_page_that_comes_back_at_another_worker_resumes_only_what_was_made_as_it_is_wanted(
    registry: SessionRegistry,
    other: SessionRegistry,
    upstream: FakeUpstream,
    alice: User,
    saved: dict[str, Any],
    resumed: bool,
) -> None:
    page_id = await leave(registry, upstream, alice)
    await change(alice, **saved)
    async with Socket(other, Mode.TEXT, alice, page_id) as page:
        ready = await page.start()
        setup = upstream.attempts[-1].setup
        assert (setup.handle, ready["action"]) == (("h-1", "resumed") if resumed else (None, "rebuilt"))
        assert [turn["text"] for turn in ready["transcript"]] == ["My code word is plum.", "Noted."]


@pytest.mark.parametrize(("saved", "resumed"), [({}, True), ({"voice": "Puck"}, False)])
async def test_a_handle_of_the_version_before_resumes_what_is_as_the_operator_has_it(
    registry: SessionRegistry,
    other: SessionRegistry,
    upstream: FakeUpstream,
    alice: User,
    saved: dict[str, Any],
    resumed: bool,
) -> None:
    """That version kept no digest: an upgrade costs nobody their session, and two versions go on beside each other."""
    page_id = await leave(registry, upstream, alice)
    await ask(lambda: ResumptionHandle.objects.update(made_with=""))
    if saved:
        await change(alice, **saved)
    async with Socket(other, Mode.TEXT, alice, page_id) as page:
        ready = await page.start()
        assert (upstream.attempts[-1].setup.handle, ready["action"]) == (
            ("h-1", "resumed") if resumed else (None, "rebuilt")
        )


async def test_what_is_saved_while_the_line_is_away_counts_when_it_is_back(
    registry: SessionRegistry, upstream: FakeUpstream, alice: User
) -> None:
    async with Socket(registry, Mode.CALL, alice) as page:
        await page.start()
        await exchange(page, upstream, "m-1", "My code word is plum.", "Noted.", handle="h-1")
        upstream.script(*[CUT] * 3)
        upstream.connection.drop(CUT)
        await page.wait_for("state", state="reconnecting")
        await change(alice, voice="Puck")
        await tell(alice)
        await page.wait_for("ready", action="rebuilt")
        assert dialled(upstream)[-1] == ("Puck", None)
        assert ("Puck", "h-1") not in dialled(upstream)


async def test_a_notice_is_in_the_words_that_were_chosen(
    registry: SessionRegistry, upstream: FakeUpstream, alice: User
) -> None:
    await ask(lambda: Persona.objects.get_or_create(slug="assistant", defaults={"name": "Assistant"}))
    await change(alice, persona="assistant")
    async with Socket(registry, Mode.CALL, alice) as page:
        await page.start()
        upstream.connection.drop(QUOTA)
        notice = await page.wait_for("turn", role="system")
        assert notice["text"].startswith("My best model has used up its quota.")


async def test_a_database_that_does_not_tell_what_was_chosen_costs_a_level_and_not_two(
    registry: SessionRegistry, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    energy = SessionEnergy(registry._database, EnergyBarService(alice.pk), alice.pk, lambda mode, session: None)
    await energy.load(Mode.CALL)
    monkeypatch.setattr("sessions_app.gateway.energy_bar.settings_for", _away)
    news = await energy.handle_rate_limit_error(Mode.CALL, QUOTA, energy.get_level(Mode.CALL).model)
    assert (news.change.previous.number, news.change.level.number) == (3, 2)
    assert news.notice.startswith("The quota of the best model is used up.")
    assert energy.get_level(Mode.CALL).number == 2


def _away(user_id: int) -> UserSettings:
    raise OperationalError("the database is away")
