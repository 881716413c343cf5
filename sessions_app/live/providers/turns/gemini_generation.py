"""Gemini's `generateContent`, streamed, over the google-genai SDK."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import ssl
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from itertools import groupby
from typing import cast

import certifi
import httpx2
from google import genai
from google.auth.exceptions import GoogleAuthError
from google.genai import errors, types

from energy.places import id_of
from sessions_app.live.machine.failures import Failure, Phase
from sessions_app.live.providers.accounts import Account, client_for
from sessions_app.live.providers.cache_rules import CacheTerms
from sessions_app.live.providers.context_cache import CachedPrompt, PrefixCache
from sessions_app.live.providers.gemini import by_modality, failure_of
from sessions_app.live.providers.sound_parts import InlineSound, SoundPart, UploadedSound
from sessions_app.live.providers.turns.account import Part, Sound, Words
from sessions_app.live.providers.turns.answer import ANSWER, HEARD
from sessions_app.live.providers.turns.generation import Chunk
from sessions_app.live.providers.turns.prompt import Prompt
from sessions_app.live.providers.upstream import OUTPUT_RATE_HZ, UpstreamFailed, UsageReported
from sessions_app.live.storable import storable
from sessions_app.live.transcript import Role
from sessions_app.live.voice import INPUT_RATE_HZ
from sessions_app.live.wav import wav_of

logger = logging.getLogger(__name__)

OUTPUT_LIMIT_TOKENS = 8_192
"""Of an answer, with what the model thinks before it: minutes of speech."""

REQUEST_LIMIT_MS = 120_000
"""Of silence in a request. Whoever reads the stream gives up much earlier; this is for what nobody reads any more."""

CONNECTIONS = httpx2.Limits(max_connections=500, max_keepalive_connections=50, keepalive_expiry=120)
"""An answer takes up to three while it is given. They are kept for the next turn, which saves the TLS handshake."""

THINKING, SCHEMA = "thinking", "schema"
_SPELLINGS = {THINKING: ("thinking",), SCHEMA: ("responseschema", "responsemimetype", "jsonmode")}

_INVALID_CONTENT = 1007
_SERVER_FAULT = 1011
"""What a Live connection is closed with for what is 400 and 5xx here. `machine.failures` judges by these, and takes the
others for an upgrade that was refused, which comes before anything is said."""
_UNREADABLE = 1002

_SOUND_TYPE = re.compile(r"audio/(?:L16|pcm)\b", re.IGNORECASE)
_RATE = re.compile(r"\brate=(\d+)")

_REFUSALS = {
    types.FinishReason.SAFETY: "GENERATED_CONTENT_SAFETY",
    types.FinishReason.PROHIBITED_CONTENT: "GENERATED_CONTENT_PROHIBITED",
    types.FinishReason.BLOCKLIST: "GENERATED_CONTENT_BLOCKLIST",
    types.FinishReason.SPII: "GENERATED_CONTENT_PROHIBITED",
    types.FinishReason.RECITATION: "RESPONSE_REJECTED",
    types.FinishReason.LANGUAGE: "RESPONSE_REJECTED",
    types.FinishReason.MALFORMED_FUNCTION_CALL: "MALFORMED_FUNCTION_CALL",
    types.FinishReason.UNEXPECTED_TOOL_CALL: "MALFORMED_FUNCTION_CALL",
}
"""Of an answer that ends early, as `turnCompleteReason` of the Live API names the same."""

_BLOCKS = {types.BlockedReason.BLOCKLIST: "BLOCKLIST"}
_BLOCKED = "PROHIBITED_INPUT_CONTENT"


class GeminiGeneration:
    """See `generation.Generation`.

    Args:
        account: who asks.
        api_version: of the API.
        cache_terms: how conversations use context caches; None if they use none.
    """

    def __init__(self, account: Account, api_version: str, cache_terms: CacheTerms | None = None) -> None:
        tls = ssl.create_default_context(
            cafile=os.environ.get("SSL_CERT_FILE") or certifi.where(), capath=os.environ.get("SSL_CERT_DIR")
        )
        http = httpx2.AsyncClient(verify=tls, limits=CONNECTIONS, follow_redirects=True)
        options = types.HttpOptions(api_version=api_version, timeout=REQUEST_LIMIT_MS, httpx_async_client=http)
        self._client = client_for(account, options)
        self._cache_terms = cache_terms
        self._left_out: dict[str, set[str]] = {}

    def conversation(self, model: str) -> GeminiConversation:
        left_out = self._left_out.setdefault(model, set())
        return GeminiConversation(self._client, model, left_out, self._cache_terms)

    async def speak(self, model: str, text: str, voice: str) -> AsyncGenerator[Chunk, None]:
        prebuilt = types.VoiceConfig(prebuilt_voice_config=types.PrebuiltVoiceConfig(voice_name=voice))
        config = types.GenerateContentConfig(
            response_modalities=["AUDIO"], speech_config=types.SpeechConfig(voice_config=prebuilt)
        )
        contents = [types.Content(role="user", parts=[types.Part(text=text)])]
        async with aclosing(_stream(self._client, model, contents, config)) as chunks:
            async for chunk in chunks:
                yield chunk


class GeminiConversation:
    """See `generation.Conversation`.

    Args:
        client: who asks.
        model: who is asked.
        left_out: fields that the model was found to refuse; others are added.
        cache_terms: how its settled beginning is cached; None if it is not.
    """

    def __init__(self, client: genai.Client, model: str, left_out: set[str], cache_terms: CacheTerms | None) -> None:
        self._client = client
        self._model = model
        self._left_out = left_out
        self._cache = PrefixCache(client, model, cache_terms)
        self._no_cache = PrefixCache(client, model, None)

    async def answer(self, prompt: Prompt, thinking_level: str) -> AsyncGenerator[Chunk, None]:
        """A field that the model refuses by its name is left out from then on, by this process."""
        cache = self._no_cache if prompt.is_aside else self._cache
        while True:
            sent = cache.prompt(prompt.instruction, _before_of(prompt), _asked_of(prompt))
            config = _config_of(prompt, sent, thinking_level, self._left_out)
            usage: UsageReported | None = None
            try:
                async with aclosing(_stream(self._client, self._model, sent.contents, config)) as chunks:
                    async for chunk in chunks:
                        usage = chunk.usage or usage
                        yield chunk
            except UpstreamFailed as failed:
                if not cache.failed(sent, failed) and not self._leaves_out(failed.failure):
                    raise
            except (asyncio.CancelledError, GeneratorExit):
                cache.withdrawn(sent)
                raise
            else:
                cache.said(sent, usage)
                return

    def spent(self) -> UsageReported | None:
        return self._cache.spent()

    async def close(self, timeout_s: float) -> None:
        await self._cache.close(timeout_s)

    def _leaves_out(self, failure: Failure) -> bool:
        """Whether there is a field less in the next request because of this refusal."""
        field = _refused_field(failure, self._left_out)
        if field:
            self._left_out.add(field)
            logger.warning("%s refuses the %s of a request", self._model, field)
        return bool(field)


async def _stream(
    client: genai.Client, model: str, contents: list[types.Content], config: types.GenerateContentConfig
) -> AsyncGenerator[Chunk, None]:
    try:
        stream = await client.aio.models.generate_content_stream(model=id_of(model), contents=contents, config=config)
        async with aclosing(cast("AsyncGenerator[types.GenerateContentResponse, None]", stream)) as responses:
            async for response in responses:
                yield _chunk_of(response, _modality_of(config))
    except (errors.APIError, GoogleAuthError, httpx2.HTTPError, OSError, ValueError) as error:
        raise UpstreamFailed(_failure_of(error)) from error


def _config_of(
    prompt: Prompt, sent: CachedPrompt, thinking_level: str, left_out: set[str]
) -> types.GenerateContentConfig:
    config = types.GenerateContentConfig(
        system_instruction=sent.instruction,
        cached_content=sent.cached_content,
        max_output_tokens=OUTPUT_LIMIT_TOKENS,
    )
    if thinking_level and THINKING not in left_out:
        config.thinking_config = types.ThinkingConfig(thinking_level=types.ThinkingLevel(thinking_level))
    if prompt.is_structured and SCHEMA not in left_out:
        config.response_mime_type = "application/json"
        config.response_schema = types.Schema(
            type=types.Type.OBJECT,
            properties={name: types.Schema(type=types.Type.STRING) for name in (HEARD, ANSWER)},
            required=[HEARD, ANSWER],
            property_ordering=[HEARD, ANSWER],
        )
    return config


def _before_of(prompt: Prompt) -> list[types.Content]:
    sounds = [types.Content(role="user", parts=[_part_of(part) for part in prompt.sounds])] if prompt.sounds else []
    return sounds + [
        types.Content(role="model" if line.role is Role.MODEL else "user", parts=[types.Part(text=line.text)])
        for line in prompt.question.before
    ]


def _asked_of(prompt: Prompt) -> list[types.Content]:
    """The note is beside the sound where there is some, for it says what to do with it."""
    kinds = [(kind, [_part_of(part) for part in alike]) for kind, alike in groupby(prompt.question.parts, type)]
    noted = max((place for place, (kind, _) in enumerate(kinds) if kind is Sound), default=len(kinds) - 1)
    if prompt.note and kinds:
        kinds[noted][1].append(types.Part(text=prompt.note))
    return [types.Content(role="user", parts=parts) for _, parts in kinds]


def _part_of(part: Part | SoundPart) -> types.Part:
    if isinstance(part, Words):
        return types.Part(text=part.text)
    if isinstance(part, UploadedSound):
        return types.Part(file_data=types.FileData(file_uri=part.uri, mime_type=part.media_type))
    if isinstance(part, InlineSound):
        return types.Part(inline_data=types.Blob(mime_type=part.media_type, data=part.data))
    # A file, for raw samples are not among the documented formats ("Audio understanding", read 2026-11).
    return types.Part(inline_data=types.Blob(mime_type="audio/wav", data=wav_of(part.pcm, INPUT_RATE_HZ)))


def _modality_of(config: types.GenerateContentConfig) -> str:
    """What a model puts out that is asked like that."""
    return (types.Modality.AUDIO if config.speech_config else types.Modality.TEXT).value


def _chunk_of(response: types.GenerateContentResponse, modality: str) -> Chunk:
    usage = None if response.usage_metadata is None else usage_of(response.usage_metadata, modality)
    feedback = response.prompt_feedback
    if feedback is not None and feedback.block_reason is not None:
        return Chunk(refusal=_BLOCKS.get(feedback.block_reason, _BLOCKED), usage=usage)
    if not response.candidates:
        return Chunk(usage=usage)
    candidate = response.candidates[0]
    parts = (candidate.content.parts if candidate.content else None) or ()
    finish = candidate.finish_reason
    return Chunk(
        text=storable("".join(part.text for part in parts if part.text and not part.thought)),
        pcm=b"".join(_sound_of(part.inline_data) for part in parts if part.inline_data),
        finish="" if finish is None else finish.value,
        refusal="" if finish is None else _REFUSALS.get(finish, ""),
        usage=usage,
    )


def _sound_of(blob: types.Blob) -> bytes:
    """Raises ValueError for sound that is not what the page plays."""
    mime_type = blob.mime_type or ""
    rate = _RATE.search(mime_type)
    if not _SOUND_TYPE.match(mime_type) or (rate is not None and int(rate[1]) != OUTPUT_RATE_HZ):
        raise ValueError(f"sound as {mime_type}")
    return blob.data or b""


def usage_of(usage: types.GenerateContentResponseUsageMetadata, modality: str) -> UsageReported:
    """Details of what was put out are often left out where it is text; who reads reports takes the rest for sound."""
    put_out = usage.candidates_token_count or 0
    return UsageReported(
        prompt_tokens=usage.prompt_token_count,
        response_tokens=usage.candidates_token_count,
        thoughts_tokens=usage.thoughts_token_count,
        total_tokens=usage.total_token_count,
        prompt_tokens_by_modality=by_modality(usage.prompt_tokens_details),
        response_tokens_by_modality=by_modality(usage.candidates_tokens_details) or {modality: put_out},
        tool_use_tokens=usage.tool_use_prompt_token_count,
        cached_tokens=usage.cached_content_token_count,
        tool_use_tokens_by_modality=by_modality(usage.tool_use_prompt_tokens_details),
        cached_tokens_by_modality=by_modality(usage.cache_tokens_details),
    )


def _refused_field(failure: Failure, left_out: set[str]) -> str:
    """The field of a request that a refusal names and that it can do without."""
    if failure.code != _INVALID_CONTENT:
        return ""
    spelled = re.sub(r"[\s_]", "", failure.text.lower())
    named = (field for field, names in _SPELLINGS.items() if any(name in spelled for name in names))
    return next((field for field in named if field not in left_out), "")


def _failure_of(error: Exception) -> Failure:
    if isinstance(error, httpx2.TimeoutException):
        return Failure(0, "timed out", Phase.LIVE)
    if isinstance(error, ValueError) and not isinstance(error, GoogleAuthError):
        return Failure(_UNREADABLE, "unreadable answer", Phase.LIVE)
    failure = failure_of(error, Phase.LIVE)
    if failure.code >= 500 and isinstance(error, errors.ServerError):
        return replace(failure, code=_SERVER_FAULT)
    return replace(failure, code=_INVALID_CONTENT) if failure.code == 400 else failure
