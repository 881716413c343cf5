"""What a scrape says of the rows, and that it says something whoever is away."""

from __future__ import annotations

import asyncio
import datetime
import threading
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError, connections
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from prometheus_client import CollectorRegistry
from pytest_django import Settings

from config.metrics.exposition import Exposition
from config.metrics.figures import Figures
from config.metrics.rows import Rows, read_rows
from energy.ledger import project_of_the_key
from energy.levels import Mode
from energy.models import EnergyState, LiveSlot, ModelQuota
from sessions_app.gateway.session_registry import SessionRegistry
from sessions_app.models import Conversation, LiveSession, TurnUsage, Worker
from summarization.memory import SummarisedMemory
from summarization.models import CallHistory, RollingSummary
from tests.fakes.upstream import FakeUpstream
from tests.metrics.scrape import OPEN_METRICS, Scrape
from tests.services.processes import PATIENCE_S
from tests.virtual_time import VirtualTimeLoop

NOTHING = Rows({}, {}, {}, 0, {}, {}, 0)
MODEL = "gemini-3.8-live"


async def answers() -> None:
    """A channel layer that is there."""


def exposition(read: Callable[[], Rows], ask: Callable[[], Awaitable[None]] = answers) -> Exposition:
    figures = CollectorRegistry()
    Figures(figures)
    sessions = SessionRegistry(FakeUpstream(), SummarisedMemory())
    return Exposition(figures, sessions, ask, read)


async def scrape(exposition: Exposition) -> Scrape:
    text, content_type = await exposition.answer(OPEN_METRICS)
    assert content_type.startswith("application/openmetrics-text")
    return Scrape(text.decode())


@pytest.fixture
def a_quarter_ago() -> datetime.datetime:
    return timezone.now() - datetime.timedelta(minutes=15)


@pytest.fixture
def rows(alice: User, bob: User, a_quarter_ago: datetime.datetime) -> None:
    """Some of everything that is shown."""
    EnergyState.objects.create(user=alice, mode="call", level=2)
    EnergyState.objects.create(user=bob, mode="call", level=2)
    EnergyState.objects.create(user=bob, mode="text", level=0)
    in_an_hour = timezone.now() + datetime.timedelta(hours=1)
    spent = {"kind": "day", "spent_since": a_quarter_ago, "resets_at": in_an_hour}
    ModelQuota.objects.create(project=project_of_the_key(), model=MODEL, **spent)
    ModelQuota.objects.create(project="another", model="gemini-3.8-live-extended-thinking", **spent)
    for user, granted_at in ((alice, timezone.now()), (bob, None)):
        LiveSlot.objects.create(
            holder=uuid.uuid4(), user=user, mode="call", owner="w", asked_at=a_quarter_ago, granted_at=granted_at
        )
    LiveSlot.objects.create(holder=uuid.uuid4(), user=bob, mode="call", owner="w", seen_at=a_quarter_ago)
    conversation = Conversation.objects.create(user=alice, mode=Mode.CALL)
    session = LiveSession.objects.create(conversation=conversation, page_id=uuid.uuid4(), model=MODEL, owner="w")
    for turn, model in ((1, MODEL), (2, MODEL), (3, "gemini-of-old")):
        TurnUsage.objects.create(
            **{"conversation": conversation, "live_session": session, "connection": 1, "turn": turn, "model": model},
            **{"report": {}, "input_tokens": 100, "input_text_tokens": 90, "input_audio_tokens": 10},
            **{"output_tokens": 40, "output_text_tokens": 0, "output_audio_tokens": 40, "cost_micro_usd": 500_000},
        )
    CallHistory.objects.create(conversation=conversation, due_at=a_quarter_ago)
    RollingSummary.objects.create(
        conversation=conversation, due_at=a_quarter_ago, claim=uuid.uuid4(), claimed_until=timezone.now()
    )
    Worker.objects.create(name="w")


@pytest.mark.django_db
def test_the_rows_are_read_with_as_many_queries_as_ever(rows: None, settings: Settings) -> None:
    with CaptureQueriesContext(connections["default"]) as few:
        read = read_rows()
    assert read.levels == {("call", 2): 2, ("text", 0): 1}
    assert read.ledger[MODEL].is_spent
    assert not read.ledger["gemini-3.8-live-extended-thinking"].is_spent, "it is another project's"
    assert (read.queue["call"].count, read.queue["text"].count, read.places_taken) == (1, 0, 1)
    assert 890 < read.queue["call"].longest_s < 1_000
    assert read.spent_today[MODEL].tokens == {
        ("input", "text"): 180,
        ("input", "audio"): 20,
        ("output", "text"): 0,
        ("output", "audio"): 80,
    }
    assert read.spent_today[MODEL].cost_micro_usd == 1_000_000
    assert read.spent_today["other"].cost_micro_usd == 500_000, "whatever a model is called, its name is no label"
    assert read.summaries["call"].overdue.count == 1
    assert read.summaries["call"].overdue.longest_s > 890
    assert (read.summaries["rolling"].overdue.count, read.summaries["rolling"].in_hand) == (0, 1)
    assert read.workers == 1
    Conversation.objects.all().delete()
    LiveSlot.objects.all().delete()
    with CaptureQueriesContext(connections["default"]) as none_left:
        read_rows()
    assert len(few) == len(none_left)


