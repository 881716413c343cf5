"""Two workers, one line: a page that comes to the other one takes its session along, and the first has nothing more to
say."""

from __future__ import annotations

import asyncio
import uuid

import pytest
from django.contrib.auth.models import User
from django.db.models import F
from pytest_django import Settings

from energy.levels import Mode
from energy.models import LiveSlot
from sessions_app import lines
from sessions_app.gateway.line_keeper import LET_GO_WITHIN_S
from sessions_app.gateway.session_registry import SessionRegistry
from sessions_app.lines import BEAT_EVERY_S
from sessions_app.live.providers.upstream import (
    GenerationComplete,
    HandleUpdate,
    ReplyAudio,
    ReplyWords,
    TurnComplete,
    UserWords,
)
from sessions_app.models import KeptSound, Line, LiveSession, ResumptionHandle, Turn, Worker
from tests.fakes.upstream import FakeUpstream
from tests.sessions_app.page_socket import Socket
from tests.sessions_app.talking import ask, exchange, open_lines

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def layer_away(registry: SessionRegistry, settings: Settings) -> None:
    """Only the rows tell then."""
    settings.CHANNEL_LAYERS = {}


def kill_everybody() -> None:
    """No worker has been heard for so long that none counts as living."""
    Worker.objects.update(seen_at=F("seen_at") - lines.DEAD_AFTER)


@pytest.mark.parametrize("mode", Mode)
async def test_a_page_that_comes_to_another_worker_goes_on_there_with_its_session(
    registry: SessionRegistry, other: SessionRegistry, upstream: FakeUpstream, alice: User, mode: Mode
) -> None:
    page_id = uuid.uuid4()
    async with Socket(registry, mode, alice, page_id) as page:
        ready = await page.start()
        await exchange(page, upstream, "1", "my code word is PLUM", "noted", "handle-1")
    async with Socket(other, mode, alice, page_id) as page:
        again = await page.start(last_down=0)
        assert again["action"] == "resumed"
        assert again["conversation"] == ready["conversation"]
        assert [turn["text"] for turn in again["transcript"]] == ["my code word is PLUM", "noted"]
        assert upstream.connection.setup.handle == "handle-1"
        assert [connection.is_closed for connection in upstream.connections] == [True, False]
    reasons = await ask(lambda: list(LiveSession.objects.order_by("started_at").values_list("end_reason", flat=True)))
    assert reasons == ["moved", ""]


@pytest.mark.usefixtures("layer_away")
async def test_without_a_channel_layer_it_takes_a_heartbeat_longer(
    registry: SessionRegistry, other: SessionRegistry, upstream: FakeUpstream, alice: User
) -> None:
    page_id, loop = uuid.uuid4(), asyncio.get_running_loop()
    async with Socket(registry, Mode.CALL, alice, page_id) as page:
        await page.start()
        await exchange(page, upstream, "1", "Hello", "Hello", "handle-1")
    asked_at = loop.time()
    async with Socket(other, Mode.CALL, alice, page_id) as page:
        assert (await page.start(last_down=0))["action"] == "resumed"
    assert loop.time() - asked_at < 2 * BEAT_EVERY_S


async def test_sound_that_a_page_missed_while_it_was_away_goes_with_the_session(
    registry: SessionRegistry, other: SessionRegistry, upstream: FakeUpstream, alice: User
) -> None:
    page_id = uuid.uuid4()
    async with Socket(registry, Mode.CALL, alice, page_id) as page:
        await page.start()
        await exchange(page, upstream, "1", "Hello", "Hello", "handle-1")
    sound = (ReplyAudio(bytes([number]) * 960) for number in range(3))
    upstream.connection.feed(*sound, ReplyWords("And one more thing."), GenerationComplete(), TurnComplete())
    await asyncio.sleep(0.1)
    async with Socket(other, Mode.CALL, alice, page_id) as page:
        await page.start(last_down=1)
        assert page.audio == [(2, bytes([1]) * 960), (3, bytes([2]) * 960)]
    assert not await ask(KeptSound.objects.exists)


async def test_going_back_within_the_time_that_a_session_is_parked_finds_no_stale_one(
    registry: SessionRegistry, other: SessionRegistry, upstream: FakeUpstream, alice: User
) -> None:
    page_id = uuid.uuid4()
    for number, worker in enumerate((registry, other, registry)):
        async with Socket(worker, Mode.TEXT, alice, page_id) as page:
            ready = await page.start(last_down=number - 1)
            assert ready["action"] == ("resumed" if number else "new")
            assert len(ready["transcript"]) == 2 * number
            await exchange(page, upstream, f"{number}", f"#{number}", f"answer {number}", f"handle-{number}")
            assert open_lines(upstream) == 1
    texts = await ask(lambda: list(Turn.objects.order_by("number").values_list("role", "text")))
    assert texts == [pair for number in range(3) for pair in (("user", f"#{number}"), ("model", f"answer {number}"))]


