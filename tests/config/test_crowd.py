"""How many sockets there may be in all and from one address, before anybody asks whose they are."""

from __future__ import annotations

import asyncio
from typing import Any

from channels.testing import WebsocketCommunicator

from config.crowd import CrowdGate
from sessions_app.gateway.socket_bounds import DoorBounds
from tests.services.processes import ANSWERS_WITHIN_S


async def stay(scope: Any, receive: Any, send: Any) -> None:
    """Accept, and stay until the other side leaves."""
    await receive()
    await send({"type": "websocket.accept"})
    while (await receive())["type"] != "websocket.disconnect":
        pass


async def fail(scope: Any, receive: Any, send: Any) -> None:
    raise RuntimeError("something went wrong")


def uncounted() -> None:
    """Nobody asks how many were refused."""


def knock(gate: CrowdGate, address: str) -> WebsocketCommunicator:
    socket = WebsocketCommunicator(gate, "/ws/text/")
    socket.scope["client"] = (address, 4711)
    return socket


async def is_let_in(socket: WebsocketCommunicator) -> bool:
    accepted, _ = await socket.connect(timeout=ANSWERS_WITHIN_S)
    return bool(accepted)


async def test_one_address_cannot_take_the_places_of_the_others() -> None:
    refused: list[None] = []
    gate = CrowdGate(stay, DoorBounds(in_all=10, from_address=2), lambda: refused.append(None))
    sockets = [knock(gate, "203.0.113.7") for _ in range(3)]
    assert [await is_let_in(socket) for socket in sockets] == [True, True, False]
    assert len(refused) == 1, "and each is counted"
    other = knock(gate, "198.51.100.2")
    assert await is_let_in(other)
    await sockets[0].disconnect(timeout=ANSWERS_WITHIN_S)
    again = knock(gate, "203.0.113.7")
    assert await is_let_in(again)
    for socket in (sockets[1], other, again):
        await socket.disconnect(timeout=ANSWERS_WITHIN_S)


async def test_a_full_process_refuses_whoever_comes() -> None:
    gate = CrowdGate(stay, DoorBounds(in_all=2, from_address=2), uncounted)
    sockets = [knock(gate, f"203.0.113.{number}") for number in range(3)]
    assert [await is_let_in(socket) for socket in sockets] == [True, True, False]
    for socket in sockets[:2]:
        await socket.disconnect(timeout=ANSWERS_WITHIN_S)


async def test_a_place_is_given_back_by_what_fails_and_by_what_is_cancelled() -> None:
    bounds = DoorBounds(in_all=1, from_address=1)
    for _ in range(3):
        broken = knock(CrowdGate(fail, bounds, uncounted), "203.0.113.7")
        await broken.send_input({"type": "websocket.connect"})
        await asyncio.wait({broken.future})
        assert isinstance(broken.future.exception(), RuntimeError)
        cancelled = knock(CrowdGate(stay, bounds, uncounted), "203.0.113.7")
        assert await is_let_in(cancelled)
        cancelled.future.cancel()
        await asyncio.wait({cancelled.future})
    assert vars(bounds) == vars(DoorBounds(in_all=1, from_address=1))
