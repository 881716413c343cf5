"""Conversations in turns with a context cache behind them: the unmodified SDK and the emulator."""

from __future__ import annotations

import asyncio

from sessions_app.live.providers.cache_rules import CachePrices, CacheTerms
from sessions_app.live.providers.turns.account import Question, Sound
from sessions_app.live.providers.turns.prompt import transcription_of
from sessions_app.live.providers.upstream import Asking
from tests.bench.context_cache import compare, typed_in_turns
from tests.bench.talk_in_turns import TalkInTurns, aloud
from tests.emulator.client import SDK_INHERITS_AIOHTTP, sdk
from tests.emulator.test_agent_platform import client_there
from tests.services.emulator import Emulator

MODEL = "gemini-3.8-flash"
INSTRUCTION = "You are a friendly partner in a conversation. " * 20
FILLING = "The tide comes in twice a day, and goes out twice a day, which is all there is to say about it. " * 8
PRICES = CachePrices(0.75, 0.075, 0.5)
TERMS = CacheTerms(3_600, lambda _: PRICES)

pytestmark = SDK_INHERITS_AIOHTTP


async def begin(emulator: Emulator, turns: int = 0, model: str = MODEL) -> TalkInTurns:
    """A conversation after so many long turns."""
    talk = await TalkInTurns.begin(emulator, TERMS, model, INSTRUCTION)
    for turn in range(turns):
        await talk.say(FILLING if turn else "My code word is PLUM-42.")
    return talk


async def caches(emulator: Emulator) -> int:
    """How many are there."""
    client = sdk(emulator)
    count = len([cache async for cache in await client.aio.caches.list()])
    await client.aio.aclose()
    return count


async def close(talk: TalkInTurns, emulator: Emulator) -> None:
    await talk.end()
    assert await caches(emulator) == 0


async def test_a_conversation_in_turns_costs_less_with_a_cache_by_the_emulators_account(emulator: Emulator) -> None:
    without, with_one = await compare(emulator, PRICES, turns=16, every_s=30, way=typed_in_turns)
    assert (with_one.requests, with_one.prompt_tokens) == (without.requests, without.prompt_tokens)
    assert without.cached_tokens == without.made_tokens == 0
    assert with_one.cached_tokens > 0.5 * with_one.prompt_tokens
    assert with_one.micro_usd(PRICES) < 0.75 * without.micro_usd(PRICES)


async def test_typing_speaking_and_reading_only_go_on_with_one_cache(emulator: Emulator) -> None:
    talk = await begin(emulator, turns=8)
    question = aloud("What is my code word?")
    for said, is_heard in ((question, True), (question, False), ("What is my code word?", False), (question, True)):
        talk.connection.want_sound(is_heard)
        assert await talk.say(said) == "Your code word is PLUM-42."
        assert talk.usage[-1].cached_tokens
        assert await caches(emulator) == 1
    await close(talk, emulator)


async def test_what_making_and_keeping_took_stands_in_the_usage_of_turns(emulator: Emulator) -> None:
    talk = await begin(emulator, turns=12)
    assert len(talk.usage) == 12
    assert all(usage.prompt_tokens and usage.response_tokens for usage in talk.usage)
    made = sum(entry["tokens"] for entry in emulator.entries("cache_made"))
    assert made
    behind_the_last = talk.connection._terms.conversation.spent()
    told = [*talk.usage, behind_the_last] if behind_the_last else talk.usage
    assert sum(usage.cache_made_tokens or 0 for usage in told) == made
    assert sum(usage.cache_token_seconds or 0 for usage in talk.usage) > 0
    await close(talk, emulator)


async def test_a_conversation_on_agent_platform_has_a_cache_there_and_gets_over_its_loss(emulator: Emulator) -> None:
    """Which has to hold twice as much there, is named by its place, and is gone with another word."""
    talk = await begin(emulator, turns=16, model=f"vertex@europe-west4:{MODEL}")
    there = client_there(emulator, "europe-west4")
    (made,) = [cache async for cache in await there.aio.caches.list()]
    assert (made.name or "").startswith("projects/holdline/locations/europe-west4/cachedContents/")
    assert await talk.say("What is my code word?") == "Your code word is PLUM-42."
    assert talk.usage[-1].cached_tokens
    emulator.fault("lose_cache", model=MODEL)
    assert await talk.say("What is my code word?") == "Your code word is PLUM-42."
    assert not talk.usage[-1].cached_tokens
    emulator.disarm()
    await close(talk, emulator)
    assert [cache async for cache in await there.aio.caches.list()] == []
    await there.aio.aclose()


async def test_requests_that_are_withdrawn_leave_the_cache_as_it_is(emulator: Emulator) -> None:
    """For what is typed next, again and again, while they are under way."""
    talk = await begin(emulator, turns=8)
    for _ in range(3):
        await talk.connection.send_text("Hello.")
        async for message in talk.connection.messages():
            if isinstance(message, Asking):
                break
        await asyncio.sleep(0)  # the request begins
    assert "PLUM-42" in await talk.say("What is my code word?")
    assert talk.usage[-1].cached_tokens
    assert await caches(emulator) == 1
    await close(talk, emulator)


async def test_a_cache_that_is_gone_is_not_noticed_by_who_talks(emulator: Emulator) -> None:
    talk = await begin(emulator, turns=8)
    emulator.fault("lose_cache", model=MODEL)
    assert await talk.say("What is my code word?") == "Your code word is PLUM-42."
    emulator.disarm()
    await close(talk, emulator)


async def test_a_cache_that_is_being_made_when_the_conversation_ends_is_deleted(emulator: Emulator) -> None:
    talk = await begin(emulator, turns=2)
    for turn in range(20):
        await talk.connection.send_text(f"{turn} {FILLING}")
        await talk.answer()
        if any(task.get_name() == "context-cache" for task in asyncio.all_tasks()):
            break
    await close(talk, emulator)
    assert emulator.entries("cache_made")


async def test_words_that_are_asked_for_afterwards_are_no_part_of_the_cached_conversation(emulator: Emulator) -> None:
    talk = await begin(emulator, turns=8)
    aside = transcription_of(Question((), (Sound(aloud("What time is it?")),)))
    words = "".join([chunk.text async for chunk in talk.connection._terms.conversation.answer(aside, "")])
    assert "time" in words
    assert await talk.say("What is my code word?") == "Your code word is PLUM-42."
    assert talk.usage[-1].cached_tokens
    await close(talk, emulator)
