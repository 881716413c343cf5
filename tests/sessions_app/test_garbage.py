"""Whatever bytes a page sends, in whatever order: it is answered in the words of the protocol, and nothing raises."""

from __future__ import annotations

import asyncio
import json
import logging
import struct
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib.auth.models import User
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from energy.levels import Mode
from sessions_app.gateway.authority import Credentials
from sessions_app.gateway.page_socket import SocketPage
from sessions_app.gateway.session_registry import SessionRegistry
from sessions_app.gateway.wire import Start
from sessions_app.live.manager import BaseSessionManager
from summarization.memory import SummarisedMemory
from tests.live.stage import Stage
from tests.repeatable import cases
from tests.sessions_app.page_socket import Socket
from tests.sessions_app.test_messages import ANY_TEXT, JSON, PAGE_ID
from tests.virtual_time import VirtualTimeLoop

pytestmark = pytest.mark.django_db(transaction=True)

CLOSE_CODES = {1000, 4400, 4408, 4413, 4429}
TYPES = ["start", "text", "mic", "stop", "reset", "retry", "hangup", "ping", "ready", ""]
FIELDS = ["page_id", "last_down", "continue", "fresh", "id", "text", "on", "t", "type"]


class RegistryWithoutDatabase(SessionRegistry):
    """Opens sessions over fakes, each page life its own."""

    def __init__(self) -> None:
        super().__init__(Stage().upstream, SummarisedMemory())

    def welcome(self, page: SocketPage, credentials: Credentials) -> None:
        """Nobody here has rows by which they may stay."""

    async def may_stay(self, page: SocketPage) -> bool:
        return True

    async def open(self, user: User, mode: Mode, start: Start, page: SocketPage) -> BaseSessionManager:
        stage = Stage(mode)
        stage.manager.attach(page, start.last_down)
        stage.manager.init_session()
        return stage.manager

    async def reset(self, user: User, manager: BaseSessionManager, page: SocketPage) -> BaseSessionManager:
        manager.release()
        manager.leave("reset", conversation_over=True)
        return await self.open(user, manager.mode, Start(page_id=None), page)  # type: ignore[arg-type]


MESSAGES = st.builds(
    lambda type, fields: json.dumps({**fields, "type": type}),
    st.sampled_from(TYPES),
    st.dictionaries(st.sampled_from(FIELDS), JSON | st.just(PAGE_ID), max_size=4),
)


@dataclass(frozen=True)
class Audio:
    """An audio frame, or nearly one, named by its size: long bytes are no good names of test cases."""

    number: int
    size_bytes: int
    tail: bytes

    def __bytes__(self) -> bytes:
        return struct.pack(">I", self.number) + bytes(self.size_bytes) + self.tail


AUDIO = st.builds(
    Audio, st.integers(0, 2**32 - 1), st.sampled_from([0, 2, 1_280, 3_200, 16_384, 17_000]), st.binary(max_size=3)
)
HUGE = {"text": "x" * 70_000, "nesting": "[" * 60_000, "message": '{"type": "ping"}' + " " * 66_000}
Frame = str | bytes | Audio
FRAMES = st.one_of(
    MESSAGES, MESSAGES, AUDIO, ANY_TEXT, st.binary(max_size=200), JSON.map(json.dumps), st.sampled_from(sorted(HUGE))
)


def run(coroutine: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(coroutine)


async def send_all(mode: Mode, frames: list[Frame], is_started: bool, pause_s: float) -> None:
    alice = User(pk=1, username="alice")
    async with Socket(RegistryWithoutDatabase(), mode, alice) as page:
        if is_started:
            await page.start()
        for frame in frames:
            await page.send_raw(bytes(frame) if isinstance(frame, Audio) else HUGE.get(str(frame), frame))
            await asyncio.sleep(pause_s)
        await page.send(type="ping", t="last")
        while page.close_code is None and {"type": "pong", "t": "last"} not in page.messages:
            await page._take_one()
        assert page.close_code is None or page.close_code in CLOSE_CODES
        for message in page.messages:
            assert isinstance(message["type"], str)
        for error in page.of_type("error"):
            assert error["code"].partition(".")[0] in {"protocol", "limit", "conversation"}


@settings(max_examples=cases(80), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    mode=st.sampled_from(Mode),
    frames=st.lists(FRAMES, max_size=12),
    is_started=st.booleans(),
    pause_s=st.sampled_from([0.0, 0.01, 3.0]),
)
def test_no_frames_raise_and_every_socket_still_answers_or_is_closed_by_the_protocol(
    caplog: pytest.LogCaptureFixture, mode: Mode, frames: list[Frame], is_started: bool, pause_s: float
) -> None:
    run(send_all(mode, frames, is_started, pause_s))
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []
