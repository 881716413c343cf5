"""One person in one call: talks, types, waits for each reply, and has trouble with both networks all the while."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from random import Random

from tests.scenarios.page import FRAME_MS, Message
from tests.services.web import WebServer
from tests.soak.page import SoakPage
from tests.soak.plan import TURNS, WAITS, Kind, Trouble, troubles
from tests.soak.provider import Link, Provider
from tests.soak.speech import SILENT_FRAME, Utterance, reply_bytes, utterances
from tests.soak.stamps import stamped

END_WITHIN_S = 75.0
"""Longer than the product itself has patience: that it gives up where it need not is found, too."""

WORDS_WITHIN_S = 1.5
TURN_STRIKES_WITHIN_S = 12.0
TURN_OVER_WITHIN_S = 30.0
LIVE_WITHIN_S = 30.0
READY_WITHIN_S = 20.0
LOOK_EVERY_S = 0.05
SETTLE_S = 1.0
ASKED_AT_ONCE = 5

TYPED_SHARE = 0.5
BARGE_IN_SHARE = 0.1
BARGE_IN_AFTER_BYTES = 4 * 48_000
"""Of a reply, which takes two thirds of a second here: by then it is certain that it answers what was typed."""
MUTED_SHARE = 0.25
BARGE_IN_LONGEST_S = 1.9
"""What the deaf ear of the emulator misses of a barge-in is a little more: none of these is half heard."""

TURN_KINDS = TURNS.keys() | WAITS.keys()
ENDS_WITHOUT_REPLY = ("turn.no_answer", "turn.refused")

LONG = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen and seventeen"

THINGS = (
    *("lamp", "boat", "coat", "desk", "drum", "fern", "flag", "harp", "kite", "lock"),
    *("mask", "nest", "oven", "pear", "quilt", "rope", "sock", "tent", "vase", "wheel"),
)
"""What code words are told for. They come round again, so that all fit the context that a new session is given."""


@dataclass
class Exchange:
    """What a person said, and what came back. Times are Unix times; `after_turn`: the last turn before it began.

    `is_into_reply`: it was spoken into the reply to what was said before. `is_doubtful`: a connection went meanwhile,
    and what of both was heard, and was still to be answered, cannot be told.
    """

    what: str
    is_answer: Callable[[str], bool]
    after_turn: int
    began_at: float
    is_spoken: bool = False
    is_into_reply: bool = False
    answers_frames_until: int = 0
    ended_at: float | None = None
    is_doubtful: bool = False
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
    kinds: Mapping[Kind, float]
    findings: list[Finding] = field(default_factory=list)
    exchanges: list[Exchange] = field(default_factory=list)
    struck: list[tuple[float, Trouble]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._random = Random(f"{self.seed}/{self.number}/talk")
        self._to_say: deque[bytes] = deque()
        self._told: dict[str, str] = {}
        self._is_silent = False
        self._mutes = False
        self.is_spared = False
        """Whether no more trouble comes: it has had all the redials there are."""
        self._speech = itertools.cycle(self._random.sample(utterances(), len(utterances())))

    @classmethod
    def of(
        cls,
        number: int,
        seed: int,
        web: WebServer,
        cookie: str,
        provider: Provider,
        redials: int,
        kinds: Mapping[Kind, float],
    ) -> Conversation:
        return cls(number, seed, SoakPage(web, cookie), provider, redials, kinds)

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
            self._is_silent = True
            await asyncio.sleep(SETTLE_S)
            await self._comes(lambda: not self.page.typed, READY_WITHIN_S)
        finally:
            speaking.cancel()
            await self.page.end()
            await asyncio.wait({living}, timeout=5)
            living.cancel()

    async def _keep_microphone_open(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            if self._is_silent or (self._mutes and not self._to_say):
                await self.page.pump()
            else:
                await self._say_frame()
            due += FRAME_MS / 1000
            await asyncio.sleep(max(0.0, due - loop.time()))

    async def _say_frame(self) -> None:
        frame = self._to_say.popleft() if self._to_say else SILENT_FRAME
        await self.page.speak_frame(stamped(frame, self.number, self.page.outbox.next_number))
        if self._mutes and not self._to_say:
            await self.page.mute()

    # -- talking -----------------------------------------------------------------------------------------------------

    async def _say_something(self) -> None:
        choice = self._random.random()
        if choice < TYPED_SHARE:
            await self._tell()
        elif choice < TYPED_SHARE + BARGE_IN_SHARE:
            await self._barge_in()
        else:
            await self._speak(next(self._speech), mutes=self._random.random() < MUTED_SHARE)

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

    async def _speak(self, utterance: Utterance, *, mutes: bool) -> None:
        """Say it aloud. `mutes`: the microphone is open no longer than that, until there is an answer."""
        what = f"(spoken, {utterance.heard_s:.2f} s{', then muted' if mutes else ''})"
        exchange = self._begin(what, utterance.is_answered_by, is_spoken=True)
        self._to_say.extend(utterance.frames)
        self._mutes = mutes
        await self._finish(exchange)
        self._mutes = False

    async def _barge_in(self) -> None:
        """Speak into a reply."""
        short = [utterance for utterance in utterances() if utterance.heard_s < BARGE_IN_LONGEST_S]
        utterance = self._random.choice(short)
        interrupted = self._begin(f"Say {LONG}", LONG.__eq__)
        await self.page.type(interrupted.what)
        await self._comes(
            lambda: self.page.heard_bytes > BARGE_IN_AFTER_BYTES or self._end_of(interrupted) is not None, END_WITHIN_S
        )
        if self._end_of(interrupted) is not None or self.page.heard_bytes <= BARGE_IN_AFTER_BYTES:
            await self._finish(interrupted)
            return
        interrupted.ended_at = time.time()
        interrupted.answers_frames_until = max(
            (
                self.page.sent_before_turn[number]
                for number, turn in self.page.turns.items()
                if turn["role"] == "model" and number > interrupted.after_turn
            ),
            default=0,
        )
        exchange = self._begin(
            f"(spoken into the reply, {utterance.heard_s:.2f} s)", utterance.is_answered_by, is_spoken=True
        )
        self._to_say.extend(utterance.frames)
        exchange.is_into_reply = True
        await self._finish(exchange)

    def _begin(self, what: str, is_answer: Callable[[str], bool], *, is_spoken: bool = False) -> Exchange:
        exchange = Exchange(what, is_answer, max(self.page.turns, default=-1), time.time(), is_spoken)
        self.exchanges.append(exchange)
        self.page.heard_bytes = 0
        return exchange

    async def _finish(self, exchange: Exchange) -> bool:
        """Wait for the end of an exchange; what is said next would interrupt a reply. True if it was understood."""
        has_ended = await self._comes(lambda: self._end_of(exchange) is not None, END_WITHIN_S)
        if exchange.is_into_reply and self._was_swapped_since(exchange.began_at):
            exchange.is_doubtful = True
            exchange.ended_at, exchange.answers_frames_until = time.time(), self._end_of(exchange) or 0
            return False
        if not has_ended:
            self._find(f"no end of: {exchange.what}")
            return False
        exchange.ended_at = time.time()
        if (without_reply := self._end_without_reply(exchange)) is not None:
            exchange.answers_frames_until = without_reply
            return not exchange.is_spoken
        reply = self._replies(exchange)[-1]["turn"]
        exchange.answers_frames_until = self.page.sent_before_turn[reply]
        # The last words of a reply may come after its end.
        await self._is_told(lambda: self._is_answer(exchange, self.page.turns[reply]["text"]), WORDS_WITHIN_S)
        exchange.reply = self.page.turns[reply]["text"]
        if not self._is_answer(exchange, exchange.reply):
            if self._were_words_lost(exchange):
                return True
            self._find(f"{exchange.what} was answered with: {exchange.reply}")
            return False
        expected = reply_bytes(exchange.reply)
        if not exchange.is_into_reply and self.page.heard_bytes != expected:
            self._find(
                f"of the reply to {exchange.what}, which takes {expected // 48} ms, "
                f"{self.page.heard_bytes // 48} ms were heard"
            )
        return True

    def _is_answer(self, exchange: Exchange, reply: str) -> bool:
        """A session that was given the past may take up first what got no reply before."""
        if exchange.is_answer(reply):
            return True
        before = self.exchanges[: self.exchanges.index(exchange)]
        words = reply.split(" ")
        tails = (" ".join(words[start:]) for start in range(1, len(words)))
        return bool(before) and not before[-1].reply and any(exchange.is_answer(tail) for tail in tails)

    def _was_swapped_since(self, at: float) -> bool:
        return any(link.opened_at > at for link in self.provider.links(self.number))

    def _were_words_lost(self, exchange: Exchange) -> bool:
        """Whether a connection went before the last words of a reply came, which were late: nobody has them."""
        return any(
            entry["kind"] == "late_words"
            and entry["at"] > exchange.began_at
            and link.closed_at is not None
            and link.closed_at - entry["at"] < WORDS_WITHIN_S
            for link in self.provider.links(self.number)
            for entry in link.turns
        )

    def _end_of(self, exchange: Exchange) -> int | None:
        """How many frames had been sent when the exchange ended, if it has."""
        replies = self._replies(exchange)
        return self.page.sent_before_turn[replies[-1]["turn"]] if replies else self._end_without_reply(exchange)

    def _end_without_reply(self, exchange: Exchange) -> int | None:
        """The same, where the end is the word that no reply comes. What nobody has heard is not settled by that."""
        if self._replies(exchange):
            return None
        since = [turn for turn in self.page.turns.values() if turn["turn"] > exchange.after_turn]
        marks = [self.page.sent_before_turn[turn["turn"]] for turn in since if turn.get("code") == "turn.not_heard"]
        if marks:
            return marks[-1] if any(turn["role"] == "user" for turn in since) else 0
        said = [self.page.sent_before_turn[turn["turn"]] for turn in since if turn.get("code") in ENDS_WITHOUT_REPLY]
        ended = (turn["turn"] for turn in since if turn["role"] == "user")
        said += [self.page.sent_before_end[turn] for turn in ended if turn in self.page.sent_before_end]
        return max(said, default=None)

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
        for trouble in troubles(self.seed, self.number, self.redials, self.kinds):
            if is_over.is_set():
                break
            await self._strike(trouble, is_over)
        self.is_spared = bool(self.kinds)
        await is_over.wait()
        if not await self._comes(self._is_well, LIVE_WITHIN_S):
            self._find(f"not live {LIVE_WITHIN_S:.0f} s after the last trouble")

    async def _strike(self, trouble: Trouble, is_over: asyncio.Event) -> None:
        if trouble.waits and not await self._comes(self._is_well, LIVE_WITHIN_S):
            self._find(f"not live {LIVE_WITHIN_S:.0f} s after {self.struck[-1][1].kind if self.struck else 'nothing'}")
        await _either(asyncio.sleep(trouble.pause_s), is_over.wait())
        if trouble.waits:
            await self._comes(lambda: not self._is_delicate(), TURN_OVER_WITHIN_S)
        if not is_over.is_set():
            self.struck.append((time.time(), trouble))
            await self._perform(trouble)

    def _is_well(self) -> bool:
        links = self.provider.links(self.number)
        return self.page.is_live and self.page.is_ready and bool(links) and links[-1].closed_at is None

    def _is_delicate(self) -> bool:
        """Whether the provider has missed what was said now: each swap would begin the wait for it anew. What is spoken
        into a reply could not be judged after one."""
        links, exchange = self.provider.links(self.number), self.exchanges[-1] if self.exchanges else None
        return (
            exchange is not None
            and exchange.ended_at is None
            and (exchange.is_into_reply or self._is_missed(exchange, links[-1]))
        )

    def _is_missed(self, exchange: Exchange, link: Link) -> bool:
        return any(entry["kind"] == "speech_missed" and entry["at"] > exchange.began_at for entry in link.turns)

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
            case "forget" if self._is_memory_measured():
                await strike(self.number, "forget")
                await strike(self.number, "cut")
            case "forget":
                await strike(self.number, "cut")
            case "lingering_session":
                await self.provider.strike_next("lingering_session", count=2, **params)
                await strike(self.number, "cut")
            case kind if kind in TURN_KINDS:
                if await strike(self.number, kind, **params) and trouble.waits:
                    await self._next_turn_struck()
            case "go_away":
                if await strike(self.number, "go_away", **params) and trouble.waits:
                    await self._next_link()
            case "black_hole" | "cut" if trouble.waits:
                if await strike(self.number, trouble.kind, **params):
                    await self._next_link()
            case _:
                await strike(self.number, trouble.kind, **params)

    def _is_memory_measured(self) -> bool:
        """Whether it would show that the session forgot: before its first reply there is nothing to compare with, and
        one that is given turns its handle does not cover weighs what those weigh as text."""
        links = self.provider.links(self.number)
        if not links:
            return False
        began_at = min((link.opened_at for link in links if link.session == links[-1].session), default=0.0)
        has_talked = any(exchange.began_at > began_at for exchange in self.exchanges if exchange.reply)
        last = max((entry["at"] for entry in links[-1].turns), default=0.0)
        return has_talked and bool(links[-1].handles) and links[-1].handles[-1]["at"] > last

    async def _next_link(self) -> None:
        """Wait until the connection has been replaced, as far as it ever is: some faults wait for a phase."""
        count = len(self.provider.links(self.number))
        await self._comes(lambda: len(self.provider.links(self.number)) > count, READY_WITHIN_S)

    async def _next_turn_struck(self) -> None:
        """Wait until what was armed for the next turn has happened, and until that turn is over."""
        link = self.provider.links(self.number)[-1]
        count = link.faults_of_turns
        if await self._comes(lambda: link.faults_of_turns > count or link.closed_at is not None, TURN_STRIKES_WITHIN_S):
            exchange = self.exchanges[-1]
            await self._comes(lambda: exchange.ended_at is not None, TURN_OVER_WITHIN_S)

    # -- inside ------------------------------------------------------------------------------------------------------

    async def _comes(self, condition: Callable[[], bool], within_s: float) -> bool:
        deadline = time.monotonic() + within_s
        while not condition():
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(LOOK_EVERY_S)
        return True

    async def _is_told(self, condition: Callable[[], bool], within_s: float) -> bool:
        """As `_comes`, of what the page can only be told while it is there: time in which it is away does not count."""
        left_s, deadline = within_s, time.monotonic() + within_s + READY_WITHIN_S
        while not condition():
            if left_s <= 0 or time.monotonic() > deadline:
                return False
            await asyncio.sleep(LOOK_EVERY_S)
            left_s -= LOOK_EVERY_S if self.page.is_ready else 0
        return True

    def _find(self, text: str) -> None:
        self.findings.append(Finding(self.number, time.time(), text))


async def _either(*waiting: Awaitable[object]) -> None:
    tasks = [asyncio.ensure_future(one) for one in waiting]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
