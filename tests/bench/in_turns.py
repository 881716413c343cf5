"""`python -m tests.bench.in_turns`: calls that go on in turns while all Live models are away, or their quota is.

Each caller tells a code word of their own and asks for it by voice; in the middle of that sentence every Live
connection is closed and every dial refused. They ask on until it is over, and once more afterwards. Sentences are said
in real time, in the voice of the emulator; answers are timed from the end of the sentence's sound to the first of the
answer's.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.scenarios.page import FRAME_BYTES, FRAME_MS, Page
from tests.scenarios.speech import silence, spoken
from tests.services.cast import PASSWORD
from tests.services.emulator import Emulator
from tests.services.settings import use_settings_of_tests
from tests.services.web import WebServer

QUESTION = "What is my code word?"
CODE_WORDS = ("PLUM-42", "CHERRY-17", "APPLE-99", "PEAR-23", "QUINCE-56", "GRAPE-31", "FIG-64", "DATE-88")
ANSWERED_WITHIN_S = 12.0
SILENCE_ANSWERED_WITHIN_S = 15.0
"""A line that is open and says nothing is doubted after eight seconds, and another one is asked first."""
BACK_WITHIN_S = 10.0
ASKS_EVERY_S = 10.0
GIVES_UP_AFTER_S = 40.0
LIVE_MODELS = ("gemini-3.8-live", "gemini-3.8-live-extended-thinking", "gemini-2.5-flash-native-audio-preview-12-2025")


@dataclass
class Caller:
    """What one of them met. Moments are seconds of the event loop's clock; `findings` are sentences."""

    name: str
    code_word: str
    first_answer_s: float = math.nan
    back_s: float = math.nan
    to_sound_ms: list[float] = field(default_factory=list)
    asked: int = 0
    answered: int = 0
    toasts: list[str] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)


class Outage:
    """When it is: set by whoever makes it."""

    def __init__(self) -> None:
        self.is_near = asyncio.Event()
        self.has_begun = asyncio.Event()
        self.is_over = asyncio.Event()
        self.began_s = self.ended_s = 0.0


async def call(web: WebServer, caller: Caller, outage: Outage, ready: asyncio.Barrier, types: bool) -> None:
    loop = asyncio.get_running_loop()
    question = b"" if types else spoken(QUESTION) + silence(1.2)
    takes_s = 0.0 if types else len(spoken(QUESTION)) / FRAME_BYTES * FRAME_MS / 1000
    async with Page(web, "call", caller.name) as page:
        microphone = Microphone(page)

        async def put_question() -> float:
            """Gives when it will have been said."""
            microphone.say(question)
            if types:
                await page.say(QUESTION)
            return loop.time() + takes_s

        talking = asyncio.create_task(microphone.be_open())
        try:
            await page.start()
            await page.say(f"my code word is {caller.code_word}")
            await page.reply()
            await ready.wait()
            ended_s = 0.0 if types else await put_question()
            outage.is_near.set()
            await outage.has_begun.wait()
            if types:
                ended_s = await put_question()
            caller.first_answer_s = await ask(page, caller, ended_s) - outage.began_s
            while not outage.is_over.is_set():
                await wait(outage.is_over, ASKS_EVERY_S)
                if not outage.is_over.is_set():
                    await ask(page, caller, await put_question())
            await page.wait_until(lambda: is_at_the_top(page), "the way back up")
            caller.back_s = loop.time() - outage.ended_s
            await ask(page, caller, await put_question(), counts=False)
        except (AssertionError, TimeoutError, asyncio.BrokenBarrierError) as failure:
            caller.findings.append(f"{failure or type(failure).__name__}; heard: {page.tell_short()}")
            await ready.abort()
            outage.is_near.set()
        finally:
            talking.cancel()
            caller.toasts = page.toasts()
            lost = page.of_type("lost")
            if lost:
                caller.findings.append(f"lost: {lost}")


