"""One person in one call: talks, types, waits for each reply, and has trouble with both networks all the while."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from random import Random

from tests.scenarios.page import FRAME_MS, Message
from tests.services.web import WebServer
from tests.soak.page import SoakPage
from tests.soak.plan import Trouble, troubles
from tests.soak.provider import Provider
from tests.soak.speech import SILENT_FRAME, Utterance, reply_bytes, utterances
from tests.soak.stamps import stamped

REPLY_WITHIN_S = 60.0
LIVE_WITHIN_S = 30.0
READY_WITHIN_S = 20.0
LOOK_EVERY_S = 0.05
SETTLE_S = 1.0
ASKED_AT_ONCE = 5

THINGS = (
    *("lamp", "boat", "coat", "desk", "drum", "fern", "flag", "harp", "kite", "lock"),
    *("mask", "nest", "oven", "pear", "quilt", "rope", "sock", "tent", "vase", "wheel"),
)
"""What code words are told for. They come round again, so that all fit the context that a new session is given."""


@dataclass
class Exchange:
    """What a person said, and what came back. Times are Unix times; `after_turn`: the last turn before it began."""

    what: str
    is_answer: Callable[[str], bool]
    after_turn: int
    began_at: float
    answers_frames_until: int = 0
    ended_at: float | None = None
    reply: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that must not happen."""

    conversation: int
    at: float
    text: str
    rests_on_speed: bool = False
    """True if a busy machine alone may have brought it about."""


