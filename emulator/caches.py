"""Context caches: what is kept of a prompt for later ones, for how long, and what keeping it has cost."""

from __future__ import annotations

import secrets
import time
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable
from dataclasses import dataclass

from emulator.clock import stamp
from emulator.sides import DEVELOPER_API, Place
from emulator.wire import Json

DEFAULT_LIFETIME_S = 3600.0
LIMIT = 1_000
"""Caches that are kept; the oldest gives way."""


@dataclass
class Cache:
    """The beginning of prompts for `model` (an id) at a place, by which it is numbered on Agent Platform. `body` has
    `contents`, `systemInstruction` and the tools."""

    id: str
    model: str
    display_name: str
    body: Json
    tokens: Counter[str]
    created_at: float
    updated_at: float
    expires_at: float
    place: Place = DEVELOPER_API

    @property
    def name(self) -> str:
        """The resource name."""
        return f"{self.place.parent}cachedContents/{self.id}"

    def token_seconds(self, until: float) -> float:
        """What it has cost to keep it so long."""
        return self.tokens.total() * (until - self.created_at)

    def as_resource(self) -> Json:
        """The cache as the API shows it, without what is in it."""
        return {
            "name": self.name,
            "model": self.place.name_of(self.model),
            "createTime": stamp(self.created_at),
            "updateTime": stamp(self.updated_at),
            "expireTime": stamp(self.expires_at),
            "displayName": self.display_name,
            "usageMetadata": {"totalTokenCount": self.tokens.total()},
        }


class CacheStore:
    """All caches. One that is over is as if it had never been, but for what it has cost."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._caches: OrderedDict[str, Cache] = OrderedDict()
        self._token_seconds: defaultdict[str, float] = defaultdict(float)

    def create(
        self,
        model: str,
        display_name: str,
        body: Json,
        tokens: Counter[str],
        expires_at: float,
        place: Place = DEVELOPER_API,
    ) -> Cache:
        """Keep a beginning of prompts until a time, in seconds since 1970."""
        now = self._clock()
        cache_id = str(1 + secrets.randbelow(1 << 62)) if place.is_agent_platform else secrets.token_hex(20)
        cache = Cache(cache_id, model, display_name, body, tokens, now, now, expires_at, place)
        self._caches[cache.id] = cache
        while len(self._caches) > LIMIT:
            self.delete(next(iter(self._caches)))
        return cache

    def get(self, name: str) -> Cache:
        """A cache by its resource name; raises `KeyError` when there is none, or not any more."""
        self._forget_expired()
        cache = self._caches[name.rsplit("/", 1)[-1]]
        if cache.name != name:
            raise KeyError(name)
        return cache

    def prolong(self, cache: Cache, expires_at: float) -> None:
        """Keep it until another time."""
        cache.updated_at = self._clock()
        cache.expires_at = expires_at

    def delete(self, cache_id: str) -> None:
        """Let go of a cache; raises `KeyError`."""
        self._forget_expired()
        self._end(self._caches.pop(cache_id), self._clock())

    def all(self, place: Place = DEVELOPER_API) -> list[Cache]:
        """Every cache of a place, newest first."""
        self._forget_expired()
        return [cache for cache in reversed(self._caches.values()) if cache.place == place]

    def clear(self) -> None:
        """Forget everything, what it has cost included."""
        self._caches.clear()
        self._token_seconds.clear()

    def token_seconds(self) -> dict[str, float]:
        """By model, the tokens that were kept times the seconds for which they were, by now."""
        self._forget_expired()
        now = self._clock()
        spent = self._token_seconds.copy()
        for cache in self._caches.values():
            spent[cache.model] += cache.token_seconds(now)
        return dict(spent)

    def expiry(self, lifetime_s: float) -> float:
        """The time that lies so far ahead."""
        return self._clock() + lifetime_s

    def _forget_expired(self) -> None:
        now = self._clock()
        for cache in [cache for cache in self._caches.values() if cache.expires_at <= now]:
            del self._caches[cache.id]
            self._end(cache, cache.expires_at)

    def _end(self, cache: Cache, at: float) -> None:
        self._token_seconds[cache.model] += cache.token_seconds(at)
