"""Who may come in, and what happens to those who knock wrongly: seen from outside, on both servers."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import uuid
import zlib
from collections.abc import Awaitable, Callable

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from sessions_app.gateway.socket_bounds import OPEN_OF_USER
from tests.scenarios.page import Page, submit
from tests.scenarios.speech import silence, spoken
from tests.services.cast import PASSWORD
from tests.services.emulator import Emulator
from tests.services.processes import PATIENCE_S, eventually
from tests.services.web import WebServer

SERVERS = ["daphne", "uvicorn"]

CLOSED_MEANWHILE = (ConnectionClosed, RuntimeError)
"""What sending meets when the server closes in the middle of it; the transport has an error of its own for that."""


async def test_a_visitor_is_sent_to_log_in(web: WebServer) -> None:
    page = Page(web, "call", user=None)
    await page.connect()
    assert await page.wait_closed() == 4401


@pytest.mark.parametrize("server", SERVERS)
async def test_a_log_out_closes_the_call_that_is_open_and_its_line(
    start_web: Callable[..., WebServer], emulator: Emulator, server: str
) -> None:
    web = start_web(server)
    page = Page(web, "call")
    await page.connect()
    await page.start()
    await asyncio.to_thread(submit, web.url, "/accounts/logout/", page.cookies)
    assert await page.wait_closed() == 4401
    assert [error["code"] for error in page.of_type("error")] == ["auth.over"]
    await eventually(lambda: emulator.connections() == [])


COUNT_ROWS = (
    "from django.contrib.auth.models import User; "
    "from sessions_app.models import BrowserSession, Conversation, ResumptionHandle, SessionEvent, Turn; "
    "print(User.objects.filter(username='alice').count(), "
    "*(model.objects.count() for model in (BrowserSession, Conversation, ResumptionHandle, SessionEvent, Turn)))"
)


def delete_by_page(web: WebServer, cookies: str) -> None:
    submit(web.url, "/account/delete/", cookies, password=PASSWORD)


def delete_by_operator(web: WebServer, cookies: str) -> None:
    """As the admin does it, in a process that knows of no live session."""
    web.shell(
        "from django.contrib.auth.models import User; from sessions_app.accounts import deletion; "
        "deletion.remove(User.objects.get(username='alice').pk)"
    )


@pytest.mark.parametrize("delete", [delete_by_page, delete_by_operator])
@pytest.mark.parametrize("server", SERVERS)
async def test_an_account_that_is_deleted_in_the_middle_of_a_call_leaves_nothing(
    start_web: Callable[..., WebServer],
    emulator: Emulator,
    server: str,
    delete: Callable[[WebServer, str], None],
) -> None:
    web = start_web(server)
    page = Page(web, "call")
    await page.connect()
    await page.start()
    await page.say("Tell me a long story")
    await page.wait_for("turn", role="model", status="partial")
    await asyncio.to_thread(delete, web, page.cookies)
    assert await page.wait_closed() == 4401
    assert [error["code"] for error in page.of_type("error")] == ["auth.over"]
    await eventually(lambda: emulator.connections() == [])
    assert web.shell(COUNT_ROWS).split() == ["0"] * 6
    assert "Traceback" not in web.log()


async def test_a_foreign_origin_is_refused_at_the_handshake(web: WebServer) -> None:
    page = Page(web, "call")
    with pytest.raises(InvalidStatus) as refused:
        await page.connect(origin="https://elsewhere.example")
    assert refused.value.response.status_code == 403


async def test_another_users_conversation_is_not_to_be_had(web: WebServer) -> None:
    async with Page(web, "text") as hers:
        conversation = (await hers.start())["conversation"]
        his = Page(web, "text", user="bob")
        await his.connect()
        await his.send(type="start", page_id=his.page_id, **{"continue": conversation})
        assert await his.wait_closed() == 4403
        assert not his.of_type("ready")


async def test_a_conversation_that_does_not_exist_is_answered_like_another_users(web: WebServer) -> None:
    page = Page(web, "text")
    await page.connect()
    await page.send(type="start", page_id=page.page_id, **{"continue": str(uuid.uuid4())})
    assert await page.wait_closed() == 4403


async def test_malformed_frames_are_answered_twice_and_closed_the_third_time(web: WebServer) -> None:
    page = Page(web, "text")
    await page.connect()
    for frame in ("{", "[]", '{"type": "no such type"}'):
        await page.send_raw(frame)
    assert await page.wait_closed() == 4400
    assert [error["fatal"] for error in page.of_type("error")] == [False, False, True]


async def end(page: Page) -> None:
    """Come back and hang up: what a page leaves that was sent away waits for it, and would dial in the next test."""
    await page.connect()
    await page.start()
    await page.hang_up()


async def test_frames_that_are_too_large_are_answered_and_then_closed(web: WebServer) -> None:
    page = Page(web, "call")
    await page.connect()
    await page.start()
    for _ in range(3):
        await page.send_raw(bytes(20_000))
    assert await page.wait_closed() == 4413
    assert {error["code"] for error in page.of_type("error")} == {"limit.audio_frame"}
    await end(page)


async def test_a_typed_message_that_is_too_long_is_refused_by_its_id_and_the_line_stays(web: WebServer) -> None:
    async with Page(web, "text") as page:
        await page.start()
        id = await page.say("x" * 32_001)
        assert (await page.wait_for("error", code="limit.text"))["id"] == id
        await page.say("Hello")
        await page.reply()


async def until_closed(page: Page, send: Callable[[], Awaitable[None]]) -> None:
    """Send as fast as the server takes it, until it has had enough: a busy machine makes a short flood a trickle."""
    with contextlib.suppress(*CLOSED_MEANWHILE):
        async with asyncio.timeout(PATIENCE_S):
            while page.close_code is None:
                await send()
                await asyncio.sleep(0.001)  # sending alone would not let this page hear
    await page.wait_closed()


@pytest.mark.laptop
async def test_a_flood_of_audio_is_closed(web: WebServer) -> None:
    page = Page(web, "call")
    await page.connect()
    await page.start()
    await until_closed(page, lambda: page.send_frame(bytes(1280)))
    assert page.close_code == 4429
    await end(page)


@pytest.mark.laptop
async def test_a_flood_of_messages_is_closed(web: WebServer) -> None:
    page = Page(web, "call")
    await page.connect()
    await page.start()
    await until_closed(page, lambda: page.send(type="ping", t=1))
    assert page.close_code == 4429
    await end(page)


@pytest.mark.laptop
async def test_a_start_that_never_comes_is_not_waited_for(web: WebServer) -> None:
    page = Page(web, "call")
    await page.connect()
    assert await page.wait_closed() == 4408


async def test_the_second_page_of_a_user_takes_over(web: WebServer) -> None:
    first = Page(web, "call")
    await first.connect()
    await first.start()
    async with Page(web, "call") as second:
        assert (await second.start())["action"] == "new"
        assert await first.wait_closed() == 4409
        assert first.toasts() == ["takeover"]


@pytest.mark.laptop
@pytest.mark.parametrize("kind", SERVERS)
async def test_garbage_on_every_socket_leaves_no_traceback(
    start_web: Callable[..., WebServer], emulator: Emulator, kind: str
) -> None:
    web = start_web(kind)
    nested = "[" * 20_000
    garbage: list[str | bytes] = [
        *("", "\x00", "null", "1e999", nested, '{"type": ["start"]}', '{"type": "start", "page_id": 7}'),
        json.dumps({"type": "text", "id": "\ud800", "text": "\ud800"}),
        json.dumps({"type": "start", "page_id": str(uuid.uuid4()), "last_down": 2**70}),
        *(b"", b"\x00", b"\x00\x00\x00\x01\x02", os.urandom(3_000), os.urandom(17_000), "x" * 70_000),
    ]
    for mode in ("text", "call"):
        for started in (False, True):
            for frame in garbage:
                page = Page(web, mode)
                await page.connect()
                if started:
                    await page.start(fresh=True)
                await page.send_raw(frame)
                await page.send(type="ping", t=1)
                await page.wait_for("pong")
                await page.tear()
    assert "Traceback" not in web.log()
    assert web.running


@pytest.mark.parametrize("kind", SERVERS)
async def test_a_server_that_is_told_to_go_says_4012_and_has_everything_stored(
    start_web: Callable[..., WebServer], emulator: Emulator, kind: str
) -> None:
    web = start_web(kind)
    page = Page(web, "call")
    await page.connect()
    await page.start()
    await page.say("my code word is PLUM-42")
    await page.reply()
    await page.speak(spoken("Hello world, how are you?") + silence(1.5))
    await page.reply()
    await page.say("Tell me a long story")
    await page.wait_for("turn", role="model", status="partial")
    web.send(signal.SIGTERM)
    assert await page.wait_closed() == 4012
    assert web.wait() in (0, -signal.SIGTERM)
    shown = {message["turn"]: message for message in page.of_type("turn")}
    stored = json.loads(
        web.shell(
            "import json; from sessions_app.models import Turn; "
            "print(json.dumps({turn.number: [turn.role, turn.text] for turn in Turn.objects.all()}))"
        )
    )
    assert {int(number): text for number, (_, text) in stored.items()} == {n: turn["text"] for n, turn in shown.items()}
    assert "Traceback" not in web.log()

    web.start()
    await page.connect()
    ready = await page.start()
    assert ready["action"] == "resumed"
    await page.say("What is my code word?")
    assert "PLUM-42" in await page.reply()
    await page.hang_up()


# -- those who are rude ------------------------------------------------------------------------------------------------


@pytest.mark.laptop
@pytest.mark.parametrize("server", [*SERVERS, "careless uvicorn"])
async def test_compressed_frames_are_refused_before_they_are_inflated(
    start_web: Callable[..., WebServer], server: str
) -> None:
    """Sixteen kilobytes that become sixteen megabytes, from a visitor who is not even logged in."""
    web = start_web(server)
    pressed = zlib.compress(bytes(16 * 1024 * 1024), 9, wbits=-12)
    for user in (None, "alice"):
        page = Page(web, "text", user)
        await page.connect()
        assert page.extensions == [], "nobody offers to inflate anything"
        with contextlib.suppress(*CLOSED_MEANWHILE):
            for _ in range(20):
                await page.send_compressed(pressed)
        assert await page.wait_closed() in (1002, 1006, 4401), "Daphne drops the connection without a word"
    assert web.peak_kb() < 400_000
    assert ("holdline.W501" in web.log()) is (server == "careless uvicorn")
    async with Page(web, "text") as other:
        await other.start()


@pytest.mark.laptop
@pytest.mark.parametrize("server", SERVERS)
async def test_huge_messages_are_refused_by_the_server(start_web: Callable[..., WebServer], server: str) -> None:
    web = start_web(server)
    page = Page(web, "text")
    await page.connect()
    with contextlib.suppress(*CLOSED_MEANWHILE):
        await page.send_raw(b" " * (2 * 1024 * 1024))
    assert await page.wait_closed() in (1006, 1009), "Daphne drops the connection without a word"


@pytest.mark.laptop
@pytest.mark.parametrize("server", SERVERS)
async def test_of_too_many_silent_sockets_of_a_user_the_newest_stay(
    start_web: Callable[..., WebServer], server: str
) -> None:
    web = start_web(server)
    silent = [Page(web, "call") for _ in range(OPEN_OF_USER)]
    await silent[0].connect()
    await asyncio.gather(*(page.connect() for page in silent[1:]))
    async with Page(web, "call") as back:
        assert await silent[0].wait_closed() == 4429
        assert [error["code"] for error in silent[0].of_type("error")] == ["limit.sockets"]
        assert [page.close_code for page in silent[1:]] == [None] * (OPEN_OF_USER - 1)
        await back.start()
        # Ten seconds without a word end each of them, which a busy machine may take for a start.
        assert {page.close_code for page in silent[1:]} <= {None, 4408}
    for page in silent[1:]:
        await page.disconnect()


@pytest.mark.laptop
@pytest.mark.parametrize("server", SERVERS)
async def test_whoever_starts_after_many_who_have_gone_does_not_wait_for_them(
    start_web: Callable[..., WebServer], server: str
) -> None:
    web = start_web(server)
    gone = [Page(web, "text") for _ in range(OPEN_OF_USER - 1)]
    for page in gone:
        await page.connect()
    for page in gone:
        await page.send(type="start", page_id=page.page_id)
    for page in gone:
        await page.tear()
    async with Page(web, "text") as page:
        await page.start()
        await page.say("Hello")
        await page.reply()
    opened = web.shell("from sessions_app.models import LiveSession; print(LiveSession.objects.count())")
    assert int(opened.split()[-1]) <= 3, "the first, perhaps one that was still there, and the last"
    assert "Traceback" not in web.log()