@dataclass
class Conversation:
    """Holds one call, and remembers what was said and what came back."""

    number: int
    seed: int
    page: SoakPage
    provider: Provider
    redials: int
    findings: list[Finding] = field(default_factory=list)
    exchanges: list[Exchange] = field(default_factory=list)
    struck: list[tuple[float, Trouble]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._random = Random(f"{self.seed}/{self.number}/talk")
        self._to_say: deque[bytes] = deque()
        self._told: dict[str, str] = {}
        self._is_muted = False
        self._speech = itertools.cycle(self._random.sample(utterances(), len(utterances())))

    @classmethod
    def of(cls, number: int, seed: int, web: WebServer, cookie: str, provider: Provider, redials: int) -> Conversation:
        return cls(number, seed, SoakPage(web, cookie), provider, redials)

    # -- the call ----------------------------------------------------------------------------------------------------

    async def hold(self, trouble_is_over: asyncio.Event) -> None:
        """Talk through all the trouble; when that is over, ask for everything that was told, and hang up."""
        living = asyncio.create_task(self.page.live())
        speaking = asyncio.create_task(self._keep_microphone_open())
        try:
            if not await self._comes(lambda: self.page.is_live, READY_WITHIN_S):
                self._find("the call did not begin")
                return
            suffering = asyncio.create_task(self._suffer(trouble_is_over))
            while not trouble_is_over.is_set():
                await self._say_something()
                await asyncio.sleep(self._random.uniform(0.1, 1.2))
            await suffering
            await self._ask_for_everything()
            self._is_muted = True
            await asyncio.sleep(SETTLE_S)
        finally:
            speaking.cancel()
            await self.page.end()
            await asyncio.wait({living}, timeout=5)
            living.cancel()

    async def _keep_microphone_open(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            if not self._is_muted:
                frame = self._to_say.popleft() if self._to_say else SILENT_FRAME
                await self.page.speak_frame(stamped(frame, self.number, self.page.outbox.next_number))
            else:
                await self.page.pump()
            due += FRAME_MS / 1000
            await asyncio.sleep(max(0.0, due - loop.time()))

    # -- talking -----------------------------------------------------------------------------------------------------

    async def _say_something(self) -> None:
        if self._random.random() < 0.5:
            await self._tell()
        else:
            await self._speak(next(self._speech))

    async def _tell(self) -> None:
        count = len(self.exchanges)
        thing = THINGS[count % len(THINGS)]
        word = f"PLUM-{self.number}x{count}"
        expected = f"Got it. Your {thing} is {word}."
        if await self._type(f"My {thing} is {word}", expected):
            self._told[thing] = word

    async def _type(self, text: str, expected: str) -> bool:
        exchange = self._begin(text, expected.__eq__)
        await self.page.type(text)
        return await self._finish(exchange)

    async def _speak(self, utterance: Utterance) -> None:
        exchange = self._begin(f"(spoken, {utterance.heard_s:.2f} s)", utterance.is_answered_by)
        self._to_say.extend(utterance.frames)
        await self._finish(exchange)

    def _begin(self, what: str, is_answer: Callable[[str], bool]) -> Exchange:
        exchange = Exchange(what, is_answer, max(self.page.turns, default=-1), time.time())
        self.exchanges.append(exchange)
        self.page.heard_bytes = 0
        return exchange

    async def _finish(self, exchange: Exchange) -> bool:
        """Wait for the whole reply; what is said next would interrupt it."""
        if not await self._comes(lambda: bool(self._replies(exchange)), REPLY_WITHIN_S):
            self._find(f"no reply to: {exchange.what}")
            return False
        reply = self._replies(exchange)[-1]
        exchange.ended_at = time.time()
        exchange.answers_frames_until = self.page.sent_before_turn[reply["turn"]]
        exchange.reply = reply["text"]
        if not exchange.is_answer(exchange.reply):
            self._find(f"{exchange.what} was answered with: {exchange.reply}")
            return False
        expected = reply_bytes(exchange.reply)
        if self.page.heard_bytes != expected:
            self._find(
                f"of the reply to {exchange.what}, which takes {expected // 48} ms, "
                f"{self.page.heard_bytes // 48} ms were heard"
            )
        return True

    def _replies(self, exchange: Exchange) -> list[Message]:
        """The whole replies since an exchange began."""
        return [
            turn
            for turn in self.page.turns.values()
            if turn["role"] == "model" and turn["turn"] > exchange.after_turn and turn["status"] == "complete"
        ]

    async def _ask_for_everything(self) -> None:
        """The proof that nothing told was lost: the model knows it."""
        told = list(self._told.items())
        for start in range(0, len(told), ASKED_AT_ONCE):
            asked = told[start : start + ASKED_AT_ONCE]
            question = "What is " + " and ".join(f"my {thing}" for thing, _ in asked) + "?"
            answer = " and ".join(f"your {thing} is {word}" for thing, word in asked)
            await self._type(question, f"{answer[0].upper()}{answer[1:]}.")

    # -- trouble -----------------------------------------------------------------------------------------------------

    async def _suffer(self, is_over: asyncio.Event) -> None:
        plan = troubles(self.seed, self.number, self.redials)
        while not is_over.is_set():
            await self._strike(plan, is_over)
        if not await self._comes(self._is_well, LIVE_WITHIN_S):
            self._find(f"not live {LIVE_WITHIN_S:.0f} s after the last trouble")

    async def _strike(self, plan: Iterator[Trouble], is_over: asyncio.Event) -> None:
        trouble = next(plan)
        if trouble.waits and not await self._comes(self._is_well, LIVE_WITHIN_S):
            self._find(f"not live {LIVE_WITHIN_S:.0f} s after {self.struck[-1][1].kind if self.struck else 'nothing'}")
        await _either(asyncio.sleep(trouble.pause_s), is_over.wait())
        if not is_over.is_set():
            self.struck.append((time.time(), trouble))
            await self._perform(trouble)

    def _is_well(self) -> bool:
        links = self.provider.links(self.number)
        return self.page.is_live and self.page.is_ready and bool(links) and links[-1].closed_at is None

    async def _perform(self, trouble: Trouble) -> None:
        strike, params = self.provider.strike, trouble.params
        match trouble.kind:
            case "tear":
                self.page.lose_network(params["away_s"])
            case "freeze":
                await self.page.freeze(params["for_s"])
                if params["torn"]:
                    self.page.lose_network(1.0)
            case "dead_handle":
                await strike(self.number, "dead_handle")
                await strike(self.number, "cut")
            case "forget" if self._has_talked_on_this_session():
                await strike(self.number, "forget")
                await strike(self.number, "cut")
            case "forget":
                await strike(self.number, "cut")
            case "go_away":
                if await strike(self.number, "go_away", **params) and trouble.waits:
                    await self._next_link()
            case "black_hole" | "cut" if trouble.waits:
                if await strike(self.number, trouble.kind, **params):
                    await self._next_link()
            case _:
                await strike(self.number, trouble.kind, **params)

    def _has_talked_on_this_session(self) -> bool:
        """Whether its memory can be measured: before the first reply there is nothing to compare with."""
        links = self.provider.links(self.number)
        began_at = min((link.opened_at for link in links if link.session == links[-1].session), default=0.0)
        return any(exchange.began_at > began_at for exchange in self.exchanges if exchange.ended_at is not None)

    async def _next_link(self) -> None:
        """Wait until the connection has been replaced, as far as it ever is: some faults wait for a phase."""
        count = len(self.provider.links(self.number))
        await self._comes(lambda: len(self.provider.links(self.number)) > count, READY_WITHIN_S)

    # -- inside ------------------------------------------------------------------------------------------------------

    async def _comes(self, condition: Callable[[], bool], within_s: float) -> bool:
        deadline = time.monotonic() + within_s
        while not condition():
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(LOOK_EVERY_S)
        return True

    def _find(self, text: str) -> None:
        self.findings.append(Finding(self.number, time.time(), text))


async def _either(*waiting: Awaitable[object]) -> None:
    tasks = [asyncio.ensure_future(one) for one in waiting]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