async def test_another_page_of_the_user_takes_over_from_a_page_at_another_worker(
    registry: SessionRegistry, other: SessionRegistry, upstream: FakeUpstream, alice: User
) -> None:
    async with Socket(registry, Mode.CALL, alice) as first, Socket(other, Mode.CALL, alice) as second:
        before = await first.start()
        after = await second.start()
        assert await first.wait_closed() == 4409
        assert [toast["code"] for toast in first.of_type("toast")] == ["takeover"]
        assert after["action"] == "new"
        assert after["conversation"] != before["conversation"]
        assert open_lines(upstream) == 1


async def test_a_worker_that_was_taken_for_dead_closes_when_it_wakes_and_writes_nothing(
    registry: SessionRegistry, other: SessionRegistry, upstream: FakeUpstream, alice: User
) -> None:
    page_id = uuid.uuid4()
    async with Socket(registry, Mode.CALL, alice, page_id) as asleep:
        await asleep.start()
        await exchange(asleep, upstream, "1", "Hello", "Hello", "handle-1")
        stale = upstream.connection
        await ask(kill_everybody)
        async with Socket(other, Mode.CALL, alice, page_id) as page:
            assert (await page.start(last_down=0))["action"] == "resumed"
            await exchange(page, upstream, "2", "Who has me?", "I have", "handle-2")
            stale.feed(UserWords("stale words"), ReplyAudio(bytes(960)), ReplyWords("stale"), HandleUpdate("stale"))
            stale.feed(GenerationComplete(), TurnComplete())
            await asyncio.sleep(2 * BEAT_EVERY_S)
            assert stale.is_closed
            assert await asleep.wait_closed() == 4012
            assert open_lines(upstream) == 1
            texts = await ask(lambda: list(Turn.objects.order_by("number").values_list("text", flat=True)))
            assert texts == ["Hello", "Hello", "Who has me?", "I have"]
            sessions = await ask(lambda: list(LiveSession.objects.order_by("started_at")))
            assert [session.end_reason for session in sessions] == ["owner-lost", ""]
            handle = await ask(lambda: ResumptionHandle.objects.get(page_id=page_id))
            assert handle.live_session_id == sessions[1].pk


async def test_what_the_page_has_of_a_reply_is_dropped_when_its_worker_is_killed_before_it_is_whole(
    registry: SessionRegistry, other: SessionRegistry, upstream: FakeUpstream, alice: User
) -> None:
    page_id = uuid.uuid4()
    async with Socket(registry, Mode.CALL, alice, page_id) as page:
        await page.start()
        await page.send(type="text", id="1", text="Tell me a tale")
        await page.wait_for("turn", role="user", text="Tell me a tale")
        upstream.connection.feed(ReplyAudio(bytes(960)), ReplyWords("Once upon"))
        await page.wait_for("turn", role="model", text="Once upon")
        await ask(kill_everybody)
        async with Socket(other, Mode.CALL, alice, page_id) as again:
            ready = await again.start(last_down=0)
            assert [turn["text"] for turn in ready["transcript"]] == ["Tell me a tale"]
            assert "flush" in [message["type"] for message in again.messages], "as soon as the page is there"


async def test_a_stale_session_is_not_attached_to_before_its_worker_has_noticed(
    registry: SessionRegistry, other: SessionRegistry, upstream: FakeUpstream, alice: User
) -> None:
    """The page goes back at once, and the worker that was taken for dead has not had a heartbeat yet."""
    page_id = uuid.uuid4()
    async with Socket(registry, Mode.TEXT, alice, page_id) as page:
        await page.start()
        await exchange(page, upstream, "1", "Hello", "Hello", "handle-1")
    registry._lines._task.cancel()  # type: ignore[union-attr]
    await ask(kill_everybody)
    async with Socket(other, Mode.TEXT, alice, page_id) as page:
        await page.start(last_down=0)
        await exchange(page, upstream, "2", "Who has me?", "I have", "handle-2")
    async with Socket(registry, Mode.TEXT, alice, page_id) as page:
        ready = await page.start(last_down=1)
        assert ready["action"] == "resumed"
        assert [turn["text"] for turn in ready["transcript"]] == ["Hello", "Hello", "Who has me?", "I have"]


