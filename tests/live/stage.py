"""A live session with everything around it played by the test: the provider, the page, the store and the clock."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Self

from energy.levels import Mode
from sessions_app.live.manager import BaseSessionManager, CallSessionManager, TextSessionManager
from sessions_app.live.page import Assistant, Opening
from sessions_app.live.providers.upstream import (
    GenerationComplete,
    HandleUpdate,
    ReplyAudio,
    ReplyWords,
    TurnComplete,
    Upstream,
    UpstreamMessage,
    UserWords,
)
from sessions_app.live.transcript import Role, Turn, TurnStatus
from sessions_app.live.watch import Observer
from tests.fakes.energy import NEWEST, OLDER, OLDEST, FakeEnergy
from tests.fakes.page import FakePage
from tests.fakes.store import FakeStore
from tests.fakes.upstream import Answer, FakeConnection, FakeUpstream

FRAME_MS = 40
SAMPLES = 16 * FRAME_MS
CONSUMED_S = 0.1
"""After so long the provider has certainly consumed what it was sent: more than the round trip of the fake."""

INSTRUCTION = "You are kind."
MANAGERS: dict[Mode, type[BaseSessionManager]] = {Mode.TEXT: TextSessionManager, Mode.CALL: CallSessionManager}


def frame(number: int) -> bytes:
    """40 ms of microphone, stamped with its number."""
    return number.to_bytes(2, "little") * SAMPLES


def numbers(frames: Sequence[bytes]) -> list[int]:
    return [int.from_bytes(pcm[:2], "little") for pcm in frames]


def sound(ms: int, stamp: int = 7) -> bytes:
    """So much of the model's voice."""
    return bytes([stamp, 0]) * 24 * ms


def a_turn(number: int, text: str, role: Role = Role.USER, *, id: str = "", status: str = "complete") -> Turn:
    return Turn(number, role, text, TurnStatus(status), 0, id)


class Stage:
    """`models` as of the fake energy bar; `opening` fields as of `live.page.Opening`. `provider` is dialled instead of
    the fake one."""

    def __init__(
        self,
        mode: Mode = Mode.TEXT,
        models: Sequence[str] = (NEWEST, OLDER, OLDEST),
        random: Callable[[], float] = lambda: 0.5,
        overlaps: bool = False,
        observer: Observer | None = None,
        assistant: Assistant | None = None,
        upstream: FakeUpstream | None = None,
        energy: FakeEnergy | None = None,
        provider: Upstream | None = None,
        **opening: Any,
    ) -> None:
        self.mode = mode
        self.upstream = upstream or FakeUpstream()
        self.page = FakePage()
        self.store = FakeStore()
        self.energy = energy or FakeEnergy(models)
        self.next_frame = opening.get("next_number", 0)
        assistant = assistant or Assistant(INSTRUCTION, "Kore")
        opening = {"handle_made_with": assistant.made_with, **opening}
        self.manager = MANAGERS[mode](
            upstream=provider or self.upstream,
            store=self.store,
            energy=self.energy,
            assistant=assistant,
            opening=Opening("conversation-1", "session-1", **opening),
            overlaps=overlaps,
            random=random,
            observer=observer,
        )

    @property
    def connection(self) -> FakeConnection:
        return self.upstream.connection

    @property
    def now_s(self) -> float:
        return asyncio.get_running_loop().time()

    async def settle(self) -> None:
        """Let everything happen that is ready to happen now."""
        await asyncio.sleep(0.001)

    async def wait(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await self.settle()

    async def open(self) -> Self:
        self.manager.attach(self.page)
        self.manager.init_session()
        await self.settle()
        return self

    async def open_quietly(self) -> Self:
        """Open, and forget what was said about it."""
        await self.open()
        self.page.told.clear()
        return self

    async def speak(self, count: int, every_ms: int = FRAME_MS) -> list[int]:
        """The user speaks so many frames; gives their numbers."""
        first = self.next_frame
        for _ in range(count):
            self.manager.take_audio(self.next_frame, frame(self.next_frame))
            self.next_frame += 1
            await asyncio.sleep(every_ms / 1000)
        return list(range(first, self.next_frame))

    async def hear(self, *messages: UpstreamMessage) -> None:
        """The provider says something on the newest connection."""
        self.connection.feed(*messages)
        await self.settle()

    async def begin_reply(self, text: str, ms: int = 200) -> None:
        await self.hear(ReplyAudio(sound(ms)), ReplyWords(text))

    async def produce_reply(self, text: str, ms: int = 200) -> None:
        await self.begin_reply(text, ms)
        await self.hear(GenerationComplete())

    async def reply(self, text: str, ms: int = 200) -> None:
        """A whole reply."""
        await self.produce_reply(text, ms)
        await self.hear(TurnComplete())

    async def exchange(self, id: str, text: str, answer: str, handle: str | None = None) -> None:
        """A typed turn and its whole reply, and the handle that comes after it."""
        self.manager.take_text(id, text)
        await self.wait(CONSUMED_S)
        await self.reply(answer)
        if handle is not None:
            await self.offer(handle)

    async def spoken_exchange(self, words: str, answer: str, handle: str | None = None) -> list[int]:
        spoken = await self.speak(5)
        await self.wait(CONSUMED_S)
        await self.hear(UserWords(words))
        await self.reply(answer)
        if handle is not None:
            await self.offer(handle)
        return spoken

    async def offer(self, handle: str) -> None:
        await self.wait(CONSUMED_S)
        await self.hear(HandleUpdate(handle))


async def a_call(*answers: Answer, handle: str = "h-1") -> Stage:
    """A call with a turn behind it and a handle that covers it, and nothing that the page was told of it."""
    stage = Stage(Mode.CALL)
    stage.upstream.script(*answers)
    await stage.open()
    await stage.spoken_exchange("My code word is plum.", "Noted.", handle=handle)
    await stage.wait(20)
    stage.page.told.clear()
    return stage
