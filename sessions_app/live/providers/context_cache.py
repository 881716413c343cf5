"""An explicit context cache of one conversation whose every request sends all that was said.

Nobody waits for it: it is made, extended and deleted between two requests, and until it is there, or when it is refused
or gone, requests are sent in full. A process that is killed leaves its caches behind; each ends by its TTL.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass

import httpx2
from google import genai
from google.genai import errors, types

from energy.levels import UnknownModel, profile_of
from energy.places import id_of
from sessions_app.live.providers.cache_rules import CacheTerms, is_time_to_extend, is_worth_making, outlook_of
from sessions_app.live.providers.google_errors import read_error
from sessions_app.live.providers.upstream import UsageReported
from sessions_app.live.tokens import estimate_tokens

logger = logging.getLogger(__name__)

CALL_LIMIT_S = 30
"""How long the making, extending or deleting of a cache may take."""

REFUSED_PAUSE_S = 600
"""So long caching is left alone after a refusal: what a project may not cache it may not cache a minute later."""

GONE_PAUSE_S = 60
"""So long after a cache that was there is gone."""

EXPIRY_MARGIN_S = 5
"""A cache that has no longer than this is not used any more: the request takes its time to the provider."""

_NOT_THERE = (403, 404)
_ABOUT_CACHES = re.compile(r"cached.?content", re.IGNORECASE)
_TOO_SMALL = re.compile(
    r"total_token_count=(\d+), min_total_token_count=(\d+)"
    r"|content is of (\d+) tokens\. The minimum token count to start caching is (\d+)"
)
"""As the Developer API has it, and Agent Platform."""

_Trouble = (errors.APIError, httpx2.HTTPError, OSError, ValueError)
"""What the SDK raises; TimeoutError is an OSError, and what cannot be read is a ValueError."""

_under_way: set[asyncio.Task[None]] = set()
"""Keeps tasks from being collected whose conversation has ended."""


@dataclass(frozen=True, slots=True)
class Beginning:
    """What a request begins with that later ones begin with, too. `tokens`: estimated."""

    instruction: str = ""
    contents: tuple[types.Content, ...] = ()
    tokens: int = 0


@dataclass(frozen=True, slots=True)
class CachedPrompt:
    """What to send. With `cached_content`, the name of a cache, there is no instruction: both together are refused.

    `beginning` and `at_s`: of the request, for what is told of it later.
    """

    cached_content: str | None
    instruction: str | None
    contents: list[types.Content]
    beginning: Beginning
    at_s: float


@dataclass(frozen=True, slots=True)
class _Held:
    """A cache that is there. `tokens`: as the provider counts them. Moments are of the clock."""

    name: str
    instruction: str
    contents: tuple[types.Content, ...]
    tokens: int
    expires_at_s: float

    def covers(self, beginning: Beginning) -> bool:
        same = tuple(beginning.contents[: len(self.contents)]) == self.contents
        return same and beginning.instruction == self.instruction


class PrefixCache:
    """Used on one event loop, by one conversation, whose requests follow each other.

    Before a request `prompt` says what to send; after it one of `said`, `failed` and `withdrawn` is told what came of
    it. One that was withdrawn may take its time to end, and be told of when the next one is under way.

    Args:
        client: for the project and the version of the API that requests go to: a cache is of one project.
        model: of the requests, with its place: a cache is of one model.
        terms: None to cache nothing.
        now_s: a clock.
    """

    def __init__(
        self,
        client: genai.Client,
        model: str,
        terms: CacheTerms | None,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._now_s = now_s
        self._client = client
        self._model = model
        self._terms = terms
        self._least_tokens = _least_tokens_of(model)
        self._scale = 1.0
        """Tokens by the provider's count for one that is estimated."""
        self._held: _Held | None = None
        self._is_refused = False
        """What is held may not be used, and waits for its deletion."""
        self._last = Beginning()
        self._is_closed = False
        self._requests, self._first_tokens = 0, 0
        self._first_at_s = self._last_at_s = 0.0
        self._implicit_share = 0.0
        self._quiet_until_s = 0.0
        self._task: asyncio.Task[None] | None = None
        self._made_tokens, self._kept_token_s, self._counted_at_s = 0, 0.0, 0.0

    # -- around a request --------------------------------------------------------------------------------------------

    def prompt(
        self, instruction: str, settled: Sequence[types.Content], asked: Sequence[types.Content]
    ) -> CachedPrompt:
        """What to send.

        Args:
            instruction: how the model is to behave; a cache holds it, so one that changes makes it useless.
            settled: what later requests will begin with, too, word for word.
            asked: what follows, and may stand otherwise in later requests.
        """
        now_s = self._now_s()
        tokens = estimate_tokens(instruction) + sum(map(_tokens_of, settled))
        beginning = Beginning(instruction, tuple(settled), tokens)
        held = self._held
        if held is not None and held.expires_at_s - now_s <= EXPIRY_MARGIN_S:
            self._hold(held=None)
        elif held is not None and self._is_useful(held, beginning):
            return CachedPrompt(held.name, None, [*settled[len(held.contents) :], *asked], beginning, now_s)
        return CachedPrompt(None, instruction or None, [*settled, *asked], beginning, now_s)

    def said(self, sent: CachedPrompt, usage: UsageReported | None) -> None:
        """The request was answered, with this usage of all of it. To be told once for each, also without one."""
        self._count(sent)
        if sent.cached_content is None and usage is not None and usage.prompt_tokens:
            share = min(1.0, (usage.cached_tokens or 0) / usage.prompt_tokens)
            self._implicit_share = (self._implicit_share + share) / 2
        self._look_after()

    def withdrawn(self, sent: CachedPrompt) -> None:
        """Nobody waits for an answer to the request any more. It was sent, and is paid for like others."""
        self._count(sent)

    def failed(self, sent: CachedPrompt, error: BaseException) -> bool:
        """The request has failed, with what the SDK raised or something raised from that, and is not counted. Whether
        it was for the cache: then it is to be made again, with what `prompt` says now."""
        cause = error if isinstance(error, errors.APIError) else error.__cause__
        if sent.cached_content is None or not isinstance(cause, errors.APIError) or not _is_about_cache(cause):
            return False
        if self._held is None or self._held.name != sent.cached_content:
            return True
        if cause.code in _NOT_THERE:
            self._hold(held=None)
            self._pause(GONE_PAUSE_S)
            logger.info("The context cache of a conversation is gone: %s", cause.message)
        else:
            self._is_refused = True
            self._pause(REFUSED_PAUSE_S)
            logger.info("The context cache of a conversation cannot be used: %s", cause.message)
        return True

    def spent(self) -> UsageReported | None:
        """What making and keeping caches took since it was last asked for, which no answer's usage has in it."""
        self._count_kept()
        made, kept = self._made_tokens, int(self._kept_token_s)
        self._made_tokens, self._kept_token_s = 0, self._kept_token_s - kept
        return UsageReported(cache_made_tokens=made, cache_token_seconds=kept) if made or kept else None

    async def close(self, timeout_s: float = CALL_LIMIT_S) -> None:
        """The conversation has ended: what was made is deleted, and what is being made as soon as it is there.

        Args:
            timeout_s: how long to wait for that; it goes on behind.
        """
        self._is_closed = True
        if self._task is None and self._held is not None:
            self._start(self._let_go())
        if self._task is not None:
            await asyncio.wait({self._task}, timeout=timeout_s)

    # -- what to do behind it ----------------------------------------------------------------------------------------

    def _count(self, sent: CachedPrompt) -> None:
        """Of a request that the next one has overtaken no more is known than that there was one."""
        if not self._requests or sent.beginning.instruction != self._last.instruction:
            self._requests, self._first_at_s, self._first_tokens = 0, sent.at_s, sent.beginning.tokens
            self._last_at_s = sent.at_s
        self._requests += 1
        if sent.at_s >= self._last_at_s:
            self._last_at_s, self._last = sent.at_s, sent.beginning

    def _look_after(self) -> None:
        """Not in `prompt`: the request that it is for would race with what is done to its cache."""
        now_s = self._now_s()
        if self._terms is None or self._is_closed or self._task is not None or now_s < self._quiet_until_s:
            return
        held = self._held if self._held is not None and self._is_useful(self._held, self._last) else None
        ttl_s = self._terms.ttl_s
        outlook = outlook_of(
            self._requests,
            self._last_at_s - self._first_at_s,
            self._scaled(self._last.tokens - self._first_tokens),
            ttl_s,
            self._implicit_share,
        )
        prefix_tokens, held_tokens = self._scaled(self._last.tokens), 0 if held is None else held.tokens
        prices = self._terms.prices_of(self._model)
        if self._least_tokens and is_worth_making(prices, self._least_tokens, prefix_tokens, held_tokens, outlook):
            self._start(self._make(self._last, ttl_s))
        elif held is not None and is_time_to_extend(held.expires_at_s - now_s, ttl_s):
            self._start(self._extend(held, ttl_s))

    def _is_useful(self, held: _Held, beginning: Beginning) -> bool:
        """Whether a request begins with what it holds, and the provider lets it be used."""
        return not self._is_refused and held.covers(beginning)

    def _scaled(self, tokens: int) -> int:
        return max(0, round(tokens * self._scale))

    def _start(self, work: Coroutine[None, None, object]) -> None:
        task = self._task = asyncio.create_task(self._run(work), name="context-cache")
        _under_way.add(task)
        task.add_done_callback(_under_way.discard)

    async def _run(self, work: Coroutine[None, None, object]) -> None:
        try:
            await work
        except Exception:
            logger.exception("Internal error while looking after a context cache")
        try:
            if self._is_closed:
                await self._let_go()
        finally:
            self._task = None

    async def _make(self, beginning: Beginning, ttl_s: int) -> None:
        """In place of the one before, which goes first: there are never two."""
        if not await self._let_go():
            self._pause(REFUSED_PAUSE_S)
            return
        config = types.CreateCachedContentConfig(
            ttl=f"{ttl_s}s",
            system_instruction=beginning.instruction or None,
            contents=list(beginning.contents) or None,
        )
        expires_at_s = self._now_s() + ttl_s
        try:
            async with asyncio.timeout(CALL_LIMIT_S):
                made = await self._client.aio.caches.create(model=id_of(self._model), config=config)
        except _Trouble as error:
            self._refused(error, beginning)
            return
        tokens = (made.usage_metadata and made.usage_metadata.total_token_count) or self._scaled(beginning.tokens)
        self._measure(tokens, beginning)
        self._made_tokens += tokens
        self._hold(_Held(made.name or "", beginning.instruction, beginning.contents, tokens, expires_at_s))

    async def _extend(self, held: _Held, ttl_s: int) -> None:
        expires_at_s = self._now_s() + ttl_s
        try:
            async with asyncio.timeout(CALL_LIMIT_S):
                config = types.UpdateCachedContentConfig(ttl=f"{ttl_s}s")
                await self._client.aio.caches.update(name=held.name, config=config)
        except _Trouble as error:
            self._pause(_pause_after(error))
            logger.info("A context cache was not extended: %s", error)
            return
        if self._held is held and not self._is_refused:
            self._hold(_Held(held.name, held.instruction, held.contents, held.tokens, expires_at_s))

    async def _let_go(self) -> bool:
        """Delete what is held; whether nothing is left."""
        held = self._held
        if held is None:
            return True
        self._hold(held=None)
        return await self._delete(held.name)

    async def _delete(self, name: str) -> bool:
        """Whether it is gone."""
        try:
            async with asyncio.timeout(CALL_LIMIT_S):
                await self._client.aio.caches.delete(name=name)
        except _Trouble as error:
            if isinstance(error, errors.APIError) and error.code in _NOT_THERE:
                return True
            logger.warning("A context cache was not deleted and ends by its TTL: %s", error)
            return False
        return True

    # -- what came of it ---------------------------------------------------------------------------------------------

    def _refused(self, error: Exception, beginning: Beginning) -> None:
        too_small = _TOO_SMALL.search(str(error))
        if too_small is not None:
            tokens, least_tokens = (int(count) for count in too_small.groups() if count)
            if tokens < least_tokens:
                self._least_tokens = least_tokens
                self._measure(tokens, beginning)
                return
        self._pause(_pause_after(error))
        logger.info("A context cache was refused: %s", error)

    def _measure(self, tokens: int, beginning: Beginning) -> None:
        if tokens and beginning.tokens:
            self._scale = min(max(tokens / beginning.tokens, 0.25), 4.0)

    def _pause(self, seconds: float) -> None:
        self._quiet_until_s = self._now_s() + seconds

    def _hold(self, held: _Held | None) -> None:
        self._count_kept()
        self._held, self._is_refused = held, False

    def _count_kept(self) -> None:
        now_s = self._now_s()
        if self._held is not None:
            until_s = min(now_s, self._held.expires_at_s)
            self._kept_token_s += self._held.tokens * max(0.0, until_s - self._counted_at_s)
        self._counted_at_s = now_s


def _least_tokens_of(model: str) -> int:
    """The least that a cache may hold; 0 where there are none."""
    try:
        return profile_of(model).cache_from_tokens
    except UnknownModel:
        return 0


def _tokens_of(content: types.Content) -> int:
    """Of its text; what is settled has no sound or pictures in it."""
    return sum(estimate_tokens(part.text or "") for part in content.parts or ())


def _is_about_cache(error: errors.APIError) -> bool:
    return error.code in (400, *_NOT_THERE) and bool(_ABOUT_CACHES.search(str(error)))


def _pause_after(error: Exception) -> float:
    """What the provider asks for, where that is longer."""
    asked_ms = read_error(error.details).retry_after_ms if isinstance(error, errors.APIError) else None
    return max(REFUSED_PAUSE_S, (asked_ms or 0) / 1000)