class Microphone:
    """Open all the time, as a page's is: what is not said is silence."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._to_say = bytearray()

    def say(self, pcm: bytes) -> None:
        self._to_say += pcm

    async def be_open(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while self._page.close_code is None:
            frame = bytes(self._to_say[:FRAME_BYTES]).ljust(FRAME_BYTES, b"\0")
            del self._to_say[:FRAME_BYTES]
            await self._page.send_frame(frame)
            due += FRAME_MS / 1000
            await asyncio.sleep(max(0, due - loop.time()))


async def ask(page: Page, caller: Caller, ended_s: float, *, counts: bool = True) -> float:
    """The question is being said: wait for its answer, which has the code word and is heard. Gives when it began."""
    loop = asyncio.get_running_loop()
    caller.asked += 1
    sounds = len(page.audio)
    first_sound_s: list[float] = []

    def has_sound() -> bool:
        if len(page.audio) > sounds and not first_sound_s:
            first_sound_s.append(loop.time())
        return bool(first_sound_s)

    def is_answered() -> bool:
        has_sound()
        return any(knows(message, caller.code_word) for message in page.messages[begun:])

    begun = len(page.messages)
    async with asyncio.timeout(GIVES_UP_AFTER_S):
        await wait_long(page, is_answered, "an answer with the code word")
        await wait_long(page, has_sound, "the sound of an answer")
    caller.answered += 1
    if counts:
        caller.to_sound_ms.append((first_sound_s[0] - ended_s) * 1000)
    done = next(message for message in reversed(page.messages) if knows(message, caller.code_word))
    await wait_long(
        page, lambda: any(end.get("turn") == done["turn"] for end in page.of_type("turn_complete")), "the turn's end"
    )
    return first_sound_s[0]


async def wait_long(page: Page, condition: Callable[[], bool], what: str) -> None:
    """As `Page.wait_until`, twice as long."""
    try:
        await page.wait_until(condition, what)
    except AssertionError:
        if page.close_code is not None:
            raise
        await page.wait_until(condition, what)


def knows(message: dict[str, object], code_word: str) -> bool:
    return message["type"] == "turn" and message["role"] == "model" and code_word in str(message["text"])


def is_at_the_top(page: Page) -> bool:
    energy = page.of_type("energy")
    return (
        bool(energy)
        and energy[-1]["level"] == energy[-1]["max"]
        and page.of_type("ready")[-1]["energy"]["level"] == (energy[-1]["max"])
    )


async def wait(event: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return


async def hold(
    web: WebServer, emulator: Emulator, callers: list[Caller], kind: str, minutes: float, types: bool
) -> None:
    loop = asyncio.get_running_loop()
    outage, ready = Outage(), asyncio.Barrier(len(callers))
    calls = [asyncio.create_task(call(web, caller, outage, ready, types)) for caller in callers]
    await outage.is_near.wait()
    await asyncio.sleep(len(spoken(QUESTION)) / FRAME_BYTES * FRAME_MS / 1000 / 2)
    outage.began_s = loop.time()
    await asyncio.to_thread(begin, emulator, kind, minutes)
    outage.has_begun.set()
    await asyncio.sleep(minutes * 60)
    await asyncio.to_thread(emulator.disarm)
    outage.ended_s = loop.time()
    outage.is_over.set()
    await asyncio.gather(*calls)


def begin(emulator: Emulator, kind: str, minutes: float) -> None:
    if kind == "quota":
        for model in LIVE_MODELS:
            emulator.fault("quota", model=model, limit="minute", connection="all", retry_after_s=minutes * 60)
    else:
        emulator.fault("live_down", dials=kind, open="silent" if kind == "silent" else "cut")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.in_turns", description=__doc__)
    parser.add_argument("--callers", type=int, default=6, choices=range(1, len(CODE_WORDS) + 1))
    parser.add_argument("--minutes", type=float, default=5, help="of the outage (default: 5)")
    parser.add_argument("--kind", choices=("refused", "stalled", "silent", "quota"), default="refused")
    parser.add_argument("--typed", action="store_true", help="the questions are typed")
    given = parser.parse_args()
    use_settings_of_tests()
    callers = [Caller(f"caller{at}", CODE_WORDS[at]) for at in range(given.callers)]
    with tempfile.TemporaryDirectory() as name:
        emulator = Emulator(Path(name) / "emulator")
        web = WebServer(Path(name) / "web", emulator.environment)
        try:
            web.shell(
                "from django.contrib.auth.models import User\n"
                f"for name in {[caller.name for caller in callers]}: "
                f"User.objects.create_user(name, password={PASSWORD!r})"
            )
            asyncio.run(hold(web, emulator, callers, given.kind, given.minutes, given.typed))
        finally:
            web.stop()
            emulator.stop()
    report(callers, SILENCE_ANSWERED_WITHIN_S if given.kind == "silent" else ANSWERED_WITHIN_S)


def percentile(values: list[float], part: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * part))]


def report(callers: list[Caller], within_s: float) -> None:
    print("| caller | first answer after s | back up after s | asked | answered | toasts |")
    print("| --- | ---: | ---: | ---: | ---: | --- |")
    for caller in callers:
        toasts = ", ".join(caller.toasts)
        print(
            f"| {caller.code_word} | {caller.first_answer_s:.1f} | {caller.back_s:.1f} | {caller.asked} "
            f"| {caller.answered} | {toasts} |"
        )
    times = [ms for caller in callers for ms in caller.to_sound_ms[1:]]
    if times:
        print(f"end of a sentence to first sound, in turns: p50 {percentile(times, 0.5):.0f} ms, ", end="")
        print(f"p95 {percentile(times, 0.95):.0f} ms, of {len(times)}")
    findings = [f"{caller.code_word}: {finding}" for caller in callers for finding in caller.findings]
    for caller in callers:
        if not caller.first_answer_s <= within_s:
            findings.append(f"{caller.code_word}: answered after {caller.first_answer_s:.1f} s")
        if not caller.back_s <= BACK_WITHIN_S:
            findings.append(f"{caller.code_word}: back after {caller.back_s:.1f} s")
        if caller.toasts != ["energy.in_turns", "energy.restored"]:
            findings.append(f"{caller.code_word}: toasts {caller.toasts}")
    print("\n".join(findings) or "nothing found")
    if findings:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
