"""The doormen: who comes in, what they are answered, and what they can never do."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import threading
import uuid
from typing import Any

import pytest
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import AnonymousUser, User
from django.test import Client
from pytest_django import Settings

from config.asgi import application
from energy.levels import Mode
from sessions_app.gateway.consumers import START_WITHIN_S
from sessions_app.gateway.inbox import AHEAD_LIMIT_BYTES
from sessions_app.gateway.page_socket import SocketPage
from sessions_app.gateway.session_registry import SessionRegistry
from sessions_app.gateway.socket_bounds import OPEN_OF_USER, UserBounds
from sessions_app.live.providers.upstream import (
    GenerationComplete,
    HandleUpdate,
    ReplyAudio,
    ReplyWords,
    TurnComplete,
    UserWords,
)
from sessions_app.models import Conversation, LiveSession, ResumptionHandle, SessionEvent, Turn
from tests.fakes.upstream import FakeUpstream
from tests.sessions_app.page_socket import Socket
from tests.sessions_app.talking import ask, exchange

pytestmark = pytest.mark.django_db(transaction=True)

FLOOD = 300


@pytest.fixture(autouse=True)
def no_traceback(caplog: pytest.LogCaptureFixture) -> Any:
    """Nothing that a page sends makes the server log an error."""
    yield
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []


# -- the door ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def alices_cookie(alice: User) -> bytes:
    client = Client()
    client.force_login(alice)
    return f"sessionid={client.cookies['sessionid'].value}".encode()


def knock(path: str, *headers: tuple[bytes, bytes]) -> WebsocketCommunicator:
    return WebsocketCommunicator(application, path, headers=[(b"host", b"testserver"), *headers])


@pytest.mark.parametrize("mode", Mode)
async def test_a_visitor_is_let_in_only_to_be_told_to_log_in(mode: Mode) -> None:
    wire = knock(f"/ws/{mode}/", (b"origin", b"http://testserver"))
    connected, _ = await wire.connect()
    assert connected, "a page cannot read the status of a refused handshake"
    error = await wire.receive_json_from()
    assert (error["code"], error["fatal"]) == ("auth.login", True)
    assert await wire.receive_output() == {"type": "websocket.close", "code": 4401}
    await wire.disconnect()


@pytest.mark.parametrize("mode", Mode)
async def test_somebody_logged_in_is_welcome(mode: Mode, alices_cookie: bytes) -> None:
    wire = knock(f"/ws/{mode}/", (b"origin", b"http://testserver"), (b"cookie", alices_cookie))
    assert (await wire.connect())[0]
    await wire.send_json_to({"type": "ping", "t": 7})
    assert await wire.receive_json_from() == {"type": "pong", "t": 7}
    await wire.disconnect()


async def test_after_a_change_of_the_secret_key_a_session_of_the_old_one_opens_a_socket(
    alices_cookie: bytes, settings: Settings
) -> None:
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another-key-that-is-long-enough-to-be-one"
    for _ in range(2):
        wire = knock("/ws/text/", (b"origin", b"http://testserver"), (b"cookie", alices_cookie))
        await wire.connect()
        await wire.send_json_to({"type": "ping", "t": 7})
        assert await wire.receive_json_from() == {"type": "pong", "t": 7}
        await wire.disconnect()


async def test_a_session_of_another_password_opens_no_socket(alices_cookie: bytes, alice: User) -> None:
    alice.set_password("another")
    await ask(alice.save)
    wire = knock("/ws/text/", (b"origin", b"http://testserver"), (b"cookie", alices_cookie))
    await wire.connect()
    assert (await wire.receive_json_from())["code"] == "auth.login"
    await wire.disconnect()


@pytest.mark.parametrize("origin", [b"https://elsewhere.example", b"null", b"http://testserver.elsewhere.example"])
async def test_a_foreign_origin_is_refused_even_with_the_right_cookie(origin: bytes, alices_cookie: bytes) -> None:
    wire = knock("/ws/text/", (b"origin", origin), (b"cookie", alices_cookie))
    assert not (await wire.connect())[0]


@pytest.mark.parametrize("path", ["/ws/", "/ws/text", "/ws/text/more/", "/"])
async def test_a_path_that_nobody_answers_is_refused(path: str) -> None:
    wire = knock(path, (b"origin", b"http://testserver"))
    assert not (await wire.connect())[0]


async def test_a_visitor_who_goes_on_talking_is_not_heard(registry: SessionRegistry) -> None:
    async with Socket(registry, Mode.TEXT, AnonymousUser()) as page:
        await page.send(type="start", page_id=page.page_id)
        await page.send_frame(0)
        assert await page.wait_closed() == 4401
    assert await ask(Conversation.objects.count) == 0


# -- how many ----------------------------------------------------------------------------------------------------------


async def test_of_too_many_sockets_of_a_user_the_oldest_that_says_nothing_has_to_go(
    registry: SessionRegistry, alice: User, bob: User
) -> None:
    async with contextlib.AsyncExitStack() as stack:
        live = await stack.enter_async_context(Socket(registry, Mode.TEXT, alice))
        await live.start()
        silent = [await stack.enter_async_context(Socket(registry, Mode.CALL, alice)) for _ in range(OPEN_OF_USER + 1)]
        for page in silent[:2]:
            assert await page.wait_closed() == 4429
            assert page.error_codes == ["limit.sockets"]
        for page in (live, *silent[2:]):
            await page.send(type="ping", t=1)
            await page.wait_for("pong")
        his = await stack.enter_async_context(Socket(registry, Mode.TEXT, bob))
        await his.start()


async def test_a_page_that_comes_back_is_not_locked_out_by_the_connections_it_lost(
    registry: SessionRegistry, alice: User
) -> None:
    """A phone opens connection after connection through a hole in the network; none of them is seen to be closed."""
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(3 * OPEN_OF_USER):
            await stack.enter_async_context(Socket(registry, Mode.CALL, alice))
        back = await stack.enter_async_context(Socket(registry, Mode.CALL, alice))
        await back.start()


async def test_places_are_given_back_also_by_those_who_are_cancelled(registry: SessionRegistry, alice: User) -> None:
    page = Socket(registry, Mode.TEXT, alice)
    await page.__aenter__()
    await page.start()
    page.wire.future.cancel()
    await asyncio.wait({page.wire.future})
    assert vars(registry._places) == vars(UserBounds())
    assert registry.unsent.all_bytes == 0


async def test_starts_of_pages_that_have_gone_open_no_session_and_hold_up_nobody(
    registry: SessionRegistry, alice: User
) -> None:
    """Three hundred of them took two seconds each, and whoever came after them waited for all."""
    free = threading.Event()
    asyncio.get_running_loop().run_in_executor(registry._database._executor, free.wait)
    pages = [Socket(registry, Mode.TEXT, alice) for _ in range(OPEN_OF_USER - 1)]
    leaving = []
    for page in pages:
        await page.__aenter__()
        await page.send(type="start", page_id=page.page_id)
        leaving.append(asyncio.create_task(page.leave()))
    async with Socket(registry, Mode.TEXT, alice) as last:
        await last.send(type="start", page_id=last.page_id)
        free.set()
        await last.wait_for("ready")
        await asyncio.wait(leaving)
        assert await ask(LiveSession.objects.count) == 1
    assert len(registry._line) == 0


async def test_who_floods_before_the_session_is_open_is_closed(registry: SessionRegistry, alice: User) -> None:
    """Nothing of it is handled yet, and Daphne keeps whatever comes."""
    async with Socket(registry, Mode.CALL, alice) as page:
        async with registry._line.turn(alice.pk, Mode.CALL):
            await page.send(type="start", page_id=page.page_id)
            for number in range(AHEAD_LIMIT_BYTES // 16_000 + 10):
                await page.send_frame(number, bytes(16_000))
            assert await page.wait_closed() == 4429
        assert await ask(LiveSession.objects.count) == 0


# -- start -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", Mode)
async def test_a_start_opens_a_session_and_stores_it(mode: Mode, registry: SessionRegistry, alice: User) -> None:
    async with Socket(registry, mode, alice) as page:
        ready = await page.start()
        assert (ready["action"], ready["mode"], ready["ack"], ready["transcript"]) == ("new", mode, 0, [])
        assert [message["state"] for message in page.of_type("state")] == ["connecting"]
        session = await ask(lambda: LiveSession.objects.select_related("conversation__user").get())
        assert str(session.pk) == ready["session"]
        assert str(session.conversation.pk) == ready["conversation"]
        assert session.conversation.user == alice
        assert str(session.page_id) == page.page_id


async def test_a_start_that_never_comes_is_not_waited_for(registry: SessionRegistry, alice: User) -> None:
    async with Socket(registry, Mode.CALL, alice) as page:
        began = asyncio.get_running_loop().time()
        assert await page.wait_closed() == 4408
        assert asyncio.get_running_loop().time() - began == pytest.approx(START_WITHIN_S)
        assert page.error_codes == ["protocol.no_start"]


async def test_a_start_in_time_stops_the_clock(registry: SessionRegistry, alice: User) -> None:
    async with Socket(registry, Mode.CALL, alice) as page:
        await asyncio.sleep(START_WITHIN_S - 1)
        await page.start()
        await asyncio.sleep(60)
        await page.send(type="ping", t=1)
        await page.wait_for("pong")


async def test_another_users_conversation_cannot_be_continued(
    registry: SessionRegistry, alice: User, bob: User
) -> None:
    hers = await ask(lambda: Conversation.objects.create(user=alice, mode=Mode.CALL))
    async with Socket(registry, Mode.CALL, bob) as page:
        await page.send(type="start", page_id=page.page_id, **{"continue": str(hers.pk)})
        assert await page.wait_closed() == 4403
        assert page.error_codes == ["conversation.not_yours"]
    assert await ask(LiveSession.objects.count) == 0


async def test_a_conversation_that_does_not_exist_is_answered_like_another_users(
    registry: SessionRegistry, bob: User
) -> None:
    async with Socket(registry, Mode.CALL, bob) as page:
        await page.send(type="start", page_id=page.page_id, **{"continue": str(uuid.uuid4())})
        assert await page.wait_closed() == 4403
        assert page.error_codes == ["conversation.not_yours"]


async def test_ones_own_conversation_is_continued_with_its_context(
    registry: SessionRegistry, upstream: FakeUpstream, alice: User
) -> None:
    async with Socket(registry, Mode.CALL, alice) as page:
        first = await page.start()
        await exchange(page, upstream, "typed-1", "My code word is PLUM-42.", "Noted.")
        await page.send(type="hangup")
        await page.wait_closed()
    async with Socket(registry, Mode.CALL, alice) as page:
        ready = await page.start(**{"continue": first["conversation"]})
        assert ready["action"] == "rebuilt"
        assert [turn["text"] for turn in ready["transcript"]] == ["My code word is PLUM-42.", "Noted."]
        assert [turn.text for turn in upstream.connection.setup.history] == ["My code word is PLUM-42.", "Noted."]


@pytest.mark.parametrize(
    "message", [{"type": "text", "id": "typed-1", "text": "Hi"}, {"type": "hangup"}, {"type": "reset"}]
)
async def test_the_first_message_is_start(message: dict[str, Any], registry: SessionRegistry, alice: User) -> None:
    async with Socket(registry, Mode.TEXT, alice) as page:
        await page.send(**message)
        assert (await page.wait_for("error"))["code"] == "protocol.start_first"
        assert (await page.start())["action"] == "new"


async def test_audio_before_the_start_is_answered(registry: SessionRegistry, alice: User) -> None:
    async with Socket(registry, Mode.CALL, alice) as page:
        await page.send_frame(0)
        assert (await page.wait_for("error"))["code"] == "protocol.start_first"


async def test_a_second_start_is_refused_and_the_session_goes_on(
    registry: SessionRegistry, upstream: FakeUpstream, alice: User
) -> None:
    async with Socket(registry, Mode.TEXT, alice) as page:
        await page.start()
        await page.send(type="start", page_id=page.page_id)
        assert (await page.wait_for("error"))["code"] == "protocol.started"
        await exchange(page, upstream, "typed-1", "Hello", "Hello!")
    assert len(upstream.attempts) == 1


# -- nonsense ----------------------------------------------------------------------------------------------------------


async def test_malformed_frames_are_answered_and_after_the_third_it_is_enough(
    registry: SessionRegistry, alice: User
) -> None:
    async with Socket(registry, Mode.TEXT, alice) as page:
        for frame in ("{", '{"type": "no such type"}', b"\0"):
            await page.send_raw(frame)
        assert await page.wait_closed() == 4400
        assert page.error_codes == ["protocol.malformed", "protocol.unknown_type", "protocol.start_first"]
        assert [error["fatal"] for error in page.of_type("error")] == [False, False, True]


@pytest.mark.parametrize("frame", ["x" * 70_000, "ü" * 40_000, bytes(16 * 1024 + 2)])
async def test_frames_that_are_too_large_are_answered_and_closed_if_it_goes_on(
    frame: str | bytes, registry: SessionRegistry, alice: User
) -> None:
    async with Socket(registry, Mode.CALL, alice) as page:
        await page.start()
        await page.send_raw(frame)
        error = await page.wait_for("error")
        assert error["code"] == ("limit.audio_frame" if isinstance(frame, bytes) else "limit.text_frame")
        assert not error["fatal"]
        for _ in range(2):
            await asyncio.sleep(2)
            await page.send_raw(frame)
        assert await page.wait_closed() == 4413


@pytest.mark.parametrize("character", ["x", "好", "\N{GRINNING FACE}"])
@pytest.mark.parametrize("is_escaped", [False, True])
async def test_the_longest_message_is_taken_in_every_script_and_one_longer_is_refused_by_its_id(
    character: str, is_escaped: bool, registry: SessionRegistry, upstream: FakeUpstream, alice: User
) -> None:
    async with Socket(registry, Mode.TEXT, alice) as page:
        await page.start()
        for id, length in (("typed-1", 32_001), ("typed-2", 32_000)):
            message = {"type": "text", "id": id, "text": character * length}
            await page.send_raw(json.dumps(message, ensure_ascii=is_escaped))
        error = await page.wait_for("error")
        assert (error["code"], error["id"], error["fatal"]) == ("limit.text", "typed-1", False)
        turn = await page.wait_for("turn", id="typed-2")
        assert turn["text"] == character * 32_000
        assert page.error_codes == ["limit.text"]


@pytest.mark.parametrize(
    "fields", [{"type": "ping", "t": "x" * 70_000}, {"type": "text", "id": "a", "x": "y" * 70_000}]
)
async def test_other_frames_are_refused_for_their_size_before_anything_else(
    fields: dict[str, str], registry: SessionRegistry, alice: User
) -> None:
    async with Socket(registry, Mode.TEXT, alice) as page:
        await page.start()
        await page.send(**fields)
        assert (await page.wait_for("error"))["code"] == "limit.text_frame"


async def test_a_typed_message_that_is_too_long_is_refused_by_its_id(
    registry: SessionRegistry, upstream: FakeUpstream, alice: User
) -> None:
    async with Socket(registry, Mode.TEXT, alice) as page:
        await page.start()
        await page.send(type="text", id="typed-1", text="x" * 32_001)
        error = await page.wait_for("error")
        assert (error["code"], error["id"], error["fatal"]) == ("limit.text", "typed-1", False)
        await page.send(type="text", id="typed-2", text="x" * 32_000)
        await page.wait_for("turn", id="typed-2")
        await asyncio.sleep(1)
    assert [len(text) for text in upstream.connection.texts] == [32_000]


async def test_a_flood_of_messages_is_answered_once_a_second_and_closed(registry: SessionRegistry, alice: User) -> None:
    async with Socket(registry, Mode.TEXT, alice) as page:
        await page.start()
        for number in range(FLOOD):
            await page.send(type="ping", t=number)
        assert await page.wait_closed() == 4429
        assert set(page.error_codes) == {"limit.message_rate"}
        assert len(page.error_codes) == 2, "one warning, and the end"


async def test_a_flood_of_audio_is_closed_and_a_burst_is_not(
    registry: SessionRegistry, upstream: FakeUpstream, alice: User
) -> None:
    async with Socket(registry, Mode.CALL, alice) as page:
        await page.start()
        for number in range(100):
            await page.send_frame(number)
        await asyncio.sleep(1)
        assert len(upstream.connection.audio) == 100
        for number in range(100, 100 + 2 * FLOOD):
            await page.send_frame(number)
        assert await page.wait_closed() == 4429


async def test_audio_that_was_refused_is_taken_when_it_is_sent_again_and_nothing_is_lost(
    registry: SessionRegistry, upstream: FakeUpstream, alice: User
) -> None:
    async with Socket(registry, Mode.CALL, alice) as page:
        await page.start()
        for number in range(200):
            await page.send_frame(number, number.to_bytes(2, "little") * 640)
        error = await page.wait_for("error", code="limit.audio_rate")
        for number in range(error["audio"], 200):
            await asyncio.sleep(0.04)
            await page.send_frame(number, number.to_bytes(2, "little") * 640)
        await asyncio.sleep(1)
        assert [int.from_bytes(pcm[:2], "little") for pcm in upstream.connection.audio] == list(range(200))
        assert page.of_type("lost") == []
        assert len(page.error_codes) == 1


async def test_audio_that_was_refused_and_is_not_sent_again_is_told_as_lost(
    registry: SessionRegistry, upstream: FakeUpstream, alice: User
) -> None:
    async with Socket(registry, Mode.CALL, alice) as page:
        await page.start()
        for number in range(150):
            await page.send_frame(number)
        refused = (await page.wait_for("error", code="limit.audio_rate"))["audio"]
        await asyncio.sleep(4)
        await page.send_frame(150)
        lost = await page.wait_for("lost")
        assert (lost["ms"], lost["reason"]) == ((150 - refused) * 40, "limit")
        await asyncio.sleep(1)
        assert len(upstream.connection.audio) == refused + 1


# -- a conversation ----------------------------------------------------------------------------------------------------


async def test_a_ping_is_answered_with_its_own_stamp(registry: SessionRegistry, alice: User) -> None:
    async with Socket(registry, Mode.TEXT, alice) as page:
        for t in (1, 2.5, "now", None):
            await page.send(type="ping", t=t)
            assert (await page.wait_for("pong"))["t"] == t


async def test_speech_goes_up_and_sound_comes_down_and_both_are_stored(
    registry: SessionRegistry, upstream: FakeUpstream, alice: User
) -> None:
    async with Socket(registry, Mode.CALL, alice) as page:
        await page.start()
        for number in range(5):
            await page.send_frame(number, number.to_bytes(2, "little") * 640)
        await asyncio.sleep(0.5)
        assert [int.from_bytes(pcm[:2], "little") for pcm in upstream.connection.audio] == list(range(5))
        upstream.connection.feed(UserWords("Who is there?"), ReplyAudio(b"\1\0" * 480), ReplyWords("Kore."))
        upstream.connection.feed(GenerationComplete(), TurnComplete())
        await page.wait_for("ack", audio=5)
        assert page.audio == [(0, b"\1\0" * 480)]
        stored = await ask(lambda: list(Turn.objects.values_list("role", "text", "status")))
        assert stored == [("user", "Who is there?", "complete"), ("model", "Kore.", "complete")]


async def test_muting_is_passed_on(registry: SessionRegistry, upstream: FakeUpstream, alice: User) -> None:
    async with Socket(registry, Mode.CALL, alice) as page:
        await page.start()
        await page.send_frame(0)
        await page.send(type="mic", on=False)
        await page.send(type="mic", on=True)
        await asyncio.sleep(0.5)
    assert [type(item).__name__ for item in upstream.connection.sent] == ["bytes", "AudioEnded"]


async def test_stop_flushes_what_is_playing(registry: SessionRegistry, upstream: FakeUpstream, alice: User) -> None:
    async with Socket(registry, Mode.TEXT, alice) as page:
        await page.start()
        await page.send(type="text", id="typed-1", text="Tell me a story.")
        await asyncio.sleep(0.5)
        upstream.connection.feed(ReplyAudio(bytes(960)), ReplyWords("Once upon"))
        await page.wait_for("turn", role="model")
        await page.send(type="stop")
        await page.wait_for("flush")
        await page.wait_for("turn", role="model", status="interrupted")


async def test_a_hang_up_ends_the_conversation_and_forgets_its_handle(
    registry: SessionRegistry, upstream: FakeUpstream, alice: User
) -> None:
    async with Socket(registry, Mode.CALL, alice) as page:
        await page.start()
        await exchange(page, upstream, "typed-1", "Hello", "Hello!", handle="h-1")
        assert await ask(ResumptionHandle.objects.count) == 1
        await page.send(type="hangup")
        await page.wait_for("state", state="ended")
        assert await page.wait_closed() == 1000
    await asyncio.sleep(1)
    conversation = await ask(Conversation.objects.get)
    assert (conversation.status, conversation.end_reason) == ("ended", "hung-up")
    assert await ask(ResumptionHandle.objects.count) == 0
    assert upstream.connection.is_closed


async def test_a_reset_begins_a_new_conversation_and_the_numbering_goes_on(
    registry: SessionRegistry, upstream: FakeUpstream, alice: User
) -> None:
    async with Socket(registry, Mode.TEXT, alice) as page:
        first = await page.start()
        await exchange(page, upstream, "typed-1", "My code word is PLUM-42.", "Noted.", handle="h-1")
        await page.send_frame(0)
        await asyncio.sleep(0.5)
        await page.send(type="reset")
        ready = await page.wait_for("ready")
        assert (ready["action"], ready["transcript"], ready["ack"]) == ("new", [], 1)
        assert ready["conversation"] != first["conversation"]
        assert upstream.connection.setup.handle is None
        assert upstream.connection.setup.history == ()
        await exchange(page, upstream, "typed-2", "Hello", "Who are you?")
        assert [number for number, _ in page.audio] == [0, 1]
    statuses = await ask(lambda: dict(Conversation.objects.values_list("end_reason", "status")))
    assert statuses == {"reset": "ended", "": "active"}


async def test_try_again_during_an_outage_dials_now(
    registry: SessionRegistry, upstream: FakeUpstream, alice: User
) -> None:
    async with Socket(registry, Mode.TEXT, alice) as page:
        await page.start()
        upstream.connection.drop()
        await page.wait_for("state", state="reconnecting")
        await page.send(type="retry")
        await page.wait_for("state", state="live")
    assert len(upstream.attempts) == 2


# -- pages that go and come --------------------------------------------------------------------------------------------


async def test_a_page_whose_socket_was_torn_is_attached_again(
    registry: SessionRegistry, upstream: FakeUpstream, alice: User
) -> None:
    page_id = uuid.uuid4()
    async with Socket(registry, Mode.CALL, alice, page_id) as page:
        first = await page.start()
        await exchange(page, upstream, "typed-1", "Hello", "Hello!")
    await asyncio.sleep(5)
    async with Socket(registry, Mode.CALL, alice, page_id) as page:
        ready = await page.start(last_down=0)
        assert (ready["action"], ready["session"]) == ("attached", first["session"])
        assert [turn["text"] for turn in ready["transcript"]] == ["Hello", "Hello!"]
        assert page.audio == []
    assert len(upstream.attempts) == 1


@pytest.mark.parametrize(("pause_s", "action"), [(0, "attached"), (60, "resumed")])
async def test_a_page_that_was_away_is_told_how_long_and_so_is_the_timeline(
    pause_s: float, action: str, registry: SessionRegistry, upstream: FakeUpstream, alice: User
) -> None:
    page_id = uuid.uuid4()
    async with Socket(registry, Mode.CALL, alice, page_id) as page:
        await page.start()
        await exchange(page, upstream, "typed-1", "Hello", "Hello!", handle="h-1")
    await asyncio.sleep(pause_s)
    async with Socket(registry, Mode.CALL, alice, page_id) as page:
        assert (await page.start(away_ms=45_000))["action"] == action
        toast = await page.wait_for("toast")
        assert toast["code"] == "call.reconnected"
        assert "45 s" in toast["text"]
        await page.send(type="ping", t=1, away_ms=4_000)
        assert "4 s" in (await page.wait_for("toast"))["text"]
    await asyncio.sleep(1)
    rows = await ask(lambda: list(SessionEvent.objects.filter(kind="page_back").values_list("data", flat=True)))
    assert rows == [{"away_ms": 45_000}, {"away_ms": 4_000}]


async def test_a_page_that_comes_back_after_a_minute_is_resumed_by_its_handle(
    registry: SessionRegistry, upstream: FakeUpstream, alice: User
) -> None:
    page_id = uuid.uuid4()
    async with Socket(registry, Mode.CALL, alice, page_id) as page:
        await page.start()
        await exchange(page, upstream, "typed-1", "Hello", "Hello!", handle="h-1")
    await asyncio.sleep(60)
    assert upstream.connection.is_closed
    async with Socket(registry, Mode.CALL, alice, page_id) as page:
        ready = await page.start()
        assert ready["action"] == "resumed"
        assert [turn["text"] for turn in ready["transcript"]] == ["Hello", "Hello!"]
        assert upstream.connection.setup.handle == "h-1"


async def test_a_reply_that_was_spoken_while_the_page_was_away_for_a_minute_is_heard_when_it_is_back(
    registry: SessionRegistry, upstream: FakeUpstream, alice: User
) -> None:
    page_id = uuid.uuid4()
    async with Socket(registry, Mode.CALL, alice, page_id) as page:
        await page.start()
        await exchange(page, upstream, "typed-1", "Hello", "Hello!", handle="h-1")
        await page.send(type="text", id="typed-2", text="Tell me something")
        await page.wait_for("turn", role="user", text="Tell me something")
    await asyncio.sleep(1)
    upstream.connection.feed(ReplyAudio(b"\1\0" * 480), ReplyWords("Long ago."), GenerationComplete(), TurnComplete())
    await asyncio.sleep(0.2)
    upstream.connection.feed(HandleUpdate("h-2"))
    await asyncio.sleep(60)
    async with Socket(registry, Mode.CALL, alice, page_id) as page:
        ready = await page.start(last_down=0)
        assert ready["action"] == "resumed"
        await page.send(type="ping", t=1)
        await page.wait_for("pong")
        assert page.audio == [(1, b"\1\0" * 480)]


@pytest.mark.parametrize("mode", Mode)
async def test_a_reload_never_uses_the_handle_of_the_page_before(
    mode: Mode, registry: SessionRegistry, upstream: FakeUpstream, alice: User
) -> None:
    async with Socket(registry, mode, alice) as page:
        await page.start()
        await exchange(page, upstream, "typed-1", "My code word is PLUM-42.", "Noted.", handle="h-1")
    async with Socket(registry, mode, alice) as reloaded:
        ready = await reloaded.start()
        assert upstream.connection.setup.handle is None
        lines = [turn["text"] for turn in ready["transcript"]]
        if mode is Mode.TEXT:
            assert (ready["action"], lines) == ("rebuilt", ["My code word is PLUM-42.", "Noted."])
        else:
            assert (ready["action"], lines) == ("new", [])


async def test_the_second_page_of_a_user_takes_over(
    registry: SessionRegistry, upstream: FakeUpstream, alice: User
) -> None:
    async with Socket(registry, Mode.CALL, alice) as first, Socket(registry, Mode.CALL, alice) as second:
        await first.start()
        assert (await second.start())["action"] == "new"
        assert await first.wait_closed() == 4409
        assert [toast["code"] for toast in first.of_type("toast")] == ["takeover"]
        await asyncio.sleep(1)
        assert upstream.connections[0].is_closed
        assert not upstream.connections[1].is_closed


async def test_a_reset_that_comes_after_another_page_has_taken_over_changes_nothing(
    registry: SessionRegistry, alice: User
) -> None:
    async def nowhere(event: dict[str, Any]) -> None:
        pass

    async with Socket(registry, Mode.CALL, alice) as first, Socket(registry, Mode.CALL, alice) as second:
        await first.start()
        (held,) = registry._sessions.values()
        taken_over = held.manager
        await second.start()
        assert await registry.reset(alice, taken_over, SocketPage(Mode.CALL, nowhere)) is taken_over
        assert len(registry._sessions) == 1


async def test_modes_and_users_do_not_take_over_from_each_other(
    registry: SessionRegistry, alice: User, bob: User
) -> None:
    async with (
        Socket(registry, Mode.CALL, alice) as call,
        Socket(registry, Mode.TEXT, alice) as text,
        Socket(registry, Mode.CALL, bob) as his,
    ):
        for page in (call, text, his):
            await page.start()
        for page in (call, text, his):
            await page.send(type="ping", t=1)
            await page.wait_for("pong")


async def test_a_page_id_of_somebody_else_opens_nothing_of_theirs(
    registry: SessionRegistry, upstream: FakeUpstream, alice: User, bob: User
) -> None:
    page_id = uuid.uuid4()
    async with Socket(registry, Mode.CALL, alice, page_id) as hers:
        await hers.start()
        await exchange(hers, upstream, "typed-1", "My secret", "is safe.", handle="h-1")
        async with Socket(registry, Mode.CALL, bob, page_id) as his:
            ready = await his.start()
            assert (ready["action"], ready["transcript"]) == ("new", [])
            assert upstream.connection.setup.handle is None


# -- the end of the process --------------------------------------------------------------------------------------------


async def test_a_process_that_leaves_stores_everything_and_asks_its_pages_to_come_back(
    registry: SessionRegistry, upstream: FakeUpstream, alice: User
) -> None:
    async with Socket(registry, Mode.CALL, alice) as page, Socket(registry, Mode.TEXT, alice) as idle:
        await page.start()
        await exchange(page, upstream, "typed-1", "My code word is PLUM-42.", "Noted.", handle="h-1")
        await page.send(type="text", id="typed-2", text="Tell me a story.")
        await asyncio.sleep(0.5)
        upstream.connection.feed(ReplyAudio(b"\x01\x00" * 960), ReplyWords("Once upon"))
        await page.wait_for("turn", text="Once upon")
        draining = asyncio.create_task(registry.drain())
        assert await page.wait_closed() == 4012
        assert await idle.wait_closed() == 4012
        await page.leave()
        await idle.leave()
        await draining
        assert [toast["code"] for toast in page.of_type("toast")] == ["server.draining"]
    assert upstream.connection.is_closed
    assert await ask(ResumptionHandle.objects.count) == 1
    assert (await ask(Conversation.objects.get)).status == "active"
    assert await ask(lambda: list(Turn.objects.values_list("text", flat=True))) == [
        "My code word is PLUM-42.",
        "Noted.",
        "Tell me a story.",
        "Once upon",
    ]
    assert await ask(lambda: SessionEvent.objects.filter(kind="ended").count()) == 1


async def test_a_process_that_leaves_lets_nobody_in(registry: SessionRegistry, alice: User) -> None:
    await registry.drain()
    async with Socket(registry, Mode.CALL, alice) as late:
        assert await late.wait_closed() == 4012


async def test_a_chat_whose_rows_are_gone_is_over(
    registry: SessionRegistry, upstream: FakeUpstream, alice: User
) -> None:
    async with Socket(registry, Mode.TEXT, alice) as page:
        await page.start()
        await exchange(page, upstream, "typed-1", "Hello", "Hello!", handle="h-1")
        await ask(Conversation.objects.all().delete)
        for number in range(2, 5):
            await page.send(type="text", id=f"typed-{number}", text="Are you there?")
            await asyncio.sleep(0.2)
            upstream.connection.feed(ReplyAudio(bytes(960)), ReplyWords("Yes."), GenerationComplete(), TurnComplete())
            upstream.connection.feed(HandleUpdate(f"h-{number}"))
        await page.wait_for("state", state="ended", reason="gone")
        assert "typed-2" not in str(page.of_type("ack"))
