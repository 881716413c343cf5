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
    check_key,
    offered_model,
    page_size,
    page_start,
    read_json,
    read_key,
    refusal,
    refusal_by,
)
from emulator.state import Emulator
from emulator.wire import Json, WireError, camel_keys, parse_duration

_KEPT = ("contents", "systemInstruction", "tools", "toolConfig")
# Texts as they were met; a cache that is gone is never told from one that is somebody else's.
_GONE = "CachedContent not found (or permission denied)"
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
        check_key(request)
        body = camel_keys(await read_json(request))
        version = request.match_info["version"]
        model = offered_model(str(body.get("model", "")), version, self._emulator.faults, "createCachedContent")
        if fault := self._emulator.faults.use("refuse_caching", "", model.id):
            raise refusal_by(fault)
        kept = {key: body[key] for key in _KEPT if key in body}
        tokens = (await read_prompt(kept, self._emulator.ear, Attachments(self._emulator, read_key(request)))).tokens
        if tokens.total() < model.min_cached_tokens:
            counts = f"total_token_count={tokens.total()}, min_total_token_count={model.min_cached_tokens}"
            raise refusal(400, f"Cached content is too small. {counts}")
        expires_at = self._expiry(body) or self._emulator.caches.expiry(DEFAULT_LIFETIME_S)
        display_name = str(body.get("displayName", ""))
        cache = self._emulator.caches.create(model.id, display_name, kept, tokens, expires_at)
        self._emulator.log.add("cache_made", cache=cache.name, model=model.id, tokens=tokens.total())
        return web.json_response(cache.as_resource())

    async def list(self, request: web.Request) -> web.Response:
        """`GET cachedContents`"""
        check_key(request)
        size, start = page_size(request), page_start(request)
        caches = self._emulator.caches.all()
        body: Json = {}
        if shown := caches[start : start + size]:
            body["cachedContents"] = [cache.as_resource() for cache in shown]
        if start + size < len(caches):
            body["nextPageToken"] = str(start + size)
        return web.json_response(body)

    async def get(self, request: web.Request) -> web.Response:
        """`GET cachedContents/CACHE`"""
        check_key(request)
        return web.json_response(_find(self._emulator, request.match_info["cache"]).as_resource())

    async def prolong(self, request: web.Request) -> web.Response:
        """`PATCH cachedContents/CACHE`: nothing but the time can be changed."""
        check_key(request)
        cache = _find(self._emulator, request.match_info["cache"])
        expires_at = self._expiry(camel_keys(await read_json(request)))
        if expires_at is None:
            raise refusal(400, INVALID_ARGUMENT)
        self._emulator.caches.prolong(cache, expires_at)
        return web.json_response(cache.as_resource())

    async def delete(self, request: web.Request) -> web.Response:
        """`DELETE cachedContents/CACHE`"""
        check_key(request)
        self._emulator.caches.delete(_find(self._emulator, request.match_info["cache"]).id)
        return web.json_response({})

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


def with_cached(emulator: Emulator, model: Model, body: Json) -> tuple[Json, Counter[str]]:
    """The body of a request as if it had been sent in full, and what of its tokens was cached.

    Raises `ApiError` for a cache that is gone, of another model, or beside what belongs into it.
    """
    name = body.get("cachedContent")
    if not name:
        return body, Counter()
    cache = _find(emulator, str(name).removeprefix("cachedContents/"))
    if cache.model != model.id:
        raise refusal(
            400,
            f"Model used by GenerateContent request ({model.name}) and CachedContent (models/{cache.model}) has to be "
            "the same.",
        )
    if any(body.get(key) for key in _KEPT if key != "contents"):
        raise refusal(400, _SET_TWICE)
    contents = [*cache.body.get("contents", ()), *body.get("contents", ())]
    return {**body, **cache.body, "contents": contents}, cache.tokens


def _find(emulator: Emulator, cache_id: str) -> Cache:
    try:
        cache = emulator.caches.get(cache_id)
    except KeyError as error:
        raise refusal(403, _GONE) from error
    if emulator.faults.use("lose_cache", "", cache.model):
        emulator.log.add("fault", fault="lose_cache", cache=cache.name)
        emulator.caches.delete(cache.id)
        raise refusal(403, _GONE)
    return cache
