"""The emulator's ear where the machine is too busy: told on virtual time, with a worker that is slow on demand."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest

from emulator import recogniser
from emulator.recogniser import Recogniser
from tests.virtual_time import VirtualTimeLoop

Story = Callable[["SlowWorker", Recogniser], Coroutine[Any, Any, None]]


class SlowWorker:
    """Stands for the worker process: takes requests, and answers when the test says so."""

    def __init__(self) -> None:
        self.answers = asyncio.StreamReader()
        self.asked: list[bytes] = []
        self._was_asked = asyncio.Condition()
        self.killed = 0
        self.process = self.requests = self

    async def start(self) -> SlowWorker:
        return self

    def write(self, request: bytes) -> None:
        (length,) = struct.unpack(">I", request[:4])
        assert length == len(request) - 4
        self.asked.append(request[4:])

    async def drain(self) -> None:
        async with self._was_asked:
            self._was_asked.notify_all()

    async def until_asked(self, times: int) -> None:
        async with self._was_asked:
            await self._was_asked.wait_for(lambda: len(self.asked) >= times)

    def answer(self, words: str) -> None:
        self.answers.feed_data(words.encode() + b"\n")

    def kill(self) -> None:
        self.killed += 1

    async def wait(self) -> int:
        return -9


@pytest.fixture
def tell(monkeypatch: pytest.MonkeyPatch) -> Callable[[Story], None]:
    """Run a story on virtual time."""

    async def told(story: Story) -> None:
        worker = SlowWorker()
        monkeypatch.setattr(recogniser, "_start_worker", worker.start)
        monkeypatch.setattr(recogniser.importlib.util, "find_spec", lambda name: name)
        await story(worker, Recogniser())

    def run(story: Story) -> None:
        with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
            runner.run(told(story))

    return run


async def seconds_of(work: Awaitable[object]) -> float:
    loop = asyncio.get_running_loop()
    began = loop.time()
    await work
    return loop.time() - began


def test_words_that_take_too_long_are_not_waited_for(tell: Callable[[Story], None]) -> None:
    async def story(worker: SlowWorker, ear: Recogniser) -> None:
        heard = asyncio.create_task(ear.recognise(b"11"))
        assert await seconds_of(heard) == pytest.approx(7, abs=0.01)
        assert heard.result() is None

    tell(story)


def test_words_that_come_late_are_not_taken_for_those_of_the_next_speech(tell: Callable[[Story], None]) -> None:
    async def story(worker: SlowWorker, ear: Recogniser) -> None:
        assert await ear.recognise(b"11") is None
        second = asyncio.create_task(ear.recognise(b"22"))
        await asyncio.sleep(1)
        assert worker.asked == [b"11"]
        worker.answer("the first")
        await worker.until_asked(2)
        worker.answer("the second")
        assert await second == "the second"

    tell(story)


def test_speech_whose_speaker_has_gone_is_not_worked_on(tell: Callable[[Story], None]) -> None:
    async def story(worker: SlowWorker, ear: Recogniser) -> None:
        calls = [asyncio.create_task(ear.recognise(pcm)) for pcm in (b"11", b"22", b"33")]
        await worker.until_asked(1)
        calls[0].cancel()
        calls[1].cancel()
        worker.answer("the first")
        await worker.until_asked(2)
        worker.answer("the third")
        assert await calls[2] == "the third"
        assert worker.asked == [b"11", b"33"]

    tell(story)


def test_no_more_than_sixteen_wait_and_one_more_is_told_at_once_that_there_are_no_words(
    tell: Callable[[Story], None],
) -> None:
    async def story(worker: SlowWorker, ear: Recogniser) -> None:
        waiting = [asyncio.create_task(ear.recognise(bytes(2))) for _ in range(16)]
        await worker.until_asked(1)
        assert await seconds_of(ear.recognise(b"55")) == 0
        assert await asyncio.gather(*waiting) == [None] * 16
        assert len(worker.asked) == 1

    tell(story)


def test_a_worker_that_never_answers_is_ended_and_another_takes_its_place(tell: Callable[[Story], None]) -> None:
    async def story(worker: SlowWorker, ear: Recogniser) -> None:
        assert await ear.recognise(b"11") is None
        await asyncio.sleep(15)
        assert worker.killed == 1
        again = asyncio.create_task(ear.recognise(b"22"))
        await worker.until_asked(2)
        worker.answer("hello there")
        assert await again == "hello there"

    tell(story)


def test_a_worker_that_cannot_be_started_is_told_in_the_log_and_nothing_else_happens(
    tell: Callable[[Story], None], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def story(worker: SlowWorker, ear: Recogniser) -> None:
        async def fails() -> SlowWorker:
            raise OSError("no memory")

        monkeypatch.setattr(recogniser, "_start_worker", fails)
        await ear.warm_up()
        assert await ear.recognise(b"11") is None
        assert caplog.messages == ["the recogniser failed: no memory"] * 2

    tell(story)
