"""`python -m tests.bench.context_cache`: 40 turns of a conversation whose every request sends all of it, in full and
with an explicit context cache, by the emulator's account. `--table`: from which length one pays, by the rules alone.

A turn takes no time here. The cache is told that one comes every so many seconds, and what the emulator counts of its
storage is stretched to that. `--in-turns` goes through a connection in turns, as the application does; `--spoken` says
it aloud. There the clock is the real one, and turns follow each other as fast as they are answered.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
import warnings
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from google import genai
from google.genai import errors, types

from sessions_app.live.providers.cache_reckoning import Pace, table
from sessions_app.live.providers.cache_rules import HOUR_S, CachePrices, CacheTerms
from sessions_app.live.providers.context_cache import PrefixCache
from sessions_app.live.providers.upstream import UsageReported
from tests.bench.talk_in_turns import TalkInTurns, aloud
from tests.emulator.client import sdk
from tests.services.emulator import QUICK, Emulator

MODEL = "gemini-3.8-flash"
TTL_S = 3_600
INSTRUCTION = "You are a friendly partner in a conversation, and answer in a few plain sentences. " * 10
CODE_WORD = "My code word is PLUM-42."
QUESTION = "What is my code word?"
SPOKEN = "I went down to the harbour today, and they told me that the tide comes in twice a day. " * 4
SAID = "I went down to the harbour today, and they told me that the tide comes in twice a day. " * 8

PUBLISHED = (
    ("3.6 to 3.8 Flash, until the end of 2026", CachePrices(0.75, 0.075, 0.5), 1_024),
    ("2.5 Flash", CachePrices(0.3, 0.03, 1.0), 1_024),
    ("2.5 Flash-Lite", CachePrices(0.1, 0.01, 1.0), 1_024),
    ("3.1 Pro", CachePrices(2.0, 0.2, 4.5), 4_096),
)
"""Dollars as they were published, and the least that a cache may hold: examples that the application does not know."""

PACES = tuple(Pace(400, turn_tokens, 30, every_s) for turn_tokens in (120, 400) for every_s in (20, 300))


@dataclass(frozen=True)
class Bill:
    """Of one conversation, by the emulator's account. `made_tokens`: that caches were made of."""

    name: str
    requests: int
    prompt_tokens: int
    cached_tokens: int
    made_tokens: int
    token_hours: float

    def micro_usd(self, prices: CachePrices) -> float:
        """What was taken in and kept; what was put out costs the same either way."""
        in_full = self.prompt_tokens - self.cached_tokens + self.made_tokens
        return in_full * prices.input + self.cached_tokens * prices.cached + self.token_hours * prices.storage_hour

    def row(self, prices: CachePrices) -> str:
        counts = f"{self.requests} | {self.prompt_tokens:,} | {self.cached_tokens:,} | {self.made_tokens:,}"
        return f"| {self.name} | {counts} | {self.token_hours:,.0f} | {self.micro_usd(prices) / 1_000_000:.4f} |"


