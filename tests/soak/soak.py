"""A whole soak: programs started, conversations held, accounts drawn."""

from __future__ import annotations

import asyncio
import itertools
import re
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tests.bench.measuring import MAKE_CALLERS
from tests.services.emulator import ON_AGENT_PLATFORM, Emulator
from tests.services.web import WebServer
from tests.soak.account import Account, account_of
from tests.soak.conversation import Conversation
from tests.soak.plan import ALL, CLIMATE, TROUBLE_FOR, Kind, trouble_for
from tests.soak.provider import Provider

EMULATOR_OPTIONS = ("--no-voice", "--no-recogniser", "--measured-words", "--pace", "3", "--send-speed", "2")
"""Tones instead of speech and no recogniser: the processor is for the conversations. What is heard is transcribed as
how long it was."""

LIVE_MODELS = "gemini-3.8-live,gemini-3.8-live-extended-thinking"
LIVE_MODELS_THERE = "gemini-3.8-live,gemini-live-2.5-flash-native-audio"
"""None in turns, to which a call may go from a line that is away for ten seconds: what is said there is heard by
requests, and neither swaps nor frames are counted."""

REDIALS_PER_HOUR = 45
"""A little below what the product allows itself, so that it is never right to give up."""

ROUND_MINUTES = 6.0
"""So long trouble lasts in each round of a soak that goes on until there were enough swaps."""

CALL_LIMIT_S = 180.0
_FAULT_OF_OURS = re.compile(r"Traceback|\bERROR\b|\bCRITICAL\b|Internal error")


@dataclass(frozen=True, slots=True)
class Options:
    """`swaps`: end when there were so many, though not after more than `minutes`; 0 for as many as there come.

    `kinds`: of trouble, and how often each comes. `setup_index`: dials Agent Platform, which counts the set-up as that.
    `climate`: what stands for every connection.
    """

    conversations: int
    minutes: float
    seed: int
    swaps: int = 0
    server: str = "daphne"
    kinds: Mapping[Kind, float] = field(default_factory=lambda: ALL)
    setup_index: int | None = None
    climate: tuple[tuple[str, Mapping[str, Any]], ...] = CLIMATE

    @property
    def emulator(self) -> tuple[str, ...]:
        index = () if self.setup_index is None else ("--setup-index", str(self.setup_index))
        return (*EMULATOR_OPTIONS, *index)

    @property
    def web(self) -> dict[str, str]:
        if self.setup_index is None:
            return {"CALL_MODELS": LIVE_MODELS}
        return {**ON_AGENT_PLATFORM, "CALL_MODELS": LIVE_MODELS_THERE}


@dataclass
class Outcome:
    """What came of it: an account of each conversation, and lines of the server's log that should not be there."""

    accounts: list[Account] = field(default_factory=list)
    server_faults: list[str] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        return not self.server_faults and not any(account.findings for account in self.accounts)

    @property
    def swaps(self) -> Counter[str]:
        """How many there were of each kind."""
        return Counter(swap.kind for account in self.accounts for swap in account.swaps)


def soak(options: Options, directory: Path) -> Outcome:
    """Run everything in `directory`, which keeps the logs."""
    emulator = Emulator(directory / "emulator", options.emulator)
    try:
        web = WebServer(directory / "web", emulator.environment | options.web, options.server)
        try:
            accounts = asyncio.run(hold(options, web, emulator))
        finally:
            web.stop()
    finally:
        emulator.stop()
    return Outcome(accounts, [line for line in web.log().splitlines() if _FAULT_OF_OURS.search(line)])


def soak_of_each(
    options: Options, of_each: int, directory: Path, has_ended: Callable[[Path, Outcome], None]
) -> Outcome:
    """Soaks with the next seed each, until there were so many swaps of each kind, or `options.minutes` have passed; a
    call may be redialled only so often, so the next ones are others. `has_ended` is told of each."""
    until = time.monotonic() + options.minutes * 60
    whole = Outcome()
    for number in itertools.count():
        lacking = {kind: of_each - whole.swaps[kind] for kind in TROUBLE_FOR}
        left_minutes = (until - time.monotonic()) / 60
        kinds = trouble_for(lacking)
        if not kinds or left_minutes <= 0:
            return whole
        minutes = min(left_minutes, ROUND_MINUTES)
        place = directory / f"round-{number + 1}"
        place.mkdir()
        outcome = soak(replace(options, seed=options.seed + number, kinds=kinds, minutes=minutes), place)
        whole.accounts += outcome.accounts
        whole.server_faults += outcome.server_faults
        has_ended(place, outcome)
    raise AssertionError("there is no end of counting")


async def hold(options: Options, web: WebServer, emulator: Emulator) -> list[Account]:
    """Hold the conversations, give them trouble for as long as asked, and draw the accounts."""
    cookies = (await asyncio.to_thread(web.shell, MAKE_CALLERS.format(calls=options.conversations))).split()
    provider = Provider(emulator)
    redials = int(REDIALS_PER_HOUR * max(1.0, options.minutes / 60))
    conversations = [
        Conversation.of(number, options.seed, web, cookie, provider, redials, options.kinds)
        for number, cookie in enumerate(cookies)
    ]
    await provider.set_climate(options.climate)
    trouble_is_over = asyncio.Event()
    watching = asyncio.create_task(provider.watch())
    holding = [asyncio.create_task(conversation.hold(trouble_is_over)) for conversation in conversations]
    try:
        await _wait_for_the_end(options, provider, conversations)
        await provider.disarm()
        trouble_is_over.set()
        async with asyncio.timeout(CALL_LIMIT_S):
            await asyncio.gather(*holding)
        await provider.look()
    finally:
        watching.cancel()
        for task in holding:
            task.cancel()
    return [await account_of(conversation) for conversation in conversations]


async def _wait_for_the_end(options: Options, provider: Provider, conversations: list[Conversation]) -> None:
    loop = asyncio.get_running_loop()
    end = loop.time() + options.minutes * 60
    while loop.time() < end and not all(conversation.is_spared for conversation in conversations):
        swaps = sum(max(0, len(provider.links(conversation.number)) - 1) for conversation in conversations)
        if options.swaps and swaps >= options.swaps:
            return
        await asyncio.sleep(0.5)
