"""A provider that stands still for a while is noticed by the pings it does not answer, and no word is lost by it."""

from __future__ import annotations

import asyncio

import pytest
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve

from sessions_app.live.providers.loop_lag import LoopLag
from sessions_app.live.providers.probes import Probes
from tests.scenarios.page import Page
from tests.scenarios.speech import silence
from tests.services.emulator import Emulator
from tests.services.processes import PATIENCE_S, eventually
from tests.services.web import WebServer
from tests.soak.provider import Provider
from tests.soak.stamps import stamped

pytestmark = pytest.mark.laptop

NOTICED_MS = 400
FRAMES = 50


async def test_a_standstill_of_the_other_side_is_noticed_and_so_is_its_end() -> None:
    accepted: list[ServerConnection] = []

    async def hold(connection: ServerConnection) -> None:
        accepted.append(connection)
        await connection.wait_closed()

    async with serve(hold, "127.0.0.1", 0, ping_interval=None) as server:
        port = server.sockets[0].getsockname()[1]
        async with connect(f"ws://127.0.0.1:{port}", ping_interval=None) as connection:
            probes = Probes(connection, LoopLag(), margin_ms=0)
            probes.start()
            probes.burst_began()
            probes.ask()
            await eventually(lambda: bool(accepted) and probes.unread_ms(0) < NOTICED_MS)
            accepted[0].transport.pause_reading()
            await eventually(lambda: probes.unread_ms(0) > NOTICED_MS)
            accepted[0].transport.resume_reading()
            await eventually(lambda: probes.unread_ms(0) < NOTICED_MS)
            probes.stop()


async def test_probes_end_with_their_connection() -> None:
    async def hang_up(connection: ServerConnection) -> None:
        await connection.close()

    async with serve(hang_up, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with connect(f"ws://127.0.0.1:{port}") as connection:
            probes = Probes(connection, LoopLag(), margin_ms=0)
            probes.start()
            await connection.wait_closed()
            await eventually(lambda: not any(task.get_name() == "live-probe" for task in asyncio.all_tasks()))


async def test_a_handle_that_comes_with_the_end_of_a_standstill_does_not_cover_what_was_said_in_it(
    web: WebServer, emulator: Emulator
) -> None:
    async def say(count: int) -> None:
        for _ in range(count):
            await page.send_frame(stamped(silence(0.04), 0, page.next_frame))
            await asyncio.sleep(0.04)

    async with Page(web, "call") as page:
        await page.start()
        await page.say("My code word is PLUM-42")
        await page.reply()
        await say(15)
        emulator.fault("stall", for_s=1.5, when="midway")
        await page.say("Tell me a story")
        await page.wait_for("turn", role="model", status="partial")
        await say(FRAMES)
        await page.reply()
        await eventually(lambda: len(emulator.entries("turn_complete")) == 2)
        emulator.fault("cut")
        await page.wait_for("ready", action="resumed")
        await say(1)
        provider = Provider(emulator)
        (session,) = {entry["session"] for entry in emulator.entries("opened")}
        last = page.next_frame - 1
        async with asyncio.timeout(PATIENCE_S):
            while last not in (known := (await provider.hearing(session)).known):  # noqa: ASYNC110 - in another process
                await asyncio.sleep(0.05)
        assert set(known) == set(range(last + 1))
