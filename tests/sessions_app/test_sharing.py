"""What live sessions share: places, quota, fair use, and an operator who may end them."""

from __future__ import annotations

import asyncio
import datetime
import json
import uuid
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.db import OperationalError
from django.utils import timezone
from google.genai import errors
from pytest_django import Settings
from websockets.datastructures import Headers
from websockets.exceptions import InvalidStatus
from websockets.http11 import Response

from energy import budget
from energy.announcements import announce
from energy.ledger import note_refusal
from energy.levels import Ladder, LevelChange, Mode, Reason
from energy.models import EnergyChange, ModelQuota
from energy.quota import Refusal
from sessions_app.gateway.session_registry import SessionRegistry
from sessions_app.gateway.worker_channel import end_everywhere
from sessions_app.live.machine.failures import Failure, Phase
from sessions_app.live.providers.gemini import failure_of
from sessions_app.usage import save_usage
from tests.fakes.energy import NEWEST, OLDER, OLDEST
from tests.fakes.upstream import FakeUpstream
from tests.live.test_google_errors import quota_error
from tests.sessions_app.page_socket import Socket
from tests.sessions_app.talking import ask

pytestmark = pytest.mark.django_db(transaction=True)

QUOTA = Failure(1011, "You exceeded your current quota, please check your plan and billing details.", Phase.LIVE)


def spend(*models: str) -> None:
    for model in models:
        note_refusal(model, Refusal("Quota exceeded for requests per day"), timezone.now())


# -- places ------------------------------------------------------------------------------------------------------------


async def test_a_page_without_a_place_sees_where_it_stands_and_begins_by_itself_with_what_it_said(
    registry: SessionRegistry, upstream: FakeUpstream, alice: User, bob: User, sam: User, settings: Settings
) -> None:
    settings.LIVE_SESSIONS_MAX = 1
    async with Socket(registry, Mode.CALL, alice) as talking:
        await talking.start()
        async with Socket(registry, Mode.CALL, bob) as second, Socket(registry, Mode.CALL, sam) as third:
            for place, page in enumerate((second, third), start=1):
                await page.send(type="start", page_id=page.page_id)
                waiting = await page.wait_for("state", state="connecting", reason="queued")
                assert waiting["place"] == place
            await second.send(type="text", id="typed-1", text="Hello")
            await talking.send(type="hangup")
            await second.wait_for("ready", action="new")
            assert (await third.wait_for("state", reason="queued"))["place"] == 1
            await asyncio.sleep(1)
            assert upstream.connection.texts == ["Hello"]
            await second.send(type="hangup")
            await third.wait_for("ready", action="new")


