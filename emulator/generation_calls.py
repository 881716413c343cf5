"""The REST calls of models that generate: answers as a whole or streamed, and counts of tokens."""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import replace

from aiohttp import web

from emulator.attachments import Attachments
from emulator.cache_calls import with_cached
from emulator.faults import Fault
from emulator.generate import generate
from emulator.models import Model
from emulator.prompt import Prompt, read_prompt
from emulator.response import SOUND_PIECE_MS, Response, by_modality, pieces_of_sound
from emulator.rest_errors import ApiError, check_caller, place_of, read_json, read_key, read_model, refusal
from emulator.speech import check_modality, read_speech
from emulator.spoiling import STATUSES, Delivery, spoiled
from emulator.state import Emulator
from emulator.tcp import reset
from emulator.wire import Json, camel_keys

_PIECE_PAUSE_S = 0.01
_SILENT_PAUSE_S = 0.05
_OVERLOADED = "The model is overloaded. Please try again later."
_HIGH_DEMAND = (
    "This model is currently experiencing high demand. Spikes in demand are usually temporary. Please try again later."
)


class GenerationCalls:
    """The handlers; each raises `ApiError` for what it refuses."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator

    async def call_model(self, request: web.Request) -> web.StreamResponse:
        """`POST models/MODEL:VERB`"""
        check_caller(request)
        verb = request.match_info["verb"]
        if verb == "countTokens":
            read_model(request, self._emulator.faults, verb)
            return await self._count(request)
        if verb not in ("generateContent", "streamGenerateContent"):
            raise refusal(404, f"Unknown method {verb}.")
        model = read_model(request, self._emulator.faults, "generateContent")
        spent = self._emulator.quota.rest_error(model.id, place_of(request))
        if spent is not None:
            raise ApiError(spent["error"]["code"], spent)
        body, cached = with_cached(self._emulator, place_of(request), model, camel_keys(await read_json(request)))
        fault = self._emulator.faults.use("bad_speech" if model.speaks else "bad_text", "", model.id)
        answer = self._speak if model.speaks else self._write
        response = replace(await answer(request, model, body, fault), cached_tokens=cached)
        delivery = spoiled(response, fault)
        self._emulator.account.add(model.id, delivery.response.usage(delivery.response.pieces))
        await asyncio.sleep(self._emulator.options.first_piece_s + delivery.delay_s)
        if verb == "streamGenerateContent":
            return await self._stream(request, delivery, fault)
        return await self._whole(request, delivery, fault)

    async def _count(self, request: web.Request) -> web.Response:
        body = camel_keys(await read_json(request))
        prompt = await self._read(request, body.get("generateContentRequest") or body)
        tokens = prompt.tokens
        return web.json_response({"totalTokens": tokens.total(), "promptTokensDetails": by_modality(tokens)})

    async def _write(self, request: web.Request, model: Model, body: Json, fault: Fault | None) -> Response:
        prompt = await self._read(request, body)
        _check_size(model, prompt)
        check_modality(model, prompt.config)
        for recording in prompt.recordings:
            self._emulator.log.add(
                "recording_heard", model=model.id, duration_ms=recording.duration_ms, words=recording.words
            )
        self._log("text_generated", model, fault, heard=prompt.heard)
        await self._fail(request, fault)
        if fault and fault.params["answer"] == "plain":
            prompt = replace(prompt, config={})
        return generate(model.id, prompt, self._emulator.options.seed)

    async def _read(self, request: web.Request, body: Json) -> Prompt:
        return await read_prompt(body, self._emulator.ear, Attachments(self._emulator, read_key(request)))

    async def _speak(self, request: web.Request, model: Model, body: Json, fault: Fault | None) -> Response:
        speech = read_speech(model, body)
        self._log("speech_generated", model, fault, text=speech.text, voice=speech.voice)
        await self._fail(request, fault)
        pcm = await self._emulator.voice.speak(speech.text, speech.voice, speech.language)
        return Response(model.id, speech.prompt_tokens, pieces_of_sound(pcm))

    def _log(self, kind: str, model: Model, fault: Fault | None, **facts: str) -> None:
        self._emulator.log.add(kind, model=model.id, spoiled=fault.params["answer"] if fault else "", **facts)

    async def _fail(self, request: web.Request, fault: Fault | None) -> None:
        """Raise the HTTP error that a fault stands for, or be as silent as it wants."""
        how = fault.params["answer"] if fault else ""
        if how in STATUSES:
            raise refusal(STATUSES[how], _OVERLOADED if how == "unavailable" else "")
        if how == "hang":
            await self._stay_silent(request, fault)

    async def _whole(self, request: web.Request, delivery: Delivery, fault: Fault | None) -> web.StreamResponse:
        match delivery.halfway:
            case "be silent":
                await self._stay_silent(request, fault)
            case "reset":
                reset(request.transport)
            case "fail":
                raise refusal(503, _HIGH_DEMAND)
        return web.json_response(delivery.response.whole())

    async def _stream(self, request: web.Request, delivery: Delivery, fault: Fault | None) -> web.StreamResponse:
        """Send messages as server-sent events, or as one growing JSON list when the client did not ask for events."""
        events = request.query.get("alt") == "sse"
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream" if events else "application/json"})
        await response.prepare(request)
        messages = delivery.response.messages()
        pause_s = self._pause_s(delivery.response)
        # Whoever has heard enough hangs up.
        with contextlib.suppress(ConnectionError):
            for index, message in enumerate(messages):
                if index == len(messages) // 2 and await self._breaks_off(request, response, delivery, fault):
                    return response
                text = json.dumps(message)
                framed = f"data: {text}\r\n\r\n" if events else f"{'[' if index == 0 else ','}\n{text}"
                await response.write(framed.encode())
                await asyncio.sleep(pause_s)
            if not events:
                await response.write(b"\n]\n")
            await response.write_eof()
        return response

    def _pause_s(self, response: Response) -> float:
        """Between two messages. Sound comes as fast as that of Live does."""
        if not response.output_tokens(response.pieces)["AUDIO"]:
            return _PIECE_PAUSE_S
        options = self._emulator.options
        return SOUND_PIECE_MS / 1000 / (options.pace * options.send_speed)

    async def _breaks_off(
        self, request: web.Request, response: web.StreamResponse, delivery: Delivery, fault: Fault | None
    ) -> bool:
        """Do what a fault has for the middle of a stream; True if that was its end."""
        match delivery.halfway:
            case "be silent":
                await self._stay_silent(request, fault)
            case "reset":
                reset(request.transport)
                return True
            case "fail":
                # No event of the stream, but the bare error behind it.
                await response.write(json.dumps(refusal(503, _HIGH_DEMAND).body, indent=2).encode())
                await response.write_eof()
                return True
        return False

    async def _stay_silent(self, request: web.Request, fault: Fault | None) -> None:
        """Wait until the fault is gone, or whoever asked."""
        # A fault that expires tells nobody.
        while fault and self._emulator.faults.stands(fault) and _is_connected(request):  # noqa: ASYNC110
            await asyncio.sleep(_SILENT_PAUSE_S)


def _check_size(model: Model, prompt: Prompt) -> None:
    count, most = prompt.tokens.total(), model.input_token_limit
    if count > most:
        text = f"The input token count ({count}) exceeds the maximum number of tokens allowed ({most})."
        raise refusal(400, text)


def _is_connected(request: web.Request) -> bool:
    return request.transport is not None and not request.transport.is_closing()
