"""An explicit context cache behind a conversation whose every request sends all of it: real SDK and emulator."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from google import genai
from google.genai import errors, types

from sessions_app.live.providers import context_cache
from sessions_app.live.providers.cache_rules import CachePrices, CacheTerms
from sessions_app.live.providers.context_cache import GONE_PAUSE_S, REFUSED_PAUSE_S, PrefixCache
from sessions_app.live.providers.upstream import UsageReported
from tests.bench.context_cache import compare, usage_of
from tests.emulator.client import SDK_INHERITS_AIOHTTP, sdk
from tests.emulator.test_parts import Clock
from tests.services.emulator import Emulator

MODEL = "gemini-3.8-flash"
INSTRUCTION = "You are a friendly partner in a conversation. " * 20
FILLING = "The tide comes in twice a day, and goes out twice a day, which is all there is to say about it. " * 8
TTL_S = 3_600
EVERY_S = 10
PRICES = CachePrices(0.75, 0.075, 0.5)
TERMS = CacheTerms(TTL_S, lambda _: PRICES)

pytestmark = SDK_INHERITS_AIOHTTP


@dataclass
class Talk:
    """A conversation in turns, on a clock of its own."""

    client: genai.Client
    clock: Clock
    cache: PrefixCache
    model: str = MODEL
    instruction: str = INSTRUCTION
    history: list[types.Content] = field(default_factory=list)
    sent_in_full: list[bool] = field(default_factory=list)
    usage: list[UsageReported] = field(default_factory=list)

    async def say(self, text: str) -> str:
        """A turn: the request, sent again where the cache was what failed, and what is done behind it."""
        self.clock.now += EVERY_S
        asked = [types.Content(role="user", parts=[types.Part(text=text)])]
        while True:
            prompt = self.cache.prompt(self.instruction, self.history, asked)
            self.sent_in_full.append(prompt.cached_content is None)
            config = types.GenerateContentConfig(
                system_instruction=prompt.instruction, cached_content=prompt.cached_content
            )
            try:
                response = await self.client.aio.models.generate_content(
                    model=self.model, contents=prompt.contents, config=config
                )
            except errors.APIError as error:
                if not self.cache.failed(prompt, error):
                    raise
            else:
                break
        usage = usage_of(response)
        assert usage
        self.usage.append(usage)
        self.cache.said(prompt, usage)
        self.history += [*asked, types.Content(role="model", parts=[types.Part(text=response.text)])]
        await behind()
        return response.text or ""

    async def go_on(self, turns: int) -> None:
        for _ in range(turns):
            await self.say(FILLING)

    async def caches(self) -> list[types.CachedContent]:
        return [cache async for cache in await self.client.aio.caches.list()]


async def behind() -> None:
    """Until nothing is done behind a conversation any more."""
    await asyncio.gather(*(task for task in asyncio.all_tasks() if task.get_name() == "context-cache"))


@pytest.fixture
async def client(emulator: Emulator) -> AsyncIterator[genai.Client]:
    client = sdk(emulator)
    yield client
    await client.aio.aclose()


@pytest.fixture
async def talk(client: genai.Client) -> AsyncIterator[Talk]:
    clock = Clock()
    talk = Talk(client, clock, PrefixCache(client, MODEL, TERMS, clock))
    yield talk
    await talk.cache.close()
    assert await talk.caches() == []


async def test_a_long_conversation_is_sent_once_and_then_by_the_name_of_its_cache(talk: Talk) -> None:
    await talk.say("My code word is PLUM-42.")
    most = 0
    for _ in range(14):
        await talk.say(FILLING)
        most = max(most, len(await talk.caches()))
    assert most == 1
    assert await talk.say("What is my code word?") == "Your code word is PLUM-42."
    assert talk.sent_in_full[-1] is False
    last = talk.usage[-1]
    assert (last.cached_tokens or 0) > 0.6 * (last.prompt_tokens or 0)


async def test_forty_turns_cost_less_than_half_with_a_cache_by_the_emulators_account(emulator: Emulator) -> None:
    without, with_one = await compare(emulator, PRICES, turns=40, every_s=30)
    assert (with_one.requests, with_one.prompt_tokens) == (without.requests, without.prompt_tokens)
    assert without.cached_tokens == without.made_tokens == 0
    assert with_one.cached_tokens > 0.7 * with_one.prompt_tokens
    assert with_one.token_hours > 0
    assert with_one.micro_usd(PRICES) < 0.5 * without.micro_usd(PRICES)


async def test_a_longer_cache_takes_the_place_of_the_shorter_one(talk: Talk, emulator: Emulator) -> None:
    await talk.go_on(20)
    sizes = [entry["tokens"] for entry in emulator.entries("cache_made")]
    assert 2 <= len(sizes) <= 8
    assert sizes == sorted(sizes)
    assert len(await talk.caches()) == 1


async def test_a_short_conversation_makes_no_cache(talk: Talk, emulator: Emulator) -> None:
    for _ in range(6):
        await talk.say("Hello")
    assert emulator.entries("cache_made") == []


async def test_a_cache_that_is_gone_costs_one_more_request_and_is_made_anew_later(
    talk: Talk, emulator: Emulator
) -> None:
    await talk.say("My code word is PLUM-42.")
    await talk.go_on(10)
    made = len(emulator.entries("cache_made"))
    emulator.fault("lose_cache", model=MODEL)
    requests = len(talk.sent_in_full)
    assert await talk.say("What is my code word?") == "Your code word is PLUM-42."
    assert talk.sent_in_full[requests:] == [False, True]
    emulator.disarm()
    await talk.say("Hello")
    assert len(emulator.entries("cache_made")) == made
    talk.clock.now += GONE_PAUSE_S
    await talk.say("Hello")
    assert len(emulator.entries("cache_made")) == made + 1


async def test_a_cache_that_may_not_be_used_is_not_tried_again_and_goes_with_the_conversation(
    talk: Talk, emulator: Emulator
) -> None:
    """As one of another model is refused."""
    await talk.go_on(8)
    talk.model = "gemini-3.6-flash"
    requests = len(talk.sent_in_full)
    await talk.go_on(2)
    assert talk.sent_in_full[requests:] == [False, True, True]
    assert len(await talk.caches()) == 1


async def test_nobody_waits_for_a_provider_that_is_silent_about_a_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(context_cache, "CALL_LIMIT_S", 3)  # enough for the request to get there
    asked = asyncio.Event()

    async def stay_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        asked.set()
        await reader.read()
        writer.close()

    server = await asyncio.start_server(stay_silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    options = types.HttpOptions(base_url=f"http://127.0.0.1:{port}")
    client, clock = genai.Client(api_key="key", http_options=options), Clock()
    cache = PrefixCache(client, MODEL, TERMS, clock)
    history = [types.Content(role="user", parts=[types.Part(text=FILLING * 10)])]
    for _ in range(2):
        clock.now += EVERY_S
        cache.said(cache.prompt(INSTRUCTION, history, history), None)
    await asked.wait()
    assert cache.prompt(INSTRUCTION, history, history).cached_content is None
    await cache.close(0)
    await behind()
    assert cache.spent() is None
    await client.aio.aclose()
    server.close()
    await server.wait_closed()


async def test_after_a_refusal_caching_is_left_alone_for_a_while(talk: Talk, emulator: Emulator) -> None:
    emulator.fault("refuse_caching", status=429, count=1)
    await talk.go_on(10)
    assert emulator.entries("cache_made") == []
    assert all(talk.sent_in_full)
    talk.clock.now += REFUSED_PAUSE_S
    await talk.go_on(1)
    assert len(emulator.entries("cache_made")) == 1


@pytest.mark.parametrize(
    "refusal",
    [
        "Cached content is too small. total_token_count=400, min_total_token_count=1200",
        "The cached content is of 400 tokens. The minimum token count to start caching is 1200.",
    ],
    ids=["developer-api", "agent-platform"],
)
async def test_a_cache_that_is_too_small_is_tried_again_when_it_must_be_large_enough(
    talk: Talk, emulator: Emulator, refusal: str
) -> None:
    """Tokens are estimated. The provider counts a third of that, and then there has to be three times as much."""
    emulator.fault("refuse_caching", status=400, text=refusal)
    await talk.go_on(8)
    emulator.disarm()
    await talk.go_on(8)
    (made,) = [entry["tokens"] for entry in emulator.entries("cache_made")][:1]
    assert made > 2 * 1_200


async def test_what_was_said_otherwise_is_never_taken_from_a_cache(talk: Talk) -> None:
    await talk.go_on(8)
    talk.history[0] = types.Content(role="user", parts=[types.Part(text="My code word is PEAR-7.")])
    assert await talk.say("What is my code word?") == "Your code word is PEAR-7."
    assert talk.sent_in_full[-1]


async def test_another_instruction_is_sent_in_full(talk: Talk) -> None:
    await talk.go_on(8)
    assert not talk.sent_in_full[-1]
    talk.instruction = "Be brief."
    await talk.go_on(1)
    assert talk.sent_in_full[-1]


async def test_a_cache_in_use_is_extended_and_one_that_is_over_is_not_used(talk: Talk) -> None:
    await talk.go_on(8)
    (before,) = await talk.caches()
    talk.clock.now += TTL_S / 2 + 1
    await talk.go_on(1)
    (after,) = await talk.caches()
    assert (after.name, after.create_time) == (before.name, before.create_time)
    assert before.expire_time
    assert after.expire_time
    assert after.expire_time > before.expire_time
    talk.clock.now += TTL_S
    asked = [types.Content(role="user", parts=[types.Part(text="Hello")])]
    assert talk.cache.prompt(INSTRUCTION, talk.history, asked).cached_content is None
    await talk.client.aio.caches.delete(name=after.name or "")


@pytest.mark.parametrize("patience_s", [30, 0])
async def test_a_cache_that_is_being_made_when_the_conversation_ends_is_deleted(talk: Talk, patience_s: float) -> None:
    talk.history = [types.Content(role="user", parts=[types.Part(text=FILLING * 10)])]
    for _ in range(2):
        talk.clock.now += EVERY_S
        talk.cache.said(talk.cache.prompt(INSTRUCTION, talk.history, talk.history), None)
    await talk.cache.close(patience_s)
    await behind()
    assert await talk.caches() == []


async def test_a_request_that_was_sent_while_a_cache_was_made_has_no_other_made(talk: Talk, emulator: Emulator) -> None:
    talk.history = [types.Content(role="user", parts=[types.Part(text=FILLING * 10)])]
    for _ in range(3):
        talk.clock.now += EVERY_S
        prompt = talk.cache.prompt(INSTRUCTION, talk.history, talk.history)
        talk.cache.said(prompt, None)
    assert prompt.cached_content is None
    await behind()
    talk.cache.said(prompt, None)
    await behind()
    assert len(emulator.entries("cache_made")) == 1


async def test_nothing_is_cached_that_the_provider_discounts_anyway(talk: Talk, emulator: Emulator) -> None:
    talk.history = [types.Content(role="user", parts=[types.Part(text=FILLING * 10)])]
    for _ in range(10):
        talk.clock.now += EVERY_S
        prompt = talk.cache.prompt(INSTRUCTION, talk.history, talk.history)
        talk.cache.said(prompt, UsageReported(prompt_tokens=10_000, cached_tokens=9_900))
        await behind()
    assert emulator.entries("cache_made") == []


@pytest.mark.parametrize(("model", "terms"), [(MODEL, None), ("gemini-3.8-live", TERMS), ("some-model", TERMS)])
async def test_where_caches_are_not_wanted_or_there_are_none_everything_is_sent_in_full(
    client: genai.Client, emulator: Emulator, model: str, terms: CacheTerms | None
) -> None:
    clock = Clock()
    cache = PrefixCache(client, model, terms, clock)
    history = [types.Content(role="user", parts=[types.Part(text=FILLING * 10)])]
    for _ in range(10):
        clock.now += EVERY_S
        prompt = cache.prompt(INSTRUCTION, history, history)
        assert prompt.contents == [*history, *history]
        cache.said(prompt, None)
        await behind()
    assert emulator.entries("cache_made") == []
    assert cache.spent() is None


async def test_other_failures_are_not_taken_for_those_of_a_cache(talk: Talk, emulator: Emulator) -> None:
    await talk.go_on(8)
    emulator.fault("bad_text", answer="unavailable", model=MODEL)
    with pytest.raises(errors.ServerError):
        await talk.say("Hello")
    emulator.disarm()
    await talk.say("Hello")
    assert not talk.sent_in_full[-1]


async def test_what_making_and_keeping_took_is_counted_once(talk: Talk, emulator: Emulator) -> None:
    await talk.go_on(12)
    made = sum(entry["tokens"] for entry in emulator.entries("cache_made"))
    spent = talk.cache.spent()
    assert spent is not None
    assert spent.cache_made_tokens == made
    assert (spent.cache_token_seconds or 0) > 0
    assert talk.cache.spent() is None
    (cache,) = await talk.caches()
    assert cache.usage_metadata
    talk.clock.now += 100
    kept = UsageReported(cache_made_tokens=0, cache_token_seconds=100 * (cache.usage_metadata.total_token_count or 0))
    assert talk.cache.spent() == kept


async def test_whatever_goes_wrong_every_turn_is_answered_and_there_is_never_a_second_cache(
    talk: Talk, emulator: Emulator
) -> None:
    dice = random.Random(20261127)
    await talk.say("My code word is PLUM-42.")
    for turn in range(40):
        match dice.randrange(6):
            case 0:
                emulator.fault("lose_cache", model=MODEL)
            case 1:
                emulator.fault("refuse_caching", status=dice.choice((400, 403, 429, 500)), count=1)
            case 2:
                talk.clock.now += dice.choice((GONE_PAUSE_S, REFUSED_PAUSE_S))
        question = turn % 5 == 0
        answer = await talk.say("What is my code word?" if question else FILLING)
        assert not question or answer == "Your code word is PLUM-42."
        emulator.disarm()
        assert len(await talk.caches()) <= 1
    assert len(emulator.entries("cache_made")) >= 3


async def test_a_request_that_failed_and_was_made_again_is_counted_once(talk: Talk, emulator: Emulator) -> None:
    """One turn says nothing about how fast others follow, however often it was tried."""
    talk.history = [types.Content(role="user", parts=[types.Part(text=FILLING * 10)])]
    for _ in range(5):
        prompt = talk.cache.prompt(INSTRUCTION, talk.history, talk.history)
        assert not talk.cache.failed(prompt, errors.ServerError(503, {"error": {"message": "overloaded"}}))
    talk.cache.said(prompt, None)
    await behind()
    assert emulator.entries("cache_made") == []


async def test_a_request_that_was_withdrawn_counts_and_has_nothing_done_behind_it(
    talk: Talk, emulator: Emulator
) -> None:
    talk.history = [types.Content(role="user", parts=[types.Part(text=FILLING * 10)])]
    for _ in range(2):
        talk.clock.now += EVERY_S
        talk.cache.withdrawn(talk.cache.prompt(INSTRUCTION, talk.history, talk.history))
    await behind()
    assert emulator.entries("cache_made") == []
    talk.clock.now += EVERY_S
    talk.cache.said(talk.cache.prompt(INSTRUCTION, talk.history, talk.history), None)
    await behind()
    assert len(emulator.entries("cache_made")) == 1


async def test_what_is_told_late_of_a_withdrawn_request_is_not_taken_for_what_the_next_one_met(talk: Talk) -> None:
    """It was sent in full, the next one by the name of a cache, which is gone."""
    await talk.go_on(3)
    talk.clock.now += EVERY_S
    asked = [types.Content(role="user", parts=[types.Part(text="Hello")])]
    withdrawn = talk.cache.prompt("Be brief.", talk.history, asked)
    await talk.go_on(5)
    talk.clock.now += EVERY_S
    sent = talk.cache.prompt(INSTRUCTION, talk.history, asked)
    assert sent.cached_content
    gone = errors.ClientError(403, {"error": {"message": "CachedContent not found (or permission denied)"}})
    assert not talk.cache.failed(withdrawn, gone)
    assert talk.cache.prompt(INSTRUCTION, talk.history, asked).cached_content == sent.cached_content
    await talk.client.aio.caches.delete(name=sent.cached_content)
    assert talk.cache.failed(sent, gone)
    assert talk.cache.failed(sent, gone)
    assert talk.cache.prompt(INSTRUCTION, talk.history, asked).cached_content is None