async def test_whoever_could_not_ask_for_a_place_asks_again_and_begins(
    registry: SessionRegistry, alice: User, bob: User, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.LIVE_SESSIONS_MAX = 2
    real_ask, failures = budget.ask, [OperationalError("the database is locked")] * 2

    def ask(*arguments: Any) -> Any:
        if failures:
            raise failures.pop()
        return real_ask(*arguments)

    monkeypatch.setattr(budget, "ask", ask)
    async with Socket(registry, Mode.CALL, alice) as hers, Socket(registry, Mode.CALL, bob) as his:
        for page in (hers, his):
            await page.start()
            assert page.error_codes == []
    assert not failures


async def test_a_page_that_leaves_the_line_for_good_gives_its_place_up(
    registry: SessionRegistry, alice: User, bob: User, sam: User, settings: Settings
) -> None:
    settings.LIVE_SESSIONS_MAX = 1
    async with Socket(registry, Mode.CALL, alice) as talking:
        await talking.start()
        async with Socket(registry, Mode.CALL, bob) as gone:
            await gone.send(type="start", page_id=gone.page_id)
            await gone.wait_for("state", reason="queued")
        async with Socket(registry, Mode.CALL, sam) as waiting:
            await waiting.send(type="start", page_id=waiting.page_id)
            assert (await waiting.wait_for("state", reason="queued"))["place"] == 2
            assert (await waiting.wait_for("state", reason="queued"))["place"] == 1


async def test_a_page_that_comes_back_to_the_line_finds_its_place(
    registry: SessionRegistry, alice: User, bob: User, settings: Settings
) -> None:
    settings.LIVE_SESSIONS_MAX = 1
    page_id = uuid.uuid4()
    async with Socket(registry, Mode.CALL, alice) as talking:
        await talking.start()
        async with Socket(registry, Mode.CALL, bob, page_id) as torn:
            await torn.send(type="start", page_id=torn.page_id)
            await torn.wait_for("state", reason="queued")
        async with Socket(registry, Mode.CALL, bob, page_id) as back:
            await back.send(type="start", page_id=back.page_id)
            assert (await back.wait_for("state", reason="queued"))["place"] == 1
            await asyncio.sleep(60)
            await talking.send(type="hangup")
            await back.wait_for("ready", action="new")


# -- quota -------------------------------------------------------------------------------------------------------------


async def test_a_spent_model_is_not_dialled_by_those_who_come_after(
    registry: SessionRegistry, upstream: FakeUpstream, alice: User
) -> None:
    await ask(lambda: spend(NEWEST))
    async with Socket(registry, Mode.CALL, alice) as page:
        ready = await page.start()
        assert (ready["model"], ready["energy"]["level"]) == (OLDER, 2)
        assert ready["energy"]["resets_at"] is not None
    assert [attempt.setup.model for attempt in upstream.attempts] == [OLDER]


@pytest.mark.usefixtures("live_models_alone")
async def test_without_any_model_a_session_is_refused_with_the_time(
    registry: SessionRegistry, upstream: FakeUpstream, alice: User
) -> None:
    await ask(lambda: spend(NEWEST, OLDER, OLDEST))
    async with Socket(registry, Mode.CALL, alice) as page:
        await page.send(type="start", page_id=page.page_id)
        refused = await page.wait_for("state", state="exhausted", reason="quota")
        assert refused["retry_in_ms"] > 0
        energy = await page.wait_for("energy")
        assert (energy["level"], energy["model"]) == (0, "")
        assert energy["resets_at"] is not None
        assert (await page.wait_for("toast"))["code"] == "energy.exhausted"
    assert upstream.attempts == []


@pytest.mark.usefixtures("live_models_alone")
async def test_a_step_down_is_a_row_and_an_operators_reset_brings_the_best_model_back(
    registry: SessionRegistry, upstream: FakeUpstream, alice: User, caplog: pytest.LogCaptureFixture
) -> None:
    async with Socket(registry, Mode.TEXT, alice) as page:
        await page.start()
        upstream.connection.drop(QUOTA)
        lowered = await page.wait_for("energy", level=1)
        assert lowered["reason"] == "rate-limit-exceeded"
        await page.wait_for("ready", model=OLDER)
        await ask(lambda: ModelQuota.objects.all().delete())
        ladder = Ladder(Mode.TEXT, [NEWEST, OLDER])
        reset = LevelChange(ladder.level(1), ladder.top, Reason.MANUAL, datetime.datetime.now(datetime.UTC))
        await announce(alice.pk, reset)
        await page.wait_for("energy", level=2, reason="manual")
        await page.wait_for("ready", model=NEWEST)
        await announce(alice.pk, reset)
        await asyncio.sleep(1)
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []
    changes = await ask(lambda: list(EnergyChange.objects.order_by("at").values_list("previous", "level", "reason")))
    assert changes == [(2, 1, "rate-limit-exceeded"), (1, 2, "manual")]


@pytest.fixture
def live_models_alone(settings: Settings) -> None:
    settings.ENERGY_LADDERS = {Mode.CALL: [NEWEST, OLDER, OLDEST], Mode.TEXT: [NEWEST, OLDER]}


PER_DAY = "GenerateRequestsPerDayPerProjectPerModel-FreeTier"
PER_MINUTE = "GenerateRequestsPerMinutePerProjectPerModel-FreeTier"


@pytest.mark.parametrize("way", ["refused handshake", "exception of the SDK", "close reason"])
@pytest.mark.parametrize(
    ("quota", "delay", "kind", "ends_at"),
    [
        (PER_DAY, "36s", "day", "2026-11-21T08:00:00+00:00"),
        (PER_MINUTE, "36.5s", "minute", "2026-11-20T20:00:36.500000+00:00"),
        (PER_MINUTE, "", "minute", "2026-11-20T20:01:05+00:00"),
    ],
    ids=["day", "minute with delay", "minute"],
)
async def test_what_google_says_of_the_quota_decides_how_long_a_model_is_spent(
    registry: SessionRegistry,
    upstream: FakeUpstream,
    alice: User,
    way: str,
    quota: str,
    delay: str,
    kind: str,
    ends_at: str,
) -> None:
    """By the names of quotas and the delay in the details of its error: at once, without a second refusal."""
    error = quota_error(quota, delay=delay)
    raw = {
        "refused handshake": InvalidStatus(Response(429, "", Headers(), json.dumps(error).encode())),
        "exception of the SDK": errors.APIError(429, error),
        "close reason": errors.APIError(1011, json.dumps(error)),
    }[way]
    async with Socket(registry, Mode.CALL, alice) as page:
        await page.start()
        with time_machine.travel("2026-11-20T20:00:00+00:00", tick=False):
            upstream.connection.drop(failure_of(raw, Phase.LIVE))
            await page.wait_for("energy", level=2)
    row = await ask(lambda: ModelQuota.objects.get(model=NEWEST))
    assert row.kind == kind
    assert row.resets_at is not None
    assert row.resets_at.isoformat() == ends_at


# -- fair use ----------------------------------------------------------------------------------------------------------


async def test_a_user_who_has_had_their_share_is_told_which_and_until_when(
    registry: SessionRegistry, upstream: FakeUpstream, alice: User, settings: Settings
) -> None:
    settings.FAIR_USE_SESSIONS = 1
    async with Socket(registry, Mode.CALL, alice) as call:
        await call.start()
        async with Socket(registry, Mode.TEXT, alice) as chat:
            await chat.send(type="start", page_id=chat.page_id)
            await chat.wait_for("state", state="exhausted", reason="fair-use")
            assert "1 conversations open" in (await chat.wait_for("toast"))["text"]
            assert len(upstream.attempts) == 1
            await call.send(type="hangup")
            await call.wait_closed()
            await asyncio.sleep(1)
            await chat.send(type="retry")
            await chat.wait_for("ready")


async def test_a_share_that_is_used_up_in_mid_conversation_ends_it_between_two_turns(
    registry: SessionRegistry, alice: User, settings: Settings
) -> None:
    settings.FAIR_USE_TOKENS_PER_DAY = 100
    async with Socket(registry, Mode.CALL, alice) as page:
        ready = await page.start()

        report = {"prompt_tokens": 60, "response_tokens": 40}
        await ask(lambda: save_usage(ready["conversation"], ready["session"], 1, 1, NEWEST, report))
        await page.wait_for("state", state="exhausted", reason="fair-use")
        assert "100 tokens" in (await page.wait_for("toast", code="energy.exhausted"))["text"]


# -- the operator ------------------------------------------------------------------------------------------------------


async def test_a_session_that_an_operator_ends_is_over_on_its_page(
    registry: SessionRegistry, upstream: FakeUpstream, alice: User
) -> None:
    async with Socket(registry, Mode.CALL, alice) as page:
        ready = await page.start()
        await asyncio.get_running_loop().run_in_executor(None, end_everywhere, ready["session"])
        assert await page.wait_closed() == 1000
        assert page.of_type("state")[-1]["state"] == "ended"
        await asyncio.sleep(1)
        assert upstream.connection.is_closed
