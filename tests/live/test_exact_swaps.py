"""Hundreds of swaps at random moments with a provider that counts: no frame is lost and none comes twice.

On a clock of its own, so that it is about the rules and not about the machine. The provider takes in what it is sent up
to half a second late, far later than what its connection measures: only its count tells.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

import pytest

from energy.levels import Mode
from sessions_app.live.machine.failures import Failure, Phase
from sessions_app.live.providers.upstream import (
    GenerationComplete,
    GoAway,
    HandleUpdate,
    ReplyAudio,
    ReplyWords,
    Setup,
    TurnComplete,
)
from tests.fakes.upstream import FakeConnection
from tests.live.stage import FRAME_MS, SAMPLES, Stage, sound

SWAPS = 200
SWAPS_OF_A_SESSION = 20
"""Each takes two dials at most, and the product allows itself fifty in an hour."""

MODEL = "vertex@us-central1:gemini-3.8-live"
TICK_S = 0.04
TYPED_SHARE = 0.4
HANDLES_SHARE = 0.06
"""Of ticks with a handle that nothing else calls for."""
NEXT_LINE_WITHIN_S = 30
CLOSED = Failure(1008, "The operation was aborted.", Phase.LIVE)
DEAD = Failure(1008, "BidiGenerateContent session not found", Phase.SETUP)


def quiet_frame(number: int) -> bytes:
    """40 ms that nobody hears, stamped with a number: a digit in each of its first samples."""
    digits = b"".join(int(digit).to_bytes(2, "little") for digit in f"{number:06}")
    return digits + bytes(2 * SAMPLES - len(digits))


def number_of(frame: bytes) -> int:
    return int("".join(str(frame[2 * place]) for place in range(6)))


@dataclass
class Memory:
    """What a session of the provider has taken in, as numbers of frames."""

    known: list[int] = field(default_factory=list)


@dataclass
class Line:
    """A connection as the provider has it. `consumed`: how many of its messages were taken in."""

    connection: FakeConnection
    memory: Memory
    lag_s: float
    arrived_s: list[float] = field(default_factory=list)
    consumed: int = 0
    is_deaf: bool = False


class CountingProvider:
    """Takes in, answers what is typed, and issues handles that say which message they cover last."""

    def __init__(self, stage: Stage, random: Random) -> None:
        self.ever_heard: set[int] = set()
        self.repeated: list[int] = []
        self.lines: list[Line] = []
        self._stage = stage
        self.random = random
        self.quiet_s = 0.0
        self._checkpoints: dict[str, tuple[Memory, int]] = {}
        self._dead: set[str] = set()
        self._replies: set[asyncio.Task[None]] = set()
        stage.upstream.otherwise.prepare = self._answer
        stage.upstream.refuses = self._refusal
        self._answer(stage.connection)

    def kill_handles(self) -> None:
        self._dead |= self._checkpoints.keys()

    async def live(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            self._take_in()
            if self.random.random() < HANDLES_SHARE:
                self._issue_handle(self.lines[-1])

    def _refusal(self, setup: Setup) -> Failure | None:
        return DEAD if setup.handle in self._dead else None

    def _answer(self, connection: FakeConnection) -> None:
        memory = Memory()
        if connection.setup.handle is not None:
            memory, length = self._checkpoints[connection.setup.handle]
            del memory.known[length:]
        self.lines.append(Line(connection, memory, self.random.uniform(0, 0.5)))
        self._issue_handle(self.lines[-1])  # 3.8 does so at once

    def _take_in(self) -> None:
        line, now_s = self.lines[-1], self._stage.now_s
        sent = line.connection.sent
        line.arrived_s += [now_s] * (len(sent) - len(line.arrived_s))
        while not line.is_deaf and line.consumed < len(sent) and line.arrived_s[line.consumed] + line.lag_s <= now_s:
            item = sent[line.consumed]
            line.consumed += 1
            if isinstance(item, bytes):
                self._hear(line, number_of(item))
            elif isinstance(item, str):
                reply = asyncio.create_task(self._reply(line))
                self._replies.add(reply)
                reply.add_done_callback(self._replies.discard)

    def _hear(self, line: Line, number: int) -> None:
        if number in line.memory.known[-500:]:
            self.repeated.append(number)
        line.memory.known.append(number)
        self.ever_heard.add(number)

    async def _reply(self, line: Line) -> None:
        await asyncio.sleep(self.random.uniform(0.05, 0.6))
        if line is self.lines[-1] and not line.is_deaf:
            line.connection.feed(ReplyAudio(sound(100)), ReplyWords("Noon."))
            await asyncio.sleep(self.random.uniform(0, 0.3))
            line.connection.feed(GenerationComplete(), TurnComplete())
            self._issue_handle(line)

    def _issue_handle(self, line: Line) -> None:
        if line is not self.lines[-1] or line.is_deaf:
            return
        handle = f"h-{len(self._checkpoints)}"
        self._checkpoints[handle] = (line.memory, len(line.memory.known))
        index = line.consumed + len(line.connection.past_turns)
        line.connection.feed(HandleUpdate(handle, index or None))


def cut(stage: Stage, provider: CountingProvider) -> None:
    provider.lines[-1].is_deaf = True
    stage.connection.drop()


def close(stage: Stage, provider: CountingProvider) -> None:
    provider.lines[-1].is_deaf = True
    stage.connection.drop(CLOSED)


def go_away(stage: Stage, provider: CountingProvider) -> None:
    stage.connection.feed(GoAway(provider.random.choice((0, 500, 2_000, 9_500))))


def die_with_handles(stage: Stage, provider: CountingProvider) -> None:
    provider.kill_handles()
    cut(stage, provider)


def fall_silent(stage: Stage, provider: CountingProvider) -> None:
    provider.lines[-1].is_deaf = True
    stage.connection.die()
    stage.manager.take_text(f"silent-{len(provider.lines)}", "Are you there?")
    # Three that fall silent over the same words would end the waiting for an answer.
    provider.quiet_s = 3.0


class Speaker:
    """Says quiet frames, one after the other. `spoken`: how many."""

    def __init__(self, stage: Stage) -> None:
        self.spoken = 0
        self._stage = stage

    async def speak(self) -> None:
        while True:
            self._stage.manager.take_audio(self.spoken, quiet_frame(self.spoken))
            self.spoken += 1
            await asyncio.sleep(FRAME_MS / 1000)


@pytest.mark.parametrize("trouble", [go_away, cut, close, die_with_handles, fall_silent])
async def test_no_swap_loses_a_frame_and_none_repeats_one(trouble: Callable[[Stage, CountingProvider], None]) -> None:
    random = Random(f"swaps/{trouble.__name__}")
    for _ in range(SWAPS // SWAPS_OF_A_SESSION):
        stage = await Stage(Mode.CALL, [MODEL] * 3).open()
        provider, speaker = CountingProvider(stage, random), Speaker(stage)
        listening, speaking = asyncio.create_task(provider.live()), asyncio.create_task(speaker.speak())
        for swap in range(SWAPS_OF_A_SESSION):
            await stage.wait(provider.quiet_s + random.uniform(0.02, 1.5))
            if random.random() < TYPED_SHARE:
                stage.manager.take_text(f"m-{swap}", "What is the time?")
                await stage.wait(random.uniform(0, 1.0))
            lines = len(provider.lines)
            trouble(stage, provider)
            async with asyncio.timeout(NEXT_LINE_WITHIN_S):
                while len(provider.lines) == lines:
                    await stage.wait(0.05)
        speaking.cancel()
        await stage.wait(2)
        listening.cancel()
        assert provider.repeated == []
        assert set(range(speaker.spoken)) - provider.ever_heard == set()
        assert stage.page.all_of("lost") == []
        stage.manager.leave("over")