@pytest.mark.django_db(transaction=True)
async def test_a_scrape_is_what_the_format_asks_for(
    rows: None, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("config.metrics.exposition.ANSWER_LIMIT_S", PATIENCE_S)
    settings.LIVE_SESSIONS_MAX = 3
    found = await scrape(exposition(read_rows))
    assert found.value("holdline_database_up") == 1
    assert found.value("holdline_channel_layer_up") == 1
    assert found.value("holdline_users_at_level", mode="call", level="2") == 2
    assert found.value("holdline_users_at_level", mode="call", level="3") == 0
    assert found.value("holdline_model_spent", model=MODEL, limit="day") == 1
    assert found.value("holdline_model_spent", model=MODEL, limit="minute") == 0
    assert found.value("holdline_model_resets_timestamp_seconds", model=MODEL) > timezone.now().timestamp()
    assert found.value("holdline_queue_length", mode="call") == 1
    assert found.value("holdline_places_taken") == 1
    assert found.value("holdline_places_limit") == 3
    assert found.value("holdline_cost_today_dollars", model=MODEL) == 1.0
    assert found.value("holdline_live_sessions") == 0
    assert found.value("holdline_swaps_total", outcome="failed") == 0


@pytest.mark.parametrize(
    "accept",
    [
        "application/openmetrics-text; version=x",
        "text/plain;version=0.x",
        "text/plain;version=" + "9" * 5_000,
        "," * 9_999,
    ],
)
async def test_a_scrape_is_answered_whatever_it_asks_for(accept: str) -> None:
    text, content_type = await exposition(lambda: NOTHING).answer(accept)
    assert content_type.startswith(("text/plain", "application/openmetrics-text"))
    assert b"# TYPE holdline_live_sessions gauge" in text


async def test_a_scrape_for_those_who_know_no_open_metrics_is_plain_text() -> None:
    text, content_type = await exposition(lambda: NOTHING).answer("")
    assert content_type.startswith("text/plain")
    assert b"# TYPE holdline_live_sessions gauge" in text


async def test_without_a_database_a_scrape_says_so_and_all_that_this_process_knows() -> None:
    def away() -> Rows:
        raise OperationalError("no route to somewhere secret")

    found = await scrape(exposition(away))
    assert found.value("holdline_database_up") == 0
    assert found.value("holdline_live_sessions") == 0
    assert found.value("holdline_swaps_total") == 0
    assert "holdline_queue_length" not in found.families, "what was true a while ago is not shown as if it were"


async def test_a_database_that_hangs_is_waited_for_a_moment_and_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("config.metrics.exposition.ANSWER_LIMIT_S", 0.05)
    monkeypatch.setattr("config.metrics.exposition.KEPT_S", 0.0)
    is_back = threading.Event()
    asked = 0

    def hang() -> Rows:
        nonlocal asked
        asked += 1
        assert is_back.wait(PATIENCE_S)
        return NOTHING

    hanging = exposition(hang)
    try:
        for _ in range(3):
            assert (await scrape(hanging)).value("holdline_database_up") == 0
        assert asked == 1
    finally:
        is_back.set()
    monkeypatch.setattr("config.metrics.exposition.ANSWER_LIMIT_S", PATIENCE_S)
    assert (await scrape(hanging)).value("holdline_database_up") == 1


async def test_rows_that_came_too_late_are_not_told_to_whoever_asks_next(monkeypatch: pytest.MonkeyPatch) -> None:
    """That may be an hour later."""
    monkeypatch.setattr("config.metrics.exposition.KEPT_S", 0.0)
    monkeypatch.setattr("config.metrics.exposition.ANSWER_LIMIT_S", 0.05)
    is_back, late = threading.Event(), replace(NOTHING, workers=1)
    readings = iter([lambda: late if is_back.wait(PATIENCE_S) else NOTHING, lambda: replace(NOTHING, workers=2)])
    once_hung = exposition(lambda: next(readings)())
    assert (await scrape(once_hung)).value("holdline_database_up") == 0
    reading = once_hung._reading
    assert reading is not None
    is_back.set()
    await reading
    monkeypatch.setattr("config.metrics.exposition.ANSWER_LIMIT_S", PATIENCE_S)
    assert (await scrape(once_hung)).value("holdline_web_workers") == 2


def test_a_channel_layer_that_does_not_answer_is_told() -> None:
    async def silent() -> None:
        await asyncio.Event().wait()

    async def scrape_once() -> Scrape:
        return await scrape(exposition(lambda: NOTHING, silent))

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:  # which waits for the thread that reads the rows
        found = runner.run(scrape_once())
    assert found.value("holdline_channel_layer_up") == 0
    assert found.value("holdline_database_up") == 1


async def test_many_scrapes_at_once_cost_the_database_no_more_than_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("config.metrics.exposition.KEPT_S", 600.0)  # longer than a busy machine takes for all of them
    asked = 0

    def count() -> Rows:
        nonlocal asked
        asked += 1
        return NOTHING

    together = exposition(count)
    await asyncio.gather(*(together.answer(OPEN_METRICS) for _ in range(20)))
    await together.answer(OPEN_METRICS)
    assert asked == 1
