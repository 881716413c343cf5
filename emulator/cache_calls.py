"""The REST calls of context caches, and what a cache does to a request that names it."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from aiohttp import web

from emulator.attachments import Attachments
from emulator.caches import DEFAULT_LIFETIME_S, Cache
from emulator.models import Model
from emulator.prompt import read_prompt
from emulator.rest_errors import (
    INVALID_ARGUMENT,
    ApiError,
    check_caller,
    model_there,
    offered_model,
    page_size,
    page_start,
    place_of,
    read_json,
    read_key,
    refusal,
    refusal_by,
)
from emulator.sides import MIN_CACHED_TOKENS, Place
from emulator.state import Emulator
from emulator.wire import Json, WireError, camel_keys, parse_duration

_KEPT = ("contents", "systemInstruction", "tools", "toolConfig")
# Texts as they were met; a cache that is gone is never told from one that is somebody else's.
_GONE = "CachedContent not found (or permission denied)"
_GONE_THERE = "Not found: cached content metadata for {}."
_SET_TWICE_THERE = (
    "Tool config, tools and system instruction should not be set in the request when using cached content."
)
_TOO_SMALL = "Cached content is too small. total_token_count={}, min_total_token_count={}"
_TOO_SMALL_THERE = "The cached content is of {} tokens. The minimum token count to start caching is {}."
_SET_TWICE = (
    "CachedContent can not be used with GenerateContent request setting system_instruction, tools or tool_config.\n\n"
    "Proposed fix: move those values to CachedContent from GenerateContent request."
)


class CacheCalls:
    """The handlers; each raises `ApiError` for what it refuses."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator

    async def create(self, request: web.Request) -> web.Response:
        """`POST cachedContents`"""
        check_caller(request)
        body = camel_keys(await read_json(request))
        place = place_of(request)
        model = self._model_of(request, str(body.get("model", "")), place)
        if fault := self._emulator.faults.use("refuse_caching", "", model.id):
            raise refusal_by(fault)
        kept = {key: body[key] for key in _KEPT if key in body}
        tokens = (await read_prompt(kept, self._emulator.ear, Attachments(self._emulator, read_key(request)))).tokens
        text, least = _TOO_SMALL, model.min_cached_tokens
        if place.is_agent_platform:
            text, least = _TOO_SMALL_THERE, max(least, MIN_CACHED_TOKENS)
        if tokens.total() < least:
            raise refusal(400, text.format(tokens.total(), least))
        expires_at = self._expiry(body) or self._emulator.caches.expiry(DEFAULT_LIFETIME_S)
        display_name = str(body.get("displayName", ""))
        cache = self._emulator.caches.create(model.id, display_name, kept, tokens, expires_at, place)
        self._emulator.log.add("cache_made", cache=cache.name, model=model.id, tokens=tokens.total())
        return web.json_response(cache.as_resource())

    async def list(self, request: web.Request) -> web.Response:
        """`GET cachedContents`"""
        check_caller(request)
        size, start = page_size(request), page_start(request)
        caches = self._emulator.caches.all(place_of(request))
        body: Json = {}
        if shown := caches[start : start + size]:
            body["cachedContents"] = [cache.as_resource() for cache in shown]
        if start + size < len(caches):
            body["nextPageToken"] = str(start + size)
        return web.json_response(body)

    async def get(self, request: web.Request) -> web.Response:
        """`GET cachedContents/CACHE`"""
        check_caller(request)
        return web.json_response(self._asked_for(request).as_resource())

    async def prolong(self, request: web.Request) -> web.Response:
        """`PATCH cachedContents/CACHE`: nothing but the time can be changed."""
        check_caller(request)
        cache = self._asked_for(request)
        expires_at = self._expiry(camel_keys(await read_json(request)))
        if expires_at is None:
            raise refusal(400, INVALID_ARGUMENT)
        self._emulator.caches.prolong(cache, expires_at)
        return web.json_response(cache.as_resource())

    async def delete(self, request: web.Request) -> web.Response:
        """`DELETE cachedContents/CACHE`"""
        check_caller(request)
        self._emulator.caches.delete(self._asked_for(request).id)
        return web.json_response({})

    def _asked_for(self, request: web.Request) -> Cache:
        return _find(self._emulator, f"{place_of(request).parent}cachedContents/{request.match_info['cache']}")

    def _model_of(self, request: web.Request, name: str, place: Place) -> Model:
        """The model to cache for, by its resource name at the place."""
        method = "createCachedContent"
        if place.is_agent_platform:
            return model_there(name.removeprefix(place.name_of("")), place, self._emulator.faults, method)
        return offered_model(name, request.match_info["version"], self._emulator.faults, method)

    def _expiry(self, body: Json) -> float | None:
        """When a cache ends by `ttl` or `expireTime`, in seconds since 1970; None where neither is given."""
        try:
            if "ttl" in body:
                expires_at = self._emulator.caches.expiry(parse_duration(body["ttl"]))
            elif "expireTime" in body:
                expires_at = datetime.fromisoformat(str(body["expireTime"])).timestamp()
            else:
                return None
        except (WireError, ValueError) as error:
            raise refusal(400, INVALID_ARGUMENT) from error
        if expires_at <= self._emulator.caches.expiry(0):
            raise refusal(400, INVALID_ARGUMENT)
        return expires_at


def with_cached(emulator: Emulator, place: Place, model: Model, body: Json) -> tuple[Json, Counter[str]]:
    """The body of a request at a place as if it had been sent in full, and what of its tokens was cached.

    Raises `ApiError` for a cache that is gone, of another place or model, or beside what belongs into it.
    """
    name = body.get("cachedContent")
    if not name:
        return body, Counter()
    cache = _find(emulator, str(name))
    if cache.place != place:
        raise _gone(str(name))
    if cache.model != model.id:
        raise refusal(
            400,
            f"Model used by GenerateContent request ({model.name}) and CachedContent (models/{cache.model}) has to be "
            "the same.",
        )
    if any(body.get(key) for key in _KEPT if key != "contents"):
        raise refusal(400, _SET_TWICE_THERE if cache.place.is_agent_platform else _SET_TWICE)
    contents = [*cache.body.get("contents", ()), *body.get("contents", ())]
    return {**body, **cache.body, "contents": contents}, cache.tokens


def _find(emulator: Emulator, name: str) -> Cache:
    try:
        cache = emulator.caches.get(name)
    except KeyError as error:
        raise _gone(name) from error
    if emulator.faults.use("lose_cache", "", cache.model):
        emulator.log.add("fault", fault="lose_cache", cache=cache.name)
        emulator.caches.delete(cache.id)
        raise _gone(name)
    return cache


def _gone(name: str) -> ApiError:
    if name.startswith("projects/"):
        return refusal(404, _GONE_THERE.format(name.rsplit("/", 1)[-1]))
    return refusal(403, _GONE)
