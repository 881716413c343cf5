"""Context caches through the SDK: what is kept, what it costs, and how it goes."""

import datetime as dt
from collections import Counter
from typing import Any

import pytest
from google import genai
from google.genai import errors, types

from emulator.caches import LIMIT, CacheStore
from tests.emulator.client import LIVE_3_8, SDK_INHERITS_AIOHTTP, ask, live, speech
from tests.emulator.test_control import request
from tests.emulator.test_parts import Clock
from tests.emulator.test_speech import TTS, voiced
from tests.services.emulator import Emulator

CHAT = "gemini-3.8-flash"
OTHER = "gemini-3.6-flash"
PRO = "gemini-3.1-pro-preview"
FILLING = "The tide comes in twice a day. " * 140
INSTRUCTION = f"The user's code word is PLUM-42. {FILLING}"

pytestmark = SDK_INHERITS_AIOHTTP


async def cached(client: genai.Client, model: str = CHAT, **more: Any) -> types.CachedContent:
    config = types.CreateCachedContentConfig(**({"system_instruction": INSTRUCTION} | more))
    return await client.aio.caches.create(model=model, config=config)


async def asked(
    client: genai.Client, cache: types.CachedContent, model: str = CHAT, **more: Any
) -> types.GenerateContentResponse:
    config = types.GenerateContentConfig(cached_content=cache.name, **more)
    return await client.aio.models.generate_content(model=model, contents="What is my code word?", config=config)


async def test_what_is_cached_is_known_and_counted_once_as_cached(client: genai.Client) -> None:
    cache = await cached(client, display_name="the tides")
    assert cache.usage_metadata
    assert (cache.model, cache.display_name) == (f"models/{CHAT}", "the tides")
    size = cache.usage_metadata.total_token_count or 0
    response = await asked(client, cache)
    assert response.text == "Your code word is PLUM-42."
    usage = response.usage_metadata
    assert usage
    assert usage.cached_content_token_count == size > 1_024
    assert usage.prompt_token_count == size + 6
    assert usage.cache_tokens_details
    assert [(d.modality, d.token_count) for d in usage.cache_tokens_details] == [(types.MediaModality.TEXT, size)]
    stream = await client.aio.models.generate_content_stream(
        model=CHAT, contents="Hello", config=types.GenerateContentConfig(cached_content=cache.name)
    )
    counted = [piece.usage_metadata.cached_content_token_count async for piece in stream if piece.usage_metadata]
    assert set(counted) == {size}


async def test_a_cache_lives_for_an_hour_or_as_long_as_asked_and_longer_on_request(client: genai.Client) -> None:
    first, second = await cached(client), await cached(client, ttl="300s")
    for cache, seconds in ((first, 3600), (second, 300)):
        assert cache.expire_time
        assert cache.create_time
        assert (cache.expire_time - cache.create_time).total_seconds() == pytest.approx(seconds, abs=1)
    assert second.name
    longer = await client.aio.caches.update(name=second.name, config=types.UpdateCachedContentConfig(ttl="7200s"))
    assert longer.expire_time
    assert longer.expire_time - dt.datetime.now(dt.UTC) > dt.timedelta(hours=1)
    assert [cache.name async for cache in await client.aio.caches.list()] == [second.name, first.name]
    assert (await client.aio.caches.get(name=second.name)).expire_time == longer.expire_time


async def test_a_cache_that_is_gone_is_as_good_as_somebody_elses(client: genai.Client, emulator: Emulator) -> None:
    cache = await cached(client)
    assert cache.name
    await client.aio.caches.delete(name=cache.name)
    lost = await cached(client)
    assert lost.name
    emulator.fault("lose_cache", model=CHAT)
    for gone in (cache, lost):
        with pytest.raises(errors.ClientError, match=r"CachedContent not found \(or permission denied\)") as refused:
            await asked(client, gone)
        assert (refused.value.code, refused.value.status) == (403, "PERMISSION_DENIED")
        with pytest.raises(errors.ClientError, match="CachedContent not found"):
            await client.aio.caches.get(name=gone.name or "")
    assert [cache async for cache in await client.aio.caches.list()] == []
    assert await asked(client, await cached(client))


@pytest.mark.parametrize(("model", "text", "least"), [(CHAT, "short", 1_024), (PRO, INSTRUCTION, 4_096)])
async def test_a_cache_that_is_too_small_is_refused(client: genai.Client, model: str, text: str, least: int) -> None:
    complaint = rf"Cached content is too small. total_token_count=\d+, min_total_token_count={least}\b"
    with pytest.raises(errors.ClientError, match=complaint) as refused:
        await cached(client, model, system_instruction=text)
    assert refused.value.code == 400


@pytest.mark.parametrize("model", [LIVE_3_8, TTS])
async def test_live_and_tts_models_cache_nothing(client: genai.Client, model: str) -> None:
    with pytest.raises(errors.ClientError, match="is not supported for createCachedContent") as refused:
        await cached(client, model)
    assert refused.value.code == 404


async def test_a_cache_of_another_model_is_refused(client: genai.Client) -> None:
    cache = await cached(client)
    complaint = rf"\(models/{OTHER}\) and CachedContent \(models/{CHAT}\) has to be the same"
    with pytest.raises(errors.ClientError, match=complaint) as refused:
        await asked(client, cache, OTHER)
    assert refused.value.code == 400


@pytest.mark.parametrize(
    "beside",
    [
        {"system_instruction": "Be kind."},
        {"tools": [types.Tool(function_declarations=[types.FunctionDeclaration(name="look_up")])]},
    ],
)
async def test_what_belongs_into_a_cache_does_not_stand_beside_it(client: genai.Client, beside: dict[str, Any]) -> None:
    cache = await cached(client)
    with pytest.raises(errors.ClientError, match="can not be used with GenerateContent request setting") as refused:
        await asked(client, cache, **beside)
    assert refused.value.code == 400


@pytest.mark.parametrize("status", [403, 429, 500])
async def test_the_making_of_a_cache_can_be_refused(client: genai.Client, emulator: Emulator, status: int) -> None:
    emulator.fault("refuse_caching", status=status, count=1)
    with pytest.raises(errors.APIError) as refused:
        await cached(client)
    assert refused.value.code == status
    assert await cached(client)


# The store, on a clock that is moved.


def test_a_cache_is_over_at_its_time_and_cost_what_it_was_kept_for() -> None:
    clock = Clock()
    store = CacheStore(clock)
    first = store.create("m", "", {}, Counter(TEXT=2_000), 100.0)
    second = store.create("m", "", {}, Counter(TEXT=1_000, AUDIO=500), 1_000.0)
    clock.now = 50
    assert store.token_seconds() == {"m": 50 * 3_500}
    clock.now = 200
    assert store.all() == [second]
    with pytest.raises(KeyError):
        store.get(first.name)
    assert store.token_seconds() == {"m": 100 * 2_000 + 200 * 1_500}
    store.delete(second.id)
    clock.now = 300
    assert store.token_seconds() == {"m": 100 * 2_000 + 200 * 1_500}


def test_a_store_keeps_the_newest_thousand() -> None:
    store = CacheStore(Clock())
    names = [store.create("m", "", {}, Counter(TEXT=1), 100.0).id for _ in range(LIMIT + 2)]
    assert [cache.id for cache in store.all()] == names[:1:-1]


# The account.


async def test_the_account_tells_what_each_model_has_used(client: genai.Client, emulator: Emulator) -> None:
    cache = await cached(client)
    pcm = types.Part.from_bytes(data=await speech("Hello there"), mime_type="audio/pcm;rate=16000")
    await asked(client, cache)
    answer = await client.aio.models.generate_content(model=CHAT, contents=types.Content(role="user", parts=[pcm]))
    spoken = await client.aio.models.generate_content(model=TTS, contents="Hello there.", config=voiced())
    async with live(emulator) as session:
        turn = await ask(session, "Hello")
    _, account = request(emulator, "GET", "/api/account")
    chat, tts, call = (account["models"][model] for model in (CHAT, TTS, LIVE_3_8))
    assert cache.usage_metadata
    size = cache.usage_metadata.total_token_count or 0
    assert (chat["requests"], tts["requests"], call["requests"]) == (2, 1, 1)
    assert chat["prompt_tokens"]["TEXT"] == size + 6
    assert chat["cached_tokens"] == {"TEXT": size}
    assert answer.usage_metadata
    assert chat["prompt_tokens"]["AUDIO"] == answer.usage_metadata.prompt_token_count
    assert chat["output_tokens"].keys() == {"TEXT"}
    assert chat["cache_token_seconds"] > 0
    assert spoken.usage_metadata
    assert tts["output_tokens"] == {"AUDIO": spoken.usage_metadata.candidates_token_count}
    assert sum(call["prompt_tokens"].values()) == turn.usage.prompt_token_count
    assert call["output_tokens"] == {"AUDIO": turn.usage.response_token_count}
    emulator.reset()
    assert request(emulator, "GET", "/api/account") == (200, {"models": {}})