async def test_a_worker_that_lives_and_does_not_let_go_is_fenced_after_four_seconds(
    registry: SessionRegistry, other: SessionRegistry, upstream: FakeUpstream, alice: User
) -> None:
    page_id, loop = uuid.uuid4(), asyncio.get_running_loop()
    async with Socket(registry, Mode.CALL, alice, page_id) as page:
        await page.start()
        await exchange(page, upstream, "1", "Hello", "Hello", "handle-1")
    registry._lines._task.cancel()  # type: ignore[union-attr]
    registry._channel.stop()
    asked_at = loop.time()
    async with Socket(other, Mode.CALL, alice, page_id) as page:
        assert (await page.start(last_down=0))["action"] == "resumed"
    assert LET_GO_WITHIN_S <= loop.time() - asked_at < LET_GO_WITHIN_S + 1


async def test_a_place_in_the_budget_goes_with_the_session(
    registry: SessionRegistry,
    other: SessionRegistry,
    upstream: FakeUpstream,
    alice: User,
    bob: User,
    settings: Settings,
) -> None:
    settings.LIVE_SESSIONS_MAX = 1
    page_id = uuid.uuid4()
    async with Socket(registry, Mode.CALL, alice, page_id) as page:
        await page.start()
        await exchange(page, upstream, "1", "Hello", "Hello", "handle-1")
    async with Socket(other, Mode.CALL, bob) as waiting, Socket(other, Mode.CALL, alice, page_id) as page:
        await waiting.send(type="start", page_id=waiting.page_id)
        assert (await waiting.wait_for("state", reason="queued"))["place"] == 1
        assert (await page.start(last_down=0))["action"] == "resumed"
        slot = await ask(lambda: LiveSlot.objects.get(user=alice))
        assert slot.granted_at is not None


async def test_a_worker_that_leaves_hands_over_what_its_pages_have_not_heard(
    registry: SessionRegistry, other: SessionRegistry, upstream: FakeUpstream, alice: User
) -> None:
    page_id = uuid.uuid4()
    registry.serve()
    async with Socket(registry, Mode.CALL, alice, page_id) as page:
        await page.start()
        await exchange(page, upstream, "1", "Hello", "Hello", "handle-1")
        upstream.connection.feed(ReplyAudio(bytes(960)), ReplyWords("More."), GenerationComplete(), TurnComplete())
        await asyncio.sleep(0.1)
        await registry.drain()
        assert await page.wait_closed() == 4012
    assert await ask(lambda: list(Worker.objects.all())) == []
    assert await ask(lambda: Line.objects.get().worker) is None
    async with Socket(other, Mode.CALL, alice, page_id) as page:
        assert (await page.start(last_down=0))["action"] == "resumed"
        assert page.audio[:1] == [(1, bytes(960))]


async def test_an_idle_worker_is_seen_by_others_and_one_without_a_server_costs_nothing(
    registry: SessionRegistry, other: SessionRegistry
) -> None:
    registry.serve()
    await asyncio.sleep(BEAT_EVERY_S)
    assert await ask(Worker.objects.count) == 1
    first = await ask(lambda: Worker.objects.get().seen_at)
    await asyncio.sleep(3 * BEAT_EVERY_S)
    assert await ask(lambda: Worker.objects.get().seen_at) > first
    await registry.drain()
    assert await ask(Worker.objects.count) == 0


async def test_what_a_whole_reply_answers_is_not_heard_again_by_the_session_that_goes_on_elsewhere(
    registry: SessionRegistry, other: SessionRegistry, upstream: FakeUpstream, alice: User
) -> None:
    """The page goes while the reply is still played, and was told nothing of what it answers."""
    page_id = uuid.uuid4()
    async with Socket(registry, Mode.CALL, alice, page_id) as page:
        await page.start()
        await exchange(page, upstream, "1", "Hello", "Hello", "handle-1")
        for number in range(3):
            await page.send_frame(number)
        await asyncio.sleep(0.2)
        upstream.connection.feed(UserWords("How are you?"), ReplyAudio(bytes(96_000)), ReplyWords("Well."))
        upstream.connection.feed(GenerationComplete())
        await page.wait_for("generation_complete")
    async with Socket(other, Mode.CALL, alice, page_id) as page:
        ready = await page.start(last_down=0)
        assert ready["ack"] == ready["next"] == 3