class Clock:
    """Of a conversation that goes at its own pace."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


async def talk(client: genai.Client, terms: CacheTerms | None, turns: int, every_s: float) -> str:
    """So many turns; the last answer."""
    clock = Clock()
    cache = PrefixCache(client, MODEL, terms, clock)
    history: list[types.Content] = []
    answer = ""
    for turn in range(turns):
        clock.now_s += every_s
        words = CODE_WORD if turn == 0 else QUESTION if turn == turns - 1 else SAID
        asked = [types.Content(role="user", parts=[types.Part(text=words)])]
        answer = await ask(client, cache, history, asked)
        history += [*asked, types.Content(role="model", parts=[types.Part(text=answer)])]
        await asyncio.gather(*(task for task in asyncio.all_tasks() if task.get_name() == "context-cache"))
    await cache.close()
    return answer


async def ask(
    client: genai.Client, cache: PrefixCache, history: list[types.Content], asked: list[types.Content]
) -> str:
    """One turn, in full where the cache was what failed."""
    while True:
        prompt = cache.prompt(INSTRUCTION, history, asked)
        config = types.GenerateContentConfig(
            system_instruction=prompt.instruction, cached_content=prompt.cached_content
        )
        try:
            response = await client.aio.models.generate_content(model=MODEL, contents=prompt.contents, config=config)
        except errors.APIError as error:
            if not cache.failed(prompt, error):
                raise
        else:
            cache.said(prompt, usage_of(response))
            return response.text or ""


def usage_of(response: types.GenerateContentResponse) -> UsageReported | None:
    """What `PrefixCache` needs to know of it."""
    usage = response.usage_metadata
    if usage is None:
        return None
    return UsageReported(prompt_tokens=usage.prompt_token_count, cached_tokens=usage.cached_content_token_count)


Way = Callable[[Emulator, CacheTerms | None, int, float], Awaitable[str]]
"""So many turns, one every so many seconds; the last answer."""


async def by_itself(emulator: Emulator, terms: CacheTerms | None, turns: int, every_s: float) -> str:
    """The cache alone, around requests of the SDK."""
    client = sdk(emulator)
    try:
        return await talk(client, terms, turns, every_s)
    finally:
        await client.aio.aclose()


async def typed_in_turns(emulator: Emulator, terms: CacheTerms | None, turns: int, _: float) -> str:
    """Through a connection in turns, whose answers nobody speaks."""
    return await hold(emulator, terms, [CODE_WORD, *[SAID] * (turns - 2), QUESTION])


async def spoken_in_turns(emulator: Emulator, terms: CacheTerms | None, turns: int, _: float) -> str:
    """The same, said aloud but for the first, whose code word nobody spells."""
    return await hold(emulator, terms, [CODE_WORD, *(aloud(words) for words in [*[SPOKEN] * (turns - 2), QUESTION])])


async def hold(emulator: Emulator, terms: CacheTerms | None, said: Sequence[str | bytes]) -> str:
    """A conversation of what is typed and spoken; the last answer."""
    talk = await TalkInTurns.begin(emulator, terms, MODEL, INSTRUCTION)
    try:
        return [await talk.say(each) for each in said][-1]
    finally:
        await talk.end()


async def bill(
    emulator: Emulator, name: str, terms: CacheTerms | None, turns: int, every_s: float, way: Way = by_itself
) -> Bill:
    """What a conversation takes; it still knows in the end what was said first."""
    emulator.reset()
    began_s = time.monotonic()
    answer = await way(emulator, terms, turns, every_s)
    stretch = turns * every_s / (time.monotonic() - began_s)
    if "PLUM-42" not in answer:
        raise RuntimeError(f"the conversation has lost its beginning: {answer}")
    used = emulator.account(MODEL)
    return Bill(
        name,
        used["requests"],
        sum(used["prompt_tokens"].values()),
        sum(used["cached_tokens"].values()),
        sum(entry["tokens"] for entry in emulator.entries("cache_made")),
        used["cache_token_seconds"] * stretch / HOUR_S,
    )


async def compare(
    emulator: Emulator, prices: CachePrices, turns: int, every_s: float, way: Way = by_itself
) -> tuple[Bill, Bill]:
    """Without a cache, and with one."""
    terms = CacheTerms(TTL_S, lambda _: prices)
    without = await bill(emulator, "in full", None, turns, every_s, way)
    return without, await bill(emulator, "with a cache", terms, turns, every_s, way)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.context_cache", description=__doc__)
    parser.add_argument("--turns", type=int, default=40, help="of the conversation (default: 40)")
    parser.add_argument("--every", type=float, default=30, help="seconds from turn to turn (default: 30)")
    names = ("input", "cached", "hour")
    parser.add_argument(
        "--prices", type=float, nargs=3, metavar=names, default=(0.75, 0.075, 0.5), help="dollars per million tokens"
    )
    parser.add_argument("--table", action="store_true", help="print the table of docs/decisions/context-cache.md")
    ways = parser.add_mutually_exclusive_group()
    ways.add_argument("--in-turns", dest="way", action="store_const", const=typed_in_turns, default=by_itself)
    ways.add_argument("--spoken", dest="way", action="store_const", const=spoken_in_turns)
    options = parser.parse_args()
    if options.table:
        print(table(PUBLISHED, PACES), end="")
        return
    warnings.filterwarnings("ignore", "Inheritance class AiohttpClientSession", DeprecationWarning)
    prices = CachePrices(*options.prices)
    with tempfile.TemporaryDirectory() as name:
        emulator = Emulator(Path(name), QUICK)
        try:
            bills = asyncio.run(compare(emulator, prices, options.turns, options.every, options.way))
        finally:
            emulator.stop()
    print("| | requests | prompt tokens | of them cached | caches made of | token-hours | dollars in |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for each in bills:
        print(each.row(prices))
    print(f"saved: {1 - bills[1].micro_usd(prices) / bills[0].micro_usd(prices):.0%}")


if __name__ == "__main__":
    main()
